//! Digits and a conference: our phone whole, with the sound it sends.

use std::thread::sleep;
use std::time::Duration;

use system_tests::{Cli, Session, Speech, Voice, score, seconds_of_tone};

use crate::stage::{Maker, Stage};

const SOON: Duration = Duration::from_secs(20);

/// Digits reach the other end as events in the sound (RFC 4733), and at Asterisk by INFO as well.
pub fn digits(stage: &Stage) {
    let session = Session::bare();
    let mut us = Us::start(stage, &session);
    match stage.maker {
        Maker::Kamailio => {
            let mut baresip = stage.baresip(2);
            let call = us.dial(&stage.user(2));
            baresip.wait_established();
            us.cli.say(&format!("dtmf {call} 49#0"));
            for digit in ['4', '9', '#', '0'] {
                baresip.wait_digit(digit);
            }
        }
        Maker::Asterisk => {
            let mut manager = stage.manager();
            for mode in ["event", "info"] {
                us.cli.say(&format!("prefer dtmf={mode}"));
                let call = us.dial("601");
                us.cli.say(&format!("dtmf {call} 49#0"));
                let read = manager.wait("UserEvent", SOON, |event| event["UserEvent"] == "Digits");
                // Read() ends at the hash.
                assert_eq!(read["Digits"], "49", "by {mode}");
                us.cli.wait_for("ended", SOON);
            }
        }
    }
}

/// We bring two others together, and the one hears the other.
pub fn conference(stage: &Stage) {
    let session = Session::bare();
    let mut us = Us::start(stage, &session);
    match stage.maker {
        Maker::Kamailio => {
            let (mut first, mut second) = (stage.baresip(2), stage.baresip_of(4, Voice::First));
            let one = us.dial(&stage.user(2));
            first.wait_established();
            let other = us.dial(&stage.user(4));
            second.wait_established();
            us.cli.say(&format!("merge {one} {other}"));
            // Their speech began with their calls, and is said again and again.
            sleep(Duration::from_secs(12));
            let heard = second.into_recording();
            let score = score(&Speech::reference(Voice::Second), &heard.path);
            assert!(score.correlation > 0.6 && score.pesq_wb > 2.0, "{score}");
        }
        Maker::Asterisk => {
            let tone = us.dial("604");
            let listener = us.dial("605");
            us.cli.say(&format!("merge {tone} {listener}"));
            sleep(Duration::from_secs(4));
            us.cli.say("quit");
            us.cli.assert_exit(0, SOON);
            let heard = seconds_of_tone(&stage.received(), 1_004.0);
            assert!(heard > 1.5, "{heard} s of the tone");
        }
    }
}

/// Our phone at a console.
struct Us {
    cli: Cli,
}

impl Us {
    /// Starts it, registered; its user says nothing.
    fn start(stage: &Stage, session: &Session) -> Self {
        let (silence, heard) = (Speech::silence(), session.path("heard.wav"));
        let files = ["--play", silence.to_str().unwrap(), "--record", heard.to_str().unwrap()];
        let all = [&["--codec", "PCMU"], &files[..]].concat();
        let account = stage.account(1, stage.transport_name());
        let mut cli = Cli::console(session, &stage.place(), &account, &stage.authority(), &all);
        cli.wait_for("registered", SOON);
        Self { cli }
    }

    /// Calls somebody, waits for the answer and gives the number of the call.
    fn dial(&mut self, target: &str) -> u64 {
        self.cli.say(&format!("dial {target}"));
        let call = self.cli.wait_until("an answer", SOON, |event| {
            event.name == "call" && event.text("peer") == target && event.text("state") == "active"
        });
        call.number("call") as u64
    }
}
