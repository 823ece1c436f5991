//! Kamailio on the PBX's host, and somebody beside it who wants to reach phones.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::kamailio_house::House;
use crate::phone::LIMIT;
use crate::world::{PBX, World};

const PORT: u16 = 5060;
/// Where calls to 900 go.
pub const CALLEE: u16 = 5080;

/// A running Kamailio with the users 101 to 104 of `bell.test`.
pub struct Pbx {
    world: World,
    house: House,
    process: Option<Child>,
    caller: UdpSocket,
    asked: u32,
}

impl Pbx {
    /// Starts one that grants registrations for at most `expires` seconds.
    pub async fn start(expires: u32) -> Self {
        let world = World::here();
        let house = House::new(["101", "102", "103", "104"].map(str::to_owned));
        house.configure(CONFIG, &[("EXPIRES", &expires.to_string())]);
        let caller = world.socket_at_pbx(0);
        let mut pbx = Self { world, house, process: None, caller, asked: 0 };
        pbx.up().await;
        pbx
    }

    /// Starts it and waits until it answers.
    pub async fn up(&mut self) {
        use std::os::unix::process::CommandExt;
        let log = self.house.path().join("log");
        let [program, arguments @ ..] = self.world.on("s");
        let mut command = Command::new(program);
        command.args(arguments).arg("kamailio");
        self.house.inhabit(&mut command, 32, 4);
        let process = command
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        self.process = Some(process);
        let deadline = Instant::now() + LIMIT;
        while self.ask("bindings-of-nobody", Duration::from_millis(100)).await.is_none() {
            let said = fs::read_to_string(&log).unwrap_or_default();
            assert!(Instant::now() < deadline, "kamailio does not answer: {said}");
        }
    }

    /// Ends it without a word to anybody.
    pub fn down(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // It is the head of a group of its own; its children must go with it.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", process.id())]).status();
        let _ = process.wait();
    }

    /// The bindings of a user: their number and the first one's Contact.
    pub async fn bindings(&mut self, user: &str) -> (u32, String) {
        let said = self.ask(&format!("bindings-of-{user}"), LIMIT).await.expect("an answer from the PBX");
        let mut words = said.split(' ').skip(1);
        let number = words.next().and_then(|number| number.parse().ok()).unwrap_or_default();
        (number, words.next().unwrap_or_default().to_owned())
    }

    /// Waits until the only binding of a user is at an address that begins so; how long that took.
    pub async fn until_bound(&mut self, user: &str, address: &str) -> Duration {
        let begin = Instant::now();
        loop {
            let (number, contact) = self.bindings(user).await;
            if number == 1 && contact.contains(&format!("@{address}")) {
                return begin.elapsed();
            }
            assert!(begin.elapsed() < LIMIT, "{user} has {number} bindings, among them {contact}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a request from outside, made anew every tenth of a second, reaches a phone and is answered by it;
    /// how long that took.
    pub async fn until_reached(&mut self, user: &str) -> Duration {
        let begin = Instant::now();
        while self.ask(user, Duration::from_millis(100)).await.is_none() {
            assert!(begin.elapsed() < LIMIT, "{user} cannot be reached");
        }
        begin.elapsed()
    }

    /// Asks a user of the PBX for a sign of life; the reason phrase of the 200, if one comes in time.
    async fn ask(&mut self, user: &str, patience: Duration) -> Option<String> {
        self.asked += 1;
        let number = self.asked;
        let from = self.caller.local_addr().unwrap();
        let text = format!(
            "OPTIONS sip:{user}@bell.test SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKask{number};rport\r\n\
             Max-Forwards: 10\r\nFrom: <sip:judge@bell.test>;tag=j{number}\r\nTo: <sip:{user}@bell.test>\r\n\
             Call-ID: ask-{number}\r\nCSeq: 1 OPTIONS\r\nContact: <sip:judge@{from}>\r\nContent-Length: 0\r\n\r\n"
        );
        let pbx: SocketAddr = (PBX.parse::<std::net::IpAddr>().unwrap(), PORT).into();
        let _ = self.caller.send_to(text.as_bytes(), pbx).await;
        let answer = async {
            let mut buffer = vec![0; 65536];
            loop {
                let Ok((length, _)) = self.caller.recv_from(&mut buffer).await else { continue };
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if text.contains(&format!("Call-ID: ask-{number}\r\n"))
                    && let Some(reason) = text.strip_prefix("SIP/2.0 200 ")
                {
                    return reason.lines().next().unwrap_or_default().to_owned();
                }
            }
        };
        timeout(patience, answer).await.ok()
    }
}

impl Drop for Pbx {
    fn drop(&mut self) {
        self.down();
    }
}

const CONFIG: &str = r#"#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
alias="bell.test"
listen=udp:10.77.9.2:5060
listen=tcp:10.77.9.2:5060
tcp_connection_lifetime=3605
tcp_connect_timeout=3
mpath="@MODULES@/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "stun.so"
loadmodule "auth.so"
loadmodule "db_text.so"
loadmodule "auth_db.so"
modparam("auth_db", "db_url", "text://@DB@")
modparam("auth_db", "calculate_ha1", 1)
modparam("auth_db", "password_column", "password")
modparam("auth_db", "load_credentials", "")
modparam("auth_db", "version_table", 0)
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", @EXPIRES@)
modparam("registrar", "xavp_cfg", "reg")

request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (has_totag()) {
        if (loose_route()) t_relay();
        else if (is_method("ACK")) { if (t_check_trans()) t_relay(); }
        else sl_send_reply("404", "Not here");
        exit;
    }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    if (is_method("REGISTER")) {
        if (!auth_check("$td", "subscriber", "1")) { auth_challenge("$td", "1"); exit; }
        if (!save("location")) sl_reply_error();
        exit;
    }
    if (is_method("OPTIONS")) {
        if ($rU =~ "^bindings-of-") {
            $var(who) = "sip:" + $(rU{s.substr,12,0}) + "@bell.test";
            if (reg_fetch_contacts("location", "$var(who)", "of")) {
                $var(number) = $(ulc(of=>count));
                $ru = $var(who);
                lookup("location");
                sl_send_reply("200", "has $var(number) $ru");
            } else sl_send_reply("200", "has 0");
            exit;
        }
        if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
        if (!t_relay()) sl_reply_error();
        exit;
    }
    if (!auth_check("$fd", "subscriber", "1")) { auth_challenge("$fd", "1"); exit; }
    consume_credentials();
    record_route();
    if ($rU == "900") $du = "sip:10.77.9.2:5080";
    else if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    if (!t_relay()) sl_reply_error();
    exit;
}
"#;
