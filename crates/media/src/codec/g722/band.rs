//! The two bands: adaptive differential coding with 6 bits for the lower and 2 for the higher one (G.722, section 3
//! and 4; the names in capitals are those of section 6, whose arithmetic this follows to the bit).

// Every index below is a quantiser index of as many bits as its table has entries for, or a scale that is clamped.
#![allow(clippy::indexing_slicing)]

/// Decision levels of the 60-level quantiser, Q12 of the scale (Q6).
const DECISIONS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219,
    1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
/// Outputs of the 60-level quantiser, by code (QQ6). The four codes that no encoder sends are those of transmission
/// errors.
const LEVELS_6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360,
    -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688,
    -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856,
    7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136,
    -432, -136,
];
/// Outputs of the 15-level quantiser that both sides adapt by (QQ4).
const LEVELS_4: [i32; 16] =
    [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];
/// Outputs of the quantiser of the higher band (QQ2).
const LEVELS_2: [i32; 4] = [-7408, -1616, 7408, 1616];
/// What a 4-bit code adds to the logarithmic scale of the lower band (WL by RIL).
const GROWTH_LOW: [i32; 16] =
    [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];
/// The same for the higher band (WH).
const GROWTH_HIGH: [i32; 4] = [798, -214, 798, -214];
/// 2048 times 2 to the power of n/32 (ILB).
const POWERS: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896,
    2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];
/// Reconstructed values are kept within 15 bits.
const LEAST: i32 = -16_384;
const MOST: i32 = 16_383;

fn saturate(value: i32) -> i32 {
    value.clamp(i16::MIN.into(), i16::MAX.into())
}

/// Both bands, of an encoder or a decoder: the two adapt alike.
pub(super) struct Bands {
    low: Band,
    high: Band,
}

impl Bands {
    pub fn new() -> Self {
        Self { low: Band::new(8, 18_432), high: Band::new(10, 22_528) }
    }

    /// Codes one value of each band.
    pub fn encode(&mut self, low: i32, high: i32) -> u8 {
        let code_low = self.low.quantise_low(low);
        let code_high = self.high.quantise_high(high);
        self.low.adapt(LEVELS_4[code_low >> 2], GROWTH_LOW[code_low >> 2]);
        self.high.adapt(LEVELS_2[code_high], GROWTH_HIGH[code_high]);
        (code_high << 6 | code_low) as u8
    }

    /// Restores one value of each band.
    pub fn decode(&mut self, byte: u8) -> (i32, i32) {
        let (code_low, code_high) = (usize::from(byte & 0x3f), usize::from(byte >> 6));
        let low = self.low.restore(LEVELS_6[code_low]);
        let high = self.high.restore(LEVELS_2[code_high]);
        self.low.adapt(LEVELS_4[code_low >> 2], GROWTH_LOW[code_low >> 2]);
        self.high.adapt(LEVELS_2[code_high], GROWTH_HIGH[code_high]);
        (low, high)
    }

    /// What the last value of each band was taken for.
    pub fn reconstructed(&self) -> (i32, i32) {
        (self.low.reconstructed[0].clamp(LEAST, MOST), self.high.reconstructed[0].clamp(LEAST, MOST))
    }
}

/// One band: the scale of its quantiser, and the predictor with two poles and six zeros.
struct Band {
    /// Logarithm of the scale (NB) with its limit, and the shift that makes the scale of it.
    logarithm: i32,
    limit: i32,
    shift: i32,
    /// DET.
    scale: i32,
    /// A1 and A2, B1 to B6.
    poles: [i32; 2],
    zeros: [i32; 6],
    /// DLT1 to 6, PLT1 and 2, RLT1 and 2: the last one first.
    differences: [i32; 6],
    partial: [i32; 2],
    reconstructed: [i32; 2],
    /// What the zeros predict (SZ), and all of the prediction (S).
    from_zeros: i32,
    predicted: i32,
}

