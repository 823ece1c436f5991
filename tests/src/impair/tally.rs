//! What went over a path, counted.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What went over a path.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// RTP packets that were sent.
    pub sent: u64,
    /// Of these, how many the path lost.
    pub lost: u64,
    /// How many times a packet was lost whose predecessor was not.
    pub bursts: u64,
    /// By how much the talker was late at its worst, beside the packet before and what their timestamps say.
    pub stalled: Duration,
    /// How many packets the talker sent more than 10 ms late, by the same measure.
    pub behind: u64,
    /// By how much the path itself was late at its worst.
    pub late: Duration,
}

impl Tally {
    /// Share of packets that were lost, percent.
    pub fn loss_percent(&self) -> f64 {
        if self.sent == 0 { 0.0 } else { 100.0 * self.lost as f64 / self.sent as f64 }
    }
}

/// Counts one phone's packets.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub tally: Tally,
    /// By stream: when the last packet was sent, and its timestamp.
    last: HashMap<u32, (Instant, u32)>,
    lost: bool,
}

/// From here on a packet is counted as late.
const BEHIND: Duration = Duration::from_millis(10);

/// Timestamps further apart than this belong to another stream, or to a pause.
const SAME_TALK: Duration = Duration::from_millis(100);

impl Count {
    pub fn sent(&mut self, packet: Rtp, at: Instant, lost: bool) {
        self.tally.sent += 1;
        self.tally.lost += u64::from(lost);
        self.tally.bursts += u64::from(lost && !self.lost);
        self.lost = lost;
        if let Some((before, timestamp)) = self.last.insert(packet.stream, (at, packet.timestamp)) {
            let spoken = f64::from(packet.timestamp.wrapping_sub(timestamp)) / f64::from(packet.clock_rate());
            if spoken <= SAME_TALK.as_secs_f64() {
                let late = (at - before).saturating_sub(Duration::from_secs_f64(spoken));
                self.tally.stalled = self.tally.stalled.max(late);
                self.tally.behind += u64::from(late > BEHIND);
            }
        }
    }
}

/// The fields of an RTP header that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rtp {
    payload_type: u8,
    timestamp: u32,
    /// SSRC.
    stream: u32,
}

/// What an IPv4 packet carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Carried {
    Rtp(Rtp),
    Rtcp,
    Other,
}

impl Rtp {
    /// RFC 3551: the first codecs run at 8 kHz; those with a number of their own here are Opus.
    fn clock_rate(self) -> u32 {
        if self.payload_type < 96 { 8_000 } else { 48_000 }
    }
}

impl Carried {
    /// Looks into an IPv4 packet. SIP is text, so the version bits tell it from RTP (RFC 3550); RFC 5761 tells RTCP.
    pub fn by(packet: &[u8]) -> Self {
        Self::look(packet).unwrap_or(Self::Other)
    }

    fn look(packet: &[u8]) -> Option<Self> {
        const UDP: u8 = 17;
        let header = usize::from(packet.first()? & 15) * 4;
        let payload = packet.get(header + 8..).filter(|_| packet[9] == UDP)?;
        if payload.len() < 8 || payload[0] >> 6 != 2 {
            return None;
        }
        if (192..=223).contains(&payload[1]) {
            return Some(Self::Rtcp);
        }
        let word = |at: usize| Some(u32::from_be_bytes(payload.get(at..at + 4)?.try_into().ok()?));
        Some(Self::Rtp(Rtp { payload_type: payload[1] & 127, timestamp: word(4)?, stream: word(8)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn udp(payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 28];
        (packet[0], packet[9]) = (0x45, 17);
        packet.extend(payload);
        packet
    }

    #[test]
    fn voice_is_told_from_reports_and_from_signalling() {
        let mut rtp = [0_u8; 172];
        (rtp[0], rtp[1], rtp[7], rtp[11]) = (0x80, 0x80, 160, 7);
        assert_eq!(Carried::by(&udp(&rtp)), Carried::Rtp(Rtp { payload_type: 0, timestamp: 160, stream: 7 }));
        assert_eq!(Carried::by(&udp(&[0x80, 200, 0, 1, 0, 0, 0, 0])), Carried::Rtcp);
        assert_eq!(Carried::by(&udp(b"INVITE sip:1002@bell.test SIP/2.0\r\n")), Carried::Other);
        assert_eq!(Carried::by(&udp(&[])), Carried::Other);
        assert_eq!(Carried::by(&[0x45; 12]), Carried::Other);
    }

    #[test]
    fn a_talker_that_stalls_is_found_out() {
        let (start, mut count) = (Instant::now(), Count::default());
        for (n, at_ms) in [0, 20, 40, 130, 131, 132].into_iter().enumerate() {
            let packet = Rtp { payload_type: 0, timestamp: 160 * n as u32, stream: 1 };
            count.sent(packet, start + Duration::from_millis(at_ms), n == 2);
        }
        assert_eq!((count.tally.sent, count.tally.lost, count.tally.bursts), (6, 1, 1));
        assert_eq!((count.tally.stalled, count.tally.behind), (Duration::from_millis(70), 1));
    }

    #[test]
    fn streams_do_not_wait_for_each_other() {
        let (start, mut count) = (Instant::now(), Count::default());
        for n in 0..40 {
            let packet = Rtp { payload_type: 0, timestamp: 160 * (n / 2), stream: n % 2 };
            count.sent(packet, start + Duration::from_millis(20).mul_f64(f64::from(n / 2)), false);
        }
        assert_eq!((count.tally.sent, count.tally.behind), (40, 0));
    }

    #[test]
    fn a_pause_is_no_stall() {
        let (start, mut count) = (Instant::now(), Count::default());
        let packet = |timestamp| Rtp { payload_type: 96, timestamp, stream: 1 };
        count.sent(packet(0), start, false);
        count.sent(packet(48_000), start + Duration::from_millis(1_300), false);
        assert_eq!(count.tally.stalled, Duration::ZERO);
    }
}
