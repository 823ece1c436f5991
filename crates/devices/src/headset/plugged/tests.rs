use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::headset::FakeHeadset;
use crate::headset::buttons::tests::PLAIN;

const SOON: Duration = Duration::from_secs(60);
const TALKING: LineState = LineState { ringing: false, talking: true, muted: false };

fn worn() -> (FakeHeadset, Headsets, Receiver<Press>) {
    let headset = FakeHeadset::new(PLAIN);
    let (told, pressed) = channel();
    let headsets = Headsets::start(Arc::new(headset.clone()), move |press| told.send(press).unwrap());
    (headset, headsets, pressed)
}

fn until_shown(headset: &FakeHeadset, wanted: &[u8]) {
    let deadline = Instant::now() + SOON;
    while headset.shown().last().is_none_or(|report| report != wanted) {
        assert!(Instant::now() < deadline, "{wanted:?} is not shown");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn presses_are_told_and_the_lamps_go_out_at_the_end() {
    let (headset, headsets, pressed) = worn();
    headsets.show(TALKING);
    until_shown(&headset, &[0, 1, 0]);
    headset.press(&[1]);
    assert_eq!(pressed.recv_timeout(SOON), Ok(Press::HangUp));
    drop(headsets);
    until_shown(&headset, &[0, 0, 0]);
}

#[test]
fn one_that_comes_back_shows_what_the_phone_does() {
    let (headset, headsets, pressed) = worn();
    headsets.show(TALKING);
    until_shown(&headset, &[0, 1, 0]);
    headset.plug(false);
    headsets.look();
    headset.plug(true);
    headsets.look();
    headsets.show(LineState { muted: true, ..TALKING });
    until_shown(&headset, &[0, 5, 0]);
    headset.press(&[2]);
    assert_eq!(pressed.recv_timeout(SOON), Ok(Press::Mute(false)));
}

#[test]
fn what_is_no_headset_is_let_be() {
    let broken = FakeHeadset::new(&[0x05]);
    let headsets = Headsets::start(Arc::new(broken.clone()), |_| panic!("it has no buttons"));
    headsets.show(TALKING);
    headsets.look();
    broken.press(&[1]);
    drop(headsets);
    assert_eq!(broken.shown(), Vec::<Vec<u8>>::new());
}
