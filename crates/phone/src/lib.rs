//! The softphone itself: [`Command`] in, [`Event`] out, one actor that owns all state.
//!
//! A shell (window or terminal) starts a [`Phone`], sends commands and draws itself out of events.
//! Nothing else crosses the line; [`Phone::picture`] gives the whole state to a shell that comes late.

mod code;
mod command;
mod event;
mod picture;

pub use code::{Code, Problem};
pub use command::Command;
pub use event::Event;
pub use picture::{
    AccountId, AccountState, AccountView, CallEnd, CallId, CallReport, CallState, CallView, CertificateView,
    Direction, EndReason, PeerView, Picture, Quality, SignInPage, SignInView, TenantView, Transport, UnixMs,
};
