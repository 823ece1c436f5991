//! Finding the addresses under which a call can be reached, within a bounded time.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use media::{Path, Port, Servers, TurnServer};
use pbx_api::{ServerAddress, Trust};
use rustls::pki_types::ServerName;

use super::leg::DATAGRAM;
use super::sockets::Sockets;
use super::stream::Stream;
use crate::nat::{Nat, TurnOver};

/// What finding addresses may add to the setting up of a call. What answers later still helps this side to send.
const WITHIN: Duration = Duration::from_millis(300);
/// Time between two looks at the sockets.
const LOOK: Duration = Duration::from_millis(2);

impl Sockets {
    /// Looks for addresses with what `nat` names, for 300 ms at most.
    pub(crate) fn gather(self, nat: &Nat, trust: &Trust) -> Self {
        self.gather_within(nat, trust, WITHIN)
    }

    pub(super) fn gather_within(mut self, nat: &Nat, trust: &Trust, within: Duration) -> Self {
        let until = Instant::now() + within;
        if !nat.answers() {
            return self;
        }
        let Ok(host) = self.rtp.local_addr() else { return self };
        self.open_others(host.ip());
        let hosts =
            std::iter::once(host).chain(self.others.iter().filter_map(|other| other.local_addr().ok()));
        let hosts: Vec<SocketAddr> = hosts.collect();
        let stun = nat.stun.as_ref().and_then(|server| resolve(server, host, until));
        let turn = nat.turn.as_ref().and_then(|turn| {
            let address = resolve(&turn.server, host, until)?;
            let stream = turn.over != TurnOver::Udp;
            if stream {
                let tls = match turn.over {
                    TurnOver::Tls => Some(tls(&turn.server, trust)?),
                    TurnOver::Udp | TurnOver::Tcp => None,
                };
                let left = until.saturating_duration_since(Instant::now()).max(LOOK);
                let connected = Stream::connect(address, tls, left);
                self.stream = connected.inspect_err(|error| tracing::warn!(%error, "TURN server")).ok();
            }
            (!stream || self.stream.is_some()).then(|| TurnServer {
                address,
                stream,
                login: turn.login.clone(),
            })
        });
        *self.path = Path::gather(Instant::now(), hosts, Servers { stun, turn });
        self.drive(until);
        self
    }

    fn drive(&mut self, until: Instant) {
        let mut buffer = [0; DATAGRAM];
        while !self.path.is_gathered() && Instant::now() < until {
            while let Some(out) = self.path.poll_transmit(Instant::now()) {
                let sent = match out.port {
                    Port::Media(0) => self.rtp.send_to(&out.bytes, out.to).map(drop),
                    Port::Media(n) => {
                        self.others.get(n - 1).map_or(Ok(()), |s| s.send_to(&out.bytes, out.to).map(drop))
                    }
                    Port::Rtcp => Ok(()),
                    Port::Stream => self.stream.as_mut().map_or(Ok(()), |stream| stream.send(&out.bytes)),
                };
                if let Err(error) = sent {
                    tracing::debug!(%error, "a server was not asked");
                }
            }
            for (n, socket) in std::iter::once(&self.rtp).chain(&self.others).enumerate() {
                while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    self.path.receive(Instant::now(), Port::Media(n), from, bytes, |_, _| {});
                }
            }
            if let Some(stream) = &mut self.stream {
                loop {
                    match stream.receive(&mut buffer) {
                        Ok(Some(length)) => {
                            let bytes = buffer.get(..length).unwrap_or_default();
                            self.path.receive(Instant::now(), Port::Stream, NOWHERE, bytes, |_, _| {});
                        }
                        Ok(None) => break,
                        Err(error) => {
                            tracing::warn!(%error, "TURN server");
                            self.path.stream_lost();
                            self.stream = None;
                            break;
                        }
                    }
                }
            }
            thread::sleep(LOOK);
        }
    }
}

/// Where a stream's bytes come from means nothing.
pub(super) const NOWHERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

/// The first address of a server that our socket can reach. A name service that is slow is not waited for.
fn resolve(server: &ServerAddress, host: SocketAddr, until: Instant) -> Option<SocketAddr> {
    let (name, port) = (server.host().to_string(), server.port());
    let name = name.trim_matches(['[', ']']).to_owned();
    let like = move |address: &SocketAddr| address.is_ipv4() == host.is_ipv4();
    if let Ok(ip) = name.parse() {
        return Some(SocketAddr::new(ip, port)).filter(like);
    }
    let (tell, told) = mpsc::channel();
    let ask = move || {
        let found = (name.as_str(), port).to_socket_addrs().ok().and_then(|mut all| all.find(like));
        tell.send(found).ok();
    };
    thread::Builder::new().name("resolve".into()).spawn(ask).ok()?;
    told.recv_timeout(until.saturating_duration_since(Instant::now())).ok().flatten()
}

fn tls(server: &ServerAddress, trust: &Trust) -> Option<(Arc<rustls::ClientConfig>, ServerName<'static>)> {
    let config = pbx_api::client_config(server, trust, None);
    let config = config.inspect_err(|error| tracing::warn!(%error, "TURN server")).ok()?;
    let name = server.host().to_string();
    let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned()).ok()?;
    Some((Arc::new(config), name))
}
