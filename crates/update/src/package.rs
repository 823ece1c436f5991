use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::Package;

/// A package on its way in, looked at piece by piece.
#[derive(Debug, Clone)]
pub struct Incoming {
    hash: Sha256,
    left: u64,
    wanted: String,
}

/// What came is not what the manifest said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotThePackage {
    /// It ends too early.
    #[error("the package is not whole")]
    Truncated,
    /// It goes on too long.
    #[error("the package is longer than it should be")]
    TooLong,
    /// It is as long, but another.
    #[error("the package is not the one the manifest speaks of")]
    Changed,
}

impl Incoming {
    /// Expects this package.
    pub fn new(package: &Package) -> Self {
        Self { hash: Sha256::new(), left: package.size, wanted: package.sha256.to_ascii_lowercase() }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// More came than the package is long; the rest need not be fetched.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), NotThePackage> {
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or(NotThePackage::TooLong)?;
        self.hash.update(piece);
        Ok(())
    }

    /// Whether that was the package, all of it and nothing else.
    ///
    /// # Errors
    /// It was not.
    pub fn finish(self) -> Result<(), NotThePackage> {
        if self.left > 0 {
            return Err(NotThePackage::Truncated);
        }
        let mut found = String::with_capacity(64);
        for byte in self.hash.finalize() {
            // Writing to a text never fails.
            let _ = write!(found, "{byte:02x}");
        }
        if found == self.wanted { Ok(()) } else { Err(NotThePackage::Changed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `echo -n "a bell rings" | sha256sum`
    const BELL: &str = "713AF3D1B65349A43CA22936422315E1F5746B6D02529BFCE7BBCCFE1A0B5D77";

    fn package(size: u64, sha256: &str) -> Package {
        let url = "https://carillon.test/a.msi".parse().unwrap();
        Package { kind: "windows-x64".into(), url, size, sha256: sha256.into() }
    }

    fn came(package: &Package, pieces: &[&[u8]]) -> Result<(), NotThePackage> {
        let mut incoming = Incoming::new(package);
        pieces.iter().try_for_each(|piece| incoming.take(piece))?;
        incoming.finish()
    }

    #[test]
    fn only_the_whole_package_is_one() {
        let bell = package(12, BELL);
        assert_eq!(came(&bell, &[b"a bell", b" rings"]), Ok(()));
        assert_eq!(came(&bell, &[b"a bell"]), Err(NotThePackage::Truncated));
        assert_eq!(came(&bell, &[b"a bell rings", b"!"]), Err(NotThePackage::TooLong));
        assert_eq!(came(&bell, &[b"a bell sings"]), Err(NotThePackage::Changed));
        assert_eq!(came(&bell, &[]), Err(NotThePackage::Truncated));
    }
}
