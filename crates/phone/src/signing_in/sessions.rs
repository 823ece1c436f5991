//! Sessions: taken up, begun, kept, asked for their SIP password, and ended.

use std::sync::Arc;

use pbx_api::{ApiError, Client, ServerAddress};
use secrecy::SecretString;
use sign_in::{Session, SignInError};
use tokio::task::AbortHandle;

use super::{Showing, SignedInput, SigningIn};
use crate::accounts::{Accounts, Agent, Line};
use crate::actor::Input;
use crate::contacts::ContactsInput;
use crate::portal::PortalInput;
use crate::settings::SavedAccount;
use crate::words::of_sign_in_error;
use crate::{AccountId, AccountKind, AccountState, AccountView, Code, Event, SessionState, Start};

/// A session, and the tasks that keep it fresh and watch it; they end with it.
pub(super) struct Watched {
    pub(super) session: Session,
    tasks: [AbortHandle; 2],
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl SigningIn {
    /// Takes up the accounts signed in to before.
    pub(crate) fn begin(&mut self, accounts: &mut Accounts) {
        self.identify();
        let start = &self.config.start;
        let wanted = |saved: &&SavedAccount| match start {
            Start::All => true,
            Start::One(id) => saved.id == *id,
            Start::None => false,
        };
        let saved: Vec<SavedAccount> = self.settings.accounts.iter().filter(wanted).cloned().collect();
        for account in &saved {
            self.showing = Showing::Nothing;
            accounts.put(shown(account));
            self.resume(account);
        }
        self.tell();
    }

    /// Gives an identity at its registrar to each account that was kept without one.
    fn identify(&mut self) {
        let lacking: Vec<AccountId> =
            self.settings.accounts.iter().filter(|a| a.instance.is_none()).map(|a| a.id.clone()).collect();
        for id in lacking {
            let instance = sip::Instance::random();
            self.settle(|settings| {
                if let Some(account) = settings.accounts.iter_mut().find(|a| a.id == id) {
                    account.instance.get_or_insert_with(|| instance.as_str().to_owned());
                }
            });
        }
    }

    /// Signs an account out. Its user agent is left to be stopped, which un-registers it.
    pub(crate) fn sign_out(&mut self, id: &AccountId, accounts: &mut Accounts) -> Option<Agent> {
        if !accounts.has(id) {
            return self.refuse(Code::NoAccount.into());
        }
        if self.saved(id).is_none() {
            let agent = accounts.remove(id);
            self.after_sign_out(id, accounts);
            return agent;
        }
        self.settle(|settings| settings.forget(id));
        self.forget_turn_password(id);
        self.outlet.put(Input::Contacts(Box::new(ContactsInput::Gone(id.clone()))));
        self.outlet.put(Input::Portal(Box::new(PortalInput::Gone(id.clone()))));
        let session = self.sessions.remove(id).map(|standing| standing.session.clone());
        let (account, keeper, outlet) = (id.clone(), Arc::clone(&self.keeper), self.outlet.clone());
        self.outlet.landing(async move {
            let vault = match session {
                Some(session) => {
                    let gone = session.sign_out().await;
                    if let Err(error) = gone.pbx {
                        tracing::info!(%account, %error, "the PBX was not told of signing out");
                    }
                    gone.vault
                }
                None => keeper.delete(&account.0).await,
            };
            outlet.put(Input::Signed(SignedInput::SignedOut(account, vault)));
        });
        accounts.take_agent(id)
    }

    /// An account's registrar refuses its password: it must be asked for anew.
    pub(crate) fn password_refused(&mut self, id: &AccountId) {
        if self.sessions.contains_key(id) || self.saved(id).is_some_and(|s| s.kind == AccountKind::Sip) {
            self.ask_sip_password(id, Some(Code::SipPasswordWrong.into()));
        }
    }

    /// Tries again to take up an account whose secrets could not be read; one that lacks its SIP password
    /// asks for it again.
    ///
    /// Returns whether there is such an account.
    pub(crate) fn reconnect(&mut self, id: &AccountId, accounts: &mut Accounts) -> bool {
        let Some(saved) = self.saved(id) else { return false };
        let lacks_password = accounts.state(id).is_some_and(|state| {
            matches!(state, AccountState::Offline { problem, .. }
                if matches!(problem.code, Code::SipPasswordNeeded | Code::SipPasswordWrong))
        });
        if lacks_password {
            self.showing = Showing::SipPassword(id.clone(), None);
            self.tell();
        } else {
            accounts.change(id, |view| {
                (view.state, view.session) = (AccountState::Registering, SessionState::Opening);
            });
            self.resume(saved);
        }
        true
    }

    fn resume(&self, saved: &SavedAccount) {
        if saved.kind == AccountKind::Sip {
            return self.resume_plain(saved);
        }
        let (id, keeper, trust) = (saved.id.clone(), Arc::clone(&self.keeper), self.trust());
        let (server, agent) = (saved.server.clone(), self.config.user_agent.clone());
        let outlet = self.outlet.clone();
        tokio::spawn(async move {
            let client = server.parse().and_then(|server| Client::new(server, &trust, &agent));
            let session = match client {
                Ok(client) => Session::resume(client, keeper, id.0.clone()).await,
                Err(error) => Err(error.into()),
            };
            let taken_up = session.as_ref().ok().cloned().flatten();
            outlet.put(Input::Signed(SignedInput::Session(id.clone(), session)));
            if let Some(session) = taken_up {
                // The phone does not wait for this: it can call while the PBX's web side is away.
                let confirmed = confirm(&session).await;
                outlet.put(Input::Signed(SignedInput::Confirmed(id, confirmed)));
            }
        });
    }

    /// A session stands, or cannot be taken up.
    pub(super) fn session(
        &mut self,
        id: &AccountId,
        session: Result<Option<Session>, SignInError>,
        accounts: &mut Accounts,
    ) -> Option<Agent> {
        let Some(saved) = self.saved(id).cloned() else {
            // Signed out meanwhile.
            if let Ok(Some(session)) = session {
                self.outlet.landing(async move { drop(session.sign_out().await) });
            }
            return None;
        };
        let session = match session {
            Ok(Some(session)) => session,
            Ok(None) => {
                accounts.change(id, |view| view.session = SessionState::Expired);
                accounts.offline(id, Code::SessionExpired.into());
                return None;
            }
            Err(error) => {
                let problem = of_sign_in_error(&error);
                accounts.change(id, |view| {
                    view.session = SessionState::Unconfirmed { problem: problem.clone() };
                });
                accounts.offline(id, problem);
                return None;
            }
        };
        // Trust may have changed while it was taken up.
        if let Ok(server) = saved.server.parse()
            && let Ok(client) = Client::new(server, &self.trust(), &self.config.user_agent)
        {
            session.set_client(client);
        }
        if let Some(error) = session.vault_problem() {
            self.outlet.tell(Event::Notice { problem: of_sign_in_error(&error), call: None });
        }
        let password = session.sip_password();
        let tasks = self.watch(id.clone(), &session);
        self.sessions.insert(id.clone(), Watched { session, tasks });
        match password {
            Some(password) => accounts.start_agent(id, self.line(&saved, password)),
            None => {
                accounts.offline(id, Code::SipPasswordNeeded.into());
                self.ask_sip_password(id, None);
                None
            }
        }
    }

    /// Asks the PBX for its star codes; without them those of the preferences hold.
    pub(super) fn ask_codes(&self, id: &AccountId) {
        let Some(Watched { session, .. }) = self.sessions.get(id) else { return };
        let (session, id, outlet) = (session.clone(), id.clone(), self.outlet.clone());
        tokio::spawn(async move {
            let ask = |client: Client, access| async move { client.feature_codes(&access).await };
            match session.authorized(ask).await {
                Ok(codes) => outlet.put(Input::Signed(SignedInput::Codes(id, codes))),
                Err(error) => tracing::info!(account = %id, %error, "the PBX does not tell its star codes"),
            }
        });
    }

    /// The session of an account stands: the PBX can be asked for its contacts and for what else it keeps.
    pub(super) fn offer_contacts(&self, id: &AccountId) {
        if let Some(Watched { session, .. }) = self.sessions.get(id) {
            let stands = ContactsInput::Stands(id.clone(), session.clone());
            self.outlet.put(Input::Contacts(Box::new(stands)));
            let stands = PortalInput::Stands(id.clone(), session.clone());
            self.outlet.put(Input::Portal(Box::new(stands)));
        }
    }

    fn watch(&self, id: AccountId, session: &Session) -> [AbortHandle; 2] {
        let (keeping, mut status, outlet) = (session.clone(), session.status(), self.outlet.clone());
        let keep = tokio::spawn(async move { keeping.keep_fresh().await });
        let watch = tokio::spawn(async move {
            loop {
                let now = *status.borrow_and_update();
                outlet.put(Input::Signed(SignedInput::Status(id.clone(), now)));
                if status.changed().await.is_err() {
                    return;
                }
            }
        });
        [keep.abort_handle(), watch.abort_handle()]
    }

    pub(super) fn sip_password_given(
        &mut self,
        password: SecretString,
        accounts: &mut Accounts,
    ) -> Option<Agent> {
        use secrecy::ExposeSecret;
        let Showing::SipPassword(id, problem) = &mut self.showing else {
            return self.refuse(Code::NotNow.into());
        };
        if password.expose_secret().is_empty() {
            *problem = Some(Code::SipPasswordNeeded.into());
            self.tell();
            return None;
        }
        let id = id.clone();
        let saved = self.saved(&id).cloned()?;
        match self.sessions.get(&id) {
            Some(Watched { session, .. }) => {
                let (session, password) = (session.clone(), password.clone());
                self.outlet.landing(async move { session.set_sip_password(password).await });
            }
            None => self.keep_plain(&id, password.clone()),
        }
        self.fresh = None;
        self.showing = Showing::Nothing;
        self.tell();
        accounts.start_agent(&id, self.line(&saved, password))
    }

    pub(super) fn after_sign_out(&mut self, id: &AccountId, accounts: &Accounts) {
        match &self.showing {
            Showing::Nothing => {}
            Showing::SipPassword(asked, _) if asked == id => {}
            // The user is elsewhere by now.
            _ => return self.tell(),
        }
        if accounts.views().is_empty() {
            self.wizard = std::mem::take(&mut self.wizard).renewed();
            self.showing = Showing::Wizard;
        } else {
            self.showing = Showing::Nothing;
        }
        self.tell();
    }

    /// Sessions with this server use its new pin from now on.
    pub(super) fn renew_clients(&self, server: &ServerAddress) {
        let trust = self.trust();
        for (id, Watched { session, .. }) in &self.sessions {
            let there = self.settings.accounts.iter().any(|a| a.id == *id && a.server == server.authority());
            if there && let Ok(client) = Client::new(server.clone(), &trust, &self.config.user_agent) {
                session.set_client(client);
            }
        }
    }

    /// Every session speaks to its server by the way that is chosen now.
    pub(super) fn renew_all_clients(&self) {
        let servers: std::collections::BTreeSet<ServerAddress> =
            self.settings.accounts.iter().filter_map(|account| account.server.parse().ok()).collect();
        servers.iter().for_each(|server| self.renew_clients(server));
    }

    /// What it takes to call with an account.
    pub(super) fn line(&self, saved: &SavedAccount, password: SecretString) -> Line {
        let (proxy, transport) = self.config.route(saved);
        let sip = sip::Account {
            user: saved.extension.clone(),
            auth_user: saved.auth_user.clone(),
            domain: saved.domain.clone(),
            display_name: Some(saved.display_name.clone()),
            proxy,
            transport,
            trust: self.trust(),
            websocket_path: sip::Account::WEBSOCKET_PATH.to_owned(),
            name_servers: None,
            password,
            expires: sip::Account::EXPIRES,
            user_agent: self.config.user_agent.clone(),
            instance: match self.config.beside_others {
                true => Some(sip::Instance::random()),
                false => saved.instance.as_deref().and_then(sip::Instance::parse),
            },
            local_port: None,
        };
        let srtp = self.config.srtp.unwrap_or(saved.srtp);
        let nat = self.config.nat.clone().or_else(|| saved.connection.nat(None).ok()).unwrap_or_default();
        self.ask_turn_password(saved);
        Line { sip, codecs: saved.enforced.allowed(), srtp, nat: Arc::new(nat) }
    }
}

/// Asks the PBX whether a session stands (`GET /auth/user`).
async fn confirm(session: &Session) -> Result<(), SignInError> {
    match session.authorized(|client, access| async move { client.auth_user(&access).await }).await {
        // An older PBX knows the session, but not the question.
        Ok(_) | Err(SignInError::Api(ApiError::NotFound { .. })) => Ok(()),
        Err(error) => Err(error),
    }
}

/// An account as it is shown before anything is known of its registration.
pub(super) fn shown(saved: &SavedAccount) -> AccountView {
    AccountView {
        id: saved.id.clone(),
        display_name: saved.display_name.clone(),
        extension: saved.extension.clone(),
        domain: saved.domain.clone(),
        server: saved.server.clone(),
        transport: saved.transport,
        srtp: saved.srtp,
        hidden: saved.hidden,
        connection: saved.connection.clone(),
        state: AccountState::Registering,
        session: match saved.kind {
            AccountKind::Pbx => SessionState::Opening,
            AccountKind::Sip => SessionState::None,
        },
        secrets_in_memory: false,
        enforced: saved.enforced.view(),
        mailbox: None,
        codes: None,
        certificate: None,
    }
}
