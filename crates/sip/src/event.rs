use std::net::SocketAddr;
use std::time::Duration;

use pbx_api::{CertificateFacts, CertificateProblem};

use crate::{Cause, Transport};

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
    /// A new way to the proxy is open. How is worth remembering for the network the phone is in
    /// ([`TransportChoice::Automatic`](crate::TransportChoice::Automatic)).
    Reached {
        /// How.
        transport: Transport,
        /// Where.
        peer: SocketAddr,
    },
    /// The proxy shows a certificate that is not trusted. Comes ahead of the report that registering failed; with
    /// another [`trust`](crate::UserAgent::trust) a [`reconnect`](crate::UserAgent::reconnect) may go through.
    CertificateNotTrusted {
        /// What is wrong with it.
        problem: CertificateProblem,
        /// The certificate, and the server that a pin for it must name.
        certificate: Box<CertificateFacts>,
    },
    /// Somebody calls. It rings at the caller's only after [`ring`](crate::UserAgent::ring).
    Incoming {
        /// The new call.
        call: CallKey,
        /// What its INVITE says of it.
        invitation: Box<Invitation>,
    },
    /// An outgoing call makes progress (180, 181, 182, 183), or one of the phones that rang rings no more (199).
    Ringing {
        /// The call.
        call: CallKey,
        /// Which of the phones that ring, in the order they were heard of: each has an early dialog of its own
        /// (RFC 3261, section 12.1).
        fork: u32,
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
    /// An answer to an offer of ours: to a new one within the call ([`reoffer`](crate::UserAgent::reoffer)), or, in an
    /// ACK, to one that went out in a 2xx because they asked for it.
    Answer {
        /// The call.
        call: CallKey,
        /// Their answer.
        sdp: String,
    },
    /// Our new offer within a call ([`reoffer`](crate::UserAgent::reoffer)) was refused; the session is as it was.
    OfferRefused {
        /// The call.
        call: CallKey,
        /// SIP status, where there was one.
        status: Option<u16>,
    },
    /// The local address changed under a call: its session needs a new offer
    /// ([`reoffer`](crate::UserAgent::reoffer)) from [`local_ip`](crate::UserAgent::local_ip).
    Moved {
        /// The call.
        call: CallKey,
    },
    /// The other end of a call is another one now, as a transfer or the network says (P-Asserted-Identity,
    /// RFC 3325; a dialog that replaced ours, RFC 3891).
    PartyChanged {
        /// The call.
        call: CallKey,
        /// Who it is.
        party: Party,
    },
    /// An INFO within a call brought a body, such as a digit.
    Info {
        /// The call.
        call: CallKey,
        /// Media type.
        content_type: String,
        /// Body.
        body: String,
    },
    /// How a transfer of ours goes ([`transfer`](crate::UserAgent::transfer), RFC 3515 and 5589).
    Transfer {
        /// The call that is handed on.
        call: CallKey,
        /// Where it stands.
        progress: TransferProgress,
    },
    /// Somebody asks us to call (REFER, RFC 3515). Reply with [`follow`](crate::UserAgent::follow) or
    /// [`refuse_referral`](crate::UserAgent::refuse_referral).
    Referred {
        /// Names the request.
        referral: ReferralKey,
        /// The call it came in, to be handed on; none out of a dialog (click to dial).
        call: Option<CallKey>,
        /// Whom to call.
        target: Party,
        /// Who asks.
        by: Party,
    },
    /// A subscription changed ([`subscribe`](crate::UserAgent::subscribe), RFC 6665).
    Subscription {
        /// The subscription.
        subscription: SubscriptionKey,
        /// Where it stands.
        state: SubscriptionState,
    },
    /// A subscription brought news.
    Notified {
        /// The subscription; none for a message summary that came unasked, as many a PBX sends it.
        subscription: Option<SubscriptionKey>,
        /// The news.
        news: News,
    },
    /// A text message came (MESSAGE, RFC 3428).
    Message {
        /// Who wrote.
        from: Party,
        /// What.
        text: String,
    },
    /// What became of a message of ours.
    MessageSent {
        /// The message.
        message: MessageKey,
        /// SIP status of the answer; none where there was none.
        status: Option<u16>,
    },
    /// What became of publishing our presence ([`publish`](crate::UserAgent::publish), RFC 3903).
    Published {
        /// SIP status of the answer; none where there was none.
        status: Option<u16>,
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

/// What the INVITE of an incoming call says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invitation {
    /// Who calls.
    pub from: Party,
    /// Whom they dialled (To).
    pub to: Party,
    /// Who forwarded the call here, last first (Diversion, RFC 5806; History-Info, RFC 7044).
    pub diverted_by: Vec<Party>,
    /// Their offer; without one, ours goes into the answer.
    pub offer: Option<String>,
    /// The PBX wants the phone to answer by itself (Alert-Info, Call-Info, Answer-Mode), after this long.
    pub auto_answer: Option<Duration>,
    /// The call of ours that this one takes the place of, once it is answered (Replaces, RFC 3891).
    pub replaces: Option<CallKey>,
    /// How it shall ring (Alert-Info).
    pub alert: Option<String>,
}

/// Where a transfer of ours stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferProgress {
    /// The other end tries; the SIP status it hears.
    Trying(u16),
    /// They talk. Our call is of no use any more and may be hung up.
    Done,
    /// It failed, with this SIP status; the call is as it was.
    Failed(Option<u16>),
}

