use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::{CameraError, Eye, Frame};
use crate::Clock;

/// A camera that sees picture files, one after the other and again from the first, on a paced clock.
pub struct PictureEye<C> {
    frames: Vec<Arc<Frame>>,
    every: Duration,
    clock: C,
    start: Instant,
    given: Option<u32>,
}

impl<C: Clock> PictureEye<C> {
    /// Sees `files` (PNG, JPEG, GIF, WebP, BMP) for `every` each, the first one at once.
    ///
    /// # Errors
    /// [`CameraError::None`] without files, [`CameraError::Failed`] for one that is no picture.
    pub fn open(files: &[PathBuf], every: Duration, clock: C) -> Result<Self, CameraError> {
        let read = |file: &PathBuf| {
            let failed =
                |cause: String| CameraError::Failed { cause: format!("{}: {cause}", file.display()) };
            let bytes = fs::read(file).map_err(|e| failed(e.to_string()))?;
            Frame::of_picture(&bytes, None).map(Arc::new).ok_or_else(|| failed("no picture".to_owned()))
        };
        let frames = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if frames.is_empty() || every.is_zero() {
            return Err(CameraError::None);
        }
        let start = clock.now();
        Ok(Self { frames, every, clock, start, given: None })
    }
}

impl<C: Clock> Eye for PictureEye<C> {
    fn latest(&mut self, wait: Duration) -> Result<Option<Arc<Frame>>, CameraError> {
        let due = self.start + self.every * self.given.map_or(0, |given| given + 1);
        let until = due.saturating_duration_since(self.clock.now());
        thread::sleep(until.min(wait));
        let now = self.clock.now();
        if now < due {
            return Ok(None);
        }
        let passed = now.saturating_duration_since(self.start).as_nanos() / self.every.as_nanos();
        let current = u32::try_from(passed).unwrap_or(u32::MAX);
        self.given = Some(current);
        let index = usize::try_from(current).unwrap_or(0) % self.frames.len();
        Ok(self.frames.get(index).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HandClock;

    #[test]
    fn pictures_come_in_time_and_late_ones_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let files: Vec<PathBuf> = [10_u8, 20, 30]
            .map(|level| {
                let path = dir.path().join(format!("{level}.png"));
                image::GrayImage::from_pixel(2, 2, image::Luma([level])).save(&path).unwrap();
                path
            })
            .to_vec();
        let clock = HandClock::new();
        let every = Duration::from_millis(100);
        let mut eye = PictureEye::open(&files, every, clock.clone()).unwrap();
        let mut level = || eye.latest(Duration::ZERO).unwrap().map(|frame| frame.luma[0]);
        assert_eq!(level(), Some(10));
        assert_eq!(level(), None);
        clock.advance(every);
        assert_eq!(level(), Some(20));
        clock.advance(every * 2);
        assert_eq!(level(), Some(10), "30 was there for a while that nobody looked");
        assert_eq!(level(), None);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("words.png");
        fs::write(&path, "words").unwrap();
        let open = |files: &[PathBuf]| PictureEye::open(files, Duration::from_millis(1), HandClock::new());
        assert_eq!(open(&[]).err(), Some(CameraError::None));
        assert!(matches!(open(&[path]).err(), Some(CameraError::Failed { .. })));
    }
}
