//! What of a text is not to be told. Pure.

/// What stands in the place of a secret.
const MASK: &str = "***";
/// Words after which a secret may stand, whatever separates them; lower case.
const WORDS: [&str; 11] = [
    "password",
    "passwd",
    "access_token",
    "refresh_token",
    "authorization",
    "cookie",
    "bearer",
    "secret",
    "response",
    "inline",
    "ice-pwd",
];
/// A secret shorter than this occurs by chance and is masked only behind one of the words.
const SHORTEST: usize = 6;
/// Numbers of fewer digits are extensions, ports and figures.
const NUMBER: usize = 5;

/// Secrets that are known.
pub(super) struct Mask<'a>(Vec<&'a str>);

impl<'a> Mask<'a> {
    /// Masks these beside what looks like a secret.
    pub(super) fn new(secrets: &'a [String]) -> Self {
        let mut known: Vec<&str> =
            secrets.iter().map(String::as_str).filter(|s| s.len() >= SHORTEST).collect();
        // One may be part of another.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(known)
    }

    /// A text without secrets.
    pub(super) fn secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            text = text.replace(secret, MASK);
        }
        let lines: Vec<String> = text.split('\n').map(line).collect();
        lines.join("\n")
    }

    /// A text whose telephone numbers are shortened to their last two digits: those in addresses, and long rows of
    /// digits that stand alone.
    pub(super) fn numbers(text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut digits = String::new();
        let mut before = ' ';
        for letter in text.chars().chain([' ']) {
            if letter.is_ascii_digit() {
                digits.push(letter);
                continue;
            }
            flush(&mut out, &mut digits, before, letter);
            before = letter;
            out.push(letter);
        }
        out.pop();
        out
    }
}

/// Writes a row of digits, shortened where it is a telephone number: as a whole word, or the user of an address.
fn flush(out: &mut String, digits: &mut String, before: char, after: char) {
    let alone = |letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'));
    let user = after == '@' && matches!(before, ':' | '+' | '<' | '"' | ' ');
    // A port follows a colon and has five digits at most.
    let port = before == ':' && digits.len() == NUMBER;
    let number = digits.len() >= NUMBER && alone(before) && alone(after) && !is_time(digits) && !port;
    match digits.len().checked_sub(2) {
        Some(cut) if (user && digits.len() > 2) || number => {
            out.push('…');
            out.push_str(digits.get(cut..).unwrap_or_default());
        }
        _ => out.push_str(digits),
    }
    digits.clear();
}

/// Milliseconds or seconds since 1970, of this century.
fn is_time(digits: &str) -> bool {
    matches!(digits.len(), 10 | 13) && digits.starts_with(['1', '2'])
}

/// A line in which what follows one of the words is masked.
fn line(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let Some((at, word)) = WORDS.iter().filter_map(|word| lower.find(word).map(|at| (at, *word))).min()
    else {
        return text.to_owned();
    };
    let (kept, rest) = text.split_at_checked(at + word.len()).unwrap_or((text, ""));
    let separators: usize =
        rest.chars().take_while(|c| matches!(c, '"' | '\'' | ':' | '=' | ' ')).map(char::len_utf8).sum();
    let (between, value) = rest.split_at_checked(separators).unwrap_or((rest, ""));
    // `Bearer` and `Digest` say how; what counts comes behind.
    let whole = matches!(word, "authorization" | "cookie" | "bearer");
    let end = match whole {
        true => value.len(),
        false => value.find(['"', '\'', ',', ' ', ';', '&', '}']).unwrap_or(value.len()),
    };
    let (secret, after) = value.split_at_checked(end).unwrap_or((value, ""));
    let said =
        !secret.is_empty() && (between.contains([':', '=']) || (word == "bearer" && !between.is_empty()));
    match said && secret != MASK && secret != "null" {
        true => format!("{kept}{between}{MASK}{}", line(after)),
        false => format!("{kept}{between}{secret}{}", line(after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_telling_word_is_masked() {
        for (text, masked) in [
            ("password=abc", "password=***"),
            ("{\"access_token\":\"abc\",\"expires_in\":5}", "{\"access_token\":\"***\",\"expires_in\":5}"),
            ("Authorization: Digest username=\"1\", response=\"abc\"", "Authorization: ***"),
            ("a=crypto:1 X inline:abc", "a=crypto:1 X inline:***"),
            ("nothing to hide", "nothing to hide"),
            ("the passwords", "the passwords"),
            ("password=a refresh_token=b", "password=*** refresh_token=***"),
        ] {
            assert_eq!(Mask::new(&[]).secrets(text), masked);
        }
    }

    #[test]
    fn known_secrets_are_masked_wherever_they_stand() {
        let secrets = ["sesame".to_owned(), "sesame-open".to_owned(), "abc".to_owned()];
        assert_eq!(Mask::new(&secrets).secrets("x sesame-open y sesame abc"), "x *** y *** abc");
    }

    #[test]
    fn numbers_are_shortened_and_other_figures_stay() {
        for (text, shortened) in [
            ("sip:101@test.io", "sip:…01@test.io"),
            ("<tel:+4930123456>", "<tel:+…56>"),
            ("call 004930123456 now", "call …56 now"),
            ("192.168.100.200:50600", "192.168.100.200:50600"),
            ("1795349765042 ms", "1795349765042 ms"),
            ("z9hG4bK12345678", "z9hG4bK12345678"),
            ("12", "12"),
        ] {
            assert_eq!(Mask::numbers(text), shortened);
        }
    }
}
