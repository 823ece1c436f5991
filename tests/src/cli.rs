//! `carillon-cli --json` as a child process, its events as values.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::{Line, Place, Process, Session, product};

/// A plain SIP account.
#[derive(Debug, Clone)]
pub struct SipAccount {
    /// SIP user.
    pub user: String,
    /// SIP domain.
    pub domain: String,
    /// `host:port` of the outbound proxy.
    pub proxy: String,
    /// `udp` or `tcp`.
    pub transport: String,
    /// Its password.
    pub password: String,
}

/// One event line.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Seconds since the program started.
    pub t: f64,
    /// When it was read.
    pub at: Instant,
    fields: Value,
}

impl Event {
    /// A field that is text, empty where there is none.
    pub fn text(&self, key: &str) -> &str {
        self.fields[key].as_str().unwrap_or_default()
    }

    /// A field that is a number; fails the test where there is none.
    pub fn number(&self, key: &str) -> f64 {
        self.fields[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {}", self.fields))
    }

    /// Whether a field is true.
    pub fn is(&self, key: &str) -> bool {
        self.fields[key].as_bool().unwrap_or(false)
    }

    /// The SIP status, 0 where there is none.
    pub fn status(&self) -> u64 {
        self.fields["status"].as_u64().unwrap_or(0)
    }
}

/// A running `carillon-cli`.
pub struct Cli {
    process: Process,
}

impl Cli {
    /// Starts it in a session, with these arguments.
    pub fn start(session: &Session, arguments: &[&str]) -> Self {
        Self::start_at(session, &Place::Here, arguments, None, None)
    }

    /// Starts it with a plain SIP account.
    pub fn with_account(session: &Session, place: &Place, account: &SipAccount, arguments: &[&str]) -> Self {
        let mut all = arguments.to_vec();
        all.extend(["--sip-user", &account.user, "--sip-domain", &account.domain]);
        all.extend(["--proxy", &account.proxy, "--transport", &account.transport]);
        Self::start_at(session, place, &all, Some(&account.password), None)
    }

    /// Starts it with a plain SIP account, to be told line by line what to do ([`Cli::say`]). `authority` vouches for
    /// the server.
    pub fn console(
        session: &Session,
        place: &Place,
        account: &SipAccount,
        authority: &Path,
        arguments: &[&str],
    ) -> Self {
        let authority = authority.display().to_string();
        let mut all = vec!["console", "--ca", &authority];
        all.extend(["--sip-user", &account.user, "--sip-domain", &account.domain]);
        all.extend(["--proxy", &account.proxy, "--transport", &account.transport]);
        all.extend(arguments);
        let mut command = session.command_at(place, product("carillon-cli"));
        command.arg("--json").args(&all).env("CARILLON_SIP_PASSWORD", &account.password);
        Self { process: start("carillon-cli console", &all, command) }
    }

    /// Starts a command that is one, all arguments being given.
    pub fn of(name: &str, command: Command) -> Self {
        let mut process = Process::start(name, command);
        process.close_stdin();
        Self { process }
    }

    /// Tells a console what to do.
    pub fn say(&mut self, line: &str) {
        self.process.type_line(line);
    }

    /// Signs in at `server`, with a certificate to trust where one is given.
    pub fn sign_in(
        session: &Session,
        server: &str,
        domain: &str,
        user: (&str, &str),
        ca: Option<&Path>,
    ) -> Self {
        let ca = ca.map(|path| path.display().to_string());
        let mut arguments = vec!["sign-in", "--server", server, "--domain", domain, "--username", user.0];
        arguments.push("--password-stdin");
        if let Some(ca) = &ca {
            arguments.extend(["--ca", ca]);
        }
        Self::start_at(session, &Place::Here, &arguments, None, Some(user.1))
    }

    /// Starts it with everything that can be given.
    pub fn start_at(
        session: &Session,
        place: &Place,
        arguments: &[&str],
        sip_password: Option<&str>,
        typed: Option<&str>,
    ) -> Self {
        let mut command = session.command_at(place, product("carillon-cli"));
        command.arg("--json").args(arguments);
        if let Some(password) = sip_password {
            command.env("CARILLON_SIP_PASSWORD", password);
        }
        let mut process = start(&format!("carillon-cli {}", arguments.join(" ")), arguments, command);
        if let Some(typed) = typed {
            process.type_line(typed);
        }
        process.close_stdin();
        Self { process }
    }

    /// Waits for the next event of this name; those before it are passed over.
    pub fn wait_for(&mut self, name: &str, limit: Duration) -> Event {
        self.wait_until(name, limit, |event| event.name == name)
    }

    /// Waits for the next event that fits; those before it are passed over.
    pub fn wait_until(&mut self, what: &str, limit: Duration, fits: impl Fn(&Event) -> bool) -> Event {
        self.process.wait_for(what, limit, |line| {
            if line.error {
                return None;
            }
            parse(line).filter(&fits)
        })
    }

    /// Every event of this name so far.
    pub fn events(&self, name: &str) -> Vec<Event> {
        let lines = self.process.lines_with(&format!("\"{name}\""));
        lines.iter().filter_map(parse).filter(|event| event.name == name).collect()
    }

    /// Waits until it ends and gives its exit status.
    pub fn wait_exit(&mut self, limit: Duration) -> i32 {
        self.process.wait_exit(limit)
    }

    /// Ends it as Ctrl+C does.
    pub fn interrupt(&self) {
        self.process.signal(Signal::INT);
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What it printed, for the message of a failing test.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Fails the test unless it ends with this exit status.
    pub fn assert_exit(&mut self, status: i32, limit: Duration) {
        let ended = self.wait_exit(limit);
        assert_eq!(ended, status, "wrong exit status\n{}", self.log());
    }

    /// Fails the test unless it reports `code` as an error and ends with this exit status.
    pub fn assert_refused(&mut self, code: &str, status: i32, limit: Duration) {
        self.wait_until(&format!("the error {code}"), limit, |e| e.text("code") == code);
        self.assert_exit(status, Duration::from_secs(10));
    }
}

/// What speaks or listens runs before the other load of this machine.
fn start(name: &str, arguments: &[&str], command: Command) -> Process {
    let has_voice = arguments.iter().any(|a| ["--play", "--record"].contains(a));
    if has_voice { Process::start_voice(name, command) } else { Process::start(name, command) }
}

fn parse(line: &Line) -> Option<Event> {
    let fields: Value = serde_json::from_str(&line.text).ok()?;
    Some(Event { name: fields["event"].as_str()?.to_owned(), t: fields["t"].as_f64()?, at: line.at, fields })
}
