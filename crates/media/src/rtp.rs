//! RTP packets and the sequence numbers of their source (RFC 3550, section 5.1 and appendix A.1).

/// Length of the header that this phone writes.
pub(crate) const HEADER: usize = 12;

/// An RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    pub marker: bool,
    pub payload_type: u8,
    pub seq: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a packet; contributing sources, header extension and padding are passed over.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (fixed, mut rest) = bytes.split_first_chunk::<HEADER>()?;
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *fixed;
        if first >> 6 != 2 {
            return None;
        }
        rest = rest.get(usize::from(first & 0x0f) * 4..)?;
        if first & 0x10 != 0 {
            let ([_, _, l0, l1], after) = rest.split_first_chunk::<4>()?;
            rest = after.get(usize::from(u16::from_be_bytes([*l0, *l1])) * 4..)?;
        }
        if first & 0x20 != 0 {
            let padding = usize::from(*rest.last()?);
            if padding == 0 {
                return None;
            }
            rest = rest.get(..rest.len().checked_sub(padding)?)?;
        }
        Some(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            seq: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
            payload: rest,
        })
    }

    /// Appends the header to `out`; the payload is to follow.
    pub fn write_header(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0x80, u8::from(self.marker) << 7 | (self.payload_type & 0x7f)]);
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
    }
}

/// The source of an RTP packet that may be encrypted: its header never is (RFC 3711, section 3.1).
pub(crate) fn source_of(bytes: &[u8]) -> Option<u32> {
    let [first, _, _, _, _, _, _, _, a, b, c, d] = *bytes.first_chunk::<HEADER>()?;
    (first >> 6 == 2).then_some(u32::from_be_bytes([a, b, c, d]))
}

/// Whether a datagram is RTCP when both share a port (RFC 5761, section 4).
pub(crate) fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [first, 192..=223, ..] if first >> 6 == 2)
}

/// Steps ahead that are believed at once, and steps back.
const MAX_DROPOUT: u16 = 3000;
const MAX_MISORDER: u16 = 100;
/// Sequence numbers remembered to tell duplicates.
const REMEMBERED: i64 = 128;

/// A change of the transit time that is no jitter but a clock that began anew: 1 s at 48 kHz, 6 s at 8 kHz.
const NEW_CLOCK: u32 = 48_000;

/// What a sequence number turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// A new packet with its extended sequence number.
    Fresh(i64),
    /// The second packet in a row at a far place: the source began anew there.
    Restarted(i64),
    /// Seen before, or so far off that it is not believed yet.
    Dropped,
}

/// Sequence numbers, loss and jitter of a source.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub ssrc: u32,
    max: i64,
    base: i64,
    /// Bit `n`: the sequence number `max - n` was seen.
    seen: u128,
    /// The number after a far one; when it comes, the source is believed to have restarted.
    restart_at: Option<u16>,
    received: i64,
    /// Lost before the last restart.
    lost_before: i64,
    expected_prior: i64,
    received_prior: i64,
    transit: Option<i64>,
    /// In RTP timestamp units.
    jitter: f64,
}

impl Source {
    pub fn new(ssrc: u32, first: u16) -> Self {
        // One cycle up, so that packets before the first have numbers too.
        let first = i64::from(first) + 0x1_0000;
        Self {
            ssrc,
            max: first - 1,
            base: first,
            seen: 0,
            restart_at: None,
            received: 0,
            lost_before: 0,
            expected_prior: 0,
            received_prior: 0,
            transit: None,
            jitter: 0.0,
        }
    }

    /// Takes note of a packet's sequence number.
    pub fn note(&mut self, seq: u16) -> Order {
        let ahead = seq.wrapping_sub((self.max & 0xffff) as u16);
        if (1..MAX_DROPOUT).contains(&ahead) {
            let steps = u32::from(ahead);
            self.max += i64::from(ahead);
            self.seen = self.seen.checked_shl(steps).unwrap_or(0) | 1;
        } else if ahead == 0 || ahead > 0xffff - MAX_MISORDER {
            let back = i64::from(ahead.wrapping_neg());
            let bit = 1u128 << back.min(REMEMBERED - 1);
            if self.seen & bit != 0 {
                return Order::Dropped;
            }
            self.seen |= bit;
            self.base = self.base.min(self.max - back);
            self.received += 1;
            self.restart_at = None;
            return Order::Fresh(self.max - back);
        } else if self.restart_at == Some(seq) {
            self.lost_before += (self.max - self.base + 1 - self.received).max(0);
            let cycle = (self.max >> 16) + 1;
            self.max = (cycle << 16) + i64::from(seq);
            self.base = self.max;
            self.seen = 1;
            self.received = 1;
            self.expected_prior = 0;
            self.received_prior = 0;
            self.transit = None;
            self.restart_at = None;
            return Order::Restarted(self.max);
        } else {
            self.restart_at = Some(seq.wrapping_add(1));
            return Order::Dropped;
        }
        self.received += 1;
        self.restart_at = None;
        Order::Fresh(self.max)
    }

