use super::*;
use crate::testing::{align, rms, speech};

const ALL: Stages = Stages { echo: true, noise: NoiseSuppression::High, gain: true, high_pass: true };

fn frames(sound: &[i16]) -> impl Iterator<Item = [i16; FRAME]> + '_ {
    sound.chunks_exact(FRAME).map(|chunk| std::array::from_fn(|n| chunk[n]))
}

/// What becomes of a voice with nothing in the speaker; `each` may change the stages before a frame.
fn run(stages: Stages, sound: &[i16], mut each: impl FnMut(usize, &mut Processing)) -> Vec<i16> {
    let mut processing = Processing::new(stages);
    let mut out = Vec::with_capacity(sound.len());
    for (n, mut frame) in frames(sound).enumerate() {
        each(n, &mut processing);
        processing.render(&[0; FRAME]);
        processing.capture(&mut frame);
        out.extend_from_slice(&frame);
    }
    out
}

#[test]
fn without_stages_the_voice_is_left_as_it_is() {
    let sound = speech(48_000);
    assert_eq!(run(Stages::NONE, &sound, |_, _| {}), sound);
}

#[test]
fn each_stage_leaves_the_voice_whole() {
    // But for the high-pass, which turns the phases of a low voice; it has a test of its own.
    let sound = speech(48_000 * 6);
    let none = Stages::NONE;
    for (stages, least, most_delay) in [
        (Stages { echo: true, ..none }, 0.99, 480),
        (Stages { noise: NoiseSuppression::Low, ..none }, 0.93, 480),
        (Stages { gain: true, ..none }, 0.9, 0),
        (Stages { high_pass: false, ..ALL }, 0.85, 900),
    ] {
        let out = run(stages, &sound, |_, _| {});
        let (delay, likeness) = align(&sound, &out, 1500);
        println!("{stages:?}: {likeness:.3} alike, {delay} samples late");
        assert!(likeness > least, "{stages:?}: {likeness}");
        assert!(delay <= most_delay, "{stages:?}: {delay} samples of delay");
    }
}

#[test]
fn stages_are_switched_without_a_click() {
    let tone = crate::testing::tone(440.0, 48_000.0, 8000.0, 48_000 * 8);
    // The steepest a tone of this loudness climbs within a sample, with room for the gain that is not off.
    let steepest = |sound: &[i16]| sound.windows(2).map(|w| w[0].abs_diff(w[1])).max().unwrap_or(0);
    let table = [
        Stages::NONE,
        Stages { echo: true, ..Stages::NONE },
        Stages { echo: true, noise: NoiseSuppression::Low, high_pass: true, gain: false },
        Stages { high_pass: true, ..Stages::NONE },
        Stages { gain: true, ..Stages::NONE },
        Stages::NONE,
    ];
    let out = run(Stages::NONE, &tone, |n, processing| {
        if let Some(stages) = table.get(n / 100).filter(|_| n % 100 == 0) {
            processing.set(*stages);
        }
    });
    let most = steepest(&tone) * 2;
    assert!(steepest(&out) <= most, "{} where {most} is a click", steepest(&out));
    assert_eq!(out[48_000 * 7..], tone[48_000 * 7..], "off is off");
}

#[test]
fn a_quiet_voice_becomes_louder_and_a_loud_one_does_not() {
    let sound = speech(48_000 * 12);
    let stages = Stages { gain: true, ..Stages::NONE };
    let end = |sound: &[i16]| rms(&sound[48_000 * 8..]);
    let at = |gain: f64| sound.iter().map(|s| (f64::from(*s) * gain) as i16).collect::<Vec<_>>();
    let quiet = at(0.03);
    let raised = end(&run(stages, &quiet, |_, _| {})) / end(&quiet);
    let loud = end(&run(stages, &sound, |_, _| {})) / end(&sound);
    println!("quiet: {raised:.1} times, loud: {loud:.2} times");
    assert!(raised > 4.0, "{raised}");
    assert!((0.7..1.5).contains(&loud), "{loud}");
}

#[test]
fn noise_goes_and_takes_no_voice_along() {
    let mut random = 1_u32;
    let hiss: Vec<i16> = (0..48_000 * 6)
        .map(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as i16 - 128
        })
        .collect();
    let left = |noise| {
        let out = run(Stages { noise, ..Stages::NONE }, &hiss, |_, _| {});
        20.0 * (rms(&out[48_000 * 3..]) / rms(&hiss)).log10()
    };
    let (low, high) = (left(NoiseSuppression::Low), left(NoiseSuppression::High));
    println!("low {low:.1} dB, high {high:.1} dB");
    assert!(low < -10.0 && high < -16.0 && high < low, "{low} and {high}");
}
