//! What strangers send, for the fuzz targets: session descriptions, protected packets, handshakes, payloads, and the
//! packets of a call.

mod session;

pub use session::session;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::codec::VoiceDecoder;
use crate::comfort_noise::ComfortNoise;
use crate::ice::{Agreed, Credentials};
use crate::jitter::Decoder;
use crate::protect::{Handshake, Protector};
use crate::sdp::{LocalMedia, Srtp, Trickle};
use crate::stun::{Class, Message, Writer, attribute, method};
use crate::{Association, Codec, FRAME, Identity, MasterKey, Protection, Role, Suite};
use crate::{Login, Path, Port, Servers, TurnServer};

/// Takes some bytes for an offer, for an answer and for candidates that come later. None may panic; what is answered to
/// an offer has as many streams (RFC 3264, section 6), and can be answered in its turn.
pub fn description(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let _ = Trickle::parse(text);
    for srtp in [Srtp::Off, Srtp::Prefer, Srtp::Require] {
        exchange(text, here, srtp);
    }
}

fn exchange(text: &str, here: IpAddr, srtp: Srtp) {
    let mut ours = LocalMedia::new(here, 4000, 4001, Codec::ALL.to_vec(), 7);
    ours.security.srtp = srtp;
    let _ = ours.offer();
    let _ = ours.accept(text);
    if let Ok((answer, _)) = ours.answer(text) {
        // A line may end with either of the two characters.
        let streams = |text: &str| text.split(['\r', '\n']).filter(|line| line.starts_with("m=")).count();
        assert_eq!(streams(&answer), streams(text), "{answer}");
        let mut theirs = LocalMedia::new(here, 5000, 5001, Codec::ALL.to_vec(), 8);
        theirs.security.srtp = if srtp == Srtp::Off { Srtp::Off } else { Srtp::Prefer };
        assert!(theirs.answer(&answer).is_ok(), "{answer}");
    }
}

/// Takes some bytes for packets to one decoder after another: which one, how long, the payload. A decoder fills what it
/// said it would, whatever came before; comfort noise never gets loud.
pub fn payloads(bytes: &[u8]) {
    let Some((which, mut rest)) = bytes.split_first() else { return };
    let Some(codec) = Codec::ALL.get(usize::from(*which) % Codec::ALL.len()) else { return };
    let Ok(mut decoder) = VoiceDecoder::new(*codec) else { return };
    let mut noise = ComfortNoise::new();
    while let Some(([kind, length], after)) = rest.split_first_chunk::<2>() {
        // Kind 1 makes long payloads of short inputs.
        let payload: Vec<u8> = if *kind == 1 {
            after.iter().copied().take(4).cycle().take(usize::from(*length) * 8).collect()
        } else {
            after.iter().copied().take(usize::from(*length)).collect()
        };
        rest = after.get(usize::from(*length)..).unwrap_or_default();
        match kind {
            2 => noise.describe(&payload, 0),
            3 => drop(decoder.conceal(&mut [0; FRAME])),
            _ => {}
        }
        if let Some(samples) = decoder.samples(&payload) {
            let mut out = vec![0; samples];
            if decoder.has_redundancy(&payload) {
                let _ = decoder.recover(&payload, &mut out);
            }
            let _ = decoder.decode(&payload, &mut out);
        }
        let mut out = [0; FRAME];
        noise.mix(&mut out);
        // Five times the RMS of the loudest background that is believed.
        assert!(out.iter().all(|sample| sample.unsigned_abs() < 5_200), "{out:?}");
    }
}

/// Takes some bytes for protected packets: the first octet chooses the suite, then each packet has its length before
/// it. None may panic, and none that was not protected with the key is taken.
pub fn protected(bytes: &[u8]) {
    let Some((choice, mut rest)) = bytes.split_first() else { return };
    let suite = Suite::ALL.get(usize::from(choice % 6)).copied().unwrap_or(Suite::AeadAes128Gcm);
    let key = |fill| MasterKey::new(suite, Zeroizing::new(vec![fill; suite.key_length()]));
    let (Some(send), Some(receive)) = (key(1), key(2)) else { return };
    let agreed = Protection::Sdes { suite, send, receive };
    let mut protector = Protector::new(Some(&agreed), Instant::now());
    while let Some((length, after)) = rest.split_first() {
        let length = usize::from(*length).min(after.len());
        let (packet, left) = after.split_at(length);
        assert!(protector.open(packet).is_none(), "forged");
        rest = left;
    }
}

static ENDS: LazyLock<Option<(Association, Association)>> = LazyLock::new(|| {
    let (a, b) = (Arc::new(Identity::generate()?), Arc::new(Identity::generate()?));
    let theirs = (vec![b.fingerprint().clone()], vec![a.fingerprint().clone()]);
    let client = Association { role: Role::Client, identity: a, theirs: theirs.0 };
    let server = Association { role: Role::Server, identity: b, theirs: theirs.1 };
    Some((client, server))
});

