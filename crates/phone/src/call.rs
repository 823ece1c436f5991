//! One call: what it shows, and what of signalling, sockets and sound belongs to it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use devices::Ringer;
use media::Digit;
use media::sdp::{LocalMedia, Negotiated};

use crate::accounts::Agent;
use crate::voice::{Sockets, Voice};
use crate::{AccountId, CallEnd, CallId, CallState, CallView, Direction, EndReason, PeerView, UnixMs};

/// One call, from the first word of it until it has ended.
pub(crate) struct Call {
    /// What the shells show.
    pub(crate) view: CallView,
    /// The account's user agent.
    pub(crate) agent: Agent,
    /// Its name there; none before the INVITE is sent.
    pub(crate) key: Option<sip::CallKey>,
    /// Their offer, until it is answered; inner none for an offerless INVITE.
    pub(crate) offer: Option<Option<String>>,
    /// Our side of the session.
    pub(crate) media: Option<LocalMedia>,
    /// How far its sound is.
    pub(crate) sound: Sound,
    /// The ring or ring-back heard now.
    pub(crate) tone: Option<Ringer>,
    /// Why it ended, where we know better than the signalling.
    pub(crate) fault: Option<EndReason>,
    answered: Option<Instant>,
}

/// How far the sound of a call is.
pub(crate) enum Sound {
    /// Nobody has asked for it, or it is over.
    None,
    /// Another thread tries the microphone and binds sockets.
    Preparing,
    /// Sockets wait for both ends to agree.
    Bound(Sockets),
    /// Another thread opens the devices.
    Opening {
        /// What was agreed on since.
        agreed: Option<Negotiated>,
        /// Digits to send once it runs.
        digits: Vec<Digit>,
    },
    /// Both can talk.
    Running(Voice),
}

impl Call {
    /// A call that has just begun.
    pub(crate) fn new(
        id: CallId,
        account: AccountId,
        direction: Direction,
        peer: PeerView,
        agent: Agent,
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
            sound: Sound::None,
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
