//! Pictures of people out of bytes of strangers: read here under limits, and written anew, so that a webview sees only
//! what the phone wrote.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, imageops::FilterType};

/// Largest file, bytes.
const BYTES: usize = 2 * 1024 * 1024;
/// Largest side, pixels.
const LARGEST: u32 = 4096;
/// Most memory while it is unpacked, bytes: the largest at four bytes a pixel, and what the reader needs beside it.
const MEMORY: u64 = 96 * 1024 * 1024;
/// Pixels of a side of what comes of it.
const SIDE: u32 = 144;

/// A picture that the phone wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    /// Its media type.
    pub(super) media_type: &'static str,
    /// The file.
    pub(super) bytes: Vec<u8>,
}

/// The middle of a picture, square and small: a PNG where it lets something shine through, else a JPEG. Nothing where
/// the file is too large, damaged or none.
pub(super) fn cut(file: &[u8]) -> Option<Cut> {
    let picture = read(file)?;
    let (width, height) = (picture.width(), picture.height());
    let side = width.min(height);
    let square = picture.crop_imm((width - side) / 2, (height - side) / 2, side, side);
    let small = square.resize_exact(SIDE, SIDE, FilterType::Triangle);
    let (small, format, media_type) = if small.color().has_alpha() {
        (DynamicImage::from(small.into_rgba8()), ImageFormat::Png, "image/png")
    } else {
        (DynamicImage::from(small.into_rgb8()), ImageFormat::Jpeg, "image/jpeg")
    };
    let mut written = Cursor::new(Vec::new());
    small.write_to(&mut written, format).ok()?;
    Some(Cut { media_type, bytes: written.into_inner() })
}

fn read(file: &[u8]) -> Option<DynamicImage> {
    if file.len() > BYTES {
        return None;
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST);
    limits.max_image_height = Some(LARGEST);
    limits.max_alloc = Some(MEMORY);
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().ok()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 || width > LARGEST || height > LARGEST || decoder.total_bytes() > MEMORY {
        return None;
    }
    limits.reserve(decoder.total_bytes()).ok()?;
    decoder.set_limits(limits).ok()?;
    let turned = decoder.orientation().ok()?;
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    picture.apply_orientation(turned);
    Some(picture)
}

/// A file that [`cut`] wrote, as it is now; nothing where it is another.
pub(super) fn ours(bytes: Vec<u8>) -> Option<Cut> {
    let picture = read(&bytes)?;
    let media_type = match image::guess_format(&bytes) {
        Ok(ImageFormat::Jpeg) => "image/jpeg",
        Ok(ImageFormat::Png) => "image/png",
        _ => return None,
    };
    ((picture.width(), picture.height()) == (SIDE, SIDE)).then_some(Cut { media_type, bytes })
}

#[cfg(test)]
mod tests {
    use image::{GenericImageView, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        picture.into().write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    /// Green in the middle, red at both ends.
    fn wide() -> RgbImage {
        RgbImage::from_fn(600, 200, |x, _| {
            Rgb(if (200..400).contains(&x) { [0, 200, 0] } else { [200, 0, 0] })
        })
    }

    /// A PNG with only a header (PNG specification, section 11.2.2) that claims these sides.
    fn claims(width: u32, height: u32) -> Vec<u8> {
        let mut small = file(RgbImage::new(1, 1), ImageFormat::Png);
        small.splice(16..24, width.to_be_bytes().into_iter().chain(height.to_be_bytes()));
        let mut sum = !0u32;
        for byte in &small[12..29] {
            sum ^= u32::from(*byte);
            (0..8).for_each(|_| sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 });
        }
        small.splice(29..33, (!sum).to_be_bytes());
        small
    }

    #[test]
    fn the_middle_is_cut_out_and_written_anew() {
        for format in
            [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif]
        {
            let cut = cut(&file(wide(), format)).unwrap();
            let seen = image::load_from_memory(&cut.bytes).unwrap();
            assert_eq!((seen.width(), seen.height()), (SIDE, SIDE), "{format:?}");
            for at in [4, SIDE / 2, SIDE - 5] {
                let Rgba([red, green, ..]) = seen.get_pixel(at, SIDE / 2);
                assert!(red < 60 && green > 150, "{format:?} at {at}: {red} {green}");
            }
        }
        assert_eq!(cut(&file(wide(), ImageFormat::Png)).unwrap().media_type, "image/jpeg");
    }

    #[test]
    fn what_shines_through_does_so_afterwards_and_a_small_one_grows() {
        let clear = RgbaImage::from_pixel(3, 5, Rgba([9, 9, 9, 128]));
        let cut = cut(&file(clear, ImageFormat::Png)).unwrap();
        let seen = image::load_from_memory_with_format(&cut.bytes, ImageFormat::Png).unwrap();
        assert_eq!((cut.media_type, seen.width(), seen.get_pixel(70, 70).0[3]), ("image/png", SIDE, 128));
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_none() {
        let whole = file(wide(), ImageFormat::Png);
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
        for bad in [&b""[..], b"no picture", svg, &whole[..whole.len() / 2], &whole[..20]] {
            assert_eq!(cut(bad), None);
        }
        for (width, height) in
            [(LARGEST + 1, 1), (1, LARGEST + 1), (50_000, 50_000), (u32::MAX, u32::MAX), (0, 1)]
        {
            assert_eq!(cut(&claims(width, height)), None, "{width} by {height}");
        }
        let mut heavy = whole.clone();
        heavy.resize(3 * 1024 * 1024, 0);
        assert_eq!(cut(&heavy), None);
        heavy.truncate(BYTES);
        assert!(cut(&heavy).is_some(), "what comes behind a picture is not looked at");
        assert!(cut(&file(RgbImage::new(LARGEST, 8), ImageFormat::Png)).is_some());
    }
}
