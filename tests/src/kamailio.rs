//! Kamailio as registrar and proxy with digest, over UDP and TCP.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::{Place, Process, SipAccount, free_port};

/// A running Kamailio with the users 1001 to 1008 of the domain `bell.test`.
pub struct Kamailio {
    _process: Process,
    _dir: TempDir,
    address: Ipv4Addr,
    udp: u16,
    tcp: u16,
}

impl Kamailio {
    /// SIP domain it is responsible for.
    pub const DOMAIN: &'static str = "bell.test";

    /// Starts it on loopback, on free ports.
    pub fn here() -> Self {
        Self::start(&Place::Here, Ipv4Addr::LOCALHOST, free_port(), free_port())
    }

    /// Starts it in a place of its own, on the ports of a PortSIP PBX.
    pub fn at(place: &Place, address: Ipv4Addr) -> Self {
        Self::start(place, address, 5060, 5063)
    }

    fn start(place: &Place, address: Ipv4Addr, udp: u16, tcp: u16) -> Self {
        let dir = TempDir::with_prefix("carillon-kamailio-").unwrap();
        let db = dir.path().join("db");
        fs::create_dir(&db).unwrap();
        fs::create_dir(dir.path().join("run")).unwrap();
        let mut users = "username(string) domain(string) password(string)\n".to_owned();
        for user in 1001..=1008 {
            users.push_str(&format!("{user}:{}:{}\n", Self::DOMAIN, password(&user.to_string())));
        }
        fs::write(db.join("subscriber"), users).unwrap();
        fs::write(db.join("version"), "table_name(string) table_version(int)\nsubscriber:7\n").unwrap();
        let config = dir.path().join("kamailio.cfg");
        let text = CONFIG
            .replace("@ADDRESS@", &address.to_string())
            .replace("@UDP@", &udp.to_string())
            .replace("@TCP@", &tcp.to_string())
            .replace("@MODULES@", &format!("{}/", modules().display()))
            .replace("@DB@", &db.display().to_string());
        fs::write(&config, text).unwrap();
        let mut command = place.command("kamailio");
        command.args(["-DD", "-E", "-m", "64", "-M", "8", "-f"]).arg(config);
        command.arg("-Y").arg(dir.path().join("run"));
        let process = Process::start("kamailio", command);
        place.wait_until_bound(&process, &[(address, udp), (address, tcp)]);
        Self { _process: process, _dir: dir, address, udp, tcp }
    }

    /// One of its users, over `udp` or `tcp`.
    pub fn account(&self, user: &str, transport: &str) -> SipAccount {
        let port = if transport == "tcp" { self.tcp } else { self.udp };
        SipAccount {
            user: user.to_owned(),
            domain: Self::DOMAIN.to_owned(),
            proxy: format!("{}:{port}", self.address),
            transport: transport.to_owned(),
            password: password(user),
        }
    }
}

fn password(user: &str) -> String {
    format!("secret-of-{user}")
}

fn modules() -> PathBuf {
    let places = fs::read_dir("/usr/lib").into_iter().flatten().filter_map(Result::ok);
    let mut found = places.map(|e| e.path().join("kamailio/modules")).filter(|p| p.join("tm.so").is_file());
    found.next().expect("kamailio and its modules are missing: install the package kamailio")
}

const CONFIG: &str = r#"#!KAMAILIO
debug=2
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
alias="bell.test"
listen=udp:@ADDRESS@:@UDP@
listen=tcp:@ADDRESS@:@TCP@
tcp_connection_lifetime=3605
mpath="@MODULES@"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "db_text.so"
loadmodule "auth_db.so"
loadmodule "nathelper.so"
modparam("auth_db", "db_url", "text://@DB@")
modparam("auth_db", "calculate_ha1", 1)
modparam("auth_db", "password_column", "password")
modparam("auth_db", "load_credentials", "")
modparam("auth_db", "version_table", 0)
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 3600)
modparam("nathelper|registrar", "received_avp", "$avp(RECEIVED)")

request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    force_rport();
    if (is_method("REGISTER")) fix_nated_register(); else add_contact_alias();
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (has_totag()) {
        if (loose_route()) { handle_ruri_alias(); t_relay(); }
        else if (is_method("ACK")) { if (t_check_trans()) t_relay(); }
        else sl_send_reply("404", "Not here");
        exit;
    }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    if (is_method("REGISTER")) {
        if (!auth_check("$td", "subscriber", "1")) { auth_challenge("$td", "0"); exit; }
        consume_credentials();
        if (!save("location")) sl_reply_error();
        exit;
    }
    if (!auth_check("$fd", "subscriber", "1")) { auth_challenge("$fd", "0"); exit; }
    consume_credentials();
    record_route();
    if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    t_on_reply("ANSWER");
    if (!t_relay()) sl_reply_error();
}

onreply_route[ANSWER] { add_contact_alias(); }
"#;
