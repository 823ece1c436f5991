//! Subscriptions, publications and text messages, through Kamailio as the phone system.

use sip::{
    Activity, Event, MessageSummary, News, OtherCall, OtherCallState, Package, Presence, SubscriptionKey,
    SubscriptionState, Transport,
};

use super::common::kamailio::Kamailio;
use super::common::peer::Peer;
use super::common::presence::PresenceServer;
use super::common::{ANSWER, OFFER, Phone};

async fn until_active(phone: &mut Phone, key: SubscriptionKey) {
    phone
        .until(|event| match event {
            Event::Subscription { subscription, state: SubscriptionState::Active }
                if *subscription == key =>
            {
                Some(())
            }
            _ => None,
        })
        .await;
}

/// Waits for news that `pick` picks.
async fn until_news<T>(phone: &mut Phone, pick: impl Fn(&News) -> Option<T>) -> (Option<SubscriptionKey>, T) {
    phone
        .until(|event| match event {
            Event::Notified { subscription, news } => pick(news).map(|found| (*subscription, found)),
            _ => None,
        })
        .await
}

async fn until_published(phone: &mut Phone) -> Option<u16> {
    phone
        .until(|event| match event {
            Event::Published { status } => Some(*status),
            _ => None,
        })
        .await
}

/// What a voicemail server does when a message was left.
async fn leave_message(kamailio: &Kamailio, version: u32, summary: &str) {
    let voicemail = Peer::start().await;
    let port = kamailio.port(Transport::Udp);
    let publish = format!(
        "PUBLISH sip:101@bell.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{0};branch=z9hG4bKvm{0}\r\n\
         From: <sip:101@bell.test>;tag=v\r\nTo: <sip:101@bell.test>\r\nCall-ID: voicemail-{0}\r\n\
         CSeq: {version} PUBLISH\r\nMax-Forwards: 70\r\nEvent: message-summary\r\nExpires: 3600\r\n\
         User-Agent: voicemail\r\nContent-Type: application/simple-message-summary\r\n\
         Content-Length: {1}\r\n\r\n{summary}",
        voicemail.port,
        summary.len()
    );
    voicemail.send(&publish, ([127, 0, 0, 1], port).into()).await;
    voicemail.receive("SIP/2.0 200").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_messages_are_told() {
    let server = PresenceServer::start();
    let kamailio = &server.kamailio;
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut phone = Phone::start(kamailio.account("101", transport)).await;
        // Asked for before the account is registered: it waits.
        let key = phone.agent.subscribe(Package::MessageSummary, None);
        until_active(&mut phone, key).await;
        for (version, (summary, waiting, new)) in [
            ("Messages-Waiting: yes\r\nVoice-Message: 2/1 (0/0)\r\n", true, Some(2)),
            ("Messages-Waiting: no\r\nVoice-Message: 0/3 (0/0)\r\n", false, Some(0)),
        ]
        .into_iter()
        .enumerate()
        {
            leave_message(kamailio, u32::try_from(version).unwrap() + 1, summary).await;
            let (of, ()) = until_news(&mut phone, |news| match news {
                News::Messages(MessageSummary { waiting: w, new: n, .. }) if (*w, *n) == (waiting, new) => {
                    Some(())
                }
                _ => None,
            })
            .await;
            assert_eq!(of, Some(key));
        }
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_is_published_and_told() {
    let server = PresenceServer::start();
    let kamailio = &server.kamailio;
    let mut alice = Phone::registered(kamailio.account("101", Transport::Udp)).await;
    let mut bob = Phone::registered(kamailio.account("102", Transport::Tcp)).await;
    let key = bob.agent.subscribe(Package::Presence, Some("101"));
    until_active(&mut bob, key).await;
    for presence in [
        Presence { open: true, activity: Activity::Busy, note: Some("Do <not> knock".into()) },
        Presence { open: true, activity: Activity::DoNotDisturb, note: None },
        Presence { open: false, activity: Activity::Away, note: None },
    ] {
        alice.agent.publish(Some(presence.clone()));
        assert_eq!(until_published(&mut alice).await, Some(200));
        until_news(&mut bob, |news| (*news == News::Presence(presence.clone())).then_some(())).await;
    }
    alice.agent.publish(None);
    assert_eq!(until_published(&mut alice).await, Some(200));
    until_news(&mut bob, |news| match news {
        News::Presence(presence) => (*presence == Presence::default()).then_some(()),
        _ => None,
    })
    .await;
    bob.agent.unsubscribe(key);
    alice.agent.stop().await;
    bob.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_lamp_follows_the_calls_of_another() {
    let server = PresenceServer::start();
    let kamailio = &server.kamailio;
    let mut alice = Phone::registered(kamailio.account("101", Transport::Udp)).await;
    let mut bob = Phone::registered(kamailio.account("102", Transport::Tcp)).await;
    let mut carol = Phone::registered(kamailio.account("103", Transport::Udp)).await;
    let key = carol.agent.subscribe(Package::Dialog, Some("102"));
    until_active(&mut carol, key).await;

    let call = alice.agent.invite("102", OFFER.into());
    let (at_bob, ..) = bob.until_incoming().await;
    bob.agent.ring(at_bob);
    let lamp = |state: OtherCallState| {
        move |news: &News| match news {
            News::Dialogs(calls) => calls.iter().find(|call| call.state == state).cloned(),
            _ => None,
        }
    };
    let (_, ringing): (_, OtherCall) = until_news(&mut carol, lamp(OtherCallState::Early)).await;
    assert!(ringing.incoming);
    assert_eq!(ringing.party.map(|party| party.number).as_deref(), Some("101"));
    bob.agent.answer(at_bob, ANSWER.into());
    alice.until_answered().await;
    until_news(&mut carol, lamp(OtherCallState::Confirmed)).await;
    alice.agent.hang_up(call);
    until_news(&mut carol, lamp(OtherCallState::Terminated)).await;
    for phone in [alice, bob, carol] {
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_messages_go_both_ways() {
    let kamailio = Kamailio::start();
    let mut alice = Phone::registered(kamailio.account("101", Transport::Udp)).await;
    let mut bob = Phone::registered(kamailio.account("102", Transport::Tcp)).await;
    for number in ["102", "101"] {
        let (from, to) = if number == "102" { (&mut alice, &mut bob) } else { (&mut bob, &mut alice) };
        let sent = from.agent.message(number, "Grüße\r\n\r\n— 你好 🔔");
        let (caller, text) = to
            .until(|event| match event {
                Event::Message { from, text } => Some((from.number.clone(), text.clone())),
                _ => None,
            })
            .await;
        assert_eq!(text, "Grüße\r\n\r\n— 你好 🔔");
        assert_eq!(caller, if number == "102" { "101" } else { "102" });
        let outcome = from
            .until(|event| match event {
                Event::MessageSent { message, status } => Some((*message, *status)),
                _ => None,
            })
            .await;
        assert_eq!(outcome, (sent, Some(200)));
    }
    alice.agent.message("104", "Is anybody there?");
    let nobody = alice
        .until(|event| match event {
            Event::MessageSent { status, .. } => Some(*status),
            _ => None,
        })
        .await;
    assert_eq!(nobody, Some(404));
    alice.agent.stop().await;
    bob.agent.stop().await;
}
