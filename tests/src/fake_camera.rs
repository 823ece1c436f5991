//! A camera that is not there, for programs that look for one by Video4Linux.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use image::imageops::{self, FilterType};
use image::{GrayImage, Luma};
use tempfile::TempDir;

/// What the camera sees at most, pixels.
const SIGHT: (u32, u32) = (1920, 1080);

/// What may be wrong with a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Another program holds it.
    Busy,
    /// The system forbids its use.
    Forbidden,
    /// It is not there any more.
    Unplugged,
}

/// A camera in a folder of its own: what lies in there is what it sees, in every program that was started
/// with [`FakeCamera::env`], from one frame to the next.
pub struct FakeCamera {
    dir: PathBuf,
    _own: Option<TempDir>,
}

impl FakeCamera {
    /// What programs call it.
    pub const NAME: &str = "Fake camera";

    /// A camera that sees the picture file `picture`, as [`FakeCamera::show`] does.
    pub fn start(picture: &Path) -> Self {
        let own = TempDir::with_prefix("carillon-camera-").unwrap();
        let camera = Self { dir: own.path().to_owned(), _own: Some(own) };
        camera.show(picture);
        camera
    }

    /// The camera of this very program, where it was started with one.
    pub fn inherited() -> Option<Self> {
        std::env::var_os("FAKE_CAMERA").map(|dir| Self { dir: dir.into(), _own: None })
    }

    /// Puts another picture before it: in the middle of 1920 by 1080 pixels on grey, made smaller where it
    /// is larger than that.
    pub fn show(&self, picture: &Path) {
        let seen = image::open(picture).unwrap_or_else(|e| panic!("{}: {e}", picture.display())).into_luma8();
        let (width, height) = SIGHT;
        let seen = if seen.width() > width || seen.height() > height {
            image::DynamicImage::ImageLuma8(seen).resize(width, height, FilterType::Triangle).into_luma8()
        } else {
            seen
        };
        let mut sight = GrayImage::from_pixel(width, height, Luma([160]));
        let (left, top) = ((width - seen.width()) / 2, (height - seen.height()) / 2);
        imageops::replace(&mut sight, &seen, left.into(), top.into());
        let mut file = format!("P5 {width} {height} 255\n").into_bytes();
        file.extend(sight.into_raw());
        self.put("frame.pgm", &file);
    }

    /// Breaks it, or mends it.
    pub fn fail(&self, fault: Option<Fault>) {
        let word = match fault {
            None => "",
            Some(Fault::Busy) => "busy",
            Some(Fault::Forbidden) => "forbidden",
            Some(Fault::Unplugged) => "unplugged",
        };
        self.put("fault", word.as_bytes());
    }

    /// What the environment of a program must hold for it to have this camera.
    pub fn env(&self) -> [(&'static str, String); 2] {
        [("FAKE_CAMERA", self.dir.display().to_string()), ("LD_PRELOAD", library().display().to_string())]
    }

    /// Written beside and renamed over, so that nobody reads half of it.
    fn put(&self, name: &str, bytes: &[u8]) {
        let (part, whole) = (self.dir.join("part"), self.dir.join(name));
        fs::write(&part, bytes).unwrap();
        fs::rename(&part, &whole).unwrap();
    }
}

/// The library that plays the driver, built once.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(|dir| dir.join("tests/fakecam/fakecam.c"))
            .find(|file| file.is_file())
            .expect("its source lies in the workspace");
        let exe = std::env::current_exe().expect("a test knows its own path");
        // target/<profile>/deps/<test> beside target/<profile>/fakecam.so
        let target = exe.ancestors().nth(2).expect("a test lies in deps");
        // Tests of several programs may build it at the same time.
        let part = target.join(format!("fakecam-{}.so", std::process::id()));
        let whole = target.join("fakecam.so");
        let mut cc = Command::new("cc");
        cc.args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o"]);
        cc.arg(&part).arg(source).args(["-ldl", "-lpthread"]);
        let built = cc.output().unwrap_or_else(|e| panic!("cc cannot be started: {e}"));
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        fs::rename(part, &whole).unwrap();
        whole
    })
}
