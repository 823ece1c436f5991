use std::net::{IpAddr, SocketAddr};

use super::network::Ice;
use super::parse::{self, Encoding, Media};
use super::print::{self, Audio, Section};
use super::security::{self, Lines, Security, Terms};
use super::{Direction, EventPayload, Negotiated, OpusParameters, Payload, SdpError, opus};
use crate::ice::{Agreed, Credentials};
use crate::{Codec, Protection};

/// Milliseconds of sound in a packet, where the other side does not ask for another amount.
const PTIME_MS: u32 = 20;

/// Payload type of comfort noise at 8 kHz (RFC 3389, section 4).
const COMFORT_NOISE: u8 = 13;

/// Our side of the offer/answer exchange of one call: keep it for the whole of the call.
///
/// Both ports are bound by the caller before anything is offered.
#[derive(Debug, Clone)]
pub struct LocalMedia {
    /// Address the other side is to send to.
    pub address: IpAddr,
    /// Port of RTP.
    pub rtp_port: u16,
    /// Port of RTCP; the same as `rtp_port` to have both on one port (RFC 5761).
    pub rtcp_port: u16,
    /// What we are willing to speak, best first.
    pub codecs: Vec<Codec>,
    /// Which way we want voice to flow; anything but [`Direction::SendRecv`] is a hold of ours.
    pub direction: Direction,
    /// Our side of ICE; none to do without. With it, RTP and RTCP are offered on one port.
    pub ice: Option<Ice>,
    /// How it is protected.
    pub security: Security,
    /// Packets may be left out while nothing is said: by DTX in Opus, by comfort noise (RFC 3389) in other codecs.
    pub pauses: bool,
    session_id: u64,
    version: u64,
    types: PayloadTypes,
    offered: bool,
    /// Theirs, as last agreed on.
    their_ice: Option<Credentials>,
    name: Option<Name>,
}

/// What our stream goes by (RFC 5888), for as long as the call lasts.
#[derive(Debug, Clone)]
struct Name {
    mid: String,
    /// It is in a bundle, alone (RFC 9143).
    bundled: bool,
}

/// The dynamic payload types of this call. A type never changes its meaning (RFC 3264, section 8.3.2).
#[derive(Debug, Clone, Copy)]
struct PayloadTypes {
    opus: u8,
    events_48000: u8,
    events_8000: u8,
}

impl PayloadTypes {
    fn all(self) -> [u8; 3] {
        [self.opus, self.events_48000, self.events_8000]
    }
}

impl LocalMedia {
    /// Media at this address and these ports. `session_id` is any number that no other call of ours has.
    pub fn new(address: IpAddr, rtp_port: u16, rtcp_port: u16, codecs: Vec<Codec>, session_id: u64) -> Self {
        Self {
            address,
            rtp_port,
            rtcp_port,
            codecs,
            direction: Direction::SendRecv,
            ice: None,
            security: Security::default(),
            pauses: false,
            // Some peers read both numbers into a signed 64-bit integer.
            session_id: session_id >> 1,
            version: 0,
            types: PayloadTypes { opus: 111, events_48000: 110, events_8000: 101 },
            offered: false,
            their_ice: None,
            name: None,
        }
    }

    /// A new offer (RFC 3264, section 5; within a call section 8). Once something was settled, it asks for no other
    /// protection.
    pub fn offer(&mut self) -> String {
        self.write_offer(false)
    }

    /// A new offer of all that we would like, for somebody who asks for one (RFC 3261, section 14.2): it may be for
    /// another phone than the one we talk to.
    pub fn offer_anew(&mut self) -> String {
        self.write_offer(true)
    }

    fn write_offer(&mut self, anew: bool) -> String {
        self.offered = true;
        let mut formats = Vec::new();
        for codec in &self.codecs {
            formats.push(codec_format(*codec, self.codec_type(*codec), self.pauses));
        }
        let at = |rate| self.codecs.iter().any(|codec| codec.clock_rate() == rate);
        if self.pauses && at(8_000) {
            formats.push(comfort_format(COMFORT_NOISE));
        }
        if at(48_000) {
            formats.push(event_format(EventPayload { pt: self.types.events_48000, rate: 48_000 }));
        }
        if at(8_000) {
            formats.push(event_format(EventPayload { pt: self.types.events_8000, rate: 8_000 }));
        }
        let mut lines = self.security.offer(anew);
        let rtcp_mux = lines.muxed || self.muxes();
        lines.attributes += &self.ice.as_ref().map(Ice::lines).unwrap_or_default();
        if lines.muxed {
            // Who speaks to browsers calls streams by their names (RFC 8829, section 5.2.1).
            self.name.get_or_insert_with(|| Name { mid: "0".to_owned(), bundled: true });
        }
        let name = self.name.clone();
        let mid = name.as_ref().map(|name| name.mid.as_str());
        let audio = self.audio(&lines, &formats, PTIME_MS, rtcp_mux, self.direction, mid);
        let bundle = name.as_ref().filter(|name| name.bundled).map(|name| name.mid.as_str());
        self.print(bundle, &[Section::Audio(audio)])
    }

