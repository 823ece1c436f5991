//! Every codec with every foreign peer that speaks it.

use system_tests::{CodecPeer, codec_call};

/// What each peer speaks.
const PEERS: [(CodecPeer, &[&str]); 3] = [
    (CodecPeer::Baresip, &["opus", "G722", "PCMU", "PCMA"]),
    (CodecPeer::Linphone, &["opus", "G722", "PCMU", "PCMA"]),
    (CodecPeer::Asterisk, &["G722", "PCMU", "PCMA"]),
];

/// Prints PESQ-WB of both directions.
pub fn measure() {
    println!("\nCodecs with foreign peers, PESQ-WB, both sides speaking at once\n");
    println!("| codec | peer | the peer heard us | we heard the peer |\n|---|---|---|---|");
    for (peer, codecs) in PEERS {
        for codec in codecs {
            let (they, we) = codec_call(peer, codec);
            println!("| {codec} | {peer} | {:.2} | {:.2} |", they.pesq_wb, we.pesq_wb);
        }
    }
}
