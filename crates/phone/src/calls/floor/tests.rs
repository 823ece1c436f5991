use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const A: CallId = CallId(1);
const B: CallId = CallId(2);
const C: CallId = CallId(3);

const BOTH: Flow = Flow { ours: Direction::SendRecv, theirs: Direction::SendRecv };

fn talking(calls: &[CallId]) -> Floor {
    let mut floor = Floor::default();
    for call in calls {
        floor.begin(*call);
        floor.take(*call);
        floor.agreed(*call, BOTH);
        answer_all(&mut floor);
    }
    floor
}

/// Every offer is taken, as it is, until there is none left; those that were made.
fn answer_all(floor: &mut Floor) -> Vec<(CallId, Direction)> {
    let mut made = Vec::new();
    loop {
        let offers: Vec<_> =
            floor.calls().into_iter().filter_map(|call| Some((call, floor.offer(call, false)?))).collect();
        if offers.is_empty() {
            return made;
        }
        for (call, ours) in offers {
            floor.accepted(call, Flow { ours, theirs: Direction::SendRecv });
            made.push((call, ours));
        }
        assert!(made.len() < 20, "it comes to rest");
    }
}

/// Those that have the devices, were they not held by the other end.
fn awake(floor: &Floor) -> Vec<CallId> {
    let awake = |call: &CallId| floor.lines[call].talking && !floor.lines[call].held && floor.has(*call);
    floor.calls().into_iter().filter(awake).collect()
}

fn live(floor: &Floor) -> Vec<CallId> {
    floor.calls().into_iter().filter(|call| floor.attention(*call) == Attention::Talking).collect()
}

#[test]
fn dialling_another_holds_the_first() {
    let mut floor = talking(&[A]);
    floor.begin(B);
    floor.take(B);
    assert_eq!((live(&floor), floor.is_held(A)), (vec![], true));
    assert_eq!(floor.attention(B), Attention::Listening);
    assert_eq!(answer_all(&mut floor), [(A, Direction::SendOnly)]);
    floor.agreed(B, BOTH);
    assert_eq!(live(&floor), [B]);
    floor.end(B);
    assert_eq!(live(&floor), [], "a held call does not come back by itself");
    floor.take(A);
    assert_eq!(live(&floor), [A]);
    assert_eq!(answer_all(&mut floor), [(A, Direction::SendRecv)]);
}

#[test]
fn an_incoming_call_changes_nothing_until_it_is_answered() {
    let mut floor = talking(&[A]);
    floor.begin(B);
    assert_eq!(live(&floor), [A]);
    assert!(!floor.hold(B), "what rings cannot be held");
    floor.take(B);
    floor.agreed(B, BOTH);
    assert_eq!((live(&floor), floor.is_held(A)), (vec![B], true));
}

#[test]
fn a_call_answered_behind_our_back_is_held() {
    let mut floor = Floor::default();
    for call in [A, B] {
        floor.begin(call);
        floor.take(call);
    }
    floor.agreed(A, BOTH);
    assert_eq!((floor.is_held(A), floor.attention(B)), (true, Attention::Listening));
    assert_eq!(answer_all(&mut floor), [(A, Direction::SendOnly)]);
}

#[test]
fn held_by_both_is_inactive_and_each_lets_go_for_himself() {
    let mut floor = talking(&[A]);
    floor.agreed(A, Flow { ours: Direction::SendRecv, theirs: Direction::RecvOnly });
    assert!(floor.is_held_there(A) && !floor.is_held(A));
    assert_eq!(floor.attention(A), Attention::Talking, "their music is heard");
    assert!(floor.hold(A));
    assert_eq!(floor.offer(A, false), Some(Direction::Inactive));
    floor.accepted(A, Flow { ours: Direction::Inactive, theirs: Direction::Inactive });
    assert!(floor.is_held_there(A), "an inactive answer to an inactive offer says nothing new");
    assert_eq!(floor.direction(A), Direction::SendOnly, "they may resume, we still hold");
    floor.agreed(A, Flow { ours: Direction::SendOnly, theirs: Direction::SendRecv });
    assert!(!floor.is_held_there(A) && floor.is_held(A));
    assert_eq!(floor.offer(A, false), None);
}

#[test]
fn one_offer_at_a_time_and_the_last_wish_wins() {
    let mut floor = talking(&[A]);
    floor.hold(A);
    assert_eq!(floor.offer(A, false), Some(Direction::SendOnly));
    floor.take(A);
    assert_eq!(floor.offer(A, false), None, "the first is still under way");
    floor.accepted(A, Flow { ours: Direction::SendOnly, theirs: Direction::SendOnly });
    assert_eq!(floor.offer(A, false), Some(Direction::SendRecv));
}

