//! Making requests and reading what the other end sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rand::Rng;
use rand::distr::Alphanumeric;
use rsipstack::sip::{HasHeaders, Header, HeadersExt, Method, Request, Response, Uri, Version};

use crate::Account;
use crate::digest::{Asker, Authenticator, Challenge};
use crate::flow::Flow;
use crate::header::{elements, parameters, quote};
use crate::party::tag;
use crate::target::unescape_user;

/// Methods the user agent takes part in.
pub(crate) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY, MESSAGE";
/// Media type of session descriptions.
pub(crate) const SDP: &str = "application/sdp";

/// A random token for tags, branches, Call-IDs and client nonces: 119 bits.
pub(crate) fn token() -> String {
    rand::rng().sample_iter(Alphanumeric).take(20).map(char::from).collect()
}

/// A request but for what each sending of it needs anew: CSeq, branch, credentials.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub method: Method,
    pub uri: Uri,
    pub from: String,
    pub to: String,
    pub call_id: String,
    /// CSeq counter of the dialog or registration.
    pub sequence: Arc<AtomicU32>,
    pub routes: Vec<String>,
    pub headers: Vec<Header>,
    pub body: Option<Body>,
}

/// What a message carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    /// Media type with its parameters.
    pub kind: String,
    pub text: String,
}

impl Body {
    /// A session description.
    pub(crate) fn sdp(text: String) -> Self {
        Self { kind: SDP.into(), text }
    }
}

