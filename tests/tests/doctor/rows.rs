//! What is broken, and what is to be named. Each row stands in the README.

use std::time::Duration;

use system_tests::{
    Coturn, Demo, Dns, Impairment, Nat, PretendedProxy, Process, Session, SipAccount, Squid, free_port,
};

use crate::ward::{Scene, Ward};

/// One thing that is broken.
pub struct Row {
    /// What, in words.
    pub broken: &'static str,
    /// The cause that is to be named, by its code; empty where nothing is wrong.
    pub cause: &'static str,
    /// Exit status.
    pub exit: i32,
    /// Breaks it, and calls the doctor.
    pub ward: fn() -> Ward,
}

const fn row(broken: &'static str, cause: &'static str, exit: i32, ward: fn() -> Ward) -> Row {
    Row { broken, cause, exit, ward }
}

/// Nobody is called.
const QUIET: &str = "--no-call";

/// The rows; those that take longest come first.
pub const ROWS: &[Row] = &[
    row("outgoing voice is filtered", "voiceNotSent", 4, || voice_filtered("in", "ip saddr FROM")),
    row("incoming voice is filtered", "voiceNotReceived", 4, || voice_filtered("out", "ip daddr FROM")),
    row("nothing is broken", "", 0, || {
        let scene = Scene::furnished();
        let demo = scene.demo();
        scene.alice(demo, &[])
    }),
    row("a fifth of the voice is lost", "loss", 4, || {
        let mut scene = Scene::new();
        let demo = scene.demo();
        scene.impair(Impairment { loss: 0.2, burst: 2.0, ..Impairment::CLEAN });
        scene.alice(demo, &[])
    }),
    row("the voice arrives unevenly", "jitter", 4, || {
        let mut scene = Scene::new();
        let demo = scene.demo();
        let jitter = Duration::from_millis(150);
        scene.impair(Impairment { delay: jitter, jitter, reorder: 0.3, ..Impairment::CLEAN });
        scene.alice(demo, &[])
    }),
    row("the way takes 0.8 seconds", "delay", 0, || {
        let mut scene = Scene::furnished();
        let demo = scene.demo();
        scene.slow(Duration::from_millis(800));
        scene.alice(demo, &[])
    }),
    row("the echo line's number is wrong", "echoNotAnswered", 5, || {
        let scene = Scene::new();
        let demo = scene.demo();
        scene.alice(demo, &["--echo", "4711"])
    }),
    row("no network", "noNetwork", 4, || {
        let scene = Scene::new();
        let demo = scene.demo();
        let mut down = scene.place.command("ip");
        down.args(["link", "set", "eth0", "down"]);
        Process::run("ip link set eth0 down", down);
        scene.alice(demo, &[])
    }),
    row("the server's name is misspelt", "nameNotFound", 4, || {
        let scene = Scene::new();
        let dns = Dns::at(&scene.network.hub(), scene.pbx(), &[], &[&scene.place]);
        scene.server("pbx.tset.test", &[], dns)
    }),
    row("no name server answers", "nameNotFound", 4, || {
        let scene = Scene::new();
        let dns = Dns::at(&scene.network.hub(), scene.pbx(), &[], &[&scene.place]);
        scene.filter("add rule ip guard in ip saddr FROM udp dport 53 drop");
        scene.server("pbx.bell.test", &[], dns)
    }),
    row("SRV records lead to a host that is not there", "serviceLeadsNowhere", 4, || {
        let scene = Scene::new();
        let ghost = ["_sip._udp", "_sip._tcp", "_sips._tcp"]
            .map(|service| format!("--srv-host={service}.bell.test,ghost.bell.test,5060,1,1"));
        let records: Vec<&str> = ghost.iter().map(String::as_str).collect();
        let dns = Dns::at(&scene.network.hub(), scene.pbx(), &records, &[&scene.place]);
        let kamailio = scene.kamailio();
        let account = SipAccount { proxy: "bell.test".into(), ..kamailio.account("1001", "udp") };
        scene.line(&account, &[QUIET], (dns, kamailio))
    }),
    row("SRV records lead to a closed port", "transportClosed", 4, || {
        let scene = Scene::new();
        let address = scene.pbx().to_string();
        let records = [
            "--srv-host=_sip._tcp.bell.test,sip.bell.test,5099,1,1",
            &format!("--host-record=sip.bell.test,{address}"),
        ];
        let dns = Dns::at(&scene.network.hub(), scene.pbx(), &records, &[&scene.place]);
        let kamailio = scene.kamailio();
        let account = SipAccount { proxy: "bell.test".into(), ..kamailio.account("1001", "tcp") };
        scene.line(&account, &[QUIET], (dns, kamailio))
    }),
    row("the server is off", "serverSilent", 4, || {
        let scene = Scene::new();
        let demo = scene.demo();
        scene.filter("add rule ip guard in ip saddr FROM drop");
        scene.alice(demo, &[])
    }),
    row("the PBX's port is another one", "portClosed", 4, || {
        let scene = Scene::new();
        let demo = scene.demo();
        let server = format!("{}:{}", scene.pbx(), free_port());
        scene.server(&server, &[], demo)
    }),
    row("the PBX's port is filtered", "portSilent", 4, || {
        let scene = Scene::new();
        let demo = scene.demo();
        scene.filter("add rule ip guard in ip saddr FROM tcp dport 8887 drop");
        scene.alice(demo, &[QUIET])
    }),
    row("the web proxy is off", "proxyUnreachable", 4, || {
        by_proxy(|scene| format!("http://{}:3128", scene.pbx()))
    }),
    row("the web proxy says nothing", "proxyUnreachable", 4, || by_proxy(|scene| pretended(scene, ""))),
    row("the web proxy wants a password", "proxyCredentials", 4, || {
        by_proxy(|scene| squid(scene, &[8887], Squid::bare_url))
    }),
    row("the web proxy does not allow the PBX's port", "proxyRefused", 4, || {
        by_proxy(|scene| squid(scene, &[443], Squid::url))
    }),
    row("a web server is set as the web proxy", "proxyNotUnderstood", 4, || {
        by_proxy(|scene| {
            scene.web_server(8080, None);
            format!("http://{}:8080", scene.pbx())
        })
    }),
    row("a web page comes through the web proxy in the PBX's place", "proxyNotUnderstood", 4, || {
        by_proxy(|scene| pretended(scene, "HTTP/1.1 200 OK\r\n\r\n<html>Please sign in</html>"))
    }),
    row("the port speaks no TLS", "noTls", 4, || {
        let mut scene = Scene::new();
        scene.web_server(8080, None);
        let server = format!("{}:8080", scene.pbx());
        scene.server(&server, &[], ())
    }),
    row("the certificate is the PBX's own", "certificateSelfSigned", 4, || {
        let scene = Scene::new();
        let demo = scene.demo();
        let server = demo.server().to_owned();
        scene.server(&server, &[], demo)
    }),
    row("the certificate is of an authority not trusted", "certificateUntrusted", 4, || {
        let mut scene = Scene::new();
        let address = scene.pbx().to_string();
        let (demo, _) = scene.demo_certified(&address, 2020..=2090);
        let server = demo.server().to_owned();
        scene.server(&server, &[], demo)
    }),
    row("the certificate is for another name", "certificateName", 4, || {
        certified("elsewhere.test", 2020..=2090, "{}")
    }),
    row("the certificate has run out", "certificateExpired", 4, || certified("", 2020..=2021, "{}")),
    row("the certificate is not valid yet", "certificateNotYetValid", 4, || certified("", 2090..=2091, "{}")),
    row("this machine's clock is years behind", "clockWrong", 4, || {
        certified("", 2090..=2091, "{\"clock_ahead_s\": 2100000000}")
    }),
    row("this machine's clock is an hour behind", "clockWrong", 0, || {
        let scene = Scene::furnished();
        let demo = scene.demo();
        demo.fault("{\"clock_ahead_s\": 3600}");
        scene.alice(demo, &[QUIET])
    }),
    row("a web page answers in the PBX's place", "notAPbx", 4, || {
        let mut scene = Scene::new();
        let address = scene.pbx().to_string();
        let (authority, certificate, key) = scene.certificate(&address, 2020..=2090);
        scene.web_server(8443, Some((&certificate, &key)));
        let ca = authority.display().to_string();
        scene.server(&format!("{address}:8443"), &["--ca", &ca], ())
    }),
    row("the PBX answers with what is no JSON", "notAPbx", 4, || rest("{\"rest\": {\"kind\": \"garbage\"}}")),
    row("the PBX fails (503)", "pbxFailing", 4, || {
        rest("{\"rest\": {\"kind\": \"status\", \"status\": 503}}")
    }),
    row("the PBX breaks the connection", "pbxFailing", 4, || rest("{\"rest\": {\"kind\": \"drop\"}}")),
    row("the PBX sends elsewhere", "redirected", 4, || {
        rest("{\"rest\": {\"kind\": \"redirect\", \"to\": \"https://elsewhere.test/\"}}")
    }),
    row("the SIP domain is misspelt", "domainUnknown", 3, || {
        let scene = Scene::new();
        let demo = scene.demo();
        let (server, ca) = (demo.server().to_owned(), demo.ca().to_owned());
        scene.doctor(&["--server", &server, "--domain", "tset.io", "--ca", &ca], None, None, demo)
    }),
    row("the user's password is wrong", "wrongPassword", 3, || {
        let scene = Scene::new();
        let demo = scene.demo();
        let (server, ca) = (demo.server().to_owned(), demo.ca().to_owned());
        let mut arguments = vec!["--server", &*server, "--domain", Demo::DOMAIN, "--ca", &*ca];
        arguments.extend(["--username", "alice", "--password-stdin"]);
        scene.doctor(&arguments, None, Some("not-the-password"), demo)
    }),
    row("UDP is filtered", "udpBlocked", 4, || {
        let scene = Scene::new();
        let demo = scene.demo();
        scene.filter("add rule ip guard in ip saddr FROM udp dport 5060 drop");
        scene.alice(demo, &[])
    }),
    row("the SIP port over TCP is closed", "transportClosed", 4, || {
        let scene = Scene::new();
        let demo = scene.demo();
        let account = SipAccount { proxy: format!("{}:5999", scene.pbx()), ..demo.alice_sip("tcp") };
        scene.alice_at(demo, &account, &[])
    }),
    row("TLS is set, and only UDP and TCP are there", "transportClosed", 4, || {
        let scene = Scene::new();
        let demo = scene.demo();
        let proxy = scene.pbx().to_string();
        let account = SipAccount { proxy, transport: "tls".into(), ..demo.alice_sip("tcp") };
        scene.alice_at(demo, &account, &[])
    }),
    row("TCP to SIP is filtered, and so is UDP", "transportBlocked", 4, || {
        let scene = Scene::new();
        let demo = scene.demo();
        scene.filter("add rule ip guard in ip saddr FROM meta l4proto { tcp, udp } th dport { 5060, 5061, 5063, 5065 } drop");
        let account = demo.alice_sip("tcp");
        scene.alice_at(demo, &account, &[])
    }),
    row("the SIP port belongs to a web server", "notSip", 4, || {
        let scene = Scene::new();
        let demo = scene.demo();
        let proxy = demo.server().to_owned();
        let account = SipAccount { proxy, transport: "tls".into(), ..demo.alice_sip("tcp") };
        scene.alice_at(demo, &account, &[])
    }),
    row("the registrar says nothing", "registrarSilent", 4, || sip_fault("silent")),
    row("the registrar fails (503)", "registrarFailing", 4, || sip_fault("unavailable")),
    row("the SIP password is wrong", "sipPasswordWrong", 3, || {
        let scene = Scene::new();
        let demo = scene.demo();
        let account = SipAccount { password: "not-the-password".into(), ..demo.alice_sip("udp") };
        scene.alice_at(demo, &account, &[])
    }),
    row("the SIP password is wrong, at Kamailio over TLS", "sipPasswordWrong", 3, || {
        let scene = Scene::new();
        let kamailio = scene.kamailio();
        let account = SipAccount { password: "not-the-password".into(), ..kamailio.account("1001", "tls") };
        let ca = kamailio.authority().display().to_string();
        scene.line(&account, &["--ca", &ca], kamailio)
    }),
    row("Kamailio's certificate is of an authority not trusted", "certificateUntrusted", 4, || {
        let scene = Scene::new();
        let kamailio = scene.kamailio();
        let account = kamailio.account("1001", "wss");
        scene.line(&account, &[], kamailio)
    }),
    row("the STUN server does not answer", "stunSilent", 0, || {
        let scene = Scene::furnished();
        let demo = scene.demo();
        let stun = format!("{}:3478", scene.pbx());
        scene.alice(demo, &[QUIET, "--stun", &stun])
    }),
    row("a router with another port for everybody", "symmetricNat", 0, || {
        let mut scene = Scene::furnished();
        let demo = scene.demo();
        let coturn = Coturn::at(&scene.network.hub(), scene.pbx());
        scene.move_behind(Nat::Symmetric);
        let (stun, account) = (coturn.server(), demo.alice_sip("udp"));
        let (server, ca) = (demo.server().to_owned(), demo.ca().to_owned());
        let arguments = ["--server", &server, "--domain", Demo::DOMAIN, "--ca", &ca, QUIET, "--stun", &stun];
        scene.line(&account, &arguments, (coturn, demo))
    }),
    row("no microphone", "noMicrophone", 4, || machine(Session::bare().with_keychain().with_speaker_only())),
    row("no sound system", "noMicrophone", 4, || machine(Session::bare().with_keychain())),
    row("a silent microphone", "microphoneSilent", 4, || {
        machine(Session::bare().with_keychain().with_sound())
    }),
    row("no speaker", "noSpeaker", 4, || machine(Session::bare().with_keychain().with_microphone_only())),
    row("no keychain", "keychainAbsent", 0, || {
        let mut scene = Scene::within(Session::bare().with_sound());
        let hum = scene.session.hum();
        scene.keep(hum);
        let demo = scene.demo();
        scene.alice(demo, &[QUIET])
    }),
    row("a locked keychain", "keychainLocked", 0, || {
        let scene = Scene::furnished();
        scene.session.lock_keychain();
        let demo = scene.demo();
        scene.alice(demo, &[QUIET])
    }),
];

