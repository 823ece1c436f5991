//! Calls that are handed on and that take the place of others: between phones of ours through Kamailio, and against
//! peers that keep to the script or do not.

use sip::{
    CallKey, EndCause, Event, Invitation, News, OtherCallState, Package, Party, ReferralKey,
    TransferProgress, Transport,
};

use super::common::kamailio::Kamailio;
use super::common::peer::{Message, Peer};
use super::common::presence::PresenceServer;
use super::common::{ANSWER, OFFER, Phone, account};

async fn until_invited(phone: &mut Phone) -> (CallKey, Invitation) {
    phone
        .until(|event| match event {
            Event::Incoming { call, invitation } => Some((*call, Invitation::clone(invitation))),
            _ => None,
        })
        .await
}

async fn until_referred(phone: &mut Phone) -> (ReferralKey, Option<CallKey>, Party, Party) {
    phone
        .until(|event| match event {
            Event::Referred { referral, call, target, by } => {
                Some((*referral, *call, target.clone(), by.clone()))
            }
            _ => None,
        })
        .await
}

/// How a transfer went, up to its end.
async fn until_transferred(phone: &mut Phone) -> Vec<TransferProgress> {
    let mut told = Vec::new();
    loop {
        let progress = phone
            .until(|event| match event {
                Event::Transfer { progress, .. } => Some(*progress),
                _ => None,
            })
            .await;
        told.push(progress);
        if !matches!(progress, TransferProgress::Trying(_)) {
            return told;
        }
    }
}

async fn until_over(phone: &mut Phone, key: CallKey) -> (EndCause, Option<u16>) {
    phone
        .until(|event| match event {
            Event::Ended { call, cause, status } if *call == key => Some((*cause, *status)),
            _ => None,
        })
        .await
}

/// Somebody calls somebody, and they talk.
async fn talk(caller: &mut Phone, number: &str, called: &mut Phone) -> (CallKey, CallKey) {
    let out = caller.agent.invite(number, OFFER.into());
    let (into, _) = until_invited(called).await;
    called.agent.answer(into, ANSWER.into());
    caller.until_answered().await;
    called.until_confirmed().await;
    (out, into)
}

