//! What an answer means that is neither success nor redirect.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};

use crate::json::Object;
use crate::{ApiError, ErrorCode};

/// What an answer outside 200 to 399 means.
///
/// `secrets` are those of the request: a server that quotes one in its complaint must not get it into our logs.
pub(crate) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[&SecretString],
    now: SystemTime,
) -> ApiError {
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| retry_after(value, now));
    let told = complaint(body);
    let code = told.as_ref().map(|told| told.code);
    let message = told.as_ref().and_then(|told| quotable(told.message.as_deref()?, secrets));
    match status.as_u16() {
        400 | 401 | 403 if told.as_ref().is_some_and(|told| told.blocked) => {
            ApiError::Blocked { retry_after }
        }
        401 => ApiError::Unauthorized,
        404 | 405 => ApiError::NotFound { status: status.as_u16(), code },
        423 => ApiError::Blocked { retry_after },
        403 if retry_after.is_some() => ApiError::Blocked { retry_after },
        429 => ApiError::Throttled { retry_after },
        status @ 500.. => ApiError::ServerFailed { status, retry_after },
        status => ApiError::Refused { status, code, message },
    }
}

/// What an error answer says.
struct Complaint {
    code: ErrorCode,
    blocked: bool,
    /// In the server's words, as they came.
    message: Option<String>,
}

/// First entry of `{"errors":[{"code","message","detail"?}]}`, or `{"error","error_description"?}` as OAuth
/// has it (RFC 6749, section 5.2); nothing for any other body.
fn complaint(body: &[u8]) -> Option<Complaint> {
    let mut top = Object::parse("errors", body).ok()?;
    let mut errors = top.objects("errors").ok()?;
    let Some(first) = errors.first_mut() else {
        let code = match top.text("error").ok()??.as_str() {
            "invalid_grant" => ErrorCode::Unauthorized,
            _ => ErrorCode::Unknown,
        };
        return Some(Complaint {
            code,
            blocked: false,
            message: top.text("error_description").ok().flatten(),
        });
    };
    let code = first.text("code").ok()??;
    Some(Complaint {
        code: match code.as_str() {
            "UNAUTHORIZED" => ErrorCode::Unauthorized,
            "VALIDATE_FAILED" => ErrorCode::ValidateFailed,
            _ => ErrorCode::Unknown,
        },
        // No code for a blocked address is documented; these are the words one would use.
        blocked: ["BLOCK", "LOCKED", "BLACKLIST"].iter().any(|word| code.contains(word)),
        message: first.text("message").ok().flatten(),
    })
}

/// Somebody else's text, fit to be shown: no control characters, at most 300 characters.
pub(crate) fn readable(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(300).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Somebody else's text as [`readable`] makes it, unless it holds a secret, as it is or as a URL would hold it.
/// Looked for before anything is cut off, so that no half of a secret is left either.
pub(crate) fn quotable(text: &str, secrets: &[&SecretString]) -> Option<String> {
    let bare: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let decoded: String =
        url::form_urlencoded::parse(text.as_bytes()).flat_map(|(name, value)| [name, value]).collect();
    let quotes = |secret: &&SecretString| {
        let secret = secret.expose_secret();
        !secret.is_empty() && [text, &bare, &decoded].iter().any(|form| form.contains(secret))
    };
    if secrets.iter().any(quotes) { None } else { readable(text) }
}

/// `Retry-After` in either of its forms, seconds or a date (RFC 9110, section 10.2.3); at most a day.
fn retry_after(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(Duration::from_secs(24 * 3600)))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::{any, prop_assert, proptest};
    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    use super::{complaint, refusal};
    use crate::{ApiError, ErrorCode};

    fn refused(status: u16, retry_after: Option<&str>, body: &str) -> ApiError {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        }
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        refusal(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes(), &[], now)
    }

    #[test]
    fn waits() {
        for (value, seconds) in [
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("99999999999", Some(86_400)),
            ("-1", None),
            ("soon", None),
        ] {
            for status in [429, 503, 403] {
                let waited = refused(status, Some(value), "").retry_after();
                assert_eq!(waited, seconds.map(Duration::from_secs), "{status} {value}");
            }
        }
    }

    #[test]
    fn codes() {
        let body = |code: &str| {
            format!(r#"{{"errors":[{{"code":"{code}","message":"no\u0007t so","detail":{{}}}}]}}"#)
        };
        for (code, expected) in [
            ("UNAUTHORIZED", ErrorCode::Unauthorized),
            ("VALIDATE_FAILED", ErrorCode::ValidateFailed),
            ("UNKNOWN", ErrorCode::Unknown),
            ("BRAND_NEW", ErrorCode::Unknown),
        ] {
            let error = refused(400, None, &body(code));
            let ApiError::Refused { status: 400, code, message } = error else { panic!("{error:?}") };
            assert_eq!((code, message.as_deref()), (Some(expected), Some("not so")));
        }
        for status in [400, 401, 403] {
            let error = refused(status, None, &body("IP_BLOCKED"));
            assert!(matches!(error, ApiError::Blocked { retry_after: None }), "{error:?}");
        }
        assert!(matches!(refused(403, None, &body("UNKNOWN")), ApiError::Refused { status: 403, .. }));
        assert!(matches!(refused(404, None, "<html>"), ApiError::NotFound { status: 404, code: None }));
        assert!(matches!(
            refused(418, None, ""),
            ApiError::Refused { status: 418, code: None, message: None }
        ));
        assert!(matches!(
            refused(502, None, "<html>"),
            ApiError::ServerFailed { status: 502, retry_after: None }
        ));
    }

    #[test]
    fn other_shapes_are_no_complaint() {
        for body in
            ["", "null", "{}", r#"{"errors":{}}"#, r#"{"errors":[]}"#, r#"{"errors":[{"code":7}]}"#, "<html>"]
        {
            assert!(complaint(body.as_bytes()).is_none(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_error_body(status in 400..=599_u16, body in any::<Vec<u8>>(), text in "\\PC*", code in "[A-Z_]{0,12}") {
            let json = serde_json::json!({"errors": [{"code": code, "message": text}]}).to_string();
            for body in [body.as_slice(), json.as_bytes()] {
                let error = refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body, &[], SystemTime::now());
                prop_assert!(error.to_string().chars().count() < 400);
            }
        }
    }
}
