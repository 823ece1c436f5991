//! Signatures of programs and packages for Windows (Authenticode).

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{command, output, target};

/// The certificate with its key, as PKCS #12.
const CERTIFICATE: &str = "CARILLON_SIGN_CERTIFICATE";
/// A file whose content opens it.
const PASSWORD: &str = "CARILLON_SIGN_PASSWORD_FILE";
/// Who says when it was signed (RFC 3161), so that the signature outlives the certificate.
const TIMESTAMP: &str = "CARILLON_SIGN_TIMESTAMP";

/// A certificate to sign with.
pub struct Signer {
    certificate: PathBuf,
    password: PathBuf,
    timestamp: Option<String>,
}

impl Signer {
    /// The one that the environment names; `None` where it names none.
    ///
    /// # Errors
    /// It names half of one.
    pub fn of_environment() -> Result<Option<Self>, String> {
        let file = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        match (file(CERTIFICATE), file(PASSWORD)) {
            (None, None) => Ok(None),
            (Some(certificate), Some(password)) => {
                Ok(Some(Self { certificate, password, timestamp: env::var(TIMESTAMP).ok() }))
            }
            _ => Err(format!("{CERTIFICATE} and {PASSWORD} belong together: one of them is missing.")),
        }
    }

    /// One that nobody trusts, made for tests; `root.pem` beside it is what they trust instead.
    ///
    /// # Errors
    /// openssl does not make it.
    pub fn of_the_day() -> Result<Self, String> {
        let folder = target("packages").join("certificate-of-the-day");
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let file = |name: &str| folder.join(name).display().to_string();
        let (key, root, both, password) =
            (file("key.pem"), file("root.pem"), file("both.p12"), file("password"));
        fs::write(&password, "of the day").map_err(|e| format!("{password}: {e}"))?;
        output(command(
            "openssl",
            &[
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=Packages under test",
                "-addext",
                "extendedKeyUsage=codeSigning",
                "-keyout",
                &key,
                "-out",
                &root,
            ],
        ))?;
        let pass = format!("file:{password}");
        output(command(
            "openssl",
            &["pkcs12", "-export", "-inkey", &key, "-in", &root, "-out", &both, "-passout", &pass],
        ))?;
        Ok(Self { certificate: both.into(), password: password.into(), timestamp: None })
    }

    /// Signs a program or a package in its place, as one of the product `name`.
    ///
    /// # Errors
    /// It cannot be signed, as osslsigncode says it.
    pub fn sign(&self, file: &Path, name: &str) -> Result<(), String> {
        let signed = file.with_extension("signed");
        let mut sign = command("osslsigncode", &["sign", "-h", "sha256", "-n", name]);
        sign.arg("-pkcs12").arg(&self.certificate).arg("-readpass").arg(&self.password);
        if let Some(timestamp) = &self.timestamp {
            sign.args(["-ts", timestamp]);
        }
        sign.arg("-in").arg(file).arg("-out").arg(&signed);
        let _ = fs::remove_file(&signed);
        output(sign)?;
        fs::rename(&signed, file).map_err(|e| format!("{}: {e}", file.display()))
    }
}
