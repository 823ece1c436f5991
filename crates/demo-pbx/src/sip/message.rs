//! SIP messages as a start line, headers in order, and a body (RFC 3261 section 7).

/// Headers that may hold several values in one line and are told apart here.
const LISTS: [&str; 6] = ["Via", "Route", "Record-Route", "Contact", "Proxy-Require", "Require"];

/// Compact forms (RFC 3261 section 20 and later RFCs) with the names they stand for.
const COMPACT: [(&str, &str); 12] = [
    ("v", "Via"),
    ("f", "From"),
    ("t", "To"),
    ("i", "Call-ID"),
    ("m", "Contact"),
    ("l", "Content-Length"),
    ("c", "Content-Type"),
    ("s", "Subject"),
    ("k", "Supported"),
    ("e", "Content-Encoding"),
    ("o", "Event"),
    ("r", "Refer-To"),
];

/// First line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    Request { method: String, uri: String },
    Response { code: u16, reason: String },
}

/// One SIP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub start: Start,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// A request without headers.
    pub fn request(method: &str, uri: &str) -> Self {
        let start = Start::Request { method: method.into(), uri: uri.into() };
        Self { start, headers: Vec::new(), body: Vec::new() }
    }

    /// The response a server makes to `request` (RFC 3261 section 8.2.6), its To tag not yet set.
    pub fn response_to(request: &Message, code: u16) -> Self {
        let start = Start::Response { code, reason: reason(code).into() };
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
        let headers =
            request.headers.iter().filter(|(name, _)| copied.contains(&name.as_str())).cloned().collect();
        Self { start, headers, body: Vec::new() }
    }

    /// Reads a whole message. The body ends at Content-Length, or with the bytes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = split_head(bytes)?;
        let mut message = Self::parse_head(std::str::from_utf8(head).ok()?)?;
        let length = message.content_length()?.unwrap_or(rest.len());
        message.body = rest.get(..length)?.to_vec();
        Some(message)
    }

    fn parse_head(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let start = parse_start(lines.next()?)?;
        let mut unfolded: Vec<String> = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            if line.starts_with([' ', '\t']) {
                let last = unfolded.last_mut()?;
                last.push(' ');
                last.push_str(line.trim());
            } else {
                unfolded.push(line.into());
            }
        }
        let mut headers = Vec::new();
        for line in unfolded {
            let (name, value) = line.split_once(':')?;
            let name = canonical(name.trim());
            if LISTS.contains(&name.as_str()) {
                headers.extend(split_list(value).map(|one| (name.clone(), one.to_string())));
            } else {
                headers.push((name, value.trim().into()));
            }
        }
        Some(Self { start, headers, body: Vec::new() })
    }

    /// The bytes to send. Content-Length is set from the body.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = match &self.start {
            Start::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
            Start::Response { code, reason } => format!("SIP/2.0 {code} {reason}\r\n"),
        };
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "Content-Length") {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// First value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// All values of a header, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Replaces the first value of a header, or adds it at the end.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        match self.headers.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value.into(),
            None => self.headers.push((name.into(), value.into())),
        }
    }

    /// Adds a header at the end.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.into(), value.into()));
    }

    /// Adds a header above all others of its name, as Via and Record-Route ask.
    pub fn push_top(&mut self, name: &str, value: impl Into<String>) {
        let at = self.headers.iter().position(|(n, _)| n == name).unwrap_or(0);
        self.headers.insert(at, (name.into(), value.into()));
    }

    /// Takes the topmost value of a header away.
    pub fn pop_top(&mut self, name: &str) -> Option<String> {
        let at = self.headers.iter().position(|(n, _)| n == name)?;
        Some(self.headers.remove(at).1)
    }

    /// Takes away all values of a header that `gone` names.
    pub fn remove_if(&mut self, name: &str, gone: impl Fn(&str) -> bool) {
        self.headers.retain(|(n, v)| n != name || !gone(v));
    }

    /// Method of a request, or of the request a response answers.
    pub fn method(&self) -> &str {
        match &self.start {
            Start::Request { method, .. } => method,
            Start::Response { .. } => self.cseq().map_or("", |(_, method)| method),
        }
    }

    /// Status code of a response; 0 for a request.
    pub fn code(&self) -> u16 {
        match self.start {
            Start::Response { code, .. } => code,
            Start::Request { .. } => 0,
        }
    }

    /// Request-URI; empty for a response.
    pub fn uri(&self) -> &str {
        match &self.start {
            Start::Request { uri, .. } => uri,
            Start::Response { .. } => "",
        }
    }

    /// Number and method of the CSeq header.
    pub fn cseq(&self) -> Option<(u32, &str)> {
        let (number, method) = self.header("CSeq")?.split_once(' ')?;
        Some((number.trim().parse().ok()?, method.trim()))
    }

    /// Call-ID; empty when missing.
    pub fn call_id(&self) -> &str {
        self.header("Call-ID").unwrap_or_default()
    }

    /// `None`: the header is damaged. `Some(None)`: there is none.
    fn content_length(&self) -> Option<Option<usize>> {
        self.header("Content-Length").map(|text| text.parse().ok()).map_or(Some(None), |n| n.map(Some))
    }
}

