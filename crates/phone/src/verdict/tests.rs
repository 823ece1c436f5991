use media::FarEnd;

use super::*;

const STEP: Duration = Duration::from_millis(200);

/// A call in virtual time: what it is like is changed, then it goes on for so long.
struct Trial {
    now: Instant,
    assistant: Assistant,
    figures: media::Report,
    devices: DeviceSigns,
    muted: bool,
    held: bool,
    held_there: bool,
    /// Packets that arrive and are lost in a step.
    arrive: u32,
    lost: u32,
    /// Every verdict told so far, with its time in steps.
    told: Vec<Option<Verdict>>,
}

impl Trial {
    /// All is well.
    fn new() -> Self {
        Self {
            now: Instant::now(),
            assistant: Assistant::default(),
            figures: figures(),
            devices: DeviceSigns { microphone_peak: 4_000, ..DeviceSigns::default() },
            muted: false,
            held: false,
            held_there: false,
            arrive: 10,
            lost: 0,
            told: Vec::new(),
        }
    }

    fn go(&mut self, time: Duration) -> Option<Verdict> {
        let end = self.now + time;
        let mut verdict = self.told.last().copied().flatten();
        while self.now < end {
            self.now += STEP;
            self.figures.rx_packets += self.arrive;
            self.figures.lost += self.lost;
            self.figures.media_silent_for =
                if self.arrive > 0 { Duration::ZERO } else { self.figures.media_silent_for + STEP };
            let signs = Signs {
                figures: &self.figures,
                devices: self.devices,
                muted: self.muted,
                held: self.held,
                held_there: self.held_there,
            };
            let now = self.assistant.look(self.now, &signs);
            if now != verdict {
                self.told.push(now);
                verdict = now;
            }
        }
        verdict
    }
}

fn figures() -> media::Report {
    media::Report { level_in: 60, level_out: 60, ..media::Report::nothing_yet() }
}

