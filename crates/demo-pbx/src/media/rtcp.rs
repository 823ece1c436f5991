//! RTCP sender and receiver reports with the CNAME they must carry (RFC 3550 section 6). Pure.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::rtp::Sent;

/// What is reported about a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReportBlock {
    pub ssrc: u32,
    /// Share lost since the last report, in 1/256.
    pub fraction: u8,
    /// Lost in all; negative with duplicates.
    pub lost: i32,
    pub highest: u32,
    /// In RTP clock ticks.
    pub jitter: u32,
    /// Middle of the NTP time in the source's last sender report; 0 without one.
    pub last_report: u32,
    /// Since that report came, in 1/65536 s.
    pub delay: u32,
}

/// A sender report received: the middle of its NTP time, and when it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    middle: u32,
    at: Instant,
}

impl Heard {
    /// Reads the sender report at the front of a compound packet.
    pub fn parse(packet: &[u8], now: Instant) -> Option<Self> {
        let [v, 200, ..] = packet else {
            return None;
        };
        let middle = packet.get(10..14)?.try_into().ok().map(u32::from_be_bytes)?;
        (v >> 6 == 2).then_some(Self { middle, at: now })
    }

    /// Fills the round-trip fields of a report block.
    pub fn fill(self, block: &mut ReportBlock, now: Instant) {
        let delay = now.duration_since(self.at).as_secs_f64() * 65_536.0;
        block.last_report = self.middle;
        block.delay = delay as u32;
    }
}

/// Is this RTCP, where both share a port (RFC 5761 section 4)?
pub(crate) fn is_rtcp(packet: &[u8]) -> bool {
    packet.get(1).is_some_and(|kind| (192..=223).contains(kind))
}

/// A compound packet: sender report, or receiver report when nothing was sent, and the CNAME.
pub(crate) fn compound(
    ssrc: u32,
    sent: Option<Sent>,
    block: Option<ReportBlock>,
    wall: SystemTime,
) -> Vec<u8> {
    let blocks = u8::from(block.is_some());
    let words = |own: u16| own + 6 * u16::from(blocks);
    let mut packet = vec![0x80 | blocks];
    match sent {
        Some(sent) => {
            packet.push(200);
            packet.extend(words(6).to_be_bytes());
            packet.extend(sent.ssrc.to_be_bytes());
            packet.extend(ntp(wall).to_be_bytes());
            for field in [sent.timestamp, sent.packets, sent.octets] {
                packet.extend(field.to_be_bytes());
            }
        }
        None => {
            packet.push(201);
            packet.extend(words(1).to_be_bytes());
            packet.extend(ssrc.to_be_bytes());
        }
    }
    if let Some(block) = block {
        packet.extend(block.ssrc.to_be_bytes());
        packet.push(block.fraction);
        packet.extend(block.lost.to_be_bytes().iter().skip(1));
        for field in [block.highest, block.jitter, block.last_report, block.delay] {
            packet.extend(field.to_be_bytes());
        }
    }
    // SDES: one chunk with one CNAME, closed and padded to a word by zeros.
    const CNAME: &[u8; 8] = b"demo-pbx";
    packet.extend([0x81, 202, 0, 4]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend([1, 8]);
    packet.extend(CNAME);
    packet.extend([0, 0]);
    packet
}

/// NTP time: seconds since 1900 and their fraction.
fn ntp(wall: SystemTime) -> u64 {
    const FROM_1900_TO_1970: u64 = 2_208_988_800;
    let since = wall.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    ((since.as_secs() + FROM_1900_TO_1970) << 32) | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_report_has_the_lengths_it_states() {
        let block =
            ReportBlock { ssrc: 2, fraction: 3, lost: -1, highest: 4, jitter: 5, last_report: 6, delay: 7 };
        let sent = Sent { ssrc: 1, timestamp: 9, packets: 10, octets: 11 };
        let wall = UNIX_EPOCH + Duration::from_millis(500);
        let packet = compound(1, Some(sent), Some(block), wall);
        let first = (usize::from(u16::from_be_bytes([packet[2], packet[3]])) + 1) * 4;
        assert_eq!((packet[0], packet[1], first), (0x81, 200, 52));
        assert_eq!(&packet[8..16], &[0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0]);
        assert_eq!(&packet[32..36], &[3, 0xff, 0xff, 0xff]);
        let second = (usize::from(u16::from_be_bytes([packet[first + 2], packet[first + 3]])) + 1) * 4;
        assert_eq!((packet[first + 1], first + second), (202, packet.len()));
    }

    #[test]
    fn a_receiver_report_and_the_round_trip() {
        let packet = compound(1, None, None, UNIX_EPOCH);
        assert_eq!((packet[0], packet[1], &packet[2..4]), (0x80, 201, [0, 1].as_slice()));
        assert!(is_rtcp(&packet) && !is_rtcp(&[0x80, 0x80 | 111]) && !is_rtcp(&[0x80, 0]));

        let t0 = Instant::now();
        let sent = Sent { ssrc: 1, timestamp: 0, packets: 0, octets: 0 };
        let heard = Heard::parse(&compound(1, Some(sent), None, UNIX_EPOCH), t0).unwrap();
        let mut block =
            ReportBlock { ssrc: 1, fraction: 0, lost: 0, highest: 0, jitter: 0, last_report: 0, delay: 0 };
        heard.fill(&mut block, t0 + Duration::from_millis(500));
        assert_eq!((block.last_report, block.delay), (0x7e80_0000, 0x8000));
        assert!(Heard::parse(&packet, t0).is_none());
    }
}
