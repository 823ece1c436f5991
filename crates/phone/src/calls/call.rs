//! One call: what it shows, and what of signalling, sockets and sound belongs to it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use media::sdp::{LocalMedia, Trickle};

use super::begin::Way;
use super::digits::Digits;
use super::early::Early;
use crate::accounts::Agent;
use crate::summary::Ledger;
use crate::verdict::Assistant;
use crate::voice::Sockets;
use crate::{
    AccountId, CallEnd, CallId, CallState, CallView, Direction, EndReason, PeerView, ProtectionView, UnixMs,
};

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
    /// How it was dialled, until plain RTP was all that is left to offer.
    pub(crate) dialled: Option<Way>,
    /// Who is shown as its caller.
    pub(crate) shown: sip::Shown,
    /// How far its sound is.
    pub(crate) sound: Sound,
    /// Which phones ring, before it is answered.
    /// Addresses of theirs that came before the voice path had the call.
    pub(crate) trickled: Option<Trickle>,
    pub(crate) early: Early,
    /// Digits on their way.
    pub(crate) digits: Digits,
    /// Our address has changed since our first description: it is to be offered once the call is answered.
    pub(crate) moved: bool,
    /// The other side takes telephone-events.
    pub(crate) takes_events: bool,
    /// It was answered by itself: the user is warned.
    pub(crate) answered_by_itself: bool,
    /// The call it takes the place of as soon as it is answered.
    pub(crate) replaces: Option<CallId>,
    /// Who asked for it, until it is dialled.
    pub(crate) referral: Option<sip::ReferralKey>,
    /// The call its other end is handed on to.
    pub(crate) handed_to: Option<CallId>,
    /// Why it ended, where we know better than the signalling.
    pub(crate) fault: Option<EndReason>,
    /// Watches its sound.
    pub(crate) assistant: Assistant,
    /// What it was like.
    pub(crate) ledger: Ledger,
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
    /// It has joined the voice path.
    Joined,
    /// It is over, and leaves the voice path of this number.
    Leaving(u32),
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
                muted_talk: false,
                remote_held: false,
                merged: false,
                diverted_by: None,
                follows: None,
                transfer: None,
                digits: String::new(),
                digits_waiting: None,
                codec: None,
                protection: ProtectionView::None,
                setup_ms: None,
                verdict: None,
                recording: false,
                recorded: None,
            },
            agent,
            key: None,
            offer: None,
            media: None,
            dialled: None,
            shown: sip::Shown::AsUsual,
            sound: Sound::None,
            trickled: None,
            early: Early::default(),
            digits: Digits::default(),
            moved: false,
            takes_events: false,
            answered_by_itself: false,
            replaces: None,
            referral: None,
            handed_to: None,
            fault: None,
            assistant: Assistant::default(),
            ledger: Ledger::default(),
            answered: None,
        }
    }

    /// Both ends have agreed to talk.
    pub(crate) fn answered(&mut self, setup_ms: Option<u32>) {
        self.view.setup_ms = setup_ms.or(self.view.setup_ms);
        if self.answered.is_none() {
            self.answered = Some(Instant::now());
            self.view.state = CallState::Active { since: now() };
        }
    }

    /// It is held by us, or not.
    pub(crate) fn hold(&mut self, held: bool) {
        match (&self.view.state, held) {
            (CallState::Active { since }, true) => self.view.state = CallState::Held { since: *since },
            (CallState::Held { since }, false) => self.view.state = CallState::Active { since: *since },
            _ => {}
        }
    }

    /// The call is over; a fault of ours explains it better than what the signalling said.
    pub(crate) fn ended(&mut self, reason: EndReason, status: Option<u16>) {
        let end = CallEnd {
            reason: self.fault.unwrap_or(reason),
            status,
            lasted_s: self.answered.map(|since| u32::try_from(since.elapsed().as_secs()).unwrap_or(u32::MAX)),
        };
        self.view.recording = false;
        self.view.state = CallState::Ended { end };
    }

    /// It rings here and nothing was done about it.
    pub(crate) fn is_ringing_here(&self) -> bool {
        self.view.state == CallState::Incoming && self.offer.is_some() && matches!(self.sound, Sound::None)
    }

    /// Both ends talk, or one of them holds.
    pub(crate) fn is_established(&self) -> bool {
        matches!(self.view.state, CallState::Active { .. } | CallState::Held { .. })
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