/// Shakes hands in both roles and lets the bytes come in between: the first octet says to whom, the second after how
/// many datagrams, the third whether they stand for a datagram or bend the one under way.
pub fn handshake(bytes: &[u8]) {
    let ([to, after, how], bytes) = match bytes.split_first_chunk::<3>() {
        Some((head, bytes)) => (*head, bytes),
        None => return,
    };
    let Some((client, server)) = ENDS.as_ref() else { return };
    let now = Instant::now();
    let (Some(client), Some(server)) = (Handshake::new(client, now), Handshake::new(server, now)) else {
        return;
    };
    let (mut ends, mut count) = ([client, server], 0);
    for turn in 0..12 {
        let Ok([from, other]) = ends.get_disjoint_mut([turn % 2, 1 - turn % 2]) else { return };
        while let Some(mut datagram) = from.poll_transmit() {
            let hit = count == usize::from(after % 8) && usize::from(to % 2) == 1 - turn % 2;
            count += 1;
            if hit && how % 2 == 0 {
                other.receive(now, bytes);
            } else if hit {
                datagram.iter_mut().zip(bytes).for_each(|(octet, bend)| *octet ^= bend);
            }
            other.receive(now, &datagram);
        }
    }
}

/// Takes some bytes for a STUN message and asks it everything. Nothing may panic.
pub fn stun(bytes: &[u8]) {
    let Some(message) = Message::parse(bytes) else { return };
    let _ = (message.is_authentic(b"key"), message.error());
    for kind in 0..0x30 {
        let _ = (
            message.get(kind),
            message.address(kind),
            message.text(kind),
            message.u32(kind),
            message.u64(kind),
        );
    }
}

/// Feeds a path that checks, with a relay, what some bytes say: each datagram is a byte that says how it comes, the
/// length of it, and what is in it. Nothing may panic, and what is sent in return stays bounded.
pub fn ice(bytes: &[u8]) {
    let Some((which, mut bytes)) = bytes.split_first() else { return };
    let stream = which & 1 == 1;
    let at = |ip, port| SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(ip)), port);
    let (host, turn) = (at(0x0A00_0001, 1000), at(0xC000_0201, 3478));
    let credentials = |text: &str| Credentials { ufrag: text.into(), pwd: text.repeat(6) };
    let (local, remote) = (credentials("ours"), credentials("them"));
    let mut now = Instant::now();
    let login = Login { user: "u".into(), password: String::from("p").into() };
    let server = TurnServer { address: turn, stream, login: login.clone() };
    let servers = Servers { stun: Some(turn), turn: Some(server) };
    let mut path = Path::gather(now, vec![host], servers);
    let agreed =
        Agreed { local: local.clone(), remote: remote.clone(), candidates: Vec::new(), controlling: stream };
    path.agree(now, Some(&agreed), at(1, 9));
    while let Some((&[how, length], rest)) = bytes.split_first_chunk::<2>() {
        let (datagram, rest) = rest.split_at(usize::from(length).min(rest.len()));
        bytes = rest;
        let from = if how & 1 == 0 { turn } else { at(0xCB00_7100 + u32::from(how), 5000) };
        let port = if stream && how & 2 == 0 { Port::Stream } else { Port::Media(0) };
        // What only a peer who knows the password can say is reached by signing it.
        let signed = (how & 4 == 0).then(|| signed(datagram, &local));
        path.receive(now, port, from, signed.as_deref().unwrap_or(datagram), |_, _| {});
        now += Duration::from_millis(u64::from(how));
        assert!(std::iter::from_fn(|| path.poll_transmit(now)).take(1000).count() < 1000);
    }
}

/// A check of a peer whose other attributes are some bytes.
fn signed(bytes: &[u8], local: &Credentials) -> Vec<u8> {
    let (kind, value) = bytes.split_first().unwrap_or((&0, &[]));
    Writer::new(Class::Request, method::BINDING, [1; 12])
        .with(attribute::USERNAME, format!("{}:them", local.ufrag).as_bytes())
        .with(0x8000 * u16::from(kind >> 7) + u16::from(kind & 0x7F), value)
        .finish(Some(local.pwd.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    fn corpus(name: &str) -> impl Iterator<Item = Vec<u8>> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
        std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
    }

    proptest! {
        #[test]
        fn protected_packets(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            super::protected(&bytes);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn handshakes(bytes in proptest::collection::vec(any::<u8>(), 3..600)) {
            super::handshake(&bytes);
        }
    }

    #[test]
    fn payloads_of_the_corpus() {
        let read = corpus("codec_payloads").inspect(|bytes| super::payloads(bytes)).count();
        assert!((4..200).contains(&read), "{read}");
    }

    #[test]
    fn descriptions_of_the_corpus() {
        let read = corpus("sdp").inspect(|bytes| super::description(bytes)).count();
        assert!((8..200).contains(&read), "{read}");
    }

    #[test]
    fn packets_of_the_corpus() {
        let read = corpus("rtp_session").inspect(|bytes| super::session(bytes)).count();
        assert!((8..200).contains(&read), "{read}");
    }

    proptest::proptest! {
        #[test]
        fn any_datagrams_leave_ice_standing(bytes: Vec<u8>) {
            super::ice(&bytes);
            super::stun(&bytes);
        }
    }
}
