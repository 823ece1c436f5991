//! The user's call records: what the PBX remembers of the calls of all of the user's phones.

use std::time::{Duration, SystemTime};

use secrecy::SecretString;

use crate::contact::{is_opaque, line};
use crate::json::Object;
use crate::request::JSON_LIMIT;
use crate::{ApiError, Client, timestamp};

/// Longest a call may say that it was.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// One end of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordParty {
    /// Number, or the user part of an address.
    pub number: String,
    /// Name, where the PBX knows one.
    pub name: Option<String>,
}

/// Which way a call went, as the PBX sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordDirection {
    /// `INBOUND_CALL`: from outside.
    Inbound,
    /// `OUTBOUND_CALL`: to the outside.
    Outbound,
    /// `EXTENSION_CALL`, `INBOUND_OUTBOUND_CALL`, or one that this client does not know: the numbers say.
    Other,
}

/// Who or what ended a call (`end_reason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordEnd {
    /// `CALLER_DISCONNECTED`.
    Caller,
    /// `CALLEE_DISCONNECTED`.
    Callee,
    /// `BLIND_TRANSFER_COMPLETED`, `CONSULT_TRANSFER_COMPLETED`, `REFERRED`, `REPLACED`: it went on elsewhere.
    HandedOn,
    /// `CANCELLED`.
    Cancelled,
    /// One that is not told, or that this client does not know.
    Other,
}

/// A call record (`GET /user/cdrs`). Whether its `call_id` is the Call-ID of any SIP dialog no document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// Opaque id.
    pub id: String,
    /// The same for all records of one call.
    pub call_id: Option<String>,
    /// Who called.
    pub caller: RecordParty,
    /// Who was called.
    pub callee: RecordParty,
    /// When it began, by the clock of the PBX.
    pub started_at: SystemTime,
    /// When it was answered.
    pub answered_at: Option<SystemTime>,
    /// When it ended; none as long as it lasts.
    pub ended_at: Option<SystemTime>,
    /// Which way.
    pub direction: RecordDirection,
    /// How it ended.
    pub end: RecordEnd,
    /// It was sent on to somebody else (`reroute_reason`).
    pub rerouted: bool,
    /// SIP status that ended it.
    pub status: Option<u16>,
}

/// A part of the call records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// How many there are in all, where the PBX counts.
    pub count: Option<u64>,
    /// How many entries were sent, readable or not: where the next part begins.
    pub sent: usize,
    /// Those of this part, in the order of the PBX.
    pub records: Vec<CallRecord>,
    /// When it was written, by the clock of the PBX.
    pub at: SystemTime,
}

impl Client {
    /// `GET /user/cdrs`: the user's call records, at most 100 of them, from the one numbered `skip`.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where the access token is not accepted, [`ApiError::Refused`] or
    /// [`ApiError::NotFound`] where this PBX does not offer them to this user.
    pub async fn call_records(
        &self,
        access: &SecretString,
        skip: u64,
        top: u8,
    ) -> Result<RecordPage, ApiError> {
        let mut url = self.url("user/cdrs");
        let top = top.clamp(1, 100);
        url.query_pairs_mut().append_pair("skip", &skip.to_string()).append_pair("top", &top.to_string());
        let answer = self.get(url).bearer(access)?.answer(JSON_LIMIT).await?;
        read_page(&answer.bytes, answer.date())
    }
}

impl CallRecord {
    /// How long it was talked; none where it was not answered.
    pub fn lasted(&self) -> Option<Duration> {
        let (answered, ended) = (self.answered_at?, self.ended_at?);
        Some(ended.duration_since(answered).unwrap_or_default().min(LONGEST))
    }
}

pub(crate) fn read_page(bytes: &[u8], at: SystemTime) -> Result<RecordPage, ApiError> {
    let mut answer = Object::parse("cdrs", bytes)?;
    let mut items = answer.objects("items")?;
    let count = answer.number("count")?;
    let mut page = RecordPage { count, sent: items.len(), records: Vec::new(), at };
    for item in &mut items {
        // One that makes no sense does not keep the others from being read.
        page.records.extend(read(item).ok().flatten());
    }
    Ok(page)
}

