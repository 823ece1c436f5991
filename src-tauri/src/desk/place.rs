//! Where windows stand: pure geometry, in physical pixels.

use serde::{Deserialize, Serialize};

/// A rectangle on the desktop of all monitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Width.
    pub width: i32,
    /// Height.
    pub height: i32,
}

/// A monitor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Screen {
    /// What of it no panel covers.
    pub free: Area,
    /// Physical pixels for each logical one.
    pub scale: f64,
}

/// Logical pixels between a small window and the edges of the screen, and between two of them.
const MARGIN: f64 = 16.0;
/// How much of a window has to be seen for it to be found, logical pixels.
const FOUND: f64 = 64.0;

/// Upper left corner of a small window at the lower right of a screen, above others of these logical heights.
pub fn corner(screen: &Screen, (width, height): (f64, f64), below: f64) -> (i32, i32) {
    let Screen { free, scale } = screen;
    let lift = if below > 0.0 { below + MARGIN } else { 0.0 };
    let x = free.x + free.width - pixels(scale * (width + MARGIN));
    let y = free.y + free.height - pixels(scale * (height + lift + MARGIN));
    // A screen smaller than the window shows its beginning.
    (x.max(free.x), y.max(free.y))
}

/// Whether a window that stood here is still found: enough of its upper edge lies on one of the screens.
pub fn is_found(window: &Area, screens: &[Screen]) -> bool {
    screens.iter().any(|Screen { free, scale }| {
        let least = pixels(scale * FOUND);
        let across = (window.x + window.width).min(free.x + free.width) - window.x.max(free.x);
        let down = free.y + free.height - window.y;
        across >= least.min(window.width) && down >= least && window.y >= free.y - 1
    })
}

#[allow(clippy::cast_possible_truncation)]
fn pixels(exact: f64) -> i32 {
    // A screen has some thousands of them.
    exact.round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(x: i32, scale: f64) -> Screen {
        Screen { free: Area { x, y: 24, width: 1920, height: 1056 }, scale }
    }

    #[test]
    fn a_small_window_stands_in_the_corner_of_its_screen() {
        assert_eq!(corner(&screen(0, 1.0), (360.0, 140.0), 0.0), (1544, 924));
        assert_eq!(corner(&screen(1920, 1.0), (360.0, 140.0), 0.0), (3464, 924));
        assert_eq!(corner(&screen(0, 2.0), (360.0, 140.0), 0.0), (1168, 768), "twice as large");
        assert_eq!(corner(&screen(0, 1.0), (360.0, 140.0), 124.0), (1544, 784), "above the other one");
    }

    #[test]
    fn a_screen_that_is_too_small_shows_its_beginning() {
        let tiny = Screen { free: Area { x: 0, y: 0, width: 300, height: 100 }, scale: 1.0 };
        assert_eq!(corner(&tiny, (360.0, 140.0), 0.0), (0, 0));
    }

    #[test]
    fn a_window_is_found_where_its_title_can_be_seized() {
        let screens = [screen(0, 1.0), screen(1920, 1.0)];
        let at = |x, y| Area { x, y, width: 1100, height: 720 };
        assert!(is_found(&at(100, 100), &screens));
        assert!(is_found(&at(-1000, 100), &screens), "its right edge is seen");
        assert!(is_found(&at(3000, 800), &screens));
        for gone in [at(4000, 100), at(-1090, 100), at(100, 1070), at(100, -700)] {
            assert!(!is_found(&gone, &screens), "{gone:?}");
        }
        assert!(!is_found(&at(2500, 100), &screens[..1]), "its monitor was taken away");
    }
}
