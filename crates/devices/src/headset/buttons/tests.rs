use super::*;

/// The telephone part of a Plantronics Blackwire 3220, as a user of hidapi published it (libusb/hidapi, pull
/// request 262): mute springs back, hook switch and flash stay; each lamp has a report of its own.
const BLACKWIRE: &[u8] = &[
    0x05, 0x0b, 0x09, 0x05, 0xa1, 0x01, 0x85, 0x08, 0x09, 0x2f, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95,
    0x01, 0x81, 0x06, 0x09, 0x20, 0x09, 0x21, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x02, 0x81, 0x22,
    0x85, 0x09, 0x05, 0x08, 0x09, 0x09, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x91, 0x22, 0x85,
    0x17, 0x09, 0x17, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x91, 0x22, 0x85, 0x18, 0x09, 0x18,
    0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x91, 0x22, 0xc0,
];

/// A headset without numbered reports whose hook switch springs back, with all lamps in one report.
pub(in crate::headset) const PLAIN: &[u8] = &[
    0x05, 0x0b, 0x09, 0x05, 0xa1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x02, 0x09, 0x20, 0x09,
    0x2f, 0x81, 0x02, 0x95, 0x06, 0x81, 0x03, 0x05, 0x08, 0x09, 0x17, 0x09, 0x18, 0x09, 0x09, 0x95, 0x03,
    0x91, 0x02, 0x95, 0x0d, 0x91, 0x03, 0xc0,
];

/// Media keys and nothing of a telephone.
const MEDIA_KEYS: &[u8] = &[
    0x05, 0x0c, 0x09, 0x01, 0xa1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x09, 0xe9, 0x09, 0xea, 0x75, 0x01, 0x95,
    0x02, 0x81, 0x02, 0x95, 0x06, 0x81, 0x03, 0xc0,
];

const RINGING: LineState = LineState { ringing: true, talking: false, muted: false };
const TALKING: LineState = LineState { ringing: false, talking: true, muted: false };
const MUTED: LineState = LineState { muted: true, ..TALKING };

fn buttons(descriptor: &[u8]) -> Buttons {
    Buttons::of(descriptor).unwrap().unwrap()
}

#[test]
fn a_hook_switch_that_stays_answers_and_hangs_up() {
    let mut headset = buttons(BLACKWIRE);
    assert_eq!(headset.show(RINGING), [[0x09, 0], [0x17, 0], [0x18, 1]]);
    assert_eq!(headset.take(&[8, 0b010]), [Press::Answer]);
    assert_eq!(headset.show(TALKING), [[0x09, 0], [0x17, 1], [0x18, 0]]);
    assert_eq!(headset.take(&[8, 0b010]), [], "the same again is no press");
    assert_eq!(headset.take(&[8, 0b000]), [Press::HangUp]);
}

#[test]
fn a_switch_that_follows_its_lamp_presses_nothing() {
    let mut headset = buttons(BLACKWIRE);
    headset.show(TALKING);
    assert_eq!(headset.take(&[8, 0b010]), [], "a call that was begun on the screen");
    headset.show(LineState::default());
    assert_eq!(headset.take(&[8, 0b000]), [], "and ended there");
}

#[test]
fn a_switch_that_falls_back_without_a_call_presses_nothing() {
    let mut headset = buttons(BLACKWIRE);
    assert_eq!(headset.take(&[8, 0b010]), []);
    assert_eq!(headset.take(&[8, 0b000]), []);
}

#[test]
fn mute_goes_both_ways() {
    let mut headset = buttons(BLACKWIRE);
    headset.show(TALKING);
    assert_eq!(headset.take(&[8, 0b001]), [Press::Mute(true)]);
    assert_eq!(headset.take(&[8, 0b000]), [], "let go");
    assert_eq!(headset.show(MUTED), [[0x09, 1], [0x17, 1], [0x18, 0]]);
    assert_eq!(headset.show(MUTED), Vec::<Vec<u8>>::new(), "what is shown is not shown again");
    assert_eq!(headset.take(&[8, 0b001]), [Press::Mute(false)]);
    headset.show(LineState::default());
    headset.take(&[8, 0b000]);
    assert_eq!(headset.take(&[8, 0b001]), [], "without a call there is nothing to mute");
}

#[test]
fn a_button_that_springs_back_answers_and_at_the_next_press_hangs_up() {
    let mut headset = buttons(PLAIN);
    assert_eq!(headset.show(RINGING), [[0, 0b010, 0]]);
    assert_eq!(headset.take(&[1]), [Press::Answer]);
    assert_eq!(headset.show(TALKING), [[0, 0b001, 0]]);
    assert_eq!(headset.take(&[0]), [], "let go");
    assert_eq!(headset.take(&[1]), [Press::HangUp]);
}

#[test]
fn what_has_no_telephone_buttons_is_none() {
    assert!(Buttons::of(MEDIA_KEYS).unwrap().is_none());
    assert!(Buttons::of(&[]).unwrap().is_none());
}

#[test]
fn short_and_strange_reports_press_nothing() {
    let mut headset = buttons(BLACKWIRE);
    headset.show(TALKING);
    for report in [&[] as &[u8], &[8], &[7, 255], &[255]] {
        assert_eq!(headset.take(report), []);
    }
    assert_eq!(buttons(PLAIN).take(&[]), []);
}

#[test]
fn senseless_descriptors_are_refused() {
    assert_eq!(Buttons::of(&BLACKWIRE[..5]).err(), Some(DescriptorError::CutOff));
    let pop = [0xb4];
    assert_eq!(Buttons::of(&pop).err(), Some(DescriptorError::Senseless));
    let endless =
        [0x05, 0x0b, 0x09, 0x20, 0x77, 0xff, 0xff, 0xff, 0xff, 0x97, 0xff, 0xff, 0xff, 0xff, 0x81, 0x02];
    assert_eq!(Buttons::of(&endless).err(), Some(DescriptorError::TooMuch));
    let deep = [0xa4; 40];
    assert_eq!(Buttons::of(&deep).err(), Some(DescriptorError::TooMuch));
}

#[test]
fn any_bytes_are_read_or_refused() {
    // A small generator of our own: the fuzz target goes further.
    let mut seed = 0x9e37_79b9_u32;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed
    };
    for _ in 0..20_000 {
        let mut descriptor = BLACKWIRE.to_vec();
        for _ in 0..next() % 6 {
            let at = next() as usize % descriptor.len();
            descriptor[at] = next() as u8;
        }
        if let Ok(Some(mut headset)) = Buttons::of(&descriptor) {
            headset.show(TALKING);
            let report: Vec<u8> = (0..next() % 12).map(|_| next() as u8).collect();
            headset.take(&report);
        }
    }
}
