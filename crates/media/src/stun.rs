//! STUN messages (RFC 8489), as ICE (RFC 8445) and TURN (RFC 8656) use them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ring::hmac;

/// What ties an answer to its request.
pub(crate) type TransactionId = [u8; 12];

const HEADER: usize = 20;
const COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();
/// Length of MESSAGE-INTEGRITY and of FINGERPRINT with their headers.
const INTEGRITY: usize = 24;
const FINGERPRINT: usize = 8;
const FINGERPRINT_MASK: u32 = 0x5354_554e;

/// What a message is to its method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// What is asked for.
pub(crate) mod method {
    pub(crate) const BINDING: u16 = 0x001;
    pub(crate) const ALLOCATE: u16 = 0x003;
    pub(crate) const REFRESH: u16 = 0x004;
    pub(crate) const SEND: u16 = 0x006;
    pub(crate) const DATA: u16 = 0x007;
    pub(crate) const CREATE_PERMISSION: u16 = 0x008;
    pub(crate) const CHANNEL_BIND: u16 = 0x009;
}

/// Attribute types.
pub(crate) mod attribute {
    pub(crate) const USERNAME: u16 = 0x0006;
    pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(crate) const ERROR_CODE: u16 = 0x0009;
    pub(crate) const CHANNEL_NUMBER: u16 = 0x000C;
    pub(crate) const LIFETIME: u16 = 0x000D;
    pub(crate) const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub(crate) const DATA: u16 = 0x0013;
    pub(crate) const REALM: u16 = 0x0014;
    pub(crate) const NONCE: u16 = 0x0015;
    pub(crate) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub(crate) const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(crate) const PRIORITY: u16 = 0x0024;
    pub(crate) const USE_CANDIDATE: u16 = 0x0025;
    pub(crate) const FINGERPRINT: u16 = 0x8028;
    pub(crate) const ICE_CONTROLLED: u16 = 0x8029;
    pub(crate) const ICE_CONTROLLING: u16 = 0x802A;
}

/// A message as it came, well formed; whether it is authentic is another question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    pub class: Class,
    pub method: u16,
    pub id: TransactionId,
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a message. A fingerprint, where there is one, is right (RFC 8489, section 14.7).
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let head = bytes.first_chunk::<HEADER>()?;
        let [a, b, c, d, cookie @ .., _, _, _, _, _, _, _, _, _, _, _, _] = *head;
        let kind = u16::from_be_bytes([a, b]);
        let length = usize::from(u16::from_be_bytes([c, d]));
        if kind >> 14 != 0 || cookie != COOKIE || length % 4 != 0 || length + HEADER != bytes.len() {
            return None;
        }
        let class = match (kind >> 4 & 1) | (kind >> 7 & 2) {
            0 => Class::Request,
            1 => Class::Indication,
            2 => Class::Success,
            _ => Class::Error,
        };
        let method = (kind & 0xF) | (kind >> 1 & 0x70) | (kind >> 2 & 0xF80);
        let message = Self { class, method, id: *head.last_chunk::<12>()?, bytes };
        message.is_sound().then_some(message)
    }

    /// The first attribute of this type that MESSAGE-INTEGRITY covers, or any where there is none.
    pub fn get(&self, kind: u16) -> Option<&'a [u8]> {
        for (_, found, value) in self.attributes() {
            if found == kind {
                return Some(value);
            }
            if found == attribute::MESSAGE_INTEGRITY {
                return None;
            }
        }
        None
    }

    /// Whether whoever wrote it has this key (RFC 8489, section 14.5).
    pub fn is_authentic(&self, key: &[u8]) -> bool {
        let Some((at, _, value)) =
            self.attributes().find(|(_, kind, _)| *kind == attribute::MESSAGE_INTEGRITY)
        else {
            return false;
        };
        let (Some(covered), Some(tag)) = (self.bytes.get(..at), value.first_chunk::<20>()) else {
            return false;
        };
        let mut covered = covered.to_vec();
        set_length(&mut covered, INTEGRITY);
        value.len() == tag.len() && hmac::verify(&hmac_key(key), &covered, tag).is_ok()
    }

    /// An address (RFC 8489, section 14.2).
    pub fn address(&self, kind: u16) -> Option<SocketAddr> {
        let value = self.get(kind)?;
        let (&[_, family, high, low], rest) = value.split_first_chunk::<4>()?;
        let [c0, c1, c2, c3] = COOKIE;
        let port = u16::from_be_bytes([high ^ c0, low ^ c1]);
        let ip = match family {
            1 => {
                let octets = <[u8; 4]>::try_from(rest).ok()?;
                IpAddr::V4(Ipv4Addr::from_bits(
                    u32::from_be_bytes(octets) ^ u32::from_be_bytes([c0, c1, c2, c3]),
                ))
            }
            2 => {
                let octets = <[u8; 16]>::try_from(rest).ok()?;
                IpAddr::V6(Ipv6Addr::from_bits(u128::from_be_bytes(octets) ^ mask(&self.id)))
            }
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    /// A number of 32 bits.
    pub fn u32(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.get(kind)?.try_into().ok()?))
    }

    /// A number of 64 bits.
    pub fn u64(&self, kind: u16) -> Option<u64> {
        Some(u64::from_be_bytes(self.get(kind)?.try_into().ok()?))
    }

    /// Text.
    pub fn text(&self, kind: u16) -> Option<&'a str> {
        std::str::from_utf8(self.get(kind)?).ok()
    }

    /// The number of ERROR-CODE (RFC 8489, section 14.8).
    pub fn error(&self) -> Option<u16> {
        match *self.get(attribute::ERROR_CODE)? {
            [_, _, class, number, ..] if number < 100 => Some(u16::from(class & 7) * 100 + u16::from(number)),
            _ => None,
        }
    }

    fn attributes(&self) -> Attributes<'a> {
        Attributes { bytes: self.bytes, at: HEADER }
    }

    /// Attributes fill it to its end, and a fingerprint is the last and fits.
    fn is_sound(&self) -> bool {
        let mut attributes = self.attributes();
        for (at, kind, value) in attributes.by_ref() {
            if kind == attribute::FINGERPRINT {
                let crc = self.bytes.get(..at).map(crc32);
                let said = <[u8; 4]>::try_from(value).ok().map(u32::from_be_bytes);
                return at + FINGERPRINT == self.bytes.len()
                    && crc.zip(said).is_some_and(|(crc, said)| crc ^ FINGERPRINT_MASK == said);
            }
        }
        attributes.at == self.bytes.len()
    }
}

