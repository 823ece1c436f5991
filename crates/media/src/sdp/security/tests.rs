use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::Codec;
use crate::sdp::{LocalMedia, Negotiated};

const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const SNOM: &str = "v=0\r
o=root 1 1 IN IP4 198.51.100.7\r
s=call\r
c=IN IP4 198.51.100.7\r
t=0 0\r
m=audio 10012 RTP/SAVP 0 101\r
a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:101 telephone-event/8000\r
";

fn local(srtp: Srtp) -> LocalMedia {
    let address = "192.0.2.10".parse().unwrap();
    let mut media = LocalMedia::new(address, 40_000, 40_001, vec![Codec::Pcmu], 84);
    media.security.srtp = srtp;
    media
}

/// Keys are random: what is left shows their length.
fn veiled(text: &str) -> String {
    let veil = |line: &str| match line.split_once("inline:") {
        Some((before, key)) => format!("{before}inline:({})\n", key.len()),
        None => format!("{line}\n"),
    };
    text.lines().map(veil).collect()
}

fn suite(negotiated: &Negotiated) -> Option<Suite> {
    match negotiated.protection {
        Some(Protection::Sdes { suite, .. }) => Some(suite),
        _ => None,
    }
}

fn keys(negotiated: &Negotiated) -> (MasterKey, MasterKey) {
    let Some(Protection::Sdes { send, receive, .. }) = negotiated.protection.clone() else { panic!("plain") };
    (send, receive)
}