#[test]
fn a_refused_hold_is_silent_here_and_not_asked_for_again() {
    let mut floor = talking(&[A]);
    floor.hold(A);
    floor.offer(A, false);
    assert!(!floor.refused(A));
    assert_eq!((floor.offer(A, false), live(&floor), floor.is_held(A)), (None, vec![], true));
    floor.take(A);
    assert_eq!((floor.offer(A, false), live(&floor)), (None, vec![A]), "they never knew of it");
    floor.hold(A);
    assert_eq!(floor.offer(A, false), Some(Direction::SendOnly), "another hold is another try");
}

#[test]
fn a_refused_resume_leaves_it_held() {
    let mut floor = talking(&[A]);
    floor.hold(A);
    answer_all(&mut floor);
    floor.take(A);
    floor.offer(A, false);
    assert!(floor.refused(A));
    assert_eq!((live(&floor), floor.is_held(A), floor.offer(A, false)), (vec![], true, None));
}

#[test]
fn a_conference_is_held_resumed_and_split_as_one() {
    let mut floor = talking(&[A, B]);
    assert!(!floor.merge(&[A]) && !floor.merge(&[A, A]) && !floor.merge(&[A, C]));
    assert!(floor.merge(&[A, B]));
    assert_eq!(live(&floor), [A, B]);
    assert_eq!(answer_all(&mut floor), [(A, Direction::SendRecv)]);
    floor.begin(C);
    floor.take(C);
    floor.agreed(C, BOTH);
    assert_eq!(live(&floor), [C]);
    answer_all(&mut floor);
    assert!(floor.merge(&[C]));
    assert_eq!(live(&floor), [A, B, C]);
    floor.hold(A);
    assert_eq!(live(&floor), []);
    floor.take(B);
    assert_eq!(live(&floor), [A, B, C]);
    assert!(floor.split(B));
    assert_eq!(live(&floor), [B]);
    assert!(floor.is_held(A) && floor.is_held(C) && !floor.is_merged(C) && !floor.split(C));
}

#[test]
fn the_last_of_a_conference_is_an_ordinary_call() {
    let mut floor = talking(&[A, B]);
    floor.merge(&[A, B]);
    floor.end(A);
    assert_eq!((live(&floor), floor.is_merged(B)), (vec![B], false));
}

#[test]
fn who_holds_a_conference_does_not_play_music_to_it() {
    let theirs = |theirs| Flow { ours: Direction::SendRecv, theirs };
    let mut floor = talking(&[A, B, C]);
    floor.merge(&[A, B, C]);
    answer_all(&mut floor);
    floor.agreed(A, theirs(Direction::RecvOnly));
    assert_eq!(live(&floor), [B, C]);
    assert!(floor.is_merged(A) && !floor.is_held(A));
    floor.agreed(A, BOTH);
    assert_eq!(live(&floor), [A, B, C], "and is back as soon as he resumes");
}

#[test]
fn a_replacement_inherits() {
    let mut floor = talking(&[A, B]);
    floor.merge(&[A, B]);
    floor.begin(C);
    floor.replace(A, C);
    floor.agreed(C, BOTH);
    floor.end(A);
    assert_eq!(live(&floor), [B, C]);

    let mut floor = talking(&[A]);
    floor.hold(A);
    floor.begin(B);
    floor.replace(A, B);
    floor.agreed(B, BOTH);
    assert_eq!((live(&floor), floor.is_held(B)), (vec![], true), "held before, held after");
}

#[test]
fn a_replacement_that_still_rings_talks_once_it_is_answered() {
    let mut floor = talking(&[A]);
    floor.begin(B);
    floor.replace(A, B);
    floor.end(A);
    assert_eq!(floor.attention(B), Attention::Listening);
    floor.replace(A, B);
    floor.agreed(B, BOTH);
    assert_eq!((live(&floor), floor.is_held(B), floor.offer(B, false)), (vec![B], false, None));

    let mut floor = talking(&[A, B]);
    floor.merge(&[A, B]);
    floor.begin(C);
    floor.replace(A, C);
    floor.end(A);
    floor.replace(A, C);
    floor.agreed(C, BOTH);
    assert_eq!(live(&floor), [B, C]);
}

