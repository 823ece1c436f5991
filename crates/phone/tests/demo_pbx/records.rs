//! The calls of all of the user's phones, as the PBX remembers them.

use demo_pbx::{Config as Pbx, ECHO, RestFault, RestRule};
use phone::{
    CallState, Command, Config, Direction, EndReason, Event, HistoryView, PastCallView, SignInPage, Start,
};
use serde_json::json;

use crate::bench::{Bench, Running};

impl Running {
    /// The call list once it is so.
    async fn remembered(&mut self, wanted: impl Fn(&[PastCallView]) -> bool) -> HistoryView {
        let now = self.phone.picture().await.unwrap().history;
        if wanted(&now.calls) {
            return now;
        }
        self.until("the call list", |event| match event {
            Event::History { view } if wanted(&view.calls) => Some(view.clone()),
            _ => None,
        })
        .await
    }
}

/// A phone of alice's that asks the PBX, with a data directory of its own.
async fn alice(bench: &Bench, dir: &tempfile::TempDir) -> Running {
    let config = Config { data_dir: dir.path().into(), contacts: true, start: Start::None, ..bench.config() };
    let mut running = bench.phone_with(config);
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(bench.sign_in());
    running.registered().await;
    running
}

async fn bench() -> Bench {
    Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await
}

/// The PBX was asked for calls so often.
async fn asked(bench: &Bench, times: u64) {
    let looking = async {
        while bench.pbx.count("GET /user/cdrs") < times {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::bench::PATIENCE, looking).await.expect("the PBX is asked for calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_phone_took_or_made_stands_once_and_is_marked_so() {
    let bench = bench().await;
    // Its clock is two hours wrong, and what it says of calls with it.
    bench.pbx.faults().clock_ahead(7_200);
    let [here, there, elsewhere] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let mut alice_here = alice(&bench, &here).await;
    asked(&bench, 1).await;
    alice_here.send(Command::AskCallRecords);
    asked(&bench, 2).await;
    // It tells when in whole seconds: what begins in this one could be from before the first look.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let mut alice_there = alice(&bench, &there).await;
    let bobs = Config { start: Start::None, data_dir: elsewhere.path().into(), ..bench.config() };
    let mut bob = bench.phone_with(bobs);
    bob.send(bench.bob(phone::Transport::Udp));
    bob.registered().await;

    bob.dial("101");
    let theirs = bob.call("ringing there", |state| *state == CallState::Ringing).await.id;
    alice_here.call("a ring here", |state| *state == CallState::Incoming).await;
    let call = alice_there.call("a ring there", |state| *state == CallState::Incoming).await.id;
    alice_there.send(Command::Answer { call });
    bob.call("an answer", |state| matches!(state, CallState::Active { .. })).await;
    alice_here.call("the end here", |state| matches!(state, CallState::Ended { .. })).await;
    bob.send(Command::HangUp { call: theirs });
    alice_there.call("the end", |state| matches!(state, CallState::Ended { .. })).await;
    alice_there.dial(ECHO);
    let call = alice_there.call("the echo", |state| matches!(state, CallState::Active { .. })).await.id;
    alice_there.send(Command::HangUp { call });
    alice_there.call("its end", |state| matches!(state, CallState::Ended { .. })).await;
    bench.pbx.until(|now| now.calls == 0).await;
    assert_eq!(bench.pbx.call_records("101"), 2);

    alice_here.send(Command::AskCallRecords);
    let list = alice_here.remembered(|calls| calls.len() == 2).await;
    // For the same reason either may stand first.
    let with = |number| list.calls.iter().find(|call| call.peer.number == number).expect(number);
    let (taken, echo) = (with("102"), with(ECHO));
    assert_eq!(
        (taken.direction, taken.end.reason, taken.elsewhere),
        (Direction::Incoming, EndReason::AnsweredElsewhere, true)
    );
    assert!(taken.end.lasted_s.is_some() && taken.call.is_some(), "{taken:?}");
    assert_eq!((echo.direction, echo.elsewhere), (Direction::Outgoing, true));
    assert!(echo.began.0.abs_diff(taken.began.0) < 60_000, "by our clock: {echo:?}");

    // The phone that had both calls has each of them once, and took them itself.
    let before = bench.pbx.count("GET /user/cdrs");
    alice_there.send(Command::AskCallRecords);
    asked(&bench, before + 1).await;
    alice_there.send(Command::AskCallRecords);
    asked(&bench, before + 2).await;
    let list = alice_there.phone.picture().await.unwrap().history;
    assert_eq!(list.calls.iter().map(|call| call.elsewhere).collect::<Vec<_>>(), [false, false]);

    // What is taken off the list stays off it.
    alice_here.send(Command::ForgetCall { id: echo.id });
    let before = bench.pbx.count("GET /user/cdrs");
    alice_here.send(Command::AskCallRecords);
    asked(&bench, before + 1).await;
    alice_here.send(Command::AskCallRecords);
    asked(&bench, before + 2).await;
    alice_here.remembered(|calls| calls.len() == 1).await;
    alice_here.phone.stop().await;
    assert_eq!(phone::past_calls(here.path(), 10).unwrap().len(), 1);
    alice_there.phone.stop().await;
    bob.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_come_page_by_page_with_nonsense_among_them() {
    let bench = bench().await;
    let record = |n: u32| {
        json!({ "id": format!("r{n}"), "caller": format!("{}", 20_000_000 + n), "callee": "101",
            "started_at": format!("2026-01-{:02}T{:02}:{:02}:00+02:00", 1 + n / 1_440, n / 60 % 24, n % 60),
            "ended_at": "2026-02-01T00:00:00Z", "direction": "INBOUND_CALL", "status_code": 487 })
    };
    for n in 0..2_500 {
        bench.pbx.put_call_record("101", record(n));
        if n % 500 == 0 {
            bench.pbx.put_call_record("101", json!({ "id": 7, "started_at": "2026-01-01T00:00:00Z" }));
            bench.pbx.put_call_record(
                "101",
                json!({ "id": format!("x{n}"), "started_at": "9999-12-31T23:59:59Z",
                "ended_at": "9999-12-31T23:59:59Z", "caller": "\u{202e}1" }),
            );
            bench.pbx.put_call_record("101", json!({ "id": format!("y{n}") }));
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let mut alice = alice(&bench, &dir).await;
    let list = alice.remembered(|calls| !calls.is_empty()).await;
    assert_eq!((list.calls.len(), list.earlier, list.problem), (200, true, None));
    assert_eq!(list.calls[0].peer.number, "20002499");
    assert!(list.calls.iter().all(|call| call.seen), "of the time before nothing is new");
    alice.send(Command::EarlierCalls { before: list.calls[199].id });
    let earlier = alice.until("earlier calls", |event| match event {
        Event::EarlierCalls { calls, .. } => Some(calls.clone()),
        _ => None,
    });
    assert_eq!(earlier.await[0].peer.number, "20002299");
    alice.phone.stop().await;
    assert_eq!(phone::past_calls(dir.path(), 10_000).unwrap().len(), 2_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_pbx_tells_no_calls_the_list_is_this_phones_own() {
    let bench = bench().await;
    bench.pbx.faults().rest_rule(RestRule {
        fault: RestFault::Status { status: 404, retry_after_s: None },
        path: Some("/user/cdrs".into()),
        times: None,
    });
    let dir = tempfile::tempdir().unwrap();
    let mut alice = alice(&bench, &dir).await;
    asked(&bench, 1).await;
    alice.dial(ECHO);
    let call = alice.call("an answer", |state| matches!(state, CallState::Active { .. })).await.id;
    alice.send(Command::HangUp { call });
    alice.until("a call in the list", |event| matches!(event, Event::Past { .. }).then_some(())).await;
    let list = alice.phone.picture().await.unwrap().history;
    assert_eq!((list.calls.len(), list.problem), (1, None));
    alice.phone.stop().await;
}
