//! What the PBX remembers of a call, as the call list would have kept it.

use std::time::{SystemTime, UNIX_EPOCH};

use pbx_api::{CallRecord, RecordDirection, RecordEnd, RecordPage};

use crate::{EndReason, PeerView, UnixMs};

/// A call that is said to begin later than this is nobody's, milliseconds.
const AHEAD: u64 = 24 * 3_600_000;

/// A call that is over, as the PBX remembers it, by our clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its id at the PBX.
    pub(crate) id: String,
    /// The same for all records of one call.
    pub(crate) call_id: Option<String>,
    pub(crate) incoming: bool,
    pub(crate) peer: PeerView,
    pub(crate) began: UnixMs,
    /// Why it ended; of one that was answered, as if it had been answered here.
    pub(crate) reason: EndReason,
    pub(crate) status: Option<u16>,
    /// Seconds it was talked; none where nobody of this extension answered.
    pub(crate) lasted_s: Option<u32>,
}

/// The calls of a page that are over, for the extension `own`, oldest first.
pub(crate) fn ours(page: &RecordPage, own: &str, now: SystemTime) -> Vec<Record> {
    let mut all: Vec<Record> =
        page.records.iter().filter_map(|record| one(record, own, page.at, now)).collect();
    all.sort_by_key(|record| record.began);
    all
}

fn one(record: &CallRecord, own: &str, theirs: SystemTime, now: SystemTime) -> Option<Record> {
    record.ended_at?;
    let began = by_our_clock(millis(record.started_at)?, millis(theirs)?, millis(now)?)?;
    let (from_us, to_us) = (record.caller.number == own, record.callee.number == own);
    let incoming = match record.direction {
        _ if from_us => false,
        _ if to_us => true,
        direction => direction != RecordDirection::Outbound,
    };
    let other = if incoming { &record.caller } else { &record.callee };
    // What was sent on was answered by somebody else, or by the mailbox.
    let lasted = record.lasted().filter(|_| !(incoming && record.rerouted));
    let reason = match record.end {
        _ if lasted.is_none() => unanswered(incoming, record),
        RecordEnd::HandedOn => EndReason::Transferred,
        RecordEnd::Caller if incoming => EndReason::HungUpThere,
        RecordEnd::Callee if !incoming => EndReason::HungUpThere,
        _ => EndReason::HungUpHere,
    };
    Some(Record {
        id: record.id.clone(),
        call_id: record.call_id.clone(),
        incoming,
        peer: PeerView { number: other.number.clone(), name: other.name.clone(), picture: None },
        began,
        reason,
        status: record.status.filter(|status| *status >= 300),
        lasted_s: lasted.map(|lasted| u32::try_from(lasted.as_secs()).unwrap_or(u32::MAX)),
    })
}

fn unanswered(incoming: bool, record: &CallRecord) -> EndReason {
    match record.status {
        _ if incoming => EndReason::Missed,
        _ if record.end == RecordEnd::Cancelled => EndReason::Cancelled,
        Some(486 | 600) => EndReason::Busy,
        Some(404 | 484 | 604) => EndReason::NotFound,
        Some(401 | 403 | 407) => EndReason::Forbidden,
        Some(603) => EndReason::Declined,
        Some(408 | 480) => EndReason::NoAnswer,
        _ if record.end == RecordEnd::Caller => EndReason::Cancelled,
        _ => EndReason::NoAnswer,
    }
}

/// A moment of the PBX's clock by ours; none for one that has not come yet.
fn by_our_clock(moment: u64, theirs: u64, now: u64) -> Option<UnixMs> {
    // Its clock is told in whole seconds: less than two is no difference.
    let moment = match theirs.abs_diff(now) < 2_000 {
        true => moment,
        false => moment.saturating_add(now).saturating_sub(theirs),
    };
    (moment <= now.saturating_add(AHEAD)).then_some(UnixMs(moment.min(now)))
}

