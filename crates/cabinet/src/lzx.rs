//! LZX as cabinets have it ([MS-PATCH], section 2): frames of 32 KiB, each cut into literals and matches, whose prefix
//! codes change from block to block.

use super::bits::Bits;
use super::huffman::{codes, lengths};
use super::matches::Finder;
use super::parse::{Candidates, Costs, LENGTHS, LITERALS, LONGEST, MAIN, Piece, cut};

/// The window: 2 MiB, the largest.
pub const WINDOW_BITS: u16 = 21;
/// How much each frame gives, but the last.
pub const FRAME: usize = 1 << 15;

/// How long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// As small as it gets.
    Most,
    /// Larger, in less time.
    Least,
}

impl Effort {
    /// How many places the search looks at.
    fn depth(self) -> usize {
        match self {
            Self::Most => 64,
            Self::Least => 4,
        }
    }

    /// How often a frame is cut, each time by what the time before cost.
    fn rounds(self) -> usize {
        match self {
            Self::Most => 2,
            Self::Least => 1,
        }
    }
}
/// About what new codes cost, bits.
const NEW_CODES: f64 = 1_200.0;
const VERBATIM: u32 = 1;
const ALIGNED: u32 = 2;

#[derive(Clone)]
struct Counts {
    main: Vec<u32>,
    lengths: Vec<u32>,
    aligned: Vec<u32>,
}

struct Frame {
    pieces: Vec<Piece>,
    size: usize,
    counts: Counts,
}

/// Packs `data`: what stands for each frame, in order.
pub fn pack(data: &[u8], effort: Effort) -> Vec<Vec<u8>> {
    let called = data.len().min(i32::MAX as usize) as u32;
    let data = calls_to_absolute(data, called as i32);
    let frames = frames(&data, effort);
    let (mut bits, mut out) = (Bits::default(), Vec::new());
    bits.put(1, 1);
    bits.put(called, 32);
    let (mut before_main, mut before_lengths) = (vec![0; MAIN], vec![0; LENGTHS]);
    let mut rest = frames.as_slice();
    while !rest.is_empty() {
        let (block, counts) = block(rest);
        let (now, later) = rest.split_at(block);
        rest = later;
        let main = lengths(&counts.main, 16);
        let long = match counts.lengths.iter().all(|count| *count == 0) {
            true => vec![0; LENGTHS],
            false => lengths(&counts.lengths, 16),
        };
        let aligned = lengths(&counts.aligned, 7);
        let with = |lengths: &[u8]| {
            counts
                .aligned
                .iter()
                .zip(lengths)
                .map(|(count, length)| u64::from(*count) * u64::from(*length))
                .sum::<u64>()
        };
        let aligns = with(&aligned) + 24 < with(&[3; 8]);
        bits.put(if aligns { ALIGNED } else { VERBATIM }, 3);
        bits.put(now.iter().map(|frame| frame.size as u32).sum(), 24);
        if aligns {
            aligned.iter().for_each(|length| bits.put(u32::from(*length), 3));
        }
        put_lengths(&mut bits, &before_main[..LITERALS], &main[..LITERALS]);
        put_lengths(&mut bits, &before_main[LITERALS..], &main[LITERALS..]);
        put_lengths(&mut bits, &before_lengths, &long);
        let (main_codes, long_codes, aligned_codes) = (codes(&main), codes(&long), codes(&aligned));
        for frame in now {
            for piece in &frame.pieces {
                let (symbol, long_symbol) = piece.symbols();
                bits.put(main_codes[symbol], u32::from(main[symbol]));
                if let Some(symbol) = long_symbol {
                    bits.put(long_codes[symbol], u32::from(long[symbol]));
                }
                let (count, value) = piece.rest();
                if aligns && count >= 3 {
                    bits.put(value >> 3, count - 3);
                    let low = (value & 7) as usize;
                    bits.put(aligned_codes[low], u32::from(aligned[low]));
                } else {
                    bits.put(value, count);
                }
            }
            out.push(bits.take());
        }
        (before_main, before_lengths) = (main, long);
    }
    out
}

fn frames(data: &[u8], effort: Effort) -> Vec<Frame> {
    let mut finder = Finder::new(data, 1 << WINDOW_BITS, effort.depth(), LONGEST);
    let (mut recent, mut frames, mut from) = ([1; 3], Vec::new(), 0);
    let mut costs = Costs::of(&[1; MAIN], &[1; LENGTHS]);
    while from < data.len() {
        let to = data.len().min(from + FRAME);
        let candidates = Candidates::new(&mut finder, from, to);
        let mut best = cut(data, from, to, &candidates, &costs, recent);
        let mut counts = Counts::of(&best.0);
        for _ in 1..effort.rounds() {
            costs = Costs::of(&counts.main, &counts.lengths);
            best = cut(data, from, to, &candidates, &costs, recent);
            counts = Counts::of(&best.0);
        }
        costs = Costs::of(&counts.main, &counts.lengths);
        recent = best.1;
        frames.push(Frame { pieces: best.0, size: to - from, counts });
        from = to;
    }
    frames
}

