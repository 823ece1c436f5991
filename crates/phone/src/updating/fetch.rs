//! What comes over the network, looked at before anything is done with it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use pbx_api::{Trust, WebFile};
use update::{Incoming, MAX_MANIFEST, Manifest, Package, Signature};
use url::Url;

use super::{Updates, file_name};
use crate::words::of_api_error;
use crate::{Code, Problem};

/// Longest signature, as base64, bytes.
const MAX_SIGNATURE: usize = 256;
/// Pieces in which a file is read, bytes.
const PIECE: usize = 64 * 1024;

/// The maker's manifest, where it is of a newer version.
pub(super) async fn manifest(
    updates: &Updates,
    trust: &Trust,
    user_agent: &str,
) -> Result<Option<Manifest>, Problem> {
    let signature = fetch(&beside(&updates.manifest), trust, user_agent, MAX_SIGNATURE).await?;
    let manifest = fetch(&updates.manifest, trust, user_agent, MAX_MANIFEST).await?;
    let signature = std::str::from_utf8(&signature).ok().and_then(Signature::parse);
    let signature = signature.ok_or_else(|| refused(update::Refused::Signature))?;
    update::read(&manifest, signature, updates.key, &updates.product, updates.installed).map_err(refused)
}

/// Fetches a package into `folder`, in which nothing else stays; where it is then.
pub(super) async fn package(
    package: &Package,
    trust: &Trust,
    user_agent: &str,
    folder: &Path,
    progress: impl Fn(u8),
) -> Result<PathBuf, Problem> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(|error| unwritten(&error))?;
    let (part, whole) = (folder.join("part"), folder.join(file_name(package)));
    let mut file = File::create(&part).map_err(|error| unwritten(&error))?;
    let mut web = WebFile::open(&package.url, trust, user_agent).await.map_err(|e| of_api_error(&e))?;
    let (mut incoming, mut came, mut told) = (Incoming::new(package), 0_u64, 0);
    while let Some(piece) = web.next().await.map_err(|error| of_api_error(&error))? {
        incoming.take(&piece).map_err(refused)?;
        file.write_all(&piece).map_err(|error| unwritten(&error))?;
        came = came.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        let percent = u8::try_from(came.saturating_mul(100) / package.size.max(1)).unwrap_or(100);
        if percent > told {
            told = percent;
            progress(percent);
        }
    }
    incoming.finish().map_err(refused)?;
    file.sync_all().map_err(|error| unwritten(&error))?;
    fs::rename(&part, &whole).map_err(|error| unwritten(&error))?;
    Ok(whole)
}

/// Whether a file is still the package: it may have lain there for long.
pub(super) fn verify(package: &Package, path: &Path) -> Result<(), Problem> {
    let mut file = File::open(path).map_err(|error| unwritten(&error))?;
    let (mut incoming, mut piece) = (Incoming::new(package), vec![0; PIECE]);
    loop {
        match file.read(&mut piece).map_err(|error| unwritten(&error))? {
            0 => return incoming.finish().map_err(refused),
            length => incoming.take(piece.get(..length).unwrap_or_default()).map_err(refused)?,
        }
    }
}

async fn fetch(url: &Url, trust: &Trust, user_agent: &str, limit: usize) -> Result<Vec<u8>, Problem> {
    let file = WebFile::open(url, trust, user_agent).await.map_err(|error| of_api_error(&error))?;
    file.all(limit).await.map_err(|error| of_api_error(&error))
}

/// The signature's address.
fn beside(manifest: &Url) -> Url {
    let mut beside = manifest.clone();
    beside.set_path(&format!("{}.sig", manifest.path()));
    beside
}

fn refused(why: impl std::error::Error) -> Problem {
    Problem::new(Code::UpdateRefused, why.to_string())
}

fn unwritten(error: &std::io::Error) -> Problem {
    Problem::new(Code::UpdateFailed, error.to_string())
}
