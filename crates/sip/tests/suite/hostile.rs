//! Strangers, floods and answers that come too late.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::common::peer::Peer;
use crate::common::{ANSWER, LIMIT, OFFER, Phone, account};
use crate::edges::{called, ok, registered, within};
use sip::{Cause, EndCause, Event, Registration, Transport};

/// A request from outside that begins something at the phone.
fn request(method: &str, id: &str, from_tag: &str, to: &str, peer: &Peer) -> String {
    format!(
        "{method} sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{method}{id}{from_tag}\r\n\
         From: <sip:102@y>;tag={from_tag}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:102@127.0.0.1:{port}>\r\nContent-Length: 0\r\n\r\n",
        port = peer.port
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_in_the_dialog_changes_nothing() {
    let (mut phone, peer) = registered().await;
    let (_, invite) = called(&mut phone, &peer).await;
    peer.receive("ACK").await;
    for method in ["BYE", "INVITE", "UPDATE", "INFO"] {
        let theirs = format!("{}{}", peer.contact(), "Content-Type: application/sdp\r\n");
        let strange = within(&invite, &peer, method, 100, &theirs, OFFER).replace("tag=bob", "tag=mallory");
        peer.send(&strange, invite.from).await;
        let answer = peer.receive("SIP/2.0").await;
        assert!(answer.start().contains("481"), "{method}: {}", answer.start());
    }
    // Their numbers have not spoilt those of the dialog.
    peer.send(&within(&invite, &peer, "BYE", 1, "", ""), invite.from).await;
    loop {
        match phone.next().await {
            Event::Offer { .. } => panic!("an offer of a stranger"),
            Event::Ended { cause, .. } => break assert_eq!(cause, EndCause::HungUpThere),
            _ => {}
        }
    }
    assert!(peer.receive("SIP/2.0").await.start().contains("200"));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_does_not_silence_a_ringing_call() {
    let (mut phone, peer) = registered().await;
    phone.agent.reconnect();
    let to = peer.register().await.from;
    peer.send(&request("INVITE", "ringing", "bob", "<sip:101@y>", &peer), to).await;
    let (call, ..) = phone.until_incoming().await;
    phone.agent.ring(call);
    let ringing = peer.receive("SIP/2.0 180").await;
    for from_tag in ["mallory", "bob"] {
        let bye = request("BYE", "ringing", from_tag, ringing.header("To"), &peer);
        peer.send(&bye.replace("CSeq: 1", "CSeq: 2"), to).await;
        let answer = peer.receive("SIP/2.0").await;
        let expected = if from_tag == "bob" { "200" } else { "481" };
        assert!(answer.start().contains(expected), "{from_tag}: {}", answer.start());
    }
    assert_eq!(phone.until_ended().await, (EndCause::CancelledThere, None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_arrives_by_two_ways_rings_once() {
    let (mut phone, peer) = registered().await;
    phone.agent.reconnect();
    let to = peer.register().await.from;
    let invite = request("INVITE", "merged", "bob", "<sip:101@y>", &peer);
    peer.send(&invite, to).await;
    phone.until_incoming().await;
    peer.receive("SIP/2.0 100").await;
    peer.send(&invite.replace("z9hG4bK", "z9hG4bKother"), to).await;
    assert!(peer.receive("SIP/2.0").await.start().contains("482"));
    // Another call under the same Call-ID is another call.
    peer.send(&request("INVITE", "merged", "carol", "<sip:101@y>", &peer), to).await;
    phone.until_incoming().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_refused_within_a_call_is_not_sent_again_and_again() {
    let (mut phone, peer) = registered().await;
    let (call, invite) = called(&mut phone, &peer).await;
    peer.receive("ACK").await;
    for _ in 0..2 {
        let question = peer.receive("OPTIONS").await;
        let challenge = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"1\"\r\n";
        peer.send(&question.answer("407 Authenticate", "", challenge, ""), invite.from).await;
    }
    let more = tokio::time::timeout(Duration::from_secs(25), peer.receive("OPTIONS")).await;
    assert!(more.is_err(), "{more:?}");
    phone.agent.hang_up(call);
    assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_calls_is_held_off() {
    let (mut phone, peer) = registered().await;
    phone.agent.reconnect();
    let to = peer.register().await.from;
    let mut busy = 0;
    for number in 0..60 {
        peer.send(&request("INVITE", &format!("flood{number}"), "x", "<sip:101@y>", &peer), to).await;
        let answer = peer.receive("SIP/2.0").await;
        busy += usize::from(answer.start().contains("486"));
    }
    assert_eq!(busy, 40);
    // Calls out are not concerned.
    phone.agent.invite("102", OFFER.into());
    peer.receive("INVITE").await;
    let mut rung = 0;
    while let Ok(event) = phone.events.try_recv() {
        rung += usize::from(matches!(event, Event::Incoming { .. }));
    }
    assert_eq!(rung, 20);
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_calls_leave_room_for_others() {
    let (mut phone, peer) = registered().await;
    phone.agent.reconnect();
    let to = peer.register().await.from;
    for number in 0..30 {
        peer.send(&request("INVITE", &format!("refused{number}"), "x", "<sip:101@y>", &peer), to).await;
        let (call, ..) = phone.until_incoming().await;
        phone.agent.decline(call, 486);
        // None of them is acknowledged.
        let refusal = peer.receive("SIP/2.0 486").await;
        assert!(refusal.header("Reason").starts_with("Q.850;cause=17"), "{}", refusal.text);
    }
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_answered_after_it_was_given_up_is_taken_back() {
    let (mut phone, peer) = registered().await;
    for rings in [true, false] {
        phone.agent.invite("102", OFFER.into());
        let invite = peer.receive("INVITE").await;
        assert_eq!(phone.until_ended().await, (EndCause::Unreachable(Cause::Silence), None));
        if rings {
            peer.send(&invite.answer("180 Ringing", "bob", "", ""), invite.from).await;
            let cancel = peer.receive("CANCEL").await;
            assert_eq!(cancel.header("Via"), invite.header("Via"));
            peer.send(&cancel.answer("200 OK", "bob", "", ""), cancel.from).await;
            peer.send(&invite.answer("487 Request Terminated", "bob", "", ""), invite.from).await;
            peer.receive("ACK").await;
        } else {
            peer.send(&ok(&invite, &peer), invite.from).await;
            peer.receive("ACK").await;
            peer.receive("BYE").await;
        }
        peer.pending();
    }
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lifetime_is_no_registration() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let register = peer.receive("REGISTER").await;
    let ours = register.header("Contact");
    let gone = format!("Contact: {ours};expires=0\r\n");
    peer.send(&register.answer("200 OK", "r", &gone, ""), register.from).await;
    loop {
        match phone.next().await {
            Event::Registration(Registration::Registered { expires, .. }) => panic!("{expires:?}"),
            Event::Registration(Registration::Retrying { cause, status, .. }) => {
                break assert_eq!((cause, status), (Cause::ServerFailed, Some(200)));
            }
            _ => {}
        }
    }
    peer.register().await;
    phone.until_registered().await;
    phone.agent.stop().await;
}

/// One SIP request off a stream.
async fn read_request(stream: &mut tokio::net::TcpStream) -> String {
    let mut text = String::new();
    let mut chunk = [0; 4096];
    while !text.contains("\r\n\r\n") {
        let length = stream.read(&mut chunk).await.unwrap();
        text.push_str(std::str::from_utf8(&chunk[..length]).unwrap());
    }
    text
}

fn granted(register: &str) -> String {
    let kept = |name: &&str| {
        ["Via", "From", "To", "Call-ID", "CSeq", "Contact"]
            .iter()
            .any(|one| name.starts_with(&format!("{one}:")))
    };
    let headers: Vec<&str> = register.lines().filter(kept).collect();
    format!("SIP/2.0 200 OK\r\n{}\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n", headers.join("\r\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_dropped_with_the_answer_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut phone = Phone::start(account(port, Transport::Tcp)).await;
    for _ in 0..20 {
        let (mut stream, _) =
            tokio::time::timeout(LIMIT, listener.accept()).await.expect("a new connection").unwrap();
        let register = read_request(&mut stream).await;
        stream.write_all(granted(&register).as_bytes()).await.unwrap();
        drop(stream);
        phone
            .until(|event| matches!(event, Event::Registration(Registration::Retrying { .. })).then_some(()))
            .await;
    }
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_reads_no_more_does_not_hold_up_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut phone = Phone::start(account(port, Transport::Tcp)).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let register = read_request(&mut stream).await;
    stream.write_all(granted(&register).as_bytes()).await.unwrap();
    phone.until_registered().await;
    let long = "x".repeat(1_000_000);
    for _ in 0..20 {
        phone.agent.invite("102", format!("{ANSWER}{long}"));
    }
    // Something of it has come, the rest is stuck.
    stream.readable().await.unwrap();
    tokio::time::timeout(Duration::from_secs(6), phone.agent.stop()).await.expect("stopped");
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_from_a_stranger_rings_and_does_no_more() {
    let (mut phone, peer) = registered().await;
    phone.agent.reconnect();
    let to = peer.register().await.from;
    let stranger = Peer::at("127.0.0.2").await;
    let wishes = "P-Asserted-Identity: <sip:103@bell.test>\r\nCall-Info: <sip:x>;answer-after=0\r\n\
                  Diversion: <sip:104@bell.test>\r\nContent-Length: 0";
    let invite = |id: &str, from: &Peer| {
        request("INVITE", id, "m", "<sip:101@y>", from).replace("Content-Length: 0", wishes)
    };
    let incoming = |event: &Event| match event {
        Event::Incoming { invitation, .. } => {
            Some((invitation.from.number.clone(), invitation.auto_answer, invitation.diverted_by.len()))
        }
        _ => None,
    };
    for id in ["one", "two"] {
        stranger.send(&invite(id, &stranger), to).await;
        assert_eq!(phone.until(incoming).await, ("102".to_owned(), None, 0));
    }
    stranger.send(&invite("three", &stranger), to).await;
    stranger.receive("SIP/2.0 486").await;
    peer.send(&invite("four", &peer), to).await;
    assert_eq!(phone.until(incoming).await, ("103".to_owned(), Some(Duration::ZERO), 1));
    phone.agent.stop().await;
}
