use proptest::prelude::*;

use super::*;

/// A subscription with a clock by hand.
struct Bench {
    machine: Machine,
    now: Instant,
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn answered(status: u16, expires: Option<u64>) -> Input {
    Input::Answered { status, expires: expires.map(seconds), minimum: None, retry_after: None }
}

const ACTIVE: Input = Input::Notified(Standing::Active(None));
const AFRESH: Action = Action::Subscribe { expires: EXPIRES, afresh: true };
const AGAIN: Action = Action::Subscribe { expires: EXPIRES, afresh: false };

impl Bench {
    fn new() -> Self {
        Self { machine: Machine::new(7), now: Instant::now() }
    }

    /// A subscription of which news have come.
    fn active() -> Self {
        let mut bench = Self::new();
        assert_eq!(bench.take(Input::Online(true)), [Action::Report(SubscriptionState::Pending), AFRESH]);
        assert_eq!(bench.take(answered(200, Some(600))), []);
        assert_eq!(bench.take(ACTIVE), [Action::Report(SubscriptionState::Active)]);
        bench
    }

    fn take(&mut self, input: Input) -> Vec<Action> {
        self.machine.handle(input, self.now)
    }

    /// Goes on to the deadline; also how long that took.
    fn wait(&mut self) -> (Duration, Vec<Action>) {
        let due = self.machine.deadline().expect("a deadline");
        let waited = due.saturating_duration_since(self.now);
        self.now = self.now.max(due);
        (waited, self.take(Input::Due))
    }

