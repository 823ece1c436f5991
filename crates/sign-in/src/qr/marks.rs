//! Counting the marks in the corners of codes, quickly and roughly. The decoders try how marks belong
//! together, three at a time: a picture full of them would keep them busy for minutes.

use super::grey::Grey;

/// Pixels to each side that the light of a pixel is judged by.
const REACH: usize = 32;

/// Black, white and black again in a row of pixels.
#[derive(Clone, Copy)]
struct Run {
    black: bool,
    start: usize,
    length: usize,
    /// The mean around its end.
    mean: u32,
}

/// How many marks there are, none of them counted twice; stops at `most`.
pub(super) fn marks(grey: &Grey, most: usize) -> usize {
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    let mut runs = Vec::new();
    for (y, row) in grey.pixels().chunks_exact(grey.width()).enumerate().step_by(2) {
        runs.clear();
        split(row, &mut runs);
        for five in runs.windows(5) {
            let [a, b, middle, d, e] = five else { continue };
            if !middle.black || !in_proportion([a.length, b.length, middle.length, d.length, e.length]) {
                continue;
            }
            let x = middle.start + middle.length / 2;
            let size = e.start + e.length - a.start;
            let known = |(mid_x, mid_y, size): &(usize, usize, usize)| {
                x.abs_diff(*mid_x) < size / 2 && y.abs_diff(*mid_y) < size / 2
            };
            if found.iter().any(known) || !stands(grey, x, y, middle.mean, size) {
                continue;
            }
            found.push((x, y, size));
            if found.len() >= most {
                return most;
            }
        }
    }
    found.len()
}

/// Splits a row where it goes from darker to lighter than its surroundings or back.
fn split(row: &[u8], runs: &mut Vec<Run>) {
    let mut sum: u32 = row.iter().take(REACH).map(|p| u32::from(*p)).sum();
    let mut wide = row.len().min(REACH) as u32;
    let entering = row.iter().skip(REACH).map(Some).chain(std::iter::repeat(None));
    let leaving = std::iter::repeat_n(None, REACH + 1).chain(row.iter().map(Some));
    for (x, ((pixel, comes), goes)) in row.iter().zip(entering).zip(leaving).enumerate() {
        if let Some(pixel) = comes {
            sum += u32::from(*pixel);
            wide += 1;
        }
        if let Some(pixel) = goes {
            sum -= u32::from(*pixel);
            wide -= 1;
        }
        let mean = sum / wide.max(1);
        let black = is_black(*pixel, mean);
        match runs.last_mut() {
            Some(run) if run.black == black => {
                run.length += 1;
                run.mean = mean;
            }
            _ => runs.push(Run { black, start: x, length: 1, mean }),
        }
    }
}

/// Whether runs are as long as 1, 1, 3, 1, 1 modules, roughly.
fn in_proportion(lengths: [usize; 5]) -> bool {
    let total: usize = lengths.iter().sum();
    let expected = [1, 1, 3, 1, 1];
    // Within half a module and one pixel.
    lengths
        .iter()
        .zip(expected)
        .all(|(length, modules)| (7 * length).abs_diff(modules * total) <= total / 2 + 7)
}

/// Whether what looks like a mark in its row looks so in its column and across, too.
fn stands(grey: &Grey, x: usize, y: usize, mean: u32, size: usize) -> bool {
    let black = |x: usize, y: usize| {
        let pixel = (x < grey.width()).then(|| grey.pixels().get(y * grey.width() + x)).flatten();
        pixel.map(|p| is_black(*p, mean))
    };
    // Black, white and black again from the middle outwards.
    let arm = |right: isize, down: isize| {
        let (mut at, mut lengths) = ((x, y), [0; 3]);
        for (length, wanted) in lengths.iter_mut().zip([true, false, true]) {
            while *length <= size && black(at.0, at.1) == Some(wanted) {
                *length += 1;
                let next = at.0.checked_add_signed(right).zip(at.1.checked_add_signed(down));
                let Some(next) = next else { return lengths };
                at = next;
            }
        }
        lengths
    };
    [(0, 1), (1, 1), (1, -1)].into_iter().all(|(right, down)| {
        let ([one, b, a], [other, d, e]) = (arm(-right, -down), arm(right, down));
        in_proportion([a, b, (one + other).saturating_sub(1), d, e])
    })
}

/// Darker than what is around it by more than the noise of a good camera.
fn is_black(pixel: u8, mean: u32) -> bool {
    u32::from(pixel) + 4 + mean / 12 < mean
}

#[cfg(test)]
mod tests {
    use super::super::Luma;
    use super::*;

    /// Marks of `module` pixels a module in rows and columns, one module and a half between them.
    fn full_of_marks(module: usize) -> Grey {
        let (width, height) = (320, 240);
        let pixels: Vec<u8> = (0..width * height)
            .map(|index| {
                let place = |at: usize| (at % (9 * module)) / module;
                let far = place(index % width).abs_diff(4).max(place(index / width).abs_diff(4));
                if far == 2 || far == 4 { 220 } else { 30 }
            })
            .collect();
        Grey::of(Luma { width: 320, height: 240, stride: 320, pixels: &pixels }).unwrap()
    }

    #[test]
    fn counts_marks_of_every_size() {
        for module in [1, 2, 3, 5] {
            let whole = (320 / (9 * module)) * (240 / (9 * module));
            let counted = marks(&full_of_marks(module), 10_000);
            assert!(counted >= whole * 9 / 10, "{counted} of {whole} at {module}");
        }
        assert_eq!(marks(&full_of_marks(3), 7), 7);
    }

    #[test]
    fn paper_and_stripes_have_none() {
        let flat = vec![200; 100 * 100];
        let stripes: Vec<u8> = (0..100 * 100).map(|i| if i % 100 / 3 % 2 == 0 { 0 } else { 255 }).collect();
        for pixels in [flat, stripes] {
            let grey = Grey::of(Luma { width: 100, height: 100, stride: 100, pixels: &pixels }).unwrap();
            assert_eq!(marks(&grey, 10), 0);
        }
    }
}
