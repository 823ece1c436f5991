//! Plain SIP accounts, which need no session.

use std::sync::Arc;

use pbx_api::ServerAddress;
use secrecy::SecretString;
use sign_in::{Secrets, SignInError};

use super::sessions::shown;
use super::{SignedInput, SigningIn};
use crate::accounts::{Accounts, Agent};
use crate::actor::Input;
use crate::settings::SavedAccount;
use crate::words::of_sign_in_error;
use crate::{AccountId, AccountKind, Code, Enforced, Event, Problem, SipAccount, Transport, TransportChoice};

impl SigningIn {
    /// Uses a plain SIP account, until the phone stops or for good.
    pub(super) fn plain(&mut self, account: SipAccount, accounts: &mut Accounts) -> Option<Agent> {
        let saved = match saved(&account) {
            Ok(saved) => SavedAccount { srtp: self.config.new_srtp(), ..saved },
            Err(problem) => return self.plain_problem(problem),
        };
        self.use_plain(saved, account.password, account.keep, accounts)
    }

    /// Registers a plain SIP account, and keeps it where that is wanted.
    pub(super) fn use_plain(
        &mut self,
        saved: SavedAccount,
        password: SecretString,
        keep: bool,
        accounts: &mut Accounts,
    ) -> Option<Agent> {
        // A session of the same name is another account's past.
        self.sessions.remove(&saved.id);
        accounts.put(shown(&saved));
        if keep {
            self.settle(|settings| settings.remember(saved.clone()));
            self.keep_plain(&saved.id, password.clone());
        } else {
            accounts.change(&saved.id, |view| view.secrets_in_memory = true);
        }
        // What was typed holds, whatever was kept before; it is the same phone at the same registrar all the same.
        let kept = self.saved(&saved.id);
        let (instance, srtp) = (kept.and_then(|k| k.instance.clone()), kept.map(|k| k.srtp));
        let srtp = srtp.unwrap_or(saved.srtp);
        let hidden = kept.is_some_and(|k| k.hidden);
        let connection = kept.map(|k| k.connection.clone()).unwrap_or_default();
        let saved = SavedAccount { instance: instance.or(saved.instance), srtp, connection, ..saved };
        accounts.protect(&saved.id, srtp);
        accounts.change(&saved.id, |view| view.hidden = hidden);
        let superseded = accounts.start_agent(&saved.id, self.line(&saved, password));
        self.leave_wizard();
        superseded
    }

    /// Keeps the SIP password of a plain account.
    pub(super) fn keep_plain(&self, id: &AccountId, password: SecretString) {
        let (keeper, id, outlet) = (Arc::clone(&self.keeper), id.clone(), self.outlet.clone());
        self.outlet.landing(async move {
            let kept = keeper.save(&id.0, &Secrets::plain(password)).await;
            outlet.put(Input::Signed(SignedInput::PlainKept(id, kept)));
        });
    }

    /// The password of a plain account was kept, or not.
    pub(super) fn plain_kept(&self, id: &AccountId, kept: Result<(), SignInError>, accounts: &mut Accounts) {
        accounts.change(id, |view| view.secrets_in_memory = kept.is_err());
        if let Err(error) = kept {
            self.outlet.tell(Event::Notice { problem: of_sign_in_error(&error), call: None });
        }
    }

    /// Takes up a plain account kept before.
    pub(super) fn resume_plain(&self, saved: &SavedAccount) {
        let (keeper, id) = (Arc::clone(&self.keeper), saved.id.clone());
        self.outlet.waiting(async move {
            let secrets = keeper.load(&id.0).await;
            Input::Signed(SignedInput::Plain(id, secrets))
        });
    }

    /// The password of a plain account was looked up.
    pub(super) fn plain_taken_up(
        &mut self,
        id: &AccountId,
        secrets: Result<Option<Secrets>, SignInError>,
        accounts: &mut Accounts,
    ) -> Option<Agent> {
        let saved = self.saved(id).cloned()?;
        match secrets.map(|secrets| secrets.and_then(|secrets| secrets.sip_password)) {
            Ok(Some(password)) => accounts.start_agent(id, self.line(&saved, password)),
            Ok(None) => {
                accounts.offline(id, Code::SipPasswordNeeded.into());
                self.ask_sip_password(id, None);
                None
            }
            Err(error) => {
                accounts.offline(id, of_sign_in_error(&error));
                None
            }
        }
    }
}

/// An account as it is kept.
fn saved(account: &SipAccount) -> Result<SavedAccount, Problem> {
    let (proxy_host, proxy_port) = proxy(&account.proxy)?;
    let trimmed = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let user = account.user.trim().to_owned();
    let domain = account.domain.trim().to_owned();
    Ok(SavedAccount {
        id: AccountId(format!("{user}@{domain}")),
        kind: AccountKind::Sip,
        server: account.proxy.trim().to_owned(),
        domain,
        username: user.clone(),
        display_name: trimmed(&account.display_name).unwrap_or_else(|| user.clone()),
        extension: user,
        proxy_host,
        proxy_port,
        transport: account.transport.fixed().unwrap_or(Transport::Tls),
        automatic: account.transport == TransportChoice::Automatic,
        instance: Some(sip::Instance::random().as_str().to_owned()),
        auth_user: trimmed(&account.auth_user),
        srtp: crate::SrtpPolicy::default(),
        hidden: false,
        connection: crate::Connection::default(),
        enforced: Enforced::default(),
    })
}

/// `host` or `host:port` of an outbound proxy; without a port the transport's own.
pub(crate) fn proxy(typed: &str) -> Result<(String, Option<u16>), Problem> {
    let typed = typed.trim();
    let invalid = || Problem::new(Code::ServerInvalid, typed.to_owned());
    if let Ok(host) = typed.parse::<pbx_api::Host>() {
        return Ok((host.to_string(), None));
    }
    let server = typed.parse::<ServerAddress>().map_err(|_| invalid())?;
    Ok((server.host().to_string(), Some(server.port())))
}
