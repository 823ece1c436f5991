//! Pictures of the screens.

#[cfg(any(windows, target_os = "macos"))]
mod native;
#[cfg(target_os = "linux")]
mod x11;

#[cfg(any(windows, target_os = "macos"))]
use native as desktop;
#[cfg(target_os = "linux")]
use x11 as desktop;

use crate::Frame;

/// The screens cannot be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    /// The desktop lets no program look at its screens, or there is no desktop.
    #[error("the desktop shows no program its screens")]
    Unavailable,
    /// The user or the system forbids it.
    #[error("the system does not allow the screens to be looked at")]
    Forbidden,
    /// It failed in another way.
    #[error("the screens cannot be looked at: {cause}")]
    Failed {
        /// What the system said.
        cause: String,
    },
}

/// A picture of each screen as it is now.
///
/// # Errors
/// See [`ScreenError`].
pub fn screens() -> Result<Vec<Frame>, ScreenError> {
    desktop::screens()
}
