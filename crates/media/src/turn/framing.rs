//! ChannelData messages, and where one message ends in a stream (RFC 8656, section 12.4).

use crate::demux::Protocol;

/// Bytes of a stream that are kept for the rest of a message.
const MOST_KEPT: usize = 128 * 1024;

/// Reads ChannelData: the channel and what is in it.
pub(super) fn channel_data(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (&[a, b, c, d], rest) = bytes.split_first_chunk::<4>()?;
    let number = u16::from_be_bytes([a, b]);
    let data = rest.get(..usize::from(u16::from_be_bytes([c, d])))?;
    (0x4000..0x5000).contains(&number).then_some((number, data))
}

/// Writes ChannelData. In a stream it is filled up to four bytes.
pub(super) fn frame(number: u16, bytes: &[u8], stream: bool) -> Option<Vec<u8>> {
    let length = u16::try_from(bytes.len()).ok()?;
    let mut out = Vec::with_capacity(bytes.len() + 8);
    out.extend(number.to_be_bytes());
    out.extend(length.to_be_bytes());
    out.extend(bytes);
    if stream {
        out.resize(out.len().next_multiple_of(4), 0);
    }
    Some(out)
}

/// The messages of a stream.
#[derive(Debug, Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    broken: bool,
}

impl Frames {
    /// Takes more of the stream. `false`: it makes no sense any more.
    pub fn add(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend(bytes);
        self.broken |= self.bytes.len() > MOST_KEPT;
        !self.broken
    }

    /// The next message that is whole.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        let &[a, _, c, d] = self.bytes.first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([c, d]));
        let whole = match Protocol::of(&[a]) {
            Protocol::Stun => 20 + length,
            Protocol::Channel => (4 + length).next_multiple_of(4),
            _ => {
                self.broken = true;
                return None;
            }
        };
        let frame = self.bytes.get(..whole)?.to_vec();
        self.bytes.drain(..whole);
        Some(frame)
    }
}
