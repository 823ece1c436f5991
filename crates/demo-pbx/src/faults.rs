//! Misbehaviour on demand, for tests of what the phone does then.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::manner::{Generation, Manner, MicrosoftAnswer, VerifyAnswer};
use crate::pbx::Shared;
use crate::requests::lock;
use crate::sip::Order;

/// How the REST API misbehaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RestFault {
    /// Closes the connection instead of answering.
    Drop,
    /// Answers with this status and an error body.
    Status {
        /// HTTP status.
        status: u16,
        /// Value of Retry-After, seconds.
        #[serde(default)]
        retry_after_s: Option<u32>,
    },
    /// 200 with a body that is no JSON.
    Garbage,
    /// 200 with 10 MB of JSON.
    Huge,
    /// 302 to another host.
    Redirect {
        /// Value of Location.
        to: String,
    },
}

/// How the SIP side misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SipFault {
    /// It does not.
    #[default]
    None,
    /// Reads everything, answers nothing.
    Silent,
    /// Answers every request with 503.
    Unavailable,
}

/// A [`RestFault`] with the limits of where and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestRule {
    /// What to do.
    #[serde(flatten)]
    pub fault: RestFault,
    /// Only requests to this path, without `/api`: `/auth/sign_in`.
    #[serde(default)]
    pub path: Option<String>,
    /// Only so many requests; afterwards the rule is gone.
    #[serde(default)]
    pub times: Option<u32>,
}

/// All standing faults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Standing {
    /// REST misbehaviour, if any.
    pub rest: Option<RestRule>,
    /// Delay before every REST answer, milliseconds.
    pub rest_delay_ms: u64,
    /// How far the clock of the REST answers is ahead, seconds.
    pub clock_ahead_s: i64,
    /// SIP misbehaviour.
    pub sip: SipFault,
    /// Ask for digest also on BYE and other requests inside a dialog.
    pub challenge_in_dialog: bool,
    /// How it goes about sign-in.
    #[serde(flatten)]
    pub manner: Manner,
}

/// Body of `POST /demo/faults`. What is absent stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultOrder {
    /// First of all, end all standing faults, and go about sign-in as at the start.
    pub clear: bool,
    /// New REST misbehaviour.
    pub rest: Option<RestRule>,
    /// New delay before every REST answer, milliseconds.
    pub rest_delay_ms: Option<u64>,
    /// New distance of the clock, seconds ahead.
    pub clock_ahead_s: Option<i64>,
    /// New SIP misbehaviour.
    pub sip: Option<SipFault>,
    /// Ask for digest also inside dialogs.
    pub challenge_in_dialog: Option<bool>,
    /// Version of the REST API.
    pub generation: Option<Generation>,
    /// Whether users may sign in with Microsoft 365.
    pub microsoft: Option<bool>,
    /// What Microsoft sign-in brings back.
    pub microsoft_answer: Option<MicrosoftAnswer>,
    /// What a right code is answered with.
    pub verify_otp: Option<VerifyAnswer>,
    /// Whether a callback address on loopback is refused.
    pub refuse_loopback: Option<bool>,
    /// Lifetime of access tokens issued from now on, seconds.
    pub token_lifetime_s: Option<u64>,
    /// Every access token expires now.
    pub expire_access_tokens: bool,
    /// Every refresh token is void now.
    pub revoke_refresh_tokens: bool,
    /// Every sync token is forgotten now.
    pub forget_sync_tokens: bool,
    /// Hang up every call.
    pub kill_calls: bool,
    /// Stop and start listening; registrations and calls are forgotten.
    pub restart: bool,
}

/// Handle to make a running demo PBX misbehave.
#[derive(Clone)]
pub struct Faults {
    shared: Arc<Shared>,
}

impl Faults {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// What stands now.
    pub fn standing(&self) -> Standing {
        lock(&self.shared.standing).clone()
    }

    /// Ends all standing faults; sign-in goes as at the start.
    pub fn clear(&self) {
        *lock(&self.shared.standing) = Standing { manner: self.shared.config.manner, ..Standing::default() };
    }

