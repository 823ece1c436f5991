//! `cargo xtask bench`: the figures of BENCHMARKS.md, measured on this machine.

use crate::machine::{Purpose, prepare, scoring_python};
use crate::shell::{cargo, command, show, target};
use crate::ui;

/// Builds the product as it is shipped and measures it; `names` are parts, all of them without a name.
///
/// # Errors
/// Something is missing, does not build, or a measurement fails.
pub fn run(names: &[&str]) -> Result<bool, String> {
    prepare(&[Purpose::Build, Purpose::FastTest, Purpose::Test])?;
    scoring_python()?;
    if let Some(install) = ui::install() {
        show(install)?;
    }
    show(ui::build())?;
    let product = ["--package", "carillon-cli", "--package", "carillon", "--package", "demo-pbx"];
    show(cargo(&[&["build", "--release"], &product[..]].concat()))?;
    show(cargo(&["build", "--package", "system-tests", "--bin", "measure"]))?;
    let mut measure = command(target("debug/measure"), names);
    measure.env("CARILLON_BIN_DIR", target("release"));
    show(measure)?;
    Ok(true)
}
