//! What happens at the edges: told message by message to a peer that speaks plain text.

use std::time::{Duration, Instant};

use crate::common::peer::{Message, Peer};
use crate::common::{ANSWER, OFFER, Phone, account, free_port};
use sip::{Account, CallKey, Cause, EndCause, Error, Event, Proxy, Registration, Transport};

const SDP: &str = "Content-Type: application/sdp\r\n";

pub async fn registered() -> (Phone, Peer) {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    peer.register().await;
    phone.until_registered().await;
    (phone, peer)
}

/// A call out, answered; with the INVITE it began with.
pub async fn called(phone: &mut Phone, peer: &Peer) -> (CallKey, Message) {
    let call = phone.agent.invite("102", OFFER.into());
    let invite = peer.receive("INVITE").await;
    peer.send(&ok(&invite, peer), invite.from).await;
    phone.until_answered().await;
    (call, invite)
}

pub fn ok(invite: &Message, peer: &Peer) -> String {
    invite.answer("200 OK", "bob", &format!("{}{SDP}", peer.contact()), ANSWER)
}

/// A request of theirs within the dialog of a call out.
pub fn within(invite: &Message, peer: &Peer, method: &str, cseq: u32, headers: &str, body: &str) -> String {
    format!(
        "{method} sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{};branch=z9hG4bK{method}{cseq}\r\n\
         From: {};tag=bob\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        peer.port,
        invite.header("To"),
        invite.header("From"),
        invite.header("Call-ID"),
        body.len()
    )
}

