//! A demo PBX, a vault and phones that a test drives.

use std::sync::Arc;
use std::time::Duration;

use demo_pbx::{Config as Pbx, DemoPbx};
use devices::{Sink, Source};
use phone::{
    AccountId, AccountState, AudioConfig, CallState, CallView, Command, Config, EndReason, Event, Phone,
    Problem, SessionState, SignInPage, SignInView, SipAccount, Start, Transport,
};
use sign_in::{Keeper, MemoryVault, SignInError, Vault};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// A vault that outlives the phone, as a keychain does.
#[derive(Clone, Default)]
pub struct Kept(pub Arc<MemoryVault>);

impl Vault for Kept {
    fn get(&self, account: &str) -> Result<Option<secrecy::zeroize::Zeroizing<Vec<u8>>>, SignInError> {
        self.0.get(account)
    }

    fn set(&self, account: &str, entry: &[u8]) -> Result<(), SignInError> {
        self.0.set(account, entry)
    }

    fn delete(&self, account: &str) -> Result<(), SignInError> {
        self.0.delete(account)
    }
}

pub struct Bench {
    pub pbx: DemoPbx,
    pub dir: tempfile::TempDir,
    pub vault: Kept,
}

pub struct Running {
    pub phone: Phone,
    pub events: Receiver<Event>,
}

impl Bench {
    pub async fn new(pbx: Pbx) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let pbx = DemoPbx::start(pbx).await.unwrap();
        Self { pbx, dir: tempfile::tempdir().unwrap(), vault: Kept::default() }
    }

    pub fn phone(&self, start: Start) -> Running {
        self.phone_with(Config { start, ..self.config() })
    }

    /// Without a sound card, and trusting the PBX.
    pub fn config(&self) -> Config {
        let audio =
            AudioConfig { microphone: Source::Silence, speaker: Sink::Null, ..AudioConfig::default() };
        let mut config = Config {
            tones: false,
            audio,
            headsets: None,
            contacts: false,
            ..Config::new(self.dir.path().into())
        };
        config.trust(self.pbx.certificate_pem().as_bytes()).unwrap();
        config
    }

    pub fn phone_with(&self, config: Config) -> Running {
        self.phone_of(config, Keeper::new(self.vault.clone(), Duration::from_secs(5)))
    }

    pub fn phone_of(&self, config: Config, keeper: Keeper) -> Running {
        let phone = Phone::start_with(config, keeper).unwrap();
        let events = phone.subscribe();
        Running { phone, events }
    }

    pub fn alice(&self) -> AccountId {
        AccountId("alice@test.io".into())
    }

    pub fn find_server(&self) -> Command {
        Command::FindServer { domain: "test.io".into(), server: self.pbx.server() }
    }

    pub fn sign_in(&self) -> Command {
        let password = self.pbx.user("alice").unwrap().password.clone();
        Command::SignIn { username: "alice".into(), password }
    }

    pub fn sip_password(&self) -> Command {
        Command::GiveSipPassword { password: self.pbx.user("alice").unwrap().extension_password.clone() }
    }

    /// Bob's extension as a plain SIP account.
    pub fn bob(&self, transport: Transport) -> Command {
        self.bob_named(transport, None)
    }

    /// The same under a name of its own.
    pub fn bob_named(&self, transport: Transport, name: Option<&str>) -> Command {
        let bob = self.pbx.user("bob").unwrap();
        Command::UseSipAccount {
            account: SipAccount {
                keep: false,
                user: "102".into(),
                domain: "test.io".into(),
                proxy: format!("127.0.0.1:{}", self.pbx.sip_udp_port()),
                transport: transport.into(),
                auth_user: None,
                display_name: name.map(str::to_owned),
                password: bob.extension_password.clone(),
            },
        }
    }

    /// An extension as a plain SIP account, over UDP.
    pub fn extension(&self, extension: &str) -> Command {
        let users = ["alice", "bob", "carol"];
        let user =
            users.iter().filter_map(|name| self.pbx.user(name)).find(|user| user.extension == extension);
        Command::UseSipAccount {
            account: SipAccount {
                keep: false,
                user: extension.into(),
                domain: "test.io".into(),
                proxy: format!("127.0.0.1:{}", self.pbx.sip_udp_port()),
                transport: Transport::Udp.into(),
                auth_user: None,
                display_name: None,
                password: user.unwrap().extension_password.clone(),
            },
        }
    }

    /// A phone of bob's, registered.
    pub async fn bobs_phone(&self) -> Running {
        let mut running = self.phone(Start::None);
        running.send(self.bob(Transport::Udp));
        running.registered().await;
        running
    }

    pub async fn signed_in(&self) -> Running {
        let mut running = self.phone(Start::None);
        running.send(self.find_server());
        running.wizard(|view| view.page == SignInPage::User).await;
        running.send(self.sign_in());
        running.wizard(|view| view.page == SignInPage::SipPassword).await;
        running.send(self.sip_password());
        running.registered().await;
        running
    }
}

impl Running {
    pub fn send(&self, command: Command) {
        self.phone.send(command);
    }

    pub async fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = wanted(&self.events.recv().await.expect("the phone is running")) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain for {what}: {}", wire()))
    }

    pub async fn wizard(&mut self, wanted: impl Fn(&SignInView) -> bool) -> SignInView {
        self.until("the wizard", |event| match event {
            Event::SignIn { view } if !view.busy && wanted(view) => Some(*view.clone()),
            _ => None,
        })
        .await
    }

    pub async fn problem(&mut self) -> Problem {
        self.wizard(|view| view.problem.is_some()).await.problem.unwrap()
    }

    pub async fn account(&mut self, what: &str, wanted: impl Fn(&AccountState) -> bool) {
        self.until(what, |event| match event {
            Event::Account { view } if wanted(&view.state) => Some(()),
            _ => None,
        })
        .await;
    }

    pub async fn session(&mut self, wanted: impl Fn(&SessionState) -> bool) {
        self.until("the session", |event| match event {
            Event::Account { view } if wanted(&view.session) => Some(()),
            _ => None,
        })
        .await;
    }

    pub async fn registered(&mut self) {
        self.account("registered", |state| matches!(state, AccountState::Registered { .. })).await;
    }

    pub async fn call(&mut self, what: &str, wanted: impl Fn(&CallState) -> bool) -> CallView {
        self.until(what, |event| match event {
            Event::Call { view } if wanted(&view.state) => Some(view.clone()),
            _ => None,
        })
        .await
    }

    pub async fn ended(&mut self) -> EndReason {
        let view = self.call("the end of the call", |state| matches!(state, CallState::Ended { .. })).await;
        match view.state {
            CallState::Ended { end } => end.reason,
            other => panic!("{other:?}"),
        }
    }

    pub fn dial(&self, target: &str) {
        self.send(Command::Dial { account: None, target: target.into() });
    }
}

/// The first lines of what all phones of this process sent and got last.
fn wire() -> String {
    let line = |entry: &sip::trace::Entry| {
        let way = if entry.sent { "to" } else { "from" };
        let first = entry.text.lines().next().unwrap_or_default();
        let sequence = entry.text.lines().find(|line| line.starts_with("CSeq:")).unwrap_or_default();
        format!("\n{way} {} {first} {sequence}", entry.peer)
    };
    sip::trace::recent().iter().map(line).collect()
}
