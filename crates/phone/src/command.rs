use secrecy::SecretString;
use serde::Deserialize;
use specta::Type;

use crate::{
    AccountId, CallId, CallPreferences, Connection, ContactDraft, ContactFilter, ContactId, DeclineReason,
    DesktopPreferences, DeviceRole, ForwardRuleView, GreetingId, PastId, PresenceChoice, QueueChoice,
    RingPreferences, SoundId, SrtpPolicy, TransportChoice, VoicePreferences, VoicemailId, WebProxyPreference,
};

/// What a shell may ask of the phone. Every answer comes back as an [`Event`](crate::Event).
#[derive(Debug, Clone, Deserialize, Type)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Command {
    /// Wizard, page 1, *Next*: look the server up and ask it about the domain.
    FindServer {
        /// SIP domain of the tenant, as typed.
        domain: String,
        /// `host`, `host:port`, an IPv4 or IPv6 address, or a URL pasted by mistake.
        server: String,
    },
    /// Trust the certificate shown, for this server only, and go on with what it stopped.
    TrustCertificate {
        /// SHA-256 of the certificate, 64 hexadecimal digits, as shown.
        fingerprint: String,
    },
    /// Wizard: one page back, or away from a certificate.
    Back,
    /// Wizard, page 2: sign in.
    SignIn {
        /// The account's user name (not the extension).
        username: String,
        /// The account's password (not the extension's).
        #[specta(type = String)]
        password: SecretString,
    },
    /// Wizard, page 2: sign in with Microsoft 365, in the system's browser.
    SignInWithMicrosoft,
    /// Wizard, page `browser`: open the browser once more.
    OpenBrowserAgain,
    /// Wizard, page `code`: the code from the e-mail, as typed or pasted.
    GiveCode {
        /// The code.
        #[specta(type = String)]
        code: SecretString,
    },
    /// Wizard, page `code`: send another one.
    SendCodeAgain,
    /// Wizard, page 2: the password is forgotten. Leads to page `forgot`.
    ForgotPassword,
    /// Wizard, page `forgot`: let the PBX send its e-mail.
    AskForReset {
        /// Whose password.
        username: String,
    },
    /// Wizard, page `forgot`: the link from the e-mail, pasted.
    GiveResetLink {
        /// The link, or the token alone.
        #[specta(type = String)]
        link: SecretString,
    },
    /// Wizard, page `newPassword`.
    ChoosePassword {
        /// The old password, where it is asked for.
        #[specta(type = Option<String>)]
        old: Option<SecretString>,
        /// The new one.
        #[specta(type = String)]
        new: SecretString,
    },
    /// Wizard, page 1 or 2: look for a QR code, with the camera used last or the first. Leads to page `scan`.
    Scan,
    /// Wizard, page `scan`: look through another camera, or the same once more.
    UseCamera {
        /// Its id; the one used last or the first where it is left out.
        camera: Option<String>,
    },
    /// Wizard, page `scan`: look for a code in a picture file that was chosen, dropped or pasted.
    ReadPicture {
        /// The file, base64.
        #[specta(type = String)]
        picture: SecretString,
    },
    /// Wizard, page `scan`: look for a code in the clipboard, a picture or the code's own text.
    ReadClipboard,
    /// Wizard, page `scan`: look for a code on the screen.
    ReadScreen,
    /// Wizard, page 1: ask for a plain SIP account. Leads to page `sip`.
    EnterSipAccount,
    /// A link of the phone's own scheme was opened: the way back from a browser.
    OpenLink {
        /// The link.
        #[specta(type = String)]
        link: SecretString,
    },
    /// A link that dials was opened by another program: `tel:`, `sip:`, `sips:`, `callto:`. The user is asked first,
    /// unless he has allowed such for good.
    DialLink {
        /// The link.
        link: String,
    },
    /// Dial the number that is asked about, now or as soon as the phone is connected.
    DialAsked {
        /// Ask no more.
        always: bool,
    },
    /// Do not dial the number that is asked about, nor wait for it any longer.
    DropAsked,
    /// Change how the phone lives in the desktop around its window.
    PreferDesktop {
        /// All of it.
        preferences: DesktopPreferences,
    },
    /// Change how servers on the web are reached; what is not registered tries again.
    PreferWebProxy {
        /// All of it.
        preference: WebProxyPreference,
    },
    /// Open the wizard on its first page, beside the accounts there are.
    AddAccount,
    /// Sign in again to an account whose session has ended; it keeps its registration meanwhile.
    SignInAgain {
        /// Which account.
        account: AccountId,
    },
    /// Trust the certificate that an account's SIP server shows, for this server only, and register with it.
    TrustSipServer {
        /// Which account.
        account: AccountId,
        /// SHA-256 of the certificate, 64 hexadecimal digits, as shown.
        fingerprint: String,
    },
    /// Trust a certificate no longer.
    WithdrawTrust {
        /// Server as `host:port`.
        server: String,
    },
    /// Wizard, page 3, shown only when the PBX does not hand it over: the extension's SIP password.
    GiveSipPassword {
        /// The extension's password.
        #[specta(type = String)]
        password: SecretString,
    },
    /// Use a plain SIP account, at any SIP server.
    UseSipAccount {
        /// The account.
        account: SipAccount,
    },
    /// Sign out: un-register, end the session at the PBX, empty the keychain of it.
    SignOut {
        /// Which account.
        account: AccountId,
    },
    /// Change whether the calls of an account are encrypted, from the next call on.
    SetSrtp {
        /// Which account.
        account: AccountId,
        /// Whether.
        srtp: SrtpPolicy,
    },
    /// Change how the calls of an account find their way through NATs, from the next call on.
    SetConnection {
        /// Which account.
        account: AccountId,
        /// How.
        connection: Connection,
        /// Password at the TURN server; none to leave the one that is kept.
        #[specta(type = Option<String>)]
        turn_password: Option<SecretString>,
    },
    /// Try to register now instead of waiting for the next try.
    Reconnect {
        /// Which account.
        account: AccountId,
    },
    /// Call somebody.
    Dial {
        /// With which account; the first one where it is left out.
        account: Option<AccountId>,
        /// A number in any notation, an extension, a `sip:` or `tel:` address; digits to send once it is answered
        /// may follow a number (`102,,1234#`: `,` pauses for two seconds, `;` waits for `SendWaiting`).
        target: String,
    },
    /// Call somebody as `Dial` does, and keep from him who calls.
    DialHidden {
        /// With which account; the first one where it is left out.
        account: Option<AccountId>,
        /// As `Dial` takes it.
        target: String,
    },
    /// Answer a ringing call. Another one that talks is held.
    Answer {
        /// Which call.
        call: CallId,
    },
    /// Refuse a ringing call.
    Decline {
        /// Which call.
        call: CallId,
        /// What the caller is told; busy where it is left out.
        #[serde(default)]
        reason: DeclineReason,
    },
    /// Send the caller of a ringing call elsewhere (302).
    Redirect {
        /// Which call.
        call: CallId,
        /// Whom to call instead.
        target: String,
    },
    /// Put a call to sleep, with those it is merged with.
    Hold {
        /// Which call.
        call: CallId,
    },
    /// Talk to a held call again, with those it is merged with. Another one that talks is held.
    Resume {
        /// Which call.
        call: CallId,
    },
    /// Bring calls together, with those that are merged already: all hear each other.
    Merge {
        /// Which calls.
        calls: Vec<CallId>,
    },
    /// Take merged calls apart: one goes on, the others are held.
    Split {
        /// The one that goes on.
        call: CallId,
    },
    /// Hand a call on to somebody else without asking him (blind transfer).
    Transfer {
        /// Which call.
        call: CallId,
        /// To whom.
        target: String,
    },
    /// Join the other ends of two calls (attended transfer).
    TransferTo {
        /// The call that is handed on.
        call: CallId,
        /// The call with whom it is handed on to; it may still ring there.
        to: CallId,
    },
    /// End a call, or give up one that is not answered yet.
    HangUp {
        /// Which call.
        call: CallId,
    },
    /// Stop or go on sending the microphone.
    Mute {
        /// Which call.
        call: CallId,
        /// Whether nothing is to be heard of us.
        muted: bool,
    },
    /// Record a call from now on, or no longer.
    Record {
        /// Which call.
        call: CallId,
        /// Whether it is to be recorded.
        on: bool,
    },
    /// Park a call by the PBX's star code.
    Park {
        /// Which call.
        call: CallId,
        /// Where, such as an extension; the PBX's own choice where it is left out.
        slot: Option<String>,
    },
    /// Park a call at the group.
    GroupPark {
        /// Which call.
        call: CallId,
    },
    /// Hand a call, ringing or answered, to a voicemail.
    ToVoicemail {
        /// Which call.
        call: CallId,
        /// Whose; our own where it is left out.
        number: Option<String>,
    },
    /// Take a parked call.
    Retrieve {
        /// With which account; the first one where it is left out.
        account: Option<AccountId>,
        /// Where it is parked.
        slot: Option<String>,
    },
    /// Answer a call that rings elsewhere.
    PickUp {
        /// With which account; the first one where it is left out.
        account: Option<AccountId>,
        /// At which extension; any of the group where it is left out.
        number: Option<String>,
    },
    /// Take the call from another phone of ours.
    Flip {
        /// With which account; the first one where it is left out.
        account: Option<AccountId>,
    },
    /// Call the voicemail.
    CallVoicemail {
        /// With which account; the first one where it is left out.
        account: Option<AccountId>,
    },
    /// Watch another extension: its calls and its presence.
    Watch {
        /// Through which account.
        account: AccountId,
        /// Which extension.
        number: String,
    },
    /// Watch another extension no longer.
    Unwatch {
        /// Through which account.
        account: AccountId,
        /// Which extension.
        number: String,
    },
    /// Send a text message.
    SendMessage {
        /// With which account; the first one where it is left out.
        account: Option<AccountId>,
        /// To whom.
        target: String,
        /// What.
        text: String,
    },
    /// Send DTMF digits: `0`–`9`, `*`, `#`, `A`–`D`; `,` pauses for two seconds, `;` waits for `SendWaiting`.
    SendDigits {
        /// Which call.
        call: CallId,
        /// The digits.
        digits: String,
    },
    /// Go on with the digits that wait.
    SendWaiting {
        /// Which call.
        call: CallId,
    },
    /// Record five seconds of our own voice, judge it, and play it back. A call that begins meanwhile ends that.
    HearBack,
    /// Look for what keeps the phone from working ([`doctor`](crate::doctor)).
    CheckPhone {
        /// With which account; the first one where it is left out.
        account: Option<AccountId>,
    },
    /// Make a diagnostic bundle, to be read before it is given away.
    MakeBundle {
        /// Leave of each telephone number its last two digits.
        shorten_numbers: bool,
    },
    /// Asks the maker for a newer version.
    LookForUpdate,
    /// Fetches the newer version that was found.
    FetchUpdate,
    /// Hands the newer version that was fetched to the system's installer; not while there are calls.
    InstallUpdate,
    /// Save the diagnostic bundle that was made last.
    SaveBundle,
    /// Look no longer.
    StopChecking,
    /// Hear back no longer.
    StopHearBack,
    /// Tell the calls of the call list before this one.
    EarlierCalls {
        /// The earliest one known.
        before: PastId,
    },
    /// The user has seen the calls of the call list up to this one.
    SeeCalls {
        /// The latest one seen.
        up_to: PastId,
    },
    /// Take a call off the call list, with all that is known of it.
    ForgetCall {
        /// Which one.
        id: PastId,
    },
    /// Take all calls off the call list.
    ForgetAllCalls,
    /// Use the devices in this order at this place; an empty one follows the system's default.
    RankDevices {
        /// For what.
        role: DeviceRole,
        /// Ids, best first.
        ids: Vec<String>,
    },
    /// Use this device now, and whenever it is there at this place.
    UseDevice {
        /// For what.
        role: DeviceRole,
        /// Its id; the system's default one where it is left out.
        id: Option<String>,
    },
    /// Change how the phone rings.
    PreferRing {
        /// All of it.
        ring: RingPreferences,
    },
    /// Change what the user prefers in calls.
    PreferInCalls {
        /// All of it.
        preferences: CallPreferences,
    },
    /// Change what is done to the user's voice, in calls under way, too.
    PreferVoice {
        /// All of it.
        preferences: VoicePreferences,
    },
    /// Tell how loud microphone and speaker are, or do no longer. They are opened for it even without a call, for
    /// five seconds at a time: whoever goes on looking asks again.
    Meter {
        /// Somebody looks.
        on: bool,
    },
    /// Play a short tone through the speaker, and tell how loud it is as [`Meter`](Self::Meter) does.
    TrySpeaker,
    /// Tell a part of the contacts ([`Event::ContactsFound`](crate::Event::ContactsFound)).
    FindContacts {
        /// Number of the question; it comes back with the answer.
        ask: u32,
        /// What was typed; all of them where it is blank.
        text: String,
        /// Among which.
        filter: ContactFilter,
        /// Where the part begins.
        from: u32,
        /// How many, 200 at most.
        most: u32,
    },
    /// Tell somebody's portrait ([`Event::Portrait`](crate::Event::Portrait)), unless it is on its way.
    AskPortrait {
        /// The account through which the reference is known.
        account: AccountId,
        /// The reference ([`ContactView::picture`](crate::ContactView::picture)).
        reference: String,
    },
    /// Tell whom to call by what was typed: contacts and numbers of the call list
    /// ([`Event::Found`](crate::Event::Found)).
    Search {
        /// Number of the question; it comes back with the answer.
        ask: u32,
        /// What was typed; those called last where it is blank.
        text: String,
        /// How many, 200 at most.
        most: u32,
    },
    /// Mark a contact as a favourite, or no longer.
    FavorContact {
        /// Which contact.
        id: ContactId,
        /// Whether.
        favorite: bool,
    },
    /// Write a contact of the user's own ([`Event::ContactSaved`](crate::Event::ContactSaved)).
    SaveContact {
        /// Number of the question; it comes back with the answer.
        ask: u32,
        /// Of which account a new one is; the first that has contacts where it is left out.
        account: Option<AccountId>,
        /// Which one; a new one where it is left out.
        id: Option<ContactId>,
        /// All of it.
        draft: ContactDraft,
    },
    /// Delete a contact of the user's own.
    DeleteContact {
        /// Which contact.
        id: ContactId,
    },
    /// Ask the PBX now for what changed in the contacts.
    SyncContacts,
    /// Ask the PBX now for the voicemails.
    AskVoicemails,
    /// Mark a voicemail as heard, or as new.
    MarkVoicemail {
        /// Which.
        id: VoicemailId,
        /// Whether it was heard.
        heard: bool,
    },
    /// Delete a voicemail, at the PBX a few seconds later.
    DeleteVoicemail {
        /// Which.
        id: VoicemailId,
    },
    /// Keep a voicemail that was deleted just now.
    KeepVoicemail {
        /// Which.
        id: VoicemailId,
    },
    /// Ask the PBX now for the calls of all of the user's phones.
    AskCallRecords,
    /// Show those who are called another number.
    ShowAs {
        /// Through which account.
        account: AccountId,
        /// One that the PBX offers; none where that is for the PBX to say.
        number: Option<String>,
    },
    /// Keep from those whom the user calls through an account who calls, from the next call on; or no longer.
    HideNumber {
        /// Which account.
        account: AccountId,
        /// Whether.
        hidden: bool,
    },
    /// Ask the PBX now for the queues that the user serves.
    AskQueues,
    /// Stand otherwise in a queue.
    SetQueue {
        /// Through which account.
        account: AccountId,
        /// Its id.
        queue: String,
        /// How.
        choice: QueueChoice,
    },
    /// Ask the PBX now where it sends calls.
    AskForwarding,
    /// Have the PBX follow a rule.
    SetForwarding {
        /// For which account.
        account: AccountId,
        /// The rule.
        rule: ForwardRuleView,
    },
    /// Ask the PBX now what the user tells others of being there.
    AskPresence,
    /// Tell others something else, through the PBX and for all phones of the user's.
    SetPresence {
        /// For which account.
        account: AccountId,
        /// What.
        presence: PresenceChoice,
        /// In the user's own words, 128 characters at most; blank without.
        note: String,
    },
    /// Ask the PBX now for the greetings.
    AskGreetings,
    /// Record a greeting, a minute at most. A call that begins meanwhile ends that.
    RecordGreeting,
    /// The greeting is said.
    FinishGreeting,
    /// Take a greeting out of a WAV file that was chosen.
    TakeGreeting {
        /// The file, base64.
        file: String,
    },
    /// Forget the greeting that is made.
    DropDraft,
    /// Send the greeting that is made to the PBX, and use it from then on.
    UseDraft {
        /// For which account; the first that takes greetings where it is left out.
        account: Option<AccountId>,
    },
    /// Use a greeting, or the PBX's own again.
    UseGreeting {
        /// Which.
        id: GreetingId,
        /// Whether callers hear it.
        on: bool,
    },
    /// Delete a greeting.
    DeleteGreeting {
        /// Which.
        id: GreetingId,
    },
    /// Listen to a sound through the speaker of calls. A call that begins meanwhile interrupts that.
    Play {
        /// Which.
        sound: SoundId,
        /// From there on, milliseconds; from where it was left where this is left out.
        from_ms: Option<u32>,
    },
    /// Stop listening for a while.
    PausePlaying,
    /// Listen no longer.
    ClosePlayer,
    /// Save a sound as a file in the user's folder for downloads ([`Event::SoundSaved`](crate::Event::SoundSaved)).
    SaveSound {
        /// Which.
        sound: SoundId,
    },
}

/// A plain SIP account, as any SIP server gives it out.
#[derive(Debug, Clone, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SipAccount {
    /// SIP user, often an extension number.
    pub user: String,
    /// SIP domain.
    pub domain: String,
    /// Outbound proxy, `host` or `host:port`.
    pub proxy: String,
    /// Transport to the proxy.
    pub transport: TransportChoice,
    /// User name for digest, where it differs from the user.
    pub auth_user: Option<String>,
    /// Name shown to others.
    pub display_name: Option<String>,
    /// Keep it for the next start, its password in the keychain; otherwise until the phone stops.
    pub keep: bool,
    /// Password for digest.
    #[specta(type = String)]
    pub password: SecretString,
}
