//! The whole phone against a PBX that speaks over real sockets: signing in, calling, going away, coming back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use demo_pbx::{Config as Pbx, DemoPbx, RestFault};
use devices::{Sink, Source};
use phone::{
    AccountId, AccountState, AudioConfig, CallState, Code, Command, Config, EndReason, Event, Phone, Problem,
    SessionState, SignInPage, SignInView, Start,
};
use secrecy::ExposeSecret;
use sign_in::{Keeper, MemoryVault, SignInError, Vault};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// A vault that outlives the phone, as a keychain does.
#[derive(Clone, Default)]
struct Kept(Arc<MemoryVault>);

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

struct Bench {
    pbx: DemoPbx,
    dir: tempfile::TempDir,
    vault: Kept,
}

struct Running {
    phone: Phone,
    events: Receiver<Event>,
}

impl Bench {
    async fn new(pbx: Pbx) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let pbx = DemoPbx::start(pbx).await.unwrap();
        Self { pbx, dir: tempfile::tempdir().unwrap(), vault: Kept::default() }
    }

    fn phone(&self, start: Start) -> Running {
        let audio = AudioConfig { microphone: Source::Silence, speaker: Sink::Null };
        let mut config = Config { start, tones: false, audio, ..Config::new(self.dir.path().into()) };
        config.trust(self.pbx.certificate_pem().as_bytes()).unwrap();
        self.phone_with(config)
    }

    fn phone_with(&self, config: Config) -> Running {
        let keeper = Keeper::new(self.vault.clone(), Duration::from_secs(5));
        let phone = Phone::start_with(config, keeper).unwrap();
        let events = phone.subscribe();
        Running { phone, events }
    }

    fn alice(&self) -> AccountId {
        AccountId("alice@test.io".into())
    }

    fn find_server(&self) -> Command {
        Command::FindServer { domain: "test.io".into(), server: self.pbx.server() }
    }

    fn sign_in(&self) -> Command {
        let password = self.pbx.user("alice").unwrap().password.clone();
        Command::SignIn { username: "alice".into(), password }
    }

    fn sip_password(&self) -> Command {
        Command::GiveSipPassword { password: self.pbx.user("alice").unwrap().extension_password.clone() }
    }

    async fn signed_in(&self) -> Running {
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
    fn send(&self, command: Command) {
        self.phone.send(command);
    }

    async fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = wanted(&self.events.recv().await.expect("the phone is running")) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }

    async fn wizard(&mut self, wanted: impl Fn(&SignInView) -> bool) -> SignInView {
        self.until("the wizard", |event| match event {
            Event::SignIn { view } if !view.busy && wanted(view) => Some(view.clone()),
            _ => None,
        })
        .await
    }

    async fn problem(&mut self) -> Problem {
        self.wizard(|view| view.problem.is_some()).await.problem.unwrap()
    }

    async fn account(&mut self, what: &str, wanted: impl Fn(&AccountState) -> bool) {
        self.until(what, |event| match event {
            Event::Account { view } if wanted(&view.state) => Some(()),
            _ => None,
        })
        .await;
    }

    async fn registered(&mut self) {
        self.account("registered", |state| matches!(state, AccountState::Registered { .. })).await;
    }

    async fn call(&mut self, what: &str, wanted: impl Fn(&CallState) -> bool) -> phone::CallView {
        self.until(what, |event| match event {
            Event::Call { view } if wanted(&view.state) => Some(view.clone()),
            _ => None,
        })
        .await
    }

    async fn ended(&mut self) -> EndReason {
        let view = self.call("the end of the call", |state| matches!(state, CallState::Ended { .. })).await;
        match view.state {
            CallState::Ended { end } => end.reason,
            other => panic!("{other:?}"),
        }
    }

    fn dial(&self, target: &str) {
        self.send(Command::Dial { account: None, target: target.into() });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_in_calls_and_signs_out() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.signed_in().await;
    let picture = running.phone.picture().await.unwrap();
    assert_eq!(picture.sign_in.page, SignInPage::Done);
    assert_eq!(picture.accounts[0].session, SessionState::Open);
    assert_eq!(
        (picture.accounts[0].extension.as_str(), picture.accounts[0].domain.as_str()),
        ("101", "test.io")
    );

    running.dial("9196");
    let call = running.call("an answer", |state| matches!(state, CallState::Active { .. })).await;
    assert_eq!(call.codec.as_deref(), Some("opus"));
    let heard = running
        .until("packets from the echo line", |event| match event {
            Event::Media { report, .. } if report.rx_packets > 25 => Some(report.clone()),
            _ => None,
        })
        .await;
    assert_eq!(heard.lost, 0, "nothing is lost on loopback");
    running.send(Command::SendDigit { call: call.id, digit: '5' });
    let view = running.call("a digit", |_| true).await;
    assert_eq!(view.digits, "5");
    running.send(Command::HangUp { call: call.id });
    assert_eq!(running.ended().await, EndReason::HungUpHere);

    running.send(Command::SignOut { account: bench.alice() });
    running.until("signed out", |e| matches!(e, Event::AccountGone { .. }).then_some(())).await;
    assert!(bench.vault.get("alice@test.io").unwrap().is_none(), "the vault is emptied");
    assert_eq!(bench.pbx.count("POST /auth/sign_out"), 1);
    timeout(PATIENCE, bench.pbx.until(|seen| seen.registrations.is_empty())).await.expect("un-registered");
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn comes_back_signed_in() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let mut first = bench.phone(Start::All);
    first.send(bench.find_server());
    first.wizard(|view| view.page == SignInPage::User).await;
    first.send(bench.sign_in());
    first.registered().await;
    first.phone.stop().await;
    timeout(PATIENCE, bench.pbx.until(|seen| seen.registrations.is_empty()))
        .await
        .expect("a stop un-registers");

    let mut second = bench.phone(Start::All);
    second.registered().await;
    let picture = second.phone.picture().await.unwrap();
    assert_eq!(picture.sign_in.page, SignInPage::Done);
    assert_eq!(picture.sign_in.earlier_servers, [format!("127.0.0.1:{}", bench.pbx.https_port())]);
    assert_eq!(bench.pbx.count("POST /auth/sign_in"), 1, "the session was taken up, not begun anew");
    second.phone.stop().await;
    no_secret_on_disk(&bench, bench.dir.path());
}

