//! A call to the echo line, by a phone of its own: whether it is answered, whether it is heard both ways, and what the
//! way does to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use devices::{Sink, Source};
use rand::Rng;
use sign_in::{Keeper, MemoryVault};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

use super::{Check, Diagnosis, Finding, Notes, Patient};
use crate::{
    AccountState, AudioConfig, CallPreferences, CallReport, CallState, CallView, Command, Config, Event,
    Phone, Processing, SipAccount, Start, TransportChoice, Verdict, VoicePreferences,
};

/// Longest to register and to be answered.
const SETUP: Duration = Duration::from_secs(30);
/// How long is talked where all is well.
const TALK: Duration = Duration::from_secs(7);
/// How long is waited for word from the other end where nothing is heard: two of its reports.
const DEAF: Duration = Duration::from_secs(17);
/// Share of packets lost or late that is much, percent.
const LOSS: f32 = 4.0;
/// Jitter that is much, milliseconds.
const JITTER: f32 = 60.0;
/// A round trip that makes talking hard, milliseconds.
const ROUND_TRIP: f32 = 500.0;
/// Samples a second of the voice that is sent.
const RATE: u32 = 16_000;
/// Seconds of it.
const LENGTH: u32 = 30;

/// Calls the echo line of this account.
pub(super) async fn call(patient: &Patient, line: &sip::Account, notes: &Notes) {
    let Some(number) = &patient.echo else {
        return notes.skip(&[Check::Echo, Check::Sound], None);
    };
    let outcome = match Desk::new() {
        Ok(desk) => ring(patient, line, number, &desk).await,
        Err(error) => Err((Diagnosis::CallFailed, error.to_string())),
    };
    match outcome {
        Err((because, seen)) => {
            notes.put(Finding::bad(Check::Echo, because, number, seen));
            notes.skip(&[Check::Sound], Some(because));
        }
        Ok(heard) => {
            let (echo, sound) = heard.findings(number);
            notes.put(echo);
            notes.put(sound);
        }
    }
}

/// What a call was like.
#[derive(Debug, Default)]
struct Heard {
    codec: String,
    /// Verdicts in the order in which they were told.
    verdicts: Vec<Verdict>,
    last: Option<CallReport>,
    /// Highest jitter.
    jitter: f32,
    /// Sound was heard, not only packets.
    loud: bool,
}

impl Heard {
    fn note(&mut self, report: CallReport) {
        self.jitter = self.jitter.max(report.jitter_ms);
        self.loud |= report.level_in > 0;
        self.last = Some(report);
    }

    fn told(&self, verdict: Verdict) -> bool {
        self.verdicts.contains(&verdict)
    }

    /// The other end has said enough for the one cause to be known.
    fn is_plain(&self) -> bool {
        [Verdict::NeitherWay, Verdict::BlockedInward, Verdict::NotHeardThere]
            .into_iter()
            .any(|v| self.told(v))
    }

    fn packets(&self) -> u32 {
        self.last.as_ref().map_or(0, |report| report.rx_packets)
    }

    /// What it says of the way, and of what the way does.
    fn findings(&self, number: &str) -> (Finding, Finding) {
        let seen = match &self.last {
            Some(report) => {
                format!("{}, {} packets out, {} in", self.codec, report.tx_packets, report.rx_packets)
            }
            None => self.codec.clone(),
        };
        match self.blocked() {
            Some(because) => (
                Finding::bad(Check::Echo, because, number, seen),
                Finding::skipped(Check::Sound, Some(because)),
            ),
            None => (Finding::good(Check::Echo, number, seen), self.sound(number)),
        }
    }

    /// Why one hears nothing.
    fn blocked(&self) -> Option<Diagnosis> {
        // An echo line that hears nothing has nothing to say.
        if self.told(Verdict::NeitherWay) || self.told(Verdict::NotHeardThere) {
            Some(Diagnosis::VoiceNotSent)
        } else if self.told(Verdict::BlockedInward) {
            Some(Diagnosis::VoiceNotReceived)
        } else if self.packets() == 0 {
            Some(Diagnosis::VoiceBlocked)
        } else {
            (!self.loud).then_some(Diagnosis::EchoOfSilence)
        }
    }

    fn sound(&self, number: &str) -> Finding {
        let Some(report) = &self.last else { return Finding::skipped(Check::Sound, None) };
        let all = report.rx_packets.saturating_add(report.lost).max(1);
        let lost = 100.0 * report.lost.saturating_add(report.late) as f32 / all as f32;
        let round_trip = report.rtt_ms.map_or(String::new(), |rtt| format!(", {rtt:.0} ms RTT"));
        let seen = format!(
            "{lost:.1} % lost, {:.0} ms jitter, {:.0} ms buffer{round_trip}, MOS {:.1}",
            self.jitter, report.delay_ms, report.mos
        );
        let bad = |because| Finding::bad(Check::Sound, because, number, seen.clone());
        if lost >= LOSS || self.told(Verdict::LossHere) || self.told(Verdict::LossThere) {
            bad(Diagnosis::Loss)
        } else if self.jitter >= JITTER || self.told(Verdict::JitterHere) {
            bad(Diagnosis::Jitter)
        } else if report.rtt_ms.is_some_and(|rtt| rtt >= ROUND_TRIP) {
            Finding::note(Check::Sound, Diagnosis::Delay, number, seen)
        } else {
            Finding::good(Check::Sound, number, seen)
        }
    }
}