    fn later(&mut self, time: Duration) {
        self.now += time;
    }
}

#[test]
fn nothing_is_asked_for_before_the_account_is_registered() {
    let mut bench = Bench::new();
    assert_eq!(bench.machine.deadline(), None);
    assert_eq!(bench.take(Input::Online(false)), []);
    assert_eq!(bench.take(Input::Unsubscribe), [Action::Over]);
}

#[test]
fn it_is_refreshed_in_time_for_days() {
    let mut bench = Bench::active();
    for _ in 0..1000 {
        let (waited, actions) = bench.wait();
        assert!(waited >= seconds(450) && waited <= seconds(540), "{waited:?}");
        assert_eq!(actions, [AGAIN]);
        assert_eq!(bench.take(answered(200, Some(600))), []);
        assert_eq!(bench.take(Input::Notified(Standing::Active(Some(seconds(600))))), []);
    }
}

#[test]
fn the_notification_may_come_before_the_answer() {
    let mut bench = Bench::new();
    bench.take(Input::Online(true));
    assert_eq!(bench.take(ACTIVE), [Action::Report(SubscriptionState::Active)]);
    assert_eq!(bench.take(answered(202, Some(100))), []);
    let (waited, actions) = bench.wait();
    assert!(waited >= seconds(75) && waited <= seconds(90), "{waited:?}");
    assert_eq!(actions, [AGAIN]);
}

#[test]
fn a_notifier_that_forgot_us_is_asked_afresh() {
    let mut bench = Bench::active();
    assert_eq!(bench.wait().1, [AGAIN]);
    assert_eq!(bench.take(answered(481, None)), [AFRESH]);
    // It knows no such thing at all.
    assert_eq!(bench.take(answered(481, None)), [Action::Report(SubscriptionState::Pending)]);
    let (waited, actions) = bench.wait();
    assert!(waited >= seconds(3) && waited <= PAUSE, "{waited:?}");
    assert_eq!(actions, [AFRESH]);
}

#[test]
fn back_online_everything_is_asked_for_again() {
    let mut bench = Bench::active();
    assert_eq!(bench.take(Input::Online(false)), []);
    bench.later(seconds(60));
    assert_eq!(bench.take(Input::Online(true)), [AGAIN]);
    assert_eq!(bench.take(answered(200, Some(600))), []);
    bench.take(Input::Online(false));
    // Hours asleep: the subscription is long gone.
    bench.later(seconds(8 * 3600));
    assert_eq!(bench.take(Input::Due), []);
    assert_eq!(bench.take(Input::Online(true)), [AFRESH]);
}

#[test]
fn what_was_active_outlives_a_restart_of_the_notifier() {
    for (status, least) in [(404, 30), (403, 30), (401, 120)] {
        let mut bench = Bench::active();
        assert_eq!(bench.wait().1, [AGAIN]);
        assert_eq!(bench.take(answered(481, None)), [AFRESH]);
        assert_eq!(bench.take(answered(status, None)), [Action::Report(SubscriptionState::Pending)]);
        let (waited, actions) = bench.wait();
        assert!(waited >= seconds(least), "{waited:?} after {status}");
        assert_eq!(actions, [AFRESH]);
        assert_eq!(bench.take(answered(200, Some(600))), []);
        assert_eq!(bench.take(ACTIVE), [Action::Report(SubscriptionState::Active)]);
    }
    // That it knows no such event does not change.
    let mut bench = Bench::active();
    bench.wait();
    let ended = Action::Report(SubscriptionState::Ended(Some(489)));
    assert_eq!(bench.take(answered(489, None)), [ended, Action::Over]);
}

#[test]
fn failures_are_tried_again_ever_more_slowly() {
    let mut bench = Bench::new();
    bench.take(Input::Online(true));
    let mut before = Duration::ZERO;
    for round in 0..20 {
        bench.take(if round % 2 == 0 { Input::Failed } else { answered(503, None) });
        let (waited, actions) = bench.wait();
        assert_eq!(actions, [AFRESH]);
        assert!(waited >= before.mul_f64(0.75) && waited <= LONGEST, "{waited:?} after {before:?}");
        before = waited;
    }
    assert!(before >= LONGEST.mul_f64(0.75));
    let slow = Input::Answered { status: 503, expires: None, minimum: None, retry_after: Some(seconds(880)) };
    bench.take(slow);
    assert!(bench.wait().0 >= seconds(880));
}

#[test]
fn a_failed_refresh_leaves_what_was_granted() {
    let mut bench = Bench::active();
    assert_eq!(bench.wait().1, [AGAIN]);
    assert_eq!(bench.take(answered(500, None)), []);
    assert_eq!(bench.wait().1, [AGAIN]);
    assert_eq!(bench.take(Input::Failed), []);
    bench.later(seconds(600));
    assert_eq!(bench.take(Input::Due), [AFRESH]);
}

#[test]
fn refusals_end_it() {
    for status in [401, 403, 404, 405, 489, 501, 603] {
        let mut bench = Bench::new();
        bench.take(Input::Online(true));
        let ended = Action::Report(SubscriptionState::Ended(Some(status)));
        assert_eq!(bench.take(answered(status, None)), [ended, Action::Over]);
        assert_eq!((bench.take(Input::Online(true)), bench.machine.deadline()), (vec![], None));
    }
}

#[test]
fn a_longer_life_is_asked_for_where_ours_is_too_brief() {
    let mut bench = Bench::new();
    bench.take(Input::Online(true));
    let brief =
        |n| Input::Answered { status: 423, expires: None, minimum: Some(seconds(n)), retry_after: None };
    for n in [7200, 7201, 7202] {
        let again = Action::Subscribe { expires: seconds(n), afresh: true };
        assert_eq!(bench.take(brief(n)), [again]);
    }
    let given_up = bench.take(brief(7203));
    assert_eq!(given_up, [Action::Report(SubscriptionState::Ended(Some(423))), Action::Over]);
}

#[test]
fn the_notifier_ends_it() {
    let end = |ending, retry_after| {
        let mut bench = Bench::active();
        bench.later(seconds(60));
        let actions = bench.take(Input::Notified(Standing::Terminated(ending, retry_after)));
        (bench, actions)
    };
    assert_eq!(end(Ending::Afresh, None).1, [AFRESH]);
    assert_eq!(end(Ending::Never, None).1, [Action::Report(SubscriptionState::Ended(None)), Action::Over]);
    let (mut bench, actions) = end(Ending::Later, Some(seconds(100)));
    assert_eq!(actions, [Action::Report(SubscriptionState::Pending)]);
    assert_eq!(bench.wait(), (seconds(100), vec![AFRESH]));
}

#[test]
fn a_notifier_that_ends_it_at_once_does_not_make_us_spin() {
    let mut bench = Bench::active();
    let mut asked = 0;
    let begin = bench.now;
    while bench.now < begin + seconds(600) {
        let actions = bench.take(Input::Notified(Standing::Terminated(Ending::Afresh, None)));
        let actions = if actions.contains(&AFRESH) { actions } else { bench.wait().1 };
        assert_eq!(actions, [AFRESH]);
        asked += 1;
        bench.take(answered(200, Some(600)));
        bench.take(ACTIVE);
    }
    assert!(asked <= 300, "{asked}");
}

#[test]
fn an_answer_without_news_is_not_believed_for_ever() {
    let mut bench = Bench::new();
    bench.take(Input::Online(true));
    bench.take(answered(200, Some(600)));
    assert_eq!(bench.wait(), (SILENCE, vec![]));
    assert_eq!(bench.wait().1, [AFRESH]);
}

#[test]
fn gaps_are_filled_but_not_at_any_rate() {
    let mut bench = Bench::active();
    assert_eq!(bench.take(Input::Gap), []);
    assert_eq!(bench.wait(), (BRIEFEST, vec![AGAIN]));
    assert_eq!(bench.take(Input::Gap), []);
    bench.take(answered(200, Some(600)));
    bench.later(seconds(60));
    assert_eq!(bench.take(Input::Gap), [AGAIN]);
}

#[test]
fn it_is_taken_back() {
    let mut bench = Bench::active();
    let leave = Action::Subscribe { expires: Duration::ZERO, afresh: false };
    assert_eq!(bench.take(Input::Unsubscribe), [leave]);
    assert_eq!(bench.take(answered(200, Some(0))), []);
    assert_eq!(bench.take(Input::Notified(Standing::Terminated(Ending::Later, None))), [Action::Over]);

    // The last notification never comes.
    let mut bench = Bench::active();
    bench.take(Input::Unsubscribe);
    bench.take(answered(200, None));
    assert_eq!(bench.wait(), (PARTING, vec![Action::Over]));

    // Taken back while it is still asked for.
    let mut bench = Bench::new();
    bench.take(Input::Online(true));
    assert_eq!(bench.take(Input::Unsubscribe), []);
    assert_eq!(bench.take(answered(200, Some(600))), [leave]);
    assert_eq!(bench.take(Input::Failed), [Action::Over]);
}

fn any_input() -> impl Strategy<Value = Input> {
    let time = || proptest::option::of((0..100_000_u64).prop_map(seconds));
    let ending = prop::sample::select(vec![Ending::Afresh, Ending::Later, Ending::Never]);
    prop_oneof![
        any::<bool>().prop_map(Input::Online),
        (prop::sample::select(vec![200, 202, 401, 404, 423, 481, 489, 500, 503]), time(), time(), time())
            .prop_map(|(status, expires, minimum, retry_after)| Input::Answered {
                status,
                expires,
                minimum,
                retry_after
            }),
        Just(Input::Failed),
        time().prop_map(|expires| Input::Notified(Standing::Active(expires))),
        time().prop_map(|expires| Input::Notified(Standing::Pending(expires))),
        (ending, time()).prop_map(|(ending, after)| Input::Notified(Standing::Terminated(ending, after))),
        Just(Input::Gap),
        Just(Input::Due),
    ]
}

proptest! {
    /// Whatever the world does: one question at a time, and never lost for good while online.
    #[test]
    fn it_always_goes_on(inputs in proptest::collection::vec((any_input(), 0..5000_u64), 0..60)) {
        let mut bench = Bench::new();
        let (mut asking, mut over) = (false, false);
        bench.take(Input::Online(true)).iter().for_each(|action| asking |= matches!(action, Action::Subscribe { .. }));
        let mut online = true;
        for (input, later) in inputs {
            bench.later(seconds(later));
            match input {
                Input::Answered { .. } | Input::Failed if !asking => continue,
                Input::Answered { .. } | Input::Failed => asking = false,
                Input::Online(now) => online = now,
                _ => {}
            }
            for action in bench.take(input) {
                match action {
                    Action::Subscribe { .. } => {
                        prop_assert!(!asking && !over);
                        asking = true;
                    }
                    Action::Over => over = true,
                    Action::Report(_) => prop_assert!(!over),
                }
            }
            prop_assert!(over || !online || asking || bench.machine.deadline().is_some());
        }
    }
}
