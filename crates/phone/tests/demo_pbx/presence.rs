//! What the user tells others of being there, at the PBX.

use demo_pbx::{Config as Pbx, RestFault, RestRule};
use phone::{Code, Command, Config, Event, OwnPresenceView, PresenceChoice, SignInPage, Start};

use crate::bench::{Bench, Running};

impl Running {
    async fn told(&mut self, wanted: impl Fn(&[OwnPresenceView]) -> bool) {
        if wanted(&self.phone.picture().await.unwrap().own_presence) {
            return;
        }
        self.until("the presence", |event| match event {
            Event::OwnPresence { views } => wanted(views).then_some(()),
            _ => None,
        })
        .await;
    }
}

async fn signed_in(bench: &Bench) -> Running {
    let mut running = bench.phone_with(Config { contacts: true, start: Start::None, ..bench.config() });
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(bench.sign_in());
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_is_told_to_the_pbx_and_seen_by_another_phone() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let mut alice = signed_in(&bench).await;
    let is = |presence: PresenceChoice, note: &'static str| move |views: &[OwnPresenceView]| matches!(views, [view] if view.presence == Some(presence) && view.note == note);
    alice.told(is(PresenceChoice::Available, "")).await;
    let set =
        |presence, note: &str| Command::SetPresence { account: bench.alice(), presence, note: note.into() };
    alice.send(set(PresenceChoice::DoNotDisturb, " Until four "));
    alice.told(is(PresenceChoice::DoNotDisturb, "Until four")).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let config = Config { data_dir: elsewhere.path().into(), ..bench.config() };
    let mut other = bench.phone_with(Config { contacts: true, start: Start::None, ..config });
    other.send(bench.find_server());
    other.wizard(|view| view.page == SignInPage::User).await;
    other.send(bench.sign_in());
    other.told(is(PresenceChoice::DoNotDisturb, "Until four")).await;
    other.send(set(PresenceChoice::Lunch, ""));
    other.told(is(PresenceChoice::Lunch, "")).await;
    alice.send(Command::AskPresence);
    alice.told(is(PresenceChoice::Lunch, "")).await;
    other.phone.stop().await;
    alice.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_pbx_keeps_no_presence_there_is_none_to_choose() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    bench.pbx.faults().rest_rule(RestRule {
        fault: RestFault::Status { status: 403, retry_after_s: None },
        path: Some("/user/status".into()),
        times: None,
    });
    let mut alice = signed_in(&bench).await;
    alice
        .until("the contacts", |event| match event {
            Event::Contacts { view } => (view.count == 13).then_some(()),
            _ => None,
        })
        .await;
    alice.told(<[OwnPresenceView]>::is_empty).await;
    alice.send(Command::SetPresence {
        account: bench.alice(),
        presence: PresenceChoice::Away,
        note: String::new(),
    });
    let notice = alice.until("a notice", |event| match event {
        Event::Notice { problem, .. } => Some(problem.code),
        _ => None,
    });
    assert_eq!(notice.await, Code::FeatureOff);
    alice.phone.stop().await;
}
