//! RTCP packets (RFC 3550, section 6).

use crate::rtcp_xr;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const BYE: u8 = 203;

/// Items taken out of one datagram at most.
const MOST_ITEMS: usize = 64;

/// What a sender says of itself (section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SenderInfo {
    /// NTP timestamp, 32.32 bits of a second.
    pub ntp: u64,
    pub rtp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// A report block (section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// Source it is about.
    pub about: u32,
    /// 256ths.
    pub fraction_lost: u8,
    /// 24 bits are carried.
    pub lost: u32,
    pub highest: u32,
    /// RTP timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the NTP timestamp of the last sender report, and the time since, both in 65536ths of
    /// a second. Zero: none yet.
    pub last_report: u32,
    pub since_report: u32,
}

impl Block {
    /// Packets lost so far; duplicates may make them fewer than none, which counts as none.
    pub fn lost_or_none(&self) -> u32 {
        if self.lost >= 0x80_0000 { 0 } else { self.lost }
    }
}

/// Something said in a compound packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Item {
    Sender {
        ssrc: u32,
        info: SenderInfo,
    },
    /// A receiver report, with however many blocks.
    Receiver {
        ssrc: u32,
    },
    Report {
        from: u32,
        block: Block,
    },
    /// So many packets of `about` were lost, in so many holes (RFC 3611, section 4.1).
    Losses {
        from: u32,
        about: u32,
        lost: u32,
        holes: u32,
    },
    /// How the voice of `about` is heard (RFC 3611, section 4.7).
    Voip {
        from: u32,
        about: u32,
        metrics: rtcp_xr::VoipMetrics,
    },
    Bye {
        ssrc: u32,
    },
}

fn word(bytes: &[u8], index: usize) -> Option<u32> {
    let start = index.checked_mul(4)?;
    Some(u32::from_be_bytes(*bytes.get(start..)?.first_chunk()?))
}

/// Reads a compound packet. `None`: it breaks the rules of appendix A.2.
pub(crate) fn parse(mut bytes: &[u8]) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    let mut first = true;
    while !bytes.is_empty() {
        let [flags, kind, l0, l1] = *bytes.first_chunk()?;
        if flags >> 6 != 2 || (first && !matches!(kind, SENDER_REPORT | RECEIVER_REPORT)) {
            return None;
        }
        first = false;
        let (packet, rest) = bytes.split_at_checked((usize::from(u16::from_be_bytes([l0, l1])) + 1) * 4)?;
        // Only the last packet may be padded.
        if flags & 0x20 != 0 && !rest.is_empty() {
            return None;
        }
        parse_packet(kind, usize::from(flags & 0x1f), packet, &mut items)?;
        bytes = rest;
    }
    (!first).then_some(items)
}

fn parse_packet(kind: u8, count: usize, packet: &[u8], items: &mut Vec<Item>) -> Option<()> {
    let blocks = match kind {
        SENDER_REPORT => {
            let info = SenderInfo {
                ntp: u64::from(word(packet, 2)?) << 32 | u64::from(word(packet, 3)?),
                rtp: word(packet, 4)?,
                packets: word(packet, 5)?,
                octets: word(packet, 6)?,
            };
            items.push(Item::Sender { ssrc: word(packet, 1)?, info });
            7
        }
        RECEIVER_REPORT => {
            items.push(Item::Receiver { ssrc: word(packet, 1)? });
            2
        }
        BYE => {
            for index in 0..count {
                if items.len() < MOST_ITEMS {
                    items.push(Item::Bye { ssrc: word(packet, 1 + index)? });
                }
            }
            return Some(());
        }
        rtcp_xr::EXTENDED_REPORT => {
            return rtcp_xr::parse(packet, |item| {
                if items.len() < MOST_ITEMS {
                    items.push(item);
                }
            });
        }
        _ => return Some(()),
    };
    let from = word(packet, 1)?;
    for index in 0..count {
        let at = blocks + index * 6;
        let loss = word(packet, at + 1)?;
        let block = Block {
            about: word(packet, at)?,
            fraction_lost: (loss >> 24) as u8,
            lost: loss & 0xff_ffff,
            highest: word(packet, at + 2)?,
            jitter: word(packet, at + 3)?,
            last_report: word(packet, at + 4)?,
            since_report: word(packet, at + 5)?,
        };
        if items.len() < MOST_ITEMS {
            items.push(Item::Report { from, block });
        }
    }
    Some(())
}

