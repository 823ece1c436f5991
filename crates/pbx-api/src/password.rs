use secrecy::SecretString;
use url::Url;

use crate::json::Object;
use crate::request::{Field, JSON_LIMIT};
use crate::{ApiError, Client, ErrorCode, SipDomain};

/// What a new password must be (`GET /tenant/password_policy`). The default is that of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// Fewest characters.
    pub min_length: u32,
    /// Most characters; never fewer than `min_length`.
    pub max_length: u32,
    /// It must hold letters.
    pub letters: bool,
    /// It must hold digits.
    pub digits: bool,
    /// It must hold special characters.
    pub special: bool,
    /// It must not hold characters in sequence, such as `abc` or `321`.
    pub no_sequences: bool,
    /// It must not hold the same character over and over.
    pub no_repeats: bool,
    /// It must not hold anything of the account, such as the user name.
    pub no_account_name: bool,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            min_length: 6,
            max_length: 32,
            letters: true,
            digits: true,
            special: true,
            no_sequences: true,
            no_repeats: true,
            no_account_name: true,
        }
    }
}

impl Client {
    /// `POST /auth/forget_password`: has a link e-mailed that leads to `callback` with the token for
    /// [`Client::reset_password`].
    ///
    /// # Errors
    /// [`ApiError::Refused`] for a user the PBX does not know, or a callback it does not like.
    pub async fn forget_password(
        &self,
        domain: &SipDomain,
        username: &str,
        callback: &Url,
    ) -> Result<(), ApiError> {
        let fields = [
            ("domain", Field::Plain(domain.as_str())),
            ("username", Field::Plain(username)),
            ("callback_url", Field::Plain(callback.as_str())),
        ];
        self.post(self.url("auth/forget_password")).json(&fields)?.answer(JSON_LIMIT).await.map(drop)
    }

    /// `POST /auth/reset_password`: a new password, proven by the token of an e-mailed link.
    ///
    /// # Errors
    /// [`ApiError::Refused`] or [`ApiError::Unauthorized`] for a token that is not, or no longer, accepted;
    /// [`ApiError::Refused`] with [`ErrorCode::ValidateFailed`] for a password against the policy.
    pub async fn reset_password(&self, token: &SecretString, new: &SecretString) -> Result<(), ApiError> {
        let fields = [("token", Field::Secret(token)), ("new_password", Field::Secret(new))];
        self.post(self.url("auth/reset_password")).json(&fields)?.answer(JSON_LIMIT).await.map(drop)
    }

    /// `POST /user/password`: a new password for the signed-in user, proven by the old one.
    ///
    /// # Errors
    /// [`ApiError::WrongCredentials`] for HTTP 400 `UNAUTHORIZED`: the old password is wrong;
    /// [`ApiError::Unauthorized`] where the access token is not accepted; [`ApiError::Refused`] with
    /// [`ErrorCode::ValidateFailed`] for a password against the policy.
    pub async fn change_password(
        &self,
        access: &SecretString,
        old: &SecretString,
        new: &SecretString,
    ) -> Result<(), ApiError> {
        let fields = [("old_password", Field::Secret(old)), ("new_password", Field::Secret(new))];
        let request = self.post(self.url("user/password")).bearer(access)?.json(&fields)?;
        match request.answer(JSON_LIMIT).await {
            Err(ApiError::Refused { code: Some(ErrorCode::Unauthorized), .. }) => {
                Err(ApiError::WrongCredentials)
            }
            other => other.map(drop),
        }
    }

    /// `GET /tenant/password_policy`: the rules for passwords. Whether a plain user may read them is documented
    /// nowhere.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] or [`ApiError::Refused`] where the user may not.
    pub async fn password_policy(&self, access: Option<&SecretString>) -> Result<PasswordPolicy, ApiError> {
        let request = self.get(self.url("tenant/password_policy"));
        let request = match access {
            Some(access) => request.bearer(access)?,
            None => request,
        };
        read(&request.answer(JSON_LIMIT).await?.bytes)
    }
}

/// Reads the policy. It is advice: a rule that cannot be read is as the API has it by default.
pub(crate) fn read(bytes: &[u8]) -> Result<PasswordPolicy, ApiError> {
    let mut answer = Object::parse("password_policy", bytes)?;
    let usual = PasswordPolicy::default();
    let length = |answer: &mut Object, key, usual| {
        let told = answer.number(key).ok().flatten().and_then(|told| u32::try_from(told).ok());
        told.unwrap_or(usual)
    };
    let min_length = length(&mut answer, "min_length", usual.min_length);
    let max_length = length(&mut answer, "max_length", usual.max_length).max(min_length);
    let mut rule = |key, usual| answer.flag(key).ok().flatten().unwrap_or(usual);
    Ok(PasswordPolicy {
        min_length,
        max_length,
        letters: rule("contains_letters", usual.letters),
        digits: rule("contains_numbers", usual.digits),
        special: rule("contains_special_letters", usual.special),
        no_sequences: rule("disable_sequential_characters", usual.no_sequences),
        no_repeats: rule("disable_repeating_characters", usual.no_repeats),
        no_account_name: rule("disable_account_information", usual.no_account_name),
    })
}

#[cfg(test)]
mod tests {
    use super::{PasswordPolicy, read};

    #[test]
    fn policies() {
        assert_eq!(read(b"{}").unwrap(), PasswordPolicy::default());
        let body = br#"{"min_length":8,"max_length":"20","contains_letters":false,"contains_numbers":true,
            "contains_special_letters":false,"disable_sequential_characters":false,
            "disable_repeating_characters":true,"disable_account_information":false,"later":[]}"#;
        let expected = PasswordPolicy {
            min_length: 8,
            max_length: 20,
            letters: false,
            digits: true,
            special: false,
            no_sequences: false,
            no_repeats: true,
            no_account_name: false,
        };
        assert_eq!(read(body).unwrap(), expected);
    }

    #[test]
    fn rules_that_cannot_be_read() {
        for body in [
            r#"{"min_length":-1,"max_length":1e99,"contains_letters":"yes"}"#,
            r#"{"min_length":[],"max_length":{},"contains_letters":null}"#,
            r#"{"min_length":4294967296}"#,
        ] {
            assert_eq!(read(body.as_bytes()).unwrap(), PasswordPolicy::default(), "{body}");
        }
        let upside_down = read(br#"{"min_length":12,"max_length":8}"#).unwrap();
        assert_eq!((upside_down.min_length, upside_down.max_length), (12, 12));
        for body in ["", "[]", "null", "7", "<html>"] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
