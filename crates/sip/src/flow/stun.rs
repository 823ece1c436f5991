//! As much STUN as a keep-alive needs (RFC 5626, section 4.4.2; RFC 8489): a binding request without attributes, and
//! the mapped address out of its answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const MAPPED_ADDRESS: [u8; 2] = [0x00, 0x01];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];

/// Ties an answer to its request.
pub(super) type TransactionId = [u8; 12];

/// An answer to a binding request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub id: TransactionId,
    /// Our address as the server sees it.
    pub mapped: SocketAddr,
}

/// A binding request.
pub(super) fn request(id: TransactionId) -> Vec<u8> {
    [BINDING_REQUEST.as_slice(), &[0, 0], &COOKIE, &id].concat()
}

/// Whether a datagram is STUN and not SIP.
pub(super) fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|byte| *byte < 4) && datagram.get(4..8) == Some(&COOKIE)
}

/// Reads an answer; `None` for anything else.
pub(super) fn answer(datagram: &[u8]) -> Option<Answer> {
    let (head, attributes) = datagram.split_at_checked(20)?;
    if head.get(..2)? != BINDING_SUCCESS || head.get(4..8)? != COOKIE {
        return None;
    }
    let length = usize::from(u16::from_be_bytes(head.get(2..4)?.try_into().ok()?));
    let id: TransactionId = head.get(8..20)?.try_into().ok()?;
    let mut rest = attributes.get(..length)?;
    let mut mapped = None;
    while let Some((header, after)) = rest.split_at_checked(4) {
        let length = usize::from(u16::from_be_bytes(header.get(2..4)?.try_into().ok()?));
        let value = after.get(..length)?;
        let kind: [u8; 2] = header.get(..2)?.try_into().ok()?;
        if kind == XOR_MAPPED_ADDRESS {
            return Some(Answer { id, mapped: address(value, Some(&id))? });
        }
        if kind == MAPPED_ADDRESS {
            mapped = address(value, None);
        }
        rest = after.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(Answer { id, mapped: mapped? })
}

/// An address attribute, masked with the cookie and `id` where there is one (RFC 8489, section 14.2).
fn address(value: &[u8], id: Option<&TransactionId>) -> Option<SocketAddr> {
    let mask: Vec<u8> = match id {
        Some(id) => COOKIE.iter().chain(id).copied().collect(),
        None => vec![0; 16],
    };
    let unmasked =
        |bytes: &[u8]| bytes.iter().zip(&mask).map(|(byte, mask)| byte ^ mask).collect::<Vec<u8>>();
    let family = *value.get(1)?;
    let port = u16::from_be_bytes(unmasked(value.get(2..4)?).try_into().ok()?);
    let ip: IpAddr = match family {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(unmasked(value.get(4..8)?)).ok()?).into(),
        2 => Ipv6Addr::from(<[u8; 16]>::try_from(unmasked(value.get(4..20)?)).ok()?).into(),
        _ => return None,
    };
    (port != 0).then_some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 5769, section 2.2 and 2.3, but for the attributes that do not matter here.
    const ID: TransactionId = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];
    const SOFTWARE: &[u8] = b"\x80\x22\x00\x0btest vector\x20";

    fn response(attributes: &[&[u8]]) -> Vec<u8> {
        let attributes = attributes.concat();
        let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
        [BINDING_SUCCESS.as_slice(), &length, &COOKIE, &ID, &attributes].concat()
    }

    #[test]
    fn the_mapped_address_is_read() {
        let v4 = [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        let v6 = [
            0, 0x20, 0, 0x14, 0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25,
            0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        let plain = [0, 1, 0, 8, 0, 1, 0x13, 0xc4, 192, 0, 2, 9];
        for (attributes, want) in [
            ([SOFTWARE, &v4].as_slice(), "192.0.2.1:32853"),
            (&[&v6], "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
            (&[&plain], "192.0.2.9:5060"),
            (&[&plain, &v4], "192.0.2.1:32853"),
        ] {
            let read = answer(&response(attributes));
            assert_eq!(read, Some(Answer { id: ID, mapped: want.parse().unwrap() }));
        }
    }

    #[test]
    fn requests_and_sip_are_told_apart() {
        let request = request(ID);
        assert!(is_stun(&request) && is_stun(&response(&[])));
        assert_eq!((request.len(), answer(&request)), (20, None));
        assert!(!is_stun(b"SIP/2.0 200 OK\r\n") && !is_stun(b"\r\n\r\n") && !is_stun(b""));
        assert_eq!(answer(&response(&[])), None);
        assert_eq!(answer(&response(&[&[0, 0x20, 0, 8, 0, 1, 0]])), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(tail in proptest::collection::vec(any::<u8>(), 0..60), length in 0_u16..80) {
            let mut datagram = [BINDING_SUCCESS.as_slice(), &length.to_be_bytes(), &COOKIE, &ID].concat();
            datagram.extend(tail);
            let _ = answer(&datagram);
        }
    }
}
