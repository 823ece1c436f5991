//! The number that is shown to whom the user calls.

use demo_pbx::{Config as Pbx, ECHO};
use phone::{
    CallState, CallerIdsView, Code, Command, Config, DeclineReason, Event, PeerView, SignInPage, Start,
};

use crate::bench::{Bench, Running};

const DIRECT: &str = "+442079460114";

impl Running {
    async fn shows(&mut self, wanted: impl Fn(&CallerIdsView) -> bool) -> CallerIdsView {
        if let [view] = self.phone.picture().await.unwrap().caller_ids.as_slice()
            && wanted(view)
        {
            return view.clone();
        }
        self.until("the numbers", |event| match event {
            Event::CallerIds { views } => views.first().filter(|view| wanted(view)).cloned(),
            _ => None,
        })
        .await
    }

    async fn echo(&mut self) {
        self.dial(ECHO);
        let call = self.call("an answer", |state| matches!(state, CallState::Active { .. })).await.id;
        self.send(Command::HangUp { call });
        self.ended().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_show_the_number_that_was_chosen_also_after_a_restart() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let asked = format!("SIP INVITE with rewrite-from={DIRECT}; rewrite-pai={DIRECT}");
    let config = || Config { contacts: true, start: Start::None, ..bench.config() };
    let mut alice = bench.phone_with(config());
    alice.send(bench.find_server());
    alice.wizard(|view| view.page == SignInPage::User).await;
    alice.send(bench.sign_in());
    alice.registered().await;
    let view = alice.shows(|view| view.numbers.len() == 2).await;
    assert_eq!((view.chosen, view.numbers[1].label.as_str()), (None, "Direct line"));
    alice.echo().await;
    assert_eq!(bench.pbx.count(&asked), 0);
    let show = |number: &str| Command::ShowAs { account: bench.alice(), number: Some(number.into()) };
    alice.send(show(DIRECT));
    alice.shows(|view| view.chosen.as_deref() == Some(DIRECT)).await;
    alice.echo().await;
    let once = bench.pbx.count(&asked);
    assert!(once > 0);
    // What the PBX does not offer is not shown.
    alice.send(show("+441"));
    let notice = alice.until("a notice", |event| match event {
        Event::Notice { problem, .. } => Some(problem.code),
        _ => None,
    });
    assert_eq!(notice.await, Code::FeatureOff);
    alice.phone.stop().await;

    let mut again = bench.phone_with(Config { start: Start::All, ..config() });
    again.registered().await;
    again.shows(|view| view.chosen.as_deref() == Some(DIRECT)).await;
    again.echo().await;
    assert!(bench.pbx.count(&asked) > once);
    again.send(Command::ShowAs { account: bench.alice(), number: None });
    again.shows(|view| view.chosen.is_none()).await;
    let before = bench.pbx.count(&asked);
    again.echo().await;
    assert_eq!(bench.pbx.count(&asked), before);
    again.phone.stop().await;
}

/// Bob's phone rings: who calls, as it shows him. The caller gives up.
async fn caller_at(bob: &mut Running, alice: &mut Running) -> PeerView {
    let rings = bob.call("a ring", |state| *state == CallState::Incoming).await;
    let calls = alice.call("ringing", |state| *state == CallState::Ringing).await;
    assert_eq!(calls.peer.number, "102", "whom alice called, and no star code");
    alice.send(Command::HangUp { call: calls.id });
    alice.ended().await;
    bob.ended().await;
    rings.peer
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_called_does_not_learn_who_hides() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let mut bob = bench.bobs_phone().await;
    let mut carol = bench.phone(Start::None);
    carol.send(bench.extension("103"));
    carol.registered().await;
    let mut alice = bench.phone(Start::None);
    alice.send(bench.find_server());
    alice.wizard(|view| view.page == SignInPage::User).await;
    alice.send(bench.sign_in());
    alice.registered().await;
    let hidden = || Command::DialHidden { account: None, target: "102".into() };
    // For one call, by the star code of the PBX.
    alice.send(hidden());
    assert_eq!(caller_at(&mut bob, &mut alice).await.number, "anonymous");
    alice.dial("102");
    assert_eq!(caller_at(&mut bob, &mut alice).await.number, "101");
    // For all calls, also after a restart.
    alice.send(Command::HideNumber { account: bench.alice(), hidden: true });
    let hides = |hidden: bool| {
        move |event: &Event| match event {
            Event::Account { view } if view.hidden == hidden => Some(()),
            _ => None,
        }
    };
    alice.until("what was chosen", hides(true)).await;
    alice.phone.stop().await;
    let mut again = bench.phone(Start::All);
    again.registered().await;
    again.dial("102");
    assert_eq!(caller_at(&mut bob, &mut again).await.number, "anonymous");
    // Also where somebody hands her on.
    bob.dial("101");
    let rings = again.call("a ring", |state| *state == CallState::Incoming).await;
    again.send(Command::Answer { call: rings.id });
    let talks = bob.call("an answer", |state| matches!(state, CallState::Active { .. })).await;
    bob.send(Command::Transfer { call: talks.id, target: "103".into() });
    let rings = carol.call("a ring", |state| *state == CallState::Incoming).await;
    assert_eq!((rings.peer.number.as_str(), rings.peer.name), ("anonymous", None));
    carol.send(Command::Decline { call: rings.id, reason: DeclineReason::Busy });
    carol.ended().await;
    again.send(Command::HangUp { call: rings.id });
    again.ended().await;
    // What the PBX answers itself is reached as well.
    again.echo().await;
    again.send(Command::HideNumber { account: bench.alice(), hidden: false });
    again.until("what was chosen", hides(false)).await;
    again.dial("102");
    assert_eq!(caller_at(&mut bob, &mut again).await.number, "101");
    // A plain account asks by header.
    bob.send(Command::DialHidden { account: None, target: "101".into() });
    let rings = again.call("a ring", |state| *state == CallState::Incoming).await;
    assert_eq!((rings.peer.number.as_str(), rings.peer.name), ("anonymous", None));
    again.phone.stop().await;
    bob.phone.stop().await;
    carol.phone.stop().await;
}
