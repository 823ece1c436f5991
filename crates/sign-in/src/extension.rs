mod plain;

use std::fmt;

use pbx_api::{ApiError, Host, Protocol, ServerAddress, SipDomain, User};
use secrecy::SecretString;

use crate::SignInError;

/// What a SIP user agent needs to register: the extension of the signed-in user.
///
/// The PBX names no outbound proxy: the server typed is it, at the port of the transport chosen. The SIP
/// domain is the tenant's and need not resolve.
#[derive(Debug, Clone)]
pub struct Extension {
    /// SIP user, and user name of its digest authentication.
    pub extension_number: String,
    /// Name of the person; the extension number where the PBX has none.
    pub display_name: String,
    /// Domain of its address of record.
    pub sip_domain: SipDomain,
    /// Host of the outbound proxy.
    pub outbound_proxy: Host,
    /// All transports of the PBX this phone speaks, in the PBX's order; never empty.
    pub transports: Vec<Listener>,
    /// The one to use.
    pub preferred: Listener,
    /// SIP password; `None` until known.
    pub sip_password: Option<SecretString>,
}

/// A SIP transport and its port at the outbound proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// The transport.
    pub transport: Transport,
    /// Its port.
    pub port: u16,
}

/// A SIP transport this phone speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl Transport {
    fn of(protocol: Protocol) -> Option<Self> {
        match protocol {
            Protocol::Udp => Some(Self::Udp),
            Protocol::Tcp => Some(Self::Tcp),
            Protocol::Tls => Some(Self::Tls),
            Protocol::Other => None,
        }
    }

    /// Its port on a PBX that names none: PortSIP listens for TCP on 5063.
    fn default_port(self) -> u16 {
        match self {
            Self::Udp => 5060,
            Self::Tcp => 5063,
            Self::Tls => 5061,
        }
    }

    fn at_default_port(self) -> Listener {
        Listener { transport: self, port: self.default_port() }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        })
    }
}

impl Extension {
    /// The extension of a user, reached through the server typed.
    ///
    /// # Errors
    /// [`SignInError::NoExtension`] and [`SignInError::TransportUnsupported`];
    /// [`ApiError::NotUnderstood`] for an extension number that can be no SIP user.
    pub fn of(user: &User, domain: &SipDomain, server: &ServerAddress) -> Result<Self, SignInError> {
        let number = user.extension_number.as_deref().map(str::trim).filter(|number| !number.is_empty());
        let number = number.ok_or(SignInError::NoExtension)?;
        if !is_sip_user(number) {
            let what = "user.extension_number is not a SIP user".into();
            return Err(ApiError::NotUnderstood { what }.into());
        }
        let (transports, preferred) = transports(user)?;
        Ok(Self {
            extension_number: number.to_owned(),
            display_name: user.display_name.clone().unwrap_or_else(|| number.to_owned()),
            sip_domain: domain.clone(),
            outbound_proxy: server.host().clone(),
            transports,
            preferred,
            sip_password: user.sip_password.clone(),
        })
    }
}

/// The characters of a SIP user part that need no escape (RFC 3261, section 25.1 `unreserved`), `+` and `#`.
pub(crate) fn is_sip_user(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()+#".contains(&byte))
}

/// Those we speak, and the one to use: the preferred one, then UDP, TCP, TLS; UDP 5060 where none is named.
fn transports(user: &User) -> Result<(Vec<Listener>, Listener), SignInError> {
    let wanted = user.preferred_transport.map(Transport::of);
    let spoken: Vec<Listener> = user
        .transports
        .iter()
        .filter_map(|offered| {
            let transport = Transport::of(offered.protocol)?;
            Some(Listener { transport, port: offered.port.unwrap_or(transport.default_port()) })
        })
        .collect();
    if user.transports.is_empty() {
        let only = match wanted {
            Some(None) => return Err(none_of(user)),
            Some(Some(transport)) => transport.at_default_port(),
            None => Transport::Udp.at_default_port(),
        };
        return Ok((vec![only], only));
    }
    let order = [wanted.flatten(), Some(Transport::Udp), Some(Transport::Tcp), Some(Transport::Tls)];
    let mut found = order
        .into_iter()
        .flatten()
        .filter_map(|transport| spoken.iter().find(|listener| listener.transport == transport).copied());
    let preferred = found.next().ok_or_else(|| none_of(user))?;
    drop(found);
    Ok((spoken, preferred))
}

