//! WAV files as PBXs make them: PCM, and G.711 as it came in. Read as hostile until parsed.

use std::sync::Arc;
use std::time::Duration;

use media::Law;

/// Rates that are no nonsense, samples a second.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;
/// Parts of the picture of a sound.
const PEAKS: usize = 96;

/// A sound, mono.
#[derive(Clone)]
pub(crate) struct Wav {
    /// Samples a second.
    pub(crate) rate: u32,
    /// The samples.
    pub(crate) samples: Arc<[i16]>,
}

/// The file is no WAV file, is broken, or holds sound in a way that is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a WAV file of PCM or G.711")]
pub(crate) struct Unreadable;

/// How a sample is written.
#[derive(Clone, Copy)]
enum Form {
    Pcm(usize),
    G711(Law),
}

impl Wav {
    /// Reads a file; channels are mixed.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let rest = bytes.strip_prefix(b"RIFF").ok_or(Unreadable)?;
        let mut rest = rest.get(4..).and_then(|rest| rest.strip_prefix(b"WAVE")).ok_or(Unreadable)?;
        let mut format = None;
        while let Some((name, after)) = rest.split_first_chunk::<4>() {
            let (size, after) = after.split_first_chunk::<4>().ok_or(Unreadable)?;
            let size = u32::from_le_bytes(*size) as usize;
            // A file that was not finished says no true length.
            let body = after.get(..size).unwrap_or(after);
            match name {
                b"fmt " => format = Some(Format::read(body).ok_or(Unreadable)?),
                b"data" => {
                    let body = if size == 0 { after } else { body };
                    return format.map(|format| format.sound(body)).ok_or(Unreadable);
                }
                _ => {}
            }
            rest = after.get(size.saturating_add(size % 2)..).unwrap_or_default();
        }
        Err(Unreadable)
    }

    /// As a file: PCM, 16 bit, mono.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let size = u32::try_from(2 * self.samples.len()).unwrap_or(u32::MAX - 36);
        let mut wav = Vec::with_capacity(44 + 2 * self.samples.len());
        wav.extend(b"RIFF");
        wav.extend((36 + size).to_le_bytes());
        wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        wav.extend(self.rate.to_le_bytes());
        wav.extend((2 * self.rate).to_le_bytes());
        wav.extend(b"\x02\0\x10\0data");
        wav.extend(size.to_le_bytes());
        self.samples.iter().for_each(|sample| wav.extend(sample.to_le_bytes()));
        wav
    }

    /// How long it is.
    pub(crate) fn length(&self) -> Duration {
        Duration::from_millis(self.samples.len() as u64 * 1_000 / u64::from(self.rate))
    }

    /// How loud its parts are, 0 to 100.
    pub(crate) fn peaks(&self) -> Vec<u8> {
        let part = self.samples.len().div_ceil(PEAKS).max(1);
        let peak = |part: &[i16]| part.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        let peaks: Vec<u16> = self.samples.chunks(part).map(peak).collect();
        let most = peaks.iter().copied().max().unwrap_or(0).max(1);
        let level = |peak: u16| u8::try_from(u32::from(peak) * 100 / u32::from(most)).unwrap_or(100);
        peaks.into_iter().map(level).collect()
    }
}

struct Format {
    form: Form,
    channels: usize,
    rate: u32,
}

impl Format {
    fn read(body: &[u8]) -> Option<Self> {
        let word = |at: usize| body.get(at..)?.first_chunk::<2>().map(|bytes| u16::from_le_bytes(*bytes));
        let (mut code, bits) = (word(0)?, word(14)?);
        if code == 0xfffe {
            code = word(24)?;
        }
        let form = match (code, bits) {
            (1, 8 | 16 | 24 | 32) => Form::Pcm(usize::from(bits) / 8),
            (6, 8) => Form::G711(Law::A),
            (7, 8) => Form::G711(Law::Mu),
            _ => return None,
        };
        let rate = u32::from_le_bytes(*body.get(4..)?.first_chunk()?);
        let channels = usize::from(word(2)?);
        ((1..=8).contains(&channels) && RATES.contains(&rate)).then_some(Self { form, channels, rate })
    }

