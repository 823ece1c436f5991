//! Single pixels of a display, looked at often.

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, ImageFormat, Window};
use x11rb::rust_connection::RustConnection;

use crate::Session;

/// The display of a session.
pub struct Screen {
    display: RustConnection,
    root: Window,
}

impl Screen {
    /// Connects to it.
    pub fn of(session: &Session) -> Self {
        let (display, screen) = RustConnection::connect(Some(session.display()))
            .unwrap_or_else(|e| panic!("no display {}: {e}", session.display()));
        let root = display.setup().roots[screen].root;
        Self { display, root }
    }

    /// Whether what is painted there has a colour, such as a green or red button.
    pub fn is_coloured(&self, (x, y): (i32, i32)) -> bool {
        let (x, y) = (i16::try_from(x).unwrap(), i16::try_from(y).unwrap());
        let asked = self.display.get_image(ImageFormat::Z_PIXMAP, self.root, x, y, 1, 1, u32::MAX);
        let pixel = asked.unwrap().reply().unwrap_or_else(|e| panic!("no pixel at {x},{y}: {e}")).data;
        // Blue, green, red, and a byte that means nothing.
        let (least, most) = (pixel[..3].iter().min(), pixel[..3].iter().max());
        least.zip(most).is_some_and(|(least, most)| most - least > 60)
    }
}
