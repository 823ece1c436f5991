//! Packets to and from libsrtp2, in every suite.
#![allow(clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use zeroize::Zeroizing;

use super::tests::{rtcp, rtp};
use super::*;

/// libsrtp2 with a key.
struct Peer {
    process: Child,
    say: ChildStdin,
    hear: BufReader<ChildStdout>,
}

impl Peer {
    fn start(suite: Suite, key: &[u8]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/libsrtp2.py");
        let mut command = Command::new("python3");
        command.args([script, suite.name(), &hex(key)]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (say, hear) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, say, hear: BufReader::new(hear) }
    }

    fn does(&mut self, word: &str, packet: &[u8]) -> Option<Vec<u8>> {
        writeln!(self.say, "{word} {}", hex(packet)).unwrap();
        let mut line = String::new();
        self.hear.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "libsrtp2 is gone: is the package libsrtp2-1 there?");
        let octet = |n| u8::from_str_radix(line.get(n..n + 2).unwrap(), 16).unwrap();
        (!line.starts_with("ERR")).then(|| (0..line.trim().len()).step_by(2).map(octet).collect())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn with_libsrtp2(suite: Suite) -> (Peer, Outbound, Inbound) {
    let bytes: Vec<u8> = (0..suite.key_length()).map(|n| (n * 7 + 3) as u8).collect();
    let key = MasterKey::new(suite, Zeroizing::new(bytes.clone())).unwrap();
    (Peer::start(suite, &bytes), Outbound::new(suite, &key).unwrap(), Inbound::new(suite, &key).unwrap())
}

#[test]
fn every_suite_goes_both_ways_over_wraps_and_reordering() {
    for suite in Suite::ALL {
        let (mut peer, mut send, mut receive) = with_libsrtp2(suite);
        let numbers = (0..80_000u32).step_by(41).map(|n| (n + 30_000) as u16);
        let packets: Vec<_> = numbers.map(|seq| rtp(0x1234_5678, seq)).collect();
        let mut ours: Vec<_> = packets.iter().map(|clear| (clear, send.rtp(clear).unwrap())).collect();
        let mut theirs: Vec<_> =
            packets.iter().map(|clear| (clear, peer.does("P", clear).unwrap())).collect();
        ours.chunks_mut(3).for_each(|three| three.reverse());
        theirs.chunks_mut(3).for_each(|three| three.reverse());
        for (clear, packet) in &ours {
            assert_eq!(peer.does("U", packet).as_ref(), Some(*clear), "{suite}");
        }
        for (clear, packet) in &theirs {
            assert_eq!(receive.rtp(packet).as_ref(), Some(*clear), "{suite}");
        }
        for (_, packet) in theirs.iter().rev().take(20) {
            assert_eq!(receive.rtp(packet), None, "{suite}: replayed");
        }
        for _ in 0..20 {
            let report = rtcp(0x1234_5678);
            let (ours, theirs) = (send.rtcp(&report).unwrap(), peer.does("PC", &report).unwrap());
            assert_eq!(peer.does("UC", &ours).as_ref(), Some(&report), "{suite}");
            assert_eq!(receive.rtcp(&theirs).as_ref(), Some(&report), "{suite}");
            assert_eq!(receive.rtcp(&theirs), None, "{suite}: replayed");
        }
    }
}

#[test]
fn its_reports_are_not_shut_out_by_forged_ones() {
    for suite in Suite::ALL {
        let (mut peer, _, mut receive) = with_libsrtp2(suite);
        let genuine: Vec<_> = (0..5).map(|_| peer.does("PC", &rtcp(7)).unwrap()).collect();
        let flags = genuine[0].len() - suite.profile().rtcp_auth_tag_len() - 4;
        for index in [0u32, 0x3fff_ffff, 0x7fff_ffff, 0xbfff_ffff, 0xffff_ffff] {
            let mut forged = genuine[0].clone();
            forged[flags..flags + 4].copy_from_slice(&index.to_be_bytes());
            assert_eq!(receive.rtcp(&forged), None, "{suite} {index:x}");
            assert_eq!(peer.does("UC", &forged), None, "{suite} {index:x}");
        }
        for packet in &genuine {
            assert_eq!(receive.rtcp(packet), Some(rtcp(7)), "{suite}");
        }
    }
}
