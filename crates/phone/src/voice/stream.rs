//! A connection to a TURN server over TCP or TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

/// Bytes that wait to be sent. A voice that is a second late is of no use: the connection is given up.
const MOST_WAITING: usize = 64 * 1024;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Stream {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
    waiting: Vec<u8>,
}

/// Before and after it is watched by the voice thread.
#[derive(Debug)]
enum Socket {
    Plain(TcpStream),
    Watched(mio::net::TcpStream),
}

impl Stream {
    /// Connects within some time. What is sent waits for the TLS handshake, which goes on as bytes come.
    pub(super) fn connect(
        to: SocketAddr,
        tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
        within: Duration,
    ) -> io::Result<Self> {
        let socket = TcpStream::connect_timeout(&to, within)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let tls = tls
            .map(|(config, name)| ClientConnection::new(config, name).map(Box::new))
            .transpose()
            .map_err(io::Error::other)?;
        Ok(Self { socket: Socket::Plain(socket), tls, waiting: Vec::new() })
    }

    /// Lets a registry watch it.
    pub(super) fn register(self, registry: &mio::Registry, token: mio::Token) -> io::Result<Self> {
        let Socket::Plain(socket) = self.socket else { return Ok(self) };
        let mut socket = mio::net::TcpStream::from_std(socket);
        registry.register(&mut socket, token, mio::Interest::READABLE | mio::Interest::WRITABLE)?;
        Ok(Self { socket: Socket::Watched(socket), ..self })
    }

    /// Sends bytes, now or later.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.writer().write_all(bytes)?,
            None => self.waiting.extend(bytes),
        }
        self.flush()
    }

    /// Takes a piece of what has come; none when there is no more for now.
    ///
    /// # Errors
    /// The connection has ended.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            if let Some(tls) = &mut self.tls {
                match tls.reader().read(buffer) {
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    Ok(length) => return Ok(Some(length)),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
            let read = match &mut self.tls {
                Some(tls) => tls.read_tls(&mut self.socket),
                None => self.socket.read(buffer),
            };
            match (read, &mut self.tls) {
                (Ok(0), _) => return Err(ErrorKind::UnexpectedEof.into()),
                (Ok(_), Some(tls)) => {
                    tls.process_new_packets().map_err(io::Error::other)?;
                    self.flush()?;
                }
                (Ok(length), None) => return Ok(Some(length)),
                (Err(error), _) if error.kind() == ErrorKind::WouldBlock => {
                    self.flush()?;
                    return Ok(None);
                }
                (Err(error), _) if error.kind() == ErrorKind::Interrupted => {}
                (Err(error), _) => return Err(error),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() && self.waiting.len() < MOST_WAITING {
                tls.write_tls(&mut self.waiting)?;
            }
        }
        while !self.waiting.is_empty() {
            match self.socket.write(&self.waiting) {
                Ok(sent) => drop(self.waiting.drain(..sent)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.waiting.len() < MOST_WAITING { Ok(()) } else { Err(ErrorKind::TimedOut.into()) }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Plain(socket) => socket.read(buffer),
            Socket::Watched(socket) => socket.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Plain(socket) => socket.write(bytes),
            Socket::Watched(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
