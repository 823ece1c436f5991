//! Transfers: by us, and of us.

use std::time::Duration;

use sip::{CallKey, EndCause, Event};

use system_tests::Ami;

use crate::stage::{Maker, Stage};
use crate::subject::{Direction, Phone};

const SOON: Duration = Duration::from_secs(20);

/// We send a linphone on to a baresip; behind a proxy, a linphone sends us on as well.
pub fn blind(stage: &Stage) {
    let (mut linphone, mut target) = (stage.linphone(3), stage.baresip(2));
    let mut phone = stage.phone();
    let mut bridges = Bridges::watch(stage);
    let call = phone.call(&stage.user(3));
    linphone.wait("connected");
    bridges.stand();
    phone.agent().transfer(call, &stage.user(2));
    held(stage, &mut phone, call);
    phone.transferred(call);
    target.wait_established();
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
    let mut bridges = Bridges::watch(stage);
    let call = phone.call(&stage.user(3));
    first.wait("connected");
    bridges.stand();
    let _ = phone.reoffer(call, Direction::SendOnly);
    let asked = phone.call(&stage.user(4));
    second.wait("connected");
    bridges.stand();
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

/// Asterisk joins the two ends of a call only after both have heard that it is answered, and hands on only what is
/// joined.
struct Bridges(Option<Ami>);

impl Bridges {
    fn watch(stage: &Stage) -> Self {
        Self((stage.maker == Maker::Asterisk).then(|| stage.manager()))
    }

    /// Waits until the two ends of another call are joined.
    fn stand(&mut self) {
        if let Some(manager) = &mut self.0 {
            for _ in 0..2 {
                manager.wait("BridgeEnter", SOON, |_| true);
            }
        }
    }
}

/// A linphone that is handed on holds us before it calls somebody else; Asterisk does not let that through.
fn held(stage: &Stage, phone: &mut Phone, call: CallKey) {
    if stage.maker == Maker::Kamailio {
        let offer = phone.offered(call, Direction::RecvOnly);
        assert!(offer.contains("a=sendonly") || offer.contains("a=inactive"), "{offer}");
    }
}
