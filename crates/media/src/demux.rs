/// What a datagram is where several protocols share a port, told by its first octet (RFC 7983, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// STUN, and TURN's messages.
    Stun,
    /// DTLS.
    Dtls,
    /// Channel data of a TURN server.
    Channel,
    /// RTP or RTCP, plain or protected.
    Rtp,
    /// None of these.
    Unknown,
}

impl Protocol {
    /// Of these bytes.
    pub fn of(datagram: &[u8]) -> Self {
        match datagram.first() {
            Some(0..=3) => Protocol::Stun,
            Some(20..=63) => Protocol::Dtls,
            Some(64..=79) => Protocol::Channel,
            Some(128..=191) => Protocol::Rtp,
            _ => Protocol::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Protocol;

    #[test]
    fn each_octet_is_of_one_kind() {
        let count = |kind| (0..=255u8).filter(|first| Protocol::of(&[*first]) == kind).count();
        let counts = [Protocol::Stun, Protocol::Dtls, Protocol::Channel, Protocol::Rtp].map(count);
        assert_eq!(counts, [4, 44, 16, 64]);
        assert_eq!(Protocol::of(&[]), Protocol::Unknown);
    }
}