pub(crate) fn write_words(out: &mut Vec<u8>, words: &[u32]) {
    for word in words {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

fn write_head(out: &mut Vec<u8>, count: u8, kind: u8, words_after: u16) {
    out.extend_from_slice(&[0x80 | count, kind]);
    out.extend_from_slice(&words_after.to_be_bytes());
}

/// Appends a sender report, or a receiver report without `info`.
pub(crate) fn write_report(out: &mut Vec<u8>, ssrc: u32, info: Option<SenderInfo>, block: Option<Block>) {
    let count = u8::from(block.is_some());
    let words = 1 + if info.is_some() { 5 } else { 0 } + 6 * u16::from(count);
    write_head(out, count, if info.is_some() { SENDER_REPORT } else { RECEIVER_REPORT }, words);
    write_words(out, &[ssrc]);
    if let Some(info) = info {
        write_words(out, &[(info.ntp >> 32) as u32, info.ntp as u32, info.rtp, info.packets, info.octets]);
    }
    if let Some(block) = block {
        let loss = u32::from(block.fraction_lost) << 24 | block.lost.min(0x7f_ffff);
        write_words(
            out,
            &[block.about, loss, block.highest, block.jitter, block.last_report, block.since_report],
        );
    }
}

/// Appends a source description with the CNAME alone (section 6.5.1). At most 255 bytes of it are used.
pub(crate) fn write_description(out: &mut Vec<u8>, ssrc: u32, cname: &str) {
    let name: Vec<u8> = cname.bytes().take(255).collect();
    // SSRC, item head, name, and at least one zero up to the word's end.
    let words = 1 + (2 + name.len()) / 4 + 1;
    let end = out.len() + 4 + words * 4;
    write_head(out, 1, DESCRIPTION, words as u16);
    write_words(out, &[ssrc]);
    out.extend_from_slice(&[1, name.len() as u8]);
    out.extend_from_slice(&name);
    out.resize(end, 0);
}

/// Appends a goodbye (section 6.6).
pub(crate) fn write_bye(out: &mut Vec<u8>, ssrc: u32) {
    write_head(out, 1, BYE, 1);
    write_words(out, &[ssrc]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INFO: SenderInfo = SenderInfo { ntp: 0x0123_4567_89ab_cdef, rtp: 1, packets: 2, octets: 3 };
    const BLOCK: Block = Block {
        about: 9,
        fraction_lost: 12,
        lost: 345,
        highest: 0x1_0002,
        jitter: 77,
        last_report: 0x4567_89ab,
        since_report: 65_536,
    };

    #[test]
    fn what_is_written_is_read() {
        for info in [Some(INFO), None] {
            for block in [Some(BLOCK), None] {
                for cname in ["", "a", "abcdefghijkl", "abcdefghijklm"] {
                    let mut bytes = Vec::new();
                    write_report(&mut bytes, 5, info, block);
                    write_description(&mut bytes, 5, cname);
                    write_bye(&mut bytes, 5);
                    assert!(crate::rtp::is_rtcp(&bytes));
                    let mut expected = Vec::new();
                    expected
                        .push(info.map_or(Item::Receiver { ssrc: 5 }, |info| Item::Sender { ssrc: 5, info }));
                    expected.extend(block.map(|block| Item::Report { from: 5, block }));
                    expected.push(Item::Bye { ssrc: 5 });
                    assert_eq!(parse(&bytes), Some(expected));
                }
            }
        }
    }

    #[test]
    fn broken_compounds_are_refused() {
        let mut bytes = Vec::new();
        write_bye(&mut bytes, 5);
        assert_eq!(parse(&bytes), None, "no report in front");
        bytes.clear();
        write_report(&mut bytes, 5, Some(INFO), Some(BLOCK));
        for end in 1..bytes.len() {
            assert_eq!(parse(&bytes[..end]), None);
        }
        bytes[0] += 1;
        assert_eq!(parse(&bytes), None, "more blocks announced than there are");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 200u8..208) {
            let mut bytes = bytes;
            if let [first, second, ..] = bytes.as_mut_slice() {
                *first = *first & 0x3f | 0x80;
                *second = kind;
            }
            if let Some(items) = parse(&bytes) {
                prop_assert!(items.len() <= MOST_ITEMS + 64);
            }
        }
    }
}
