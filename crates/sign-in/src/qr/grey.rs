//! A grey picture of our own, and the ways to make its code plainer.

use zeroize::Zeroizing;

use super::Luma;

/// Largest side of a picture looked at.
const LONGEST: usize = 16_384;

/// Most pixels to each side around one that its light is judged by.
const FARTHEST: usize = 80;

/// Grey pixels, row after row without gaps. Zeroed on drop.
pub(super) struct Grey {
    width: usize,
    height: usize,
    pixels: Zeroizing<Vec<u8>>,
}

impl Grey {
    /// A copy of `luma`; none where its sizes are zero, beyond reason or beyond its bytes.
    pub(super) fn of(luma: Luma<'_>) -> Option<Self> {
        let [width, height, stride] =
            [luma.width, luma.height, luma.stride].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        if width == 0 || height == 0 || width > LONGEST || height > LONGEST || stride < width {
            return None;
        }
        let mut pixels = Zeroizing::new(Vec::with_capacity(width * height));
        for row in luma.pixels.chunks(stride).take(height) {
            pixels.extend_from_slice(row.get(..width)?);
        }
        (pixels.len() == width * height).then_some(Self { width, height, pixels })
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    pub(super) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// How many pixels there are.
    pub(super) fn len(&self) -> usize {
        self.pixels.len()
    }

    /// Half as wide and high: each pixel the mean of four.
    pub(super) fn halved(&self) -> Self {
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        if self.width < 2 || self.height < 2 {
            return self.map(|p| p);
        }
        let mut pixels = Zeroizing::new(Vec::with_capacity(width * height));
        for two_rows in self.pixels.chunks_exact(2 * self.width) {
            let (upper, lower) = two_rows.split_at(self.width);
            let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
            pixels.extend(pairs.map(|([a, b], [c, d])| {
                low_byte((u32::from(*a) + u32::from(*b) + u32::from(*c) + u32::from(*d) + 2) / 4)
            }));
        }
        Self { width, height, pixels }
    }

    /// Twice as wide and high, by linear interpolation.
    pub(super) fn doubled(&self) -> Self {
        let (width, height) = (2 * self.width, 2 * self.height);
        let mut wide = Zeroizing::new(Vec::with_capacity(width * self.height));
        for row in self.pixels.chunks_exact(self.width) {
            let before = row.first().into_iter().chain(row);
            let after = row.iter().skip(1).chain(row.last());
            for ((b, p), a) in before.zip(row).zip(after) {
                wide.extend([mostly(*p, *b), mostly(*p, *a)]);
            }
        }
        let rows: Vec<&[u8]> = wide.chunks_exact(width).collect();
        let mut pixels = Zeroizing::new(Vec::with_capacity(width * height));
        let before = rows.first().into_iter().chain(&rows);
        let after = rows.iter().skip(1).chain(rows.last());
        for ((b, row), a) in before.zip(&rows).zip(after) {
            for other in [b, a] {
                pixels.extend(row.iter().zip(other.iter()).map(|(p, o)| mostly(*p, *o)));
            }
        }
        drop(rows);
        Self { width, height, pixels }
    }

    /// The middle half of its width and height.
    pub(super) fn middle(&self) -> Self {
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        let (left, top) = ((self.width - width) / 2, (self.height - height) / 2);
        let mut pixels = Zeroizing::new(Vec::with_capacity(width * height));
        for row in self.pixels.chunks_exact(self.width).skip(top).take(height) {
            pixels.extend(row.iter().skip(left).take(width));
        }
        Self { width, height, pixels }
    }

    /// White for black.
    pub(super) fn inverted(&self) -> Self {
        self.map(|p| 255 - p)
    }

    /// Spread so that its darkest and lightest fiftieth become black and white.
    pub(super) fn stretched(&self) -> Self {
        let mut counts = [0_usize; 256];
        for pixel in self.pixels.iter() {
            if let Some(count) = counts.get_mut(usize::from(*pixel)) {
                *count += 1;
            }
        }
        let few = self.len() / 50;
        let dark = reached(few, (0..).zip(counts.iter()));
        let light = reached(few, (0..=255).rev().zip(counts.iter().rev()));
        let span = light.saturating_sub(dark).max(1);
        self.map(|p| low_byte(u32::from(p).saturating_sub(dark) * 255 / span))
    }

    /// Each pixel the mean of itself and its eight neighbours.
    pub(super) fn blurred(&self) -> Self {
        let mut sums: Vec<Zeroizing<Vec<u16>>> = Vec::with_capacity(self.height);
        for row in self.pixels.chunks_exact(self.width) {
            let before = row.first().into_iter().chain(row);
            let after = row.iter().skip(1).chain(row.last());
            let sum =
                before.zip(row).zip(after).map(|((b, p), a)| u16::from(*b) + u16::from(*p) + u16::from(*a));
            sums.push(Zeroizing::new(sum.collect()));
        }
        let mut pixels = Zeroizing::new(Vec::with_capacity(self.len()));
        let before = sums.first().into_iter().chain(&sums);
        let after = sums.iter().skip(1).chain(sums.last());
        for ((b, row), a) in before.zip(&sums).zip(after) {
            let nine = b.iter().zip(row.iter()).zip(a.iter()).map(|((b, p), a)| b + p + a);
            pixels.extend(nine.map(|n| low_byte(u32::from(n) / 9)));
        }
        Self { width: self.width, height: self.height, pixels }
    }

    /// How much each pixel differs from the mean of the square of `2 * reach + 1` pixels around it, `gain`
    /// times, from middle grey. A far reach evens out shadows, a near one sharpens.
    pub(super) fn evened(&self, reach: usize, gain: i64) -> Self {
        let reach = reach.min(FARTHEST);
        let mut columns = Zeroizing::new(vec![0_u32; self.width]);
        let mut pixels = Zeroizing::new(Vec::with_capacity(self.len()));
        let row = |y: usize| self.pixels.chunks_exact(self.width).nth(y).unwrap_or_default();
        let mut rows = 0;
        for y in 0..(self.height + reach) {
            if y < self.height {
                rows += 1;
                columns.iter_mut().zip(row(y)).for_each(|(sum, p)| *sum += u32::from(*p));
            }
            if let Some(last) = y.checked_sub(2 * reach + 1) {
                rows -= 1;
                columns.iter_mut().zip(row(last)).for_each(|(sum, p)| *sum -= u32::from(*p));
            }
            let Some(middle) = y.checked_sub(reach) else { continue };
            let mut sum: u32 = columns.iter().take(reach).sum();
            let mut wide = u32::try_from(reach.min(self.width)).unwrap_or(0);
            let entering = columns.iter().skip(reach).map(Some).chain(std::iter::repeat(None));
            let leaving = std::iter::repeat_n(None, reach + 1).chain(columns.iter().map(Some));
            for ((pixel, comes), goes) in row(middle).iter().zip(entering).zip(leaving) {
                if let Some(column) = comes {
                    sum += column;
                    wide += 1;
                }
                if let Some(column) = goes {
                    sum -= column;
                    wide -= 1;
                }
                let mean = i64::from(sum / (rows * wide).max(1));
                let level = 128 + (i64::from(*pixel) - mean) * gain;
                pixels.push(u8::try_from(level.clamp(0, 255)).unwrap_or(0));
            }
        }
        Self { width: self.width, height: self.height, pixels }
    }

    fn map(&self, each: impl Fn(u8) -> u8) -> Self {
        let pixels = Zeroizing::new(self.pixels.iter().map(|p| each(*p)).collect());
        Self { width: self.width, height: self.height, pixels }
    }
}

/// The level at which more than `few` pixels have been counted.
fn reached<'a>(few: usize, mut counts: impl Iterator<Item = (u32, &'a usize)>) -> u32 {
    let mut seen = 0;
    let level = counts.find(|(_, count)| {
        seen += **count;
        seen > few
    });
    level.map_or(0, |(level, _)| level)
}

