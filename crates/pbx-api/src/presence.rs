//! What the user tells others of being there, as the PBX keeps it.

use secrecy::SecretString;

use crate::contact::line;
use crate::json::Object;
use crate::request::{Field, JSON_LIMIT};
use crate::{ApiError, Client};

/// Longest note that the PBX keeps, characters.
const NOTE: usize = 128;

/// What somebody tells of being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// `AVAILABLE`; since 22.3 `ONLINE`.
    Available,
    /// `AWAY`.
    Away,
    /// `DO_NOT_DISTURB`: the PBX keeps calls off.
    DoNotDisturb,
    /// `LUNCH`.
    Lunch,
    /// `BUSINESS_TRIP`.
    BusinessTrip,
    /// One that nobody chooses, such as `ON_CALL`, or that this client does not know.
    Other,
}

/// What the user tells of being there, and in what words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPresence {
    /// Which.
    pub presence: Presence,
    /// The user's own words.
    pub note: Option<String>,
}

impl Presence {
    fn named(name: &str) -> Self {
        match name.to_ascii_uppercase().as_str() {
            "AVAILABLE" | "ONLINE" => Self::Available,
            "AWAY" => Self::Away,
            "DO_NOT_DISTURB" => Self::DoNotDisturb,
            "LUNCH" => Self::Lunch,
            "BUSINESS_TRIP" => Self::BusinessTrip,
            _ => Self::Other,
        }
    }

    /// Its name in requests; none for what nobody chooses.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Available => Some("AVAILABLE"),
            Self::Away => Some("AWAY"),
            Self::DoNotDisturb => Some("DO_NOT_DISTURB"),
            Self::Lunch => Some("LUNCH"),
            Self::BusinessTrip => Some("BUSINESS_TRIP"),
            Self::Other => None,
        }
    }
}

impl Client {
    /// `GET /user/status`: what the user tells of being there.
    ///
    /// # Errors
    /// [`ApiError::Refused`] or [`ApiError::NotFound`] where this PBX does not offer it to this user.
    pub async fn own_presence(&self, access: &SecretString) -> Result<OwnPresence, ApiError> {
        let answer = self.get(self.url("user/status")).bearer(access)?.answer(JSON_LIMIT).await?;
        read(&answer.bytes)
    }

    /// `POST /user/presence`: tells others something else. Of the note, the first 128 characters are kept.
    ///
    /// # Errors
    /// [`ApiError::NotUnderstood`] for what nobody can choose.
    pub async fn set_presence(&self, access: &SecretString, own: &OwnPresence) -> Result<(), ApiError> {
        let name = own
            .presence
            .name()
            .ok_or_else(|| ApiError::NotUnderstood { what: "this presence is none to be chosen".into() })?;
        let note: String = own.note.as_deref().unwrap_or_default().trim().chars().take(NOTE).collect();
        let fields = [("presence", Field::Plain(name)), ("presence_note", Field::Plain(&note))];
        let request = self.post(self.url("user/presence")).bearer(access)?.json(&fields)?;
        request.answer(JSON_LIMIT).await.map(drop)
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<OwnPresence, ApiError> {
    let mut answer = Object::parse("status", bytes)?;
    let presence = answer.text("presence")?.map_or(Presence::Other, |name| Presence::named(&name));
    Ok(OwnPresence { presence, note: line(&mut answer, "presence_note")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_old_and_of_new_are_read() {
        for (name, presence) in [
            ("AVAILABLE", Presence::Available),
            ("ONLINE", Presence::Available),
            ("LUNCH", Presence::Lunch),
            ("OTHER_CALL", Presence::Other),
        ] {
            let body = format!(r#"{{"status":"ONLINE","presence":"{name}","presence_note":"At the gate"}}"#);
            let own = read(body.as_bytes()).unwrap();
            assert_eq!((own.presence, own.note.as_deref()), (presence, Some("At the gate")), "{name}");
        }
        assert_eq!(read(b"{}").unwrap(), OwnPresence { presence: Presence::Other, note: None });
    }
}
