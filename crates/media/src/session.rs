use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use thiserror::Error;

use crate::control::Control;
use crate::demux::Protocol;
use crate::far_end::FarEndReports;
use crate::jitter::Ticks;
use crate::protect::{Protected, Protector};
use crate::quality;
use crate::receiver::Receiver;
use crate::report::{level, milliseconds};
use crate::rtcp::{self, Item};
use crate::rtcp_xr;
use crate::rtp::{self, Packet};
use crate::sdp::Negotiated;
use crate::sender::Sender;
use crate::{CodecError, Digit, FRAME, Report};

/// Datagrams kept for a driver that does not fetch them.
const MOST_QUEUED: usize = 64;

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
pub struct Session {
    epoch: Instant,
    random: StdRng,
    sender: Sender,
    receiver: Receiver,
    control: Control,
    protector: Protector,
    far_end: FarEndReports,
    remote_rtcp: SocketAddr,
    /// RTP and RTCP share one port.
    rtcp_mux: bool,
    /// Where RTCP of the source that is heard really came from.
    heard_rtcp: Option<SocketAddr>,
    queue: VecDeque<Transmit>,
    sent: u32,
    /// Our SSRC was changed because the other side used it too; a second time it is an echo of ours.
    collided: bool,
    closed: bool,
    /// The other side is one of ours, and makes use of knowing which packets were lost.
    tells_losses: bool,
    /// The other side wants to know how its voice is heard (RFC 3611, section 5).
    tells_metrics: bool,
}

impl Session {
    /// Starts the voice path that was negotiated. `seed` is random: SSRC, sequence numbers, timestamps and
    /// CNAME come out of it (RFC 3550, section 5.1; RFC 7022).
    ///
    /// # Errors
    /// The codec cannot be made (out of memory).
    pub fn new(negotiated: &Negotiated, seed: u64, now: Instant) -> Result<Session, MediaError> {
        let mut random = StdRng::seed_from_u64(seed);
        // The upper half is left to wrap-around later in the call (RFC 3711, section 3.3.1 wants it so).
        let seq = random.random::<u16>() >> 1;
        let sender = Sender::new(negotiated, random.random(), seq, random.random())?;
        Ok(Session {
            epoch: now,
            sender,
            receiver: Receiver::new(negotiated)?,
            control: Control::new(now, &mut random),
            protector: Protector::new(negotiated.protection.as_ref(), now),
            far_end: FarEndReports::default(),
            remote_rtcp: negotiated.remote_rtcp,
            rtcp_mux: negotiated.rtcp_mux,
            heard_rtcp: None,
            queue: VecDeque::new(),
            sent: 0,
            collided: false,
            closed: false,
            tells_losses: negotiated.opus.dred,
            tells_metrics: negotiated.voip_metrics,
            random,
        })
    }

    /// Goes on with what was negotiated anew.
    ///
    /// # Errors
    /// A codec that has become necessary cannot be made; what was before goes on.
    pub fn renegotiate(&mut self, negotiated: &Negotiated, now: Instant) -> Result<(), MediaError> {
        self.sender.renegotiate(negotiated, self.random.random())?;
        self.receiver.renegotiate(negotiated);
        self.tells_losses = negotiated.opus.dred;
        self.tells_metrics = negotiated.voip_metrics;
        self.protector.renegotiate(negotiated.protection.as_ref(), now);
        self.rtcp_mux = negotiated.rtcp_mux;
        if self.remote_rtcp != negotiated.remote_rtcp {
            self.remote_rtcp = negotiated.remote_rtcp;
            self.heard_rtcp = None;
        }
        Ok(())
    }

    /// Takes 10 ms from the microphone. Full packets become ready for [`poll_transmit`](Self::poll_transmit).
    pub fn capture(&mut self, now: Instant, frame: &[i16; FRAME]) {
        if self.closed {
            return;
        }
        if let Some(bytes) = self.sender.capture(now, frame) {
            self.queue_rtp(bytes);
        }
    }

    /// Gives 10 ms for the speaker. Always fills `out`: decoded, concealed, stretched, or silence.
    pub fn play(&mut self, now: Instant, out: &mut [i16; FRAME]) {
        let ticks = self.ticks(now);
        self.receiver.play(ticks, out);
    }

    /// Takes a datagram, RTP or RTCP, from either port. Hostile bytes are dropped.
    pub fn receive(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        if self.closed {
            return;
        }
        match Protocol::of(bytes) {
            Protocol::Rtp => {}
            Protocol::Dtls => return self.protector.shake(now, from, self.receiver.destination(), bytes),
            _ => return,
        }
        let Some(clear) = self.open(now, from, bytes) else { return };
        if rtp::is_rtcp(&clear) {
            if let Some(items) = rtcp::parse(&clear) {
                self.receive_control(now, from, &items);
            }
        } else if let Some(packet) = Packet::parse(&clear) {
            if packet.ssrc == self.sender.ssrc {
                self.collide(now, from);
            }
            let ticks = self.ticks(now);
            self.receiver.receive(now, ticks, from, &packet);
        }
    }

