//! Transfers: by us, and of us.

use sip::{CallKey, EndCause, Event};

use crate::stage::{Maker, Stage};
use crate::subject::{Direction, Phone};

/// We send a linphone on to a baresip; behind a proxy, a linphone sends us on as well.
pub fn blind(stage: &Stage) {
    let (mut linphone, mut target) = (stage.linphone(3), stage.baresip(2));
    let mut phone = stage.phone();
    let call = phone.call(&stage.user(3));
    linphone.wait("connected");
    phone.agent().transfer(call, &stage.user(2));
    held(stage, &mut phone, call);
    target.wait_established();
    phone.transferred(call);
    linphone.hang_up();
    target.wait_closed();
    phone.agent().hang_up(call);
    phone.ended(call);
    // Asterisk keeps to itself what a phone behind it asks for.
    if stage.maker == Maker::Kamailio {
        let call = phone.call(&stage.user(3));
        linphone.wait("connected");
        linphone.command(&format!("transfer sip:{}", stage.address(2)));
        let referral = phone.until("a request to call", |event| match event {
            Event::Referred { referral, call: Some(asking), target, .. } => {
                assert_eq!((*asking, target.number.as_str()), (call, stage.user(2).as_str()));
                Some(*referral)
            }
            _ => None,
        });
        let offer = phone.sdp(Direction::SendRecv);
        let next = phone.agent().follow(referral, offer);
        phone.until("an answer", |event| {
            matches!(event, Event::Answered { call, .. } if *call == next).then_some(())
        });
        target.wait_established();
        phone.agent().hang_up(next);
        target.wait_closed();
    }
}

/// We talk to two linphones, and join them.
pub fn attended(stage: &Stage) {
    let (mut first, mut second) = (stage.linphone(3), stage.linphone(4));
    let mut phone = stage.phone();
    let call = phone.call(&stage.user(3));
    first.wait("connected");
    let _ = phone.reoffer(call, Direction::SendOnly);
    let asked = phone.call(&stage.user(4));
    second.wait("connected");
    phone.agent().transfer_to(call, asked);
    held(stage, &mut phone, call);
    phone.transferred(call);
    assert_eq!(phone.ended(asked), EndCause::HungUpThere);
    // Neither has lost its call: only now they hang up.
    phone.agent().hang_up(call);
    first.command("calls");
    first.hang_up();
    second.wait("ended");
}

/// A linphone that is handed on holds us before it calls somebody else; Asterisk does not let that through.
fn held(stage: &Stage, phone: &mut Phone, call: CallKey) {
    if stage.maker == Maker::Kamailio {
        let offer = phone.offered(call, Direction::RecvOnly);
        assert!(offer.contains("a=sendonly") || offer.contains("a=inactive"), "{offer}");
    }
}
