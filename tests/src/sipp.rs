//! sipp as a peer that does exactly what its scenario says.

use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use tempfile::TempDir;

use crate::{Place, Process, SipAccount, free_port};

/// A running sipp on loopback.
pub struct Sipp {
    process: Process,
    port: u16,
    _dir: TempDir,
}

impl Sipp {
    /// A registrar and proxy that takes every registration and does with every call what `scenario` says.
    pub fn server(scenario: &str) -> Self {
        Self::start(&Place::Here, Ipv4Addr::LOCALHOST, scenario, &[])
    }

    /// The same in another place, which has this address.
    pub fn server_at(place: &Place, address: Ipv4Addr, scenario: &str) -> Self {
        Self::start(place, address, scenario, &[])
    }

    /// The same, and voice that comes to the port its descriptions name is sent back.
    pub fn echo_at(place: &Place, address: Ipv4Addr, scenario: &str) -> Self {
        Self::start(place, address, scenario, &["-rtp_echo", "-mp", "40000", "-timeout", "0"])
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A phone that calls `target` once through `through`, as its user.
    pub fn caller(scenario: &str, through: &SipAccount, target: &str) -> Self {
        Self::caller_at(&Place::Here, Ipv4Addr::LOCALHOST, scenario, through, target)
    }

    /// The same in another place, which has this address.
    pub fn caller_at(
        place: &Place,
        address: Ipv4Addr,
        scenario: &str,
        through: &SipAccount,
        target: &str,
    ) -> Self {
        let user = ["-m", "1", "-s", target, "-au", &through.user, "-ap", &through.password];
        let mut arguments = user.to_vec();
        arguments.extend(["-key", "me", &through.user, "-key", "home", &through.domain, &through.proxy]);
        Self::start(place, address, scenario, &arguments)
    }

    fn start(place: &Place, address: Ipv4Addr, scenario: &str, arguments: &[&str]) -> Self {
        let dir = TempDir::with_prefix("carillon-sipp-").unwrap();
        let file = dir.path().join("scenario.xml");
        fs::write(&file, scenario).unwrap();
        let port = free_port();
        let mut command = place.command("sipp");
        command.arg("-sf").arg(file).args(["-i", &address.to_string(), "-p", &port.to_string(), "-nostdin"]);
        command.args(["-timeout", "150s", "-trace_err", "-error_file"]).arg(dir.path().join("errors"));
        command.args(arguments).env("TERM", "dumb");
        let process = Process::start("sipp", command);
        place.wait_until_bound(&process, &[(address, port)]);
        Self { process, port, _dir: dir }
    }

    /// An account at this server, over UDP.
    pub fn account(&self) -> SipAccount {
        SipAccount {
            user: "1001".to_owned(),
            domain: "bell.test".to_owned(),
            proxy: format!("127.0.0.1:{}", self.port),
            transport: "udp".to_owned(),
            password: "any".to_owned(),
        }
    }

    /// Waits until its calls are done; fails the test unless all went as the scenario says.
    pub fn assert_done(&mut self, limit: Duration) {
        let status = self.process.wait_exit(limit);
        assert_eq!(status, 0, "sipp saw something else than its scenario\n{}", self.process.log());
    }
}

/// Scenarios.
pub mod scenario {
    /// Takes registrations, and answers a call with this status.
    pub fn refuses(status: u16, reason: &str) -> String {
        server(&[&answer(&format!("{status} {reason}")), ACK])
    }

    /// Takes registrations, and lets a call ring; after five seconds the network gives up with 480.
    pub fn rings_out() -> String {
        server(&[&answer("180 Ringing"), "<pause milliseconds=\"5000\"/>", &answer("480 Not Available"), ACK])
    }

    /// Takes registrations, and lets a call ring until the caller gives up.
    pub fn rings_until_cancelled() -> String {
        let terminated = answer("487 Request Terminated").replace("[last_CSeq:]", "CSeq:[$1]");
        server(&[&answer("180 Ringing"), "<recv request=\"CANCEL\"/>", &answer("200 OK"), &terminated, ACK])
    }

    /// Takes registrations, and says nothing at all to a call.
    pub fn ignores() -> String {
        server(&["<pause milliseconds=\"120000\"/>"])
    }

    /// Answers every call at once.
    pub fn answers() -> String {
        let sdp =
            "v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio 40000 RTP/AVP 0\n";
        let answer = answer("200 OK").replace(
            "Content-Length: 0\n\n",
            &format!(
                "[last_Record-Route:]\nContact: <sip:[local_ip]:[local_port]>\nContent-Type: application/sdp\n\
                 Content-Length: [len]\n\n{sdp}\n"
            ),
        );
        scenario(&[
            "<recv request=\"INVITE\" rrs=\"true\"/>",
            &answer,
            ACK,
            "<recv request=\"BYE\"/>",
            &answer_again("200 OK"),
        ])
    }

