//! The demo PBX as a child process.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Cli, Place, Process, Session, SipAccount, product};

/// A running demo PBX on free ports, with the users alice (extension 101) and bob (102).
pub struct Demo {
    process: Process,
    arguments: Vec<String>,
    ready: Value,
    server: String,
    address: Ipv4Addr,
    place: Place,
    ca: PathBuf,
    _dir: TempDir,
}

impl Demo {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Its SIP domain.
    pub const DOMAIN: &'static str = "test.io";

    /// Starts it, with these arguments besides.
    pub fn start(more: &[&str]) -> Self {
        let dir = TempDir::with_prefix("carillon-demo-pbx-").unwrap();
        let state = dir.path().join("state");
        let mut arguments = vec!["--json".to_owned(), "--state".to_owned(), state.display().to_string()];
        arguments.extend(more.iter().map(|&a| a.to_owned()));
        let any = PORTS.iter().flat_map(|(option, _)| [(*option).to_owned(), "0".to_owned()]);
        let all = arguments.iter().cloned().chain(any).collect::<Vec<_>>();
        let (process, ready) = start(&Place::Here, &all);
        let port = |key: &str| ready[key].as_u64().unwrap_or_else(|| panic!("no {key} in {ready}"));
        for (option, key) in PORTS {
            arguments.extend([option.to_owned(), port(key).to_string()]);
        }
        let server = format!("127.0.0.1:{}", port("https_port"));
        let ca = state.join("certificate.pem");
        let (address, place) = (Ipv4Addr::LOCALHOST, Place::Here);
        Self { process, arguments, ready, server, address, place, ca, _dir: dir }
    }

    /// Starts it in a place of its own, on the ports of a PortSIP PBX. It shows the certificate and key of these files
    /// where they are given.
    pub fn at(place: &Place, address: Ipv4Addr, identity: Option<(&Path, &Path)>) -> Self {
        let dir = TempDir::with_prefix("carillon-demo-pbx-").unwrap();
        let state = dir.path().join("state");
        let ca = state.join("certificate.pem");
        if let Some((certificate, key)) = identity {
            fs::create_dir(&state).unwrap();
            fs::copy(certificate, &ca).unwrap();
            fs::copy(key, state.join("key.pem")).unwrap();
        }
        let arguments = ["--json", "--bind", &address.to_string(), "--state", &state.display().to_string()]
            .map(str::to_owned);
        let (process, ready) = start(place, &arguments);
        let server = format!("{address}:{}", ready["https_port"]);
        let (arguments, place) = (arguments.to_vec(), place.clone());
        Self { process, arguments, ready, server, address, place, ca, _dir: dir }
    }

    /// `host:port` to sign in at.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// File of its certificate.
    pub fn ca(&self) -> &str {
        self.ca.to_str().unwrap()
    }

    /// User name and password of alice.
    pub fn alice(&self) -> (&str, &str) {
        ("alice", self.of("alice", "password"))
    }

    /// alice's extension as a plain SIP account, over `udp` or `tcp`.
    pub fn alice_sip(&self, transport: &str) -> SipAccount {
        self.sip("alice", transport)
    }

    /// bob's extension as a plain SIP account, over `udp` or `tcp`.
    pub fn bob_sip(&self, transport: &str) -> SipAccount {
        self.sip("bob", transport)
    }

    /// A user's extension as a plain SIP account, over `udp` or `tcp`.
    pub fn sip_of(&self, username: &str, transport: &str) -> SipAccount {
        self.sip(username, transport)
    }

    /// Signs alice in, her extension's password at hand.
    pub fn sign_in_alice(&self, session: &Session) -> Cli {
        let (user, password) = self.alice();
        let server = ["sign-in", "--server", self.server(), "--domain", Self::DOMAIN, "--ca", self.ca()];
        let arguments = [&server[..], &["--username", user, "--password-stdin"]].concat();
        let extension_password = self.of("alice", "extension_password");
        Cli::start_at(session, &Place::Here, &arguments, Some(extension_password), Some(password))
    }

    /// A user's name and password to sign in with.
    pub fn user(&self, username: &'static str) -> (&str, &str) {
        (username, self.of(username, "password"))
    }

    /// The SIP password of a user's extension.
    pub fn extension_password(&self, username: &str) -> &str {
        self.of(username, "extension_password")
    }

    /// What stands in a user's sign-in QR code.
    pub fn qr(&self, username: &str) -> &str {
        self.of(username, "qr")
    }

    /// What a user's QR code of the old kind holds: the extension with its password.
    pub fn legacy_qr(&self, username: &str) -> &str {
        self.of(username, "legacy_qr")
    }

