//! Level meters, with and without a call.

use demo_pbx::Config as Pbx;
use phone::{CallState, Command, Event};

use crate::bench::{Bench, Running};
use crate::sound::Talker;

impl Running {
    /// Waits until both levels are as they should be.
    async fn levels(&mut self, what: &str, wanted: impl Fn(u8, u8) -> bool) {
        self.until(what, |event| match event {
            Event::Levels { microphone, speaker } if wanted(*microphone, *speaker) => Some(()),
            _ => None,
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn meters_move_without_a_call_through_one_and_after_it() {
    let bench = Bench::new(Pbx::default()).await;
    let mut alice = Talker::start(&bench, "101", 600.0).await.running;
    let mut bob = Talker::start(&bench, "102", 900.0).await.running;
    alice.send(Command::Meter { on: true });
    alice.levels("a microphone without a call", |microphone, speaker| microphone > 50 && speaker == 0).await;
    alice.send(Command::TrySpeaker);
    alice.levels("a tone", |_, speaker| speaker > 50).await;
    alice.levels("its end", |_, speaker| speaker == 0).await;

    alice.dial("102");
    let ringing = bob.call("a call", |state| *state == CallState::Incoming).await;
    bob.send(Command::Answer { call: ringing.id });
    let call = alice.call("an answer", |state| matches!(state, CallState::Active { .. })).await;
    // Nobody else's window is open: it renews what would end by itself.
    alice.send(Command::Meter { on: true });
    alice.levels("both voices", |microphone, speaker| microphone > 50 && speaker > 50).await;
    alice.send(Command::HangUp { call: call.id });
    alice.ended().await;
    alice.send(Command::Meter { on: true });
    alice.levels("a microphone after the call", |microphone, speaker| microphone > 50 && speaker == 0).await;

    alice.send(Command::Meter { on: false });
    alice.dial("102");
    let ringing = bob.call("another call", |state| *state == CallState::Incoming).await;
    bob.send(Command::Answer { call: ringing.id });
    alice.call("another answer", |state| matches!(state, CallState::Active { .. })).await;
}
