//! Offer and answer (RFC 4566, RFC 3264) for one audio stream. Pure.

use std::net::{IpAddr, SocketAddr};

/// One codec with the payload type it goes by in this call.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Format {
    payload: u8,
    /// As in `a=rtpmap`: `opus/48000/2`.
    map: String,
    parameters: Option<String>,
}

impl Format {
    fn is(&self, name: &str) -> bool {
        self.map.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    fn clock(&self) -> u32 {
        self.map.split('/').nth(1).and_then(|text| text.parse().ok()).unwrap_or(8000)
    }
}

/// Who sends, from the describing side's view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    const ALL: [(Self, &'static str); 4] = [
        (Self::SendRecv, "sendrecv"),
        (Self::SendOnly, "sendonly"),
        (Self::RecvOnly, "recvonly"),
        (Self::Inactive, "inactive"),
    ];

    fn read(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == name).map(|(direction, _)| *direction)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(direction, _)| *direction == self).map_or("sendrecv", |(_, name)| name)
    }

    /// The same seen from the other side.
    fn answered(self) -> Self {
        match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            same => same,
        }
    }
}

/// One `m=` line of the caller.
#[derive(Debug, Clone)]
enum Section {
    /// The audio stream that is taken.
    Taken,
    /// Anything else, with its kind, protocol and formats, so that it can be refused in its place.
    Refused { kind: String, rest: String },
}

/// What a caller offers.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    sections: Vec<Section>,
    protocol: String,
    remote: SocketAddr,
    rtcp: Option<u16>,
    mux: bool,
    formats: Vec<Format>,
    direction: Direction,
    ptime: Option<u16>,
}

impl Offer {
    /// Reads an offer with at least one plain RTP audio stream.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let lines: Vec<(&str, &str)> =
            text.lines().filter_map(|line| line.trim_end().split_once('=')).collect();
        if lines.first()? != &("v", "0") {
            return None;
        }
        let mut parts = lines.split(|(key, _)| *key == "m");
        let session = parts.next()?;
        let heads = lines.iter().filter(|(key, _)| *key == "m").map(|(_, value)| *value);
        let mut offer: Option<Self> = None;
        let mut sections = Vec::new();
        for (head, part) in heads.zip(parts) {
            let taken = if offer.is_none() { Self::audio(head, session, part) } else { None };
            if taken.is_some() {
                sections.push(Section::Taken);
                offer = taken;
            } else {
                let (kind, rest) = head.split_once(' ')?;
                let rest = rest.split_once(' ')?.1;
                sections.push(Section::Refused { kind: kind.into(), rest: rest.into() });
            }
        }
        offer.map(|offer| Self { sections, ..offer })
    }

    fn audio(head: &str, session: &[(&str, &str)], part: &[(&str, &str)]) -> Option<Self> {
        let mut words = head.split(' ');
        let (kind, port, protocol) = (words.next()?, words.next()?, words.next()?);
        let port: u16 = port.split('/').next()?.parse().ok()?;
        if kind != "audio" || port == 0 || !["RTP/AVP", "RTP/AVPF"].contains(&protocol) {
            return None;
        }
        let attribute = |lines: &[(&str, &str)], name: &str| -> Option<String> {
            let values = lines.iter().filter(|(key, _)| *key == "a").map(|(_, value)| *value);
            values.filter_map(|value| value.split_once(':')).find(|(n, _)| *n == name).map(|(_, v)| v.into())
        };
        let line_c = part.iter().chain(session).find(|(key, _)| *key == "c")?.1;
        let address: IpAddr = line_c.rsplit(' ').next()?.split('/').next()?.parse().ok()?;
        let flags = |lines: &[(&str, &str)]| {
            lines.iter().filter(|(key, _)| *key == "a").find_map(|(_, value)| Direction::read(value))
        };
        let formats = words.filter_map(|payload| Self::format(payload.parse().ok()?, part)).collect();
        let held = address.is_unspecified();
        Some(Self {
            sections: Vec::new(),
            protocol: protocol.into(),
            remote: SocketAddr::new(address, port),
            rtcp: attribute(part, "rtcp").and_then(|text| text.split(' ').next()?.parse().ok()),
            mux: part.contains(&("a", "rtcp-mux")),
            formats,
            // An unspecified address is how hold was said before RFC 3264.
            direction: if held {
                Direction::Inactive
            } else {
                flags(part).or_else(|| flags(session)).unwrap_or(Direction::SendRecv)
            },
            ptime: attribute(part, "ptime").and_then(|text| text.trim().parse().ok()),
        })
    }

    fn format(payload: u8, part: &[(&str, &str)]) -> Option<Format> {
        let of = |name: &str| {
            part.iter().filter(|(key, _)| *key == "a").find_map(|(_, value)| {
                let (number, text) = value.strip_prefix(name)?.strip_prefix(':')?.split_once(' ')?;
                (number.parse() == Ok(payload)).then(|| text.trim().to_string())
            })
        };
        let fixed = match payload {
            0 => Some("PCMU/8000"),
            8 => Some("PCMA/8000"),
            9 => Some("G722/8000"),
            _ => None,
        };
        let map = of("rtpmap").or_else(|| fixed.map(Into::into))?;
        Some(Format { payload, map, parameters: of("fmtp") })
    }
}

