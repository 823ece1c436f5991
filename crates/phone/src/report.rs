//! Figures of the voice path, in the words of the shells.

use std::time::Duration;

use crate::{CallReport, Quality};

/// Without a packet for this long, nothing is arriving.
const NOTHING_AFTER: Duration = Duration::from_secs(2);

/// Figures as they cross the IPC.
pub(crate) fn report(figures: &media::Report) -> CallReport {
    CallReport {
        rx_packets: figures.rx_packets,
        tx_packets: figures.tx_packets,
        lost: figures.lost,
        late: figures.late,
        concealed_ms: figures.concealed_ms,
        jitter_ms: figures.jitter_ms,
        delay_ms: figures.delay_ms,
        rtt_ms: figures.rtt_ms,
        mos: figures.mos,
        quality: quality(figures.best_mos - figures.mos, figures.media_silent_for),
        level_in: figures.level_in,
        level_out: figures.level_out,
        way: figures.way,
    }
}

/// In words, by how much is lacking to what the codec can give.
pub(crate) fn quality(lacking: f32, silent_for: Duration) -> Quality {
    match lacking {
        _ if silent_for >= NOTHING_AFTER => Quality::Nothing,
        lacking if lacking <= 0.6 => Quality::Clear,
        lacking if lacking <= 1.4 => Quality::Choppy,
        _ => Quality::Breaking,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_on_the_line_outweighs_a_good_estimate() {
        assert_eq!(quality(0.1, Duration::from_millis(40)), Quality::Clear);
        assert_eq!(quality(1.0, Duration::ZERO), Quality::Choppy);
        assert_eq!(quality(2.4, Duration::ZERO), Quality::Breaking);
        assert_eq!(quality(0.1, Duration::from_secs(3)), Quality::Nothing);
    }
}