    /// Every e-mail it has sent, oldest first.
    pub fn outbox(&self) -> Vec<Mail> {
        let said = self.curl(&["--header", "Accept: application/json"], "/demo/outbox");
        let mails: Vec<Value> = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
        let text = |mail: &Value, key: &str| mail[key].as_str().map(str::to_owned);
        mails.iter().map(|mail| Mail { code: text(mail, "code"), link: text(mail, "link") }).collect()
    }

    /// Every token it has handed out: of sessions, half-done sign-ins and links, and Microsoft's codes.
    pub fn issued(&self) -> Vec<String> {
        let said = self.curl(&[], "/demo/issued");
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"))
    }

    /// Waits until it has sent this many e-mails, and gives the last.
    pub fn mail(&self, count: usize) -> Mail {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let mut mails = self.outbox();
            if mails.len() >= count {
                return mails.swap_remove(count - 1);
            }
            assert!(
                Instant::now() < deadline,
                "{} e-mails instead of {count}\n{}",
                mails.len(),
                self.process.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Fills the make-believe Microsoft page at this address as a browser does, and gives the address the browser
    /// is sent to in the end.
    pub fn accepted_by_microsoft(&self, address: &str, account: &str, password: &str) -> String {
        let state = address.split(['?', '&']).find_map(|pair| pair.strip_prefix("state="));
        let state = state.unwrap_or_else(|| panic!("no state in {address}"));
        let fields = [("state", state), ("email", account), ("password", password), ("action", "sign_in")];
        let fields = fields.map(|(name, value)| format!("{name}={value}"));
        let form: Vec<&str> = fields.iter().flat_map(|field| ["--data-urlencode", field]).collect();
        let pbx = format!("https://{}", self.server);
        let back = self.sent_to(&form, "/demo/microsoft");
        let path = back.strip_prefix(&pbx).unwrap_or_else(|| panic!("sent away to {back}"));
        self.sent_to(&[], path)
    }

    /// Where a browser is sent to.
    fn sent_to(&self, arguments: &[&str], path: &str) -> String {
        let only_where = ["--output", "/dev/null", "--write-out", "%{redirect_url}"];
        self.curl(&[arguments, &only_where].concat(), path).trim_end().to_owned()
    }

    /// Makes it misbehave, by an order as its `POST /demo/faults` takes them.
    pub fn fault(&self, order: &str) {
        self.curl(&["--data", order, "--header", "Content-Type: application/json"], "/demo/faults");
    }

    /// The same, whatever is to be thought of its certificate.
    pub fn fault_unseen(&self, order: &str) {
        let order = ["--insecure", "--data", order, "--header", "Content-Type: application/json"];
        self.curl(&order, "/demo/faults");
    }

    /// Kills it: it says goodbye to nobody.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`Demo::kill`]: the same users, ports and certificate.
    pub fn start_again(&mut self) {
        self.process = start(&self.place, &self.arguments).0;
    }

    fn curl(&self, arguments: &[&str], path: &str) -> String {
        let mut command = self.place.command("curl");
        command.args(["--silent", "--show-error", "--fail", "--cacert", self.ca()]).args(arguments);
        command.arg(format!("https://{}{path}", self.server));
        Process::run("curl", command)
    }

    fn sip(&self, username: &str, transport: &str) -> SipAccount {
        SipAccount {
            user: self.of(username, "extension").to_owned(),
            domain: Self::DOMAIN.to_owned(),
            proxy: format!("{}:{}", self.address, self.ready[format!("sip_{transport}_port")]),
            transport: transport.to_owned(),
            password: self.of(username, "extension_password").to_owned(),
        }
    }

    fn of(&self, username: &str, key: &str) -> &str {
        let users = self.ready["users"].as_array().unwrap_or_else(|| panic!("no users in {}", self.ready));
        let user = users.iter().find(|user| user["username"] == username);
        user.and_then(|user| user[key].as_str()).unwrap_or_else(|| panic!("no {key} of {username}"))
    }
}

/// An e-mail of the demo PBX's.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The code in it.
    pub code: Option<String>,
    /// The link in it.
    pub link: Option<String>,
}

const PORTS: [(&str, &str); 3] =
    [("--https-port", "https_port"), ("--sip-udp-port", "sip_udp_port"), ("--sip-tcp-port", "sip_tcp_port")];

fn start(place: &Place, arguments: &[String]) -> (Process, Value) {
    let mut command = place.command(product("demo-pbx"));
    // Chosen, so that they are the same after it was killed and started again.
    command.env("DEMO_PBX_USER_PASSWORD", "secret-of-the-user");
    command.env("DEMO_PBX_EXTENSION_PASSWORD", "secret-of-the-extension");
    command.args(arguments);
    let mut process = Process::start("demo-pbx", command);
    let ready = process.wait_for("its first line", Duration::from_secs(20), |line| {
        if line.error { None } else { serde_json::from_str(&line.text).ok() }
    });
    (process, ready)
}
