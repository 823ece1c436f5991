use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A microphone, speaker or audio file cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeviceError {
    /// The system has no microphone, or no sound server to ask.
    #[error("no microphone was found")]
    NoMicrophone,
    /// The system has no speaker, or no sound server to ask.
    #[error("no speaker was found")]
    NoSpeaker,
    /// There is no device of this id (any more).
    #[error("there is no sound device {0}")]
    NotFound(String),
    /// Another program holds the device, or it does not answer.
    #[error("the sound device is busy: {0}")]
    Busy(String),
    /// The system forbids this program to use the device.
    #[error("the system does not allow the use of the sound device: {0}")]
    Refused(String),
    /// An audio file cannot be read or written.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: Arc<hound::Error>,
    },
    /// The device worked and is gone now.
    #[error("the sound device is gone: {0}")]
    Lost(String),
    /// The sound system failed in another way.
    #[error("the sound system failed")]
    Failed(#[from] cpal::Error),
    /// The card's rate cannot be converted.
    #[error("no conversion from or to {0} samples a second")]
    Rate(u32),
}

impl DeviceError {
    pub(crate) fn file(path: &Path, source: hound::Error) -> Self {
        Self::File { path: path.to_owned(), source: Arc::new(source) }
    }

    /// Whether a file could not be written for want of room.
    pub fn is_disk_full(&self) -> bool {
        let full = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
        match self {
            Self::File { source, .. } => {
                matches!(&**source, hound::Error::IoError(error) if full.contains(&error.kind()))
            }
            _ => false,
        }
    }
}
