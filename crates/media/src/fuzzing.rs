//! What strangers send, for the fuzz targets: session descriptions, and the packets of a call.

mod session;

pub use session::session;

use std::net::{IpAddr, Ipv4Addr};

use crate::Codec;
use crate::sdp::{LocalMedia, Srtp};

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

#[cfg(test)]
mod tests {
    fn corpus(target: &str) -> Vec<Vec<u8>> {
        let folder = format!("{}/../../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
        let inputs = std::fs::read_dir(folder).unwrap();
        inputs.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    #[test]
    fn the_corpus() {
        let inputs = corpus("sdp");
        assert!((8..200).contains(&inputs.len()), "{}", inputs.len());
        inputs.iter().for_each(|bytes| super::description(bytes));
    }

    #[test]
    fn the_corpus_of_calls() {
        let inputs = corpus("rtp_session");
        assert!((8..200).contains(&inputs.len()), "{}", inputs.len());
        inputs.iter().for_each(|bytes| super::session(bytes));
    }
}
