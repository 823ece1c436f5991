//! From the microphone to RTP packets, with digits in between.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::adaptation::Adaptation;
use crate::codec::VoiceEncoder;
use crate::comfort_noise::{Silence, Utterance};
use crate::dtmf::Event;
use crate::in_band::InBand;
use crate::rtp::Packet;
use crate::sdp::{EventPayload, Negotiated};
use crate::{Codec, CodecError, Digit, FRAME, RATE};

/// Time between two packets of an event.
const EVENT_STEP: Duration = Duration::from_millis(20);
/// Packets until the tone ends: 100 ms.
const EVENT_PACKETS: u32 = 5;
/// Packets with the end bit (RFC 4733, section 2.5.1.4).
const END_PACKETS: u32 = 3;
/// Silence after a tone.
const EVENT_GAP: Duration = Duration::from_millis(70);
/// Bytes of the longest packet: room for them from the start, so that no packet moves while it is written.
const LONGEST_PACKET: usize = 1500;
/// Digits kept waiting at most.
const MOST_DIGITS: usize = 64;

/// A digit being sent.
#[derive(Debug, Clone, Copy)]
struct Tone {
    digit: Digit,
    began: Instant,
    timestamp: u32,
    /// Packets sent of it.
    sent: u32,
}

impl Tone {
    fn next_packet(&self) -> Instant {
        self.began + EVENT_STEP * self.sent
    }

    fn ends(&self) -> Instant {
        self.began + EVENT_STEP * EVENT_PACKETS
    }

    fn done(&self) -> bool {
        self.sent >= EVENT_PACKETS + END_PACKETS - 1
    }
}

/// The outgoing half of a voice path.
pub(crate) struct Sender {
    encoder: VoiceEncoder,
    codec: Codec,
    payload_type: u8,
    events: Option<EventPayload>,
    sends: bool,
    /// Samples of a packet at 48 kHz.
    packet_samples: usize,
    pub ssrc: u32,
    seq: u16,
    /// RTP time of the next sample captured.
    clock: u32,
    clock_at: Option<Instant>,
    sound: Vec<i16>,
    /// The next voice packet begins a talkspurt.
    marker: bool,
    in_band: InBand,
    digits: VecDeque<Digit>,
    tone: Option<Tone>,
    /// Earliest beginning of the next tone.
    next_tone: Option<Instant>,
    /// RTP time from which on no event has taken a timestamp.
    event_clock: Option<u32>,
    pub packets: u32,
    pub octets: u32,
    adaptation: Adaptation,
    /// Payload type of comfort noise, where silence need not be sent.
    comfort_noise: Option<u8>,
    silence: Silence,
    /// The voice pauses, and no packet says so again (DTX).
    pausing: bool,
    peak: u16,
}

impl Sender {
    pub fn new(negotiated: &Negotiated, ssrc: u32, seq: u16, clock: u32) -> Result<Self, CodecError> {
        let codec = negotiated.codec();
        let mut sender = Self {
            encoder: VoiceEncoder::new(codec)?,
            codec,
            payload_type: negotiated.send.pt,
            events: negotiated.send_events,
            sends: negotiated.direction.sends(),
            packet_samples: packet_samples(negotiated),
            ssrc,
            seq,
            clock,
            clock_at: None,
            sound: Vec::with_capacity(RATE as usize / 10),
            marker: true,
            in_band: InBand::default(),
            digits: VecDeque::new(),
            tone: None,
            next_tone: None,
            event_clock: None,
            packets: 0,
            octets: 0,
            adaptation: Adaptation::new(negotiated.opus, negotiated.ptime_ms),
            comfort_noise: negotiated.comfort_noise,
            silence: Silence::new(),
            pausing: false,
            peak: 0,
        };
        sender.adapt();
        Ok(sender)
    }

