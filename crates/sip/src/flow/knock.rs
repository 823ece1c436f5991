//! Asking a server for a sign of life without an account: who listens where, and how it answers.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::secure::Secure;
use super::{Failure, stun, through, websocket};
use crate::message::token;
use crate::resolve::Target;
use crate::survey::Knock;
use crate::target::user_part;
use crate::{Account, Cause, Transport};

/// Longest to connect, and as long again for the answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two sendings of a datagram.
const AGAIN: Duration = Duration::from_millis(700);
/// Largest answer looked into, bytes.
const LARGEST: usize = 16_384;

/// Knocks at one place.
pub(crate) async fn knock_at(account: &Account, target: Target) -> Knock {
    let answered = match target.transport {
        Transport::Udp => over_udp(account, target.address).await,
        _ => over_stream(account, target).await,
    };
    match answered {
        Ok(knock) | Err(knock) => knock,
    }
}

/// Our address as a STUN server sees it (RFC 8489), over a socket that may have other uses; none where it says
/// nothing.
pub(crate) async fn mapped(socket: &UdpSocket, server: SocketAddr) -> Option<SocketAddr> {
    let id: stun::TransactionId = rand::random();
    let request = stun::request(id);
    let answer = ask(socket, server, &request, |datagram| stun::answer(datagram).filter(|a| a.id == id));
    answer.await.map(|answer| answer.mapped)
}

/// Our address as a SIP server sees it (RFC 3581), over a socket that may have other uses; none where it says nothing.
pub(crate) async fn seen_by(account: &Account, socket: &UdpSocket, server: SocketAddr) -> Option<SocketAddr> {
    let local = socket.local_addr().ok()?;
    let branch = token();
    let question = question(account, Transport::Udp, &local.to_string(), &branch);
    ask(socket, server, question.as_bytes(), |datagram| Head::read(datagram, &branch)).await?.mapped
}

/// Sends a datagram until it is answered, within the time limit.
async fn ask<T>(
    socket: &UdpSocket,
    server: SocketAddr,
    question: &[u8],
    read: impl Fn(&[u8]) -> Option<T>,
) -> Option<T> {
    let end = Instant::now() + PATIENCE;
    let mut datagram = vec![0; LARGEST];
    while Instant::now() < end {
        socket.send_to(question, server).await.ok()?;
        let again = Instant::now() + AGAIN;
        while let Ok(received) = timeout(left(again), socket.recv_from(&mut datagram)).await {
            if let Ok((length, from)) = received
                && from == server
                && let Some(answer) = datagram.get(..length).and_then(&read)
            {
                return Some(answer);
            }
        }
    }
    None
}

async fn over_udp(account: &Account, server: SocketAddr) -> Result<Knock, Knock> {
    let any: IpAddr =
        if server.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await.map_err(|_| Knock::NoRoute)?;
    // A connected socket is told when the other machine has nobody at this port.
    socket.connect(server).await.map_err(|_| Knock::NoRoute)?;
    let local = socket.local_addr().map_err(|_| Knock::NoRoute)?;
    let branch = token();
    let question = question(account, Transport::Udp, &local.to_string(), &branch);
    let began = Instant::now();
    let end = began + PATIENCE;
    let mut datagram = vec![0; LARGEST];
    while Instant::now() < end {
        if let Err(error) = socket.send(question.as_bytes()).await {
            return Err(of_io(&error));
        }
        match timeout(AGAIN, socket.recv(&mut datagram)).await {
            Ok(Ok(length)) => {
                if let Some(head) = datagram.get(..length).and_then(|bytes| Head::read(bytes, &branch)) {
                    return Ok(head.answered(began));
                }
            }
            Ok(Err(error)) => return Err(of_io(&error)),
            Err(_) => {}
        }
    }
    Ok(Knock::Silent)
}

async fn over_stream(account: &Account, target: Target) -> Result<Knock, Knock> {
    let stream = match target.beyond {
        Some(_) => through::connect(account, target.address).await.map_err(of_failure)?,
        None => {
            let connected = timeout(PATIENCE, TcpStream::connect(target.address)).await;
            connected.map_err(|_| Knock::Silent)?.map_err(|error| of_io(&error))?
        }
    };
    let local = stream.local_addr().map_err(|_| Knock::NoRoute)?.to_string();
    let branch = token();
    let question = question(account, target.transport, &local, &branch);
    let began = Instant::now();
    if target.transport == Transport::Tcp {
        return talk(stream, &question, &branch, began).await;
    }
    let port = target.beyond.unwrap_or(target.address.port());
    let shaken = timeout(PATIENCE, Secure::new(account).handshake(stream, port)).await;
    let blamed = |failure| if target.beyond.is_some() { through::blamed(failure) } else { failure };
    let secured = shaken.map_err(|_| Knock::Mute)?.map_err(|failure| of_failure(blamed(failure)))?;
    if target.transport == Transport::Tls {
        return talk(secured, &question, &branch, began).await;
    }
    let shaken = timeout(PATIENCE, websocket::handshake(account, port, secured)).await;
    let mut socket = shaken.map_err(|_| Knock::Mute)?.map_err(of_failure)?;
    socket.send(Message::text(question)).await.map_err(|_| Knock::Mute)?;
    let answer = timeout(PATIENCE, async {
        while let Some(Ok(message)) = socket.next().await {
            if let Some(head) = Head::read(&message.into_data(), &branch) {
                return Some(head);
            }
        }
        None
    });
    Ok(answer.await.ok().flatten().map_or(Knock::Mute, |head| head.answered(began)))
}

