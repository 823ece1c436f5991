use std::fmt;

/// A text that is no sign-in code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a sign-in code: it seems to be {seems}")]
pub struct NotASignInCode {
    /// What it seems to be.
    pub seems: Seems,
}

impl From<Seems> for NotASignInCode {
    fn from(seems: Seems) -> Self {
        Self { seems }
    }
}

/// What a text seems to be. `Display` says it in English; nothing of the text is in it but a link's host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seems {
    /// A web address.
    Link {
        /// Its host.
        host: String,
    },
    /// The key of a wireless network.
    Wifi,
    /// Somebody's address card or e-mail address.
    Contact,
    /// The secret of an authenticator app.
    Otp,
    /// A telephone number.
    PhoneNumber,
    /// Some other text.
    Text,
    /// Nothing.
    Empty,
    /// More than a QR code can hold.
    TooLong,
    /// A sign-in code with a fault.
    BrokenCode {
        /// The fault, by its place; never a value.
        what: String,
    },
    /// The picture on the sign-in page of a PortSIP app, which stands for its scan button.
    DevicePlaceholder,
}

impl fmt::Display for Seems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link { host } => return write!(f, "a link to {host}"),
            Self::Wifi => "the key of a wireless network",
            Self::Contact => "a contact",
            Self::Otp => "the secret of an authenticator app",
            Self::PhoneNumber => "a telephone number",
            Self::Text => "some other text",
            Self::Empty => "empty",
            Self::TooLong => "too long for a QR code",
            Self::BrokenCode { what } => return write!(f, "a broken sign-in code ({what})"),
            Self::DevicePlaceholder => "the scan button of another app",
        })
    }
}

impl Seems {
    /// What a text that is no JSON object seems to be.
    pub(super) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self::Empty;
        }
        let upper: String = text.chars().take(16).collect::<String>().to_ascii_uppercase();
        let begins = |with: &[&str]| with.iter().any(|with| upper.starts_with(with));
        if begins(&["WIFI:"]) {
            Self::Wifi
        } else if begins(&["BEGIN:VCARD", "MECARD:", "BIZCARD:", "MAILTO:", "MATMSG:"]) {
            Self::Contact
        } else if begins(&["OTPAUTH:", "OTPAUTH-MIGRA"]) {
            Self::Otp
        } else if begins(&["TEL:", "SMS:", "SMSTO:"]) || is_number(text) {
            Self::PhoneNumber
        } else if begins(&["{"]) && PARTS.iter().any(|part| text.contains(part)) {
            Self::BrokenCode { what: "it is cut off or damaged".into() }
        } else {
            host(text).map_or(Self::Text, |host| Self::Link { host })
        }
    }
}

/// Longest host there is, bytes (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 253;

/// What stands in a sign-in code, even in one that is cut off.
const PARTS: [&str; 3] = ["\"path\"", "\"info\"", "\"extension_number\""];

/// What people write as a telephone number, at least six digits of it.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"+-() ./".contains(&byte))
        && text.bytes().filter(u8::is_ascii_digit).count() >= 6
}

/// Host of a web address, with or without its scheme.
fn host(text: &str) -> Option<String> {
    let begins =
        |prefix: &str| text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    let url = if begins("http://") || begins("https://") {
        url::Url::parse(text)
    } else if begins("www.") && !text.contains(char::is_whitespace) {
        url::Url::parse(&format!("https://{text}"))
    } else {
        return None;
    };
    url.ok()?.host_str().filter(|host| host.len() <= LONGEST_HOST).map(str::to_owned)
}
