//! What a registrar says it has stored (RFC 3261, section 10.3, step 8), and where it sends those who ask elsewhere.

use std::time::Duration;

use rsipstack::sip::{HasHeaders, Header, Response, Scheme, Uri};

use crate::header::{elements, parameters};
use crate::message::{granted, uri_in};

/// Servers that one try may be sent to, one after the other.
const MOST_TARGETS: usize = 5;

/// A binding as the registrar lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    uri: String,
    expires: Option<u32>,
    instance: Option<String>,
}

impl Binding {
    /// All bindings in a 2xx to a REGISTER.
    pub(crate) fn all(response: &Response) -> Vec<Self> {
        contacts(response)
            .iter()
            .map(|contact| {
                let (uri, list) = contact.split_once('>').unwrap_or((contact.as_str(), ""));
                let list = parameters(list, ';');
                let get = |name: &str| list.iter().find(|(key, _)| key == name).map(|(_, value)| value);
                Self {
                    uri: uri.split_once('<').map_or(uri, |(_, uri)| uri).to_owned(),
                    expires: get("expires").and_then(|value| value.parse().ok()),
                    instance: get("+sip.instance").map(|urn| urn.trim_matches(['<', '>']).to_owned()),
                }
            })
            .collect()
    }

    /// Whether calls come to `contact`, which is listed exactly as it was sent.
    pub(crate) fn holds(&self, contact: &str) -> bool {
        let sent = contact.trim_start_matches('<').split('>').next().unwrap_or_default();
        self.uri.eq_ignore_ascii_case(sent) && self.expires != Some(0)
    }
}

/// Lifetime the registrar granted our binding, which a proxy on the way may have given another address; `asked` where
/// it does not say.
pub(crate) fn lifetime(
    response: &Response,
    contact: &str,
    instance: Option<&str>,
    asked: Duration,
) -> Duration {
    let bindings = Binding::all(response);
    let is_ours = |binding: &&Binding| instance.is_some() && binding.instance.as_deref() == instance;
    let exact = bindings.iter().find(|binding| binding.holds(contact));
    let known = exact.or_else(|| bindings.iter().find(is_ours)).and_then(|binding| binding.expires);
    match known {
        Some(seconds) => Duration::from_secs(seconds.into()),
        None => granted(response, contact, asked),
    }
}

/// Whether the registrar knows bindings by their instance and replaces them (RFC 5626, section 6).
pub(crate) fn replaces_by_instance(response: &Response) -> bool {
    response.headers().iter().any(|header| match header {
        Header::Require(value) => {
            elements(value.value()).iter().any(|tag| tag.eq_ignore_ascii_case("outbound"))
        }
        _ => false,
    })
}

/// The servers one request has been sent to, and where to send it next when they know better (RFC 3261,
/// section 8.1.3.4).
pub(crate) struct Targets {
    tried: Vec<Uri>,
    next: Vec<Uri>,
}

impl Targets {
    pub(crate) fn new(first: Uri) -> Self {
        Self { tried: vec![first], next: Vec::new() }
    }

    /// Takes the Contacts of a 3xx and gives the most preferred one that was not tried yet.
    pub(crate) fn follow(&mut self, response: &Response) -> Option<Uri> {
        let mut contacts: Vec<(u32, Uri)> = contacts(response)
            .iter()
            .filter_map(|contact| {
                let after = contact.split_once('>').map_or("", |(_, after)| after);
                let q = parameters(after, ';').into_iter().find(|(name, _)| name == "q");
                let q = q.and_then(|(_, value)| value.parse::<f64>().ok()).unwrap_or(1.0);
                let mut uri = uri_in(contact)?;
                // A registrar is named without a user (RFC 3261, section 10.2).
                uri.auth = None;
                uri.headers = Vec::new();
                // The fraction has three digits at most.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let thousandths = (q.clamp(0.0, 1.0) * 1000.0) as u32;
                (uri.scheme == Some(Scheme::Sip)).then_some((thousandths, uri))
            })
            .collect();
        contacts.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
        self.next.splice(0..0, contacts.into_iter().map(|(_, uri)| uri));
        self.next.retain(|uri| !self.tried.contains(uri));
        if self.next.is_empty() || self.tried.len() >= MOST_TARGETS {
            return None;
        }
        let next = self.next.remove(0);
        self.tried.push(next.clone());
        Some(next)
    }
}