    /// Goes on as negotiated anew. `ssrc` is a fresh one, taken where the RTP clock changes its rate (RFC 7160,
    /// section 4.1).
    pub fn renegotiate(&mut self, negotiated: &Negotiated, ssrc: u32) -> Result<(), CodecError> {
        let codec = negotiated.codec();
        if codec != self.codec {
            self.encoder = VoiceEncoder::new(codec)?;
            if codec.clock_rate() != self.codec.clock_rate() {
                self.take_ssrc(ssrc);
                self.tone = None;
            }
            self.codec = codec;
        }
        self.payload_type = negotiated.send.pt;
        self.events = negotiated.send_events;
        self.comfort_noise = negotiated.comfort_noise;
        if self.events.is_none() || !negotiated.direction.sends() {
            self.tone = None;
            self.digits.clear();
        }
        if !negotiated.direction.sends() {
            self.in_band.clear();
        }
        self.packet_samples = packet_samples(negotiated);
        self.adaptation.renegotiate(negotiated.opus, negotiated.ptime_ms);
        self.adapt();
        self.sound.clear();
        self.marker |= negotiated.direction.sends() && !self.sends;
        self.sends = negotiated.direction.sends();
        Ok(())
    }

    /// Sends under another SSRC from now on.
    pub fn take_ssrc(&mut self, ssrc: u32) {
        self.ssrc = ssrc;
        self.packets = 0;
        self.octets = 0;
        self.marker = true;
    }

    /// Rate of the RTP clock.
    pub fn clock_rate(&self) -> u32 {
        self.codec.clock_rate()
    }

    /// RTP time now (RFC 3550, section 6.4.1).
    pub fn rtp_time(&self, now: Instant) -> u32 {
        let since = self.clock_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.clock.wrapping_add((since.as_secs_f64() * f64::from(self.codec.clock_rate())) as u32)
    }

    /// Peak of what was sent since the last call.
    pub fn take_peak(&mut self) -> u16 {
        std::mem::take(&mut self.peak)
    }

    /// The other side reports so much loss, percent, and the round trip is so long.
    pub fn reported(&mut self, now: Instant, loss: f32, trip_ms: Option<f32>) {
        self.adaptation.reported(now, loss, trip_ms);
        self.adapt();
    }

    /// The other side tells that it lost so many packets, in so many holes.
    pub fn holes(&mut self, lost: u32, holes: u32) {
        self.adaptation.holes(lost, holes);
        self.adapt();
    }

    /// The other side sends deep redundancy, so it reads it too.
    pub fn saw_dred(&mut self) {
        self.adaptation.saw_dred();
    }

    fn adapt(&mut self) {
        // An encoder that refuses goes on as it is.
        let _ = self.encoder.configure(self.adaptation.settings());
    }

    /// How the encoder is told to speak.
    #[cfg(test)]
    pub fn settings(&self) -> crate::codec::OpusSettings {
        self.adaptation.settings()
    }

    /// Takes 10 ms; gives a packet when one is full.
    pub fn capture(&mut self, now: Instant, frame: &[i16; FRAME]) -> Option<Vec<u8>> {
        let step = self.codec.clock_rate() / 100;
        self.clock = self.clock.wrapping_add(step);
        self.clock_at = Some(now);
        let in_tone = self.tone.is_some_and(|tone| now < tone.ends());
        if !self.sends || in_tone {
            self.sound.clear();
            self.marker = true;
            return None;
        }
        let tone = self.in_band.frame();
        let heard = tone.as_ref().unwrap_or(frame);
        self.peak = heard.iter().fold(self.peak, |peak, sample| peak.max(sample.unsigned_abs()));
        self.sound.extend_from_slice(heard);
        if self.sound.len() < self.packet_samples {
            return None;
        }
        let samples = self.sound.len() as u32 / 480 * step;
        let timestamp = self.clock.wrapping_sub(samples);
        if let Some(payload_type) = self.comfort_noise {
            let said = self.silence.judge(&self.sound);
            if said != Utterance::Voice {
                return self.stay_silent(payload_type, timestamp, said);
            }
        }
        let marker = std::mem::take(&mut self.marker);
        let mut bytes = self.header(self.payload_type, timestamp, marker);
        let before = bytes.len();
        let encoded = self.encoder.encode(&self.sound, &mut bytes);
        self.sound.clear();
        // Of a pause one packet tells; those that follow are the same, and need not be sent (RFC 7587, section 3.1.3).
        let dtx = self.adaptation.settings().dtx;
        let pause = dtx && self.encoder.is_pause(bytes.get(before..).unwrap_or_default());
        let repeated = pause && self.pausing;
        self.pausing = pause;
        if encoded.is_err() || bytes.len() == before || repeated {
            self.seq = self.seq.wrapping_sub(1);
            self.marker = true;
            return None;
        }
        Some(self.count(bytes))
    }