/// How many frames are best one block, from the first on, and what is in them.
fn block(frames: &[Frame]) -> (usize, Counts) {
    let mut together = frames[0].counts.clone();
    let mut count = 1;
    for frame in &frames[1..] {
        let both = together.with(&frame.counts);
        if count >= 256 || both.bits() > together.bits() + frame.counts.bits() + NEW_CODES {
            break;
        }
        (together, count) = (both, count + 1);
    }
    (count, together)
}

impl Counts {
    fn of(pieces: &[Piece]) -> Self {
        let mut counts = Self { main: vec![0; MAIN], lengths: vec![0; LENGTHS], aligned: vec![0; 8] };
        for piece in pieces {
            let (symbol, long) = piece.symbols();
            counts.main[symbol] += 1;
            if let Some(long) = long {
                counts.lengths[long] += 1;
            }
            let (count, value) = piece.rest();
            if count >= 3 {
                counts.aligned[(value & 7) as usize] += 1;
            }
        }
        counts
    }

    fn with(&self, other: &Self) -> Self {
        let sum = |a: &[u32], b: &[u32]| a.iter().zip(b).map(|(a, b)| a + b).collect();
        Self {
            main: sum(&self.main, &other.main),
            lengths: sum(&self.lengths, &other.lengths),
            aligned: sum(&self.aligned, &other.aligned),
        }
    }

    /// What the symbols cost with the best of codes.
    fn bits(&self) -> f64 {
        let of = |counts: &[u32]| {
            let all: f64 = counts.iter().copied().map(f64::from).sum();
            counts
                .iter()
                .filter(|count| **count > 0)
                .map(|count| f64::from(*count) * (all / f64::from(*count)).log2())
                .sum::<f64>()
        };
        of(&self.main) + of(&self.lengths) + of(&self.aligned)
    }
}

/// Lengths of codes by what they were before, themselves in a code of 20 symbols.
fn put_lengths(bits: &mut Bits, before: &[u8], now: &[u8]) {
    // Symbol, and bits that follow.
    let mut said: Vec<(usize, u32, u32)> = Vec::new();
    let differs = |before: u8, now: u8| usize::from((before + 17 - now) % 17);
    let mut at = 0;
    while at < now.len() {
        let run = now[at..].iter().take_while(|length| **length == now[at]).count();
        match (now[at], run) {
            (0, 20..) => {
                let run = run.min(51);
                said.push((18, run as u32 - 20, 5));
                at += run;
            }
            (0, 4..) => {
                said.push((17, run as u32 - 4, 4));
                at += run;
            }
            (length, 4..) => {
                let run = run.min(5);
                said.push((19, run as u32 - 4, 1));
                said.push((differs(before[at], length), 0, 0));
                at += run;
            }
            (length, _) => {
                said.push((differs(before[at], length), 0, 0));
                at += 1;
            }
        }
    }
    let mut counts = [0; 20];
    said.iter().for_each(|(symbol, ..)| counts[*symbol] += 1);
    let lengths = lengths(&counts, 15);
    let codes = codes(&lengths);
    lengths.iter().for_each(|length| bits.put(u32::from(*length), 4));
    for (symbol, value, count) in said {
        bits.put(codes[symbol], u32::from(lengths[symbol]));
        bits.put(value, count);
    }
}

/// Targets of x86 calls (E8) as places instead of distances: the same target looks the same everywhere.
fn calls_to_absolute(data: &[u8], size: i32) -> Vec<u8> {
    let mut data = data.to_vec();
    for (n, frame) in data.chunks_mut(FRAME).enumerate().take(32_768) {
        let mut at = 0;
        while at + 10 < frame.len() {
            if frame[at] != 0xE8 {
                at += 1;
                continue;
            }
            let here = (n * FRAME + at) as i32;
            if let Some(field) = frame[at + 1..].first_chunk_mut() {
                let distance = i32::from_le_bytes(*field);
                if distance >= -here && distance < size {
                    let place = if distance < size - here { distance + here } else { distance - size };
                    *field = place.to_le_bytes();
                }
            }
            at += 5;
        }
    }
    data
}
