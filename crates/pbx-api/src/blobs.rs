use std::fmt;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use crate::{ApiError, Client};

/// Largest file read, bytes.
const BLOB_LIMIT: usize = 8 * 1024 * 1024;

/// A file of the PBX (`GET /blobs/{digest}`). It may be a user's profile, so its bytes are wiped when dropped
/// and never shown.
#[derive(Clone)]
pub struct Blob {
    /// Its bytes.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Its media type as the server named it, without parameters, lower case.
    pub media_type: Option<String>,
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes, {:?})", self.bytes.len(), self.media_type)
    }
}

impl Client {
    /// `GET /blobs/{digest}`: a file, by its digest or by a path as other answers give it
    /// (`/api/blobs/...`). The access token is sent along where given, though the API asks for none.
    ///
    /// # Errors
    /// [`ApiError::NotUnderstood`] for a reference that is neither, or that leads to another server;
    /// [`ApiError::TooLarge`] beyond 8 MiB.
    pub async fn blob(&self, reference: &str, access: Option<&SecretString>) -> Result<Blob, ApiError> {
        let request = self.get(self.url(&path_of(reference)?));
        let request = match access {
            Some(access) => request.bearer(access)?,
            None => request,
        };
        let answer = request.answer(BLOB_LIMIT).await?;
        Ok(Blob { media_type: answer.media_type(), bytes: answer.bytes })
    }
}

/// Path below `/api/` of a reference to a file.
///
/// # Errors
/// [`ApiError::NotUnderstood`] where it is none, or leads elsewhere.
pub(crate) fn path_of(reference: &str) -> Result<String, ApiError> {
    path(reference)
        .ok_or_else(|| ApiError::NotUnderstood { what: "the reference is not that of a file".into() })
}

/// Path below `/api/` of a reference. Only plain segments: nothing in it can climb out or change the host.
fn path(reference: &str) -> Option<String> {
    let below = match reference.strip_prefix("/api/") {
        Some(below) => below.to_owned(),
        None => format!("blobs/{reference}"),
    };
    let plain = |segment: &str| {
        (1..=512).contains(&segment.len())
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
            && segment.bytes().any(|byte| byte != b'.')
    };
    (below.len() <= 2048 && below.split('/').all(plain)).then_some(below)
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn references() {
        assert_eq!(path("0123abcDEF").as_deref(), Some("blobs/0123abcDEF"));
        assert_eq!(path("/api/blobs/0123.png").as_deref(), Some("blobs/0123.png"));
        for bad in [
            "",
            "/",
            "..",
            "../info",
            "/api/../x",
            "/api/blobs/../../x",
            "//evil.example/x",
            "/api//evil",
            "/blobs/x",
            "https://evil.example/x",
            "a?b",
            "a#b",
            "a%2e",
            "a\\b",
            "/api/blobs/x\r\nHost: y",
        ] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }
}