    /// Answers an offer (RFC 3264, section 6): the answer to send back, and what it settles.
    ///
    /// # Errors
    /// The offer cannot be read, or has nothing in it that we can speak; [`SdpError::NoCommonCodec`] and
    /// [`SdpError::NoAudio`] call for a 488.
    pub fn answer(&mut self, offer: &str) -> Result<(String, Negotiated), SdpError> {
        let offer = parse::parse(offer)?;
        let (chosen, terms) = self.choose(&offer.media)?;
        let media = offer.media.get(chosen).ok_or(SdpError::NoAudio)?;
        let remote_rtp = media.rtp_or_candidate().ok_or(SdpError::NoAudio)?;
        let send =
            self.codecs.iter().find_map(|codec| payload_of(media, *codec)).ok_or(SdpError::NoCommonCodec)?;
        let events = events_for(media, send.codec);
        self.adopt(send, events);

        let ice = self.agree_ice(media, false);
        let theirs = direction_of(media);
        let direction = self.direction.both(theirs);
        let ptime_ms = ptime(media, send.codec);
        let (mut lines, protection) = self.security.answer(terms, &media.proto);
        lines.attributes += &self.ice.as_ref().filter(|_| ice.is_some()).map(Ice::lines).unwrap_or_default();
        let rtcp_mux = media.rtcp_mux && (lines.muxed || self.muxes());
        let comfort_noise = comfort_for(media, send.codec).filter(|_| self.pauses);
        let mut formats = vec![codec_format(send.codec, send.pt, self.pauses)];
        formats.extend(comfort_noise.map(comfort_format));
        formats.extend(events.map(event_format));
        let sections: Vec<Section<'_>> = offer
            .media
            .iter()
            .enumerate()
            .map(|(index, other)| {
                if index == chosen {
                    let mid = other.mid();
                    Section::Audio(self.audio(&lines, &formats, ptime_ms, rtcp_mux, direction, mid))
                } else {
                    let Media { kind, proto, formats, .. } = other;
                    Section::Refused { kind, proto, formats, mid: other.mid() }
                }
            })
            .collect();
        let negotiated = Negotiated {
            remote_rtp,
            remote_rtcp: remote_rtcp(media, rtcp_mux).ok_or(SdpError::NoAudio)?,
            rtcp_mux,
            voip_metrics: media.voip_metrics,
            send,
            receive: union([send], in_common(media, &self.codecs)),
            send_events: events,
            receive_events: union(events, events_of(media)),
            opus: self.opus_parameters(media, send),
            comfort_noise,
            receive_comfort_noise: union([COMFORT_NOISE], comfort_of(media)),
            ptime_ms,
            direction,
            theirs,
            ice,
            protection,
        };
        let bundle = media.mid().filter(|mid| offer.bundles(mid));
        self.name = media.mid().map(|mid| Name { mid: mid.to_owned(), bundled: bundle.is_some() });
        let answer = self.print(bundle, &sections);
        Ok((answer, negotiated))
    }

    /// Takes the answer to our last offer (RFC 3264, section 7).
    ///
    /// # Errors
    /// The answer cannot be read, refuses the stream, or names nothing that we offered.
    pub fn accept(&mut self, answer: &str) -> Result<Negotiated, SdpError> {
        if !self.offered {
            return Err(SdpError::NoOffer);
        }
        let answer = parse::parse(answer)?;
        // Ours was the first and only stream, and an answer keeps the order.
        let ours = |media: &&Media| speakable(media) && security::is_known(media);
        let media = answer.media.first().filter(ours).ok_or(SdpError::NoAudio)?;
        let remote_rtp = media.rtp_or_candidate().ok_or(SdpError::NoAudio)?;
        let common: Vec<Payload> = in_common(media, &self.codecs).collect();
        let send = *common.first().ok_or(SdpError::NoCommonCodec)?;
        let ours = |codec: Codec| Payload { pt: self.codec_type(codec), codec };
        let offered = self.codecs.iter().map(|codec| ours(*codec));
        // The other side sends with our payload types, we with theirs.
        let receive = union(common.iter().map(|payload| ours(payload.codec)), offered);
        let receive_events: Vec<EventPayload> = events_of(media)
            .filter_map(|event| match event.rate {
                48_000 => Some(EventPayload { pt: self.types.events_48000, ..event }),
                8_000 => Some(EventPayload { pt: self.types.events_8000, ..event }),
                _ => None,
            })
            .collect();
        // Some send with their own all the same; where such a number has a meaning of ours, that one holds.
        let free = |pt: u8| self.types.all().iter().chain(&[COMFORT_NOISE]).all(|taken| *taken != pt);
        let receive = union(receive, common.iter().copied().filter(|payload| free(payload.pt)));
        let comfort_noise = comfort_for(media, send.codec).filter(|_| self.pauses);
        let theirs = direction_of(media);
        let protection = self.security.accept(media)?;
        let muxed = matches!(protection, Some(Protection::Dtls(_)));
        let rtcp_mux = media.rtcp_mux && (muxed || self.muxes());
        Ok(Negotiated {
            remote_rtp,
            remote_rtcp: remote_rtcp(media, rtcp_mux).ok_or(SdpError::NoAudio)?,
            rtcp_mux,
            voip_metrics: media.voip_metrics,
            send,
            receive,
            send_events: events_for(media, send.codec),
            receive_events,
            opus: self.opus_parameters(media, send),
            comfort_noise,
            receive_comfort_noise: vec![COMFORT_NOISE],
            ptime_ms: ptime(media, send.codec),
            direction: self.direction.both(theirs),
            theirs,
            ice: self.agree_ice(media, true),
            protection,
        })
    }

