//! Where the product's programs and the tests' own files lie.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The workspace's target folder.
pub fn target_dir() -> PathBuf {
    if let Some(dir) = env::var_os("CARGO_TARGET_DIR") {
        return PathBuf::from(dir);
    }
    workspace().join("target")
}

/// A program of the product: from the folder `CARILLON_BIN_DIR`, or where this test was built.
pub fn product(name: &str) -> PathBuf {
    let dir = env::var_os("CARILLON_BIN_DIR").map_or_else(built_here, PathBuf::from);
    let path = dir.join(name);
    assert!(path.is_file(), "{} is missing: build it first, as `cargo xtask test` does", path.display());
    path
}

/// A program of another brand, as `cargo xtask brand` leaves it.
pub fn branded(brand: &str, program: &str) -> PathBuf {
    let path = target_dir().join("brand").join(brand).join(program);
    assert!(path.is_file(), "{} is missing: `cargo xtask brand {brand} --debug` builds it", path.display());
    path
}

/// The Python that has what `score.py` needs.
pub fn python() -> PathBuf {
    let path =
        env::var_os("CARILLON_PYTHON").map_or_else(|| target_dir().join("venv/bin/python"), PathBuf::from);
    assert!(path.exists(), "{} is missing: `cargo xtask test` makes it", path.display());
    path
}

/// The root that has Asterisk in it.
pub(crate) fn asterisk_root() -> PathBuf {
    let path = target_dir().join("asterisk/root");
    let program = path.join("usr/sbin/asterisk");
    assert!(program.is_file(), "{} is missing: `cargo xtask test` makes it", program.display());
    path
}

/// A fresh folder for what a test leaves behind to be looked at.
pub fn output_dir(test: &str) -> PathBuf {
    let dir = workspace().join("tests/output").join(test);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    dir
}

/// A file among what tests leave behind, in a folder that is there.
pub fn output_file(name: &Path) -> PathBuf {
    let file = workspace().join("tests/output").join(name);
    let folder = file.parent().expect("a file lies in a folder");
    fs::create_dir_all(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    file
}

pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace")
}

fn built_here() -> PathBuf {
    let exe = env::current_exe().expect("a test knows its own path");
    // target/<profile>/deps/<test> beside target/<profile>/<program>
    exe.ancestors().nth(2).expect("a test lies in deps").to_path_buf()
}
