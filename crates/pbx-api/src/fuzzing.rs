//! Every reader of answers in one place, for the fuzz targets.

use std::time::SystemTime;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use secrecy::SecretString;

use crate::json::Object;
use crate::{
    Tokens, auth, caller_ids, contacts, cookie, forwarding, greeting, info, microsoft, password, presence,
    queues, records, refusal, second_factor, timestamp, user, voicemail,
};

/// Reads some bytes as the body of each answer there is, as the head of an error answer, and as cookies. None of
/// the readers may panic; what they make of the bytes is dropped.
pub fn any_body(bytes: &[u8]) {
    let moment = SystemTime::UNIX_EPOCH;
    if let Ok(asked) = "test.io".parse() {
        let _ = info::read(bytes, Some(&asked));
    }
    let _ = info::read(bytes, None);
    let _ = auth::read_sign_in(bytes);
    let _ = auth::read_user(bytes);
    let _ = Object::parse("tokens", bytes).and_then(|mut answer| Tokens::read(&mut answer));
    let _ = caller_ids::read(bytes);
    let _ = cookie::read(bytes, moment);
    let _ = contacts::read_page(bytes);
    let _ = contacts::read_changes(bytes);
    let _ = forwarding::read(bytes);
    let _ = greeting::read(bytes);
    let _ = microsoft::read(bytes);
    let _ = password::read(bytes);
    let _ = presence::read(bytes);
    let _ = queues::read(bytes);
    let _ = queues::read_state(bytes);
    let _ = records::read_page(bytes, moment);
    let _ = second_factor::read(bytes);
    let _ = user::read(bytes);
    let _ = voicemail::read_page(bytes);
    refused(bytes, moment);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = cookie::cookies(text.lines());
        let _ = timestamp::parse(text);
    }
}

fn refused(bytes: &[u8], moment: SystemTime) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        headers.insert(RETRY_AFTER, value);
    }
    let secret = SecretString::from("secret");
    for status in [StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS] {
        let _ = refusal::refusal(status, &headers, bytes, &[&secret], moment).to_string();
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_oneof, proptest};
    use proptest::strategy::{Just, Strategy};

    use super::any_body;

    #[test]
    fn the_corpus() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/rest_bodies");
        let inputs =
            std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        let read = inputs.inspect(|bytes| any_body(bytes)).count();
        assert!((10..200).contains(&read), "{read}");
    }

    /// Names the readers look for, and values they may stumble over.
    fn pieces() -> impl Strategy<Value = String> {
        let key = prop_oneof![
            Just("access_token"),
            Just("expires_in"),
            Just("expires_at"),
            Just("two_factor_enabled"),
            Just("token"),
            Just("url"),
            Just("transports"),
            Just("min_length"),
            Just("max_length"),
            Just("errors"),
            Just("error"),
            Just("domain"),
            Just("items"),
            Just("count"),
        ];
        let value = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("[{}]".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|number| number.to_string()),
            "\\PC{0,12}".prop_map(|text| format!("{text:?}")),
            Just("[{\"id\":\"1\",\"name\":\"Ann\",\"change_type\":\"CREATED\"}]".to_owned()),
            Just("[{\"code\":\"secret\",\"message\":\"secret\",\"port\":\"99999\"}]".to_owned()),
            Just("\"9999-12-31T23:59:60-23:59\"".to_owned()),
            Just(
                "[{\"id\":\"1\",\"started_at\":\"9999-12-31T23:59:60-23:59\",\"status_code\":-7}]".to_owned()
            ),
        ];
        vec((key, value), 0..6).prop_map(|fields| {
            let fields: Vec<_> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{}}}", fields.join(","))
        })
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in any::<Vec<u8>>(), text in "\\PC*", cookies in "([a-z]{0,3}[=; ]{0,3}){0,9}") {
            any_body(&bytes);
            any_body(text.as_bytes());
            any_body(cookies.as_bytes());
        }

        #[test]
        fn any_fields(body in pieces()) {
            any_body(body.as_bytes());
        }
    }
}