/// None of the transports of a user.
fn none_of(user: &User) -> SignInError {
    let offered = user.transports.iter().map(|offered| offered.protocol).chain(user.preferred_transport);
    unsupported(offered.map(|protocol| match protocol {
        Protocol::Udp => "UDP",
        Protocol::Tcp => "TCP",
        Protocol::Tls => "TLS",
        Protocol::Other => "a transport unknown to this phone",
    }))
}

fn unsupported(offered: impl Iterator<Item = &'static str>) -> SignInError {
    let mut names: Vec<&str> = offered.collect();
    names.sort_unstable();
    names.dedup();
    SignInError::TransportUnsupported { offered: names.join(", ") }
}

#[cfg(test)]
mod tests {
    use pbx_api::{Protocol, SipTransport, User, Verification};

    use super::{Extension, Listener, Transport};
    use crate::SignInError;

    fn user(preferred: Option<Protocol>, offered: &[(Protocol, Option<u16>)]) -> User {
        let each = offered.iter().map(|(protocol, port)| SipTransport {
            protocol: *protocol,
            port: *port,
            verification: Verification::Disable,
        });
        User {
            extension_number: Some("101".into()),
            preferred_transport: preferred,
            transports: each.collect(),
            ..User::default()
        }
    }

    fn chosen(preferred: Option<Protocol>, offered: &[(Protocol, Option<u16>)]) -> Option<Listener> {
        let made = Extension::of(
            &user(preferred, offered),
            &"test.io".parse().unwrap(),
            &"pbx:9000".parse().unwrap(),
        );
        match made {
            Ok(extension) => Some(extension.preferred),
            Err(SignInError::TransportUnsupported { .. }) => None,
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn choice_of_transport() {
        use Protocol::{Other, Tcp, Tls, Udp};
        let udp = |port| Some(Listener { transport: Transport::Udp, port });
        let tcp = |port| Some(Listener { transport: Transport::Tcp, port });
        let tls = |port| Some(Listener { transport: Transport::Tls, port });
        let all = [(Tls, Some(5061)), (Tcp, Some(7000)), (Udp, Some(7001))];
        assert_eq!(chosen(Some(Tcp), &all), tcp(7000));
        assert_eq!(chosen(Some(Udp), &all), udp(7001));
        assert_eq!(chosen(Some(Tls), &all), tls(5061));
        assert_eq!(chosen(None, &all), udp(7001));
        assert_eq!(chosen(Some(Udp), &[(Tcp, None)]), tcp(5063));
        assert_eq!(chosen(None, &[(Udp, None)]), udp(5060));
        assert_eq!(chosen(None, &[]), udp(5060));
        assert_eq!(chosen(Some(Tcp), &[]), tcp(5063));
        assert_eq!(chosen(Some(Tls), &[]), tls(5061));
        assert_eq!(chosen(Some(Tls), &[(Tls, None), (Other, None)]), tls(5061));
        assert_eq!(chosen(Some(Other), &[(Other, None)]), None);
    }

    #[test]
    fn words_for_what_is_not_spoken() {
        let user = user(Some(Protocol::Other), &[(Protocol::Other, Some(5061))]);
        let error = Extension::of(&user, &"test.io".parse().unwrap(), &"pbx".parse().unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the PBX offers only a transport unknown to this phone; this phone speaks UDP, TCP and TLS"
        );
    }

    #[test]
    fn extension_numbers() {
        for (number, good) in [("101", true), ("a.b-c", true), ("1 1", false), ("1@x", false), ("<1>", false)]
        {
            let user = User { extension_number: Some(number.into()), ..User::default() };
            let made = Extension::of(&user, &"test.io".parse().unwrap(), &"[::1]".parse().unwrap());
            assert_eq!(made.is_ok(), good, "{number}");
        }
        for number in [None, Some(String::new()), Some(" ".into())] {
            let user = User { extension_number: number, ..User::default() };
            let made = Extension::of(&user, &"test.io".parse().unwrap(), &"pbx".parse().unwrap());
            assert!(matches!(made, Err(SignInError::NoExtension)));
        }
    }
}
