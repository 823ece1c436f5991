//! The PBX's own certificate: self-made, as on a fresh PortSIP install.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

use crate::StartError;

/// What is wrong with the certificate, beside being self-made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CertificateFault {
    /// Nothing.
    #[default]
    None,
    /// It names another host than the one it is served from.
    OtherName,
    /// It ended yesterday.
    Expired,
}

/// The certificate and its key, ready to serve.
pub(crate) struct Identity {
    /// The certificate, PEM.
    pub pem: String,
    /// SHA-256 over the DER form, lower-case hexadecimal without separators.
    pub fingerprint: String,
    /// Server side of TLS with this certificate.
    pub server: Arc<rustls::ServerConfig>,
}

impl Identity {
    /// Takes the identity kept in `state`, or makes one and keeps it there; without `state`, makes one.
    pub fn load_or_make(
        state: Option<&Path>,
        host: IpAddr,
        fault: CertificateFault,
    ) -> Result<Self, StartError> {
        let Some(state) = state else {
            let (certificate, key) = make(host, fault)?;
            return Self::from_pem(certificate, &key);
        };
        let (certificate_path, key_path) = (state.join("certificate.pem"), state.join("key.pem"));
        if certificate_path.exists() && key_path.exists() {
            let read = |path: &Path| std::fs::read_to_string(path).map_err(StartError::State);
            return Self::from_pem(read(&certificate_path)?, &read(&key_path)?);
        }
        std::fs::create_dir_all(state).map_err(StartError::State)?;
        let (certificate, key) = make(host, fault)?;
        write_private(&key_path, &key).map_err(StartError::State)?;
        std::fs::write(&certificate_path, &certificate).map_err(StartError::State)?;
        Self::from_pem(certificate, &key)
    }

    fn from_pem(pem: String, key: &str) -> Result<Self, StartError> {
        let damaged = |e: rustls::pki_types::pem::Error| StartError::Certificate(e.to_string());
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(damaged)?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(damaged)?;
        let fingerprint = hex(&Sha256::digest(&certificate));
        // The provider is named, so that a process without an installed default can run a demo PBX too.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| StartError::Certificate(e.to_string()))?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(|e| StartError::Certificate(e.to_string()))?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { pem, fingerprint, server: Arc::new(server) })
    }
}

fn make(host: IpAddr, fault: CertificateFault) -> Result<(String, String), StartError> {
    const DAY: Duration = Duration::from_secs(86_400);
    let failed = |e: rcgen::Error| StartError::Certificate(e.to_string());
    let names = match fault {
        CertificateFault::OtherName => vec!["other.invalid".to_string()],
        _ => vec![host.to_string(), "localhost".to_string()],
    };
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "demo-pbx");
    params.distinguished_name.push(DnType::OrganizationName, "Test Works");
    let now = SystemTime::now();
    let (from, to) = match fault {
        CertificateFault::Expired => (now - 30 * DAY, now - DAY),
        _ => (now - DAY, now + 730 * DAY),
    };
    params.not_before = from.into();
    params.not_after = to.into();
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_identity_is_the_same_and_a_fresh_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let host = IpAddr::from([127, 0, 0, 1]);
        let state = dir.path().join("pbx");
        let first = Identity::load_or_make(Some(&state), host, CertificateFault::None).unwrap();
        let again = Identity::load_or_make(Some(&state), host, CertificateFault::None).unwrap();
        let other = Identity::load_or_make(None, host, CertificateFault::None).unwrap();
        assert_eq!(first.fingerprint, again.fingerprint);
        assert_ne!(first.fingerprint, other.fingerprint);
        assert_eq!(first.fingerprint.len(), 64);
    }

    #[cfg(unix)]
    #[test]
    fn the_kept_key_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        Identity::load_or_make(Some(dir.path()), IpAddr::from([127, 0, 0, 1]), CertificateFault::None)
            .unwrap();
        let mode = std::fs::metadata(dir.path().join("key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
