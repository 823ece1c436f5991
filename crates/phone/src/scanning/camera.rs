//! The camera's thread: a frame is shown, looked at and forgotten, the newest first.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use devices::{CameraError, Eye, Frame, PictureEye, SystemClock};
use secrecy::{ExposeSecret, SecretString};
use sign_in::qr::{Luma, Reader};

use super::{Look, Seen, still};
use crate::actor::Input;
use crate::outlet::Outlet;
use crate::words::of_camera_error;
use crate::{CameraView, Event};

/// Between two previews.
const PREVIEW: Duration = Duration::from_millis(80);
/// Width of a preview, pixels.
const PREVIEW_WIDTH: u32 = 480;
/// How long a picture file is seen, as fast as a camera gives frames.
const EACH: Duration = Duration::from_millis(66);
/// How long to wait for a frame before it is asked whether anybody still wants one.
const WAIT: Duration = Duration::from_millis(200);

/// Where frames come from.
#[derive(Debug, Clone)]
pub enum Eyes {
    /// The cameras of this machine.
    System,
    /// Picture files, one after the other, in place of a camera.
    Pictures(Vec<PathBuf>),
}

impl Eyes {
    fn cameras(&self) -> Result<Vec<CameraView>, CameraError> {
        match self {
            Self::System => {
                let found = devices::cameras()?;
                Ok(found.into_iter().map(|camera| CameraView { id: camera.id, name: camera.name }).collect())
            }
            Self::Pictures(_) => Ok(vec![CameraView { id: "pictures".into(), name: "Pictures".into() }]),
        }
    }

    fn open(&self, id: &str) -> Result<Box<dyn Eye>, CameraError> {
        match self {
            Self::System => devices::open_camera(id),
            Self::Pictures(files) => Ok(Box::new(PictureEye::open(files, EACH, SystemClock)?)),
        }
    }
}

/// The code that was followed last. It is followed once for as long as the page is open: where it leads nowhere,
/// the PBX is not asked again and again.
#[derive(Clone, Default)]
pub(super) struct Followed(Arc<Mutex<Vec<SecretString>>>);

impl Followed {
    fn texts(&self) -> MutexGuard<'_, Vec<SecretString>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds(&self, text: &SecretString) -> bool {
        self.texts().iter().any(|known| known.expose_secret() == text.expose_secret())
    }
}

/// Whose turn it is to hold a camera: the next to look waits until the one before has let go of it.
pub(super) type Turn = Arc<Mutex<()>>;

/// Looks until a sign-in code is found, the camera fails or nobody wants to look any more.
pub(super) fn look(
    eyes: &Eyes,
    wanted: Option<String>,
    followed: &Followed,
    turn: &Turn,
    stop: &Arc<AtomicBool>,
    look: Look,
    outlet: &Outlet,
) {
    let tell = |seen| outlet.put(Input::Seen(look, seen));
    let looked = || -> Result<(), CameraError> {
        // Declared before the camera, so that it is given on after the camera is let go of.
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let cameras = eyes.cameras()?;
        tell(Seen::Cameras(cameras.clone()));
        let chosen = cameras.iter().find(|camera| Some(&camera.id) == wanted.as_ref()).or(cameras.first());
        let id = chosen.ok_or(CameraError::None)?.id.clone();
        tell(Seen::Opening(id.clone()));
        let mut eye = eyes.open(&id)?;
        tell(Seen::Looking(id));
        let mut reader = Reader::new();
        let (mut shown, mut other) = (None::<Instant>, None);
        while !stop.load(Ordering::Relaxed) {
            let Some(frame) = eye.latest(WAIT)? else { continue };
            if shown.is_none_or(|last| last.elapsed() >= PREVIEW) {
                shown = Some(Instant::now());
                preview(&frame, outlet);
            }
            let texts = reader.read(luma(&frame));
            if texts.iter().any(|text| followed.holds(text)) {
                continue;
            }
            match still::judge(&texts) {
                Some(found @ Seen::Found(_)) => {
                    *followed.texts() = texts;
                    // Whoever follows the code may want to look again at once.
                    drop(eye);
                    tell(found);
                    return Ok(());
                }
                // A code that stays in view is complained about once.
                Some(Seen::Other(problem)) if other.as_ref() != Some(&problem) => {
                    tell(Seen::Other(problem.clone()));
                    other = Some(problem);
                }
                _ => {}
            }
        }
        Ok(())
    };
    if let Err(error) = looked() {
        tell(Seen::Failed(of_camera_error(&error)));
    }
}

/// The grey picture of a frame.
pub(super) fn luma(frame: &Frame) -> Luma<'_> {
    Luma { width: frame.width, height: frame.height, stride: frame.width, pixels: &frame.luma }
}

fn preview(frame: &Frame, outlet: &Outlet) {
    let jpeg = devices::preview_jpeg(frame, PREVIEW_WIDTH);
    let picture = format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(jpeg));
    outlet.tell(Event::Preview { picture });
}
