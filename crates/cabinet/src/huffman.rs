//! Canonical prefix codes of limited length.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Lengths in bits of the best code for symbols that come so often; 0 for those that never come. A decoder takes only
/// whole codes: at least two symbols have one.
pub fn lengths(counts: &[u32], limit: u8) -> Vec<u8> {
    let mut counts = counts.to_vec();
    for n in 0..counts.len() {
        if counts.iter().filter(|count| **count > 0).count() >= 2 {
            break;
        }
        if let Some(count) = counts.get_mut(n).filter(|count| **count == 0) {
            *count = 1;
        }
    }
    loop {
        let lengths = unlimited(&counts);
        if lengths.iter().all(|length| *length <= limit) {
            return lengths;
        }
        for count in counts.iter_mut().filter(|count| **count > 0) {
            *count = *count / 2 + 1;
        }
    }
}

fn unlimited(counts: &[u32]) -> Vec<u8> {
    // Leaves come first, then what joins two; each knows what it hangs on.
    let mut parents = vec![usize::MAX; counts.len()];
    let mut open: BinaryHeap<Reverse<(u64, usize)>> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(symbol, count)| Reverse((u64::from(*count), symbol)))
        .collect();
    while let (Some(Reverse((few, first))), Some(Reverse((more, second)))) = (open.pop(), open.pop()) {
        let joined = parents.len();
        parents.push(usize::MAX);
        for below in [first, second] {
            if let Some(parent) = parents.get_mut(below) {
                *parent = joined;
            }
        }
        open.push(Reverse((few + more, joined)));
        if open.len() == 1 {
            break;
        }
    }
    let depth = |mut node: usize| {
        let mut depth = 0_u8;
        while let Some(parent) = parents.get(node).copied().filter(|parent| *parent != usize::MAX) {
            (node, depth) = (parent, depth.saturating_add(1));
        }
        depth
    };
    (0..counts.len()).map(depth).collect()
}

/// The code of each symbol: its bits, of which the first sent is the highest.
pub fn codes(lengths: &[u8]) -> Vec<u32> {
    let mut codes = vec![0; lengths.len()];
    let mut code = 0;
    for length in 1..=16 {
        for (symbol, _) in lengths.iter().enumerate().filter(|(_, own)| **own == length) {
            if let Some(own) = codes.get_mut(symbol) {
                *own = code;
            }
            code += 1;
        }
        code <<= 1;
    }
    codes
}
