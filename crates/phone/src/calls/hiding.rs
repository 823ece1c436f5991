//! Calls that keep to themselves who calls.

use sip::{CallKey, UserAgent};

use super::digits::split;
use crate::Problem;
use crate::target::Target;

/// Numbers of help: whoever answers there is to know who calls, and no star code may stand before them.
const URGENT: [&str; 12] =
    ["000", "110", "111", "112", "113", "115", "118", "119", "911", "999", "+112", "+911"];

/// How a call does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hiding {
    /// As the standard says: an anonymous From, and the truth for the phone system alone (RFC 3323, section 4.1;
    /// RFC 3325, section 9).
    Header,
    /// By the star code before the number that a PortSIP PBX has for it (`GET /feature_access_codes`,
    /// `CALLER_ID_DELIVERY_BLOCKING_PER_CALL`): it knows its users by their From.
    Code(String),
}

/// Whether a call there can be hidden at all. Services of the PBX and numbers of help need to know who calls.
fn hides(target: &Target) -> bool {
    match target {
        Target::Number(number) => !number.starts_with(['*', '#']) && !URGENT.contains(&number.as_str()),
        Target::Address { .. } => true,
    }
}

impl Hiding {
    /// How a call to what was typed is hidden: not at all where that must not be; by the PBX's star code; by the header
    /// where the account is of no PBX (no `code`).
    ///
    /// # Errors
    /// The PBX has no such star code.
    pub(crate) fn toward(
        typed: &str,
        code: Option<Result<String, Problem>>,
    ) -> Result<Option<Self>, Problem> {
        // What is no target at all is refused where it is dialled.
        if !Target::parse(split(typed).0).is_ok_and(|target| hides(&target)) {
            return Ok(None);
        }
        Ok(Some(code.transpose()?.map_or(Self::Header, Self::Code)))
    }

    /// Sends the first offer.
    pub(super) fn invite(&self, handle: &UserAgent, target: &Target, offer: String) -> CallKey {
        match (self, target) {
            (Self::Code(code), Target::Number(number)) => handle.invite(&format!("{code}{number}"), offer),
            // A star code is of no use at another server.
            _ => handle.invite_anonymously(&target.to_string(), offer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn services_and_help_are_told_who_calls() {
        let hides = |typed: &str| hides(&Target::parse(typed).unwrap());
        for typed in ["102", "+49 30 901820", "sip:bob@example.com", "1120", "alice"] {
            assert!(hides(typed), "{typed}");
        }
        for typed in ["112", "9-1-1", "tel:999", "*97", "*67102", "#31"] {
            assert!(!hides(typed), "{typed}");
        }
    }

    #[test]
    fn help_is_called_where_the_pbx_cannot_hide() {
        let off = || Some(Err(Problem::from(Code::FeatureOff)));
        assert_eq!(Hiding::toward("112", off()), Ok(None));
        assert_eq!(Hiding::toward("*97,,1#", off()), Ok(None));
        assert_eq!(Hiding::toward("102", off()), Err(Code::FeatureOff.into()));
        let code = || Some(Ok("*67".to_owned()));
        assert_eq!(Hiding::toward("102,1", code()), Ok(Some(Hiding::Code("*67".into()))));
        assert_eq!(Hiding::toward("102", None), Ok(Some(Hiding::Header)));
    }
}
