//! What a message must and must not hold (RFC 3261, sections 8.1.1, 18.3 and 20), and how it is written.

use super::head::{Head, is_token};
use super::{Fault, uri};
use crate::header::elements;

/// Methods the transaction layer knows.
const METHODS: [&str; 14] = [
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "INVITE",
    "MESSAGE",
    "NOTIFY",
    "OPTIONS",
    "PRACK",
    "PUBLISH",
    "REFER",
    "REGISTER",
    "SUBSCRIBE",
    "UPDATE",
];
/// Largest number in a CSeq header (RFC 3261, section 8.1.1.5).
const LARGEST_SEQUENCE: u64 = (1 << 31) - 1;
/// Stands for the tag that a phone of the time before RFC 3261 does not put into From.
const NO_TAG: &str = ";tag=none";

/// Checks and tidies a request; gives the length of its body.
pub(super) fn check(head: &mut Head<'_>) -> Result<usize, Fault> {
    let mut parts = head.start.split(' ');
    let line = (parts.next(), parts.next(), parts.next(), parts.next());
    let (Some(method), Some(target), Some(version), None) = line else {
        return Err(Fault::bad("Bad Request-Line"));
    };
    if !is_token(method) || target.is_empty() {
        return Err(Fault::bad("Bad Request-Line"));
    }
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        let other = version.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/"));
        let unknown = Fault { status: 505, reason: "Version Not Supported" };
        return Err(if other { unknown } else { Fault::bad("Bad Request-Line") });
    }
    if !METHODS.contains(&method) {
        return Err(Fault { status: 501, reason: "Not Implemented" });
    }
    uri::check(target)?;
    let method = method.to_owned();
    // The grammar of RFC 3261 allowed one colon too many before an embedded IPv4 address (RFC 5118, section 4.10).
    let start = head.start.replace(":::", "::");
    let sequence = identity(head)?;
    head.start = start;
    if sequence.1 != method {
        return Err(Fault::bad("CSeq Is Of Another Method"));
    }
    if head.values("max-forwards").count() > 1 {
        return Err(Fault::bad("Two Max-Forwards"));
    }
    // Out of its range it is as good as none.
    if head.values("max-forwards").any(|hops| hops.parse::<u8>().is_err()) {
        head.remove("max-forwards");
    }
    for from in head.values_mut("from") {
        if !from.to_ascii_lowercase().contains(";tag=") {
            from.push_str(NO_TAG);
        }
    }
    body(head)
}

/// Checks and tidies a response; gives the length of its body.
pub(super) fn check_response(head: &mut Head<'_>) -> Result<usize, Fault> {
    let mut parts = head.start.splitn(3, ' ');
    let (version, code) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return Err(Fault::bad("it is of another version"));
    }
    if code.len() != 3 || !code.parse::<u16>().is_ok_and(|code| (100..700).contains(&code)) {
        return Err(Fault::bad("its status is none"));
    }
    identity(head)?;
    // It went astray (RFC 3261, section 8.1.3.3).
    if head.values("via").map(|via| elements(via).len()).sum::<usize>() != 1 {
        return Err(Fault::bad("it is not meant for us"));
    }
    body(head)
}

/// Checks what names a message and tidies it; gives number and method of its CSeq.
fn identity(head: &mut Head<'_>) -> Result<(u64, String), Fault> {
    for (name, missing, twice) in [
        ("from", "Missing From", "Two From"),
        ("to", "Missing To", "Two To"),
        ("call-id", "Missing Call-ID", "Two Call-ID"),
        ("cseq", "Missing CSeq", "Two CSeq"),
    ] {
        match head.values(name).count() {
            0 => return Err(Fault::bad(missing)),
            1 => {}
            _ => return Err(Fault::bad(twice)),
        }
    }
    if head.values("via").next().is_none() {
        return Err(Fault::bad("Missing Via"));
    }
    for (name, bad) in [
        ("via", "Bad Via"),
        ("from", "Bad From"),
        ("to", "Bad To"),
        ("contact", "Bad Contact"),
        ("route", "Bad Route"),
        ("record-route", "Bad Record-Route"),
    ] {
        let separators = if name == "via" { ";=,/:" } else { ";=," };
        for value in head.values_mut(name) {
            *value = tidy(value, separators).ok_or(Fault::bad(bad))?;
        }
    }
    for (name, bad) in [("via", "Bad Via"), ("from", "Bad From"), ("to", "Bad To")] {
        if head.values(name).any(|value| value.is_empty() || has_gaps(value)) {
            return Err(Fault::bad(bad));
        }
    }
    let bad = Fault::bad("Bad CSeq");
    let value = head.values_mut("cseq").next().ok_or(bad)?;
    let (number, method) = value.split_once(char::is_whitespace).ok_or(bad)?;
    let number = number.parse::<u64>().ok().filter(|number| *number <= LARGEST_SEQUENCE).ok_or(bad)?;
    let method = method.trim().to_owned();
    *value = format!("{number} {method}");
    Ok((number, method))
}

/// Length of the body: as declared, or all there is.
fn body(head: &Head<'_>) -> Result<usize, Fault> {
    let mut declared = None;
    for value in head.values("content-length") {
        let bad = Fault::bad("Bad Content-Length");
        let length = Some(value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        let length = length.and_then(|value| value.parse::<usize>().ok()).ok_or(bad)?;
        if declared.is_some_and(|before| before != length) {
            return Err(Fault::bad("Two Content-Length"));
        }
        declared = Some(length);
    }
    match declared {
        Some(length) if length > head.rest.len() => Err(Fault::bad("Body Shorter Than Content-Length")),
        Some(length) => Ok(length),
        None => Ok(head.rest.len()),
    }
}

/// Takes out the white space the grammar allows around separators and within angle brackets, and makes one space of
/// what is left of it elsewhere. `None` where a quote or bracket has no end.
fn tidy(value: &str, separators: &str) -> Option<String> {
    let mut tidied = String::with_capacity(value.len());
    let (mut quoted, mut escaped, mut bracketed, mut space) = (false, false, false, false);
    for c in value.chars() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            tidied.push(c);
            continue;
        }
        if c.is_whitespace() {
            space = true;
            continue;
        }
        let bare = separators.contains(c) && !bracketed;
        let behind = tidied.chars().next_back();
        let after = behind.is_none_or(|last| (separators.contains(last) && !bracketed) || last == '<');
        if space && !bare && !after && c != '>' {
            tidied.push(' ');
        }
        space = false;
        match c {
            '"' if !bracketed => quoted = true,
            '<' => bracketed = true,
            '>' => bracketed = false,
            _ => {}
        }
        tidied.push(c);
    }
    (!quoted && !bracketed).then_some(tidied)
}

/// Whether something is missing between separators, outside quotes.
fn has_gaps(value: &str) -> bool {
    let (mut quoted, mut escaped, mut open) = (false, false, true);
    for c in value.chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            ';' | ',' if !quoted => {
                if open {
                    return true;
                }
                open = true;
                continue;
            }
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
        open = false;
    }
    open
}
