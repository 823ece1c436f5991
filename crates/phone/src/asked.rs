//! Numbers out of links that other programs open: asked first, dialled once the phone is connected.

use std::time::{Duration, Instant};

use crate::AskedView;
use crate::target::{Target, TargetInvalid};

/// Schemes of links that dial: RFC 3966, RFC 3261 (section 19.1), and what the first softphones made up.
const SCHEMES: [&str; 4] = ["tel", "sip", "sips", "callto"];
/// Longer links are nobody's number.
const LONGEST: usize = 512;
/// How long after the user agreed a number is still what he wants.
const HOLDS: Duration = Duration::from_secs(600);

/// The one number that is asked about, or waits for the phone to be connected. A later one takes its place.
#[derive(Debug, Default)]
pub(crate) struct Asked(Option<Asking>);

#[derive(Debug)]
struct Asking {
    target: Target,
    agreed: Option<Instant>,
}

impl Asked {
    /// Takes a link. Gives what is to be dialled at once: where the user has said `always`, the phone is
    /// `connected`, and it is no more than a number or an address.
    ///
    /// # Errors
    /// There is nothing in it that can be dialled.
    pub(crate) fn take(
        &mut self,
        link: &str,
        always: bool,
        connected: bool,
        now: Instant,
    ) -> Result<Option<Target>, TargetInvalid> {
        let target = target_of(link)?;
        let agreed = (always && is_plain(&target)).then_some(now);
        self.0 = Some(Asking { target, agreed });
        Ok(if connected { self.connected(now) } else { None })
    }

    /// The user has agreed. Gives what is to be dialled at once.
    pub(crate) fn agree(&mut self, connected: bool, now: Instant) -> Option<Target> {
        self.0.as_mut()?.agreed = Some(now);
        if connected { self.connected(now) } else { None }
    }

    /// The phone is connected. Gives what waited for that; what waited too long is asked once more.
    pub(crate) fn connected(&mut self, now: Instant) -> Option<Target> {
        let agreed = self.0.as_ref()?.agreed?;
        if now.duration_since(agreed) > HOLDS {
            self.0.as_mut()?.agreed = None;
            return None;
        }
        self.0.take().map(|asking| asking.target)
    }

    /// Nothing is to be dialled.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }

    /// As the user sees it.
    pub(crate) fn view(&self) -> Option<AskedView> {
        self.0.as_ref().map(|Asking { target, agreed }| AskedView {
            target: target.shown(),
            waits: agreed.is_some(),
            plain: is_plain(target),
        })
    }
}

/// What a link would dial.
fn target_of(link: &str) -> Result<Target, TargetInvalid> {
    let link = link.trim();
    let scheme = link.split_once(':').map(|(scheme, _)| scheme).ok_or(TargetInvalid)?;
    if link.len() > LONGEST || !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return Err(TargetInvalid);
    }
    Target::parse(&decoded(link).ok_or(TargetInvalid)?)
}

/// With its percent-encoding (RFC 3986, section 2.1) undone.
fn decoded(text: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => digit(bytes.next()?)? * 16 + digit(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(plain).ok()
}

/// Whether it is no more than a number or an address. A star code may forward all calls to a stranger, and digits
/// behind a number may press anything: such is asked about every time.
fn is_plain(target: &Target) -> bool {
    let user = match target {
        Target::Number(user) | Target::Address { user, .. } => user,
    };
    user.chars().all(|c| c.is_ascii_alphanumeric() || "+-_.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(link: &str) -> Option<AskedView> {
        let mut asked = Asked::default();
        asked.take(link, false, true, Instant::now()).ok()?;
        asked.view()
    }

    #[test]
    fn every_scheme_is_asked_about_in_any_notation() {
        for (link, target) in [
            ("tel:+1-201-555-0123", "+12015550123"),
            ("TEL:%2B49%20(30)%2090-18%2020", "+4930901820"),
            ("callto:102", "102"),
            ("callto://102", "102"),
            ("sip:bob@test.io;transport=tcp?Subject=x", "bob@test.io"),
            ("sips:102", "102"),
        ] {
            let view = taken(link).unwrap_or_else(|| panic!("{link} was refused"));
            assert_eq!((view.target.as_str(), view.waits, view.plain), (target, false, true), "{link}");
        }
    }

    #[test]
    fn nothing_else_is_a_number() {
        let long = format!("tel:{}", "1".repeat(LONGEST));
        for link in [
            "",
            "tel:",
            "tel",
            "102",
            "https://test.io",
            "javascript:alert(1)",
            "tel:%0d%0aVia:x",
            "tel:%zz",
            "tel:%4",
            "sip:a:b@c",
            "sip:<b@c>",
            "sip:%ff@c",
            "mailto:102@test.io",
            &long,
        ] {
            assert_eq!(taken(link), None, "{link:?}");
        }
    }

    #[test]
    fn it_is_dialled_only_once_the_user_agrees() {
        let (mut asked, now) = (Asked::default(), Instant::now());
        assert_eq!(asked.take("tel:102", false, true, now), Ok(None));
        assert_eq!(asked.connected(now), None);
        assert_eq!(asked.agree(true, now), Some(Target::Number("102".into())));
        assert_eq!((asked.view(), asked.agree(true, now)), (None, None));
    }

    #[test]
    fn it_waits_for_the_phone_to_be_connected_but_not_for_ever() {
        let (mut asked, now) = (Asked::default(), Instant::now());
        assert_eq!(asked.take("tel:102", true, false, now), Ok(None));
        assert!(asked.view().is_some_and(|view| view.waits));
        assert_eq!(asked.connected(now + HOLDS + Duration::from_secs(1)), None);
        assert!(asked.view().is_some_and(|view| !view.waits), "it is asked once more");
        assert_eq!(asked.agree(false, now), None);
        assert_eq!(asked.connected(now + HOLDS), Some(Target::Number("102".into())));
    }

    #[test]
    fn codes_and_digits_behind_a_number_are_asked_about_whatever_was_allowed() {
        for link in ["tel:*72900", "tel:%2321%23", "tel:102,,1", "callto:*11"] {
            let mut asked = Asked::default();
            assert_eq!(asked.take(link, true, true, Instant::now()), Ok(None), "{link}");
            assert!(asked.view().is_some_and(|view| !view.plain && !view.waits), "{link}");
        }
        let now = Instant::now();
        assert!(Asked::default().take("tel:102", true, true, now).is_ok_and(|dialled| dialled.is_some()));
    }
}
