use std::time::Duration;

use crate::Digit;

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
    /// Sound invented in place of missing packets, milliseconds. What FEC brought back does not count.
    pub concealed_ms: u32,
    /// Interarrival jitter (RFC 3550, section 6.4.1), milliseconds.
    pub jitter_ms: f32,
    /// Delay added by the jitter buffer, milliseconds.
    pub delay_ms: f32,
    /// Round trip by RTCP, milliseconds.
    pub rtt_ms: Option<f32>,
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
}