    /// From now on, sign-in goes like this.
    pub fn manner(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut lock(&self.shared.standing).manner);
    }

    /// From now on, every REST request is answered like this.
    pub fn rest(&self, fault: RestFault) {
        self.rest_rule(RestRule { fault, path: None, times: None });
    }

    /// From now on, requests to this path (`/auth/sign_in`) are answered like this.
    pub fn rest_at(&self, path: &str, fault: RestFault) {
        self.rest_rule(RestRule { fault, path: Some(path.into()), times: None });
    }

    /// Sets a rule for REST requests; it replaces the one before.
    pub fn rest_rule(&self, rule: RestRule) {
        lock(&self.shared.standing).rest = Some(rule);
    }

    /// Delays every REST answer.
    pub fn rest_delay(&self, delay: Duration) {
        lock(&self.shared.standing).rest_delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    }

    /// Its clock is so many seconds ahead, or behind.
    pub fn clock_ahead(&self, seconds: i64) {
        lock(&self.shared.standing).clock_ahead_s = seconds;
    }

    /// From now on, the SIP side behaves like this.
    pub fn sip(&self, fault: SipFault) {
        lock(&self.shared.standing).sip = fault;
    }

    /// Asks for digest also on BYE and other requests inside a dialog.
    pub fn challenge_in_dialog(&self, on: bool) {
        lock(&self.shared.standing).challenge_in_dialog = on;
    }

    /// Lifetime of access tokens issued from now on.
    pub fn token_lifetime(&self, lifetime: Duration) {
        lock(&self.shared.sessions).set_lifetime(lifetime);
    }

    /// Every access token expires now; refresh tokens stay good.
    pub fn expire_access_tokens(&self) {
        lock(&self.shared.sessions).expire_access();
    }

    /// Every refresh token is void now; access tokens stay good.
    pub fn revoke_refresh_tokens(&self) {
        lock(&self.shared.sessions).revoke_refresh();
    }

    /// Every sync token is forgotten now: who has one must ask for everything anew.
    pub fn forget_sync_tokens(&self) {
        lock(&self.shared.contacts).forget_tokens();
    }

    /// Hangs up every call: BYE to both sides, CANCEL for those still ringing.
    pub fn kill_calls(&self) {
        self.shared.order(Order::KillCalls);
    }

    /// Does what an order says, except the restart.
    pub(crate) fn obey(&self, order: &FaultOrder) {
        if order.clear {
            self.clear();
        }
        {
            let mut standing = lock(&self.shared.standing);
            if let Some(rule) = &order.rest {
                standing.rest = Some(rule.clone());
            }
            if let Some(delay) = order.rest_delay_ms {
                standing.rest_delay_ms = delay;
            }
            if let Some(ahead) = order.clock_ahead_s {
                standing.clock_ahead_s = ahead;
            }
            if let Some(fault) = order.sip {
                standing.sip = fault;
            }
            if let Some(on) = order.challenge_in_dialog {
                standing.challenge_in_dialog = on;
            }
            let manner = &mut standing.manner;
            manner.generation = order.generation.unwrap_or(manner.generation);
            manner.microsoft = order.microsoft.unwrap_or(manner.microsoft);
            manner.microsoft_answer = order.microsoft_answer.unwrap_or(manner.microsoft_answer);
            manner.verify_otp = order.verify_otp.unwrap_or(manner.verify_otp);
            manner.refuse_loopback = order.refuse_loopback.unwrap_or(manner.refuse_loopback);
        }
        if let Some(seconds) = order.token_lifetime_s {
            self.token_lifetime(Duration::from_secs(seconds));
        }
        if order.expire_access_tokens {
            self.expire_access_tokens();
        }
        if order.revoke_refresh_tokens {
            self.revoke_refresh_tokens();
        }
        if order.forget_sync_tokens {
            self.forget_sync_tokens();
        }
        if order.kill_calls {
            self.kill_calls();
        }
    }

    /// The REST fault that applies to a request to `path`, and the delay before any answer.
    /// Counts the rule down.
    pub(crate) fn for_request(&self, path: &str) -> (Option<RestFault>, Duration) {
        let mut standing = lock(&self.shared.standing);
        let delay = Duration::from_millis(standing.rest_delay_ms);
        let applies = |rule: &RestRule| rule.path.as_deref().is_none_or(|p| p == path);
        let Some(rule) = standing.rest.as_mut().filter(|rule| applies(rule)) else {
            return (None, delay);
        };
        let fault = rule.fault.clone();
        match rule.times.as_mut() {
            Some(0) => {
                standing.rest = None;
                return (None, delay);
            }
            Some(left) => *left -= 1,
            None => {}
        }
        (Some(fault), delay)
    }
}
