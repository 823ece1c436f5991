//! From RTP packets to the speaker.

use std::net::SocketAddr;
use std::time::Instant;

use crate::codec::VoiceDecoder;
use crate::comfort_noise::ComfortNoise;
use crate::dtmf::Event;
use crate::jitter::{Figures, JitterBuffer, Ticks};
use crate::latch::{Latch, Verdict};
use crate::rtcp::Block;
use crate::rtcp_xr::{Arrivals, Bursts, VoipMetrics};
use crate::rtp::{Order, Packet, Source};
use crate::sdp::{EventPayload, Negotiated, Payload};
use crate::{Codec, CodecError, Digit, FRAME};

/// Digits kept until the next report.
const MOST_DIGITS: usize = 64;

/// The incoming half of a voice path.
pub(crate) struct Receiver {
    payloads: Vec<Payload>,
    events: Vec<EventPayload>,
    comfort_types: Vec<u8>,
    receives: bool,
    latch: Latch,
    source: Option<Source>,
    codec: Codec,
    decoder: VoiceDecoder,
    buffer: JitterBuffer,
    arrivals: Arrivals,
    bursts: Bursts,
    /// First sequence number and loss of what the next summary is about.
    span: (u16, u32),
    most_delay_ms: f32,
    comfort_noise: ComfortNoise,
    /// Where the other side fell silent.
    silent_at: i64,
    last_event: Option<u32>,
    digits: Vec<Digit>,
    heard: Option<Instant>,
    packets: u32,
    /// Of sources and buffers that are gone.
    lost_before: u32,
    figures_before: Figures,
    peak: u16,
}

impl Receiver {
    pub fn new(negotiated: &Negotiated) -> Result<Self, CodecError> {
        let codec = negotiated.receive.first().map_or(negotiated.codec(), |payload| payload.codec);
        Ok(Self {
            payloads: negotiated.receive.clone(),
            events: negotiated.receive_events.clone(),
            comfort_types: negotiated.receive_comfort_noise.clone(),
            receives: negotiated.direction.receives(),
            latch: Latch::new(negotiated.remote_rtp),
            source: None,
            codec,
            decoder: VoiceDecoder::new(codec)?,
            buffer: JitterBuffer::new(codec),
            arrivals: Arrivals::default(),
            bursts: Bursts::default(),
            span: (0, 0),
            most_delay_ms: 0.0,
            comfort_noise: ComfortNoise::new(),
            silent_at: 0,
            last_event: None,
            digits: Vec::new(),
            heard: None,
            packets: 0,
            lost_before: 0,
            figures_before: Figures::default(),
            peak: 0,
        })
    }

    pub fn renegotiate(&mut self, negotiated: &Negotiated) {
        self.payloads.clone_from(&negotiated.receive);
        self.events.clone_from(&negotiated.receive_events);
        self.comfort_types.clone_from(&negotiated.receive_comfort_noise);
        let resumes = negotiated.direction.receives() && !self.receives;
        self.receives = negotiated.direction.receives();
        if resumes {
            self.comfort_noise = ComfortNoise::new();
            // What was expected before the hold will not come.
            self.renew_buffer(self.codec);
        }
        self.latch.announce(negotiated.remote_rtp);
    }

    /// Where RTP goes.
    pub fn destination(&self) -> SocketAddr {
        self.latch.destination()
    }

    /// The source that is heard.
    pub fn ssrc(&self) -> Option<u32> {
        self.latch.ssrc()
    }

    /// Whether a source may be heard from this address, sooner or later.
    pub fn admits(&self, now: Instant, from: SocketAddr, ssrc: u32) -> bool {
        self.latch.admits(now, from, ssrc)
    }

    /// Takes an RTP packet.
    pub fn receive(&mut self, now: Instant, ticks: Ticks, from: SocketAddr, packet: &Packet<'_>) {
        let voice = self.payloads.iter().find(|payload| payload.pt == packet.payload_type).copied();
        let event = self.events.iter().any(|event| event.pt == packet.payload_type);
        let noise = self.comfort_types.contains(&packet.payload_type);
        // A packet of an unknown type of the right source still counts as received.
        let known = voice.is_some() || event || noise;
        let own = self.latch.destination() == from && self.latch.ssrc() == Some(packet.ssrc);
        if !known && !own {
            return;
        }
        match self.latch.judge(now, from, packet.ssrc, packet.seq) {
            Verdict::Drop => return,
            Verdict::Switch => self.begin(packet),
            Verdict::Take => {}
        }
        let Some(source) = &mut self.source else { return };
        let order = source.note(packet.seq);
        let seq = match order {
            Order::Fresh(seq) | Order::Restarted(seq) => seq,
            Order::Dropped => return,
        };
        self.arrivals.note(seq);
        self.bursts.note(seq);
        self.packets = self.packets.saturating_add(1);
        self.heard = Some(now);
        let frames = usize::try_from(self.buffer.delay()).unwrap_or(0) / FRAME;
        if let Some(payload) = voice {
            if seq > self.silent_at {
                self.comfort_noise.end(frames);
            }
            source.note_transit(ticks * i64::from(payload.codec.clock_rate()) / 48_000, packet.timestamp);
            if self.receives && self.speak(payload.codec) {
                self.buffer.insert(ticks, seq, packet.timestamp, packet.payload, &self.decoder);
            }
            return;
        }
        self.buffer.pass_over(seq);
        if noise {
            self.comfort_noise.describe(packet.payload, frames);
            self.silent_at = seq;
        }
        if let (true, Some(digit)) = (event, Event::parse(packet.payload)) {
            // All packets of one event share its timestamp, so any of them is enough.
            if self.last_event != Some(packet.timestamp) && self.digits.len() < MOST_DIGITS {
                self.digits.push(digit.digit);
            }
            self.last_event = Some(packet.timestamp);
        }
    }

