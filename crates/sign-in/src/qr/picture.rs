//! Picture files.

use std::fmt;
use std::io::Cursor;

use image::{DynamicImage, ImageReader, Limits};
use zeroize::{Zeroize, Zeroizing};

use super::Luma;

/// Largest side of a picture, pixels.
const SIDE: u32 = 12_000;
/// Most memory a picture may take while it is unpacked, bytes.
const MEMORY: u64 = 512 * 1024 * 1024;
/// Most pixels a picture may have.
const PIXELS: u64 = 64_000_000;

/// A grey picture of its own. Zeroed on drop.
pub struct LumaImage {
    width: u32,
    height: u32,
    pixels: Zeroizing<Vec<u8>>,
}

impl LumaImage {
    /// The picture, to be read.
    pub fn luma(&self) -> Luma<'_> {
        Luma { width: self.width, height: self.height, stride: self.width, pixels: &self.pixels }
    }
}

impl fmt::Debug for LumaImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LumaImage")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

/// A file is no picture that can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureUnreadable {
    /// Neither PNG nor JPEG, GIF, WebP or BMP.
    #[error("the file is not a picture of a known kind")]
    Kind,
    /// More pixels than anybody needs for a code.
    #[error("the picture is too large")]
    TooLarge,
    /// Begins like a picture and does not go on like one.
    #[error("the picture is damaged")]
    Damaged,
}

/// The picture in a file: PNG, JPEG, GIF (its first frame), WebP or BMP, told by the bytes themselves.
/// What is transparent is taken for white.
///
/// # Errors
/// See [`PictureUnreadable`].
pub fn picture(file: &[u8]) -> Result<LumaImage, PictureUnreadable> {
    let mut reader =
        ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| PictureUnreadable::Kind)?;
    let kind = reader.format().ok_or(PictureUnreadable::Kind)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits.clone());
    let (width, height) = reader.into_dimensions().map_err(refused)?;
    if u64::from(width) * u64::from(height) > PIXELS {
        return Err(PictureUnreadable::TooLarge);
    }
    let mut reader = ImageReader::with_format(Cursor::new(file), kind);
    reader.limits(limits);
    Ok(grey(reader.decode().map_err(refused)?))
}

fn refused(why: image::ImageError) -> PictureUnreadable {
    match why {
        image::ImageError::Limits(_) => PictureUnreadable::TooLarge,
        image::ImageError::Unsupported(_) => PictureUnreadable::Kind,
        _ => PictureUnreadable::Damaged,
    }
}

fn grey(picture: DynamicImage) -> LumaImage {
    let (width, height) = (picture.width(), picture.height());
    let mut pixels = Zeroizing::new(Vec::new());
    if picture.color().has_alpha() {
        let mut with_alpha = picture.into_luma_alpha8().into_raw();
        let over_white = |[level, alpha]: &[u8; 2]| {
            let (level, alpha) = (u32::from(*level), u32::from(*alpha));
            u8::try_from((level * alpha + 255 * (255 - alpha)) / 255).unwrap_or(255)
        };
        pixels.extend(with_alpha.as_chunks::<2>().0.iter().map(over_white));
        with_alpha.zeroize();
    } else {
        *pixels = picture.into_luma8().into_raw();
    }
    LumaImage { width, height, pixels }
}