    /// In place of a packet of sound: a word about the background, or nothing.
    fn stay_silent(&mut self, payload_type: u8, timestamp: u32, said: Utterance) -> Option<Vec<u8>> {
        self.sound.clear();
        self.marker = true;
        let Utterance::Background(level) = said else { return None };
        let mut bytes = self.header(payload_type, timestamp, false);
        bytes.push(level);
        Some(self.count(bytes))
    }

    /// Queues a digit. `false`: the other side takes none, or far too many are waiting.
    pub fn send_digit(&mut self, now: Instant, digit: Digit) -> bool {
        let possible = self.events.is_some() && self.sends && self.digits.len() < MOST_DIGITS;
        if possible {
            self.digits.push_back(digit);
            self.next_tone = self.next_tone.max(Some(now));
        }
        possible
    }

    /// Queues a digit as tones in the voice. `false`: nothing is sent, or far too many are waiting.
    pub fn send_in_band(&mut self, digit: Digit) -> bool {
        self.sends && self.in_band.send(digit)
    }

    /// When the next event packet is due.
    pub fn next_event(&self) -> Option<Instant> {
        match &self.tone {
            Some(tone) => Some(tone.next_packet()),
            None if self.digits.is_empty() => None,
            None => self.next_tone,
        }
    }

    /// The event packet that is due.
    pub fn poll_event(&mut self, now: Instant) -> Option<Vec<u8>> {
        let events = self.events?;
        if self.next_event()? > now {
            return None;
        }
        let mut tone = match self.tone {
            Some(tone) => tone,
            None => self.begin_tone(now)?,
        };
        let steps = (tone.sent + 1).min(EVENT_PACKETS);
        let duration = steps * events.rate / 50;
        let event = Event {
            digit: tone.digit,
            end: steps == EVENT_PACKETS,
            duration: u16::try_from(duration).unwrap_or(u16::MAX),
        };
        let mut bytes = self.header(events.pt, tone.timestamp, tone.sent == 0);
        event.write(&mut bytes);
        tone.sent += 1;
        self.tone = (!tone.done()).then_some(tone);
        Some(self.count(bytes))
    }

    fn begin_tone(&mut self, now: Instant) -> Option<Tone> {
        let digit = self.digits.pop_front()?;
        let rate = self.codec.clock_rate();
        // Two events must not share a timestamp, even when nothing is captured meanwhile.
        let clock = self.rtp_time(now);
        let timestamp = match self.event_clock {
            Some(free) if free.wrapping_sub(clock).cast_signed() > 0 => free,
            _ => clock,
        };
        self.event_clock = Some(timestamp.wrapping_add(rate / 10));
        self.sound.clear();
        let tone = Tone { digit, began: now, timestamp, sent: 0 };
        self.next_tone = Some(tone.ends() + EVENT_GAP);
        Some(tone)
    }

    fn header(&mut self, payload_type: u8, timestamp: u32, marker: bool) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LONGEST_PACKET);
        let seq = self.seq;
        self.seq = seq.wrapping_add(1);
        let packet = Packet { marker, payload_type, seq, timestamp, ssrc: self.ssrc, payload: &[] };
        packet.write_header(&mut bytes);
        bytes
    }

    fn count(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(bytes.len().saturating_sub(crate::rtp::HEADER) as u32);
        bytes
    }
}

fn packet_samples(negotiated: &Negotiated) -> usize {
    (negotiated.ptime_ms.clamp(10, 60) / 10) as usize * FRAME
}