/// What is at the front of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Nothing complete yet.
    Partial,
    /// A keep-alive: CRLF CRLF (RFC 5626 section 4.4.1), or a stray CRLF; with its length.
    KeepAlive(usize),
    /// A message of this length.
    Message(usize),
    /// No SIP: the stream cannot go on.
    Garbage,
}

/// Looks for a whole message at the front of a stream (RFC 3261 section 18.3).
pub(crate) fn frame(bytes: &[u8]) -> Frame {
    const LIMIT: usize = 65_536;
    match bytes {
        [b'\r', b'\n', b'\r', b'\n', ..] => return Frame::KeepAlive(4),
        [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return Frame::Partial,
        [b'\r', b'\n', ..] => return Frame::KeepAlive(2),
        _ => {}
    }
    let Some((head, rest)) = split_head(bytes) else {
        return if bytes.len() > LIMIT { Frame::Garbage } else { Frame::Partial };
    };
    let message = std::str::from_utf8(head).ok().and_then(Message::parse_head);
    let Some(Some(body)) = message.and_then(|m| m.content_length()) else {
        return Frame::Garbage;
    };
    match (body <= LIMIT, body <= rest.len()) {
        (false, _) => Frame::Garbage,
        (true, false) => Frame::Partial,
        (true, true) => Frame::Message(bytes.len() - rest.len() + body),
    }
}

fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    Some((bytes.get(..end)?, bytes.get(end + 4..)?))
}

fn parse_start(line: &str) -> Option<Start> {
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let code = code.parse().ok().filter(|code| (100..700).contains(code))?;
        return Some(Start::Response { code, reason: reason.into() });
    }
    let mut words = line.split(' ');
    let (method, uri, version) = (words.next()?, words.next()?, words.next()?);
    let sound = version == "SIP/2.0" && words.next().is_none() && !method.is_empty() && !uri.is_empty();
    sound.then(|| Start::Request { method: method.into(), uri: uri.into() })
}

/// The usual spelling of the header names that matter here; others stay as they came.
fn canonical(name: &str) -> String {
    const KNOWN: [&str; 26] = [
        "Via",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Contact",
        "Content-Length",
        "Content-Type",
        "Max-Forwards",
        "Route",
        "Record-Route",
        "Expires",
        "Authorization",
        "Proxy-Authorization",
        "WWW-Authenticate",
        "Proxy-Authenticate",
        "Supported",
        "Require",
        "Proxy-Require",
        "Unsupported",
        "Allow",
        "Event",
        "User-Agent",
        "P-Asserted-Identity",
        "Reason",
        "Subject",
    ];
    let long = COMPACT.iter().find(|(short, _)| short.eq_ignore_ascii_case(name)).map(|(_, long)| *long);
    long.or_else(|| KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(name))).unwrap_or(name).into()
}

