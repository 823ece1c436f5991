use super::*;
use crate::Activity;

struct Bench {
    machine: Machine,
    now: Instant,
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn presence(activity: Activity) -> Presence {
    Presence { open: true, activity, note: None }
}

fn answered(status: u16, tag: Option<&str>) -> Input {
    let (tag, expires) = (tag.map(str::to_owned), Some(seconds(600)));
    Input::Answered { status, tag, expires, minimum: None, retry_after: None }
}

fn publish(activity: Option<Activity>, replaces: Option<&str>, expires: Duration) -> Action {
    Action::Publish { presence: activity.map(presence), replaces: replaces.map(str::to_owned), expires }
}

impl Bench {
    /// Something is published under the tag `a`.
    fn published() -> Self {
        let mut bench = Self { machine: Machine::new(7), now: Instant::now() };
        assert_eq!(bench.take(Input::Online(true)), []);
        let wish = Input::Wish(Some(presence(Activity::Busy)));
        assert_eq!(bench.take(wish), [publish(Some(Activity::Busy), None, EXPIRES)]);
        assert_eq!(bench.take(answered(200, Some("a"))), [Action::Report(Some(200))]);
        bench
    }

    fn take(&mut self, input: Input) -> Vec<Action> {
        self.machine.handle(input, self.now)
    }

    fn wait(&mut self) -> (Duration, Vec<Action>) {
        let due = self.machine.deadline().expect("a deadline");
        let waited = due.saturating_duration_since(self.now);
        self.now = self.now.max(due);
        (waited, self.take(Input::Due))
    }
}

#[test]
fn it_waits_for_the_registration() {
    let mut bench = Bench { machine: Machine::new(7), now: Instant::now() };
    assert_eq!(bench.take(Input::Wish(Some(presence(Activity::Away)))), []);
    assert_eq!(bench.take(Input::Online(true)), [publish(Some(Activity::Away), None, EXPIRES)]);
}

#[test]
fn it_is_refreshed_under_the_newest_tag() {
    let mut bench = Bench::published();
    for tags in ["a", "b", "c"].windows(2) {
        let (waited, actions) = bench.wait();
        assert!(waited >= seconds(450) && waited <= seconds(540), "{waited:?}");
        assert_eq!(actions, [publish(None, Some(tags[0]), EXPIRES)]);
        assert_eq!(bench.take(answered(200, Some(tags[1]))), []);
    }
}

#[test]
fn a_change_replaces_and_a_withdrawal_removes() {
    let mut bench = Bench::published();
    let wish = Input::Wish(Some(presence(Activity::Away)));
    assert_eq!(bench.take(wish), [publish(Some(Activity::Away), Some("a"), EXPIRES)]);
    // Another while it is on its way.
    assert_eq!(bench.take(Input::Wish(Some(presence(Activity::OnThePhone)))), []);
    let next = publish(Some(Activity::OnThePhone), Some("b"), EXPIRES);
    assert_eq!(bench.take(answered(200, Some("b"))), [next]);
    assert_eq!(bench.take(answered(200, Some("c"))), [Action::Report(Some(200))]);
    assert_eq!(bench.take(Input::Wish(None)), [publish(None, Some("c"), Duration::ZERO)]);
    assert!(!bench.machine.is_idle());
    assert_eq!(bench.take(answered(200, None)), [Action::Report(Some(200))]);
    assert!(bench.machine.is_idle());
    assert_eq!(bench.machine.deadline(), None);
    assert_eq!(bench.take(Input::Wish(None)), []);
}

#[test]
fn a_server_that_forgot_it_gets_it_whole() {
    let mut bench = Bench::published();
    bench.take(Input::Online(false));
    assert_eq!(bench.take(Input::Online(true)), [publish(None, Some("a"), EXPIRES)]);
    assert_eq!(bench.take(answered(412, None)), [publish(Some(Activity::Busy), None, EXPIRES)]);
    // One that never knows does not keep us busy.
    for _ in 1..ROUNDS {
        assert_eq!(bench.take(answered(412, None)).len(), 1);
    }
    assert_eq!(bench.take(answered(412, None)), [Action::Report(Some(412))]);
    assert_eq!(bench.machine.deadline(), None);
}

#[test]
fn a_longer_life_is_asked_for_where_ours_is_too_brief() {
    let mut bench = Bench { machine: Machine::new(7), now: Instant::now() };
    bench.take(Input::Online(true));
    bench.take(Input::Wish(Some(presence(Activity::Busy))));
    let brief = Input::Answered {
        status: 423,
        tag: None,
        expires: None,
        minimum: Some(seconds(7200)),
        retry_after: None,
    };
    assert_eq!(bench.take(brief), [publish(Some(Activity::Busy), None, seconds(7200))]);
}

#[test]
fn a_refusal_is_told_and_not_tried_again() {
    let mut bench = Bench { machine: Machine::new(7), now: Instant::now() };
    bench.take(Input::Online(true));
    bench.take(Input::Wish(Some(presence(Activity::Busy))));
    assert_eq!(bench.take(answered(489, None)), [Action::Report(Some(489))]);
    assert_eq!(bench.machine.deadline(), None);
    bench.take(Input::Online(false));
    assert_eq!(bench.take(Input::Online(true)), []);
    let wish = Input::Wish(Some(presence(Activity::Away)));
    assert_eq!(bench.take(wish), [publish(Some(Activity::Away), None, EXPIRES)]);
}

#[test]
fn a_failure_is_told_once_and_tried_again() {
    let mut bench = Bench { machine: Machine::new(7), now: Instant::now() };
    bench.take(Input::Online(true));
    bench.take(Input::Wish(Some(presence(Activity::Busy))));
    assert_eq!(bench.take(Input::Failed), [Action::Report(None)]);
    assert_eq!(bench.wait().1, [publish(Some(Activity::Busy), None, EXPIRES)]);
    assert_eq!(bench.take(answered(503, None)), []);
    assert_eq!(bench.wait().1, [publish(Some(Activity::Busy), None, EXPIRES)]);
    assert_eq!(bench.take(answered(200, Some("x"))), []);
}
