use std::net::{IpAddr, Ipv4Addr};

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn local(codecs: &[Codec]) -> LocalMedia {
    LocalMedia::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)), 40_000, 40_001, codecs.to_vec(), 84)
}

fn lines(text: &str) -> String {
    assert!(text.split_inclusive('\n').all(|line| line.ends_with("\r\n")));
    text.replace("\r\n", "\n")
}

const BARESIP: &str = "v=0\r
o=- 3894567 1324678 IN IP4 198.51.100.7\r
s=-\r
c=IN IP4 198.51.100.7\r
t=0 0\r
a=tool:baresip 1.0.0\r
m=audio 10012 RTP/AVP 96 0 8 101\r
b=AS:125\r
a=rtpmap:96 opus/48000/1\r
a=fmtp:96 stereo=0;sprop-stereo=0\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-15\r
a=rtcp:10013\r
a=sendrecv\r
a=label:1\r
a=rtcp-rsize\r
a=ssrc:2431513123 cname:sip:a@198.51.100.7\r
a=ptime:20\r
";

const LINPHONE: &str = "v=0\r
o=bob 1234 5678 IN IP4 198.51.100.8\r
s=Talk\r
c=IN IP4 198.51.100.8\r
t=0 0\r
a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics\r
m=audio 7078 RTP/AVPF 96 97 98 0 8 18 101 99 100\r
a=rtpmap:96 opus/48000/2\r
a=fmtp:96 useinbandfec=1\r
a=rtpmap:97 speex/16000\r
a=fmtp:97 vbr=on\r
a=rtpmap:98 speex/8000\r
a=fmtp:98 vbr=on\r
a=fmtp:18 annexb=yes\r
a=rtpmap:101 telephone-event/48000\r
a=rtpmap:99 telephone-event/16000\r
a=rtpmap:100 telephone-event/8000\r
a=rtcp-fb:* trr-int 5000\r
m=video 9078 RTP/AVPF 96\r
a=rtpmap:96 VP8/90000\r
";

const ASTERISK: &str = "v=0\r
o=root 1563 1563 IN IP4 203.0.113.4\r
s=Asterisk PBX 16.28.0\r
c=IN IP4 203.0.113.4\r
t=0 0\r
m=audio 18476 RTP/AVP 0 101\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-16\r
a=ptime:20\r
a=maxptime:150\r
a=sendrecv\r
";

const WEBRTC: &str = "v=0\r
o=- 4611731400430051336 2 IN IP4 127.0.0.1\r
s=-\r
t=0 0\r
a=group:BUNDLE 0\r
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r
c=IN IP4 0.0.0.0\r
a=rtcp:9 IN IP4 0.0.0.0\r
a=ice-ufrag:abcd\r
a=fingerprint:sha-256 00:11\r
a=setup:actpass\r
a=mid:0\r
a=rtcp-mux\r
a=rtpmap:111 opus/48000/2\r
";