    /// Interarrival jitter (RFC 3550, appendix A.8); both times in RTP timestamp units.
    pub fn note_transit(&mut self, arrival: i64, timestamp: u32) {
        // Only differences count, and those fit into 32 bits.
        let transit = i64::from((arrival as u32).wrapping_sub(timestamp));
        if let Some(before) = self.transit.replace(transit) {
            let change = ((transit as u32).wrapping_sub(before as u32)).cast_signed().unsigned_abs();
            if change < NEW_CLOCK {
                self.jitter += (f64::from(change) - self.jitter) / 16.0;
            }
        }
    }

    /// Jitter in RTP timestamp units.
    pub fn jitter(&self) -> f64 {
        self.jitter
    }

    /// The highest sequence number with its cycles, as reports carry it.
    pub fn highest(&self) -> u32 {
        (self.max - 0x1_0000) as u32
    }

    /// Packets that never came.
    pub fn lost(&self) -> u32 {
        let lost = self.lost_before + (self.max - self.base + 1 - self.received).max(0);
        u32::try_from(lost).unwrap_or(u32::MAX)
    }

    /// Share lost since the last call, in 256ths (RFC 3550, appendix A.3).
    pub fn fraction_lost(&mut self) -> u8 {
        let expected = self.max - self.base + 1;
        let new = expected - self.expected_prior;
        let came = self.received - self.received_prior;
        self.expected_prior = expected;
        self.received_prior = self.received;
        let lost = new - came;
        if new <= 0 || lost <= 0 { 0 } else { u8::try_from(lost * 256 / new).unwrap_or(u8::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let packet = Packet {
            marker: true,
            payload_type: 111,
            seq: 65_535,
            timestamp: 0xdead_beef,
            ssrc: 7,
            payload: b"voice",
        };
        let mut bytes = Vec::new();
        packet.write_header(&mut bytes);
        bytes.extend_from_slice(packet.payload);
        assert_eq!(Packet::parse(&bytes), Some(packet));
        assert!(!is_rtcp(&bytes));
    }

    #[test]
    fn sources_extension_and_padding_are_passed_over() {
        let mut bytes = vec![0x80 | 0x20 | 0x10 | 2, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&[0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        bytes.extend_from_slice(b"abc\0\0\x03");
        assert_eq!(Packet::parse(&bytes).unwrap().payload, b"abc");
        bytes.pop();
        bytes.push(200);
        assert_eq!(Packet::parse(&bytes), None, "more padding than payload");
    }

    #[test]
    fn order_wraps_and_restarts() {
        let mut source = Source::new(1, 65_534);
        let first = 65_534 + 0x1_0000;
        assert_eq!(source.note(65_534), Order::Fresh(first));
        assert_eq!(source.note(65_535), Order::Fresh(first + 1));
        assert_eq!(source.note(1), Order::Fresh(first + 3));
        assert_eq!(source.lost(), 1);
        assert_eq!(source.note(0), Order::Fresh(first + 2));
        assert_eq!(source.note(0), Order::Dropped);
        assert_eq!((source.lost(), source.highest()), (0, 0x1_0001));
        assert_eq!(source.note(30_000), Order::Dropped);
        assert_eq!(source.note(2), Order::Fresh(first + 4), "one stray packet is nothing");
        assert_eq!(source.note(30_000), Order::Dropped);
        assert!(matches!(source.note(30_001), Order::Restarted(_)));
        assert_eq!(source.lost(), 0);
    }

    #[test]
    fn before_the_first() {
        let mut source = Source::new(1, 0);
        assert_eq!(source.note(0), Order::Fresh(0x1_0000));
        assert_eq!(source.note(65_535), Order::Fresh(0xffff));
        assert_eq!(source.lost(), 0);
    }

    #[test]
    fn fraction_lost_is_of_the_interval() {
        let mut source = Source::new(1, 0);
        (0..100).filter(|seq| seq % 4 != 1).for_each(|seq| {
            source.note(seq);
        });
        assert_eq!(source.fraction_lost(), 64);
        (100..200).for_each(|seq| {
            source.note(seq);
        });
        assert_eq!(source.fraction_lost(), 0);
        assert_eq!(source.lost(), 25);
    }

    #[test]
    fn jitter_of_the_standard() {
        let mut source = Source::new(1, 0);
        for packet in 0..2000u32 {
            let late = if packet % 2 == 0 { 0 } else { 160 };
            source.note_transit(i64::from(packet * 160 + late), packet.wrapping_mul(160));
        }
        assert!((source.jitter() - 160.0).abs() < 1.0, "{}", source.jitter());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.payload.len() + HEADER <= bytes.len());
            }
        }

        #[test]
        fn no_order_makes_it_panic(seqs in proptest::collection::vec(any::<u16>(), 1..300)) {
            let mut source = Source::new(1, seqs[0]);
            for seq in seqs {
                source.note(seq);
                source.fraction_lost();
                prop_assert!(source.lost() < 0x10_0000);
            }
        }
    }
}
