//! Finding the proxy by the records of its domain, and turning to the next where one fails.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use crate::common::dns::{Dns, host, naptr, srv};
use crate::common::kamailio::Kamailio;
use crate::common::peer::Peer;
use crate::common::sipp::{Sipp, receive, reply};
use crate::common::{ANSWER, LIMIT, OFFER, Phone, account, free_port};
use sip::{Account, Cause, EndCause, Event, Proxy, Registration, Transport, TransportChoice};

const AUTOMATIC: TransportChoice = TransportChoice::Automatic { first: None };

/// Where the phone reached its proxy, once it is registered there.
async fn registered(account: Account) -> (Transport, SocketAddr) {
    let mut phone = Phone::start(account).await;
    let mut way = None;
    phone
        .until(|event| {
            if let Event::Reached { transport, peer } = event {
                way = Some((*transport, *peer));
            }
            matches!(event, Event::Registration(Registration::Registered { .. })).then_some(())
        })
        .await;
    phone.agent.stop().await;
    way.unwrap()
}

async fn until_failed(phone: &mut Phone) -> Cause {
    phone
        .until(|event| match event {
            Event::Registration(Registration::Retrying { cause, .. }) => Some(*cause),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_domain_says_where_its_servers_are_and_which_transport_it_prefers() {
    let kamailio = Kamailio::start();
    let port = |transport| kamailio.port(transport);
    let dns = Dns::start(&[
        host("pbx.test", "127.0.0.1"),
        // Nothing listens at the domain's own address.
        host("bell.test", "127.0.0.77"),
        naptr(30, "SIP+D2U", "_sip._udp.bell.test"),
        naptr(20, "SIPS+D2T", "_secure._tcp.bell.test"),
        naptr(10, "SIP+D2T", "_sip._tcp.bell.test"),
        naptr(40, "SIPS+D2W", "_sips._ws.bell.test"),
        srv("_sip._udp.bell.test", "pbx.test", port(Transport::Udp), 10),
        srv("_sip._tcp.bell.test", "pbx.test", port(Transport::Tcp), 10),
        srv("_secure._tcp.bell.test", "pbx.test", port(Transport::Tls), 10),
        srv("_sips._ws.bell.test", "pbx.test", port(Transport::Wss), 10),
    ]);
    for (choice, want) in [
        (AUTOMATIC, Transport::Tcp),
        (TransportChoice::Automatic { first: Some(Transport::Wss) }, Transport::Wss),
        (Transport::Udp.into(), Transport::Udp),
        // The certificate is judged by the domain, not by the name of the server it led to.
        (Transport::Tls.into(), Transport::Tls),
    ] {
        let reached = registered(dns.account(kamailio.account("101", want), choice)).await;
        assert_eq!(reached, (want, ([127, 0, 0, 1], port(want)).into()), "{choice:?}");
    }
}

/// Kamailio shows the certificate for `sni.test` only to those who ask for that name (SNI).
#[tokio::test(flavor = "multi_thread")]
async fn the_name_dialled_is_the_one_asked_for() {
    let kamailio = Kamailio::start();
    let dns = Dns::start(&[host("sni.test", "127.0.0.1")]);
    for transport in [Transport::Tls, Transport::Wss] {
        let port = Some(kamailio.port(transport));
        let account = dns.account(kamailio.account("101", transport), transport);
        let proxy = Proxy { host: "sni.test".into(), port };
        registered(Account { domain: "sni.test".into(), proxy, ..account }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_server_is_passed_over_for_the_next() {
    let kamailio = Kamailio::start();
    // Takes connections, and datagrams, and says nothing.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let deaf_port = deaf.local_addr().unwrap().port();
    let _deaf_too = UdpSocket::bind(("127.0.0.1", deaf_port)).unwrap();
    let closed = free_port();
    for (transport, service) in
        [(Transport::Udp, "_sip._udp"), (Transport::Tcp, "_sip._tcp"), (Transport::Tls, "_sips._tcp")]
    {
        for first in [closed, deaf_port] {
            let service = format!("{service}.bell.test");
            let dns = Dns::start(&[
                host("pbx.test", "127.0.0.1"),
                srv(&service, "pbx.test", first, 10),
                srv(&service, "pbx.test", kamailio.port(transport), 20),
            ]);
            let began = Instant::now();
            let reached = registered(dns.account(kamailio.account("101", transport), transport)).await;
            assert_eq!(reached.1.port(), kamailio.port(transport), "{transport:?}");
            assert!(began.elapsed() < Duration::from_secs(24), "not after a whole transaction");
        }
    }
}

/// Waits until somebody listens on a UDP port.
fn until_bound(port: u16) {
    let deadline = Instant::now() + LIMIT;
    while UdpSocket::bind(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < deadline, "nobody listens");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overloaded_server_is_left_alone_while_there_is_another() {
    let kamailio = Kamailio::start();
    let overloaded =
        Sipp::registrar(&[receive("REGISTER"), reply("503 Service Unavailable", "Retry-After: 600\n", "")]);
    until_bound(overloaded.port);
    let service = "_sip._udp.bell.test";
    let dns = Dns::start(&[
        host("pbx.test", "127.0.0.1"),
        srv(service, "pbx.test", overloaded.port, 10),
        srv(service, "pbx.test", kamailio.port(Transport::Udp), 20),
    ]);
    let mut phone = Phone::start(dns.account(kamailio.account("101", Transport::Udp), Transport::Udp)).await;
    let mut failed = false;
    phone
        .until(|event| {
            failed |= matches!(event, Event::Registration(Registration::Retrying { .. }));
            matches!(event, Event::Registration(Registration::Registered { .. })).then_some(())
        })
        .await;
    assert!(!failed, "the other one was there all the time");
    assert!(overloaded.trace().contains("503 Service Unavailable"));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_service_that_says_nothing_or_no_is_not_waited_for() {
    let deaf = UdpSocket::bind("127.0.0.1:0").unwrap();
    let empty = Dns::start(&[]);
    let known = empty.account(account(0, Transport::Tls), Transport::Tls);
    let silent = Account { name_servers: Some(vec![deaf.local_addr().unwrap()]), ..known.clone() };
    for account in [known, silent] {
        let began = Instant::now();
        let mut phone = Phone::start(account).await;
        assert_eq!(until_failed(&mut phone).await, Cause::NameNotFound);
        assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_works_is_found_and_what_worked_is_tried_first() {
    let kamailio = Kamailio::start();
    // UDP and TCP listen on this port; TLS is answered with nonsense.
    let both = kamailio.account("101", Transport::Udp);
    let (transport, _) = registered(Account { transport: AUTOMATIC, ..both.clone() }).await;
    assert_eq!(transport, Transport::Tcp);
    let first = TransportChoice::Automatic { first: Some(Transport::Udp) };
    let (transport, _) = registered(Account { transport: first, ..both }).await;
    assert_eq!(transport, Transport::Udp);
    // Only a WebSocket behind TLS.
    let secure = kamailio.account("101", Transport::Wss);
    let first = TransportChoice::Automatic { first: Some(Transport::Wss) };
    let (transport, _) = registered(Account { transport: first, ..secure }).await;
    assert_eq!(transport, Transport::Wss);
    // Nothing at all: the cause is told as early as for a single transport.
    let began = Instant::now();
    let mut phone =
        Phone::start(Account { transport: AUTOMATIC, ..account(free_port(), Transport::Udp) }).await;
    assert_eq!(until_failed(&mut phone).await, Cause::ConnectionRefused);
    phone.agent.stop().await;
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = deaf.local_addr().unwrap().port();
    let _deaf_too = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let mut phone =
        Phone::start(Account { transport: Transport::Tls.into(), ..account(port, Transport::Tls) }).await;
    assert_eq!(until_failed(&mut phone).await, Cause::Silence);
    phone.agent.stop().await;
    assert!(began.elapsed() < Duration::from_secs(16), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_went_bad_is_no_reason_for_less_security() {
    let kamailio = Kamailio::start();
    let service = |transport, port| srv(transport, "pbx.test", port, 10);
    let dns = Dns::start(&[
        host("pbx.test", "127.0.0.1"),
        host("bell.test", "127.0.0.77"),
        service("_sips._tcp.bell.test", kamailio.expired),
        service("_sip._tcp.bell.test", kamailio.port(Transport::Tcp)),
    ]);
    // TLS worked here before.
    let first = TransportChoice::Automatic { first: Some(Transport::Tls) };
    let mut phone = Phone::start(dns.account(kamailio.account("101", Transport::Tls), first)).await;
    assert_eq!(until_failed(&mut phone).await, Cause::CertificateNotTrusted);
    phone.agent.stop().await;
    // Nobody ever had it.
    let (transport, _) = registered(dns.account(kamailio.account("101", Transport::Tls), AUTOMATIC)).await;
    assert_eq!(transport, Transport::Tcp);
}

/// An offer that does not fit into one datagram.
fn large_offer() -> String {
    OFFER.to_owned() + &"a=candidate:1 1 UDP 2130706431 192.0.2.1 40000 typ host\r\n".repeat(30)
}

#[tokio::test(flavor = "multi_thread")]
async fn large_requests_go_over_tcp() {
    let strict = (
        "    if (is_method(\"CANCEL\")) {",
        "    if (proto == UDP && msg:len > 1300) { sl_send_reply(\"513\", \"Too Large\"); exit; }\n    \
         if (is_method(\"CANCEL\")) {",
    );
    let kamailio = Kamailio::start_changed("MD5", &[strict]);
    let mut alice = Phone::registered(kamailio.account("101", Transport::Udp)).await;
    let mut bob = Phone::registered(kamailio.account("102", Transport::Tcp)).await;
    for hung_up_there in [true, false] {
        let outgoing = alice.agent.invite("102", large_offer());
        let incoming = bob.until_incoming().await.0;
        bob.agent.ring(incoming);
        alice.until_ringing().await;
        bob.agent.answer(incoming, ANSWER.into());
        assert_eq!(alice.until_answered().await, ANSWER);
        bob.until_confirmed().await;
        // What is small enough again finds its way, too, in both directions.
        let (one, other) = if hung_up_there { (&mut bob, &mut alice) } else { (&mut alice, &mut bob) };
        one.agent.hang_up(if hung_up_there { incoming } else { outgoing });
        assert_eq!(one.until_ended().await, (EndCause::HungUpHere, None));
        assert_eq!(other.until_ended().await, (EndCause::HungUpThere, None));
    }
    // Taken back before it is answered, over the same way.
    let outgoing = alice.agent.invite("102", large_offer());
    let incoming = bob.until_incoming().await.0;
    bob.agent.ring(incoming);
    alice.until_ringing().await;
    alice.agent.hang_up(outgoing);
    assert_eq!(bob.until_ended().await, (EndCause::CancelledThere, None));
    alice.agent.stop().await;
    bob.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_requests_go_over_udp_where_there_is_nothing_else() {
    let peer = Peer::start().await;
    let (mut phone, _) = tokio::join!(Phone::registered(account(peer.port, Transport::Udp)), peer.register());
    phone.agent.invite("102", large_offer());
    let invite = peer.receive("INVITE").await;
    assert!(invite.header("Via").starts_with("SIP/2.0/UDP "), "{}", invite.header("Via"));
    assert!(invite.text.ends_with(&large_offer()));
    peer.send(&invite.answer("486 Busy Here", "r", "", ""), invite.from).await;
    assert_eq!(phone.until_ended().await, (EndCause::Busy, Some(486)));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nat_the_contact_is_what_the_proxy_sees() {
    let peer = Peer::start().await;
    let mut phone = Phone::start(account(peer.port, Transport::Udp)).await;
    let seen_at = |register: &crate::common::peer::Message, seen: &str, status: &str, headers: &str| {
        register.answer(status, "r", headers, "").replacen(
            ";rport",
            &format!(";rport={seen};received=203.0.113.7"),
            1,
        )
    };
    let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";
    let first = peer.receive_new("REGISTER").await;
    assert!(!first.header("Contact").contains("203.0.113.7"));
    peer.send(&seen_at(&first, "40001", "401 Unauthorized", challenge), first.from).await;
    // At once, without a registration in between that nobody could reach us by.
    let second = peer.receive_new("REGISTER").await;
    assert!(second.header("Contact").contains("@203.0.113.7:40001>"), "{}", second.header("Contact"));
    peer.send(&seen_at(&second, "40001", "200 OK", "Expires: 600\r\n"), second.from).await;
    phone.until_registered().await;
    // The NAT has forgotten the binding and made another.
    phone.agent.reconnect();
    let third = peer.receive_new("REGISTER").await;
    peer.send(&seen_at(&third, "40002", "200 OK", "Expires: 600\r\n"), third.from).await;
    let fourth = peer.receive_new("REGISTER").await;
    assert!(fourth.header("Contact").contains("@203.0.113.7:40002>"), "{}", fourth.header("Contact"));
    peer.send(&seen_at(&fourth, "40002", "200 OK", "Expires: 600\r\n"), fourth.from).await;
    phone.until_registered().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_speaks_stun_tells_when_the_nat_made_another_binding() {
    let peer = Peer::start().await;
    let (mut phone, first) =
        tokio::join!(Phone::registered(account(peer.port, Transport::Udp)), peer.register());
    assert!(!first.header("Contact").contains("203.0.113.9"));
    let (request, from) = peer.receive_stun().await;
    // XOR-MAPPED-ADDRESS 203.0.113.9:40009.
    let mut answer = vec![0x01, 0x01, 0, 12];
    answer.extend_from_slice(&request[4..20]);
    let (port, ip) = (40_009_u16 ^ 0x2112, 0xcb00_7109_u32 ^ 0x2112_a442);
    answer.extend_from_slice(&[0, 0x20, 0, 8, 0, 1]);
    answer.extend_from_slice(&port.to_be_bytes());
    answer.extend_from_slice(&ip.to_be_bytes());
    peer.send_bytes(&answer, from).await;
    let second = peer.register().await;
    assert!(second.header("Contact").contains("@203.0.113.9:40009>"), "{}", second.header("Contact"));
    phone.until_registered().await;
    phone.agent.stop().await;
}

/// The proxy is reached by the name of its machine, as the hosts file has it.
#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_file_counts() {
    let kamailio = Kamailio::start();
    let proxy = Proxy { host: "localhost".into(), port: Some(kamailio.port(Transport::Tls)) };
    let (transport, peer) = registered(Account { proxy, ..kamailio.account("101", Transport::Tls) }).await;
    assert!(transport == Transport::Tls && peer.ip().is_loopback());
}
