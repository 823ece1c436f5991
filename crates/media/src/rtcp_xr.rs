//! Which packets came and which were lost: the loss run length encoding of RTCP extended reports (RFC 3611,
//! sections 2, 3 and 4.1).

mod metrics;

use crate::rtcp::{Item, write_words};

pub use metrics::VoipMetrics;
pub(crate) use metrics::{Bursts, write as write_metrics};

/// Packet type of extended reports.
pub(crate) const EXTENDED_REPORT: u8 = 207;
const LOSS_RLE: u8 = 1;
/// Packets recorded between two reports at most: 20 s of packets of 20 ms.
const MOST_RECORDED: usize = 1024;
/// Packets in one chunk of bits.
const BITS: usize = 15;
const LONGEST_RUN: usize = 0x3fff;

/// Which packets came since the last report.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    begin: i64,
    came: Vec<bool>,
}

impl Arrivals {
    /// A packet with this extended sequence number came.
    pub fn note(&mut self, seq: i64) {
        if self.begin == 0 {
            self.begin = seq;
        }
        let Ok(index) = usize::try_from(seq - self.begin) else { return };
        if index >= MOST_RECORDED {
            // Nobody has asked for long: only what is new counts.
            *self = Self { begin: seq, came: vec![true] };
            return;
        }
        if index >= self.came.len() {
            self.came.resize(index + 1, false);
        }
        if let Some(came) = self.came.get_mut(index) {
            *came = true;
        }
    }

    /// Appends a report of `ssrc` about the source `about`, and begins anew.
    pub fn write(&mut self, out: &mut Vec<u8>, ssrc: u32, about: u32) {
        let mut chunks = Vec::new();
        let mut rest = self.came.as_slice();
        while let Some(first) = rest.first() {
            let run = rest.iter().take(LONGEST_RUN).take_while(|came| *came == first).count();
            let taken = if run >= BITS {
                chunks.push(u16::from(*first) << 14 | run as u16);
                run
            } else {
                let bits =
                    (0..BITS).map(|bit| u16::from(rest.get(bit).copied().unwrap_or(false)) << (14 - bit));
                chunks.push(0x8000 | bits.sum::<u16>());
                BITS.min(rest.len())
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        // To the word's end, with a null chunk.
        if chunks.len() % 2 == 1 {
            chunks.push(0);
        }
        let end = self.begin + self.came.len() as i64;
        let words = (chunks.len() / 2) as u16;
        out.extend_from_slice(&[0x80, EXTENDED_REPORT]);
        out.extend_from_slice(&(words + 4).to_be_bytes());
        write_words(out, &[ssrc]);
        out.extend_from_slice(&[LOSS_RLE, 0]);
        out.extend_from_slice(&(words + 2).to_be_bytes());
        write_words(out, &[about]);
        for half in [self.begin as u16, end as u16].into_iter().chain(chunks) {
            out.extend_from_slice(&half.to_be_bytes());
        }
        self.begin = end;
        self.came.clear();
    }
}

/// Reads the blocks of an extended report that this phone knows. `None`: it is broken.
pub(crate) fn parse(packet: &[u8], mut found: impl FnMut(Item)) -> Option<()> {
    let (head, mut blocks) = packet.split_first_chunk::<8>()?;
    let [_, _, _, _, from @ ..] = *head;
    let from = u32::from_be_bytes(from);
    while let Some((head, rest)) = blocks.split_first_chunk::<4>() {
        let [kind, specific, l0, l1] = *head;
        let (block, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])) * 4)?;
        // Thinned records (section 4.1) leave packets out.
        if kind == LOSS_RLE && specific & 0x0f == 0 {
            let (about, lost, holes) = parse_losses(block)?;
            found(Item::Losses { from, about, lost, holes });
        }
        if kind == metrics::VOIP_METRICS {
            let (about, metrics) = metrics::parse(block)?;
            found(Item::Voip { from, about, metrics });
        }
        blocks = rest;
    }
    Some(())
}

