//! Statistics summary and VoIP metrics of RTCP extended reports (RFC 3611, sections 4.6 and 4.7).

use crate::rtcp::write_words;

use super::EXTENDED_REPORT;

pub(super) const STATISTICS_SUMMARY: u8 = 6;
pub(super) const VOIP_METRICS: u8 = 7;
/// Packets that must arrive in a row for a burst to be over (Gmin, section 4.7.2).
const GAP_LEAST: u32 = 16;
/// Score and rating that are not known.
const UNAVAILABLE: u8 = 127;

/// What a listener tells of a voice (RFC 3611, section 4.7).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VoipMetrics {
    /// Share of packets lost since the beginning, percent.
    pub lost_percent: f32,
    /// Share of packets that came too late or too early to be played, percent.
    pub discarded_percent: f32,
    /// Share of packets lost or discarded within bursts, percent.
    pub burst_percent: f32,
    /// Mean length of bursts, milliseconds.
    pub burst_ms: u16,
    /// Share of packets lost or discarded between bursts, percent.
    pub gap_percent: f32,
    /// Mean time between bursts, milliseconds.
    pub gap_ms: u16,
    /// Round trip, milliseconds; 0 is not known.
    pub round_trip_ms: u16,
    /// Delay within the listener, milliseconds.
    pub end_system_ms: u16,
    /// Estimated listening quality, 1 to 5.
    pub mos: Option<f32>,
    /// Jitter buffer's delay as it stands, and at most, milliseconds.
    pub buffer_ms: u16,
    /// At most so far, milliseconds.
    pub buffer_most_ms: u16,
}

/// Tells bursts of loss from gaps between them (RFC 3611, appendix A.2).
#[derive(Debug, Default)]
pub(crate) struct Bursts {
    highest: Option<i64>,
    /// Packets received since the last loss.
    since: u32,
    lost_in_burst: u32,
    c11: u32,
    c13: u32,
    c14: u32,
    c22: u32,
    c23: u32,
    c33: u32,
}

impl Bursts {
    /// A packet came; those left out before it count as lost.
    pub(crate) fn note(&mut self, seq: i64) {
        let Some(highest) = self.highest else {
            (self.highest, self.since) = (Some(seq), 1);
            return;
        };
        // A longer hole is a new beginning of the other side.
        for _ in 0..(seq - highest - 1).clamp(0, 1_000) {
            self.lose();
        }
        if seq > highest {
            self.highest = Some(seq);
            self.since = self.since.saturating_add(1);
        }
    }

    fn lose(&mut self) {
        if self.since >= GAP_LEAST {
            match self.lost_in_burst {
                1 => self.c14 += 1,
                _ => self.c13 += 1,
            }
            self.lost_in_burst = 1;
            self.c11 = self.c11.saturating_add(self.since);
        } else {
            self.lost_in_burst += 1;
            match self.since {
                0 => self.c33 += 1,
                received => {
                    self.c23 += 1;
                    self.c22 = self.c22.saturating_add(received - 1);
                }
            }
        }
        self.since = 0;
    }

    /// Density in percent and mean length in milliseconds of bursts and of gaps, for packets of this length.
    pub(crate) fn figures(&self, packet_ms: u32) -> [(f32, u16); 2] {
        let c11 = self.c11.saturating_add(self.since);
        let (c31, c32) = (self.c13, self.c23);
        let total = c11 + self.c14 + self.c13 + self.c22 + self.c23 + c31 + c32 + self.c33;
        let share = |part: u32, whole: u32| if whole == 0 { 0.0 } else { part as f32 / whole as f32 };
        let p32 = share(c32, c31 + c32 + self.c33);
        let p23 = if self.c22 + self.c23 == 0 { 1.0 } else { 1.0 - share(self.c22, self.c22 + self.c23) };
        let bursts = self.c13.max(1);
        let gap_ms = (c11 + self.c14 + self.c13).saturating_mul(packet_ms) / bursts;
        let burst_ms =
            if self.c13 == 0 { 0 } else { (total.saturating_mul(packet_ms) / bursts).saturating_sub(gap_ms) };
        let density = if self.c13 == 0 { 0.0 } else { 100.0 * p23 / (p23 + p32) };
        let short = |ms: u32| u16::try_from(ms).unwrap_or(u16::MAX);
        [(density, short(burst_ms)), (100.0 * share(self.c14, c11 + self.c14), short(gap_ms))]
    }
}

fn share_byte(percent: f32) -> u32 {
    (percent * 2.56).round().clamp(0.0, 255.0) as u32
}

fn percent(byte: u8) -> f32 {
    f32::from(byte) / 2.56
}

