//! A QR code before a camera: what is printed, how it is held, in what light, and what the camera makes
//! of it. The same scene gives the same pixels everywhere.

use std::f32::consts::TAU;
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageFormat};

/// Width of every frame, pixels.
pub const WIDTH: usize = 1280;
/// Height of every frame, pixels.
pub const HEIGHT: usize = 720;
/// From the camera to the code, in sides of the code.
const DISTANCE: f32 = 3.0;
/// How far the white paper reaches beyond the code, in sides of the code.
const MARGIN: f32 = 0.2;

/// What is before the camera. Lengths on the code are in sides of the code unless they say modules.
#[derive(Clone)]
pub struct Scene {
    /// What is hard about it.
    pub kind: &'static str,
    /// The text of the code; none where there is no code.
    pub text: Option<&'static str>,
    /// Whether a person would call the code readable.
    pub readable: bool,
    /// Side of a module where the code is nearest to the camera's axis, pixels.
    pub module: f32,
    /// Where its middle is, as a part of width and height.
    pub at: (f32, f32),
    /// How far it is turned, degrees.
    pub turn: f32,
    /// How far it is tilted away, degrees, and about which axis, degrees from horizontal.
    pub tilt: (f32, f32),
    /// Radius of the cylinder it is bent around; none for flat paper.
    pub bend: Option<f32>,
    /// Brightness of paper and of ink, 0 to 255.
    pub tones: (f32, f32),
    /// Ink for paper.
    pub inverted: bool,
    /// What is left of the light where a shadow falls, and the shadow's direction in degrees.
    pub shadow: Option<(f32, f32)>,
    /// A lamp's reflection: its middle, its radius, and what it adds there, 0 to 255.
    pub glare: Option<((f32, f32), f32, f32)>,
    /// Pixel grid of a screen: its period in pixels of the camera, its angle in degrees, its depth 0 to 1.
    pub grid: Option<(f32, f32, f32)>,
    /// Standard deviation of an unsharp picture, modules.
    pub blur: f32,
    /// Way of a moving hand during one frame, modules, and its direction in degrees.
    pub motion: (f32, f32),
    /// Standard deviation of the sensor's noise, 0 to 255.
    pub noise: f32,
    /// Quality of the camera's JPEG, of 100.
    pub jpeg: Option<u8>,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            kind: "plain",
            text: None,
            readable: true,
            module: 5.0,
            at: (0.5, 0.5),
            turn: 0.0,
            tilt: (0.0, 0.0),
            bend: None,
            tones: (205.0, 35.0),
            inverted: false,
            shadow: None,
            glare: None,
            grid: None,
            blur: 0.15,
            motion: (0.0, 0.0),
            noise: 3.0,
            jpeg: None,
        }
    }
}

/// A scene as light on the sensor. Frames of it differ by their noise only.
pub struct Exposed {
    light: Arc<Vec<f32>>,
    noise: f32,
    jpeg: Option<u8>,
}

