//! From tokens to an account: must the password be changed, which extension is it, what does its file settle?

use pbx_api::{ApiError, AuthUser, Blob, Dialect, ServerAddress, Tenant, Tokens, User};
use secrecy::SecretString;

use super::{Action, Method, News, SignedIn, Stage, Wizard};
use crate::{Extension, Profile, ProfileInvalid, Question, SignInError};

/// A session that is not yet handed over.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) server: ServerAddress,
    pub(super) dialect: Dialect,
    pub(super) tokens: Tokens,
    pub(super) method: Method,
    /// Not known at first where a QR code leaves it out.
    pub(super) tenant: Option<Tenant>,
    /// The profile file; a QR code begins with it.
    pub(super) file: Option<Profile>,
    pub(super) username: String,
    pub(super) extension: Option<Extension>,
    /// The password was changed in this sign-in.
    pub(super) changed: bool,
}

impl Wizard {
    /// Opens a session at the server found.
    pub(super) fn open_found(&mut self, dialect: Dialect, tokens: Tokens, method: Method) -> Vec<Action> {
        let Some(found) = &self.found else { return self.fail(SignInError::NotNow) };
        let username = match method {
            Method::Password => self.username.clone(),
            Method::Microsoft | Method::Qr => String::new(),
        };
        let opening = Opening {
            server: found.server.clone(),
            dialect,
            tokens,
            method,
            tenant: Some(found.tenant.clone()),
            file: None,
            username,
            extension: None,
            changed: false,
        };
        self.open(opening)
    }

    pub(super) fn open(&mut self, opening: Opening) -> Vec<Action> {
        let (server, access) = (opening.server.clone(), opening.tokens.access.clone());
        self.opening = Some(opening);
        vec![self.ask(server, Question::AuthUser { access })]
    }

    pub(super) fn auth_user(
        &mut self,
        access: SecretString,
        answer: Result<AuthUser, ApiError>,
    ) -> Vec<Action> {
        match answer {
            Ok(user) => {
                if let Some(opening) = &mut self.opening
                    && opening.tenant.is_none()
                {
                    opening.tenant = user.domain.map(super::code::nameless);
                }
                if user.password_force_reset {
                    return self.password_forced(access);
                }
                self.ask_user(access)
            }
            // An older PBX does not know the question.
            Err(ApiError::NotFound { .. }) => self.ask_user(access),
            Err(error) => self.token_refused(error),
        }
    }

    /// The password was changed: goes on where it stopped.
    pub(super) fn after_change(&mut self, access: SecretString) -> Vec<Action> {
        if let Some(opening) = &mut self.opening {
            opening.changed = true;
        }
        self.ask_user(access)
    }

    fn ask_user(&mut self, access: SecretString) -> Vec<Action> {
        self.typed_password = None;
        let Some(opening) = &self.opening else { return self.fail(SignInError::NotNow) };
        if opening.tenant.is_none() {
            return self.fail(ProfileInvalid { what: "no tenant domain".into() }.into());
        }
        let server = opening.server.clone();
        vec![self.ask(server, Question::User { access })]
    }

    pub(super) fn user(&mut self, access: SecretString, answer: Result<Box<User>, ApiError>) -> Vec<Action> {
        let user = match answer {
            Ok(user) => user,
            Err(error) => return self.token_refused(error),
        };
        let Some(Opening { server, tenant: Some(tenant), file, username, extension, .. }) = &mut self.opening
        else {
            return self.fail(SignInError::NotNow);
        };
        match Extension::of(&user, &tenant.domain, server) {
            Ok(told) => {
                if username.is_empty() {
                    let name = user.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
                    name.unwrap_or(&told.extension_number).clone_into(username);
                }
                *extension = Some(told);
            }
            Err(error) => return self.fail(error),
        }
        match &user.profile {
            Some(reference) if file.is_none() => {
                let server = server.clone();
                let question = Question::Profile { reference: reference.clone(), access: Some(access) };
                vec![self.ask(server, question)]
            }
            _ => self.finish(),
        }
    }

    /// The file is not vital here: the session stands without it.
    pub(super) fn profile(&mut self, answer: Result<Blob, ApiError>) -> Vec<Action> {
        let file = match answer {
            Ok(blob) => Profile::parse(&blob.bytes).inspect_err(|error| {
                tracing::warn!(%error, "the profile file of the PBX is broken");
            }),
            Err(error) => {
                tracing::info!(%error, "no profile file");
                return self.finish();
            }
        };
        if let (Ok(file), Some(opening)) = (file, &mut self.opening) {
            opening.file = Some(file);
        }
        self.finish()
    }

    fn finish(&mut self) -> Vec<Action> {
        let Some(Opening {
            server,
            dialect,
            tokens,
            method,
            tenant: Some(tenant),
            file,
            username,
            extension: Some(mut extension),
            changed: _,
        }) = self.opening.take()
        else {
            return self.fail(SignInError::NotNow);
        };
        let (file_password, enforced) =
            file.map(|file| (file.sip_password, file.enforced)).unwrap_or_default();
        extension.sip_password = extension.sip_password.or(file_password);
        let mut actions = self.leave();
        let signed_in = SignedIn { server, tenant, username, tokens, dialect, method, extension, enforced };
        actions.push(Action::Finish(Box::new(signed_in)));
        actions
    }

    /// The PBX does not answer to the token: what that means depends on where it came from.
    fn token_refused(&mut self, error: ApiError) -> Vec<Action> {
        let Some(Opening { method, dialect, changed, .. }) = &self.opening else {
            return self.fail(error.into());
        };
        match (&error, method, dialect) {
            (ApiError::Unauthorized | ApiError::Refused { .. }, Method::Qr, _) => self.without_session(),
            (ApiError::Unauthorized, ..) if *changed => {
                let actions = self.give_up();
                self.stage = Stage::User;
                self.news = Some(News::PasswordChanged);
                actions
            }
            (ApiError::Unauthorized, Method::Microsoft, Dialect::Token) => {
                self.fail(SignInError::SessionMissing)
            }
            _ => self.fail(error.into()),
        }
    }
}
