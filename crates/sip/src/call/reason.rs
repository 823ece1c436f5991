//! Why a call is refused or cancelled (RFC 3326).

use rsipstack::sip::{Header, Request};

use crate::EndCause;
use crate::header::{elements, parameters};

/// Why they cancel: a phone beside us may have answered.
pub(super) fn of_cancel(cancel: &Request) -> EndCause {
    let elsewhere = cancel.headers.iter().any(|header| match header {
        Header::Reason(reasons) => elements(reasons.value()).iter().any(|reason| {
            let parameters = parameters(reason, ';');
            let is_sip = parameters.first().is_some_and(|(protocol, _)| protocol == "sip");
            is_sip && parameters.iter().any(|(name, value)| name == "cause" && value == "200")
        }),
        _ => false,
    });
    if elsewhere { EndCause::AnsweredElsewhere } else { EndCause::CancelledThere }
}

/// What a refusal says of itself to telephone networks behind the PBX (RFC 6432; causes of Q.850).
pub(super) fn of_refusal(status: u16) -> Option<Header> {
    let (cause, text) = match status {
        486 | 600 => (17, "User busy"),
        480 => (19, "No answer"),
        603 | 607 => (21, "Call rejected"),
        _ => return None,
    };
    Some(Header::Reason(format!("Q.850;cause={cause};text=\"{text}\"").into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sip_cause_of_200_was_answered_elsewhere() {
        for (reasons, cause) in [
            ("", EndCause::CancelledThere),
            ("Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n", EndCause::AnsweredElsewhere),
            ("Reason: Q.850;cause=26, SIP ;text=\"a, b\";cause=200\r\n", EndCause::AnsweredElsewhere),
            ("Reason: Q.850;cause=16\r\nReason: sip;cause=200\r\n", EndCause::AnsweredElsewhere),
            ("Reason: Q.850;cause=200\r\n", EndCause::CancelledThere),
            ("Reason: SIP;cause=486\r\n", EndCause::CancelledThere),
        ] {
            let text = format!("CANCEL sip:a SIP/2.0\r\n{reasons}Content-Length: 0\r\n\r\n");
            assert_eq!(of_cancel(&Request::try_from(text.as_str()).unwrap()), cause, "{reasons}");
        }
    }
}
