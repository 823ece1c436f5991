use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;

use crate::error::Cause;
use crate::refusal::readable;
use crate::{ApiError, CertificateProblem, ServerAddress, WebProxy};

/// SHA-256 of a certificate's DER form. Shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Reads 64 hexadecimal digits in either case, with or without colons or spaces between them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = text.chars().filter(|letter| !matches!(letter, ':' | ' '));
        let mut bytes = [0; 32];
        for byte in &mut bytes {
            let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }

    fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A certificate trusted on purpose, for one server only (host and port).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The server.
    pub server: ServerAddress,
    /// Its certificate.
    pub fingerprint: Fingerprint,
}

/// What is trusted on the way to a server besides the operating system's own roots, and which way that is.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    roots: Vec<CertificateDer<'static>>,
    /// Certificates trusted on purpose. A pin adds to what is trusted, it never takes away: a server whose new
    /// certificate this machine trusts anyway is let through.
    pub pins: Vec<Pin>,
    /// Which way leads to servers: who is asked for one sees no more of a connection than its TLS.
    pub web_proxy: WebProxy,
}

impl Trust {
    /// Adds the certificates of a PEM file as roots (`--ca FILE`) and says how many there were. A server
    /// that shows one of them as its own certificate is trusted too, for the names it holds.
    ///
    /// # Errors
    /// [`ApiError::RootsInvalid`] where the file is broken or holds none.
    pub fn add_roots(&mut self, pem: &[u8]) -> Result<usize, ApiError> {
        let invalid = |cause: Cause| ApiError::RootsInvalid { cause };
        let found = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| invalid(Cause::new(error)))?;
        if found.is_empty() {
            return Err(invalid(Cause::new("no certificate in it")));
        }
        let mut trial = RootCertStore::empty();
        for root in &found {
            trial.add(root.clone()).map_err(|error| invalid(Cause::new(error)))?;
        }
        let count = found.len();
        self.roots.extend(found);
        Ok(count)
    }
}

/// What a person needs to see of a certificate before trusting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The server that showed it.
    pub server: ServerAddress,
    /// SHA-256 of its DER form.
    pub fingerprint: Fingerprint,
    /// Its subject, in readable form; empty where the certificate cannot be read.
    pub subject: String,
    /// Its issuer, in readable form; empty where the certificate cannot be read.
    pub issuer: String,
    /// Subject and issuer are the same.
    pub self_signed: bool,
    /// Start of its validity, seconds since 1970-01-01 UTC.
    pub not_before: i64,
    /// End of its validity, seconds since 1970-01-01 UTC.
    pub not_after: i64,
}

impl CertificateFacts {
    /// Facts of a certificate in DER form.
    pub(crate) fn read(server: &ServerAddress, der: &[u8]) -> Self {
        Self::of(server, &CertificateDer::from(der))
    }

    fn of(server: &ServerAddress, certificate: &CertificateDer<'_>) -> Self {
        let mut facts = Self {
            server: server.clone(),
            fingerprint: Fingerprint::of(certificate),
            subject: String::new(),
            issuer: String::new(),
            self_signed: false,
            not_before: 0,
            not_after: 0,
        };
        if let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) {
            facts.subject = readable(&parsed.subject().to_string()).unwrap_or_default();
            facts.issuer = readable(&parsed.issuer().to_string()).unwrap_or_default();
            facts.self_signed = parsed.subject().as_raw() == parsed.issuer().as_raw();
            facts.not_before = parsed.validity().not_before.timestamp();
            facts.not_after = parsed.validity().not_after.timestamp();
        }
        facts
    }
}

/// A refused certificate, as the verifier of [`client_config`] hands it through rustls back to the caller.
#[derive(Debug, Clone, thiserror::Error)]
#[error("certificate not trusted: {problem}")]
pub struct Distrust {
    /// What is wrong with it.
    pub problem: CertificateProblem,
    /// The certificate.
    pub certificate: CertificateFacts,
}

impl Distrust {
    /// The refused certificate, if that is what this error of rustls is about.
    pub fn in_error(error: &rustls::Error) -> Option<&Self> {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref(),
            _ => None,
        }
    }
}

/// TLS for one server: ring, TLS 1.2 and 1.3, trusting what the operating system trusts and `trust` adds.
///
/// The certificate must be for the name that is dialled. For a SIP server one for its SIP domain is as good, be it
/// as a DNS name or as a SIP URI (RFC 5922, section 7.1).
///
/// # Errors
/// [`ApiError::Setup`] where rustls will not have it.
pub fn client_config(
    server: &ServerAddress,
    trust: &Trust,
    sip_domain: Option<&str>,
) -> Result<ClientConfig, ApiError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new(server, trust, sip_domain, &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ApiError::Setup { cause: Cause::new(error) })?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

/// The operating system's roots; reading them takes long enough to do it once.
static SYSTEM_ROOTS: LazyLock<Vec<CertificateDer<'static>>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "part of the system's certificate store could not be read");
    }
    found.certs
});