fn contacts(response: &Response) -> Vec<String> {
    let mut found = Vec::new();
    for header in response.headers.iter() {
        if let Header::Contact(value) = header {
            found.extend(elements(value.value()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(headers: &str) -> Response {
        let text = format!("SIP/2.0 200 OK\r\n{headers}Content-Length: 0\r\n\r\n");
        Response::try_from(text.as_str()).unwrap()
    }

    const OURS: &str = "urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6";

    #[test]
    fn our_binding_is_known_by_its_address_or_by_our_instance() {
        let asked = Duration::from_secs(3600);
        let sent = "<sip:101@192.0.2.1:5062;transport=tcp>";
        for (headers, as_sent, seconds) in [
            ("Contact: <sip:101@192.0.2.1:5062;transport=tcp>;expires=60\r\n".to_owned(), true, 60),
            ("Contact: <sip:101@192.0.2.1:5062;transport=tcp>;expires=0\r\n".to_owned(), false, 0),
            ("Contact: <sip:101@192.0.2.1:5062>;expires=60\r\n".to_owned(), false, 60),
            (
                format!(
                    "Contact: <sip:101@198.51.100.1:9>;expires=20, <sip:101@203.0.113.7:999>;reg-id=1;\
                         +sip.instance=\"<{OURS}>\";expires=90\r\n"
                ),
                false,
                90,
            ),
            (String::new(), false, 3600),
        ] {
            let answer = answer(&headers);
            assert_eq!(Binding::all(&answer).iter().any(|one| one.holds(sent)), as_sent, "{headers}");
            assert_eq!(lifetime(&answer, sent, Some(OURS), asked), Duration::from_secs(seconds), "{headers}");
        }
    }

    #[test]
    fn outbound_is_done_where_the_registrar_says_so() {
        assert!(replaces_by_instance(&answer("Require: path, Outbound\r\n")));
        assert!(!replaces_by_instance(&answer("Supported: outbound\r\n")));
    }

    #[test]
    fn redirections_are_followed_by_preference_and_not_for_ever() {
        let uri = |text: &str| Uri::try_from(text).unwrap();
        let mut targets = Targets::new(uri("sip:bell.test"));
        let first = answer(
            "Contact: <sip:b.test>;q=0.3, <sips:c.test>, <sip:101@a.test:5070>;q=0.9\r\nContact: <sip:bell.test>\r\n",
        );
        assert_eq!(targets.follow(&first), Some(uri("sip:a.test:5070")));
        assert_eq!(targets.follow(&answer("Contact: <sip:bell.test>\r\n")), Some(uri("sip:b.test")));
        assert_eq!(targets.follow(&first), None, "all have been tried");
        let mut targets = Targets::new(uri("sip:bell.test"));
        let endless = (0..100).map(|n| targets.follow(&answer(&format!("Contact: <sip:{n}.test>\r\n"))));
        assert_eq!(endless.take_while(Option::is_some).count(), MOST_TARGETS - 1);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[<>;=,\"a-c:@.0-9+ ]{0,60}") {
            let answer = answer(&format!("Contact: {text}\r\nRequire: {text}\r\n"));
            let _ = (lifetime(&answer, "<sip:a@b>", Some("c"), Duration::ZERO), replaces_by_instance(&answer));
            if let Ok(uri) = Uri::try_from("sip:a") {
                let _ = Targets::new(uri).follow(&answer);
            }
        }
    }
}
