//! How calls find their way through NATs.

use media::Login;
use pbx_api::{Host, ServerAddress};

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

/// When ICE is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnOver {
    /// UDP
    Udp,
    /// TCP
    Tcp,
    /// TLS
    Tls,
}

impl Turn {
    /// Reads `udp:HOST[:PORT]`, `tcp:HOST[:PORT]` or `tls:HOST[:PORT]`.
    ///
    /// # Errors
    /// It is none of these.
    pub fn new(typed: &str, login: Login) -> Result<Self, Problem> {
        let invalid = || Problem::new(Code::ServerInvalid, typed.to_owned());
        let (over, server) = typed.split_once(':').ok_or_else(invalid)?;
        let (over, port) = match over {
            "udp" => (TurnOver::Udp, PORT),
            "tcp" => (TurnOver::Tcp, PORT),
            "tls" => (TurnOver::Tls, TLS_PORT),
            _ => return Err(invalid()),
        };
        Ok(Self { server: server_at(server, port)?, over, login })
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