#[test]
fn an_offer() {
    assert_snapshot!(lines(&local(&Codec::ALL).offer()), @r"
    v=0
    o=- 42 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    m=audio 40000 RTP/AVP 111 9 0 8 110 101
    a=rtpmap:111 opus/48000/2
    a=fmtp:111 useinbandfec=1;x-dred=12
    a=rtpmap:9 G722/8000
    a=rtpmap:0 PCMU/8000
    a=rtpmap:8 PCMA/8000
    a=rtpmap:110 telephone-event/48000
    a=fmtp:110 0-15
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=ptime:20
    a=rtcp:40001
    a=rtcp-xr:voip-metrics
    a=sendrecv
    ");
}

#[test]
fn an_offer_of_one_codec_over_ipv6_with_one_port() {
    let mut media = LocalMedia::new("2001:db8::1".parse().unwrap(), 5004, 5004, vec![Codec::Pcma], 2);
    media.offer();
    assert_snapshot!(lines(&media.offer()), @r"
    v=0
    o=- 1 2 IN IP6 2001:db8::1
    s=-
    c=IN IP6 2001:db8::1
    t=0 0
    m=audio 5004 RTP/AVP 8 101
    a=rtpmap:8 PCMA/8000
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=ptime:20
    a=rtcp:5004
    a=rtcp-mux
    a=rtcp-xr:voip-metrics
    a=sendrecv
    ");
}

#[test]
fn baresip_is_answered() {
    let mut media = local(&Codec::ALL);
    let (answer, negotiated) = media.answer(BARESIP).unwrap();
    assert_snapshot!(lines(&answer), @r"
    v=0
    o=- 42 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    m=audio 40000 RTP/AVP 96 101
    a=rtpmap:96 opus/48000/2
    a=fmtp:96 useinbandfec=1;x-dred=12
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=ptime:20
    a=rtcp:40001
    a=rtcp-xr:voip-metrics
    a=sendrecv
    ");
    assert_eq!(negotiated.remote_rtp, "198.51.100.7:10012".parse::<SocketAddr>().unwrap());
    assert_eq!(negotiated.remote_rtcp, "198.51.100.7:10013".parse::<SocketAddr>().unwrap());
    assert_eq!(negotiated.send, Payload { pt: 96, codec: Codec::Opus });
    assert_eq!(negotiated.send_events, Some(EventPayload { pt: 101, rate: 8000 }));
    assert_eq!(negotiated.direction, Direction::SendRecv);
    // Later offers keep the types.
    assert!(media.offer().contains("m=audio 40000 RTP/AVP 96 9 0 8 110 101\r\n"));
}

#[test]
fn linphone_is_answered_and_its_video_is_refused() {
    let (answer, negotiated) = local(&Codec::ALL).answer(LINPHONE).unwrap();
    assert_snapshot!(lines(&answer), @r"
    v=0
    o=- 42 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    m=audio 40000 RTP/AVPF 96 101
    a=rtpmap:96 opus/48000/2
    a=fmtp:96 useinbandfec=1;x-dred=12
    a=rtpmap:101 telephone-event/48000
    a=fmtp:101 0-15
    a=ptime:20
    a=rtcp:40001
    a=rtcp-xr:voip-metrics
    a=sendrecv
    m=video 0 RTP/AVPF 96
    ");
    assert_eq!(negotiated.send_events, Some(EventPayload { pt: 101, rate: 48_000 }));
    assert_eq!(negotiated.remote_rtcp.port(), 7079);
}

#[test]
fn asterisk_is_answered() {
    let (answer, negotiated) = local(&Codec::ALL).answer(ASTERISK).unwrap();
    assert_snapshot!(lines(&answer), @r"
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
    a=sendrecv
    ");
    assert_eq!(negotiated.codec(), Codec::Pcmu);
}

#[test]
fn what_cannot_be_spoken_is_refused() {
    assert_eq!(local(&Codec::ALL).answer(WEBRTC), Err(SdpError::NotProtected));
    assert_eq!(local(&[Codec::Opus]).answer(ASTERISK), Err(SdpError::NoCommonCodec));
    let refused = ASTERISK.replace("18476", "0");
    assert_eq!(local(&Codec::ALL).answer(&refused), Err(SdpError::NoAudio));
    assert_eq!(local(&Codec::ALL).accept(ASTERISK), Err(SdpError::NoOffer));
    assert!(matches!(local(&Codec::ALL).answer("SIP/2.0 200 OK\r\n"), Err(SdpError::Malformed(_))));
    let broken = ASTERISK.replace("IN IP4 203.0.113.4\r\nt=", "IN IP4 203.0.113\r\nt=");
    assert!(matches!(local(&Codec::ALL).answer(&broken), Err(SdpError::Malformed(_))));
    let nowhere = ASTERISK.replace("c=IN IP4 203.0.113.4\r\n", "");
    assert_eq!(local(&Codec::ALL).answer(&nowhere), Err(SdpError::NoAudio));
    assert_eq!(local(&Codec::ALL).answer(&"x".repeat(MAX_SDP + 1)), Err(SdpError::TooLarge));
}

#[test]
fn our_order_decides_and_so_do_our_codecs() {
    let offered = BARESIP.replace("96 0 8 101", "0 8 96 101");
    assert_eq!(local(&Codec::ALL).answer(&offered).unwrap().1.codec(), Codec::Opus);
    assert_eq!(local(&[Codec::Pcma, Codec::Pcmu]).answer(&offered).unwrap().1.codec(), Codec::Pcma);
}

#[test]
fn the_secured_stream_is_passed_over_for_the_plain_one() {
    let both = format!("{WEBRTC}m=audio 7000 RTP/AVP 0\r\nc=IN IP4 198.51.100.9\r\n");
    let (answer, negotiated) = local(&Codec::ALL).answer(&both).unwrap();
    assert!(answer.contains(
        "m=audio 0 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\na=mid:0\r\nm=audio 40000 RTP/AVP 0\r\n"
    ));
    assert_eq!(negotiated.remote_rtp, "198.51.100.9:7000".parse::<SocketAddr>().unwrap());
}

#[test]
fn an_answer_may_use_other_types_and_the_order_is_theirs() {
    let mut media = local(&Codec::ALL);
    media.offer();
    let negotiated = media.accept(&BARESIP.replace("96 0 8 101", "0 96 101")).unwrap();
    assert_eq!(negotiated.send, Payload { pt: 0, codec: Codec::Pcmu });
    assert_eq!(
        negotiated.receive,
        [
            Payload { pt: 0, codec: Codec::Pcmu },
            Payload { pt: 111, codec: Codec::Opus },
            Payload { pt: 9, codec: Codec::G722 },
            Payload { pt: 8, codec: Codec::Pcma },
            Payload { pt: 96, codec: Codec::Opus }
        ],
        "what was agreed on, what else was offered, and their own number"
    );
    let negotiated = media.accept(BARESIP).unwrap();
    assert_eq!(negotiated.send, Payload { pt: 96, codec: Codec::Opus });
    assert_eq!(negotiated.receive_events, [EventPayload { pt: 101, rate: 8000 }]);
    media.codecs = vec![Codec::Opus];
    media.offer();
    assert_eq!(media.accept(ASTERISK), Err(SdpError::NoCommonCodec));
}

#[test]
fn holds_in_both_ages_fashions() {
    let mut media = local(&Codec::ALL);
    let held = ASTERISK.replace("a=sendrecv", "a=sendonly");
    let (answer, negotiated) = media.answer(&held).unwrap();
    assert_eq!(negotiated.direction, Direction::RecvOnly);
    assert!(answer.contains("a=recvonly\r\n"));
    let held = ASTERISK.replace("c=IN IP4 203.0.113.4", "c=IN IP4 0.0.0.0");
    let negotiated = media.answer(&held).unwrap().1;
    assert_eq!(negotiated.direction, Direction::RecvOnly, "they can still play music to us");
    let inactive = ASTERISK.replace("a=sendrecv", "a=inactive");
    assert!(media.answer(&inactive).unwrap().0.contains("a=inactive\r\n"));
    let session_level = ASTERISK.replace("a=sendrecv\r\n", "").replace("t=0 0", "t=0 0\r\na=sendonly");
    assert_eq!(media.answer(&session_level).unwrap().1.direction, Direction::RecvOnly);
}

#[test]
fn each_description_has_a_higher_version() {
    let mut media = local(&Codec::ALL);
    let version = |text: &str| {
        let origin = text.lines().find(|line| line.starts_with("o=")).unwrap().to_owned();
        origin.split(' ').nth(2).unwrap().parse::<u64>().unwrap()
    };
    let first = version(&media.offer());
    assert_eq!(version(&media.answer(ASTERISK).unwrap().0), first + 1);
    assert_eq!(version(&media.offer()), first + 2);
}

#[test]
fn types_never_collide() {
    let offer = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 101 111\r\na=rtpmap:101 opus/48000/2\r\n\
                 a=rtpmap:111 telephone-event/48000\r\n";
    let mut media = local(&Codec::ALL);
    media.answer(offer).unwrap();
    let again = media.offer();
    let formats: Vec<&str> = again
        .lines()
        .find_map(|line| line.strip_prefix("m=audio 40000 RTP/AVP "))
        .unwrap()
        .split(' ')
        .collect();
    let different: std::collections::HashSet<_> = formats.iter().collect();
    assert_eq!((formats[0], formats[4]), ("101", "111"));
    assert_eq!(different.len(), formats.len(), "{formats:?}");
}

#[test]
fn packet_times() {
    let with = |ptime: &str| ASTERISK.replace("ptime:20", ptime);
    for (said, taken) in [
        ("ptime:30", 30),
        ("ptime:7", 10),
        ("ptime:20.0", 20),
        ("ptime:55", 50),
        ("ptime:120", 60),
        ("ptime:0", 20),
        ("ptime:4000000000", 20),
    ] {
        assert_eq!(local(&Codec::ALL).answer(&with(said)).unwrap().1.ptime_ms, taken, "{said}");
    }
    let short = with("ptime:60").replace("maxptime:150", "maxptime:30");
    let (answer, negotiated) = local(&Codec::ALL).answer(&short).unwrap();
    assert_eq!(negotiated.ptime_ms, 30);
    assert!(answer.contains("a=ptime:30\r\n"));
    let opus = BARESIP.replace("ptime:20", "ptime:30");
    assert_eq!(local(&Codec::ALL).answer(&opus).unwrap().1.ptime_ms, 20, "Opus has no 30 ms");
}

const TEN: &str = "v=0\r
o=- 1 1 IN IP4 198.51.100.7\r
s=-\r
c=IN IP4 198.51.100.7\r
t=0 0\r
a=group:BUNDLE audio\r
a=ice-lite\r
m=audio 5000 RTP/AVP 116 97 3 18 4 9 0 8 112 13 100 101\r
a=rtpmap:116 AMR-WB/16000\r
a=rtpmap:97 iLBC/8000\r
a=fmtp:97 mode=30\r
a=rtpmap:18 G729/8000\r
a=fmtp:18 annexb=no\r
a=rtpmap:112 OPUS/48000/2\r
a=rtpmap:100 Telephone-Event/16000\r
a=rtpmap:101 TELEPHONE-EVENT/8000\r
a=mid:audio\r
a=sendrecv\r
m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r
a=mid:data\r
m=video 5002 RTP/AVP 96\r
";

#[test]
fn of_ten_codecs_ours_are_found_and_the_other_streams_refused() {
    let (answer, negotiated) = local(&Codec::ALL).answer(TEN).unwrap();
    assert_eq!(negotiated.send, Payload { pt: 112, codec: Codec::Opus });
    let also = [(9, Codec::G722), (0, Codec::Pcmu), (8, Codec::Pcma)];
    assert_eq!(negotiated.receive[1..], also.map(|(pt, codec)| Payload { pt, codec }));
    assert_eq!(negotiated.receive_events.len(), 2);
    assert_snapshot!(lines(&answer), @r"
    v=0
    o=- 42 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    a=group:BUNDLE audio
    m=audio 40000 RTP/AVP 112 100
    a=rtpmap:112 opus/48000/2
    a=fmtp:112 useinbandfec=1;x-dred=12
    a=rtpmap:100 telephone-event/16000
    a=fmtp:100 0-15
    a=mid:audio
    a=ptime:20
    a=rtcp:40001
    a=rtcp-xr:voip-metrics
    a=sendrecv
    m=application 0 UDP/DTLS/SCTP webrtc-datachannel
    a=mid:data
    m=video 0 RTP/AVP 96
    ");
    let g722 = local(&[Codec::G722]).answer(TEN).unwrap().1;
    assert_eq!(g722.send, Payload { pt: 9, codec: Codec::G722 });
    assert_eq!(g722.send_events, Some(EventPayload { pt: 101, rate: 8000 }), "at the clock of the codec");
}

#[test]
fn what_was_said_is_kept_as_it_was_said() {
    let parsed = parse::parse(TEN).unwrap();
    assert!(parsed.bundles("audio") && !parsed.bundles("data"));
    assert_eq!(parsed.attributes.len(), 2);
    let mids: Vec<_> = parsed.media.iter().map(|media| media.mid()).collect();
    assert_eq!(mids, [Some("audio"), Some("data"), None]);
    let fmtp: Vec<_> = parsed.media[0].attributes.iter().filter(|a| a.name == "fmtp").collect();
    assert_eq!(fmtp[1].value.as_deref(), Some("18 annexb=no"));
    let with_key = ASTERISK.to_owned() + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\n";
    assert!(!format!("{:?}", parse::parse(&with_key).unwrap().media[0].attributes).contains("c2VjcmV0"));
}

#[test]
fn silence_is_left_out_only_where_both_want_it() {
    let mut media = local(&Codec::ALL);
    assert_eq!(media.answer(TEN).unwrap().1.comfort_noise, None);
    media.pauses = true;
    media.codecs = vec![Codec::Pcma, Codec::Opus];
    let (answer, negotiated) = media.answer(TEN).unwrap();
    assert_eq!(negotiated.comfort_noise, Some(13));
    assert!(
        answer.contains("m=audio 40000 RTP/AVP 8 13 101\r\n") && answer.contains("a=rtpmap:13 CN/8000\r\n")
    );
    assert_eq!(media.answer(ASTERISK).err(), Some(SdpError::NoCommonCodec));
    let offer = media.offer();
    assert!(offer.contains(" 13 ") && offer.contains("usedtx=1"));
    let negotiated = media.accept(TEN).unwrap();
    assert!(negotiated.opus.dtx, "ours may be silent even if they do not ask for it");
}

#[test]
fn a_number_of_theirs_that_means_another_thing_here_keeps_our_meaning() {
    let mut media = local(&Codec::ALL);
    media.offer();
    // Their Opus has the number of our events.
    let answer = BARESIP.replace("96", "101").replace("101 telephone-event", "97 telephone-event");
    let negotiated = media.accept(&answer.replace(" 0 8 101", " 0 8 97")).unwrap();
    assert_eq!(negotiated.send, Payload { pt: 101, codec: Codec::Opus });
    assert_eq!(negotiated.receive_events, [EventPayload { pt: 101, rate: 8000 }]);
    assert!(negotiated.receive.iter().all(|payload| payload.pt != 101), "{:?}", negotiated.receive);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,400}") {
        let _ = local(&Codec::ALL).answer(&text);
    }

    #[test]
    fn no_damage_makes_it_panic(cut in 0usize..700, at in 0usize..700, with in "[a-z0-9=:/ \\r\\n]{0,12}") {
        for whole in [BARESIP, LINPHONE, ASTERISK, WEBRTC] {
            let mut text = whole.to_owned();
            text.truncate(whole.len().saturating_sub(cut));
            text.insert_str(at.min(text.len()), &with);
            let mut media = local(&Codec::ALL);
            if let Ok((answer, negotiated)) = media.answer(&text) {
                prop_assert!(!negotiated.receive.is_empty());
                prop_assert!(parse::parse(&answer).is_ok());
            }
            media.offer();
            let _ = media.accept(&text);
        }
    }
}

#[test]
fn formats_said_over_and_over_count_once() {
    let others = "1 ".repeat(8_000);
    let offer =
        format!("v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 4000 RTP/AVP {others}{}\r\n", "0 ".repeat(20_000));
    let mut local = LocalMedia::new("192.0.2.1".parse().unwrap(), 4000, 4001, vec![Codec::Pcmu], 1);
    local.offer();
    assert_eq!(local.accept(&offer).unwrap().receive, [Payload { pt: 0, codec: Codec::Pcmu }]);
    let parsed = super::parse::parse(&offer).unwrap();
    assert_eq!(parsed.media[0].encodings.len(), 1);
}
