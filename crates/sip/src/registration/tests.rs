mod crowd;

use proptest::prelude::*;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);
const RTT: Duration = Duration::from_millis(12);

/// A machine and its hand clock.
struct Bench {
    machine: Machine,
    now: Instant,
}

impl Bench {
    fn new(seed: u64) -> Self {
        Self { machine: Machine::new(HOUR, seed), now: Instant::now() }
    }

    fn give(&mut self, input: Input) -> Vec<Action> {
        self.machine.handle(input, self.now)
    }

    fn fail(&mut self, cause: Cause, status: Option<u16>) -> Vec<Action> {
        self.give(Input::Failed { cause, status, retry_after: None })
    }

    fn grant(&mut self, expires: Duration) -> Vec<Action> {
        self.give(Input::Granted { expires, rtt: RTT, look: Duration::MAX })
    }

    /// Moves the clock to the deadline; how far that was.
    fn wait(&mut self) -> Duration {
        let pause = self.machine.deadline().expect("a deadline") - self.now;
        self.now += pause;
        pause
    }
}

fn registers(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Register { .. }))
}

#[test]
fn a_week_of_refreshes_comes_in_time_and_not_in_step() {
    let mut bench = Bench::new(1);
    assert!(registers(&bench.give(Input::Begin)));
    let mut pauses = Vec::new();
    for _ in 0..200 {
        assert_eq!(bench.grant(HOUR), [Action::Report(Registration::Registered { expires: HOUR, rtt: RTT })]);
        let pause = bench.wait();
        assert!(pause >= HOUR.mul_f64(0.75) && pause < HOUR.mul_f64(0.9), "{pause:?}");
        pauses.push(pause);
        assert_eq!(bench.give(Input::Due), [Action::Register { expires: HOUR }]);
        bench.now += RTT;
    }
    pauses.sort();
    pauses.dedup();
    assert!(pauses.len() > 190, "refreshes are jittered");
}

#[test]
fn where_nothing_else_tells_the_registrar_is_asked_more_often_than_it_must_be() {
    let mut bench = Bench::new(20);
    bench.give(Input::Begin);
    let look = Duration::from_secs(90);
    let told = bench.give(Input::Granted { expires: HOUR, rtt: RTT, look });
    assert_eq!(told, [Action::Report(Registration::Registered { expires: HOUR, rtt: RTT })]);
    assert!(bench.wait() < look);
    assert!(registers(&bench.give(Input::Due)));
    // A lifetime that is shorter still is the one that counts.
    bench.give(Input::Granted { expires: look / 3, rtt: RTT, look });
    assert!(bench.wait() < look / 3);
}

#[test]
fn a_registrars_minimum_is_obeyed_and_remembered() {
    let mut bench = Bench::new(2);
    bench.give(Input::Begin);
    let minimum = Duration::from_secs(7200);
    assert_eq!(bench.give(Input::TooBrief { minimum }), [Action::Register { expires: minimum }]);
    bench.grant(minimum);
    bench.wait();
    assert_eq!(bench.give(Input::Due), [Action::Register { expires: minimum }]);
}

#[test]
fn a_registrar_that_keeps_raising_is_refused() {
    let mut bench = Bench::new(3);
    bench.give(Input::Begin);
    let mut actions = Vec::new();
    for hours in 2..6 {
        actions = bench.give(Input::TooBrief { minimum: HOUR * hours });
    }
    assert_eq!(actions, [Action::Report(Registration::Refused { cause: Cause::Refused, status: Some(423) })]);
    assert!(bench.wait() >= REFUSAL / 2);
}

#[test]
fn refused_credentials_are_never_sent_again_by_themselves() {
    let mut bench = Bench::new(4);
    bench.give(Input::Begin);
    bench.fail(Cause::WrongPassword, Some(403));
    assert_eq!(bench.machine.deadline(), None);
    bench.now += HOUR * 24 * 7;
    for input in [
        Input::Due,
        Input::FlowLost(Cause::ConnectionLost),
        Input::Granted { expires: HOUR, rtt: RTT, look: HOUR },
        Input::Failed { cause: Cause::Silence, status: None, retry_after: None },
    ] {
        assert_eq!(bench.give(input), []);
    }
    assert!(registers(&bench.give(Input::Begin)), "but the user may ask for it");
}

