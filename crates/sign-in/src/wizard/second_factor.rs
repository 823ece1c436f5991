//! The code out of an e-mail.

use std::time::{Duration, SystemTime};

use pbx_api::{ApiError, Dialect, Tokens};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::stage::SecondFactor;
use super::{Action, Method, News, Stage, Wizard};
use crate::{Question, SignInError};

/// Shortest time between two codes asked for.
const GAP: Duration = Duration::from_secs(60);

impl Wizard {
    /// The PBX asks for a code: it is sent at once.
    pub(super) fn second_factor(
        &mut self,
        now: SystemTime,
        token: SecretString,
        method: Method,
    ) -> Vec<Action> {
        self.stage =
            Stage::Code(SecondFactor { method, token: token.clone(), sent: false, again_at: now + GAP });
        self.ask_found(|_| Question::SendCode { token })
    }

    pub(super) fn send_code_again(&mut self, now: SystemTime) -> Result<Vec<Action>, SignInError> {
        let (true, Stage::Code(SecondFactor { token, again_at, .. })) = (self.is_idle(), &self.stage) else {
            return Err(SignInError::NotNow);
        };
        if now < *again_at {
            return Err(SignInError::NotNow);
        }
        let token = token.clone();
        (self.problem, self.news) = (None, None);
        Ok(self.ask_found(|_| Question::SendCode { token }))
    }

    pub(super) fn code_sent(&mut self, now: SystemTime, answer: Result<(), ApiError>) -> Vec<Action> {
        let Stage::Code(SecondFactor { sent, again_at, .. }) = &mut self.stage else { return Vec::new() };
        match answer {
            Ok(()) => {
                *again_at = now + GAP;
                if std::mem::replace(sent, true) {
                    self.news = Some(News::CodeSent);
                }
            }
            Err(error) => {
                *again_at = now.checked_add(error.retry_after().unwrap_or_default()).unwrap_or(now);
                self.problem = Some(error.into());
            }
        }
        Vec::new()
    }

    pub(super) fn give_code(&mut self, code: &SecretString) -> Result<Vec<Action>, SignInError> {
        let (true, Stage::Code(SecondFactor { token, .. })) = (self.is_idle(), &self.stage) else {
            return Err(SignInError::NotNow);
        };
        let token = token.clone();
        (self.problem, self.news) = (None, None);
        let code = without_spaces(code);
        // The PBX counts what is wrong.
        if code.expose_secret().is_empty() {
            self.problem = Some(SignInError::SecondFactorWrong);
            return Ok(Vec::new());
        }
        Ok(self.ask_found(|_| Question::VerifyCode { token, code }))
    }

    pub(super) fn code_verified(&mut self, answer: Result<Option<Tokens>, ApiError>) -> Vec<Action> {
        let Stage::Code(SecondFactor { method, .. }) = &self.stage else { return Vec::new() };
        match answer {
            Ok(Some(tokens)) => return self.open_found(Dialect::Auth, tokens, *method),
            Ok(None) => self.problem = Some(SignInError::SessionMissing),
            Err(ApiError::WrongCredentials | ApiError::Unauthorized) => {
                self.problem = Some(SignInError::SecondFactorWrong);
            }
            Err(error) => self.problem = Some(error.into()),
        }
        Vec::new()
    }
}

/// A code as pasted out of a mail: `123 456` with a line end.
fn without_spaces(code: &SecretString) -> SecretString {
    let code = code.expose_secret();
    let mut bare = Zeroizing::new(String::with_capacity(code.len()));
    bare.extend(code.chars().filter(|letter| !letter.is_whitespace()));
    SecretString::from(bare.as_str())
}
