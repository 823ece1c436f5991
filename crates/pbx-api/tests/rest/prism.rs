//! Prism, installed once below the target directory and run on a port of its own.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::peer::Request;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract");

/// How long Node may take to start on a busy machine.
const START: Duration = Duration::from_secs(120);

/// A running Prism. It ends when dropped.
pub struct Prism {
    pub port: u16,
    /// What it serves: `METHOD /path`.
    pub operations: BTreeSet<String>,
    child: Child,
    _description: tempfile::TempDir,
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prism {
    pub fn start() -> Self {
        let program = installed().join("node_modules/@stoplight/prism-cli/dist/index.js");
        let description = description();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("openapi.json");
        fs::write(&path, description.to_string()).unwrap();
        let mut child = Command::new("node")
            .arg(program)
            .arg("mock")
            .arg(&path)
            .args(["--errors", "--host", "127.0.0.1", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("the contract test needs Node: {error}"));
        let stdout = child.stdout.take().unwrap();
        let (to, lines) = mpsc::channel();
        // It goes on reading to the end: a full pipe would stop the server.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = to.send(line);
            }
        });
        let mut prism =
            Self { port: 0, operations: operations(&description), child, _description: directory };
        let mut said = String::new();
        while prism.port == 0 {
            let line = lines.recv_timeout(START).unwrap_or_else(|_| panic!("Prism does not start:\n{said}"));
            if let Some((_, port)) = line.rsplit_once("listening on http://127.0.0.1:") {
                prism.port = port.trim().parse().unwrap();
            }
            said.push_str(&line);
            said.push('\n');
        }
        prism
    }
}

/// Passes a request on to Prism, without the `/api` that stands in the description's server address, and
/// brings its answer back as it is.
pub fn forward(port: u16, request: &Request) -> Vec<u8> {
    let (method, path) = request.line.split_once(" /api").unwrap();
    // Which of the two answers of the sign-in.
    let example = if request.body.contains("second.factor") { "second_factor" } else { "tokens" };
    let prefer =
        if path == "/auth/sign_in" { format!("prefer: example={example}\r\n") } else { String::new() };
    let head: String =
        request.head.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\n{head}{prefer}connection: close\r\n\r\n{}", request.body)
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// What Prism says is wrong with a request, or with its own answer.
pub fn violation(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let line =
        text.lines().take_while(|line| !line.is_empty()).find(|line| line.starts_with("sl-violations:"));
    line.map(str::to_owned)
}

/// Where Prism is installed; it is installed first where it is not, or not as the lock file says.
fn installed() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prism");
    fs::create_dir_all(&place).unwrap();
    // Held until the end: another test process may be installing as well.
    let guard = File::create(place.join("guard")).unwrap();
    guard.lock().unwrap();
    let locked = fs::read(Path::new(HERE).join("package-lock.json")).unwrap();
    let done = place.join("installed.json");
    if fs::read(&done).is_ok_and(|installed| installed == locked) {
        return place;
    }
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(Path::new(HERE).join(file), place.join(file)).unwrap();
    }
    let output = Command::new("npm")
        .arg("ci")
        .current_dir(&place)
        .output()
        .unwrap_or_else(|error| panic!("the contract test needs npm: {error}"));
    assert!(
        output.status.success(),
        "the contract test needs Prism, and npm did not install it:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::write(done, locked).unwrap();
    place
}

/// The vendor's description with our additions.
fn description() -> Value {
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(Path::new(HERE).join(name)).unwrap()).unwrap()
    };
    let mut description = read("openapi.json");
    merge(&mut description, read("additions.json"));
    description
}

/// Merge patch (RFC 7396).
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let fields = target.as_object_mut().unwrap();
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

fn operations(description: &Value) -> BTreeSet<String> {
    let paths = description["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    all.collect()
}
