//! Against sipp, which does what other phones and proxies should not, or not at this moment.

use crate::common::peer::Peer;
use crate::common::sipp::{Sipp, expect, pause, perhaps, receive, reply, request};
use crate::common::{ANSWER, OFFER, Phone, account, free_port};
use sip::{Account, EndCause, Event, Transport};

const RING: &str = "180 Ringing";

pub async fn phone_at(sipp: &Sipp) -> Phone {
    Phone::registered(account(sipp.port, Transport::Udp)).await
}

/// A phone that sipp can call, registered with nobody.
pub async fn phone_called_at() -> (Phone, u16, Peer) {
    let silent = Peer::start().await;
    let port = free_port();
    let account = Account { local_port: Some(port), ..account(silent.port, Transport::Udp) };
    (Phone::start(account).await, port, silent)
}

fn ring() -> String {
    reply(RING, "", "")
}

fn answer() -> String {
    reply("200 OK", "", ANSWER)
}

fn refusal(status: &str) -> Vec<String> {
    vec![receive("INVITE"), reply(status, "", ""), receive("ACK")]
}

#[tokio::test(flavor = "multi_thread")]
async fn registers_through_a_digest_challenge() {
    let challenge = "WWW-Authenticate: Digest realm=\"bell.test\", nonce=\"abc\", qop=\"auth,auth-int\", \
                     algorithm=MD5\n";
    let check = "<recv request=\"REGISTER\"><action>\
                 <verifyauth assign_to=\"valid\" username=\"101\" password=\"secret-of-101\"/>\
                 </action></recv>\n<nop next=\"9\" test=\"valid\"/>";
    let registrar = Sipp::registrar(&[
        receive("REGISTER"),
        reply("401 Unauthorized", challenge, ""),
        check.into(),
        reply("403 Wrong", "", ""),
        "<nop next=\"10\"/>".into(),
        "<label id=\"9\"/>".into(),
        reply("200 OK", "[last_Contact:]\nExpires: 600\n", ""),
        "<label id=\"10\"/>".into(),
    ]);
    let mut phone = Phone::start(account(registrar.port, Transport::Udp)).await;
    assert_eq!(phone.until_registered().await.as_secs(), 600);
    assert!(!registrar.trace().contains("restsend"));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_out_is_answered_and_we_hang_up() {
    let sipp = Sipp::server(&[
        receive("INVITE"),
        ring(),
        answer(),
        receive("ACK"),
        receive("BYE"),
        reply("200 OK", "", ""),
    ]);
    let mut phone = phone_at(&sipp).await;
    let call = phone.agent.invite("102", OFFER.into());
    assert_eq!(phone.until_ringing().await, 180);
    assert_eq!(phone.until_answered().await.lines().count(), ANSWER.lines().count());
    phone.agent.hang_up(call);
    assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
    sipp.saw("BYE", 1).await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn early_media_is_passed_on() {
    let sipp = Sipp::server(&[
        receive("INVITE"),
        reply("183 Session Progress", "", ANSWER),
        pause(200),
        reply("480 Not Available", "", ""),
        receive("ACK"),
    ]);
    let mut phone = phone_at(&sipp).await;
    phone.agent.invite("102", OFFER.into());
    let early = phone
        .until(|event| match event {
            Event::Ringing { status: 183, sdp, .. } => Some(sdp.clone()),
            _ => None,
        })
        .await;
    assert!(early.is_some_and(|sdp| sdp.starts_with("v=0")));
    assert_eq!(phone.until_ended().await, (EndCause::NoAnswer, Some(480)));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_keep_their_status_and_meaning() {
    for (status, cause) in [
        ("486 Busy Here", EndCause::Busy),
        ("404 Not Found", EndCause::NotFound),
        ("603 Decline", EndCause::Declined),
        ("488 Not Acceptable Here", EndCause::NotAcceptable),
        ("403 Forbidden", EndCause::Forbidden),
        ("500 Oops", EndCause::Refused),
        ("482 Loop Detected", EndCause::Refused),
        ("480 Temporarily Unavailable", EndCause::NoAnswer),
        ("600 Busy Everywhere", EndCause::Busy),
    ] {
        let sipp = Sipp::server(&refusal(status));
        let mut phone = phone_at(&sipp).await;
        phone.agent.invite("102", OFFER.into());
        let code: u16 = status.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(phone.until_ended().await, (cause, Some(code)));
        sipp.saw("ACK", 1).await;
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_nobody_answers_is_cancelled() {
    let remember = "<recv request=\"INVITE\"><action><ereg regexp=\".*\" search_in=\"hdr\" header=\"CSeq:\" \
                    assign_to=\"1\"/></action></recv>";
    let terminated = reply("487 Request Terminated", "", "").replace("[last_CSeq:]", "CSeq:[$1]");
    let sipp = Sipp::server(&[
        remember.into(),
        ring(),
        receive("CANCEL"),
        reply("200 OK", "", ""),
        terminated,
        receive("ACK"),
    ]);
    let mut phone = phone_at(&sipp).await;
    let call = phone.agent.invite("102", OFFER.into());
    phone.until_ringing().await;
    phone.agent.hang_up(call);
    assert_eq!(phone.until_ended().await, (EndCause::CancelledHere, None));
    sipp.saw("ACK", 1).await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_meets_silence_ends_by_itself() {
    let sipp = Sipp::server(&[receive("INVITE"), pause(100_000)]);
    let mut phone = phone_at(&sipp).await;
    phone.agent.invite("102", OFFER.into());
    assert_eq!(phone.until_ended().await, (EndCause::Unreachable(sip::Cause::Silence), None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_hang_up() {
    let bye = "<send><![CDATA[\nBYE sip:101@bell.test SIP/2.0\n\
               Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\nFrom:[$2];tag=s[call_number]\nTo:[$1]\n\
               Call-ID: [call_id]\nCSeq: 1 BYE\nMax-Forwards: 70\nContent-Length: 0\n\n]]></send>";
    let remember = "<recv request=\"INVITE\"><action>\
                    <ereg regexp=\".*\" search_in=\"hdr\" header=\"From:\" assign_to=\"1\"/>\
                    <ereg regexp=\".*\" search_in=\"hdr\" header=\"To:\" assign_to=\"2\"/></action></recv>";
    let sipp =
        Sipp::server(&[remember.into(), answer(), receive("ACK"), pause(100), bye.into(), expect(200)]);
    let mut phone = phone_at(&sipp).await;
    phone.agent.invite("102", OFFER.into());
    phone.until_answered().await;
    assert_eq!(phone.until_ended().await, (EndCause::HungUpThere, None));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_is_answered_and_they_hang_up() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            request(
                "INVITE",
                "[branch]",
                1,
                "",
                "P-Asserted-Identity: \"Robert\" <sip:1102@bell.test>\n",
                OFFER,
            ),
            perhaps(100),
            expect(180),
            expect(200),
            request("ACK", "[branch]", 1, "[peer_tag_param]", "", ""),
            pause(100),
            request("INFO", "[branch]", 2, "[peer_tag_param]", "", ""),
            expect(200),
            request("OPTIONS", "[branch]", 3, "[peer_tag_param]", "", ""),
            expect(200),
            request("NOTIFY", "[branch]", 4, "[peer_tag_param]", "Event: x\n", ""),
            expect(481),
            request("MESSAGE", "[branch]", 5, "[peer_tag_param]", "", ""),
            expect(405),
            request("UPDATE", "[branch]", 6, "[peer_tag_param]", "", ""),
            expect(200),
            request("BYE", "[branch]", 7, "[peer_tag_param]", "", ""),
            expect(200),
        ],
        port,
    );
    let (call, from, _) = phone.until_incoming().await;
    assert_eq!((from.number.as_str(), from.display_name.as_deref()), ("1102", Some("Robert")));
    phone.agent.ring(call);
    phone.agent.answer(call, ANSWER.into());
    phone.until_confirmed().await;
    assert_eq!(phone.until_ended().await, (EndCause::HungUpThere, None));
    sipp.done().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_is_answered_and_we_hang_up() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            request("INVITE", "[branch]", 1, "", "", OFFER),
            perhaps(100),
            expect(200),
            request("ACK", "[branch]", 1, "[peer_tag_param]", "", ""),
            receive("BYE"),
            reply("200 OK", "", "").replace(";tag=s[call_number]", ""),
        ],
        port,
    );
    let (call, from, _) = phone.until_incoming().await;
    assert_eq!((from.number.as_str(), from.display_name.as_deref()), ("102", Some("Bob Bell")));
    phone.agent.answer(call, ANSWER.into());
    phone.until_confirmed().await;
    phone.agent.hang_up(call);
    assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
    sipp.done().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_gives_up() {
    for (reason, cause) in [
        ("", EndCause::CancelledThere),
        ("Reason: SIP;cause=200;text=\"Call completed elsewhere\"\n", EndCause::AnsweredElsewhere),
    ] {
        let (mut phone, port, _silent) = phone_called_at().await;
        let mut sipp = Sipp::caller(
            &[
                request("INVITE", "[branch]", 1, "", "", OFFER),
                perhaps(100),
                expect(180),
                request("CANCEL", "[branch-3]", 1, "", reason, ""),
                expect(200),
                expect(487),
                request("ACK", "[branch-6]", 1, "[peer_tag_param]", "", ""),
            ],
            port,
        );
        let (call, ..) = phone.until_incoming().await;
        phone.agent.ring(call);
        assert_eq!(phone.until_ended().await, (cause, None));
        sipp.done().await;
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_is_declined() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            request("INVITE", "[branch]", 1, "", "", OFFER),
            perhaps(100),
            expect(603),
            request("ACK", "[branch-3]", 1, "[peer_tag_param]", "", ""),
        ],
        port,
    );
    let (call, ..) = phone.until_incoming().await;
    phone.agent.decline(call, 603);
    assert_eq!(phone.until_ended().await, (EndCause::DeclinedHere, Some(603)));
    sipp.done().await;
    phone.agent.stop().await;
}
