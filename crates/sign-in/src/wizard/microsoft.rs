//! Ways through the system's browser, and the listener for the way back: Microsoft 365, and the link of an e-mail.

use std::time::{Duration, SystemTime};

use pbx_api::{ApiError, Dialect, ErrorCode, Tokens};
use secrecy::SecretString;
use url::Url;

use super::stage::Browser;
use super::{Abandoned, Action, Method, RequestId, Stage, Wizard};
use crate::callback::{Callback, Purpose};
use crate::{CallbackUrl, Question, SignInError};

/// How long the browser may take.
const BROWSER: Duration = Duration::from_secs(5 * 60);

/// A listener for the browser's way back.
#[derive(Debug)]
pub(super) struct Ear {
    request: RequestId,
    purpose: Purpose,
    callbacks: Option<Callbacks>,
    /// When it stops listening; not known before it listens.
    until: Option<SystemTime>,
    limit: Duration,
    /// The session that comes back was asked for in this dialect.
    dialect: Dialect,
}

/// Where the browser shall come back to.
#[derive(Debug)]
struct Callbacks {
    now: CallbackUrl,
    /// To be tried where the PBX does not accept the first.
    other: Option<CallbackUrl>,
}

impl Ear {
    /// It does not listen yet.
    pub(super) fn is_deaf(&self) -> bool {
        self.callbacks.is_none()
    }

    /// When it stops listening.
    pub(super) fn until(&self) -> Option<SystemTime> {
        self.until
    }

    /// Where it listens.
    pub(super) fn callback(&self) -> Option<CallbackUrl> {
        self.callbacks.as_ref().map(|callbacks| callbacks.now.clone())
    }
}

impl Wizard {
    pub(super) fn sign_in_with_microsoft(&mut self) -> Result<Vec<Action>, SignInError> {
        let offered = self.found.as_ref().is_some_and(|found| found.tenant.microsoft);
        if !offered || !matches!(self.stage, Stage::User) || self.busy() {
            return Err(SignInError::NotNow);
        }
        let mut actions = self.give_up();
        actions.push(self.listen(Purpose::SignIn, BROWSER));
        Ok(actions)
    }

    pub(super) fn listen(&mut self, purpose: Purpose, limit: Duration) -> Action {
        let request = self.next_request();
        self.ear =
            Some(Ear { request, purpose, callbacks: None, until: None, limit, dialect: Dialect::Auth });
        Action::Listen { request, purpose, limit }
    }

    pub(super) fn listening(
        &mut self,
        now: SystemTime,
        request: RequestId,
        loopback: Option<CallbackUrl>,
        scheme: Option<CallbackUrl>,
    ) -> Vec<Action> {
        let Some(ear) = self.ear.as_mut().filter(|ear| ear.request == request && ear.is_deaf()) else {
            return Vec::new();
        };
        let (Some(callback), other) = (match loopback {
            Some(loopback) => (Some(loopback), scheme),
            None => (scheme, None),
        }) else {
            let what = "there is no way back from the browser".into();
            return self.fail(SignInError::BrowserSignInFailed { what });
        };
        ear.callbacks = Some(Callbacks { now: callback.clone(), other });
        ear.until = Some(now + ear.limit);
        match ear.purpose {
            Purpose::SignIn => {
                // A server known to be older is asked as such.
                let older = self.found.as_ref().is_some_and(|found| found.dialect != Dialect::Auth);
                self.ask_microsoft(older, callback)
            }
            Purpose::Reset => self.ask_for_mail(callback),
        }
    }

    fn ask_microsoft(&mut self, older: bool, callback: CallbackUrl) -> Vec<Action> {
        self.ask_found(|found| {
            let domain = found.tenant.domain.clone();
            Question::Microsoft { older, domain, callback }
        })
    }

    /// The other place for the browser to come back to, where the PBX does not accept the first.
    pub(super) fn other_callback<T>(&mut self, answer: &Result<T, ApiError>) -> Option<CallbackUrl> {
        let Err(ApiError::Refused { code: Some(ErrorCode::ValidateFailed), .. }) = answer else {
            return None;
        };
        let callbacks = self.ear.as_mut()?.callbacks.as_mut()?;
        callbacks.now = callbacks.other.take()?;
        Some(callbacks.now.clone())
    }

    pub(super) fn microsoft_answered(&mut self, older: bool, answer: Result<Url, ApiError>) -> Vec<Action> {
        if let Some(callback) = self.other_callback(&answer) {
            return self.ask_microsoft(older, callback);
        }
        match answer {
            Ok(url) => {
                let Some(Ear { dialect, until: Some(until), .. }) = &mut self.ear else {
                    return self.fail(SignInError::NotNow);
                };
                *dialect = if older { Dialect::OAuth } else { Dialect::Auth };
                self.stage = Stage::Browser(Browser { url: url.clone(), until: *until, failed: false });
                vec![Action::OpenBrowser { url }]
            }
            Err(ApiError::NotFound { .. }) if !older => match self.ear.as_ref().and_then(Ear::callback) {
                Some(callback) => self.ask_microsoft(true, callback),
                None => self.fail(SignInError::NotNow),
            },
            Err(error) => self.fail(error.into()),
        }
    }

