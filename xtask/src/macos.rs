//! Whether the programs type-check for macOS, wherever this runs. Nothing is linked or run: what is written in C is
//! left out by stand-ins for its compilers.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::shell::{cargo, command, keep, show, succeeds, target};

const TRIPLE: &str = "aarch64-apple-darwin";

/// Leaves an empty file where an output is wanted, and says that it is Clang.
const COMPILER: &str = "#!/bin/sh
last=
for word in \"$@\"; do
  [ \"$last\" = -o ] && : > \"$word\"
  [ \"$word\" = -E ] && echo '#pragma clang __clang__'
  last=$word
done
exit 0
";

/// An archive with nothing in it.
const ARCHIVER: &str = "#!/bin/sh
for word in \"$@\"; do
  case $word in *.a) printf '!<arch>\\n' > \"$word\" ;; esac
done
exit 0
";

const CMAKE: &str = "#!/bin/sh
echo 'cmake version 3.31.0'
exit 0
";

/// Checks the programs and all they are made of.
///
/// # Errors
/// The target cannot be had, or something does not type-check.
pub fn check() -> Result<(), String> {
    show(checking()?)
}

/// What checks them.
///
/// # Errors
/// The target cannot be had, or the stand-ins cannot be written.
pub fn checking() -> Result<Command, String> {
    let libraries = keep(command("rustc", &["--print", "target-libdir", "--target", TRIPLE]))?;
    if !Path::new(libraries.output.trim()).is_dir() && !succeeds("rustup", &["target", "add", TRIPLE]) {
        return Err(format!(
            "Rust's library for {TRIPLE} is missing: `rustup target add {TRIPLE}` did not bring it."
        ));
    }
    let mut check =
        cargo(&["check", "--target", TRIPLE, "--package", "carillon", "--package", "carillon-cli"]);
    if !cfg!(target_os = "macos") {
        let tool = |name: &str, text: &str| tool(name, text).map(|path| path.display().to_string());
        let (compiler, archiver) = (tool("cc", COMPILER)?, tool("ar", ARCHIVER)?);
        check.env("SDKROOT", "/").env("CMAKE", tool("cmake", CMAKE)?);
        for (name, path) in [("CC", &compiler), ("CXX", &compiler), ("AR", &archiver)] {
            check.env(format!("{name}_aarch64_apple_darwin"), path);
        }
    }
    Ok(check)
}

fn tool(name: &str, text: &str) -> Result<std::path::PathBuf, String> {
    let folder = target("macos");
    let path = folder.join(name);
    let problem = |e: std::io::Error| format!("{}: {e}", path.display());
    fs::create_dir_all(&folder).map_err(problem)?;
    fs::write(&path, text).map_err(problem)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(problem)?;
    }
    Ok(path)
}