impl Draft {
    /// A request that is part of no dialog yet, from the account itself.
    pub(crate) fn outside(account: &Account, method: Method, uri: Uri) -> Self {
        let display = account.display_name.as_deref().map(|name| quote(name) + " ").unwrap_or_default();
        Self {
            method,
            from: format!("{display}<{}>;tag={}", account.address(), token()),
            to: format!("<{uri}>"),
            uri,
            call_id: token(),
            sequence: Arc::new(AtomicU32::new(0)),
            routes: Vec::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Whether it brings a Contact of its own instead of that of the flow.
    pub(crate) fn has_contact(&self) -> bool {
        self.headers.iter().any(|header| matches!(header, Header::Contact(_)))
    }

    /// Leaves it to the phone system alone to know whom it is from (RFC 3323, section 4.1.1.3; RFC 3325, section 9).
    pub(crate) fn withhold_caller(&mut self, account: &Account) {
        let tag = tag(&self.from).unwrap_or_default();
        self.from = format!("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag={tag}");
        self.headers.push(Header::Privacy("id".into()));
        self.headers.push(Header::PPreferredIdentity(format!("<{}>", account.address()).into()));
    }

    /// Dials a star code before the number; false, and nothing is done, where it goes to another domain than this.
    pub(crate) fn dial_first(&mut self, code: &str, domain: &str) -> bool {
        let at_home = self.uri.host_with_port.to_string().eq_ignore_ascii_case(domain);
        let Some(auth) = self.uri.auth.as_mut().filter(|_| at_home) else { return false };
        auth.user.insert_str(0, code);
        self.to = format!("<{}>", self.uri);
        true
    }

    /// Asks a PortSIP PBX to show this number as the caller's where the call leaves it.
    pub(crate) fn ask_for_number(&mut self, number: &str) {
        let how = format!("rewrite-from={number}; rewrite-pai={number}");
        self.headers.push(Header::Other("X-Outbound-Cli".into(), how));
    }

    /// The request as it goes out now over `flow`; without credentials where it goes to somebody they are not for.
    pub(crate) fn request(&self, flow: &Flow, user_agent: &str, auth: Option<&mut Authenticator>) -> Request {
        let cseq = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let method = self.method;
        let mut headers = vec![
            Header::Via(flow.via().into()),
            Header::MaxForwards("70".into()),
            Header::From(self.from.clone().into()),
            Header::To(self.to.clone().into()),
            Header::CallId(self.call_id.clone().into()),
            Header::CSeq(format!("{cseq} {method}").into()),
            Header::UserAgent(user_agent.into()),
        ];
        headers.extend(self.routes.iter().map(|route| Header::Route(route.clone().into())));
        let body = self.body.as_ref().map(|body| body.text.clone().into_bytes()).unwrap_or_default();
        let answers =
            auth.map(|auth| auth.answers(&method.to_string(), &self.uri.to_string(), &body, &token()));
        for (asker, answer) in answers.unwrap_or_default() {
            headers.push(match asker {
                Asker::Server => Header::Authorization(answer.into()),
                Asker::Proxy => Header::ProxyAuthorization(answer.into()),
            });
        }
        // These make no dialog and move nobody (RFC 3261, table 2; RFC 3428, section 4; RFC 3903, section 10).
        let without = matches!(method, Method::Bye | Method::Message | Method::Publish);
        if !without && !self.has_contact() {
            headers.push(Header::Contact(flow.contact_as(&self.from).into()));
        }
        headers.extend(self.headers.iter().cloned());
        if let Some(body) = &self.body {
            headers.push(Header::ContentType(body.kind.clone().into()));
        }
        headers.push(Header::ContentLength(body.len().to_string().into()));
        Request { method, uri: self.uri.clone(), version: Version::V2, headers: headers.into(), body }
    }
}

/// The CANCEL of an INVITE as it was sent (RFC 3261, section 9.1).
pub(crate) fn cancel(invite: &Request) -> Request {
    let mut headers: Vec<Header> = Vec::new();
    for header in invite.headers.iter() {
        match header {
            Header::Via(_)
            | Header::From(_)
            | Header::To(_)
            | Header::CallId(_)
            | Header::MaxForwards(_)
            | Header::Route(_)
            | Header::UserAgent(_) => headers.push(header.clone()),
            Header::CSeq(cseq) => {
                let number = cseq.value().split_whitespace().next().unwrap_or_default().to_owned();
                headers.push(Header::CSeq(format!("{number} CANCEL").into()));
            }
            _ => {}
        }
    }
    headers.push(Header::ContentLength("0".into()));
    Request {
        method: Method::Cancel,
        uri: invite.uri.clone(),
        version: Version::V2,
        headers: headers.into(),
        body: Vec::new(),
    }
}

/// The session description in a message, if that is what it carries.
pub(crate) fn sdp_of(message: &impl HasHeaders, body: &[u8]) -> Option<String> {
    let of_type = kind_of(message)?;
    let is_sdp = of_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(SDP));
    (is_sdp && !body.is_empty()).then(|| String::from_utf8_lossy(body).into_owned())
}

/// The challenges of a 401 or 407 that can be answered.
pub(crate) fn challenges(response: &Response) -> Vec<Challenge> {
    let mut found = Vec::new();
    for header in response.headers.iter() {
        found.extend(match header {
            Header::WwwAuthenticate(value) => Challenge::all(Asker::Server, value.value()),
            Header::ProxyAuthenticate(value) => Challenge::all(Asker::Proxy, value.value()),
            _ => Vec::new(),
        });
    }
    found
}

/// Lifetime the registrar granted the binding of `contact`, or `asked` where it does not say
/// (RFC 3261, section 10.2.4). Registrars that mend the Contact of a phone behind NAT list ours under another address:
/// then the shortest lifetime listed is surely not too long.
pub(crate) fn granted(response: &Response, contact: &str, asked: Duration) -> Duration {
    let address = contact.trim_start_matches('<').split(['>', ';']).next().unwrap_or_default();
    let mut of_all = None;
    let mut of_others = None;
    let mut listed = false;
    for header in response.headers.iter() {
        match header {
            Header::Contact(bindings) => {
                for binding in elements(bindings.value()) {
                    let (uri, after) = binding.split_once('>').unwrap_or((binding.as_str(), ""));
                    let bound = uri.split_once('<').map_or(uri, |(_, uri)| uri).split(';').next();
                    let expires = parameters(after, ';').into_iter().find(|(name, _)| name == "expires");
                    let seconds = expires.and_then(|(_, value)| value.parse::<u32>().ok());
                    if bound.is_some_and(|bound| bound.eq_ignore_ascii_case(address)) {
                        if let Some(seconds) = seconds {
                            return Duration::from_secs(seconds.into());
                        }
                        listed = true;
                    } else if let Some(seconds) = seconds.filter(|seconds| *seconds > 0) {
                        of_others = Some(of_others.map_or(seconds, |shortest: u32| shortest.min(seconds)));
                    }
                }
            }
            Header::Expires(value) => of_all = value.value().trim().parse::<u32>().ok(),
            _ => {}
        }
    }
    of_all.or(of_others.filter(|_| !listed)).map_or(asked, |seconds| Duration::from_secs(seconds.into()))
}

/// Seconds in the first header that `pick` picks, parameters and comments left aside.
pub(crate) fn seconds(message: &impl HasHeaders, pick: impl Fn(&Header) -> Option<&str>) -> Option<Duration> {
    let text = value(message, pick)?;
    let digits: String = text.trim().chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<u32>().ok().map(|seconds| Duration::from_secs(seconds.into()))
}

/// Value of the first header that `pick` picks.
pub(crate) fn value(message: &impl HasHeaders, pick: impl Fn(&Header) -> Option<&str>) -> Option<String> {
    message.headers().iter().find_map(|header| pick(header).map(str::to_owned))
}

/// Value of the first header of this name, of those the stack has no type for.
pub(crate) fn other(message: &impl HasHeaders, name: &str) -> Option<String> {
    value(message, |header| match header {
        Header::Other(key, value) if key.eq_ignore_ascii_case(name) => Some(value.as_str()),
        _ => None,
    })
}

/// Media type of the body.
pub(crate) fn kind_of(message: &impl HasHeaders) -> Option<String> {
    value(message, |header| match header {
        Header::ContentType(kind) => Some(kind.value()),
        _ => None,
    })
}

/// Value of the `Event` header.
pub(crate) fn event_of(message: &impl HasHeaders) -> Option<String> {
    value(message, |header| match header {
        Header::Event(event) => Some(event.value()),
        _ => None,
    })
}

/// Value of the `Expires` header.
pub(crate) fn expires_of(message: &impl HasHeaders) -> Option<Duration> {
    seconds(message, |header| match header {
        Header::Expires(value) => Some(value.value()),
        _ => None,
    })
}

/// Value of the `Min-Expires` header.
pub(crate) fn min_expires_of(message: &impl HasHeaders) -> Option<Duration> {
    seconds(message, |header| match header {
        Header::MinExpires(value) => Some(value.value()),
        _ => None,
    })
}

/// Value of the `Retry-After` header.
pub(crate) fn retry_after_of(message: &impl HasHeaders) -> Option<Duration> {
    seconds(message, |header| match header {
        Header::RetryAfter(value) => Some(value.value()),
        _ => None,
    })
}

/// Value of the From header.
pub(crate) fn from_of(message: &impl HeadersExt) -> String {
    message.from_header().map(|from| from.value().to_owned()).unwrap_or_default()
}

/// Value of the To header.
pub(crate) fn to_of(message: &impl HeadersExt) -> String {
    message.to_header().map(|to| to.value().to_owned()).unwrap_or_default()
}

/// Value of the Call-ID header.
pub(crate) fn call_id_of(message: &impl HeadersExt) -> String {
    message.call_id_header().map(|id| id.value().to_owned()).unwrap_or_default()
}

/// Routes a message recorded, in the order it lists them.
pub(crate) fn recorded_routes(message: &impl HasHeaders) -> Vec<String> {
    let mut routes = Vec::new();
    for header in message.headers().iter() {
        if let Header::RecordRoute(value) = header {
            routes.extend(elements(value.value()));
        }
    }
    routes
}

/// URI of the first Contact of a message.
pub(crate) fn contact_of(message: &impl HasHeaders) -> Option<Uri> {
    let contact = value(message, |header| match header {
        Header::Contact(contact) => Some(contact.value()),
        _ => None,
    })?;
    uri_in(elements(&contact).first()?)
}

/// The URI in a `name-addr` or `addr-spec`.
pub(crate) fn uri_in(address: &str) -> Option<Uri> {
    let uri = match address.rsplit_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
        None => address.split(';').next().unwrap_or_default(),
    };
    let mut uri = Uri::try_from(uri.trim()).ok()?;
    unescape_user(&mut uri);
    Some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(headers: &str) -> Response {
        let text = format!("SIP/2.0 200 OK\r\n{headers}Content-Length: 0\r\n\r\n");
        Response::try_from(text.as_str()).unwrap()
    }

