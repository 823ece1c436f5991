use sonora::three_band_filter_bank::ThreeBandFilterBank;
use sonora_aec3::block::Block;
use sonora_aec3::block_processor::BlockProcessor;
use sonora_aec3::config::EchoCanceller3Config;

use super::EchoFigures;
use super::banded::{BAND, BANDS, Bands};
use super::switch::Stage;
use crate::{FRAME, RATE};

/// Samples of a band that the canceller works on at once: 4 ms.
const BLOCK: usize = 64;
/// Samples of delay that turn frames of 160 into blocks of 64 and back: their greatest common divisor less than
/// a block.
const LEAD: usize = 32;

/// Takes away what the microphone hears of the speaker. Delays the voice by 6 ms.
pub(super) struct Echo {
    canceller: Box<BlockProcessor>,
    bank: Box<ThreeBandFilterBank>,
    render: Blocks,
    capture: Blocks,
    /// Processed and not handed on yet, by band.
    ready: [Ready; BANDS],
    /// The microphone is too loud for its converter.
    pub(super) saturated: bool,
}

impl Echo {
    pub(super) fn new() -> Self {
        let config = config();
        Self {
            canceller: Box::new(BlockProcessor::new(&config, RATE as usize, 1, 1)),
            bank: Box::default(),
            render: Blocks::new(),
            capture: Blocks::new(),
            ready: std::array::from_fn(|_| Ready::new()),
            saturated: false,
        }
    }

    pub(super) fn render(&mut self, frame: &[i16; FRAME]) {
        let mut sound = [0.0; FRAME];
        sound.iter_mut().zip(frame).for_each(|(sound, sample)| *sound = f32::from(*sample));
        let mut bands = [[0.0; BAND]; BANDS];
        self.bank.analysis(&sound, &mut bands);
        self.render.cut(&bands, |block| self.canceller.buffer_render(block));
    }

    pub(super) fn figures(&self) -> EchoFigures {
        let metrics = self.canceller.get_metrics();
        EchoFigures {
            enhancement_db: metrics.echo_return_loss_enhancement as f32,
            delay_ms: u32::try_from(metrics.delay_ms).unwrap_or(0),
        }
    }
}

impl Stage<Bands> for Echo {
    fn process(&mut self, sound: &mut Bands) {
        let Self { canceller, capture, ready, saturated, .. } = self;
        capture.cut(sound, |block| {
            canceller.process_capture(false, *saturated, None, block);
            for (band, ready) in ready.iter_mut().enumerate() {
                ready.add(block.view(band, 0));
            }
        });
        sound.iter_mut().zip(ready).for_each(|(band, ready)| ready.take(band));
    }
}

/// Tuned by `cargo xtask bench echo`.
fn config() -> EchoCanceller3Config {
    let mut config = EchoCanceller3Config::default();
    // 80 ms of the way are subtracted instead of 52: a bare room rings longer.
    let filter = &mut config.filter;
    (filter.refined.length_blocks, filter.coarse.length_blocks) = (20, 20);
    (filter.refined_initial.length_blocks, filter.coarse_initial.length_blocks) = (19, 19);
    // And what rings on after that fades more slowly than in a furnished one.
    config.ep_strength.default_len = 0.92;
    // How far the subtraction is trusted: further, and a speaker that distorts is heard; less, and a voice that speaks
    // at the same time is cut up.
    (config.erle.max_l, config.erle.max_h) = (6.0, 2.0);
    // Where somebody here speaks, his voice covers what rings on, in the high bands as well as in the low ones.
    config.ep_strength.nearend_len = 0.5;
    let nearend = &mut config.suppressor.nearend_tuning;
    (nearend.mask_hf.enr_transparent, nearend.mask_hf.enr_suppress) = (1.09, 1.1);
    config
}

/// Frames on their way to blocks.
struct Blocks {
    block: Block,
    filled: usize,
}

impl Blocks {
    fn new() -> Self {
        Self { block: Block::new(BANDS, 1), filled: 0 }
    }

    /// Hands every block on that becomes full.
    fn cut(&mut self, frame: &Bands, mut full: impl FnMut(&mut Block)) {
        let mut from = 0;
        while from < BAND {
            let count = (BLOCK - self.filled).min(BAND - from);
            for (n, band) in frame.iter().enumerate() {
                let new = band.iter().skip(from).take(count);
                let place = self.block.view_mut(n, 0).iter_mut().skip(self.filled);
                place.zip(new).for_each(|(place, sample)| *place = *sample);
            }
            from += count;
            self.filled += count;
            if self.filled == BLOCK {
                self.filled = 0;
                full(&mut self.block);
            }
        }
    }
}

/// Blocks of one band on their way back to frames.
struct Ready {
    samples: [f32; LEAD + 3 * BLOCK],
    count: usize,
}

impl Ready {
    fn new() -> Self {
        Self { samples: [0.0; LEAD + 3 * BLOCK], count: LEAD }
    }

    fn add(&mut self, block: &[f32]) {
        let place = self.samples.iter_mut().skip(self.count);
        place.zip(block).for_each(|(place, sample)| *place = *sample);
        self.count = (self.count + BLOCK).min(self.samples.len());
    }

    fn take(&mut self, frame: &mut [f32; BAND]) {
        frame.iter_mut().zip(&self.samples).for_each(|(sample, ready)| *sample = *ready);
        self.samples.copy_within(BAND.., 0);
        self.count = self.count.saturating_sub(BAND);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_go_through_blocks_and_come_back_whole() {
        let (mut blocks, mut ready) = (Blocks::new(), Ready::new());
        for frame in 0..20 {
            let number = |n| (frame * BAND + n) as f32;
            let bands: Bands = std::array::from_fn(|_| std::array::from_fn(number));
            blocks.cut(&bands, |block| ready.add(block.view(1, 0)));
            let mut out = [0.0; BAND];
            ready.take(&mut out);
            let expected: [f32; BAND] = std::array::from_fn(|n| (number(n) - LEAD as f32).max(0.0));
            assert_eq!(out, expected);
        }
    }
}