/// Trusts what webpki trusts, and on purpose: roots shown as server certificates, and this server's pins.
#[derive(Debug)]
struct Verifier {
    server: ServerAddress,
    sip_domain: Option<String>,
    /// `None` where there is not a single root.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    roots: HashSet<Fingerprint>,
    pins: Vec<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(
        server: &ServerAddress,
        trust: &Trust,
        sip_domain: Option<&str>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, ApiError> {
        let mut store = RootCertStore::empty();
        let mut roots = HashSet::new();
        for root in SYSTEM_ROOTS.iter().chain(&trust.roots) {
            // System stores hold a few certificates that webpki cannot use.
            if store.add(root.clone()).is_ok() {
                roots.insert(Fingerprint::of(root));
            }
        }
        let webpki = if store.is_empty() {
            None
        } else {
            let built =
                WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider)).build();
            Some(built.map_err(|error| ApiError::Setup { cause: Cause::new(error) })?)
        };
        let pins = trust.pins.iter().filter(|pin| pin.server == *server).map(|pin| pin.fingerprint).collect();
        let sip_domain = sip_domain.map(str::to_owned);
        Ok(Self { server: server.clone(), sip_domain, webpki, roots, pins, provider: Arc::clone(provider) })
    }

    /// Whether a certificate for another name than the one dialled is for the SIP domain all the same.
    fn is_for_sip_domain(&self, certificate: &CertificateDer<'_>) -> bool {
        let Some(domain) = &self.sip_domain else { return false };
        let Ok((_, readable)) = x509_parser::parse_x509_certificate(certificate) else { return false };
        let names = readable.subject_alternative_name().ok().flatten();
        let uris = names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
            GeneralName::URI(uri) => uri.split_once(':'),
            _ => None,
        });
        let identities: Vec<&str> =
            uris.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("sip")).map(|(_, domain)| domain).collect();
        // SIP identities, where there are any, are the only ones that count.
        if !identities.is_empty() {
            let dialled = self.server.host().to_string();
            return identities
                .iter()
                .any(|name| name.eq_ignore_ascii_case(domain) || name.eq_ignore_ascii_case(&dialled));
        }
        let name = ServerName::try_from(domain.as_str());
        let parsed = ParsedCertificate::try_from(certificate);
        matches!((name, parsed), (Ok(name), Ok(parsed))
            if rustls::client::verify_server_name(&parsed, &name).is_ok())
    }

    /// A root that a server shows as its own: webpki refuses those that may also sign (as OpenSSL makes
    /// them by default), although trust in it has been stated.
    fn verify_root(
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), CertificateProblem> {
        let parsed = ParsedCertificate::try_from(certificate).map_err(|_| CertificateProblem::Untrusted)?;
        let (_, readable) =
            x509_parser::parse_x509_certificate(certificate).map_err(|_| CertificateProblem::Untrusted)?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let validity = readable.validity();
        if now < validity.not_before.timestamp() || now > validity.not_after.timestamp() {
            return Err(CertificateProblem::Expired);
        }
        rustls::client::verify_server_name(&parsed, name).map_err(|_| CertificateProblem::Name)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let judged = match &self.webpki {
            Some(webpki) => webpki
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map(drop)
                .map_err(|error| problem_of(&error)),
            None => Err(CertificateProblem::Untrusted),
        };
        let fingerprint = Fingerprint::of(end_entity);
        let judged = match judged {
            Err(CertificateProblem::Untrusted) if self.roots.contains(&fingerprint) => {
                Self::verify_root(end_entity, server_name, now)
            }
            judged => judged,
        };
        let judged = match judged {
            // The name is judged last: all else is well.
            Err(CertificateProblem::Name) if self.is_for_sip_domain(end_entity) => Ok(()),
            judged => judged,
        };
        let problem = match judged {
            Ok(()) => return Ok(ServerCertVerified::assertion()),
            Err(_) if self.pins.contains(&fingerprint) => return Ok(ServerCertVerified::assertion()),
            Err(_) if !self.pins.is_empty() => CertificateProblem::Changed,
            Err(problem) => problem,
        };
        let distrust = Distrust { problem, certificate: CertificateFacts::of(&self.server, end_entity) };
        Err(CertificateError::Other(OtherError(Arc::new(distrust))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn problem_of(error: &rustls::Error) -> CertificateProblem {
    let rustls::Error::InvalidCertificate(error) = error else { return CertificateProblem::Untrusted };
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => CertificateProblem::Expired,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateProblem::Name
        }
        _ => CertificateProblem::Untrusted,
    }
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, Trust};
    use crate::ApiError;

    #[test]
    fn fingerprints() {
        let bytes: [u8; 32] = std::array::from_fn(|index| u8::try_from(index * 8).unwrap());
        let shown = Fingerprint(bytes).to_string();
        assert_eq!(shown.len(), 64);
        let spaced =
            shown.to_uppercase().chars().enumerate().fold(String::new(), |mut text, (index, digit)| {
                if index > 0 && index % 2 == 0 {
                    text.push(':');
                }
                text.push(digit);
                text
            });
        assert_eq!(Fingerprint::parse(&shown), Some(Fingerprint(bytes)));
        assert_eq!(Fingerprint::parse(&spaced), Some(Fingerprint(bytes)));
        for wrong in ["", "ab", &format!("{shown}0"), &shown.replace('0', "g"), &shown.replacen('0', "é", 1)]
        {
            assert_eq!(Fingerprint::parse(wrong), None);
        }
    }

    #[test]
    fn roots_must_be_certificates() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in ["", "hello", broken, "-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----\n"] {
            assert!(
                matches!(Trust::default().add_roots(pem.as_bytes()), Err(ApiError::RootsInvalid { .. })),
                "{pem}"
            );
        }
    }
}