/// Splits at commas outside quotes and angle brackets.
pub(crate) fn split_list(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped, mut bracket) = (false, false, false);
    value
        .split(move |c: char| {
            if escaped {
                escaped = false;
                return false;
            }
            match c {
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '<' if !quoted => bracket = true,
                '>' if !quoted => bracket = false,
                ',' => return !quoted && !bracket,
                _ => {}
            }
            false
        })
        .map(str::trim)
        .filter(|one| !one.is_empty())
}

/// The reason phrase of a status code this PBX sends.
fn reason(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        420 => "Bad Extension",
        423 => "Interval Too Brief",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        483 => "Too Many Hops",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        603 => "Decline",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:102@test.io SIP/2.0\r\n\
        v: SIP/2.0/UDP a:1;branch=z9hG4bK1, SIP/2.0/UDP b:2;branch=z9hG4bK2\r\n\
        f: \"Alice, \\\"A\\\" <x>\" <sip:101@test.io>;tag=1\r\nTo: <sip:102@test.io>\r\n\
        call-id: c1\r\nCSEQ: 7  INVITE\r\nX-Long: one\r\n two\r\n\
        Contact: \"a, b\" <sip:a@h;x=1,2>,<sip:b@h>\r\nl: 4\r\n\r\nbodyleft over";

    #[test]
    fn a_message_is_read_with_lists_folds_and_compact_names() {
        let message = Message::parse(INVITE.as_bytes()).unwrap();
        assert_eq!(message.method(), "INVITE");
        assert_eq!(message.uri(), "sip:102@test.io");
        assert_eq!(message.all("Via").count(), 2);
        assert_eq!(message.header("From"), Some("\"Alice, \\\"A\\\" <x>\" <sip:101@test.io>;tag=1"));
        assert_eq!(message.all("Contact").collect::<Vec<_>>(), ["\"a, b\" <sip:a@h;x=1,2>", "<sip:b@h>"]);
        assert_eq!(message.header("X-Long"), Some("one two"));
        assert_eq!(message.cseq(), Some((7, "INVITE")));
        assert_eq!(message.body, b"body");
        let again = Message::parse(&message.to_bytes()).unwrap();
        assert_eq!(again.body, message.body);
        assert_eq!(again.all("Via").collect::<Vec<_>>(), message.all("Via").collect::<Vec<_>>());
    }

    #[test]
    fn streams_are_framed() {
        let length = INVITE.len() - "left over".len();
        assert_eq!(frame(INVITE.as_bytes()), Frame::Message(length));
        assert_eq!(frame(&INVITE.as_bytes()[..length - 1]), Frame::Partial);
        assert_eq!(frame(b"\r\n\r\nINVITE"), Frame::KeepAlive(4));
        assert_eq!(frame(b"\r\nINVITE"), Frame::KeepAlive(2));
        assert_eq!(frame(b"\r\n"), Frame::Partial);
        assert_eq!(frame(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), Frame::Garbage);
        assert_eq!(frame(b"OPTIONS sip:a SIP/2.0\r\nl: x\r\n\r\n"), Frame::Garbage);
        assert_eq!(frame(b"OPTIONS sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n"), Frame::Garbage);
    }

    #[test]
    fn damaged_messages_are_refused() {
        for text in [
            "",
            "\r\n\r\n",
            "INVITE\r\n\r\n",
            "SIP/2.0 99 x\r\n\r\n",
            "SIP/2.0 abc\r\n\r\n",
            "INVITE sip:a SIP/2.0\r\nno colon\r\n\r\n",
            "INVITE sip:a SIP/2.0\r\nl: 9\r\n\r\nshort",
            "INVITE sip:a SIP/2.0\r\n folded first\r\n\r\n",
        ] {
            assert_eq!(Message::parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
