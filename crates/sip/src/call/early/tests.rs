use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use rsipstack::sip::{Method, Uri};

use super::*;
use crate::message::Body;

const SDP: &str = "v=0\r\n";

fn invite() -> Draft {
    Draft {
        method: Method::Invite,
        uri: Uri::try_from("sip:102@t").unwrap(),
        from: "<sip:101@t>;tag=a".into(),
        to: "<sip:102@t>".into(),
        call_id: "c".into(),
        sequence: Arc::new(AtomicU32::new(7)),
        routes: Vec::new(),
        headers: Vec::new(),
        body: Some(Body::sdp(SDP.into())),
    }
}

fn answer(status: &str, tag: &str, reliable: Option<u32>, sdp: &str) -> Response {
    let reliable = reliable.map(|n| format!("Require: 100rel\r\nRSeq: {n}\r\n")).unwrap_or_default();
    let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let text = format!(
        "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:101@t>;tag=a\r\n\
         To: <sip:102@t>{tag}\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\nContact: <sip:102@{}>\r\nAllow: UPDATE\r\n{reliable}{kind}\
         Content-Length: {}\r\n\r\n{sdp}",
        tag.strip_prefix(";tag=").unwrap_or("h"),
        sdp.len()
    );
    Response::try_from(text.as_str()).unwrap()
}

#[test]
fn every_phone_has_its_number_and_its_own_answer() {
    let mut early = Early::default();
    let mut heard = |tag: &str, sdp: &str| {
        early.heard(&invite(), &answer("183 Progress", tag, None, sdp)).map(|progress| progress.fork)
    };
    assert_eq!(heard(";tag=b", ""), Some(0));
    assert_eq!(heard(";tag=c", "v=c"), Some(1));
    assert_eq!(heard("", ""), Some(2));
    assert_eq!(heard(";tag=b", "v=b"), Some(0));
    assert_eq!(heard(";tag=b", ""), Some(0));
    assert_eq!(early.answer_of(Some("b")).as_deref(), Some("v=b"));
    assert_eq!(early.answer_of(Some("c")).as_deref(), Some("v=c"));
    assert_eq!((early.answer_of(None), early.answer_of(Some("d"))), (None, None));
}

#[test]
fn reliable_answers_are_acknowledged_in_order_for_each_phone() {
    let mut early = Early::default();
    let mut prack = |tag: &str, number: u32| {
        let progress = early.heard(&invite(), &answer("180 Ringing", tag, Some(number), ""))?;
        let prack = progress.acknowledgement?;
        let header = prack.headers.first()?.to_string();
        Some((prack.uri.to_string(), prack.to, header))
    };
    let of = |host: &str, number: u32| {
        Some((
            format!("sip:102@{host}"),
            format!("<sip:102@t>;tag={host}"),
            format!("RAck: {number} 7 INVITE"),
        ))
    };
    assert_eq!(prack(";tag=b", 1), of("b", 1));
    // The same number from another phone is another answer.
    assert_eq!(prack(";tag=c", 1), of("c", 1));
    // A repetition, one too many, the next.
    assert_eq!(prack(";tag=b", 1), None);
    assert_eq!(prack(";tag=b", 3), None);
    assert_eq!(prack(";tag=b", 2), of("b", 2));
    assert_eq!(prack(";tag=c", u32::MAX), None);
}

#[test]
fn a_new_offer_may_follow_a_reliable_answer_of_the_only_phone() {
    let mut early = Early::default();
    early.heard(&invite(), &answer("183 Progress", ";tag=b", None, SDP));
    assert!(early.agreed().is_none());
    early.heard(&invite(), &answer("183 Progress", ";tag=b", Some(9), SDP));
    assert!(early.agreed().is_some());
    early.heard(&invite(), &answer("180 Ringing", ";tag=c", None, ""));
    assert!(early.agreed().is_none());
}

#[test]
fn a_flood_of_phones_is_bounded() {
    let mut early = Early::default();
    let taken = (0..1000).filter(|n| {
        early.heard(&invite(), &answer("180 Ringing", &format!(";tag=t{n}"), None, "")).is_some()
    });
    assert_eq!(taken.count(), MOST);
}
