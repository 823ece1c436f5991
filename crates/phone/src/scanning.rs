//! Looking for a sign-in QR code: through a camera, in a picture, in the clipboard, on the screen.
//!
//! What is seen is shown, looked at and forgotten. The camera has a thread of its own for as long as the page
//! is open.

mod camera;
mod facts;
mod still;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::SecretString;
use sign_in::SignInCode;

pub use self::camera::Eyes;
use self::camera::{Followed, Turn};
pub use self::facts::{CodeFacts, code_in};
use crate::actor::Input;
use crate::outlet::Outlet;
use crate::{CameraState, CameraView, Code, Problem, ScanView};

/// What a source of pictures says.
pub(crate) enum Seen {
    /// The cameras there are.
    Cameras(Vec<CameraView>),
    /// This one is being opened.
    Opening(String),
    /// This one is looked through.
    Looking(String),
    /// The camera cannot be used, or no longer.
    Failed(Problem),
    /// A sign-in code.
    Found(Box<SignInCode>),
    /// Something else, or nothing.
    Other(Problem),
}

/// Names what was begun: the page, or one camera on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look(u64);

/// The page on which a code is looked for.
pub(crate) struct Scanning {
    eyes: Eyes,
    outlet: Outlet,
    page: Option<Page>,
    followed: Followed,
    turn: Turn,
    looks: u64,
}

struct Page {
    view: ScanView,
    look: Look,
    camera: Camera,
}

/// A camera's thread, which ends with this.
struct Camera {
    look: Look,
    stop: Arc<AtomicBool>,
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Scanning {
    /// Not looking yet.
    pub(crate) fn new(eyes: Eyes, outlet: Outlet) -> Self {
        Self { eyes, outlet, page: None, followed: Followed::default(), turn: Turn::default(), looks: 0 }
    }

    /// What to show, while the page is open.
    pub(crate) fn view(&self) -> Option<&ScanView> {
        self.page.as_ref().map(|page| &page.view)
    }

    /// The camera that is looked through.
    pub(crate) fn camera_in_use(&self) -> Option<&str> {
        let view = self.view()?;
        view.camera.as_deref().filter(|_| view.state == CameraState::Looking)
    }

    /// Opens the page, unless it is open, and begins with the camera named.
    pub(crate) fn open(&mut self, camera: Option<String>) {
        if self.page.is_some() {
            return;
        }
        let look = self.next_look();
        let view = ScanView {
            cameras: Vec::new(),
            camera: camera.clone(),
            state: CameraState::Starting,
            problem: None,
        };
        let camera = self.start(camera);
        self.page = Some(Page { view, look, camera });
    }

    /// Closes the camera while a code is followed.
    pub(crate) fn rest(&mut self) {
        self.page = None;
    }

    /// Closes the page and the camera.
    pub(crate) fn close(&mut self) {
        self.page = None;
        self.followed = Followed::default();
    }

    /// Looks through another camera, or through the same once more.
    ///
    /// # Errors
    /// The page is not open.
    pub(crate) fn use_camera(&mut self, camera: Option<String>) -> Result<(), Code> {
        if self.page.is_none() {
            return Err(Code::NotNow);
        }
        self.followed = Followed::default();
        let started = self.start(camera.clone());
        if let Some(page) = &mut self.page {
            (page.view.state, page.view.camera) = (CameraState::Starting, camera);
            page.camera = started;
        }
        Ok(())
    }

    /// Looks for a code in a picture file, base64.
    pub(crate) fn read_picture(&mut self, picture: SecretString) -> Result<(), Code> {
        self.read(move || still::file(&picture))
    }

    /// Looks for a code in the clipboard.
    pub(crate) fn read_clipboard(&mut self) -> Result<(), Code> {
        self.read(still::clipboard)
    }

    /// Looks for a code on the screen.
    pub(crate) fn read_screen(&mut self) -> Result<(), Code> {
        self.read(still::screen)
    }

    /// Takes what was seen; a sign-in code is handed on, what is late is forgotten.
    pub(crate) fn take(&mut self, look: Look, seen: Seen) -> Option<SignInCode> {
        let page = self.page.as_mut().filter(|page| page.look == look || page.camera.look == look)?;
        let view = &mut page.view;
        match seen {
            Seen::Cameras(cameras) => view.cameras = cameras,
            Seen::Opening(camera) => view.camera = Some(camera),
            Seen::Looking(camera) => {
                (view.state, view.camera) = (CameraState::Looking, Some(camera));
            }
            Seen::Failed(problem) => view.state = CameraState::Failed { problem },
            Seen::Other(problem) => view.problem = Some(problem),
            Seen::Found(code) => return Some(*code),
        }
        None
    }

    fn start(&mut self, wanted: Option<String>) -> Camera {
        let (look, stop) = (self.next_look(), Arc::new(AtomicBool::new(false)));
        let (eyes, outlet, stopped) = (self.eyes.clone(), self.outlet.clone(), Arc::clone(&stop));
        let (followed, turn) = (self.followed.clone(), Arc::clone(&self.turn));
        let thread = std::thread::Builder::new().name("camera".into());
        let spawned =
            thread.spawn(move || camera::look(&eyes, wanted, &followed, &turn, &stopped, look, &outlet));
        if let Err(error) = spawned {
            let failed = Seen::Failed(Problem::new(Code::CameraFailed, error.to_string()));
            self.outlet.put(Input::Seen(look, failed));
        }
        Camera { look, stop }
    }

    fn read(&mut self, read: impl FnOnce() -> Seen + Send + 'static) -> Result<(), Code> {
        let page = self.page.as_mut().ok_or(Code::NotNow)?;
        page.view.problem = None;
        let look = page.look;
        self.outlet.blocking(move || Input::Seen(look, read()));
        Ok(())
    }

    fn next_look(&mut self) -> Look {
        self.looks += 1;
        Look(self.looks)
    }
}
