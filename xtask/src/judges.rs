//! `cargo xtask judges`: the foreign PBXs' verdict on every operation over every transport, and the README's table of
//! it, which is only ever written from a run.

use std::fs;
use std::path::PathBuf;

use crate::asterisk;
use crate::machine::{Purpose, prepare, scoring_python};
use crate::shell::{cargo, command, keep, root, show};
use crate::ui;

/// Between these lines stands the table.
const BEGIN: &str = "<!-- the judges' table: written by `cargo xtask judges` -->";
const END: &str = "<!-- end of the judges' table -->";
const PBXS: [&str; 2] = ["kamailio", "asterisk"];
const TRANSPORTS: [&str; 4] = ["udp", "tcp", "tls", "wss"];

/// Runs the judges and writes what they found into the README; whether everything passed.
///
/// # Errors
/// Something is missing or does not build, or a judge did not come to a verdict.
pub fn run() -> Result<bool, String> {
    prepare(&[Purpose::Build, Purpose::FastTest, Purpose::Test])?;
    asterisk::install()?;
    scoring_python()?;
    if let Some(install) = ui::install() {
        show(install)?;
    }
    show(cargo(&["build", "--package", "carillon-cli"]))?;
    let judged = show(cargo(&["test", "--package", "system-tests", "--test", "judges"]));
    let readme = root().join("README.md");
    let text = read(&readme)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("README.md has no place for the table")?;
    let (_, after) = rest.split_once(END).ok_or("README.md has no end of the table")?;
    let table = format!("{before}{BEGIN}\n{}\n\n{}\n{END}{after}", headline()?, table()?);
    fs::write(&readme, table).map_err(|e| format!("{}: {e}", readme.display()))?;
    Ok(judged.is_ok())
}

/// Checks that the README's table says what the last run found.
///
/// # Errors
/// It says something else, or there was no run.
pub fn check() -> Result<(), String> {
    let found = table()?;
    if read(&root().join("README.md"))?.contains(&found) {
        return Ok(());
    }
    Err(format!("README.md says something else; `cargo xtask judges` writes:\n{found}"))
}

/// When and what it was that judged.
fn headline() -> Result<String, String> {
    let last = file(PBXS[1], TRANSPORTS[3]);
    let when = keep(command("date", &["-u", "+%F", "-r", &last.display().to_string()]))?.output;
    let pbxs: Result<Vec<_>, _> = PBXS.iter().map(|pbx| version(pbx)).collect();
    Ok(format!("Last seen on {}: {}.", when.trim(), pbxs?.join(" and ")))
}

/// The version of a PBX, as its judges wrote it down.
fn version(pbx: &str) -> Result<String, String> {
    let text = read(&file(pbx, TRANSPORTS[0]))?;
    let first = text.lines().next().unwrap_or_default();
    Ok(first.split_once('\t').map_or(first, |(_, version)| version).to_owned())
}

/// The table, operation by operation.
fn table() -> Result<String, String> {
    let columns: Vec<_> =
        PBXS.iter().flat_map(|pbx| TRANSPORTS.iter().map(move |transport| (*pbx, *transport))).collect();
    let mut verdicts = Vec::new();
    for (pbx, transport) in &columns {
        let file = file(pbx, transport);
        let text = read(&file).map_err(|e| format!("{e}; `cargo xtask judges` makes it"))?;
        verdicts.push(rows(&text));
    }
    let operations: Vec<String> =
        verdicts.first().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let mut lines = vec![
        format!(
            "| operation |{}",
            columns.iter().map(|(pbx, over)| format!(" {pbx} {over} |")).collect::<String>()
        ),
        format!("|---|{}", "---|".repeat(columns.len())),
    ];
    for (n, operation) in operations.iter().enumerate() {
        let cells = verdicts.iter().map(|column| match column.get(n) {
            Some((name, verdict)) if name == operation => format!(" {verdict} |"),
            _ => " not judged |".to_owned(),
        });
        lines.push(format!("| {operation} |{}", cells.collect::<String>()));
    }
    Ok(lines.join("\n"))
}

/// Operations and verdicts of one column; its first line names the PBX.
fn rows(text: &str) -> Vec<(String, String)> {
    let pairs = text.lines().skip(1).filter_map(|line| line.split_once('\t'));
    pairs.map(|(name, verdict)| (name.to_owned(), verdict.to_owned())).collect()
}

fn file(pbx: &str, transport: &str) -> PathBuf {
    root().join("tests/output/judges").join(format!("{pbx}-{transport}.tsv"))
}

fn read(file: &PathBuf) -> Result<String, String> {
    fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn a_column_is_read_without_its_head() {
        let rows = rows("pbx\tKamailio 5.6.3\nregister\tpassed\ncall out\tfailed\n");
        assert_eq!(rows[1], ("call out".to_owned(), "failed".to_owned()));
        assert_eq!(rows.len(), 2);
    }
}
