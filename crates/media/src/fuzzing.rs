//! What strangers send, for the fuzz targets: session descriptions, protected packets, handshakes, payloads, and the
//! packets of a call.

mod session;

pub use session::session;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use zeroize::Zeroizing;

use crate::codec::VoiceDecoder;
use crate::comfort_noise::ComfortNoise;
use crate::jitter::Decoder;
use crate::protect::{Handshake, Protector};
use crate::sdp::{LocalMedia, Srtp};
use crate::{Association, Codec, FRAME, Identity, MasterKey, Protection, Role, Suite};

/// Takes some bytes for an offer and for an answer. None may panic; what is answered to an offer has as many streams
/// (RFC 3264, section 6), and can be answered in its turn.
pub fn description(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
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
}