impl Scene {
    /// Lets the light onto the sensor.
    pub fn expose(&self) -> Exposed {
        let code = self.text.map(Modules::of);
        let side = code.as_ref().map_or(0.0, |code| self.module * code.side as f32);
        let eye = View::of(self, side);
        let mut light = vec![0.0; WIDTH * HEIGHT];
        for (y, row) in light.chunks_exact_mut(WIDTH).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                let mut sum = 0.0;
                for sub in 0..9_u8 {
                    let (px, py) = (
                        x as f32 + f32::from(sub % 3) / 3.0 + 1.0 / 6.0,
                        y as f32 + f32::from(sub / 3) / 3.0 + 1.0 / 6.0,
                    );
                    let on_paper = code.as_ref().and_then(|code| {
                        let (u, v) = eye.on_paper(px, py)?;
                        self.tone(code, u, v)
                    });
                    match on_paper {
                        Some(tone) => sum += tone,
                        None => {
                            // The desk has no detail finer than a pixel.
                            sum = 9.0 * self.desk(x, y);
                            break;
                        }
                    }
                }
                *pixel = sum / 9.0 * self.lit(x as f32, y as f32, side) * self.screen(x as f32, y as f32);
            }
        }
        let pixels = self.module * self.blur;
        if pixels > 0.05 {
            light = along(&light, 1, &bell(pixels));
            light = along(&light, WIDTH, &bell(pixels));
        }
        if self.motion.0 > 0.0 {
            light = smear(&light, self.module * self.motion.0, self.motion.1);
        }
        if let Some(((at_x, at_y), radius, strength)) = self.glare {
            let (mid_x, mid_y) = (eye.mid.0 + at_x * side, eye.mid.1 + at_y * side);
            for (index, pixel) in light.iter_mut().enumerate() {
                let (dx, dy) = ((index % WIDTH) as f32 - mid_x, (index / WIDTH) as f32 - mid_y);
                let far = (dx * dx + dy * dy) / (radius * side).powi(2);
                *pixel += strength * (-far).exp();
            }
        }
        Exposed { light: Arc::new(light), noise: self.noise, jpeg: self.jpeg }
    }

    fn tone(&self, code: &Modules, u: f32, v: f32) -> Option<f32> {
        if u.abs().max(v.abs()) > 0.5 + MARGIN {
            return None;
        }
        let place = |w: f32| ((w + 0.5) * code.side as f32).floor() as i32;
        let dark = code.dark(place(u), place(v)) != self.inverted;
        Some(if dark { self.tones.1 } else { self.tones.0 })
    }

    /// A desk with things on it, as bright as the paper allows.
    fn desk(&self, x: usize, y: usize) -> f32 {
        let patch = Dice((x / 97 * 1000 + y / 61) as u64).roll();
        let word = Dice((x / 5 * 7919 + y / 12) as u64).roll();
        let line = patch.is_multiple_of(5) && (y / 4).is_multiple_of(3) && !word.is_multiple_of(3);
        let level = if line { 0.15 } else { 0.35 + (patch >> 8) as u8 as f32 / 1000.0 };
        self.tones.0.max(self.tones.1) * level
    }

    /// What part of the light reaches a pixel.
    fn lit(&self, x: f32, y: f32, side: f32) -> f32 {
        let Some((left, direction)) = self.shadow else { return 1.0 };
        let (sin, cos) = direction.to_radians().sin_cos();
        let (dx, dy) = (x - self.at.0 * WIDTH as f32, y - self.at.1 * HEIGHT as f32);
        // Its edge goes through the code and is soft over a twelfth of it.
        let inside = ((dx * cos + dy * sin) / (side / 12.0).max(1.0)).clamp(-1.0, 1.0);
        1.0 - (1.0 - left) * (inside + 1.0) / 2.0
    }

    /// What a screen's grid leaves of a pixel. Sampled once a pixel: that is what makes moiré.
    fn screen(&self, x: f32, y: f32) -> f32 {
        let Some((period, angle, depth)) = self.grid else { return 1.0 };
        let (sin, cos) = angle.to_radians().sin_cos();
        let wave = |along: f32| 1.0 - depth * (0.5 + 0.5 * (TAU * along / period).cos());
        wave(x * cos + y * sin) * (1.0 - (1.0 - wave(y * cos - x * sin)) * 0.5)
    }
}

impl Exposed {
    /// One frame, grey, with the noise of this very frame.
    pub fn frame(&self, number: u64) -> Vec<u8> {
        let mut dice = Dice(number.wrapping_mul(0x9e37_79b9) ^ 0x5eed);
        let mut grey: Vec<u8> = Vec::with_capacity(self.light.len());
        for pair in self.light.chunks(2) {
            let bytes = dice.roll().to_le_bytes();
            for (light, four) in pair.iter().zip(bytes.chunks_exact(4)) {
                // The sum of four even throws is nearly normal, with a standard deviation of 147.8.
                let sum: f32 = four.iter().map(|b| f32::from(*b)).sum();
                grey.push((light + (sum - 510.0) / 147.8 * self.noise).round().clamp(0.0, 255.0) as u8);
            }
        }
        match self.jpeg {
            Some(quality) => through_jpeg(&grey, quality),
            None => grey,
        }
    }
}

fn through_jpeg(grey: &[u8], quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality)
        .write_image(grey, WIDTH as u32, HEIGHT as u32, ExtendedColorType::L8)
        .unwrap();
    image::load_from_memory_with_format(&file, ImageFormat::Jpeg).unwrap().into_luma8().into_raw()
}

/// The way from a pixel of the camera to the paper.
struct View {
    mid: (f32, f32),
    side: f32,
    turn: (f32, f32),
    /// The paper's own axes in space, and what is square to it.
    across: [f32; 3],
    down: [f32; 3],
    normal: [f32; 3],
    bend: Option<f32>,
}

impl View {
    fn of(scene: &Scene, side: f32) -> Self {
        let (angle, axis) = (scene.tilt.0.to_radians(), scene.tilt.1.to_radians());
        let (axis_y, axis_x) = axis.sin_cos();
        // Rodrigues' rotation about an axis within the picture.
        let turned = |x: f32, y: f32, z: f32| {
            let dot = (axis_x * x + axis_y * y) * (1.0 - angle.cos());
            [
                x * angle.cos() + axis_y * z * angle.sin() + axis_x * dot,
                y * angle.cos() - axis_x * z * angle.sin() + axis_y * dot,
                z * angle.cos() + (axis_x * y - axis_y * x) * angle.sin(),
            ]
        };
        Self {
            mid: (scene.at.0 * WIDTH as f32, scene.at.1 * HEIGHT as f32),
            side,
            turn: scene.turn.to_radians().sin_cos(),
            across: turned(1.0, 0.0, 0.0),
            down: turned(0.0, 1.0, 0.0),
            normal: turned(0.0, 0.0, 1.0),
            bend: scene.bend,
        }
    }

