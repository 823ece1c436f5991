//! A registrar that grants everything, sends any bytes, and keeps what it hears.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sip::Transport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::{sleep, timeout};

use crate::common::LIMIT;
use crate::common::peer::Message;

/// Ports that messages name as the place for answers, the usual one aside.
const OTHER_PORTS: [u16; 4] = [5050, 6050, 9823, 19823];

/// Where the phone is reached.
enum Way {
    Datagrams(Arc<UdpSocket>, std::net::SocketAddr),
    Stream(OwnedWriteHalf),
}

/// The far end, on an address of its own: answers go to the port that a message names, whoever sent it.
pub struct FarEnd {
    pub ip: Ipv4Addr,
    pub port: u16,
    /// Transport as it is called in a Via header.
    pub via: &'static str,
    way: Arc<AsyncMutex<Option<Way>>>,
    heard: Arc<Mutex<Vec<Message>>>,
    /// Counts what is heard, registrations, and connections that ended.
    changed: watch::Sender<(u32, u32, u32)>,
}

impl FarEnd {
    pub async fn start(transport: Transport) -> Self {
        let [_, _, b, a] = std::process::id().to_be_bytes();
        let ip = Ipv4Addr::new(127, 77, b, a);
        let (changed, _) = watch::channel((0, 0, 0));
        let stream = transport == Transport::Tcp;
        let via = if stream { "TCP" } else { "UDP" };
        let far = Self { ip, port: 5060, via, way: Arc::default(), heard: Arc::default(), changed };
        if stream {
            far.accept(TcpListener::bind((ip, far.port)).await.unwrap());
        } else {
            for port in OTHER_PORTS.into_iter().chain([far.port]) {
                far.listen(Arc::new(UdpSocket::bind((ip, port)).await.unwrap()));
            }
        }
        far
    }

    /// Sends bytes as they are.
    pub async fn send(&self, bytes: &[u8]) {
        match self.way.lock().await.as_mut().expect("the phone is registered") {
            Way::Datagrams(socket, to) => assert_eq!(socket.send_to(bytes, *to).await.unwrap(), bytes.len()),
            Way::Stream(stream) => stream.write_all(bytes).await.unwrap(),
        }
    }

    /// Waits for the final answer to the request of this Call-ID and gives its status.
    pub async fn answer(&self, call_id: &str) -> Result<u16, String> {
        let mut changed = self.changed.subscribe();
        let wait = async {
            loop {
                if let Ok(status) = self.heard(call_id) {
                    return status;
                }
                changed.changed().await.unwrap();
            }
        };
        timeout(Duration::from_secs(10), wait).await.map_err(|_| "there was no answer".to_owned())
    }

    /// Status of the final answer heard to the request of this Call-ID.
    pub fn heard(&self, call_id: &str) -> Result<u16, ()> {
        self.find(call_id).map(|(status, _)| status).ok_or(())
    }

    /// The To header of that answer.
    pub fn to(&self, call_id: &str) -> Option<String> {
        self.find(call_id).map(|(_, to)| to)
    }

    /// Forgets what was heard.
    pub fn forget(&self) {
        self.heard.lock().unwrap().clear();
    }

    /// Waits until an OPTIONS sent behind the last message is answered: by then that was treated.
    pub async fn nothing_but_signs_of_life(&self) {
        let options = format!(
            "OPTIONS sip:101@phone.test SIP/2.0\r\nVia: SIP/2.0/{} {}:{};branch=z9hG4bK{:x}\r\n\
             From: <sip:far@bell.test>;tag=far\r\nTo: <sip:101@bell.test>\r\nCall-ID: alive\r\n\
             CSeq: {} OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            self.via,
            self.ip,
            self.port,
            self.changed.borrow().0,
            self.changed.borrow().0 + 1,
        );
        self.send(options.as_bytes()).await;
        assert_eq!(self.answer("alive").await, Ok(200));
    }

    /// Closes the connection.
    pub async fn hang_up(&self) {
        *self.way.lock().await = None;
    }

    /// Waits until the phone has closed the connection.
    pub async fn closed(&self) {
        self.wait("the connection's end", || async { self.way.lock().await.is_none() }).await;
    }

    /// Waits until the phone can be sent something.
    pub async fn reached(&self) {
        self.wait("a registration", || async { self.way.lock().await.is_some() }).await;
    }

    async fn wait<F: Future<Output = bool>>(&self, what: &str, mut done: impl FnMut() -> F) {
        let wait = async {
            while !done().await {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("waited for {what}"));
    }

    fn find(&self, call_id: &str) -> Option<(u16, String)> {
        let heard = self.heard.lock().unwrap();
        heard.iter().find_map(|message| {
            let status = message.start().strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
            let fits = status >= 200 && message.header("Call-ID") == call_id;
            fits.then(|| (status, message.header("To").to_owned()))
        })
    }

    fn listen(&self, socket: Arc<UdpSocket>) {
        let (way, heard, changed) = (self.way.clone(), self.heard.clone(), self.changed.clone());
        tokio::spawn(async move {
            let mut buffer = vec![0; 65536];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let message = Message { text, from };
                if message.start().starts_with("REGISTER") {
                    socket.send_to(granted(&message).as_bytes(), from).await.unwrap();
                    *way.lock().await = Some(Way::Datagrams(socket.clone(), from));
                } else {
                    heard.lock().unwrap().push(message);
                }
                changed.send_modify(|count| count.0 += 1);
            }
        });
    }

    fn accept(&self, listener: TcpListener) {
        let (way, heard, changed) = (self.way.clone(), self.heard.clone(), self.changed.clone());
        tokio::spawn(async move {
            while let Ok((stream, from)) = listener.accept().await {
                let (mut reader, writer) = stream.into_split();
                let mut writer = Some(writer);
                let mut text = String::new();
                let mut chunk = vec![0; 65536];
                loop {
                    // A connection we let go of ends here as well.
                    let given_up = writer.is_none() && way.lock().await.is_none();
                    if given_up {
                        break;
                    }
                    let read = timeout(Duration::from_millis(50), reader.read(&mut chunk)).await;
                    let Ok(read) = read else { continue };
                    let Ok(length @ 1..) = read else { break };
                    text.push_str(&String::from_utf8_lossy(&chunk[..length]));
                    while let Some(message) = cut(&mut text) {
                        let message = Message { text: message, from };
                        if message.start().starts_with("REGISTER") {
                            if let Some(mut first) = writer.take() {
                                first.write_all(granted(&message).as_bytes()).await.unwrap();
                                *way.lock().await = Some(Way::Stream(first));
                            }
                        } else {
                            heard.lock().unwrap().push(message);
                        }
                    }
                    changed.send_modify(|count| count.0 += 1);
                }
                *way.lock().await = None;
                changed.send_modify(|count| count.2 += 1);
            }
        });
    }
}

/// Takes the first whole message off a stream; none of ours has a body here but session descriptions.
fn cut(text: &mut String) -> Option<String> {
    *text = text.trim_start_matches(['\r', '\n']).to_owned();
    let head = text.find("\r\n\r\n")? + 4;
    let length =
        text[..head].lines().find_map(|line| line.strip_prefix("Content-Length:")?.trim().parse().ok());
    let end = head + length.unwrap_or(0);
    (text.len() >= end).then(|| text.drain(..end).collect())
}

fn granted(register: &Message) -> String {
    let contact = format!("Contact: {}\r\nExpires: 600\r\n", register.header("Contact"));
    register.answer("200 OK", "far", &contact, "")
}
