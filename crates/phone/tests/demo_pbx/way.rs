//! The way of a user: signing in, calling, going away, coming back.

use std::path::Path;
use std::time::Duration;

use crate::bench::{Bench, PATIENCE};
use demo_pbx::{Config as Pbx, RestFault};
use devices::{Sink, Source};
use phone::{
    AccountState, AudioConfig, CallState, Code, Command, Config, Connection, EndReason, Event, SessionState,
    SignInPage, Start, Transport,
};
use secrecy::ExposeSecret;
use sign_in::Vault;
use tokio::time::timeout;

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
    running.send(Command::SendDigits { call: call.id, digits: "5".into() });
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

#[tokio::test(flavor = "multi_thread")]
async fn a_session_taken_up_is_what_the_pbx_says_of_it() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let mut first = bench.phone(Start::None);
    first.send(bench.find_server());
    first.wizard(|view| view.page == SignInPage::User).await;
    first.send(bench.sign_in());
    first.session(|session| *session == SessionState::Open).await;
    first.phone.stop().await;

    let mut second = bench.phone(Start::All);
    second.session(|session| *session == SessionState::Open).await;
    second.phone.stop().await;

    bench.pbx.faults().rest(RestFault::Status { status: 503, retry_after_s: None });
    let mut without = bench.phone(Start::All);
    let unconfirmed = |session: &SessionState| match session {
        SessionState::Unconfirmed { problem } => problem.code == Code::ServerFailed,
        _ => false,
    };
    without.session(unconfirmed).await;
    let picture = without.phone.picture().await.unwrap();
    if !matches!(picture.accounts[0].state, AccountState::Registered { .. }) {
        without.registered().await;
    }
    without.phone.stop().await;
    bench.pbx.faults().clear();

    bench.pbx.faults().expire_access_tokens();
    bench.pbx.faults().revoke_refresh_tokens();
    let mut ended = bench.phone(Start::All);
    ended.session(|session| *session == SessionState::Expired).await;
    ended.phone.stop().await;
}

fn no_secret_on_disk(bench: &Bench, dir: &Path) {
    let alice = bench.pbx.user("alice").unwrap();
    for file in std::fs::read_dir(dir).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
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
    let audio = AudioConfig { microphone: Source::Silence, speaker: Sink::Null, ..AudioConfig::default() };
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

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_account_that_is_kept_is_there_at_the_next_start() {
    let bench = Bench::new(Pbx::default()).await;
    let mut first = bench.phone(Start::None);
    let Command::UseSipAccount { mut account } = bench.bob(Transport::Udp) else { unreachable!() };
    account.keep = true;
    first.send(Command::UseSipAccount { account });
    first.registered().await;
    first.phone.stop().await;
    let mut next = bench.phone(Start::All);
    next.registered().await;
    let picture = next.phone.picture().await.unwrap();
    assert_eq!(picture.sign_in.page, SignInPage::Done);
    assert!(!picture.accounts[0].secrets_in_memory);
    next.send(Command::SignOut { account: picture.accounts[0].id.clone() });
    next.wizard(|view| view.page == SignInPage::Server).await;
    next.phone.stop().await;
    assert!(bench.vault.get("102@test.io").unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_and_its_password_are_there_at_the_next_start() {
    let bench = Bench::new(Pbx::default()).await;
    let relay = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    relay.set_nonblocking(true).unwrap();
    let connection = Connection {
        turn: relay.local_addr().unwrap().to_string(),
        turn_user: "bob".into(),
        ..Connection::default()
    };
    let mut first = bench.phone(Start::None);
    let Command::UseSipAccount { mut account } = bench.bob(Transport::Udp) else { unreachable!() };
    account.keep = true;
    first.send(Command::UseSipAccount { account });
    first.registered().await;
    let account = first.phone.picture().await.unwrap().accounts[0].id.clone();
    let change = |connection: &Connection, password: Option<&str>| Command::SetConnection {
        account: account.clone(),
        connection: connection.clone(),
        turn_password: password.map(|password| password.to_owned().into()),
    };
    first.send(change(&connection, Some("between us")));
    first.phone.picture().await.unwrap();
    first.phone.stop().await;
    let entry = format!("{account} TURN");
    assert!(bench.vault.get(&entry).unwrap().is_some());
    let mut next = bench.phone(Start::All);
    next.registered().await;
    assert_eq!(next.phone.picture().await.unwrap().accounts[0].connection, connection);
    // Without its password the relay would not be asked; the keychain may still be thinking.
    let mut asked = [0; 2];
    for _ in 0..20 {
        next.dial(demo_pbx::BUSY);
        next.ended().await;
        if relay.recv(&mut asked).is_ok() {
            break;
        }
    }
    assert_eq!(asked, [0, 3], "a request for an allocation (RFC 8656, section 17)");
    next.send(change(&Connection::default(), None));
    next.phone.picture().await.unwrap();
    next.phone.stop().await;
    assert!(bench.vault.get(&entry).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_leaves_the_registration_alone() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.signed_in().await;
    let registers = bench.pbx.count("SIP REGISTER");
    bench.pbx.faults().revoke_refresh_tokens();
    bench.pbx.faults().expire_access_tokens();
    running.send(Command::SignInAgain { account: bench.alice() });
    let view = running.wizard(|view| view.page == SignInPage::User).await;
    assert_eq!(view.username, "alice");
    running.send(bench.sign_in());
    running.wizard(|view| view.page == SignInPage::Done).await;
    let picture = running.phone.picture().await.unwrap();
    assert!(matches!(picture.accounts[0].state, AccountState::Registered { .. }), "{:?}", picture.accounts);
    assert_eq!(bench.pbx.count("SIP REGISTER"), registers, "nothing is registered anew");
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_for_an_account_that_is_kept_holds() {
    let bench = Bench::new(Pbx::default()).await;
    let typed = |keep: bool, proxy: String| {
        let Command::UseSipAccount { mut account } = bench.bob(Transport::Udp) else { unreachable!() };
        (account.keep, account.proxy) = (keep, proxy);
        Command::UseSipAccount { account }
    };
    let mut running = bench.phone(Start::None);
    running.send(typed(true, "nowhere.invalid".into()));
    let lost = |state: &AccountState| matches!(state, AccountState::Reconnecting { .. });
    running.account("it cannot be reached", lost).await;
    running.send(typed(false, format!("127.0.0.1:{}", bench.pbx.sip_udp_port())));
    running.registered().await;
    running.phone.stop().await;
}
