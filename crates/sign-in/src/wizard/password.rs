//! A new password: one that the PBX insists on, or one that a link out of an e-mail allows.

use std::time::Duration;

use pbx_api::{ApiError, ErrorCode};
use secrecy::{ExposeSecret, SecretString};

use super::stage::{Forgot, NewPassword, Right};
use super::{Action, News, Stage, Wizard};
use crate::callback::{self, Purpose};
use crate::{Answer, CallbackUrl, Question, SignInError};

/// How long the way back out of the e-mail is listened for.
const MAIL: Duration = Duration::from_secs(30 * 60);

impl Wizard {
    /// The PBX insists on a new password before anything else.
    pub(super) fn password_forced(&mut self, access: SecretString) -> Vec<Action> {
        let old = self.typed_password.take();
        self.new_password_page(Right::Forced { old }, Some(access))
    }

    /// The page, and the question for the rules, which nothing waits for.
    fn new_password_page(&mut self, right: Right, access: Option<SecretString>) -> Vec<Action> {
        self.stage = Stage::NewPassword(NewPassword { right, policy: None });
        let server = self.opening.as_ref().map(|opening| &opening.server);
        let Some(server) = server.or(self.found.as_ref().map(|found| &found.server)).cloned() else {
            return Vec::new();
        };
        let request = self.next_request();
        self.policy_request = Some(request);
        vec![Action::Ask { request, server, question: Question::PasswordPolicy { access } }]
    }

    pub(super) fn policy_told(&mut self, answer: Answer) {
        if let (Answer::PasswordPolicy(Ok(told)), Stage::NewPassword(NewPassword { policy, .. })) =
            (answer, &mut self.stage)
        {
            *policy = Some(told);
        }
    }

    pub(super) fn choose_password(
        &mut self,
        old: Option<SecretString>,
        new: SecretString,
    ) -> Result<Vec<Action>, SignInError> {
        if self.busy() || self.stopped.is_some() {
            return Err(SignInError::NotNow);
        }
        let Stage::NewPassword(NewPassword { right, .. }) = &self.stage else {
            return Err(SignInError::NotNow);
        };
        let empty = |secret: &SecretString| secret.expose_secret().is_empty();
        if empty(&new) {
            self.problem = Some(SignInError::NewPasswordRefused { message: None });
            return Ok(Vec::new());
        }
        self.problem = None;
        match right {
            Right::Link { token } => {
                let token = token.clone();
                Ok(self.ask_found(|_| Question::ResetPassword { token, new }))
            }
            Right::Forced { old: kept } => {
                let old = old.or_else(|| kept.clone()).filter(|old| !empty(old));
                let opening = self.opening.as_ref().ok_or(SignInError::NotNow)?;
                let Some(old) = old else {
                    self.problem = Some(SignInError::OldPasswordWrong);
                    return Ok(Vec::new());
                };
                let (server, access) = (opening.server.clone(), opening.tokens.access.clone());
                Ok(vec![self.ask(server, Question::ChangePassword { access, old, new })])
            }
        }
    }

    pub(super) fn password_changed(
        &mut self,
        access: SecretString,
        answer: Result<(), ApiError>,
    ) -> Vec<Action> {
        match answer {
            Ok(()) => {
                if let Stage::NewPassword(NewPassword { right, .. }) = &mut self.stage {
                    *right = Right::Forced { old: None };
                }
                self.after_change(access)
            }
            Err(ApiError::WrongCredentials) => {
                if let Stage::NewPassword(NewPassword { right, .. }) = &mut self.stage {
                    *right = Right::Forced { old: None };
                }
                self.problem = Some(SignInError::OldPasswordWrong);
                Vec::new()
            }
            Err(ApiError::Refused { message, .. }) => {
                self.problem = Some(SignInError::NewPasswordRefused { message });
                Vec::new()
            }
            Err(error @ ApiError::Unauthorized) => self.fail(error.into()),
            Err(error) => {
                self.problem = Some(error.into());
                Vec::new()
            }
        }
    }

    pub(super) fn forgot_password(&mut self) -> Result<Vec<Action>, SignInError> {
        if !matches!(self.stage, Stage::User) || self.busy() {
            return Err(SignInError::NotNow);
        }
        let actions = self.give_up();
        self.stage = Stage::Forgot(Forgot::default());
        Ok(actions)
    }

    pub(super) fn ask_for_reset(&mut self, username: &str) -> Result<Vec<Action>, SignInError> {
        if !matches!(self.stage, Stage::Forgot(_)) || !self.is_idle() {
            return Err(SignInError::NotNow);
        }
        username.trim().clone_into(&mut self.username);
        self.problem = None;
        if self.username.is_empty() {
            self.problem = Some(ApiError::WrongCredentials.into());
            return Ok(Vec::new());
        }
        // A link of an earlier e-mail comes back to the same place.
        match self.ear.as_ref().and_then(|ear| ear.callback()) {
            Some(callback) => Ok(self.ask_for_mail(callback)),
            None => Ok(vec![self.listen(Purpose::Reset, MAIL)]),
        }
    }

    pub(super) fn ask_for_mail(&mut self, callback: CallbackUrl) -> Vec<Action> {
        let username = self.username.clone();
        self.ask_found(|found| {
            let domain = found.tenant.domain.clone();
            Question::ForgetPassword { domain, username, callback }
        })
    }

    pub(super) fn reset_asked(&mut self, answer: Result<(), ApiError>) -> Vec<Action> {
        if let Some(callback) = self.other_callback(&answer) {
            return self.ask_for_mail(callback);
        }
        match (answer, &mut self.stage) {
            (Ok(()), Stage::Forgot(forgot)) => {
                forgot.asked = true;
                Vec::new()
            }
            (Ok(()), _) => Vec::new(),
            (Err(error), stage) => {
                // Links of earlier e-mails are still waited for.
                let asked = matches!(stage, Stage::Forgot(Forgot { asked: true }));
                self.problem = Some(error.into());
                if asked { Vec::new() } else { self.stop_listening() }
            }
        }
    }

    pub(super) fn give_reset_link(&mut self, link: &SecretString) -> Result<Vec<Action>, SignInError> {
        if !matches!(self.stage, Stage::Forgot(_)) || !self.is_idle() {
            return Err(SignInError::NotNow);
        }
        let Some(token) = callback::reset_token(link.expose_secret()) else {
            self.problem = Some(SignInError::ResetLinkInvalid);
            return Ok(Vec::new());
        };
        let mut actions = self.stop_listening();
        actions.extend(self.reset_token(token));
        Ok(actions)
    }

    /// The link's token is here.
    pub(super) fn reset_token(&mut self, token: SecretString) -> Vec<Action> {
        self.problem = None;
        self.new_password_page(Right::Link { token }, None)
    }

    pub(super) fn password_reset(&mut self, answer: Result<(), ApiError>) -> Vec<Action> {
        match answer {
            Ok(()) => {
                let actions = self.give_up();
                self.stage = Stage::User;
                self.news = Some(News::PasswordChanged);
                return actions;
            }
            Err(ApiError::Refused { code: Some(ErrorCode::ValidateFailed), message, .. }) => {
                self.problem = Some(SignInError::NewPasswordRefused { message });
            }
            Err(
                ApiError::Refused { .. }
                | ApiError::NotFound { .. }
                | ApiError::WrongCredentials
                | ApiError::Unauthorized,
            ) => {
                // Another link may be given.
                self.stage = Stage::Forgot(Forgot { asked: true });
                self.problem = Some(SignInError::ResetLinkInvalid);
            }
            Err(error) => self.problem = Some(error.into()),
        }
        Vec::new()
    }
}