#[test]
fn a_failing_server_is_given_time_and_a_recovered_one_a_clean_slate() {
    let mut bench = Bench::new(5);
    bench.give(Input::Begin);
    let mut ceiling = 1.0_f64;
    for _ in 0..20 {
        bench.fail(Cause::ServerFailed, Some(503));
        let pause = bench.wait().as_secs_f64();
        assert!(pause <= ceiling && pause >= ceiling * 0.5 - 0.001, "{pause} of {ceiling}");
        ceiling = (ceiling * 2.0).min(60.0);
        assert!(registers(&bench.give(Input::Due)));
    }
    bench.grant(HOUR);
    bench.wait();
    bench.give(Input::Due);
    bench.fail(Cause::ServerFailed, Some(500));
    assert!(bench.wait() <= Duration::from_secs(1));
}

#[test]
fn retry_after_is_obeyed_within_reason() {
    let mut bench = Bench::new(6);
    bench.give(Input::Begin);
    for (asked, waited) in [(Duration::from_secs(90), Duration::from_secs(90)), (HOUR * 50, HOUR)] {
        bench.give(Input::Failed { cause: Cause::ServerFailed, status: Some(503), retry_after: Some(asked) });
        let pause = bench.wait();
        assert!(pause >= waited && pause <= waited + waited / 10 + Duration::from_secs(1), "{pause:?}");
        bench.give(Input::Due);
    }
}

#[test]
fn without_a_way_to_the_server_it_is_looked_for_every_second_or_so_for_days() {
    for cause in [Cause::NetworkUnreachable, Cause::NameNotFound] {
        let mut bench = Bench::new(7);
        bench.give(Input::Begin);
        let begin = bench.now;
        while bench.now - begin < HOUR * 48 {
            let hurried = cause == Cause::NameNotFound && bench.now - begin < LONG_OUTAGE;
            let least = Duration::from_millis(if hurried { 250 } else { 750 });
            bench.fail(cause, None);
            let pause = bench.wait();
            assert!(pause < Duration::from_millis(1500) && pause >= least);
            assert!(registers(&bench.give(Input::Due)));
        }
    }
}

#[test]
fn a_server_that_refuses_is_asked_every_few_seconds_for_days() {
    let mut bench = Bench::new(7);
    bench.give(Input::Begin);
    let begin = bench.now;
    let mut tries = 0_u32;
    while bench.now - begin < HOUR * 48 {
        let long = bench.now - begin >= LONG_OUTAGE;
        bench.fail(Cause::ConnectionRefused, None);
        assert!(bench.wait() < Duration::from_secs(if long { 8 } else { 4 }));
        assert!(registers(&bench.give(Input::Due)));
        tries += 1;
    }
    assert!((48 * 450..=48 * 1200).contains(&tries), "{tries}");
}

#[test]
fn a_refusal_that_is_not_about_the_password_is_not_the_end() {
    let mut bench = Bench::new(12);
    bench.give(Input::Begin);
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        let told = bench.fail(Cause::Refused, Some(404));
        assert_eq!(
            told,
            [Action::Report(Registration::Refused { cause: Cause::Refused, status: Some(404) })]
        );
        assert!(!bench.machine.may_be_bound(bench.now));
        let pause = bench.wait();
        assert!(pause >= REFUSAL / 2);
        longest = longest.max(pause);
        assert!(registers(&bench.give(Input::Due)));
    }
    assert!(longest > LONGEST_REFUSAL / 2 && longest <= LONGEST_REFUSAL);
    bench.grant(HOUR);
    bench.fail(Cause::Refused, Some(404));
    bench.wait();
}

#[test]
fn a_lost_connection_is_replaced_soon_unless_it_flaps() {
    let mut bench = Bench::new(8);
    bench.give(Input::Begin);
    for (cause, most) in [(Cause::Silence, Duration::ZERO), (Cause::ConnectionLost, Duration::from_secs(2))] {
        bench.grant(HOUR);
        bench.now += HOUR / 2;
        let report = bench.give(Input::FlowLost(cause));
        let pause = bench.wait();
        assert!(pause <= most);
        let retrying = Registration::Retrying { cause, status: None, retry_in: pause };
        assert_eq!(report, [Action::Report(retrying)]);
        assert!(registers(&bench.give(Input::Due)));
    }
    // A server that registers us and hangs up at once, for a day.
    let begin = bench.now;
    let mut tries = 0_u32;
    while bench.now - begin < HOUR * 24 {
        bench.grant(HOUR);
        bench.now += Duration::from_millis(1);
        bench.give(Input::FlowLost(Cause::ConnectionLost));
        bench.wait();
        assert!(registers(&bench.give(Input::Due)));
        tries += 1;
    }
    assert!(tries <= 24 * 2400, "{tries}");
}

