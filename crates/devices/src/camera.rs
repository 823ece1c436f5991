//! Cameras, and a fake one made of picture files.

mod choice;
mod frame;
mod pictures;
mod system;

use std::sync::Arc;
use std::time::Duration;

pub use frame::{Frame, preview_jpeg};
pub use pictures::PictureEye;

/// A camera of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraInfo {
    /// Opens it, as long as it stays plugged in.
    pub id: String,
    /// What its maker calls it.
    pub name: String,
}

/// A camera gives no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CameraError {
    /// This computer has no camera.
    #[error("no camera was found")]
    None,
    /// Another program holds it.
    #[error("the camera is in use by another program")]
    Busy,
    /// The system forbids this program to use it.
    #[error("the system does not allow the use of the camera")]
    Forbidden,
    /// It is not there any more.
    #[error("the camera was unplugged")]
    Unplugged,
    /// It failed in another way.
    #[error("the camera failed: {cause}")]
    Failed {
        /// What it or the system said.
        cause: String,
    },
}

/// What looks through a camera. Dropping it lets go of the camera.
pub trait Eye: Send {
    /// The newest frame not given yet; waits for it at most `wait`. Frames that nobody asked for in time
    /// are left out.
    ///
    /// # Errors
    /// The camera gives no frames any more, and never will through this eye.
    fn latest(&mut self, wait: Duration) -> Result<Option<Arc<Frame>>, CameraError>;
}

/// The cameras of this computer that can take pictures, in the system's order. A camera that is in use or
/// forbidden is listed. Blocks while they are asked, a second at worst.
///
/// # Errors
/// [`CameraError::None`] where there is none; [`CameraError::Failed`] where the system cannot be asked.
pub fn cameras() -> Result<Vec<CameraInfo>, CameraError> {
    let found = system::cameras()?;
    if found.is_empty() { Err(CameraError::None) } else { Ok(found) }
}

/// Opens a camera at 1080p where it has that, else at the next smaller size. It works on a thread of its
/// own. Blocks while it is opened, seconds at worst, and longer where the system asks its user first.
///
/// # Errors
/// See [`CameraError`]; [`CameraError::Unplugged`] for an id that is not there (any more).
pub fn open_camera(id: &str) -> Result<Box<dyn Eye>, CameraError> {
    Ok(Box::new(system::SystemEye::open(id)?))
}
