//! What comes off the wire, before the transaction layer reads it: headers unfolded and tidied, so that whatever the
//! grammar allows is understood; what it does not allow answered or dropped, and never handed on.

mod head;
mod refusal;
mod request;
mod uri;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use head::Head;

/// What to do with a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Hand it on, in this form.
    Message(Vec<u8>),
    /// Send this back to where it came from.
    Refusal(Vec<u8>),
    /// Nothing; for this reason.
    Dropped(&'static str),
}

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fault {
    /// Status that a request with it is answered with.
    status: u16,
    /// Reason phrase.
    reason: &'static str,
}

impl Fault {
    const fn bad(reason: &'static str) -> Self {
        Self { status: 400, reason }
    }
}

/// Reads one message that came `from` there, in a datagram or cut out of a stream. Bytes after its body are left out
/// (RFC 3261, section 18.3).
pub(crate) fn read(bytes: &[u8], from: SocketAddr) -> Reading {
    let Some(mut head) = Head::read(bytes) else { return Reading::Dropped("it has no end of its headers") };
    if head.is_response() {
        return match request::check_response(&mut head) {
            Ok(body) => Reading::Message(head.write(body)),
            Err(fault) => Reading::Dropped(fault.reason),
        };
    }
    match request::check(&mut head) {
        Ok(body) => Reading::Message(head.write(body)),
        // An acknowledgement is never answered (RFC 3261, section 17).
        Err(fault) if head.start.starts_with("ACK ") => Reading::Dropped(fault.reason),
        Err(fault) => match refusal::write(&head, fault, from) {
            Some(refusal) => Reading::Refusal(refusal),
            None => Reading::Dropped("it does not say where an answer goes"),
        },
    }
}
