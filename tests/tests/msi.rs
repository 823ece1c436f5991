//! The packages for Windows, installed: what they bring is looked at in the folders and the registry, and the command
//! line registers and calls as a program of Windows. `cargo xtask msi --for-tests` builds them, without optimisation
//! unless `--release` says otherwise: the version of this tree, and one that calls itself later.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use system_tests::{
    Cli, Demo, Process, Registry, SipAccount, Speech, Voice, Wine, output_file, score, target_dir,
};

const SOON: Duration = Duration::from_secs(60);
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What the later package calls itself.
const LATER: &str = "99.0.0";
const ECHO: &str = "9196";
const KEY: &str = r"Software\Carillon";
const RUN: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";
const APPS: &str = r"Software\Microsoft\Windows\CurrentVersion\Uninstall";
const LINK: &str = r"Software\Classes\app.carillon.phone.link";
/// Programs and papers of a package.
const FILES: &[&str] =
    &["carillon.exe", "carillon-cli.exe", "WebView2Loader.dll", "licences.txt", "sbom.cdx.json"];

/// For whom a package is, and so where everything of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Machine,
    User,
}

/// What an administrator said on the installer's command line.
#[derive(Debug, Clone, Copy)]
struct Said<'a> {
    version: &'a str,
    server: Option<&'a str>,
    desktop: bool,
    autostart: bool,
}

#[test]
fn installed_for_the_machine_run_upgraded_repaired_and_removed() {
    let (wine, scope) = (Wine::new(), Scope::Machine);
    let package = scope.package(VERSION);
    let said = Said { version: VERSION, server: Some("pbx.test.io"), desktop: true, autostart: false };
    assert_eq!(wine.msiexec("/i", &package, &["SERVER=pbx.test.io", "DOMAIN=test.io"]), 0);
    assert_eq!(scope.faults(&wine, said), Vec::<String>::new());

    runs(&wine, scope);
    resources(&scope.place(&wine).join("carillon.exe"));
    calls(&wine, scope);

    // What is looked at can be missing: a file, a shortcut, a value.
    let place = scope.place(&wine);
    fs::remove_file(place.join("WebView2Loader.dll")).unwrap();
    fs::remove_file(shortcut(&wine, "Start Menu").unwrap()).unwrap();
    let mut edit = wine.command("reg");
    edit.args(["delete", &format!(r"HKLM\{LINK}"), "/v", "URL Protocol", "/f", "/reg:64"]);
    Process::run("reg", edit);
    wine.settle();
    let faults = scope.faults(&wine, said);
    assert_eq!(faults.len(), 3, "{faults:?}");
    // What `/famus` stands for; Wine's wants the product's code after it, not the package.
    assert_eq!(wine.msiexec("/i", &package, &["REINSTALL=ALL", "REINSTALLMODE=amus"]), 0);
    assert_eq!(scope.faults(&wine, said), Vec::<String>::new(), "after a repair");

    assert!(!wine.drive().join("webview2.txt").exists(), "there is nothing in this package to be called");
    let later = scope.package(LATER);
    assert!(!signed(&package), "signed by nobody, and yet");
    assert!(signed(&later), "the later package is not signed");
    assert_eq!(wine.msiexec("/i", &later, &["AUTOSTART=1"]), 0);
    for program in ["carillon.exe", "carillon-cli.exe", "WebView2Loader.dll"] {
        assert!(signed(&place.join(program)), "{program} is not signed");
    }
    // The later package brings what would install WebView2, and here it is missing.
    let called = fs::read_to_string(wine.drive().join("webview2.txt")).unwrap();
    assert_eq!(called.lines().collect::<Vec<_>>(), ["/silent", "/install"]);
    let said = Said { version: LATER, autostart: true, ..said };
    assert_eq!(scope.faults(&wine, said), Vec::<String>::new(), "after an upgrade");
    assert_ne!(wine.msiexec("/i", &package, &[]), 0, "it went back to an earlier version");
    assert_eq!(scope.faults(&wine, said), Vec::<String>::new(), "after a downgrade that was refused");

    assert_eq!(wine.msiexec("/x", &later, &[]), 0);
    assert_eq!(scope.remains(&wine), Vec::<String>::new());
}

