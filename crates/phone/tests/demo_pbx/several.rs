//! Several calls at once: hold, call waiting, conference, transfer, digits, preferences.

use demo_pbx::{Config as Pbx, ECHO};
use phone::{
    CallId, CallPreferences, CallState, CallView, Code, CodecPreference, Command, DtmfMode, EndReason, Event,
};

use crate::bench::{Bench, Running};
use crate::sound::Talker;

const TONES: [f32; 3] = [500.0, 900.0, 1300.0];
const NOTHING: [bool; 3] = [false; 3];

fn active(state: &CallState) -> bool {
    matches!(state, CallState::Active { .. })
}

fn held(state: &CallState) -> bool {
    matches!(state, CallState::Held { .. })
}

impl Running {
    /// Waits for a call to be as wanted.
    async fn view(&mut self, what: &str, wanted: impl Fn(&CallView) -> bool) -> CallView {
        self.until(what, |event| match event {
            Event::Call { view } if wanted(view) => Some(view.clone()),
            _ => None,
        })
        .await
    }

    pub async fn notice(&mut self) -> Code {
        self.until("a notice", |event| match event {
            Event::Notice { problem, .. } => Some(problem.code),
            _ => None,
        })
        .await
    }

    async fn digits(&mut self, wanted: &str) {
        for digit in wanted.chars() {
            let heard = self.until("a digit", |event| match event {
                Event::DigitHeard { digit, .. } => Some(*digit),
                _ => None,
            });
            assert_eq!(heard.await, digit);
        }
    }
}

/// Three phones; the second and third answer whoever calls them.
async fn three(bench: &Bench) -> [Talker; 3] {
    [
        Talker::start(bench, "101", TONES[0]).await,
        Talker::start(bench, "102", TONES[1]).await,
        Talker::start(bench, "103", TONES[2]).await,
    ]
}

