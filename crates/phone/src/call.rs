//! One call: what it shows, and what of signalling, sockets and sound belongs to it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use devices::Ringer;
use media::sdp::{LocalMedia, Negotiated};

use crate::voice::{Sockets, Voice};
use crate::{AccountId, CallEnd, CallId, CallState, CallView, Direction, EndReason, PeerView, UnixMs};

/// One call, from the first word of it until it has ended.
pub(crate) struct Call {
    /// What the shells show.
    pub(crate) view: CallView,
    /// The account's user agent.
    pub(crate) agent: sip::UserAgent,
    /// Its name there; none before the INVITE is sent.
    pub(crate) key: Option<sip::CallKey>,
    /// Their offer, until it is answered; inner none for an offerless INVITE.
    pub(crate) offer: Option<Option<String>>,
    /// Our side of the session.
    pub(crate) media: Option<LocalMedia>,
    /// Sockets that wait for the session to begin.
    pub(crate) sockets: Option<Sockets>,
    /// What was agreed, while the sound devices are being opened.
    pub(crate) agreed: Option<Negotiated>,
    /// The running voice path.
    pub(crate) voice: Option<Voice>,
    /// The ring or ring-back heard now.
    pub(crate) tone: Option<Ringer>,
    /// Why it ended, where we know better than the signalling.
    pub(crate) fault: Option<EndReason>,
    answered: Option<Instant>,
}

impl Call {
    /// A call that has just begun.
    pub(crate) fn new(
        id: CallId,
        account: AccountId,
        direction: Direction,
        peer: PeerView,
        agent: sip::UserAgent,
    ) -> Self {
        let state = match direction {
            Direction::Incoming => CallState::Incoming,
            Direction::Outgoing => CallState::Calling,
        };
        Self {
            view: CallView {
                id,
                account,
                direction,
                peer,
                state,
                muted: false,
                digits: String::new(),
                codec: None,
                encrypted: false,
                setup_ms: None,
            },
            agent,
            key: None,
            offer: None,
            media: None,
            sockets: None,
            agreed: None,
            voice: None,
            tone: None,
            fault: None,
            answered: None,
        }
    }

    /// Both ends have agreed to talk.
    pub(crate) fn answered(&mut self, codec: &str, setup_ms: Option<u32>) {
        self.tone = None;
        self.view.codec = Some(codec.to_owned());
        self.view.setup_ms = setup_ms.or(self.view.setup_ms);
        if self.answered.is_none() {
            self.answered = Some(Instant::now());
            self.view.state = CallState::Active { since: now() };
        }
    }

    /// The call is over; a fault of ours explains it better than what the signalling said.
    pub(crate) fn ended(&mut self, reason: EndReason, status: Option<u16>) {
        self.tone = None;
        let end = CallEnd {
            reason: self.fault.unwrap_or(reason),
            status,
            lasted_s: self.answered.map(|since| u32::try_from(since.elapsed().as_secs()).unwrap_or(u32::MAX)),
        };
        self.view.state = CallState::Ended { end };
    }

    /// Its voice path is being started on another thread, which will tell when it is done.
    pub(crate) fn is_opening(&self) -> bool {
        self.answered.is_some() && self.sockets.is_none() && self.voice.is_none()
    }

    /// It is over.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.view.state, CallState::Ended { .. })
    }
}

/// The present, for people.
pub(crate) fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs(u64::try_from(since.as_millis()).unwrap_or_default())
}
