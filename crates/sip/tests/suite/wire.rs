//! What goes wrong on the wire, as sipp scenarios.

use std::time::Duration;

use crate::common::sipp::{Sipp, expect, expect_number, pause, perhaps, receive, reply, request};
use crate::common::{ANSWER, OFFER, Phone, account};
use crate::sipp::{phone_at, phone_called_at};
use sip::{Cause, EndCause, Event, Transport};

const TO: &str = "[peer_tag_param]";

fn answer() -> String {
    reply("200 OK", "", ANSWER)
}

fn invite(headers: &str) -> String {
    request("INVITE", "[branch]", 1, "", headers, OFFER)
}

fn ack() -> String {
    request("ACK", "[branch]", 1, TO, "", "")
}

/// Waits for the INVITE of a call and keeps its Via.
fn receive_invite() -> String {
    "<recv request=\"INVITE\"><action><ereg regexp=\".*\" search_in=\"hdr\" header=\"Via:\" assign_to=\"1\"/>\
     </action></recv>"
        .into()
}

/// The answer to that INVITE, sent when other requests have come since.
fn answer_again(tag: &str) -> String {
    answer()
        .replace("[last_Via:]", "Via:[$1]")
        .replace("[last_CSeq:]", "CSeq: 1 INVITE")
        .replace("[last_To:];tag=s[call_number]", &format!("To: <sip:102@bell.test>;tag={tag}"))
}

