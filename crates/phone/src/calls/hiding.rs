//! Calls that keep to themselves who calls.

use sip::Shown;

use super::digits::split;
use crate::Problem;
use crate::target::Target;

/// Numbers of help: whoever answers there is to know who calls, and no star code may stand before them.
const URGENT: [&str; 12] =
    ["000", "110", "111", "112", "113", "115", "118", "119", "911", "999", "+112", "+911"];

/// Whether a call there can be hidden at all. Services of the PBX and numbers of help need to know who calls.
fn hides(number: &str) -> bool {
    !number.starts_with(['*', '#']) && !URGENT.contains(&number)
}

/// How a call to what was typed is hidden: not at all where that must not be; by the PBX's star code; by the header
/// where the account is of no PBX (no `code`).
///
/// # Errors
/// The PBX has no such star code.
pub(crate) fn typed(typed: &str, code: Option<Result<String, Problem>>) -> Result<Option<Shown>, Problem> {
    match Target::parse(split(typed).0) {
        Ok(Target::Number(number) | Target::Address { user: number, .. }) => self::number(&number, code),
        // It is refused where it is dialled.
        Err(_) => Ok(None),
    }
}

/// How a call to this user part is hidden, as [`typed`] has it.
///
/// # Errors
/// The PBX has no such star code.
pub(crate) fn number(number: &str, code: Option<Result<String, Problem>>) -> Result<Option<Shown>, Problem> {
    if !hides(number) {
        return Ok(None);
    }
    Ok(Some(code.transpose()?.map_or(Shown::Withheld, Shown::Behind)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn services_and_help_are_told_who_calls() {
        let hides = |text: &str| typed(text, None).unwrap().is_some();
        for text in ["102", "+49 30 901820", "sip:bob@example.com", "1120", "alice"] {
            assert!(hides(text), "{text}");
        }
        for text in ["112", "9-1-1", "tel:999", "*97", "*67102", "#31", "sip:112@example.com"] {
            assert!(!hides(text), "{text}");
        }
    }

    #[test]
    fn help_is_called_where_the_pbx_cannot_hide() {
        let off = || Some(Err(Problem::from(Code::FeatureOff)));
        assert_eq!(typed("112", off()), Ok(None));
        assert_eq!(typed("*97,,1#", off()), Ok(None));
        assert_eq!(typed("102", off()), Err(Code::FeatureOff.into()));
        assert_eq!((number("112", off()), number("102", off())), (Ok(None), Err(Code::FeatureOff.into())));
        let code = || Some(Ok("*67".to_owned()));
        assert_eq!(typed("102,1", code()), Ok(Some(Shown::Behind("*67".into()))));
        assert_eq!(typed("102", None), Ok(Some(Shown::Withheld)));
    }
}
