//! What a person dials, made into what an INVITE can carry.

use std::fmt;

/// The user part or SIP URI a call goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A number, extension or service code at the account's own domain.
    Number(String),
    /// A user at a domain, dialled in full.
    Address {
        /// User part.
        user: String,
        /// Domain, with a port where one was given.
        host: String,
    },
}

/// What was dialled cannot be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number or an address")]
pub struct TargetInvalid;

const MOST: usize = 256;

impl Target {
    /// Reads a number in any notation (`+49 (30) 90-18 20`, `0800 REACH ME`), an extension, a service
    /// code (`*97`), a user name, or a `sip:`, `sips:`, `tel:` or `callto:` address.
    ///
    /// # Errors
    /// Nothing is left to dial, or a character has no place in a SIP URI.
    pub fn parse(typed: &str) -> Result<Self, TargetInvalid> {
        let typed = typed.trim();
        if typed.is_empty() || typed.len() > MOST || typed.chars().any(char::is_control) {
            return Err(TargetInvalid);
        }
        let (scheme, rest) = match typed.split_once(':') {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest.trim_start_matches('/')),
            None => (String::new(), typed),
        };
        match scheme.as_str() {
            "" => Self::bare(rest),
            "tel" | "callto" => Self::bare(before(rest, ';')),
            "sip" | "sips" => Self::bare(before(before(rest, ';'), '?')),
            _ => Err(TargetInvalid),
        }
    }

    fn bare(text: &str) -> Result<Self, TargetInvalid> {
        match text.rsplit_once('@') {
            Some((user, host)) => {
                let host_ok = !host.is_empty()
                    && host
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'));
                if !host_ok {
                    return Err(TargetInvalid);
                }
                Ok(Self::Address { user: user_part(user)?, host: host.to_ascii_lowercase() })
            }
            None => Ok(Self::Number(number(text).map_or_else(|| user_part(text), Ok)?)),
        }
    }

    /// What to show: as a person would dial it.
    pub fn shown(&self) -> String {
        match self {
            Self::Number(number) => number.clone(),
            Self::Address { user, host } => format!("{user}@{host}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(number),
            Self::Address { user, host } => write!(f, "sip:{user}@{host}"),
        }
    }
}

fn before(text: &str, stop: char) -> &str {
    text.split_once(stop).map_or(text, |(head, _)| head)
}

/// The digits of a number in any notation, or nothing where it is a name rather than a number.
pub(crate) fn number(text: &str) -> Option<String> {
    let mut dialled = String::new();
    let mut after_digit = false;
    for c in text.chars() {
        match c {
            '0'..='9' | '*' | '#' => {
                after_digit = true;
                dialled.push(c);
            }
            '+' if dialled.is_empty() => dialled.push('+'),
            ' ' | '\u{a0}' | '\u{202f}' | '-' | '\u{2010}'..='\u{2014}' | '.' | '/' | '(' | ')' => {}
            'a'..='z' | 'A'..='Z' if after_digit => dialled.push(keypad_digit(c)?),
            _ => return None,
        }
    }
    after_digit.then_some(dialled)
}

/// The key a letter stands on (ITU-T E.161).
fn keypad_digit(letter: char) -> Option<char> {
    Some(match letter.to_ascii_lowercase() {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        'w'..='z' => '9',
        _ => return None,
    })
}

/// User part of a SIP URI; characters outside RFC 3261's `user` are refused rather than escaped.
fn user_part(text: &str) -> Result<String, TargetInvalid> {
    let text = text.trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.!~*'()&=+$,#".contains(c);
    if text.is_empty() || !text.chars().all(allowed) {
        return Err(TargetInvalid);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number_of(typed: &str) -> String {
        match Target::parse(typed) {
            Ok(Target::Number(number)) => number,
            other => panic!("{typed}: {other:?}"),
        }
    }

    #[test]
    fn numbers_in_any_notation() {
        assert_eq!(number_of("102"), "102");
        assert_eq!(number_of("*97"), "*97");
        assert_eq!(number_of("+49 (30) 90-18 20"), "+4930901820");
        assert_eq!(number_of("0800 REACHME"), "08007322463");
        assert_eq!(number_of("tel:+1-201-555-0123;ext=4"), "+12015550123");
        assert_eq!(number_of("020\u{a0}7946/0312"), "02079460312");
    }

    #[test]
    fn names_and_addresses() {
        assert_eq!(number_of("bob"), "bob");
        let full = Target::parse("sip:Bob@Test.IO:5070;transport=tcp").unwrap();
        assert_eq!(full, Target::Address { user: "Bob".into(), host: "test.io:5070".into() });
        assert_eq!(full.to_string(), "sip:Bob@test.io:5070");
        assert_eq!(Target::parse("sips:102").unwrap(), Target::Number("102".into()));
    }

    #[test]
    fn nonsense_is_refused() {
        for typed in
            ["", "   ", "http://x", "a b", "bob@", "@host", "x\r\nVia: y", "bob@ho st", "<102>", "müller"]
        {
            assert_eq!(Target::parse(typed), Err(TargetInvalid), "{typed:?}");
        }
        assert_eq!(Target::parse(&"1".repeat(MOST + 1)), Err(TargetInvalid));
    }
}
