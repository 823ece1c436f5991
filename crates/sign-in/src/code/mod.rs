//! What a sign-in QR code says.
//!
//! Two kinds are known: the user code of a v22 PBX, which names a profile file and the ways to the PBX, and the
//! legacy code, which holds the extension's password itself. Neither is documented, so every plausible form is
//! read. A code is a credential: nothing of it is shown by `Debug`.

mod legacy;
mod seems;
mod user;

use serde_json::{Map, Value};

pub use legacy::{LegacyCode, LegacyTransport};
pub use seems::{NotASignInCode, Seems};
pub use user::{UserCode, Way, WayKind};

/// Longest text looked into, bytes; a QR code holds less than 3 KiB.
const LONGEST: usize = 8 * 1024;

/// A code to sign in with.
#[derive(Debug, Clone)]
pub enum SignInCode {
    /// User code of a v22 PBX.
    User(UserCode),
    /// Code of an older PBX.
    Legacy(LegacyCode),
}

impl SignInCode {
    /// Reads the text of a QR code.
    ///
    /// # Errors
    /// [`NotASignInCode`] with what it seems to be instead.
    pub fn parse(text: &str) -> Result<Self, NotASignInCode> {
        if text.len() > LONGEST {
            return Err(Seems::TooLong.into());
        }
        let text = text.trim_start_matches('\u{feff}').trim();
        let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(text) else {
            return Err(Seems::of(text).into());
        };
        let read = Self::read(&fields);
        fields.values_mut().for_each(wipe);
        read
    }

    fn read(fields: &Map<String, Value>) -> Result<Self, NotASignInCode> {
        if field(fields, &["qrlogin"]).is_some() {
            return Err(Seems::DevicePlaceholder.into());
        }
        if field(fields, &user::PATH).is_some() || field(fields, &["info"]).is_some() {
            return UserCode::read(fields).map(Self::User);
        }
        if field(fields, &legacy::NUMBER).is_some() || field(fields, &legacy::PASSWORD).is_some() {
            return LegacyCode::read(fields).map(Self::Legacy);
        }
        Err(Seems::Text.into())
    }
}

/// The first field of these names that is there, by name without case and separators.
fn field<'a>(fields: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    let named = |wanted: &str| {
        let mut found = fields.iter().filter(|(name, value)| folded(name) == wanted && !value.is_null());
        found.next().map(|(_, value)| value)
    };
    names.iter().find_map(|name| named(name))
}

/// A text or a whole number as text; `None` where absent or empty.
fn text(fields: &Map<String, Value>, names: &[&str], place: &str) -> Result<Option<String>, NotASignInCode> {
    match field(fields, names) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
        Some(_) => Err(broken(format!("{place} is not text"))),
    }
}

/// A port, out of a text or a number.
fn port(text: &str) -> Option<u16> {
    // `u16::from_str` takes a leading plus sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

fn broken(what: impl Into<String>) -> NotASignInCode {
    Seems::BrokenCode { what: what.into() }.into()
}

fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn wipe(value: &mut Value) {
    use secrecy::zeroize::Zeroize;
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
