//! What strangers send, for the fuzz targets: session descriptions, and the packets of a call, payloads.

mod session;

pub use session::session;

use std::net::{IpAddr, Ipv4Addr};

use crate::codec::VoiceDecoder;
use crate::comfort_noise::ComfortNoise;
use crate::jitter::Decoder;
use crate::sdp::{LocalMedia, Srtp};
use crate::{Codec, FRAME};

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
    ours.srtp = srtp;
    let _ = ours.offer();
    let _ = ours.accept(text);
    if let Ok((answer, _)) = ours.answer(text) {
        // A line may end with either of the two characters.
        let streams = |text: &str| text.split(['\r', '\n']).filter(|line| line.starts_with("m=")).count();
        assert_eq!(streams(&answer), streams(text), "{answer}");
        let mut theirs = LocalMedia::new(here, 5000, 5001, Codec::ALL.to_vec(), 8);
        theirs.srtp = if srtp == Srtp::Off { Srtp::Off } else { Srtp::Prefer };
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    fn corpus(name: &str) -> impl Iterator<Item = Vec<u8>> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
        std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
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
