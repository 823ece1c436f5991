use std::time::Duration;

use crate::path::Way;
use crate::{Digit, FarEnd, Protected};

/// Figures of a running [`Session`](crate::Session).
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// RTP packets received and taken.
    pub rx_packets: u32,
    /// RTP packets sent.
    pub tx_packets: u32,
    /// Packets that never came (RFC 3550, appendix A.3).
    pub lost: u32,
    /// Packets that came too late to be played.
    pub late: u32,
    /// Sound invented in place of missing packets, milliseconds. What FEC or DRED brought back does not count.
    pub concealed_ms: u32,
    /// Sound brought back out of the packet after it (in-band FEC), milliseconds.
    pub fec_ms: u32,
    /// Sound rebuilt out of a later packet (DRED), milliseconds.
    pub dred_ms: u32,
    /// Sound put in by stretching, to gain delay, milliseconds.
    pub lengthened_ms: u32,
    /// Sound taken out by stretching, to lose delay, milliseconds.
    pub shortened_ms: u32,
    /// Interarrival jitter (RFC 3550, section 6.4.1), milliseconds.
    pub jitter_ms: f32,
    /// Delay added by the jitter buffer, milliseconds.
    pub delay_ms: f32,
    /// Delay the jitter buffer aims at, milliseconds.
    pub target_ms: f32,
    /// Of this, the time later packets are waited for so that lost ones can be repaired, milliseconds.
    pub look_ahead_ms: f32,
    /// Round trip by RTCP, milliseconds.
    pub rtt_ms: Option<f32>,
    /// What the other side tells of what it hears; none before its first RTCP report.
    pub far: Option<FarEnd>,
    /// Estimated quality of what is heard here, 1 to 5 (fitted to PESQ-WB).
    pub mos: f32,
    /// The same estimate for this codec without loss and delay.
    pub best_mos: f32,
    /// Peak level of their voice since the last report, 0 to 100 (-60 dBFS to 0 dBFS).
    pub level_in: u8,
    /// Peak level of our voice as sent since the last report, 0 to 100 (-60 dBFS to 0 dBFS).
    pub level_out: u8,
    /// Digits received since the last report.
    pub digits: Vec<Digit>,
    /// Time since the last RTP packet was taken, or since the session began.
    pub media_silent_for: Duration,
    /// The other side said goodbye (RTCP BYE).
    pub remote_left: bool,
    /// How it stands with the protection of both directions.
    pub protected: Protected,
    /// Packets that were not authentic, or came before the keys, where protection was agreed on.
    pub refused: u32,
    /// How round the way of the media is.
    pub way: Way,
}

impl Report {
    /// Before anything has happened.
    pub const fn nothing_yet() -> Report {
        Report {
            rx_packets: 0,
            tx_packets: 0,
            lost: 0,
            late: 0,
            concealed_ms: 0,
            fec_ms: 0,
            dred_ms: 0,
            lengthened_ms: 0,
            shortened_ms: 0,
            jitter_ms: 0.0,
            delay_ms: 0.0,
            target_ms: 0.0,
            look_ahead_ms: 0.0,
            rtt_ms: None,
            far: None,
            mos: 1.0,
            best_mos: 1.0,
            level_in: 0,
            level_out: 0,
            digits: Vec::new(),
            media_silent_for: Duration::ZERO,
            remote_left: false,
            protected: Protected::Off,
            refused: 0,
            way: Way::Plain,
        }
    }
}

/// Samples as whole milliseconds.
pub(crate) fn milliseconds(samples: u64) -> u32 {
    u32::try_from(samples / 48).unwrap_or(u32::MAX)
}

/// Level of a peak in steps of 0.6 dB: 0 is -60 dBFS and less, 100 is full scale.
pub fn level(peak: u16) -> u8 {
    let db = 20.0 * (f32::from(peak.max(1)) / 32_768.0).log10();
    ((db + 60.0) / 0.6).clamp(0.0, 100.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        assert_eq!((level(0), level(32), level(1036), level(32_768)), (0, 0, 50, 100));
    }
}
