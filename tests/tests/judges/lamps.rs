//! What the PBX tells unasked-for: waiting messages, other people's calls.

use std::time::Duration;

use sip::{Event, News, OtherCall, OtherCallState, Package, SubscriptionState};
use system_tests::{Sipp, scenario};

use crate::stage::{Maker, Stage};

const SOON: Duration = Duration::from_secs(20);

/// A message is left, and we hear of it.
pub fn messages(stage: &Stage) {
    let mut phone = stage.phone();
    phone.agent().subscribe(Package::MessageSummary, None);
    let new = match stage.maker {
        Maker::Kamailio => {
            let (place, address) = stage.link();
            let text = scenario::publishes_messages(3, 8);
            let mut sipp = Sipp::caller_at(&place, address, &text, &stage.account(1, "udp"), &stage.user(1));
            sipp.assert_done(SOON);
            3
        }
        Maker::Asterisk => {
            let mut manager = stage.manager();
            // A tone is left as a message: one leg plays it, the other is the mailbox.
            manager.originate("Local/9001@office/n", "604");
            let mailbox = manager.wait("Newexten", SOON, |event| event["Application"] == "VoiceMail");
            std::thread::sleep(Duration::from_secs(3));
            manager.act(&[("Action", "Hangup"), ("Channel", &mailbox["Channel"])]);
            1
        }
    };
    phone.news("waiting messages", |news| match news {
        News::Messages(summary) => (summary.waiting && summary.new == Some(new)).then_some(()),
        _ => None,
    });
}

/// Somebody else's call is seen from its ringing to its end.
pub fn busy(stage: &Stage) {
    // Nobody called this one before: what is told is of this call.
    let (mut watched, mut caller) = (stage.linphone(5), stage.baresip(2));
    let mut phone = stage.phone();
    phone.agent().subscribe(Package::Dialog, Some(&stage.user(5)));
    phone.until("the subscription", |event| {
        let stands = |state: &SubscriptionState| *state == SubscriptionState::Active;
        matches!(event, Event::Subscription { state, .. } if stands(state)).then_some(())
    });
    caller.dial(&stage.address(5));
    watched.wait("connected");
    phone.news("a call", |news| match news {
        News::Dialogs(calls) => {
            calls.iter().any(|call| call.state == OtherCallState::Confirmed).then_some(())
        }
        _ => None,
    });
    phone.forget();
    caller.hang_up();
    let over = |call: &OtherCall| call.state == OtherCallState::Terminated;
    phone.news("its end", |news| match news {
        News::Dialogs(calls) => calls.iter().all(over).then_some(()),
        _ => None,
    });
}