#[test]
fn installed_for_one_user_without_a_shortcut_and_removed() {
    let (wine, scope) = (Wine::new(), Scope::User);
    let package = scope.package(VERSION);
    let said = Said { version: VERSION, server: None, desktop: false, autostart: true };
    assert_eq!(wine.msiexec("/i", &package, &["DESKTOPSHORTCUT=0", "AUTOSTART=1"]), 0);
    assert_eq!(scope.faults(&wine, said), Vec::<String>::new());
    runs(&wine, scope);
    let later = scope.package(LATER);
    assert_eq!(wine.msiexec("/i", &later, &[]), 0);
    assert_eq!(
        scope.faults(&wine, Said { version: LATER, ..said }),
        Vec::<String>::new(),
        "after an upgrade"
    );
    assert_eq!(wine.msiexec("/x", &later, &[]), 0);
    assert_eq!(scope.remains(&wine), Vec::<String>::new());
}

#[test]
fn without_webview2_the_program_says_what_is_missing() {
    let (wine, scope) = (Wine::new(), Scope::User);
    assert_eq!(wine.msiexec("/i", &scope.package(VERSION), &[]), 0);
    let mut program = Process::start("carillon.exe", wine.command(scope.place(&wine).join("carillon.exe")));
    program.wait_for("why", SOON, |line| line.text.contains("the window cannot be opened").then_some(()));
    let session = wine.session();
    session.wait_until("its message", || !session.windows().is_empty());
    session.photograph(&output_file(Path::new("msi/without-webview2.png")));
}

