use super::*;
use crate::{CallId, ProtectionView, Spread, Verdict, VerdictSeen};

pub(crate) fn dialled(id: u32, number: &str) -> CallView {
    CallView {
        id: CallId(id),
        account: AccountId("alice@test.io".into()),
        direction: Direction::Outgoing,
        peer: PeerView { number: number.into(), name: Some("Bob".into()), picture: None },
        state: CallState::Calling,
        muted: false,
        muted_talk: false,
        remote_held: false,
        merged: false,
        diverted_by: None,
        follows: None,
        transfer: None,
        digits: "1234#".into(),
        digits_waiting: None,
        codec: None,
        protection: ProtectionView::None,
        setup_ms: None,
        verdict: None,
        recording: false,
        recorded: None,
    }
}

pub(crate) fn over(call: CallView, reason: EndReason) -> CallView {
    CallView {
        state: CallState::Ended { end: CallEnd { reason, status: Some(486), lasted_s: Some(9) } },
        ..call
    }
}

fn open(dir: &Path) -> Store {
    let (store, aside) = Store::open(dir).unwrap();
    assert_eq!(aside, None);
    store
}

fn numbers(store: &Store) -> Vec<String> {
    store.newest(None, 100).unwrap().into_iter().map(|call| call.peer.number).collect()
}

fn call(store: &mut Store, number: &str) -> PastId {
    let view = dialled(1, number);
    let id = store.begin(&view, UnixMs(1_000)).unwrap();
    store.end(id, &over(view, EndReason::Busy), None).unwrap();
    id
}

#[test]
fn what_is_written_is_read_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let summary = CallSummary {
        codec: Some("opus".into()),
        mos: Some(Spread { least: 3.0, mean: 4.0, most: 4.5 }),
        verdicts: vec![VerdictSeen { verdict: Verdict::Muted, at_s: 1.0, lasted_s: 2.0 }],
        ..CallSummary::default()
    };
    let from = PeerView { number: "103".into(), name: None, picture: None };
    let written = {
        let mut store = open(dir.path());
        let view = CallView { direction: Direction::Incoming, ..dialled(1, "102") };
        let id = store.begin(&view, UnixMs(1_790_000_000_000)).unwrap();
        assert_eq!(store.newest(None, 9).unwrap(), [], "it is not over");
        let view = CallView { diverted_by: Some(from.clone()), recorded: Some("/a.wav".into()), ..view };
        store.end(id, &over(view, EndReason::HungUpThere), Some(&summary)).unwrap().unwrap()
    };
    assert_eq!(open(dir.path()).newest(None, 9).unwrap(), std::slice::from_ref(&written));
    assert_eq!(written.summary.as_deref(), Some(&summary));
    assert_eq!((written.direction, written.diverted_by), (Direction::Incoming, Some(from)));
    assert_eq!((written.began, written.recorded.as_deref()), (UnixMs(1_790_000_000_000), Some("/a.wav")));
    assert_eq!(written.end, CallEnd { reason: EndReason::HungUpThere, status: Some(486), lasted_s: Some(9) });
}

#[test]
fn a_call_whose_end_the_phone_did_not_live_to_see_is_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).begin(&dialled(1, "102"), UnixMs(5)).unwrap();
    let found = open(dir.path()).newest(None, 9).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].end.reason, EndReason::ConnectionLost);
}

#[test]
fn the_oldest_calls_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store { most: 3, ..open(dir.path()) };
    for number in ["1", "2", "3", "4", "5"] {
        call(&mut store, number);
    }
    assert_eq!(numbers(&store), ["5", "4", "3"]);
}

#[test]
fn calls_are_read_page_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let ids: Vec<PastId> = (0..5).map(|n| call(&mut store, &n.to_string())).collect();
    let page = |before| -> Vec<PastId> {
        store.newest(before, 2).unwrap().into_iter().map(|call| call.id).collect()
    };
    assert_eq!(page(None), [ids[4], ids[3]]);
    assert_eq!(page(Some(ids[3])), [ids[2], ids[1]]);
}