async fn three(kamailio: &Kamailio) -> (Phone, Phone, Phone) {
    (
        Phone::registered(kamailio.account("101", Transport::Udp)).await,
        Phone::registered(kamailio.account("102", Transport::Tcp)).await,
        Phone::registered(kamailio.account("103", Transport::Udp)).await,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_answered_this_moment_is_handed_on() {
    let kamailio = Kamailio::start();
    let (mut alice, mut bob, carol) = three(&kamailio).await;
    alice.agent.invite("102", OFFER.into());
    let (at_bob, _) = until_invited(&mut bob).await;
    // Too early: it rings.
    bob.agent.transfer(at_bob, "103");
    assert_eq!(until_transferred(&mut bob).await, [TransferProgress::Failed(None)]);
    // Not too early, although the answer is not acknowledged yet.
    bob.agent.answer(at_bob, ANSWER.into());
    bob.agent.transfer(at_bob, "103");
    let (_, _, target, _) = until_referred(&mut alice).await;
    assert_eq!(target.number, "103");
    for phone in [alice, bob, carol] {
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_does_not_overtake_our_answer() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let register = peer.register().await;
    phone.until_registered().await;
    let request = |method: &str, to: &str, body: &str| {
        format!(
            "{method} sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{};branch=z9hG4bKo{method}\r\n\
             From: <sip:102@bell.test>;tag=o\r\nTo: {to}\r\nCall-ID: overtaken\r\nCSeq: 1 {method}\r\n\
             Max-Forwards: 70\r\n{}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            peer.port,
            peer.contact(),
            body.len()
        )
    };
    peer.send(&request("INVITE", "<sip:101@bell.test>", OFFER), register.from).await;
    let (call, _) = until_invited(&mut phone).await;
    phone.agent.answer(call, ANSWER.into());
    let answer = peer.receive("SIP/2.0 200").await;
    phone.agent.transfer(call, "103");
    // But for keep-alives.
    let next = loop {
        let message = peer.receive("").await;
        if !message.text.trim().is_empty() {
            break message;
        }
    };
    assert!(next.start().contains("200"), "before the ACK comes our answer once more, not {}", next.text);
    peer.send(&request("ACK", answer.header("To"), ""), register.from).await;
    let refer = peer.receive_new("REFER").await;
    assert_eq!(refer.header("Refer-To"), "<sip:103@bell.test>");
    peer.send(&refer.answer("603 Decline", "", "", ""), refer.from).await;
    assert_eq!(until_transferred(&mut phone).await, [TransferProgress::Failed(Some(603))]);
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_handed_on_unannounced() {
    let kamailio = Kamailio::start();
    let (mut alice, mut bob, mut carol) = three(&kamailio).await;
    let (at_alice, at_bob) = talk(&mut alice, "102", &mut bob).await;

    alice.agent.transfer(at_alice, "103");
    let (referral, call, target, by) = until_referred(&mut bob).await;
    assert_eq!(call, Some(at_bob));
    assert_eq!((target.number.as_str(), by.number.as_str()), ("103", "101"));
    let bob_to_carol = bob.agent.follow(referral, OFFER.into());
    let (at_carol, invitation) = until_invited(&mut carol).await;
    assert_eq!((invitation.from.number.as_str(), invitation.replaces), ("102", None));
    carol.agent.ring(at_carol);
    assert_eq!(bob.until_ringing().await, 180);
    carol.agent.answer(at_carol, ANSWER.into());
    bob.until_answered().await;
    let told = until_transferred(&mut alice).await;
    assert_eq!(told, [TransferProgress::Trying(100), TransferProgress::Trying(180), TransferProgress::Done]);
    alice.agent.hang_up(at_alice);
    assert_eq!(until_over(&mut bob, at_bob).await, (EndCause::HungUpThere, None));

    carol.agent.hang_up(at_carol);
    assert_eq!(until_over(&mut bob, bob_to_carol).await, (EndCause::HungUpThere, None));
    for phone in [alice, bob, carol] {
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_fails_leaves_the_call_as_it_was() {
    let kamailio = Kamailio::start();
    let (mut alice, mut bob, mut carol) = three(&kamailio).await;
    let (at_alice, at_bob) = talk(&mut alice, "102", &mut bob).await;

    // Carol does not want to.
    alice.agent.transfer(at_alice, "103");
    let (referral, ..) = until_referred(&mut bob).await;
    let attempt = bob.agent.follow(referral, OFFER.into());
    let (at_carol, _) = until_invited(&mut carol).await;
    carol.agent.decline(at_carol, 486);
    assert_eq!(until_over(&mut bob, attempt).await, (EndCause::Busy, Some(486)));
    let told = until_transferred(&mut alice).await;
    assert_eq!(told, [TransferProgress::Trying(100), TransferProgress::Failed(Some(486))]);

    // Nobody is there.
    alice.agent.transfer(at_alice, "104");
    let (referral, ..) = until_referred(&mut bob).await;
    bob.agent.follow(referral, OFFER.into());
    assert_eq!(until_transferred(&mut alice).await.last(), Some(&TransferProgress::Failed(Some(404))));

    // Bob does not want to.
    alice.agent.transfer(at_alice, "103");
    let (referral, ..) = until_referred(&mut bob).await;
    bob.agent.refuse_referral(referral, 603);
    assert_eq!(until_transferred(&mut alice).await, [TransferProgress::Failed(Some(603))]);

    // That is no number.
    alice.agent.transfer(at_alice, "@");
    assert_eq!(until_transferred(&mut alice).await, [TransferProgress::Failed(None)]);

    // They still talk.
    bob.agent.info(at_bob, "text/plain", "still here".into());
    let said = alice
        .until(|event| match event {
            Event::Info { body, .. } => Some(body.clone()),
            _ => None,
        })
        .await;
    assert_eq!(said, "still here");
    for phone in [alice, bob, carol] {
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_handed_on_after_asking() {
    let kamailio = Kamailio::start();
    for carol_calls in [false, true] {
        let (mut alice, mut bob, mut carol) = three(&kamailio).await;
        let (at_alice, at_bob) = talk(&mut alice, "102", &mut bob).await;
        let (second, at_carol) = if carol_calls {
            let (at_carol, second) = talk(&mut carol, "101", &mut alice).await;
            (second, at_carol)
        } else {
            talk(&mut alice, "103", &mut carol).await
        };
        alice.agent.transfer_to(at_alice, second);
        let (referral, call, target, _) = until_referred(&mut bob).await;
        assert_eq!((call, target.number.as_str()), (Some(at_bob), "103"));
        let joined = bob.agent.follow(referral, OFFER.into());
        let (replacing, invitation) = until_invited(&mut carol).await;
        assert_eq!(invitation.replaces, Some(at_carol));
        carol.agent.answer(replacing, ANSWER.into());
        bob.until_answered().await;
        assert_eq!(until_over(&mut carol, at_carol).await, (EndCause::Replaced, None));
        let told = until_transferred(&mut alice).await;
        assert_eq!(told.last(), Some(&TransferProgress::Done), "{told:?}");
        alice.agent.hang_up(at_alice);
        assert_eq!(until_over(&mut bob, at_bob).await, (EndCause::HungUpThere, None));
        bob.agent.hang_up(joined);
        assert_eq!(until_over(&mut carol, replacing).await, (EndCause::HungUpThere, None));
        for phone in [alice, bob, carol] {
            phone.agent.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_handed_on_to_where_it_still_rings() {
    let kamailio = Kamailio::start();
    let (mut alice, mut bob, mut carol) = three(&kamailio).await;
    let (at_alice, at_bob) = talk(&mut alice, "102", &mut bob).await;
    let second = alice.agent.invite("103", OFFER.into());
    let (ringing, _) = until_invited(&mut carol).await;
    carol.agent.ring(ringing);
    alice.until_ringing().await;

    alice.agent.transfer_to(at_alice, second);
    let (referral, ..) = until_referred(&mut bob).await;
    bob.agent.follow(referral, OFFER.into());
    // One gives way to the other, in whichever order.
    let (mut gone, mut come) = (None, None);
    let (cause, (anew, invitation)) = carol
        .until(|event| {
            match event {
                Event::Ended { call, cause, .. } if *call == ringing => gone = Some(*cause),
                Event::Incoming { call, invitation } => come = Some((*call, Invitation::clone(invitation))),
                _ => {}
            }
            gone.zip(come.clone())
        })
        .await;
    assert_eq!(cause, EndCause::CancelledThere);
    assert_eq!((invitation.from.number.as_str(), invitation.replaces), ("102", None));
    carol.agent.answer(anew, ANSWER.into());
    bob.until_answered().await;
    assert_eq!(until_over(&mut alice, second).await.0, EndCause::CancelledHere);
    assert_eq!(until_transferred(&mut alice).await.last(), Some(&TransferProgress::Done));
    bob.agent.hang_up(at_bob);
    assert_eq!(until_over(&mut alice, at_alice).await, (EndCause::HungUpThere, None));
    for phone in [alice, bob, carol] {
        phone.agent.stop().await;
    }
}

/// A call of ours that a scripted peer has answered.
struct Dialogue {
    peer: Peer,
    phone: Phone,
    call: CallKey,
    invite: Message,
    sequence: u32,
}

impl Dialogue {
    async fn start() -> Self {
        let peer = Peer::start().await;
        let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
        peer.register().await;
        phone.until_registered().await;
        let call = phone.agent.invite("102", OFFER.into());
        let invite = peer.receive_new("INVITE").await;
        let headers = format!("{}Content-Type: application/sdp\r\n", peer.contact());
        peer.send(&invite.answer("200 OK", "p", &headers, ANSWER), invite.from).await;
        peer.receive_new("ACK").await;
        phone.until_answered().await;
        Self { peer, phone, call, invite, sequence: 0 }
    }

    /// A request of the peer's within the dialog.
    async fn request(&mut self, method: &str, headers: &str, body: &str) {
        self.sequence += 1;
        let Self { peer, invite, sequence, .. } = self;
        let text = format!(
            "{method} sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{};branch=z9hG4bK{method}{sequence}\r\n\
             From: {};tag=p\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {sequence} {method}\r\nMax-Forwards: 70\r\n{}{headers}\
             Content-Length: {}\r\n\r\n{body}",
            peer.port,
            invite.header("To"),
            invite.header("From"),
            invite.header("Call-ID"),
            peer.contact(),
            body.len(),
        );
        peer.send(&text, invite.from).await;
    }

    async fn answer(&self, to: &Message, status: &str, headers: &str) {
        self.peer.send(&to.answer(status, "p", headers, ""), to.from).await;
    }

    /// News of the transfer; the status of the answer to them.
    async fn news(&mut self, state: &str, body: &str) -> String {
        let headers =
            format!("Event: refer\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag\r\n");
        self.request("NOTIFY", &headers, body).await;
        self.peer.receive("SIP/2.0").await.start().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_refer_looks_like_and_how_its_news_are_read() {
    let mut at = Dialogue::start().await;
    at.phone.agent.transfer(at.call, "+49 (30) 123");
    let refer = at.peer.receive_new("REFER").await;
    let stable: String = refer
        .text
        .lines()
        .filter(|line| {
            !["Via", "From", "To", "Call-ID", "Supported", "User-Agent"]
                .iter()
                .any(|name| line.starts_with(&format!("{name}:")))
        })
        .map(|line| {
            line.replace(&format!("127.0.0.1:{}", at.peer.port), "PEER")
                .replace(&refer.from.to_string(), "PHONE")
                + "\n"
        })
        .collect();
    insta::assert_snapshot!(stable, @"
    REFER sip:%2349102@PEER SIP/2.0
    Max-Forwards: 70
    CSeq: 2 REFER
    Contact: <sip:101@PHONE>
    Refer-To: <sip:+4930123@bell.test>
    Referred-By: <sip:101@bell.test>
    Content-Length: 0
    ");
    assert_eq!(refer.header("To"), format!("{};tag=p", at.invite.header("To")));

    at.answer(&refer, "202 Accepted", "").await;
    assert!(at.news("active;expires=60", "SIP/2.0 100 Trying\r\n").await.contains("200"));
    assert!(at.news("active;expires=60", "SIP/2.0 183 Session Progress\r\n").await.contains("200"));
    assert!(
        at.news("terminated;reason=noresource", "SIP/2.0 503 Service Unavailable\r\n").await.contains("200")
    );
    let told = until_transferred(&mut at.phone).await;
    assert_eq!(
        told,
        [TransferProgress::Trying(100), TransferProgress::Trying(183), TransferProgress::Failed(Some(503))]
    );
    // Nothing is subscribed to any more.
    assert!(at.news("active", "SIP/2.0 200 OK\r\n").await.contains("481"));
    at.phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_refuse_keep_silent_or_hang_up() {
    let mut at = Dialogue::start().await;
    for (status, want) in [
        ("405 Method Not Allowed", TransferProgress::Failed(Some(405))),
        ("603 Decline", TransferProgress::Failed(Some(603))),
    ] {
        at.phone.agent.transfer(at.call, "103");
        let refer = at.peer.receive_new("REFER").await;
        at.answer(&refer, status, "").await;
        assert_eq!(until_transferred(&mut at.phone).await, [want]);
    }
    // It crosses a request of theirs, and goes out once more.
    at.phone.agent.transfer(at.call, "103");
    let refer = at.peer.receive_new("REFER").await;
    at.answer(&refer, "491 Request Pending", "").await;
    let again = at.peer.receive_new("REFER").await;
    assert_eq!(again.header("Refer-To"), refer.header("Refer-To"));
    assert_ne!(again.header("CSeq"), refer.header("CSeq"));
    at.answer(&again, "200 OK", "Refer-Sub: false\r\n").await;
    assert_eq!(until_transferred(&mut at.phone).await, [TransferProgress::Done]);
    // No news will come.
    at.phone.agent.transfer(at.call, "103");
    let refer = at.peer.receive_new("REFER").await;
    at.answer(&refer, "200 OK", "Refer-Sub: false\r\n").await;
    assert_eq!(until_transferred(&mut at.phone).await, [TransferProgress::Done]);
    // News come though the answer does not.
    at.phone.agent.transfer(at.call, "103");
    at.peer.receive_new("REFER").await;
    at.news("terminated;reason=noresource", "SIP/2.0 200 OK").await;
    assert_eq!(until_transferred(&mut at.phone).await, [TransferProgress::Done]);
    // None come, though they were promised; the call goes on.
    at.phone.agent.transfer(at.call, "103");
    let refer = at.peer.receive_new("REFER").await;
    at.answer(&refer, "202 Accepted", "").await;
    let Dialogue { peer, phone, .. } = &mut at;
    // It is asked whether it still is there.
    let present = async {
        loop {
            let asked = peer.receive_new("OPTIONS").await;
            peer.send(&asked.answer("200 OK", "", "", ""), asked.from).await;
        }
    };
    let told = tokio::select! {
        told = until_transferred(phone) => told,
        () = present => unreachable!(),
    };
    assert_eq!(told, [TransferProgress::Trying(100), TransferProgress::Failed(None)]);
    // The other end goes without a further word.
    at.phone.agent.transfer(at.call, "103");
    let refer = at.peer.receive_new("REFER").await;
    at.answer(&refer, "202 Accepted", "").await;
    at.request("BYE", "", "").await;
    assert_eq!(until_over(&mut at.phone, at.call).await, (EndCause::HungUpThere, None));
    at.phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_is_followed_and_told_of() {
    let mut at = Dialogue::start().await;
    let replaces = "x%40h%3Bto-tag%3Da1%3Bfrom-tag%3Db2";
    let headers = format!(
        "Refer-To: <sip:103@bell.test?Replaces={replaces}&X-Evil=1>\r\nReferred-By: \"Boss\" <sip:900@bell.test>\r\n"
    );
    at.request("REFER", &headers, "").await;
    let (referral, call, target, by) = until_referred(&mut at.phone).await;
    assert_eq!((call, target.number.as_str(), by.number.as_str()), (Some(at.call), "103", "900"));
    assert_eq!(by.display_name.as_deref(), Some("Boss"));
    at.phone.agent.follow(referral, OFFER.into());
    assert!(at.peer.receive("SIP/2.0").await.start().contains("202"));
    let invite = at.peer.receive_new("INVITE").await;
    assert!(invite.start().starts_with("INVITE sip:103@bell.test SIP/2.0"));
    assert_eq!(invite.header("Replaces"), "x@h;to-tag=a1;from-tag=b2");
    assert_eq!(invite.header("Referred-By"), "\"Boss\" <sip:900@bell.test>");
    assert_eq!(invite.header("X-Evil"), "");
    let first = at.peer.receive_new("NOTIFY").await;
    assert_eq!(first.header("Event"), "refer");
    assert!(first.header("Subscription-State").starts_with("active;expires="), "{}", first.text);
    assert!(first.header("Content-Type").starts_with("message/sipfrag"));
    assert!(first.text.ends_with("\r\n\r\nSIP/2.0 100 Trying\r\n"), "{}", first.text);
    at.answer(&first, "200 OK", "").await;
    at.answer(&invite, "180 Ringing", "").await;
    let second = at.peer.receive_new("NOTIFY").await;
    assert!(second.text.ends_with("\r\n\r\nSIP/2.0 180 Ringing\r\n"), "{}", second.text);
    at.answer(&second, "200 OK", "").await;
    at.answer(&invite, "404 Not Found", "").await;
    let last = at.peer.receive_new("NOTIFY").await;
    assert!(last.text.ends_with("\r\n\r\nSIP/2.0 404 Not Found\r\n"), "{}", last.text);
    assert_eq!(last.header("Subscription-State"), "terminated;reason=noresource");
    at.answer(&last, "200 OK", "").await;

    // A second one names itself; without news if so wished.
    at.request("REFER", "Refer-To: <sip:104@bell.test>\r\n", "").await;
    let (referral, ..) = until_referred(&mut at.phone).await;
    // Who hesitates takes it, and tells of the refusal then.
    let accepted = at.peer.receive("SIP/2.0").await;
    assert!(accepted.start().contains("202"), "{}", accepted.start());
    let first = at.peer.receive_new("NOTIFY").await;
    assert_eq!(first.header("Event"), format!("refer;id={}", at.sequence));
    at.answer(&first, "200 OK", "").await;
    at.phone.agent.refuse_referral(referral, 603);
    let last = at.peer.receive_new("NOTIFY").await;
    assert!(last.text.ends_with("\r\n\r\nSIP/2.0 603 Decline\r\n"), "{}", last.text);
    at.answer(&last, "200 OK", "").await;

    at.request("REFER", "Refer-To: <sip:105@bell.test>\r\nRefer-Sub: false\r\n", "").await;
    let (referral, ..) = until_referred(&mut at.phone).await;
    at.phone.agent.follow(referral, OFFER.into());
    let accepted = at.peer.receive("SIP/2.0").await;
    assert_eq!(accepted.header("Refer-Sub"), "false");
    at.peer.receive_new("INVITE sip:105").await;
    assert!(!at.peer.pending().iter().any(|start| start.starts_with("NOTIFY")));

    for unsound in ["", "Refer-To: <tel:1>\r\n", "Refer-To: <sip:a@h>\r\nRefer-To: <sip:b@h>\r\n"] {
        at.request("REFER", unsound, "").await;
        assert!(at.peer.receive("SIP/2.0").await.start().contains("400"), "{unsound}");
    }
    at.phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_system_may_have_us_call() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let register = peer.register().await;
    phone.until_registered().await;
    let refer = |port: u16, number: u32| {
        format!(
            "REFER sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKclick{number}\r\n\
             From: <sip:click@bell.test>;tag=c\r\nTo: <sip:101@bell.test>\r\nCall-ID: click-{number}\r\n\
             CSeq: 1 REFER\r\nMax-Forwards: 70\r\nContact: <sip:click@127.0.0.1:{port}>\r\n\
             Refer-To: <sip:103@bell.test>\r\nContent-Length: 0\r\n\r\n"
        )
    };
    peer.send(&refer(peer.port, 1), register.from).await;
    let (referral, call, target, by) = until_referred(&mut phone).await;
    assert_eq!((call, target.number.as_str(), by.number.as_str()), (None, "103", "click"));
    phone.agent.follow(referral, OFFER.into());
    let accepted = peer.receive("SIP/2.0").await;
    assert!(accepted.start().contains("202") && accepted.header("To").contains("tag="), "{}", accepted.text);
    let notify = peer.receive_new("NOTIFY").await;
    assert_eq!((notify.header("Call-ID"), notify.header("From")), ("click-1", accepted.header("To")));
    peer.send(&notify.answer("200 OK", "", "", ""), notify.from).await;
    let invite = peer.receive_new("INVITE").await;
    assert_eq!(invite.header("Replaces"), "");
    peer.send(&invite.answer("486 Busy", "x", "", ""), invite.from).await;
    let last = peer.receive_new("NOTIFY").await;
    assert!(last.text.ends_with("SIP/2.0 486 Busy Here\r\n"), "{}", last.text);
    peer.send(&last.answer("200 OK", "", "", ""), last.from).await;
    phone.agent.stop().await;
}

/// An INVITE from the peer that takes the place of another dialog.
fn replacing(peer: &Peer, number: u32, replaces: &str) -> String {
    format!(
        "INVITE sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{0};branch=z9hG4bKr{number}\r\n\
         From: <sip:103@bell.test>;tag=n\r\nTo: <sip:101@bell.test>\r\nCall-ID: new-{number}\r\nCSeq: 1 INVITE\r\n\
         Max-Forwards: 70\r\n{1}Replaces: {replaces}\r\nContent-Type: application/sdp\r\n\
         Content-Length: {2}\r\n\r\n{OFFER}",
        peer.port,
        peer.contact(),
        OFFER.len()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_dialog_that_stands_is_replaced() {
    let mut at = Dialogue::start().await;
    let from = at.invite.header("From").to_owned();
    let ours = from.split("tag=").nth(1).unwrap().to_owned();
    let call_id = at.invite.header("Call-ID").to_owned();
    let dialog = format!("{call_id};to-tag={ours};from-tag=p");
    let mut number = 0;
    for (replaces, status) in [
        ("nobody;to-tag=1;from-tag=2".to_owned(), "481"),
        (format!("{call_id};to-tag=p;from-tag={ours}"), "481"),
        (format!("{dialog};early-only"), "486"),
        ("nonsense".to_owned(), "400"),
    ] {
        number += 1;
        let invite = replacing(&at.peer, number, &replaces);
        at.peer.send(&invite, at.invite.from).await;
        let answer = at.peer.receive("SIP/2.0").await;
        assert!(answer.start().contains(status), "{replaces}: {}", answer.start());
        let ack = format!(
            "ACK sip:101@127.0.0.1 SIP/2.0\r\nVia: {}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 ACK\r\n\
             Content-Length: 0\r\n\r\n",
            answer.header("Via"),
            answer.header("From"),
            answer.header("To"),
            answer.header("Call-ID")
        );
        at.peer.send(&ack, at.invite.from).await;
    }
    let invite = replacing(&at.peer, 100, &dialog);
    at.peer.send(&invite, at.invite.from).await;
    let (call, invitation) = until_invited(&mut at.phone).await;
    assert_eq!(invitation.replaces, Some(at.call));
    at.phone.agent.answer(call, ANSWER.into());
    let accepted = at.peer.receive("SIP/2.0 200").await;
    let ack = format!(
        "ACK sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{};branch=z9hG4bKack\r\nFrom: {}\r\nTo: {}\r\n\
         Call-ID: {}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
        at.peer.port,
        accepted.header("From"),
        accepted.header("To"),
        accepted.header("Call-ID")
    );
    at.peer.send(&ack, at.invite.from).await;
    let bye = at.peer.receive_new("BYE").await;
    assert_eq!(bye.header("Call-ID"), call_id);
    at.answer(&bye, "200 OK", "").await;
    assert_eq!(until_over(&mut at.phone, at.call).await, (EndCause::Replaced, None));

    // It is over now.
    let late = async {
        for number in 200.. {
            let invite = replacing(&at.peer, number, &dialog);
            at.peer.send(&invite, at.invite.from).await;
            let answer = at.peer.receive("SIP/2.0").await;
            // Its last words may still be on their way.
            if answer.start().contains("603") {
                return;
            }
        }
    };
    tokio::time::timeout(super::common::LIMIT, late).await.expect("603");
    at.phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_rings_elsewhere_is_picked_up() {
    let server = PresenceServer::start();
    let (mut alice, mut bob, mut carol) = three(&server.kamailio).await;
    carol.agent.subscribe(Package::Dialog, Some("102"));
    // Alice calls Bob; Carol, who watches Bob's phone, takes the call.
    let at_alice = alice.agent.invite("102", OFFER.into());
    let (at_bob, _) = until_invited(&mut bob).await;
    bob.agent.ring(at_bob);
    let seen = carol
        .until(|event| match event {
            Event::Notified { news: News::Dialogs(calls), .. } => calls
                .iter()
                .find(|call| call.state == OtherCallState::Early && call.dialog.is_some())
                .cloned(),
            _ => None,
        })
        .await;
    let (caller, dialog) = (seen.party.unwrap(), seen.dialog.unwrap());
    assert_eq!(caller.number, "101");
    let (call_id, ..) = dialog.clone();
    let wrong = carol.agent.take_over("101", (call_id, "1".into(), "2".into()), true, OFFER.into());
    assert_eq!(until_over(&mut carol, wrong).await, (EndCause::Refused, Some(481)));
    let nonsense = ("a b".into(), "1\r\nX: y".into(), String::new());
    let nothing = carol.agent.take_over("101", nonsense, true, OFFER.into());
    assert_eq!(until_over(&mut carol, nothing).await, (EndCause::TargetInvalid, None));
    let taken = carol.agent.take_over(&caller.number, dialog, true, OFFER.into());
    let (at_alice_now, invitation) = until_invited(&mut alice).await;
    assert_eq!((invitation.replaces, invitation.from.number.as_str()), (Some(at_alice), "103"));
    alice.agent.answer(at_alice_now, ANSWER.into());
    carol.until_answered().await;
    assert_eq!(until_over(&mut alice, at_alice).await, (EndCause::Replaced, None));
    assert_eq!(until_over(&mut bob, at_bob).await.0, EndCause::CancelledThere);
    alice.agent.hang_up(at_alice_now);
    assert_eq!(until_over(&mut carol, taken).await, (EndCause::HungUpThere, None));
    for phone in [alice, bob, carol] {
        phone.agent.stop().await;
    }
}
