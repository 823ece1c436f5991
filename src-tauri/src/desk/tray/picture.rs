//! The tray's pictures: one shape for each state, in one colour.

use crate::desk::model::Shape;

/// A picture, red, green, blue and alpha in turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels to a side.
    pub side: u32,
    /// Four bytes each.
    pub rgba: Vec<u8>,
}

const OFFLINE: &[u8] = include_bytes!("../../../icons/tray-offline.png");
const REGISTERED: &[u8] = include_bytes!("../../../icons/tray-registered.png");
const RINGING: &[u8] = include_bytes!("../../../icons/tray-ringing.png");
const IN_CALL: &[u8] = include_bytes!("../../../icons/tray-in-call.png");
const MUTED: &[u8] = include_bytes!("../../../icons/tray-muted.png");

/// The picture of a state, white for a dark tray or black for a light one. None where it cannot be read.
pub fn picture(shape: Shape, white: bool) -> Option<Picture> {
    let png = match shape {
        Shape::Offline => OFFLINE,
        Shape::Registered => REGISTERED,
        Shape::Ringing => RINGING,
        Shape::InCall => IN_CALL,
        Shape::Muted => MUTED,
    };
    let mut picture = image::load_from_memory(png).ok()?.to_rgba8();
    // The shape is in the alpha alone.
    let ink = if white { 0xff } else { 0 };
    picture.pixels_mut().for_each(|pixel| pixel.0 = [ink, ink, ink, pixel.0[3]]);
    Some(Picture { side: picture.width(), rgba: picture.into_raw() })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_state_has_a_shape_of_its_own() {
        let shapes = [Shape::Offline, Shape::Registered, Shape::Ringing, Shape::InCall, Shape::Muted];
        let seen: HashSet<Vec<u8>> = shapes
            .into_iter()
            .map(|shape| {
                let picture = picture(shape, true).unwrap();
                assert_eq!(picture.rgba.len(), 4 * 64 * 64);
                assert_eq!(picture.side, 64);
                picture.rgba.iter().skip(3).step_by(4).copied().collect()
            })
            .collect();
        assert_eq!(seen.len(), shapes.len());
    }
}
