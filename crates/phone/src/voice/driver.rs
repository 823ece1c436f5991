use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use devices::{FRAME, Sink, Source, Wake};
use media::sdp::Negotiated;
use media::{Channel, Report, Session};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};

use super::place::Place;
use super::{Device, Order, Sockets, VoiceError, VoiceEvent};
use crate::config::AudioConfig;

/// Time between two reports.
const REPORT: Duration = Duration::from_millis(200);
const WAKER: Token = Token(0);
const RTP: Token = Token(1);
const RTCP: Token = Token(2);
/// Largest datagram looked at; RTP and RTCP of a phone stay within an Ethernet frame.
const DATAGRAM: usize = 2048;
/// Datagrams taken in one turn: a flood must not keep the voice waiting.
const TURN: usize = 64;
/// Longest wait when there was more than that: a socket that only fails must not keep the processor busy.
const BREATH: Duration = Duration::from_millis(1);

/// Everything of one voice path; [`run`](Self::run) is its thread.
pub(super) struct Driver {
    poll: Poll,
    wake_up: WakeUp,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    session: Session,
    microphone: Place<Source>,
    speaker: Place<Sink>,
    orders: Receiver<Order>,
    tell: Box<dyn Fn(VoiceEvent) + Send>,
    datagram: Box<[u8; DATAGRAM]>,
}

/// Wakes the thread, once for any number of reasons.
#[derive(Clone)]
struct WakeUp {
    waker: Arc<Waker>,
    under_way: Arc<AtomicBool>,
}

impl WakeUp {
    fn for_devices(&self) -> Wake {
        let WakeUp { waker, under_way } = self.clone();
        Arc::new(move || {
            if !under_way.swap(true, Ordering::AcqRel) {
                // It can only fail where the thread is gone.
                waker.wake().ok();
            }
        })
    }
}

impl Driver {
    /// Opens the devices, the microphone first so that a recording begins when all is ready.
    pub(super) fn open(
        sockets: Sockets,
        negotiated: &Negotiated,
        audio: &AudioConfig,
        orders: Receiver<Order>,
        tell: Box<dyn Fn(VoiceEvent) + Send>,
    ) -> Result<Self, VoiceError> {
        let poll = Poll::new().map_err(VoiceError::Socket)?;
        let waker = Waker::new(poll.registry(), WAKER).map_err(VoiceError::Socket)?;
        let wake_up = WakeUp { waker: Arc::new(waker), under_way: Arc::default() };
        let register = |socket, token| -> io::Result<UdpSocket> {
            let mut socket = UdpSocket::from_std(socket);
            poll.registry().register(&mut socket, token, Interest::READABLE)?;
            Ok(socket)
        };
        let rtp = register(sockets.rtp, RTP).map_err(VoiceError::Socket)?;
        let rtcp = register(sockets.rtcp, RTCP).map_err(VoiceError::Socket)?;
        let session = Session::new(negotiated, rand::random(), Instant::now())?;
        let microphone =
            Place::open(&audio.microphone, wake_up.for_devices()).map_err(VoiceError::Microphone)?;
        let speaker = Place::open(&audio.speaker, wake_up.for_devices()).map_err(VoiceError::Speaker)?;
        let datagram = Box::new([0; DATAGRAM]);
        Ok(Self { poll, wake_up, rtp, rtcp, session, microphone, speaker, orders, tell, datagram })
    }

    /// Wakes the thread when an order was sent.
    pub(super) fn waker(&self) -> Arc<Waker> {
        self.wake_up.waker.clone()
    }

    /// The figures as they stand.
    pub(super) fn report(&mut self) -> Report {
        self.session.report(Instant::now())
    }

