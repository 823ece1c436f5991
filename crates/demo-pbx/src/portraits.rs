//! Pictures of the users, drawn here: somebody with one, somebody with a broken one, and others with none.

use image::{ImageFormat, Rgb, RgbImage};
use sha2::{Digest, Sha256};

/// What such a file is called.
pub(crate) const NAME: &str = "portrait.png";
/// Pixels of a side.
const SIDE: u32 = 192;
/// Extensions of those who have a picture, with the colours of its ground and of who is in front of it.
const DRAWN: [(&str, [u8; 3], [u8; 3]); 2] =
    [("101", [0x24, 0x50, 0x6b], [0xf2, 0xc9, 0x9b]), ("102", [0x6b, 0x3a, 0x52], [0xd8, 0xa4, 0x7a])];
/// Extension of the one whose picture is none.
const BROKEN: &str = "103";

/// The reference to the picture of an extension; nothing where it has none.
pub(crate) fn reference(extension: &str) -> Option<String> {
    let mut with = DRAWN.iter().map(|(drawn, ..)| *drawn).chain([BROKEN]);
    with.any(|one| one == extension).then(|| format!("/api/blobs/{}", digest(extension)))
}

/// What a user's profile tells of the picture: the reference, and the size of the file.
pub(crate) fn told(extension: &str) -> Option<(String, usize)> {
    let reference = reference(extension)?;
    Some((reference, file(&digest(extension))?.len()))
}

/// The file with this digest: that of a picture, or what passes for one.
pub(crate) fn file(wanted: &str) -> Option<Vec<u8>> {
    if wanted == digest(BROKEN) {
        return Some(b"This was a picture once.".into());
    }
    let (_, ground, person) = DRAWN.iter().find(|(extension, ..)| wanted == digest(extension))?;
    drawn(*ground, *person)
}

/// The same at each start, so that a phone finds what it kept.
fn digest(extension: &str) -> String {
    let hash = Sha256::digest(format!("portrait of {extension}"));
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Head and shoulders before a ground that darkens downwards, as a PNG file.
fn drawn(ground: [u8; 3], person: [u8; 3]) -> Option<Vec<u8>> {
    let within = |x: u32, y: u32, middle: (u32, u32), reach: u32| {
        x.abs_diff(middle.0).pow(2) + y.abs_diff(middle.1).pow(2) < reach.pow(2)
    };
    let picture = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        if within(x, y, (96, 76), 36) || within(x, y, (96, 190), 68) {
            return Rgb(person);
        }
        let shade = |part: u8| u8::try_from(u32::from(part) * (2 * SIDE - y) / (2 * SIDE)).unwrap_or(part);
        Rgb(ground.map(shade))
    });
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).ok()?;
    Some(file.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(extension: &str) -> Vec<u8> {
        file(reference(extension).unwrap().strip_prefix("/api/blobs/").unwrap()).unwrap()
    }

    #[test]
    fn two_are_pictures_one_is_broken_and_the_others_have_none() {
        let [alice, bob] = ["101", "102"].map(|extension| image::load_from_memory(&of(extension)).unwrap());
        assert_eq!((alice.width(), alice.height()), (SIDE, SIDE));
        assert_ne!(alice, bob);
        assert!(image::load_from_memory(&of("103")).is_err());
        assert_eq!((reference("104"), reference("")), (None, None));
        assert_eq!(file("0123"), None);
    }
}
