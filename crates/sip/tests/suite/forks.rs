//! Several phones that ring for one call: each has an early dialog of its own.

use crate::common::peer::{Message, Peer};
use crate::common::{ANSWER, OFFER, Phone};
use crate::edges::registered;
use sip::{EndCause, Event};

const SDP: &str = "Content-Type: application/sdp\r\n";

fn early(invite: &Message, peer: &Peer, status: &str, tag: &str, headers: &str, sdp: &str) -> String {
    let kind = if sdp.is_empty() { "" } else { SDP };
    invite.answer(status, tag, &format!("{}{headers}{kind}", peer.contact()), sdp)
}

async fn until_progress(phone: &mut Phone) -> (u32, u16, Option<String>) {
    phone
        .until(|event| match event {
            Event::Ringing { fork, status, sdp, .. } => Some((*fork, *status, sdp.clone())),
            _ => None,
        })
        .await
}

fn media(port: u16) -> String {
    ANSWER.replace("40002", &port.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_phone_is_told_apart_and_answers_with_its_own_early_media() {
    let (mut phone, peer) = registered().await;
    let call = phone.agent.invite("102", OFFER.into());
    let invite = peer.receive("INVITE").await;
    assert!(invite.header("Supported").contains("100rel"));
    for (tag, status, sdp, fork) in [
        ("bob", "180 Ringing", String::new(), 0),
        ("carol", "180 Ringing", String::new(), 1),
        ("bob", "183 Session Progress", media(41000), 0),
        ("carol", "183 Session Progress", media(42000), 1),
        ("bob", "199 Early Dialog Terminated", String::new(), 0),
    ] {
        peer.send(&early(&invite, &peer, status, tag, "", &sdp), invite.from).await;
        let code: u16 = status[..3].parse().unwrap();
        assert_eq!(until_progress(&mut phone).await, (fork, code, Some(sdp).filter(|sdp| !sdp.is_empty())));
    }
    // Carol answers without a word about media: hers is what came early, not the other's.
    peer.send(&early(&invite, &peer, "200 OK", "carol", "", ""), invite.from).await;
    assert_eq!(phone.until_answered().await, media(42000));
    peer.receive("ACK").await;
    // Bob answers as well: too late.
    peer.send(&early(&invite, &peer, "200 OK", "bob", "", &media(41000)), invite.from).await;
    assert!(peer.receive("ACK").await.header("To").ends_with("tag=bob"));
    let bye = peer.receive("BYE").await;
    assert!(bye.header("To").ends_with("tag=bob"));
    peer.send(&bye.answer("200 OK", "", "", ""), bye.from).await;
    phone.agent.hang_up(call);
    assert!(peer.receive("BYE").await.header("To").ends_with("tag=carol"));
    assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reliable_answers_are_acknowledged_for_each_phone_and_delay_nothing() {
    let (mut phone, peer) = registered().await;
    let call = phone.agent.invite("102", OFFER.into());
    let invite = peer.receive("INVITE").await;
    for (fork, tag) in [(0, "bob"), (1, "carol")] {
        // Both count from the same number.
        let reliable = "Require: 100rel\r\nRSeq: 7\r\n";
        let ringing = early(&invite, &peer, "180 Ringing", tag, reliable, "");
        peer.send(&ringing, invite.from).await;
        assert_eq!(until_progress(&mut phone).await, (fork, 180, None));
        let prack = peer.receive("PRACK").await;
        assert_eq!(prack.header("RAck"), "7 1 INVITE");
        assert!(prack.header("To").ends_with(&format!("tag={tag}")));
        assert!(prack.start().starts_with("PRACK sip:%2349102@"), "{}", prack.start());
        if tag == "bob" {
            peer.send(&prack.answer("200 OK", "", "", ""), prack.from).await;
        }
    }
    // The answer to Carol's PRACK got lost. Her 200 is told all the same, at once.
    let began = std::time::Instant::now();
    peer.send(&early(&invite, &peer, "200 OK", "carol", "", ANSWER), invite.from).await;
    phone.until_answered().await;
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    phone.agent.hang_up(call);
    phone.until_ended().await;
    peer.receive("BYE").await;
    phone.agent.stop().await;
}
