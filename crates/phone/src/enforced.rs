//! What a PBX's profile file settles for its users, as it is remembered and as it is shown.

use serde::{Deserialize, Serialize};

use crate::{Codec, EnforcedView, Theme};

/// What a profile file settles. Names this phone does not know are kept: a later one may.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforced {
    /// Codecs allowed, best first, by their names in SDP; all where there are none.
    #[serde(default)]
    pub codecs: Vec<String>,
    /// Views that are not to be shown.
    #[serde(default)]
    pub hidden: Vec<String>,
    /// Theme.
    #[serde(default)]
    pub theme: Option<Theme>,
    /// Language, as a BCP 47 tag.
    #[serde(default)]
    pub language: Option<String>,
}

impl Enforced {
    /// Nothing is settled.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What the window must know.
    pub(crate) fn view(&self) -> EnforcedView {
        EnforcedView {
            theme: self.theme,
            language: self.language.clone(),
            hidden: self.hidden.clone(),
            codecs: !self.codecs.is_empty(),
        }
    }

    /// The codecs that are allowed, in the order settled. None where nothing is settled, or nothing that we know: such a
    /// list cannot be meant for us.
    pub(crate) fn allowed(&self) -> Vec<Codec> {
        let mut allowed: Vec<Codec> = self
            .codecs
            .iter()
            .filter_map(|name| Codec::ALL.into_iter().find(|codec| is(*codec, name)))
            .collect();
        let mut seen = Vec::new();
        allowed.retain(|codec| {
            !seen.contains(codec) && {
                seen.push(*codec);
                true
            }
        });
        allowed
    }
}

/// Whether a codec goes by this name; G.711 has several.
fn is(codec: Codec, name: &str) -> bool {
    let folded: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match codec {
        Codec::Opus => folded == "opus",
        Codec::G722 => folded == "g722",
        Codec::Pcmu => ["pcmu", "g711u", "g711ulaw", "ulaw"].contains(&folded.as_str()),
        Codec::Pcma => ["pcma", "g711a", "g711alaw", "alaw"].contains(&folded.as_str()),
    }
}

impl From<sign_in::Enforced> for Enforced {
    fn from(enforced: sign_in::Enforced) -> Self {
        let sign_in::Enforced { codecs, hidden, theme, language } = enforced;
        let theme = theme.map(|theme| match theme {
            sign_in::Theme::Light => Theme::Light,
            sign_in::Theme::Dark => Theme::Dark,
        });
        Self { codecs, hidden, theme, language }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(names: &[&str]) -> Vec<Codec> {
        let codecs = names.iter().map(|name| (*name).to_owned()).collect();
        Enforced { codecs, ..Enforced::default() }.allowed()
    }

    #[test]
    fn codecs_are_allowed_in_the_order_settled() {
        assert_eq!(
            allowed(&["G.711 A-law", "iLBC", "G722.1", "G.722", "OPUS", "opus"]),
            [Codec::Pcma, Codec::G722, Codec::Opus]
        );
        assert!(allowed(&[]).is_empty());
        assert!(allowed(&["iLBC"]).is_empty());
    }
}
