//! A network with a PBX and a phone in it, for one thing to be broken in.

use std::any::Any;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use system_tests::{
    Authority, Cli, Demo, Impairment, Kamailio, Nat, Network, Path, Place, Process, Session, SipAccount,
    SlowLink,
};
use tempfile::TempDir;

/// A doctor at work, and all that it looks at.
pub struct Ward {
    /// The doctor.
    pub cli: Cli,
    _kept: Vec<Box<dyn Any>>,
}

/// What is there before the doctor comes.
pub struct Scene {
    pub network: Network,
    /// Where the phone is.
    pub place: Place,
    pub session: Session,
    kept: Vec<Box<dyn Any>>,
}

impl Scene {
    /// A network with one phone, which has neither keychain nor sound.
    pub fn new() -> Self {
        Self::within(Session::bare())
    }

    /// A phone that lacks nothing.
    pub fn furnished() -> Self {
        let session = Session::bare().with_keychain().with_sound();
        let mut scene = Self::within(session);
        let hum = scene.session.hum();
        scene.keep(hum);
        scene
    }

    /// A network with a phone in this session.
    pub fn within(session: Session) -> Self {
        let network = Network::new(1);
        let place = network.phone(0).0;
        Self { network, place, session, kept: Vec::new() }
    }

    /// Keeps something until the doctor has gone.
    pub fn keep(&mut self, thing: impl Any) {
        self.kept.push(Box::new(thing));
    }

    /// Tells the packet filter between phone and PBX; `FROM` stands for the phone's address.
    pub fn filter(&self, rule: &str) {
        let from = self.network.phone(0).1.to_string();
        for rule in [
            "add table ip guard",
            "add chain ip guard in { type filter hook input priority 0; }",
            "add chain ip guard out { type filter hook output priority 0; }",
            &rule.replace("FROM", &from),
        ] {
            let mut command = self.network.hub().command("nft");
            command.arg(rule);
            Process::run("nft", command);
        }
    }

    /// Address of the PBX.
    pub fn pbx(&self) -> Ipv4Addr {
        self.network.pbx()
    }

    /// The demo PBX, with a certificate that is trusted.
    pub fn demo(&self) -> Demo {
        Demo::at(&self.network.hub(), self.pbx(), None)
    }

    /// The demo PBX with a certificate of an authority for these names and years, and the authority's own.
    pub fn demo_certified(&mut self, name: &str, years: std::ops::RangeInclusive<i32>) -> (Demo, PathBuf) {
        let (authority, certificate, key) = self.certificate(name, years);
        (Demo::at(&self.network.hub(), self.pbx(), Some((&certificate, &key))), authority)
    }

    /// Files of an authority's certificate, and of a certificate and key that it signed.
    pub fn certificate(
        &mut self,
        name: &str,
        years: std::ops::RangeInclusive<i32>,
    ) -> (PathBuf, PathBuf, PathBuf) {
        let folder = TempDir::with_prefix("carillon-authority-").unwrap();
        let authority = Authority::new(folder.path());
        let (certificate, key) = authority.sign_for(&[name], years);
        self.keep(folder);
        (authority.certificate(), certificate, key)
    }

    /// A web server that somebody else wrote, with TLS or without, on this port.
    pub fn web_server(&mut self, port: u16, identity: Option<(&PathBuf, &PathBuf)>) {
        let address = self.pbx().to_string();
        let folder = self.session.path("web");
        std::fs::create_dir(&folder).unwrap();
        std::fs::create_dir(folder.join("api")).unwrap();
        std::fs::write(folder.join("api/info"), "<html><body>Please sign in</body></html>").unwrap();
        let mut command = self.network.hub().command("python3");
        command.args(["-c", WEB_SERVER, &address, &port.to_string()]).arg(folder);
        if let Some((certificate, key)) = identity {
            command.arg(certificate).arg(key);
        }
        let mut server = Process::start("python3 web server", command);
        server.wait_for("its port", super::SOON, |line| line.text.contains("listening").then_some(()));
        self.keep(server);
    }

    /// Kamailio in the place of the PBX.
    pub fn kamailio(&self) -> Kamailio {
        Kamailio::at(&self.network.hub(), self.pbx())
    }

    /// The phone moves behind a router.
    pub fn move_behind(&mut self, nat: Nat) {
        self.place = self.network.behind(0, nat);
    }

    /// What the phone sends fares like this.
    pub fn impair(&mut self, impairment: Impairment) {
        let path = Path::new(&self.network, 0, impairment, 7);
        self.keep(path);
    }

    /// The way there and back takes longer.
    pub fn slow(&mut self, round_trip: std::time::Duration) {
        let link = SlowLink::new(&self.network, 0, round_trip);
        self.keep(link);
    }

    /// Calls the doctor to a plain account.
    pub fn line(self, account: &SipAccount, arguments: &[&str], kept: impl Any) -> Ward {
        let account = account.clone();
        let mut all = vec!["--sip-user", &account.user, "--sip-domain", &account.domain];
        all.extend(["--proxy", &account.proxy, "--transport", &account.transport]);
        all.extend(arguments);
        self.doctor(&all, Some(&account.password), None, kept)
    }

    /// Calls the doctor to the PBX and alice's line there.
    pub fn alice(self, demo: Demo, arguments: &[&str]) -> Ward {
        let account = demo.alice_sip("udp");
        self.alice_at(demo, &account, arguments)
    }

    /// Calls the doctor to the PBX and this line there.
    pub fn alice_at(self, demo: Demo, account: &SipAccount, arguments: &[&str]) -> Ward {
        let (server, ca) = (demo.server().to_owned(), demo.ca().to_owned());
        let mut all = vec!["--server", &*server, "--domain", Demo::DOMAIN, "--ca", &*ca];
        all.extend(arguments);
        self.line(account, &all, demo)
    }

    /// Calls the doctor, to a server without an account.
    pub fn server(self, server: &str, arguments: &[&str], kept: impl Any) -> Ward {
        let mut all = vec!["--server", server, "--domain", Demo::DOMAIN];
        all.extend(arguments);
        self.doctor(&all, None, None, kept)
    }

    /// Calls the doctor with everything that can be given.
    pub fn doctor(
        mut self,
        arguments: &[&str],
        sip_password: Option<&str>,
        typed: Option<&str>,
        kept: impl Any,
    ) -> Ward {
        self.keep(kept);
        let all: Vec<&str> = ["doctor"].into_iter().chain(arguments.iter().copied()).collect();
        let cli = Cli::start_at(&self.session, &self.place, &all, sip_password, typed);
        let Self { network, session, mut kept, .. } = self;
        // What runs in the network and the session ends before them.
        kept.push(Box::new(session));
        kept.push(Box::new(network));
        Ward { cli, _kept: kept }
    }
}

const WEB_SERVER: &str = "\
import functools, http.server, ssl, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[3])
server = http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), handler)
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print('listening', flush=True)
server.serve_forever()
";