async fn ring(
    patient: &Patient,
    line: &sip::Account,
    number: &str,
    desk: &Desk,
) -> Result<Heard, (Diagnosis, String)> {
    let config = config(patient, line, desk);
    let keeper = Keeper::new(MemoryVault::default(), SETUP);
    let failed = |detail: Option<String>| (Diagnosis::CallFailed, detail.unwrap_or_default());
    let phone = Phone::start_with(config, keeper).map_err(|problem| failed(problem.detail))?;
    let mut events = phone.subscribe();
    phone.send(Command::UseSipAccount { account: account(line) });
    let outcome = match registered(&mut events).await {
        Ok(()) => {
            phone.send(Command::Dial { account: None, target: number.to_owned() });
            talk(&phone, &mut events).await
        }
        Err(seen) => Err((Diagnosis::CallFailed, seen)),
    };
    phone.stop().await;
    outcome
}

async fn registered(events: &mut Receiver<Event>) -> Result<(), String> {
    let end = Instant::now() + SETUP;
    loop {
        match next(events, end).await {
            Some(Event::Account { view }) => match view.state {
                AccountState::Registered { .. } => return Ok(()),
                AccountState::Offline { problem, .. } => return Err(format!("{:?}", problem.code)),
                AccountState::Registering | AccountState::Reconnecting { .. } => {}
            },
            Some(Event::Notice { problem, .. }) => return Err(format!("{:?}", problem.code)),
            Some(_) => {}
            None => return Err("not registered in time".to_owned()),
        }
    }
}

async fn talk(phone: &Phone, events: &mut Receiver<Event>) -> Result<Heard, (Diagnosis, String)> {
    let mut end = Instant::now() + SETUP;
    let mut heard = Heard::default();
    let mut answered: Option<Instant> = None;
    let mut call = None;
    while let Some(event) = next(events, end).await {
        match event {
            Event::Call { view } => {
                call = Some(view.id);
                if let CallState::Ended { end } = &view.state {
                    return match answered {
                        Some(_) => Ok(heard),
                        None => Err((Diagnosis::EchoNotAnswered, how(end))),
                    };
                }
                if is_answered(&view) && answered.is_none() {
                    let now = Instant::now();
                    answered = Some(now);
                    end = now + TALK;
                }
                heard.codec = view.codec.unwrap_or_default();
                if let Some(verdict) = view.verdict.filter(|verdict| !heard.told(*verdict)) {
                    heard.verdicts.push(verdict);
                }
            }
            Event::Media { report, .. } => heard.note(report),
            Event::Notice { problem, .. } if call.is_none() => {
                return Err((Diagnosis::CallFailed, format!("{:?}", problem.code)));
            }
            _ => {}
        }
        if let Some(answered) = answered {
            if heard.is_plain() {
                break;
            }
            end = answered + if heard.packets() == 0 { DEAF } else { TALK };
        }
    }
    if let Some(call) = call {
        phone.send(Command::HangUp { call });
    }
    match answered {
        Some(_) => Ok(heard),
        None => Err((Diagnosis::EchoNotAnswered, format!("{} s", SETUP.as_secs()))),
    }
}

fn is_answered(view: &CallView) -> bool {
    matches!(view.state, CallState::Active { .. })
}

fn how(end: &crate::CallEnd) -> String {
    match end.status {
        Some(status) => format!("SIP {status}"),
        None => format!("{:?}", end.reason),
    }
}

