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
