//! G.722 at 64 kbit/s (ITU-T G.722; RFC 3551, section 4.5.2), with concealment, between 16 kHz on the wire and
//! 48 kHz. Its RTP clock runs at half the rate of its samples: 8 kHz.

mod band;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod foreign;
mod qmf;

use self::band::Bands;
use self::qmf::{Analysis, Synthesis};
use super::CodecError;
use super::conceal::Concealer;
use super::resample::{Band, Down, Up};

/// 48 kHz over 16 kHz.
const RATIO: usize = Band::Wide.ratio();
/// Samples of one byte at 48 kHz.
const PER_BYTE: usize = 2 * RATIO;
/// Samples by which sound is heard after it was coded: the delay of both filters.
const AHEAD: usize = 22;
/// Longest sound taken in one packet: 120 ms.
const MAX_BYTES: usize = 960;

/// 16 kHz sound to bytes.
pub(super) struct Coder {
    analysis: Analysis,
    bands: Bands,
}

impl Coder {
    pub fn new() -> Self {
        Self { analysis: Analysis::new(), bands: Bands::new() }
    }

    /// Appends one byte for every two samples.
    pub fn run(&mut self, sound: &[i16], out: &mut Vec<u8>) {
        out.extend(sound.as_chunks::<2>().0.iter().map(|two| {
            let (low, high) = self.analysis.run(*two);
            self.bands.encode(low, high)
        }));
    }
}

/// Bytes to 16 kHz sound.
pub(super) struct Restorer {
    synthesis: Synthesis,
    bands: Bands,
    /// Takes invented sound apart, so that the bands follow it.
    analysis: Analysis,
    /// It is ahead of what was heard.
    ahead: bool,
}

impl Restorer {
    pub fn new() -> Self {
        Self { synthesis: Synthesis::new(), bands: Bands::new(), analysis: Analysis::new(), ahead: false }
    }

    /// Appends two samples for every byte.
    pub fn run(&mut self, bytes: &[u8], out: &mut Vec<i16>) {
        self.ahead = false;
        for byte in bytes {
            let (low, high) = self.bands.decode(*byte);
            let two = self.synthesis.run(low, high);
            self.analysis.run(two);
            out.extend(two);
        }
    }

    /// Goes on as if it had decoded this sound, of which the last [`AHEAD`] samples are still to come: a predictor
    /// that has stood still while the voice went on takes long to find it again, and is heard doing so.
    pub fn follow(&mut self, sound: &[i16]) {
        let (known, new) = sound.as_chunks::<2>().0.split_at((AHEAD / 2).min(sound.len() / 2));
        if !std::mem::replace(&mut self.ahead, true) {
            for two in known {
                self.analysis.run(*two);
            }
        }
        for two in new {
            let (low, high) = self.analysis.run(*two);
            self.bands.encode(low, high);
            let (low, high) = self.bands.reconstructed();
            self.synthesis.run(low, high);
        }
    }
}

/// 48 kHz sound to G.722.
pub(crate) struct Encoder {
    down: Down,
    coder: Coder,
    wide: Vec<i16>,
}

impl Encoder {
    pub fn new() -> Self {
        Self { down: Down::new(Band::Wide), coder: Coder::new(), wide: Vec::new() }
    }

    /// Appends the bytes for this sound (a multiple of 6 samples) to `out`.
    pub fn encode(&mut self, sound: &[i16], out: &mut Vec<u8>) {
        self.wide.clear();
        self.down.run(sound, &mut self.wide);
        self.coder.run(&self.wide, out);
    }
}

/// G.722 to 48 kHz sound.
pub(crate) struct Decoder {
    restorer: Restorer,
    concealer: Concealer,
    up: Up,
    wide: Vec<i16>,
}

impl Decoder {
    pub fn new() -> Self {
        Self {
            restorer: Restorer::new(),
            concealer: Concealer::new(Band::Wide),
            up: Up::new(Band::Wide),
            wide: Vec::new(),
        }
    }

    /// Samples at 48 kHz in a packet.
    pub fn samples(packet: &[u8]) -> Option<usize> {
        (1..=MAX_BYTES).contains(&packet.len()).then_some(packet.len() * PER_BYTE)
    }

    /// Decodes a packet; `out` has the length that [`samples`](Self::samples) gave.
    pub fn decode(&mut self, packet: &[u8], out: &mut [i16]) -> Result<(), CodecError> {
        if Self::samples(packet) != Some(out.len()) {
            return Err(CodecError::Malformed);
        }
        self.wide.clear();
        self.restorer.run(packet, &mut self.wide);
        self.concealer.hear(&mut self.wide);
        self.up.run(&self.wide, out);
        Ok(())
    }

    /// Invents the sound that is missing; `out` is a multiple of 6 samples long.
    pub fn conceal(&mut self, out: &mut [i16]) {
        self.wide.clear();
        let samples = out.len() / RATIO;
        self.wide.resize(samples + AHEAD, 0);
        self.concealer.conceal(&mut self.wide, AHEAD);
        self.restorer.follow(&self.wide);
        self.wide.truncate(samples);
        self.up.run(&self.wide, out);
    }
}

#[cfg(test)]
mod tests;