#[test]
fn a_new_address_is_offered_whatever_stands() {
    let mut floor = talking(&[A]);
    assert_eq!(floor.offer(A, true), Some(Direction::SendRecv));
    floor.hold(A);
    assert_eq!(floor.offer(A, true), Some(Direction::SendOnly), "and takes the hold with it");
    floor.accepted(A, Flow { ours: Direction::SendOnly, theirs: Direction::SendOnly });
    assert_eq!(floor.offer(A, false), None);
}

#[derive(Debug, Clone)]
enum Step {
    Begin(u32),
    Take(u32),
    Agreed(u32, Direction),
    Hold(u32),
    Merge(u32, u32),
    Split(u32),
    End(u32),
    Replace(u32, u32),
    Offer(u32, bool),
    Accepted(u32, Direction),
    Refused(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let call = 0..5_u32;
    let direction = prop::sample::select(vec![
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ]);
    prop_oneof![
        call.clone().prop_map(Step::Begin),
        call.clone().prop_map(Step::Take),
        (call.clone(), direction.clone()).prop_map(|(c, d)| Step::Agreed(c, d)),
        call.clone().prop_map(Step::Hold),
        (call.clone(), call.clone()).prop_map(|(a, b)| Step::Merge(a, b)),
        call.clone().prop_map(Step::Split),
        call.clone().prop_map(Step::End),
        (call.clone(), call.clone()).prop_map(|(a, b)| Step::Replace(a, b)),
        (call.clone(), any::<bool>()).prop_map(|(c, anew)| Step::Offer(c, anew)),
        (call.clone(), direction).prop_map(|(c, d)| Step::Accepted(c, d)),
        call.prop_map(Step::Refused),
    ]
}

proptest! {
    #[test]
    fn never_two_microphones_never_a_call_lost_and_holds_come_true(
        steps in prop::collection::vec(step(), 0..60)
    ) {
        let mut floor = Floor::default();
        let mut known = BTreeSet::new();
        for step in steps {
            let before = awake(&floor);
            let mut may_wake = true;
            match step {
                Step::Begin(c) => {
                    if known.insert(CallId(c)) {
                        floor.begin(CallId(c));
                    }
                }
                Step::Take(c) => floor.take(CallId(c)),
                Step::Agreed(c, theirs) => {
                    let ours = floor.direction(CallId(c));
                    floor.agreed(CallId(c), Flow { ours, theirs });
                }
                Step::Hold(c) => {
                    may_wake = false;
                    floor.hold(CallId(c));
                }
                Step::Merge(a, b) => {
                    floor.merge(&[CallId(a), CallId(b)]);
                }
                Step::Split(c) => {
                    floor.split(CallId(c));
                }
                Step::End(c) => {
                    may_wake = false;
                    known.remove(&CallId(c));
                    floor.end(CallId(c));
                }
                Step::Replace(a, b) if a != b => floor.replace(CallId(a), CallId(b)),
                Step::Replace(..) => {}
                Step::Offer(c, anew) => {
                    may_wake = false;
                    floor.offer(CallId(c), anew);
                }
                Step::Accepted(c, theirs) => {
                    may_wake = false;
                    if let Some(ours) = floor.lines.get(&CallId(c)).and_then(|line| line.offered) {
                        floor.accepted(CallId(c), Flow { ours, theirs });
                    }
                }
                Step::Refused(c) => {
                    may_wake = false;
                    floor.refused(CallId(c));
                }
            }
            let now = awake(&floor);
            prop_assert!(live(&floor).iter().all(|call| now.contains(call)));
            prop_assert!(now.len() <= 1 || now.iter().all(|call| floor.is_merged(*call)), "{now:?}");
            prop_assert!(now.iter().all(|call| !floor.is_held(*call)));
            prop_assert!(may_wake || now.iter().all(|call| before.contains(call)), "{before:?} {now:?}");
            prop_assert_eq!(floor.calls(), known.iter().copied().collect::<Vec<_>>());
            for (call, line) in &floor.lines {
                let asleep = floor.attention(*call) != Attention::Talking;
                let deaf = line.held || (line.merged && line.held_there);
                prop_assert_eq!(line.talking && asleep, line.talking && deaf, "{:?} is held, or talks", call);
                prop_assert_eq!(line.held, line.talking && !now.contains(call));
            }
        }
        for call in floor.calls() {
            if let Some(ours) = floor.lines.get(&call).and_then(|line| line.offered) {
                floor.accepted(call, Flow { ours, theirs: Direction::SendRecv });
            }
        }
        answer_all(&mut floor);
        for line in floor.lines.values().filter(|line| line.talking && !line.refused) {
            prop_assert_eq!(line.held, is_hold(line.said), "what is shown is what they were told");
        }
    }
}