    /// Publishes that so many voice messages wait for the user who does it, with digest (RFC 3842, RFC 3903).
    pub fn publishes_messages(new: u32, old: u32) -> String {
        let body = format!(
            "Messages-Waiting: yes\nMessage-Account: sip:*97@[home]\nVoice-Message: {new}/{old} (0/0)"
        );
        let publish = |sequence: u8, credentials: &str| {
            format!(
                "<send retrans=\"500\"><![CDATA[\nPUBLISH sip:[me]@[home] SIP/2.0\n\
                 Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n\
                 From: <sip:[me]@[home]>;tag=c[call_number]\nTo: <sip:[me]@[home]>\nCall-ID: [call_id]\n\
                 CSeq: {sequence} PUBLISH\nContact: <sip:[me]@[local_ip]:[local_port]>\nMax-Forwards: 70\n\
                 Event: message-summary\nExpires: 600\n{credentials}\
                 Content-Type: application/simple-message-summary\nContent-Length: [len]\n\n{body}\n]]></send>"
            )
        };
        let challenged = "<recv response=\"407\" auth=\"true\"/>";
        let (asked, again) = (publish(1, ""), publish(2, "[authentication]\n"));
        scenario(&[&asked, challenged, &again, "<recv response=\"200\"/>"])
    }

    /// Calls with digest, lets it ring for a second, and gives up.
    pub fn calls_and_cancels() -> String {
        let terminated = |how: &str| {
            format!(
                "<recv response=\"487\" {how}><action><ereg regexp=\";tag=[^;]*\" search_in=\"hdr\" \
                 header=\"To:\" assign_to=\"2\"/></action></recv>"
            )
        };
        scenario(&[
            &request("INVITE", "[branch]", 1, ""),
            "<recv response=\"407\" auth=\"true\"/>",
            &request("ACK", "[branch-2]", 1, "[peer_tag_param]"),
            &request("INVITE", "[branch]", 2, "").replace("Max-Forwards", "[authentication]\nMax-Forwards"),
            "<recv response=\"100\" optional=\"true\"/>",
            "<recv response=\"180\"/>",
            "<pause milliseconds=\"1000\"/>",
            &request("CANCEL", "[branch-4]", 2, ""),
            // The proxy answers the CANCEL, the phone the INVITE: either may come first.
            &terminated("optional=\"true\" next=\"3\""),
            "<recv response=\"200\"/>",
            &terminated(""),
            "<nop next=\"4\"/>",
            "<label id=\"3\"/>",
            "<recv response=\"200\"/>",
            "<label id=\"4\"/>",
            &request("ACK", "[branch-10]", 2, "[$2]"),
        ])
    }

    /// A server: a call identifier that begins with REGISTER goes on with REGISTERs, another is a call.
    fn server(call: &[&str]) -> String {
        let registered =
            answer("200 OK").replace("Content-Length", "[last_Contact:]\nExpires: 600\nContent-Length");
        let mut steps = vec!["<recv request=\"REGISTER\" optional=\"true\" next=\"1\"/>", INVITE];
        steps.extend(call);
        steps.extend(["<nop next=\"2\"/>", "<label id=\"1\"/>", &registered]);
        // Not every scenario reads what INVITE kept.
        steps.extend([
            "<recv request=\"REGISTER\" next=\"1\"/>",
            "<label id=\"2\"/>",
            "<Reference variables=\"1\"/>",
        ]);
        scenario(&steps)
    }

    fn answer(status: &str) -> String {
        format!(
            "<send><![CDATA[\nSIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:];tag=s[call_number]\n\
             [last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send>"
        )
    }

    /// An answer within a dialog.
    fn answer_again(status: &str) -> String {
        answer(status).replace(";tag=s[call_number]", "")
    }

    fn request(method: &str, branch: &str, cseq: u8, to_tag: &str) -> String {
        let sdp =
            "v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio 40000 RTP/AVP 0\n";
        let body = if method == "INVITE" {
            format!("Content-Type: application/sdp\nContent-Length: [len]\n\n{sdp}")
        } else {
            "Content-Length: 0\n".to_owned()
        };
        format!(
            "<send><![CDATA[\n{method} sip:[service]@[home] SIP/2.0\n\
             Via: SIP/2.0/UDP [local_ip]:[local_port];rport;branch={branch}\n\
             From: <sip:[me]@[home]>;tag=c[call_number]\nTo: <sip:[service]@[home]>{to_tag}\n\
             Call-ID: [call_id]\nCSeq: {cseq} {method}\nContact: <sip:[me]@[local_ip]:[local_port]>\n\
             Max-Forwards: 70\n{body}\n]]></send>"
        )
    }

    fn scenario(steps: &[&str]) -> String {
        format!("<?xml version=\"1.0\"?>\n<scenario name=\"carillon\">\n{}\n</scenario>\n", steps.join("\n"))
    }

    const ACK: &str = "<recv request=\"ACK\"/>";
    const INVITE: &str = "<recv request=\"INVITE\"><action><ereg regexp=\".*\" search_in=\"hdr\" \
                          header=\"CSeq:\" assign_to=\"1\"/></action></recv>";
}
