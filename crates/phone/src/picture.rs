use std::fmt;

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::{CheckView, Connection, FeatureCodes, HearBackView, PolicyView, Problem, UpdateView};

mod audio;
mod call;
mod caller_ids;
pub(crate) mod codecs;
mod contacts;
mod desk;
mod forwarding;
mod history;
mod others;
mod presence;
mod protection;
mod queues;
mod voice;
mod voicemail;
mod web_proxy;

pub use audio::{
    AudioView, DeviceForm, DeviceNews, DeviceRole, DeviceView, ReasonView, RingPreferences, RingTone,
    RoleView,
};
pub use call::{
    CallEnd, CallPreferences, CallReport, CallState, CallView, DeclineReason, Direction, DtmfMode, EndReason,
    KeepCalls, PeerView, Quality, RecordingNotice, RecordingPreferences, TransferView,
};
pub use caller_ids::{CallerIdView, CallerIdsView};
pub use codecs::CodecPreference;
pub use contacts::{
    ComputerState, ContactDraft, ContactFilter, ContactId, ContactKind, ContactNumber, ContactPage,
    ContactView, ContactsState, ContactsView, HitView, NumberKind,
};
pub use desk::{Appearance, AskedView, DesktopPreferences, GlobalKeys, HiddenWindow, PopWhen, ScreenPop};
pub use forwarding::{ForwardDoes, ForwardRuleView, ForwardWhen, ForwardingView};
pub use history::{HistoryView, PastCallView, PastId};
pub use others::{
    Activity, Lamp, MailboxView, MessageId, MessageState, MessageView, PresenceView, WatchedView,
};
pub use presence::{OwnPresenceView, PresenceChoice};
pub use protection::{KeyWay, ProtectionView, SrtpPolicy};
pub use queues::{QueueChoice, QueueStanding, QueueView};
pub use voice::{NoiseRemoval, VoicePreferences};
pub use voicemail::{
    DraftView, GreetingId, GreetingView, GreetingsView, PlayerState, PlayerView, SoundId, Standing,
    VoicemailId, VoicemailView, VoicemailsView,
};
pub use web_proxy::{WebProxyPreference, WebProxyWay};

/// Name of an account, `user@domain`: what `--account` takes and the keychain entry is filed under.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct AccountId(pub String);

impl AccountId {
    /// In the place of an account where contacts came with none: out of this computer's address book.
    pub const COMPUTER: Self = Self(String::new());
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Number of a call, counted up from 1 since the phone started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct CallId(pub u32);

/// Milliseconds since 1970-01-01 UTC. Exact in a JavaScript number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct UnixMs(#[specta(type = u32)] pub u64);

/// The whole state, for a shell that starts or comes back.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Picture {
    /// The wizard.
    pub sign_in: SignInView,
    /// All accounts, in the order they were signed in.
    pub accounts: Vec<AccountView>,
    /// All calls that have not ended.
    pub calls: Vec<CallView>,
    /// Certificates trusted on purpose.
    pub trusted: Vec<TrustedView>,
    /// What the user prefers in calls.
    pub call_preferences: CallPreferences,
    /// What is done to the user's voice.
    pub voice_preferences: VoicePreferences,
    /// Other extensions that are watched.
    pub watched: Vec<WatchedView>,
    /// Microphone, speaker and ringing device.
    pub audio: AudioView,
    /// Calls that are over.
    pub history: HistoryView,
    /// How it stands with the hear-back test.
    pub hear_back: HearBackView,
    /// How it stands with the check of the phone; left out where nobody asked for one.
    #[serde(default, skip_serializing_if = "CheckView::is_idle")]
    pub check: CheckView,
    /// How it stands with newer versions; left out where nobody looks for them.
    #[serde(default, skip_serializing_if = "UpdateView::is_off")]
    pub update: UpdateView,
    /// What the machine's policy settles; left out where that is nothing.
    #[serde(default, skip_serializing_if = "PolicyView::is_empty")]
    pub policy: PolicyView,
    /// How it stands with the contacts.
    pub contacts: ContactsView,
    /// How the phone lives in the desktop around its window.
    #[specta(optional)]
    pub desktop: DesktopPreferences,
    /// How servers on the web are reached.
    #[serde(default, skip_serializing_if = "WebProxyPreference::is_usual")]
    pub web_proxy: WebProxyPreference,
    /// A number out of a link that is asked about.
    #[specta(optional)]
    pub asked: Option<AskedView>,
    /// The voicemails.
    #[specta(optional)]
    pub voicemails: VoicemailsView,
    /// What the user tells others of being there, for each account whose PBX keeps it.
    #[specta(optional)]
    pub own_presence: Vec<OwnPresenceView>,
    /// The numbers that calls can show, for each account whose PBX offers some.
    #[specta(optional)]
    pub caller_ids: Vec<CallerIdsView>,
    /// The queues that the user serves.
    #[specta(optional)]
    pub queues: Vec<QueueView>,
    /// Where calls are sent, for each account whose PBX tells.
    #[specta(optional)]
    pub forwarding: Vec<ForwardingView>,
    /// The greetings.
    #[specta(optional)]
    pub greetings: GreetingsView,
    /// What is listened to.
    #[specta(optional)]
    pub player: Option<PlayerView>,
}