/// Where each attribute begins, its type and its value.
struct Attributes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (usize, u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        let (&[a, b, c, d], rest) = self.bytes.get(at..)?.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([c, d]));
        let value = rest.get(..length)?;
        self.at = at + 4 + length.next_multiple_of(4);
        Some((at, u16::from_be_bytes([a, b]), value))
    }
}

/// A message being written.
#[derive(Debug)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    id: TransactionId,
}

impl Writer {
    pub fn new(class: Class, method: u16, id: TransactionId) -> Self {
        let class = match class {
            Class::Request => 0,
            Class::Indication => 0x010,
            Class::Success => 0x100,
            Class::Error => 0x110,
        };
        let kind = (method & 0xF) | (method & 0x70) << 1 | (method & 0xF80) << 2 | class;
        let mut bytes = Vec::with_capacity(128);
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(COOKIE);
        bytes.extend(id);
        Self { bytes, id }
    }

    /// Adds an attribute; one that is too long for a datagram is left out.
    pub fn with(mut self, kind: u16, value: &[u8]) -> Self {
        let Ok(length) = u16::try_from(value.len()) else { return self };
        self.bytes.extend(kind.to_be_bytes());
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// Adds an address.
    pub fn with_address(self, kind: u16, address: SocketAddr) -> Self {
        let [c0, c1, c2, c3] = COOKIE;
        let [high, low] = address.port().to_be_bytes();
        let port = [high ^ c0, low ^ c1];
        let id = self.id;
        match address.ip() {
            IpAddr::V4(ip) => {
                let ip = ip.to_bits() ^ u32::from_be_bytes([c0, c1, c2, c3]);
                self.with(kind, &[&[0, 1][..], &port, &ip.to_be_bytes()].concat())
            }
            IpAddr::V6(ip) => {
                let ip = ip.to_bits() ^ mask(&id);
                self.with(kind, &[&[0, 2][..], &port, &ip.to_be_bytes()].concat())
            }
        }
    }

    /// Adds ERROR-CODE.
    pub fn with_error(self, code: u16, reason: &str) -> Self {
        let head = [0, 0, (code / 100) as u8, (code % 100) as u8];
        self.with(attribute::ERROR_CODE, &[&head[..], reason.as_bytes()].concat())
    }

    /// The message, authenticated with a key where there is one, with a fingerprint.
    pub fn finish(mut self, key: Option<&[u8]>) -> Vec<u8> {
        if let Some(key) = key {
            set_length(&mut self.bytes, INTEGRITY);
            let tag = hmac::sign(&hmac_key(key), &self.bytes);
            self = self.with(attribute::MESSAGE_INTEGRITY, tag.as_ref());
        }
        set_length(&mut self.bytes, FINGERPRINT);
        let crc = crc32(&self.bytes) ^ FINGERPRINT_MASK;
        self.with(attribute::FINGERPRINT, &crc.to_be_bytes()).bytes
    }
}

fn hmac_key(key: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key)
}