/// RTP is dropped; RTCP, which is known by the second byte of its head (RFC 5761, section 4), and SIP pass.
fn voice_filtered(chain: &str, whose: &str) -> Ward {
    let scene = Scene::new();
    let demo = scene.demo();
    scene.filter(&format!(
        "add rule ip guard {chain} {whose} udp dport 10000-65535 udp sport 10000-65535 @th,72,8 != 192-223 drop"
    ));
    scene.alice(demo, &[])
}

/// The demo PBX with a certificate for this name, or its address, and these years, whose authority is trusted.
fn certified(name: &str, years: std::ops::RangeInclusive<i32>, fault: &str) -> Ward {
    let mut scene = Scene::new();
    let address = scene.pbx().to_string();
    let (demo, authority) = scene.demo_certified(if name.is_empty() { &address } else { name }, years);
    demo.fault_unseen(fault);
    let (server, ca) = (demo.server().to_owned(), authority.display().to_string());
    scene.server(&server, &["--ca", &ca], demo)
}

/// The demo PBX's REST interface misbehaves.
fn rest(fault: &str) -> Ward {
    let scene = Scene::new();
    let demo = scene.demo();
    demo.fault(fault);
    scene.alice(demo, &[QUIET])
}

/// The demo PBX's SIP side misbehaves.
fn sip_fault(fault: &str) -> Ward {
    let scene = Scene::new();
    let demo = scene.demo();
    demo.fault(&format!("{{\"sip\": \"{fault}\"}}"));
    scene.alice(demo, &[QUIET])
}

/// The phone goes through this web proxy, and all else is well.
fn by_proxy(url: impl Fn(&mut Scene) -> String) -> Ward {
    let mut scene = Scene::new();
    let demo = scene.demo();
    let url = url(&mut scene);
    scene.session.set("HTTPS_PROXY", url);
    scene.alice(demo, &[QUIET])
}

fn squid(scene: &mut Scene, ports: &[u16], url: impl Fn(&Squid) -> String) -> String {
    let squid = Squid::at(&scene.network.hub(), scene.pbx(), ports);
    let url = url(&squid);
    scene.keep(squid);
    url
}

fn pretended(scene: &mut Scene, says: &str) -> String {
    let proxy = PretendedProxy::at(&scene.network.hub(), scene.pbx(), says);
    let url = proxy.url();
    scene.keep(proxy);
    url
}

/// All is well but this machine.
fn machine(session: Session) -> Ward {
    let scene = Scene::within(session);
    let demo = scene.demo();
    scene.alice(demo, &[QUIET])
}