/// `from` calls `to`, who answers; the call at both.
async fn connect(from: &mut Running, to: &mut Running, number: &str) -> (CallId, CallId) {
    from.dial(number);
    let there = to.call("an incoming call", |state| *state == CallState::Incoming).await.id;
    to.send(Command::Answer { call: there });
    to.view("talking", |view| view.id == there && active(&view.state)).await;
    let ours = |view: &CallView| active(&view.state) && number.starts_with(&view.peer.number);
    (from.view("an answer", ours).await.id, there)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_held_hears_nothing_until_he_is_resumed() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, _carol] = three(&bench).await;
    let (at_alice, at_bob) = connect(&mut alice.running, &mut bob.running, "102").await;
    alice.until_hears("talking", &TONES, &[false, true, false]).await;
    bob.until_hears("talking", &TONES, &[true, false, false]).await;

    alice.running.send(Command::Hold { call: at_alice });
    alice.running.call("held", held).await;
    bob.running.view("told of the hold", |view| view.remote_held && active(&view.state)).await;
    alice.until_hears("held", &TONES, &NOTHING).await;
    bob.until_hears("held", &TONES, &NOTHING).await;

    bob.running.send(Command::Hold { call: at_bob });
    alice.running.view("held by both", |view| view.remote_held && held(&view.state)).await;
    alice.running.send(Command::Resume { call: at_alice });
    let view = alice.running.view("resumed here", |view| active(&view.state)).await;
    assert!(view.remote_held, "but not there");
    bob.until_hears("still held there", &TONES, &NOTHING).await;
    bob.running.send(Command::Resume { call: at_bob });
    alice.running.view("resumed there", |view| !view.remote_held).await;
    alice.until_hears("resumed", &TONES, &[false, true, false]).await;
    bob.until_hears("resumed", &TONES, &[true, false, false]).await;
    alice.running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_call_takes_the_voice_and_a_conference_joins_all() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, carol] = three(&bench).await;
    let (with_bob, _) = connect(&mut alice.running, &mut bob.running, "102").await;
    // Carol's call waits, and takes the voice when it is answered.
    carol.running.dial("101");
    let with_carol = alice.running.call("a call that waits", |state| *state == CallState::Incoming).await.id;
    bob.until_hears("a call that waits changes nothing", &TONES, &[true, false, false]).await;
    alice.running.send(Command::Answer { call: with_carol });
    alice.running.view("the first is held", |view| view.id == with_bob && held(&view.state)).await;
    bob.running.view("and told so", |view| view.remote_held).await;
    carol.until_hears("the second talks", &TONES, &[true, false, false]).await;
    alice.until_hears("the second talks", &TONES, &[false, false, true]).await;
    bob.until_hears("the first is held", &TONES, &NOTHING).await;

    alice.running.send(Command::Merge { calls: vec![with_bob, with_carol] });
    alice.running.view("together", |view| view.id == with_bob && view.merged).await;
    bob.running.view("resumed", |view| !view.remote_held).await;
    alice.until_hears("in conference", &TONES, &[false, true, true]).await;
    bob.until_hears("in conference", &TONES, &[true, false, true]).await;
    carol.until_hears("in conference", &TONES, &[true, true, false]).await;

    alice.running.send(Command::Mute { call: with_bob, muted: true });
    bob.until_hears("alice is muted", &TONES, &[false, false, true]).await;
    carol.until_hears("alice is muted", &TONES, &[false, true, false]).await;
    alice.running.send(Command::Mute { call: with_carol, muted: false });

    alice.running.send(Command::Split { call: with_carol });
    alice.running.view("apart", |view| view.id == with_bob && held(&view.state) && !view.merged).await;
    bob.until_hears("apart", &TONES, &NOTHING).await;
    carol.until_hears("apart", &TONES, &[true, false, false]).await;

    // One that is muted brings it along.
    alice.running.send(Command::Mute { call: with_bob, muted: true });
    alice.running.send(Command::Merge { calls: vec![with_bob, with_carol] });
    alice.running.view("muted as one", |view| view.id == with_carol && view.muted).await;
    alice.running.view("together again", |view| view.id == with_bob && view.merged).await;
    carol.until_hears("muted as one", &TONES, &[false, true, false]).await;
    alice.running.send(Command::Mute { call: with_carol, muted: false });
    carol.until_hears("together again", &TONES, &[true, true, false]).await;
    carol.running.phone.stop().await;
    let last = alice.running.view("the last is an ordinary call", |view| view.id == with_bob && !view.merged);
    assert!(active(&last.await.state));
    bob.until_hears("two are left", &TONES, &[true, false, false]).await;
    alice.running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_call_that_does_not_talk_can_be_held_or_merged() {
    let bench = Bench::new(Pbx::default()).await;
    let mut alice = bench.signed_in().await;
    let mut bob = bench.bobs_phone().await;
    alice.dial("102");
    let call = bob.call("a call", |state| *state == CallState::Incoming).await.id;
    for command in [
        Command::Hold { call },
        Command::Resume { call },
        Command::Merge { calls: vec![call] },
        Command::Split { call },
        Command::Transfer { call, target: "103".into() },
        Command::TransferTo { call, to: call },
    ] {
        bob.send(command);
        assert_eq!(bob.notice().await, Code::NotNow);
    }
    bob.send(Command::Decline { call, reason: phone::DeclineReason::Decline });
    assert_eq!(bob.ended().await, EndReason::DeclinedHere);
    assert_eq!(alice.ended().await, EndReason::Declined);
    alice.phone.stop().await;
    bob.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_with_pauses_follow_the_number_that_was_dialled() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, _] = three(&bench).await;
    let (_, at_bob) = connect(&mut alice.running, &mut bob.running, "102,12;*#").await;
    bob.running.digits("12").await;
    let waits = alice.running.view("the rest waits", |view| view.digits_waiting.is_some()).await;
    assert_eq!((waits.digits.as_str(), waits.digits_waiting.as_deref()), ("12", Some("*#")));
    alice.running.send(Command::SendWaiting { call: waits.id });
    bob.running.digits("*#").await;

    let prefer =
        |dtmf| Command::PreferInCalls { preferences: CallPreferences { dtmf, ..CallPreferences::default() } };
    alice.running.send(prefer(DtmfMode::Info));
    alice.running.send(Command::SendDigits { call: waits.id, digits: "9D".into() });
    bob.running.digits("9D").await;
    alice.running.send(prefer(DtmfMode::InBand));
    alice.running.send(Command::SendDigits { call: waits.id, digits: "1111111111".into() });
    bob.until_hears("the key 1 as tones", &[697.0, 1209.0], &[true, true]).await;
    alice.running.send(Command::SendDigits { call: waits.id, digits: "x".into() });
    assert_eq!(alice.running.notice().await, Code::TargetInvalid);

    // Who holds us would not hear them.
    alice.running.send(prefer(DtmfMode::Automatic));
    bob.running.send(Command::Hold { call: at_bob });
    alice.running.view("held there", |view| view.remote_held).await;
    alice.running.send(Command::SendDigits { call: waits.id, digits: "7".into() });
    assert_eq!(alice.running.notice().await, Code::NotNow);
    bob.running.send(Command::Resume { call: at_bob });
    let told = alice.running.view("resumed there", |view| !view.remote_held).await;
    assert!(!told.digits.contains('7'), "{told:?}");
    alice.running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_call_uses_the_codecs_chosen() {
    let bench = Bench::new(Pbx::default()).await;
    let mut alice = bench.signed_in().await;
    let order = [("PCMA", true), ("opus", false), ("G722", true)];
    let codecs = order.map(|(name, used)| CodecPreference { name: name.into(), used }).to_vec();
    let preferences = CallPreferences { codecs, ..CallPreferences::default() };
    alice.send(Command::PreferInCalls { preferences });
    let told = |event: &Event| match event {
        Event::CallPreferences { preferences } => Some(preferences.codecs.clone()),
        _ => None,
    };
    let codecs = alice.until("the preference", told).await;
    let names: Vec<&str> = codecs.iter().map(|codec| codec.name.as_str()).collect();
    assert_eq!(names, ["PCMA", "opus", "G722", "PCMU"]);
    // The echo line takes the first that it knows of what is offered.
    alice.dial("9196");
    let call = alice.call("an answer", |state| matches!(state, CallState::Active { .. })).await;
    assert_eq!(call.codec.as_deref(), Some("PCMA"));
    alice.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_to_be_disturbed_is_not() {
    let bench = Bench::new(Pbx::default()).await;
    let mut alice = bench.signed_in().await;
    let mut bob = bench.bobs_phone().await;
    let preferences = CallPreferences { do_not_disturb: true, ..CallPreferences::default() };
    bob.send(Command::PreferInCalls { preferences });
    bob.until("the preference", |e| matches!(e, Event::CallPreferences { .. }).then_some(())).await;
    alice.dial("102");
    assert_eq!(alice.ended().await, EndReason::Busy);
    let missed = bob.call("a missed call", |_| true).await;
    assert!(
        matches!(&missed.state, CallState::Ended { end } if end.reason == EndReason::Missed),
        "{missed:?}"
    );
    assert_eq!(missed.peer.number, "101");
    let picture = bob.phone.picture().await.unwrap();
    assert!(picture.call_preferences.do_not_disturb && picture.calls.is_empty());
    alice.phone.stop().await;
    bob.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_come_and_go_beside_a_held_one() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, _] = three(&bench).await;
    let (with_bob, _) = connect(&mut alice.running, &mut bob.running, "102").await;
    for _ in 0..5 {
        alice.running.dial(ECHO);
        let echo =
            alice.running.view("the echo line", |view| view.id != with_bob && active(&view.state)).await;
        alice.until_hears("oneself", &TONES, &[true, false, false]).await;
        alice.running.send(Command::HangUp { call: echo.id });
        assert_eq!(alice.running.ended().await, EndReason::HungUpHere);
    }
    let picture = alice.running.phone.picture().await.unwrap();
    assert!(picture.calls.len() == 1 && held(&picture.calls[0].state), "{:?}", picture.calls);
    alice.running.send(Command::Resume { call: with_bob });
    bob.until_hears("resumed", &TONES, &[true, false, false]).await;
    alice.running.phone.stop().await;
}

