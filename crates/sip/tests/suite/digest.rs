//! Challenges as servers really put them.

use crate::common::kamailio::Kamailio;
use crate::common::peer::Peer;
use crate::common::{ANSWER, OFFER, Phone, account};
use sip::{EndCause, Transport};

/// Registers two users, and calls `times` times.
async fn use_it(kamailio: &Kamailio, times: usize) {
    let mut alice = Phone::registered(kamailio.account("101", Transport::Udp)).await;
    let mut bob = Phone::registered(kamailio.account("102", Transport::Tcp)).await;
    for _ in 0..times {
        let call = alice.agent.invite("102", OFFER.into());
        let (incoming, ..) = bob.until_incoming().await;
        bob.agent.answer(incoming, ANSWER.into());
        alice.until_answered().await;
        bob.until_confirmed().await;
        alice.agent.hang_up(call);
        assert_eq!(bob.until_ended().await, (EndCause::HungUpThere, None));
        alice.until_ended().await;
    }
    alice.agent.stop().await;
    bob.agent.stop().await;
}

/// A proxy asks first, then the registrar, each for a realm of its own.
const TWO_REALMS: (&str, &str) = (
    r#"        if (!auth_check("$td", "subscriber", "1")) { auth_challenge("$td", "1"); exit; }"#,
    r#"        if (!proxy_authorize("edge.test", "subscriber")) { proxy_challenge("edge.test", "1"); exit; }
        if (!www_authorize("bell.test", "subscriber")) { www_challenge("bell.test", "1"); exit; }"#,
);

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_and_a_registrar_with_realms_of_their_own() {
    for algorithm in ["MD5", "SHA-256"] {
        use_it(&Kamailio::start_changed(algorithm, &[TWO_REALMS]), 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counted_nonces_and_those_good_for_one_time_only() {
    for module in [
        r#"modparam("auth", "nonce_count", 1) modparam("auth", "qop", "auth")"#,
        r#"modparam("auth", "one_time_nonce", 1)"#,
        r#"modparam("auth", "nonce_expire", 1)"#,
    ] {
        let with = format!("{module}\nmodparam(\"auth_db\", \"db_url\"");
        use_it(&Kamailio::start_changed("MD5", &[(r#"modparam("auth_db", "db_url""#, &with)]), 3).await;
    }
}

/// Sends a challenge and returns what comes in answer to it.
async fn challenged(
    peer: &Peer,
    method: &str,
    status: &str,
    challenges: &[&str],
) -> crate::common::peer::Message {
    let request = peer.receive_new(method).await;
    let name = if status.starts_with("401") { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    let headers: String = challenges.iter().map(|value| format!("{name}: {value}\r\n")).collect();
    peer.send(&request.answer(status, "c", &headers, ""), request.from).await;
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn one_challenge_is_enough_for_many_requests() {
    let peer = Peer::start().await;
    let mut alice = Phone::start(account(peer.port, Transport::Udp)).await;
    challenged(
        &peer,
        "REGISTER",
        "401 Unauthorized",
        &[
            r#"Basic realm="x", Digest realm="r", nonce="md5""#,
            r#"Digest realm="r", nonce="sha", algorithm=SHA-512-256, qop="auth-int""#,
        ],
    )
    .await;
    let first = peer.register().await;
    let answer = first.header("Authorization");
    assert!(answer.contains(r#"nonce="sha""#) && answer.contains("qop=auth-int, nc=00000001"), "{answer}");
    // The nonce is good once the answer has come.
    alice.until_registered().await;
    alice.agent.reconnect();
    let second = peer.receive_new("REGISTER").await;
    assert!(second.header("Authorization").contains("qop=auth-int, nc=00000002"), "{}", second.text);
    let next =
        format!("Contact: {}\r\nAuthentication-Info: nextnonce=\"next\"\r\n", second.header("Contact"));
    peer.send(&second.answer("200 OK", "r", &next, ""), second.from).await;
    alice.agent.invite("102", OFFER.into());
    let invite = challenged(
        &peer,
        "INVITE",
        "407 Proxy Authentication Required",
        &[r#"Digest realm="p", nonce="n", qop="auth""#],
    )
    .await;
    assert!(
        invite.header("Authorization").is_empty(),
        "the registrar's nonce is not for those who are called"
    );
    let _ = peer.receive("ACK").await;
    let invite = peer.receive_new("INVITE").await;
    assert!(invite.header("Proxy-Authorization").contains("nc=00000001"), "{}", invite.text);
    peer.send(&invite.answer("486 Busy Here", "b", "", ""), invite.from).await;
    let _ = peer.receive("ACK").await;
    // A nonce counts once its answer has come.
    alice.until_ended().await;
    alice.agent.invite("103", OFFER.into());
    let invite = peer.receive_new("INVITE").await;
    assert!(invite.header("Proxy-Authorization").contains("nc=00000002"), "{}", invite.text);
    peer.send(&invite.answer("486 Busy Here", "b", "", ""), invite.from).await;
    alice.agent.reconnect();
    let third = peer.register().await;
    assert!(third.header("Authorization").contains(r#"nonce="next""#), "{}", third.text);
    assert!(third.header("Proxy-Authorization").contains("nc=00000003"), "{}", third.text);
    alice.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_for_the_phone_system_alone() {
    let peer = Peer::start().await;
    let stranger = Peer::at("127.0.0.2").await;
    let mut alice = Phone::start(account(peer.port, Transport::Udp)).await;
    peer.register().await;
    alice.until_registered().await;
    let call = alice.agent.invite("102", OFFER.into());
    let challenge = r#"Digest realm="p", nonce="n", qop="auth""#;
    challenged(&peer, "INVITE", "407 Proxy Authentication Required", &[challenge]).await;
    let invite = peer.receive_new("INVITE").await;
    assert!(!invite.header("Proxy-Authorization").is_empty(), "{}", invite.text);
    let contact =
        format!("Contact: <sip:102@127.0.0.2:{}>\r\nContent-Type: application/sdp\r\n", stranger.port);
    peer.send(&invite.answer("200 OK", "b", &contact, ANSWER), invite.from).await;
    alice.until_answered().await;
    let ack = stranger.receive("ACK").await;
    assert!(!ack.text.contains("Authorization:"), "{}", ack.text);
    // Not when it asks, either.
    alice.agent.info(call, "text/plain", "x".into());
    let info = challenged(&stranger, "INFO", "401 Unauthorized", &[challenge]).await;
    assert!(!info.text.contains("Authorization:"), "{}", info.text);
    alice.agent.hang_up(call);
    let bye = stranger.receive("BYE").await;
    assert!(!bye.text.contains("Authorization:"), "{}", bye.text);
    let bye_number = bye.header("CSeq").split(' ').next().and_then(|number| number.parse::<u32>().ok());
    let info_number = info.header("CSeq").split(' ').next().and_then(|number| number.parse::<u32>().ok());
    assert_eq!(bye_number, info_number.map(|number| number + 1), "nothing was sent in between");
    stranger.send(&bye.answer("200 OK", "b", "", ""), bye.from).await;
    alice.agent.stop().await;
}
