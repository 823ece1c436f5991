//! Cabinets of one folder ([MS-CAB]), packed with LZX ([MS-PATCH]): what Windows unpacks packages from, smaller than
//! Debian's wixl makes them.

mod bits;
mod huffman;
mod lzx;
mod matches;
mod parse;

pub use lzx::Effort;

/// A file of a cabinet.
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    /// What it is called there, without a zero byte.
    pub name: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// 1 January 2026, as DOS writes days; the same files give the same cabinet.
const DAY: u16 = (2026 - 1980) << 9 | 1 << 5 | 1;
/// Archived, no more.
const ATTRIBUTES: u16 = 0x20;
const LZX: u16 = 3;
/// As many blocks as can be counted.
const MOST: usize = lzx::FRAME * u16::MAX as usize;

/// More files, or more in them, than a cabinet holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuch;

impl std::fmt::Display for TooMuch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("more than a cabinet holds")
    }
}

impl std::error::Error for TooMuch {}

/// The cabinet of these files.
///
/// # Errors
/// They are more or larger than a cabinet can hold.
pub fn cabinet(files: &[Packed<'_>], effort: Effort) -> Result<Vec<u8>, TooMuch> {
    let whole: Vec<u8> = files.iter().flat_map(|file| file.bytes).copied().collect();
    if whole.len() > MOST {
        return Err(TooMuch);
    }
    let too_much = |_| TooMuch;
    let blocks = lzx::pack(&whole, effort);
    let names: usize = files.iter().map(|file| 16 + file.name.len() + 1).sum();
    let (files_at, data_at) = (36 + 8, 36 + 8 + names);
    let data: usize = blocks.iter().map(|block| 8 + block.len()).sum();
    let size = u32::try_from(data_at + data).map_err(too_much)?;
    let mut out = Vec::with_capacity(data_at + data);
    out.extend(b"MSCF");
    for word in [0, size, 0, files_at as u32, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend([3, 1]);
    let (count, frames) = (u16::try_from(files.len()), u16::try_from(blocks.len()));
    let (count, frames) = (count.map_err(too_much)?, frames.map_err(too_much)?);
    for half in [1, count, 0, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    out.extend((data_at as u32).to_le_bytes());
    for half in [frames, LZX | lzx::WINDOW_BITS << 8] {
        out.extend(half.to_le_bytes());
    }
    let mut from = 0;
    for file in files {
        for word in [file.bytes.len() as u32, from] {
            out.extend(word.to_le_bytes());
        }
        for half in [0, DAY, 0, ATTRIBUTES] {
            out.extend(half.to_le_bytes());
        }
        out.extend(file.name.as_bytes());
        out.push(0);
        from += file.bytes.len() as u32;
    }
    for (block, plain) in blocks.iter().zip(whole.chunks(lzx::FRAME)) {
        let packed = u16::try_from(block.len()).map_err(too_much)?;
        let mut sizes = packed.to_le_bytes().to_vec();
        sizes.extend((plain.len() as u16).to_le_bytes());
        out.extend((sum(block) ^ sum(&sizes)).to_le_bytes());
        out.extend(sizes);
        out.extend(block);
    }
    Ok(out)
}

/// The sum of a block: its words, one over the other; of the last bytes the first stands highest.
fn sum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks_exact(4);
    let last = words.remainder().iter().fold(0, |last, byte| last << 8 | u32::from(*byte));
    words.fold(last, |sum, word| sum ^ word.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests;
