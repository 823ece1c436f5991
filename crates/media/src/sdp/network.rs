//! ICE in descriptions (RFC 8839).

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::MAX_SDP;
use crate::ice::{Agreed, Candidate, Credentials};

/// Candidates of a stream that are looked at.
const MOST_CANDIDATES: usize = 32;
/// The discard port: where a description that leaves its candidates for later points to (RFC 8840, section 4.1.1).
const DISCARD: u16 = 9;
/// An address that is nobody's.
const DUMMY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 0, 8));

/// Our side of ICE in one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ice {
    /// What the other side is to show when it checks.
    pub credentials: Credentials,
    /// Where we can be reached; RTCP comes to the same port as RTP.
    pub candidates: Vec<Candidate>,
}

impl Ice {
    /// With new credentials. Other ones than before are a restart (RFC 8445, section 9).
    pub fn new(candidates: Vec<Candidate>) -> Self {
        Self { credentials: Credentials::random(), candidates }
    }

    /// Whole lines of a stream of ours.
    pub(super) fn lines(&self) -> String {
        let Credentials { ufrag, pwd } = &self.credentials;
        let mut out = format!("a=ice-options:ice2 trickle\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n");
        for candidate in &self.candidates {
            // Writing into a String cannot fail.
            let _ = write!(out, "a=candidate:{candidate}\r\n");
        }
        out + "a=end-of-candidates\r\n"
    }
}

/// Media type of a [`Trickle`] (RFC 8840, section 9).
pub const TRICKLE: &str = "application/trickle-ice-sdpfrag";

/// Candidates that were found after the description had gone out (RFC 8840): those of the stream, as far as they are
/// known by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trickle {
    /// For which of their credentials they are.
    pub(crate) remote: Credentials,
    pub(crate) candidates: Vec<Candidate>,
}

impl Trickle {
    /// Reads a fragment of a description. `None`: it is too large, or names no credentials or none that can be.
    pub fn parse(fragment: &str) -> Option<Self> {
        if fragment.len() > MAX_SDP {
            return None;
        }
        let (mut network, mut ours, mut met) = (Network::default(), true, false);
        for line in fragment.lines() {
            if let Some(media) = line.strip_prefix("m=") {
                // Of several streams the first that is sound is the one we talk in.
                ours = !met && media.starts_with("audio ");
                met |= ours;
            } else if let Some(attribute) = line.strip_prefix("a=").filter(|_| ours) {
                network.read(attribute.trim_end());
            }
        }
        let remote = Credentials::of(network.ufrag.as_ref()?, network.pwd.as_ref()?)?;
        network.candidates.retain(|candidate| candidate.component == 1);
        Some(Self { remote, candidates: network.candidates })
    }
}

/// What a description says of ICE, for a stream or for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Network {
    ufrag: Option<String>,
    pwd: Option<String>,
    lite: bool,
    candidates: Vec<Candidate>,
}

impl Network {
    /// Takes what follows `a=`, if it is about ICE.
    pub fn read(&mut self, attribute: &str) {
        match attribute.split_once(':') {
            Some(("ice-ufrag", ufrag)) => self.ufrag = Some(ufrag.trim().to_owned()),
            Some(("ice-pwd", pwd)) => self.pwd = Some(pwd.trim().to_owned()),
            Some(("candidate", candidate)) if self.candidates.len() < MOST_CANDIDATES => {
                self.candidates.extend(Candidate::parse(candidate));
            }
            None if attribute == "ice-lite" => self.lite = true,
            _ => {}
        }
    }

    /// Their credentials, where they do ICE and nobody between us has put another address in place of theirs (RFC 8839,
    /// section 4.2.5).
    pub fn credentials(&self, announced: Option<SocketAddr>) -> Option<Credentials> {
        let credentials = Credentials::of(self.ufrag.as_ref()?, self.pwd.as_ref()?)?;
        let announced = announced?;
        let later = announced.ip().is_unspecified() || announced.port() == DISCARD;
        let ours = |candidate: &Candidate| candidate.component == 1 && candidate.address == announced;
        (later || self.candidates.iter().any(ours)).then_some(credentials)
    }

    /// The address of RTP that stands for all the others.
    pub fn first(&self) -> Option<SocketAddr> {
        self.candidates.iter().find(|candidate| candidate.component == 1).map(|candidate| candidate.address)
    }

    /// The dummy address (RFC 7600), where ICE is to find one: their candidates are names, or come later.
    pub fn left_to_checks(&self, announced: SocketAddr) -> Option<SocketAddr> {
        self.credentials(Some(announced)).map(|_| SocketAddr::new(DUMMY, DISCARD))
    }

    /// What both sides agree on, having these credentials.
    pub fn agree(&self, ours: &Ice, remote: Credentials, offered: bool) -> Agreed {
        let candidates =
            self.candidates.iter().filter(|candidate| candidate.component == 1).cloned().collect();
        Agreed {
            local: ours.credentials.clone(),
            remote,
            candidates,
            // Who is lite never nominates (RFC 8445, section 6.1.1).
            controlling: offered || self.lite,
        }
    }
}

#[cfg(test)]
mod tests;
