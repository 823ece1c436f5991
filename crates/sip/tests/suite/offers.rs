//! Offers within a call: ours, theirs, and both at once.

use std::time::{Duration, Instant};

use crate::common::peer::{Message, Peer};
use crate::common::{ANSWER, OFFER, Phone};
use crate::edges::{called, registered, within};
use sip::{CallKey, EndCause, Event};

const SDP: &str = "Content-Type: application/sdp\r\n";

fn anew(port: u16) -> String {
    OFFER.replace("40000", &port.to_string())
}

fn ok(request: &Message, peer: &Peer, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { SDP };
    request.answer("200 OK", "bob", &format!("{}{kind}", peer.contact()), body)
}

/// A call whose INVITE has been acknowledged.
async fn established() -> (Phone, Peer, CallKey, Message) {
    let (mut phone, peer) = registered().await;
    let (call, invite) = called(&mut phone, &peer).await;
    peer.receive("ACK").await;
    (phone, peer, call, invite)
}

async fn until_refused(phone: &mut Phone) -> Option<u16> {
    phone
        .until(|event| match event {
            Event::OfferRefused { status, .. } => Some(*status),
            _ => None,
        })
        .await
}

async fn hang_up(mut phone: Phone, peer: &Peer, call: CallKey) {
    phone.agent.hang_up(call);
    let bye = peer.receive("BYE").await;
    peer.send(&bye.answer("200 OK", "", "", ""), bye.from).await;
    assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_offer_of_ours_is_answered_or_refused() {
    let (mut phone, peer, call, invite) = established().await;
    phone.agent.reoffer(call, anew(40010));
    let first = peer.receive("INVITE").await;
    assert!(first.text.ends_with(&anew(40010)));
    assert_eq!(first.header("Call-ID"), invite.header("Call-ID"));
    assert!(first.header("To").ends_with(";tag=bob") && first.header("CSeq").starts_with("2 "));
    // A challenge on the way, in a dialog as elsewhere.
    let challenge = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"1\", qop=\"auth\"\r\n";
    peer.send(&first.answer("407 Authenticate", "", challenge, ""), first.from).await;
    peer.receive("ACK").await;
    let second = peer.receive("INVITE").await;
    assert!(second.header("Proxy-Authorization").contains("realm=\"p\""));
    // The 2xx moves the target along; sent again it is acknowledged again.
    let moved = ok(&second, &peer, ANSWER).replace("sip:%2349102@", "sip:moved@");
    peer.send(&moved, second.from).await;
    assert!(peer.receive("ACK").await.start().starts_with("ACK sip:moved@"));
    assert_eq!(phone.until_answer().await, ANSWER);
    peer.send(&moved, second.from).await;
    peer.receive("ACK").await;
    // The session is as it was after a refusal.
    phone.agent.reoffer(call, anew(40020));
    let third = peer.receive("INVITE").await;
    assert!(third.start().starts_with("INVITE sip:moved@"));
    peer.send(&third.answer("488 Not Acceptable Here", "", "", ""), third.from).await;
    peer.receive("ACK").await;
    assert_eq!(until_refused(&mut phone).await, Some(488));
    hang_up(phone, &peer, call).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_newest_of_the_offers_that_wait_is_sent() {
    let (mut phone, peer, call, _) = established().await;
    phone.agent.reoffer(call, anew(40010));
    let first = peer.receive("INVITE").await;
    assert!(first.text.ends_with(&anew(40010)));
    peer.send(&first.answer("100 Trying", "", "", ""), first.from).await;
    phone.agent.reoffer(call, anew(40015));
    phone.agent.reoffer(call, anew(40016));
    peer.send(&ok(&first, &peer, ANSWER), first.from).await;
    peer.receive("ACK").await;
    phone.until_answer().await;
    let next = peer.receive("INVITE").await;
    assert!(next.text.ends_with(&anew(40016)), "{}", next.text);
    peer.send(&ok(&next, &peer, ANSWER), next.from).await;
    peer.receive("ACK").await;
    phone.until_answer().await;
    hang_up(phone, &peer, call).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_that_cross_are_sent_again_by_the_rules() {
    let (mut phone, peer, call, invite) = established().await;
    phone.agent.reoffer(call, anew(40010));
    let ours = peer.receive("INVITE").await;
    // Theirs is refused while ours is under way, and ours by them.
    peer.send(&within(&invite, &peer, "INVITE", 1, &format!("{}{SDP}", peer.contact()), OFFER), ours.from)
        .await;
    peer.receive("SIP/2.0 491").await;
    let ack = within(&invite, &peer, "ACK", 1, "", "").replace("bKACK1", "bKINVITE1");
    peer.send(&ack, ours.from).await;
    peer.send(&ours.answer("491 Request Pending", "", "", ""), ours.from).await;
    peer.receive("ACK").await;
    let refused = Instant::now();
    // The pause of the Call-ID's owner leaves room for theirs; no sooner than the refusal of ours is taken in.
    let mut cseq = 2;
    loop {
        let theirs = within(&invite, &peer, "INVITE", cseq, &format!("{}{SDP}", peer.contact()), OFFER);
        peer.send(&theirs, ours.from).await;
        if !peer.receive("SIP/2.0").await.start().contains("491") {
            break;
        }
        let ack = within(&invite, &peer, "ACK", cseq, "", "").replace("bKACK", "bKINVITE");
        peer.send(&ack, ours.from).await;
        cseq += 1;
    }
    assert_eq!(phone.until_offer().await.as_deref(), Some(OFFER));
    phone.agent.answer_offer(call, Some(ANSWER.into()));
    peer.receive("SIP/2.0 200").await;
    peer.send(&within(&invite, &peer, "ACK", cseq, "", ""), ours.from).await;
    let again = peer.receive("INVITE").await;
    assert!(refused.elapsed() >= Duration::from_millis(2050), "{:?}", refused.elapsed());
    assert!(again.text.ends_with(&anew(40010)));
    peer.send(&ok(&again, &peer, ANSWER), again.from).await;
    peer.receive("ACK").await;
    assert_eq!(phone.until_answer().await, ANSWER);
    hang_up(phone, &peer, call).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_knows_nothing_of_the_call_ends_it() {
    for status in ["481 No Such Dialog", "408 Timeout"] {
        let (mut phone, peer, call, _) = established().await;
        phone.agent.reoffer(call, anew(40010));
        let ours = peer.receive("INVITE").await;
        peer.send(&ours.answer(status, "", "", ""), ours.from).await;
        peer.receive("ACK").await;
        let code = status[..3].parse().ok();
        assert_eq!(phone.until_ended().await, (EndCause::ConnectionLost, code));
        peer.receive("BYE").await;
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn infos_go_out_one_after_the_other_and_come_in() {
    let (mut phone, peer, call, invite) = established().await;
    let digit = |digit: char| format!("Signal={digit}\r\nDuration=160\r\n");
    for one in "12#".chars() {
        phone.agent.info(call, "application/dtmf-relay", digit(one));
    }
    for one in "12#".chars() {
        let info = peer.receive("INFO").await;
        assert!(info.text.ends_with(&digit(one)), "{}", info.text);
        assert_eq!(info.header("Content-Type"), "application/dtmf-relay");
        assert!(!peer.pending().iter().any(|line| line.starts_with("INFO")), "one at a time");
        peer.send(&info.answer("200 OK", "", "", ""), info.from).await;
    }
    let kind = "Content-Type: application/dtmf-relay\r\n";
    peer.send(&within(&invite, &peer, "INFO", 1, kind, &digit('7')), invite.from).await;
    peer.receive("SIP/2.0 200").await;
    let (content_type, body) = phone
        .until(|event| match event {
            Event::Info { content_type, body, .. } => Some((content_type.clone(), body.clone())),
            _ => None,
        })
        .await;
    assert_eq!((content_type.as_str(), body), ("application/dtmf-relay", digit('7')));
    // Packages, the one there is and another (RFC 6086). Without ICE nobody is told of it.
    assert!(!invite.text.contains("trickle"), "{}", invite.text);
    let fragment = "Info-Package: Trickle-ICE\r\nContent-Type: application/trickle-ice-sdpfrag\r\n";
    peer.send(&within(&invite, &peer, "INFO", 2, fragment, "a=x\r\n"), invite.from).await;
    peer.receive("SIP/2.0 200").await;
    let told = phone
        .until(|event| match event {
            Event::Info { content_type, .. } => Some(content_type.clone()),
            _ => None,
        })
        .await;
    assert_eq!(told, "application/trickle-ice-sdpfrag");
    peer.send(&within(&invite, &peer, "INFO", 3, "Info-Package: weather\r\n", ""), invite.from).await;
    assert_eq!(peer.receive("SIP/2.0 469").await.header("Recv-Info"), "trickle-ice");
    hang_up(phone, &peer, call).await;
}
