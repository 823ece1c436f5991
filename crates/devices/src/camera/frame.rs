//! A frame, and what cameras pack it into.

use std::fmt;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, ImageReader, Limits};
use zeroize::{Zeroize, Zeroizing};

/// Widest preview kept beside a frame, pixels.
const PREVIEW_WIDTH: u32 = 640;
/// Quality of a preview as JPEG, of 100.
const QUALITY: u8 = 70;
/// Largest side of a picture taken for a frame.
const SIDE: u32 = 12_000;
/// Most memory a picture may take while it is unpacked, bytes.
const MEMORY: u64 = 512 * 1024 * 1024;

/// One picture of a camera or a screen. Zeroed on drop: it may show a code that signs in.
pub struct Frame {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height` grey pixels, row after row: 0 is black.
    pub luma: Vec<u8>,
    preview: Preview,
}

/// The frame in colour, small.
#[derive(Default)]
struct Preview {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

/// How pixels are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packed {
    /// Two pixels in Y, Cb, Y, Cr.
    Yuyv,
    /// All Y, then Cb and Cr of each four pixels.
    Nv12,
    /// Y only.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// A JPEG file.
    Jpeg,
}

impl Frame {
    /// A frame out of a camera's bytes; none where they are too few or no JPEG of this size.
    pub(super) fn unpacked(width: u32, height: u32, packed: Packed, bytes: &[u8]) -> Option<Self> {
        if packed == Packed::Jpeg {
            let frame = Self::of_picture(bytes, Some(ImageFormat::Jpeg))?;
            return (frame.width == width && frame.height == height).then_some(frame);
        }
        let (w, pixels) = (usize::try_from(width).ok()?, usize::try_from(width.checked_mul(height)?).ok()?);
        let luma: Vec<u8> = match packed {
            Packed::Yuyv => bytes.as_chunks::<2>().0.iter().map(|[y, _]| *y).take(pixels).collect(),
            Packed::Rgb => {
                bytes.as_chunks::<3>().0.iter().map(|[r, g, b]| luma(*r, *g, *b)).take(pixels).collect()
            }
            Packed::Bgr => {
                bytes.as_chunks::<3>().0.iter().map(|[b, g, r]| luma(*r, *g, *b)).take(pixels).collect()
            }
            Packed::Nv12 | Packed::Grey | Packed::Jpeg => bytes.get(..pixels)?.to_vec(),
        };
        let at = |index: usize| bytes.get(index).copied();
        let preview = Preview::sampled(width, height, |x, y| {
            let pixel = y * w + x;
            Some(match packed {
                Packed::Yuyv => {
                    let pair = 2 * (pixel - x % 2);
                    rgb(at(2 * pixel)?, at(pair + 1)?, at(pair + 3)?)
                }
                Packed::Nv12 => {
                    let pair = pixels + y / 2 * w + x / 2 * 2;
                    rgb(at(pixel)?, at(pair)?, at(pair + 1)?)
                }
                Packed::Rgb => [at(3 * pixel)?, at(3 * pixel + 1)?, at(3 * pixel + 2)?],
                Packed::Bgr => [at(3 * pixel + 2)?, at(3 * pixel + 1)?, at(3 * pixel)?],
                Packed::Grey | Packed::Jpeg => [at(pixel)?; 3],
            })
        })?;
        (luma.len() == pixels).then_some(Self { width, height, luma, preview })
    }

    /// A frame out of a picture file of the kind `format`, or of whatever kind it says it is.
    pub(super) fn of_picture(file: &[u8], format: Option<ImageFormat>) -> Option<Self> {
        let mut reader = ImageReader::new(Cursor::new(file));
        match format {
            Some(format) => reader.set_format(format),
            None => reader = reader.with_guessed_format().ok()?,
        }
        let mut limits = Limits::default();
        limits.max_image_width = Some(SIDE);
        limits.max_image_height = Some(SIDE);
        limits.max_alloc = Some(MEMORY);
        reader.limits(limits);
        let picture = reader.decode().ok()?;
        let (width, height) = (picture.width(), picture.height());
        if let DynamicImage::ImageLuma8(grey) = picture {
            let grey = Zeroizing::new(grey.into_raw());
            return Self::unpacked(width, height, Packed::Grey, &grey);
        }
        let rgba = Zeroizing::new(picture.into_rgba8().into_raw());
        Self::of_rgba(width, height, &rgba)
    }

    /// A frame out of red, green, blue and opacity, four bytes a pixel, over white.
    pub(crate) fn of_rgba(width: u32, height: u32, rgba: &[u8]) -> Option<Self> {
        let over_white = |[r, g, b, a]: &[u8; 4]| {
            let over = |level: u8| {
                let (level, a) = (u32::from(level), u32::from(*a));
                low_byte(i64::from((level * a + 255 * (255 - a)) / 255))
            };
            [over(*r), over(*g), over(*b)]
        };
        let flat = Zeroizing::new(rgba.as_chunks::<4>().0.iter().flat_map(over_white).collect::<Vec<u8>>());
        Self::unpacked(width, height, Packed::Rgb, &flat)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.luma.zeroize();
        self.preview.rgb.zeroize();
    }
}

impl Preview {
    /// Every n-th pixel of every n-th row, so that it is not wider than [`PREVIEW_WIDTH`].
    fn sampled(width: u32, height: u32, pixel: impl Fn(usize, usize) -> Option<[u8; 3]>) -> Option<Self> {
        let step = width.div_ceil(PREVIEW_WIDTH).max(1);
        let mut preview =
            Self { width: width.div_ceil(step), height: height.div_ceil(step), rgb: Vec::new() };
        preview.rgb.reserve_exact(usize::try_from(preview.width * preview.height * 3).ok()?);
        for y in (0..height).step_by(usize::try_from(step).ok()?) {
            for x in (0..width).step_by(usize::try_from(step).ok()?) {
                preview.rgb.extend(pixel(usize::try_from(x).ok()?, usize::try_from(y).ok()?)?);
            }
        }
        Some(preview)
    }
}

/// The frame as a JPEG file for the screen, in colour, at most `max_width` and never more than 640 pixels
/// wide. Empty for a frame without pixels.
pub fn preview_jpeg(frame: &Frame, max_width: u32) -> Vec<u8> {
    let preview = &frame.preview;
    let step = preview.width.div_ceil(max_width.max(1)).max(1);
    let small = |side: u32| side.div_ceil(step);
    let row_bytes = usize::try_from(preview.width).unwrap_or(0) * 3;
    let each = usize::try_from(step).unwrap_or(1);
    let mut rgb = Zeroizing::new(Vec::new());
    if row_bytes > 0 {
        for row in preview.rgb.chunks_exact(row_bytes).step_by(each) {
            rgb.extend(row.as_chunks::<3>().0.iter().step_by(each).flatten());
        }
    }
    let mut file = Vec::new();
    let written = JpegEncoder::new_with_quality(&mut file, QUALITY).write_image(
        &rgb,
        small(preview.width),
        small(preview.height),
        ExtendedColorType::Rgb8,
    );
    if written.is_err() {
        file.clear();
    }
    file
}

/// ITU-R BT.601 luma of full-range colour.
fn luma(r: u8, g: u8, b: u8) -> u8 {
    low_byte((299 * i64::from(r) + 587 * i64::from(g) + 114 * i64::from(b) + 500) / 1000)
}

/// ITU-R BT.601 colour of studio-range luma and colour differences.
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (1164 * (i64::from(y) - 16), i64::from(cb) - 128, i64::from(cr) - 128);
    [y + 1596 * cr, y - 813 * cr - 391 * cb, y + 2018 * cb].map(|level| low_byte((level + 500) / 1000))
}

fn low_byte(level: i64) -> u8 {
    u8::try_from(level.clamp(0, 255)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packing_gives_the_same_grey() {
        // Two rows: black, white; white, black.
        let grey = [16, 235, 235, 16];
        let yuyv: Vec<u8> = grey.iter().flat_map(|y| [*y, 128]).collect();
        let nv12 = [&grey[..], &[128, 128]].concat();
        let rgb: Vec<u8> = grey.iter().flat_map(|y| [*y; 3]).collect();
        for (packed, bytes) in [
            (Packed::Grey, &grey[..]),
            (Packed::Yuyv, &yuyv),
            (Packed::Nv12, &nv12),
            (Packed::Rgb, &rgb),
            (Packed::Bgr, &rgb),
        ] {
            let frame = Frame::unpacked(2, 2, packed, bytes).unwrap();
            assert_eq!(frame.luma, grey, "{packed:?}");
            assert!(Frame::unpacked(2, 2, packed, &bytes[..bytes.len() - 1]).is_none(), "{packed:?}");
        }
    }

    #[test]
    fn colours() {
        assert_eq!(rgb(16, 128, 128), [0, 0, 0]);
        assert_eq!(rgb(235, 128, 128), [255, 255, 255]);
        assert_eq!(rgb(81, 90, 240), [254, 0, 0]);
        let red = Frame::unpacked(1, 1, Packed::Bgr, &[0, 0, 255]).unwrap();
        assert_eq!(red.preview.rgb, [255, 0, 0]);
        assert_eq!(red.luma, [76]);
        let clear = Frame::of_rgba(1, 2, &[0, 0, 0, 0, 0, 0, 0, 255]).unwrap();
        assert_eq!(clear.luma, [255, 0]);
    }

    #[test]
    fn a_preview_is_a_small_jpeg_and_reads_back() {
        let grey = vec![200; 1280 * 720];
        let frame = Frame::unpacked(1280, 720, Packed::Grey, &grey).unwrap();
        let file = preview_jpeg(&frame, 400);
        let back = Frame::of_picture(&file, None).unwrap();
        assert_eq!((back.width, back.height), (320, 180));
        assert!(back.luma.iter().all(|p| p.abs_diff(200) < 4));
        let jpeg = Frame::unpacked(320, 180, Packed::Jpeg, &file).unwrap();
        assert_eq!(jpeg.luma.len(), 320 * 180);
        assert!(Frame::unpacked(320, 181, Packed::Jpeg, &file).is_none());
        assert!(Frame::of_picture(b"no picture", None).is_none());
    }

    #[test]
    fn a_frame_does_not_print_its_pixels() {
        let frame = Frame::unpacked(1, 1, Packed::Grey, &[77]).unwrap();
        assert!(!format!("{frame:?}").contains("77"));
    }
}
