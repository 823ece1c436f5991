use pbx_api::Blob;

/// Largest picture shown, bytes.
const LIMIT: usize = 512 * 1024;

/// The tenant's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Media type, by the bytes themselves: the PBX serves every file as `application/octet-stream`.
    pub media_type: &'static str,
    /// The picture file.
    pub bytes: Vec<u8>,
}

impl Picture {
    /// The picture in a file, where it is PNG, JPEG, GIF or WebP and not larger than 512 KiB.
    pub(crate) fn in_file(blob: &Blob) -> Option<Self> {
        let bytes = blob.bytes.as_slice();
        let media_type = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            "image/png"
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            "image/jpeg"
        } else if bytes.starts_with(b"GIF8") {
            "image/gif"
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            "image/webp"
        } else {
            return None;
        };
        (bytes.len() <= LIMIT).then(|| Self { media_type, bytes: bytes.to_vec() })
    }
}
