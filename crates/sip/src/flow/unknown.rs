//! Requests of methods the transaction layer cannot even read are answered here (RFC 3261, section 8.2.1).

use std::str::FromStr;

use rsipstack::sip::Method;

use crate::message::ALLOW;

/// The 501 to a request of an unknown method; `None` for anything else.
pub(crate) fn refusal(message: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(message).ok()?;
    let (head, _) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let mut start = lines.next()?.split_ascii_whitespace();
    let (method, _uri, version) = (start.next()?, start.next()?, start.next()?);
    let is_token = method.chars().all(|c| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c));
    if version != "SIP/2.0" || !is_token || Method::from_str(method).is_ok() {
        return None;
    }
    let mut reply = String::from("SIP/2.0 501 Not Implemented\r\n");
    let mut has_via = false;
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name = name.trim().to_ascii_lowercase();
        match name.as_str() {
            "via" | "v" => has_via = true,
            "from" | "f" | "call-id" | "i" | "cseq" => {}
            "to" | "t" => {
                let tag = if value.contains("tag=") { "" } else { ";tag=unknown-method" };
                reply.push_str(&format!("To:{value}{tag}\r\n"));
                continue;
            }
            _ => continue,
        }
        reply.push_str(line);
        reply.push_str("\r\n");
    }
    reply.push_str(&format!("Allow: {ALLOW}\r\nContent-Length: 0\r\n\r\n"));
    has_via.then(|| reply.into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_unknown_methods_are_refused() {
        let request = |method: &str| {
            format!(
                "{method} sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:x@y>;tag=1\r\n\
                 To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n\r\n"
            )
        };
        let reply = String::from_utf8(refusal(request("BREW").as_bytes()).unwrap()).unwrap();
        assert!(reply.starts_with("SIP/2.0 501 "));
        for kept in ["Via: SIP/2.0/UDP h;branch=z9hG4bK1", "f: <sip:x@y>;tag=1", "Call-ID: c", "CSeq: 1 BREW"]
        {
            assert!(reply.contains(kept), "{reply}");
        }
        assert!(!reply.contains("Max-Forwards"));
        assert!(refusal(request("OPTIONS").as_bytes()).is_none());
        assert!(refusal(b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n").is_none());
        assert!(refusal(b"\r\n\r\n").is_none());
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = refusal(&bytes);
        }
    }
}
