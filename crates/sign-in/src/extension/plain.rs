//! Extensions that register without a session at the PBX.

use pbx_api::{Host, ServerAddress};

use super::{Extension, Listener, Transport, unsupported};
use crate::{LegacyCode, LegacyTransport, Profile, SignInError};

impl Extension {
    /// The extension of a legacy QR code, at the first of its outbound proxies.
    ///
    /// # Errors
    /// [`SignInError::TransportUnsupported`].
    pub(crate) fn of_code(code: LegacyCode) -> Result<Self, SignInError> {
        let LegacyCode { extension, password, domain, display_name, proxies, transports } = code;
        let (outbound_proxy, port) = match proxies.first() {
            Some(proxy) => place(proxy)?,
            None => place(&domain.for_sip())?,
        };
        let offered = if transports.is_empty() {
            vec![Transport::Udp.at_default_port()]
        } else {
            transports.iter().filter_map(|(transport, port)| spoken(*transport, *port)).collect()
        };
        let mut listeners = offered;
        // A port beside the proxy is meant for it.
        if let (Some(port), Some(first)) = (port, listeners.first_mut()) {
            first.port = port;
        }
        let preferred = *listeners
            .first()
            .ok_or_else(|| unsupported(transports.iter().map(|(transport, _)| name(*transport))))?;
        Ok(Self {
            display_name: display_name.unwrap_or_else(|| extension.clone()),
            extension_number: extension,
            sip_domain: domain,
            outbound_proxy,
            transports: listeners,
            preferred,
            sip_password: Some(password),
        })
    }

    /// The extension of a profile file, where the file holds all that a registration needs.
    pub(crate) fn of_file(file: &Profile, server: &ServerAddress) -> Option<Self> {
        let preferred = Transport::Udp.at_default_port();
        let number = file.extension_number.clone().filter(|number| super::is_sip_user(number))?;
        Some(Self {
            display_name: number.clone(),
            extension_number: number,
            sip_domain: file.tenant_domain.clone()?,
            outbound_proxy: server.host().clone(),
            transports: vec![preferred],
            preferred,
            sip_password: Some(file.sip_password.clone()?),
        })
    }
}

/// `host` or `host:port`.
fn place(proxy: &str) -> Result<(Host, Option<u16>), SignInError> {
    if let Ok(host) = proxy.parse::<Host>() {
        return Ok((host, None));
    }
    let server: ServerAddress = proxy.parse()?;
    let named = proxy.ends_with(&format!(":{}", server.port()));
    Ok((server.host().clone(), named.then_some(server.port())))
}

fn spoken(transport: LegacyTransport, port: u16) -> Option<Listener> {
    let transport = match transport {
        LegacyTransport::Udp => Transport::Udp,
        LegacyTransport::Tcp => Transport::Tcp,
        LegacyTransport::Tls => Transport::Tls,
        LegacyTransport::PersUdp | LegacyTransport::PersTcp => return None,
    };
    Some(Listener { transport, port })
}

fn name(transport: LegacyTransport) -> &'static str {
    match transport {
        LegacyTransport::Udp => "UDP",
        LegacyTransport::Tcp => "TCP",
        LegacyTransport::Tls => "TLS",
        LegacyTransport::PersUdp => "PERS_UDP",
        LegacyTransport::PersTcp => "PERS_TCP",
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::{Extension, LegacyCode, LegacyTransport, Listener, Transport};
    use crate::SignInError;

    fn code(proxies: &[&str], transports: &[(LegacyTransport, u16)]) -> LegacyCode {
        LegacyCode {
            extension: "101".into(),
            password: "sesame".into(),
            domain: "test.io".parse().unwrap(),
            display_name: None,
            proxies: proxies.iter().map(|proxy| (*proxy).to_owned()).collect(),
            transports: transports.to_vec(),
        }
    }

    #[test]
    fn where_a_legacy_code_registers() {
        use LegacyTransport::{PersUdp, Tcp, Tls, Udp};
        for (proxies, transports, host, transport, port) in [
            (&["10.0.0.1", "pbx"][..], &[(Udp, 5070), (Tcp, 5063)][..], "10.0.0.1", Transport::Udp, 5070),
            (&["pbx"], &[(PersUdp, 1), (Tcp, 5063), (Tls, 2)], "pbx", Transport::Tcp, 5063),
            (&["pbx"], &[(PersUdp, 1), (Tls, 5061)], "pbx", Transport::Tls, 5061),
            (&["pbx:6000"], &[(Tcp, 5063)], "pbx", Transport::Tcp, 6000),
            (&["[2001:db8::1]:6000"], &[], "2001:db8::1", Transport::Udp, 6000),
            (&["[2001:db8::1]"], &[], "2001:db8::1", Transport::Udp, 5060),
            (&[], &[], "test.io", Transport::Udp, 5060),
        ] {
            let extension = Extension::of_code(code(proxies, transports)).unwrap();
            assert_eq!(extension.outbound_proxy.to_string(), host);
            assert_eq!(extension.preferred, Listener { transport, port }, "{host}");
            assert!(extension.transports.contains(&extension.preferred));
            assert_eq!(extension.sip_password.unwrap().expose_secret(), "sesame");
            assert_eq!(extension.display_name, "101");
        }
    }

    #[test]
    fn a_legacy_code_that_names_only_what_is_not_spoken() {
        let error = Extension::of_code(code(&["pbx"], &[(LegacyTransport::PersTcp, 5061)])).unwrap_err();
        assert!(
            matches!(&error, SignInError::TransportUnsupported { offered } if offered == "PERS_TCP"),
            "{error:?}"
        );
    }
}
