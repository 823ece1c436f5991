//! `cargo xtask msi`: the packages for Windows, one for the machine and one for a single user.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cabinet::Effort;
use sha2::{Digest, Sha256};

use crate::brand::Edition;
use crate::machine::{Purpose, prepare};
use crate::shell::{command, root, show, target};
use crate::sign::Signer;
use crate::windows::Profile;
use crate::{contents, smaller, windows};

/// What the later package calls itself.
const LATER: &str = "99.0.0";

/// Right after InstallValidate, where the WiX toolset puts it.
const AFTER_VALIDATION: u32 = 1401;
/// How wixl's source begins the line of an action that runs a program out of the package, which it does not know, and
/// what stands for it in the package: type 2, deferred, not as the user, whatever comes of it.
const RUNS_SETUP: &str = "    <CustomAction Id=\"InstallWebView\"";
const INSTALL_WEBVIEW: &str = "INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('InstallWebView', 3138, 'WebViewSetup', '/silent /install')";
/// What wixl does not know of a property.
const SECURE: &str = r#" Secure="yes""#;

/// For whom a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// For everybody at the machine; an administrator installs it.
    Machine,
    /// For who installs it.
    User,
}

/// Builds the programs of a brand for Windows and packs them; prints where the packages are. Programs and packages are
/// signed where there is a certificate. With the file of WebView2's bootstrapper the packages bring that along.
///
/// # Errors
/// Something is missing, does not build or cannot be packed.
pub fn run(name: &str, webview2: Option<&str>) -> Result<bool, String> {
    prepare(&[Purpose::Build, Purpose::Windows])?;
    let signer = Signer::of_environment()?;
    let edition = Edition::read(name)?;
    let files = windows::build(&edition, Profile::Release)?;
    let version = contents::write(&edition, windows::TRIPLE, &[], &files)?;
    let webview2 = webview2.map(Path::new).map(at_hand).transpose()?;
    both(&edition, &files, &version, webview2.as_deref(), signer.as_ref(), Some(Effort::Most))?;
    Ok(true)
}

/// The packages that `tests/tests/msi.rs` installs: this version, and a later one to upgrade to, which is signed with a
/// certificate of the day and brings along what stands in for WebView2's bootstrapper. `as_built`: of programs that were
/// built before.
///
/// # Errors
/// Something does not build or cannot be packed.
pub fn for_tests(profile: Profile, as_built: bool) -> Result<(), String> {
    prepare(&[Purpose::Build, Purpose::Windows, Purpose::WindowsTest])?;
    let edition = Edition::read("carillon")?;
    let files = match as_built {
        true => windows::built(&edition),
        false => windows::build(&edition, profile)?,
    };
    let version = contents::write(&edition, windows::TRIPLE, &[], &files)?;
    // Not so small, but soon; and one of them as wixl makes it.
    let (now, later) = match profile {
        Profile::Release => (Effort::Most, Some(Effort::Most)),
        Profile::Trial => (Effort::Least, None),
    };
    both(&edition, &files, &version, None, None, Some(now))?;
    contents::name(&files, LATER)?;
    let webview2 = stand_in()?;
    both(&edition, &files, LATER, Some(&webview2), Some(&Signer::of_the_day()?), later)
}

/// A program that writes down how it was called, in the place of WebView2's bootstrapper.
fn stand_in() -> Result<PathBuf, String> {
    let (source, program) = (root().join("tests/wine/webview2.c"), setup());
    let (source, output) = (source.display().to_string(), program.display().to_string());
    show(command("x86_64-w64-mingw32-gcc-posix", &["-Os", "-s", "-o", &output, &source]))?;
    Ok(program)
}

/// Where WebView2's bootstrapper lies when it is packed.
fn setup() -> PathBuf {
    target("windows").join("webview2-setup.exe")
}

/// Copies WebView2's bootstrapper to where it is packed from: wixl knows no absolute paths.
fn at_hand(file: &Path) -> Result<PathBuf, String> {
    fs::create_dir_all(target("windows")).map_err(|e| e.to_string())?;
    fs::copy(file, setup()).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(setup())
}

fn both(
    edition: &Edition,
    files: &Path,
    version: &str,
    webview2: Option<&Path>,
    signer: Option<&Signer>,
    effort: Option<Effort>,
) -> Result<(), String> {
    let name = &edition.brand.name;
    if let Some(signer) = signer {
        for program in windows::programs(files)? {
            signer.sign(&program, name)?;
        }
    }
    let mut smaller = effort.map(|effort| smaller::Repacker::new(files, effort));
    for scope in [Scope::Machine, Scope::User] {
        let package = pack(edition, files, version, webview2, scope)?;
        if let Some(smaller) = smaller.as_mut().filter(|_| !cfg!(windows)) {
            smaller.repack(&package)?;
        }
        if let Some(signer) = signer {
            signer.sign(&package, name)?;
        }
        let size = fs::metadata(&package).map_err(|e| e.to_string())?.len();
        println!("{}: {:.1} MB", package.display(), size as f64 / 1e6);
    }
    Ok(())
}