/// One without an id or a beginning cannot be told from others, and is left out.
fn read(item: &mut Object) -> Result<Option<CallRecord>, ApiError> {
    let Some(id) = item.text("id")?.filter(|id| is_opaque(id)) else { return Ok(None) };
    let Some(started_at) = moment(item, "started_at")? else { return Ok(None) };
    let direction = match item.text("direction")?.as_deref() {
        Some("INBOUND_CALL") => RecordDirection::Inbound,
        Some("OUTBOUND_CALL") => RecordDirection::Outbound,
        _ => RecordDirection::Other,
    };
    let end = match item.text("end_reason")?.as_deref() {
        Some("CALLER_DISCONNECTED") => RecordEnd::Caller,
        Some("CALLEE_DISCONNECTED") => RecordEnd::Callee,
        Some("CANCELLED") => RecordEnd::Cancelled,
        Some(
            "BLIND_TRANSFER_COMPLETED"
            | "CONSULT_TRANSFER_COMPLETED"
            | "REFERRED"
            | "REPLACED"
            | "REDIRECTED",
        ) => RecordEnd::HandedOn,
        _ => RecordEnd::Other,
    };
    Ok(Some(CallRecord {
        id,
        call_id: item.text("call_id")?.filter(|id| is_opaque(id)),
        caller: party(item, "caller", "caller_display_name")?,
        callee: party(item, "callee", "callee_display_name")?,
        started_at,
        answered_at: moment(item, "answered_at")?,
        ended_at: moment(item, "ended_at")?,
        direction,
        end,
        rerouted: item.text("reroute_reason")?.is_some(),
        status: item.number("status_code").ok().flatten().and_then(|status| u16::try_from(status).ok()),
    }))
}

fn moment(item: &mut Object, field: &str) -> Result<Option<SystemTime>, ApiError> {
    Ok(item.text(field)?.and_then(|text| timestamp::parse(&text)))
}

fn party(item: &mut Object, number: &str, name: &str) -> Result<RecordParty, ApiError> {
    let whole = line(item, number)?.unwrap_or_default();
    let bare = whole.strip_prefix("sips:").or_else(|| whole.strip_prefix("sip:")).unwrap_or(&whole);
    let user = bare.split(['@', ';']).next().unwrap_or_default();
    Ok(RecordParty { number: user.trim().to_owned(), name: line(item, name)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_in_any_zone_and_nonsense_is_left_out() {
        let body = br#"{"count":7,"items":[
            {"id":"r1","call_id":"c1","caller":"sip:102@test.io;user=phone","caller_display_name":"Bob\u0007 Chen",
             "callee":"101","started_at":"1994-11-06T10:19:37+01:30","answered_at":"1994-11-06T08:49:47Z",
             "ended_at":"1994-11-06T08:50:00Z","direction":"EXTENSION_CALL","end_reason":"CALLEE_DISCONNECTED",
             "status_code":200,"duration":13},
            {"id":"r2","started_at":"1994-11-06T08:49:37Z","answered_at":"1994-11-06T08:49:37Z",
             "ended_at":"1994-11-05T08:49:37Z","direction":"SIDEWAYS","status_code":-1},
            {"id":"r3","started_at":"yesterday"},
            {"started_at":"1994-11-06T08:49:37Z"},
            {"id":"r5","started_at":"1994-11-06T08:49:37Z","caller":["102"]}]}"#;
        let page = read_page(body, SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!((page.count, page.sent), (Some(7), 5));
        let [first, second] = page.records.as_slice() else { panic!("{page:?}") };
        assert_eq!(first.started_at, SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777));
        assert_eq!((first.caller.number.as_str(), first.caller.name.as_deref()), ("102", Some("Bob Chen")));
        assert_eq!((first.lasted(), first.end), (Some(Duration::from_secs(13)), RecordEnd::Callee));
        assert_eq!((first.direction, first.status), (RecordDirection::Other, Some(200)));
        assert_eq!((second.lasted(), second.status), (Some(Duration::ZERO), None));
        for body in ["[]", r#"{"items":{}}"#, r#"{"items":[7]}"#] {
            assert!(read_page(body.as_bytes(), SystemTime::UNIX_EPOCH).is_err(), "{body}");
        }
    }
}
