//! A certificate authority of the tests' own.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

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
        self.sign_for(names, 1975..=4096)
    }

    /// The same, valid from the beginning of the first year to that of the last.
    pub fn sign_for(&self, names: &[&str], years: RangeInclusive<i32>) -> (PathBuf, PathBuf) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let file = names.first().expect("a name").replace(['*', '/', ':'], "_");
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(*years.start(), 1, 1);
        params.not_after = date_time_ymd(*years.end(), 1, 1);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let (certificate, secret) =
            (self.folder.join(format!("{file}.crt")), self.folder.join(format!("{file}.key")));
        fs::write(&certificate, signed.pem()).unwrap();
        fs::write(&secret, key.serialize_pem()).unwrap();
        (certificate, secret)
    }
}