/// A call of sipp's in this one, as it goes where nothing goes wrong.
async fn answered_in(phone: &mut Phone) -> sip::CallKey {
    let (call, ..) = phone.until_incoming().await;
    phone.agent.answer(call, ANSWER.into());
    call
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_ack_brings_the_200_again() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite(""),
            perhaps(100),
            expect(200),
            pause(2000),
            ack(),
            pause(300),
            request("BYE", "[branch]", 2, TO, "", ""),
            expect(200),
        ],
        port,
    );
    answered_in(&mut phone).await;
    phone.until_confirmed().await;
    assert_eq!(phone.until_ended().await, (EndCause::HungUpThere, None));
    sipp.done().await;
    // At 0, 0.5 and 1.5 s, then the one to the BYE.
    let sent = sipp.trace().matches("SIP/2.0 200").count();
    assert_eq!(sent, 4, "{}", sipp.trace());
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_200_that_comes_again_is_acknowledged_again() {
    let sipp = Sipp::server(&[
        receive_invite(),
        answer(),
        receive("ACK"),
        pause(300),
        answer_again("s[call_number]"),
        receive("BYE"),
        reply("200 OK", "", ""),
    ]);
    let mut phone = phone_at(&sipp).await;
    let call = phone.agent.invite("102", OFFER.into());
    phone.until_answered().await;
    sipp.saw("ACK", 2).await;
    phone.agent.hang_up(call);
    assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
    sipp.saw("BYE", 1).await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_200_comes_late_and_rings_on_until_then() {
    // What is lost is not sent; sipp repeats the INVITE's first answer meanwhile.
    let lost = answer().replace("<send>", "<send lost=\"100\">");
    let sipp = Sipp::server(&[
        receive("INVITE"),
        reply("180 Ringing", "", ""),
        lost,
        pause(500),
        answer(),
        receive("ACK"),
        receive("BYE"),
        reply("200 OK", "", ""),
    ]);
    let mut phone = phone_at(&sipp).await;
    let call = phone.agent.invite("102", OFFER.into());
    phone.until_ringing().await;
    phone.until_answered().await;
    phone.agent.hang_up(call);
    phone.until_ended().await;
    sipp.saw("BYE", 1).await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_comes_too_late_changes_nothing() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite(""),
            perhaps(100),
            expect(200),
            request("CANCEL", "[branch-3]", 1, "", "", ""),
            expect(200),
            ack(),
            request("INFO", "[branch]", 2, TO, "", ""),
            expect(200),
            request("BYE", "[branch]", 3, TO, "", ""),
            expect(200),
        ],
        port,
    );
    answered_in(&mut phone).await;
    phone.until_confirmed().await;
    assert_eq!(phone.until_ended().await, (EndCause::HungUpThere, None));
    sipp.done().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reinvite_without_an_offer_gets_ours() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite(""),
            perhaps(100),
            expect(200),
            ack(),
            pause(100),
            request("INVITE", "[branch]", 2, TO, "", ""),
            perhaps(100),
            expect(200),
            request("ACK", "[branch]", 2, TO, "", ANSWER),
            pause(100),
            request("BYE", "[branch]", 3, TO, "", ""),
            expect(200),
        ],
        port,
    );
    let call = answered_in(&mut phone).await;
    phone.until_confirmed().await;
    assert_eq!(phone.until_offer().await, None);
    phone.agent.answer_offer(call, Some(OFFER.into()));
    assert_eq!(phone.until_answer().await.lines().count(), ANSWER.lines().count());
    assert_eq!(phone.until_ended().await, (EndCause::HungUpThere, None));
    sipp.done().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_phones_that_answer_the_second_is_hung_up_on() {
    let sipp = Sipp::server(&[
        receive_invite(),
        reply("180 Ringing", "", ""),
        reply("180 Ringing", "", "").replace(";tag=s[call_number]", ";tag=other"),
        answer(),
        receive("ACK"),
        answer_again("other"),
        receive("ACK"),
        receive("BYE"),
        reply("200 OK", "", "").replace(";tag=s[call_number]", ""),
        receive("BYE"),
        reply("200 OK", "", "").replace(";tag=s[call_number]", ""),
    ]);
    let mut phone = phone_at(&sipp).await;
    let call = phone.agent.invite("102", OFFER.into());
    let mut forks = Vec::new();
    while forks.len() < 2 {
        if let Event::Ringing { fork, .. } = phone.next().await {
            forks.push(fork);
        }
    }
    assert_eq!(forks, [0, 1]);
    phone.until_answered().await;
    sipp.saw("BYE", 1).await;
    phone.agent.hang_up(call);
    assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
    sipp.saw("BYE", 2).await;
    let tags: Vec<bool> = sipp
        .trace()
        .split("BYE sip:")
        .skip(1)
        .filter_map(|bye| bye.lines().find(|line| line.starts_with("To:")).map(|to| to.contains("tag=other")))
        .collect();
    assert_eq!(tags, [true, false]);
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_glare_the_offer_goes_out_again() {
    let sipp = Sipp::server(&[
        receive("INVITE"),
        answer(),
        receive("ACK"),
        receive("INVITE"),
        reply("491 Request Pending", "", ""),
        receive("ACK"),
        receive("INVITE"),
        answer(),
        receive("ACK"),
        receive("BYE"),
        reply("200 OK", "", ""),
    ]);
    let mut phone = phone_at(&sipp).await;
    let call = phone.agent.invite("102", OFFER.into());
    phone.until_answered().await;
    phone.agent.reoffer(call, OFFER.replace("40000", "40010"));
    phone.until_answer().await;
    phone.agent.hang_up(call);
    phone.until_ended().await;
    sipp.saw("BYE", 1).await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_session_interval_is_granted_to_those_who_insist() {
    let sipp = Sipp::server(&[
        receive("INVITE"),
        reply("422 Session Interval Too Small", "Min-SE: 3600\n", ""),
        receive("ACK"),
        receive("INVITE"),
        reply("200 OK", "Session-Expires: 3600;refresher=uas\nRequire: timer\n", ANSWER),
        receive("ACK"),
        receive("BYE"),
        reply("200 OK", "", ""),
    ]);
    let mut phone = phone_at(&sipp).await;
    let call = phone.agent.invite("102", OFFER.into());
    phone.until_answered().await;
    let trace = sipp.trace();
    assert!(
        trace.contains("Session-Expires: 1800\n") || trace.contains("Session-Expires: 1800\r"),
        "{trace}"
    );
    assert!(
        trace.contains("Session-Expires: 3600\n") || trace.contains("Session-Expires: 3600\r"),
        "{trace}"
    );
    phone.agent.hang_up(call);
    phone.until_ended().await;
    sipp.saw("BYE", 1).await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_interval_too_small_is_refused() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite("Supported: timer\nSession-Expires: 60\n"),
            perhaps(100),
            expect_number(422, "Min-SE", 1),
            request("ACK", "[branch-3]", 1, TO, "", ""),
            pause(100),
            request(
                "INVITE",
                "[branch]",
                2,
                "",
                "Supported: timer\nMin-SE: [$1]\nSession-Expires: [$1]\n",
                OFFER,
            ),
            perhaps(100),
            expect_number(200, "Session-Expires", 1),
            request("ACK", "[branch]", 2, TO, "", ""),
            pause(100),
            request("BYE", "[branch]", 3, TO, "", ""),
            expect(200),
        ],
        port,
    );
    answered_in(&mut phone).await;
    phone.until_confirmed().await;
    phone.until_ended().await;
    sipp.done().await;
    assert!(sipp.trace().contains("Session-Expires: 90;refresher=uas"), "{}", sipp.trace());
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_too_brief_is_asked_for_longer() {
    let registrar = Sipp::registrar(&[
        receive("REGISTER"),
        reply("423 Interval Too Brief", "Min-Expires: 7200\n", ""),
        receive("REGISTER"),
        reply("200 OK", "[last_Contact:]\nExpires: 7200\n", ""),
    ]);
    let mut phone = Phone::start(account(registrar.port, Transport::Udp)).await;
    assert_eq!(phone.until_registered().await, Duration::from_secs(7200));
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_come_by_a_second_way_is_refused_there() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite(""),
            perhaps(100),
            expect(180),
            request("INVITE", "[branch]other", 1, "", "", OFFER),
            expect(482),
            request("ACK", "[branch-2]other", 1, TO, "", ""),
            request("CANCEL", "[branch-6]", 1, "", "", ""),
            expect(200),
            expect(487),
        ],
        port,
    );
    let (call, ..) = phone.until_incoming().await;
    phone.agent.ring(call);
    assert_eq!(phone.until_ended().await, (EndCause::CancelledThere, None));
    sipp.done().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_out_of_order_is_told_from_a_refusal() {
    for status in ["503 Service Unavailable", "504 Gateway Time-out"] {
        let sipp = Sipp::server(&[receive("INVITE"), reply(status, "Retry-After: 30\n", ""), receive("ACK")]);
        let mut phone = phone_at(&sipp).await;
        phone.agent.invite("102", OFFER.into());
        let code = status[..3].parse().ok();
        assert_eq!(phone.until_ended().await, (EndCause::Unreachable(Cause::ServerFailed), code));
        sipp.saw("ACK", 1).await;
        phone.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_rings_too_long_ends_by_the_wish_of_neither() {
    // The caller wants a provisional answer acknowledged, and then never does.
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite("Require: 100rel\n"),
            perhaps(100),
            expect(180),
            expect(504),
            request("ACK", "[branch-4]", 1, TO, "", ""),
        ],
        port,
    );
    let (call, ..) = phone.until_incoming().await;
    phone.agent.ring(call);
    assert_eq!(phone.until_ended().await, (EndCause::ConnectionLost, Some(504)));
    sipp.done().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_required_and_not_known_is_refused() {
    let (phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite("Require: timer, brew\n"),
            perhaps(100),
            expect(420),
            request("ACK", "[branch-3]", 1, TO, "", ""),
        ],
        port,
    );
    sipp.done().await;
    assert!(sipp.trace().contains("Unsupported: brew"), "{}", sipp.trace());
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bye_ahead_of_the_ack_ends_the_call() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite(""),
            perhaps(100),
            expect(200),
            request("BYE", "[branch]", 2, TO, "", ""),
            expect(200),
            // Nothing is repeated any more.
            pause(1500),
        ],
        port,
    );
    answered_in(&mut phone).await;
    assert_eq!(phone.until_ended().await, (EndCause::HungUpThere, None));
    sipp.done().await;
    assert_eq!(sipp.trace().matches("SIP/2.0 200").count(), 2, "{}", sipp.trace());
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_ahead_of_the_ack_waits_for_it() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite(""),
            perhaps(100),
            expect(200),
            pause(700),
            ack(),
            receive("BYE"),
            reply("200 OK", "", "").replace(";tag=s[call_number]", ""),
        ],
        port,
    );
    let call = answered_in(&mut phone).await;
    phone.agent.hang_up(call);
    assert_eq!(phone.until_ended().await, (EndCause::HungUpHere, None));
    sipp.done().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_out_of_order_or_of_strangers_are_refused() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let of_mallory = |step: String| step.replace("tag=c[call_number]", "tag=mallory");
    let mut sipp = Sipp::caller(
        &[
            request("INVITE", "[branch]", 10, "", "", OFFER),
            perhaps(100),
            "<recv response=\"200\"><action><ereg regexp=\";tag=.*\" search_in=\"hdr\" header=\"To:\" \
             assign_to=\"1\"/></action></recv>"
                .into(),
            request("ACK", "[branch]", 10, "[$1]", "", ""),
            request("INFO", "[branch]", 12, "[$1]", "", ""),
            expect(200),
            request("INFO", "[branch]", 11, "[$1]", "", ""),
            expect(500),
            of_mallory(request("BYE", "[branch]", 20, "[$1]", "", "")),
            expect(481),
            request("BYE", "[branch]", 21, ";tag=wrong", "", ""),
            expect(481),
            request("BYE", "[branch]", 22, "", "", ""),
            expect(481),
            request("BYE", "[branch]", 13, "[$1]", "", ""),
            expect(200),
        ],
        port,
    );
    answered_in(&mut phone).await;
    phone.until_confirmed().await;
    let end = phone.until_ended().await;
    assert_eq!(end, (EndCause::HungUpThere, None), "{}", sipp.trace());
    sipp.done().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_vanished_does_not_ring_for_ever() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite("Expires: 2\n"),
            perhaps(100),
            expect(180),
            expect(487),
            request("ACK", "[branch-4]", 1, TO, "", ""),
        ],
        port,
    );
    let (call, ..) = phone.until_incoming().await;
    phone.agent.ring(call);
    assert_eq!(phone.until_ended().await, (EndCause::CancelledThere, Some(487)));
    sipp.done().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ringing_is_told_reliably_where_that_is_required() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite("Require: 100rel\n"),
            perhaps(100),
            expect_number(180, "RSeq", 1),
            // Unacknowledged it is repeated; a PRACK of another is none of it.
            pause(700),
            request("PRACK", "[branch]", 2, TO, "RAck: 1 1 BYE\n", ""),
            expect(481),
            request("PRACK", "[branch]", 3, TO, "RAck: [$1] 1 INVITE\n", ""),
            expect(200),
            expect(200),
            request("ACK", "[branch]", 1, TO, "", ""),
            pause(100),
            request("BYE", "[branch]", 4, TO, "", ""),
            expect(200),
        ],
        port,
    );
    let (call, ..) = phone.until_incoming().await;
    phone.agent.ring(call);
    sipp.saw("PRACK", 2).await;
    phone.agent.answer(call, ANSWER.into());
    phone.until_confirmed().await;
    phone.until_ended().await;
    sipp.done().await;
    assert!(sipp.trace().matches("SIP/2.0 180").count() >= 2, "{}", sipp.trace());
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prack_that_comes_after_the_answer_is_taken() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[
            invite("Require: 100rel\n"),
            perhaps(100),
            expect_number(180, "RSeq", 1),
            expect(200),
            request("PRACK", "[branch]", 2, TO, "RAck: [$1] 1 INVITE\n", ""),
            expect(200),
            ack(),
            pause(100),
            request("BYE", "[branch]", 3, TO, "", ""),
            expect(200),
        ],
        port,
    );
    let (call, ..) = phone.until_incoming().await;
    phone.agent.ring(call);
    phone.agent.answer(call, ANSWER.into());
    phone.until_confirmed().await;
    assert_eq!(phone.until_ended().await, (EndCause::HungUpThere, None));
    sipp.done().await;
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_sent_elsewhere_and_follows_where_it_is_sent() {
    let (mut phone, port, _silent) = phone_called_at().await;
    let mut sipp = Sipp::caller(
        &[invite(""), perhaps(100), expect(302), request("ACK", "[branch-3]", 1, TO, "", "")],
        port,
    );
    let (call, ..) = phone.until_incoming().await;
    phone.agent.redirect(call, "103");
    assert_eq!(phone.until_ended().await, (EndCause::DeclinedHere, Some(302)));
    sipp.done().await;
    assert!(sipp.trace().contains("Contact: <sip:103@bell.test>"), "{}", sipp.trace());
    phone.agent.stop().await;

    let moved = |contacts: &str| {
        reply("302 Moved Temporarily", contacts, "")
            .replace("Contact: <sip:102@[local_ip]:[local_port]>\n", "")
    };
    let sipp = Sipp::server(&[
        receive("INVITE"),
        moved("Contact: <sip:104@bell.test>;q=0.1, <sip:103@bell.test>;q=0.9\n"),
        receive("ACK"),
        receive("INVITE"),
        // There it is sent back: a loop. Then the second is tried.
        moved("Contact: <sip:102@bell.test>\n"),
        receive("ACK"),
        receive("INVITE"),
        answer(),
        receive("ACK"),
        receive("BYE"),
        reply("200 OK", "", ""),
    ]);
    let mut phone = phone_at(&sipp).await;
    let call = phone.agent.invite("102", OFFER.into());
    phone.until_answered().await;
    phone.agent.hang_up(call);
    phone.until_ended().await;
    sipp.saw("BYE", 1).await;
    let trace = sipp.trace();
    let targets: Vec<&str> =
        trace.lines().filter_map(|line| line.strip_prefix("INVITE ")?.split(' ').next()).collect();
    assert_eq!(targets, ["sip:102@bell.test", "sip:103@bell.test", "sip:104@bell.test"]);
    phone.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_sent_round_in_circles_ends() {
    let moved = reply("302 Moved Temporarily", "", "")
        .replace("<sip:102@[local_ip]:[local_port]>", "<sip:102@bell.test>");
    let sipp = Sipp::server(&[receive("INVITE"), moved, receive("ACK")]);
    let mut phone = phone_at(&sipp).await;
    phone.agent.invite("102", OFFER.into());
    assert_eq!(phone.until_ended().await, (EndCause::Refused, Some(302)));
    phone.agent.stop().await;
}
