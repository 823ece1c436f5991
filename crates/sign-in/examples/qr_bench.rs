//! Measures the reader of QR codes on the picture set, for BENCHMARKS.md.
//!
//! `qr_bench FOLDER` writes every scene's first frame into the folder as a PNG file, and `scenes.json`, which
//! says what is in each, for other readers to be measured on; then it prints our own rows of the table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/qr_set/scene.rs"]
mod scene;
#[path = "../tests/qr_set/set.rs"]
mod set;

use std::fs;
use std::path::PathBuf;

use scene::{HEIGHT, Scene, WIDTH};
use secrecy::ExposeSecret;
use sign_in::qr::{Luma, Reader, picture};

const A_SECOND: u64 = 10;

/// One row: how many codes were read, and what each picture cost.
#[derive(Default)]
struct Row {
    read: u32,
    readable: u32,
    wrong: u32,
    ms: Vec<f64>,
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("a folder for the pictures"));
    fs::create_dir_all(&folder).unwrap();
    let (mut first, mut second, mut still) = (Row::default(), Row::default(), Row::default());
    let mut told = Vec::new();
    for (number, scene) in set::scenes().iter().enumerate() {
        let exposed = scene.expose();
        let file = folder.join(format!("{number:03}.png"));
        let (width, height) = (WIDTH as u32, HEIGHT as u32);
        image::GrayImage::from_raw(width, height, exposed.frame(0)).unwrap().save(&file).unwrap();
        let seen = picture(&fs::read(&file).unwrap()).unwrap();
        still.count(scene, || Reader::new().read_still(seen.luma()).pop().map(|t| t.expose_secret().into()));
        let mut reader = Reader::new();
        for frame in 0..A_SECOND {
            let pixels = exposed.frame(frame);
            let luma = Luma { width, height, stride: width, pixels: &pixels };
            let (before, costs) = (second.read, second.ms.len());
            second.count(scene, || reader.read(luma).pop().map(|t| t.expose_secret().into()));
            if frame == 0 {
                first.read += second.read - before;
                first.readable += if scene.readable { second.read - before } else { 0 };
                first.ms.extend(&second.ms[costs..]);
            }
            if second.read > before {
                break;
            }
        }
        told.push(serde_json::json!({
            "file": file.file_name().unwrap().to_str(), "kind": scene.kind,
            "text": scene.text, "readable": scene.readable,
        }));
    }
    fs::write(folder.join("scenes.json"), serde_json::to_vec(&told).unwrap()).unwrap();
    first.print("Carillon, one camera frame");
    second.print("Carillon, a second of camera frames");
    still.print("Carillon, a picture file");
}

impl Row {
    fn count(&mut self, scene: &Scene, look: impl FnOnce() -> Option<String>) {
        let before = cpu_ms();
        let found = look();
        self.ms.push(cpu_ms() - before);
        let Some(found) = found else { return };
        if Some(found.as_str()) == scene.text {
            self.read += 1;
            self.readable += u32::from(scene.readable);
        } else {
            self.wrong += 1;
        }
    }

    fn print(&mut self, name: &str) {
        self.ms.sort_by(f64::total_cmp);
        let at = |percent: usize| self.ms[(self.ms.len() - 1) * percent / 100];
        let Self { read, readable, wrong, .. } = self;
        println!("| {name} | {read} | {readable} | {wrong} | {:.1} | {:.1} |", at(50), at(95));
    }
}

/// What this thread has cost the processor so far: other programs on the machine do not count.
fn cpu_ms() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
}
