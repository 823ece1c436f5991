use super::g711::{self, Law};
use super::opus::{self, Settings};
use super::{Codec, CodecError, g722};
use crate::jitter::{Decoder, Span};

/// The encoder of whichever codec was negotiated: 48 kHz in, payload out.
pub(crate) enum VoiceEncoder {
    Opus(opus::Encoder),
    G722(Box<g722::Encoder>),
    G711(g711::Encoder),
}

impl VoiceEncoder {
    pub fn new(codec: Codec) -> Result<Self, CodecError> {
        Ok(match codec {
            Codec::Opus => VoiceEncoder::Opus(opus::Encoder::new()?),
            Codec::G722 => VoiceEncoder::G722(Box::new(g722::Encoder::new())),
            Codec::Pcmu => VoiceEncoder::G711(g711::Encoder::new(Law::Mu)),
            Codec::Pcma => VoiceEncoder::G711(g711::Encoder::new(Law::A)),
        })
    }

    /// Appends the payload for this sound to `out`.
    pub fn encode(&mut self, sound: &[i16], out: &mut Vec<u8>) -> Result<(), CodecError> {
        match self {
            VoiceEncoder::Opus(encoder) => encoder.encode(sound, out),
            VoiceEncoder::G722(encoder) => {
                encoder.encode(sound, out);
                Ok(())
            }
            VoiceEncoder::G711(encoder) => {
                encoder.encode(sound, out);
                Ok(())
            }
        }
    }

    /// Whether a payload of ours says nothing but that the voice pauses (DTX).
    pub fn is_pause(&self, payload: &[u8]) -> bool {
        matches!(self, VoiceEncoder::Opus(_)) && opus::is_pause(payload)
    }

    /// Speaks so from the next packet on, where the codec has a choice.
    pub fn configure(&mut self, settings: Settings) -> Result<(), CodecError> {
        match self {
            VoiceEncoder::Opus(encoder) => encoder.configure(settings),
            VoiceEncoder::G722(_) | VoiceEncoder::G711(_) => Ok(()),
        }
    }
}

/// The decoder of whichever codec arrives: payload in, 48 kHz out.
pub(crate) enum VoiceDecoder {
    Opus(opus::Decoder),
    G722(Box<g722::Decoder>),
    G711(Box<g711::Decoder>),
}

impl VoiceDecoder {
    pub fn new(codec: Codec) -> Result<Self, CodecError> {
        Ok(match codec {
            Codec::Opus => VoiceDecoder::Opus(opus::Decoder::new()?),
            Codec::G722 => VoiceDecoder::G722(Box::new(g722::Decoder::new())),
            Codec::Pcmu => VoiceDecoder::G711(Box::new(g711::Decoder::new(Law::Mu))),
            Codec::Pcma => VoiceDecoder::G711(Box::new(g711::Decoder::new(Law::A))),
        })
    }
}

impl Decoder for VoiceDecoder {
    fn samples(&self, payload: &[u8]) -> Option<usize> {
        match self {
            VoiceDecoder::Opus(_) => opus::Decoder::samples(payload),
            VoiceDecoder::G722(_) => g722::Decoder::samples(payload),
            VoiceDecoder::G711(_) => g711::Decoder::samples(payload),
        }
    }

    fn has_redundancy(&self, payload: &[u8]) -> bool {
        matches!(self, VoiceDecoder::Opus(_)) && opus::Decoder::has_redundancy(payload)
    }

    fn has_history(&mut self, payload: &[u8]) -> bool {
        match self {
            VoiceDecoder::Opus(decoder) => decoder.has_history(payload),
            VoiceDecoder::G722(_) | VoiceDecoder::G711(_) => false,
        }
    }

    fn read_history(&mut self, payload: &[u8], most: usize) -> Span {
        match self {
            VoiceDecoder::Opus(decoder) => decoder.read_history(payload, most),
            VoiceDecoder::G722(_) | VoiceDecoder::G711(_) => Span::default(),
        }
    }

    fn rebuild(&mut self, offset: usize, out: &mut [i16]) -> Result<(), CodecError> {
        match self {
            VoiceDecoder::Opus(decoder) => decoder.rebuild(offset, out),
            VoiceDecoder::G722(_) | VoiceDecoder::G711(_) => Err(CodecError::Malformed),
        }
    }

    fn is_pause(&self, payload: &[u8]) -> bool {
        matches!(self, VoiceDecoder::Opus(_)) && opus::is_pause(payload)
    }

    fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<(), CodecError> {
        match self {
            VoiceDecoder::Opus(decoder) => decoder.decode(payload, out),
            VoiceDecoder::G722(decoder) => decoder.decode(payload, out),
            VoiceDecoder::G711(decoder) => decoder.decode(payload, out),
        }
    }

    fn recover(&mut self, next: &[u8], out: &mut [i16]) -> Result<(), CodecError> {
        match self {
            VoiceDecoder::Opus(decoder) => decoder.recover(next, out),
            VoiceDecoder::G722(_) | VoiceDecoder::G711(_) => Err(CodecError::Malformed),
        }
    }

    fn conceal(&mut self, out: &mut [i16]) -> Result<(), CodecError> {
        match self {
            VoiceDecoder::Opus(decoder) => decoder.conceal(out),
            VoiceDecoder::G722(decoder) => {
                decoder.conceal(out);
                Ok(())
            }
            VoiceDecoder::G711(decoder) => {
                decoder.conceal(out);
                Ok(())
            }
        }
    }
}