/// A certificate trusted on purpose, for one server only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TrustedView {
    /// Server as `host:port`.
    pub server: String,
    /// SHA-256 of the certificate, 64 lower-case hexadecimal digits.
    pub fingerprint: String,
}

/// Page the wizard shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SignInPage {
    /// Domain and server.
    Server,
    /// User name and password, or Microsoft 365.
    User,
    /// The code the PBX has sent by e-mail; see [`SignInView::code`].
    Code,
    /// A new password must be chosen, or may be by a link from an e-mail; see [`SignInView::new_password`].
    NewPassword,
    /// The password is forgotten: whose is it, then the link from the e-mail; see [`SignInView::forgot`].
    Forgot,
    /// The system's browser is at work; see [`SignInView::browser`].
    Browser,
    /// A QR code is looked for; see [`SignInView::scan`].
    Scan,
    /// A plain SIP account at any SIP server.
    Sip,
    /// The extension's SIP password, which this PBX does not hand over.
    SipPassword,
    /// Signed in; the wizard is not shown.
    Done,
}

/// The sign-in wizard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SignInView {
    /// Page to show.
    pub page: SignInPage,
    /// A request is under way; the button that was pressed shows it.
    pub busy: bool,
    /// Domain as last given.
    pub domain: String,
    /// Server as last given.
    pub server: String,
    /// User name as last given.
    pub username: String,
    /// What the server said of the tenant.
    pub tenant: Option<TenantView>,
    /// What stopped the last step, for the field it belongs to.
    pub problem: Option<Problem>,
    /// A certificate to be looked at; set together with a problem of one of the certificate codes.
    pub certificate: Option<CertificateView>,
    /// Domains signed in to before, latest first.
    pub earlier_domains: Vec<String>,
    /// Servers signed in to before, latest first.
    pub earlier_servers: Vec<String>,
    /// Which ways in there are, and what of the first page is settled.
    pub ways: WaysView,
    /// On page `code`.
    pub code: Option<CodeView>,
    /// On page `newPassword`.
    pub new_password: Option<NewPasswordView>,
    /// On page `forgot`.
    pub forgot: Option<ForgotView>,
    /// On page `browser`.
    pub browser: Option<BrowserView>,
    /// On page `scan`.
    pub scan: Option<ScanView>,
    /// Something good to say on the page shown.
    pub news: Option<SignInNews>,
}