fn millis(moment: SystemTime) -> Option<u64> {
    u64::try_from(moment.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pbx_api::RecordParty;

    use super::*;

    const NOW: u64 = 1_790_000_000;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn party(number: &str) -> RecordParty {
        RecordParty { number: number.into(), name: None }
    }

    fn record() -> CallRecord {
        CallRecord {
            id: "r1".into(),
            call_id: None,
            caller: party("102"),
            callee: party("101"),
            started_at: at(NOW - 100),
            answered_at: Some(at(NOW - 95)),
            ended_at: Some(at(NOW - 60)),
            direction: RecordDirection::Other,
            end: RecordEnd::Caller,
            rerouted: false,
            status: Some(200),
        }
    }

    fn read(record: CallRecord, their_clock: u64) -> Option<Record> {
        let page = RecordPage { count: None, sent: 1, records: vec![record], at: at(their_clock) };
        ours(&page, "101", at(NOW)).pop()
    }

    #[test]
    fn who_called_whom_is_told_by_the_numbers() {
        let way = |change: CallRecord| read(change, NOW).map(|r| (r.incoming, r.peer.number, r.reason));
        assert_eq!(way(record()), Some((true, "102".into(), EndReason::HungUpThere)));
        let out = CallRecord { caller: party("101"), callee: party("9196"), ..record() };
        assert_eq!(way(out), Some((false, "9196".into(), EndReason::HungUpHere)));
        // A queue was called, or one's number outside.
        let queue = CallRecord { callee: party("8000"), direction: RecordDirection::Inbound, ..record() };
        assert_eq!(way(queue).map(|way| way.0), Some(true));
        let outside = CallRecord { caller: party("+4420"), callee: party("+4930"), ..record() };
        let outside = CallRecord { direction: RecordDirection::Outbound, ..outside };
        assert_eq!(way(outside), Some((false, "+4930".into(), EndReason::HungUpHere)));
    }

    #[test]
    fn what_was_not_answered_says_why() {
        let not = CallRecord { answered_at: None, end: RecordEnd::Other, ..record() };
        let missed = read(CallRecord { status: Some(487), ..not.clone() }, NOW).unwrap();
        assert_eq!((missed.reason, missed.lasted_s, missed.status), (EndReason::Missed, None, Some(487)));
        let voicemail = read(CallRecord { rerouted: true, ..record() }, NOW).unwrap();
        assert_eq!((voicemail.reason, voicemail.lasted_s), (EndReason::Missed, None));
        let out = |status, end| {
            let record =
                CallRecord { caller: party("101"), callee: party("102"), status, end, ..not.clone() };
            read(record, NOW).unwrap().reason
        };
        assert_eq!(out(Some(486), RecordEnd::Other), EndReason::Busy);
        assert_eq!(out(Some(487), RecordEnd::Cancelled), EndReason::Cancelled);
        assert_eq!(out(None, RecordEnd::Other), EndReason::NoAnswer);
    }

    #[test]
    fn a_clock_that_is_wrong_there_is_set_right_here() {
        for ahead in [7_200, 90, 0] {
            let skewed = CallRecord { started_at: at(NOW - 100 + ahead), ..record() };
            assert_eq!(read(skewed, NOW + ahead).unwrap().began, UnixMs((NOW - 100) * 1000), "{ahead}");
        }
        let behind = CallRecord { started_at: at(NOW - 3_700), ..record() };
        assert_eq!(read(behind, NOW - 3_600).unwrap().began, UnixMs((NOW - 100) * 1000));
    }

    #[test]
    fn what_lasts_or_has_not_begun_is_left_out() {
        assert_eq!(read(CallRecord { ended_at: None, ..record() }, NOW), None);
        assert_eq!(read(CallRecord { started_at: at(NOW + 90_000), ..record() }, NOW), None);
        let early = CallRecord { started_at: at(0), ..record() };
        assert_eq!(read(early, NOW + 10).unwrap().began, UnixMs(0), "before time began it is its beginning");
    }
}
