//! One build of everything, and the test programs that came out of it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::shell::cargo;

/// One built test program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestProgram {
    /// Name of its package.
    pub package: String,
    /// Name of its target.
    pub target: String,
    /// It lies in the package's `tests` folder.
    pub integration: bool,
    /// The program.
    pub path: PathBuf,
    /// The package's folder, where the program expects to run.
    pub folder: PathBuf,
}

impl TestProgram {
    /// A command that runs it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

/// Builds all programs, libraries and tests once, in the one way that every later step uses.
///
/// # Errors
/// What does not build, as the compiler says it.
pub fn everything() -> Result<Vec<TestProgram>, String> {
    let mut command = cargo(&[
        "build",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--message-format=json-render-diagnostics",
    ]);
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("cargo: {e}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut programs: Vec<_> =
        String::from_utf8_lossy(&output.stdout).lines().filter_map(test_program).collect();
    programs
        .sort_by(|a, b| (a.integration, &a.package, &a.target).cmp(&(b.integration, &b.package, &b.target)));
    Ok(programs)
}

/// Reads one message of Cargo's; something where it tells of a test program.
fn test_program(message: &str) -> Option<TestProgram> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["profile"]["test"] != true {
        return None;
    }
    let manifest = PathBuf::from(message["manifest_path"].as_str()?);
    let folder = manifest.parent()?.to_path_buf();
    Some(TestProgram {
        package: folder.file_name()?.to_str()?.to_owned(),
        target: message["target"]["name"].as_str()?.to_owned(),
        integration: message["target"]["kind"][0] == "test",
        path: PathBuf::from(message["executable"].as_str()?),
        folder,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_are_told_from_the_rest() {
        let message = |test: bool, kind: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/w/crates/sip/Cargo.toml",
                "target":{{"kind":["{kind}"],"name":"calls"}},"profile":{{"test":{test}}},
                "executable":"/w/target/debug/deps/calls-1f"}}"#
            )
        };
        let program = test_program(&message(true, "test")).unwrap();
        assert_eq!(
            (program.package.as_str(), program.target.as_str(), program.integration),
            ("sip", "calls", true)
        );
        assert!(!test_program(&message(true, "lib")).unwrap().integration);
        assert_eq!(test_program(&message(false, "bin")), None);
        assert_eq!(test_program("Compiling sip"), None);
    }
}
