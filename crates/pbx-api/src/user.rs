use secrecy::SecretString;

use crate::json::Object;
use crate::request::JSON_LIMIT;
use crate::{ApiError, Client};

/// Names under which a PBX might hand the extension's SIP password over. None is documented.
const SIP_PASSWORD_FIELDS: [&str; 2] = ["extension_password", "sip_password"];

/// The signed-in user (`GET /user`), as far as a phone needs it.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// Opaque id.
    pub id: Option<String>,
    /// User name.
    pub name: Option<String>,
    /// Name of the person.
    pub display_name: Option<String>,
    /// Extension number: the SIP user.
    pub extension_number: Option<String>,
    /// Reference of the user's picture.
    pub avatar_file_url: Option<String>,
    /// SIP transports the PBX listens on.
    pub transports: Vec<SipTransport>,
    /// The one the administrator prefers.
    pub preferred_transport: Option<Protocol>,
    /// Digest of the user's profile file, a reference for [`Client::blob`].
    pub profile: Option<String>,
    /// The extension's SIP password, should this PBX hand it over.
    pub sip_password: Option<SecretString>,
}

/// A SIP transport of the PBX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SipTransport {
    /// Its protocol.
    pub protocol: Protocol,
    /// Its port; `None` where none was given.
    pub port: Option<u16>,
    /// How clients prove themselves by certificate.
    pub verification: Verification,
}

/// Protocol of a SIP transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `UDP`.
    Udp,
    /// `TCP`.
    Tcp,
    /// `TLS`.
    Tls,
    /// One this client does not know.
    Other,
}

/// Whether the PBX asks clients for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// `DISABLE`, or not said.
    Disable,
    /// `OPTIONAL`.
    Optional,
    /// `MANDATORY`.
    Mandatory,
    /// One this client does not know.
    Other,
}

impl Protocol {
    fn named(name: &str) -> Self {
        match name.to_ascii_uppercase().as_str() {
            "UDP" => Self::Udp,
            "TCP" => Self::Tcp,
            "TLS" => Self::Tls,
            _ => Self::Other,
        }
    }
}

impl Client {
    /// `GET /user`: the signed-in user.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where the access token is not accepted.
    pub async fn user(&self, access: &SecretString) -> Result<User, ApiError> {
        let answer = self.get(self.url("user")).bearer(access)?.answer(JSON_LIMIT).await?;
        read(&answer.bytes)
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<User, ApiError> {
    let mut answer = Object::parse("user", bytes)?;
    let mut sip_password = None;
    for field in SIP_PASSWORD_FIELDS {
        sip_password = sip_password.or(answer.secret(field)?);
    }
    let transports = answer.objects("transports")?.into_iter().map(read_transport);
    Ok(User {
        transports: transports.collect::<Result<_, _>>()?,
        id: answer.text("id")?,
        name: answer.text("name")?,
        display_name: answer.text("display_name")?,
        extension_number: answer.text("extension_number")?,
        avatar_file_url: answer.text("avatar_file_url")?,
        preferred_transport: answer.text("preferred_transport")?.map(|name| Protocol::named(&name)),
        profile: answer.text("profile")?,
        sip_password,
    })
}

fn read_transport(mut item: Object) -> Result<SipTransport, ApiError> {
    let port = match item.number("port")? {
        None | Some(0) => None,
        Some(port) => Some(u16::try_from(port).map_err(|_| item.wrong("port", "is not a port"))?),
    };
    Ok(SipTransport {
        protocol: item.text("protocol")?.map_or(Protocol::Other, |name| Protocol::named(&name)),
        port,
        verification: match item.text("verification")?.as_deref() {
            None | Some("DISABLE") => Verification::Disable,
            Some("OPTIONAL") => Verification::Optional,
            Some("MANDATORY") => Verification::Mandatory,
            Some(_) => Verification::Other,
        },
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::{Protocol, Verification, read};
    use crate::ApiError;

    #[test]
    fn transports_in_every_spelling() {
        let body = br#"{"extension_number":"101","preferred_transport":"tcp","transports":[
            {"protocol":"UDP","port":5060,"verification":"DISABLE"},{"protocol":"TCP","port":"5063","verification":null},
            {"protocol":"TLS","port":5061,"verification":"MANDATORY"},{"protocol":"QUIC","port":null}],"blfs":[1,null]}"#;
        let user = read(body).unwrap();
        let seen: Vec<_> =
            user.transports.iter().map(|one| (one.protocol, one.port, one.verification)).collect();
        assert_eq!(
            seen,
            [
                (Protocol::Udp, Some(5060), Verification::Disable),
                (Protocol::Tcp, Some(5063), Verification::Disable),
                (Protocol::Tls, Some(5061), Verification::Mandatory),
                (Protocol::Other, None, Verification::Disable),
            ]
        );
        assert_eq!(user.preferred_transport, Some(Protocol::Tcp));
        assert!(user.sip_password.is_none());
    }

    #[test]
    fn sip_password_under_either_name() {
        for body in [r#"{"extension_password":"s3"}"#, r#"{"sip_password":"s3","extension_password":null}"#] {
            let user = read(body.as_bytes()).unwrap();
            assert_eq!(user.sip_password.as_ref().unwrap().expose_secret(), "s3");
            assert!(!format!("{user:?}").contains("s3"));
        }
    }

    #[test]
    fn wrong_types_name_their_place() {
        for (body, place) in [
            (r#"{"extension_number":101}"#, "user.extension_number"),
            (r#"{"transports":{}}"#, "user.transports"),
            (r#"{"transports":[7]}"#, "user.transports[0]"),
            (r#"{"transports":[{},{"port":70000}]}"#, "user.transports[1].port"),
        ] {
            let error = read(body.as_bytes()).unwrap_err();
            assert!(
                matches!(&error, ApiError::NotUnderstood { what } if what.starts_with(place)),
                "{error:?}"
            );
        }
    }
}