    /// The stream of an offer that is answered: the first that can be protected, else the first.
    fn choose(&self, offered: &[Media]) -> Result<(usize, Terms), SdpError> {
        let audio = || offered.iter().enumerate().filter(|(_, media)| speakable(media));
        let ice = self.ice.is_some();
        let possible =
            || audio().filter_map(|(place, media)| Some((place, self.security.terms(media, ice)?)));
        let chosen = possible().find(|(_, terms)| *terms != Terms::Plain).or_else(|| possible().next());
        let refused = if audio().any(|(_, media)| security::is_known(media)) {
            SdpError::NotProtected
        } else {
            SdpError::NoAudio
        };
        chosen.ok_or(refused)
    }

    /// Whether RTP and RTCP can share a port here.
    fn muxes(&self) -> bool {
        self.ice.is_some() || self.rtcp_port == self.rtp_port
    }

    /// What ICE is begun with, where both sides do it, with RTCP on the port of RTP. Other credentials of theirs than
    /// before are a restart, which takes new ones of ours too (RFC 8839, section 4.4.1.1.1).
    fn agree_ice(&mut self, media: &Media, offered: bool) -> Option<Agreed> {
        let ours = self.ice.as_mut().filter(|_| media.rtcp_mux)?;
        let remote = media.network.credentials(media.rtp())?;
        let before = self.their_ice.replace(remote.clone());
        if !offered && before.is_some_and(|before| before != remote) {
            ours.credentials = Credentials::random();
        }
        Some(media.network.agree(ours, remote, offered))
    }

    /// Later offers of this call use the payload types that the other side introduced.
    fn adopt(&mut self, send: Payload, events: Option<EventPayload>) {
        let mut taken: Vec<u8> = [Some(send.pt), events.map(|e| e.pt)].into_iter().flatten().collect();
        let mut settle = |current: u8, introduced: Option<u8>| {
            let pt = match introduced {
                Some(pt) => return pt,
                None if taken.contains(&current) => {
                    (96..128).rev().find(|pt| !taken.contains(pt)).unwrap_or(current)
                }
                None => current,
            };
            taken.push(pt);
            pt
        };
        let event = |rate| events.filter(|e| e.rate == rate).map(|e| e.pt);
        self.types = PayloadTypes {
            opus: settle(self.types.opus, (send.codec == Codec::Opus).then_some(send.pt)),
            events_48000: settle(self.types.events_48000, event(48_000)),
            events_8000: settle(self.types.events_8000, event(8_000)),
        };
    }

    fn print(&mut self, bundle: Option<&str>, sections: &[Section<'_>]) -> String {
        self.version += 1;
        print::print(self.address, self.session_id, self.version, bundle, sections)
    }

    fn audio<'a>(
        &self,
        lines: &'a Lines,
        formats: &'a [Format],
        ptime_ms: u32,
        rtcp_mux: bool,
        direction: Direction,
        mid: Option<&'a str>,
    ) -> Audio<'a> {
        Audio {
            proto: &lines.proto,
            rtp_port: self.rtp_port,
            rtcp_port: self.rtcp_port,
            formats,
            ptime_ms,
            rtcp_mux,
            direction,
            security: &lines.attributes,
            mid,
        }
    }

    /// How Opus is wanted by them, or by us where it is about what we send.
    fn opus_parameters(&self, media: &Media, send: Payload) -> OpusParameters {
        let said = media.parameters(send.pt).map_or(OpusParameters::NOTHING_SAID, OpusParameters::parse);
        OpusParameters { dtx: said.dtx || self.pauses, ..said }
    }

    fn codec_type(&self, codec: Codec) -> u8 {
        match codec {
            Codec::Opus => self.types.opus,
            Codec::G722 => 9,
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }
}

