//! Sounds of the PBX fetched, and saved as files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pbx_api::{Blob, Client};
use secrecy::SecretString;
use sign_in::Session;

use super::{Portal, PortalInput, problem_of, put};
use crate::date::file_name;
use crate::wav::Wav;
use crate::{Code, PeerView, Problem, SoundId, UnixMs};

/// Where a sound is, and what its file is called.
pub(super) struct Place {
    pub(super) session: Session,
    pub(super) reference: String,
    /// Whose it is, and of when.
    pub(super) about: (PeerView, UnixMs),
}

impl Portal {
    /// Fetches a sound to be listened to.
    pub(super) fn fetch(&self, sound: SoundId) {
        if sound == SoundId::Draft {
            return put(&self.outlet, PortalInput::Fetched(sound, self.greetings.draft()));
        }
        let (place, outlet) = (self.place(&sound), self.outlet.clone());
        tokio::spawn(async move {
            let fetched = fetched(place).await;
            let read = move || fetched.and_then(|(blob, _)| read(&blob));
            let wav = tokio::task::spawn_blocking(read).await;
            let wav = wav.unwrap_or_else(|error| Err(Problem::new(Code::Internal, error.to_string())));
            put(&outlet, PortalInput::Fetched(sound, wav));
        });
    }

    /// Saves a sound in the user's folder for downloads, or where there is none the phone's own.
    pub(super) fn save(&self, sound: SoundId, data_dir: PathBuf) {
        let (place, outlet) = (self.place(&sound), self.outlet.clone());
        tokio::spawn(async move {
            let fetched = fetched(place).await;
            let write = move || fetched.and_then(|(blob, about)| write(&blob, &about, &data_dir));
            let saved = tokio::task::spawn_blocking(write).await;
            let saved = saved.unwrap_or_else(|error| Err(Problem::new(Code::Internal, error.to_string())));
            put(&outlet, PortalInput::Saved(sound, saved));
        });
    }

    fn place(&self, sound: &SoundId) -> Result<Place, Problem> {
        match sound {
            SoundId::Voicemail { id } => self.mail.place(*id),
            SoundId::Greeting { id } => self.greetings.place(*id),
            // It is nowhere yet.
            SoundId::Draft => Err(Code::NotNow.into()),
        }
    }
}

async fn fetched(place: Result<Place, Problem>) -> Result<(Blob, (PeerView, UnixMs)), Problem> {
    let Place { session, reference, about } = place?;
    let ask = |client: Client, access: SecretString| {
        let reference = reference.clone();
        async move { client.sound(&reference, &access).await }
    };
    session.authorized(ask).await.map(|blob| (blob, about)).map_err(|error| problem_of(&error))
}

fn read(blob: &Blob) -> Result<Wav, Problem> {
    Wav::read(&blob.bytes).map_err(|_| {
        let kind = blob.media_type.as_deref().unwrap_or("no media type");
        Problem::new(Code::SoundUnknown, format!("{} bytes, {kind}", blob.bytes.len()))
    })
}

fn write(blob: &Blob, (who, at): &(PeerView, UnixMs), data_dir: &Path) -> Result<PathBuf, Problem> {
    let downloads = directories::UserDirs::new().and_then(|dirs| dirs.download_dir().map(Path::to_owned));
    let folder = downloads.filter(|folder| folder.is_dir()).unwrap_or_else(|| data_dir.to_owned());
    let name = file_name(std::time::Duration::from_millis(at.0), who);
    let path = folder.join(&name);
    let failed = |error: io::Error| Problem::new(Code::AudioFile, format!("{}: {error}", path.display()));
    match File::create_new(&path) {
        Ok(mut file) => file.write_all(&blob.bytes).map_err(failed)?,
        // It was saved before.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && same(&path, &blob.bytes) => {}
        Err(error) => return Err(failed(error)),
    }
    Ok(path)
}

fn same(path: &Path, bytes: &[u8]) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() == bytes.len() as u64)
        && fs::read(path).is_ok_and(|known| known == bytes)
}
