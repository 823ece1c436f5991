//! What lies in the system's clipboard.

use secrecy::SecretString;
use zeroize::{Zeroize, Zeroizing};

use crate::Frame;

/// What was copied.
#[derive(Debug)]
pub enum Clipped {
    /// A picture.
    Picture(Frame),
    /// A text, which may be a password or a code.
    Text(SecretString),
    /// Nothing, or nothing that can be used.
    Nothing,
}

/// The clipboard cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the clipboard cannot be read: {cause}")]
pub struct ClipboardError {
    /// What the system said.
    pub cause: String,
}

/// Reads the clipboard: its picture, or else its text. Blocks while the program that copied is asked.
///
/// # Errors
/// There is no clipboard, or the program that copied does not answer.
pub fn clipboard() -> Result<Clipped, ClipboardError> {
    let mut clipboard = arboard::Clipboard::new().map_err(told)?;
    match clipboard.get_image() {
        Ok(mut picture) => {
            let sides = (u32::try_from(picture.width), u32::try_from(picture.height));
            let frame = match sides {
                (Ok(width), Ok(height)) => Frame::of_rgba(width, height, &picture.bytes),
                _ => None,
            };
            picture.bytes.to_mut().zeroize();
            return Ok(frame.map_or(Clipped::Nothing, Clipped::Picture));
        }
        Err(arboard::Error::ContentNotAvailable | arboard::Error::ConversionFailure) => {}
        Err(why) => return Err(told(why)),
    }
    match clipboard.get_text().map(Zeroizing::new) {
        Ok(text) if text.is_empty() => Ok(Clipped::Nothing),
        Ok(text) => Ok(Clipped::Text(SecretString::from(text.as_str()))),
        Err(arboard::Error::ContentNotAvailable | arboard::Error::ConversionFailure) => Ok(Clipped::Nothing),
        Err(why) => Err(told(why)),
    }
}

fn told(why: arboard::Error) -> ClipboardError {
    ClipboardError { cause: why.to_string() }
}
