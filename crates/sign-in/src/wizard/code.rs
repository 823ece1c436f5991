//! A QR code: the profile file it points to, by whichever way leads to the PBX, or the account it holds itself.

use pbx_api::{ApiError, Blob, Dialect, ServerAddress, SipDomain, Tenant};

use super::microsoft::bare;
use super::opening::Opening;
use super::stage::Following;
use super::{Action, Method, PlainAccount, Stage, Wizard};
use crate::{Enforced, Extension, Profile, ProfileInvalid, Question, SignInCode, SignInError};

impl Wizard {
    pub(super) fn scanned(&mut self, code: SignInCode) -> Result<Vec<Action>, SignInError> {
        if !matches!(self.stage, Stage::Scan(_)) || !self.is_idle() {
            return Err(SignInError::NotNow);
        }
        self.problem = None;
        Ok(match code {
            SignInCode::User(code) => {
                let ways = code.ways.into_iter().map(|way| way.server).collect();
                self.stage = Stage::Scan(Some(Following { path: code.path, ways, last: None }));
                self.next_way()
            }
            SignInCode::Legacy(code) => match Extension::of_code(code) {
                Ok(extension) => self.finish_plain(extension, Enforced::default()),
                Err(error) => self.fail(error),
            },
        })
    }

    fn next_way(&mut self) -> Vec<Action> {
        let Stage::Scan(Some(following)) = &mut self.stage else { return self.fail(SignInError::NotNow) };
        match following.ways.pop_front() {
            Some(server) => {
                let question = Question::Profile { reference: following.path.clone(), access: None };
                vec![self.ask(server, question)]
            }
            None => {
                let last = following.last.take();
                self.fail(SignInError::CodeUnreachable { last })
            }
        }
    }

    /// The file that a QR code points to is all there is: broken, nothing goes on.
    pub(super) fn file_fetched(
        &mut self,
        server: ServerAddress,
        answer: Result<Blob, ApiError>,
    ) -> Vec<Action> {
        let blob = match answer {
            Ok(blob) => blob,
            Err(error) if leads_nowhere(&error) => {
                tracing::info!(%server, %error, "a way of the code leads nowhere");
                if let Stage::Scan(Some(following)) = &mut self.stage {
                    following.last = Some(error);
                }
                return self.next_way();
            }
            Err(
                ApiError::NotFound { .. }
                | ApiError::Unauthorized
                | ApiError::Refused { status: 400 | 403 | 410, .. },
            ) => return self.fail(SignInError::CodeOutdated),
            Err(error) => return self.fail(error.into()),
        };
        let file = match Profile::parse(&blob.bytes) {
            Ok(file) => file,
            Err(error) => return self.fail(error.into()),
        };
        let tenant = file.tenant_domain.clone().map(nameless);
        match file.access.clone() {
            Some(access) => self.open(Opening {
                server,
                dialect: Dialect::Token,
                tokens: bare(access),
                method: Method::Qr,
                tenant,
                file: Some(file),
                username: String::new(),
                extension: None,
                changed: false,
            }),
            None => match Extension::of_file(&file, &server) {
                Some(extension) => self.finish_plain(extension, file.enforced),
                None => {
                    let what = "neither a token nor a SIP password".into();
                    self.fail(ProfileInvalid { what }.into())
                }
            },
        }
    }

    /// The PBX does not take the file's token: its extension may do without.
    pub(super) fn without_session(&mut self) -> Vec<Action> {
        let opening = self.opening.as_ref();
        let plain = opening.and_then(|opening| {
            let file = opening.file.as_ref()?;
            Some((Extension::of_file(file, &opening.server)?, file.enforced.clone()))
        });
        match plain {
            Some((extension, enforced)) => self.finish_plain(extension, enforced),
            None => self.fail(SignInError::CodeOutdated),
        }
    }

    fn finish_plain(&mut self, extension: Extension, enforced: Enforced) -> Vec<Action> {
        let mut actions = self.leave();
        actions.push(Action::FinishPlain(Box::new(PlainAccount { extension, enforced })));
        actions
    }
}

/// A tenant of which only the domain is known.
pub(super) fn nameless(domain: SipDomain) -> Tenant {
    Tenant { name: domain.to_string(), domain, website: None, avatar_url: None, microsoft: false }
}

/// Whether another way may do better.
fn leads_nowhere(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::ServerNotFound { .. }
            | ApiError::ConnectionRefused { .. }
            | ApiError::NetworkUnreachable { .. }
            | ApiError::Timeout { .. }
            | ApiError::ConnectionLost { .. }
            | ApiError::Tls { .. }
    )
}