/// Appends an extended report of `ssrc` about the source `about` with both blocks; `lost` packets were lost between
/// these sequence numbers.
pub(crate) fn write(
    out: &mut Vec<u8>,
    ssrc: u32,
    about: u32,
    metrics: &VoipMetrics,
    (begin, end, lost): (u16, u16, u32),
) {
    out.extend_from_slice(&[0x80, EXTENDED_REPORT, 0, 20]);
    write_words(out, &[ssrc]);
    // Of the summary loss alone is told.
    out.extend_from_slice(&[STATISTICS_SUMMARY, 0x80, 0, 9]);
    write_words(out, &[about, u32::from(begin) << 16 | u32::from(end), lost, 0, 0, 0, 0, 0, 0]);
    let two = |high: u16, low: u16| u32::from(high) << 16 | u32::from(low);
    let mos = metrics.mos.map_or(UNAVAILABLE, |mos| (mos * 10.0).round().clamp(10.0, 50.0) as u8);
    out.extend_from_slice(&[VOIP_METRICS, 0, 0, 8]);
    write_words(
        out,
        &[
            about,
            share_byte(metrics.lost_percent) << 24
                | share_byte(metrics.discarded_percent) << 16
                | share_byte(metrics.burst_percent) << 8
                | share_byte(metrics.gap_percent),
            two(metrics.burst_ms, metrics.gap_ms),
            two(metrics.round_trip_ms, metrics.end_system_ms),
            // Signal, noise and echo are not measured here.
            u32::from_be_bytes([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, GAP_LEAST as u8]),
            u32::from_be_bytes([UNAVAILABLE, UNAVAILABLE, mos, UNAVAILABLE]),
            // Enhanced concealment, adaptive jitter buffer of unknown rate.
            two(0b1011_0000_0000_0000, metrics.buffer_ms),
            two(metrics.buffer_most_ms, metrics.buffer_most_ms),
        ],
    );
}

/// Reads the body of a block of VoIP metrics: whom it is about, and what it says. None: it is too short.
pub(super) fn parse(block: &[u8]) -> Option<(u32, VoipMetrics)> {
    let body: &[u8; 32] = block.first_chunk()?;
    let word = |index: usize| -> Option<[u8; 4]> { body.get(index * 4..)?.first_chunk().copied() };
    let two = |[a, b, c, d]: [u8; 4]| (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let [lost, discarded, burst, gap] = word(1)?;
    let (burst_ms, gap_ms) = two(word(2)?);
    let (round_trip_ms, end_system_ms) = two(word(3)?);
    let [_, _, mos, _] = word(5)?;
    let (_, buffer_ms) = two(word(6)?);
    let (buffer_most_ms, _) = two(word(7)?);
    let metrics = VoipMetrics {
        lost_percent: percent(lost),
        discarded_percent: percent(discarded),
        burst_percent: percent(burst),
        burst_ms,
        gap_percent: percent(gap),
        gap_ms,
        round_trip_ms,
        end_system_ms,
        mos: (10..=50).contains(&mos).then(|| f32::from(mos) / 10.0),
        buffer_ms,
        buffer_most_ms,
    };
    Some((u32::from_be_bytes(word(0)?), metrics))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::Item;

    const METRICS: VoipMetrics = VoipMetrics {
        lost_percent: 12.5,
        discarded_percent: 6.25,
        burst_percent: 50.0,
        burst_ms: 120,
        gap_percent: 0.0,
        gap_ms: 4_000,
        round_trip_ms: 46,
        end_system_ms: 90,
        mos: Some(3.8),
        buffer_ms: 40,
        buffer_most_ms: 120,
    };

    #[test]
    fn what_is_written_is_read() {
        for metrics in [METRICS, VoipMetrics { mos: None, ..METRICS }] {
            let mut bytes = Vec::new();
            write(&mut bytes, 7, 9, &metrics, (1, 100, 3));
            assert_eq!(bytes.len(), 4 * (usize::from(u16::from_be_bytes([bytes[2], bytes[3]])) + 1));
            let mut items = Vec::new();
            super::super::parse(&bytes, |item| items.push(item)).unwrap();
            assert_eq!(items, [Item::Voip { from: 7, about: 9, metrics }]);
        }
    }

    #[test]
    fn blocks_cut_short_are_refused() {
        let mut bytes = Vec::new();
        write(&mut bytes, 7, 9, &METRICS, (1, 100, 3));
        for end in 0..32 {
            assert_eq!(parse(&bytes[52..52 + end]), None);
        }
        assert!(parse(&bytes[52..]).is_some());
    }

    #[test]
    fn single_losses_are_gaps_and_runs_of_them_bursts() {
        let mut steady = Bursts::default();
        (0..1_000).filter(|seq| seq % 100 != 50).for_each(|seq| steady.note(seq));
        let [burst, gap] = steady.figures(20);
        // The first loss has no single loss before it.
        assert!(burst.1 <= 40, "{burst:?}");
        assert!((0.5..1.5).contains(&gap.0), "{gap:?}");

        let mut bursty = Bursts::default();
        (0..1_000).filter(|seq| seq % 100 >= 6).for_each(|seq| bursty.note(seq));
        let [burst, gap] = bursty.figures(20);
        assert!(burst.0 > 90.0, "{burst:?}");
        assert_eq!(burst.1, 6 * 20);
        // Nine bursts share ten gaps of 94 packets, as the appendix counts the one that still lasts, and each gap
        // is a packet longer, since it counts the loss that ends it.
        assert_eq!(gap, (0.0, (10 * 94 + 9) * 20 / 9));
    }

    #[test]
    fn no_numbers_make_it_overflow() {
        let mut bursts = Bursts::default();
        [0, 1, i64::from(u32::MAX), 5, i64::from(u32::MAX) + 100_000]
            .into_iter()
            .for_each(|seq| bursts.note(seq));
        let _ = bursts.figures(60);
    }
}
