//! An X11 desktop.

use std::env;

use x11rb::connection::Connection;
use x11rb::errors::ReplyError;
use x11rb::protocol::randr::ConnectionExt as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, ImageOrder, Visualid};
use x11rb::rust_connection::RustConnection;
use zeroize::Zeroizing;

use super::ScreenError;
use crate::Frame;

pub(super) fn screens() -> Result<Vec<Frame>, ScreenError> {
    // Beside a Wayland desktop an X server shows nothing but its own windows, the rest black.
    if env::var_os("WAYLAND_DISPLAY").is_some_and(|display| !display.is_empty()) {
        return Err(ScreenError::Unavailable);
    }
    let (connection, number) = x11rb::connect(None).map_err(|_| ScreenError::Unavailable)?;
    let screen = connection.setup().roots.get(number).ok_or(ScreenError::Unavailable)?;
    let pixels = pixels(&connection, screen.root_visual, screen.root_depth)?;
    let mut parts = monitors(&connection, screen.root).unwrap_or_default();
    if parts.is_empty() {
        parts.push((0, 0, screen.width_in_pixels, screen.height_in_pixels));
    }
    let look = |(x, y, width, height)| {
        let image = connection
            .get_image(ImageFormat::Z_PIXMAP, screen.root, x, y, width, height, u32::MAX)
            .map_err(|e| failed(&e))?
            .reply()
            .map_err(|e| failed(&e))?;
        let bytes = Zeroizing::new(image.data);
        let rgba = pixels.rgba(&bytes).ok_or_else(|| failed(&"unknown packing of pixels"))?;
        Frame::of_rgba(width.into(), height.into(), &rgba).ok_or_else(|| failed(&"too few pixels"))
    };
    parts.into_iter().map(look).collect()
}

/// Each monitor's part of the root window: left, top, width, height.
fn monitors(connection: &RustConnection, root: u32) -> Result<Vec<(i16, i16, u16, u16)>, ReplyError> {
    let reply = connection.randr_get_monitors(root, true)?.reply()?;
    Ok(reply.monitors.iter().map(|m| (m.x, m.y, m.width, m.height)).collect())
}

/// Where a pixel of four bytes keeps its colours, by the byte's place.
#[derive(Debug, Clone, Copy)]
struct Pixels {
    red: usize,
    green: usize,
    blue: usize,
}

impl Pixels {
    fn rgba(self, bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut rgba = Zeroizing::new(Vec::with_capacity(bytes.len()));
        for pixel in bytes.as_chunks::<4>().0 {
            rgba.extend([*pixel.get(self.red)?, *pixel.get(self.green)?, *pixel.get(self.blue)?, 255]);
        }
        Some(rgba)
    }
}

/// Screens of 8 bits a colour in 32 bits a pixel, which all but the oldest are.
fn pixels(connection: &RustConnection, visual: Visualid, depth: u8) -> Result<Pixels, ScreenError> {
    let setup = connection.setup();
    let wide = setup.pixmap_formats.iter().any(|f| f.depth == depth && f.bits_per_pixel == 32);
    let visuals = setup.roots.iter().flat_map(|s| &s.allowed_depths).flat_map(|d| &d.visuals);
    let masks = visuals.filter(|v| v.visual_id == visual).map(|v| [v.red_mask, v.green_mask, v.blue_mask]);
    let place = |mask: u32| {
        let byte = usize::try_from(mask.trailing_zeros() / 8).ok().filter(|_| mask.count_ones() == 8)?;
        Some(if setup.image_byte_order == ImageOrder::LSB_FIRST { byte } else { 3 - byte })
    };
    let mut found = masks.filter(|_| wide).filter_map(|[red, green, blue]| {
        Some(Pixels { red: place(red)?, green: place(green)?, blue: place(blue)? })
    });
    found.next().ok_or_else(|| failed(&"the screen has too few colours"))
}

fn failed(cause: &dyn ToString) -> ScreenError {
    ScreenError::Failed { cause: cause.to_string() }
}