    pub(super) fn open_browser_again(&mut self) -> Result<Vec<Action>, SignInError> {
        match (&mut self.stage, &self.ear) {
            (Stage::Browser(Browser { url, failed, .. }), Some(_)) => {
                (*failed, self.problem) = (false, None);
                Ok(vec![Action::OpenBrowser { url: url.clone() }])
            }
            _ => Err(SignInError::NotNow),
        }
    }

    pub(super) fn browser_failed(&mut self) -> Vec<Action> {
        if let (Stage::Browser(Browser { failed, .. }), Some(_)) = (&mut self.stage, &self.ear) {
            *failed = true;
            self.problem = Some(SignInError::NoBrowser);
        }
        Vec::new()
    }

    pub(super) fn returned(
        &mut self,
        now: SystemTime,
        request: RequestId,
        callback: Callback,
    ) -> Vec<Action> {
        let Some(ear) = self.ear.take_if(|ear| ear.request == request) else {
            return match callback {
                Callback::Tokens(tokens) => self.late(request, Some(tokens)),
                _ => Vec::new(),
            };
        };
        match ear.purpose {
            Purpose::SignIn => self.back_from_microsoft(now, ear, callback),
            Purpose::Reset => match callback {
                Callback::ResetToken(token) if matches!(self.stage, Stage::Forgot(_)) => {
                    let mut actions = self.give_up();
                    actions.extend(self.reset_token(token));
                    actions
                }
                _ => self.fail(SignInError::ResetLinkInvalid),
            },
        }
    }

    fn back_from_microsoft(&mut self, now: SystemTime, ear: Ear, callback: Callback) -> Vec<Action> {
        self.problem = None;
        match callback {
            Callback::Tokens(tokens) => {
                let dialect = match (ear.dialect, &tokens.refresh) {
                    (Dialect::OAuth, None) => Dialect::Cookie,
                    (dialect, _) => dialect,
                };
                self.open_found(dialect, tokens, Method::Microsoft)
            }
            Callback::SessionToken { token, second_factor: true } => {
                self.second_factor(now, token, Method::Microsoft)
            }
            // Nobody documents what it is for: perhaps it opens the session itself.
            Callback::SessionToken { token, second_factor: false } => {
                self.open_found(Dialect::Token, bare(token), Method::Microsoft)
            }
            Callback::Code(code) => match ear.callback() {
                Some(callback) => self.ask_found(|_| Question::ExchangeCode { code, callback }),
                None => self.fail(SignInError::SessionMissing),
            },
            Callback::Denied => self.fail(SignInError::ConsentDenied),
            Callback::Failed { what } => self.fail(SignInError::BrowserSignInFailed { what }),
            Callback::ResetToken(_) => self.fail(SignInError::SessionMissing),
        }
    }

    pub(super) fn code_exchanged(&mut self, answer: Result<Tokens, ApiError>) -> Vec<Action> {
        match answer {
            Ok(tokens) => self.open_found(Dialect::OAuth, tokens, Method::Microsoft),
            Err(
                error @ (ApiError::NotFound { .. }
                | ApiError::Refused { .. }
                | ApiError::WrongCredentials
                | ApiError::Unauthorized),
            ) => self.fail(SignInError::BrowserSignInFailed { what: error.to_string() }),
            Err(error) => self.fail(error.into()),
        }
    }

    pub(super) fn timed_out(&mut self, now: SystemTime) -> Vec<Action> {
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return Vec::new();
        }
        match &self.stage {
            Stage::Browser(_) => self.fail(SignInError::BrowserTimedOut),
            // The link may still be pasted.
            Stage::Forgot(_) => self.stop_listening(),
            _ => Vec::new(),
        }
    }

    pub(super) fn stop_listening(&mut self) -> Vec<Action> {
        let Some(Ear { request, purpose, dialect, .. }) = self.ear.take() else { return Vec::new() };
        if let (Purpose::SignIn, Some(found)) = (purpose, &self.found) {
            let server = found.server.clone();
            self.abandoned.push(Abandoned { request, server, dialect });
        }
        vec![Action::StopListening { request }]
    }
}

/// A token of which nothing more is known.
pub(super) fn bare(access: SecretString) -> Tokens {
    Tokens { access, refresh: None, expires_in: Duration::MAX, token_type: None }
}
