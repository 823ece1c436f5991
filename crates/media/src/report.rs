use std::time::Duration;

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
    /// Estimated quality of what is heard here, 1 to 5.
    pub mos: f32,
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
            level_in: 0,
            level_out: 0,
            digits: Vec::new(),
            media_silent_for: Duration::ZERO,
            remote_left: false,
            protected: Protected::NOTHING_YET,
            refused: 0,
        }
    }
}

/// Samples as whole milliseconds.
pub(crate) fn milliseconds(samples: u64) -> u32 {
    u32::try_from(samples / 48).unwrap_or(u32::MAX)
}

/// Level of a peak in steps of 0.6 dB: 0 is -60 dBFS and less, 100 is full scale.
pub(crate) fn level(peak: u16) -> u8 {
    let db = 20.0 * (f32::from(peak.max(1)) / 32_768.0).log10();
    ((db + 60.0) / 0.6).clamp(0.0, 100.0).round() as u8
}

/// Delay of the parts that nobody measures, one way in milliseconds: packet, codec and sound cards.
const FIXED_DELAY_MS: f32 = 50.0;

/// An estimate of the listening quality after the E-model (ITU-T G.107): base value 93.2, less for delay (the
/// usual piecewise form of Id) and for loss, Ie,eff = 95 · P / (P + B).
///
/// P is not the packets lost but the share of sound, in percent, that was invented, plus a fifth of what FEC
/// brought back and half of what DRED rebuilt. B = 10.5 fits PESQ-WB of libopus 1.6.1 with deep concealment at 32 kbit/s within 0.25 at 5, 10
/// and 20 % random loss, with and without FEC. It serves for G.711 too, whose concealment is weaker than the
/// B = 25.1 of ITU-T G.113 on real speech.
pub(crate) fn mos(impairment: f32, network_one_way_ms: f32, buffer_ms: f32) -> f32 {
    let delay = network_one_way_ms + buffer_ms + FIXED_DELAY_MS;
    let delay_impairment = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
    let loss = 100.0 * impairment;
    let rating = (93.2 - delay_impairment - 95.0 * loss / (loss + 10.5)).clamp(0.0, 100.0);
    (1.0 + 0.035 * rating + 7e-6 * rating * (rating - 60.0) * (100.0 - rating)).clamp(1.0, 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mos_follows_the_measurements() {
        // (invented, brought back, PESQ-WB measured) at 32 kbit/s.
        for (invented, recovered, measured) in
            [(0.05, 0.0, 3.1), (0.1, 0.0, 2.4), (0.2, 0.0, 1.7), (0.01, 0.09, 3.7), (0.0025, 0.0475, 4.1)]
        {
            let estimate = mos(invented + 0.2 * recovered, 0.0, 20.0);
            assert!((estimate - measured).abs() < 0.25, "{invented}: {estimate} for {measured}");
        }
        assert!(mos(0.0, 0.0, 20.0) > 4.3);
        assert!(mos(0.0, 300.0, 60.0) < 3.6, "delay costs");
        assert!(mos(1.0, 0.0, 0.0) < 1.2);
    }

    #[test]
    fn levels() {
        assert_eq!((level(0), level(32), level(1036), level(32_768)), (0, 0, 50, 100));
    }
}
