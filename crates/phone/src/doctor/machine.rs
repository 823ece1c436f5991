//! What is in this machine: keychain, sound cards, camera. All of it blocks.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use devices::{CameraError, DeviceError, DeviceInfo, FRAME, Sink, Source, Wake};
use sign_in::{Keychain, SignInError, Vault};

use super::{Check, Diagnosis, Finding};

/// Longest that a keychain may think: one that asks its owner waits for ever.
const KEYCHAIN: Duration = Duration::from_secs(5);
/// Entry that is written and taken away.
const ENTRY: &str = "check";
/// How long the microphone is listened to, unless something is heard before.
const LISTEN: Duration = Duration::from_secs(3);
/// How long the speaker is given silence.
const PLAY: Duration = Duration::from_millis(300);
/// Longest sleep between two looks at a device.
const LOOK: Duration = Duration::from_millis(20);
/// How PulseAudio calls a source that is what a speaker plays.
const MONITOR: &str = ".monitor";
/// Silence that nobody makes by holding his breath: peak, 16 bit (-60 dBFS).
const SILENT: u16 = 33;

/// Whether the keychain keeps what it is given.
pub(super) fn keychain(service: String) -> Finding {
    let (tell, told) = mpsc::channel();
    let trial = move || {
        let keychain = Keychain::new(service);
        let kept = keychain.set(ENTRY, b"{}").and_then(|()| {
            let found = keychain.get(ENTRY)?.is_some();
            keychain.delete(ENTRY)?;
            Ok(found)
        });
        // Nobody may wait any more.
        let _ = tell.send(kept);
    };
    if let Err(error) = thread::Builder::new().name("check-keychain".into()).spawn(trial) {
        return Finding::note(Check::Keychain, Diagnosis::KeychainFailed, "", error.to_string());
    }
    let note = |diagnosis, seen: String| Finding::note(Check::Keychain, diagnosis, "", seen);
    match told.recv_timeout(KEYCHAIN) {
        Ok(Ok(true)) => Finding::good(Check::Keychain, "", ""),
        Ok(Ok(false)) => note(Diagnosis::KeychainFailed, String::new()),
        Ok(Err(error @ SignInError::KeychainAbsent { .. })) => {
            note(Diagnosis::KeychainAbsent, error.to_string())
        }
        Ok(Err(error @ SignInError::KeychainLocked { .. })) => {
            note(Diagnosis::KeychainLocked, error.to_string())
        }
        Ok(Err(error)) => note(Diagnosis::KeychainFailed, error.to_string()),
        Err(_) => note(Diagnosis::KeychainLocked, format!("{} s", KEYCHAIN.as_secs())),
    }
}

/// Whether anything is heard through the microphone.
pub(super) fn microphone(source: Option<Source>) -> Finding {
    let Some(source) = source else { return Finding::skipped(Check::Microphone, None) };
    let bad = |error: DeviceError| {
        let diagnosis = match error {
            DeviceError::NoMicrophone => Diagnosis::NoMicrophone,
            DeviceError::Busy(_) => Diagnosis::NoSound,
            _ => Diagnosis::MicrophoneFailed,
        };
        Finding::bad(Check::Microphone, diagnosis, "", error.to_string())
    };
    let card = match card(&source, devices::microphones) {
        Ok(card) => card,
        Err(error) => return bad(error),
    };
    // Without a microphone some sound servers offer what the speaker plays.
    if card.as_ref().is_some_and(|card| card.id.ends_with(MONITOR)) {
        return bad(DeviceError::NoMicrophone);
    }
    let name = card.map(|card| card.name).unwrap_or_default();
    match listen(&source) {
        Ok(peak) if peak <= SILENT => {
            Finding::bad(Check::Microphone, Diagnosis::MicrophoneSilent, name, decibels(peak))
        }
        Ok(peak) => Finding::good(Check::Microphone, name, decibels(peak)),
        Err(error) => bad(error),
    }
}