async fn until_retrying(phone: &mut Phone) -> (Cause, Option<u16>) {
    phone
        .until(|event| match event {
            Event::Registration(Registration::Retrying { cause, status, .. }) => Some((*cause, *status)),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_2xx_is_acknowledged_and_a_second_branch_is_hung_up_on() {
    let (mut phone, peer) = registered().await;
    let (call, invite) = called(&mut phone, &peer).await;
    let first = peer.receive("ACK").await;
    // The escaped user part of the Contact arrives as it was sent.
    assert!(first.start().starts_with("ACK sip:%2349102@127.0.0.1"), "{}", first.start());
    peer.send(&ok(&invite, &peer), invite.from).await;
    peer.receive("ACK").await;
    let other = ok(&invite, &peer).replace("tag=bob", "tag=carol");
    peer.send(&other, invite.from).await;
    assert!(peer.receive("ACK").await.header("To").contains("carol"));
    let bye = peer.receive("BYE").await;
    assert!(bye.header("To").contains("carol"));
    peer.send(&bye.answer("200 OK", "", "", ""), bye.from).await;
    phone.agent.hang_up(call);
    assert!(peer.receive("BYE").await.header("To").contains("bob"));
    assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_2xx_that_crosses_the_cancel_is_acknowledged_and_hung_up_on() {
    let (mut phone, peer) = registered().await;
    let call = phone.agent.invite("102", OFFER.into());
    let invite = peer.receive("INVITE").await;
    peer.send(&invite.answer("180 Ringing", "bob", "", ""), invite.from).await;
    phone.until_ringing().await;
    phone.agent.hang_up(call);
    assert_eq!(phone.until_ended().await, (EndCause::CancelledHere, None));
    let cancel = peer.receive("CANCEL").await;
    assert_eq!(cancel.header("Via"), invite.header("Via"));
    peer.send(&ok(&invite, &peer), invite.from).await;
    peer.send(&cancel.answer("200 OK", "bob", "", ""), cancel.from).await;
    peer.receive("ACK").await;
    peer.receive("BYE").await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_nobody_has_heard_is_not_cancelled_before_it_is() {
    let (mut phone, peer) = registered().await;
    let call = phone.agent.invite("102", OFFER.into());
    let invite = peer.receive("INVITE").await;
    phone.agent.hang_up(call);
    assert_eq!(phone.until_ended().await, (EndCause::CancelledHere, None));
    peer.send(&invite.answer("100 Trying", "", "", ""), invite.from).await;
    let cancel = peer.receive("CANCEL").await;
    peer.send(&cancel.answer("200 OK", "bob", "", ""), cancel.from).await;
    peer.send(&invite.answer("487 Request Terminated", "bob", "", ""), invite.from).await;
    peer.receive("ACK").await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_challenges_on_one_call_are_both_answered() {
    let (mut phone, peer) = registered().await;
    let call = phone.agent.invite("102", OFFER.into());
    let invite = peer.receive("INVITE").await;
    let proxy = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"1\", algorithm=SHA-256, qop=\"auth\"\r\n\
                 Proxy-Authenticate: Digest realm=\"p\", nonce=\"1\", algorithm=MD5, qop=\"auth\"\r\n";
    peer.send(&invite.answer("407 Authenticate", "x", proxy, ""), invite.from).await;
    peer.receive("ACK").await;
    let invite = peer.receive("INVITE").await;
    assert!(invite.header("Proxy-Authorization").contains("algorithm=SHA-256"));
    let server = "WWW-Authenticate: Digest realm=\"s\", nonce=\"2\"\r\n";
    peer.send(&invite.answer("401 Authenticate", "x", server, ""), invite.from).await;
    peer.receive("ACK").await;
    let invite = peer.receive("INVITE").await;
    assert!(invite.header("Proxy-Authorization").contains("nc=00000002"));
    assert!(invite.header("Authorization").contains("realm=\"s\""));
    assert!(invite.header("CSeq").starts_with("3 "));
    peer.send(&ok(&invite, &peer), invite.from).await;
    phone.until_answered().await;
    phone.agent.hang_up(call);
    assert!(peer.receive("BYE").await.header("Proxy-Authorization").contains("nc=00000003"));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_within_a_call_are_put_to_the_user() {
    let (mut phone, peer) = registered().await;
    let (call, invite) = called(&mut phone, &peer).await;
    peer.receive("ACK").await;
    // re-INVITE with an offer, UPDATE with an offer.
    for (method, cseq) in [("INVITE", 1), ("UPDATE", 2)] {
        let contact = peer.contact();
        peer.send(&within(&invite, &peer, method, cseq, &format!("{contact}{SDP}"), OFFER), invite.from)
            .await;
        let offer = phone
            .until(|event| match event {
                Event::Offer { sdp, .. } => Some(sdp.clone()),
                _ => None,
            })
            .await;
        assert_eq!(offer.as_deref(), Some(OFFER));
        phone.agent.answer_offer(call, Some(ANSWER.into()));
        let answer = peer.receive("SIP/2.0 200").await;
        assert!(answer.text.ends_with(ANSWER) && !answer.header("Contact").is_empty());
        if method == "INVITE" {
            peer.send(&within(&invite, &peer, "ACK", cseq, "", ""), invite.from).await;
        }
    }
    // re-INVITE without an offer: ours goes out, theirs comes with the ACK.
    peer.send(&within(&invite, &peer, "INVITE", 3, &peer.contact(), ""), invite.from).await;
    phone.until(|event| matches!(event, Event::Offer { sdp: None, .. }).then_some(())).await;
    phone.agent.answer_offer(call, Some(OFFER.into()));
    assert!(peer.receive("SIP/2.0 200").await.text.ends_with(OFFER));
    peer.send(&within(&invite, &peer, "ACK", 3, SDP, ANSWER), invite.from).await;
    let answer = phone
        .until(|event| match event {
            Event::Answer { sdp, .. } => Some(sdp.clone()),
            _ => None,
        })
        .await;
    assert_eq!(answer, ANSWER);
    // A second offer while one is considered, and a refusal.
    peer.send(&within(&invite, &peer, "INVITE", 4, SDP, OFFER), invite.from).await;
    peer.send(&within(&invite, &peer, "UPDATE", 5, SDP, OFFER), invite.from).await;
    peer.receive("SIP/2.0 500").await;
    phone.agent.answer_offer(call, None);
    peer.receive("SIP/2.0 488").await;
    peer.send(&within(&invite, &peer, "ACK", 4, "", "").replace("bKACK4", "bKINVITE4"), invite.from).await;
    // Out of order, then the end.
    peer.send(&within(&invite, &peer, "INFO", 2, "", ""), invite.from).await;
    peer.receive("SIP/2.0 500").await;
    peer.send(&within(&invite, &peer, "BYE", 6, "", ""), invite.from).await;
    peer.receive("SIP/2.0 200").await;
    assert_eq!(phone.until_ended().await, (EndCause::HungUpThere, None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_out_of_the_blue_are_answered() {
    let peer = Peer::start().await;
    let port = free_port();
    let account = Account { local_port: Some(port), ..account(peer.port, Transport::Udp) };
    let mut phone = Phone::start(account).await;
    let register = peer.register().await;
    assert!(register.header("Contact").ends_with(&format!(":{port}>")), "{}", register.header("Contact"));
    phone.until_registered().await;
    for (method, to_tag, status) in [
        ("OPTIONS", "", "200"),
        ("BYE", ";tag=gone", "481"),
        ("NOTIFY", "", "481"),
        ("INVITE", ";tag=gone", "481"),
        ("MESSAGE", "", "200"),
        ("REFER", "", "400"),
        ("BREW", "", "501"),
    ] {
        let text = format!(
            "{method} sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{};branch=z9hG4bK{method}\r\n\
             From: <sip:x@y>;tag=1\r\nTo: <sip:101@y>{to_tag}\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\n\
             Content-Length: 0\r\n\r\n",
            peer.port
        );
        peer.send(&text, register.from).await;
        let answer = peer.receive("SIP/2.0").await;
        assert!(answer.start().contains(status), "{method}: {}", answer.start());
        assert!(answer.header("To").contains("tag="));
        if method == "INVITE" {
            peer.send(&text.replace("INVITE sip", "ACK sip").replace("1 INVITE", "1 ACK"), register.from)
                .await;
        }
    }
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_never_acknowledged_ends_the_call() {
    let (mut phone, peer) = registered().await;
    let silent = Peer::start().await;
    let register = {
        phone.agent.reconnect();
        peer.register().await
    };
    let invite = format!(
        "INVITE sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKx\r\n\
         From: <sip:102@y>;tag=1\r\nTo: <sip:101@y>\r\nCall-ID: unacknowledged\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:102@127.0.0.1:{port}>\r\n{SDP}Content-Length: {}\r\n\r\n{OFFER}",
        OFFER.len(),
        port = silent.port
    );
    silent.send(&invite, register.from).await;
    let (call, ..) = phone.until_incoming().await;
    phone.agent.answer(call, ANSWER.into());
    // Sent again and again until the transaction gives up after 32 seconds.
    silent.receive("SIP/2.0 200").await;
    silent.receive("SIP/2.0 200").await;
    assert_eq!(phone.until_ended().await, (EndCause::ConnectionLost, None));
    silent.receive("BYE").await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_an_offer_is_answered_with_ours_and_needs_their_answer() {
    let (mut phone, peer) = registered().await;
    let caller = Peer::start().await;
    let register = {
        phone.agent.reconnect();
        peer.register().await
    };
    let request = |method: &str, id: &str, to: &str, headers: &str, body: &str| {
        format!(
            "{method} sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{method}{id}\r\n\
             From: <sip:102@y>;tag=1\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:102@127.0.0.1:{port}>\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len(),
            port = caller.port
        )
    };
    for (id, headers, body) in [("with", SDP, ANSWER), ("without", "", "")] {
        caller.send(&request("INVITE", id, "<sip:101@y>", "", ""), register.from).await;
        let (call, _, offer) = phone.until_incoming().await;
        assert_eq!(offer, None);
        phone.agent.answer(call, OFFER.into());
        let ok = caller.receive("SIP/2.0 200").await;
        assert!(ok.text.ends_with(OFFER));
        caller.send(&request("ACK", id, ok.header("To"), headers, body), register.from).await;
        if body.is_empty() {
            assert_eq!(phone.until_ended().await, (EndCause::NotAcceptable, None));
            caller.receive("BYE").await;
        } else {
            let answer = phone
                .until(|event| match event {
                    Event::Answer { sdp, .. } => Some(sdp.clone()),
                    _ => None,
                })
                .await;
            assert_eq!(answer, ANSWER);
            phone.until_confirmed().await;
            phone.agent.hang_up(call);
            let bye = caller.receive("BYE").await;
            caller.send(&bye.answer("200 OK", "", "", ""), register.from).await;
        }
    }
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_keep_their_identity_and_obey_the_minimum() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let first = peer.receive("REGISTER").await;
    let answer = first.answer("423 Interval Too Brief", "r", "Min-Expires: 7200\r\n", "");
    peer.send(&answer, first.from).await;
    let second = peer.receive("REGISTER").await;
    assert_eq!(second.header("Expires"), "7200");
    for header in ["Call-ID", "From", "Contact"] {
        assert_eq!(first.header(header), second.header(header));
    }
    assert_eq!((first.header("CSeq"), second.header("CSeq")), ("1 REGISTER", "2 REGISTER"));
    assert!(!first.header("Call-ID").contains('@'));
    peer.send(&second.answer("200 OK", "r", "Expires: 1\r\n", ""), second.from).await;
    assert_eq!(phone.until_registered().await, Duration::from_secs(1));
    peer.receive("REGISTER").await;
    let phone_stops = phone.agent.stop();
    let unregister = async { while peer.receive("REGISTER").await.header("Expires") != "0" {} };
    tokio::join!(phone_stops, unregister);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_not_sent_again_even_to_unregister() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";
    let first = peer.receive("REGISTER").await;
    peer.send(&first.answer("401 Unauthorized", "r", challenge, ""), first.from).await;
    let mut second = peer.receive("REGISTER").await;
    while second.header("Authorization").is_empty() {
        second = peer.receive("REGISTER").await;
    }
    peer.send(&second.answer("403 Forbidden", "r", "", ""), second.from).await;
    let refused = phone
        .until(|event| match event {
            Event::Registration(Registration::Refused { cause, status }) => Some((*cause, *status)),
            _ => None,
        })
        .await;
    assert_eq!(refused, (Cause::WrongPassword, Some(403)));
    peer.pending();
    phone.agent.stop().await;
    assert!(!peer.pending().iter().any(|line| line.starts_with("REGISTER")));
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_early_and_by_their_names() {
    let began = Instant::now();
    // Nothing listens.
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut phone = Phone::start(account(free_port(), transport)).await;
        assert_eq!(until_retrying(&mut phone).await, (Cause::ConnectionRefused, None), "{transport:?}");
        phone.agent.stop().await;
    }
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    // Something listens and says nothing.
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    assert_eq!(until_retrying(&mut phone).await, (Cause::Silence, None));
    // The next tries come by themselves. Those given up meanwhile are answered, too, and make no difference.
    tokio::select! {
        _ = phone.until_registered() => {}
        () = async { loop { peer.register().await; } } => {}
    }
    phone.agent.stop().await;
    // There is no such name.
    let nowhere = Proxy { host: "nowhere.invalid".into(), port: None };
    let mut phone = Phone::start(Account { proxy: nowhere, ..account(0, Transport::Tcp) }).await;
    assert_eq!(until_retrying(&mut phone).await, (Cause::NameNotFound, None));
    phone.agent.stop().await;
    // The server has a fault.
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let register = peer.receive("REGISTER").await;
    peer.send(&register.answer("503 Overloaded", "r", "Retry-After: 1\r\n", ""), register.from).await;
    assert_eq!(until_retrying(&mut phone).await, (Cause::ServerFailed, Some(503)));
    peer.register().await;
    phone.until_registered().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_be_asked_again_at_once_is_not_asked_in_a_circle() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let mut asked = 0_u32;
    let retrying = tokio::select! {
        retrying = until_retrying(&mut phone) => retrying,
        () = async { loop {
            let register = peer.receive_new("REGISTER").await;
            asked += 1;
            peer.send(&register.answer("503 Overloaded", "r", "Retry-After: 0\r\n", ""), register.from).await;
        } } => unreachable!(),
    };
    assert_eq!((retrying, asked), ((Cause::ServerFailed, Some(503)), 1));
    tokio::select! {
        _ = phone.until_registered() => {}
        () = async { loop { peer.register().await; } } => {}
    }
    phone.agent.invite("102", OFFER.into());
    let mut invited = 0_u32;
    let ended = tokio::select! {
        ended = phone.until_ended() => ended,
        () = async { loop {
            let invite = peer.receive_new("INVITE").await;
            invited += 1;
            peer.send(&invite.answer("503 Overloaded", "b", "Retry-After: 0\r\n", ""), invite.from).await;
        } } => unreachable!(),
    };
    assert_eq!((ended.1, invited), (Some(503), 1));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_start_says_so() {
    let taken = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let wanted = Account { local_port: Some(port), ..account(1, Transport::Udp) };
    assert!(matches!(Phone::try_start(wanted).await, Err(Error::PortInUse { port: p, .. }) if p == port));
    let path = "a path".into();
    let wanted = Account { websocket_path: path, ..account(1, Transport::Wss) };
    assert!(matches!(Phone::try_start(wanted).await, Err(Error::AccountInvalid("WebSocket path"))));
    for domain in ["", "a b", "x>\r\nVia: y"] {
        let wanted = Account { domain: domain.into(), ..account(1, Transport::Udp) };
        assert!(matches!(Phone::try_start(wanted).await, Err(Error::AccountInvalid("domain"))), "{domain:?}");
    }
    let (mut phone, _peer) = registered().await;
    let call = phone.agent.invite("a b@\r\n", OFFER.into());
    let ended = phone.next().await;
    assert_eq!(ended, Event::Ended { call, cause: EndCause::TargetInvalid, status: None });
    phone.agent.stop().await;
}
