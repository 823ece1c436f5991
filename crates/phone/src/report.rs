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
        quality: quality(figures.mos, figures.media_silent_for),
        level_in: figures.level_in,
        level_out: figures.level_out,
    }
}

fn quality(mos: f32, silent_for: Duration) -> Quality {
    match mos {
        _ if silent_for >= NOTHING_AFTER => Quality::Nothing,
        m if m >= 3.8 => Quality::Clear,
        m if m >= 3.0 => Quality::Choppy,
        _ => Quality::Breaking,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_on_the_line_outweighs_a_good_estimate() {
        assert_eq!(quality(4.4, Duration::from_millis(40)), Quality::Clear);
        assert_eq!(quality(3.4, Duration::ZERO), Quality::Choppy);
        assert_eq!(quality(2.0, Duration::ZERO), Quality::Breaking);
        assert_eq!(quality(4.4, Duration::from_secs(3)), Quality::Nothing);
    }
}