fn far(hears: bool, deaf_reports: u32, lost_percent: f32) -> Option<FarEnd> {
    Some(FarEnd {
        reports: 3,
        age: STEP,
        lost_percent,
        lost: 0,
        jitter_ms: 1.0,
        hears,
        deaf_reports,
        voip: None,
    })
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_call_without_fault_is_left_alone() {
    let mut trial = Trial::new();
    trial.figures.far = far(true, 0, 1.0);
    assert_eq!(trial.go(s(600)), None);
    assert_eq!(trial.told, []);
}

#[test]
fn muted_is_told_and_taken_back_at_once() {
    let mut trial = Trial::new();
    trial.muted = true;
    assert_eq!(trial.go(STEP * 2), None, "a slip of a finger is no verdict");
    assert_eq!(trial.go(s(2)), Some(Verdict::Muted));
    trial.muted = false;
    assert_eq!(trial.go(STEP), None);
}

#[test]
fn a_microphone_that_was_never_heard_is_told_soon() {
    let mut trial = Trial::new();
    trial.devices.microphone_peak = 0;
    assert_eq!(trial.go(s(4)), None);
    assert_eq!(trial.go(s(2)), Some(Verdict::MicrophoneSilent));
    trial.devices.microphone_peak = 500;
    assert_eq!(trial.go(s(1)), None);
}

#[test]
fn who_listens_for_a_while_has_no_silent_microphone() {
    let mut trial = Trial::new();
    trial.go(s(5));
    trial.devices.microphone_peak = 0;
    assert_eq!(trial.go(s(19)), None);
    assert_eq!(trial.go(s(3)), Some(Verdict::MicrophoneSilent));
}

#[test]
fn a_muted_microphone_is_not_called_silent() {
    let mut trial = Trial::new();
    (trial.muted, trial.devices.microphone_peak) = (true, 0);
    trial.go(s(60));
    assert_eq!(trial.told, [Some(Verdict::Muted)]);
}

#[test]
fn lost_devices_are_told_until_others_stand_in() {
    let mut trial = Trial::new();
    trial.devices = DeviceSigns { microphone_lost: true, microphone_peak: 0, speaker_lost: true };
    assert_eq!(trial.go(s(2)), Some(Verdict::SpeakerLost));
    trial.devices.speaker_lost = false;
    assert_eq!(trial.go(STEP), Some(Verdict::MicrophoneLost));
    trial.devices = DeviceSigns { microphone_peak: 900, ..DeviceSigns::default() };
    assert_eq!(trial.go(s(1)), None);
}

#[test]
fn nothing_since_the_answer_is_told_with_what_the_far_end_says() {
    for (far_end, verdict) in [
        (None, Verdict::NothingArrived),
        (far(false, 1, 0.0), Verdict::NothingArrived),
        (far(true, 0, 0.0), Verdict::BlockedInward),
        (far(false, 2, 0.0), Verdict::NeitherWay),
    ] {
        let mut trial = Trial::new();
        (trial.arrive, trial.figures.level_in, trial.figures.far) = (0, 0, far_end);
        assert_eq!(trial.go(s(2)), None);
        assert_eq!(trial.go(s(2)), Some(verdict));
        trial.arrive = 10;
        assert_ne!(trial.go(s(1)), Some(verdict));
    }
}

#[test]
fn a_voice_that_stops_arriving_is_told() {
    let mut trial = Trial::new();
    trial.go(s(10));
    (trial.arrive, trial.figures.level_in) = (0, 0);
    assert_eq!(trial.go(s(4)), None, "pauses may be left out");
    assert_eq!(trial.go(s(2)), Some(Verdict::StoppedArriving));
    (trial.arrive, trial.figures.level_in) = (10, 50);
    assert_eq!(trial.go(STEP), None);
}

#[test]
fn packets_of_silence_are_told_by_whether_they_were_heard_before() {
    let mut trial = Trial::new();
    trial.figures.level_in = 0;
    assert_eq!(trial.go(s(6)), Some(Verdict::SilenceArrives));
    trial.figures.level_in = 40;
    assert_eq!(trial.go(s(1)), None);
    trial.figures.level_in = 0;
    assert_eq!(trial.go(s(19)), None);
    assert_eq!(trial.go(s(2)), Some(Verdict::TheyMayBeMuted));
}

#[test]
fn who_hears_nothing_of_us_is_believed_the_second_time() {
    let mut trial = Trial::new();
    trial.figures.far = far(false, 1, 0.0);
    assert_eq!(trial.go(s(20)), None);
    trial.figures.far = far(false, 2, 0.0);
    assert_eq!(trial.go(s(2)), Some(Verdict::NotHeardThere));
    trial.figures.far = far(true, 0, 0.0);
    assert_eq!(trial.go(STEP), None);
}

#[test]
fn who_sends_no_reports_is_not_called_deaf() {
    let mut trial = Trial::new();
    trial.figures.far = None;
    assert_eq!(trial.go(s(120)), None);
}

#[test]
fn a_hold_explains_all_that_is_not_heard() {
    let mut trial = Trial::new();
    trial.go(s(5));
    (trial.held_there, trial.arrive, trial.figures.level_in) = (true, 0, 0);
    assert_eq!(trial.go(s(60)), Some(Verdict::HeldThere));
    (trial.held_there, trial.arrive, trial.figures.level_in) = (false, 10, 60);
    assert_eq!(trial.go(STEP), None);
    (trial.held, trial.arrive, trial.muted) = (true, 0, true);
    assert_eq!(trial.go(s(60)), Some(Verdict::HeldHere));
}

#[test]
fn after_a_hold_the_voice_gets_time_to_come_back() {
    let mut trial = Trial::new();
    trial.go(s(5));
    (trial.held, trial.arrive) = (true, 0);
    trial.go(s(60));
    trial.held = false;
    assert_eq!(trial.go(STEP * 3), None);
    trial.arrive = 10;
    trial.go(s(10));
    assert_eq!(trial.told, [Some(Verdict::HeldHere), None]);
}

#[test]
fn loss_on_the_way_here_is_told_with_hysteresis() {
    let mut trial = Trial::new();
    trial.go(s(10));
    (trial.arrive, trial.lost) = (9, 1);
    assert_eq!(trial.go(s(10)), Some(Verdict::LossHere));
    // Around the edge it neither flickers nor hangs on.
    for _ in 0..10 {
        (trial.arrive, trial.lost) = (10, 0);
        trial.go(s(1));
        (trial.arrive, trial.lost) = (9, 1);
        trial.go(s(1));
    }
    assert_eq!(trial.told, [Some(Verdict::LossHere)]);
    (trial.arrive, trial.lost) = (10, 0);
    assert_eq!(trial.go(s(15)), None);
}

#[test]
fn uneven_arrival_and_loss_on_the_way_there_are_told() {
    let mut trial = Trial::new();
    trial.figures.jitter_ms = 80.0;
    assert_eq!(trial.go(s(3)), Some(Verdict::JitterHere));
    trial.figures.jitter_ms = 10.0;
    assert_eq!(trial.go(s(6)), None);
    trial.figures.far = far(true, 0, 12.0);
    assert_eq!(trial.go(s(2)), Some(Verdict::LossThere));
}

#[test]
fn the_nearest_cause_is_told_first() {
    let mut trial = Trial::new();
    trial.go(s(10));
    trial.figures.far = far(true, 2, 20.0);
    (trial.muted, trial.arrive, trial.lost) = (true, 9, 1);
    assert_eq!(trial.go(s(10)), Some(Verdict::NotHeardThere));
    trial.figures.far = far(true, 0, 20.0);
    assert_eq!(trial.go(s(2)), Some(Verdict::Muted));
    trial.muted = false;
    assert_eq!(trial.go(s(2)), Some(Verdict::LossHere));
}
