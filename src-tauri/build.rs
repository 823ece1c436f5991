//! Checks the configuration and, where the UI is not built yet, puts a page in its place that says so.

use std::path::Path;
use std::{env, fs, io};

use brand::BRAND;
use serde_json::Value;
use tauri_build::{AppManifest, Attributes, WindowsAttributes};

const CONFIG: &str = "tauri.conf.json";

fn main() -> io::Result<()> {
    let config = Configuration::read()?;
    config.check()?;
    let dist = Path::new(config.text("/build/frontendDist")?);
    let index = dist.join("index.html");
    if !index.exists() {
        if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
            return Err(io::Error::other(
                "ui/dist/index.html is missing: run `npm ci && npm run build` in ui first",
            ));
        }
        fs::create_dir_all(dist)?;
        fs::write(&index, placeholder())?;
        println!("cargo:warning=ui/dist is missing: the window will only say how to build it");
    }
    println!("cargo:rerun-if-changed={}", index.display());
    if !fs::read_to_string(&index)?.contains(&title()) {
        return Err(io::Error::other(format!(
            "{} was not built for {}: `npm run build` in ui takes the same CARILLON_BRAND",
            index.display(),
            BRAND.name
        )));
    }
    stack_guards();
    // Named here, commands need a permission like any other; see capabilities/main.json.
    let commands = AppManifest::new().commands(&["send", "picture", "open_main", "desktop"]);
    let windows = WindowsAttributes::new().app_manifest(include_str!("app.manifest"));
    tauri_build::try_build(Attributes::new().app_manifest(commands).windows_attributes(windows))
        .map_err(|e| io::Error::other(format!("{e:#}")))
}

/// The configuration of the window, and over it what the environment gives.
struct Configuration {
    file: Value,
    over: Value,
}

impl Configuration {
    fn read() -> io::Result<Self> {
        let file = serde_json::from_str(&fs::read_to_string(CONFIG)?)?;
        let over = env::var("TAURI_CONFIG").ok().filter(|text| !text.is_empty());
        let over = over.map_or(Ok(Value::Null), |text| serde_json::from_str(&text))?;
        Ok(Self { file, over })
    }

    fn text(&self, pointer: &str) -> io::Result<&str> {
        let value = self.over.pointer(pointer).or_else(|| self.file.pointer(pointer));
        value
            .and_then(Value::as_str)
            .ok_or_else(|| io::Error::other(format!("{CONFIG}: {pointer} is missing")))
    }

    /// The brand stands in two places: the programs have it from their folder, the window from here.
    fn check(&self) -> io::Result<()> {
        for (pointer, wanted) in [
            ("/productName", BRAND.name),
            ("/identifier", BRAND.identifier),
            ("/app/windows/0/title", BRAND.name),
            ("/plugins/deep-link/desktop/schemes/0", BRAND.scheme),
        ] {
            let found = self.text(pointer)?;
            if found != wanted {
                return Err(io::Error::other(format!(
                    "{CONFIG}: {pointer} is {found:?}, but the brand says {wanted:?}: \
                     `cargo xtask brand NAME` builds both alike"
                )));
            }
        }
        Ok(())
    }
}

/// Opus is built to notice an overrun of its stack; what notices it comes with Mingw, and is taken into the program
/// rather than laid beside it.
fn stack_guards() {
    let target = |what| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") == "windows" && target("ENV") == "gnu" {
        for library in ["-l:libssp.a", "-ladvapi32", "-lmingwex", "-lmsvcrt", "-lkernel32"] {
            println!("cargo:rustc-link-arg-bins={library}");
        }
    }
}

fn title() -> String {
    format!("<title>{}</title>", BRAND.name.replace('&', "&amp;"))
}

fn placeholder() -> String {
    format!(
        "<!doctype html>{}\
         <p>The user interface is not built. Run <code>npm ci && npm run build</code> in <code>ui</code>, \
         then build again.</p>\n",
        title()
    )
}