/// The source, its packets lost, and the holes these made.
fn parse_losses(block: &[u8]) -> Option<(u32, u32, u32)> {
    let (head, chunks) = block.split_first_chunk::<8>()?;
    let [a0, a1, a2, a3, b0, b1, e0, e1] = *head;
    let mut left = u16::from_be_bytes([e0, e1]).wrapping_sub(u16::from_be_bytes([b0, b1]));
    let (mut lost, mut holes, mut before) = (0u32, 0u32, true);
    let mut take = |came: bool, count: u16| {
        let count = count.min(left);
        left -= count;
        if !came && count > 0 {
            lost += u32::from(count);
            holes += u32::from(before);
        }
        before = if count > 0 { came } else { before };
    };
    for chunk in chunks.chunks_exact(2) {
        let [c0, c1] = *chunk else { return None };
        let chunk = u16::from_be_bytes([c0, c1]);
        if chunk == 0 {
            break;
        } else if chunk & 0x8000 == 0 {
            take(chunk & 0x4000 != 0, chunk & 0x3fff);
        } else {
            (0..BITS).rev().for_each(|bit| take(chunk >> bit & 1 != 0, 1));
        }
    }
    Some((u32::from_be_bytes([a0, a1, a2, a3]), lost, holes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Writes a record of these arrivals and reads it: packets lost, and holes.
    fn told(begin: i64, came: &[bool]) -> (u32, u32) {
        let mut arrivals = Arrivals::default();
        for (seq, _) in (begin..).zip(came).filter(|(_, came)| **came) {
            arrivals.note(seq);
        }
        let mut bytes = Vec::new();
        arrivals.write(&mut bytes, 7, 9);
        assert_eq!(bytes.len(), 4 * (usize::from(u16::from_be_bytes([bytes[2], bytes[3]])) + 1));
        let mut items = Vec::new();
        parse(&bytes, |item| items.push(item)).unwrap();
        let [Item::Losses { from: 7, about: 9, lost, holes }] = items[..] else { panic!("{items:?}") };
        (lost, holes)
    }

    #[test]
    fn losses_are_told_with_their_holes() {
        let mut came = vec![true; 300];
        assert_eq!(told(65_500, &came), (0, 0));
        came[10] = false;
        came[100..104].fill(false);
        came[200..260].fill(false);
        assert_eq!(told(65_500, &came), (65, 3));
    }

    #[test]
    fn what_came_between_two_reports_is_told_once() {
        let mut arrivals = Arrivals::default();
        [100, 101, 103].into_iter().for_each(|seq| arrivals.note(seq));
        arrivals.write(&mut Vec::new(), 7, 9);
        // 102 comes late, 104 is lost.
        [102, 105].into_iter().for_each(|seq| arrivals.note(seq));
        let mut bytes = Vec::new();
        arrivals.write(&mut bytes, 7, 9);
        let mut items = Vec::new();
        parse(&bytes, |item| items.push(item)).unwrap();
        assert_eq!(items, [Item::Losses { from: 7, about: 9, lost: 1, holes: 1 }]);
    }

    #[test]
    fn a_record_of_the_standard_is_read() {
        // Run of 4 received, bits 1011111 11111111 without the first two, run of 3 lost.
        let block: Vec<u8> = [[0u8, 0, 0, 9], [0, 10, 0, 32], [0x40, 4, 0xdf, 0xff], [0, 3, 0, 0]].concat();
        assert_eq!(parse_losses(&block), Some((9, 4, 2)));
    }

    #[test]
    fn a_record_nobody_asks_for_does_not_grow() {
        let mut arrivals = Arrivals::default();
        (1..100_000).for_each(|seq| arrivals.note(seq));
        assert!(arrivals.came.len() <= MOST_RECORDED);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            parse(&bytes, |item| {
                let Item::Losses { lost, holes, .. } = item else { return };
                assert!(holes <= lost && lost <= 65_535);
            });
        }

        #[test]
        fn any_pattern_is_told(mut came in proptest::collection::vec(any::<bool>(), 1..400)) {
            *came.first_mut().unwrap() = true;
            *came.last_mut().unwrap() = true;
            let lost = came.iter().filter(|came| !**came).count() as u32;
            let holes = came.windows(2).filter(|two| two[0] && !two[1]).count() as u32;
            prop_assert_eq!(told(40_000, &came), (lost, holes));
        }
    }
}
