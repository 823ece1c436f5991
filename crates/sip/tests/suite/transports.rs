//! All transports, both families of addresses, and what can go wrong with certificates.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::common::kamailio::{Kamailio, has_v6};
use crate::common::{ANSWER, OFFER, Phone};
use pbx_api::{CertificateFacts, CertificateProblem, Pin, Trust};
use sip::{Account, Cause, EndCause, Event, Proxy, Registration, Transport};

const ALL: [Transport; 4] = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Wss];

#[tokio::test(flavor = "multi_thread")]
async fn every_transport_registers_by_name_and_address_of_both_families() {
    let kamailio = Kamailio::start();
    let hosts = ["127.0.0.1", "localhost", "::1"];
    for transport in ALL {
        for host in hosts.into_iter().take(if has_v6() { 3 } else { 2 }) {
            let mut phone = Phone::start(kamailio.account_at("101", transport, host)).await;
            let (reached, peer) = phone
                .until(|event| match event {
                    Event::Reached { transport, peer } => Some((*transport, *peer)),
                    _ => None,
                })
                .await;
            assert_eq!((reached, peer.port()), (transport, kamailio.port(transport)));
            phone.until_registered().await;
            assert_eq!(phone.agent.local_ip(), peer.ip());
            if let Ok(ip) = host.parse::<IpAddr>() {
                assert_eq!(peer.ip(), ip);
            }
            phone.agent.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_cross_from_every_transport_to_every_other() {
    let kamailio = Kamailio::start();
    for (caller, callee) in [
        (Transport::Tls, Transport::Tls),
        (Transport::Wss, Transport::Wss),
        (Transport::Udp, Transport::Wss),
        (Transport::Wss, Transport::Tls),
        (Transport::Tls, Transport::Tcp),
    ] {
        let host = if has_v6() && callee == Transport::Tls { "::1" } else { "127.0.0.1" };
        let mut alice = Phone::registered(kamailio.account("101", caller)).await;
        let mut bob = Phone::registered(kamailio.account_at("102", callee, host)).await;
        for hung_up_there in [true, false] {
            let outgoing = alice.agent.invite("102", OFFER.into());
            let (incoming, ..) = bob.until_incoming().await;
            bob.agent.ring(incoming);
            assert_eq!(alice.until_ringing().await, 180);
            bob.agent.answer(incoming, ANSWER.into());
            assert_eq!(alice.until_answered().await, ANSWER);
            bob.until_confirmed().await;
            let way = format!("{caller:?} to {callee:?}");
            let (one, other) = if hung_up_there {
                bob.agent.hang_up(incoming);
                (&mut bob, &mut alice)
            } else {
                alice.agent.hang_up(outgoing);
                (&mut alice, &mut bob)
            };
            assert_eq!(one.until_ended().await, (EndCause::HungUpHere, None), "{way}");
            assert_eq!(other.until_ended().await, (EndCause::HungUpThere, None), "{way}");
        }
        alice.agent.stop().await;
        bob.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_1_2_will_do() {
    let kamailio = Kamailio::start();
    let account = kamailio.account("101", Transport::Tls);
    let proxy = Proxy { port: Some(kamailio.tls_1_2), ..account.proxy.clone() };
    Phone::registered(Account { proxy, ..account }).await.agent.stop().await;
}

/// The certificate shown, and then why registering failed.
async fn until_distrusted(phone: &mut Phone) -> (CertificateProblem, CertificateFacts) {
    let shown = phone
        .until(|event| match event {
            Event::CertificateNotTrusted { problem, certificate } => {
                Some((*problem, (**certificate).clone()))
            }
            Event::Registration(Registration::Registered { .. }) => panic!("trusted"),
            _ => None,
        })
        .await;
    let cause = phone
        .until(|event| match event {
            Event::Registration(Registration::Retrying { cause, .. }) => Some(*cause),
            _ => None,
        })
        .await;
    assert_eq!(cause, Cause::CertificateNotTrusted);
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_judged_and_exceptions_hold() {
    let kamailio = Kamailio::start();
    // Nobody this machine knows has signed it.
    for transport in [Transport::Tls, Transport::Wss] {
        let stranger = Account { trust: Trust::default(), ..kamailio.account("101", transport) };
        let mut phone = Phone::start(stranger).await;
        let (problem, shown) = until_distrusted(&mut phone).await;
        assert_eq!((problem, shown.server.port()), (CertificateProblem::Untrusted, kamailio.port(transport)));
        assert!(shown.subject.contains("Bell PBX") && shown.issuer.contains("Bell authority"), "{shown:?}");
        // Trusted on purpose from now on.
        let pin = Pin { server: shown.server, fingerprint: shown.fingerprint };
        let mut trust = Trust::default();
        trust.pins.push(pin);
        phone.agent.trust(trust);
        phone.agent.reconnect();
        phone.until_registered().await;
        // No longer.
        phone.agent.trust(Trust::default());
        until_distrusted(&mut phone).await;
        phone.agent.stop().await;
    }
    for (port, want) in
        [(kamailio.expired, CertificateProblem::Expired), (kamailio.misnamed, CertificateProblem::Name)]
    {
        let account = kamailio.account("101", Transport::Tls);
        let proxy = Proxy { port: Some(port), ..account.proxy.clone() };
        let began = Instant::now();
        let mut phone = Phone::start(Account { proxy, ..account.clone() }).await;
        let (problem, shown) = until_distrusted(&mut phone).await;
        assert_eq!(problem, want);
        assert!(began.elapsed() < Duration::from_secs(16), "not after a whole transaction");
        phone.agent.stop().await;
        // An exception is for one server and port.
        let mut trust = account.trust.clone();
        trust.pins.push(Pin { server: shown.server, fingerprint: shown.fingerprint });
        let proxy = Proxy { port: Some(port), ..account.proxy.clone() };
        let mut phone = Phone::start(Account { proxy, trust, ..account }).await;
        phone.until_registered().await;
        phone.agent.stop().await;
    }
    // A certificate for the SIP domain is as good as one for the host (RFC 5922).
    let account = kamailio.account("101", Transport::Tls);
    let proxy = Proxy { port: Some(kamailio.misnamed), ..account.proxy.clone() };
    let mut phone = Phone::start(Account { domain: "elsewhere.test".into(), proxy, ..account }).await;
    phone
        .until(|event| match event {
            Event::Registration(Registration::Registered { .. }) => Some(()),
            Event::CertificateNotTrusted { .. } => panic!("not trusted"),
            _ => None,
        })
        .await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_speaks_something_else_says_so() {
    let kamailio = Kamailio::start();
    for (transport, port, want) in [
        (Transport::Tls, kamailio.port(Transport::Tcp), [Cause::TlsFailed, Cause::Silence]),
        (Transport::Wss, kamailio.port(Transport::Tcp), [Cause::TlsFailed, Cause::Silence]),
    ] {
        let account = kamailio.account("101", transport);
        let proxy = Proxy { port: Some(port), ..account.proxy.clone() };
        let mut phone = Phone::start(Account { proxy, ..account }).await;
        let cause = until_retrying(&mut phone).await;
        assert!(want.contains(&cause), "{transport:?}: {cause:?}");
        phone.agent.stop().await;
    }
    let account = kamailio.account("101", Transport::Wss);
    let mut phone = Phone::start(Account { websocket_path: "/elsewhere".into(), ..account }).await;
    assert_eq!(until_retrying(&mut phone).await, Cause::NotUnderstood);
    phone.agent.stop().await;
}

async fn until_retrying(phone: &mut Phone) -> Cause {
    phone
        .until(|event| match event {
            Event::Registration(Registration::Retrying { cause, .. }) => Some(*cause),
            _ => None,
        })
        .await
}
