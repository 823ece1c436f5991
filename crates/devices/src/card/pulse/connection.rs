use std::ffi::CString;
use std::io::{self, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use pulseaudio::protocol::{
    AuthParams, AuthReply, Command, CommandReply, DESCRIPTOR_SIZE, Descriptor, DescriptorFlags,
    MAX_MEMBLOCKQ_LENGTH, MAX_VERSION, Prop, Props, ProtocolError, PulseError, SetClientNameReply,
    encode_descriptor, read_ack_message, read_descriptor, read_reply_message, write_command_message,
};

use super::super::Way;
use crate::DeviceError;

/// Longest wait for an answer while a stream is set up.
const ANSWER: Duration = Duration::from_secs(3);
/// Longest a frame may wait for room in the server's socket; a server that takes nothing is gone.
const ROOM: Duration = Duration::from_millis(50);
/// Length of the secret that lets a client in.
const COOKIE: usize = 256;
/// Channel number of messages that are no sound.
const CONTROL: u32 = u32::MAX;

/// A connection to the sound server while a stream is set up: questions and answers.
pub(super) struct Connection {
    stream: BufReader<UnixStream>,
    version: u16,
    asked: u32,
}

/// A stream cannot be opened, or has ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The server refuses or cannot be understood.
    #[error(transparent)]
    Server(#[from] ProtocolError),
    /// It cannot be reached any more.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server has taken the card away.
    #[error("the sound server took it away")]
    Killed,
    /// The card cannot be used.
    #[error(transparent)]
    Card(#[from] DeviceError),
}

impl Trouble {
    /// What it means for somebody who wanted this device.
    pub(super) fn meaning(self, way: Way, id: Option<&str>) -> DeviceError {
        let told = self.to_string();
        match self {
            Self::Card(error) => error,
            Self::Killed => DeviceError::Lost(told),
            Self::Server(ProtocolError::ServerError(PulseError::NoEntity)) => match id {
                Some(id) => DeviceError::NotFound(id.to_owned()),
                None => way.none(),
            },
            Self::Server(ProtocolError::ServerError(PulseError::AccessDenied | PulseError::AuthKey)) => {
                DeviceError::Refused(told)
            }
            Self::Server(
                ProtocolError::ServerError(PulseError::Busy) | ProtocolError::Timeout | ProtocolError::Io(_),
            )
            | Self::Io(_) => DeviceError::Busy(told),
            Self::Server(_) => {
                DeviceError::Failed(cpal::Error::with_message(cpal::ErrorKind::BackendError, told))
            }
        }
    }
}

impl Connection {
    /// Connects to the server the environment names (`PULSE_SERVER`, else the one of the session) and
    /// introduces the phone; nothing where no server listens.
    pub(super) fn open() -> Result<Option<Self>, Trouble> {
        let Some(stream) = pulseaudio::socket_path_from_env().and_then(|path| UnixStream::connect(path).ok())
        else {
            return Ok(None);
        };
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        let mut connection =
            Self { stream: BufReader::with_capacity(64 * 1024, stream), version: MAX_VERSION, asked: 0 };
        // A server that asks for no cookie still breaks off when it is not as long as one.
        let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok());
        let cookie = cookie.filter(|cookie| cookie.len() == COOKIE).unwrap_or_else(|| vec![0; COOKIE]);
        let auth = AuthParams { version: MAX_VERSION, supports_shm: false, supports_memfd: false, cookie };
        let server: AuthReply = connection.ask(&Command::Auth(auth))?;
        connection.version = MAX_VERSION.min(server.version);
        let mut who = Props::new();
        let name = CString::new(brand::BRAND.name).unwrap_or_default();
        who.set(Prop::ApplicationName, name);
        let _: SetClientNameReply = connection.ask(&Command::SetClientName(who))?;
        Ok(Some(connection))
    }

    /// Asks and waits for the answer.
    pub(super) fn ask<R: CommandReply>(&mut self, question: &Command) -> Result<R, Trouble> {
        self.asked += 1;
        write_command_message(self.stream.get_mut(), self.asked, question, self.version)?;
        let (_, answer) = read_reply_message(&mut self.stream, self.version)?;
        Ok(answer)
    }

    /// Asks for something that is only acknowledged.
    pub(super) fn tell(&mut self, question: &Command) -> Result<(), Trouble> {
        self.asked += 1;
        write_command_message(self.stream.get_mut(), self.asked, question, self.version)?;
        read_ack_message(&mut self.stream)?;
        Ok(())
    }

    /// The stream is set up: from now on the server speaks by itself, and one end only listens.
    pub(super) fn split(self) -> Result<(Listener, Line), Trouble> {
        let line = self.stream.get_ref().try_clone()?;
        self.stream.get_ref().set_read_timeout(None)?;
        line.set_write_timeout(Some(ROOM))?;
        Ok((Listener { stream: self.stream, version: self.version, sound: Vec::new() }, Line(line)))
    }
}

/// The end that listens.
pub(super) struct Listener {
    stream: BufReader<UnixStream>,
    version: u16,
    sound: Vec<u8>,
}

/// What the server says by itself.
pub(super) enum Heard<'a> {
    /// Sound of a record stream.
    Sound(&'a [u8]),
    /// A playback stream has room for so many more bytes.
    Request(u32),
    /// A playback stream has run dry.
    Underflow,
    /// The server has taken the card away.
    Killed,
    /// Cards came, went or changed.
    Cards,
    /// What concerns nobody here.
    Other,
}

impl Listener {
    /// Waits for the next message.
    pub(super) fn next(&mut self) -> Result<Heard<'_>, Trouble> {
        let head = read_descriptor(&mut self.stream)?;
        let length = head.length as usize;
        if length > MAX_MEMBLOCKQ_LENGTH {
            return Err(ProtocolError::Invalid(format!("a message of {length} bytes")).into());
        }
        if self.sound.len() < length {
            self.sound.resize(length, 0);
        }
        let message = self.sound.get_mut(..length).unwrap_or_default();
        self.stream.read_exact(message)?;
        if head.channel != CONTROL {
            return Ok(Heard::Sound(message));
        }
        let (_, event) = Command::read_tag_prefixed(&mut &*message, self.version)?;
        Ok(match event {
            Command::Request(request) => Heard::Request(request.length),
            Command::Underflow(_) => Heard::Underflow,
            Command::SubscribeEvent(_) => Heard::Cards,
            Command::PlaybackStreamKilled(_) | Command::RecordStreamKilled(_) => Heard::Killed,
            _ => Heard::Other,
        })
    }
}

/// The end that speaks. Closing it ends the stream.
pub(super) struct Line(UnixStream);

impl Line {
    /// Sends sound for a playback stream; `message` begins with [`DESCRIPTOR_SIZE`] bytes to be filled.
    pub(super) fn send(&mut self, channel: u32, message: &mut [u8]) -> io::Result<()> {
        let length = message.len().saturating_sub(DESCRIPTOR_SIZE);
        let head = Descriptor {
            length: u32::try_from(length).unwrap_or(u32::MAX),
            channel,
            offset: 0,
            flags: DescriptorFlags::empty(),
        };
        if let Some(place) = message.first_chunk_mut() {
            encode_descriptor(place, &head);
        }
        self.0.write_all(message)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // The listener has the same socket and would wait on.
        self.0.shutdown(Shutdown::Both).ok();
    }
}
