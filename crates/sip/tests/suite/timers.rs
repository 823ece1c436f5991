//! Session timers and UPDATE against a scripted peer.

use std::time::{Duration, Instant};

use crate::common::peer::{Message, Peer};
use crate::common::{ANSWER, LIMIT, OFFER, Phone, account};
use crate::edges::{registered, within};
use sip::{CallKey, EndCause, Event, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

const SDP: &str = "Content-Type: application/sdp\r\n";

/// A call out whose 200 has these headers.
async fn answered_with(headers: &str) -> (Phone, Peer, CallKey, Message) {
    let (mut phone, peer) = registered().await;
    let call = phone.agent.invite("102", OFFER.into());
    let invite = peer.receive("INVITE").await;
    assert!(invite.header("Supported").contains("timer"));
    assert_eq!(invite.header("Session-Expires"), "1800");
    let ok = invite.answer("200 OK", "bob", &format!("{}{headers}{SDP}", peer.contact()), ANSWER);
    peer.send(&ok, invite.from).await;
    phone.until_answered().await;
    peer.receive("ACK").await;
    (phone, peer, call, invite)
}

/// Waits for a request other than the questions whether we still are there, which are answered.
async fn next_but_options(peer: &Peer) -> Message {
    let deadline = Instant::now() + Duration::from_secs(100);
    while Instant::now() < deadline {
        let message = peer.receive("").await;
        match message.start().split(' ').next() {
            Some("OPTIONS") => peer.send(&message.answer("200 OK", "", "", ""), message.from).await,
            Some("UPDATE" | "INVITE" | "BYE") => return message,
            _ => {}
        }
    }
    panic!("nothing but questions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_refreshed_at_half_time_by_update_or_reinvite() {
    let timer = "Session-Expires: 90;refresher=uac\r\nRequire: timer\r\n";
    let update = async {
        let began = Instant::now();
        let (phone, peer, call, _) = answered_with(&format!("{timer}Allow: INVITE, UPDATE\r\n")).await;
        let refresh = next_but_options(&peer).await;
        assert!(refresh.start().starts_with("UPDATE "), "{}", refresh.start());
        assert!(began.elapsed() >= Duration::from_secs(45), "{:?}", began.elapsed());
        assert_eq!(refresh.header("Session-Expires"), "90;refresher=uac");
        assert!(!refresh.header("Contact").is_empty() && refresh.header("Content-Length") == "0");
        // They have thought better of UPDATE.
        peer.send(&refresh.answer("405 Not Allowed", "", "", ""), refresh.from).await;
        let again = next_but_options(&peer).await;
        assert!(again.start().starts_with("INVITE ") && again.text.ends_with(OFFER), "{}", again.text);
        let ok = again.answer("200 OK", "", &format!("{}{timer}{SDP}", peer.contact()), ANSWER);
        peer.send(&ok, again.from).await;
        peer.receive("ACK").await;
        // Nothing has changed, so nothing is told.
        (phone, peer, call)
    };
    let reinvite = async {
        let (phone, peer, call, _) = answered_with(timer).await;
        let refresh = next_but_options(&peer).await;
        assert!(refresh.start().starts_with("INVITE ") && refresh.text.ends_with(OFFER), "{}", refresh.text);
        let ok = refresh.answer("200 OK", "", &format!("{}{timer}{SDP}", peer.contact()), ANSWER);
        peer.send(&ok, refresh.from).await;
        peer.receive("ACK").await;
        (phone, peer, call)
    };
    let (one, other) = tokio::join!(update, reinvite);
    for (mut phone, peer, call) in [one, other] {
        phone.agent.hang_up(call);
        loop {
            match phone.next().await {
                Event::Answer { .. } => panic!("news where there is none"),
                Event::Ended { cause, .. } => break assert_eq!(cause, EndCause::HungUpHere),
                _ => {}
            }
        }
        peer.receive("BYE").await;
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_nobody_refreshes_is_over() {
    let began = Instant::now();
    let (mut phone, peer, ..) =
        answered_with("Session-Expires: 90;refresher=uas\r\nRequire: timer\r\n").await;
    let bye = next_but_options(&peer).await;
    assert!(bye.start().starts_with("BYE "), "{}", bye.start());
    // Not before two thirds of it are over.
    assert!(began.elapsed() >= Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(phone.until_ended().await, (EndCause::ConnectionLost, None));
    peer.send(&bye.answer("200 OK", "", "", ""), bye.from).await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_answered_before_is_missed() {
    let mute = async {
        let (mut phone, peer, call, _) = answered_with("").await;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(65) {
            let message = peer.receive("").await;
            assert!(!message.start().starts_with("BYE "), "after {:?}", began.elapsed());
        }
        phone.agent.hang_up(call);
        assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
        phone.agent.stop().await;
    };
    let gone = async {
        let (mut phone, peer, ..) = answered_with("").await;
        let question = peer.receive("OPTIONS").await;
        peer.send(&question.answer("200 OK", "", "", ""), question.from).await;
        let ended = tokio::select! {
            ended = phone.until_ended() => ended,
            () = async { loop { peer.receive("").await; } } => unreachable!(),
        };
        assert_eq!(ended, (EndCause::ConnectionLost, None));
        phone.agent.stop().await;
    };
    tokio::join!(mute, gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshes_of_theirs_are_agreed_to() {
    let (mut phone, peer, call, invite) =
        answered_with("Session-Expires: 1800;refresher=uas\r\nAllow: UPDATE\r\n").await;
    let timer = "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n";
    peer.send(&within(&invite, &peer, "UPDATE", 1, timer, ""), invite.from).await;
    let ok = peer.receive("SIP/2.0 200").await;
    assert_eq!(ok.header("Session-Expires"), "600;refresher=uac");
    assert_eq!(ok.header("Require"), "timer");
    assert!(!ok.header("Contact").is_empty());
    let brief = timer.replace("600", "30");
    peer.send(&within(&invite, &peer, "UPDATE", 2, &brief, ""), invite.from).await;
    assert_eq!(peer.receive("SIP/2.0 422").await.header("Min-SE"), "90");
    phone.agent.hang_up(call);
    phone.until_ended().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_go_both_ways_while_it_rings() {
    let (mut phone, peer) = registered().await;
    let call = phone.agent.invite("102", OFFER.into());
    let invite = peer.receive("INVITE").await;
    let headers = format!("{}Require: 100rel\r\nRSeq: 1\r\nAllow: INVITE, UPDATE\r\n{SDP}", peer.contact());
    peer.send(&invite.answer("183 Session Progress", "bob", &headers, ANSWER), invite.from).await;
    let prack = peer.receive("PRACK").await;
    peer.send(&prack.answer("200 OK", "", "", ""), prack.from).await;
    phone.until_ringing().await;
    // Ours.
    let ours = OFFER.replace("40000", "40010");
    phone.agent.reoffer(call, ours.clone());
    let update = peer.receive("UPDATE").await;
    assert!(update.text.ends_with(&ours) && update.header("To").ends_with("tag=bob"));
    // Theirs crosses it.
    let theirs = format!("{}{SDP}", peer.contact());
    peer.send(&within(&invite, &peer, "UPDATE", 1, &theirs, OFFER), invite.from).await;
    peer.receive("SIP/2.0 491").await;
    peer.send(&update.answer("200 OK", "", SDP, ANSWER), update.from).await;
    assert_eq!(phone.until_answer().await, ANSWER);
    // Theirs.
    peer.send(&within(&invite, &peer, "UPDATE", 2, &theirs, OFFER), invite.from).await;
    assert_eq!(phone.until_offer().await.as_deref(), Some(OFFER));
    phone.agent.answer_offer(call, Some(ANSWER.into()));
    assert!(peer.receive("SIP/2.0 200").await.text.ends_with(ANSWER));
    // The 200 has nothing to add to what was agreed last.
    peer.send(&invite.answer("200 OK", "bob", &peer.contact(), ""), invite.from).await;
    assert_eq!(phone.until_answered().await, OFFER);
    peer.receive("ACK").await;
    // The count of their requests goes on from the early dialog.
    peer.send(&within(&invite, &peer, "INFO", 2, "", ""), invite.from).await;
    peer.receive("SIP/2.0 500").await;
    phone.agent.hang_up(call);
    phone.until_ended().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_made_too_early_goes_out_when_they_have_answered() {
    let (mut phone, peer) = registered().await;
    let call = phone.agent.invite("102", OFFER.into());
    let invite = peer.receive("INVITE").await;
    peer.send(&invite.answer("180 Ringing", "bob", &peer.contact(), ""), invite.from).await;
    phone.until_ringing().await;
    let ours = OFFER.replace("40000", "40010");
    phone.agent.reoffer(call, ours.clone());
    peer.send(&invite.answer("200 OK", "bob", &format!("{}{SDP}", peer.contact()), ANSWER), invite.from)
        .await;
    phone.until_answered().await;
    peer.receive("ACK").await;
    let offered = peer.receive("INVITE").await;
    assert!(offered.text.ends_with(&ours));
    peer.send(&offered.answer("200 OK", "", &format!("{}{SDP}", peer.contact()), ANSWER), offered.from).await;
    phone.until_answer().await;
    phone.agent.hang_up(call);
    phone.until_ended().await;
    phone.agent.stop().await;
}

/// Requests and answers off a stream, one by one.
struct Stream {
    stream: tokio::net::TcpStream,
    buffer: String,
}

impl Stream {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = timeout(LIMIT, listener.accept()).await.expect("a connection").unwrap();
        Self { stream, buffer: String::new() }
    }

    async fn receive(&mut self) -> Message {
        loop {
            let text = self.buffer.trim_start_matches(['\r', '\n']).to_owned();
            if let Some((head, rest)) = text.split_once("\r\n\r\n") {
                let from = self.stream.peer_addr().unwrap();
                let message = Message { text: format!("{head}\r\n\r\n"), from };
                let length: usize = message.header("Content-Length").parse().unwrap();
                if rest.len() >= length {
                    let (body, rest) = rest.split_at(length);
                    self.buffer = rest.to_owned();
                    return Message { text: format!("{head}\r\n\r\n{body}"), from };
                }
            }
            let mut chunk = [0; 4096];
            let read = timeout(LIMIT, self.stream.read(&mut chunk)).await.expect("something").unwrap();
            assert!(read > 0, "the connection ended");
            self.buffer.push_str(std::str::from_utf8(&chunk[..read]).unwrap());
        }
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    async fn register(&mut self) {
        let register = self.receive().await;
        let contact = format!("Contact: {}\r\nExpires: 600\r\n", register.header("Contact"));
        self.send(&register.answer("200 OK", "r", &contact, "")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_its_connection_and_tells_the_new_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut phone = Phone::start(account(port, Transport::Tcp)).await;
    let mut first = Stream::accept(&listener).await;
    first.register().await;
    phone.until_registered().await;
    let call = phone.agent.invite("102", OFFER.into());
    let invite = first.receive().await;
    let contact = format!("Contact: <sip:102@127.0.0.1:{port};transport=tcp>\r\n");
    let ok = invite.answer("200 OK", "bob", &format!("{contact}Allow: UPDATE\r\n{SDP}"), ANSWER);
    first.send(&ok).await;
    phone.until_answered().await;
    assert!(first.receive().await.start().starts_with("ACK "));
    drop(first);
    let mut second = Stream::accept(&listener).await;
    let mut refused = false;
    let update = loop {
        let message = second.receive().await;
        match message.start().split(' ').next() {
            // What was refused has not been told.
            Some("UPDATE") if !refused => {
                refused = true;
                second.send(&message.answer("500 Server Error", "", "", "")).await;
            }
            Some("REGISTER") => {
                let contact = format!("Contact: {}\r\nExpires: 600\r\n", message.header("Contact"));
                second.send(&message.answer("200 OK", "r", &contact, "")).await;
            }
            Some("OPTIONS") => second.send(&message.answer("200 OK", "", "", "")).await,
            _ => break message,
        }
    };
    assert!(update.start().starts_with("UPDATE "), "{}", update.start());
    assert_ne!(update.header("Contact"), invite.header("Contact"));
    second.send(&update.answer("200 OK", "", &contact, "")).await;
    phone.agent.hang_up(call);
    loop {
        let message = second.receive().await;
        second.send(&message.answer("200 OK", "", "", "")).await;
        if message.start().starts_with("BYE ") {
            break;
        }
    }
    assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bye_that_gets_lost_with_its_connection_is_said_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut phone = Phone::start(account(port, Transport::Tcp)).await;
    let mut first = Stream::accept(&listener).await;
    first.register().await;
    phone.until_registered().await;
    let call = phone.agent.invite("102", OFFER.into());
    let invite = first.receive().await;
    let contact = format!("Contact: <sip:102@127.0.0.1:{port};transport=tcp>\r\n");
    first.send(&invite.answer("200 OK", "bob", &format!("{contact}{SDP}"), ANSWER)).await;
    phone.until_answered().await;
    assert!(first.receive().await.start().starts_with("ACK "));
    phone.agent.hang_up(call);
    assert!(first.receive().await.start().starts_with("BYE "));
    drop(first);
    let mut second = Stream::accept(&listener).await;
    loop {
        let message = second.receive().await;
        if message.start().starts_with("BYE ") {
            second.send(&message.answer("200 OK", "", "", "")).await;
            break;
        }
        let contact = format!("Contact: {}\r\nExpires: 600\r\n", message.header("Contact"));
        second.send(&message.answer("200 OK", "r", &contact, "")).await;
    }
    phone.agent.stop().await;
}

/// Only where a machine has a second address of its own without further ado.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_knows_the_tags_is_refused_and_the_other_end_asked() {
    let (mut phone, peer, call, invite) = answered_with("").await;
    let mallory = Peer::at("127.0.0.2").await;
    for method in ["BYE", "INVITE"] {
        let strange = within(&invite, &peer, method, 100, SDP, OFFER)
            .replace(&format!("127.0.0.1:{}", peer.port), &format!("127.0.0.2:{}", mallory.port));
        mallory.send(&strange, invite.from).await;
        assert!(mallory.receive("SIP/2.0").await.start().contains("403"));
        let question = peer.receive("OPTIONS").await;
        peer.send(&question.answer("200 OK", "", "", ""), question.from).await;
    }
    // The call goes on, and so do its numbers.
    peer.send(&within(&invite, &peer, "INFO", 1, "", ""), invite.from).await;
    peer.receive("SIP/2.0 200").await;
    phone.agent.hang_up(call);
    assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
    phone.agent.stop().await;
}
