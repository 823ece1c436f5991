use super::tree::{Node, folded};
use super::{ProfileInvalid, plain};

/// Most codecs and views kept.
const MOST: usize = 64;

/// Longest name kept, bytes.
const LONGEST: usize = 64;

/// Elements whose children are views, or groups of them.
const FEATURES: [&str; 2] = ["feature", "features"];

/// Groups that only hold views together; within any other group a view goes by the names of both.
const NEUTRAL: [&str; 8] = ["view", "views", "ui", "uiview", "menu", "menus", "tabs", "item"];

/// What switches off the element it stands in when it is true.
const HIDE: [&str; 4] = ["hide", "hidden", "disable", "disabled"];

/// What switches off the element it stands in when it is false.
const SHOW: [&str; 5] = ["show", "visible", "enable", "enabled", "display"];

/// What says something of the element it stands in.
const ASIDE: [&str; 4] = ["name", "value", "priority", "order"];

/// Lists of hidden views.
const HIDDEN: [&str; 4] = ["hidden", "hide", "hiddenviews", "hideviews"];

/// Lists of codecs.
const CODECS: [&str; 3] = ["codecs", "audiocodecs", "audio"];

/// Theme of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What a profile file settles for its user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Enforced {
    /// Audio codecs allowed, by the names the file gives them, best first; all of them where empty.
    pub codecs: Vec<String>,
    /// Views that are not to be shown, lower case without separators: `sms`, `settings.profile`.
    pub hidden: Vec<String>,
    /// Theme; the user's choice where `None`.
    pub theme: Option<Theme>,
    /// Language as a BCP 47 tag; the user's choice where `None`.
    pub language: Option<String>,
}

impl Enforced {
    pub(super) fn read(tree: &Node) -> Result<Self, ProfileInvalid> {
        let mut enforced = Self::default();
        for node in tree.all() {
            match node.name.as_str() {
                name if FEATURES.contains(&name) => enforced.views(node, "")?,
                "appearance" => enforced.appearance(node)?,
                "codecs" | "audiocodecs" if enforced.codecs.is_empty() => enforced.codecs = codecs(node)?,
                _ => {}
            }
        }
        Ok(enforced)
    }

    /// The views of a group; `around` is the group's own name with a dot, where it counts.
    fn views(&mut self, group: &Node, around: &str) -> Result<(), ProfileInvalid> {
        for view in &group.children {
            let name = view.name.as_str();
            if HIDDEN.contains(&name) && boolean(&view.text).is_none() {
                for hidden in list(view) {
                    self.hide(format!("{around}{}", folded(hidden)));
                }
            }
            let no_view = [&HIDDEN[..], &HIDE, &SHOW, &ASIDE, &FEATURES, &CODECS, &["appearance"]];
            if no_view.iter().any(|names| names.contains(&name)) {
                continue;
            }
            let called = view.named(&["name"]).next().map(|called| folded(called.text.trim()));
            let neutral = called.is_none() && NEUTRAL.contains(&name);
            let own = called.unwrap_or_else(|| name.to_owned());
            let (own, shown) = match (boolean(&view.text), without_verb(&own)) {
                (Some(said), Some((own, shows))) => (own, Some(said == shows)),
                _ => (own.as_str(), shown(view)?),
            };
            if shown == Some(false) && !neutral {
                self.hide(format!("{around}{own}"));
            }
            let below = if neutral { around.to_owned() } else { format!("{around}{own}.") };
            if below.len() <= LONGEST {
                self.views(view, &below)?;
            }
        }
        Ok(())
    }

    fn hide(&mut self, name: String) {
        let fits = !name.is_empty() && name.len() <= LONGEST && self.hidden.len() < MOST;
        if fits && !self.hidden.contains(&name) {
            self.hidden.push(name);
        }
    }

    fn appearance(&mut self, node: &Node) -> Result<(), ProfileInvalid> {
        if let Some(theme) = node.named(&["theme"]).next() {
            self.theme = match value("Theme", theme)?.map(str::to_ascii_lowercase).as_deref() {
                Some("light") => Some(Theme::Light),
                Some("dark") => Some(Theme::Dark),
                // The system's, or one this phone does not have.
                _ => None,
            };
        }
        if let Some(language) = node.named(&["language", "locale", "lang"]).next() {
            let named = value("Language", language)?;
            self.language = named.map_or(Ok(None), language_tag)?;
        }
        Ok(())
    }
}

/// Whether an element is to be shown, where it says so: by a switch within it or by its text.
fn shown(node: &Node) -> Result<Option<bool>, ProfileInvalid> {
    for (names, when) in [(HIDE.as_slice(), false), (SHOW.as_slice(), true)] {
        if let Some(switch) = node.named(names).find(|switch| switch.children.is_empty()) {
            let said = boolean(&switch.text);
            let said =
                said.ok_or_else(|| ProfileInvalid::new("a switch of Feature is neither true nor false"))?;
            return Ok(Some(said == when));
        }
    }
    let value = node.named(&["value"]).next().unwrap_or(node);
    Ok(boolean(&value.text))
}

