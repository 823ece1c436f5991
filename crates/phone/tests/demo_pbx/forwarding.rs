//! Where the PBX sends calls: rules read, written, refused, and obeyed.

use demo_pbx::{Config as Pbx, ECHO, RestFault, RestRule};
use phone::{
    CallState, Code, Command, Config, EndReason, Event, ForwardDoes, ForwardRuleView, ForwardWhen,
    ForwardingView, PresenceChoice, SignInPage, Start,
};

use crate::bench::{Bench, Running};

impl Running {
    async fn forwards(&mut self, wanted: impl Fn(&ForwardingView) -> bool) -> ForwardingView {
        if let [view] = self.phone.picture().await.unwrap().forwarding.as_slice()
            && wanted(view)
        {
            return view.clone();
        }
        self.until("the rules", |event| match event {
            Event::Forwarding { views } => views.first().filter(|view| wanted(view)).cloned(),
            _ => None,
        })
        .await
    }

    /// Sets a rule, and waits until the PBX has it.
    async fn forward(&mut self, bench: &Bench, when: ForwardWhen, does: ForwardDoes, number: &str) {
        let rule = rule(when, does, number);
        self.send(Command::SetForwarding { account: bench.alice(), rule: rule.clone() });
        self.forwards(|view| !view.saving && view.problem.is_none() && view.rules.contains(&rule)).await;
    }
}

fn rule(when: ForwardWhen, does: ForwardDoes, number: &str) -> ForwardRuleView {
    let after_s = (when == ForwardWhen::NoAnswer).then_some(5);
    ForwardRuleView { when, outside_office: false, does: Some(does), number: number.into(), after_s }
}

async fn alice(bench: &Bench) -> Running {
    let mut running = bench.phone_with(Config { contacts: true, start: Start::None, ..bench.config() });
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(bench.sign_in());
    running.registered().await;
    running.forwards(|view| view.rules.len() == 16).await;
    running
}

async fn bob(bench: &Bench, dir: &tempfile::TempDir) -> Running {
    let mut running =
        bench.phone_with(Config { start: Start::None, data_dir: dir.path().into(), ..bench.config() });
    running.send(bench.bob(phone::Transport::Udp));
    running.registered().await;
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_where_the_rules_send_them() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let mut alice = alice(&bench).await;
    let mut bob = bob(&bench, &elsewhere).await;
    // At once.
    alice.forward(&bench, ForwardWhen::Available, ForwardDoes::Number, ECHO).await;
    bob.dial("101");
    let call = bob.call("the echo line", |state| matches!(state, CallState::Active { .. })).await.id;
    bob.send(Command::HangUp { call });
    assert_eq!(bob.ended().await, EndReason::HungUpHere);
    assert!(alice.phone.picture().await.unwrap().history.calls.is_empty(), "it did not ring");
    // After a while.
    alice.forward(&bench, ForwardWhen::Available, ForwardDoes::Ring, "").await;
    alice.forward(&bench, ForwardWhen::NoAnswer, ForwardDoes::Number, ECHO).await;
    bob.dial("101");
    alice.call("a ring", |state| *state == CallState::Incoming).await;
    let call = bob.call("the echo line", |state| matches!(state, CallState::Active { .. })).await.id;
    assert_eq!(alice.ended().await, EndReason::Missed);
    bob.send(Command::HangUp { call });
    bob.ended().await;
    // While somebody else is talked to.
    alice.forward(&bench, ForwardWhen::Busy, ForwardDoes::HangUp, "").await;
    alice.dial(ECHO);
    let call = alice.call("an answer", |state| matches!(state, CallState::Active { .. })).await.id;
    bob.dial("101");
    assert_eq!(bob.ended().await, EndReason::Declined);
    alice.send(Command::HangUp { call });
    alice.ended().await;
    // Not to be disturbed: turned away, or sent to the voicemail.
    let quiet = PresenceChoice::DoNotDisturb;
    alice.send(Command::SetPresence { account: bench.alice(), presence: quiet, note: String::new() });
    alice
        .until("do not disturb", |event| match event {
            Event::OwnPresence { views } => (views.first()?.presence == Some(quiet)).then_some(()),
            _ => None,
        })
        .await;
    bob.dial("101");
    assert_eq!(bob.ended().await, EndReason::Busy);
    alice.forward(&bench, ForwardWhen::DoNotDisturb, ForwardDoes::Voicemail, "").await;
    bob.dial("101");
    let call = bob.call("the voicemail", |state| matches!(state, CallState::Active { .. })).await.id;
    bob.send(Command::HangUp { call });
    bob.ended().await;
    alice.phone.stop().await;
    bob.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pbx_refuses_is_taken_back_and_said() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let mut alice = alice(&bench).await;
    alice.forward(&bench, ForwardWhen::Busy, ForwardDoes::Voicemail, "").await;
    bench.pbx.faults().rest_rule(RestRule {
        fault: RestFault::Status { status: 400, retry_after_s: None },
        path: Some("/user".into()),
        times: None,
    });
    let hang_up = rule(ForwardWhen::Busy, ForwardDoes::HangUp, "");
    alice.send(Command::SetForwarding { account: bench.alice(), rule: hang_up.clone() });
    let shown = alice.forwards(|view| view.saving).await;
    assert!(shown.rules.contains(&hang_up), "it is shown at once");
    let back = alice.forwards(|view| !view.saving && view.problem.is_some()).await;
    assert!(back.rules.contains(&rule(ForwardWhen::Busy, ForwardDoes::Voicemail, "")), "{back:?}");
    bench.pbx.faults().clear();
    // What no phone could dial is not even asked for.
    let before = bench.pbx.count("POST /user");
    let bad = rule(ForwardWhen::Busy, ForwardDoes::Number, "bob@evil");
    alice.send(Command::SetForwarding { account: bench.alice(), rule: bad });
    let view =
        alice.forwards(|view| view.problem.as_ref().is_some_and(|p| p.code == Code::TargetInvalid)).await;
    assert_eq!((view.rules, bench.pbx.count("POST /user")), (back.rules, before));
    alice.phone.stop().await;
}
