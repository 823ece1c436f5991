//! Cameras as the system has them: `nokhwa` before a Video4Linux device that a preloaded library plays.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/src/fake_camera.rs"]
#[allow(unreachable_pub)]
mod fake_camera;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use devices::{CameraError, Eye, cameras, open_camera, preview_jpeg};
use fake_camera::{FakeCamera, Fault};

const SOON: Duration = Duration::from_secs(20);

/// Runs `test` in a process of its own that has a camera which sees `picture.png` of `dir`.
fn before_a_camera(name: &str, test: fn(&FakeCamera, &Path)) {
    if let Some(camera) = FakeCamera::inherited() {
        return test(&camera, &PathBuf::from(std::env::var_os("PICTURES").unwrap()));
    }
    let pictures = tempfile::tempdir().unwrap();
    let [dark, light] = ["dark.png", "light.png"].map(|file| pictures.path().join(file));
    image::GrayImage::from_pixel(1920, 1080, image::Luma([40])).save(&dark).unwrap();
    image::GrayImage::from_pixel(1920, 1080, image::Luma([220])).save(&light).unwrap();
    let camera = FakeCamera::start(&dark);
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([name, "--exact", "--nocapture"]).envs(camera.env()).env("PICTURES", pictures.path());
    let said = child.output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{text}{}", String::from_utf8_lossy(&said.stderr));
    assert!(text.contains("1 passed"), "{text}");
}

/// Looks until a frame of this grey comes.
fn wait_for(eye: &mut dyn Eye, level: u8) {
    let deadline = Instant::now() + SOON;
    while Instant::now() < deadline {
        let frame = eye.latest(SOON).unwrap().expect("frames come");
        assert_eq!((frame.width, frame.height, frame.luma.len()), (1920, 1080, 1920 * 1080));
        if frame.luma.iter().all(|pixel| *pixel == level) {
            let preview = image::load_from_memory(&preview_jpeg(&frame, 320)).unwrap();
            assert_eq!((preview.width(), preview.height()), (320, 180));
            return;
        }
    }
    panic!("the camera does not see {level}");
}

#[test]
fn it_is_found_and_shows_what_is_before_it_at_1080p() {
    before_a_camera("it_is_found_and_shows_what_is_before_it_at_1080p", |camera, pictures| {
        let found = cameras().unwrap();
        let [only] = &found[..] else { panic!("{found:?}") };
        assert_eq!(only.name, FakeCamera::NAME);
        let mut eye = open_camera(&only.id).unwrap();
        wait_for(&mut *eye, 40);
        camera.show(&pictures.join("light.png"));
        wait_for(&mut *eye, 220);
        // It is let go when nobody looks any more.
        drop(eye);
        camera.show(&pictures.join("dark.png"));
        wait_for(&mut *open_camera(&only.id).unwrap(), 40);
    });
}

#[test]
fn one_that_another_program_holds_is_listed_and_busy() {
    before_a_camera("one_that_another_program_holds_is_listed_and_busy", |camera, _| {
        let id = cameras().unwrap().remove(0).id;
        camera.fail(Some(Fault::Busy));
        assert_eq!(cameras().unwrap()[0].id, id);
        assert_eq!(open_camera(&id).err(), Some(CameraError::Busy));
        camera.fail(None);
        wait_for(&mut *open_camera(&id).unwrap(), 40);
    });
}

#[test]
fn one_that_is_forbidden_is_listed_and_says_so() {
    before_a_camera("one_that_is_forbidden_is_listed_and_says_so", |camera, _| {
        camera.fail(Some(Fault::Forbidden));
        let id = cameras().unwrap().remove(0).id;
        assert_eq!(open_camera(&id).err(), Some(CameraError::Forbidden));
        camera.fail(None);
        wait_for(&mut *open_camera(&id).unwrap(), 40);
    });
}

#[test]
fn one_that_is_unplugged_is_missed_at_once_and_works_again_when_it_is_back() {
    let name = "one_that_is_unplugged_is_missed_at_once_and_works_again_when_it_is_back";
    before_a_camera(name, |camera, _| {
        let id = cameras().unwrap().remove(0).id;
        let mut eye = open_camera(&id).unwrap();
        wait_for(&mut *eye, 40);
        camera.fail(Some(Fault::Unplugged));
        let deadline = Instant::now() + SOON;
        let why = loop {
            match eye.latest(SOON) {
                Err(why) => break why,
                Ok(_) => assert!(Instant::now() < deadline, "nobody noticed"),
            }
        };
        assert_eq!(why, CameraError::Unplugged);
        assert_eq!(eye.latest(SOON).err(), Some(CameraError::Unplugged));
        drop(eye);
        assert_eq!(cameras().err(), Some(CameraError::None));
        assert_eq!(open_camera(&id).err(), Some(CameraError::Unplugged));
        camera.fail(None);
        wait_for(&mut *open_camera(&id).unwrap(), 40);
    });
}

#[test]
fn a_computer_without_a_camera_has_none() {
    before_a_camera("a_computer_without_a_camera_has_none", |camera, _| {
        camera.fail(Some(Fault::Unplugged));
        assert_eq!(cameras().err(), Some(CameraError::None));
        assert_eq!(open_camera("7").err(), Some(CameraError::Unplugged));
    });
}