fn mostly(three: u8, one: u8) -> u8 {
    low_byte((3 * u32::from(three) + u32::from(one) + 2) / 4)
}

fn low_byte(level: u32) -> u8 {
    u8::try_from(level).unwrap_or(255)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u32, rows: &[u8]) -> Grey {
        let height = u32::try_from(rows.len()).unwrap() / width;
        Grey::of(Luma { width, height, stride: width, pixels: rows }).unwrap()
    }

    #[test]
    fn sizes_that_contradict_the_bytes_are_no_picture() {
        let of = |width, height, stride, len| {
            Grey::of(Luma { width, height, stride, pixels: &vec![0; len] }).is_some()
        };
        assert!(of(2, 2, 2, 4));
        assert!(of(2, 2, 3, 5), "the last row may end with its last pixel");
        assert!(!of(2, 2, 2, 3));
        assert!(!of(2, 2, 1, 4));
        assert!(!of(0, 2, 2, 4));
        assert!(!of(2, 0, 2, 4));
        assert!(!of(u32::MAX, u32::MAX, u32::MAX, 16));
    }

    #[test]
    fn a_stride_is_left_out() {
        let padded = [1, 2, 99, 3, 4, 99];
        let grey = Grey::of(Luma { width: 2, height: 2, stride: 3, pixels: &padded }).unwrap();
        assert_eq!(grey.pixels(), [1, 2, 3, 4]);
    }

    #[test]
    fn scaled_and_cut() {
        let half = grey(4, &[0, 4, 8, 8, 4, 8, 8, 8]).halved();
        assert_eq!((half.width(), half.height(), half.pixels()), (2, 1, &[4, 8][..]));
        let odd = grey(3, &[1, 1, 9, 1, 1, 9, 9, 9, 9]).halved();
        assert_eq!((odd.width(), odd.height(), odd.pixels()), (1, 1, &[1][..]));
        let double = grey(2, &[0, 100]).doubled();
        assert_eq!((double.width(), double.height()), (4, 2));
        assert_eq!(double.pixels(), [0, 25, 75, 100, 0, 25, 75, 100]);
        let middle = grey(4, &(0..16).collect::<Vec<u8>>()).middle();
        assert_eq!((middle.width(), middle.height(), middle.pixels()), (2, 2, &[5, 6, 9, 10][..]));
    }

    #[test]
    fn contrast() {
        assert_eq!(grey(2, &[100, 150]).stretched().pixels(), [0, 255]);
        assert_eq!(grey(2, &[7, 7]).stretched().pixels(), [0, 0]);
        assert_eq!(grey(2, &[0, 200]).inverted().pixels(), [255, 55]);
        assert_eq!(grey(3, &[0, 0, 0, 0, 90, 0, 0, 0, 0]).blurred().pixels(), [10; 9]);
    }

    #[test]
    fn a_shadow_is_evened_out() {
        // Left half in the light, right half in the shade, one dark pixel in each.
        let row = [200, 200, 150, 200, 200, 60, 60, 45, 60, 60].repeat(5);
        let even = grey(10, &row).evened(1, 8);
        assert_eq!(even.len(), 50);
        let levels = |x: usize| even.pixels().iter().skip(x).step_by(10).copied().collect::<Vec<u8>>();
        for (dark, paper) in [(2, 0), (7, 9)] {
            assert_eq!(levels(paper), [128; 5]);
            assert!(levels(dark).iter().all(|level| *level < 60), "{:?}", levels(dark));
        }
    }

    #[test]
    fn the_mean_at_an_edge_is_of_what_there_is() {
        let flat = grey(4, &[90; 16]);
        for reach in [0, 1, 3, 4, 9, 1000] {
            assert_eq!(flat.evened(reach, 4).pixels(), [128; 16], "{reach}");
        }
        // Left of the edge 10, right of it 30: the mean at the edge is 20, two pixels away none of it is.
        let step = grey(6, &[10, 10, 10, 30, 30, 30]);
        assert_eq!(step.evened(1, 3).pixels(), [128, 128, 110, 149, 128, 128]);
    }
}
