//! RTP sent back: payload, payload type, marker and spacing as they came, source and numbers our own
//! (RFC 3550). Gaps and disorder stay as they are, so that the echo does not hide a loss. Pure.

use std::time::{Duration, Instant};

use super::rtcp::ReportBlock;

/// The fields of an RTP header that matter here.
struct Header {
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
}

impl Header {
    fn parse(packet: &[u8]) -> Option<Self> {
        let [v, _, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *packet.first_chunk::<12>()?;
        (v >> 6 == 2).then_some(Self {
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
        })
    }
}

/// The source being echoed, with reception as RFC 3550 appendix A counts it.
struct Source {
    ssrc: u32,
    sequence_shift: u16,
    timestamp_shift: u32,
    first: u32,
    highest: u32,
    received: u32,
    expected_before: u32,
    received_before: u32,
    transit: Option<f64>,
    jitter: f64,
}

/// Turns packets round.
pub(crate) struct Reflector {
    ssrc: u32,
    clock: u32,
    epoch: Instant,
    next_sequence: u16,
    last_timestamp: u32,
    last_sent: Option<Instant>,
    source: Option<Source>,
    packets: u32,
    octets: u32,
}

/// What a sender report says about the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub ssrc: u32,
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

impl Reflector {
    /// Starts with random numbers; `clock` is the codec's RTP clock rate in Hz.
    pub fn new(clock: u32, now: Instant) -> Self {
        Self {
            ssrc: rand::random(),
            clock,
            epoch: now,
            next_sequence: rand::random(),
            last_timestamp: rand::random(),
            last_sent: None,
            source: None,
            packets: 0,
            octets: 0,
        }
    }

    /// A re-INVITE may bring another codec.
    pub fn set_clock(&mut self, clock: u32) {
        self.clock = clock;
    }

    /// Takes a packet in and rewrites it into its echo. False when it is no RTP.
    pub fn reflect(&mut self, packet: &mut [u8], now: Instant) -> bool {
        let Some(header) = Header::parse(packet) else {
            return false;
        };
        if self.source.as_ref().is_none_or(|source| source.ssrc != header.ssrc) {
            self.source = Some(Source::new(&header, self.next_sequence, self.last_timestamp));
        }
        let arrival = now.duration_since(self.epoch).as_secs_f64() * f64::from(self.clock);
        let Some(source) = self.source.as_mut() else {
            return false;
        };
        source.count(&header, arrival);
        let sequence = header.sequence.wrapping_add(source.sequence_shift);
        let timestamp = header.timestamp.wrapping_add(source.timestamp_shift);
        if sequence.wrapping_sub(self.next_sequence) < 0x8000 {
            self.next_sequence = sequence.wrapping_add(1);
            self.last_timestamp = timestamp;
        }
        for (field, value) in packet.iter_mut().skip(2).zip(
            [sequence.to_be_bytes().as_slice(), &timestamp.to_be_bytes(), &self.ssrc.to_be_bytes()].concat(),
        ) {
            *field = value;
        }
        true
    }

    /// Counts an echo of so many bytes as sent.
    pub fn count(&mut self, length: usize, now: Instant) {
        let octets = u32::try_from(length.saturating_sub(12)).unwrap_or_default();
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets);
        self.last_sent = Some(now);
    }

    /// Totals for a sender report; none before the first echo.
    pub fn sent(&self, now: Instant) -> Option<Sent> {
        let since = now.duration_since(self.last_sent?);
        let ticks = u128::from(self.clock) * since.as_micros() / Duration::from_secs(1).as_micros();
        let timestamp = self.last_timestamp.wrapping_add(u32::try_from(ticks).unwrap_or_default());
        Some(Sent { ssrc: self.ssrc, timestamp, packets: self.packets, octets: self.octets })
    }

    /// Own SSRC, for a report without anything sent.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Reception since the last call; the time of the source's last report is not known here.
    pub fn report(&mut self) -> Option<ReportBlock> {
        self.source.as_mut().map(Source::report)
    }
}

