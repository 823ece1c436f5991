//! The softphone itself: [`Command`] in, [`Event`] out, one actor that owns all state.
//!
//! A shell (window or terminal) starts a [`Phone`], sends commands and draws itself out of events.
//! Nothing else crosses the line; [`Phone::picture`] gives the whole state to a shell that comes late.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod accounts;
mod actor;
mod asked;
mod audio;
mod browser;
mod bundle;
mod bundling;
mod calls;
mod checking;
mod code;
mod command;
mod config;
mod contacts;
mod crash;
mod date;
mod desk;
mod dictation;
pub mod doctor;
mod enforced;
mod event;
mod features;
mod hear_back;
mod history;
mod lamps;
mod language;
mod log_file;
mod nat;
mod obey;
mod office;
mod outlet;
mod phone;
mod picture;
mod playing;
mod portal;
mod portraits;
mod removal;
mod report;
mod returning;
mod rounds;
mod scanning;
mod settings;
mod signing_in;
mod summary;
mod target;
mod updating;
mod verdict;
mod voice;
mod watching;
mod wav;
mod web_proxy;
mod words;

pub use browser::Browser;
pub use bundling::BundleView;
pub use checking::CheckView;
pub use code::{Code, Problem};
pub use command::{Command, SipAccount};
pub use config::{AudioConfig, Config, Processing, Start};
pub use crash::CrashReport;
pub use enforced::Enforced;
pub use event::Event;
pub use features::FeatureCodes;
pub use hear_back::{HearBackView, Heard};
pub use history::past_calls;
pub use language::Language;
pub use log_file::LogFile;
pub use media::{Codec, Login as TurnLogin, Way};
pub use nat::{Connection, Ice, Nat, Turn, TurnOver};
pub use obey::{PolicyView, machine_log_level};
pub use phone::{Phone, default_data_dir};
pub use picture::{
    AccountId, AccountState, AccountView, Activity, Appearance, AskedView, AudioView, BrowserView, CallEnd,
    CallId, CallPreferences, CallReport, CallState, CallView, CameraState, CameraView, CertificateView,
    CodeView, CodecPreference, ComputerState, ContactDraft, ContactFilter, ContactId, ContactKind,
    ContactNumber, ContactPage, ContactView, ContactsState, ContactsView, DeclineReason, DesktopPreferences,
    DeviceForm, DeviceNews, DeviceRole, DeviceView, Direction, DtmfMode, EndReason, EnforcedView, FieldIs,
    ForgotView, GlobalKeys, HiddenWindow, HistoryView, HitView, KeepCalls, KeyWay, Lamp, MailboxView,
    MessageId, MessageState, MessageView, NewPasswordView, NoiseRemoval, NumberKind, PasswordPolicyView,
    PastCallView, PastId, PeerView, Picture, PlayerState, PlayerView, PopWhen, PresenceView, ProtectionView,
    Quality, ReasonView, RecordingNotice, RecordingPreferences, RingPreferences, RingTone, RoleView,
    ScanView, ScreenPop, SessionState, SignInNews, SignInPage, SignInView, SoundId, SrtpPolicy, Standing,
    TenantView, Theme, TransferView, Transport, TransportChoice, TrustedView, UnixMs, VoicePreferences,
    VoicemailId, VoicemailView, VoicemailsView, WatchedView, WaysView, WebProxyPreference, WebProxyWay,
};
pub use picture::{CallerIdView, CallerIdsView};
pub use picture::{DraftView, GreetingId, GreetingView, GreetingsView, OwnPresenceView, PresenceChoice};
pub use picture::{ForwardDoes, ForwardRuleView, ForwardWhen, ForwardingView};
pub use picture::{QueueChoice, QueueStanding, QueueView};
pub use removal::remove_data;
pub use scanning::{CodeFacts, Eyes, code_in};
pub use settings::{AccountKind, SavedAccount, Settings, SettingsError};
pub use summary::{CallSummary, PathSeen, Spread, VerdictSeen};
pub use updating::{Installer, UpdateState, UpdateView, Updates};
pub use verdict::Verdict;