/// Whether the speaker takes what it is given.
pub(super) fn speaker(sink: Option<Sink>) -> Finding {
    let Some(sink) = sink else { return Finding::skipped(Check::Speaker, None) };
    let bad = |error: DeviceError| {
        let diagnosis = match error {
            DeviceError::NoSpeaker => Diagnosis::NoSpeaker,
            DeviceError::Busy(_) => Diagnosis::NoSound,
            _ => Diagnosis::SpeakerFailed,
        };
        Finding::bad(Check::Speaker, diagnosis, "", error.to_string())
    };
    let source = match &sink {
        Sink::Card(id) => Source::Card(id.clone()),
        Sink::Wav(_) | Sink::Null => Source::Silence,
    };
    let name = match card(&source, devices::speakers) {
        Ok(card) => card.map(|card| card.name).unwrap_or_default(),
        Err(error) => return bad(error),
    };
    match play(&sink) {
        Ok(()) => Finding::good(Check::Speaker, name, ""),
        Err(error) => bad(error),
    }
}

/// Whether there is a camera. It is not opened: its lamp would frighten people.
pub(super) fn camera() -> Finding {
    match devices::cameras() {
        Ok(found) => {
            let names: Vec<String> = found.into_iter().map(|camera| camera.name).collect();
            Finding::good(Check::Camera, "", names.join(", "))
        }
        Err(CameraError::None) => Finding::note(Check::Camera, Diagnosis::NoCamera, "", ""),
        Err(error) => Finding::note(Check::Camera, Diagnosis::CameraFailed, "", error.to_string()),
    }
}

/// The card that is meant; none for a file.
fn card(
    source: &Source,
    list: impl FnOnce() -> Result<Vec<DeviceInfo>, DeviceError>,
) -> Result<Option<DeviceInfo>, DeviceError> {
    let Source::Card(id) = source else { return Ok(None) };
    let cards = list()?;
    let meant = match id {
        Some(id) => cards.into_iter().find(|card| card.id == *id),
        None => cards.into_iter().next(),
    };
    Ok(meant)
}

/// Highest sample of what is heard.
fn listen(source: &Source) -> Result<u16, DeviceError> {
    let mut microphone = devices::open_microphone(source, wake())?;
    let (mut frame, mut peak) = ([0; FRAME], 0);
    let end = Instant::now() + LISTEN;
    while Instant::now() < end && peak <= SILENT {
        while microphone.read(&mut frame)? {
            peak = frame.iter().map(|sample: &i16| sample.unsigned_abs()).fold(peak, u16::max);
        }
        thread::park_timeout(LOOK);
    }
    Ok(peak)
}

fn play(sink: &Sink) -> Result<(), DeviceError> {
    let mut speaker = devices::open_speaker(sink, wake())?;
    let end = Instant::now() + PLAY;
    while Instant::now() < end {
        while speaker.hungry() {
            speaker.write(&[0; FRAME]);
        }
        if let Some(error) = speaker.failed() {
            return Err(error);
        }
        thread::park_timeout(LOOK);
    }
    Ok(())
}

fn wake() -> Wake {
    let me = thread::current();
    Arc::new(move || me.unpark())
}

fn decibels(peak: u16) -> String {
    let level = 20.0 * (f32::from(peak.max(1)) / 32_768.0).log10();
    format!("{level:.0} dBFS")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Outcome;

    #[test]
    fn silence_is_told_from_a_voice() {
        assert_eq!(microphone(Some(Source::Silence)).diagnosis, Some(Diagnosis::MicrophoneSilent));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("voice.wav");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&file, spec).unwrap();
        (0..8_000_i16).for_each(|n| writer.write_sample(n % 100 * 100).unwrap());
        writer.finalize().unwrap();
        assert_eq!(microphone(Some(Source::Wav(file))).outcome, Outcome::Good);
        assert_eq!(speaker(Some(Sink::Null)).outcome, Outcome::Good);
        assert_eq!(microphone(None).outcome, Outcome::Skipped);
    }

    #[test]
    fn a_device_that_cannot_be_opened_is_told() {
        let gone = Source::Wav("/nowhere/voice.wav".into());
        assert_eq!(microphone(Some(gone)).diagnosis, Some(Diagnosis::MicrophoneFailed));
    }
}
