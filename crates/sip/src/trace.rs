//! The last SIP messages of this process, for whoever has to find out what went wrong. Credentials, keys and what
//! people wrote or pressed never get into it.

use std::collections::VecDeque;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use rsipstack::sip::SipMessage;
use rsipstack::transport::SipAddr;

/// Messages kept.
const KEPT: usize = 300;
/// Longest that one is kept, bytes.
const LARGEST: usize = 4_096;
/// What stands in the place of what is not kept.
const MASK: &str = "***";
/// Headers whose values prove who somebody is.
const SECRET: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];
/// Lines of session descriptions that hold keys.
const KEYS: [&str; 3] = ["a=crypto:", "a=ice-pwd:", "k="];

static TRACE: Mutex<VecDeque<Entry>> = Mutex::new(VecDeque::new());

/// A message that was sent or came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: SystemTime,
    /// We sent it.
    pub sent: bool,
    /// The other end, as transport and address.
    pub peer: String,
    /// The message, masked.
    pub text: String,
}

/// The last messages, oldest first.
pub fn recent() -> Vec<Entry> {
    TRACE.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}

/// Takes note of a message that goes out.
pub(crate) fn sent(message: &SipMessage, to: Option<&SipAddr>) {
    let peer = to.map(ToString::to_string).unwrap_or_default();
    keep(Entry { at: SystemTime::now(), sent: true, peer, text: masked(&message.to_string()) });
}

/// Takes note of a message that came.
pub(crate) fn received(bytes: &[u8], from: SocketAddr) {
    let text = masked(&String::from_utf8_lossy(bytes));
    keep(Entry { at: SystemTime::now(), sent: false, peer: from.to_string(), text });
}

fn keep(entry: Entry) {
    let mut trace = TRACE.lock().unwrap_or_else(PoisonError::into_inner);
    if trace.len() >= KEPT {
        trace.pop_front();
    }
    trace.push_back(entry);
}

/// A message without what must not be told.
fn masked(text: &str) -> String {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut out = String::new();
    let mut secret = false;
    let mut described = false;
    for (number, line) in head.split("\r\n").enumerate() {
        // A line that begins with a blank belongs to the one before (RFC 3261, section 7.3.1).
        if line.starts_with([' ', '\t']) {
            out.push_str(if secret { "" } else { line });
            continue;
        }
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        secret = number > 0 && SECRET.contains(&name.as_str());
        described |= (name == "content-type" || name == "c") && line.contains("application/sdp");
        if number > 0 {
            out.push('\n');
        }
        match secret {
            true => {
                let _ = write!(out, "{name}: {MASK}");
            }
            false => out.push_str(line),
        }
    }
    match (described, body.is_empty()) {
        (_, true) => {}
        (true, false) => {
            out.push('\n');
            for line in body.lines() {
                let key = KEYS.iter().find(|key| line.starts_with(*key));
                let _ = match key {
                    Some(key) => write!(out, "\n{key}{MASK}"),
                    None => write!(out, "\n{line}"),
                };
            }
        }
        (false, false) => {
            let _ = write!(out, "\n\n({} bytes)", body.len());
        }
    }
    if out.len() > LARGEST {
        let end = (0..=LARGEST).rev().find(|end| out.is_char_boundary(*end)).unwrap_or_default();
        out.truncate(end);
        out.push_str("\n(cut)");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_keys_and_words_are_not_kept() {
        let register = "REGISTER sip:test.io SIP/2.0\r\nAuthorization: Digest username=\"101\",\r\n \
                        response=\"sesame\"\r\nproxy-authorization : Digest response=\"sesame\"\r\nCSeq: 1 REGISTER\r\n\r\n";
        let seen = masked(register);
        assert!(!seen.contains("sesame"), "{seen}");
        assert!(seen.contains("authorization: ***") && seen.contains("CSeq: 1 REGISTER"), "{seen}");

        let invite = "INVITE sip:102@test.io SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\
                      a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:sesame\r\na=ice-pwd:sesame\r\na=rtpmap:0 PCMU/8000\r\n";
        let seen = masked(invite);
        assert!(!seen.contains("sesame") && seen.contains("a=rtpmap:0 PCMU/8000"), "{seen}");

        let message = "MESSAGE sip:102@test.io SIP/2.0\r\nContent-Type: text/plain\r\n\r\nsesame";
        assert!(masked(message).ends_with("(6 bytes)"));
    }

    #[test]
    fn a_message_is_cut_at_a_bound() {
        let long = format!("OPTIONS sip:a SIP/2.0\r\nSubject: {}\r\n\r\n", "ä".repeat(9_000));
        assert!(masked(&long).len() < LARGEST + 10);
    }

    #[test]
    fn no_more_are_kept_than_a_bound() {
        (0..KEPT + 50).for_each(|n| {
            received(format!("OPTIONS sip:{n} SIP/2.0\r\n\r\n").as_bytes(), ([127, 0, 0, 1], 5).into())
        });
        assert!(recent().len() <= KEPT);
    }
}