#[test]
fn what_was_seen_stays_seen() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let first = call(&mut store, "1");
    call(&mut store, "2");
    store.see(first).unwrap();
    let seen: Vec<bool> = open(dir.path()).newest(None, 9).unwrap().iter().map(|call| call.seen).collect();
    assert_eq!(seen, [false, true]);
}

#[test]
fn of_what_is_forgotten_nothing_is_left_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let first = call(&mut store, "0117-4960148");
    call(&mut store, "0117-4960149");
    let on_disk = |number: &str| {
        let files = fs::read_dir(dir.path()).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(number.len()).any(|at| at == number.as_bytes()))
    };
    assert!(on_disk("0117-4960148"));
    store.forget(Some(first)).unwrap();
    assert_eq!(numbers(&store), ["0117-4960149"]);
    assert!(!on_disk("0117-4960148") && on_disk("0117-4960149"));
    let running = dialled(7, "102");
    let id = store.begin(&running, UnixMs(9)).unwrap();
    store.forget(None).unwrap();
    assert!(numbers(&store).is_empty() && !on_disk("0117-4960149"));
    store.end(id, &over(running, EndReason::Busy), None).unwrap();
    assert_eq!(numbers(&store), ["102"], "a call in progress is still written");
}

#[test]
fn digits_sent_are_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    call(&mut open(dir.path()), "102");
    let bytes = fs::read(dir.path().join("history.db")).unwrap();
    assert!(!bytes.windows(5).any(|at| at == b"1234#"));
}

#[test]
fn a_file_of_a_later_version_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let later = MIGRATIONS.len() + 1;
    let db = Connection::open(file(dir.path())).unwrap();
    db.execute_batch("CREATE TABLE unheard_of (x)").unwrap();
    db.pragma_update(None, "user_version", later as i64).unwrap();
    drop(db);
    let before = fs::read(file(dir.path())).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::TooNew(version)) if version == later));
    assert!(matches!(Store::look_at(dir.path()), Err(StoreError::TooNew(_))));
    assert_eq!(fs::read(file(dir.path())).unwrap(), before);
}

#[test]
fn a_broken_file_is_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    for n in 0..200 {
        call(&mut store, &format!("0117 {n}"));
    }
    drop(store);
    let mut torn = fs::read(file(dir.path())).unwrap();
    torn[4096..12_288].fill(0xa5);
    for bytes in [b"not a call list at all".repeat(100), torn] {
        fs::write(file(dir.path()), &bytes).unwrap();
        let (mut store, aside) = Store::open(dir.path()).unwrap();
        let aside = aside.unwrap();
        assert_eq!(fs::read(&aside).unwrap(), bytes);
        call(&mut store, "102");
        assert_eq!(numbers(&store), ["102"]);
        drop(store);
        fs::remove_file(aside).unwrap();
    }
}

#[test]
fn each_version_leads_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    call(&mut open(dir.path()), "102");
    let mut db = Connection::open(file(dir.path())).unwrap();
    let note = "ALTER TABLE calls ADD COLUMN note TEXT";
    let steps: Vec<&str> = MIGRATIONS.iter().copied().chain([note]).collect();
    migrate(&mut db, &steps).unwrap();
    assert_eq!(version(&db).unwrap(), steps.len());
    let kept: i64 =
        db.query_row("SELECT COUNT(*) FROM calls WHERE note IS NULL", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1);
    // A step that fails leaves the file at the version it had.
    let steps: Vec<&str> = steps.into_iter().chain(["CREATE TABLE more (x); DROP TABLE nowhere"]).collect();
    assert!(migrate(&mut db, &steps).is_err());
    assert_eq!(version(&db).unwrap(), MIGRATIONS.len() + 1);
    assert!(db.prepare("SELECT * FROM more").is_err());
}

#[test]
fn two_phones_of_one_user_write_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let writing = |name: &'static str| {
        let dir = dir.path().to_owned();
        std::thread::spawn(move || {
            let mut store = Store::open(&dir).unwrap().0;
            for _ in 0..20 {
                call(&mut store, name);
            }
        })
    };
    let both = [writing("one"), writing("two")];
    both.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(numbers(&open(dir.path())).len(), 40);
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    call(&mut store, "102");
    for entry in fs::read_dir(dir.path()).unwrap() {
        let mode = entry.as_ref().unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{entry:?}");
    }
}
