//! The machine's policy, the check of the phone and the diagnostic bundle, in a phone that runs.

use std::time::Duration;

use demo_pbx::{Config as Pbx, ECHO};
use devices::{Sink, Source};
use phone::doctor::{Check, Diagnosis, Outcome};
use phone::{
    AudioConfig, CallState, Code, Command, Config, Event, FieldIs, ProtectionView, SignInPage, SrtpPolicy,
    Start, Transport,
};
use secrecy::ExposeSecret;

use crate::bench::{Bench, Running};

impl Running {
    async fn bundle(&mut self) -> String {
        self.until("the bundle", |event| match event {
            Event::Bundle { view } => Some(view.text.clone()),
            _ => None,
        })
        .await
    }
}

fn under(bench: &Bench, policy: &str) -> Running {
    let mut config = Config { start: Start::None, ..bench.config() };
    config.obey(policy::parse(policy).unwrap());
    bench.phone_with(config)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_locked_is_shown_and_holds() {
    let bench = Bench::new(Pbx::default()).await;
    let server = bench.pbx.server();
    let mut running = under(
        &bench,
        &format!(
            "[locked]\nserver = {server:?}\ndomain = \"test.io\"\nways = [\"password\"]\nsrtp = \"require\"\n\
             codecs = [\"pcma\"]\nrecording = \"forbidden\"\ntransport = \"tcp\"\nproxy = \"127.0.0.1:{}\"\n\
             pins = []\norganisation = \"Example Ltd\"\n",
            bench.pbx.sip_tcp_port()
        ),
    );
    let picture = running.phone.picture().await.unwrap();
    assert_eq!((picture.sign_in.server.as_str(), picture.sign_in.ways.server), (&*server, FieldIs::Fixed));
    assert!(picture.sign_in.ways.password && !picture.sign_in.ways.sip && !picture.sign_in.ways.qr);
    assert!(picture.policy.no_recording && picture.policy.locked.contains(&"srtp".to_owned()));
    assert_eq!(picture.policy.organisation.as_deref(), Some("Example Ltd"));

    // The account says UDP and another port: the policy's proxy is reached over TCP all the same.
    running.send(bench.bob(Transport::Udp));
    running.registered().await;
    assert_eq!(bench.pbx.registrations().len(), 1);
    running.dial(ECHO);
    // The demo PBX cannot encrypt, and nothing less is allowed.
    let call = running.call("the end", |state| matches!(state, CallState::Ended { .. })).await;
    assert_eq!(call.protection, ProtectionView::None);
    assert_eq!(call.codec, None);
    running.send(Command::SetSrtp { account: call.account.clone(), srtp: SrtpPolicy::Off });
    running.send(Command::TrustCertificate { fingerprint: bench.pbx.fingerprint().to_owned() });
    let refused = running
        .until("the refusal", |event| match event {
            Event::Notice { problem, .. } => Some(problem.code),
            Event::SignIn { view } => view.problem.as_ref().map(|problem| problem.code),
            _ => None,
        })
        .await;
    assert_eq!(refused, Code::NotAllowed);
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_recorded_where_that_is_forbidden() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = under(&bench, "[locked]\nrecording = \"forbidden\"\n");
    running.send(bench.bob(Transport::Udp));
    running.registered().await;
    running.dial(ECHO);
    let call = running.call("an answer", |state| matches!(state, CallState::Active { .. })).await;
    running.send(Command::Record { call: call.id, on: true });
    assert_eq!(running.notice().await, Code::NotAllowed);
    running.send(Command::HangUp { call: call.id });
    running.ended().await;
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_checks_itself_and_goes_on() {
    let bench = Bench::new(Pbx::default()).await;
    let audio = AudioConfig { microphone: Source::Silence, speaker: Sink::Null, ..AudioConfig::default() };
    let mut running = bench.phone_with(Config { start: Start::None, audio, ..bench.config() });
    running.send(bench.bob(Transport::Udp));
    running.registered().await;
    running.send(Command::CheckPhone { account: None });
    let mut seen = 0;
    let view = loop {
        let view = running
            .until("news of the check", |event| match event {
                Event::Check { view } => Some(*view.clone()),
                _ => None,
            })
            .await;
        assert!(view.findings.len() >= seen || view.running, "findings do not go away");
        seen = view.findings.len();
        if view.done {
            break view;
        }
    };
    let outcome =
        |check| view.findings.iter().find(|finding| finding.check == check).map(|finding| finding.outcome);
    assert_eq!(outcome(Check::Echo), Some(Outcome::Good), "{:?}", view.findings);
    assert_eq!(outcome(Check::Sound), Some(Outcome::Good), "{:?}", view.findings);
    assert_eq!(view.cause, Some(Diagnosis::MicrophoneSilent));
    let picture = running.phone.picture().await.unwrap();
    assert_eq!(picture.check, view);
    assert!(picture.history.calls.is_empty(), "the check's own call is in no list");
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_stopped_says_no_more() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.bobs_phone().await;
    running.send(Command::CheckPhone { account: None });
    running.send(Command::StopChecking);
    let idle = |event: &Event| matches!(event, Event::Check { view } if !view.running).then_some(());
    running.until("the check to be over", idle).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(running.phone.picture().await.unwrap().check.findings.is_empty());
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_says_everything_but_secrets() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.signed_in().await;
    assert_eq!(running.phone.picture().await.unwrap().sign_in.page, SignInPage::Done);
    running.dial(ECHO);
    let call = running.call("an answer", |state| matches!(state, CallState::Active { .. })).await;
    running.send(Command::HangUp { call: call.id });
    running.ended().await;
    running.send(Command::MakeBundle { shorten_numbers: false });
    let text = running.bundle().await;
    for part in [
        "== SIP ==",
        "REGISTER sip:test.io",
        "INVITE sip:9196@test.io",
        "authorization: ***",
        "alice@test.io",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let alice = bench.pbx.user("alice").unwrap();
    for secret in [&alice.password, &alice.extension_password] {
        assert!(!text.contains(secret.expose_secret()), "a secret is in the bundle");
    }
    let kept = bench.vault.0.as_ref();
    let entry = sign_in::Vault::get(kept, "alice@test.io").unwrap().unwrap();
    let entry: serde_json::Value = serde_json::from_slice(&entry).unwrap();
    for key in ["access", "refresh", "sip_password"] {
        let secret = entry[key].as_str().unwrap();
        assert!(!text.contains(secret), "{key} is in the bundle");
    }
    running.send(Command::MakeBundle { shorten_numbers: true });
    assert_eq!(running.bundle().await, "", "one that is being made stands beside the one before");
    let shortened = running.bundle().await;
    assert!(shortened.contains("sip:…96@test.io") && !shortened.contains("sip:9196@"), "{shortened}");
    running.send(Command::SignOut { account: bench.alice() });
    assert_eq!(running.bundle().await, "", "the bundle outlives its account");
    running.phone.stop().await;
}