    /// Gives 10 ms.
    pub fn play(&mut self, ticks: Ticks, out: &mut [i16; FRAME]) {
        if !self.receives || self.source.is_none() {
            out.fill(0);
            return;
        }
        self.buffer.pull(ticks, &mut self.decoder, out);
        self.comfort_noise.mix(out);
        let peak = out.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        self.peak = self.peak.max(peak);
    }

    /// A report block about what is heard.
    pub fn block(&mut self, last_report: u32, since_report: u32) -> Option<Block> {
        let source = self.source.as_mut()?;
        Some(Block {
            about: source.ssrc,
            fraction_lost: source.fraction_lost(),
            lost: source.lost(),
            highest: source.highest(),
            jitter: source.jitter() as u32,
            last_report,
            since_report,
        })
    }

    pub fn packets(&self) -> u32 {
        self.packets
    }

    pub fn lost(&self) -> u32 {
        self.lost_before.saturating_add(self.source.as_ref().map_or(0, Source::lost))
    }

    /// Which packets came since the last report.
    pub fn arrivals(&mut self) -> &mut Arrivals {
        &mut self.arrivals
    }

    /// Whether the other side sends deep redundancy (DRED).
    pub fn sees_dred(&self) -> bool {
        self.buffer.sees_history()
    }

    /// What the jitter buffer has done.
    pub fn figures(&self) -> Figures {
        self.figures_before + self.buffer.figures()
    }

    pub fn jitter_ms(&self) -> f32 {
        let clock = f64::from(self.codec.clock_rate());
        self.source.as_ref().map_or(0.0, |source| (source.jitter() * 1000.0 / clock) as f32)
    }

    pub fn delay_ms(&self) -> f32 {
        self.buffer.delay() as f32 / 48.0
    }

    /// Delay the jitter buffer aims at, and what of it is looked ahead.
    pub fn target_ms(&self) -> (f32, f32) {
        (self.buffer.target() as f32 / 48.0, self.buffer.looked_ahead() as f32 / 48.0)
    }

    /// How the other side is heard, as far as it is known here.
    pub fn metrics(&mut self) -> VoipMetrics {
        let (packets, lost, late) = (self.packets as f32, self.lost() as f32, self.figures().late as f32);
        let all = (packets + lost).max(1.0);
        let packet_ms = u32::try_from(self.buffer.packet() / 48).unwrap_or(0);
        let [(burst_percent, burst_ms), (gap_percent, gap_ms)] = self.bursts.figures(packet_ms);
        let delay = self.delay_ms();
        self.most_delay_ms = self.most_delay_ms.max(delay);
        VoipMetrics {
            lost_percent: 100.0 * lost / all,
            discarded_percent: 100.0 * late / all,
            burst_percent,
            burst_ms,
            gap_percent,
            gap_ms,
            buffer_ms: delay as u16,
            buffer_most_ms: self.most_delay_ms as u16,
            ..VoipMetrics::default()
        }
    }

    /// First sequence number since the last summary, the one after the last, and packets lost between them.
    pub fn take_span(&mut self) -> (u16, u16, u32) {
        let end = self.source.as_ref().map_or(0, |source| source.highest().wrapping_add(1) as u16);
        let lost = self.lost();
        let (begin, lost_before) = std::mem::replace(&mut self.span, (end, lost));
        (begin, end, lost.saturating_sub(lost_before))
    }

    /// Codec of what is heard.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    pub fn impairment(&self) -> f32 {
        self.buffer.impairment()
    }

    pub fn heard(&self) -> Option<Instant> {
        self.heard
    }

    pub fn take_digits(&mut self) -> Vec<Digit> {
        std::mem::take(&mut self.digits)
    }

    pub fn take_peak(&mut self) -> u16 {
        std::mem::take(&mut self.peak)
    }

    /// Another source takes over: nothing of the one before tells anything about it.
    fn begin(&mut self, packet: &Packet<'_>) {
        self.lost_before = self.lost();
        self.source = Some(Source::new(packet.ssrc, packet.seq));
        self.arrivals = Arrivals::default();
        self.bursts = Bursts::default();
        self.span = (packet.seq, self.lost());
        self.comfort_noise = ComfortNoise::new();
        self.silent_at = 0;
        self.last_event = None;
        self.renew_buffer(self.codec);
    }

    /// The codec of the next packet. `false`: it cannot be made.
    fn speak(&mut self, codec: Codec) -> bool {
        if codec == self.codec {
            return true;
        }
        let Ok(decoder) = VoiceDecoder::new(codec) else { return false };
        self.decoder = decoder;
        self.codec = codec;
        self.renew_buffer(codec);
        true
    }

    fn renew_buffer(&mut self, codec: Codec) {
        self.figures_before = self.figures();
        self.buffer = JitterBuffer::new(codec);
    }
}
