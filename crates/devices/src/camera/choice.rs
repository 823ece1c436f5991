//! Which of a camera's formats to take.

use std::cmp::Reverse;

use nokhwa::utils::{CameraFormat, FrameFormat};

/// The largest picture asked for: finer codes than 1080p shows are held closer.
const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;
/// Below this rate, frames a second, a moving hand is not followed.
const FLUENT: u32 = 10;

/// The largest fluent format up to 1080p; where several are as large, the least work to unpack, then the
/// one nearest to 30 frames a second. Where nothing is fluent or small enough, what comes nearest to it.
pub(super) fn best(formats: &[CameraFormat]) -> Option<CameraFormat> {
    formats.iter().copied().max_by_key(|format| {
        let fits = format.width() <= WIDTH && format.height() <= HEIGHT;
        let pixels = i64::from(format.width()) * i64::from(format.height());
        (
            fits,
            format.frame_rate() >= FLUENT,
            // Of those that are too large, the smallest.
            if fits { pixels } else { -pixels },
            ease(format.format()),
            Reverse(format.frame_rate().abs_diff(30)),
        )
    })
}

fn ease(format: FrameFormat) -> u8 {
    match format {
        FrameFormat::NV12 | FrameFormat::GRAY => 3,
        FrameFormat::YUYV => 2,
        FrameFormat::RAWRGB | FrameFormat::RAWBGR => 1,
        FrameFormat::MJPEG => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(width: u32, height: u32, format: FrameFormat, rate: u32) -> CameraFormat {
        CameraFormat::new_from(width, height, format, rate)
    }

    #[test]
    fn takes_1080p_where_it_is_fluent() {
        let small = format(640, 480, FrameFormat::YUYV, 30);
        let slow = format(1920, 1080, FrameFormat::YUYV, 5);
        let full = format(1920, 1080, FrameFormat::MJPEG, 30);
        let huge = format(3840, 2160, FrameFormat::MJPEG, 30);
        assert_eq!(best(&[small, slow, full, huge]), Some(full));
        assert_eq!(best(&[small, slow]), Some(small));
        assert_eq!(best(&[huge, small]), Some(small));
    }

    #[test]
    fn prefers_what_needs_no_unpacking_and_thirty_frames() {
        let packed = format(1280, 720, FrameFormat::MJPEG, 30);
        let plain = format(1280, 720, FrameFormat::YUYV, 15);
        let fast = format(1280, 720, FrameFormat::YUYV, 60);
        let usual = format(1280, 720, FrameFormat::YUYV, 30);
        assert_eq!(best(&[packed, plain]), Some(plain));
        assert_eq!(best(&[plain, fast, usual]), Some(usual));
    }

    #[test]
    fn takes_what_there_is() {
        let slow = format(1600, 1200, FrameFormat::YUYV, 2);
        let huge = format(3840, 2160, FrameFormat::MJPEG, 30);
        assert_eq!(best(&[huge]), Some(huge));
        assert_eq!(best(&[slow]), Some(slow));
        assert_eq!(best(&[]), None);
    }
}
