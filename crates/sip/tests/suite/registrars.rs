//! What registrars do to those who register.

use std::time::Duration;

use sip::{Account, Cause, EndCause, Event, Instance, Registration, Transport};

use crate::common::kamailio::Kamailio;
use crate::common::peer::{Message, Peer};
use crate::common::{OFFER, Phone, account};

/// Takes a registration and lists these Contacts.
async fn take(peer: &Peer, register: &Message, contacts: &str) {
    let headers = if contacts.is_empty() { String::new() } else { format!("Contact: {contacts}\r\n") };
    peer.send(&register.answer("200 OK", "r", &headers, ""), register.from).await;
}

/// The address in a Contact.
fn address(contact: &str) -> &str {
    contact.split('>').next().unwrap_or_default().trim_start_matches('<')
}

/// An answer that says that the request came from somewhere else than it was sent from.
fn translated(register: &Message, answer: &str, public: &str) -> String {
    let (ip, port) = public.split_once(':').unwrap();
    let via = register.header("Via");
    let seen = via.replace(";rport", &format!(";received={ip};rport={port}"));
    answer.replace(via, &seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_names_itself_until_it_is_not_wanted() {
    let peer = Peer::start().await;
    let instance = Instance::random();
    let named = format!(";+sip.instance=\"<{}>\"", instance.as_str());
    let account = Account { instance: Some(instance), ..account(peer.port, Transport::Udp) };
    let phone = Phone::start(account).await;
    let register = peer.receive_new("REGISTER").await;
    assert!(register.header("Contact").ends_with(&format!("{named};reg-id=1")), "{}", register.text);
    assert_eq!(register.header("Supported"), "path, outbound");
    let lacking = register.answer("439 First Hop Lacks Outbound Support", "r", "", "");
    peer.send(&lacking, register.from).await;
    let register = peer.receive_new("REGISTER").await;
    assert!(register.header("Contact").ends_with(&named), "{}", register.text);
    assert_eq!(register.header("Supported"), "path");
    take(&peer, &register, &format!("{};expires=600", register.header("Contact"))).await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nat_the_public_address_takes_the_place_of_the_private_one() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let first = peer.receive_new("REGISTER").await;
    let private = address(first.header("Contact")).to_owned();
    let listed = format!("Contact: <{private}>;expires=600\r\n");
    peer.send(&translated(&first, &first.answer("200 OK", "r", &listed, ""), "203.0.113.7:4321"), first.from)
        .await;
    let second = peer.receive_new("REGISTER").await;
    let public = "sip:101@203.0.113.7:4321";
    assert_eq!(
        second.header("Contact"),
        format!("<{public}>, <{private}>;expires=0"),
        "one replaces the other"
    );
    assert_eq!(second.header("Call-ID"), first.header("Call-ID"));
    let answer = second.answer("200 OK", "r", &format!("Contact: <{public}>;expires=300\r\n"), "");
    peer.send(&translated(&second, &answer, "203.0.113.7:4321"), second.from).await;
    assert_eq!(phone.until_registered().await, Duration::from_secs(300));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_shows_the_public_address_saves_a_detour() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let first = peer.receive_new("REGISTER").await;
    let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";
    let answer = first.answer("401 Unauthorized", "r", challenge, "");
    peer.send(&translated(&first, &answer, "203.0.113.7:4321"), first.from).await;
    let second = peer.receive_new("REGISTER").await;
    assert_eq!(second.header("Contact"), "<sip:101@203.0.113.7:4321>");
    assert!(second.header("Authorization").contains("nc=00000001"), "{}", second.text);
    let listed = "Contact: <sip:101@203.0.113.7:4321>;expires=300\r\n";
    let answer = second.answer("200 OK", "r", listed, "");
    peer.send(&translated(&second, &answer, "203.0.113.7:4321"), second.from).await;
    phone.until_registered().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_sent_once_behind_nat_too() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    for nonce in ["first", "second"] {
        let register = peer.receive_new("REGISTER").await;
        assert_eq!(register.header("Authorization").is_empty(), nonce == "first");
        let challenge = format!("WWW-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\"\r\n");
        let answer = register.answer("401 Unauthorized", "r", &challenge, "");
        peer.send(&translated(&register, &answer, "203.0.113.7:4321"), register.from).await;
    }
    let cause = phone
        .until(|event| match event {
            Event::Registration(Registration::Refused { cause, .. }) => Some(*cause),
            _ => None,
        })
        .await;
    assert_eq!(cause, Cause::WrongPassword);
    phone.agent.stop().await;
    assert!(!peer.pending().iter().any(|start| start.starts_with("REGISTER")), "sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_good_is_not_given_up_for_one_refusal() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    peer.register().await;
    phone.until_registered().await;
    let mut refuse = async || {
        phone.agent.reconnect();
        for nonce in ["first", "second"] {
            let register = peer.receive_new("REGISTER").await;
            let challenge =
                format!("WWW-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\"\r\n");
            peer.send(&register.answer("401 Unauthorized", "r", &challenge, ""), register.from).await;
        }
        phone
            .until(|event| match event {
                Event::Registration(Registration::Refused { cause, status }) => Some((*cause, *status)),
                _ => None,
            })
            .await
    };
    for _ in 0..5 {
        assert_eq!(refuse().await, (Cause::Refused, Some(401)));
    }
    assert_eq!(refuse().await, (Cause::WrongPassword, Some(401)), "it was changed after all");
    phone.agent.reconnect();
    peer.register().await;
    phone.until_registered().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_gives_both_contacts_one_address_does_not_unregister_the_phone() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let first = peer.receive_new("REGISTER").await;
    let private = address(first.header("Contact")).to_owned();
    let listed = format!("Contact: <{private}>;expires=600\r\n");
    peer.send(&translated(&first, &first.answer("200 OK", "r", &listed, ""), "203.0.113.7:4321"), first.from)
        .await;
    let second = peer.receive_new("REGISTER").await;
    assert!(second.header("Contact").contains("expires=0"), "{}", second.text);
    // Nothing is left.
    peer.send(&translated(&second, &second.answer("200 OK", "r", "", ""), "203.0.113.7:4321"), second.from)
        .await;
    let third = peer.receive_new("REGISTER").await;
    assert_eq!(third.header("Contact"), "<sip:101@203.0.113.7:4321>");
    let listed = "Contact: <sip:101@198.51.100.9:5060>;expires=120\r\n";
    peer.send(&translated(&third, &third.answer("200 OK", "r", listed, ""), "203.0.113.7:4321"), third.from)
        .await;
    assert_eq!(phone.until_registered().await, Duration::from_secs(120));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_take_the_way_the_registrar_said() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let register = peer.receive_new("REGISTER").await;
    assert!(!register.text.contains("\r\nRoute:"));
    let headers = format!(
        "Contact: {};expires=600\r\nPath: <sip:edge.test;lr>\r\nService-Route: <sip:a.test;lr>, <sip:b.test;lr>\r\n",
        register.header("Contact")
    );
    peer.send(&register.answer("200 OK", "r", &headers, ""), register.from).await;
    phone.until_registered().await;
    phone.agent.invite("102", OFFER.into());
    let invite = peer.receive_new("INVITE").await;
    let routes: Vec<&str> = invite.text.lines().filter(|line| line.starts_with("Route:")).collect();
    assert_eq!(routes, ["Route: <sip:a.test;lr>", "Route: <sip:b.test;lr>"], "{}", invite.text);
    peer.send(&invite.answer("404 Not Found", "x", "", ""), invite.from).await;
    assert_eq!(phone.until_ended().await, (EndCause::NotFound, Some(404)));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registrar_that_forbids_what_it_once_allowed_does_not_mean_the_password() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let register = peer.receive_new("REGISTER").await;
    let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";
    peer.send(&register.answer("401 Unauthorized", "r", challenge, ""), register.from).await;
    peer.register().await;
    phone.until_registered().await;
    phone.agent.reconnect();
    let register = peer.receive_new("REGISTER").await;
    assert!(!register.header("Authorization").is_empty());
    peer.send(&register.answer("403 Forbidden", "r", "", ""), register.from).await;
    let cause = phone
        .until(|event| match event {
            Event::Registration(Registration::Refused { cause, .. }) => Some(*cause),
            _ => None,
        })
        .await;
    assert_eq!(cause, Cause::Refused);
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registrar_that_sends_the_phone_elsewhere_is_obeyed_while_that_works() {
    let (home, away) = (Peer::start().await, Peer::start().await);
    let mut phone = Phone::start(account(home.port, Transport::Udp)).await;
    let redirect = async || {
        let register = home.receive_new("REGISTER sip:bell.test ").await;
        let contact = format!("Contact: <sip:127.0.0.1:{}>\r\n", away.port);
        peer_send(&home, &register, "302 Moved Temporarily", &contact).await;
    };
    redirect().await;
    let register = away.receive_new(&format!("REGISTER sip:127.0.0.1:{} ", away.port)).await;
    assert_eq!(register.header("To"), "<sip:101@bell.test>");
    take(&away, &register, &format!("{};expires=600", register.header("Contact"))).await;
    phone.until_registered().await;
    // Calls go there, too.
    phone.agent.invite("102", OFFER.into());
    let invite = away.receive_new("INVITE").await;
    peer_send(&away, &invite, "404 Not Found", "").await;
    phone.until_ended().await;
    // It does not want us any more: back to where the account says, which knows another way.
    phone.agent.reconnect();
    redirect().await;
    let register = away.receive_new("REGISTER").await;
    peer_send(&away, &register, "500 Server Internal Error", "").await;
    let register = home.receive_new("REGISTER sip:bell.test ").await;
    take(&home, &register, &format!("{};expires=600", register.header("Contact"))).await;
    phone.until_registered().await;
    phone.agent.stop().await;
}

async fn peer_send(peer: &Peer, request: &Message, status: &str, headers: &str) {
    peer.send(&request.answer(status, "x", headers, ""), request.from).await;
}

/// Kamailio as a registrar that does RFC 5626.
const OUTBOUND: [(&str, &str); 2] = [
    (r#"loadmodule "registrar.so""#, "loadmodule \"path.so\"\nloadmodule \"registrar.so\""),
    (
        r#"modparam("registrar", "max_expires", 1800)"#,
        "modparam(\"registrar\", \"max_expires\", 1800)\nmodparam(\"registrar\", \"outbound_mode\", 1)\nmodparam(\"registrar\", \"flow_timer\", 25)",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_registrar_that_does_outbound_replaces_the_binding_of_a_phone_that_comes_again() {
    let kamailio = Kamailio::start_changed("MD5", &OUTBOUND);
    let instance = Some(Instance::random());
    let phone_101 = || Account { instance: instance.clone(), ..kamailio.account("101", Transport::Tcp) };
    let mut before = Phone::registered(phone_101()).await;
    // As if it had crashed: nothing is taken back.
    let mut after = Phone::registered(phone_101()).await;
    let mut caller = Phone::registered(kamailio.account("102", Transport::Udp)).await;
    caller.agent.invite("101", OFFER.into());
    let (call, ..) = after.until_incoming().await;
    after.agent.decline(call, 486);
    assert_eq!(caller.until_ended().await, (EndCause::Busy, Some(486)));
    while let Ok(event) = before.events.try_recv() {
        assert!(!matches!(event, Event::Incoming { .. }), "its binding has been replaced");
    }
    for phone in [before, after, caller] {
        phone.agent.stop().await;
    }
}
