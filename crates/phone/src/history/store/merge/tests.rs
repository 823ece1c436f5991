use std::path::Path;

use super::*;
use crate::history::store::tests::{dialled, over};
use crate::{Direction, PastCallView, PastId, PeerView};

const NOW: UnixMs = UnixMs(1_790_000_000_000);
/// The phone has known the account since then.
const SINCE: u64 = NOW.0 - 3_600_000;

fn account() -> AccountId {
    AccountId("alice@test.io".into())
}

fn open(dir: &Path) -> Store {
    Store::open(dir).unwrap().0
}

/// A list that has been in step for an hour.
fn known(dir: &Path) -> Store {
    let mut store = open(dir);
    assert_eq!(store.merge(&account(), &[], UnixMs(SINCE)).unwrap(), Merged::default());
    store
}

fn record(id: &str, number: &str, began: u64) -> Record {
    Record {
        id: id.into(),
        call_id: None,
        incoming: true,
        peer: PeerView { number: number.into(), name: None, picture: None },
        began: UnixMs(began),
        reason: EndReason::Missed,
        status: None,
        lasted_s: None,
    }
}

/// The same, answered and talked for half a minute.
fn talked(record: Record) -> Record {
    Record { reason: EndReason::HungUpThere, lasted_s: Some(30), ..record }
}

/// A call of this phone.
fn here(store: &mut Store, incoming: bool, number: &str, began: u64, reason: EndReason) -> PastId {
    let direction = if incoming { Direction::Incoming } else { Direction::Outgoing };
    let view = crate::CallView { direction, ..dialled(1, number) };
    let id = store.begin(&view, UnixMs(began)).unwrap();
    let lasted = matches!(reason, EndReason::HungUpHere | EndReason::HungUpThere).then_some(9);
    let mut view = over(view, reason);
    if let crate::CallState::Ended { end } = &mut view.state {
        end.lasted_s = lasted;
    }
    store.end(id, &view, None).unwrap();
    id
}

fn all(store: &Store) -> Vec<PastCallView> {
    store.newest(None, 10_000).unwrap()
}

fn merge(store: &mut Store, records: &[Record]) -> usize {
    store.merge(&account(), records, NOW).unwrap().changed
}

#[test]
fn a_call_of_this_phone_does_not_stand_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = known(dir.path());
    let began = SINCE + 1_000;
    let first = here(&mut store, true, "+44 20 7946 0312", began, EndReason::HungUpThere);
    let again = here(&mut store, true, "+44 20 7946 0312", began + 12_000, EndReason::HungUpThere);
    // As the PBX writes the number, a little later, and in whole seconds.
    let records = [
        talked(record("r1", "02079460312", began + 900)),
        talked(record("r2", "02079460312", began + 12_900)),
    ];
    assert_eq!(merge(&mut store, &records), 0);
    assert_eq!(all(&store).iter().map(|call| call.id).collect::<Vec<_>>(), [again, first]);
    assert_eq!(merge(&mut store, &records), 0, "nor when the PBX tells of it once more");
    // Another direction, another number, another time: other calls.
    let others = [
        Record { incoming: false, ..record("r3", "02079460312", began) },
        record("r4", "103", began),
        record("r5", "02079460312", began + 60_000),
    ];
    assert_eq!((merge(&mut store, &others), all(&store).len()), (3, 5));
}

#[test]
fn a_call_of_another_phone_is_marked_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = known(dir.path());
    let made = Record { incoming: false, ..talked(record("r1", "103", SINCE + 1_000)) };
    let taken = talked(record("r2", "102", SINCE + 2_000));
    let missed = record("r3", "104", SINCE + 3_000);
    assert_eq!(merge(&mut store, &[made, taken, missed]), 3);
    let seen: Vec<_> = all(&store).iter().map(|c| (c.end.reason, c.elsewhere, c.seen)).collect();
    assert_eq!(
        seen,
        [
            (EndReason::Missed, false, false),
            (EndReason::AnsweredElsewhere, true, true),
            (EndReason::HungUpThere, true, true)
        ]
    );
}

#[test]
fn of_what_was_before_this_phone_nothing_is_claimed() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let records = [talked(record("r1", "102", SINCE)), record("r2", "103", SINCE + 1)];
    assert_eq!(merge(&mut store, &records), 2);
    let seen: Vec<_> = all(&store).iter().map(|c| (c.end.reason, c.elsewhere, c.seen)).collect();
    assert_eq!(seen, [(EndReason::Missed, false, true), (EndReason::HungUpThere, false, true)]);
}

#[test]
fn what_rang_here_and_was_taken_elsewhere_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = known(dir.path());
    let rang = here(&mut store, true, "102", SINCE + 1_000, EndReason::Missed);
    let spoken = here(&mut store, true, "103", SINCE + 1_000, EndReason::HungUpHere);
    let records = [talked(record("r1", "102", SINCE + 2_000)), talked(record("r2", "103", SINCE + 2_000))];
    assert_eq!(merge(&mut store, &records), 1);
    let of = |id| all(&store).into_iter().find(|call| call.id == id).unwrap();
    assert_eq!(
        (of(rang).end.reason, of(rang).elsewhere, of(rang).end.lasted_s),
        (EndReason::AnsweredElsewhere, true, Some(30))
    );
    assert_eq!(
        (of(spoken).end.reason, of(spoken).elsewhere, of(spoken).end.lasted_s),
        (EndReason::HungUpHere, false, Some(9))
    );
}

