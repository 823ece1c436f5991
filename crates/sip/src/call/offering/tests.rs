use proptest::prelude::*;

use super::*;

fn offer(text: &str) -> Wish {
    Wish::Offer(text.into())
}

#[test]
fn one_at_a_time_and_the_newest_counts() {
    let now = Instant::now();
    let mut offering = Offering::new(true);
    assert_eq!((offering.deadline(), offering.next(now)), (None, None));
    offering.want(offer("hold"), now);
    assert_eq!(offering.next(now), Some(offer("hold")));
    // While it is under way nothing else goes out, and nothing of theirs is taken.
    offering.want(offer("resume"), now);
    offering.want(offer("hold again"), now);
    assert_eq!((offering.deadline(), offering.next(now)), (None, None));
    assert_eq!(offering.theirs(), Err(Clash::WithOurs));
    assert!(!offering.ended(Outcome::Final, now, 0.5));
    assert_eq!(offering.next(now), Some(offer("hold again")));
    assert!(!offering.ended(Outcome::Final, now, 0.5));
    assert_eq!(offering.next(now), None);
}

#[test]
fn theirs_is_answered_before_ours_goes_out() {
    let now = Instant::now();
    let mut offering = Offering::new(false);
    assert_eq!(offering.theirs(), Ok(()));
    assert_eq!(offering.theirs(), Err(Clash::WithTheirs));
    offering.want(offer("hold"), now);
    assert_eq!(offering.next(now), None);
    offering.theirs_ended();
    assert_eq!(offering.next(now), Some(offer("hold")));
}

#[test]
fn after_a_glare_the_owner_of_the_call_id_comes_last() {
    let now = Instant::now();
    for (owner, chance, least) in
        [(true, 0.0, 2100), (true, 1.0, 4000), (false, 0.0, 0), (false, 1.0, 2000), (true, 0.5, 3050)]
    {
        let pause = Duration::from_millis(least);
        let mut offering = Offering::new(owner);
        offering.want(offer("hold"), now);
        offering.next(now);
        assert!(!offering.ended(Outcome::Glare, now, chance));
        assert_eq!(offering.deadline(), Some(now + pause));
        if !pause.is_zero() {
            assert_eq!(offering.next(now + pause - Duration::from_millis(1)), None);
        }
        // Meanwhile theirs comes through, which puts ours off for as long as it is considered.
        assert_eq!(offering.theirs(), Ok(()));
        assert_eq!(offering.next(now + pause), None);
        offering.theirs_ended();
        assert_eq!(offering.next(now + pause), Some(offer("hold")));
    }
}

#[test]
fn a_wish_that_meets_glare_for_ever_is_given_up() {
    let mut now = Instant::now();
    let mut offering = Offering::new(true);
    offering.want(offer("hold"), now);
    let mut sent = 0;
    loop {
        now = offering.deadline().unwrap();
        assert_eq!(offering.next(now), Some(offer("hold")));
        sent += 1;
        if offering.ended(Outcome::Glare, now, 0.9) {
            break;
        }
    }
    assert_eq!((sent, offering.deadline()), (ROUNDS, None));
    // The next one is as good as new.
    offering.want(offer("resume"), now);
    assert_eq!(offering.next(now), Some(offer("resume")));
    assert!(!offering.ended(Outcome::Later(Duration::from_secs(3600)), now, 0.0));
    assert_eq!(offering.deadline(), Some(now + LONGEST));
}

#[test]
fn a_newer_wish_takes_the_place_of_one_that_met_glare() {
    let now = Instant::now();
    let mut offering = Offering::new(true);
    offering.want(offer("hold"), now);
    offering.next(now);
    offering.want(offer("resume"), now);
    assert!(!offering.ended(Outcome::Glare, now, 0.0));
    assert_eq!(offering.next(now + LONGEST), Some(offer("resume")));
    // A refresh alone never does.
    offering.want(Wish::Refresh, now);
    assert!(!offering.ended(Outcome::Lost, now, 0.0));
    assert_eq!(offering.deadline(), Some(now + AGAIN));
    assert_eq!(offering.next(now + AGAIN), Some(offer("resume")));
}

/// Two ends of one dialog that keep offering, their messages taking 50 ms each way, over two simulated hours.
#[test]
fn two_ends_that_keep_offering_never_get_stuck() {
    let start = Instant::now();
    let mut ends = [Offering::new(true), Offering::new(false)];
    let way = Duration::from_millis(50);
    // (when, to whom, what): true is an offer, otherwise the outcome of one of theirs.
    let mut flying: Vec<(Instant, usize, Result<(), Outcome>)> = Vec::new();
    let (mut answered, mut clashes) = ([0, 0], 0);
    let mut chance = 0.37_f64;
    for step in 0..720_000_u64 {
        let now = start + Duration::from_millis(step * 10);
        if step % 997 == 0 || step % 997 == 3 {
            ends[usize::from(step % 997 == 3)].want(offer("anew"), now);
        }
        let mut arrived = Vec::new();
        flying.retain(|one| {
            let here = one.0 <= now;
            if here {
                arrived.push(*one);
            }
            !here
        });
        for (_, end, what) in arrived {
            match what {
                Ok(()) => {
                    let outcome = match ends[end].theirs() {
                        Ok(()) => {
                            ends[end].theirs_ended();
                            Outcome::Final
                        }
                        Err(Clash::WithOurs) => Outcome::Glare,
                        Err(Clash::WithTheirs) => Outcome::Later(Duration::from_secs(1)),
                    };
                    clashes += u32::from(outcome != Outcome::Final);
                    flying.push((now + way, 1 - end, Err(outcome)));
                }
                Err(outcome) => {
                    chance = (chance * 7.3 + 0.19).fract();
                    assert!(!ends[end].ended(outcome, now, chance), "given up");
                    answered[end] += u32::from(outcome == Outcome::Final);
                }
            }
        }
        for (end, offering) in ends.iter_mut().enumerate() {
            if offering.next(now).is_some() {
                flying.push((now + way, 1 - end, Ok(())));
            }
        }
    }
    assert!(clashes > 100, "the offers do cross: {clashes}");
    assert!(answered.iter().all(|answered| *answered > 700), "{answered:?}");
}

proptest! {
    /// Whatever happens, there is one turn at a time and a wish is never forgotten but for its many rounds.
    #[test]
    fn nothing_is_forgotten(steps in proptest::collection::vec(0..8_u8, 0..200)) {
        let mut now = Instant::now();
        let mut offering = Offering::new(true);
        let mut wanted = false;
        for step in steps {
            match step {
                0 => {
                    offering.want(offer("x"), now);
                    wanted = true;
                }
                1 => {
                    let _ = offering.theirs();
                }
                2 => offering.theirs_ended(),
                3 => wanted &= !offering.ended(Outcome::Glare, now, 0.5),
                4 => wanted &= !offering.ended(Outcome::Lost, now, 0.5),
                5 => now += Duration::from_secs(1),
                6 if matches!(offering.turn, Turn::Ours(_)) => {
                    offering.ended(Outcome::Final, now, 0.5);
                    wanted = offering.waiting.is_some();
                }
                _ => {
                    offering.next(now);
                }
            }
            let under_way = matches!(offering.turn, Turn::Ours(_));
            prop_assert_eq!(wanted, offering.waiting.is_some() || under_way);
        }
    }
}
