use std::time::Duration;

use crate::Cause;

/// Names a call within its [`UserAgent`](crate::UserAgent), for its whole life and never again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey(pub u64);

/// The other end of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// What to dial to call back: the user part, or the whole URI where it is of a foreign kind.
    /// `anonymous` when withheld.
    pub number: String,
    /// Host of the URI.
    pub host: String,
    /// Display name, where one was sent.
    pub display_name: Option<String>,
}

/// What the user agent has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The registration changed.
    Registration(Registration),
    /// Somebody calls. It rings at the caller's only after [`ring`](crate::UserAgent::ring).
    Incoming {
        /// The new call.
        call: CallKey,
        /// Who calls.
        from: Party,
        /// Their offer; without one, ours goes into the answer.
        offer: Option<String>,
    },
    /// An outgoing call makes progress (180, 181, 182, 183).
    Ringing {
        /// The call.
        call: CallKey,
        /// SIP status.
        status: u16,
        /// Session description of early media.
        sdp: Option<String>,
    },
    /// An outgoing call was answered.
    Answered {
        /// The call.
        call: CallKey,
        /// Their answer; where the 2xx brought none, the one that came with the early media.
        sdp: String,
        /// From INVITE to its 2xx.
        setup: Duration,
    },
    /// An incoming call that was answered here is established: the ACK came.
    Confirmed {
        /// The call.
        call: CallKey,
        /// From answering to the ACK.
        setup: Duration,
    },
    /// A new session description is offered within a call (re-INVITE, UPDATE), or, without one, asked for.
    /// Reply with [`answer_offer`](crate::UserAgent::answer_offer) at once.
    Offer {
        /// The call.
        call: CallKey,
        /// Their offer.
        sdp: Option<String>,
    },
    /// An answer, in an ACK, to an offer of ours that went out in a 2xx.
    Answer {
        /// The call.
        call: CallKey,
        /// Their answer.
        sdp: String,
    },
    /// A call is over; its key is never heard of again.
    Ended {
        /// The call.
        call: CallKey,
        /// Why.
        cause: EndCause,
        /// SIP status that ended it, where there was one.
        status: Option<u16>,
    },
}

/// Where the registration stands (RFC 3261, section 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// The first REGISTER since the start, or since a reconnect was asked for, is on its way.
    Registering,
    /// Calls can come.
    Registered {
        /// Lifetime granted.
        expires: Duration,
        /// From the last REGISTER to its answer.
        rtt: Duration,
    },
    /// The last try failed; the next comes by itself.
    Retrying {
        /// Why.
        cause: Cause,
        /// SIP status of the last try, where there was one.
        status: Option<u16>,
        /// Time from now to the next try.
        retry_in: Duration,
    },
    /// Refused; nothing more happens until [`reconnect`](crate::UserAgent::reconnect).
    Refused {
        /// Why.
        cause: Cause,
        /// SIP status.
        status: Option<u16>,
    },
    /// The user agent has stopped.
    Unregistered,
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndCause {
    /// We hung up an established call.
    HungUpHere,
    /// They hung up an established call.
    HungUpThere,
    /// We gave up an outgoing call before it was answered.
    CancelledHere,
    /// The caller gave up before we answered.
    CancelledThere,
    /// Another phone of ours answered the incoming call (RFC 3326).
    AnsweredElsewhere,
    /// We declined the incoming call.
    DeclinedHere,
    /// They declined (603 and like).
    Declined,
    /// They are busy (486, 600).
    Busy,
    /// Nobody answered (408, 480, 487 from their side).
    NoAnswer,
    /// There is no such number (404, 410, 484, 485, 604).
    NotFound,
    /// The PBX does not allow the call (401, 402, 403, 407).
    Forbidden,
    /// The session descriptions do not fit together (415, 488, 606).
    NotAcceptable,
    /// Refused for another reason; see the status.
    Refused,
    /// What was to be called is not a number or SIP URI.
    TargetInvalid,
    /// The proxy could not be reached, so the call never began.
    Unreachable(Cause),
    /// The other end of an established call is gone without a word, or never acknowledged our answer.
    ConnectionLost,
}

impl EndCause {
    /// Reading of the final status of an outgoing call (RFC 3261, section 21).
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            486 | 600 => Self::Busy,
            603 | 607 => Self::Declined,
            408 | 480 | 487 => Self::NoAnswer,
            404 | 410 | 484 | 485 | 604 => Self::NotFound,
            401 | 402 | 403 | 407 => Self::Forbidden,
            415 | 488 | 606 => Self::NotAcceptable,
            _ => Self::Refused,
        }
    }
}
