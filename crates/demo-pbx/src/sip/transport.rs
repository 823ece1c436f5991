//! The sockets of the SIP side, and the loop that drives the [`Switch`] with what they bring.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::message::{Frame, Message, frame};
use super::route::{Flow, Own};
use super::switch::{Input, Order, Output, Switch};
use crate::faults::SipFault;
use crate::media::{Media, Sockets, echo};
use crate::pbx::{Shared, Snapshot};
use crate::requests::lock;

/// Bound sockets, not yet served.
pub(crate) struct Listeners {
    pub udp: UdpSocket,
    pub tcp: TcpListener,
}

/// Everything outside the switch that it acts on.
struct Driver {
    shared: Arc<Shared>,
    switch: Switch,
    udp: UdpSocket,
    connections: HashMap<u64, mpsc::UnboundedSender<Vec<u8>>>,
    media: HashMap<String, watch::Sender<Media>>,
    inputs: mpsc::UnboundedSender<Input>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Serves SIP until `stop`.
pub(crate) async fn serve(
    listeners: Listeners,
    shared: Arc<Shared>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    stop: CancellationToken,
    tasks: TaskTracker,
) -> io::Result<()> {
    let Listeners { udp, tcp } = listeners;
    let own = Own { udp: udp.local_addr()?, tcp: tcp.local_addr()? };
    let switch = Switch::new(&shared.config, shared.tenant.clone(), own);
    let (inputs, mut arrived) = mpsc::unbounded_channel();
    let mut driver = Driver {
        shared,
        switch,
        udp,
        connections: HashMap::new(),
        media: HashMap::new(),
        inputs,
        stop: stop.clone(),
        tasks,
    };
    let mut datagram = vec![0_u8; 65_536];
    let mut next_connection = 0_u64;
    loop {
        let deadline = driver.switch.next_deadline();
        let tick = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            received = driver.udp.recv_from(&mut datagram) => {
                // Windows reports an ICMP error of an earlier send here: no reason to stop listening.
                let Ok((length, peer)) = received else { continue };
                driver.obey(&mut orders).await;
                if let Some(message) = datagram.get(..length).and_then(Message::parse) {
                    driver.input(Input::Message(Flow::Udp(peer), Box::new(message))).await;
                }
            }
            accepted = tcp.accept() => {
                let Ok((stream, peer)) = accepted else { continue };
                next_connection += 1;
                driver.connect(next_connection, stream, peer);
            }
            Some(input) = arrived.recv() => {
                driver.obey(&mut orders).await;
                driver.input(input).await;
            }
            Some(order) = orders.recv() => driver.input(Input::Order(order)).await,
            () = tick => driver.input(Input::Tick).await,
        }
    }
    driver.shared.snapshot.send_replace(Snapshot::default());
    Ok(())
}

impl Driver {
    /// What was ordered before a message came is done before it.
    async fn obey(&mut self, orders: &mut mpsc::UnboundedReceiver<Order>) {
        while let Ok(order) = orders.try_recv() {
            self.input(Input::Order(order)).await;
        }
    }

    async fn input(&mut self, input: Input) {
        let (fault, challenge) = {
            let standing = lock(&self.shared.standing);
            (standing.sip, standing.challenge_in_dialog)
        };
        if let Input::Message(_, message) = &input
            && !message.uri().is_empty()
        {
            self.shared.requests.count(format!("SIP {}", message.method()));
            if let Some(shown) = message.header("X-Outbound-Cli") {
                self.shared.requests.count(format!("SIP {} with {shown}", message.method()));
            }
        }
        let silent = fault == SipFault::Silent;
        self.switch.unavailable = fault == SipFault::Unavailable;
        self.switch.challenge_in_dialog = challenge;
        if let Input::Closed(connection) = &input {
            self.connections.remove(connection);
        }
        let input = if silent && matches!(input, Input::Message(..)) { Input::Tick } else { input };
        for output in self.switch.handle(input, Instant::now()) {
            match output {
                Output::Send(..) if silent => {}
                Output::Send(flow, bytes) => self.send(flow, bytes).await,
                Output::OpenMedia { line, media } => self.open_media(line, media),
                Output::ChangeMedia { line, media } => {
                    if let Some(current) = self.media.get(&line) {
                        current.send_replace(media);
                    }
                }
                Output::CloseMedia { line } => {
                    self.media.remove(&line);
                }
                Output::Told(told) => self.shared.remember(&told),
            }
        }
        let now = Snapshot { registrations: self.switch.registrations(), calls: self.switch.calls() };
        self.shared.snapshot.send_if_modified(|seen| {
            let changed = *seen != now;
            *seen = now;
            changed
        });
    }

