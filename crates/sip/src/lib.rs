//! The SIP user agent: transports, digest, registration, calls.
//!
//! [`UserAgent::start`] binds the sockets of one [`Account`], keeps it registered by itself and carries its
//! calls. Commands go in through the handle, [`Event`]s come out of the channel given at the start. Session
//! descriptions are opaque text here: whoever joins this crate with a media engine makes and reads them.
//!
//! The transaction layer underneath (target `rsipstack` in tracing) logs whole messages, credentials
//! included, at level `info`. A shell must filter it: `rsipstack=warn`.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod account;
mod agent;
mod answer;
mod binding;
mod call;
mod caller;
mod dialog;
mod digest;
mod error;
mod event;
mod exchange;
mod extensions;
mod flow;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod header;
mod instance;
mod invite;
mod message;
mod network;
mod outside;
mod packages;
mod party;
mod publish;
mod redirect;
mod refer;
mod referral;
mod register;
mod registration;
mod replaces;
mod resolve;
mod service_route;
mod session_timer;
mod subscription;
pub mod survey;
mod target;
mod text;
pub mod trace;
mod transfer;
mod wire;

pub use account::{Account, Proxy, Transport, TransportChoice};
pub use agent::{Shown, UserAgent};
pub use error::{Cause, Error};
pub use event::{
    Activity, CallKey, EndCause, Event, Invitation, MessageKey, MessageSummary, News, OtherCall,
    OtherCallState, Package, Party, Presence, ReferralKey, Registration, SubscriptionKey, SubscriptionState,
    TransferProgress,
};
pub use instance::Instance;
