//! Text messages (RFC 3428).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{Header, Method, Request, Uri};
use tokio::sync::mpsc;

use crate::dialog::sequence_of;
use crate::digest::Authenticator;
use crate::exchange::exchange;
use crate::flow::Net;
use crate::message::{Body, Draft, call_id_of, from_of, kind_of, value};
use crate::party::tag;
use crate::{Event, MessageKey};

/// Media type of text.
pub(crate) const TEXT: &str = "text/plain";
/// Longest text sent or taken, bytes.
const LONGEST: usize = 16 * 1024;
/// A MESSAGE without any answer for this long went nowhere.
const PATIENCE: Duration = Duration::from_secs(8);
/// Messages remembered, to tell one that comes a second time.
const REMEMBERED: usize = 64;

/// Sends a text and tells what became of it.
pub(crate) async fn send(
    net: Arc<Net>,
    mut auth: Authenticator,
    events: mpsc::UnboundedSender<Event>,
    message: MessageKey,
    target: Uri,
    text: String,
) {
    let status = if text.len() > LONGEST {
        Some(413)
    } else {
        let draft = draft(&net, target, text);
        match net.flow().await {
            Ok(flow) => {
                exchange(&net, &flow, &draft, &mut auth, PATIENCE).await.ok().map(|reply| reply.status())
            }
            Err(_) => None,
        }
    };
    let _ = events.send(Event::MessageSent { message, status });
}

fn draft(net: &Net, target: Uri, text: String) -> Draft {
    let body = Some(Body { kind: format!("{TEXT};charset=UTF-8"), text });
    Draft { body, ..Draft::outside(&net.account, Method::Message, target) }
}

/// The text of a MESSAGE.
///
/// # Errors
/// The status to refuse it with.
pub(crate) fn text_of(request: &Request) -> Result<String, u16> {
    let kind = kind_of(request).unwrap_or_else(|| TEXT.into());
    let is_encoded = value(request, |header| match header {
        Header::ContentEncoding(encoding) => Some(encoding.value()),
        _ => None,
    })
    .is_some_and(|encoding| !encoding.trim().eq_ignore_ascii_case("identity"));
    let is_text = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(TEXT));
    if !is_text || is_encoded {
        return Err(415);
    }
    if request.body.len() > LONGEST {
        return Err(413);
    }
    match String::from_utf8(request.body.clone()) {
        Ok(text) => Ok(text),
        // Written in the western alphabet of old, which is what senders that know no UTF-8 use.
        Err(e) => Ok(e.as_bytes().iter().map(|byte| char::from(*byte)).collect()),
    }
}

/// Remembers the messages that came last: one may come again, by another way or because its answer was lost.
#[derive(Debug, Default)]
pub(crate) struct Seen(VecDeque<(String, Option<String>, u32)>);

impl Seen {
    /// Whether this one is new.
    pub(crate) fn is_new(&mut self, request: &Request) -> bool {
        let name = (call_id_of(request), tag(&from_of(request)), sequence_of(request));
        if self.0.contains(&name) {
            return false;
        }
        self.0.push_back(name);
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(sequence: u32, headers: &str, body: &[u8]) -> Request {
        let head = format!(
            "MESSAGE sip:101@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:102@t>;tag=b\r\n\
             To: <sip:101@t>\r\nCall-ID: c\r\nCSeq: {sequence} MESSAGE\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let mut request =
            Request::try_from(head.replace(&format!("Length: {}", body.len()), "Length: 0").as_str())
                .unwrap();
        request.body = body.to_vec();
        request
    }

    #[test]
    fn text_in_its_forms() {
        for (headers, body, want) in [
            ("Content-Type: text/plain;charset=utf-8\r\n", "Grüße".as_bytes(), Ok("Grüße".to_owned())),
            ("c: TEXT/PLAIN\r\n", b"Gr\xfc\xdfe".as_slice(), Ok("Grüße".to_owned())),
            ("", b"hi", Ok("hi".to_owned())),
            ("Content-Type: text/html\r\n", b"<b>", Err(415)),
            ("Content-Type: application/im-iscomposing+xml\r\n", b"<a/>", Err(415)),
            ("Content-Type: text/plain\r\nContent-Encoding: gzip\r\n", b"x", Err(415)),
            ("Content-Type: text/plain\r\n", &[b'x'; LONGEST + 1], Err(413)),
        ] {
            assert_eq!(text_of(&message(1, headers, body)), want, "{headers}");
        }
    }

    #[test]
    fn what_comes_twice_is_told_once() {
        let mut seen = Seen::default();
        assert!(seen.is_new(&message(1, "", b"a")));
        assert!(!seen.is_new(&message(1, "", b"a")));
        assert!(seen.is_new(&message(2, "", b"a")));
        for other in 3..200 {
            assert!(seen.is_new(&message(other, "", b"a")));
        }
        assert!(seen.0.len() <= REMEMBERED);
    }
}
