//! Registering, calling, being called, holding.

use std::time::Duration;

use secrecy::SecretString;
use sip::{Cause, EndCause, Event, Registration};

use crate::stage::{Maker, Stage};
use crate::subject::{Direction, Phone};

/// The right password registers; a wrong one is refused for what it is.
pub fn register(stage: &Stage) {
    drop(stage.phone());
    let wrong = sip::Account { password: SecretString::from("wrong".to_owned()), ..stage.ours() };
    let cause = Phone::start(wrong).until("a refusal", |event| match event {
        Event::Registration(Registration::Refused { cause, .. }) => Some(*cause),
        Event::Registration(Registration::Registered { .. }) => panic!("registered with a wrong password"),
        _ => None,
    });
    assert_eq!(cause, Cause::WrongPassword);
}

/// Two makes of phones are called, and see us hang up.
pub fn call_out(stage: &Stage) {
    let (mut baresip, mut linphone) = (stage.baresip(2), stage.linphone(3));
    let mut phone = stage.phone();
    let call = phone.call(&stage.user(2));
    baresip.wait_established();
    phone.agent().hang_up(call);
    baresip.wait_closed();
    let call = phone.call(&stage.user(3));
    linphone.wait("connected");
    phone.agent().hang_up(call);
    linphone.wait("ended");
    assert_eq!(phone.ended(call), EndCause::HungUpHere);
}

/// Two makes of phones call, and hang up.
pub fn call_in(stage: &Stage) {
    let (mut baresip, mut linphone) = (stage.baresip(2), stage.linphone(3));
    let mut phone = stage.phone();
    baresip.dial(&stage.address(1));
    let (call, invitation) = phone.incoming();
    assert_eq!(invitation.from.number, stage.user(2));
    phone.answer(call);
    baresip.wait_established();
    baresip.hang_up();
    assert_eq!(phone.ended(call), EndCause::HungUpThere);
    linphone.dial(&stage.address(1));
    let (call, invitation) = phone.incoming();
    assert_eq!(invitation.from.number, stage.user(3));
    phone.answer(call);
    linphone.wait("connected");
    linphone.hang_up();
    assert_eq!(phone.ended(call), EndCause::HungUpThere);
}

/// We hold and resume, and are held and resumed.
pub fn hold(stage: &Stage) {
    let mut linphone = stage.linphone(3);
    let mut phone = stage.phone();
    match stage.maker {
        Maker::Kamailio => {
            let call = phone.call(&stage.user(3));
            linphone.wait("Media streams established");
            let answer = phone.reoffer(call, Direction::SendOnly);
            assert!(answer.contains("a=recvonly") || answer.contains("a=inactive"), "{answer}");
            linphone.wait("has been paused by");
            let answer = phone.reoffer(call, Direction::SendRecv);
            assert!(!answer.contains("a=recvonly") && !answer.contains("a=inactive"), "{answer}");
            linphone.wait("Media streams established");
            linphone.command("pause");
            let offer = phone.offered(call, Direction::RecvOnly);
            assert!(offer.contains("a=sendonly") || offer.contains("a=inactive"), "{offer}");
            linphone.wait("is now paused");
            linphone.command("resume");
            let offer = phone.offered(call, Direction::SendRecv);
            assert!(!offer.contains("a=sendonly") && !offer.contains("a=inactive"), "{offer}");
            linphone.wait("Media streams established");
        }
        // Asterisk keeps hold to itself: it plays music to the other side and tells the manager.
        Maker::Asterisk => {
            let mut manager = stage.manager();
            let call = phone.call(&stage.user(3));
            linphone.wait("Media streams established");
            let ours = format!("PJSIP/{}-", stage.user(1));
            let _ = phone.reoffer(call, Direction::SendOnly);
            manager.wait("Hold", SOON, |event| event["Channel"].starts_with(&ours));
            let _ = phone.reoffer(call, Direction::SendRecv);
            manager.wait("Unhold", SOON, |event| event["Channel"].starts_with(&ours));
        }
    }
}

const SOON: Duration = Duration::from_secs(20);
