//! How calls find their way through NATs.

use media::Login;
use pbx_api::{Host, ServerAddress};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::{Code, Problem};

/// Ports of STUN and TURN, without and with TLS (RFC 8489, section 18.6).
const PORT: u16 = 3478;
const TLS_PORT: u16 = 5349;

/// Whether ICE (RFC 8445) is used, and which servers help.
#[derive(Debug, Clone, Default)]
pub struct Nat {
    /// When ICE is used.
    pub ice: Ice,
    /// STUN server.
    pub stun: Option<ServerAddress>,
    /// TURN server.
    pub turn: Option<Turn>,
}

/// How the calls of an account find their way through NATs, as it is typed. A password stands in the keychain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default, rename_all = "camelCase")]
pub struct Connection {
    /// When ICE is used.
    pub ice: Ice,
    /// STUN server, `HOST[:PORT]`; empty for none.
    pub stun: String,
    /// TURN server, `HOST[:PORT]`; empty for none.
    pub turn: String,
    /// What is spoken to it.
    pub turn_over: TurnOver,
    /// User name there.
    pub turn_user: String,
}

impl Connection {
    /// What comes of it; the TURN server is left out as long as its password is not known.
    ///
    /// # Errors
    /// A server is none.
    pub(crate) fn nat(&self, password: Option<SecretString>) -> Result<Nat, Problem> {
        let (stun, turn) = (self.stun.trim(), self.turn.trim());
        let stun = (!stun.is_empty()).then(|| Nat::stun_server(stun)).transpose()?;
        let user = self.turn_user.trim().to_owned();
        let server = (!turn.is_empty()).then(|| server_at(turn, self.turn_over.port())).transpose()?;
        let turn = server.zip(password).map(|(server, password)| Turn {
            server,
            over: self.turn_over,
            login: Login { user, password },
        });
        Ok(Nat { ice: self.ice, stun, turn })
    }

    /// Whether there is a TURN server.
    pub(crate) fn relays(&self) -> bool {
        !self.turn.trim().is_empty()
    }
}

/// When ICE is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Ice {
    /// Never.
    Off,
    /// Answered always, offered where a STUN or TURN server helps: without one it finds little that symmetric RTP does
    /// not, and offers stay short enough for UDP.
    #[default]
    Auto,
    /// Offered always.
    On,
}

/// A TURN server and who we are to it.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Where it is.
    pub server: ServerAddress,
    /// What is spoken to it.
    pub over: TurnOver,
    /// Who we are.
    pub login: Login,
}

/// What is spoken to a TURN server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum TurnOver {
    /// UDP
    #[default]
    Udp,
    /// TCP
    Tcp,
    /// TLS
    Tls,
}

impl TurnOver {
    /// Where a server listens that names no port.
    fn port(self) -> u16 {
        if self == TurnOver::Tls { TLS_PORT } else { PORT }
    }
}

impl Turn {
    /// Reads `udp:HOST[:PORT]`, `tcp:HOST[:PORT]` or `tls:HOST[:PORT]`.
    ///
    /// # Errors
    /// It is none of these.
    pub fn new(typed: &str, login: Login) -> Result<Self, Problem> {
        let invalid = || Problem::new(Code::ServerInvalid, typed.to_owned());
        let (over, server) = typed.split_once(':').ok_or_else(invalid)?;
        let over = match over {
            "udp" => TurnOver::Udp,
            "tcp" => TurnOver::Tcp,
            "tls" => TurnOver::Tls,
            _ => return Err(invalid()),
        };
        Ok(Self { server: server_at(server, over.port())?, over, login })
    }
}

impl Nat {
    /// Reads the `HOST[:PORT]` of a STUN server.
    ///
    /// # Errors
    /// It is none.
    pub fn stun_server(typed: &str) -> Result<ServerAddress, Problem> {
        server_at(typed, PORT)
    }

    /// Whether our offers are with ICE.
    pub(crate) fn offers(&self) -> bool {
        match self.ice {
            Ice::Off => false,
            Ice::Auto => self.stun.is_some() || self.turn.is_some(),
            Ice::On => true,
        }
    }

    /// Whether ICE is answered.
    pub(crate) fn answers(&self) -> bool {
        self.ice != Ice::Off
    }
}

fn server_at(typed: &str, port: u16) -> Result<ServerAddress, Problem> {
    let invalid = || Problem::new(Code::ServerInvalid, typed.to_owned());
    match typed.parse::<Host>() {
        Ok(host) => ServerAddress::new(host, port).ok_or_else(invalid),
        Err(_) => typed.parse().map_err(|_| invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(typed: &str) -> Option<(TurnOver, String)> {
        let login = Login { user: "u".into(), password: "p".to_owned().into() };
        Turn::new(typed, login).ok().map(|turn| (turn.over, turn.server.authority()))
    }

    #[test]
    fn an_account_without_the_password_has_no_relay() {
        let typed =
            Connection { stun: " stun.test ".into(), turn: "turn.test".into(), ..Connection::default() };
        let authority = |nat: &Nat| nat.turn.as_ref().map(|turn| turn.server.authority());
        let known = typed.nat(Some("p".to_owned().into())).unwrap();
        assert_eq!(authority(&known), Some("turn.test:3478".into()));
        assert_eq!(known.stun.unwrap().authority(), "stun.test:3478");
        assert_eq!(authority(&typed.nat(None).unwrap()), None);
        let over_tls = Connection { turn_over: TurnOver::Tls, ..typed };
        assert_eq!(
            authority(&over_tls.nat(Some("p".to_owned().into())).unwrap()),
            Some("turn.test:5349".into())
        );
        assert!(Connection { stun: "two words".into(), ..Connection::default() }.nat(None).is_err());
    }

    #[test]
    fn turn_servers_as_they_are_typed() {
        assert_eq!(turn("udp:192.0.2.1"), Some((TurnOver::Udp, "192.0.2.1:3478".into())));
        assert_eq!(turn("tls:turn.example.com"), Some((TurnOver::Tls, "turn.example.com:5349".into())));
        assert_eq!(turn("tcp:192.0.2.1:80"), Some((TurnOver::Tcp, "192.0.2.1:80".into())));
        assert_eq!((turn("192.0.2.1"), turn("sctp:192.0.2.1")), (None, None));
    }

    #[test]
    fn offers_are_with_ice_where_a_server_helps() {
        let mut nat = Nat::default();
        assert!(nat.answers() && !nat.offers());
        nat.stun = Nat::stun_server("192.0.2.1").ok();
        assert!(nat.offers());
        nat.ice = Ice::Off;
        assert!(!nat.answers() && !nat.offers());
    }
}