/// Ways in that the brand allows, and what it has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct WaysView {
    /// User name and password.
    pub password: bool,
    /// Microsoft 365, where the tenant has it too.
    pub microsoft: bool,
    /// A QR code.
    pub qr: bool,
    /// A plain SIP account.
    pub sip: bool,
    /// The domain of the first page: may be typed, is fixed and shown, or is fixed and hidden.
    pub domain: FieldIs,
    /// The server of the first page.
    pub server: FieldIs,
}

/// What may be done with a field of the first page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum FieldIs {
    /// Typed by the user.
    Free,
    /// Shown as it is settled.
    Fixed,
    /// Settled and not shown.
    Hidden,
}

/// The second factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CodeView {
    /// The PBX has said that it sent a code.
    pub sent: bool,
    /// When another may be asked for.
    pub again_at: UnixMs,
}

/// A new password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct NewPasswordView {
    /// The PBX insists on it; otherwise a link from an e-mail allows it.
    pub forced: bool,
    /// The old password must be given too (it was not typed in this sign-in).
    pub old_needed: bool,
    /// The PBX's rules, where they may be read.
    pub policy: Option<PasswordPolicyView>,
}

/// Rules for passwords (`GET /tenant/password_policy`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PasswordPolicyView {
    /// Fewest characters.
    pub min_length: u32,
    /// Most characters.
    pub max_length: u32,
    /// A letter must be in it.
    pub letters: bool,
    /// A digit must be in it.
    pub digits: bool,
    /// A character that is neither must be in it.
    pub special: bool,
    /// No runs such as `1234`.
    pub no_sequences: bool,
    /// No runs such as `aaaa`.
    pub no_repeats: bool,
    /// Neither user name nor extension in it.
    pub no_account_name: bool,
}

/// The forgotten password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ForgotView {
    /// The PBX has been asked for the e-mail: its link is waited for, or may be pasted.
    pub asked: bool,
}

/// A sign-in in the system's browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BrowserView {
    /// Address to be opened by hand, where no browser could be.
    pub address: Option<String>,
    /// When the phone stops waiting.
    pub until: UnixMs,
}

/// The search for a QR code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ScanView {
    /// Cameras of this machine.
    pub cameras: Vec<CameraView>,
    /// The one in use.
    pub camera: Option<String>,
    /// How it stands with the camera.
    pub state: CameraState,
    /// What the last picture, the clipboard or the screen held that is no sign-in code, or why it could not
    /// be looked at.
    pub problem: Option<Problem>,
}

/// A camera.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CameraView {
    /// Its stable id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// How it stands with the camera.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CameraState {
    /// Cameras are looked for, or one is being opened.
    Starting,
    /// Frames are looked at; they come as [`Event::Preview`](crate::Event::Preview).
    Looking,
    /// No camera can be used; the other sources can.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// Something good to say on a page of the wizard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SignInNews {
    /// The new password stands: sign in with it.
    PasswordChanged,
    /// Another code was sent.
    CodeSent,
    /// The session had ended: signing in again goes on with the same account.
    SignInAgain,
}

/// The tenant behind a domain (`GET /info?domain=`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TenantView {
    /// Its name.
    pub name: String,
    /// Its SIP domain.
    pub domain: String,
    /// Its picture as a `data:` URL.
    pub picture: Option<String>,
    /// Signing in with Microsoft 365 is possible.
    pub microsoft: bool,
}

/// A certificate the phone does not trust by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CertificateView {
    /// `host:port` it was shown for.
    pub server: String,
    /// SHA-256 of its DER form, 64 lower-case hexadecimal digits.
    pub fingerprint: String,
    /// Its subject, in readable form.
    pub subject: String,
    /// Its issuer, in readable form.
    pub issuer: String,
    /// It is signed by itself.
    pub self_signed: bool,
    /// Start of its validity.
    pub not_before: UnixMs,
    /// End of its validity.
    pub not_after: UnixMs,
}

