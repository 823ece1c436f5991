//! Kamailio as registrar and proxy with digest, over UDP, TCP, TLS and WSS, IPv4 and IPv6.

use std::fs::{self, File};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use sip::{Account, Proxy, Transport};

use super::certificates::Authority;
use super::kamailio_house::{House, password};
use super::{LIMIT, Running, account, free_port};

/// A running Kamailio on loopback with the users 101 to 103 and 2000 to 2099 of `bell.test`.
pub struct Kamailio {
    process: Option<Running>,
    house: House,
    udp: u16,
    tcp: u16,
    tls: u16,
    wss: u16,
    /// TLS with a certificate that ran out.
    pub expired: u16,
    /// TLS with a certificate for other names.
    pub misnamed: u16,
    /// TLS 1.2 and no newer.
    pub tls_1_2: u16,
    authority: Authority,
}

/// Whether this machine has IPv6, if only on loopback.
pub fn has_v6() -> bool {
    UdpSocket::bind("[::1]:0").is_ok()
}

impl Kamailio {
    pub fn start() -> Self {
        Self::start_with("MD5")
    }

    /// Challenges with this digest algorithm.
    pub fn start_with(algorithm: &str) -> Self {
        Self::start_changed(algorithm, &[])
    }

    /// Runs with a configuration in which each first text is replaced by its second.
    pub fn start_changed(algorithm: &str, changes: &[(&str, &str)]) -> Self {
        let house = House::new((101..=103).chain(2000..2100).map(|user| user.to_string()));
        let [udp, tcp, tls, wss, expired, misnamed, tls_1_2] = [(); 7].map(|()| free_port());
        let authority = Authority::new();
        let loopback = ["localhost", "127.0.0.1", "::1", "bell.test"];
        let mut profiles = String::new();
        for (number, (profile, names, past, more)) in [
            ("server:default".to_owned(), loopback.as_slice(), false, "method = TLSv1.2+"),
            (format!("server:127.0.0.1:{expired}"), &loopback, true, "method = TLSv1.2+"),
            (format!("server:127.0.0.1:{misnamed}"), &["elsewhere.test"], false, "method = TLSv1.2+"),
            // At the ports without a profile of their own, for those who ask for this name.
            ("server:any".to_owned(), &["sni.test"], false, "method = TLSv1.2+\nserver_name = sni.test"),
            (format!("server:127.0.0.1:{tls_1_2}"), &loopback, false, "method = TLSv1.2"),
        ]
        .into_iter()
        .enumerate()
        {
            let (certificate, key) = authority.certify(names, past);
            let file = house.path().join(number.to_string());
            fs::write(file.with_extension("crt"), certificate).unwrap();
            fs::write(file.with_extension("key"), key).unwrap();
            profiles += &format!(
                "[{profile}]\n{more}\nverify_certificate = no\nrequire_certificate = no\n\
                 certificate = {file}.crt\nprivate_key = {file}.key\n",
                file = file.display()
            );
        }
        profiles += "[client:default]\nverify_certificate = no\n";
        fs::write(house.path().join("tls.cfg"), profiles).unwrap();
        let mut listens = String::new();
        for address in ["127.0.0.1", "[::1]"].into_iter().take(if has_v6() { 2 } else { 1 }) {
            for (protocol, port) in [("udp", udp), ("tcp", udp), ("tcp", tcp), ("tls", tls), ("tls", wss)] {
                listens += &format!("listen={protocol}:{address}:{port}\n");
            }
        }
        for port in [expired, tls_1_2, misnamed] {
            listens += &format!("listen=tls:127.0.0.1:{port}\n");
        }
        let changed = changes.iter().fold(CONFIG.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "nothing to change: {from}");
            text.replace(from, to)
        });
        let tls_config = house.path().join("tls.cfg").display().to_string();
        let values = [
            ("LISTENS", &*listens),
            ("TLS", &tls_config),
            ("UDP", &udp.to_string()),
            ("ALGORITHM", algorithm),
        ];
        house.configure(&changed, &values);
        let mut kamailio =
            Self { process: None, house, udp, tcp, tls, wss, expired, misnamed, tls_1_2, authority };
        kamailio.up();
        kamailio
    }

    /// Ends it without a word to anybody.
    pub fn down(&mut self) {
        let Some(process) = self.process.take() else { return };
        // It is the head of a group of its own; its children must go with it.
        let group = format!("-{}", process.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        drop(process);
    }

    /// Starts it on the ports it had before, with an empty location table.
    pub fn up(&mut self) {
        use std::os::unix::process::CommandExt;
        let log = self.house.path().join("log");
        let mut command = Command::new("kamailio");
        self.house.inhabit(&mut command, 64, 16);
        let process = command
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .process_group(0)
            .spawn()
            .expect("kamailio is missing: install the package kamailio");
        self.process = Some(Running(process));
        let deadline = Instant::now() + LIMIT;
        // The listeners come up in the order of the configuration, those for TLS after those for TCP.
        while std::net::TcpStream::connect(("127.0.0.1", self.misnamed)).is_err() {
            assert!(
                Instant::now() < deadline,
                "kamailio does not listen: {}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// One of its users, trusting its authority.
    pub fn account(&self, user: &str, transport: Transport) -> Account {
        let port = self.port(transport);
        let mut account = Account {
            user: user.into(),
            password: SecretString::from(password(user)),
            ..account(port, transport)
        };
        account.trust.add_roots(self.authority.pem().as_bytes()).unwrap();
        account
    }

    /// One of its users, reaching it by `host`.
    pub fn account_at(&self, user: &str, transport: Transport, host: &str) -> Account {
        let port = Some(self.port(transport));
        Account { proxy: Proxy { host: host.into(), port }, ..self.account(user, transport) }
    }

    /// Where it listens.
    pub fn port(&self, transport: Transport) -> u16 {
        match transport {
            Transport::Udp => self.udp,
            Transport::Tcp => self.tcp,
            Transport::Tls => self.tls,
            Transport::Wss => self.wss,
        }
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        self.down();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.house.path().join("log")).unwrap_or_default();
            eprintln!("kamailio said:\n{log}");
        }
    }
}

const CONFIG: &str = r#"#!KAMAILIO
debug=2
log_stderror=yes
children=2
# OpenSSL 3 in two readers at once spoils this version's shared memory: handshakes fail, then it ends.
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
alias="bell.test"
enable_tls=yes
tcp_accept_no_cl=yes
@LISTENS@tcp_connection_lifetime=3605
mpath="@MODULES@/"
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "nathelper.so"
loadmodule "xhttp.so"
loadmodule "websocket.so"
loadmodule "auth.so"
loadmodule "db_text.so"
loadmodule "auth_db.so"
modparam("auth", "algorithm", "@ALGORITHM@")
modparam("auth_db", "db_url", "text://@DB@")
modparam("auth_db", "calculate_ha1", 1)
modparam("auth_db", "password_column", "password")
modparam("auth_db", "load_credentials", "")
modparam("auth_db", "version_table", 0)
modparam("tls", "config", "@TLS@")
modparam("usrloc", "db_mode", 0)
modparam("nathelper|registrar", "received_avp", "$avp(RECEIVED)")
modparam("registrar", "max_expires", 1800)

request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    if (proto == WS || proto == WSS) {
        force_rport();
        if (is_method("REGISTER")) fix_nated_register(); else add_contact_alias();
    }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (has_totag()) {
        if (loose_route()) { handle_ruri_alias(); t_relay(); }
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
    if (!auth_check("$fd", "subscriber", "1")) { auth_challenge("$fd", "1"); exit; }
    consume_credentials();
    record_route();
    if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    if (is_method("INVITE")) t_on_reply("ANSWER");
    if (!t_relay()) sl_reply_error();
    exit;
}
onreply_route[ANSWER] {
    if (proto == WS || proto == WSS) add_contact_alias();
}
event_route[xhttp:request] {
    set_reply_no_connect();
    if ($hdr(Upgrade) =~ "websocket" && $hu == "/ws" && ws_handle_handshake()) exit;
    xhttp_reply("404", "Not Found", "text/plain", "no such page\n");
}
"#;
