//! Unpacking the file system of an image.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, BufReader};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use backhand::{FilesystemReader, InnerNode};

use crate::image::Image;

/// Unpacks it into a folder that is not there yet.
///
/// # Errors
/// The file system is damaged, or a file cannot be written.
pub fn unpack(image: &Image, to: &Path) -> Result<(), String> {
    DirBuilder::new().mode(0o700).create(to).map_err(|e| format!("{}: {e}", to.display()))?;
    let file = image.file().map_err(|e| e.to_string())?;
    let system = FilesystemReader::from_reader_with_offset(BufReader::new(file), image.offset())
        .map_err(|e| format!("the file is damaged; please get it again ({e})"))?;
    let mut links = Vec::new();
    for node in system.files() {
        let Some(at) = inside(to, &node.fullpath) else {
            return Err(format!("a file of the image lies outside of it: {}", node.fullpath.display()));
        };
        let problem = |e: io::Error| format!("{}: {e}", at.display());
        match &node.inner {
            InnerNode::Dir(_) if at == to => {}
            InnerNode::Dir(_) => fs::create_dir(&at).map_err(problem)?,
            InnerNode::File(content) => {
                let mode = if node.header.permissions & 0o100 == 0 { 0o644 } else { 0o755 };
                let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&at);
                let mut from = system.file(content).reader();
                file.and_then(|mut file| io::copy(&mut from, &mut file)).map_err(problem)?;
            }
            // After the files: so none is written by way of a link.
            InnerNode::Symlink(link) => links.push((link.link.clone(), at)),
            _ => return Err(format!("{}: neither file nor folder nor link", at.display())),
        }
    }
    for (link, at) in links {
        symlink(&link, &at).map_err(|e| format!("{}: {e}", at.display()))?;
    }
    Ok(())
}

/// Where a file goes, if that is inside.
fn inside(to: &Path, path: &Path) -> Option<PathBuf> {
    let mut at = to.to_owned();
    for part in path.components() {
        match part {
            Component::RootDir => {}
            Component::Normal(name) => at.push(name),
            _ => return None,
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_folder() {
        let to = Path::new("/cache");
        assert_eq!(inside(to, Path::new("/usr/bin/phone")), Some("/cache/usr/bin/phone".into()));
        assert_eq!(inside(to, Path::new("/")), Some("/cache".into()));
        assert_eq!(inside(to, Path::new("/usr/../../etc")), None);
    }
}
