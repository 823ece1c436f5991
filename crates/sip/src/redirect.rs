//! Where a call goes that was sent elsewhere (RFC 3261, section 8.1.3.4).

use std::collections::VecDeque;

use rsipstack::sip::{Header, Response, Uri};

use crate::header::{elements, parameters};
use crate::message::uri_in;

/// Targets one call may be sent to in all.
const MOST: usize = 10;

/// The targets that are still to be tried, and those that have been.
pub(crate) struct Targets {
    tried: Vec<String>,
    ahead: VecDeque<Uri>,
}

impl Targets {
    /// A call that first goes to `target`.
    pub(crate) fn new(target: &Uri) -> Self {
        Self { tried: vec![key(target)], ahead: VecDeque::new() }
    }

    /// Takes the targets that a 3xx answer names, the likeliest first; nowhere is gone to twice.
    pub(crate) fn learn(&mut self, response: &Response) {
        let mut named: Vec<(u32, Uri)> = Vec::new();
        for header in response.headers.iter() {
            let Header::Contact(contacts) = header else { continue };
            for contact in elements(contacts.value()) {
                let Some(mut uri) = uri_in(&contact) else { continue };
                if uri.scheme != Some(rsipstack::sip::Scheme::Sip) {
                    continue;
                }
                // What else such a URI asks to be sent is for those to decide who sit here.
                uri.headers = Vec::new();
                uri.params.retain(|one| !one.to_string().trim_start_matches(';').starts_with("method="));
                let after = contact.rsplit_once('>').map_or("", |(_, after)| after);
                named.push((quality(after), uri));
            }
        }
        named.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
        for (_, uri) in named {
            if self.tried.len() >= MOST {
                return;
            }
            let key = key(&uri);
            if !self.tried.contains(&key) {
                self.tried.push(key);
                self.ahead.push_back(uri);
            }
        }
    }

    /// The next to try.
    pub(crate) fn next(&mut self) -> Option<Uri> {
        self.ahead.pop_front()
    }
}

/// The `q` parameter in thousandths; 1 where there is none.
fn quality(after: &str) -> u32 {
    let parameters = parameters(after, ';');
    let named = parameters.iter().find(|(name, _)| name == "q");
    let value = named.and_then(|(_, value)| value.parse::<f32>().ok()).unwrap_or(1.0);
    (value.clamp(0.0, 1.0) * 1000.0) as u32
}

/// What two URIs of one target have in common.
fn key(uri: &Uri) -> String {
    let user = uri.auth.as_ref().map(|auth| auth.user.as_str()).unwrap_or_default();
    format!("{user}@{}", uri.host_with_port.to_string().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(contacts: &str) -> Response {
        let text = format!("SIP/2.0 302 Moved\r\n{contacts}Content-Length: 0\r\n\r\n");
        Response::try_from(text.as_str()).unwrap()
    }

    fn all(targets: &mut Targets) -> Vec<String> {
        std::iter::from_fn(|| targets.next()).map(|uri| uri.to_string()).collect()
    }

    #[test]
    fn the_likeliest_first_and_nowhere_twice() {
        let mut targets = Targets::new(&Uri::try_from("sip:102@T.test").unwrap());
        targets.learn(&moved(
            "Contact: <sip:103@t.test>;q=0.2, \"x, y\" <sip:104@t.test;method=BYE;a=b?Replaces=z>;q=0.9\r\n\
             Contact: <sip:105@t.test>, <mailto:a@b>, <sips:106@t.test>, sip:102@t.test;q=1, <sip:103@T.TEST>;q=0.1\r\n",
        ));
        assert_eq!(all(&mut targets), ["sip:105@t.test", "sip:104@t.test;a=b", "sip:103@t.test"]);
        // They send it back to where it came from: a loop.
        targets.learn(&moved("Contact: <sip:102@t.test>, <sip:105@t.test;x=y>\r\n"));
        assert_eq!(all(&mut targets), [""; 0]);
    }

    #[test]
    fn it_ends() {
        let mut targets = Targets::new(&Uri::try_from("sip:0@t").unwrap());
        let mut hops = 0;
        loop {
            targets.learn(&moved(&format!("Contact: <sip:{}@t>\r\n", hops + 1)));
            match targets.next() {
                Some(_) => hops += 1,
                None => break,
            }
        }
        assert_eq!(hops, MOST - 1);
        targets.learn(&moved("Contact: *\r\nContact: nonsense\r\n"));
        assert!(targets.next().is_none());
    }
}
