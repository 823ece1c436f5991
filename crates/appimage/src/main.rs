//! The first bytes of the AppImage: a static program that unpacks the file system behind it once, into the user's
//! cache, and starts the phone from there (AppImage specification, type 2). Inside of that file system it is `AppRun`.
//!
//! Nothing is mounted: not every desktop has FUSE, and a phone that starts every morning is unpacked on the first.

#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod kept;
#[cfg(target_os = "linux")]
mod launch;
#[cfg(target_os = "linux")]
mod unpack;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    match linux::run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{}: {problem}", brand::BRAND.name);
            std::process::ExitCode::from(linux::NOT_STARTED)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::env;
    use std::ffi::OsString;
    use std::path::Path;

    use brand::BRAND;

    use crate::image::Image;
    use crate::launch::{self, Start};
    use crate::{kept, unpack};

    /// As a shell says that a program cannot be run.
    pub const NOT_STARTED: u8 = 126;
    /// What it is called inside of the image.
    const INSIDE: &str = "AppRun";
    /// Where `--appimage-extract` puts what is inside.
    const EXTRACTED: &str = "squashfs-root";

    /// Does what the command line says; returns where that was not to start the phone.
    pub fn run() -> Result<(), String> {
        let own = env::current_exe().map_err(|e| format!("its own file is not to be found: {e}"))?;
        let mut arguments = env::args_os();
        let called = arguments.next().unwrap_or_default();
        let mut arguments: Vec<OsString> = arguments.collect();
        if own.file_name().is_some_and(|name| name == INSIDE) {
            let folder = own.parent().ok_or("AppRun is in no folder")?;
            return Err(launch::start(Start { folder, image: None, called, arguments }));
        }
        let image = Image::open(&own)?;
        match arguments.first().and_then(|word| word.to_str()) {
            Some("--appimage-offset") => println!("{}", image.offset()),
            Some("--appimage-version") => println!("{} {}", BRAND.name, env!("CARGO_PKG_VERSION")),
            Some("--appimage-help") => print!("{}", help()),
            Some("--appimage-extract") => {
                image.verify()?;
                unpack::unpack(&image, Path::new(EXTRACTED))?;
                println!("{EXTRACTED}");
            }
            Some("--appimage-mount") => return Err("it is not mounted; --appimage-extract unpacks it".into()),
            word => {
                // It is never done otherwise.
                if word == Some("--appimage-extract-and-run") {
                    arguments.remove(0);
                }
                let kept = kept::keep(&image)?;
                let start = Start { folder: &kept.folder, image: Some(&own), called, arguments };
                return Err(launch::start(start));
            }
        }
        Ok(())
    }

    fn help() -> String {
        format!(
            "\
{} for any Linux. Without one of these options it starts, and hands its arguments on.

  cli ...               the phone without a window; so does a link to this file named {}
  --appimage-extract    unpack what is inside into ./{EXTRACTED}
  --appimage-offset     print where in this file the file system begins
  --appimage-version    print the version
  --appimage-help       print this

It unpacks itself once, into {}/appimage below $XDG_CACHE_HOME (~/.cache), which may be
removed at any time while the phone does not run.
",
            BRAND.name, BRAND.cli_program, BRAND.program
        )
    }
}
