//! The system's cameras, through `nokhwa`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nokhwa::utils::{ApiBackend, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType};
use nokhwa::{Camera, NokhwaError};

use super::frame::Packed;
use super::{CameraError, CameraInfo, Eye, Frame, choice};

/// How long a camera may take to be opened.
const OPENING: Duration = Duration::from_secs(10);
/// How long the user may take to allow it, where the system asks.
const ALLOWING: Duration = Duration::from_secs(60);
/// How long an eye that closes waits for the camera to be let go.
const CLOSING: Duration = Duration::from_millis(500);

/// What a frame may be packed into.
const PACKINGS: &[FrameFormat] = &[
    FrameFormat::YUYV,
    FrameFormat::NV12,
    FrameFormat::MJPEG,
    FrameFormat::GRAY,
    FrameFormat::RAWRGB,
    FrameFormat::RAWBGR,
];

pub(super) fn cameras() -> Result<Vec<CameraInfo>, CameraError> {
    let mut found = nokhwa::query(ApiBackend::Auto).map_err(told)?;
    found.sort_by_key(|camera| camera.index().as_string());
    let cameras = found.iter().filter(|camera| can_capture(camera.index()));
    Ok(cameras
        .map(|camera| CameraInfo { id: camera.index().as_string(), name: camera.human_name() })
        .collect())
}

/// On Linux one camera has several nodes, and only one of them gives pictures.
fn can_capture(index: &CameraIndex) -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    match Camera::new(index.clone(), any_format()) {
        Ok(_) => true,
        Err(why) => matches!(told(why), CameraError::Busy | CameraError::Forbidden),
    }
}

fn any_format() -> RequestedFormat<'static> {
    RequestedFormat::with_formats(RequestedFormatType::None, PACKINGS)
}

/// Looks through a camera that a thread of its own reads.
pub(super) struct SystemEye {
    view: Arc<View>,
    let_go: Receiver<()>,
}

/// What the thread saw last.
#[derive(Default)]
struct View {
    seen: Mutex<Seen>,
    changed: Condvar,
    closed: AtomicBool,
}

#[derive(Default)]
struct Seen {
    newest: Option<Arc<Frame>>,
    failed: Option<CameraError>,
}

impl SystemEye {
    pub(super) fn open(id: &str) -> Result<Self, CameraError> {
        allowed()?;
        let index = id.parse().map_or_else(|_| CameraIndex::String(id.to_owned()), CameraIndex::Index);
        let view = Arc::new(View::default());
        let (answer, opened) = mpsc::sync_channel(1);
        let (letting_go, let_go) = mpsc::sync_channel(1);
        let watched = Arc::clone(&view);
        thread::Builder::new()
            .name("camera".to_owned())
            .spawn(move || watch(index, Ending(watched), &answer, letting_go))
            .map_err(|e| CameraError::Failed { cause: e.to_string() })?;
        let eye = Self { view, let_go };
        match opened.recv_timeout(OPENING) {
            Ok(Ok(())) => Ok(eye),
            Ok(Err(why)) => Err(why),
            Err(_) => Err(CameraError::Failed { cause: "it does not answer".to_owned() }),
        }
    }
}

