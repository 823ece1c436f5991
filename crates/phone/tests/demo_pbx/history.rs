//! The call list: it outlives the phone.

use demo_pbx::{Config as Pbx, ECHO};
use phone::{
    CallState, Code, Command, Config, Direction, EndReason, Event, HistoryView, KeepCalls, PastCallView,
    Start, Transport,
};

use crate::bench::{Bench, Running};

impl Running {
    async fn past(&mut self) -> PastCallView {
        self.until("a call in the list", |event| match event {
            Event::Past { view } => Some(*view.clone()),
            _ => None,
        })
        .await
    }

    /// The call list once it is read.
    async fn list(&mut self, wanted: impl Fn(&HistoryView) -> bool) -> HistoryView {
        let now = self.phone.picture().await.unwrap().history;
        if wanted(&now) {
            return now;
        }
        self.until("the call list", |event| match event {
            Event::History { view } if wanted(view) => Some(view.clone()),
            _ => None,
        })
        .await
    }
}

/// Alice's phone, as it is started again and again.
async fn alice(bench: &Bench) -> Running {
    let mut running = bench.phone(Start::All);
    running.registered().await;
    running
}

/// Bob's, which has a place of its own.
async fn bob(bench: &Bench, dir: &tempfile::TempDir) -> Running {
    let mut running =
        bench.phone_with(Config { start: Start::None, data_dir: dir.path().into(), ..bench.config() });
    running.send(bench.bob(Transport::Udp));
    running.registered().await;
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn the_call_list_survives_a_restart_with_what_each_call_was_like() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let mut first = bench.phone(Start::All);
    first.send(bench.find_server());
    first.wizard(|view| view.page == phone::SignInPage::User).await;
    first.send(bench.sign_in());
    first.registered().await;
    // One that was answered, with its sound.
    first.dial(ECHO);
    let call = first.call("an answer", |state| matches!(state, CallState::Active { .. })).await.id;
    first
        .until("sound", |event| match event {
            Event::Media { report, .. } if report.rx_packets > 20 => Some(()),
            _ => None,
        })
        .await;
    first.send(Command::HangUp { call });
    let spoken = first.past().await;
    assert_eq!((spoken.call, spoken.end.reason), (Some(call), EndReason::HungUpHere));
    // One that nobody answered here.
    let mut bob = bob(&bench, &elsewhere).await;
    bob.dial("101");
    first.call("a ring", |state| *state == CallState::Incoming).await;
    let theirs = bob.call("ringing there", |state| *state == CallState::Ringing).await.id;
    bob.send(Command::HangUp { call: theirs });
    let missed = first.past().await;
    assert_eq!((missed.direction, missed.end.reason), (Direction::Incoming, EndReason::Missed));
    bob.phone.stop().await;
    first.phone.stop().await;

    let mut second = alice(&bench).await;
    let list = second.list(|view| !view.calls.is_empty()).await;
    let former = |call: &PastCallView| PastCallView { call: None, ..call.clone() };
    assert_eq!(list.calls, [former(&missed), former(&spoken)], "newest first, of a former run");
    assert_eq!((list.problem, list.earlier), (None, false));
    let summary = list.calls[1].summary.as_deref().unwrap();
    assert!(summary.rx_packets > 20 && summary.codec.is_some() && summary.mos.is_some(), "{summary:?}");
    assert!(!list.calls[0].seen && list.calls[0].summary.is_none());
    second.send(Command::SeeCalls { up_to: missed.id });
    assert!(second.past().await.seen);
    second.send(Command::ForgetCall { id: spoken.id });
    second
        .until("gone", |event| matches!(event, Event::PastGone { id } if *id == spoken.id).then_some(()))
        .await;
    second.phone.stop().await;
    let listed = phone::past_calls(bench.dir.path(), 10).unwrap();
    assert_eq!(listed, [PastCallView { seen: true, ..former(&missed) }]);

    let mut third = alice(&bench).await;
    third.list(|view| view.calls.len() == 1).await;
    third.send(Command::ForgetAllCalls);
    third.list(|view| view.calls.is_empty()).await;
    third.phone.stop().await;
    assert_eq!(phone::past_calls(bench.dir.path(), 10).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_broken_or_too_new_is_neither_lost_nor_in_the_way() {
    let bench = Bench::new(Pbx::default()).await;
    let file = bench.dir.path().join("history.db");
    std::fs::write(&file, b"torn").unwrap();
    let mut running = bench.phone(Start::None);
    let list = running.list(|view| view.problem.is_some()).await;
    let problem = list.problem.unwrap();
    assert_eq!(problem.code, Code::HistoryBroken);
    assert_eq!(std::fs::read(problem.detail.unwrap()).unwrap(), b"torn");
    running.phone.stop().await;

    // A directory in its place: nothing can be written, and calls go on all the same.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let mut running = bench.bobs_phone().await;
    let list = running.list(|view| view.problem.is_some()).await;
    assert_eq!(list.problem.unwrap().code, Code::HistoryFailed);
    running.dial(ECHO);
    let call = running.call("an answer", |state| matches!(state, CallState::Active { .. })).await.id;
    running.send(Command::HangUp { call });
    assert_eq!(running.past().await.call, Some(call));
    running.phone.stop().await;
}

/// Makes the first call of the list so many days older.
fn age_first(bench: &Bench, days: i64) {
    let file = bench.config().data_dir.join("history.db");
    let db = rusqlite::Connection::open(file).unwrap();
    let aged = "UPDATE calls SET began_ms = began_ms - ?1 WHERE id = (SELECT min(id) FROM calls)";
    assert_eq!(db.execute(aged, [days * 24 * 3_600_000]).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_forgotten_when_the_user_wants() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let mut phone = bench.phone(Start::All);
    phone.send(bench.find_server());
    phone.wizard(|view| view.page == phone::SignInPage::User).await;
    phone.send(bench.sign_in());
    phone.registered().await;
    for _ in 0..2 {
        phone.dial(demo_pbx::BUSY);
        phone.past().await;
    }
    phone.phone.stop().await;
    age_first(&bench, 31);

    let mut phone = alice(&bench).await;
    phone.list(|list| list.calls.len() == 2).await;
    let mut preferences = phone.phone.picture().await.unwrap().call_preferences;
    preferences.keep_calls = KeepCalls::Month;
    phone.send(Command::PreferInCalls { preferences });
    let left = phone.list(|list| list.calls.len() == 1).await;
    phone.dial(demo_pbx::BUSY);
    phone.past().await;
    phone.phone.stop().await;
    age_first(&bench, 29);

    // A day later it is none of those that are shown at the start, either.
    let mut phone = alice(&bench).await;
    phone.list(|list| list.calls.len() == 2).await;
    phone.phone.stop().await;
    age_first(&bench, 2);
    let mut phone = alice(&bench).await;
    let list = phone.list(|list| !list.calls.is_empty()).await;
    assert!(list.calls.iter().all(|call| call.id != left.calls[0].id) && list.calls.len() == 1);
    phone.phone.stop().await;
}
