//! The queues that the user serves: seen, and stood in otherwise.

use demo_pbx::{Config as Pbx, RestFault, RestRule};
use phone::{
    CallState, Code, Command, Config, EndReason, Event, QueueChoice, QueueStanding, QueueView, SignInPage,
    Start,
};

use crate::bench::{Bench, Running};

impl Running {
    async fn serves(&mut self, wanted: impl Fn(&[QueueView]) -> bool) -> Vec<QueueView> {
        let now = self.phone.picture().await.unwrap().queues;
        if wanted(&now) {
            return now;
        }
        self.until("the queues", |event| match event {
            Event::Queues { views } if wanted(views) => Some(views.clone()),
            _ => None,
        })
        .await
    }
}

async fn alice(bench: &Bench) -> Running {
    let mut running = bench.phone_with(Config { contacts: true, start: Start::None, ..bench.config() });
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(bench.sign_in());
    running.registered().await;
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_ready_gets_the_calls_of_a_queue() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let mut alice = alice(&bench).await;
    let queues = alice.serves(|queues| queues.len() == 2).await;
    let names: Vec<_> = queues.iter().map(|q| (q.name.as_str(), q.number.as_str(), q.standing)).collect();
    assert_eq!(
        names,
        [("Sales", "8001", QueueStanding::LoggedOut), ("Support", "8002", QueueStanding::LoggedOut)]
    );
    let sales = queues[0].id.clone();
    let bobs = Config { start: Start::None, data_dir: elsewhere.path().into(), ..bench.config() };
    let mut bob = bench.phone_with(bobs);
    bob.send(bench.bob(phone::Transport::Udp));
    bob.registered().await;
    bob.dial("8001");
    assert_eq!(bob.ended().await, EndReason::NoAnswer, "nobody serves it");
    let set = |queue: &str, choice| Command::SetQueue { account: bench.alice(), queue: queue.into(), choice };
    let stands = |standing| {
        move |queues: &[QueueView]| queues.first().is_some_and(|q| q.standing == standing && !q.saving)
    };
    alice.send(set(&sales, QueueChoice::Ready));
    let queues = alice.serves(stands(QueueStanding::Ready)).await;
    assert_eq!(queues[1].standing, QueueStanding::LoggedOut, "in the other one nothing has changed");
    assert_eq!(bench.pbx.agent_state("Sales", "101").as_deref(), Some("READY"));
    bob.dial("8001");
    let call = alice.call("a call of the queue", |state| *state == CallState::Incoming).await.id;
    alice.send(Command::Decline { call, reason: phone::DeclineReason::Busy });
    bob.ended().await;
    alice.send(set(&sales, QueueChoice::Paused));
    alice.serves(stands(QueueStanding::Paused)).await;
    bob.dial("8001");
    assert_eq!(bob.ended().await, EndReason::NoAnswer);
    alice.send(set(&sales, QueueChoice::LoggedOut));
    alice.serves(stands(QueueStanding::LoggedOut)).await;
    alice.send(set("none", QueueChoice::Ready));
    let notice = alice.until("a notice", |event| match event {
        Event::Notice { problem, .. } => Some(problem.code),
        _ => None,
    });
    assert_eq!(notice.await, Code::FeatureOff);
    alice.phone.stop().await;
    bob.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_are_no_queues_none_is_shown() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    bench.pbx.faults().rest_rule(RestRule {
        fault: RestFault::Status { status: 404, retry_after_s: None },
        path: Some("/user/call_queues".into()),
        times: None,
    });
    let mut alice = alice(&bench).await;
    let looking = async {
        while bench.pbx.count("GET /user/call_queues") == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::bench::PATIENCE, looking).await.unwrap();
    alice.serves(<[QueueView]>::is_empty).await;
    alice.phone.stop().await;
}