type Format = (u8, &'static str, Option<&'static str>);

fn codec_format(codec: Codec, pt: u8, pauses: bool) -> Format {
    match codec {
        Codec::Opus if pauses => (pt, "opus/48000/2", Some(opus::OURS_WITH_PAUSES)),
        Codec::Opus => (pt, "opus/48000/2", Some(opus::OURS)),
        // The clock rate is an old mistake that stands (RFC 3551, section 4.5.2).
        Codec::G722 => (pt, "G722/8000", None),
        Codec::Pcmu => (pt, "PCMU/8000", None),
        Codec::Pcma => (pt, "PCMA/8000", None),
    }
}

fn comfort_format(pt: u8) -> Format {
    (pt, "CN/8000", None)
}

fn event_format(events: EventPayload) -> Format {
    // 0-15 are the digits (RFC 4733, section 3.2).
    let map = match events.rate {
        48_000 => "telephone-event/48000",
        16_000 => "telephone-event/16000",
        _ => "telephone-event/8000",
    };
    (events.pt, map, Some("0-15"))
}

/// Whether this is an audio stream over RTP that is not refused.
fn speakable(media: &Media) -> bool {
    media.kind == "audio" && media.port != 0
}

fn matches(encoding: &Encoding, codec: Codec) -> bool {
    encoding.name.eq_ignore_ascii_case(codec.name()) && encoding.rate == codec.clock_rate()
}

fn payload_of(media: &Media, codec: Codec) -> Option<Payload> {
    in_common(media, &[codec]).next()
}

/// What of `codecs` there is, in the order of the other side.
fn in_common(media: &Media, codecs: &[Codec]) -> impl Iterator<Item = Payload> {
    media.in_order().filter_map(|encoding| {
        let codec = codecs.iter().find(|codec| matches(encoding, **codec))?;
        Some(Payload { pt: encoding.pt, codec: *codec })
    })
}

/// All of them, each once.
fn union<T: PartialEq>(first: impl IntoIterator<Item = T>, then: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all = Vec::new();
    for one in first.into_iter().chain(then) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

/// telephone-event (RFC 4733); those at 16 kHz belong to codecs that this phone has not, and come all the same.
fn events_of(media: &Media) -> impl Iterator<Item = EventPayload> {
    let event = |encoding: &&Encoding| {
        encoding.name.eq_ignore_ascii_case("telephone-event")
            && matches!(encoding.rate, 8_000 | 16_000 | 48_000)
    };
    media.in_order().filter(event).map(|encoding| EventPayload { pt: encoding.pt, rate: encoding.rate })
}

/// telephone-event at the codec's clock rate (RFC 4733, section 2.4.1), else at the rate there is: many
/// phones offer 8000 beside Opus.
fn events_for(media: &Media, codec: Codec) -> Option<EventPayload> {
    let same = events_of(media).find(|event| event.rate == codec.clock_rate());
    same.or_else(|| events_of(media).next())
}

fn comfort_of(media: &Media) -> impl Iterator<Item = u8> {
    let noise = |encoding: &&Encoding| encoding.name.eq_ignore_ascii_case("CN") && encoding.rate == 8_000;
    media.in_order().filter(noise).map(|encoding| encoding.pt)
}

/// Comfort noise beside this codec; Opus brings its own.
fn comfort_for(media: &Media, codec: Codec) -> Option<u8> {
    comfort_of(media).next().filter(|_| codec != Codec::Opus)
}

fn remote_rtcp(media: &Media, rtcp_mux: bool) -> Option<SocketAddr> {
    if rtcp_mux { media.rtp_or_candidate() } else { media.rtcp() }
}

/// Direction seen from us. An unspecified address is the hold of RFC 2543 (RFC 3264, section 8.4).
fn direction_of(media: &Media) -> Direction {
    let held = media.rtp_or_candidate().is_none_or(|address| address.ip().is_unspecified());
    let theirs = if held { media.direction.both(Direction::SendOnly) } else { media.direction };
    theirs.reversed()
}

/// Packet duration that the other side asks for and allows, or the next shorter one that the codec can do.
fn ptime(media: &Media, codec: Codec) -> u32 {
    let possible: &[u32] = match codec {
        Codec::Opus => &[10, 20, 40, 60],
        Codec::G722 | Codec::Pcmu | Codec::Pcma => &[10, 20, 30, 40, 50, 60],
    };
    // Nobody means more than RFC 3551, section 4.2 lets anybody send.
    let asked = media.ptime.filter(|ms| (1..=200).contains(ms)).unwrap_or(PTIME_MS);
    let most = media.maxptime.filter(|ms| *ms > 0).unwrap_or(u32::MAX);
    possible.iter().copied().rfind(|ms| *ms <= asked.min(most)).unwrap_or(10)
}
