use std::f32::consts::TAU;

use super::*;
use crate::{HandClock, SystemClock};

const MS: Duration = Duration::from_millis(1);

fn write(
    path: &Path,
    spec: WavSpec,
    seconds: f32,
    mut put: impl FnMut(&mut WavWriter<BufWriter<File>>, f32),
) {
    let mut writer = WavWriter::create(path, spec).unwrap();
    for n in 0..(spec.sample_rate as f32 * seconds) as u32 {
        put(&mut writer, n as f32 / spec.sample_rate as f32);
    }
    writer.finalize().unwrap();
}

/// Everything a microphone gives in `frames` ticks of its clock.
fn listen(microphone: &mut impl Microphone, clock: &HandClock, frames: usize) -> Vec<i16> {
    let mut heard = Vec::new();
    let mut frame = [0; FRAME];
    for _ in 0..frames {
        clock.advance(10 * MS);
        assert!(microphone.read(&mut frame).unwrap());
        heard.extend_from_slice(&frame);
    }
    heard
}

/// How much of a signal is a sine of this frequency: 1 for a pure one at any phase.
fn purity(signal: &[i16], hz: f32) -> f32 {
    let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
    for (n, s) in signal.iter().enumerate() {
        let (s, phase) = (f32::from(*s), TAU * hz * n as f32 / RATE as f32);
        (re, im, all) = (re + s * phase.cos(), im + s * phase.sin(), all + s * s);
    }
    2.0 * (re * re + im * im) / (all * signal.len() as f32)
}

fn rms(signal: &[i16]) -> f32 {
    (signal.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>() / signal.len() as f32).sqrt() / 32_768.0
}

#[test]
fn any_rate_depth_and_number_of_channels() {
    let dir = tempfile::tempdir().unwrap();
    for (rate, bits, format, channels) in [
        (8_000, 16, SampleFormat::Int, 1),
        (16_000, 8, SampleFormat::Int, 2),
        (22_050, 24, SampleFormat::Int, 1),
        (44_100, 16, SampleFormat::Int, 8),
        (48_000, 32, SampleFormat::Float, 2),
        (96_000, 32, SampleFormat::Int, 1),
    ] {
        let path = dir.path().join("in.wav");
        let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format: format };
        let full = 2_f32.powi(i32::from(bits) - 1);
        write(&path, spec, 1.0, |w, t| {
            let value = 0.5 * (TAU * 1000.0 * t).sin();
            for _ in 0..channels {
                match format {
                    SampleFormat::Float => w.write_sample(value).unwrap(),
                    SampleFormat::Int => w.write_sample((value * full) as i32).unwrap(),
                }
            }
        });
        let clock = HandClock::new();
        let mut microphone = WavMicrophone::open(&path, clock.clone()).unwrap();
        let heard = listen(&mut microphone, &clock, 120);
        let name = format!("{rate} Hz, {bits} bit {format:?}, {channels} channels");
        let middle = &heard[FRAME * 20..FRAME * 80];
        assert!(purity(middle, 1000.0) > 0.999, "{name}: {}", purity(middle, 1000.0));
        assert!((rms(middle) - 0.5 / 2_f32.sqrt()).abs() < 0.01, "{name}: {}", rms(middle));
        assert!(heard[RATE as usize + FRAME..].iter().all(|s| *s == 0), "{name}: silence after the end");
    }
}

#[test]
fn a_resampled_file_begins_when_the_file_begins() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("click.wav");
    let spec =
        WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
    write(&path, spec, 0.5, |w, t| {
        w.write_sample(if (t - 0.25).abs() < 2e-5 { i16::MAX } else { 0 }).unwrap()
    });
    let clock = HandClock::new();
    let mut microphone = WavMicrophone::open(&path, clock.clone()).unwrap();
    let heard = listen(&mut microphone, &clock, 50);
    let peak = (0..heard.len()).max_by_key(|n| heard[*n].unsigned_abs()).unwrap();
    assert!(peak.abs_diff(12_000) <= 3, "the click of 250 ms came at sample {peak}");
}

#[test]
fn a_file_keeps_the_pace_of_its_clock() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("short.wav");
    let spec =
        WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
    write(&path, spec, 0.015, |w, _| w.write_sample(1000_i16).unwrap());
    let clock = HandClock::new();
    let start = clock.now();
    let mut microphone = WavMicrophone::open(&path, clock.clone()).unwrap();
    let mut frame = [7; FRAME];
    assert!(!microphone.read(&mut frame).unwrap(), "nothing was spoken yet");
    assert_eq!(microphone.due(), Some(start + 10 * MS));
    clock.advance(25 * MS);
    assert!(microphone.read(&mut frame).unwrap());
    assert_eq!(frame, [1000; FRAME]);
    assert!(microphone.read(&mut frame).unwrap());
    assert_eq!((frame[239], frame[240]), (1000, 0), "the end of the file within a frame");
    assert!(!microphone.read(&mut frame).unwrap());
    assert_eq!(microphone.due(), Some(start + 30 * MS));
}

