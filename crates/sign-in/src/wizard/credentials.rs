//! User name and password, in the newest dialect that the server speaks.

use std::time::SystemTime;

use pbx_api::{ApiError, Dialect, ServerAddress, SignInAnswer};
use secrecy::{ExposeSecret, SecretString};

use super::{Action, Method, Stage, Wizard};
use crate::{Question, SignInError};

impl Wizard {
    pub(super) fn sign_in(
        &mut self,
        username: String,
        password: SecretString,
    ) -> Result<Vec<Action>, SignInError> {
        if !matches!(self.stage, Stage::User) || self.busy() {
            return Err(SignInError::NotNow);
        }
        let mut actions = self.give_up();
        self.username = username.trim().to_owned();
        // Neither can be right when empty, and a refused try counts towards a block of the whole address.
        if self.username.is_empty() || password.expose_secret().is_empty() {
            self.problem = Some(ApiError::WrongCredentials.into());
            return Ok(actions);
        }
        self.typed_password = Some(password.clone());
        let username = self.username.clone();
        actions.extend(self.ask_found(|found| Question::SignIn {
            dialect: found.dialect,
            domain: found.tenant.domain.clone(),
            username,
            password,
        }));
        Ok(actions)
    }

    /// Asks once more in an older dialect. No try is wasted: the server did not know the question.
    pub(super) fn try_dialect(&mut self, server: ServerAddress, question: Question) -> Vec<Action> {
        if let (Question::SignIn { dialect, .. }, Some(found)) = (&question, &mut self.found) {
            tracing::debug!(%server, ?dialect, "an older server");
            found.dialect = *dialect;
        }
        vec![self.ask(server, question)]
    }

    pub(super) fn credentials_answered(
        &mut self,
        now: SystemTime,
        dialect: Dialect,
        answer: Result<SignInAnswer, ApiError>,
    ) -> Vec<Action> {
        match answer {
            Ok(SignInAnswer::Tokens(tokens)) => self.open_found(dialect, tokens, Method::Password),
            Ok(SignInAnswer::SecondFactor { token }) => self.second_factor(now, token, Method::Password),
            Err(ApiError::NotFound { .. }) => {
                // It speaks none; the next try begins anew.
                if let Some(found) = &mut self.found {
                    found.dialect = Dialect::Auth;
                }
                self.fail(SignInError::SignInUnsupported)
            }
            Err(error) => self.fail(error.into()),
        }
    }
}
