//! TLS to the proxy (RFC 3261, section 26; RFC 5922).

use std::io;
use std::sync::{Arc, Mutex};

use pbx_api::{Distrust, ServerAddress, Trust, client_config};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Failure;
use crate::{Account, Cause};

/// What is trusted, and what has been made of it for the servers met.
pub(super) struct Secure {
    host: String,
    domain: String,
    state: Mutex<State>,
}

struct State {
    trust: Trust,
    /// Kept for the sake of sessions that can be resumed.
    connectors: Vec<(ServerAddress, TlsConnector)>,
}

impl Secure {
    pub(super) fn new(account: &Account) -> Self {
        Self {
            host: account.proxy.host.clone(),
            domain: account.domain.clone(),
            state: Mutex::new(State { trust: account.trust.clone(), connectors: Vec::new() }),
        }
    }

    /// Replaces what is trusted. Whether a connection to the proxy's `port` owes its life to a pin that is gone.
    pub(super) fn replace(&self, trust: Trust, port: u16) -> bool {
        let Ok(mut state) = self.state.lock() else { return true };
        let old = std::mem::replace(&mut state.trust, trust);
        state.connectors.clear();
        let server = self.server(port);
        let mut pins = old.pins.iter().filter(|pin| Some(&pin.server) == server.as_ref());
        pins.any(|pin| !state.trust.pins.contains(pin))
    }

    /// What is trusted now.
    pub(super) fn trust(&self) -> Trust {
        self.state.lock().map(|state| state.trust.clone()).unwrap_or_default()
    }

    fn server(&self, port: u16) -> Option<ServerAddress> {
        ServerAddress::new(self.host.parse().ok()?, port)
    }

    fn connector(&self, server: ServerAddress) -> Option<TlsConnector> {
        let mut state = self.state.lock().ok()?;
        if let Some((_, known)) = state.connectors.iter().find(|(of, _)| *of == server) {
            return Some(known.clone());
        }
        let config = client_config(&server, &state.trust, Some(&self.domain)).ok()?;
        let connector = TlsConnector::from(Arc::new(config));
        state.connectors.push((server, connector.clone()));
        Some(connector)
    }

    /// Shakes hands. The name that counts is the one that the account gives, not where the name service led
    /// (RFC 5922, section 4).
    pub(super) async fn handshake(
        &self,
        stream: TcpStream,
        port: u16,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let server = self.server(port).ok_or(Cause::TlsFailed)?;
        let name = ServerName::try_from(server.host().to_string()).map_err(|_| Cause::TlsFailed)?;
        let connector = self.connector(server).ok_or(Cause::TlsFailed)?;
        connector.connect(name, stream).await.map_err(|e| failure(&e))
    }
}

fn failure(error: &io::Error) -> Failure {
    let inside = error.get_ref().and_then(|inside| inside.downcast_ref::<rustls::Error>());
    match inside.and_then(Distrust::in_error) {
        Some(distrust) => {
            Failure { cause: Cause::CertificateNotTrusted, distrust: Some(Box::new(distrust.clone())) }
        }
        None => {
            tracing::debug!(%error, "TLS failed");
            let silent = error.kind() == io::ErrorKind::TimedOut;
            (if silent { Cause::Silence } else { Cause::TlsFailed }).into()
        }
    }
}
