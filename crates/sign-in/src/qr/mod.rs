//! Reading QR codes out of pictures. Pure: no camera, no file, no clock.
//!
//! A QR code that signs in is a credential: every copy of a picture made in here is zeroed when it is
//! dropped, and what is found comes out as a [`SecretString`].

mod decoders;
mod grey;
mod marks;
mod picture;
mod plan;

use secrecy::{ExposeSecret, SecretString};

use grey::Grey;
pub use picture::{LumaImage, PictureUnreadable, picture};
use plan::{ATTEMPTS, Crowd, STILL_ONLY};

/// What one camera frame may cost, as `Attempt::cost` counts it: some 50 ms on a slow computer.
const FRAME_BUDGET: u64 = 1_600_000;
/// Pixels beyond which a camera frame is halved before anything else: a little more than 1080p.
const FRAME_PIXELS: usize = 2_200_000;
/// How many texts a reader remembers, so as to tell each once.
const REMEMBERED: usize = 16;

/// A grey picture: rows of `width` bytes, each row beginning `stride` bytes after the one before.
#[derive(Clone, Copy)]
pub struct Luma<'a> {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from the beginning of a row to that of the next.
    pub stride: u32,
    /// 0 is black, 255 white.
    pub pixels: &'a [u8],
}

/// Reads QR codes out of the frames of a camera, or out of one still picture.
///
/// There are many ways to look at a frame, and only time for a few of them before the next one comes. The
/// reader tries some on each frame and goes on with the others on the next; a way that found a code is
/// the first one tried on the frame after.
#[derive(Default)]
pub struct Reader {
    next: usize,
    told: Vec<SecretString>,
}

impl Reader {
    /// A reader that has told nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for codes in one frame of a camera and gives the texts not told before. Looks at a bounded
    /// number of pixels, whatever the size of the frame. A frame whose sizes contradict its bytes is
    /// taken for empty.
    pub fn read(&mut self, frame: Luma<'_>) -> Vec<SecretString> {
        let Some(mut grey) = Grey::of(frame) else { return Vec::new() };
        while grey.len() > FRAME_PIXELS {
            grey = grey.halved();
        }
        let crowd = Crowd::of(&grey);
        let mut left = FRAME_BUDGET;
        for tried in 0..ATTEMPTS.len() {
            let Some(attempt) = ATTEMPTS.get(self.next) else { break };
            if !attempt.bears(crowd) {
                self.next = (self.next + 1) % ATTEMPTS.len();
                continue;
            }
            let cost = attempt.cost(&grey);
            if tried > 0 && cost > left {
                break;
            }
            left = left.saturating_sub(cost);
            let found = attempt.run(&grey);
            if !found.is_empty() {
                return self.tell(found);
            }
            self.next = (self.next + 1) % ATTEMPTS.len();
        }
        Vec::new()
    }

    /// Looks for codes in a still picture until one way has found some, and gives the texts not told
    /// before. May take seconds for a large picture without a code.
    pub fn read_still(&mut self, picture: Luma<'_>) -> Vec<SecretString> {
        let Some(grey) = Grey::of(picture) else { return Vec::new() };
        let mut sizes = vec![grey];
        // A photograph has more pixels than a code needs, and more noise.
        while let Some(half) = sizes.last().filter(|g| g.len() > FRAME_PIXELS).map(Grey::halved) {
            sizes.push(half);
        }
        let found = sizes.iter().rev().find_map(|grey| {
            let crowd = Crowd::of(grey);
            let mut attempts = ATTEMPTS.iter().chain(STILL_ONLY).filter(|attempt| attempt.bears(crowd));
            attempts.find_map(|attempt| {
                let found = attempt.run(grey);
                (!found.is_empty()).then_some(found)
            })
        });
        found.map(|found| self.tell(found)).unwrap_or_default()
    }

    fn tell(&mut self, found: Vec<SecretString>) -> Vec<SecretString> {
        let mut new = Vec::new();
        for text in found {
            if self.told.iter().any(|t| t.expose_secret() == text.expose_secret()) {
                continue;
            }
            if self.told.len() == REMEMBERED {
                self.told.remove(0);
            }
            self.told.push(text.clone());
            new.push(text);
        }
        new
    }
}

#[cfg(test)]
mod tests;