/// Waits until both calls of a transfer have ended, whoever ended them.
async fn handed_on(running: &mut Running, calls: usize) {
    for _ in 0..calls {
        assert_eq!(running.ended().await, EndReason::Transferred);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_handed_on_blind() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, mut carol] = three(&bench).await;
    let (at_alice, at_bob) = connect(&mut alice.running, &mut bob.running, "102").await;
    bob.running.send(Command::Transfer { call: at_bob, target: "103".into() });
    let there = carol.running.call("an incoming call", |state| *state == CallState::Incoming).await;
    assert_eq!(there.peer.number, "101", "from the one who is handed on");
    carol.running.send(Command::Answer { call: there.id });
    let goes_on = alice.running.view("the new call", |view| active(&view.state) && view.id != at_alice).await;
    assert_eq!((goes_on.follows, goes_on.peer.number.as_str()), (Some(at_alice), "103"));
    handed_on(&mut bob.running, 1).await;
    alice.until_hears("the other", &TONES, &[false, false, true]).await;
    carol.until_hears("the one handed on", &TONES, &[true, false, false]).await;
    alice.running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_calls_are_joined() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, mut carol] = three(&bench).await;
    let (_, with_alice) = connect(&mut alice.running, &mut bob.running, "102").await;
    let (with_carol, _) = connect(&mut bob.running, &mut carol.running, "103").await;
    bob.running.send(Command::TransferTo { call: with_alice, to: with_carol });
    handed_on(&mut bob.running, 2).await;
    alice.until_hears("joined", &TONES, &[false, false, true]).await;
    carol.until_hears("joined", &TONES, &[true, false, false]).await;
    for other in [&alice, &carol] {
        let picture = other.running.phone.picture().await.unwrap();
        assert_eq!(picture.calls.iter().filter(|call| active(&call.state)).count(), 1);
    }
    alice.running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_fails_leaves_the_call() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, _] = three(&bench).await;
    let (_, at_bob) = connect(&mut alice.running, &mut bob.running, "102").await;
    bob.running.send(Command::Transfer { call: at_bob, target: demo_pbx::BUSY.into() });
    assert_eq!(bob.running.notice().await, Code::TransferFailed);
    let view = bob.running.view("as it was", |view| view.transfer.is_none()).await;
    assert!(active(&view.state));
    bob.until_hears("still there", &TONES, &[true, false, false]).await;
    alice.until_hears("still there", &TONES, &[false, true, false]).await;
    bob.running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_parked_and_taken_elsewhere() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, mut carol] = three(&bench).await;
    let (_, at_bob) = connect(&mut alice.running, &mut bob.running, "102").await;
    bob.running.send(Command::Park { call: at_bob, slot: Some("7".into()) });
    handed_on(&mut bob.running, 1).await;
    carol.running.send(Command::Retrieve { account: None, slot: Some("7".into()) });
    carol.running.call("the parked call", active).await;
    alice.until_hears("taken", &TONES, &[false, false, true]).await;
    carol.until_hears("taken", &TONES, &[true, false, false]).await;
    carol.running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lamps_voicemail_and_messages_are_told() {
    let bench = Bench::new(Pbx::default()).await;
    let mut alice = bench.signed_in().await;
    let mut bob = bench.bobs_phone().await;
    let mailbox = alice
        .until("the mailbox", |event| match event {
            Event::Account { view } => view.mailbox.clone(),
            _ => None,
        })
        .await;
    assert_eq!((mailbox.waiting, mailbox.new), (true, Some(1)));
    alice.send(Command::Watch { account: bench.alice(), number: "102".into() });
    let lamp = |lit: phone::Lamp| {
        move |event: &Event| match event {
            Event::Watched { view } if view.lamp.as_ref() == Some(&lit) => Some(()),
            _ => None,
        }
    };
    alice.until("nothing goes on", lamp(phone::Lamp::Idle)).await;
    bob.dial(ECHO);
    alice.until("bob talks", lamp(phone::Lamp::Talking)).await;
    alice
        .send(Command::SendMessage { account: None, target: "102".into(), text: "Grüße\nvon hier".into() });
    let text = bob.until("a message", |event| match event {
        Event::Message { view } => Some((view.peer.number.clone(), view.text.clone())),
        _ => None,
    });
    assert_eq!(text.await, ("101".into(), "Grüße\nvon hier".into()));
    let sent = alice.until("what became of it", |event| match event {
        Event::Message { view } if view.state != phone::MessageState::Sending => Some(view.state),
        _ => None,
    });
    assert_eq!(sent.await, phone::MessageState::Sent);
    let picture = alice.phone.picture().await.unwrap();
    let codes = match picture.accounts[0].codes.clone() {
        Some(codes) => codes,
        None => {
            let told = |event: &Event| match event {
                Event::Account { view } => view.codes.clone(),
                _ => None,
            };
            alice.until("star codes", told).await
        }
    };
    assert_eq!((codes.park.as_deref(), codes.flip), (Some("*68"), None), "as the PBX says");
    alice.send(Command::Flip { account: None });
    assert_eq!(alice.notice().await, Code::FeatureOff);
    bob.phone.stop().await;

    let gone = |event: &Event| match event {
        Event::WatchedGone { number, .. } => Some(number.clone()),
        _ => None,
    };
    alice.send(Command::Unwatch { account: bench.alice(), number: "103".into() });
    assert_eq!(alice.notice().await, Code::NotNow, "it is not watched");
    alice.send(Command::Unwatch { account: bench.alice(), number: " 1-02 ".into() });
    assert_eq!(alice.until("watched no longer", gone).await, "102", "however it is typed");
    alice.send(Command::Watch { account: bench.alice(), number: "103".into() });
    alice.send(Command::SignOut { account: bench.alice() });
    assert_eq!(alice.until("watched no longer", gone).await, "103", "it went with its account");
    alice.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_the_intercom_is_answered_by_itself_where_the_user_allows_it() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, mut carol] = three(&bench).await;
    let intercom = format!("{}102", demo_pbx::INTERCOM);
    alice.running.dial(&intercom);
    let rings = bob.running.call("it rings", |state| *state == CallState::Incoming).await;
    alice.running.call("it rings there", |state| *state == CallState::Ringing).await;
    bob.running.send(Command::Decline { call: rings.id, reason: phone::DeclineReason::NotHere });
    assert_eq!(alice.running.ended().await, EndReason::NoAnswer);

    let preferences = CallPreferences { auto_answer: true, ..CallPreferences::default() };
    bob.running.send(Command::PreferInCalls { preferences });
    alice.running.dial(&intercom);
    bob.running.call("it is answered", active).await;
    bob.until_hears("who calls", &TONES, &[true, false, false]).await;
    // Not while somebody else is talked to.
    carol.running.dial(&intercom);
    carol.running.call("it rings there", |state| *state == CallState::Ringing).await;
    bob.running.call("it waits", |state| *state == CallState::Incoming).await;
    bob.until_hears("who called first", &TONES, &[true, false, false]).await;
    bob.running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_sent_elsewhere() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, mut carol] = three(&bench).await;
    alice.running.dial("102");
    let call = bob.running.call("a call", |state| *state == CallState::Incoming).await.id;
    bob.running.send(Command::Redirect { call, target: "103".into() });
    let there = carol.running.call("the call, there", |state| *state == CallState::Incoming).await.id;
    carol.running.send(Command::Answer { call: there });
    alice.running.call("an answer", active).await;
    alice.until_hears("the other", &TONES, &[false, false, true]).await;
    assert_eq!(bob.running.ended().await, EndReason::DeclinedHere);
    alice.running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_muted_stays_so_when_handed_on() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, mut carol] = three(&bench).await;
    let (at_alice, at_bob) = connect(&mut alice.running, &mut bob.running, "102").await;
    bob.until_hears("talking", &TONES, &[true, false, false]).await;
    alice.running.send(Command::Mute { call: at_alice, muted: true });
    bob.until_hears("alice is muted", &TONES, &NOTHING).await;
    bob.running.send(Command::Transfer { call: at_bob, target: "103".into() });
    let there = carol.running.call("an incoming call", |state| *state == CallState::Incoming).await.id;
    carol.running.send(Command::Answer { call: there });
    let goes_on = alice.running.view("the new call", |view| active(&view.state) && view.id != at_alice).await;
    assert!(goes_on.muted, "{goes_on:?}");
    alice.until_hears("the other", &TONES, &[false, false, true]).await;
    carol.until_hears("alice is still muted", &TONES, &NOTHING).await;
    alice.running.send(Command::Mute { call: goes_on.id, muted: false });
    carol.until_hears("muted no longer", &TONES, &[true, false, false]).await;
    alice.running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hands_a_call_on_need_not_wait_for_the_answer() {
    let bench = Bench::new(Pbx::default()).await;
    let [mut alice, mut bob, mut carol] = three(&bench).await;
    let (at_alice, at_bob) = connect(&mut alice.running, &mut bob.running, "102").await;
    bob.running.send(Command::Transfer { call: at_bob, target: "103".into() });
    let there = carol.running.call("an incoming call", |state| *state == CallState::Incoming).await.id;
    bob.running.send(Command::HangUp { call: at_bob });
    assert_eq!(alice.running.ended().await, EndReason::Transferred, "it goes on");
    carol.running.send(Command::Answer { call: there });
    let goes_on = alice.running.view("the new call", |view| active(&view.state)).await;
    assert_eq!(goes_on.follows, Some(at_alice));
    alice.until_hears("the other", &TONES, &[false, false, true]).await;
    carol.until_hears("the one handed on", &TONES, &[true, false, false]).await;
    let picture = alice.running.phone.picture().await.unwrap();
    assert!(active(&picture.calls[0].state), "{:?}", picture.calls);
    alice.running.phone.stop().await;
}
