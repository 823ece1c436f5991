//! Against a real registrar and proxy.

use crate::common::kamailio::Kamailio;
use crate::common::{ANSWER, OFFER, Phone};
use secrecy::SecretString;
use sip::{Account, Cause, EndCause, Event, Registration, Transport};

async fn pair(kamailio: &Kamailio, alice: Transport, bob: Transport) -> (Phone, Phone) {
    let alice = Phone::registered(kamailio.account("101", alice)).await;
    let bob = Phone::registered(kamailio.account("102", bob)).await;
    (alice, bob)
}

async fn call(alice: &mut Phone, bob: &mut Phone) -> (sip::CallKey, sip::CallKey) {
    let outgoing = alice.agent.invite("102", OFFER.into());
    let (incoming, from, offer) = bob.until_incoming().await;
    assert_eq!((from.number.as_str(), from.display_name.as_deref()), ("101", Some("Alice \"A\" Bell")));
    assert_eq!(offer.as_deref(), Some(OFFER));
    bob.agent.ring(incoming);
    assert_eq!(alice.until_ringing().await, 180);
    bob.agent.answer(incoming, ANSWER.into());
    assert_eq!(alice.until_answered().await, ANSWER);
    bob.until_confirmed().await;
    (outgoing, incoming)
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_register_and_call_over_udp_and_tcp() {
    use Transport::{Tcp, Udp};
    let kamailio = Kamailio::start();
    for (caller, callee) in [(Udp, Udp), (Tcp, Tcp), (Udp, Tcp), (Tcp, Udp)] {
        let (mut alice, mut bob) = pair(&kamailio, caller, callee).await;
        // The callee hangs up.
        let (_, incoming) = call(&mut alice, &mut bob).await;
        bob.agent.hang_up(incoming);
        assert_eq!(bob.until_ended().await, (EndCause::HungUpHere, None));
        assert_eq!(alice.until_ended().await, (EndCause::HungUpThere, None), "{caller:?} to {callee:?}");
        // The caller hangs up.
        let (outgoing, _) = call(&mut alice, &mut bob).await;
        alice.agent.hang_up(outgoing);
        assert_eq!(alice.until_ended().await, (EndCause::HungUpHere, None));
        assert_eq!(bob.until_ended().await, (EndCause::HungUpThere, None), "{caller:?} to {callee:?}");
        // The caller gives up.
        let outgoing = alice.agent.invite("102", OFFER.into());
        let (incoming, ..) = bob.until_incoming().await;
        bob.agent.ring(incoming);
        alice.until_ringing().await;
        alice.agent.hang_up(outgoing);
        assert_eq!(alice.until_ended().await, (EndCause::CancelledHere, None));
        assert_eq!(bob.until_ended().await, (EndCause::CancelledThere, None));
        // The callee declines.
        alice.agent.invite("102", OFFER.into());
        let (incoming, ..) = bob.until_incoming().await;
        bob.agent.decline(incoming, 486);
        assert_eq!(bob.until_ended().await, (EndCause::DeclinedHere, Some(486)));
        assert_eq!(alice.until_ended().await, (EndCause::Busy, Some(486)));
        alice.agent.stop().await;
        bob.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lifetime_granted_counts_and_stopping_takes_it_back() {
    let kamailio = Kamailio::start();
    let mut alice = Phone::registered(kamailio.account("101", Transport::Udp)).await;
    let mut bob = Phone::start(kamailio.account("102", Transport::Tcp)).await;
    assert_eq!(bob.until_registered().await.as_secs(), 1800);
    bob.agent.clone().stop().await;
    bob.until(|event| matches!(event, Event::Registration(Registration::Unregistered)).then_some(())).await;
    assert!(bob.events.recv().await.is_none(), "nothing is said after the end");
    alice.agent.invite("102", OFFER.into());
    assert_eq!(alice.until_ended().await, (EndCause::NotFound, Some(404)));
    alice.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_calls_at_once_keep_apart() {
    let kamailio = Kamailio::start();
    let (mut alice, mut bob) = pair(&kamailio, Transport::Udp, Transport::Tcp).await;
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(call(&mut alice, &mut bob).await);
    }
    for (outgoing, incoming) in keys {
        alice.agent.hang_up(outgoing);
        let ended = bob
            .until(|event| match event {
                Event::Ended { call, cause, .. } => Some((*call, *cause)),
                _ => None,
            })
            .await;
        assert_eq!(ended, (incoming, EndCause::HungUpThere));
    }
    alice.agent.stop().await;
    bob.agent.stop().await;
}

/// Hold and resume from either end, at once from both, and a digit: all through a proxy that recorded its route.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_changes_from_either_end_through_a_proxy() {
    let kamailio = Kamailio::start();
    for transport in [Transport::Udp, Transport::Tcp] {
        let (mut alice, mut bob) = pair(&kamailio, transport, transport).await;
        let (outgoing, incoming) = call(&mut alice, &mut bob).await;
        let hold = format!("{OFFER}a=sendonly\r\n");
        let held = format!("{ANSWER}a=recvonly\r\n");
        for _ in 0..2 {
            alice.agent.reoffer(outgoing, hold.clone());
            assert_eq!(bob.until_offer().await.as_ref(), Some(&hold));
            bob.agent.answer_offer(incoming, Some(held.clone()));
            assert_eq!(alice.until_answer().await, held);
            bob.agent.reoffer(incoming, hold.clone());
            assert_eq!(alice.until_offer().await.as_ref(), Some(&hold));
            alice.agent.answer_offer(outgoing, Some(held.clone()));
            assert_eq!(bob.until_answer().await, held);
        }
        // Both at once: each is answered in the end, however often they cross.
        alice.agent.reoffer(outgoing, hold.clone());
        bob.agent.reoffer(incoming, hold.clone());
        let (mut of_alice, mut of_bob) = (false, false);
        while !(of_alice && of_bob) {
            tokio::select! {
                event = alice.next() => match event {
                    Event::Offer { .. } => alice.agent.answer_offer(outgoing, Some(held.clone())),
                    Event::Answer { .. } => of_alice = true,
                    Event::OfferRefused { status, .. } => panic!("{status:?}"),
                    _ => {}
                },
                event = bob.next() => match event {
                    Event::Offer { .. } => bob.agent.answer_offer(incoming, Some(held.clone())),
                    Event::Answer { .. } => of_bob = true,
                    Event::OfferRefused { status, .. } => panic!("{status:?}"),
                    _ => {}
                },
            }
        }
        alice.agent.info(outgoing, "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n".into());
        let body = bob
            .until(|event| match event {
                Event::Info { body, .. } => Some(body.clone()),
                _ => None,
            })
            .await;
        assert!(body.starts_with("Signal=5"));
        bob.agent.hang_up(incoming);
        assert_eq!(alice.until_ended().await, (EndCause::HungUpThere, None));
        alice.agent.stop().await;
        bob.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused_once() {
    let kamailio = Kamailio::start();
    for transport in [Transport::Udp, Transport::Tcp] {
        let wrong = Account { password: SecretString::from("wrong"), ..kamailio.account("101", transport) };
        let mut phone = Phone::start(wrong).await;
        let status = phone
            .until(|event| match event {
                Event::Registration(Registration::Refused { cause: Cause::WrongPassword, status }) => {
                    Some(*status)
                }
                Event::Registration(Registration::Registering) | Event::Reached { .. } => None,
                other => panic!("{other:?}"),
            })
            .await;
        assert_eq!(status, Some(401));
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sha_256_is_spoken() {
    let kamailio = Kamailio::start_with("SHA-256");
    let (mut alice, mut bob) = pair(&kamailio, Transport::Udp, Transport::Tcp).await;
    let (outgoing, _) = call(&mut alice, &mut bob).await;
    alice.agent.hang_up(outgoing);
    assert_eq!(bob.until_ended().await.0, EndCause::HungUpThere);
    alice.agent.stop().await;
    bob.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_dies_ends_calls_and_one_that_returns_is_registered_at() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut kamailio = Kamailio::start();
        let (mut alice, mut bob) = pair(&kamailio, transport, transport).await;
        call(&mut alice, &mut bob).await;
        kamailio.down();
        for phone in [&mut alice, &mut bob] {
            let (mut retrying, mut ended) = (false, None);
            phone
                .until(|event| {
                    match event {
                        Event::Registration(Registration::Retrying { cause, .. }) => {
                            assert!(cause.is_unreachable());
                            retrying = true;
                        }
                        Event::Ended { cause, .. } => ended = Some(*cause),
                        _ => {}
                    }
                    (retrying && ended.is_some()).then_some(())
                })
                .await;
            assert_eq!(ended, Some(EndCause::ConnectionLost));
        }
        kamailio.up();
        alice.until_registered().await;
        bob.until_registered().await;
        call(&mut alice, &mut bob).await;
        alice.agent.stop().await;
        assert_eq!(bob.until_ended().await.0, EndCause::HungUpThere, "stopping hangs up");
        bob.agent.stop().await;
    }
}
