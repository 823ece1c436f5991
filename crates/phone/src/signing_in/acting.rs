//! What the wizard wants done.

use std::sync::Arc;

use pbx_api::{ApiError, Client, ServerAddress, Trust};
use sign_in::{Action, Extension, PlainAccount, Session, SignedIn};

use super::sessions::shown;
use super::{Showing, SignedInput, SigningIn};
use crate::accounts::{Accounts, Agent};
use crate::actor::Input;
use crate::settings::{SavedAccount, TrustedCertificate};
use crate::words::of_sign_in_error;
use crate::{AccountId, AccountKind, AccountState, Code, Event, Language, Problem, Transport};

impl SigningIn {
    pub(super) fn act(&mut self, action: Action, accounts: &mut Accounts) -> Option<Agent> {
        match action {
            Action::Ask { request, server, question } => match self.client(server) {
                Ok(client) => self.outlet.waiting(async move {
                    let answer = sign_in::ask(&client, question).await;
                    Input::Signed(SignedInput::Answered(request, answer))
                }),
                Err(error) => {
                    self.outlet.put(Input::Signed(SignedInput::Answered(request, question.failed(error))));
                }
            },
            Action::Trust(pin) => {
                let trusted = TrustedCertificate {
                    server: pin.server.authority(),
                    fingerprint: pin.fingerprint.to_string(),
                };
                self.settle(|settings| settings.trust(trusted.clone()));
                self.trust_changed(&pin.server);
            }
            Action::EndSession { server, dialect, access, refresh } => {
                if let Ok(client) = self.client(server) {
                    self.outlet.landing(async move {
                        if let Err(error) = client.sign_out(dialect, &access, refresh.as_ref()).await {
                            tracing::info!(%error, "the PBX keeps a session nobody uses");
                        }
                    });
                }
            }
            Action::Listen { request, purpose, limit } => {
                let language = Language::first_of(self.settings.desktop.appearance.language.as_deref());
                self.returning.listen(request, purpose, limit, language);
            }
            Action::StopListening { request } => self.returning.stop(request),
            Action::OpenBrowser { url } => {
                let (browser, outlet) = (self.config.browser.clone(), self.outlet.clone());
                // A browser in a terminal may hold whoever opens it.
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = browser.open(url.as_str()) {
                        tracing::warn!(%error, "no browser");
                        outlet.put(Input::Signed(SignedInput::BrowserFailed));
                    }
                });
            }
            Action::Finish(signed_in) => return self.finish(*signed_in, accounts),
            Action::FinishPlain(account) => return self.finish_plain(*account, accounts),
        }
        None
    }

    fn finish(&mut self, signed_in: SignedIn, accounts: &mut Accounts) -> Option<Agent> {
        let SignedIn { server, tenant, username, tokens, dialect, extension, enforced, method: _ } =
            signed_in;
        let mut extension = extension;
        let id = AccountId(format!("{username}@{}", tenant.domain));
        // Who signs in again need not give the SIP password again, unless it is the one that was refused.
        let refused = accounts.state(&id).is_some_and(|state| {
            matches!(state, AccountState::Offline { problem, .. } if problem.code == Code::SipPasswordWrong)
        });
        if extension.sip_password.is_none() && !refused {
            extension.sip_password =
                self.sessions.get(&id).and_then(|watched| watched.session.sip_password());
        }
        let sip_password = extension.sip_password.clone();
        let saved = SavedAccount {
            kind: AccountKind::Pbx,
            server: server.authority(),
            username,
            enforced: enforced.into(),
            ..registered(id.clone(), extension)
        };
        accounts.put(shown(&saved));
        let keeper = Arc::clone(&self.keeper);
        self.settle(|settings| settings.remember(saved.clone()));
        if let Some(kept) = self.saved(&id) {
            accounts.change(&id, |view| view.hidden = kept.hidden);
        }
        self.fresh = Some(id.clone());
        self.showing = Showing::Nothing;
        match self.client(server) {
            Ok(client) => {
                let outlet = self.outlet.clone();
                self.outlet.landing(async move {
                    let session =
                        Session::begin(client, keeper, id.0.clone(), dialect, tokens, sip_password).await;
                    outlet.put(Input::Signed(SignedInput::Session(id.clone(), Ok(Some(session)))));
                    outlet.put(Input::Signed(SignedInput::Confirmed(id, Ok(()))));
                });
            }
            Err(error) => accounts.offline(&id, of_sign_in_error(&error.into())),
        }
        None
    }

    fn finish_plain(&mut self, account: PlainAccount, accounts: &mut Accounts) -> Option<Agent> {
        let PlainAccount { extension, enforced } = account;
        let Some(password) = extension.sip_password.clone() else {
            return self.refuse(Problem::from(Code::SipPasswordNeeded));
        };
        let id = AccountId(format!("{}@{}", extension.extension_number, extension.sip_domain));
        let saved = SavedAccount { enforced: enforced.into(), ..registered(id, extension) };
        self.use_plain(saved, password, true, accounts)
    }

    pub(super) fn client(&mut self, server: ServerAddress) -> Result<Client, ApiError> {
        if let Some((known, client)) = &self.client
            && *known == server
        {
            return Ok(client.clone());
        }
        let client = Client::new(server.clone(), &self.trust(), &self.config.user_agent)?;
        self.client = Some((server, client.clone()));
        Ok(client)
    }

    /// Trusts a certificate for a SIP server.
    pub(crate) fn trust_sip_server(&mut self, server: &str, fingerprint: &str) {
        let certificate =
            TrustedCertificate { server: server.to_owned(), fingerprint: fingerprint.to_owned() };
        self.settle(|settings| settings.trust(certificate.clone()));
        self.tell_trusted();
    }

    /// A transport works for an account that finds it out: it is the first to be tried the next time.
    pub(crate) fn reached(&mut self, id: &AccountId, transport: Transport) {
        let Some(saved) = self.saved(id).filter(|saved| saved.automatic && saved.transport != transport)
        else {
            return;
        };
        let found = SavedAccount { transport, ..saved.clone() };
        self.settle(|settings| settings.replace(&found));
    }

    /// What is trusted beside the system's own roots.
    pub(crate) fn trust(&self) -> Trust {
        self.config.trusting(&self.settings)
    }

    /// Trusts the certificate of a server no longer; its sessions ask again when they next speak to it.
    pub(super) fn withdraw_trust(&mut self, server: &str) {
        let server = server.to_owned();
        self.settle(|settings| settings.withdraw_trust(&server));
        match server.parse() {
            Ok(server) => self.trust_changed(&server),
            Err(_) => self.tell_trusted(),
        }
    }

    fn trust_changed(&mut self, server: &ServerAddress) {
        self.client = None;
        self.renew_clients(server);
        self.tell_trusted();
    }

    fn tell_trusted(&self) {
        self.outlet.tell(Event::Trusted { trusted: self.trusted() });
    }
}

/// An extension as it is kept: a plain account until more is known of it.
fn registered(id: AccountId, extension: Extension) -> SavedAccount {
    let proxy_host = extension.outbound_proxy.to_string();
    SavedAccount {
        id,
        kind: AccountKind::Sip,
        server: proxy_host.clone(),
        domain: extension.sip_domain.to_string(),
        username: extension.extension_number.clone(),
        display_name: extension.display_name,
        extension: extension.extension_number,
        proxy_host,
        proxy_port: Some(extension.preferred.port),
        transport: match extension.preferred.transport {
            sign_in::Transport::Udp => Transport::Udp,
            sign_in::Transport::Tcp => Transport::Tcp,
            sign_in::Transport::Tls => Transport::Tls,
        },
        automatic: false,
        instance: Some(sip::Instance::random().as_str().to_owned()),
        auth_user: None,
        srtp: crate::SrtpPolicy::default(),
        hidden: false,
        connection: crate::Connection::default(),
        enforced: crate::Enforced::default(),
    }
}
