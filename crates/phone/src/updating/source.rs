//! Where updates come from, and who installs them.

use std::env;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use brand::BRAND;
use update::{Key, Version};
use url::Url;

/// How long after its start a phone looks for the first time: others have more to do then.
const FIRST: Duration = Duration::from_secs(60);
/// How often it looks.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// The kind of an AppImage, which is replaced where it lies.
pub(super) const APPIMAGE: &str = "linux-x64-appimage";

type Install = dyn Fn(&Path) -> io::Result<()> + Send + Sync;

/// Where updates are looked for, and for what.
#[derive(Debug, Clone)]
pub struct Updates {
    /// Address of the manifest; its signature lies beside it, with `.sig` behind its name.
    pub manifest: Url,
    /// Key of who makes the product.
    pub key: Key,
    /// Name of the product.
    pub product: String,
    /// What runs.
    pub installed: Version,
    /// What kind of package this phone was installed from; `None` where it was from none that is known.
    pub kind: Option<String>,
    /// From the start to the first look.
    pub first: Duration,
    /// From look to look.
    pub every: Duration,
    /// Who installs it.
    pub installer: Installer,
}

/// Hands a package to whoever installs it.
#[derive(Clone)]
pub struct Installer(Arc<Install>);

impl Updates {
    /// Those of this brand, where it has any.
    pub fn of_brand() -> Option<Self> {
        let brand::Updates { manifest, key } = BRAND.updates?;
        Some(Self {
            manifest: manifest.parse().ok()?,
            key: Key::parse(key)?,
            product: BRAND.name.to_owned(),
            installed: env!("CARGO_PKG_VERSION").parse().ok()?,
            kind: env::current_exe().ok().and_then(|program| kind(&program)).map(str::to_owned),
            first: FIRST,
            every: EVERY,
            installer: Installer::system(),
        })
    }
}

/// What kind of package brings a program to this place.
fn kind(program: &Path) -> Option<&'static str> {
    if cfg!(windows) {
        let own = env::var_os("LOCALAPPDATA").is_some_and(|folder| program.starts_with(folder));
        return Some(if own { "windows-x64-user" } else { "windows-x64" });
    }
    // AppImage specification: both are set for a program that was started out of one.
    let unpacked = env::var_os("APPDIR").is_some_and(|folder| program.starts_with(folder));
    if unpacked && image().is_some() {
        return Some(APPIMAGE);
    }
    let of_debian = cfg!(target_os = "linux") && Path::new("/etc/debian_version").exists();
    (of_debian && program == Path::new("/usr/bin").join(BRAND.program)).then_some("debian-amd64")
}

/// The AppImage this phone was started out of.
fn image() -> Option<PathBuf> {
    env::var_os("APPIMAGE").map(PathBuf::from).filter(|image| image.is_absolute())
}

/// Puts a package in an AppImage's place: there is always one of the two, and whole.
fn replace(image: &Path, package: &Path) -> io::Result<()> {
    let mut beside = image.as_os_str().to_owned();
    beside.push(".part");
    let put = || -> io::Result<()> {
        fs::copy(package, &beside)?;
        fs::set_permissions(&beside, fs::metadata(image)?.permissions())?;
        File::open(&beside)?.sync_all()?;
        fs::rename(&beside, image)
    };
    put().inspect_err(|_| drop(fs::remove_file(&beside)))
}

impl Installer {
    /// The system's own: it asks its user what it has to ask. An AppImage is replaced.
    pub fn system() -> Self {
        let unpacked = env::current_exe().is_ok_and(|program| kind(&program) == Some(APPIMAGE));
        if let Some(image) = image().filter(|_| unpacked) {
            return Self::replacing(image);
        }
        Self::by(|package| {
            let mut command = if cfg!(windows) {
                let mut command = std::process::Command::new("msiexec");
                command.arg("/i").arg(package).args(["/passive", "LAUNCH=1"]);
                command
            } else {
                let mut command = std::process::Command::new("xdg-open");
                command.arg(package);
                command
            };
            command.spawn().map(drop)
        })
    }

    /// Puts packages in this AppImage's place.
    pub fn replacing(image: PathBuf) -> Self {
        Self::by(move |package| replace(&image, package))
    }

    /// Somebody else. It may block.
    pub fn by(install: impl Fn(&Path) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(install))
    }

    pub(crate) fn install(&self, package: &Path) -> io::Result<()> {
        (self.0)(package)
    }
}

impl fmt::Debug for Installer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Installer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(windows))]
    #[test]
    fn a_program_that_no_package_brought_is_of_no_kind() {
        assert_eq!(kind(Path::new("/home/someone/carillon")), None);
    }

    #[cfg(unix)]
    #[test]
    fn an_appimage_is_replaced_and_stays_a_program() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let (image, package) = (folder.path().join("phone.AppImage"), folder.path().join("update"));
        fs::write(&image, "old").unwrap();
        fs::set_permissions(&image, fs::Permissions::from_mode(0o755)).unwrap();
        let runs = File::open(&image).unwrap();
        assert!(replace(&image, &package).is_err());
        assert_eq!(io::read_to_string(&runs).unwrap(), "old");
        fs::write(&package, "new").unwrap();
        replace(&image, &package).unwrap();
        assert_eq!(fs::read(&image).unwrap(), b"new");
        assert_eq!(fs::metadata(&image).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