fn no_secret_on_disk(bench: &Bench, dir: &Path) {
    let alice = bench.pbx.user("alice").unwrap();
    for file in std::fs::read_dir(dir).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for secret in [&alice.password, &alice.extension_password] {
            assert!(!text.contains(secret.expose_secret()), "a secret is in the settings");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_sip_password_is_asked_for_again() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.phone(Start::None);
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(bench.sign_in());
    running.wizard(|view| view.page == SignInPage::SipPassword).await;
    running.send(Command::GiveSipPassword { password: "wrong".into() });
    let again = running.wizard(|view| view.page == SignInPage::SipPassword && view.problem.is_some()).await;
    assert_eq!(again.problem.unwrap().code, Code::SipPasswordWrong);
    running.send(bench.sip_password());
    running.registered().await;
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_certificate_is_shown_and_trusted_on_purpose() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let audio = AudioConfig { microphone: Source::Silence, speaker: Sink::Null };
    let config = Config { tones: false, audio, ..Config::new(bench.dir.path().into()) };
    let mut running = bench.phone_with(config);
    running.send(bench.find_server());
    let view = running.wizard(|view| view.problem.is_some()).await;
    assert_eq!(view.problem.unwrap().code, Code::CertificateUntrusted);
    let certificate = view.certificate.expect("there is a certificate to look at");
    assert!(certificate.self_signed);
    assert_eq!(certificate.fingerprint, bench.pbx.fingerprint().to_lowercase().replace(':', ""));
    running.send(Command::TrustCertificate { fingerprint: "00".repeat(32) });
    let refused = running.until("a refusal", |e| match e {
        Event::Notice { problem, .. } => Some(problem.code),
        _ => None,
    });
    assert_eq!(refused.await, Code::NotNow, "only the certificate shown can be trusted");
    running.send(Command::TrustCertificate { fingerprint: certificate.fingerprint });
    running.wizard(|view| view.page == SignInPage::User && view.problem.is_none()).await;
    running.send(bench.sign_in());
    running.registered().await;
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_code() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.phone(Start::None);
    running.send(Command::FindServer { domain: "nowhere.example".into(), server: bench.pbx.server() });
    assert_eq!(running.problem().await.code, Code::DomainUnknown);
    running.send(Command::FindServer { domain: "test.io".into(), server: "pbx.invalid".into() });
    assert_eq!(running.problem().await.code, Code::ServerNotFound);
    running.send(Command::FindServer { domain: "test.io".into(), server: "not a host".into() });
    assert_eq!(running.problem().await.code, Code::ServerInvalid);
    running.send(Command::FindServer { domain: String::new(), server: bench.pbx.server() });
    assert_eq!(running.problem().await.code, Code::DomainInvalid);
    for (fault, code) in [
        (RestFault::Garbage, Code::NotUnderstood),
        (RestFault::Huge, Code::AnswerTooLarge),
        (RestFault::Redirect { to: "https://elsewhere.example/".into() }, Code::RedirectRefused),
        (RestFault::Status { status: 503, retry_after_s: None }, Code::ServerFailed),
    ] {
        bench.pbx.faults().rest(fault);
        running.send(bench.find_server());
        assert_eq!(running.problem().await.code, code);
    }
    bench.pbx.faults().clear();
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(Command::SignIn { username: "alice".into(), password: "wrong".into() });
    assert_eq!(running.problem().await.code, Code::WrongCredentials);
    assert_eq!(bench.pbx.count("POST /auth/sign_in"), 1, "a refused password is never tried again by itself");
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pbx_that_restarts_is_found_again() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.signed_in().await;
    bench.pbx.go_down().await;
    running.send(Command::Reconnect { account: bench.alice() });
    running.account("reconnecting", |state| matches!(state, AccountState::Reconnecting { .. })).await;
    bench.pbx.come_up().await.unwrap();
    running.registered().await;
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_come_to_nothing_say_why() {
    let bench = Bench::new(Pbx { no_answer: Duration::from_secs(2), ..Pbx::default() }).await;
    let mut running = bench.signed_in().await;
    for (target, reason) in [
        (demo_pbx::BUSY, EndReason::Busy),
        (demo_pbx::DECLINE, EndReason::Declined),
        (demo_pbx::NO_ANSWER, EndReason::NoAnswer),
        ("4711", EndReason::NotFound),
    ] {
        running.dial(target);
        assert_eq!(running.ended().await, reason, "{target}");
    }
    running.dial("not @ number");
    let code = running.until("a notice", |e| match e {
        Event::Notice { problem, .. } => Some(problem.code),
        _ => None,
    });
    assert_eq!(code.await, Code::TargetInvalid);
    running.dial(demo_pbx::NO_ANSWER);
    let call = running.call("ringing", |state| *state == CallState::Ringing).await;
    running.send(Command::HangUp { call: call.id });
    assert_eq!(running.ended().await, EndReason::Cancelled);
    running.phone.stop().await;
}
