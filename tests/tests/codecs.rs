//! Every codec with phones and PBXs we did not write: speech both ways at once, scored by PESQ.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use system_tests::{CodecPeer, codec_call};

/// Least PESQ-WB of speech that went through narrow-band G.711 on a busy machine; a codec that is not the one that was
/// agreed on stays below 1.5.
const NARROW: f64 = 2.6;
/// Of G.722 and Opus.
const WIDE: f64 = 3.0;

fn both_hear(peer: CodecPeer, codec: &str, least: f64) {
    let (they, we) = codec_call(peer, codec);
    they.assert_clean(&format!("{peer} heard us in {codec}"), least, 0.6);
    we.assert_clean(&format!("we heard {peer} in {codec}"), least, 0.6);
}

#[test]
fn g722_with_baresip() {
    both_hear(CodecPeer::Baresip, "G722", WIDE);
}

#[test]
fn g722_with_linphone() {
    both_hear(CodecPeer::Linphone, "G722", WIDE);
}

#[test]
fn g722_with_asterisk() {
    both_hear(CodecPeer::Asterisk, "G722", WIDE);
}

#[test]
fn pcma_with_baresip() {
    both_hear(CodecPeer::Baresip, "PCMA", NARROW);
}

#[test]
fn pcma_with_asterisk() {
    both_hear(CodecPeer::Asterisk, "PCMA", NARROW);
}

#[test]
fn pcmu_with_linphone() {
    both_hear(CodecPeer::Linphone, "PCMU", NARROW);
}

#[test]
fn opus_with_linphone() {
    both_hear(CodecPeer::Linphone, "opus", WIDE);
}
