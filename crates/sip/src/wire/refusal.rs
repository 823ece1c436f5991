use std::fmt::Write;
use std::net::SocketAddr;

use super::Fault;
use super::head::Head;
use crate::flow::marked;
use crate::header::elements;
use crate::message::ALLOW;

/// The answer to a request with a fault, made without any state (RFC 3261, section 8.2.7); `None` where the request
/// does not say who sent it. What is missing in the request is missing in the answer.
pub(super) fn write(head: &Head<'_>, fault: Fault, from: SocketAddr) -> Option<Vec<u8>> {
    let mut text = format!("SIP/2.0 {} {}\r\n", fault.status, fault.reason);
    let mut vias = head.values("via").flat_map(elements);
    let _ = write!(text, "Via: {}\r\n", marked(&vias.next()?, from));
    for via in vias {
        let _ = write!(text, "Via: {via}\r\n");
    }
    for (name, written) in [("from", "From"), ("call-id", "Call-ID"), ("cseq", "CSeq")] {
        if let Some(value) = head.values(name).next() {
            let _ = write!(text, "{written}: {value}\r\n");
        }
    }
    if let Some(to) = head.values("to").next() {
        let tag = if to.to_ascii_lowercase().contains("tag") { "" } else { ";tag=refused" };
        let _ = write!(text, "To: {to}{tag}\r\n");
    }
    if fault.status == 501 {
        let _ = write!(text, "Allow: {ALLOW}\r\n");
    }
    text.push_str("Content-Length: 0\r\n\r\n");
    Some(text.into_bytes())
}
