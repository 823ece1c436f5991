use proptest::prelude::*;

use super::*;

fn terms(text: &str) -> Option<Terms> {
    Terms::parse(text)
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn the_header_in_its_forms() {
    for (text, interval, refresher) in [
        ("1800", 1800, None),
        (" 90 ; refresher=uac", 90, Some(Role::Caller)),
        ("1800;x=y;Refresher=UAS", 1800, Some(Role::Callee)),
        ("1800;refresher=nobody", 1800, None),
    ] {
        assert_eq!(terms(text), Some(Terms { interval: seconds(interval), refresher }), "{text}");
    }
    for nonsense in ["", ";refresher=uac", "-1", "1e3", "99999999999"] {
        assert_eq!(terms(nonsense), None, "{nonsense}");
    }
    assert_eq!(terms("1800 ;refresher=uas").unwrap().to_string(), "1800;refresher=uas");
}

#[test]
fn the_refresher_refreshes_at_half_time_and_the_other_waits_for_the_end() {
    let now = Instant::now();
    for (text, ours, due, what) in [
        ("1800;refresher=uac", true, 900, Due::Refresh),
        ("1800;refresher=uas", true, 1768, Due::Over),
        ("1800;refresher=uac", false, 1768, Due::Over),
        ("1800;refresher=uas", false, 900, Due::Refresh),
        // A third of a short one is kept, and one that cannot be is stretched.
        ("90;refresher=uas", true, 60, Due::Over),
        ("1;refresher=uas", true, 60, Due::Over),
        // Nobody named: we see to it.
        ("1800", true, 900, Due::Refresh),
    ] {
        let mut timer = SessionTimer::new();
        if ours {
            timer.accepted(terms(text), now);
        } else {
            timer.accept(terms(text), now);
        }
        let at = now + seconds(due);
        assert_eq!(timer.deadline(), Some(at), "{text}");
        assert_eq!(timer.due(at - Duration::from_millis(1)), None);
        assert_eq!(timer.due(at), Some(what));
    }
}

#[test]
fn what_they_ask_for_is_taken_by_the_rules() {
    let timer = SessionTimer::new();
    for (asked, they_know, judged) in [
        (None, true, Ok(None)),
        (terms("1800;refresher=uac"), true, Ok(terms("1800;refresher=uac"))),
        (terms("1800;refresher=uas"), true, Ok(terms("1800;refresher=uas"))),
        (terms("1800"), true, Ok(terms("1800;refresher=uas"))),
        (terms("1800;refresher=uac"), false, Ok(terms("1800;refresher=uas"))),
        (terms("60"), true, Err(LEAST)),
        (terms("60"), false, Ok(terms("90;refresher=uas"))),
    ] {
        assert_eq!(timer.judge(asked, they_know), judged, "{asked:?}, {they_know}");
    }
    // A re-INVITE that does not speak of it leaves it as it is, where they know what it is.
    let mut timer = SessionTimer::new();
    timer.accepted(terms("600;refresher=uas"), Instant::now());
    assert_eq!(timer.judge(None, true), Ok(terms("600;refresher=uas")));
    assert_eq!(timer.judge(None, false), Ok(None));
}

#[test]
fn a_longer_interval_is_granted_to_those_who_insist() {
    let mut timer = SessionTimer::new();
    assert_eq!((timer.ask(), timer.least()), (terms("1800").unwrap(), None));
    assert!(timer.too_brief(seconds(3600)));
    assert_eq!((timer.ask(), timer.least()), (terms("3600").unwrap(), Some(seconds(3600))));
    // Asking for what they have got already leads nowhere.
    assert!(!timer.too_brief(seconds(3600)));
    assert!(!timer.too_brief(seconds(10)));
}

#[test]
fn what_runs_is_asked_for_again() {
    let mut timer = SessionTimer::new();
    let now = Instant::now();
    timer.accepted(terms("600;refresher=uas"), now);
    assert_eq!(timer.ask().to_string(), "600;refresher=uas");
    timer.accept(terms("600;refresher=uas"), now);
    assert_eq!(timer.ask().to_string(), "600;refresher=uac");
    // None at all ends it.
    timer.accepted(None, now);
    assert_eq!((timer.deadline(), timer.ask().to_string()), (None, "1800".into()));
}

#[test]
fn refreshes_that_fail_are_tried_until_the_end() {
    let mut timer = SessionTimer::new();
    let start = Instant::now();
    let mut now = start;
    timer.accepted(terms("1800;refresher=uac"), now);
    let mut tries = 0;
    loop {
        now = timer.deadline().unwrap();
        match timer.due(now).unwrap() {
            Due::Refresh => {
                tries += 1;
                // An answer takes its time; nothing else is due meanwhile but the end.
                assert_eq!(timer.deadline(), Some(start + seconds(1768)));
                now += seconds(1);
                timer.failed(now);
            }
            Due::Over => break,
        }
    }
    assert_eq!(now, start + seconds(1768));
    assert!((5..20).contains(&tries), "{tries}");
    assert_eq!(timer.deadline(), None);
}

/// A call of three days, of which the two ends agree on the timer; the answer to every tenth refresh is lost.
#[test]
fn a_call_of_days_goes_on_as_long_as_it_is_refreshed() {
    let start = Instant::now();
    let mut now = start;
    let (mut here, mut there) = (SessionTimer::new(), SessionTimer::new());
    let agreed = there.judge(Some(here.ask()), true).unwrap();
    there.accept(agreed, now);
    here.accepted(agreed, now);
    let (mut refreshes, mut lost) = (0, 0);
    while now < start + seconds(3 * 24 * 3600) {
        let next = here.deadline().into_iter().chain(there.deadline()).min().unwrap();
        assert!(next >= now, "time goes on");
        now = next;
        let (first, second) = if here.deadline() <= there.deadline() {
            (&mut here, &mut there)
        } else {
            (&mut there, &mut here)
        };
        match first.due(now) {
            Some(Due::Refresh) => {
                refreshes += 1;
                if refreshes % 10 == 0 {
                    lost += 1;
                    first.failed(now + seconds(32));
                    continue;
                }
                let asked = first.ask();
                let agreed = second.judge(Some(asked), true).unwrap();
                second.accept(agreed, now);
                first.accepted(agreed, now);
            }
            Some(Due::Over) => panic!("over after {:?}", now - start),
            None => {}
        }
    }
    assert!((250..350).contains(&refreshes) && lost > 20, "{refreshes}, {lost}");
    // The other end is gone now: this one notices within the interval.
    let gone = now;
    let refreshing = if here.ask().refresher == Some(Role::Caller) { &mut there } else { &mut here };
    loop {
        now = refreshing.deadline().unwrap();
        match refreshing.due(now) {
            Some(Due::Over) => break,
            Some(Due::Refresh) => refreshing.failed(now),
            None => {}
        }
    }
    assert!(now - gone <= INTERVAL);
}

proptest! {
    /// Whatever comes, time goes on: after everything that is due there is a later deadline or none.
    #[test]
    fn it_never_spins(steps in proptest::collection::vec((0..6_u8, any::<u32>(), 0..4_u8), 0..60)) {
        let mut now = Instant::now();
        let mut timer = SessionTimer::new();
        for (step, interval, role) in steps {
            let refresher = match role { 0 => Some(Role::Caller), 1 => Some(Role::Callee), _ => None };
            let terms = (role < 3).then_some(Terms { interval: seconds(interval.into()), refresher });
            match step {
                0 => timer.accepted(terms, now),
                1 => {
                    if let Ok(terms) = timer.judge(terms, role == 0) {
                        timer.accept(terms, now);
                    }
                }
                2 => timer.failed(now),
                3 => {
                    timer.too_brief(seconds(interval.into()));
                }
                4 => now += seconds((interval % 4000).into()),
                _ => {
                    if let Some(deadline) = timer.deadline() {
                        now = now.max(deadline);
                    }
                }
            }
            for _ in 0..3 {
                if timer.due(now).is_none() {
                    break;
                }
            }
            prop_assert!(timer.deadline().is_none_or(|deadline| deadline > now));
        }
    }
}