    #[test]
    fn the_lifetime_is_that_of_our_own_binding() {
        let asked = Duration::from_secs(3600);
        let ours = "<sip:101@192.0.2.1:5062;transport=tcp>";
        for (headers, seconds) in [
            (
                "Contact: <sip:101@192.0.2.9:5060>;expires=9, <sip:101@192.0.2.1:5062;transport=tcp>;q=1;expires=60\r\n",
                60,
            ),
            ("Expires: 120\r\nContact: <sip:101@192.0.2.1:5062>\r\n", 120),
            ("Contact: <sip:101@192.0.2.1:5062>;expires=nonsense\r\n", 3600),
            ("Contact: <sip:101@192.0.2.1:5062>, <sip:101@192.0.2.9:5060>;expires=9\r\n", 3600),
            ("Contact: <sip:101@203.0.113.7:40001>;expires=90, <sip:101@192.0.2.9>;expires=900\r\n", 90),
            ("", 3600),
        ] {
            assert_eq!(granted(&ok(headers), ours, asked), Duration::from_secs(seconds), "{headers}");
        }
    }

    #[test]
    fn routes_and_targets_are_read_in_order() {
        let response = ok("Record-Route: <sip:a;lr>, <sip:b;lr>\r\nRecord-Route: <sip:c;lr>\r\n\
                           Contact: \"x\" <sip:%2349@h:5080;transport=tcp>;expires=3\r\n");
        assert_eq!(recorded_routes(&response), ["<sip:a;lr>", "<sip:b;lr>", "<sip:c;lr>"]);
        assert_eq!(contact_of(&response).unwrap().to_string(), "sip:%2349@h:5080;transport=TCP");
    }

    #[test]
    fn seconds_may_carry_a_comment() {
        let response = ok("Retry-After: 18 (in a meeting);duration=3600\r\n");
        let read = seconds(&response, |header| match header {
            Header::RetryAfter(value) => Some(value.value()),
            _ => None,
        });
        assert_eq!(read, Some(Duration::from_secs(18)));
    }
}
