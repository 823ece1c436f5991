//! Into which literals and matches a frame is cut: the way that costs the fewest bits, as far as is known.

use super::matches::{Finder, Match};

pub const LITERALS: usize = 256;
/// Slots of offsets in a window of 2 MiB.
pub const SLOTS: usize = 50;
pub const MAIN: usize = LITERALS + 8 * SLOTS;
pub const LENGTHS: usize = 249;
pub const SHORTEST: usize = 2;
pub const LONGEST: usize = 257;
/// From this length on the length has a code of its own.
const LONG: usize = 9;
/// Costs are counted in parts of a bit.
const BIT: u32 = 64;

/// What a frame is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    Literal(u8),
    Match {
        length: u16,
        slot: u8,
        /// Bits that follow the slot.
        rest: u32,
    },
}

impl Piece {
    /// Its symbol in the main tree, and that in the tree of lengths.
    pub fn symbols(self) -> (usize, Option<usize>) {
        match self {
            Self::Literal(byte) => (usize::from(byte), None),
            Self::Match { length, slot, .. } => {
                let length = usize::from(length);
                let header = (length - SHORTEST).min(7);
                (LITERALS + 8 * usize::from(slot) + header, length.checked_sub(LONG))
            }
        }
    }

    /// How many bits follow, and which.
    pub fn rest(self) -> (u32, u32) {
        match self {
            Self::Literal(_) => (0, 0),
            Self::Match { slot, rest, .. } => (extra(slot), rest),
        }
    }
}

/// How many bits follow a slot.
pub fn extra(slot: u8) -> u32 {
    match slot {
        0..4 => 0,
        4..36 => u32::from(slot) / 2 - 1,
        _ => 17,
    }
}

/// Slot and the rest of an offset that is none of the last three.
fn slot(offset: usize) -> (u8, u32) {
    let formatted = (offset + 2) as u32;
    if formatted >= 1 << 18 {
        let beyond = formatted - (1 << 18);
        return (36 + (beyond >> 17) as u8, beyond & ((1 << 17) - 1));
    }
    let high = formatted.ilog2();
    let slot = (2 * high + (formatted >> (high - 1) & 1)) as u8;
    (slot, formatted & ((1 << extra(slot)) - 1))
}

/// What each symbol is thought to cost.
pub struct Costs {
    main: Vec<u32>,
    lengths: Vec<u32>,
}

impl Costs {
    /// By how often symbols came; each is thought to come at times.
    pub fn of(main: &[u32], lengths: &[u32]) -> Self {
        let bits = |counts: &[u32], least: f64| {
            let all: f64 = counts.iter().map(|count| f64::from(*count) + least).sum();
            let cost = |count: &u32| (f64::from(BIT) * (all / (f64::from(*count) + least)).log2()) as u32;
            counts.iter().map(cost).collect()
        };
        Self { main: bits(main, 0.4), lengths: bits(lengths, 0.4) }
    }

    fn matched(&self, slot: u8, length: usize) -> u32 {
        let header = (length - SHORTEST).min(7);
        let long = length.checked_sub(LONG).map_or(0, |symbol| self.lengths[symbol]);
        self.main[LITERALS + 8 * usize::from(slot) + header] + long + BIT * extra(slot)
    }
}

/// The last three offsets.
pub type Recent = [usize; 3];

/// The best way to a place.
#[derive(Clone, Copy)]
struct Node {
    cost: u32,
    piece: Piece,
    recent: Recent,
}

/// All matches of a frame.
pub struct Candidates {
    all: Vec<Match>,
    /// Where those of each place begin.
    ends: Vec<usize>,
}

impl Candidates {
    pub fn new(finder: &mut Finder<'_>, from: usize, to: usize) -> Self {
        let (mut all, mut ends, mut found) = (Vec::new(), Vec::new(), Vec::new());
        for at in from..to {
            finder.at(at, &mut found);
            all.extend_from_slice(&found);
            ends.push(all.len());
        }
        Self { all, ends }
    }

    fn of(&self, place: usize) -> &[Match] {
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[begin..self.ends[place]]
    }
}

/// Cuts `data[from..to]`; what the last three offsets are then.
pub fn cut(
    data: &[u8],
    from: usize,
    to: usize,
    candidates: &Candidates,
    costs: &Costs,
    recent: Recent,
) -> (Vec<Piece>, Recent) {
    let size = to - from;
    let start = Node { cost: u32::MAX, piece: Piece::Literal(0), recent };
    let mut nodes = vec![start; size + 1];
    nodes[0].cost = 0;
    for place in 0..size {
        let (at, node) = (from + place, nodes[place]);
        let limit = LONGEST.min(size - place);
        let mut offer = |length: usize, cost: u32, piece: Piece, recent: Recent| {
            let there = &mut nodes[place + length];
            let cost = node.cost + cost;
            if cost < there.cost {
                *there = Node { cost, piece, recent };
            }
        };
        let byte = data[at];
        offer(1, costs.main[usize::from(byte)], Piece::Literal(byte), node.recent);
        let [first, second, third] = node.recent;
        let again = [[first, second, third], [second, first, third], [third, second, first]];
        for (slot, recent) in (0_u8..).zip(again) {
            let offset = recent[0];
            if offset > at {
                continue;
            }
            let same = (0..limit).take_while(|n| data[at + n] == data[at + n - offset]).count();
            for length in SHORTEST..=same {
                let piece = Piece::Match { length: length as u16, slot, rest: 0 };
                offer(length, costs.matched(slot, length), piece, recent);
            }
        }
        let mut shorter = SHORTEST;
        for found in candidates.of(place) {
            let (slot, rest) = slot(found.offset);
            let longest = found.length.min(limit);
            for length in shorter..=longest {
                let piece = Piece::Match { length: length as u16, slot, rest };
                offer(length, costs.matched(slot, length), piece, [found.offset, first, second]);
            }
            shorter = shorter.max(longest + 1);
        }
    }
    let (mut pieces, mut place) = (Vec::new(), size);
    while place > 0 {
        let piece = nodes[place].piece;
        pieces.push(piece);
        place -= match piece {
            Piece::Literal(_) => 1,
            Piece::Match { length, .. } => usize::from(length),
        };
    }
    pieces.reverse();
    (pieces, nodes[size].recent)
}
