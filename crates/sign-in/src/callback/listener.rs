use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use url::Url;

use super::page::{Outcome, Pages, hand_over, policy, said};
use super::request::{Asked, LONGEST, RequestRefused, read_request};
use super::{Callback, Nonce, Parameters, Refused, Return};

/// From accepting a connection to its last byte.
const CONNECTION: Duration = Duration::from_secs(5);

/// Connections served at the same time; more wait. A browser opens two or three.
const CONNECTIONS: usize = 8;

/// How long a browser that comes again, or too late, still finds somebody who says so.
const LINGER: Duration = Duration::from_secs(10 * 60);

/// Pause after a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Most bytes read away behind a request that was refused early.
const MOST_UNREAD: u64 = 256 * 1024;

/// The loopback end of the way back from the browser: HTTP on a port of its own at 127.0.0.1.
///
/// It answers `GET /callback/NONCE`, and the `POST` by which its own page hands over a fragment, and refuses
/// everything else: another nonce (404), a second use or one too late (410), another host or origin (403),
/// another method (405).
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    port: u16,
    origin: Url,
}

impl Listener {
    /// Listens at a free port.
    ///
    /// # Errors
    /// The system gives none.
    pub async fn bind() -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = socket.local_addr()?.port();
        let origin = Url::parse(&format!("http://127.0.0.1:{port}/")).map_err(io::Error::other)?;
        Ok(Self { socket, port, origin })
    }

    /// The callback address to give to the PBX: `http://127.0.0.1:PORT/callback/NONCE`.
    pub fn url(&self, nonce: &Nonce) -> Url {
        let mut url = self.origin.clone();
        url.set_path(&format!("/callback/{}", nonce.expose()));
        url
    }

    /// Waits for the browser; `None` where it did not come before the deadline of `way`, which may be shared
    /// with another way back. Dropping the future closes the port. After its end the port stays open for ten
    /// minutes more, to tell a browser that comes again or too late so in words.
    pub async fn serve(self, way: Arc<Mutex<Return>>, pages: Pages) -> Option<Callback> {
        let (heard, mut callbacks) = mpsc::channel(1);
        let desk = Arc::new(Desk { port: self.port, way, pages, heard });
        let deadline = Instant::from_std(desk.way().deadline());
        let mut at_work = JoinSet::new();
        let callback = tokio::select! {
            biased;
            callback = callbacks.recv() => callback,
            () = sleep_until(deadline) => {
                // What was let in at the last moment was put into the channel under this lock.
                let _way = desk.way();
                callbacks.try_recv().ok()
            }
            never = answer_all(&self.socket, &desk, &mut at_work) => match never {},
        };
        tokio::spawn(async move {
            let _ = timeout(LINGER, answer_all(&self.socket, &desk, &mut at_work)).await;
        });
        callback
    }
}

/// Answers connections for as long as it is polled.
async fn answer_all(socket: &TcpListener, desk: &Arc<Desk>, at_work: &mut JoinSet<()>) -> Infallible {
    loop {
        while at_work.len() >= CONNECTIONS {
            at_work.join_next().await;
        }
        tokio::select! {
            Some(_) = at_work.join_next() => {}
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    let desk = Arc::clone(desk);
                    at_work.spawn(async move {
                        let _ = timeout(CONNECTION, desk.answer(stream)).await;
                    });
                }
                // No file handle is left, say; trying at once would only burn the processor.
                Err(_) => sleep(PAUSE).await,
            },
        }
    }
}

/// What a connection needs to know.
struct Desk {
    port: u16,
    way: Arc<Mutex<Return>>,
    pages: Pages,
    heard: mpsc::Sender<Callback>,
}

impl Desk {
    fn way(&self) -> MutexGuard<'_, Return> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
        let asked = loop {
            match read_request(&bytes, self.port) {
                Ok(None) => {}
                Ok(Some(asked)) => break Ok(asked),
                Err(refused) => break Err(refused),
            }
            let room = LONGEST.saturating_sub(bytes.len());
            let room = u64::try_from(room).unwrap_or_default();
            if (&mut stream).take(room).read_buf(&mut *bytes).await? == 0 {
                return Ok(());
            }
        };
        let response = self.response(asked);
        stream.write_all(response.as_bytes()).await?;
        stream.shutdown().await?;
        // A connection closed with something unread is reset, and the answer may be lost with it.
        tokio::io::copy(&mut stream.take(MOST_UNREAD), &mut tokio::io::sink()).await?;
        Ok(())
    }

    fn response(&self, asked: Result<Asked, RequestRefused>) -> String {
        let script_nonce = Nonce::random();
        let script_nonce = script_nonce.expose();
        let (status, media_type, body) = match asked {
            Err(refused) => {
                let allow = refused == RequestRefused::Method;
                let page = said(&self.pages, Outcome::Refused, script_nonce);
                return head(refused.status(), "html", &page, script_nonce, allow);
            }
            Ok(Asked::Page { nonce, parameters }) => match self.arrived(&nonce, &parameters) {
                Ok(Some(outcome)) => (200, "html", said(&self.pages, outcome, script_nonce)),
                Ok(None) => (200, "html", hand_over(&self.pages, script_nonce)),
                Err(refused) => {
                    (status_of(refused), "html", said(&self.pages, Outcome::Refused, script_nonce))
                }
            },
            Ok(Asked::Handover { nonce, parameters }) => match self.let_in(&nonce, &parameters) {
                Ok(outcome) => (200, "plain", outcome.name().to_owned()),
                Err(refused) => (status_of(refused), "plain", Outcome::Refused.name().to_owned()),
            },
        };
        head(status, media_type, &body, script_nonce, false)
    }

    /// The browser came back; `None` where what it brings may stand in its fragment.
    fn arrived(&self, nonce: &str, parameters: &Parameters) -> Result<Option<Outcome>, Refused> {
        let purpose = {
            let way = self.way();
            way.check(nonce, Instant::now().into_std())?;
            way.purpose
        };
        if parameters.say_something(purpose) { self.let_in(nonce, parameters).map(Some) } else { Ok(None) }
    }

    fn let_in(&self, nonce: &str, parameters: &Parameters) -> Result<Outcome, Refused> {
        let mut way = self.way();
        let callback = way.accept(nonce, parameters, Instant::now().into_std())?;
        let outcome = match &callback {
            Callback::Tokens(_)
            | Callback::SessionToken { .. }
            | Callback::Code(_)
            | Callback::ResetToken(_) => Outcome::Done,
            Callback::Denied => Outcome::Denied,
            Callback::Failed { .. } => Outcome::Failed,
        };
        // There is room for one, and only one is ever let in.
        let _ = self.heard.try_send(callback);
        Ok(outcome)
    }
}

fn status_of(refused: Refused) -> u16 {
    match refused {
        Refused::Unknown => 404,
        Refused::Used | Refused::TooLate => 410,
    }
}

/// A whole response (RFC 9112).
fn head(status: u16, media_type: &str, body: &str, script_nonce: &str, allow: bool) -> String {
    let reason = match status {
        200 => "OK",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        _ => "Bad Request",
    };
    let allow = if allow { "Allow: GET, POST\r\n" } else { "" };
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/{media_type}; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n{allow}\
         Content-Security-Policy: {policy}\r\n\r\n{body}",
        length = body.len(),
        policy = policy(script_nonce),
    )
}

#[cfg(test)]
mod tests;
