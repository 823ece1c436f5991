use std::net::SocketAddr;
use std::time::Instant;

use thiserror::Error;

use crate::sdp::Negotiated;
use crate::{CodecError, Digit, FRAME, Report};

/// Which of the two local ports a datagram belongs to. With both on one port they are the same socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// The port offered for RTP.
    Rtp,
    /// The port offered for RTCP.
    Rtcp,
}

/// A datagram to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Destination.
    pub to: SocketAddr,
    /// Local port it leaves from.
    pub from_port: Channel,
    /// The datagram.
    pub bytes: Vec<u8>,
}

/// Why a voice path cannot start.
#[derive(Debug, Error)]
pub enum MediaError {
    /// The codec cannot be made.
    #[error("codec: {0}")]
    Codec(#[from] CodecError),
}

/// One running voice path.
///
/// The driver calls [`capture`](Self::capture) and [`play`](Self::play) every 10 ms, [`receive`](Self::receive)
/// for every datagram that arrives on either port, and drains [`poll_transmit`](Self::poll_transmit) after
/// each of these and at [`next_deadline`](Self::next_deadline).
pub struct Session {}

impl Session {
    /// Starts the voice path that was negotiated. `seed` is random: SSRC, sequence numbers, timestamps and
    /// CNAME come out of it (RFC 3550, section 5.1; RFC 7022).
    ///
    /// # Errors
    /// The codec cannot be made (out of memory).
    pub fn new(_negotiated: &Negotiated, _seed: u64, _now: Instant) -> Result<Session, MediaError> {
        Ok(Session {})
    }

    /// Goes on with what was negotiated anew.
    ///
    /// # Errors
    /// A codec that has become necessary cannot be made.
    pub fn renegotiate(&mut self, _negotiated: &Negotiated, _now: Instant) -> Result<(), MediaError> {
        Ok(())
    }

    /// Takes 10 ms from the microphone. Full packets become ready for [`poll_transmit`](Self::poll_transmit).
    pub fn capture(&mut self, _now: Instant, _frame: &[i16; FRAME]) {}

    /// Gives 10 ms for the speaker. Always fills `out`: decoded, concealed, stretched, or silence.
    pub fn play(&mut self, _now: Instant, out: &mut [i16; FRAME]) {
        out.fill(0);
    }

    /// Takes a datagram, RTP or RTCP, from either port. Hostile bytes are dropped.
    pub fn receive(&mut self, _now: Instant, _from: SocketAddr, _bytes: &[u8]) {}

    /// The next datagram that is due. Call until it gives `None`.
    pub fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit> {
        None
    }

    /// When [`poll_transmit`](Self::poll_transmit) has something to send by itself (RTCP, digits).
    pub fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// Sends silence in place of the microphone, or goes on with the microphone.
    pub fn set_muted(&mut self, _muted: bool) {}

    /// Sends a digit after those still under way (RFC 4733). Without telephone-event on the other side it is
    /// dropped and the answer is `false`.
    pub fn send_digit(&mut self, _now: Instant, _digit: Digit) -> bool {
        false
    }

    /// Says goodbye: an RTCP BYE becomes ready for [`poll_transmit`](Self::poll_transmit), nothing after it.
    pub fn close(&mut self, _now: Instant) {}

    /// The figures as they stand. Levels and digits begin anew with each report.
    pub fn report(&mut self, _now: Instant) -> Report {
        Report {
            rx_packets: 0,
            tx_packets: 0,
            lost: 0,
            late: 0,
            concealed_ms: 0,
            jitter_ms: 0.0,
            delay_ms: 0.0,
            rtt_ms: None,
            mos: 1.0,
            level_in: 0,
            level_out: 0,
            digits: Vec::new(),
            media_silent_for: std::time::Duration::ZERO,
            remote_left: false,
        }
    }
}
