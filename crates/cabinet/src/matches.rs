//! Earlier places with the same bytes, found in binary trees by what follows.

/// Three bytes at least are looked for.
const LEAST: usize = 3;
const HASH_BITS: u32 = 17;
const NONE: u32 = u32::MAX;

/// A piece that stood before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    pub length: usize,
    /// How far back, bytes.
    pub offset: usize,
}

/// Looks through data from its beginning on.
pub struct Finder<'a> {
    data: &'a [u8],
    heads: Vec<u32>,
    /// Smaller and greater ones of each place in the window.
    below: Vec<[u32; 2]>,
    window: usize,
    depth: usize,
    longest: usize,
}

impl<'a> Finder<'a> {
    /// Of pieces up to `longest` bytes in a window, a power of two; `depth` places are compared at most.
    pub fn new(data: &'a [u8], window: usize, depth: usize, longest: usize) -> Self {
        let below = vec![[NONE; 2]; window.min(data.len().next_power_of_two())];
        let window = below.len();
        Self { data, heads: vec![NONE; 1 << HASH_BITS], below, window, depth, longest }
    }

    /// The matches of the bytes from `at` on, each longer than the one before and none farther than it need be; to be
    /// asked once for each place, in order.
    pub fn at(&mut self, at: usize, found: &mut Vec<Match>) {
        found.clear();
        let limit = self.longest.min(self.data.len() - at);
        if limit < LEAST {
            return;
        }
        let own = &self.data[at..at + limit];
        let mixed =
            (u32::from(own[0]) | u32::from(own[1]) << 8 | u32::from(own[2]) << 16).wrapping_mul(0x9E37_79B1);
        let head = &mut self.heads[(mixed >> (32 - HASH_BITS)) as usize];
        let mut other = std::mem::replace(head, at as u32);
        // Where what is found next is hung in: below this place on either side.
        let mask = self.window - 1;
        let (mut smaller, mut greater) = ((at & mask, 0), (at & mask, 1));
        let (mut same_smaller, mut same_greater, mut best) = (0, 0, LEAST - 1);
        let mut left = self.depth;
        loop {
            let there = other as usize;
            if other == NONE || at - there > self.window - 3 || left == 0 {
                self.below[smaller.0][smaller.1] = NONE;
                self.below[greater.0][greater.1] = NONE;
                return;
            }
            left -= 1;
            let mut same: usize = same_smaller.min(same_greater);
            while same < limit && self.data[there + same] == own[same] {
                same += 1;
            }
            if same > best {
                best = same;
                found.push(Match { length: same, offset: at - there });
            }
            let [less, more] = self.below[there & mask];
            if same == limit {
                self.below[smaller.0][smaller.1] = less;
                self.below[greater.0][greater.1] = more;
                return;
            }
            if self.data[there + same] < own[same] {
                self.below[smaller.0][smaller.1] = other;
                smaller = (there & mask, 1);
                (other, same_smaller) = (more, same);
            } else {
                self.below[greater.0][greater.1] = other;
                greater = (there & mask, 0);
                (other, same_greater) = (less, same);
            }
        }
    }
}
