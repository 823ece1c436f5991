use std::fmt::Write;
use std::net::IpAddr;

use super::Direction;

/// One media description to be written.
pub(super) enum Section<'a> {
    /// Our audio stream.
    Audio(Audio<'a>),
    /// A stream refused: port 0 (RFC 3264, section 6).
    Refused { kind: &'a str, proto: &'a str, formats: &'a [String], mid: Option<&'a str> },
}

/// Our audio stream.
pub(super) struct Audio<'a> {
    pub proto: &'a str,
    pub rtp_port: u16,
    pub rtcp_port: u16,
    /// Payload type, what follows it in `a=rtpmap:`, and its `a=fmtp:`.
    pub formats: &'a [(u8, &'static str, Option<&'static str>)],
    pub ptime_ms: u32,
    pub rtcp_mux: bool,
    pub direction: Direction,
    /// Whole lines of protection and of ICE.
    pub security: &'a str,
    /// Its name, where the other side gave it one (RFC 5888).
    pub mid: Option<&'a str>,
}

/// Writes a description (RFC 8866, section 5); `bundle` names the one stream of the bundle, where there is one.
pub(super) fn print(
    address: IpAddr,
    id: u64,
    version: u64,
    bundle: Option<&str>,
    sections: &[Section<'_>],
) -> String {
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    let mut out = format!(
        "v=0\r\no=- {id} {version} IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt=0 0\r\n"
    );
    if let Some(mid) = bundle {
        let _ = write!(out, "a=group:BUNDLE {mid}\r\n");
    }
    for section in sections {
        // Writing into a String cannot fail.
        let _ = match section {
            Section::Audio(audio) => print_audio(&mut out, audio),
            Section::Refused { kind, proto, formats, mid } => {
                let mid = mid.map(|mid| format!("a=mid:{mid}\r\n")).unwrap_or_default();
                write!(out, "m={kind} 0 {proto} {}\r\n{mid}", formats.join(" "))
            }
        };
    }
    out
}

fn print_audio(out: &mut String, audio: &Audio<'_>) -> std::fmt::Result {
    write!(out, "m=audio {} {}", audio.rtp_port, audio.proto)?;
    for (pt, ..) in audio.formats {
        write!(out, " {pt}")?;
    }
    out.push_str("\r\n");
    for (pt, map, parameters) in audio.formats {
        write!(out, "a=rtpmap:{pt} {map}\r\n")?;
        if let Some(parameters) = parameters {
            write!(out, "a=fmtp:{pt} {parameters}\r\n")?;
        }
    }
    if let Some(mid) = audio.mid {
        write!(out, "a=mid:{mid}\r\n")?;
    }
    write!(out, "a=ptime:{}\r\na=rtcp:{}\r\n", audio.ptime_ms, audio.rtcp_port)?;
    if audio.rtcp_mux {
        out.push_str("a=rtcp-mux\r\n");
    }
    // How we are heard is wanted (RFC 3611, section 5).
    out.push_str("a=rtcp-xr:voip-metrics\r\n");
    out.push_str(audio.security);
    write!(out, "a={}\r\n", audio.direction)
}