impl Source {
    fn new(header: &Header, next_sequence: u16, last_timestamp: u32) -> Self {
        let first = u32::from(header.sequence) + 0x1_0000;
        Self {
            ssrc: header.ssrc,
            sequence_shift: next_sequence.wrapping_sub(header.sequence),
            timestamp_shift: last_timestamp.wrapping_add(960).wrapping_sub(header.timestamp),
            first,
            highest: first,
            received: 0,
            expected_before: 0,
            received_before: 0,
            transit: None,
            jitter: 0.0,
        }
    }

    fn count(&mut self, header: &Header, arrival: f64) {
        self.received = self.received.wrapping_add(1);
        let ahead = header.sequence.wrapping_sub(self.highest as u16);
        if ahead < 0x8000 {
            self.highest = self.highest.wrapping_add(u32::from(ahead));
        }
        let transit = arrival - f64::from(header.timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let difference = (transit - before).abs();
            // A timestamp that wrapped, or a talker's new start, is no jitter.
            if difference < 1e6 {
                self.jitter += (difference - self.jitter) / 16.0;
            }
        }
    }

    /// RFC 3550 appendix A.3.
    fn report(&mut self) -> ReportBlock {
        let expected = self.highest.wrapping_sub(self.first).wrapping_add(1);
        let lost = i64::from(expected) - i64::from(self.received);
        let expected_now = expected.wrapping_sub(self.expected_before);
        let received_now = self.received.wrapping_sub(self.received_before);
        (self.expected_before, self.received_before) = (expected, self.received);
        let lost_now = i64::from(expected_now) - i64::from(received_now);
        let fraction = if expected_now == 0 { 0 } else { (lost_now.max(0) * 256) / i64::from(expected_now) };
        ReportBlock {
            ssrc: self.ssrc,
            fraction: u8::try_from(fraction).unwrap_or(u8::MAX),
            lost: i32::try_from(lost.clamp(-0x80_0000, 0x7f_ffff)).unwrap_or_default(),
            highest: self.highest.wrapping_sub(0x1_0000),
            jitter: self.jitter as u32,
            last_report: 0,
            delay: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, timestamp: u32, ssrc: u32) -> Vec<u8> {
        let mut packet = vec![0x80, 0x80 | 111];
        packet.extend(sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(ssrc.to_be_bytes());
        packet.extend(b"payload");
        packet
    }

    #[test]
    fn payload_and_type_stay_and_gaps_too() {
        let t0 = Instant::now();
        let mut reflector = Reflector::new(48_000, t0);
        let mut out = Vec::new();
        for (sequence, timestamp) in [(65_534_u16, 0_u32), (65_535, 960), (2, 3840), (1, 2880)] {
            let mut one = packet(sequence, timestamp, 7);
            assert!(reflector.reflect(&mut one, t0));
            assert_eq!((one[0], one[1], &one[12..]), (0x80, 0x80 | 111, b"payload".as_slice()));
            let header = Header::parse(&one).unwrap();
            assert_ne!(header.ssrc, 7);
            out.push((header.sequence, header.timestamp));
        }
        let relative: Vec<_> =
            out.iter().map(|(s, t)| (s.wrapping_sub(out[0].0), t.wrapping_sub(out[0].1))).collect();
        assert_eq!(relative, [(0, 0), (1, 960), (4, 3840), (3, 2880)]);
        let report = reflector.report().unwrap();
        assert_eq!((report.lost, report.fraction), (1, 51));
        assert_eq!(reflector.report().unwrap().fraction, 0);
    }

    #[test]
    fn a_new_source_goes_on_where_the_old_one_ended() {
        let t0 = Instant::now();
        let mut reflector = Reflector::new(8000, t0);
        let (mut a, mut b) = (packet(10, 5, 1), packet(900, 77, 2));
        assert!(reflector.reflect(&mut a, t0) && reflector.reflect(&mut b, t0));
        let (a, b) = (Header::parse(&a).unwrap(), Header::parse(&b).unwrap());
        assert_eq!(b.sequence, a.sequence.wrapping_add(1));
        assert_eq!(a.ssrc, b.ssrc);
    }

    #[test]
    fn what_is_no_rtp_is_left_alone() {
        let mut reflector = Reflector::new(8000, Instant::now());
        assert!(!reflector.reflect(&mut [0x80; 11], Instant::now()));
        assert!(!reflector.reflect(&mut [0x40; 20], Instant::now()));
        assert!(reflector.sent(Instant::now()).is_none() && reflector.report().is_none());
    }
}