    /// The place on the paper, in sides of the code from its middle, that a pixel sees.
    fn on_paper(&self, px: f32, py: f32) -> Option<(f32, f32)> {
        let (a, b) = ((px - self.mid.0) / self.side, (py - self.mid.1) / self.side);
        let (u, v) = match self.bend {
            Some(radius) => {
                let (mut x, mut y, mut deep) = (a, b, 0.0);
                for _ in 0..4 {
                    x = a * (DISTANCE + deep) / DISTANCE;
                    y = b * (DISTANCE + deep) / DISTANCE;
                    let left = radius * radius - x * x;
                    if left <= 0.0 {
                        return None;
                    }
                    deep = radius - left.sqrt();
                }
                (radius * (x / radius).asin(), y)
            }
            None => {
                // From the camera at -DISTANCE through (a, b, 0) to the paper through the origin.
                let [nx, ny, nz] = self.normal;
                let slope = nx * a + ny * b + nz * DISTANCE;
                let far = nz * DISTANCE / slope;
                if !far.is_finite() || far <= 0.0 {
                    return None;
                }
                let point = [a * far, b * far, DISTANCE * far - DISTANCE];
                let on = |axis: [f32; 3]| axis.iter().zip(point).map(|(p, q)| p * q).sum::<f32>();
                (on(self.across), on(self.down))
            }
        };
        let (sin, cos) = self.turn;
        Some((u * cos + v * sin, v * cos - u * sin))
    }
}

/// The modules of a code.
struct Modules {
    side: usize,
    dark: Vec<bool>,
}

impl Modules {
    fn of(text: &str) -> Self {
        let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).unwrap();
        let dark = code.to_colors().iter().map(|color| *color == qrcode::Color::Dark).collect();
        Self { side: code.width(), dark }
    }

    fn dark(&self, x: i32, y: i32) -> bool {
        let inside = |at: i32| usize::try_from(at).ok().filter(|at| *at < self.side);
        inside(x).zip(inside(y)).is_some_and(|(x, y)| self.dark[y * self.side + x])
    }
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// One half of a normal distribution, from its middle on.
fn bell(deviation: f32) -> Vec<f32> {
    let reach = (deviation * 3.0).ceil() as usize;
    let half: Vec<f32> = (0..=reach).map(|d| (-0.5 * (d as f32 / deviation).powi(2)).exp()).collect();
    let sum = 2.0 * half.iter().sum::<f32>() - half[0];
    half.iter().map(|weight| weight / sum).collect()
}

/// Blurs along rows (`step` 1) or columns (`step` [`WIDTH`]).
fn along(light: &[f32], step: usize, half: &[f32]) -> Vec<f32> {
    let last = if step == 1 { WIDTH } else { HEIGHT } - 1;
    (0..light.len())
        .map(|index| {
            let place = if step == 1 { index % WIDTH } else { index / WIDTH };
            let mut sum = light[index] * half[0];
            for (far, weight) in half.iter().enumerate().skip(1) {
                let before = index - far.min(place) * step;
                let after = index + far.min(last - place) * step;
                sum += (light[before] + light[after]) * weight;
            }
            sum
        })
        .collect()
}

/// The mean along a straight way of `length` pixels.
fn smear(light: &[f32], length: f32, direction: f32) -> Vec<f32> {
    let (sin, cos) = direction.to_radians().sin_cos();
    let steps = length.ceil().max(1.0) as usize;
    let ways: Vec<(i32, i32)> = (0..=steps)
        .map(|step| (step as f32 / steps as f32 - 0.5) * length)
        .map(|far| ((far * cos).round() as i32, (far * sin).round() as i32))
        .collect();
    let clamped = |at: usize, by: i32, sides: usize| (at as i32 + by).clamp(0, sides as i32 - 1) as usize;
    (0..light.len())
        .map(|index| {
            let (x, y) = (index % WIDTH, index / WIDTH);
            let sum: f32 = ways
                .iter()
                .map(|(dx, dy)| light[clamped(y, *dy, HEIGHT) * WIDTH + clamped(x, *dx, WIDTH)])
                .sum();
            sum / ways.len() as f32
        })
        .collect()
}