    /// The next datagram that is due. Call until it gives `None`.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        if !self.closed {
            while let Some((to, bytes)) = self.protector.poll_transmit(now) {
                let to = to.unwrap_or(self.receiver.destination());
                self.queue(Transmit { to, from_port: Channel::Rtp, bytes });
            }
            if let Some(bytes) = self.sender.poll_event(now) {
                self.queue_rtp(bytes);
            }
            if self.control.due(now, &mut self.random) {
                self.queue_control(now, false);
            }
        }
        self.queue.pop_front()
    }

    /// When [`poll_transmit`](Self::poll_transmit) has something to send by itself (RTCP, digits).
    pub fn next_deadline(&self) -> Option<Instant> {
        if self.closed {
            return None;
        }
        let handshake = self.protector.next_deadline();
        self.sender.next_event().into_iter().chain(self.control.next()).chain(handshake).min()
    }

    /// Sends a digit after those still under way (RFC 4733): 100 ms of tone, at least 70 ms of silence. `false`: it is
    /// not sent, because the other side takes no telephone-event or our sound is on hold.
    pub fn send_digit(&mut self, now: Instant, digit: Digit) -> bool {
        !self.closed && self.sender.send_digit(now, digit)
    }

    /// Sends a digit as tones in the place of our voice (ITU-T Q.23), as long as those of
    /// [`send_digit`](Self::send_digit). `false`: our sound is on hold.
    pub fn send_digit_in_band(&mut self, digit: Digit) -> bool {
        !self.closed && self.sender.send_in_band(digit)
    }

    /// Says goodbye: an RTCP BYE becomes ready for [`poll_transmit`](Self::poll_transmit), nothing after it.
    pub fn close(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        self.queue_control(now, true);
        self.control.stop();
        self.closed = true;
    }

    /// How it stands with its protection.
    pub fn protected(&self) -> Protected {
        self.protector.state()
    }

    /// The figures as they stand. Levels and digits begin anew with each report.
    pub fn report(&mut self, now: Instant) -> Report {
        let rtt_ms = self.control.rtt_ms();
        let delay_ms = self.receiver.delay_ms();
        let heard = self.receiver.heard();
        let done = self.receiver.figures();
        let (target_ms, look_ahead_ms) = self.receiver.target_ms();
        let mos = match heard {
            Some(_) => quality::score(
                self.receiver.codec(),
                self.receiver.impairment(),
                rtt_ms.unwrap_or(0.0) / 2.0,
                delay_ms,
            ),
            None => 1.0,
        };
        Report {
            rx_packets: self.receiver.packets(),
            tx_packets: self.sent,
            lost: self.receiver.lost(),
            late: done.late,
            concealed_ms: milliseconds(done.concealed),
            fec_ms: milliseconds(done.recovered),
            dred_ms: milliseconds(done.rebuilt),
            lengthened_ms: milliseconds(done.lengthened),
            shortened_ms: milliseconds(done.shortened),
            jitter_ms: self.receiver.jitter_ms(),
            delay_ms,
            target_ms,
            look_ahead_ms,
            rtt_ms,
            far: self.far_end.get(now),
            mos,
            best_mos: quality::best(self.receiver.codec()),
            level_in: level(self.receiver.take_peak()),
            level_out: level(self.sender.take_peak()),
            digits: self.receiver.take_digits(),
            media_silent_for: now.saturating_duration_since(heard.unwrap_or(self.epoch)),
            remote_left: self.control.remote_left,
            way: crate::path::Way::Plain,
            protected: self.protector.state(),
            refused: self.protector.refused(),
        }
    }

    fn ticks(&self, now: Instant) -> Ticks {
        let nanoseconds = now.saturating_duration_since(self.epoch).as_nanos();
        Ticks::try_from(nanoseconds * 48 / 1_000_000).unwrap_or(Ticks::MAX)
    }

    /// What a datagram says, authenticated and decrypted where that was agreed on. Who could not be heard anyway does
    /// not get as far as that.
    fn open<'a>(&mut self, now: Instant, from: SocketAddr, bytes: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        if !self.protector.is_agreed() {
            return Some(Cow::Borrowed(bytes));
        }
        let admitted = match rtp::is_rtcp(bytes) {
            true => from.ip() == self.receiver.destination().ip() || from.ip() == self.remote_rtcp.ip(),
            false => self.receiver.admits(now, from, rtp::source_of(bytes)?),
        };
        if !admitted {
            return None;
        }
        self.protector.open(bytes).map(Cow::Owned)
    }

    fn receive_control(&mut self, now: Instant, from: SocketAddr, items: &[Item]) {
        self.note_far_end(now, from, items);
        let Some(remote) = self.receiver.ssrc() else { return };
        if self.receiver.sees_dred() {
            // Who sends it reads it too.
            self.sender.saw_dred();
            self.tells_losses = true;
        }
        for item in items {
            match *item {
                Item::Sender { ssrc, info } if ssrc == remote => self.control.note_sender_report(now, info),
                Item::Report { from, block } if from == remote && block.about == self.sender.ssrc => {
                    self.control.note_block(now, &block);
                    let percent = f32::from(block.fraction_lost) * 100.0 / 256.0;
                    self.sender.reported(now, percent, self.control.rtt_ms());
                }
                Item::Losses { from, about, lost, holes } if from == remote && about == self.sender.ssrc => {
                    self.sender.holes(lost, holes);
                }
                Item::Voip { from, about, metrics } if from == remote && about == self.sender.ssrc => {
                    self.far_end.note_voip(metrics);
                }
                Item::Bye { ssrc } if ssrc == remote => self.control.remote_left = true,
                _ => continue,
            }
            // The same host that the voice comes from, and it knows the voice's SSRC.
            if from.ip() == self.receiver.destination().ip() {
                self.heard_rtcp = Some(from);
            }
        }
    }

    /// Whether the other side hears us. It may say so before anything is heard of it, from where its RTCP is
    /// announced to come from, or by the name of our source, which nobody else knows.
    fn note_far_end(&mut self, now: Instant, from: SocketAddr, items: &[Item]) {
        let remote = self.receiver.ssrc();
        let theirs = |ssrc: u32| remote.is_none_or(|remote| remote == ssrc);
        let block = items.iter().find_map(|item| match item {
            Item::Report { from, block } if theirs(*from) && block.about == self.sender.ssrc => Some(block),
            _ => None,
        });
        let spoke = items.iter().any(|item| match item {
            Item::Sender { ssrc, .. } | Item::Receiver { ssrc } => theirs(*ssrc),
            _ => false,
        });
        let known = remote.is_some() || from.ip() == self.remote_rtcp.ip();
        if block.is_some() || (spoke && known) {
            self.far_end.note(now, block, self.sent, self.sender.clock_rate());
        }
    }

    /// Somebody uses our SSRC (RFC 3550, section 8.2): leave it. A line that echoes our packets as they are
    /// does so again and again, and is to be heard all the same.
    fn collide(&mut self, now: Instant, from: SocketAddr) {
        if self.collided || from != self.receiver.destination() {
            return;
        }
        self.collided = true;
        self.queue_control(now, true);
        self.sender.take_ssrc(self.random.random());
    }

    fn queue_rtp(&mut self, bytes: Vec<u8>) {
        let Some(bytes) = self.protector.protect(bytes) else { return };
        self.sent = self.sent.saturating_add(1);
        self.queue(Transmit { to: self.receiver.destination(), from_port: Channel::Rtp, bytes });
    }

    fn queue_control(&mut self, now: Instant, bye: bool) {
        let (last, since) = self.control.last_report(now);
        let block = self.receiver.block(last, since);
        let sent = (self.sender.packets, self.sender.octets, self.sender.rtp_time(now));
        let mut bytes = self.control.compose(now, self.sender.ssrc, sent, block, bye);
        if let (true, false, Some(block)) = (self.tells_losses, bye, block) {
            self.receiver.arrivals().write(&mut bytes, self.sender.ssrc, block.about);
        }
        if let (true, false, Some(block)) = (self.tells_metrics, bye, block) {
            let mut metrics = self.receiver.metrics();
            metrics.round_trip_ms = self.control.rtt_ms().unwrap_or(0.0) as u16;
            let one_way = self.control.rtt_ms().unwrap_or(0.0) / 2.0;
            let mos = quality::score(
                self.receiver.codec(),
                self.receiver.impairment(),
                one_way,
                self.receiver.delay_ms(),
            );
            metrics.mos = Some(mos);
            let span = self.receiver.take_span();
            rtcp_xr::write_metrics(&mut bytes, self.sender.ssrc, block.about, &metrics, span);
        }
        if self.protector.is_by_handshake() && !self.rtcp_mux {
            // Its own port would need an association of its own (RFC 5764, section 4.1.1).
            return;
        }
        let Some(bytes) = self.protector.protect(bytes) else { return };
        let to = self.heard_rtcp.unwrap_or(self.remote_rtcp);
        let from_port = if self.rtcp_mux { Channel::Rtp } else { Channel::Rtcp };
        self.queue(Transmit { to, from_port, bytes });
    }

    fn queue(&mut self, transmit: Transmit) {
        // A hold as of RFC 2543: systems take this address for their own.
        if transmit.to.ip().is_unspecified() {
            return;
        }
        if self.queue.len() == MOST_QUEUED {
            self.queue.pop_front();
        }
        self.queue.push_back(transmit);
    }
}

#[cfg(test)]
mod tests;