/// The next event, unless the time is over or the phone has stopped.
async fn next(events: &mut Receiver<Event>, end: Instant) -> Option<Event> {
    loop {
        match timeout_at(end, events.recv()).await.ok()? {
            Ok(event) => return Some(event),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

fn config(patient: &Patient, line: &sip::Account, desk: &Desk) -> Config {
    Config {
        start: Start::None,
        audio: AudioConfig {
            microphone: Source::Wav(desk.voice()),
            speaker: Sink::Null,
            processing: Processing::Off,
        },
        tones: false,
        headsets: None,
        extra_roots: line.trust.clone(),
        calls: Some(CallPreferences::default()),
        voice: Some(VoicePreferences::default()),
        nat: patient.nat.clone(),
        srtp: patient.srtp,
        user_agent: patient.user_agent.clone(),
        beside_others: true,
        ..Config::new(desk.0.clone())
    }
}

fn account(line: &sip::Account) -> SipAccount {
    let host = &line.proxy.host;
    let proxy = match line.proxy.port {
        Some(port) if host.contains(':') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host.clone(),
    };
    SipAccount {
        user: line.user.clone(),
        domain: line.domain.clone(),
        proxy,
        transport: match line.transport {
            sip::TransportChoice::Automatic { .. } => TransportChoice::Automatic,
            sip::TransportChoice::Fixed(sip::Transport::Udp) => TransportChoice::Udp,
            sip::TransportChoice::Fixed(sip::Transport::Tcp) => TransportChoice::Tcp,
            sip::TransportChoice::Fixed(sip::Transport::Tls) => TransportChoice::Tls,
            sip::TransportChoice::Fixed(sip::Transport::Wss) => TransportChoice::Wss,
        },
        auth_user: line.auth_user.clone(),
        display_name: None,
        keep: false,
        password: line.password.clone(),
    }
}

/// A folder of its own for the phone that calls, with the voice it speaks. Gone when this is dropped.
struct Desk(PathBuf);

impl Desk {
    fn new() -> io::Result<Self> {
        let name = format!("{}-check-{:016x}", brand::BRAND.cli_program, rand::rng().random::<u64>());
        let desk = Self(std::env::temp_dir().join(name));
        fs::create_dir(&desk.0)?;
        write_voice(&desk.voice())?;
        Ok(desk)
    }

    fn voice(&self) -> PathBuf {
        self.0.join("voice.wav")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "the folder of a check is left behind");
        }
    }
}

/// Something no codec takes for silence or noise: two tones that rise and fall like syllables.
fn write_voice(file: &Path) -> io::Result<()> {
    let samples = (0..RATE * LENGTH).map(|n| {
        let at = n as f32 / RATE as f32;
        let tone = |hertz: f32| (std::f32::consts::TAU * hertz * at).sin();
        let syllable = 0.5 + 0.5 * tone(3.0);
        (9_000.0 * syllable * (tone(320.0) + 0.5 * tone(960.0))) as i16
    });
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut wav = Vec::with_capacity(data.len() + 44);
    wav.extend(b"RIFF");
    wav.extend((length + 36).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    // PCM, one channel.
    wav.extend([1, 0, 1, 0]);
    wav.extend(RATE.to_le_bytes());
    wav.extend((RATE * 2).to_le_bytes());
    wav.extend([2, 0, 16, 0]);
    wav.extend(b"data");
    wav.extend(length.to_le_bytes());
    wav.extend(data);
    fs::write(file, wav)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quality;
    use crate::doctor::Outcome;

    fn report(rx: u32, lost: u32, jitter_ms: f32, rtt_ms: f32) -> CallReport {
        CallReport {
            rx_packets: rx,
            tx_packets: 300,
            lost,
            late: 0,
            concealed_ms: 0,
            jitter_ms,
            delay_ms: 40.0,
            rtt_ms: Some(rtt_ms),
            mos: 4.0,
            quality: Quality::Clear,
            level_in: 50,
            level_out: 50,
            way: media::Way::Plain,
        }
    }

    fn found(verdicts: &[Verdict], report: CallReport) -> (Option<Diagnosis>, Option<Diagnosis>) {
        let mut heard = Heard { verdicts: verdicts.to_vec(), ..Heard::default() };
        heard.note(report);
        let (echo, sound) = heard.findings("9196");
        (echo.diagnosis, sound.diagnosis)
    }

    #[test]
    fn what_the_other_end_reports_tells_the_ways_apart() {
        let nothing = || report(0, 0, 0.0, 1.0);
        let blocked = |because| (Some(because), Some(because));
        assert_eq!(found(&[Verdict::NothingArrived], nothing()), blocked(Diagnosis::VoiceBlocked));
        let deaf = [Verdict::NothingArrived, Verdict::NeitherWay];
        assert_eq!(found(&deaf, nothing()), blocked(Diagnosis::VoiceNotSent));
        let inward = [Verdict::NothingArrived, Verdict::BlockedInward];
        assert_eq!(found(&inward, nothing()), blocked(Diagnosis::VoiceNotReceived));
    }

    #[test]
    fn loss_jitter_and_delay_are_told() {
        assert_eq!(found(&[], report(300, 0, 2.0, 20.0)), (None, None));
        assert_eq!(found(&[], report(240, 60, 2.0, 20.0)), (None, Some(Diagnosis::Loss)));
        assert_eq!(found(&[Verdict::LossThere], report(300, 0, 2.0, 20.0)), (None, Some(Diagnosis::Loss)));
        assert_eq!(found(&[], report(300, 0, 90.0, 20.0)), (None, Some(Diagnosis::Jitter)));
        assert_eq!(found(&[], report(300, 0, 2.0, 900.0)), (None, Some(Diagnosis::Delay)));
    }

    #[test]
    fn packets_without_a_sound_are_no_echo() {
        let silent = CallReport { level_in: 0, ..report(300, 0, 2.0, 20.0) };
        assert_eq!(found(&[], silent).0, Some(Diagnosis::EchoOfSilence));
    }

    #[test]
    fn the_desk_is_cleared_away() {
        let desk = Desk::new().unwrap();
        let folder = desk.0.clone();
        let voice = crate::doctor::machine::microphone(Some(Source::Wav(desk.voice())));
        assert_eq!(voice.outcome, Outcome::Good);
        drop(desk);
        assert!(!folder.exists());
    }
}
