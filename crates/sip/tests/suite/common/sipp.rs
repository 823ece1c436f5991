//! sipp as a peer that does exactly what its scenario says.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Running, free_port};

/// A running sipp on loopback, over UDP.
pub struct Sipp {
    process: Running,
    pub port: u16,
    directory: TempDir,
}

impl Sipp {
    /// Waits to be called: takes registrations without asking, and goes through `call` for one call.
    pub fn server(call: &[String]) -> Self {
        let mut steps = vec![r#"<recv request="REGISTER" optional="true" next="1"/>"#.into()];
        steps.extend_from_slice(call);
        steps.extend([
            r#"<nop next="2"/>"#.into(),
            r#"<label id="1"/>"#.into(),
            reply("200 OK", "[last_Contact:]\nExpires: 600\n", ""),
            r#"<label id="2"/>"#.into(),
        ]);
        Self::start(&steps, &[])
    }

    /// Only takes registrations, as its scenario says.
    pub fn registrar(steps: &[String]) -> Self {
        Self::start(steps, &[])
    }

    /// Calls the phone at this local port once.
    pub fn caller(call: &[String], port: u16) -> Self {
        Self::start(call, &["-m", "1", &format!("127.0.0.1:{port}")])
    }

    /// Calls the phone at this local port so many times, one call after the other.
    pub fn caller_of(number: u32, call: &[String], port: u16) -> Self {
        let number = number.to_string();
        let to = format!("127.0.0.1:{port}");
        Self::start(call, &["-m", &number, "-l", "1", "-r", "100", &to])
    }

    fn start(steps: &[String], arguments: &[&str]) -> Self {
        let directory = TempDir::with_prefix("sip-sipp-").unwrap();
        let file = directory.path().join("scenario.xml");
        let text =
            format!("<?xml version=\"1.0\"?>\n<scenario name=\"test\">\n{}\n</scenario>\n", steps.join("\n"));
        fs::write(&file, text).unwrap();
        let port = free_port();
        let process = Command::new("sipp")
            .arg("-sf")
            .arg(&file)
            .args(["-i", "127.0.0.1", "-p", &port.to_string(), "-nostdin", "-timeout", "120s"])
            .args(["-trace_err", "-error_file"])
            .arg(directory.path().join("errors"))
            .args(["-trace_msg", "-message_file"])
            .arg(directory.path().join("messages"))
            .args(arguments)
            .env("TERM", "dumb")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sipp is missing: install the package sip-tester");
        Self { process: Running(process), port, directory }
    }

    /// Waits until a caller has gone through its scenario; fails the test where it went otherwise.
    pub async fn done(&mut self) {
        let deadline = Instant::now() + super::LIMIT;
        loop {
            match self.process.0.try_wait().unwrap() {
                Some(status) => return assert!(status.success(), "sipp: {status}\n{}", self.trace()),
                None => assert!(Instant::now() < deadline, "sipp does not finish\n{}", self.trace()),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until this many messages whose first line begins so have been received or sent.
    pub async fn saw(&self, start: &str, times: usize) {
        let deadline = Instant::now() + super::LIMIT;
        while self.trace().lines().filter(|line| line.starts_with(start)).count() < times {
            assert!(Instant::now() < deadline, "no {times} times {start}\n{}", self.trace());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it sent, received and complained of.
    pub fn trace(&self) -> String {
        let read = |name| fs::read_to_string(self.directory.path().join(name)).unwrap_or_default();
        format!("{}\n{}", read("messages"), read("errors"))
    }
}

/// Waits for a request.
pub fn receive(method: &str) -> String {
    format!(r#"<recv request="{method}"/>"#)
}

/// Waits for a response.
pub fn expect(status: u16) -> String {
    format!(r#"<recv response="{status}"/>"#)
}

/// Waits for a response and keeps the number in one of its headers.
pub fn expect_number(status: u16, header: &str, variable: u8) -> String {
    format!(
        r#"<recv response="{status}"><action><ereg regexp="[0-9]+" search_in="hdr" header="{header}:" assign_to="{variable}"/></action></recv>"#
    )
}

/// Waits for a response that may not come.
pub fn perhaps(status: u16) -> String {
    format!(r#"<recv response="{status}" optional="true"/>"#)
}

/// Does nothing for a while.
pub fn pause(milliseconds: u32) -> String {
    format!(r#"<pause milliseconds="{milliseconds}"/>"#)
}

/// Answers the last request received. Contact and headers are whole lines.
pub fn reply(status: &str, headers: &str, sdp: &str) -> String {
    let body = if sdp.is_empty() {
        "Content-Length: 0\n\n".to_owned()
    } else {
        format!("Content-Type: application/sdp\nContent-Length: [len]\n\n{}", sdp.replace("\r\n", "\n"))
    };
    format!(
        "<send><![CDATA[\nSIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:];tag=s[call_number]\n\
         [last_Call-ID:]\n[last_CSeq:]\nContact: <sip:102@[local_ip]:[local_port]>\n{headers}{body}]]></send>"
    )
    .replace("Contact: <sip:102@[local_ip]:[local_port]>\n[last_Contact:]", "[last_Contact:]")
}

/// Sends a request of a call that sipp began. `branch` is counted back for CANCEL and the ACK of a refusal.
pub fn request(method: &str, branch: &str, cseq: u32, to: &str, headers: &str, sdp: &str) -> String {
    let body = if sdp.is_empty() {
        "Content-Length: 0\n\n".to_owned()
    } else {
        format!("Content-Type: application/sdp\nContent-Length: [len]\n\n{}", sdp.replace("\r\n", "\n"))
    };
    format!(
        "<send><![CDATA[\n{method} sip:101@[remote_ip]:[remote_port] SIP/2.0\n\
         Via: SIP/2.0/UDP [local_ip]:[local_port];branch={branch}\n\
         From: \"Bob Bell\" <sip:102@bell.test>;tag=c[call_number]\nTo: <sip:101@bell.test>{to}\n\
         Call-ID: [call_id]\nCSeq: {cseq} {method}\nContact: <sip:102@[local_ip]:[local_port]>\n\
         Max-Forwards: 70\n{headers}{body}]]></send>"
    )
}
