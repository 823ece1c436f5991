use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::resample::to_i16;
use crate::{DeviceError, FRAME, Sink, Speaker, Tone, Wake, open_speaker};

/// A tone being played, on a thread of its own. It stops, softly, when this is dropped.
#[derive(Debug)]
pub struct Ringer {
    stop: Arc<AtomicBool>,
    thread: Option<thread::Thread>,
}

/// How long until a sink that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Longest sleep between two looks at the sink.
const LOOK: Duration = Duration::from_millis(100);

impl Ringer {
    /// Starts to play `tone` on the first of the sinks that can be opened, at a loudness from 0 to 1. Where none can
    /// be, or one fails, all are tried again once a second: a phone that cannot ring yet must ring as soon as it can.
    pub fn start(sinks: Vec<Sink>, tone: Tone, loudness: f32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let spawned = thread::Builder::new()
            .name("ringer".into())
            .spawn(move || ring(&sinks, tone, loudness, &stopped));
        if let Err(error) = &spawned {
            tracing::warn!(%error, "no thread for the ringer");
        }
        Self { stop, thread: spawned.ok().map(|t| t.thread().clone()) }
    }
}

impl Drop for Ringer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }
}

fn ring(sinks: &[Sink], tone: Tone, loudness: f32, stop: &AtomicBool) {
    let me = thread::current();
    let wake: Wake = Arc::new(move || me.unpark());
    let mut player = TonePlayer::new(tone).at(loudness);
    while !stop.load(Ordering::SeqCst) {
        match first_of(sinks, &wake) {
            Ok(mut speaker) => {
                play(&mut player, speaker.as_mut(), stop);
                match speaker.failed() {
                    None => return,
                    Some(error) => tracing::warn!(%error, "the ringer fell silent"),
                }
            }
            Err(error) => tracing::debug!(%error, "the ringer has no sink yet"),
        }
        let again = Instant::now() + RETRY;
        while !stop.load(Ordering::SeqCst) && Instant::now() < again {
            thread::park_timeout(again.saturating_duration_since(Instant::now()));
        }
    }
}

fn first_of(sinks: &[Sink], wake: &Wake) -> Result<Box<dyn Speaker>, DeviceError> {
    let mut found = Err(DeviceError::NoSpeaker);
    for sink in sinks {
        found = open_speaker(sink, wake.clone());
        if found.is_ok() {
            break;
        }
    }
    found
}

/// A tone cut into frames.
#[derive(Debug)]
pub struct TonePlayer {
    samples: std::vec::IntoIter<f32>,
    again: Vec<f32>,
}

impl TonePlayer {
    /// From the beginning of the tone.
    pub fn new(tone: Tone) -> Self {
        let samples = tone.samples();
        let again = if tone.repeats() { samples.clone() } else { Vec::new() };
        Self { samples: samples.into_iter(), again }
    }

    /// Louder or softer than it was made, from 0 to 1, evenly to the ear.
    #[must_use]
    pub fn at(mut self, loudness: f32) -> Self {
        let gain = loudness.clamp(0.0, 1.0).powi(2);
        self.samples = self.samples.map(|sample| sample * gain).collect::<Vec<_>>().into_iter();
        self.again.iter_mut().for_each(|sample| *sample *= gain);
        self
    }

    /// The next 10 ms; none when the tone is over.
    pub fn frame(&mut self) -> Option<[i16; FRAME]> {
        let mut frame = [0.0; FRAME];
        self.next(&mut frame).then(|| frame.map(to_i16))
    }

    /// The next frame, `false` when the tone is over.
    fn next(&mut self, frame: &mut [f32; FRAME]) -> bool {
        if self.samples.len() == 0 {
            self.samples = self.again.clone().into_iter();
        }
        let left = self.samples.len() > 0;
        for place in frame.iter_mut() {
            if self.samples.len() == 0 {
                self.samples = self.again.clone().into_iter();
            }
            *place = self.samples.next().unwrap_or(0.0);
        }
        left
    }
}