#[test]
fn another_way_to_the_proxy_is_taken_within_a_second_and_at_once_for_a_call() {
    for urgent in [false, true] {
        let mut bench = Bench::new(13);
        bench.give(Input::Begin);
        bench.grant(HOUR);
        bench.now += HOUR / 3;
        let actions = bench.give(Input::Moved { urgent });
        assert_eq!(actions.first(), Some(&Action::Report(Registration::Registering)), "it is told at once");
        assert_eq!(registers(&actions), urgent);
        if !urgent {
            assert!(bench.wait() <= Duration::from_secs(1));
            assert!(registers(&bench.give(Input::Due)));
        }
        // The new network is not quite there yet: it is asked again and again.
        for cause in [Cause::NetworkUnreachable, Cause::NameNotFound, Cause::Silence] {
            bench.fail(cause, None);
            assert!(bench.wait() <= Duration::from_millis(1500));
            assert!(registers(&bench.give(Input::Due)));
        }
    }
}

#[test]
fn a_flapping_network_puts_nothing_off() {
    let mut bench = Bench::new(14);
    bench.give(Input::Begin);
    bench.grant(HOUR);
    let mut tries = 0;
    for _ in 0..100 {
        bench.give(Input::Moved { urgent: false });
        let deadline = bench.machine.deadline().expect("a deadline");
        bench.now += Duration::from_millis(100);
        if deadline <= bench.now {
            assert!(registers(&bench.give(Input::Due)));
            tries += 1;
        }
    }
    assert!(tries >= 8, "{tries} tries in ten seconds of flapping");
}

#[test]
fn a_change_that_leaves_the_way_alone_is_looked_into_without_alarm() {
    let mut bench = Bench::new(15);
    bench.give(Input::Begin);
    bench.grant(HOUR);
    let begin = bench.now;
    let mut tries = 0_u32;
    // An interface nobody uses comes and goes for an hour.
    while bench.now - begin < HOUR {
        assert_eq!(bench.give(Input::Stirred), []);
        bench.now += Duration::from_secs(1);
        if bench.machine.deadline().expect("a deadline") <= bench.now {
            assert_eq!(bench.give(Input::Due), [Action::Register { expires: HOUR }], "nothing is said of it");
            bench.grant(HOUR);
            tries += 1;
        }
    }
    assert!((240..=360).contains(&tries), "{tries}");
}

#[test]
fn without_a_network_it_is_not_called_registered() {
    let mut bench = Bench::new(16);
    bench.give(Input::Begin);
    bench.grant(HOUR);
    let report = bench.give(Input::Cut);
    assert!(matches!(
        report.as_slice(),
        [Action::Report(Registration::Retrying { cause: Cause::NetworkUnreachable, .. })]
    ));
    assert_eq!(bench.give(Input::Cut), [], "once is enough");
    assert!(bench.wait() <= WITHOUT_NETWORK);
    assert!(registers(&bench.give(Input::Due)), "should nobody say that it is back");
    bench.fail(Cause::NetworkUnreachable, None);
    let actions = bench.give(Input::Moved { urgent: false });
    assert_eq!(actions, [Action::Report(Registration::Registering)]);
    assert!(bench.wait() <= Duration::from_secs(1));
}

#[test]
fn eight_hours_of_sleep_leave_no_registration_behind() {
    let mut bench = Bench::new(17);
    bench.give(Input::Begin);
    bench.grant(HOUR);
    bench.now += HOUR / 10;
    // The clock stood still meanwhile.
    let actions = bench.give(Input::Woke { slept: HOUR * 8 });
    assert_eq!(actions, [Action::Report(Registration::Registering)]);
    assert!(!bench.machine.may_be_bound(bench.now), "the binding has expired in our sleep");
    assert!(bench.wait() <= Duration::from_secs(1));
    assert!(registers(&bench.give(Input::Due)));
    bench.grant(HOUR);
    bench.give(Input::Woke { slept: Duration::from_secs(60) });
    assert!(bench.machine.may_be_bound(bench.now), "a nap costs no binding");
    // Asleep for longer than the machine was ever up.
    bench.give(Input::Woke { slept: Duration::MAX });
    assert!(!bench.machine.may_be_bound(bench.now));
}

#[test]
fn a_clock_that_leaps_past_the_lifetime_is_told_and_mended() {
    let mut bench = Bench::new(18);
    bench.give(Input::Begin);
    bench.grant(HOUR);
    bench.now += HOUR * 5;
    let actions = bench.give(Input::Due);
    assert_eq!(
        actions,
        [Action::Report(Registration::Registering), Action::Register { expires: HOUR }],
        "an expired binding is no registration"
    );
}