/// Names a request of somebody that we call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReferralKey(pub u64);

/// Names a subscription of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionKey(pub u64);

/// Names a text message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageKey(pub u64);

/// What can be subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Package {
    /// Waiting messages of a mailbox (RFC 3842).
    MessageSummary,
    /// Calls of another extension, for busy lamps (RFC 4235).
    Dialog,
    /// Presence of another user (RFC 3856).
    Presence,
}

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionState {
    /// Asked for, or approval awaited.
    Pending,
    /// News come.
    Active,
    /// Refused or ended by the other end; with the SIP status where there was one. It is not tried again.
    Ended(Option<u16>),
}

/// What a notification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Waiting messages.
    Messages(MessageSummary),
    /// All calls of the other extension, as they stand now.
    Dialogs(Vec<OtherCall>),
    /// Presence of the other user.
    Presence(Presence),
}

/// Waiting messages of a mailbox (RFC 3842).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageSummary {
    /// Anything waits.
    pub waiting: bool,
    /// Voice messages not heard yet, and urgent ones among them; where the PBX counts.
    pub new: Option<u32>,
    /// Voice messages heard already.
    pub old: Option<u32>,
    /// What to call to hear them.
    pub account: Option<String>,
}

/// A call of another extension (RFC 4235).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherCall {
    /// Names it within its extension.
    pub id: String,
    /// Where it stands.
    pub state: OtherCallState,
    /// The extension was called, did not call.
    pub incoming: bool,
    /// With whom.
    pub party: Option<Party>,
    /// What a call that takes it over must name (Call-ID, local tag, remote tag), where it is told.
    pub dialog: Option<(String, String, String)>,
}

/// Where a call of another extension stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherCallState {
    /// It is dialled or rings.
    Early,
    /// They talk.
    Confirmed,
    /// It is over.
    Terminated,
}

/// Presence of a user (RFC 3863, 4480).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Presence {
    /// Can be reached.
    pub open: bool,
    /// What they do.
    pub activity: Activity,
    /// In their own words.
    pub note: Option<String>,
}

/// What somebody does (RFC 4480, section 3.2, as far as phones show it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Activity {
    /// Nothing is said of it.
    #[default]
    Unknown,
    /// Away.
    Away,
    /// Busy.
    Busy,
    /// In a call.
    OnThePhone,
    /// Not to be disturbed.
    DoNotDisturb,
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
    /// The proxy could not be reached, or it or what it relies on is out of order (502, 503, 504), so the call never
    /// began.
    Unreachable(Cause),
    /// Another call took the place of this one (RFC 3891).
    Replaced,
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
            502..=504 => Self::Unreachable(Cause::ServerFailed),
            _ => Self::Refused,
        }
    }
}
