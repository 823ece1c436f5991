//! Who is at the other end, as told and as shown.

use sip::{Event, Invitation, Party, Shown, Transport};

use super::common::peer::Peer;
use super::common::{ANSWER, OFFER, Phone, account};

async fn until_party(phone: &mut Phone) -> Party {
    phone
        .until(|event| match event {
            Event::PartyChanged { party, .. } => Some(party.clone()),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_says_who_calls_for_whom_and_how_to_ring() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let register = peer.register().await;
    phone.until_registered().await;
    let invite = format!(
        "INVITE sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{0};branch=z9hG4bKi\r\n\
         From: \"Outside\" <sip:0301234@bell.test>;tag=o\r\nTo: <sip:500@bell.test>\r\nCall-ID: i\r\n\
         CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:x@127.0.0.1:{0}>\r\n\
         P-Asserted-Identity: \"Ann\" <sip:+49301234@bell.test>\r\nDiversion: <sip:500@bell.test>;reason=unconditional\r\n\
         Alert-Info: <urn:alert:source:external>\r\nCall-Info: <sip:bell.test>;answer-after=1\r\n\
         Content-Type: application/sdp\r\nContent-Length: {1}\r\n\r\n{OFFER}",
        peer.port,
        OFFER.len()
    );
    peer.send(&invite, register.from).await;
    let (call, said) = phone
        .until(|event| match event {
            Event::Incoming { call, invitation } => Some((*call, Invitation::clone(invitation))),
            _ => None,
        })
        .await;
    let party = |number: &str, name: Option<&str>| Party {
        number: number.into(),
        host: "bell.test".into(),
        display_name: name.map(Into::into),
    };
    assert_eq!(
        said,
        Invitation {
            from: party("+49301234", Some("Ann")),
            to: party("500", None),
            diverted_by: vec![party("500", None)],
            offer: Some(OFFER.into()),
            auto_answer: Some(std::time::Duration::from_secs(1)),
            replaces: None,
            alert: Some("<urn:alert:source:external>".into()),
        }
    );
    phone.agent.answer(call, ANSWER.into());
    let accepted = peer.receive("SIP/2.0 200").await;
    let within = |method: &str, sequence: u32, headers: &str| {
        format!(
            "{method} sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{};branch=z9hG4bK{method}{sequence}\r\n\
             From: {}\r\nTo: {}\r\nCall-ID: i\r\nCSeq: {sequence} {method}\r\nMax-Forwards: 70\r\n{headers}\
             Content-Length: 0\r\n\r\n",
            peer.port,
            accepted.header("From"),
            accepted.header("To")
        )
    };
    peer.send(&within("ACK", 1, ""), register.from).await;
    phone.until_confirmed().await;
    // The phone system joined somebody else to the call.
    peer.send(&within("UPDATE", 2, "P-Asserted-Identity: \"Carol\" <sip:103@bell.test>\r\n"), register.from)
        .await;
    assert_eq!(until_party(&mut phone).await, party("103", Some("Carol")));
    peer.send(&within("UPDATE", 3, "P-Asserted-Identity: <sip:103@bell.test>\r\n"), register.from).await;
    peer.send(&within("UPDATE", 4, "P-Asserted-Identity: <sip:104@bell.test>\r\n"), register.from).await;
    assert_eq!(until_party(&mut phone).await, party("104", None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_to_stay_anonymous_tells_the_phone_system_alone() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    peer.register().await;
    phone.until_registered().await;
    phone.agent.invite_shown("102", Shown::Withheld, OFFER.into());
    let invite = peer.receive_new("INVITE").await;
    assert!(invite.header("From").starts_with("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="));
    assert_eq!(invite.header("Privacy"), "id");
    assert_eq!(invite.header("P-Preferred-Identity"), "<sip:101@bell.test>");
    assert!(!invite.text.contains("Alice"), "{}", invite.text);
    assert!(invite.header("Contact").starts_with("<sip:anonymous@127.0.0.1:"), "{}", invite.text);
    // Who answers is another one than was called.
    let headers = format!(
        "{}P-Asserted-Identity: \"Desk\" <sip:150@bell.test>\r\nContent-Type: application/sdp\r\n",
        peer.contact()
    );
    peer.send(&invite.answer("200 OK", "p", &headers, ANSWER), invite.from).await;
    phone.until_answered().await;
    assert_eq!(until_party(&mut phone).await.display_name.as_deref(), Some("Desk"));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_star_code_hides_the_caller_at_the_own_domain_and_the_header_elsewhere() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    peer.register().await;
    phone.until_registered().await;
    let elsewhere = format!("102@127.0.0.1:{}", peer.port);
    for (target, uri, privacy) in [
        ("102", "sip:*67102@bell.test", ""),
        ("102@BELL.test", "sip:*67102@bell.test", ""),
        (elsewhere.as_str(), &format!("sip:{elsewhere}"), "id"),
    ] {
        let call = phone.agent.invite_shown(target, Shown::Behind("*67".into()), OFFER.into());
        let invite = peer.receive_new("INVITE").await;
        let start = format!("INVITE {uri} SIP/2.0");
        assert!(invite.start().eq_ignore_ascii_case(&start), "{}", invite.start());
        assert!(invite.header("To").eq_ignore_ascii_case(&format!("<{uri}>")), "{}", invite.header("To"));
        assert_eq!(invite.header("Privacy"), privacy);
        assert_eq!(invite.header("From").contains("anonymous.invalid"), !privacy.is_empty());
        peer.send(&invite.answer("486 Busy Here", "p", "", ""), invite.from).await;
        phone
            .until(|event| matches!(event, Event::Ended { call: over, .. } if *over == call).then_some(()))
            .await;
    }
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_to_be_shown_is_asked_for_and_nothing_else_gets_into_its_header() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    peer.register().await;
    phone.until_registered().await;
    for (number, asked) in [
        ("+442079460114", "rewrite-from=+442079460114; rewrite-pai=+442079460114"),
        ("1; trunk-id=7", ""),
        ("1\r\nX: y", ""),
        ("+", ""),
    ] {
        let call = phone.agent.invite_shown("102", Shown::As(number.into()), OFFER.into());
        let invite = peer.receive_new("INVITE").await;
        let shown = invite.text.lines().find_map(|line| line.strip_prefix("X-Outbound-Cli: "));
        assert_eq!(shown.unwrap_or_default(), asked, "{}", invite.text);
        peer.send(&invite.answer("486 Busy Here", "p", "", ""), invite.from).await;
        phone
            .until(|event| matches!(event, Event::Ended { call: over, .. } if *over == call).then_some(()))
            .await;
    }
    phone.agent.stop().await;
}
