use std::net::IpAddr;

use super::*;
use crate::Codec;
use crate::sdp::{Direction, LocalMedia};

fn local(address: &str, ice: bool) -> LocalMedia {
    let ip: IpAddr = address.parse().unwrap();
    let mut media = LocalMedia::new(ip, 4000, 4001, vec![Codec::Pcmu], 7);
    let host = format!("1 1 UDP 2130706431 {address} 4000 typ host");
    media.ice = ice.then(|| Ice::new(vec![Candidate::parse(&host).unwrap()]));
    media
}

#[test]
fn both_sides_agree_on_the_same() {
    let (mut anna, mut ben) = (local("192.0.2.1", true), local("192.0.2.2", true));
    let (answer, at_ben) = ben.answer(&anna.offer()).unwrap();
    let at_anna = anna.accept(&answer).unwrap();
    let (a, b) = (at_anna.ice.unwrap(), at_ben.ice.unwrap());
    assert_eq!((&a.local, &a.remote), (&b.remote, &b.local));
    assert_eq!((a.controlling, b.controlling), (true, false));
    assert_eq!(a.candidates, ben.ice.unwrap().candidates);
    assert!(at_anna.rtcp_mux && at_ben.rtcp_mux);
    assert_eq!(at_anna.remote_rtcp, at_anna.remote_rtp);
}

#[test]
fn who_does_not_know_ice_is_called_without() {
    let (mut anna, mut ben) = (local("192.0.2.1", true), local("192.0.2.2", false));
    let (answer, at_ben) = ben.answer(&anna.offer()).unwrap();
    assert!(!answer.contains("ice"), "{answer}");
    let at_anna = anna.accept(&answer).unwrap();
    assert_eq!((at_anna.ice, at_ben.ice), (None, None));
    assert!(!at_anna.rtcp_mux);
    assert_eq!(at_anna.remote_rtcp.port(), 4001);
}

#[test]
fn an_address_put_in_by_somebody_between_ends_ice() {
    let (mut anna, mut ben) = (local("192.0.2.1", true), local("192.0.2.2", true));
    let offer = anna.offer().replace("c=IN IP4 192.0.2.1", "c=IN IP4 198.51.100.1");
    let (answer, at_ben) = ben.answer(&offer).unwrap();
    assert_eq!(at_ben.ice, None);
    assert_eq!(at_ben.remote_rtp, "198.51.100.1:4000".parse::<SocketAddr>().unwrap());
    assert!(!answer.contains("a=candidate"), "{answer}");
}

#[test]
fn a_description_that_leaves_its_address_to_the_candidates_is_no_hold() {
    let (mut anna, mut ben) = (local("192.0.2.1", true), local("192.0.2.2", true));
    let offer =
        anna.offer().replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0").replace("m=audio 4000", "m=audio 9");
    let (_, at_ben) = ben.answer(&offer).unwrap();
    assert_eq!(at_ben.direction, Direction::SendRecv);
    assert_eq!(at_ben.remote_rtp, "192.0.2.1:4000".parse::<SocketAddr>().unwrap());
    assert!(at_ben.ice.is_some());
}

#[test]
fn candidates_that_are_names_leave_all_to_the_checks() {
    let (mut anna, mut ben) = (local("192.0.2.1", true), local("192.0.2.2", true));
    let offer =
        anna.offer().replace("IN IP4 192.0.2.1", "IN IP4 0.0.0.0").replace("m=audio 4000", "m=audio 9");
    let hidden = offer.replace("192.0.2.1 4000", "0d2b1c7e-4d3e-4d5e-9c1b-7f8a9b0c1d2e.local 4000");
    let (_, at_ben) = ben.answer(&hidden).unwrap();
    assert_eq!(at_ben.direction, Direction::SendRecv);
    assert_eq!(at_ben.remote_rtp, SocketAddr::new(DUMMY, DISCARD));
    assert_eq!(at_ben.ice.unwrap().candidates, []);
}

