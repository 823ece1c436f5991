//! Subscriptions, publications and messages against a scripted phone system: what goes out, and what is taken in.

use std::net::SocketAddr;

use sip::{
    Activity, Event, MessageSummary, News, OtherCall, Package, Presence, SubscriptionKey, SubscriptionState,
    Transport,
};
use tokio::net::UdpSocket;

use super::common::peer::{Message, Peer};
use super::common::{LIMIT, Phone, account};

async fn registered() -> (Phone, Peer, SocketAddr) {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let register = peer.register().await;
    phone.until_registered().await;
    (phone, peer, register.from)
}

/// A message but for what differs from run to run.
fn stable(message: &Message, peer: &Peer) -> String {
    let random = ["Via", "Call-ID", "Supported", "User-Agent"];
    let mut shown: String = message
        .text
        .lines()
        .filter(|line| !random.iter().any(|name| line.starts_with(&format!("{name}:"))))
        .map(|line| {
            let line = match line.split_once(";tag=") {
                Some((before, tag)) if tag.len() > 10 => format!("{before};tag=..."),
                _ => line.to_owned(),
            };
            line.replace(&format!("127.0.0.1:{}", peer.port), "PEER")
                .replace(&message.from.to_string(), "PHONE")
                + "\n"
        })
        .collect();
    if let Some(at) = shown.find("tuple id=\"t") {
        let device = shown[at + 11..].split('"').next().unwrap().to_owned();
        shown = shown.replace(&device, "DEVICE");
    }
    shown
}

/// A notification within the dialog of a subscription.
fn notify(peer: &Peer, subscribe: &Message, sequence: u32, tag: &str, headers: &str, body: &str) -> String {
    format!(
        "NOTIFY sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{0};branch=z9hG4bKn{tag}{sequence}\r\n\
         From: {1};tag={tag}\r\nTo: {2}\r\nCall-ID: {3}\r\nCSeq: {sequence} NOTIFY\r\nMax-Forwards: 70\r\n\
         Contact: <sip:pbx@127.0.0.1:{0}>\r\n{headers}Content-Length: {4}\r\n\r\n{body}",
        peer.port,
        subscribe.header("To").split(";tag").next().unwrap(),
        subscribe.header("From"),
        subscribe.header("Call-ID"),
        body.len()
    )
}

const DIALOG: &str = "Event: dialog\r\nSubscription-State: active;expires=600\r\nContent-Type: application/dialog-info+xml\r\n";

fn lamps(version: u32, state: &str, calls: &[(&str, &str)]) -> String {
    let calls: String = calls
        .iter()
        .map(|(id, state)| format!("<dialog id=\"{id}\"><state>{state}</state></dialog>"))
        .collect();
    format!(
        "<dialog-info version=\"{version}\" state=\"{state}\" entity=\"sip:102@bell.test\">{calls}</dialog-info>"
    )
}

async fn until_lamps(phone: &mut Phone) -> Vec<String> {
    phone
        .until(|event| match event {
            Event::Notified { news: News::Dialogs(calls), .. } => {
                Some(calls.iter().map(|OtherCall { id, .. }| id.clone()).collect())
            }
            _ => None,
        })
        .await
}

