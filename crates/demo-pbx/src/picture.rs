//! QR codes as pictures.

use image::{GrayImage, ImageFormat, Luma};
use qrcode::{Color, QrCode};

/// Pixels of a module.
const MODULE: u32 = 8;
/// Modules of the light rim (ISO/IEC 18004).
const RIM: u32 = 4;

/// A QR code as a PNG file; nothing for a text no code can hold.
pub(crate) fn png(text: &str) -> Option<Vec<u8>> {
    let code = QrCode::new(text).ok()?;
    let width = u32::try_from(code.width()).ok()?;
    let colors = code.to_colors();
    let module = |x: u32, y: u32| {
        let (x, y) = (x.checked_sub(RIM).filter(|x| *x < width)?, y.checked_sub(RIM).filter(|y| *y < width)?);
        colors.get(usize::try_from(y * width + x).ok()?)
    };
    let side = (width + 2 * RIM) * MODULE;
    let picture = GrayImage::from_fn(side, side, |x, y| {
        Luma([if module(x / MODULE, y / MODULE) == Some(&Color::Dark) { 0 } else { 255 }])
    });
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).ok()?;
    Some(file.into_inner())
}
