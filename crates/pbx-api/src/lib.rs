//! REST client of the PBX: one file per resource, one error type.
//!
//! A [`Client`] speaks to exactly one [`ServerAddress`] over HTTPS. It never retries, never follows a
//! redirect, never reads more than an honest answer holds, and trusts what the machine trusts, the extra
//! roots and the pins in [`Trust`], and nothing else.
#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod address;
mod auth;
mod blobs;
mod caller_ids;
mod client;
mod contact;
mod contacts;
mod cookie;
mod domain;
mod error;
mod failure;
mod features;
mod forwarding;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod glance;
mod greeting;
mod info;
mod json;
mod microsoft;
mod oauth;
mod password;
mod presence;
mod proxy;
mod queues;
mod records;
mod refusal;
mod request;
mod second_factor;
mod session;
mod timestamp;
mod tls;
mod token;
mod user;
mod voicemail;
mod web;

pub use address::{DEFAULT_PORT, Host, ServerAddress};
pub use auth::{AuthUser, SignInAnswer};
pub use blobs::Blob;
pub use caller_ids::CallerId;
pub use client::{Client, Limits};
pub use contact::{Contact, ContactDraft, ContactKind, ContactNumber, NumberKind};
pub use contacts::{ContactChange, ContactChanges, ContactPage};
pub use domain::SipDomain;
pub use error::{ApiError, Cause, CertificateProblem, ErrorCode};
pub use features::{Feature, FeatureCode};
pub use forwarding::{ForwardAction, ForwardCase, ForwardRule, ForwardRules, ForwardState};
pub use glance::Glance;
pub use greeting::Greeting;
pub use info::{Info, Tenant};
pub use password::PasswordPolicy;
pub use presence::{OwnPresence, Presence};
pub use proxy::{ProxyAddress, ProxyProblem, WebProxy};
pub use queues::{AgentChoice, AgentState, Queue};
pub use records::{CallRecord, RecordDirection, RecordEnd, RecordPage, RecordParty};
pub use session::Dialect;
pub use tls::{CertificateFacts, Distrust, Fingerprint, Pin, Trust, client_config};
pub use token::Tokens;
pub use user::{Protocol, SipTransport, User, Verification};
pub use voicemail::{Voicemail, VoicemailPage};
pub use web::WebFile;
