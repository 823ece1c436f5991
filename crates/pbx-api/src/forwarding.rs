//! Where the PBX sends calls that do not ring, or ring in vain: a rule for each state of the user's.

use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::contact::line;
use crate::json::Object;
use crate::request::JSON_LIMIT;
use crate::{ApiError, Client};

/// Longest a phone may ring before a rule is followed, seconds.
const LONGEST: u64 = 3600;

/// A state of the user's that has rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForwardState {
    /// `available`.
    Available,
    /// `busy`.
    Busy,
    /// `dnd`.
    DoNotDisturb,
    /// `away`.
    Away,
    /// `lunch`.
    Lunch,
    /// `trip`.
    BusinessTrip,
    /// `offline`: no phone is registered.
    Offline,
}

/// When a rule is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForwardCase {
    /// In this state, in office hours.
    Office(ForwardState),
    /// In this state, outside office hours.
    OutsideOffice(ForwardState),
    /// Nobody has answered; available and busy alone have such a rule.
    NoAnswer(ForwardState),
}

/// What is done with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForwardAction {
    /// `FORWARD_TO_NUMBER`.
    Number,
    /// `FORWARD_TO_VOICEMAIL`.
    Voicemail,
    /// `RING_ANYWAY`; for available and busy alone, and not where nobody has answered.
    Ring,
    /// `HANGUP`.
    HangUp,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ForwardRule {
    /// What is done.
    pub action: ForwardAction,
    /// To which number.
    pub number: Option<String>,
    /// After so many seconds, where nobody has answered.
    pub timeout_s: Option<u32>,
}

/// The rules of the user, in the order of [`ForwardCase::all`]; none for one that is not set, or cannot be read.
pub type ForwardRules = Vec<(ForwardCase, Option<ForwardRule>)>;

impl ForwardState {
    const ALL: [Self; 7] = [
        Self::Available,
        Self::Busy,
        Self::DoNotDisturb,
        Self::Away,
        Self::Lunch,
        Self::BusinessTrip,
        Self::Offline,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::DoNotDisturb => "dnd",
            Self::Away => "away",
            Self::Lunch => "lunch",
            Self::BusinessTrip => "trip",
            Self::Offline => "offline",
        }
    }
}

impl ForwardCase {
    /// All there are.
    pub fn all() -> impl Iterator<Item = Self> {
        let in_hours = ForwardState::ALL.into_iter().map(Self::Office);
        let outside = ForwardState::ALL.into_iter().map(Self::OutsideOffice);
        in_hours.chain(outside).chain([ForwardState::Available, ForwardState::Busy].map(Self::NoAnswer))
    }

    /// Whether an action is one for it.
    pub fn takes(self, action: ForwardAction) -> bool {
        let rings = matches!(
            self,
            Self::Office(ForwardState::Available | ForwardState::Busy)
                | Self::OutsideOffice(ForwardState::Available | ForwardState::Busy)
        );
        action != ForwardAction::Ring || rings
    }

    fn field(self) -> String {
        match self {
            Self::Office(state) => format!("{}_office_hours_forward_rule", state.name()),
            Self::OutsideOffice(state) => format!("{}_non_office_hours_forward_rule", state.name()),
            Self::NoAnswer(state) => format!("{}_no_answer_forward_rule", state.name()),
        }
    }
}

impl ForwardAction {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "FORWARD_TO_NUMBER" => Self::Number,
            "FORWARD_TO_VOICEMAIL" => Self::Voicemail,
            "RING_ANYWAY" => Self::Ring,
            "HANGUP" => Self::HangUp,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Number => "FORWARD_TO_NUMBER",
            Self::Voicemail => "FORWARD_TO_VOICEMAIL",
            Self::Ring => "RING_ANYWAY",
            Self::HangUp => "HANGUP",
        }
    }
}

impl Client {
    /// `GET /user`: the user's forward rules; none at all where the PBX has no such fields.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where the access token is not accepted.
    pub async fn forwarding(&self, access: &SecretString) -> Result<Option<ForwardRules>, ApiError> {
        let answer = self.get(self.url("user")).bearer(access)?.answer(JSON_LIMIT).await?;
        read(&answer.bytes)
    }

