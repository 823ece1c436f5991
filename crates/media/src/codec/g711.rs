//! G.711 (ITU-T G.711, RFC 3551 section 4.5.14), with concealment, between 8 kHz on the wire and 48 kHz.

use super::CodecError;
use super::conceal::Concealer;
use super::resample::{Band, Down, Up};

/// 48 kHz over 8 kHz.
const RATIO: usize = Band::Narrow.ratio();
/// Longest sound taken in one packet: 120 ms.
const MAX_BYTES: usize = 960;

/// Which of the two laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// µ-law: North America and Japan.
    Mu,
    /// A-law: everywhere else.
    A,
}

impl Law {
    fn encode(self, sample: i16) -> u8 {
        match self {
            Law::Mu => mu_encode(sample),
            Law::A => a_encode(sample),
        }
    }

    /// The sample that a code stands for.
    pub fn decode(self, code: u8) -> i16 {
        match self {
            Law::Mu => mu_decode(code),
            Law::A => a_decode(code),
        }
    }
}

fn mu_encode(sample: i16) -> u8 {
    const BIAS: i32 = 0x84;
    let magnitude = i32::from(sample).abs().min(32_635) + BIAS;
    // The bias makes bit 7 the lowest leading bit.
    let segment = 24 - magnitude.leading_zeros();
    let step = (magnitude >> (segment + 3)) & 0x0f;
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(sign | (segment as u8) << 4 | step as u8)
}

fn mu_decode(code: u8) -> i16 {
    let code = !code;
    let magnitude = (((i16::from(code & 0x0f) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
    if code & 0x80 != 0 { -magnitude } else { magnitude }
}

fn a_encode(sample: i16) -> u8 {
    // Negative values are coded by their ones' complement, so that -1 and 0 are neighbours.
    let (sign, magnitude) = if sample < 0 { (0, !sample >> 4) } else { (0x80, sample >> 4) };
    // Twelve bits are left; the sixteen values of segment 0 and those of segment 1 have the same step.
    let segment = 12u32.saturating_sub(magnitude.leading_zeros()) as u8;
    let step = (magnitude >> segment.saturating_sub(1)) & 0x0f;
    (sign | segment << 4 | step as u8) ^ 0x55
}

fn a_decode(code: u8) -> i16 {
    let code = code ^ 0x55;
    let step = i16::from(code & 0x0f) << 4;
    let magnitude = match (code >> 4) & 7 {
        0 => step + 8,
        segment => (step + 0x108) << (segment - 1),
    };
    if code & 0x80 != 0 { magnitude } else { -magnitude }
}

/// 48 kHz sound to G.711.
pub(crate) struct Encoder {
    law: Law,
    down: Down,
    narrow: Vec<i16>,
}

impl Encoder {
    pub fn new(law: Law) -> Self {
        Self { law, down: Down::new(Band::Narrow), narrow: Vec::new() }
    }

    /// Appends the codes for this sound (a multiple of 6 samples) to `out`.
    pub fn encode(&mut self, sound: &[i16], out: &mut Vec<u8>) {
        self.narrow.clear();
        self.down.run(sound, &mut self.narrow);
        out.extend(self.narrow.iter().map(|sample| self.law.encode(*sample)));
    }
}

/// G.711 to 48 kHz sound.
pub(crate) struct Decoder {
    law: Law,
    up: Up,
    concealer: Concealer,
    narrow: Vec<i16>,
}

impl Decoder {
    pub fn new(law: Law) -> Self {
        Self { law, up: Up::new(Band::Narrow), concealer: Concealer::new(Band::Narrow), narrow: Vec::new() }
    }

    /// Samples at 48 kHz in a packet.
    pub fn samples(packet: &[u8]) -> Option<usize> {
        (1..=MAX_BYTES).contains(&packet.len()).then_some(packet.len() * RATIO)
    }

    /// Decodes a packet; `out` has the length that [`samples`](Self::samples) gave.
    pub fn decode(&mut self, packet: &[u8], out: &mut [i16]) -> Result<(), CodecError> {
        if Self::samples(packet) != Some(out.len()) {
            return Err(CodecError::Malformed);
        }
        self.narrow.clear();
        self.narrow.extend(packet.iter().map(|code| self.law.decode(*code)));
        self.concealer.hear(&mut self.narrow);
        self.up.run(&self.narrow, out);
        Ok(())
    }

    /// Invents the sound that is missing; `out` is a multiple of 6 samples long.
    pub fn conceal(&mut self, out: &mut [i16]) {
        self.narrow.clear();
        self.narrow.resize(out.len() / RATIO, 0);
        self.concealer.conceal(&mut self.narrow, 0);
        self.up.run(&self.narrow, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_recommendation() {
        // G.711 tables 1a to 2b: extremes and the codes around zero.
        assert_eq!((mu_encode(0), mu_encode(32_767), mu_encode(-32_768)), (0xff, 0x80, 0x00));
        assert_eq!((mu_decode(0xff), mu_decode(0x80), mu_decode(0x00)), (0, 32_124, -32_124));
        assert_eq!(
            (a_encode(0), a_encode(-1), a_encode(32_767), a_encode(-32_768)),
            (0xd5, 0x55, 0xaa, 0x2a)
        );
        assert_eq!((a_decode(0xd5), a_decode(0x55), a_decode(0xaa)), (8, -8, 32_256));
    }

    #[test]
    fn every_code_comes_back() {
        for law in [Law::Mu, Law::A] {
            for code in 0..=255 {
                // Negative zero of µ-law is heard as zero.
                let expected = if law == Law::Mu && code == 0x7f { 0xff } else { code };
                assert_eq!(law.encode(law.decode(code)), expected, "{law:?} {code:#x}");
            }
        }
    }

    #[test]
    fn error_is_within_half_a_step() {
        for law in [Law::Mu, Law::A] {
            for sample in (-32_000..32_000).step_by(7) {
                let error = (i32::from(law.decode(law.encode(sample))) - i32::from(sample)).abs();
                assert!(error <= i32::from(sample).abs() / 32 + 16, "{law:?} {sample}: {error}");
            }
        }
    }
}
