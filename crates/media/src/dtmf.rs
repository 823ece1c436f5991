//! Digits as telephone-events (RFC 4733).

/// A DTMF digit (RFC 4733, section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digit(u8);

const DIGITS: &str = "0123456789*#ABCD";

impl Digit {
    /// `0`–`9`, `*`, `#`, `A`–`D` (also in lower case).
    pub fn new(digit: char) -> Option<Digit> {
        let digit = digit.to_ascii_uppercase();
        DIGITS.chars().position(|d| d == digit).and_then(|code| u8::try_from(code).ok()).map(Digit)
    }

    /// The digit as it is dialled.
    pub fn as_char(self) -> char {
        DIGITS.chars().nth(usize::from(self.0)).unwrap_or('?')
    }
}

/// Power of the tone, -10 dBm0.
const VOLUME: u8 = 10;

/// Payload of an event packet (RFC 4733, section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    pub digit: Digit,
    pub end: bool,
    /// In units of the clock rate of its payload type.
    pub duration: u16,
}

impl Event {
    /// Reads the payload; other events than digits are not read.
    pub fn parse(payload: &[u8]) -> Option<Event> {
        let [code @ 0..=15, flags, d0, d1] = *payload.first_chunk()? else { return None };
        Some(Event { digit: Digit(code), end: flags & 0x80 != 0, duration: u16::from_be_bytes([d0, d1]) })
    }

    /// Appends the payload to `out`.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.digit.0, u8::from(self.end) << 7 | VOLUME]);
        out.extend_from_slice(&self.duration.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_sixteen() {
        for digit in "0123456789*#ABCD".chars() {
            assert_eq!(Digit::new(digit).unwrap().as_char(), digit);
        }
        assert_eq!(Digit::new('b'), Digit::new('B'));
        assert_eq!(Digit::new('+'), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let event = Event { digit: Digit::new('#').unwrap(), end: true, duration: 4800 };
        let mut bytes = Vec::new();
        event.write(&mut bytes);
        assert_eq!(bytes, [11, 0x8a, 0x12, 0xc0]);
        assert_eq!(Event::parse(&bytes), Some(event));
        assert_eq!(Event::parse(&[16, 0, 0, 0]), None, "flash is no digit");
        assert_eq!(Event::parse(&[1, 0, 0]), None);
    }
}