#[test]
fn a_contact_that_leads_nowhere_is_replaced_at_once() {
    let mut bench = Bench::new(19);
    assert_eq!(bench.give(Input::ContactChanged), []);
    bench.give(Input::Begin);
    bench.grant(HOUR);
    bench.now += HOUR / 2;
    assert_eq!(bench.give(Input::ContactChanged), [Action::Register { expires: HOUR }]);
    assert_eq!(bench.give(Input::ContactChanged), [], "it is under way");
    bench.grant(HOUR);
    assert_eq!(bench.give(Input::ContactChanged), [], "it changes all the time");
    assert_eq!(bench.wait(), SETTLED);
    assert!(registers(&bench.give(Input::Due)));
}

#[test]
fn only_what_may_be_bound_is_taken_back() {
    let mut bench = Bench::new(11);
    assert!(!bench.machine.may_be_bound(bench.now));
    bench.give(Input::Begin);
    assert!(bench.machine.may_be_bound(bench.now), "the answer may be on its way");
    bench.fail(Cause::Silence, None);
    assert!(!bench.machine.may_be_bound(bench.now));
    bench.wait();
    bench.give(Input::Due);
    bench.grant(HOUR);
    bench.give(Input::FlowLost(Cause::ConnectionLost));
    assert!(bench.machine.may_be_bound(bench.now), "the registrar does not know yet");
    assert!(!bench.machine.may_be_bound(bench.now + HOUR));
    bench.wait();
    bench.give(Input::Due);
    bench.fail(Cause::WrongPassword, Some(401));
    assert!(!bench.machine.may_be_bound(bench.now));
}

#[test]
fn outcomes_of_tries_given_up_change_nothing() {
    let mut bench = Bench::new(9);
    assert_eq!(bench.give(Input::Due), []);
    bench.give(Input::Begin);
    bench.grant(HOUR);
    let deadline = bench.machine.deadline();
    assert_eq!(bench.fail(Cause::Silence, None), []);
    assert_eq!(bench.give(Input::Due), [], "not yet due");
    assert_eq!(bench.machine.deadline(), deadline);
}

#[test]
fn a_lifetime_of_nothing_does_not_spin() {
    let mut bench = Bench::new(10);
    bench.give(Input::Begin);
    bench.grant(Duration::ZERO);
    assert!(bench.wait() >= Duration::from_secs(1));
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        Just(Input::Begin),
        Just(Input::Due),
        Just(Input::FlowLost(Cause::ConnectionLost)),
        any::<bool>().prop_map(|urgent| Input::Moved { urgent }),
        Just(Input::Stirred),
        Just(Input::Cut),
        Just(Input::ContactChanged),
        any::<u64>().prop_map(|s| Input::Woke { slept: Duration::from_secs(s) }),
        (0_u64..100_000).prop_map(|s| Input::Granted {
            expires: Duration::from_secs(s),
            rtt: RTT,
            look: HOUR
        }),
        (0_u64..100_000).prop_map(|s| Input::TooBrief { minimum: Duration::from_secs(s) }),
        Just(Input::Failed { cause: Cause::Silence, status: None, retry_after: None }),
        Just(Input::Failed { cause: Cause::ServerFailed, status: Some(503), retry_after: None }),
        Just(Input::Failed { cause: Cause::Refused, status: Some(404), retry_after: None }),
        Just(Input::Failed { cause: Cause::WrongPassword, status: Some(403), retry_after: None }),
    ]
}

proptest! {
    /// Whatever happens, the machine is trying, waiting for a deadline, or has had its password refused; never lost.
    /// And what it says is true: it is registered when the last thing it said is that it is.
    #[test]
    fn it_never_falls_silent(seed: u64, inputs in proptest::collection::vec((any_input(), 0_u64..5000), 0..60)) {
        let mut bench = Bench::new(seed);
        bench.give(Input::Begin);
        for (input, seconds) in inputs {
            bench.now += Duration::from_secs(seconds);
            bench.give(input);
            let said = bench.machine.said;
            match bench.machine.phase {
                Phase::Trying => prop_assert!(bench.machine.deadline().is_none()),
                Phase::Refused => {
                    let asked_again = bench.machine.deadline().is_some();
                    let wrong = matches!(said, Some(Registration::Refused { cause: Cause::WrongPassword, .. }));
                    prop_assert_ne!(asked_again, wrong);
                }
                Phase::Registered { .. } => {
                    prop_assert!(bench.machine.deadline().is_some());
                    let is_said = matches!(said, Some(Registration::Registered { .. }));
                    prop_assert!(is_said);
                }
                Phase::Pausing => {
                    prop_assert!(bench.machine.deadline().is_some());
                    let is_said = matches!(said, Some(Registration::Registered { .. }));
                    prop_assert!(!is_said);
                }
                Phase::Idle => prop_assert!(false, "idle after the beginning"),
            }
        }
    }
}
