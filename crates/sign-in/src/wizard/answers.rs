//! Answers: to the question waited for, to those that nothing waits for, and to those given up.

use std::time::SystemTime;

use pbx_api::{ApiError, Dialect, Tokens};

use super::{Abandoned, Action, Asked, RequestId, Wizard};
use crate::{Answer, Question};

impl Wizard {
    pub(super) fn answered(&mut self, now: SystemTime, request: RequestId, answer: Answer) -> Vec<Action> {
        if self.picture_request == Some(request) {
            self.picture_request = None;
            self.tenants_picture(answer);
            return Vec::new();
        }
        if self.policy_request == Some(request) {
            self.policy_request = None;
            self.policy_told(answer);
            return Vec::new();
        }
        let Some(Asked { server, question, .. }) = self.waiting.take_if(|asked| asked.request == request)
        else {
            return self.late(request, answer.into_tokens());
        };
        if let Some(error @ ApiError::Certificate { .. }) = answer.error() {
            self.problem = Some(error.clone().into());
            self.stopped = Some((server, question));
            return Vec::new();
        }
        match (question, answer) {
            (Question::Info { domain }, Answer::Info(info)) => self.info(server, &domain, info),
            (Question::SignIn { dialect, domain, username, password }, Answer::SignIn(answer)) => {
                match (answer, older(dialect)) {
                    (Err(ApiError::NotFound { .. }), Some(dialect)) => {
                        self.try_dialect(server, Question::SignIn { dialect, domain, username, password })
                    }
                    (answer, _) => self.credentials_answered(now, dialect, answer),
                }
            }
            (Question::SendCode { .. }, Answer::SendCode(answer)) => self.code_sent(now, answer),
            (Question::VerifyCode { .. }, Answer::VerifyCode(answer)) => self.code_verified(answer),
            (Question::Microsoft { older, .. }, Answer::Microsoft(answer)) => {
                self.microsoft_answered(older, answer)
            }
            (Question::ExchangeCode { .. }, Answer::ExchangeCode(answer)) => self.code_exchanged(answer),
            (Question::ForgetPassword { .. }, Answer::ForgetPassword(answer)) => self.reset_asked(answer),
            (Question::ResetPassword { .. }, Answer::ResetPassword(answer)) => self.password_reset(answer),
            (Question::ChangePassword { access, .. }, Answer::ChangePassword(answer)) => {
                self.password_changed(access, answer)
            }
            (Question::AuthUser { access }, Answer::AuthUser(answer)) => self.auth_user(access, answer),
            (Question::User { access }, Answer::User(answer)) => self.user(access, answer),
            (Question::Profile { access: None, .. }, Answer::Profile(answer)) => {
                self.file_fetched(server, answer)
            }
            (Question::Profile { .. }, Answer::Profile(answer)) => self.profile(answer),
            (question, answer) => {
                let what = format!("an answer to another question than {}", question.name());
                let dialect = question.may_begin().unwrap_or(Dialect::Auth);
                self.abandoned.push(Abandoned { request, server, dialect });
                let mut actions = self.late(request, answer.into_tokens());
                actions.extend(self.fail(ApiError::NotUnderstood { what }.into()));
                actions
            }
        }
    }

    /// An answer nobody waits for any more: a session it brought is ended.
    pub(super) fn late(&mut self, request: RequestId, tokens: Option<Tokens>) -> Vec<Action> {
        let Some(index) = self.abandoned.iter().position(|given_up| given_up.request == request) else {
            return Vec::new();
        };
        let Abandoned { server, dialect, .. } = self.abandoned.remove(index);
        let end = |Tokens { access, refresh, .. }| Action::EndSession { server, dialect, access, refresh };
        tokens.map(end).into_iter().collect()
    }
}

/// The dialect to try where a server lacks this one.
fn older(dialect: Dialect) -> Option<Dialect> {
    match dialect {
        Dialect::Auth => Some(Dialect::OAuth),
        Dialect::OAuth => Some(Dialect::Cookie),
        Dialect::Cookie | Dialect::Token => None,
    }
}
