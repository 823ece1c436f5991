//! A Windows or macOS desktop.

use zeroize::Zeroizing;

use super::ScreenError;
use crate::Frame;

pub(super) fn screens() -> Result<Vec<Frame>, ScreenError> {
    let monitors = xcap::Monitor::all().map_err(|e| failed(&e))?;
    let look = |monitor: &xcap::Monitor| {
        let image = monitor.capture_image().map_err(|e| failed(&e))?;
        let (width, height) = (image.width(), image.height());
        let rgba = Zeroizing::new(image.into_raw());
        Frame::of_rgba(width, height, &rgba).ok_or_else(|| failed(&"too few pixels"))
    };
    let seen = monitors.iter().map(look).collect::<Result<Vec<_>, _>>()?;
    if seen.is_empty() { Err(ScreenError::Unavailable) } else { Ok(seen) }
}

fn failed(cause: &dyn ToString) -> ScreenError {
    ScreenError::Failed { cause: cause.to_string() }
}
