//! A headset's buttons answer, mute, hold and hang up, and its lamps follow the call.

use std::sync::Arc;
use std::time::Duration;

use crate::bench::{Bench, PATIENCE, Running};
use demo_pbx::Config as Pbx;
use devices::FakeHeadset;
use phone::{CallState, Command, Config, EndReason, Start};
use tokio::time::{Instant, sleep};

/// Inputs: hook switch, mute and drop, which spring back, and flash. Lamps: off-hook, ring, mute.
const HEADSET: &[u8] = &[
    0x05, 0x0b, 0x09, 0x05, 0xa1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x04, 0x09, 0x20, 0x09,
    0x2f, 0x09, 0x26, 0x09, 0x21, 0x81, 0x02, 0x95, 0x04, 0x81, 0x03, 0x05, 0x08, 0x09, 0x17, 0x09, 0x18,
    0x09, 0x09, 0x95, 0x03, 0x91, 0x02, 0x95, 0x0d, 0x91, 0x03, 0xc0,
];
const HOOK: u8 = 1;
const MUTE: u8 = 2;
const DROP: u8 = 4;
const FLASH: u8 = 8;
const OFF_HOOK_LAMP: u8 = 1;
const RING_LAMP: u8 = 2;
const MUTE_LAMP: u8 = 4;

struct Desk {
    headset: FakeHeadset,
    worn: Running,
    caller: Running,
}

impl Desk {
    async fn new(bench: &Bench) -> Self {
        let headset = FakeHeadset::new(HEADSET);
        let start = |name: &str, config: Config| {
            bench.phone_with(Config { data_dir: bench.dir.path().join(name), start: Start::None, ..config })
        };
        let with = Config { headsets: Some(Arc::new(headset.clone())), ..bench.config() };
        let (mut worn, mut caller) = (start("worn", with), start("caller", bench.config()));
        worn.send(bench.extension("101"));
        worn.registered().await;
        caller.send(bench.extension("102"));
        caller.registered().await;
        Self { headset, worn, caller }
    }

    fn press(&self, button: u8) {
        self.headset.press(&[button]);
        self.headset.press(&[0]);
    }

    /// Waits until the lamps are as wanted.
    async fn shows(&self, wanted: u8) {
        let (deadline, mut last) = (Instant::now() + PATIENCE, None);
        while last != Some(wanted) {
            last = self.headset.shown().last().map(|report| report[1]).or(last);
            assert!(Instant::now() < deadline, "{last:?} is shown, not {wanted}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn rings(&mut self) {
        self.caller.dial("101");
        self.worn.call("a call", |state| *state == CallState::Incoming).await;
        self.shows(RING_LAMP).await;
    }

    async fn answers(&mut self) {
        self.rings().await;
        self.press(HOOK);
        self.caller.call("an answer", |state| matches!(state, CallState::Active { .. })).await;
        self.shows(OFF_HOOK_LAMP).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_answered_muted_held_and_ended_without_the_window() {
    let bench = Bench::new(Pbx::default()).await;
    let mut desk = Desk::new(&bench).await;
    desk.answers().await;
    desk.press(MUTE);
    desk.shows(OFF_HOOK_LAMP | MUTE_LAMP).await;
    desk.press(MUTE);
    desk.shows(OFF_HOOK_LAMP).await;
    desk.press(FLASH);
    desk.worn.call("a hold", |state| matches!(state, CallState::Held { .. })).await;
    desk.shows(0).await;
    let held = desk.worn.phone.picture().await.unwrap().calls.remove(0).id;
    desk.worn.send(Command::Resume { call: held });
    desk.shows(OFF_HOOK_LAMP).await;
    desk.press(HOOK);
    assert_eq!(desk.worn.ended().await, EndReason::HungUpHere);
    assert_eq!(desk.caller.ended().await, EndReason::HungUpThere);
    desk.shows(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_refused_and_one_that_was_begun_on_the_screen_is_ended() {
    let bench = Bench::new(Pbx::default()).await;
    let mut desk = Desk::new(&bench).await;
    desk.rings().await;
    desk.press(DROP);
    assert_eq!(desk.caller.ended().await, EndReason::Busy);
    desk.shows(0).await;
    desk.worn.dial(demo_pbx::ECHO);
    desk.worn.call("an answer", |state| matches!(state, CallState::Active { .. })).await;
    desk.shows(OFF_HOOK_LAMP).await;
    desk.press(DROP);
    assert_eq!(desk.worn.ended().await, EndReason::HungUpHere);
    desk.shows(0).await;
    // There is nothing to be done.
    desk.press(HOOK);
    desk.press(MUTE);
    desk.answers().await;
}
