use std::fmt::Write;

/// Start line and headers of a message, unfolded.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub start: String,
    headers: Vec<Line>,
    /// Everything behind the headers.
    pub rest: &'a [u8],
}

#[derive(Debug)]
struct Line {
    /// Long name in lower case, whichever form was sent.
    name: String,
    /// Name as it was sent.
    sent: String,
    value: String,
}

impl<'a> Head<'a> {
    /// Cuts a message into lines; `None` where its headers have no end. What is no header is left out.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let bytes = bytes.get(blank..)?;
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let text = String::from_utf8_lossy(bytes.get(..end)?);
        let mut lines = text.split("\r\n");
        let mut head =
            Self { start: lines.next()?.to_owned(), headers: Vec::new(), rest: bytes.get(end + 4..)? };
        let mut kept = true;
        for line in lines {
            // A bare line end would make two lines of one for others who read it.
            let line = line.replace(['\r', '\n'], " ");
            if line.starts_with([' ', '\t']) {
                // What is folded goes the way of what it belongs to.
                if let Some(folded) = head.headers.last_mut().filter(|_| kept) {
                    folded.value.push(' ');
                    folded.value.push_str(line.trim());
                }
                continue;
            }
            let named = line.split_once(':').filter(|(sent, _)| is_token(sent.trim_end()));
            kept = named.is_some();
            if let Some((sent, value)) = named {
                let sent = sent.trim_end().to_owned();
                head.headers.push(Line { name: long(&sent), sent, value: value.trim().to_owned() });
            }
        }
        for line in &mut head.headers {
            line.value = line.value.trim().to_owned();
        }
        Some(head)
    }

    pub(super) fn is_response(&self) -> bool {
        self.start.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/"))
    }

    /// Values of the headers of this name, which is long and in lower case.
    pub(super) fn values<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b str> {
        self.headers.iter().filter(move |line| line.name == name).map(|line| line.value.as_str())
    }

    /// The values themselves.
    pub(super) fn values_mut<'b>(&'b mut self, name: &'b str) -> impl Iterator<Item = &'b mut String> {
        self.headers.iter_mut().filter(move |line| line.name == name).map(|line| &mut line.value)
    }

    /// Takes the headers of this name out.
    pub(super) fn remove(&mut self, name: &str) {
        self.headers.retain(|line| line.name != name);
    }

    /// The message with the first `body` bytes of the rest for a body, and that for its length.
    pub(super) fn write(&self, body: usize) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.start);
        for line in self.headers.iter().filter(|line| line.name != "content-length") {
            let _ = write!(text, "{}: {}\r\n", line.sent, line.value);
        }
        let _ = write!(text, "Content-Length: {body}\r\n\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(self.rest.get(..body).unwrap_or(self.rest));
        bytes
    }
}

/// A token (RFC 3261, section 25.1).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c))
}

/// The long name of a header in lower case (RFC 3261, section 7.3.3, and those that came later).
fn long(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "v" => "via",
        "f" => "from",
        "t" => "to",
        "i" => "call-id",
        "m" => "contact",
        "l" => "content-length",
        "c" => "content-type",
        _ => return name,
    }
    .to_owned()
}
