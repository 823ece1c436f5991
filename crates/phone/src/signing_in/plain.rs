//! Plain SIP accounts, which need no sign-in.

use pbx_api::ServerAddress;

use super::{Showing, SigningIn};
use crate::accounts::{Accounts, Agent};
use crate::{AccountId, AccountState, AccountView, Code, Problem, SessionState, SipAccount};

impl SigningIn {
    /// Uses a plain SIP account until the phone stops.
    pub(super) fn plain(&mut self, account: SipAccount, accounts: &mut Accounts) -> Option<Agent> {
        let (host, port) = match proxy(&account.proxy) {
            Ok(proxy) => proxy,
            Err(problem) => return self.refuse(problem),
        };
        let id = AccountId(format!("{}@{}", account.user, account.domain));
        let superseded = accounts.put(AccountView {
            id: id.clone(),
            display_name: account.display_name.clone().unwrap_or_else(|| account.user.clone()),
            extension: account.user.clone(),
            domain: account.domain.clone(),
            server: account.proxy,
            transport: account.transport,
            state: AccountState::Registering,
            session: SessionState::None,
            secrets_in_memory: false,
            enforced: crate::EnforcedView::default(),
        });
        let agent = sip::Account {
            user: account.user,
            auth_user: account.auth_user,
            domain: account.domain,
            display_name: account.display_name,
            proxy: sip::Proxy { host, port },
            transport: account.transport.into(),
            password: account.password,
            expires: sip::Account::EXPIRES,
            user_agent: self.config.user_agent.clone(),
            local_port: None,
        };
        // What was there before has been superseded.
        let _ = accounts.start_agent(&id, agent);
        self.showing = Showing::Nothing;
        self.tell();
        superseded
    }
}

/// `host` or `host:port` of an outbound proxy; without a port the transport's own.
fn proxy(typed: &str) -> Result<(String, Option<u16>), Problem> {
    let invalid = || Problem::new(Code::ServerInvalid, typed.to_owned());
    if let Ok(host) = typed.parse::<pbx_api::Host>() {
        return Ok((host.to_string(), None));
    }
    let server = typed.parse::<ServerAddress>().map_err(|_| invalid())?;
    Ok((server.host().to_string(), Some(server.port())))
}