#[test]
fn no_file_and_no_wav_file() {
    let dir = tempfile::tempdir().unwrap();
    let gone = WavMicrophone::open(&dir.path().join("none.wav"), SystemClock).err();
    assert!(matches!(&gone, Some(DeviceError::File { path, .. }) if path.ends_with("none.wav")), "{gone:?}");
    let path = dir.path().join("text.wav");
    std::fs::write(&path, "this is no sound").unwrap();
    assert!(matches!(WavMicrophone::open(&path, SystemClock), Err(DeviceError::File { .. })));
    let nowhere = WavSpeaker::create(&dir.path().join("no/where.wav"), SystemClock);
    assert!(matches!(nowhere, Err(DeviceError::File { .. })));
}

#[test]
fn a_record_is_whole_at_its_end_and_readable_on_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.wav");
    let clock = HandClock::new();
    let mut speaker = WavSpeaker::create(&path, clock.clone()).unwrap();
    assert_eq!(WavReader::open(&path).unwrap().len(), 0, "a valid file from the first moment");
    let mut written = 0_i16;
    for _ in 0..120 {
        assert!(speaker.hungry());
        written += 1;
        speaker.write(&[written; FRAME]);
        assert!(!speaker.hungry());
        assert_eq!(speaker.queued(), FRAME);
        clock.advance(10 * MS);
    }
    let on_the_way = WavReader::open(&path).unwrap().len();
    assert_eq!(on_the_way, 100 * FRAME as u32, "as of the last update of the header");
    assert!(speaker.failed().is_none());
    drop(speaker);

    let mut reader = WavReader::open(&path).unwrap();
    let spec = reader.spec();
    assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (1, 48_000, 16));
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    assert_eq!(samples.len(), 120 * FRAME);
    assert!(samples.chunks(FRAME).zip(1..).all(|(frame, n)| frame.iter().all(|s| *s == n)));
}

#[test]
fn a_record_held_up_catches_up() {
    let dir = tempfile::tempdir().unwrap();
    let clock = HandClock::new();
    let mut speaker = WavSpeaker::create(&dir.path().join("out.wav"), clock.clone()).unwrap();
    speaker.write(&[0; FRAME]);
    clock.advance(45 * MS);
    let mut frames = 0;
    while speaker.hungry() {
        speaker.write(&[0; FRAME]);
        frames += 1;
    }
    assert_eq!(frames, 4, "what is written stays as long as what has passed");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let clock = HandClock::new();
    // The header is part of the first update, so this may already fail when created.
    match WavSpeaker::create(Path::new("/dev/full"), clock.clone()) {
        Err(DeviceError::File { .. }) => {}
        Err(other) => panic!("{other}"),
        Ok(mut speaker) => {
            for _ in 0..200 {
                clock.advance(10 * MS);
                speaker.write(&[1; FRAME]);
            }
            assert!(matches!(speaker.failed(), Some(DeviceError::File { .. })));
        }
    }
}

#[test]
fn silence_and_nowhere_keep_the_pace() {
    let clock = HandClock::new();
    let (mut silence, mut nowhere) = (SilentMicrophone::new(clock.clone()), NullSpeaker::new(clock.clone()));
    let mut frame = [1; FRAME];
    assert!(!silence.read(&mut frame).unwrap());
    clock.advance(1000 * MS);
    let mut read = 0;
    while silence.read(&mut frame).unwrap() {
        assert_eq!(frame, [0; FRAME]);
        read += 1;
    }
    let mut written = 0;
    while nowhere.hungry() {
        nowhere.write(&frame);
        written += 1;
    }
    assert_eq!((read, written), (100, 101));
}

#[test]
fn sound_of_another_rate_is_played_from_any_place() {
    let tone: std::sync::Arc<[i16]> =
        (0..8_000).map(|n| (10_000.0 * (TAU * 500.0 * n as f32 / 8_000.0).sin()) as i16).collect();
    for (from, frames) in [(0, 100), (750, 25), (1_000, 0), (9_999, 0)] {
        let heard: Vec<_> = Frames::of(tone.clone(), 8_000, from * MS).unwrap().collect();
        assert_eq!(heard.len(), frames, "from {from} ms");
        let loud = |frame: &&[i16; FRAME]| frame.iter().any(|sample| sample.abs() > 9_000);
        assert!(heard.iter().filter(loud).count() + 2 >= frames, "from {from} ms");
    }
    assert!(matches!(Frames::of(tone, 1, Duration::ZERO), Err(DeviceError::Rate(1))));
}

#[test]
fn frames_are_made_into_sound_of_another_rate() {
    let tone = |n: usize| (10_000.0 * (TAU * 500.0 * n as f32 / RATE as f32).sin()) as i16;
    let frames: Vec<[i16; FRAME]> =
        (0..50).map(|frame| std::array::from_fn(|n| tone(frame * FRAME + n))).collect();
    let sound = at_rate(&frames, 8_000).unwrap();
    assert_eq!(sound.len(), 4_000);
    // Away from its ends it is the same tone: 16 samples a turn, and 180 degrees from turn to half turn.
    for n in 400..3_600 {
        assert!((i32::from(sound[n]) + i32::from(sound[n + 8])).abs() < 200, "{n}");
    }
    assert!(sound.iter().any(|sample| *sample > 9_500));
    assert_eq!(at_rate(&[], 8_000).unwrap(), Vec::<i16>::new());
    assert!(matches!(at_rate(&frames, 1), Err(DeviceError::Rate(1))));
}