#[test]
fn a_stream_keeps_the_name_that_it_was_given() {
    let (mut anna, mut ben) = (local("192.0.2.1", true), local("192.0.2.2", true));
    let offer = anna.offer();
    assert!(!offer.contains("a=mid"), "{offer}");
    let named = offer.replace("t=0 0\r\n", "t=0 0\r\na=group:BUNDLE voice\r\n") + "a=mid:voice\r\n";
    let (answer, _) = ben.answer(&named).unwrap();
    for text in [answer, ben.offer()] {
        assert!(text.contains("a=mid:voice\r\n") && text.contains("a=group:BUNDLE voice\r\n"), "{text}");
    }
}

#[test]
fn new_credentials_of_theirs_are_answered_with_new_ones_of_ours() {
    let (mut anna, mut ben) = (local("192.0.2.1", true), local("192.0.2.2", true));
    let first = ben.answer(&anna.offer()).unwrap().1.ice.unwrap();
    let again = ben.answer(&anna.offer()).unwrap().1.ice.unwrap();
    assert_eq!(first, again);
    let candidates = anna.ice.unwrap().candidates;
    anna.ice = Some(Ice::new(candidates));
    let restarted = ben.answer(&anna.offer()).unwrap().1.ice.unwrap();
    assert_ne!(restarted.local, first.local);
    assert_ne!(restarted.remote, first.remote);
}

#[test]
fn a_lite_peer_is_led() {
    let (mut anna, mut ben) = (local("192.0.2.1", true), local("192.0.2.2", true));
    let offer = anna.offer().replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n");
    assert!(ben.answer(&offer).unwrap().1.ice.unwrap().controlling);
}

#[test]
fn credentials_may_stand_for_all_streams() {
    let (mut anna, mut ben) = (local("192.0.2.1", true), local("192.0.2.2", true));
    let offer = anna.offer();
    let take = |name: &str| offer.lines().find(|line| line.starts_with(name)).unwrap();
    let (ufrag, pwd) = (take("a=ice-ufrag"), take("a=ice-pwd"));
    let moved = offer.replace(&format!("{ufrag}\r\n{pwd}\r\n"), "");
    let moved = moved.replace("t=0 0\r\n", &format!("t=0 0\r\n{ufrag}\r\n{pwd}\r\n"));
    assert!(ben.answer(&moved).unwrap().1.ice.is_some());
}

#[test]
fn many_candidates_are_not_kept() {
    let (mut anna, mut ben) = (local("192.0.2.1", true), local("192.0.2.2", true));
    let more: String =
        (1..500).map(|n| format!("a=candidate:1 1 UDP 1 203.0.113.1 {n} typ host\r\n")).collect();
    let agreed = ben.answer(&(anna.offer() + &more)).unwrap().1.ice.unwrap();
    assert_eq!(agreed.candidates.len(), MOST_CANDIDATES);
}

#[test]
fn candidates_that_come_later_are_those_of_the_first_sound() {
    let credentials = Credentials::random();
    let (ufrag, pwd) = (&credentials.ufrag, &credentials.pwd);
    let line = |port: u16| format!("a=candidate:1 1 UDP 1 192.0.2.1 {port} typ host\r\n");
    let text = format!(
        "a=ice-pwd:{pwd}\r\na=ice-ufrag:{ufrag}\r\nm=video 9 RTP/AVP 31\r\na=mid:0\r\n{}m=audio 9 RTP/AVP 0\r\na=mid:1\r\n\
         {}a=candidate:1 2 UDP 1 192.0.2.1 4003 typ host\r\na=end-of-candidates\r\nm=audio 9 RTP/AVP 0\r\n{}",
        line(4000),
        line(4002),
        line(4004)
    );
    let later = Trickle::parse(&text).unwrap();
    assert_eq!(later.remote, credentials);
    let ports: Vec<u16> = later.candidates.iter().map(|candidate| candidate.address.port()).collect();
    assert_eq!(ports, [4002]);
    for broken in ["", "a=ice-ufrag:abcd\r\n", "a=ice-ufrag:a\r\na=ice-pwd:b\r\n", "m=audio"] {
        assert_eq!(Trickle::parse(broken), None, "{broken}");
    }
}