/// Packs what lies in `files` as `version`; where the package is.
///
/// # Errors
/// It cannot be packed, as the tools say it.
fn pack(
    edition: &Edition,
    files: &Path,
    version: &str,
    webview2: Option<&Path>,
    scope: Scope,
) -> Result<PathBuf, String> {
    let folder = target("packages");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let source = source(webview2.is_some())?;
    let source_file = folder.join("phone.wxs");
    let write =
        |text: &str| fs::write(&source_file, text).map_err(|e| format!("{}: {e}", source_file.display()));
    let package = folder.join(format!("{}-{version}-x64{}.msi", edition.brand.program, scope.suffix()));
    let mut variables = variables(edition, files, version, scope, &source);
    variables.extend(webview2.map(|setup| ("WebView2".to_owned(), here(setup))));
    if cfg!(windows) {
        write(&source)?;
        let object = package.with_extension("wixobj").display().to_string();
        let mut candle = command("candle", &["-nologo", "-arch", "x64", "-out", &object]);
        candle.args(variables.iter().map(|(name, value)| format!("-d{name}={value}"))).arg(&source_file);
        show(candle)?;
        show(command("light", &["-nologo", "-dcl:high", "-out", &package.display().to_string(), &object]))?;
        return Ok(package);
    }
    let (plain, conditions) = without_conditions(&source)?;
    let (plain, secure) = (plain.replace(SECURE, ""), secure(&source));
    let plain: String =
        plain.lines().filter(|line| !line.starts_with(RUNS_SETUP)).flat_map(|line| [line, "\n"]).collect();
    write(&plain)?;
    let _ = fs::remove_file(&package);
    let mut wixl = command("wixl", &["-a", "x64", "-o", &package.display().to_string()]);
    for (name, value) in &variables {
        wixl.args(["-D", &format!("{name}={value}")]);
    }
    wixl.arg(&source_file);
    show(wixl)?;
    finish(&package, &conditions, &secure, webview2.is_some(), scope)?;
    Ok(package)
}

/// What wixl leaves out: conditions of components; which properties reach the part of the installer that may do
/// everything; what brings WebView2; that the earlier version goes before the later comes; and, for a single user, that no administrator is
/// needed.
fn finish(
    package: &Path,
    conditions: &[(String, String)],
    secure: &[&str],
    webview2: bool,
    scope: Scope,
) -> Result<(), String> {
    let package = package.display().to_string();
    let mut queries: Vec<String> = conditions
        .iter()
        .map(|(component, condition)| {
            format!("UPDATE `Component` SET `Condition` = '{condition}' WHERE `Component` = '{component}'")
        })
        .collect();
    let secure = ["WIX_DOWNGRADE_DETECTED", "WIX_UPGRADE_DETECTED"].iter().chain(secure).copied();
    let secure = secure.collect::<Vec<_>>().join(";");
    queries.push(format!(
        "UPDATE `Property` SET `Value` = '{secure}' WHERE `Property` = 'SecureCustomProperties'"
    ));
    queries.push(format!(
        "UPDATE `InstallExecuteSequence` SET `Sequence` = {AFTER_VALIDATION} WHERE `Action` = 'RemoveExistingProducts'"
    ));
    if webview2 {
        queries.push(INSTALL_WEBVIEW.to_owned());
    }
    if scope == Scope::User {
        queries.push("DELETE FROM `Property` WHERE `Property` = 'ALLUSERS'".to_owned());
    }
    let mut msibuild = command("msibuild", &[&package]);
    msibuild.args(queries.iter().flat_map(|query| ["-q", query]));
    show(msibuild)
}

impl Scope {
    fn suffix(self) -> &'static str {
        match self {
            Self::Machine => "",
            Self::User => "-user",
        }
    }
}

/// The source of a package, with what brings WebView2 along or without.
fn source(webview2: bool) -> Result<String, String> {
    let read = |name: &str| {
        let file = root().join("wix").join(name);
        fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))
    };
    let whole = read("phone.wxs")?;
    if !webview2 {
        return Ok(whole);
    }
    let (body, end) = whole.rsplit_once("  </Product>").ok_or("wix/phone.wxs: the product does not end")?;
    Ok(format!("{body}{}  </Product>{end}", read("webview2.wxs")?.trim_start_matches('\n')))
}