/// Asks over a connection, and reads until the answer's head is whole.
async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    question: &str,
    branch: &str,
    began: Instant,
) -> Result<Knock, Knock> {
    let asked = timeout(PATIENCE, stream.write_all(question.as_bytes())).await;
    asked.map_err(|_| Knock::Mute)?.map_err(|_| Knock::Mute)?;
    let mut answer = Vec::new();
    let reading = timeout(PATIENCE, async {
        let mut piece = [0; 2048];
        while answer.len() < LARGEST {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => return None,
                Ok(length) => answer.extend_from_slice(piece.get(..length)?),
            }
            if answer.windows(4).any(|end| end == b"\r\n\r\n") {
                return Head::read(&answer, branch);
            }
        }
        None
    });
    let head = reading.await.ok().flatten();
    Ok(match head {
        Some(head) => head.answered(began),
        None if answer.is_empty() => Knock::Mute,
        None => Knock::NotSip,
    })
}

/// A request for our bindings, which every registrar answers, if only with a challenge (RFC 3261, section 10.2.3).
fn question(account: &Account, transport: Transport, local: &str, branch: &str) -> String {
    let domain = &account.domain;
    let user = user_part(&account.user).unwrap_or_default();
    format!(
        "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/{} {local};branch=z9hG4bK{branch};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{user}@{domain}>;tag={}\r\nTo: <sip:{user}@{domain}>\r\n\
         Call-ID: {}\r\nCSeq: 1 REGISTER\r\nUser-Agent: {}\r\nContent-Length: 0\r\n\r\n",
        transport.via(),
        token(),
        token(),
        account.user_agent,
    )
}

/// What matters of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Our address, where the Via header tells it (RFC 3581, section 4).
    mapped: Option<SocketAddr>,
}

impl Head {
    /// Reads the answer to the question of this branch.
    fn read(bytes: &[u8], branch: &str) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split("\r\n");
        let mut words = lines.next()?.split(' ');
        if words.next()? != "SIP/2.0" {
            return None;
        }
        let status = words.next()?.parse().ok().filter(|status| (100..700).contains(status))?;
        let via = lines.take_while(|line| !line.is_empty()).find(|line| {
            let name = line.split(':').next().unwrap_or_default().trim();
            name.eq_ignore_ascii_case("via") || name.eq_ignore_ascii_case("v")
        })?;
        if !via.contains(branch) {
            return None;
        }
        let parameter = |wanted: &str| {
            via.split(';').filter_map(|part| part.trim().split_once('=')).find_map(|(name, value)| {
                name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
            })
        };
        let ip = parameter("received").and_then(|ip| ip.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        let port = parameter("rport").and_then(|port| port.parse::<u16>().ok());
        Some(Self { status, mapped: ip.zip(port).map(|(ip, port)| SocketAddr::new(ip, port)) })
    }

    fn answered(self, began: Instant) -> Knock {
        Knock::Answered { status: self.status, rtt: began.elapsed(), mapped: self.mapped }
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

fn of_io(error: &io::Error) -> Knock {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Knock::Refused,
        io::ErrorKind::TimedOut => Knock::Silent,
        io::ErrorKind::ConnectionReset => Knock::NotSip,
        _ => Knock::NoRoute,
    }
}

fn of_failure(failure: Failure) -> Knock {
    match (failure.distrust, failure.cause) {
        (Some(distrust), _) => Knock::Certificate {
            problem: distrust.problem,
            certificate: Box::new(distrust.certificate.clone()),
        },
        (None, Cause::Silence) => Knock::Mute,
        (None, Cause::Proxy(problem)) => Knock::Proxy(problem),
        (None, Cause::TlsFailed | Cause::ConnectionLost) => Knock::NoTls,
        (None, _) => Knock::NotSip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_its_status_and_our_address() {
        let read = |text: &str| Head::read(text.replace('\n', "\r\n").as_bytes(), "abc");
        let via = "Via: SIP/2.0/UDP 10.0.0.2:5;branch=z9hG4bKabc;rport=6 ;received=192.0.2.1";
        let head = read(&format!("SIP/2.0 401 Unauthorized\n{via}\nCSeq: 1 REGISTER\n\n")).unwrap();
        assert_eq!(head, Head { status: 401, mapped: "192.0.2.1:6".parse().ok() });
        let short = read("SIP/2.0 200 OK\nv: SIP/2.0/TCP 10.0.0.2:5;branch=z9hG4bKabc;rport\n\n").unwrap();
        assert_eq!(short, Head { status: 200, mapped: None });
    }

    #[test]
    fn what_is_no_answer_to_the_question_is_none() {
        for text in [
            "",
            "HTTP/1.1 200 OK\r\nVia: abc\r\n\r\n",
            "SIP/2.0 20 OK\r\nVia: x;branch=z9hG4bKabc\r\n\r\n",
            "SIP/2.0 401 No\r\nVia: x;branch=z9hG4bKother\r\n\r\n",
            "SIP/2.0 401 No\r\n\r\nVia: x;branch=z9hG4bKabc\r\n",
            "OPTIONS sip:a SIP/2.0\r\nVia: x;branch=z9hG4bKabc\r\n\r\n",
        ] {
            assert_eq!(Head::read(text.as_bytes(), "abc"), None, "{text:?}");
        }
    }
}
