//! Bits in words of sixteen, the highest first, the words little-endian.

/// Collects bits.
#[derive(Default)]
pub struct Bits {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl Bits {
    /// Adds the lowest `count` bits of `value`, 32 at most.
    pub fn put(&mut self, value: u32, count: u32) {
        self.held = self.held << count | u64::from(value) & ((1 << count) - 1);
        self.count += count;
        while self.count >= 16 {
            self.count -= 16;
            self.bytes.extend(((self.held >> self.count) as u16).to_le_bytes());
        }
    }

    /// Fills the word that was begun, and gives all since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put(0, 16 - self.count);
        }
        std::mem::take(&mut self.bytes)
    }
}