async fn until_state(phone: &mut Phone, key: SubscriptionKey) -> SubscriptionState {
    phone
        .until(|event| match event {
            Event::Subscription { subscription, state } if *subscription == key => Some(*state),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_from_its_first_request_to_its_last() {
    let (mut phone, peer, to) = registered().await;
    let key = phone.agent.subscribe(Package::Dialog, Some("102"));
    assert_eq!(until_state(&mut phone, key).await, SubscriptionState::Pending);
    let first = peer.receive_new("SUBSCRIBE").await;
    insta::assert_snapshot!(stable(&first, &peer), @r#"
    SUBSCRIBE sip:102@bell.test SIP/2.0
    Max-Forwards: 70
    From: "Alice \"A\" Bell" <sip:101@bell.test>;tag=...
    To: <sip:102@bell.test>
    CSeq: 1 SUBSCRIBE
    Contact: <sip:101@PHONE>
    Event: dialog
    Accept: application/dialog-info+xml
    Expires: 3600
    Content-Length: 0
    "#);

    // It is told before it is agreed to; another phone system that heard of it as well is not listened to.
    peer.send(&notify(&peer, &first, 1, "a", DIALOG, &lamps(0, "full", &[("x", "early")])), to).await;
    assert!(peer.receive("SIP/2.0").await.start().contains("200"));
    assert_eq!(until_state(&mut phone, key).await, SubscriptionState::Active);
    assert_eq!(until_lamps(&mut phone).await, ["x"]);
    peer.send(&notify(&peer, &first, 1, "b", DIALOG, &lamps(0, "full", &[])), to).await;
    assert!(peer.receive("SIP/2.0").await.start().contains("481"));
    peer.send(&first.answer("200 OK", "a", "Expires: 600\r\n", ""), to).await;

    // Nothing else is taken for it, and nothing twice.
    for (sequence, headers, body, status) in [
        (0, DIALOG.to_owned(), String::new(), "500"),
        (2, DIALOG.replace("Event: dialog", "Event: presence"), String::new(), "489"),
        (3, DIALOG.replace("dialog-info+xml", "pidf+xml"), "<presence/>".to_owned(), "415"),
        (4, DIALOG.to_owned(), "<dialog-info><dialog>".to_owned(), "400"),
        (5, DIALOG.to_owned(), "<!DOCTYPE a [<!ENTITY b \"c\">]><dialog-info/>".to_owned(), "400"),
        (6, DIALOG.to_owned(), lamps(1, "partial", &[("y", "confirmed")]), "200"),
    ] {
        peer.send(&notify(&peer, &first, sequence, "a", &headers, &body), to).await;
        let answer = peer.receive("SIP/2.0").await;
        assert!(answer.start().contains(status), "{body}: {}", answer.start());
    }
    assert_eq!(until_lamps(&mut phone).await, ["x", "y"]);

    // A gap is filled by asking again, in the dialog.
    peer.send(&notify(&peer, &first, 7, "a", DIALOG, &lamps(5, "partial", &[("z", "early")])), to).await;
    assert_eq!(until_lamps(&mut phone).await, ["x", "y", "z"]);
    let refresh = peer.receive_new("SUBSCRIBE").await;
    assert_eq!(refresh.start(), format!("SUBSCRIBE sip:pbx@127.0.0.1:{} SIP/2.0", peer.port));
    assert_eq!(
        (refresh.header("Call-ID"), refresh.header("From")),
        (first.header("Call-ID"), first.header("From"))
    );
    assert!(refresh.header("To").ends_with(";tag=a"));

    // The phone system was started anew meanwhile and knows nothing: so do we.
    peer.send(&refresh.answer("481 Gone", "", "", ""), to).await;
    let afresh = peer.receive_new("SUBSCRIBE").await;
    assert!(!afresh.header("To").contains("tag="), "{}", afresh.text);
    assert_ne!(afresh.header("From"), first.header("From"));
    peer.send(&afresh.answer("200 OK", "c", "Expires: 600\r\nContact: <sip:pbx@127.0.0.1:9>\r\n", ""), to)
        .await;
    peer.send(&notify(&peer, &afresh, 1, "c", DIALOG, &lamps(0, "full", &[("n", "early")])), to).await;
    assert_eq!(until_lamps(&mut phone).await, ["n"]);

    // It is ended there, to be had again at once, and then for good.
    let ended = |reason: &str| format!("Event: dialog\r\nSubscription-State: terminated;reason={reason}\r\n");
    peer.send(&notify(&peer, &afresh, 2, "c", &ended("rejected"), ""), to).await;
    assert_eq!(until_state(&mut phone, key).await, SubscriptionState::Ended(None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_refused_or_taken_back() {
    let (mut phone, peer, to) = registered().await;
    let refused = phone.agent.subscribe(Package::Presence, Some("102"));
    let subscribe = peer.receive_new("SUBSCRIBE").await;
    peer.send(&subscribe.answer("489 Bad Event", "a", "", ""), to).await;
    assert_eq!(until_state(&mut phone, refused).await, SubscriptionState::Pending);
    assert_eq!(until_state(&mut phone, refused).await, SubscriptionState::Ended(Some(489)));

    let key = phone.agent.subscribe(Package::MessageSummary, None);
    let subscribe = peer.receive_new("SUBSCRIBE sip:101@bell.test").await;
    let contact = "Expires: 600\r\nContact: <sip:pbx@127.0.0.1>\r\n";
    peer.send(&subscribe.answer("202 Accepted", "a", contact, ""), to).await;
    let summary = "Event: message-summary\r\nSubscription-State: active\r\nContent-Type: application/simple-message-summary\r\n";
    peer.send(&notify(&peer, &subscribe, 1, "a", summary, "Messages-Waiting: yes\r\n"), to).await;
    let heard = phone
        .until(|event| match event {
            Event::Notified { subscription, news } => Some((*subscription, news.clone())),
            _ => None,
        })
        .await;
    assert_eq!(heard, (Some(key), News::Messages(MessageSummary { waiting: true, ..Default::default() })));
    phone.agent.unsubscribe(key);
    let last = peer.receive_new("SUBSCRIBE").await;
    assert_eq!((last.header("Expires"), last.header("Call-ID")), ("0", subscribe.header("Call-ID")));
    peer.send(&last.answer("200 OK", "a", "", ""), to).await;

    // Nobody knows it on an account whose number is no number.
    let nowhere = phone.agent.subscribe(Package::Presence, Some("@"));
    assert_eq!(until_state(&mut phone, nowhere).await, SubscriptionState::Ended(None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_unasked_is_taken_from_the_phone_system_alone() {
    let (mut phone, peer, to) = registered().await;
    let stranger = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let from = stranger.local_addr().unwrap();
    let request = |method: &str, number: u32, via: &str, headers: &str, body: &str| {
        format!(
            "{method} sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKu{method}{number}\r\n\
             From: \"Bob\" <sip:102@bell.test>;tag=u\r\nTo: <sip:101@bell.test>\r\nCall-ID: u{number}\r\n\
             CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:x@{via}>\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let summary = "Event: message-summary\r\nContent-Type: application/simple-message-summary\r\n";
    let waiting = "Messages-Waiting: yes\r\nVoice-Message: 4/1\r\n";
    let refer = "Refer-To: <sip:900@bell.test>\r\n";
    let text = "Content-Type: text/plain\r\n";
    for (number, (method, headers, body, status)) in [
        ("NOTIFY", summary, waiting, "481"),
        ("MESSAGE", text, "Buy now", "403"),
        ("REFER", refer, "", "403"),
    ]
    .into_iter()
    .enumerate()
    {
        // However it says where it is.
        for (attempt, via) in [
            from.to_string(),
            format!("{from};received=127.0.0.1"),
            format!("{from};received=127.0.0.1;rport=5060"),
            format!("127.0.0.1:{}", from.port()),
        ]
        .into_iter()
        .enumerate()
        {
            let number = u32::try_from(number * 10 + attempt).unwrap();
            let message = request(method, number, &via, headers, body);
            stranger.send_to(message.as_bytes(), to).await.unwrap();
            let mut buffer = vec![0; 4096];
            let (length, _) = tokio::time::timeout(LIMIT, stranger.recv_from(&mut buffer))
                .await
                .expect("an answer")
                .unwrap();
            let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
            assert!(answer.starts_with(&format!("SIP/2.0 {status}")), "{method}: {answer}");
        }
    }
    let via = format!("127.0.0.1:{}", peer.port);
    peer.send(&request("NOTIFY", 100, &via, summary, waiting), to).await;
    assert!(peer.receive("SIP/2.0").await.start().contains("200"));
    // Nothing of what the stranger said was told before.
    let Event::Notified { subscription: None, news: News::Messages(told) } = phone.next().await else {
        panic!()
    };
    assert_eq!((told.waiting, told.new, told.old), (true, Some(4), Some(1)));

    for (number, headers, body, status) in [
        (101, text, "Come over", "200"),
        (102, "Content-Type: text/html\r\n", "<b>x</b>", "415"),
        (103, "Content-Type: application/im-iscomposing+xml\r\n", "<x/>", "415"),
    ] {
        peer.send(&request("MESSAGE", number, &via, headers, body), to).await;
        let answer = peer.receive("SIP/2.0").await;
        assert!(answer.start().contains(status), "{}", answer.start());
    }
    let Event::Message { from, text: said } = phone.next().await else { panic!() };
    assert_eq!(
        (from.number.as_str(), from.display_name.as_deref(), said.as_str()),
        ("102", Some("Bob"), "Come over")
    );
    // The same again, as another request: its answer was lost.
    let again =
        request("MESSAGE", 101, &via, text, "Come over").replace("z9hG4bKuMESSAGE101", "z9hG4bKagain");
    peer.send(&again, to).await;
    assert!(peer.receive("SIP/2.0").await.start().contains("200"));
    peer.send(&request("MESSAGE", 104, &via, text, "Now"), to).await;
    let Event::Message { text: said, .. } = phone.next().await else { panic!() };
    assert_eq!(said, "Now");
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_publication_and_a_message_look_like() {
    let (mut phone, peer, to) = registered().await;
    let presence = Presence { open: true, activity: Activity::OnThePhone, note: Some("Back at 3".into()) };
    phone.agent.publish(Some(presence));
    let first = peer.receive_new("PUBLISH").await;
    insta::assert_snapshot!(stable(&first, &peer), @r#"
    PUBLISH sip:101@bell.test SIP/2.0
    Max-Forwards: 70
    From: "Alice \"A\" Bell" <sip:101@bell.test>;tag=...
    To: <sip:101@bell.test>
    CSeq: 1 PUBLISH
    Event: presence
    Expires: 3600
    Content-Type: application/pidf+xml
    Content-Length: 461

    <?xml version="1.0" encoding="UTF-8"?>
    <presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:101@bell.test">
    <tuple id="tDEVICE"><status><basic>open</basic></status><note>Back at 3</note></tuple>
    <dm:person id="pDEVICE"><rpid:activities><rpid:on-the-phone/></rpid:activities><dm:note>Back at 3</dm:note></dm:person>
    </presence>
    "#);
    peer.send(&first.answer("200 OK", "p", "SIP-ETag: one\r\nExpires: 600\r\n", ""), to).await;
    phone.until(|event| matches!(event, Event::Published { status: Some(200) }).then_some(())).await;
    phone.agent.publish(None);
    let last = peer.receive_new("PUBLISH").await;
    assert_eq!(
        (last.header("SIP-If-Match"), last.header("Expires"), last.header("Content-Length")),
        ("one", "0", "0")
    );
    peer.send(&last.answer("200 OK", "p", "SIP-ETag: two\r\n", ""), to).await;

    phone.agent.message("102", "Grüße");
    let message = peer.receive_new("MESSAGE").await;
    insta::assert_snapshot!(stable(&message, &peer), @r#"
    MESSAGE sip:102@bell.test SIP/2.0
    Max-Forwards: 70
    From: "Alice \"A\" Bell" <sip:101@bell.test>;tag=...
    To: <sip:102@bell.test>
    CSeq: 1 MESSAGE
    Content-Type: text/plain;charset=UTF-8
    Content-Length: 7

    Grüße
    "#);
    peer.send(&message.answer("202 Accepted", "m", "", ""), to).await;
    let status = phone
        .until(|event| match event {
            Event::MessageSent { status, .. } => Some(*status),
            _ => None,
        })
        .await;
    assert_eq!(status, Some(202));
    phone.agent.message("102", &"x".repeat(20_000));
    let status = phone
        .until(|event| match event {
            Event::MessageSent { status, .. } => Some(*status),
            _ => None,
        })
        .await;
    assert_eq!(status, Some(413));
    phone.agent.stop().await;
}
