//! The quadrature mirror filters that split 16 kHz sound into two bands and join them again (G.722, sections 3.1 and
//! 4.4).

/// Half of the symmetric impulse response (G.722, table 4), Q13 over both halves.
const TAPS: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// The last 24 values, as pairs: the oldest first.
type Line = [[i32; 2]; TAPS.len()];

fn push(line: &mut Line, pair: [i32; 2]) {
    line.rotate_left(1);
    if let Some(last) = line.last_mut() {
        *last = pair;
    }
}

/// The first of each pair against the taps, the second against the taps backwards.
fn sums(line: &Line) -> (i32, i32) {
    let first = line.iter().zip(TAPS).map(|([value, _], tap)| value * tap).sum();
    let second = line.iter().zip(TAPS.iter().rev()).map(|([_, value], tap)| value * tap).sum();
    (first, second)
}

/// Splits sound into a lower and a higher band of 8 kHz each, 15 bits.
pub(super) struct Analysis(Line);

impl Analysis {
    pub fn new() -> Self {
        Self([[0; 2]; TAPS.len()])
    }

    pub fn run(&mut self, [earlier, later]: [i16; 2]) -> (i32, i32) {
        push(&mut self.0, [earlier.into(), later.into()]);
        let (first, second) = sums(&self.0);
        ((second + first) >> 14, (second - first) >> 14)
    }
}

/// Joins the bands.
pub(super) struct Synthesis(Line);

impl Synthesis {
    pub fn new() -> Self {
        Self([[0; 2]; TAPS.len()])
    }

    pub fn run(&mut self, low: i32, high: i32) -> [i16; 2] {
        push(&mut self.0, [low + high, low - high]);
        let (first, second) = sums(&self.0);
        [second, first].map(|sum| (sum >> 11).clamp(i16::MIN.into(), i16::MAX.into()) as i16)
    }
}