    /// `POST /user`: sets one forward rule; the others are left as they are.
    ///
    /// # Errors
    /// [`ApiError::NotUnderstood`] for an action that is none for this case, or a number that is missing.
    pub async fn set_forwarding(
        &self,
        access: &SecretString,
        case: ForwardCase,
        rule: &ForwardRule,
    ) -> Result<(), ApiError> {
        let number = rule.number.as_deref().filter(|_| rule.action == ForwardAction::Number);
        if !case.takes(rule.action) || (number.is_none() && rule.action == ForwardAction::Number) {
            return Err(ApiError::NotUnderstood { what: "this rule is none for this case".into() });
        }
        let mut fields = Map::new();
        fields.insert("action".into(), rule.action.name().into());
        fields.extend(number.map(|number| ("number".to_owned(), number.into())));
        if let (ForwardCase::NoAnswer(_), Some(timeout)) = (case, rule.timeout_s) {
            fields.insert("timeout".into(), timeout.into());
        }
        let body = json!({ case.field(): Value::Object(fields) });
        self.post(self.url("user")).bearer(access)?.value(&body).answer(JSON_LIMIT).await.map(drop)
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Option<ForwardRules>, ApiError> {
    let mut answer = Object::parse("user", bytes)?;
    let known = ForwardCase::all().any(|case| answer.names(&case.field()));
    let mut rules = Vec::new();
    for case in ForwardCase::all() {
        // One that makes no sense does not keep the others from being read.
        rules.push((case, answer.object(&case.field()).and_then(rule).ok().flatten()));
    }
    Ok(known.then_some(rules))
}

fn rule(item: Option<Object>) -> Result<Option<ForwardRule>, ApiError> {
    let Some(mut item) = item else { return Ok(None) };
    let Some(action) = item.text("action")?.and_then(|name| ForwardAction::named(&name)) else {
        return Ok(None);
    };
    let timeout = item.number("timeout")?.map(|seconds| seconds.min(LONGEST));
    let timeout_s = timeout.and_then(|seconds| u32::try_from(seconds).ok());
    Ok(Some(ForwardRule { action, number: line(&mut item, "number")?, timeout_s }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_nonsense_is_not_set() {
        let body = br#"{"available_office_hours_forward_rule":{"action":"RING_ANYWAY","number":null},
            "busy_office_hours_forward_rule":{"action":"TELEPORT"},"dnd_office_hours_forward_rule":7,
            "available_no_answer_forward_rule":{"action":"FORWARD_TO_NUMBER","number":"102","timeout":99999}}"#;
        let rules = read(body).unwrap().unwrap();
        let of = |case| rules.iter().find(|(known, _)| *known == case).unwrap().1.clone();
        assert_eq!(rules.len(), 16);
        let ring = ForwardRule { action: ForwardAction::Ring, number: None, timeout_s: None };
        assert_eq!(of(ForwardCase::Office(ForwardState::Available)), Some(ring));
        let number =
            ForwardRule { action: ForwardAction::Number, number: Some("102".into()), timeout_s: Some(3600) };
        assert_eq!(of(ForwardCase::NoAnswer(ForwardState::Available)), Some(number));
        for case in [ForwardState::Busy, ForwardState::DoNotDisturb, ForwardState::Away] {
            assert_eq!(of(ForwardCase::Office(case)), None);
        }
        assert_eq!(read(b"{}").unwrap(), None);
        let none = read(br#"{"away_office_hours_forward_rule":null}"#).unwrap().unwrap();
        assert!(none.iter().all(|(_, rule)| rule.is_none()));
    }

    #[test]
    fn not_every_action_is_one_for_every_case() {
        use ForwardState::{Available, DoNotDisturb, Offline};
        let rings = |case: ForwardCase| case.takes(ForwardAction::Ring);
        assert!(rings(ForwardCase::Office(Available)) && rings(ForwardCase::OutsideOffice(Available)));
        assert!(!rings(ForwardCase::NoAnswer(Available)) && !rings(ForwardCase::Office(Offline)));
        assert!(!rings(ForwardCase::OutsideOffice(DoNotDisturb)));
    }
}