/// Writes the length of a message that has `more` bytes to come.
fn set_length(bytes: &mut [u8], more: usize) {
    let length = u16::try_from(bytes.len() + more - HEADER).unwrap_or(u16::MAX);
    if let Some(place) = bytes.get_mut(2..4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// What IPv6 addresses are masked with: the cookie and the transaction id.
fn mask(id: &TransactionId) -> u128 {
    let tail = id.iter().fold(0, |sum: u128, byte| sum << 8 | u128::from(*byte));
    u128::from(u32::from_be_bytes(COOKIE)) << 96 | tail
}

/// CRC-32 of ISO/IEC 3309.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The request of RFC 5769, section 2.1.
    const REQUEST: [u8; 108] = [
        0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa,
        0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20,
        0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00,
        0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a,
        0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf,
        0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28,
        0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
    ];
    /// The IPv6 response of RFC 5769, section 2.3.
    const RESPONSE: [u8; 92] = [
        0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa,
        0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63, 0x74, 0x6f,
        0x72, 0x20, 0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1,
        0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9, 0x00, 0x08, 0x00, 0x14, 0xa3, 0x82, 0x95, 0x4e,
        0x4b, 0xe6, 0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c, 0x82, 0x92, 0xc2, 0x75, 0xbf, 0xe3, 0xed, 0x41, 0x80,
        0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c,
    ];
    const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

    #[test]
    fn the_request_of_the_test_vectors() {
        let message = Message::parse(&REQUEST).unwrap();
        assert_eq!((message.class, message.method), (Class::Request, method::BINDING));
        assert_eq!(message.text(attribute::USERNAME), Some("evtj:h6vY"));
        assert_eq!(message.u32(attribute::PRIORITY), Some(0x6e00_01ff));
        assert_eq!(message.u64(attribute::ICE_CONTROLLED), Some(0x932f_f9b1_5126_3b36));
        assert!(message.is_authentic(PASSWORD));
        assert!(!message.is_authentic(b"another"));
    }

    #[test]
    fn the_response_of_the_test_vectors() {
        let message = Message::parse(&RESPONSE).unwrap();
        assert_eq!((message.class, message.method), (Class::Success, method::BINDING));
        let mapped = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        assert_eq!(message.address(attribute::XOR_MAPPED_ADDRESS), Some(mapped));
        assert!(message.is_authentic(PASSWORD));
    }

    #[test]
    fn what_is_written_is_read() {
        let address = "192.0.2.7:4711".parse().unwrap();
        for class in [Class::Request, Class::Indication, Class::Success, Class::Error] {
            let bytes = Writer::new(class, method::CHANNEL_BIND, [7; 12])
                .with_address(attribute::XOR_PEER_ADDRESS, address)
                .with_error(438, "Stale Nonce")
                .with(attribute::NONCE, b"odd")
                .finish(Some(b"key"));
            let message = Message::parse(&bytes).unwrap();
            assert_eq!((message.class, message.method, message.id), (class, method::CHANNEL_BIND, [7; 12]));
            assert_eq!(message.address(attribute::XOR_PEER_ADDRESS), Some(address));
            assert_eq!((message.error(), message.text(attribute::NONCE)), (Some(438), Some("odd")));
            assert!(message.is_authentic(b"key"));
        }
    }

    #[test]
    fn what_stands_after_the_integrity_is_not_believed() {
        let mut bytes = REQUEST[..100].to_vec();
        bytes.extend([0x00, 0x25, 0x00, 0x00]);
        bytes[3] = 84;
        let message = Message::parse(&bytes).unwrap();
        assert!(message.is_authentic(PASSWORD));
        assert_eq!(message.get(attribute::USE_CANDIDATE), None);
    }

    proptest! {
        #[test]
        fn one_bit_of_difference_is_noticed(bit in 0usize..800) {
            let mut bytes = REQUEST;
            bytes[bit / 8] ^= 1 << (bit % 8);
            let authentic = Message::parse(&bytes).is_some_and(|message| message.is_authentic(PASSWORD));
            prop_assert!(!authentic);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Some(message) = Message::parse(&bytes) {
                message.is_authentic(PASSWORD);
            }
        }
    }
}