/// What a line has agreed to, or offers itself.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    sections: Vec<Section>,
    protocol: String,
    formats: Vec<Format>,
    direction: Direction,
    ptime: Option<u16>,
    /// Where the caller wants RTP; not known before its answer when the offer is ours.
    pub remote: Option<SocketAddr>,
    /// Where the caller wants RTCP.
    pub remote_rtcp: Option<SocketAddr>,
    /// RTCP runs on the RTP port (RFC 5761).
    pub mux: bool,
}

impl Media {
    /// The media for an INVITE with this body: an answer to its offer, or an offer where it is empty.
    pub fn for_offer(body: &[u8]) -> Option<Self> {
        if body.is_empty() { Some(Self::offering()) } else { Self::answering(&Offer::parse(body)?) }
    }

    /// Takes the caller's first codec among Opus, G.722, PCMU and PCMA, and its telephone events.
    pub fn answering(offer: &Offer) -> Option<Self> {
        let known = |format: &&Format| ["opus", "G722", "PCMU", "PCMA"].iter().any(|name| format.is(name));
        let codec = offer.formats.iter().find(known)?;
        let same_clock = |format: &&Format| format.is("telephone-event") && format.clock() == codec.clock();
        let events = offer.formats.iter().find(same_clock);
        let rtcp_port = offer.rtcp.or(offer.remote.port().checked_add(1));
        let rtcp = if offer.mux { Some(offer.remote.port()) } else { rtcp_port };
        Some(Self {
            sections: offer.sections.clone(),
            protocol: offer.protocol.clone(),
            formats: [Some(codec), events].into_iter().flatten().cloned().collect(),
            direction: offer.direction.answered(),
            ptime: offer.ptime,
            remote: Some(offer.remote),
            remote_rtcp: rtcp.map(|port| SocketAddr::new(offer.remote.ip(), port)),
            mux: offer.mux,
        })
    }

    fn offering() -> Self {
        let format = |payload, map: &str, parameters: Option<&str>| Format {
            payload,
            map: map.into(),
            parameters: parameters.map(Into::into),
        };
        Self {
            sections: vec![Section::Taken],
            protocol: "RTP/AVP".into(),
            formats: vec![
                format(96, "opus/48000/2", Some("useinbandfec=1")),
                format(0, "PCMU/8000", None),
                format(8, "PCMA/8000", None),
                format(101, "telephone-event/8000", Some("0-16")),
                format(102, "telephone-event/48000", Some("0-16")),
            ],
            direction: Direction::SendRecv,
            ptime: Some(20),
            remote: None,
            remote_rtcp: None,
            mux: false,
        }
    }

    /// The line may send: RTP is to be echoed.
    pub fn sends(&self) -> bool {
        matches!(self.direction, Direction::SendRecv | Direction::SendOnly)
    }

