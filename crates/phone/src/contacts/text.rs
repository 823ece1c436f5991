//! What names and numbers are compared by. Pure.

use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::target;

/// Fewest digits by which two numbers may be the same that are written with and without their country and area.
const ALIKE: usize = 7;

/// A text as it is sought: words in lower case, without accents, each after a blank.
pub(super) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 8);
    let mut within = false;
    for c in DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(text.chars()) {
        // An accent on its own, or an apostrophe: `O'Brien` is one word.
        if matches!(c, '\u{300}'..='\u{36f}' | '\'' | '\u{2019}' | '\u{2bc}') {
            continue;
        }
        if !c.is_alphanumeric() {
            within = false;
            continue;
        }
        if !std::mem::replace(&mut within, true) {
            folded.push(' ');
        }
        for c in c.to_lowercase() {
            match plain(c) {
                Some(letters) => folded.push_str(letters),
                None => folded.push(c),
            }
        }
    }
    folded
}

/// Letters of their own that are typed as others where a keyboard lacks them.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ı' => "i",
        _ => return None,
    })
}

/// The same with umlauts spelt out (`Müller` as `mueller`); nothing where there are none.
pub(super) fn spelt_out(text: &str) -> String {
    if !text.chars().any(|c| "äöüåøÄÖÜÅØ".contains(c)) {
        return String::new();
    }
    let mut spelt = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        match c {
            'ä' | 'Ä' => spelt.push_str("ae"),
            'ö' | 'Ö' | 'ø' | 'Ø' => spelt.push_str("oe"),
            'ü' | 'Ü' => spelt.push_str("ue"),
            'å' | 'Å' => spelt.push_str("aa"),
            c => spelt.push(c),
        }
    }
    folded(&spelt)
}

/// A number as it is compared: its digits as they are dialled, and without what says where it is dialled from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Digits {
    /// All of them, with `*` and `#`, letters turned into digits.
    pub(super) dialled: String,
    /// Without `+`, `00` or the `0` of the trunk.
    pub(super) bare: String,
}

impl Digits {
    /// Those of a number in any notation; nothing where it is none.
    pub(super) fn of(number: &str) -> Option<Self> {
        let number = number.trim();
        // The trunk's digit within an international number: `+44 (0)20`.
        let written = match number.starts_with('+') || number.starts_with("00") {
            true => target::number(&number.replacen("(0)", "", 1)),
            false => target::number(number),
        };
        let dialled = written?;
        let bare = bare(&dialled).to_owned();
        let dialled = dialled.trim_start_matches('+').to_owned();
        Some(Self { dialled, bare })
    }

    /// What numbers that may be the same have in common.
    pub(super) fn tail(&self) -> &str {
        let from = self.bare.len().saturating_sub(ALIKE);
        // All of them are ASCII.
        self.bare.get(from..).unwrap_or(&self.bare)
    }

    /// Whether both reach the same phone, as far as that can be told of how they are written.
    pub(super) fn same(&self, other: &Self) -> bool {
        let (long, short) = match self.bare.len() >= other.bare.len() {
            true => (&self.bare, &other.bare),
            false => (&other.bare, &self.bare),
        };
        self.dialled == other.dialled || (short.len() >= ALIKE && long.ends_with(short.as_str()))
    }
}

/// Whether two numbers reach the same phone, as far as that can be told of how they are written.
pub(crate) fn is_same_number(one: &str, other: &str) -> bool {
    matches!((Digits::of(one), Digits::of(other)), (Some(one), Some(other)) if one.same(&other))
}

/// Short ones are extensions and codes: nothing is taken off them.
fn bare(dialled: &str) -> &str {
    let international = dialled.strip_prefix('+').or_else(|| dialled.strip_prefix("00"));
    match international {
        Some(rest) if rest.len() >= ALIKE => rest,
        _ if dialled.len() > ALIKE => dialled.strip_prefix('0').unwrap_or(dialled),
        _ => dialled.trim_start_matches('+'),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_found_without_accents_and_capitals() {
        assert_eq!(folded("  Ángela  DVOŘÁK-O'Brien "), " angela dvorak obrien");
        assert_eq!(folded("Łukasz Żak, Straße Ørsted"), " lukasz zak strasse orsted");
        assert_eq!(folded("Ｔａｎａｋａ 田中 ﬁn"), " tanaka 田中 fin");
        assert_eq!(folded("İstanbul"), " istanbul");
        assert_eq!(folded("…"), "");
        assert_eq!(spelt_out("Jörg Müller"), " joerg mueller");
        assert_eq!(spelt_out("Ann"), "");
    }

    fn same(a: &str, b: &str) -> bool {
        let (a, b) = (Digits::of(a).unwrap(), Digits::of(b).unwrap());
        let same = a.same(&b);
        assert_eq!(same, b.same(&a));
        assert!(!same || a.tail() == b.tail(), "{a:?} {b:?}");
        same
    }

    #[test]
    fn a_number_is_the_same_in_every_notation() {
        for (a, b) in [
            ("+44 20 7946 0312", "020 7946 0312"),
            ("+44 (0)20 7946-0312", "00442079460312"),
            ("+1 201 555 0123", "(201) 555-0123"),
            ("0049 30 901820", "030/901820"),
            ("+49 30 901820", "+4930901820"),
            ("0800 REACHME", "0800 732 2463"),
            ("102", "102"),
            ("*97", "*97"),
            ("+39 06 6988 3145", "06 69883145"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in
            [("102", "2102"), ("+44 20 7946 0312", "+44 20 7946 0313"), ("97", "*97"), ("112", "0112")]
        {
            assert!(!same(a, b), "{a} {b}");
        }
        assert_eq!(Digits::of("bob"), None);
        assert_eq!(Digits::of(""), None);
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,40}", other in "[+0-9 ()A-Z-]{0,20}") {
            let words = folded(&text);
            prop_assert!(words.is_empty() || words.starts_with(' '));
            prop_assert!(!words.contains("  "));
            spelt_out(&text);
            if let (Some(a), Some(b)) = (Digits::of(&text), Digits::of(&other)) {
                prop_assert!(!a.same(&b) || a.tail() == b.tail() || a.dialled == b.dialled);
            }
        }
    }
}
