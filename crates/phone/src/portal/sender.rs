//! Who left a message, out of the ways in which PBXs write that.

use crate::PeerView;

/// Who it was: a number, an address (RFC 3261, section 25.1: `name-addr` or `addr-spec`), or nobody.
pub(super) fn peer(sender: Option<&str>, name: Option<&str>) -> PeerView {
    let sender = sender.unwrap_or_default().trim();
    let (before, address) = match sender.split_once('<') {
        Some((before, rest)) => (before, rest.split('>').next().unwrap_or_default()),
        None => ("", sender),
    };
    let scheme = |scheme: &str| address.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme));
    let is_uri = ["sip:", "sips:", "tel:"].into_iter().find(|it| scheme(it));
    let bare = address.get(is_uri.map_or(0, str::len)..).unwrap_or_default();
    let user = bare.split([';', '?']).next().unwrap_or_default();
    let user = user.split('@').next().unwrap_or_default().trim();
    let hidden = ["anonymous", "unknown", "unavailable"].iter().any(|it| user.eq_ignore_ascii_case(it));
    let said = before.trim().trim_matches('"').trim();
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    PeerView {
        number: if hidden { String::new() } else { user.to_owned() },
        name: name.or(Some(said).filter(|said| !said.is_empty())).map(str::to_owned),
        picture: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_known_in_every_notation() {
        for (sender, name, number, known) in [
            (Some("102"), None, "102", None),
            (Some("sip:102@test.io;user=phone"), None, "102", None),
            (Some("\"Bob Chen\" <sip:102@test.io>"), None, "102", Some("Bob Chen")),
            (Some("Bob <SIPS:102@test.io>"), Some("Robert"), "102", Some("Robert")),
            (Some("tel:+44-20-7946-0312"), Some(" "), "+44-20-7946-0312", None),
            (Some("Anonymous"), None, "", None),
            (Some("<"), None, "", None),
            (None, Some("Bob"), "", Some("Bob")),
            (None, None, "", None),
        ] {
            let peer = peer(sender, name);
            assert_eq!((peer.number.as_str(), peer.name.as_deref()), (number, known), "{sender:?}");
        }
    }
}