impl Eye for SystemEye {
    fn latest(&mut self, wait: Duration) -> Result<Option<Arc<Frame>>, CameraError> {
        let deadline = Instant::now() + wait;
        let mut seen = self.view.seen();
        loop {
            if let Some(frame) = seen.newest.take() {
                return Ok(Some(frame));
            }
            if let Some(why) = &seen.failed {
                return Err(why.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let waited = self.view.changed.wait_timeout(seen, left);
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for SystemEye {
    fn drop(&mut self) {
        self.view.closed.store(true, Ordering::Relaxed);
        // So that the camera can be opened again at once. A camera that hangs is left to its thread.
        let _ = self.let_go.recv_timeout(CLOSING);
    }
}

impl View {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, why: CameraError) {
        self.seen().failed.get_or_insert(why);
        self.changed.notify_all();
    }
}

/// Tells whoever looks that nobody watches any more, should the camera's driver panic.
struct Ending(Arc<View>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.fail(CameraError::Failed { cause: "its driver gave up".to_owned() });
    }
}

/// Reads the camera until nobody looks or it fails. `_letting_go` is dropped after the camera.
fn watch(
    index: CameraIndex,
    view: Ending,
    answer: &SyncSender<Result<(), CameraError>>,
    _letting_go: SyncSender<()>,
) {
    let view = &view.0;
    let mut camera = match opened(index) {
        Ok(camera) => camera,
        Err(why) => {
            let _ = answer.send(Err(told(why)));
            return;
        }
    };
    while !view.closed.load(Ordering::Relaxed) {
        let buffer = match camera.frame() {
            Ok(buffer) => buffer,
            Err(why) => {
                let why = told(why);
                view.fail(why.clone());
                let _ = answer.try_send(Err(why));
                break;
            }
        };
        let (size, packed) = (buffer.resolution(), packed(buffer.source_frame_format()));
        // A frame that was cut short on its way is left out.
        if let Some(frame) = Frame::unpacked(size.width(), size.height(), packed, buffer.buffer()) {
            view.seen().newest = Some(Arc::new(frame));
            view.changed.notify_all();
            // Whether a camera is free shows with its first frame; later answers find nobody.
            let _ = answer.try_send(Ok(()));
        }
    }
}

fn opened(index: CameraIndex) -> Result<Camera, NokhwaError> {
    let mut camera = Camera::new(index, any_format())?;
    let formats = camera.compatible_camera_formats()?;
    if let Some(best) = choice::best(&formats).filter(|best| *best != camera.camera_format()) {
        let wanted = RequestedFormatType::Exact(best);
        camera.set_camera_requset(RequestedFormat::with_formats(wanted, PACKINGS))?;
    }
    camera.open_stream()?;
    Ok(camera)
}

/// Waits for the user to allow the camera where the system asks, which is on macOS.
fn allowed() -> Result<(), CameraError> {
    if nokhwa::nokhwa_check() {
        return Ok(());
    }
    let (answer, allowed) = mpsc::sync_channel(1);
    nokhwa::nokhwa_initialize(move |yes| {
        let _ = answer.try_send(yes);
    });
    match allowed.recv_timeout(ALLOWING) {
        Ok(true) => Ok(()),
        _ => Err(CameraError::Forbidden),
    }
}

fn packed(format: FrameFormat) -> Packed {
    match format {
        FrameFormat::YUYV => Packed::Yuyv,
        FrameFormat::NV12 => Packed::Nv12,
        FrameFormat::GRAY => Packed::Grey,
        FrameFormat::RAWRGB => Packed::Rgb,
        FrameFormat::RAWBGR => Packed::Bgr,
        FrameFormat::MJPEG => Packed::Jpeg,
    }
}

/// `nokhwa` hands the system's error on as a text that ends in its number: errno on Linux, HRESULT on
/// Windows.
fn told(why: NokhwaError) -> CameraError {
    let cause = why.to_string();
    let said = cause.to_ascii_uppercase();
    let is = |numbers: &[&str]| numbers.iter().any(|number| said.contains(number));
    // EBUSY; MF_E_HW_MFT_FAILED_START_STREAMING, MF_E_VIDEO_RECORDING_DEVICE_PREEMPTED
    if is(&["(OS ERROR 16)", "0XC00D3704", "0XC00D3EA3"]) {
        CameraError::Busy
    // EPERM, EACCES; E_ACCESSDENIED
    } else if is(&["(OS ERROR 1)", "(OS ERROR 13)", "0X80070005"]) {
        CameraError::Forbidden
    // ENOENT, ENXIO, ENODEV; MF_E_VIDEO_RECORDING_DEVICE_INVALIDATED
    } else if is(&["(OS ERROR 2)", "(OS ERROR 6)", "(OS ERROR 19)", "0XC00D3EA2"]) {
        CameraError::Unplugged
    } else {
        CameraError::Failed { cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_numbers_are_understood() {
        let open = |said: &str| told(NokhwaError::OpenDeviceError("0".to_owned(), said.to_owned()));
        assert_eq!(open("V4L2 Error: Device or resource busy (os error 16)"), CameraError::Busy);
        assert_eq!(open("V4L2 Error: Permission denied (os error 13)"), CameraError::Forbidden);
        assert_eq!(open("V4L2 Error: No such file or directory (os error 2)"), CameraError::Unplugged);
        assert_eq!(open("The device is gone. (0xC00D3EA2)"), CameraError::Unplugged);
        assert!(matches!(open("Invalid argument (os error 22)"), CameraError::Failed { .. }));
    }
}
