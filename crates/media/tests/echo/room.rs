//! Simulated rooms: from what a speaker is given to what a microphone hears of it.

/// Samples a second.
pub const RATE: usize = 48_000;
/// Metres a second.
const SOUND: f64 = 343.0;

/// A shoe-box room with a speaker and a microphone in it, metres.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    pub size: [f64; 3],
    pub speaker: [f64; 3],
    pub microphone: [f64; 3],
    /// Share of the pressure that a wall throws back.
    pub reflection: f64,
}

impl Room {
    /// A desk in an office: reverberation of about 0.3 s, half a metre between speaker and microphone.
    pub const OFFICE: Room = Room {
        size: [4.2, 3.1, 2.6],
        speaker: [1.2, 1.4, 0.9],
        microphone: [1.6, 1.7, 0.95],
        reflection: 0.72,
    };

    /// A bare meeting room: reverberation of about 0.6 s.
    pub const HALL: Room = Room {
        size: [7.3, 5.4, 3.0],
        speaker: [2.5, 2.2, 0.8],
        microphone: [3.3, 2.6, 0.8],
        reflection: 0.86,
    };

    /// The same room with the microphone moved.
    pub fn moved(self, by: [f64; 3]) -> Room {
        let [x, y, z] = self.microphone;
        Room { microphone: [x + by[0], y + by[1], z + by[2]], ..self }
    }

    /// Impulse response by the image sources (Allen and Berkley, 1979), at 48 kHz.
    pub fn response(&self, seconds: f64) -> Vec<f32> {
        let length = (seconds * RATE as f64) as usize;
        let mut response = vec![0.0_f64; length];
        let reach = |axis: usize| (seconds * SOUND / (2.0 * self.size[axis])).ceil() as i32;
        for nx in -reach(0)..=reach(0) {
            for ny in -reach(1)..=reach(1) {
                for nz in -reach(2)..=reach(2) {
                    for flip in 0..8 {
                        self.image([nx, ny, nz], [flip & 1, flip >> 1 & 1, flip >> 2], &mut response);
                    }
                }
            }
        }
        // Walls throw no steady pressure back; the images alone would add one up.
        let (mut last, mut out) = (0.0, 0.0);
        response
            .iter()
            .map(|&sample| {
                out = sample - last + 0.995 * out;
                last = sample;
                out as f32
            })
            .collect()
    }

    fn image(&self, order: [i32; 3], flip: [i32; 3], response: &mut [f64]) {
        let mut distance = 0.0;
        let mut bounces = 0;
        for axis in 0..3 {
            let sign = f64::from(1 - 2 * flip[axis]);
            let image = sign * self.speaker[axis] + 2.0 * f64::from(order[axis]) * self.size[axis];
            distance += (image - self.microphone[axis]).powi(2);
            bounces += (order[axis] - flip[axis]).abs() + order[axis].abs();
        }
        let distance = distance.sqrt();
        let gain = self.reflection.powi(bounces) / distance.max(0.1);
        // A delay between samples, by a short windowed sinc.
        let at = distance / SOUND * RATE as f64;
        let first = at.floor() as i64 - 7;
        for n in first..first + 16 {
            let x = n as f64 - at;
            if let Some(sample) = usize::try_from(n).ok().and_then(|n| response.get_mut(n)) {
                let window = 0.5 + 0.5 * (std::f64::consts::PI * x / 8.0).cos();
                *sample += gain * sinc(x) * window;
            }
        }
    }
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

/// `sound` heard through `response`.
pub fn convolve(sound: &[f32], response: &[f32]) -> Vec<f32> {
    let size = 8192;
    let part = size / 2;
    let transform = Fourier::new(size);
    let parts: Vec<_> = response.chunks(part).map(|chunk| transform.forward(chunk)).collect();
    let mut out = vec![0.0; sound.len() + response.len() + size];
    for (n, chunk) in sound.chunks(part).enumerate() {
        let spectrum = transform.forward(chunk);
        for (m, other) in parts.iter().enumerate() {
            let product: Vec<_> =
                spectrum.iter().zip(other).map(|(&(a, b), &(c, d))| (a * c - b * d, a * d + b * c)).collect();
            let begin = (n + m) * part;
            out[begin..begin + size]
                .iter_mut()
                .zip(transform.backward(product))
                .for_each(|(out, sample)| *out += sample as f32);
        }
    }
    out.truncate(sound.len());
    out
}

/// A Fourier transform of a power of two.
struct Fourier(usize);

impl Fourier {
    fn new(size: usize) -> Self {
        Self(size)
    }

    fn forward(&self, sound: &[f32]) -> Vec<(f64, f64)> {
        let mut spectrum = vec![(0.0, 0.0); self.0];
        spectrum.iter_mut().zip(sound).for_each(|(place, sample)| place.0 = f64::from(*sample));
        transform(&mut spectrum, -1.0);
        spectrum
    }

    fn backward(&self, mut spectrum: Vec<(f64, f64)>) -> Vec<f64> {
        transform(&mut spectrum, 1.0);
        spectrum.into_iter().map(|(re, _)| re / self.0 as f64).collect()
    }
}

fn transform(data: &mut [(f64, f64)], sign: f64) {
    let size = data.len();
    let bits = size.trailing_zeros();
    for n in 0..size {
        let m = n.reverse_bits() >> (usize::BITS - bits);
        if n < m {
            data.swap(n, m);
        }
    }
    let mut half = 1;
    while half < size {
        let turn = sign * std::f64::consts::PI / half as f64;
        for k in 0..half {
            let (sin, cos) = (turn * k as f64).sin_cos();
            for begin in (k..size).step_by(2 * half) {
                let (re, im) = data[begin + half];
                let other = (re * cos - im * sin, re * sin + im * cos);
                let one = data[begin];
                data[begin] = (one.0 + other.0, one.1 + other.1);
                data[begin + half] = (one.0 - other.0, one.1 - other.1);
            }
        }
        half *= 2;
    }
}

/// `sound` as a card hears it whose clock is fast by `ppm`.
pub fn drift(sound: &[f32], ppm: f64) -> Vec<f32> {
    resample(sound, 1.0 / (1.0 + ppm * 1e-6))
}

/// Every `step` of a sample, by a windowed sinc out of a table. Slows down or speeds up; never by more than a half.
pub fn resample(sound: &[f32], step: f64) -> Vec<f32> {
    const REACH: usize = 24;
    const PHASES: usize = 512;
    let band = (1.0 / step).min(1.0);
    let tap = |phase: usize, n: usize| {
        let x = n as f64 - (REACH - 1) as f64 - phase as f64 / PHASES as f64;
        let window = 0.5 + 0.5 * (std::f64::consts::PI * x / (REACH as f64 + 1.0)).cos();
        (sinc(x * band) * band * window) as f32
    };
    let table: Vec<[f32; 2 * REACH]> =
        (0..=PHASES).map(|phase| std::array::from_fn(|n| tap(phase, n))).collect();
    let padded: Vec<f32> = [vec![0.0; REACH - 1], sound.to_vec(), vec![0.0; REACH + 1]].concat();
    (0..(sound.len() as f64 / step) as usize)
        .map(|n| {
            let at = n as f64 * step;
            let phase = at.fract() * PHASES as f64;
            let (below, way) = (phase as usize, phase.fract() as f32);
            let (one, other) = (&table[below], &table[below + 1]);
            let part = padded[at as usize..].iter().zip(one.iter().zip(other));
            part.map(|(sample, (one, other))| sample * (one + (other - one) * way)).sum()
        })
        .collect()
}
