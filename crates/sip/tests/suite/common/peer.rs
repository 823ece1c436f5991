//! A peer for what sipp cannot do: plain text over UDP or TCP, message by message.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Mutex;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::LIMIT;

/// A scripted UDP peer on loopback.
pub struct Peer {
    socket: UdpSocket,
    pub port: u16,
    /// Via headers of the requests that [`Peer::receive_new`] has returned.
    seen: Mutex<HashSet<String>>,
}

/// A message it received.
#[derive(Debug, Clone)]
pub struct Message {
    pub text: String,
    pub from: SocketAddr,
}

impl Message {
    /// First line.
    pub fn start(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// Value of the first header of this name.
    pub fn header(&self, name: &str) -> &str {
        self.text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .unwrap_or_default()
    }

    /// An answer to it; `tag` goes into To where there is none yet.
    pub fn answer(&self, status: &str, tag: &str, headers: &str, body: &str) -> String {
        let to = self.header("To");
        let tag = if to.contains("tag=") || tag.is_empty() { String::new() } else { format!(";tag={tag}") };
        format!(
            "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n{headers}\
             Content-Length: {}\r\n\r\n{body}",
            self.header("Via"),
            self.header("From"),
            self.header("Call-ID"),
            self.header("CSeq"),
            body.len()
        )
    }
}

impl Peer {
    pub async fn start() -> Self {
        Self::at("127.0.0.1").await
    }

    /// At another address of this machine.
    pub async fn at(ip: &str) -> Self {
        let socket = UdpSocket::bind((ip, 0)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        Self { socket, port, seen: Mutex::default() }
    }

    /// The next message that begins so; others, keep-alives among them, are passed over.
    pub async fn receive(&self, start: &str) -> Message {
        let wait = async {
            let mut buffer = vec![0; 65536];
            loop {
                let (length, from) = self.socket.recv_from(&mut buffer).await.unwrap();
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if text.starts_with(start) {
                    return Message { text, from };
                }
            }
        };
        timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("no {start}"))
    }

    /// As [`Peer::receive`], but passes over requests that are only sent again.
    pub async fn receive_new(&self, start: &str) -> Message {
        loop {
            let message = self.receive(start).await;
            if self.seen.lock().unwrap().insert(message.header("Via").to_owned()) {
                return message;
            }
        }
    }

    pub async fn send(&self, text: &str, to: SocketAddr) {
        self.socket.send_to(text.as_bytes(), to).await.unwrap();
    }

    pub async fn send_bytes(&self, bytes: &[u8], to: SocketAddr) {
        self.socket.send_to(bytes, to).await.unwrap();
    }

    /// The next STUN binding request; whatever else comes is passed over.
    pub async fn receive_stun(&self) -> (Vec<u8>, SocketAddr) {
        let wait = async {
            let mut buffer = vec![0; 65536];
            loop {
                let (length, from) = self.socket.recv_from(&mut buffer).await.unwrap();
                if length == 20 && buffer.starts_with(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]) {
                    return (buffer[..length].to_vec(), from);
                }
            }
        };
        timeout(LIMIT, wait).await.expect("a STUN request")
    }

    /// Start lines of what has come in and was not received yet.
    pub fn pending(&self) -> Vec<String> {
        let mut buffer = vec![0; 65536];
        let mut pending = Vec::new();
        while let Ok((length, _)) = self.socket.try_recv_from(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            pending.push(text.lines().next().unwrap_or_default().to_owned());
        }
        pending
    }

    /// Takes one registration.
    pub async fn register(&self) -> Message {
        let register = self.receive_new("REGISTER").await;
        let contact = format!("Contact: {}\r\nExpires: 600\r\n", register.header("Contact"));
        self.send(&register.answer("200 OK", "r", &contact, ""), register.from).await;
        register
    }

    /// Our Contact header as a whole line.
    pub fn contact(&self) -> String {
        format!("Contact: <sip:%2349102@127.0.0.1:{}>\r\n", self.port)
    }
}
