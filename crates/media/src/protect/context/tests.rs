#![allow(clippy::indexing_slicing)]

use super::*;

fn pair(suite: Suite) -> (Outbound, Inbound) {
    let key = MasterKey::random(suite);
    (Outbound::new(suite, &key).unwrap(), Inbound::new(suite, &key).unwrap())
}

pub(super) fn rtp(ssrc: u32, seq: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend_from_slice(&seq.to_be_bytes());
    packet.extend_from_slice(&[0; 4]);
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(&[seq as u8; 160]);
    packet
}

pub(super) fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet
}

#[test]
fn both_kinds_go_through_in_every_suite() {
    for suite in Suite::ALL {
        let (mut send, mut receive) = pair(suite);
        let (voice, report) = (rtp(7, 3), rtcp(7));
        let (sent, told) = (send.rtp(&voice).unwrap(), send.rtcp(&report).unwrap());
        assert_ne!(sent[12..40], voice[12..40], "{suite}");
        assert_eq!(receive.rtp(&sent), Some(voice), "{suite}");
        assert_eq!(receive.rtcp(&told), Some(report), "{suite}");
        assert_eq!((receive.rtp(&sent), receive.rtcp(&told)), (None, None), "{suite}: replayed");
    }
}

#[test]
fn the_counter_goes_on_over_wraps_and_reordering() {
    for suite in [Suite::AesCm128HmacSha1_80, Suite::AeadAes256Gcm] {
        let (mut send, mut receive) = pair(suite);
        let numbers = (0..200_000u32).step_by(37).map(|n| (n + 32_000) as u16);
        let mut sent: Vec<_> = numbers.map(|seq| (rtp(7, seq), send.rtp(&rtp(7, seq)).unwrap())).collect();
        sent.chunks_mut(3).for_each(|three| three.reverse());
        for (clear, sent) in sent {
            assert_eq!(receive.rtp(&sent), Some(clear), "{suite}");
        }
    }
}

#[test]
fn a_report_without_the_e_bit_is_forged() {
    for suite in Suite::ALL {
        let (mut send, mut receive) = pair(suite);
        let trailer = suite.profile().rtcp_auth_tag_len() + 4;
        let genuine: Vec<_> = (0..5).map(|_| send.rtcp(&rtcp(7)).unwrap()).collect();
        let mut forged = genuine[0].clone();
        let flags = forged.len() - trailer;
        // The highest index there is would shut out all that follow.
        forged[flags..flags + 4].copy_from_slice(&0x3fff_ffffu32.to_be_bytes());
        assert_eq!(receive.rtcp(&forged), None, "{suite}");
        for packet in &genuine {
            assert_eq!(receive.rtcp(packet), Some(rtcp(7)), "{suite}");
        }
    }
}

#[test]
fn what_is_tampered_with_is_refused() {
    for suite in Suite::ALL {
        let (mut send, mut receive) = pair(suite);
        let (voice, report) = (send.rtp(&rtp(7, 1)).unwrap(), send.rtcp(&rtcp(7)).unwrap());
        for place in 0..voice.len() {
            let mut bent = voice.clone();
            bent[place] ^= 1;
            assert_eq!(receive.rtp(&bent), None, "{suite} at {place}");
        }
        for place in 0..report.len() {
            let mut bent = report.clone();
            bent[place] ^= 1;
            assert_eq!(receive.rtcp(&bent), None, "{suite} at {place}");
        }
        for end in 0..voice.len() {
            assert_eq!(receive.rtp(&voice[..end]), None, "{suite} cut at {end}");
        }
        assert!(receive.rtp(&voice).is_some() && receive.rtcp(&report).is_some(), "{suite}");
    }
}

#[test]
fn strangers_leave_nothing_behind_and_shut_nobody_out() {
    let (mut send, mut receive) = pair(Suite::AesCm128HmacSha1_80);
    let first = send.rtp(&rtp(1, 1)).unwrap();
    assert!(receive.rtp(&first).is_some());
    for ssrc in 1000..3000 {
        assert_eq!(receive.rtp(&rtp(ssrc, 1)), None);
        assert!(receive.failed < MOST_STRANGERS);
    }
    assert_eq!(receive.known.len(), 1);
    for ssrc in 2..200 {
        assert!(receive.rtp(&send.rtp(&rtp(ssrc, 1)).unwrap()).is_some());
        assert!(
            receive.rtp(&send.rtp(&rtp(1, ssrc as u16)).unwrap()).is_some(),
            "who talks is not forgotten"
        );
    }
    assert_eq!(receive.known.len(), MOST_SOURCES);
    assert_eq!(receive.rtp(&first), None, "replayed");
}