/// Plays until told to stop, the tone is over, or the sink fails.
fn play(player: &mut TonePlayer, speaker: &mut dyn Speaker, stop: &AtomicBool) {
    let mut frame = [0.0; FRAME];
    loop {
        while speaker.hungry() {
            let stopping = stop.load(Ordering::SeqCst);
            if !player.next(&mut frame) {
                return;
            }
            if stopping {
                let fall = |n: usize| 1.0 - n as f32 / FRAME as f32;
                frame.iter_mut().enumerate().for_each(|(n, s)| *s *= fall(n));
            }
            speaker.write(&frame.map(to_i16));
            if stopping {
                return drain(speaker);
            }
        }
        if speaker.failed().is_some() {
            return;
        }
        rest(speaker);
    }
}

/// Gives the card the time to take what was written last.
fn drain(speaker: &mut dyn Speaker) {
    let end = Instant::now() + LOOK;
    while speaker.queued() > 0 && Instant::now() < end {
        thread::park_timeout(Duration::from_millis(5));
    }
}

fn rest(speaker: &dyn Speaker) {
    let until = speaker.due().map_or(LOOK, |due| due.saturating_duration_since(Instant::now()));
    thread::park_timeout(until.min(LOOK));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RATE, Ring};

    /// Takes any number of frames at once, up to a limit.
    struct Glutton {
        heard: Vec<i16>,
        most: usize,
    }

    impl Speaker for Glutton {
        fn hungry(&mut self) -> bool {
            self.heard.len() < self.most
        }
        fn write(&mut self, frame: &[i16; FRAME]) {
            self.heard.extend_from_slice(frame);
        }
        fn queued(&self) -> usize {
            0
        }
        fn due(&self) -> Option<Instant> {
            None
        }
        fn failed(&self) -> Option<DeviceError> {
            (self.heard.len() >= self.most).then(|| DeviceError::Lost("full".into()))
        }
    }

    fn hear(tone: Tone, seconds: usize, stop: bool) -> Vec<i16> {
        let mut glutton = Glutton { heard: Vec::new(), most: seconds * RATE as usize };
        play(&mut TonePlayer::new(tone), &mut glutton, &AtomicBool::new(stop));
        glutton.heard
    }

    #[test]
    fn the_bell_goes_round_and_round() {
        let heard = hear(Tone::Ring(Ring::Carillon), 12, false);
        let period = Tone::Ring(Ring::Carillon).samples().len();
        assert_eq!(heard.len(), 12 * RATE as usize);
        assert_eq!(heard[..period], heard[period..2 * period]);
    }

    #[test]
    fn busy_ends_by_itself() {
        let heard = hear(Tone::Busy, 12, false);
        assert!(heard.len() < 2 * RATE as usize, "{}", heard.len());
        assert!(heard.iter().any(|s| *s != 0));
    }

    #[test]
    fn half_as_loud_is_a_quarter_of_the_height() {
        let peak = |loudness| {
            let mut player = TonePlayer::new(Tone::AutoAnswer).at(loudness);
            std::iter::from_fn(|| player.frame()).flatten().map(i16::unsigned_abs).max().unwrap_or(0)
        };
        assert!((peak(1.0) / 4).abs_diff(peak(0.5)) <= 1, "{} {}", peak(1.0), peak(0.5));
        assert_eq!((peak(0.0), peak(7.0)), (0, peak(1.0)));
    }

    #[test]
    fn stopping_fades_out_in_one_frame() {
        let heard = hear(Tone::Ring(Ring::Carillon), 12, true);
        assert_eq!(heard.len(), FRAME);
        assert!(heard[FRAME - 1].abs() < 10);
    }

    #[test]
    fn a_ringer_rings_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ring.wav");
        let ringer = Ringer::start(
            vec![Sink::Card(Some("nobody's".into())), Sink::Wav(path.clone())],
            Tone::Ring(Ring::Carillon),
            1.0,
        );
        let length = || hound::WavReader::open(&path).map_or(0, |r| r.len());
        let wait = |done: &dyn Fn() -> bool| {
            let end = Instant::now() + Duration::from_secs(20);
            while !done() {
                assert!(Instant::now() < end);
                thread::sleep(Duration::from_millis(20));
            }
        };
        wait(&|| length() >= RATE / 2);
        let thread = Arc::downgrade(&ringer.stop);
        drop(ringer);
        wait(&|| thread.strong_count() == 0);
        assert!(length() >= RATE / 2);
    }
}
