//! Kamailio as registrar, proxy and presence server with digest, over UDP, TCP, TLS and WSS.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kamailio_house::{House, password};
use crate::{Authority, Place, Process, Rtpengine, SipAccount, free_port};

/// A running Kamailio with the users 1001 to 1024 of the domain `bell.test`. It tells of the calls of each
/// (dialog state) and of the messages that wait for them, as somebody publishes them. The number
/// `7` + phone + port stands for whatever listens on that port of that phone in a [`Network`](crate::Network),
/// registered or not.
pub struct Kamailio {
    _process: Process,
    _bridge: Option<Rtpengine>,
    house: House,
    address: Ipv4Addr,
    ports: Ports,
}

/// Ports of a PBX, one a transport.
#[derive(Debug, Clone, Copy)]
struct Ports {
    udp: u16,
    tcp: u16,
    tls: u16,
    wss: u16,
}

impl Ports {
    /// The ports of a PortSIP PBX.
    const USUAL: Self = Self { udp: 5060, tcp: 5063, tls: 5061, wss: 5065 };

    fn all(self) -> [u16; 4] {
        [self.udp, self.tcp, self.tls, self.wss]
    }
}

impl Kamailio {
    /// SIP domain it is responsible for.
    pub const DOMAIN: &'static str = "bell.test";

    /// Starts it on loopback, on free ports.
    pub fn here() -> Self {
        let [udp, tcp, tls, wss] = [(); 4].map(|()| free_port());
        Self::start(&Place::Here, Ipv4Addr::LOCALHOST, Ports { udp, tcp, tls, wss }, None)
    }

    /// Starts it in a place of its own, on the ports of a PortSIP PBX.
    pub fn at(place: &Place, address: Ipv4Addr) -> Self {
        Self::start(place, address, Ports::USUAL, None)
    }

    /// The same, with an rtpengine in the way of all media: the user 1001 is offered encrypted calls with keys by
    /// `sdes` or `dtls`, as browsers are with `webrtc`, or `plain` ones, everybody else plain ones.
    pub fn bridging(place: &Place, address: Ipv4Addr, keys: &str) -> Self {
        let bridge = Rtpengine::at(place, address);
        Self::start(place, address, Ports::USUAL, Some((bridge, keys)))
    }

    fn start(place: &Place, address: Ipv4Addr, ports: Ports, bridge: Option<(Rtpengine, &str)>) -> Self {
        let house = House::new((1001..=1024).map(|user| user.to_string()));
        for table in ["version", "presentity", "active_watchers", "watchers", "xcap", "pua"] {
            let empty = Path::new("/usr/share/kamailio/dbtext/kamailio").join(table);
            fs::copy(&empty, house.database().join(table))
                .unwrap_or_else(|e| panic!("{}: {e}", empty.display()));
        }
        let authority = Authority::new(house.path());
        let (certificate, key) = authority.sign(&[Self::DOMAIN, &address.to_string()]);
        fs::write(house.path().join("tls.cfg"), tls_config(&certificate, &key)).unwrap();
        let (define, socket, securely) = match &bridge {
            None => ("", String::new(), ""),
            Some((bridge, keys)) => {
                let offer = match *keys {
                    "plain" => "ICE=remove RTP/AVP",
                    "sdes" => "ICE=remove RTP/SAVP DTLS=off",
                    "dtls" => "ICE=remove UDP/TLS/RTP/SAVPF DTLS=passive SDES-off rtcp-mux-offer",
                    "webrtc" => "ICE=force UDP/TLS/RTP/SAVPF DTLS=passive SDES-off rtcp-mux-offer",
                    other => panic!("rtpengine does not know {other}"),
                };
                ("#!define BRIDGE", format!("udp:{address}:{}", bridge.control()), offer)
            }
        };
        let [udp, tcp, tls, wss] = ports.all().map(|port| port.to_string());
        let here = address.to_string();
        let values = [
            ("DEFINE", define),
            ("SOCKET", &*socket),
            ("SECURELY", securely),
            ("ADDRESS", &here),
            ("UDP", &udp),
            ("TCP", &tcp),
            ("TLS", &tls),
            ("WSS", &wss),
        ];
        house.configure(CONFIG, &values);
        let mut command = place.command("kamailio");
        house.inhabit(&mut command, 64, 8);
        let process = Process::start("kamailio", command);
        place.wait_until_bound(&process, &ports.all().map(|port| (address, port)));
        let bridge = bridge.map(|(bridge, _)| bridge);
        Self { _process: process, _bridge: bridge, house, address, ports }
    }

    /// Name and version.
    pub fn version() -> String {
        let mut command = Command::new("kamailio");
        command.arg("-v");
        let said = Process::run("kamailio", command);
        // "version: kamailio 5.6.3 (x86_64/linux)"
        format!("Kamailio {}", said.split_whitespace().nth(2).unwrap_or_default())
    }

    /// One of its users, over `udp`, `tcp`, `tls` or `wss`.
    pub fn account(&self, user: &str, transport: &str) -> SipAccount {
        let port = match transport {
            "udp" => self.ports.udp,
            "tcp" => self.ports.tcp,
            "tls" => self.ports.tls,
            "wss" => self.ports.wss,
            other => panic!("Kamailio does not listen for {other}"),
        };
        SipAccount {
            user: user.to_owned(),
            domain: Self::DOMAIN.to_owned(),
            proxy: format!("{}:{port}", self.address),
            transport: transport.to_owned(),
            password: password(user),
        }
    }

