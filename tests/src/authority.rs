//! A certificate authority of the tests' own.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// An authority nobody but the test knows, and what it signed, in a folder.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes one that keeps its files in `folder`, which exists.
    pub fn new(folder: &Path) -> Self {
        let mut own = CertificateParams::default();
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        own.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        own.distinguished_name.push(DnType::CommonName, "Carillon test authority");
        let key = KeyPair::generate().unwrap();
        let certificate = own.self_signed(&key).unwrap();
        fs::write(folder.join("ca.pem"), certificate.pem()).unwrap();
        Self { folder: folder.to_path_buf(), issuer: Issuer::new(own, key) }
    }

    /// Its own certificate, PEM.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Signs a server's certificate for these names and addresses; gives the files of certificate and key, PEM.
    pub fn sign(&self, names: &[&str]) -> (PathBuf, PathBuf) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let file = names.first().expect("a name").replace(['*', '/', ':'], "_");
        let params = CertificateParams::new(names).unwrap();
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let (certificate, secret) =
            (self.folder.join(format!("{file}.crt")), self.folder.join(format!("{file}.key")));
        fs::write(&certificate, signed.pem()).unwrap();
        fs::write(&secret, key.serialize_pem()).unwrap();
        (certificate, secret)
    }
}