    fn sound(&self, body: &[u8]) -> Wav {
        let bytes = match self.form {
            Form::Pcm(bytes) => bytes,
            Form::G711(_) => 1,
        };
        let mixed = |frame: &[u8]| {
            let sum: i32 = frame.chunks_exact(bytes).map(|sample| i32::from(self.sample(sample))).sum();
            // The mean of 16-bit samples is one.
            (sum / self.channels as i32) as i16
        };
        Wav { rate: self.rate, samples: body.chunks_exact(bytes * self.channels).map(mixed).collect() }
    }

    /// One sample; of wider ones the upper 16 bits.
    fn sample(&self, bytes: &[u8]) -> i16 {
        match (self.form, bytes) {
            (Form::G711(law), [code, ..]) => law.decode(*code),
            (Form::Pcm(1), [byte]) => (i16::from(*byte) - 128) << 8,
            (Form::Pcm(_), [.., low, high]) => i16::from_le_bytes([*low, *high]),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(code: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let mut wav = b"RIFF\0\0\0\0WAVEjunk\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        wav.extend(code.to_le_bytes());
        wav.extend(channels.to_le_bytes());
        wav.extend(rate.to_le_bytes());
        wav.extend([0; 6]);
        wav.extend(bits.to_le_bytes());
        wav.extend(b"data");
        wav.extend((data.len() as u32).to_le_bytes());
        wav.extend(data);
        wav
    }

    fn samples(wav: &[u8]) -> Result<Vec<i16>, Unreadable> {
        Wav::read(wav).map(|wav| wav.samples.to_vec())
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(samples(&file(1, 1, 8_000, 16, &[1, 0, 0xff, 0xff])), Ok(vec![1, -1]));
        assert_eq!(samples(&file(1, 2, 8_000, 16, &[10, 0, 20, 0])), Ok(vec![15]));
        assert_eq!(samples(&file(1, 1, 8_000, 8, &[0, 128, 255])), Ok(vec![-32_768, 0, 32_512]));
        assert_eq!(samples(&file(1, 1, 8_000, 24, &[9, 1, 2])), Ok(vec![0x0201]));
        assert_eq!(samples(&file(7, 1, 8_000, 8, &[0xff])), Ok(vec![0]));
        assert_eq!(samples(&file(6, 1, 8_000, 8, &[0xd5])), Ok(vec![8]));
        let hound = {
            let mut bytes = std::io::Cursor::new(Vec::new());
            let spec = hound::WavSpec {
                channels: 1,
                sample_rate: 16_000,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
            (0..16_000).for_each(|n| writer.write_sample(n as i16).unwrap());
            writer.finalize().unwrap();
            Wav::read(&bytes.into_inner()).unwrap()
        };
        assert_eq!((hound.length(), hound.samples.get(7)), (Duration::from_secs(1), Some(&7)));
        assert_eq!((hound.peaks().len(), hound.peaks().last()), (96, Some(&100)));
    }

    #[test]
    fn what_is_written_is_read() {
        let wav = Wav { rate: 8_000, samples: vec![1, -2, 300].into() };
        let mut reader = hound::WavReader::new(std::io::Cursor::new(wav.to_bytes())).unwrap();
        assert_eq!((reader.spec().sample_rate, reader.spec().channels), (8_000, 1));
        assert_eq!(reader.samples::<i16>().map(Result::unwrap).collect::<Vec<_>>(), [1, -2, 300]);
        assert_eq!(samples(&wav.to_bytes()), Ok(vec![1, -2, 300]));
    }

    #[test]
    fn what_was_not_finished_is_read_to_its_end_and_nonsense_is_refused() {
        let mut unfinished = file(1, 1, 8_000, 16, &[1, 0, 2, 0, 3]);
        let at = unfinished.len() - 9;
        unfinished[at..at + 4].fill(0xff);
        assert_eq!(samples(&unfinished), Ok(vec![1, 2]));
        for bad in [
            file(2, 1, 8_000, 16, &[]),
            file(1, 0, 8_000, 16, &[]),
            file(1, 1, 0, 16, &[]),
            file(1, 1, 8_000, 12, &[]),
            b"RIFF\0\0\0\0WAVE".to_vec(),
            b"<html>".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(samples(&bad), Err(Unreadable));
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in any::<Vec<u8>>(), cut in 0..60_usize, data in any::<Vec<u8>>()) {
            let _ = Wav::read(&bytes).map(|wav| (wav.length(), wav.peaks()));
            let whole = file(1, 2, 8_000, 24, &data);
            let _ = Wav::read(whole.get(..cut).unwrap_or(&whole)).map(|wav| wav.peaks());
        }
    }
}
