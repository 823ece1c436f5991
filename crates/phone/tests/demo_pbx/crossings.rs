//! What crosses on its way: hanging up, signing out and stopping in the middle of something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::bench::{Bench, Kept, PATIENCE, Running};
use demo_pbx::{Config as Pbx, ECHO};
use devices::{Sink, Source};
use phone::{
    AccountId, AccountState, AudioConfig, CallId, CallState, Code, Command, Config, EndReason, Event,
    SignInPage, Start, Transport,
};
use secrecy::zeroize::Zeroizing;
use sign_in::{Keeper, SignInError, Vault};
use tokio::time::timeout;

fn active(state: &CallState) -> bool {
    matches!(state, CallState::Active { .. })
}

async fn in_a_call(running: &mut Running) -> CallId {
    running.dial(ECHO);
    running.call("an answer", active).await.id
}

/// The next call comes about, so nothing of those before is left.
async fn can_call(running: &mut Running) {
    let call = in_a_call(running).await;
    running.send(Command::HangUp { call });
    assert_eq!(running.ended().await, EndReason::HungUpHere);
}

async fn notice(running: &mut Running) -> Code {
    running
        .until("a notice", |e| match e {
            Event::Notice { problem, .. } => Some(problem.code),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_call() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let mut running = bench.phone(Start::None);
    for _ in 0..2 {
        running.send(bench.find_server());
        running.wizard(|view| view.page == SignInPage::User).await;
        running.send(bench.sign_in());
        running.registered().await;
        in_a_call(&mut running).await;
        running.send(Command::SignOut { account: bench.alice() });
        // Either may come first.
        let (mut ended, mut gone) = (false, false);
        let both = running.until("the end of the call and of the account", |event| {
            match event {
                Event::Call { view } => ended |= matches!(view.state, CallState::Ended { .. }),
                Event::AccountGone { .. } => gone = true,
                _ => {}
            }
            (ended && gone).then_some(())
        });
        both.await;
    }
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_the_call_and_finishes_the_recording() {
    let bench = Bench::new(Pbx::default()).await;
    let recording = bench.dir.path().join("heard.wav");
    let audio = AudioConfig {
        microphone: Source::Silence,
        speaker: Sink::Wav(recording.clone()),
        ..AudioConfig::default()
    };
    let mut running = bench.phone_with(Config { start: Start::None, audio, ..bench.config() });
    running.send(bench.bob(Transport::Udp));
    running.registered().await;
    in_a_call(&mut running).await;
    running
        .until("sound", |e| matches!(e, Event::Media { report, .. } if report.rx_packets > 0).then_some(()))
        .await;
    let Running { phone, events } = running;
    phone.stop().await;
    let mut events = events;
    let mut ended = false;
    while let Ok(event) = events.try_recv() {
        ended |= matches!(event, Event::Call { view } if matches!(view.state, CallState::Ended { .. }));
    }
    assert!(ended, "the end of the call is told");
    assert!(hound::WavReader::open(recording).unwrap().duration() > 0);
    timeout(PATIENCE, bench.pbx.until(|seen| seen.registrations.is_empty())).await.expect("un-registered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_speaker_that_cannot_be_opened_ends_the_call() {
    let bench = Bench::new(Pbx::default()).await;
    let nowhere = bench.dir.path().join("missing").join("heard.wav");
    let audio =
        AudioConfig { microphone: Source::Silence, speaker: Sink::Wav(nowhere), ..AudioConfig::default() };
    let mut running = bench.phone_with(Config { start: Start::None, audio, ..bench.config() });
    running.send(bench.bob(Transport::Udp));
    running.registered().await;
    for _ in 0..2 {
        running.dial(ECHO);
        assert_eq!(running.ended().await, EndReason::AudioFailed);
    }
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_before_the_invite_is_sent() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.bobs_phone().await;
    running.dial(ECHO);
    running.send(Command::HangUp { call: CallId(1) });
    assert_eq!(running.ended().await, EndReason::Cancelled);
    can_call(&mut running).await;
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_are_kept_until_the_devices_are_open() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.bobs_phone().await;
    let call = in_a_call(&mut running).await;
    running.send(Command::SendDigits { call, digits: "12#".into() });
    let sent = running.until("three digits", |e| match e {
        Event::Call { view } if view.digits.len() == 3 => Some(view.digits.clone()),
        Event::Notice { problem, .. } => Some(format!("{problem:?}")),
        _ => None,
    });
    assert_eq!(sent.await, "12#");
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answering_twice_answers_once() {
    let bench = Bench::new(Pbx::default()).await;
    let mut alice = bench.signed_in().await;
    let mut bob = bench.bobs_phone().await;
    alice.dial("102");
    let call = bob.call("a call", |state| *state == CallState::Incoming).await.id;
    bob.send(Command::Answer { call });
    bob.send(Command::Answer { call });
    bob.call("talking", active).await;
    bob.send(Command::HangUp { call });
    assert_eq!(bob.ended().await, EndReason::HungUpHere);
    assert_eq!(alice.ended().await, EndReason::HungUpThere);
    // Nothing is told of a call after its end.
    bob.send(Command::Mute { call, muted: true });
    assert_eq!(notice(&mut bob).await, Code::NoSuchCall);
    can_call(&mut bob).await;
    alice.phone.stop().await;
    bob.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_crosses_the_answer() {
    let bench = Bench::new(Pbx::default()).await;
    let mut alice = bench.signed_in().await;
    let mut bob = bench.bobs_phone().await;
    for _ in 0..5 {
        alice.dial("102");
        let calling = alice.call("ringing", |state| *state == CallState::Ringing).await.id;
        let called = bob.call("a call", |state| *state == CallState::Incoming).await.id;
        bob.send(Command::Answer { call: called });
        alice.send(Command::HangUp { call: calling });
        let here = alice.ended().await;
        let there = bob.ended().await;
        assert!(matches!(here, EndReason::Cancelled | EndReason::HungUpHere), "{here:?}");
        assert!(matches!(there, EndReason::Missed | EndReason::HungUpThere), "{there:?}");
    }
    can_call(&mut alice).await;
    can_call(&mut bob).await;
    alice.phone.stop().await;
    bob.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_user_agent_ends_its_call() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.bobs_phone().await;
    in_a_call(&mut running).await;
    running.send(bench.bob_named(Transport::Udp, Some("Robert")));
    assert_eq!(running.ended().await, EndReason::HungUpHere);
    let picture = running.phone.picture().await.unwrap();
    if !matches!(picture.accounts.first().unwrap().state, AccountState::Registered { .. }) {
        running.registered().await;
    }
    can_call(&mut running).await;
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_account_once_more_leaves_its_call_alone() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.bobs_phone().await;
    in_a_call(&mut running).await;
    let registers = bench.pbx.count("SIP REGISTER");
    running.send(bench.bob(Transport::Udp));
    let picture = running.phone.picture().await.unwrap();
    assert!(matches!(picture.calls[0].state, CallState::Active { .. }), "{:?}", picture.calls);
    assert!(matches!(picture.accounts[0].state, AccountState::Registered { .. }), "{:?}", picture.accounts);
    assert_eq!(bench.pbx.count("SIP REGISTER"), registers);
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_is_finished_before_the_phone_stops() {
    let bench = Bench::new(Pbx::default()).await;
    let running = bench.signed_in().await;
    bench.pbx.faults().rest_delay(Duration::from_millis(300));
    running.send(Command::SignOut { account: bench.alice() });
    running.phone.stop().await;
    assert!(bench.vault.get("alice@test.io").unwrap().is_none(), "the vault is emptied");
    assert_eq!(bench.pbx.count("POST /auth/sign_out"), 1);
}

/// A keychain that can be locked.
struct Lockable(Kept, Arc<AtomicBool>);

impl Lockable {
    fn open(&self) -> Result<&Kept, SignInError> {
        match self.1.load(Ordering::SeqCst) {
            true => Err(SignInError::KeychainLocked { cause: pbx_api::Cause::new("locked") }),
            false => Ok(&self.0),
        }
    }
}

impl Vault for Lockable {
    fn get(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SignInError> {
        self.open()?.get(account)
    }

    fn set(&self, account: &str, entry: &[u8]) -> Result<(), SignInError> {
        self.open()?.set(account, entry)
    }

    fn delete(&self, account: &str) -> Result<(), SignInError> {
        self.open()?.delete(account)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keychain_that_is_unlocked_later() {
    let bench = Bench::new(Pbx::default()).await;
    bench.signed_in().await.phone.stop().await;
    let locked = Arc::new(AtomicBool::new(true));
    let keeper = Keeper::new(Lockable(bench.vault.clone(), Arc::clone(&locked)), Duration::from_secs(5));
    let mut running = bench.phone_of(bench.config(), keeper);
    let is_locked = |state: &AccountState| matches!(state, AccountState::Offline { problem, .. } if problem.code == Code::KeychainLocked);
    running.account("the keychain is locked", is_locked).await;
    running.send(Command::Reconnect { account: bench.alice() });
    running.account("trying", |state| *state == AccountState::Registering).await;
    running.account("the keychain is still locked", is_locked).await;
    locked.store(false, Ordering::SeqCst);
    running.send(Command::Reconnect { account: bench.alice() });
    running.registered().await;
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trying_now_asks_for_the_sip_password_that_is_missing() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.phone(Start::None);
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(bench.sign_in());
    running.wizard(|view| view.page == SignInPage::SipPassword).await;
    running.send(Command::Reconnect { account: bench.alice() });
    running.wizard(|view| view.page == SignInPage::SipPassword).await;
    running.send(bench.sip_password());
    running.registered().await;
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn back_from_the_sip_password_signs_out() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.phone(Start::None);
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(bench.sign_in());
    running.wizard(|view| view.page == SignInPage::SipPassword).await;
    running.send(Command::Back);
    running.wizard(|view| view.page == SignInPage::Server).await;
    assert!(running.phone.picture().await.unwrap().accounts.is_empty());
    assert!(bench.vault.get("alice@test.io").unwrap().is_none());
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wizard_can_be_left_while_there_is_an_account() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.bobs_phone().await;
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(Command::Back);
    running.wizard(|view| view.page == SignInPage::Server).await;
    running.send(Command::Back);
    running.wizard(|view| view.page == SignInPage::Done).await;
    // The answer to a question that was given up brings nobody back.
    bench.pbx.faults().rest_delay(Duration::from_millis(200));
    running.send(bench.find_server());
    running.send(Command::Back);
    running.wizard(|view| view.page == SignInPage::Done).await;
    assert_eq!(running.wizard(|_| true).await.page, SignInPage::Done);
    running.send(Command::SignOut { account: AccountId("102@test.io".into()) });
    running.wizard(|view| view.page == SignInPage::Server).await;
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_could_not_start_is_tried_again() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.phone(Start::One(AccountId("nobody@nowhere".into())));
    assert_eq!(running.phone.picture().await.unwrap().sign_in.page, SignInPage::Server);
    let mut nowhere = bench.bob(Transport::Tls);
    if let Command::UseSipAccount { account } = &mut nowhere {
        account.domain = "test io".into();
    }
    running.send(nowhere);
    let unusable = |state: &AccountState| matches!(state, AccountState::Offline { problem, .. } if problem.code == Code::DomainInvalid);
    running.account("refused", unusable).await;
    running.send(Command::Reconnect { account: AccountId("102@test io".into()) });
    running.account("trying", |state| *state == AccountState::Registering).await;
    running.account("refused again", unusable).await;
    running.phone.stop().await;
}

/// The server is the PBX's web side, which shows its own certificate and speaks no SIP.
#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_of_a_sip_server_is_shown_and_trusted_on_purpose() {
    let bench = Bench::new(Pbx::default()).await;
    let config = || Config {
        start: Start::All,
        tones: false,
        audio: AudioConfig { microphone: Source::Silence, speaker: Sink::Null, ..AudioConfig::default() },
        ..Config::new(bench.dir.path().into())
    };
    let mut running = bench.phone_with(config());
    let mut account = bench.bob(Transport::Tls);
    if let Command::UseSipAccount { account } = &mut account {
        account.proxy = bench.pbx.server();
        account.keep = true;
    }
    running.send(account);
    let code = |state: &AccountState| match state {
        AccountState::Reconnecting { problem, .. } | AccountState::Offline { problem, .. } => {
            Some(problem.code)
        }
        _ => None,
    };
    let shown = running
        .until("the certificate", |event| match event {
            Event::Account { view } if code(&view.state).is_some() => view.certificate.clone(),
            _ => None,
        })
        .await;
    assert_eq!(shown.fingerprint, bench.pbx.fingerprint());
    let account = running.phone.picture().await.unwrap().accounts.remove(0);
    assert_eq!(code(&account.state), Some(Code::CertificateUntrusted));

    let trust = |fingerprint: &str| Command::TrustSipServer {
        account: AccountId("102@test.io".into()),
        fingerprint: fingerprint.into(),
    };
    running.send(trust(&"0".repeat(64)));
    assert_eq!(notice(&mut running).await, Code::NotNow, "not another certificate than the one shown");
    running.send(trust(&shown.fingerprint));
    let trusted = running.until("the trust", |event| match event {
        Event::Trusted { trusted } => Some(trusted.clone()),
        _ => None,
    });
    assert_eq!(trusted.await[0].fingerprint, shown.fingerprint);
    let beyond = |state: &AccountState| code(state).is_some_and(|code| code != Code::CertificateUntrusted);
    running.account("past the certificate", beyond).await;
    running.phone.stop().await;

    let mut again = bench.phone_with(config());
    again.account("past the certificate, at the next start", beyond).await;
    assert!(again.phone.picture().await.unwrap().accounts[0].certificate.is_none());
    again.send(Command::WithdrawTrust { server: shown.server.clone() });
    again.send(Command::Reconnect { account: AccountId("102@test.io".into()) });
    again.account("trusted no longer", |state| code(state) == Some(Code::CertificateUntrusted)).await;
    again.phone.stop().await;
}
