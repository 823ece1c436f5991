//! Still pictures: files, the clipboard, the screen. They are looked at thoroughly.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use devices::Clipped;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sign_in::SignInCode;
use sign_in::qr::{self, Luma, Reader};

use super::{Seen, camera};
use crate::{Code, Problem};

/// Looks for a code in a picture file, base64.
pub(super) fn file(base64: &SecretString) -> Seen {
    let bytes = match BASE64_STANDARD.decode(base64.expose_secret()) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(_) => return Seen::Other(Code::PictureUnreadable.into()),
    };
    match qr::picture(&bytes) {
        Ok(picture) => in_picture(picture.luma()),
        Err(error) => Seen::Other(Problem::new(Code::PictureUnreadable, error.to_string())),
    }
}

/// Looks for a code in the clipboard: a picture of it, or its text.
pub(super) fn clipboard() -> Seen {
    match devices::clipboard() {
        Ok(Clipped::Text(text)) => judge(&[text]).unwrap_or(Seen::Other(Code::NoCodeFound.into())),
        Ok(Clipped::Picture(frame)) => in_picture(camera::luma(&frame)),
        Ok(Clipped::Nothing) => Seen::Other(Code::ClipboardEmpty.into()),
        Err(error) => Seen::Other(Problem::new(Code::ClipboardEmpty, error.to_string())),
    }
}

/// Looks for a code on all screens.
pub(super) fn screen() -> Seen {
    let screens = match devices::screens() {
        Ok(screens) => screens,
        Err(error) => return Seen::Other(Problem::new(Code::ScreenUnavailable, error.to_string())),
    };
    let mut other = None;
    for screen in &screens {
        match in_picture(camera::luma(screen)) {
            found @ Seen::Found(_) => return found,
            Seen::Other(problem) if problem.code == Code::NotASignInCode => other = Some(problem),
            _ => {}
        }
    }
    Seen::Other(other.unwrap_or(Code::NoCodeFound.into()))
}

/// Looks for a code in a picture.
pub(super) fn in_picture(picture: Luma<'_>) -> Seen {
    judge(&Reader::new().read_still(picture)).unwrap_or(Seen::Other(Code::NoCodeFound.into()))
}

/// What texts of QR codes mean: the first sign-in code among them; nothing where there are none.
pub(super) fn judge(texts: &[SecretString]) -> Option<Seen> {
    let mut other = None;
    for text in texts {
        match SignInCode::parse(text.expose_secret()) {
            Ok(code) => return Some(Seen::Found(Box::new(code))),
            Err(not) => other = Some(Seen::Other(Problem::new(Code::NotASignInCode, not.to_string()))),
        }
    }
    other
}