    /// The caller may send: RTP is to be expected.
    pub fn receives(&self) -> bool {
        matches!(self.direction, Direction::SendRecv | Direction::RecvOnly)
    }

    /// RTP clock rate of the codec, Hz.
    pub fn clock(&self) -> u32 {
        self.formats.first().map_or(8000, Format::clock)
    }

    /// The session description for sockets at `rtp`; `version` counts the descriptions of one call.
    pub fn describe(&self, rtp: SocketAddr, version: u32) -> String {
        let family = if rtp.is_ipv4() { "IP4" } else { "IP6" };
        let ip = rtp.ip();
        // The port is this call's alone while the call lasts, and so makes a session id.
        let mut text = format!(
            "v=0\r\no=- {port} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n",
            port = rtp.port()
        );
        for section in &self.sections {
            match section {
                Section::Refused { kind, rest } => text.push_str(&format!("m={kind} 0 {rest}\r\n")),
                Section::Taken => self.describe_audio(rtp.port(), &mut text),
            }
        }
        text
    }

    fn describe_audio(&self, port: u16, text: &mut String) {
        let payloads: Vec<String> = self.formats.iter().map(|format| format.payload.to_string()).collect();
        text.push_str(&format!("m=audio {port} {} {}\r\n", self.protocol, payloads.join(" ")));
        for format in &self.formats {
            text.push_str(&format!("a=rtpmap:{} {}\r\n", format.payload, format.map));
            // What comes back is what was sent, so the caller's own parameters hold for both ways.
            if let Some(parameters) = &format.parameters {
                text.push_str(&format!("a=fmtp:{} {parameters}\r\n", format.payload));
            }
        }
        if let Some(ptime) = self.ptime {
            text.push_str(&format!("a=ptime:{ptime}\r\n"));
        }
        if self.mux {
            text.push_str("a=rtcp-mux\r\n");
        }
        text.push_str(&format!("a={}\r\n", self.direction.name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=video 5000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n\
        m=audio 4000 RTP/AVP 18 111 0 101 110\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=rtpmap:110 telephone-event/48000\r\na=ptime:20\r\na=rtcp-mux\r\n";

    fn rtp() -> SocketAddr {
        "127.0.0.1:7000".parse().unwrap()
    }

    #[test]
    fn the_callers_first_known_codec_is_taken() {
        let media = Media::for_offer(OFFER.as_bytes()).unwrap();
        assert_eq!(media.remote, Some("127.0.0.1:4000".parse().unwrap()));
        assert_eq!(media.remote_rtcp, media.remote);
        assert_eq!(media.clock(), 48_000);
        assert_eq!(
            media.describe(rtp(), 1),
            "v=0\r\no=- 7000 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=video 0 RTP/AVP 99\r\n\
             m=audio 7000 RTP/AVP 111 110\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n\
             a=rtpmap:110 telephone-event/48000\r\na=ptime:20\r\na=rtcp-mux\r\na=sendrecv\r\n"
        );
    }

    #[test]
    fn pcma_needs_no_map_and_hold_is_mirrored() {
        let text = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 8\r\na=sendonly\r\n";
        let media = Media::for_offer(text.as_bytes()).unwrap();
        assert!(
            media
                .describe(rtp(), 2)
                .ends_with("m=audio 7000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=recvonly\r\n")
        );
        assert!(!media.sends() && media.receives());
        assert_eq!(media.remote_rtcp, Some("127.0.0.1:4001".parse().unwrap()));
        let old_hold = text.replace("127.0.0.1", "0.0.0.0");
        assert!(!Media::for_offer(old_hold.as_bytes()).unwrap().receives());
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        for text in [
            "garbage",
            "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 18\r\n",
            "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n",
            "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/SAVP 0\r\n",
            "v=0\r\nm=audio 4000 RTP/AVP 0\r\n",
        ] {
            assert!(Media::for_offer(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Media::for_offer(b"").unwrap().describe(rtp(), 1).contains("opus/48000/2"));
    }
}
