//! The numbers that the user may show to those he calls.

use secrecy::SecretString;

use crate::contact::line;
use crate::json::Object;
use crate::request::JSON_LIMIT;
use crate::{ApiError, Client};

/// A number that may be shown (`GET /user/outbound_caller_ids`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerId {
    /// Digits, perhaps behind a plus.
    pub number: String,
    /// What it is for, in the administrator's words.
    pub description: Option<String>,
}

impl Client {
    /// `GET /user/outbound_caller_ids`: the numbers that the user may show, each once.
    ///
    /// # Errors
    /// [`ApiError::Refused`] or [`ApiError::NotFound`] where this PBX does not offer them to this user.
    pub async fn caller_ids(&self, access: &SecretString) -> Result<Vec<CallerId>, ApiError> {
        let answer =
            self.get(self.url("user/outbound_caller_ids")).bearer(access)?.answer(JSON_LIMIT).await?;
        read(&answer.bytes)
    }
}

/// One that is no number would not fit into the header that asks for it.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<CallerId>, ApiError> {
    let mut known: Vec<CallerId> = Vec::new();
    for mut item in Object::parse("outbound_caller_ids", bytes)?.objects("items")? {
        let Some(number) = item.text("caller_id")?.filter(|number| is_number(number)) else { continue };
        // The 22.6 release calls it otherwise.
        let description = match line(&mut item, "display_name")? {
            Some(name) => Some(name),
            None => line(&mut item, "description")?,
        };
        if known.iter().all(|one| one.number != number) {
            known.push(CallerId { number, description });
        }
    }
    Ok(known)
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (1..=64).contains(&text.len()) && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_what_is_none_is_left_out() {
        let body = br#"{"items":[{"provider_id":"p","caller_id":"+442079460100","description":"Main line"},
            {"caller_id":"442079460114","description":""},{"caller_id":"+442079460100"},{"caller_id":"1;trunk-id=7"},
            {"caller_id":"+"},{"caller_id":"1\r\n2"},{"description":"none"}]}"#;
        let id = |number: &str, description: Option<&str>| CallerId {
            number: number.into(),
            description: description.map(str::to_owned),
        };
        assert_eq!(read(body).unwrap(), [id("+442079460100", Some("Main line")), id("442079460114", None)]);
        assert_eq!(read(b"{}").unwrap(), []);
    }
}