    /// Talks until told to stop; `last` always holds the latest figures.
    pub(super) fn run(mut self, last: &Mutex<Report>) -> Report {
        let mut events = Events::with_capacity(8);
        let mut report_at = Instant::now() + REPORT;
        // Datagrams may have come before the sockets were registered.
        let mut more = [self.receive(Channel::Rtp), self.receive(Channel::Rtcp)];
        while self.obey() {
            self.listen_to_microphone();
            self.feed_speaker();
            self.transmit();
            let now = Instant::now();
            self.microphone.look(now);
            self.speaker.look(now);
            if now >= report_at {
                // After a sleep of the machine one report is enough.
                report_at = (report_at + REPORT).max(now);
                let report = self.session.report(now);
                last.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&report);
                (self.tell)(VoiceEvent::Report(report));
            }
            let wait = match more {
                [false, false] => self.next_event(report_at).saturating_duration_since(Instant::now()),
                _ => BREATH,
            };
            match self.poll.poll(&mut events, Some(wait)) {
                Err(e) if e.kind() != ErrorKind::Interrupted => {
                    tracing::error!(error = %e, "the voice path cannot wait for packets");
                    break;
                }
                _ => {}
            }
            self.wake_up.under_way.store(false, Ordering::Release);
            let has = |token| events.iter().any(|event| event.token() == token);
            more = [
                (more[0] || has(RTP)) && self.receive(Channel::Rtp),
                (more[1] || has(RTCP)) && self.receive(Channel::Rtcp),
            ];
        }
        self.session.close(Instant::now());
        self.transmit();
        self.session.report(Instant::now())
    }

    fn next_event(&mut self, report_at: Instant) -> Instant {
        [
            self.session.next_deadline(),
            self.microphone.device().due(),
            self.speaker.device().due(),
            self.microphone.deadline(),
            self.speaker.deadline(),
        ]
        .into_iter()
        .flatten()
        .fold(report_at, Instant::min)
    }

    /// Does what was asked; `false` when that is to stop.
    fn obey(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Renegotiate(negotiated)) => {
                    if let Err(error) = self.session.renegotiate(&negotiated, Instant::now()) {
                        tracing::error!(%error, "the call goes on with what was agreed before");
                    }
                }
                Ok(Order::Mute(muted)) => self.session.set_muted(muted),
                Ok(Order::Digit(digit)) => {
                    if !self.session.send_digit(Instant::now(), digit) {
                        tracing::info!("the other side takes no digits");
                    }
                }
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) => return true,
            }
        }
    }

    fn listen_to_microphone(&mut self) {
        let mut frame = [0; FRAME];
        loop {
            match self.microphone.device().read(&mut frame) {
                Ok(true) => self.session.capture(Instant::now(), &frame),
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "the microphone is lost");
                    self.microphone.lost(Instant::now());
                    (self.tell)(VoiceEvent::DeviceFailed(Device::Microphone, error));
                    return;
                }
            }
        }
    }

    fn feed_speaker(&mut self) {
        let mut frame = [0; FRAME];
        while self.speaker.device().hungry() {
            self.session.play(Instant::now(), &mut frame);
            self.speaker.device().write(&frame);
        }
        if let Some(error) = self.speaker.device().failed() {
            tracing::warn!(%error, "the speaker is lost");
            self.speaker.lost(Instant::now());
            (self.tell)(VoiceEvent::DeviceFailed(Device::Speaker, error));
        }
    }

    fn transmit(&mut self) {
        while let Some(datagram) = self.session.poll_transmit(Instant::now()) {
            let socket = match datagram.from_port {
                Channel::Rtp => &self.rtp,
                Channel::Rtcp => &self.rtcp,
            };
            // A network that is away or full loses packets; the call outlives that.
            if let Err(error) = socket.send_to(&datagram.bytes, datagram.to) {
                tracing::trace!(%error, "a packet was not sent");
            }
        }
    }

    /// Takes what has arrived on a port; whether there may be more.
    fn receive(&mut self, channel: Channel) -> bool {
        for _ in 0..TURN {
            let socket = match channel {
                Channel::Rtp => &self.rtp,
                Channel::Rtcp => &self.rtcp,
            };
            match socket.recv_from(self.datagram.as_mut_slice()) {
                Ok((length, from)) => {
                    if let Some(bytes) = self.datagram.get(..length) {
                        self.session.receive(Instant::now(), from, bytes);
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return false,
                // An earlier packet met a closed port, or this one is too long (Windows tells so here), or a
                // signal came. Only after "would block" is the next arrival told on every system.
                Err(error) => tracing::trace!(%error, "a packet was not received"),
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::mpsc;

    use media::Codec;
    use media::sdp::LocalMedia;

    use super::*;

    #[test]
    fn a_flood_is_taken_turn_by_turn() {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let sockets = Sockets::bind(address).unwrap();
        let to = (address, sockets.rtp_port);
        let peer = std::net::UdpSocket::bind((address, 0)).unwrap();
        let port = peer.local_addr().unwrap().port();
        let local = |port, id| LocalMedia::new(address, port, port, vec![Codec::Pcmu], id);
        let negotiated = local(to.1, 1).answer(&local(port, 2).offer()).unwrap().1;
        let audio = AudioConfig { microphone: Source::Silence, speaker: Sink::Null };
        let (_orders, inbox) = mpsc::channel();
        let mut driver = Driver::open(sockets, &negotiated, &audio, inbox, Box::new(drop)).unwrap();
        for seq in 0..100 {
            let mut packet = [0xff; 172];
            packet[..12].copy_from_slice(&[0x80, 0, 0, seq, 0, 0, seq / 2, 160, 0, 0, 0, 9]);
            peer.send_to(&packet, to).unwrap();
        }
        assert!(driver.receive(Channel::Rtp), "there is more");
        assert_eq!(driver.report().rx_packets, TURN as u32);
        assert!(!driver.receive(Channel::Rtp));
        assert_eq!(driver.report().rx_packets, 100);
    }
}
