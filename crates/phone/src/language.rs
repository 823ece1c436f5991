//! The languages the phone speaks, and which of them the user gets.

/// A language the phone speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Japanese.
    Japanese,
    /// Chinese, in simplified characters.
    Chinese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::English, Self::German, Self::French, Self::Spanish, Self::Japanese, Self::Chinese];

    /// The language of a BCP 47 tag (`de-AT`) or a POSIX locale (`de_AT.UTF-8`), where the phone speaks it.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let base = tag.split(['-', '_', '.', '@']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| base.eq_ignore_ascii_case(language.code()))
    }

    /// The first of the languages the user asked for that the phone speaks, else the first of the system's, else
    /// English.
    pub fn first_of<'a>(asked: impl IntoIterator<Item = &'a str>) -> Self {
        let asked = asked.into_iter().find_map(Self::of_tag);
        asked.or_else(|| sys_locale::get_locales().find_map(|tag| Self::of_tag(&tag))).unwrap_or_default()
    }

    /// ISO 639 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Japanese => "ja",
            Self::Chinese => "zh",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_locales_name_a_language() {
        let of = Language::of_tag;
        assert_eq!(of("de-AT"), Some(Language::German));
        assert_eq!(of("zh_CN.UTF-8"), Some(Language::Chinese));
        assert_eq!(of("JA"), Some(Language::Japanese));
        assert_eq!((of("C.UTF-8"), of("tlh"), of("")), (None, None, None));
    }

    #[test]
    fn the_first_the_phone_speaks_wins() {
        assert_eq!(Language::first_of(["tlh", "es-MX", "de"]), Language::Spanish);
    }
}
