//! As whom a call of ours shows its caller.

use crate::Account;
use crate::message::Draft;

/// Who is shown as the caller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Shown {
    /// Whoever the phone system says.
    #[default]
    AsUsual,
    /// Nobody: the phone system alone learns who calls (RFC 3323, section 4.1; RFC 3325, section 9), and may refuse
    /// such calls.
    Withheld,
    /// Nobody, by this star code before the number, as a PortSIP PBX has one (`GET /feature_access_codes`,
    /// `CALLER_ID_DELIVERY_BLOCKING_PER_CALL`): it knows its users by their From. Elsewhere than at the account's own
    /// domain a star code is of no use, and it is [`Withheld`](Self::Withheld).
    Behind(String),
    /// This number, where a PortSIP PBX lets the call leave it (`X-Outbound-Cli`, "Bypassing the Outbound Caller ID
    /// Settings" of its administration guide). What is no number is not asked for.
    As(String),
}

impl Shown {
    /// Has an INVITE show its caller so.
    pub(crate) fn on(&self, draft: &mut Draft, account: &Account) {
        match self {
            Self::AsUsual => {}
            Self::Withheld => draft.withhold_caller(account),
            Self::Behind(code) if !draft.dial_first(code, &account.domain) => draft.withhold_caller(account),
            Self::Behind(_) => {}
            Self::As(number) if is_number(number) => draft.ask_for_number(number),
            Self::As(_) => {}
        }
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (1..=64).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}
