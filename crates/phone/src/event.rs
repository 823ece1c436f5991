use serde::Serialize;
use specta::Type;

use crate::{
    AccountId, AccountView, AskedView, AudioView, BundleView, CallId, CallPreferences, CallReport,
    CallSummary, CallView, CallerIdsView, CheckView, ContactId, ContactPage, ContactsView,
    DesktopPreferences, DeviceNews, ForwardingView, GreetingsView, HearBackView, HistoryView, HitView,
    MessageView, OwnPresenceView, PastCallView, PastId, PlayerView, Problem, QueueView, SignInView, SoundId,
    TrustedView, UpdateView, VoicePreferences, VoicemailsView, WatchedView, WebProxyPreference,
};

/// What changed. Each event carries the whole of the thing that changed, so that a shell which missed
/// earlier ones still draws the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// The sign-in wizard changed.
    SignIn {
        /// The wizard as it stands now.
        view: Box<SignInView>,
    },
    /// An account is new or changed.
    Account {
        /// The account as it stands now.
        view: AccountView,
    },
    /// An account was signed out.
    AccountGone {
        /// Which one.
        account: AccountId,
    },
    /// A call is new or changed; its last change has the state `ended`.
    Call {
        /// The call as it stands now.
        view: CallView,
    },
    /// Figures of a running call, five times a second.
    Media {
        /// Which call.
        call: CallId,
        /// The figures.
        report: CallReport,
    },
    /// What a call that was answered was like, told just before its end.
    Summary {
        /// Which call.
        call: CallId,
        /// All of it.
        summary: Box<CallSummary>,
    },
    /// It stands otherwise with the hear-back test.
    HearBack {
        /// As it stands now.
        view: HearBackView,
    },
    /// A diagnostic bundle was made or saved.
    Bundle {
        /// All of it.
        view: Box<BundleView>,
    },
    /// It stands otherwise with newer versions of the phone.
    Update {
        /// As it stands now.
        view: Box<UpdateView>,
    },
    /// It stands otherwise with the check of the phone.
    Check {
        /// As it stands now.
        view: Box<CheckView>,
    },
    /// The call list was read, or all of it has changed.
    History {
        /// As it stands now.
        view: HistoryView,
    },
    /// A call of the call list is new or changed.
    Past {
        /// As it stands now.
        view: Box<PastCallView>,
    },
    /// A call was taken off the call list.
    PastGone {
        /// Which one.
        id: PastId,
    },
    /// Calls of the call list before those known so far, as was asked for.
    EarlierCalls {
        /// Newest first.
        calls: Vec<PastCallView>,
        /// There are still earlier ones.
        earlier: bool,
    },
    /// They pressed a key.
    DigitHeard {
        /// In which call.
        call: CallId,
        /// The digit.
        digit: char,
    },
    /// What the user prefers in calls has changed.
    CallPreferences {
        /// All of it.
        preferences: CallPreferences,
    },
    /// Something was plugged in or out, or other devices are used or preferred.
    Audio {
        /// As it stands now.
        view: Box<AudioView>,
    },
    /// The calls in progress go on through another device.
    DeviceChanged {
        /// Which.
        news: DeviceNews,
    },
    /// What is done to the user's voice has changed.
    VoicePreferences {
        /// All of it.
        preferences: VoicePreferences,
    },
    /// How loud microphone and speaker are, ten times a second as long as somebody looks.
    Levels {
        /// Highest peak since the last, before anything is done to it: 0 is -60 dBFS and less, 100 is full scale.
        microphone: u8,
        /// The same of what the speaker is given.
        speaker: u8,
    },
    /// Another extension is watched, or something of it has changed.
    Watched {
        /// As it stands now.
        view: WatchedView,
    },
    /// Another extension is watched no longer.
    WatchedGone {
        /// Through which account it was.
        account: AccountId,
        /// Which extension.
        number: String,
    },
    /// A text message came, was sent, or something has become of it.
    Message {
        /// The message.
        view: MessageView,
    },
    /// What the camera sees while a QR code is looked for, some ten times a second. It is shown and forgotten.
    Preview {
        /// A `data:` URL of a JPEG picture, not mirrored.
        picture: String,
    },
    /// The certificates trusted on purpose changed.
    Trusted {
        /// All of them.
        trusted: Vec<TrustedView>,
    },
    /// The contacts are others now, or it stands otherwise with them.
    Contacts {
        /// As it stands now.
        view: ContactsView,
    },
    /// A part of the contacts, as was asked for.
    ContactsFound {
        /// Number of the question.
        ask: u32,
        /// The part.
        page: Box<ContactPage>,
    },
    /// Somebody's portrait, as was asked for.
    Portrait {
        /// The account through which the reference is known.
        account: AccountId,
        /// The reference.
        reference: String,
        /// A `data:` URL that the phone wrote, of a square; none where there is none, or it cannot be had now.
        portrait: Option<String>,
    },
    /// Whom to call, as was asked for.
    Found {
        /// Number of the question.
        ask: u32,
        /// Likest first.
        hits: Vec<HitView>,
    },
    /// A contact was written, or could not be.
    ContactSaved {
        /// Number of the question.
        ask: u32,
        /// The contact, where it is known already.
        contact: Option<ContactId>,
        /// Why it could not.
        problem: Option<Problem>,
    },
    /// How the phone lives in the desktop around its window has changed.
    Desktop {
        /// All of it.
        preferences: DesktopPreferences,
    },
    /// How servers on the web are reached has changed.
    WebProxy {
        /// All of it.
        preference: WebProxyPreference,
    },
    /// A number out of a link is asked about, or no longer.
    Asked {
        /// As it stands now.
        view: Option<AskedView>,
    },
    /// The voicemails are others now, or it stands otherwise with them.
    Voicemails {
        /// As they stand now.
        view: VoicemailsView,
    },
    /// The greetings are others now, or it stands otherwise with the one that is made.
    Greetings {
        /// As they stand now.
        view: GreetingsView,
    },
    /// The user tells others something else of being there.
    OwnPresence {
        /// For each account whose PBX keeps it.
        views: Vec<OwnPresenceView>,
    },
    /// Calls can show other numbers, or another one is shown.
    CallerIds {
        /// For each account whose PBX offers some.
        views: Vec<CallerIdsView>,
    },
    /// The user stands otherwise in queues, or serves others.
    Queues {
        /// All of them.
        views: Vec<QueueView>,
    },
    /// Calls are sent elsewhere now, or a change of that was not taken.
    Forwarding {
        /// For each account whose PBX tells.
        views: Vec<ForwardingView>,
    },
    /// Something else is listened to, or it does something else.
    Player {
        /// As it stands now; none where nothing is open.
        view: Option<Box<PlayerView>>,
    },
    /// How far the user has heard, ten times a second.
    PlayedTo {
        /// Milliseconds heard.
        at_ms: u32,
    },
    /// A sound was saved as was asked for.
    SoundSaved {
        /// Which.
        sound: SoundId,
        /// The file.
        path: String,
    },
    /// Something the user must know that belongs to no page, or a command that could not be followed.
    Notice {
        /// What it is.
        problem: Problem,
        /// The call it is about.
        call: Option<CallId>,
    },
}