    /// The certificate of the authority that vouches for it, PEM.
    pub fn authority(&self) -> PathBuf {
        self.house.path().join("ca.pem")
    }
}

fn tls_config(certificate: &Path, key: &Path) -> String {
    let (certificate, key) = (certificate.display(), key.display());
    format!(
        "[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\n\
         certificate = {certificate}\nprivate_key = {key}\n\
         [client:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\n"
    )
}

const CONFIG: &str = r#"#!KAMAILIO
@DEFINE@
debug=2
log_stderror=yes
# What it publishes of a call reaches itself by UDP: with one reader it keeps its order.
children=1
# OpenSSL 3 in two readers at once spoils this version's shared memory: handshakes fail, then it ends.
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
enable_tls=yes
alias="bell.test"
listen=udp:@ADDRESS@:@UDP@
listen=tcp:@ADDRESS@:@TCP@
listen=tls:@ADDRESS@:@TLS@
listen=tls:@ADDRESS@:@WSS@
tcp_connection_lifetime=3605
tcp_accept_no_cl=yes
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
loadmodule "auth.so"
loadmodule "db_text.so"
loadmodule "auth_db.so"
loadmodule "nathelper.so"
loadmodule "tls.so"
loadmodule "xhttp.so"
loadmodule "websocket.so"
loadmodule "dialog.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
loadmodule "presence_mwi.so"
loadmodule "presence_dialoginfo.so"
loadmodule "pua.so"
loadmodule "pua_dialoginfo.so"
#!ifdef BRIDGE
loadmodule "rtpengine.so"
modparam("rtpengine", "rtpengine_sock", "@SOCKET@")
#!endif
modparam("auth_db", "db_url", "text://@DB@")
modparam("auth_db", "calculate_ha1", 1)
modparam("auth_db", "password_column", "password")
modparam("auth_db", "load_credentials", "")
modparam("auth_db", "version_table", 0)
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 3600)
modparam("nathelper|registrar", "received_avp", "$avp(RECEIVED)")
modparam("tls", "config", "@DIR@/tls.cfg")
modparam("presence", "db_url", "text://@DB@")
modparam("presence", "subs_db_mode", 0)
modparam("presence", "publ_cache", 2)
modparam("presence", "server_address", "sip:@ADDRESS@:@UDP@")
modparam("presence_xml", "db_url", "text://@DB@")
modparam("presence_xml", "force_active", 1)
modparam("pua", "db_url", "text://@DB@")
modparam("pua", "db_mode", 0)
modparam("pua", "outbound_proxy", "sip:@ADDRESS@:@UDP@")
modparam("pua_dialoginfo", "include_callid", 1)
modparam("pua_dialoginfo", "include_tags", 1)
modparam("pua_dialoginfo", "include_localremote", 1)

request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    force_rport();
    if (is_method("REGISTER")) fix_nated_register(); else add_contact_alias();
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (has_totag()) {
        if (is_method("SUBSCRIBE") && uri == myself) { route(PRESENCE); exit; }
        if (loose_route()) {
            if (is_method("SUBSCRIBE") && uri == myself) { route(PRESENCE); exit; }
            handle_ruri_alias();
            t_on_reply("ANSWER");
            t_relay();
        }
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
    if (is_method("PUBLISH") && src_ip == @ADDRESS@) { route(PRESENCE); exit; }
    if (!auth_check("$fd", "subscriber", "1")) { auth_challenge("$fd", "0"); exit; }
    consume_credentials();
    if (is_method("PUBLISH|SUBSCRIBE")) { route(PRESENCE); exit; }
    record_route();
    $var(securely) = ($rU == "1001");
    if ($rU =~ "^7[0-9][0-9]{5}$") {
        $du = "sip:10.77." + $(rU{s.substr,1,1}) + ".2:" + $(rU{s.substr,2,5});
    } else if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    if (is_method("INVITE")) dlg_manage();
#!ifdef BRIDGE
    if (is_method("INVITE") && has_body("application/sdp")) {
        if ($var(securely)) rtpengine_manage("replace-origin replace-session-connection @SECURELY@");
        else rtpengine_manage("replace-origin replace-session-connection ICE=remove RTP/AVP rtcp-mux-demux");
    }
#!endif
    t_on_reply("ANSWER");
    if (!t_relay()) sl_reply_error();
}

route[PRESENCE] {
    if (!t_newtran()) { sl_reply_error(); exit; }
    if (is_method("PUBLISH")) handle_publish(); else handle_subscribe();
    t_release();
}

onreply_route[ANSWER] {
    add_contact_alias();
#!ifdef BRIDGE
    if (has_body("application/sdp")) rtpengine_manage("replace-origin replace-session-connection");
#!endif
}

event_route[tm:local-request] { handle_ruri_alias(); }

event_route[xhttp:request] {
    set_reply_no_connect();
    if ($hdr(Upgrade) =~ "websocket" && $rm =~ "GET" && ws_handle_handshake()) exit;
    xhttp_reply("404", "Not Found", "text/plain", "not a websocket\n");
}
"#;
