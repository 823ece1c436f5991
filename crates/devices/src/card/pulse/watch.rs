use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread;

use pulseaudio::protocol::Command;
use pulseaudio::protocol::SubscriptionMask as Mask;

use super::connection::{Connection, Heard, Line, Trouble};

/// The server tells of cards that come, go or change, until this is dropped.
pub(in crate::card) struct Subscription {
    gone: Arc<AtomicBool>,
    _line: Line,
}

impl Subscription {
    /// Where no server listens, looking for one is enough.
    pub(in crate::card) const POSSIBLE: bool = true;

    /// Subscribes; nothing where no server listens. `changed` gets a word for every change, and when the server is
    /// gone.
    pub(in crate::card) fn start(changed: SyncSender<()>) -> Option<Self> {
        subscribe(changed).unwrap_or_else(|error| {
            tracing::debug!(%error, "the sound server does not tell of its cards");
            None
        })
    }

    /// The server will tell nothing more.
    pub(in crate::card) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }
}

fn subscribe(changed: SyncSender<()>) -> Result<Option<Subscription>, Trouble> {
    let Some(mut connection) = Connection::open()? else { return Ok(None) };
    connection.tell(&Command::Subscribe(Mask::SINK | Mask::SOURCE | Mask::SERVER | Mask::CARD))?;
    let (mut listener, line) = connection.split()?;
    let gone = Arc::new(AtomicBool::new(false));
    let over = gone.clone();
    let listen = move || {
        while let Ok(heard) = listener.next() {
            if matches!(heard, Heard::Cards) {
                // A full channel holds a word already.
                changed.try_send(()).ok();
            }
        }
        over.store(true, Ordering::SeqCst);
        changed.try_send(()).ok();
    };
    thread::Builder::new().name("sound-cards".into()).spawn(listen)?;
    Ok(Some(Subscription { gone, _line: line }))
}