/// Transport of SIP messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// Secure WebSocket (RFC 7118).
    Wss,
}

/// How the transport of SIP messages is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "lowercase")]
pub enum TransportChoice {
    /// The first that works; what worked is remembered.
    Automatic,
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// Secure WebSocket (RFC 7118).
    Wss,
}

impl TransportChoice {
    /// The one to use, unless it is for the phone to find out.
    pub fn fixed(self) -> Option<Transport> {
        match self {
            Self::Automatic => None,
            Self::Udp => Some(Transport::Udp),
            Self::Tcp => Some(Transport::Tcp),
            Self::Tls => Some(Transport::Tls),
            Self::Wss => Some(Transport::Wss),
        }
    }
}

impl From<Transport> for TransportChoice {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::Udp,
            Transport::Tcp => Self::Tcp,
            Transport::Tls => Self::Tls,
            Transport::Wss => Self::Wss,
        }
    }
}

/// An account signed in to.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AccountView {
    /// Its name.
    pub id: AccountId,
    /// Name of the person.
    pub display_name: String,
    /// Extension number (SIP user).
    pub extension: String,
    /// SIP domain.
    pub domain: String,
    /// Server it is reached at.
    pub server: String,
    /// Transport in use.
    pub transport: Transport,
    /// Whether its calls are encrypted.
    pub srtp: SrtpPolicy,
    /// Whether they keep to themselves who calls.
    pub hidden: bool,
    /// How they find their way through NATs.
    pub connection: Connection,
    /// Whether calls can come and go, and if not, why not and what happens next.
    pub state: AccountState,
    /// The session at the PBX's REST interface.
    pub session: SessionState,
    /// The keychain could not keep the secrets; they are forgotten when the phone closes.
    pub secrets_in_memory: bool,
    /// What the PBX's profile file settles for its users.
    pub enforced: EnforcedView,
    /// Waiting messages, once the PBX has told of them.
    pub mailbox: Option<MailboxView>,
    /// Star codes, once the PBX has told them; until then, and where it does not, those of the preferences hold.
    pub codes: Option<Box<FeatureCodes>>,
    /// The certificate that its SIP server shows and this machine does not trust (`TrustSipServer`).
    pub certificate: Option<Box<CertificateView>>,
}

/// What the PBX's profile file settles for its users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EnforcedView {
    /// Theme.
    pub theme: Option<Theme>,
    /// Language, as a BCP 47 tag.
    pub language: Option<String>,
    /// Views that are not to be shown, by their names in the profile file, lower case (`contacts`, `voicemail`).
    pub hidden: Vec<String>,
    /// It settles the codecs.
    pub codecs: bool,
}

/// Theme of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Session at the PBX's REST interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SessionState {
    /// A plain SIP account has none.
    None,
    /// It is being begun, or was taken up out of the keychain and the PBX is being asked about it.
    Opening,
    /// It stands: the PBX has said so.
    Open,
    /// It was taken up, and the PBX could not be asked about it.
    Unconfirmed {
        /// Why not.
        problem: Problem,
    },
    /// It cannot be renewed: the user should sign in again. The phone goes on meanwhile.
    Expired,
}

/// Registration of an account (RFC 3261, section 10).
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AccountState {
    /// The first registration is under way.
    Registering,
    /// Calls can come and go.
    Registered {
        /// Seconds the registrar granted.
        expires_s: u32,
        /// Time from REGISTER to its final answer, milliseconds.
        rtt_ms: u32,
    },
    /// It was or should be registered; the phone tries again by itself.
    Reconnecting {
        /// When the next try is due.
        retry_at: UnixMs,
        /// What stopped the last try.
        problem: Problem,
        /// SIP status of the last try, where there was one.
        status: Option<u16>,
    },
    /// Nothing more happens by itself: the user must act.
    Offline {
        /// Why.
        problem: Problem,
        /// SIP status, where there was one.
        status: Option<u16>,
    },
}