/// A path as wixl takes it, which knows no absolute ones.
fn here(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Everything `wix/phone.wxs` leaves open.
fn variables(
    edition: &Edition,
    files: &Path,
    version: &str,
    scope: Scope,
    source: &str,
) -> Vec<(String, String)> {
    let brand = &edition.brand;
    let upgrade = guid(&[&brand.identifier, scope.suffix()]);
    let icon = here(&root().join("brand").join(&edition.name).join("icons/icon.ico"));
    let files = here(files);
    let (root, wix_scope, folder, below) = match scope {
        Scope::Machine => ("HKLM", "perMachine", "ProgramFiles64Folder", "."),
        Scope::User => ("HKCU", "perUser", "LocalAppDataFolder", "Programs"),
    };
    let key = format!("Software\\{}", brand.name);
    let website = brand.links.website.as_deref().unwrap_or("https://carillon.invalid/");
    let mut all: Vec<(String, String)> = [
        ("Name", brand.name.as_str()),
        ("Manufacturer", &brand.name),
        ("Description", "Calls over your office's PBX"),
        ("Version", version),
        ("Program", &brand.program),
        ("Identifier", &brand.identifier),
        ("Scheme", &brand.scheme),
        ("Website", website),
        ("UpgradeCode", &upgrade),
        ("Icon", &icon),
        ("Files", &files),
        ("Scope", wix_scope),
        ("Root", root),
        ("ProgramsFolder", folder),
        ("Below", below),
        ("Key", &key),
        ("Run", r"Software\Microsoft\Windows\CurrentVersion\Run"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    all.extend(components(source).map(|id| (format!("Guid{id}"), guid(&[&upgrade, id]))));
    all
}

/// The components a source speaks of.
fn components(source: &str) -> impl Iterator<Item = &str> {
    source.split("<Component Id=\"").skip(1).filter_map(|rest| rest.split('"').next())
}

/// The properties of a source that are said on the installer's command line.
fn secure(source: &str) -> Vec<&str> {
    let properties = source.split("<Property Id=\"").skip(1).filter_map(|rest| rest.split_once('"'));
    properties.filter(|(_, rest)| rest.starts_with(SECURE)).map(|(name, _)| name).collect()
}

/// The same text gives the same identifier for ever, and another brand or scope another (RFC 9562, section 5.8).
fn guid(of: &[&str]) -> String {
    let mut hash = Sha256::digest(of.join("\n").as_bytes());
    if let Some(byte) = hash.get_mut(6) {
        *byte = *byte & 0x0f | 0x80;
    }
    if let Some(byte) = hash.get_mut(8) {
        *byte = *byte & 0x3f | 0x80;
    }
    let mut text = String::new();
    for (n, byte) in hash.iter().take(16).enumerate() {
        if [4, 6, 8, 10].contains(&n) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// wixl of Debian knows no condition in a component: the source without them, and each component's.
fn without_conditions(source: &str) -> Result<(String, Vec<(String, String)>), String> {
    const OPEN: &str = "<Condition>";
    const CLOSE: &str = "</Condition>";
    let (mut plain, mut conditions, mut rest) = (String::new(), Vec::new(), source);
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (condition, after) = after.split_once(CLOSE).ok_or("wix/phone.wxs: a condition does not end")?;
        plain.push_str(before);
        let component =
            components(&plain).last().ok_or("wix/phone.wxs: a condition outside of components")?;
        if condition.contains(['&', '\'']) {
            return Err(format!("wix/phone.wxs: {component}: a condition is to have neither & nor '"));
        }
        conditions.push((component.to_owned(), condition.to_owned()));
        rest = after;
    }
    plain.push_str(rest);
    Ok((plain, conditions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_the_same_for_ever_and_anothers_is_not() {
        let own = guid(&["app.carillon.phone", ""]);
        assert_eq!(own, guid(&["app.carillon.phone", ""]));
        assert_eq!(own.len(), 36);
        assert_eq!(own.as_bytes().get(14), Some(&b'8'));
        assert_ne!(own, guid(&["app.carillon.phone", "-user"]));
    }

    #[test]
    fn conditions_are_taken_out_and_kept_with_their_component() {
        let source = r#"<Component Id="A"><X/></Component><Component Id="B"><Condition>C = "1"</Condition><Y/></Component>"#;
        let (plain, conditions) = without_conditions(source).unwrap();
        assert_eq!(plain, r#"<Component Id="A"><X/></Component><Component Id="B"><Y/></Component>"#);
        assert_eq!(conditions, [("B".to_owned(), r#"C = "1""#.to_owned())]);
        assert!(without_conditions("<Component Id=\"A\"><Condition>").is_err());
    }

    #[test]
    fn what_is_said_on_the_command_line_is_found() {
        let source = r#"<Property Id="SERVER" Secure="yes"/><Property Id="NETSH" Value="x"/>"#;
        assert_eq!(secure(source), ["SERVER"]);
    }

    #[test]
    fn every_variable_of_the_source_is_given() {
        let source = fs::read_to_string(root().join("wix/phone.wxs")).unwrap();
        let edition = Edition::read("harbour").unwrap();
        let given = variables(&edition, Path::new("files"), "1.2.3", Scope::User, &source);
        for rest in source.split("$(var.").skip(1) {
            let name = rest.split(')').next().unwrap();
            assert!(given.iter().any(|(given, _)| given == name), "{name}");
        }
        let with = super::source(true).unwrap();
        assert!(
            with.contains("$(var.WebView2)") && with.trim_end().ends_with("</Product>\n</Wix>"),
            "{with}"
        );
    }
}