#[test]
fn several_records_of_one_call_are_one_call() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = known(dir.path());
    let leg = |id: &str, began| Record { call_id: Some("c1".into()), ..record(id, "102", began) };
    assert_eq!(merge(&mut store, &[leg("r1", SINCE + 1_000), leg("r2", SINCE + 31_000)]), 1);
    let back = Record { incoming: false, ..leg("r3", SINCE + 32_000) };
    assert_eq!(merge(&mut store, &[back]), 1, "the other way it is another");
}

#[test]
fn what_was_deleted_stays_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = known(dir.path());
    let ours = here(&mut store, true, "102", SINCE + 1_000, EndReason::Missed);
    let theirs = record("r2", "103", SINCE + 2_000);
    assert_eq!(merge(&mut store, std::slice::from_ref(&theirs)), 1);
    let theirs_id = all(&store)[0].id;
    store.forget(Some(ours)).unwrap();
    store.forget(Some(theirs_id)).unwrap();
    drop(store);
    let mut store = open(dir.path());
    let records = [record("r1", "102", SINCE + 1_500), theirs];
    assert_eq!((merge(&mut store, &records), all(&store).len()), (0, 0));
    assert_eq!(merge(&mut store, &records), 0);
    // But the next call of the same one is another.
    assert_eq!(merge(&mut store, &[record("r9", "102", SINCE + 3_000)]), 1);
    store.forget(None).unwrap();
    assert_eq!(merge(&mut store, &records), 0, "nor after everything was");
    assert_eq!(merge(&mut store, &[record("r9", "102", SINCE + 3_000)]), 0);
    let later = crate::calls::now().0 + 5_000;
    assert_eq!(store.merge(&account(), &[record("r10", "102", later)], UnixMs(later)).unwrap().changed, 1);
}

#[test]
fn thousands_take_their_places_by_time_and_the_oldest_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store { most: 3_000, ..known(dir.path()) };
    let ours = here(&mut store, false, "102", SINCE + 2_500_500, EndReason::Busy);
    let at = |n: u64| record(&format!("r{n}"), &format!("{}", 20_000_000 + n), SINCE + 1_000 * n);
    let mut changed = 0;
    for page in (0..4_000).collect::<Vec<u64>>().chunks(100).rev() {
        changed += merge(&mut store, &page.iter().map(|n| at(*n)).collect::<Vec<_>>());
    }
    assert!((2_999..=3_100).contains(&changed), "{changed}");
    let calls = all(&store);
    assert_eq!(calls.len(), 3_000);
    assert!(calls.is_sorted_by(|one, next| (one.began, one.id) > (next.began, next.id)));
    assert_eq!(calls.iter().position(|call| call.id == ours), Some(1_499), "ours stands among them");
    // Page by page, none is lost and none comes twice.
    let (mut read, mut before) = (Vec::new(), None);
    loop {
        let page = store.newest(before, 200).unwrap();
        before = page.last().map(|call| call.id);
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read, calls);
    assert_eq!(merge(&mut store, &[at(0), at(1)]), 0, "what made room does not come back");
    let since = store.newest(None, 1).unwrap()[0].id;
    store.see(since).unwrap();
    assert!(all(&store).iter().all(|call| call.seen || call.direction == Direction::Outgoing));
}

#[test]
fn whatever_a_pbx_may_tell_is_kept_as_it_is_or_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = known(dir.path());
    let odd = ["", "'; DROP TABLE calls; --", "\u{202e}201", &"9".repeat(1_000), "*", "anonymous"];
    let records: Vec<Record> = odd
        .iter()
        .enumerate()
        .map(|(n, number)| record(&format!("{n}'\""), number, SINCE + 60_000 * n as u64))
        .collect();
    assert_eq!(merge(&mut store, &records), odd.len());
    assert_eq!(merge(&mut store, &records), 0);
    let numbers: Vec<String> = all(&store).into_iter().rev().map(|call| call.peer.number).collect();
    assert_eq!(numbers, odd);
    let first = Record { began: UnixMs(0), ..record("zero", "1", 0) };
    let last = Record { began: UnixMs(u64::MAX), ..record("max", "1", 0) };
    assert_eq!(merge(&mut store, &[first, last]), 2);
}

#[test]
fn all_was_looked_through_once_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = known(dir.path());
    assert!(!store.merge(&account(), &[], NOW).unwrap().complete);
    store.looked_through(&account()).unwrap();
    assert!(store.merge(&account(), &[], NOW).unwrap().complete);
    assert!(!store.merge(&AccountId("bob@test.io".into()), &[], NOW).unwrap().complete);
}