#[test]
fn preferred_it_is_offered_beside_plain_rtp() {
    assert_snapshot!(veiled(&local(Srtp::Prefer).offer()), @r"
    v=0
    o=- 42 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    m=audio 40000 RTP/AVP 0 101
    a=rtpmap:0 PCMU/8000
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=ptime:20
    a=rtcp:40001
    a=rtcp-xr:voip-metrics
    a=crypto:1 AEAD_AES_256_GCM inline:(60)
    a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:(40)
    a=sendrecv
    ");
}

#[test]
fn required_it_is_offered_alone() {
    let offer = local(Srtp::Require).offer();
    assert!(offer.contains("m=audio 40000 RTP/SAVP 0 101\r\na="), "{offer}");
    assert_eq!(offer.matches("a=crypto:").count(), 2);
    let offer = local(Srtp::Off).offer();
    assert!(offer.contains("RTP/AVP ") && !offer.contains("crypto"), "{offer}");
}

#[test]
fn both_sides_end_with_each_others_keys() {
    for (ours, theirs) in
        [(Srtp::Prefer, Srtp::Prefer), (Srtp::Prefer, Srtp::Require), (Srtp::Require, Srtp::Prefer)]
    {
        let (mut a, mut b) = (local(ours), local(theirs));
        let (answer, for_b) = b.answer(&a.offer()).unwrap();
        let for_a = a.accept(&answer).unwrap();
        assert_eq!(suite(&for_a), Some(Suite::AeadAes256Gcm));
        let ((a_sends, a_receives), (b_sends, b_receives)) = (keys(&for_a), keys(&for_b));
        assert_eq!((a_sends.clone(), a_receives.clone()), (b_receives, b_sends));
        assert_ne!(a_sends, a_receives);
    }
}

#[test]
fn plain_and_protected_meet_as_their_wishes_allow() {
    for (ours, theirs, expected) in [
        (Srtp::Off, Srtp::Prefer, Ok(None)),
        (Srtp::Prefer, Srtp::Off, Ok(None)),
        (Srtp::Off, Srtp::Require, Err(SdpError::NotProtected)),
        (Srtp::Require, Srtp::Off, Err(SdpError::NotProtected)),
    ] {
        let offer = local(ours).offer();
        let answered = local(theirs).answer(&offer).map(|(_, negotiated)| negotiated.protection);
        assert_eq!(answered, expected, "{ours:?} {theirs:?}");
    }
    let mut caller = local(Srtp::Require);
    caller.offer();
    let plain = SNOM.replace("SAVP", "AVP").replace("a=crypto", "a=other");
    assert_eq!(caller.accept(&plain), Err(SdpError::NotProtected));
    let dropped = SNOM.replace("a=crypto", "a=other");
    assert_eq!(local(Srtp::Prefer).answer(&dropped), Err(SdpError::NotProtected), "SAVP without a key");
}

#[test]
fn a_desk_phone_is_answered_with_its_own_tag() {
    let (answer, negotiated) = local(Srtp::Prefer).answer(SNOM).unwrap();
    assert_snapshot!(veiled(&answer), @r"
    v=0
    o=- 42 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    m=audio 40000 RTP/SAVP 0 101
    a=rtpmap:0 PCMU/8000
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=ptime:20
    a=rtcp:40001
    a=rtcp-xr:voip-metrics
    a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:(40)
    a=sendrecv
    ");
    assert_eq!(suite(&negotiated), Some(Suite::AesCm128HmacSha1_32));
    assert_eq!(keys(&negotiated).1.to_base64().as_str(), KEY);
}

#[test]
fn of_several_streams_the_protected_one_is_taken() {
    let both = SNOM.replace("m=audio", "m=audio 7000 RTP/AVP 0\r\nm=audio");
    let (answer, negotiated) = local(Srtp::Prefer).answer(&both).unwrap();
    assert!(answer.contains("m=audio 0 RTP/AVP 0\r\nm=audio 40000 RTP/SAVP 0 101\r\n"), "{answer}");
    assert!(negotiated.protection.is_some());
    let negotiated = local(Srtp::Off).answer(&both).unwrap().1;
    assert_eq!((negotiated.remote_rtp.port(), negotiated.protection), (7000, None));
}

#[test]
fn keys_and_counters_outlive_holds() {
    let (mut a, mut b) = (local(Srtp::Prefer), local(Srtp::Prefer));
    let (answer, first) = b.answer(&a.offer()).unwrap();
    let before = a.accept(&answer).unwrap();
    let offer = a.offer();
    assert_eq!(offer.matches("a=crypto:").count(), 1, "no more than what was settled");
    let (answer, second) = b.answer(&offer).unwrap();
    assert_eq!(a.accept(&answer).unwrap().protection, before.protection);
    assert_eq!(first.protection, second.protection);
    let offer = b.offer();
    let (answer, _) = a.answer(&offer).unwrap();
    assert_eq!(b.accept(&answer).unwrap().protection, first.protection, "offered by the other side");
}

#[test]
fn what_was_settled_as_plain_stays_so_unless_somebody_asks_anew() {
    let (mut a, mut b) = (local(Srtp::Prefer), local(Srtp::Off));
    let (answer, _) = b.answer(&a.offer()).unwrap();
    a.accept(&answer).unwrap();
    assert!(!a.offer().contains("a=crypto"));
    assert!(a.offer_anew().contains("a=crypto"));
    let (_, negotiated) = a.answer(SNOM).unwrap();
    assert!(negotiated.protection.is_some(), "they may offer it later");
}

#[test]
fn a_secure_profile_stays_what_it_is() {
    let mut media = local(Srtp::Prefer);
    media.answer(SNOM).unwrap();
    let offer = media.offer();
    assert!(offer.contains("RTP/SAVP 0") && offer.contains("a=crypto:1 AES_CM_128_HMAC_SHA1_32 "), "{offer}");
}

#[test]
fn our_own_key_is_never_theirs() {
    let (mut caller, mut prefers) = (local(Srtp::Require), local(Srtp::Prefer));
    let mirrored = caller.offer();
    assert_eq!(caller.accept(&mirrored), Err(SdpError::NotProtected));
    assert_eq!(caller.answer(&mirrored).err(), Some(SdpError::NotProtected));
    let mirrored = prefers.offer();
    assert_eq!(prefers.accept(&mirrored).unwrap().protection, None);
}

#[test]
fn crypto_lines_are_read_or_refused() {
    let suite = "AES_CM_128_HMAC_SHA1_80";
    let read = |line: &str| Crypto::parse(&line.replace("SUITE", suite).replace("KEY", KEY)).is_some();
    for line in [
        "1 SUITE inline:KEY",
        "7 aes_cm_128_hmac_sha1_80 INLINE:KEY|2^31",
        "1 SUITE inline:KEY|1048576 KDR=0 WSH=128",
        "1  SUITE  inline:KEY  -FANCY=1",
    ] {
        assert!(read(line), "{line}");
    }
    for line in [
        "",
        "1",
        "1 SUITE",
        "1 SUITE inline",
        "1 SUITE inline:",
        "x SUITE inline:KEY",
        "99999999999 SUITE inline:KEY",
        "1 F8_128_HMAC_SHA1_80 inline:KEY",
        "1 SUITE uri:KEY",
        "1 SUITE inline:KEYAAAA",
        "1 SUITE inline:?KEY",
        "1 SUITE inline:KEY|2^20|1:4",
        "1 SUITE inline:KEY|1:4",
        "1 SUITE inline:KEY|2^49",
        "1 SUITE inline:KEY|2^999999",
        "1 SUITE inline:KEY|0",
        "1 SUITE inline:KEY;inline:KEY",
        "1 SUITE inline:KEY KDR=1",
        "1 SUITE inline:KEY UNENCRYPTED_SRTCP",
        "1 SUITE inline:KEY UNENCRYPTED_SRTP",
        "1 SUITE inline:KEY UNAUTHENTICATED_SRTP",
        "1 SUITE inline:KEY SOMETHING",
        "1 AEAD_AES_256_GCM inline:KEY",
    ] {
        assert!(!read(line), "{line}");
    }
}

#[test]
fn the_first_usable_line_is_taken_and_few_are_kept() {
    let more = "a=crypto:9 F8_128_HMAC_SHA1_80 inline:AAAA\r\na=crypto:1";
    let negotiated = local(Srtp::Prefer).answer(&SNOM.replace("a=crypto:1", more)).unwrap().1;
    assert_eq!(suite(&negotiated), Some(Suite::AesCm128HmacSha1_32));
    let many =
        format!("{SNOM}{}", format!("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n").repeat(500));
    assert_eq!(crate::sdp::parse::parse(&many).unwrap().media[0].crypto.len(), MOST_CRYPTO);
}

proptest! {
    #[test]
    fn no_line_makes_it_panic(line in "[0-9]{0,3} ?(AES_CM_128_HMAC_SHA1_80|AEAD_AES_128_GCM)? ?(inline:)?[A-Za-z0-9+/=|^:; ]{0,80}") {
        let _ = Crypto::parse(&line);
    }
}

const BROWSERLY: &str = "v=0\r
o=- 1 1 IN IP4 198.51.100.7\r
s=-\r
c=IN IP4 198.51.100.7\r
t=0 0\r
a=fingerprint:SHA-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff\r
a=setup:actpass\r
m=audio 10012 UDP/TLS/RTP/SAVPF 0\r
a=rtcp-mux\r
";

fn with_identity(srtp: Srtp, keying: Keying) -> LocalMedia {
    let mut media = local(srtp);
    media.security.keying = keying;
    media.security.identity = Identity::generate().map(Arc::new);
    media
}

fn association(negotiated: &Negotiated) -> Association {
    let Some(Protection::Dtls(association)) = negotiated.protection.clone() else { panic!("no DTLS") };
    association
}

#[test]
fn a_handshake_is_offered_with_both_roles_and_one_port() {
    let offer = with_identity(Srtp::Prefer, Keying::Dtls).offer();
    assert!(offer.contains("m=audio 40000 UDP/TLS/RTP/SAVPF 0 101\r\n"), "{offer}");
    assert!(offer.contains("a=setup:actpass\r\n") && offer.contains("a=rtcp-mux\r\n"), "{offer}");
    assert!(offer.contains("a=fingerprint:sha-256 ") && !offer.contains("a=crypto"), "{offer}");
    assert!(offer.contains("a=mid:0\r\n") && offer.contains("a=group:BUNDLE 0\r\n"), "{offer}");
    let without = local(Srtp::Require);
    assert!(without.clone().offer().contains("RTP/SAVP "), "no identity, no handshake");
}

#[test]
fn a_handshake_offered_is_begun_by_us() {
    let mut media = with_identity(Srtp::Prefer, Keying::Sdes);
    let (answer, negotiated) = media.answer(BROWSERLY).unwrap();
    assert!(answer.contains("m=audio 40000 UDP/TLS/RTP/SAVPF 0\r\n"), "{answer}");
    assert!(answer.contains("a=setup:active\r\n") && answer.contains("a=rtcp-mux\r\n"), "{answer}");
    assert_eq!(association(&negotiated).role, Role::Client);
    assert_eq!(negotiated.remote_rtcp, negotiated.remote_rtp);
    for (setup, role) in [("active", Role::Server), ("passive", Role::Client), ("nothing", Role::Server)] {
        let offer = BROWSERLY.replace("actpass", setup);
        let negotiated = with_identity(Srtp::Prefer, Keying::Sdes).answer(&offer).unwrap().1;
        assert_eq!(association(&negotiated).role, role, "{setup}");
    }
}

#[test]
fn what_no_handshake_can_come_of_is_refused() {
    let refused = |offer: &str| with_identity(Srtp::Prefer, Keying::Sdes).answer(offer).err();
    for offer in [
        BROWSERLY.replace("SHA-256", "SHA-1"),
        BROWSERLY.replace("actpass", "holdconn"),
        BROWSERLY.replace("198.51.100.7", "0.0.0.0"),
        BROWSERLY.replace("a=fingerprint", "a=other"),
    ] {
        assert_eq!(refused(&offer), Some(SdpError::NotProtected), "{offer}");
    }
    assert_eq!(local(Srtp::Prefer).answer(BROWSERLY).err(), Some(SdpError::NotProtected), "no identity");
    let mut caller = with_identity(Srtp::Require, Keying::Dtls);
    caller.offer();
    let plain = BROWSERLY.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP");
    assert_eq!(caller.accept(&plain), Err(SdpError::NotProtected));
}

#[test]
fn an_opportunist_may_offer_a_handshake_beside_plain_rtp() {
    let offer = BROWSERLY.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP");
    let negotiated = with_identity(Srtp::Prefer, Keying::Sdes).answer(&offer).unwrap().1;
    assert_eq!(association(&negotiated).role, Role::Client);
    assert_eq!(with_identity(Srtp::Off, Keying::Sdes).answer(&offer).unwrap().1.protection, None);
}