    async fn send(&self, flow: Flow, bytes: Vec<u8>) {
        match flow {
            Flow::Udp(peer) => {
                if let Err(error) = self.udp.send_to(&bytes, peer).await {
                    tracing::debug!(%error, %peer, "a datagram was not sent");
                }
            }
            Flow::Tcp { connection, .. } => {
                if let Some(writer) = self.connections.get(&connection) {
                    // A connection just closed reports itself.
                    let _ = writer.send(bytes);
                }
            }
        }
    }

    fn connect(&mut self, connection: u64, stream: TcpStream, peer: SocketAddr) {
        let (writer, outgoing) = mpsc::unbounded_channel();
        self.connections.insert(connection, writer.clone());
        let (inputs, stop, shared) = (self.inputs.clone(), self.stop.clone(), self.shared.clone());
        self.tasks.spawn(async move {
            let flow = Flow::Tcp { connection, peer };
            tokio::select! {
                () = stop.cancelled() => {}
                result = converse(stream, flow, &inputs, writer, outgoing, &shared) => {
                    tracing::debug!(?result, %peer, "connection closed");
                }
            }
            // The loop may have ended already.
            let _ = inputs.send(Input::Closed(connection));
        });
    }

    fn open_media(&mut self, line: String, media: Media) {
        let (current, watched) = watch::channel(media);
        self.media.insert(line.clone(), current);
        let (inputs, stop) = (self.inputs.clone(), self.stop.clone());
        let (ip, silence) = (self.shared.config.bind, self.shared.config.echo_silence);
        self.tasks.spawn(async move {
            let sockets = Sockets::open(ip).await;
            let rtp = sockets.as_ref().ok().and_then(|sockets| sockets.address().ok());
            let _ = inputs.send(Input::MediaOpened { line: line.clone(), rtp });
            let Ok(sockets) = sockets else { return };
            tokio::select! {
                () = stop.cancelled() => return,
                () = echo(sockets, watched, silence) => {}
            }
            let _ = inputs.send(Input::MediaQuiet { line });
        });
    }
}

/// Reads messages from a connection and writes those meant for it.
async fn converse(
    mut stream: TcpStream,
    flow: Flow,
    inputs: &mpsc::UnboundedSender<Input>,
    writer: mpsc::UnboundedSender<Vec<u8>>,
    mut outgoing: mpsc::UnboundedReceiver<Vec<u8>>,
    shared: &Shared,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reading, mut writing) = stream.split();
    let read = async {
        let mut buffer: Vec<u8> = Vec::new();
        loop {
            if reading.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            loop {
                let length = match frame(&buffer) {
                    Frame::Partial => break,
                    Frame::Garbage => return Err(io::Error::from(io::ErrorKind::InvalidData)),
                    Frame::KeepAlive(length) => {
                        let silent = lock(&shared.standing).sip == SipFault::Silent;
                        if length == 4 && !silent {
                            let _ = writer.send(b"\r\n".to_vec());
                        }
                        length
                    }
                    Frame::Message(length) => {
                        if let Some(message) = buffer.get(..length).and_then(Message::parse) {
                            let _ = inputs.send(Input::Message(flow, Box::new(message)));
                        }
                        length
                    }
                };
                buffer.drain(..length);
            }
        }
    };
    let write = async {
        while let Some(bytes) = outgoing.recv().await {
            writing.write_all(&bytes).await?;
        }
        Ok(())
    };
    tokio::select! { result = read => result, result = write => result }
}