impl Band {
    fn new(shift: i32, limit: i32) -> Self {
        Self {
            logarithm: 0,
            limit,
            shift,
            scale: POWERS[0] >> shift << 2,
            poles: [0; 2],
            zeros: [0; 6],
            differences: [0; 6],
            partial: [0; 2],
            reconstructed: [0; 2],
            from_zeros: 0,
            predicted: 0,
        }
    }

    /// QUANTL.
    fn quantise_low(&self, value: i32) -> usize {
        let error = saturate(value - self.predicted);
        let size = if error < 0 { -(error + 1) } else { error };
        let level = DECISIONS.partition_point(|decision| size >= (decision * self.scale) >> 12);
        match (error < 0, level) {
            (true, 0 | 1) => 63 - level,
            (true, _) => 33 - level,
            (false, _) => 61 - level,
        }
    }

    /// QUANTH.
    fn quantise_high(&self, value: i32) -> usize {
        let error = saturate(value - self.predicted);
        let size = if error < 0 { -(error + 1) } else { error };
        let outer = size >= (564 * self.scale) >> 12;
        match (error < 0, outer) {
            (true, false) => 1,
            (true, true) => 0,
            (false, false) => 3,
            (false, true) => 2,
        }
    }

    fn difference(&self, level: i32) -> i32 {
        (self.scale * level) >> 15
    }

    /// RECONS, with the limit of the decoder.
    fn restore(&self, level: i32) -> i32 {
        (self.predicted + self.difference(level)).clamp(LEAST, MOST)
    }

    /// Adapts scale and predictor to a coded value.
    fn adapt(&mut self, level: i32, growth: i32) {
        let difference = self.difference(level);
        // LOGSCL and SCALEL, LOGSCH and SCALEH.
        self.logarithm = (((self.logarithm * 127) >> 7) + growth).clamp(0, self.limit);
        let power = POWERS[(self.logarithm >> 6 & 31) as usize];
        let octaves = self.shift - (self.logarithm >> 11);
        self.scale = (if octaves < 0 { power << -octaves } else { power >> octaves }) << 2;

        let reconstructed = saturate(self.predicted + difference);
        let partial = saturate(self.from_zeros + difference);
        self.move_poles(partial);
        self.move_zeros(difference);
        self.differences.rotate_right(1);
        self.differences[0] = difference;
        self.partial = [partial, self.partial[0]];
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.predict();
    }

    /// UPPOL2 and UPPOL1.
    fn move_poles(&mut self, partial: i32) {
        let [first, second] = self.poles;
        let same = self.partial.map(|earlier| (earlier < 0) == (partial < 0));
        let slope = saturate(first << 2);
        let push = if same[0] { (-slope).min(i16::MAX.into()) } else { slope } >> 7;
        let pull = if same[1] { 128 } else { -128 };
        let second = (push + pull + ((second * 32_512) >> 15)).clamp(-12_288, 12_288);
        let step = if same[0] { 192 } else { -192 };
        // Within this the predictor is stable.
        let bound = 15_360 - second;
        let first = (step + ((first * 32_640) >> 15)).clamp(-bound, bound);
        self.poles = [first, second];
    }

    /// UPZERO.
    fn move_zeros(&mut self, difference: i32) {
        let step = if difference == 0 { 0 } else { 128 };
        for (zero, earlier) in self.zeros.iter_mut().zip(self.differences) {
            let step = if (earlier < 0) == (difference < 0) { step } else { -step };
            *zero = saturate(step + ((*zero * 32_640) >> 15));
        }
    }

    /// FILTEP, FILTEZ and PREDIC.
    fn predict(&mut self) {
        let weigh = |(factor, value): (&i32, &i32)| (factor * saturate(value << 1)) >> 15;
        let from_poles: i32 = self.poles.iter().zip(&self.reconstructed).map(weigh).sum();
        let from_zeros: i32 = self.zeros.iter().zip(&self.differences).map(weigh).sum();
        self.from_zeros = saturate(from_zeros);
        self.predicted = saturate(saturate(from_poles) + self.from_zeros);
    }
}