/// Whether a file carries a whole signature of the certificate of the day.
fn signed(file: &Path) -> bool {
    let root = target_dir().join("packages/certificate-of-the-day/root.pem");
    let mut verify = Command::new("osslsigncode");
    verify.arg("verify").arg("-CAfile").arg(root).arg("-in").arg(file);
    verify.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

/// Windows shows whose program it is, in which version, and its icon; the manifest wants sharp text, UTF-8 and long paths.
fn resources(program: &Path) {
    let read = |kind: &str| {
        let mut wrestool = Command::new("wrestool");
        wrestool.args(["--extract", "--raw", &format!("--type={kind}")]).arg(program);
        wrestool.output().unwrap().stdout
    };
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let version = read("16");
    for text in ["Carillon", VERSION] {
        assert!(
            version.windows(text.len() * 2).any(|part| part == wide(text)),
            "no {text} in the version resource"
        );
    }
    let manifest = String::from_utf8(read("24")).unwrap();
    for word in ["PerMonitorV2", "UTF-8", "longPathAware"] {
        assert!(manifest.contains(word), "no {word} in {manifest}");
    }
    assert!(!read("14").is_empty(), "no icon");
}

/// Both programs say which version they are.
fn runs(wine: &Wine, scope: Scope) {
    for program in ["carillon.exe", "carillon-cli.exe"] {
        let mut command = wine.command(scope.place(wine).join(program));
        command.arg("--version");
        let said = Process::run_within(program, command, SOON);
        assert!(said.contains(VERSION), "{program}: {said}");
    }
}

/// The command line registers at the demo PBX, calls the echo and hears itself.
fn calls(wine: &Wine, scope: Scope) {
    let demo = Demo::start(&[]);
    let (say, hear) = (Speech::spoken(Voice::Second, 48_000), wine.session().path("echo.wav"));
    let SipAccount { user, domain, proxy, password, .. } = demo.alice_sip("udp");
    let mut command = wine.command(scope.place(wine).join("carillon-cli.exe"));
    command.args(["--json", "call", ECHO, "--duration", "11"]);
    command.args(["--play", &Wine::path(&say), "--record", &Wine::path(&hear)]);
    command.args(["--sip-user", &user, "--sip-domain", &domain, "--proxy", &proxy, "--transport", "udp"]);
    command.env("CARILLON_SIP_PASSWORD", password);
    let mut call = Cli::of("carillon-cli.exe", command);
    call.wait_for("registered", SOON);
    assert_eq!(call.wait_for("answered", SOON).text("codec"), "opus");
    assert_eq!(call.wait_for("ended", SOON).text("reason"), "hungUpHere");
    call.assert_exit(0, SOON);
    score(&Speech::reference(Voice::Second), &hear).assert_clean("echo", 3.5, 0.9);
}

impl Scope {
    fn package(self, version: &str) -> PathBuf {
        let suffix = if self == Self::Machine { "" } else { "-user" };
        let package = target_dir().join(format!("packages/carillon-{version}-x64{suffix}.msi"));
        assert!(package.is_file(), "{}: `cargo xtask msi --for-tests` builds it", package.display());
        package
    }

    fn place(self, wine: &Wine) -> PathBuf {
        match self {
            Self::Machine => wine.drive().join("Program Files/Carillon"),
            Self::User => wine.user().join("AppData/Local/Programs/Carillon"),
        }
    }

    /// Where programs look for it.
    fn place_in_words(self, wine: &Wine) -> String {
        let place = self.place(wine);
        let below = place.strip_prefix(wine.drive()).unwrap().display().to_string();
        format!(r"C:\{}", below.replace('/', "\\"))
    }

    fn registry(self, wine: &Wine) -> Registry {
        match self {
            Self::Machine => wine.machine_registry(),
            Self::User => wine.user_registry(),
        }
    }

    /// What is not as it should be after an installation.
    fn faults(self, wine: &Wine, said: Said<'_>) -> Vec<String> {
        let (registry, place, words) = (self.registry(wine), self.place(wine), self.place_in_words(wine));
        let mut faults: Vec<String> = FILES
            .iter()
            .filter(|file| !place.join(file).is_file())
            .map(|file| format!("no {file}"))
            .collect();
        let sbom = fs::read_to_string(place.join("sbom.cdx.json")).unwrap_or_default();
        let sbom: Value = serde_json::from_str(&sbom).unwrap_or_default();
        if sbom["metadata"]["component"]["version"] != said.version {
            faults.push(format!("the files are not those of {}", said.version));
        }
        let program = format!("{words}\\carillon.exe");
        let open = format!("\"{program}\" \"%1\"");
        let starts = format!("\"{program}\" --hidden");
        let capabilities = format!(r"{KEY}\Capabilities");
        let urls = format!(r"{capabilities}\URLAssociations");
        let link = "app.carillon.phone.link";
        let wanted = [
            (KEY, "Server", said.server),
            (KEY, "Domain", said.server.map(|_| "test.io")),
            (RUN, "Carillon", said.autostart.then_some(starts.as_str())),
            (&format!(r"{LINK}\shell\open\command"), "", Some(&open)),
            (LINK, "URL Protocol", Some("")),
            (r"Software\Classes\carillon\shell\open\command", "", Some(&open)),
            (&urls, "tel", Some(link)),
            (&urls, "sip", Some(link)),
            (&urls, "sips", Some(link)),
            (&urls, "callto", Some(link)),
            (r"Software\RegisteredApplications", "Carillon", Some(&capabilities)),
        ];
        for (key, name, wanted) in wanted {
            let found = registry.get(key, name);
            if found != wanted {
                faults.push(format!("{key} {name:?} is {found:?}, not {wanted:?}"));
            }
        }
        let apps = wine.machine_registry();
        let user_apps = wine.user_registry();
        let versions: Vec<_> = [&apps, &user_apps]
            .into_iter()
            .flat_map(|registry| {
                registry.keys_with("DisplayName", "Carillon").into_iter().map(move |key| (registry, key))
            })
            .filter(|(_, key)| key.starts_with(&APPS.to_lowercase()))
            .filter_map(|(registry, key)| registry.get(key, "DisplayVersion"))
            .collect();
        if versions != [said.version] {
            faults.push(format!("Apps & features: {versions:?}"));
        }
        for (menu, wanted) in [("Start Menu", true), ("Desktop", said.desktop)] {
            if shortcut(wine, menu).is_some() != wanted {
                faults.push(format!("shortcut in {menu}: {}", !wanted));
            }
        }
        faults
    }

    /// What is left after a removal.
    fn remains(self, wine: &Wine) -> Vec<String> {
        let mut remains = Vec::new();
        if self.place(wine).exists() {
            remains.push(self.place(wine).display().to_string());
        }
        let everything = [(wine.machine_registry(), "machine"), (wine.user_registry(), "user")];
        for (registry, whose) in &everything {
            for key in [KEY, LINK, r"Software\Classes\carillon"] {
                remains.extend(registry.keys_below(key).iter().map(|key| format!("{whose}: {key}")));
            }
            for (key, name) in [(RUN, "Carillon"), (r"Software\RegisteredApplications", "Carillon")] {
                remains.extend(registry.get(key, name).map(|value| format!("{whose}: {key}: {value}")));
            }
            let apps = registry.keys_with("DisplayName", "Carillon");
            remains.extend(
                apps.iter().filter(|key| key.starts_with(&APPS.to_lowercase())).map(|key| (*key).to_owned()),
            );
        }
        for menu in ["Start Menu", "Desktop"] {
            remains.extend(shortcut(wine, menu).map(|file| file.display().to_string()));
        }
        remains
    }
}

/// The phone's shortcut, in the menu or on the desktop, whoever's that is.
fn shortcut(wine: &Wine, menu: &str) -> Option<PathBuf> {
    let links = Wine::files(&wine.drive(), "Carillon.lnk");
    links.into_iter().find(|link| link.ancestors().any(|above: &Path| above.ends_with(menu)))
}