/// `hidesms` is `sms`, hidden when true.
fn without_verb(name: &str) -> Option<(&str, bool)> {
    let after = |verb: &str| name.strip_prefix(verb).filter(|rest| !rest.is_empty());
    let hidden = ["hide", "disable"].into_iter().find_map(after).map(|rest| (rest, false));
    hidden.or_else(|| ["show", "enable"].into_iter().find_map(after).map(|rest| (rest, true)))
}

fn boolean(text: &str) -> Option<bool> {
    Some(match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "show" | "visible" | "enable" | "enabled" => true,
        "false" | "0" | "no" | "off" | "hide" | "hidden" | "disable" | "disabled" => false,
        _ => return None,
    })
}

/// The text of a setting, or of the `value` within it.
fn value<'a>(place: &str, setting: &'a Node) -> Result<Option<&'a str>, ProfileInvalid> {
    plain(place, setting.named(&["value", "name"]).next().unwrap_or(setting), LONGEST)
}

/// What a list holds: words, or elements with a word each.
fn list(node: &Node) -> Vec<&str> {
    let own = node.text.split([',', ';', ' ', '\t', '\r', '\n']);
    let items = node.children.iter().map(|item| item.text.trim());
    own.chain(items).filter(|word| !word.is_empty()).take(MOST).collect()
}

/// Names of codecs in the order of the file, or by their priority where they have one.
fn codecs(group: &Node) -> Result<Vec<String>, ProfileInvalid> {
    let mut found: Vec<(u32, String)> = Vec::new();
    let mut add = |priority: u32, name: &str| {
        let fits = name.len() <= LONGEST && name.chars().all(|letter| !letter.is_control());
        if !fits {
            return Err(ProfileInvalid::new("Codecs holds what can be no codec"));
        }
        let new = !name.is_empty() && found.iter().all(|(_, known)| !known.eq_ignore_ascii_case(name));
        if new && found.len() < MOST {
            found.push((priority, name.to_owned()));
        }
        Ok(())
    };
    for name in group.text.split([',', ';', ' ', '\t', '\r', '\n']) {
        add(u32::MAX, name)?;
    }
    for entry in &group.children {
        let kind = entry.name.as_str();
        if CODECS.contains(&kind) {
            for name in codecs(entry)? {
                add(u32::MAX, &name)?;
            }
            continue;
        }
        if kind.starts_with("video") || HIDE.contains(&kind) || SHOW.contains(&kind) {
            continue;
        }
        let said = shown(entry)?;
        let name = match entry.named(&["name", "codec", "type", "id"]).next() {
            Some(name) => name.text.trim(),
            None if ["codec", "item"].contains(&kind) => entry.text.trim(),
            // The codec's own element, which holds at most whether it is allowed.
            None if said.is_some() || entry.text.trim().is_empty() => kind,
            None => continue,
        };
        let priority = match entry.named(&["priority", "order"]).next() {
            None => u32::MAX,
            Some(number) => {
                let number = number.text.trim().parse();
                number.map_err(|_| ProfileInvalid::new("the priority of a codec is not a number"))?
            }
        };
        if said != Some(false) {
            add(priority, name)?;
        }
    }
    found.sort_by_key(|(priority, _)| *priority);
    Ok(found.into_iter().map(|(_, name)| name).collect())
}

/// A BCP 47 tag, `zh_CN` included, or the name of a language; `None` for the system's and for names unknown.
fn language_tag(text: &str) -> Result<Option<String>, ProfileInvalid> {
    let lower = text.to_lowercase();
    let named = match lower.as_str() {
        "english" => Some("en"),
        "german" | "deutsch" => Some("de"),
        "french" | "fran\u{e7}ais" | "francais" => Some("fr"),
        "spanish" | "espa\u{f1}ol" | "espanol" => Some("es"),
        "japanese" | "\u{65e5}\u{672c}\u{8a9e}" => Some("ja"),
        "chinese" | "simplified chinese" | "\u{7b80}\u{4f53}\u{4e2d}\u{6587}" | "\u{4e2d}\u{6587}" => {
            Some("zh-CN")
        }
        _ => None,
    };
    if named.is_some() {
        return Ok(named.map(str::to_owned));
    }
    let mut subtags = text.split(['-', '_']);
    let primary = subtags.next().unwrap_or_default();
    let is_tag = (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(|subtag| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
    if is_tag {
        return Ok(Some(text.replace('_', "-")));
    }
    if text.chars().all(|letter| letter.is_alphabetic() || " -_()".contains(letter)) {
        return Ok(None);
    }
    Err(ProfileInvalid::new("Language is not a language"))
}
