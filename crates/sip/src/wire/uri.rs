use super::Fault;

const BAD: Fault = Fault::bad("Bad Request-URI");

/// Whether this can be a Request-URI (RFC 3261, section 25.1) of a scheme that is understood here.
pub(super) fn check(uri: &str) -> Result<(), Fault> {
    if uri.chars().any(|c| c.is_control() || c.is_whitespace() || "<>\"".contains(c)) {
        return Err(BAD);
    }
    let (scheme, rest) = uri.split_once(':').ok_or(BAD)?;
    match scheme.to_ascii_lowercase().as_str() {
        "sip" | "sips" => {}
        "tel" => return Ok(()),
        _ => return Err(Fault { status: 416, reason: "Unsupported URI Scheme" }),
    }
    let (_, host) = rest.rsplit_once('@').unwrap_or(("", rest));
    // Headers have no place in a Request-URI (RFC 3261, section 19.1.1).
    if host.contains('?') {
        return Err(BAD);
    }
    let host = host.split(';').next().unwrap_or_default();
    let port = match host.strip_prefix('[') {
        Some(inner) => {
            let (address, port) = inner.split_once(']').ok_or(BAD)?;
            let honest = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
            if !address.contains(':') || !address.chars().all(honest) {
                return Err(BAD);
            }
            match port.strip_prefix(':') {
                Some(port) => Some(port),
                None if port.is_empty() => None,
                None => return Err(BAD),
            }
        }
        None => match host.split_once(':') {
            Some(("", _)) => return Err(BAD),
            Some((_, port)) => Some(port),
            None if host.is_empty() => return Err(BAD),
            None => None,
        },
    };
    match port {
        Some(port) if port.parse::<u16>().is_err() => Err(BAD),
        _ => Ok(()),
    }
}
