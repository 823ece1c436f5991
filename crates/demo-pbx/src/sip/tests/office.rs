//! Waiting messages, busy lamps, parked calls.

use super::*;

/// Signs in and gives what comes of it.
fn authorised(bench: &mut Bench, flow: Flow, request: &Message) -> Sent {
    let refused = bench.give(flow, request);
    let (_, refusal) = refused.into_iter().next().unwrap();
    let again = bench.authorised(request, &refusal);
    bench.give(flow, &again)
}

fn text(message: &Message) -> String {
    String::from_utf8(message.body.clone()).unwrap()
}

fn subscribe(bench: &mut Bench, flow: Flow, about: &str, event: &str) -> (Message, Message) {
    let mut request = bench.request("SUBSCRIBE", "101", about, flow);
    request.push("Event", event);
    request.push("Expires", "600");
    let sent = authorised(bench, flow, &request);
    let [(_, ok), (to, notify)] = sent.as_slice() else { panic!("{sent:#?}") };
    assert_eq!((ok.code(), ok.header("Expires"), *to), (200, Some("600"), flow));
    assert_eq!((notify.method(), notify.header("Event")), ("NOTIFY", Some(event)));
    assert_eq!(notify.header("From"), ok.header("To"), "in the dialog that the 200 made");
    (ok.clone(), notify.clone())
}

#[test]
fn a_mailbox_is_told_at_once_and_when_it_runs_out() {
    let mut bench = Bench::new();
    let (_, notify) = subscribe(&mut bench, udp(4001), "101", "message-summary");
    assert!(text(&notify).contains("Voice-Message: 0/0"));
    let sent = bench.input(Input::Order(Order::Mailbox { extension: "101".into(), new: 1, old: 2 })).0;
    assert!(
        text(&sent[0].1).contains("Messages-Waiting: yes") && text(&sent[0].1).contains("1/2"),
        "{sent:?}"
    );
    assert_eq!(notify.header("Subscription-State"), Some("active;expires=600"));
    let notified = |m: &&(Flow, Message)| m.1.method() == "NOTIFY" && m.1.header("CSeq") == Some("3 NOTIFY");
    let later = bench.pass(Duration::from_secs(601));
    let last = later.iter().find(notified).unwrap();
    assert_eq!(last.1.header("Subscription-State"), Some("terminated;reason=timeout"));
}

/// Calls bob as alice does in `invite`, and has him answer; what he got of INVITE, ACK and BYE.
fn bob_gets(bench: &mut Bench, flow: Flow, bob: Flow, invite: &Message) -> Vec<Message> {
    let sent = bench.give(flow, invite);
    let (_, received) = sent.iter().find(|(to, m)| *to == bob && m.method() == "INVITE").unwrap().clone();
    let ok = reply(&received, 200, "bob", "sip:102@127.0.0.1:4002");
    let (_, answer) = only(bench.give(bob, &ok));
    assert_eq!(answer.header("From"), invite.header("From"), "the caller's own");
    let mut all = vec![received];
    for method in ["ACK", "BYE"] {
        let sent = bench.give(flow, &follow(invite, &answer, method, false));
        all.extend(sent.into_iter().filter(|(to, _)| *to == bob).map(|(_, message)| message));
    }
    all
}

#[test]
fn who_hides_is_known_to_the_pbx_alone() {
    let (alice, bob) = (udp(4001), udp(4002));
    let mut bench = Bench::new();
    bench.register("102", bob);
    let mut by_code = bench.request("INVITE", "101", "*67102", alice);
    by_code.body = SDP.into();
    let refusal = only(bench.give(alice, &by_code)).1;
    let by_code = bench.authorised(&by_code, &refusal);
    let mut by_header = |preferred: &str| {
        let mut invite = bench.request("INVITE", "101", "102", alice);
        invite.body = SDP.into();
        let refusal = only(bench.give(alice, &invite)).1;
        let mut invite = bench.authorised(&invite, &refusal);
        let tag = tag(invite.header("From")).to_owned();
        invite.set("From", format!("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag={tag}"));
        invite.push("Privacy", "id");
        invite.push("P-Preferred-Identity", format!("<sip:{preferred}@test.io>"));
        invite
    };
    let (by_header, spoofed) = (by_header("101"), by_header("103"));
    for invite in [by_code, by_header] {
        let got = bob_gets(&mut bench, alice, bob, &invite);
        assert_eq!(got.iter().map(Message::method).collect::<Vec<_>>(), ["INVITE", "ACK", "BYE"]);
        for request in got {
            let from = request.header("From").unwrap();
            assert!(from.starts_with("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=f"), "{from}");
            let identities = ["P-Asserted-Identity", "P-Preferred-Identity"].map(|name| request.header(name));
            assert_eq!(identities, [None, None]);
        }
        let told = bench.told.last().unwrap();
        assert_eq!((told.caller.as_str(), told.callee.as_str()), ("101", "102"), "in the call records");
    }
    assert_eq!(codes(&bench.give(alice, &spoofed)), [403], "nobody hides as somebody else");
}

#[test]
fn a_lamp_follows_the_calls_of_its_extension() {
    let mut bench = Bench::new();
    let (watcher, caller) = (udp(4001), udp(4003));
    let (_, idle) = subscribe(&mut bench, watcher, "103", "dialog");
    assert!(text(&idle).contains("version=\"0\"") && !text(&idle).contains("<dialog "));
    let mut invite = bench.request("INVITE", "103", "9198", caller);
    invite.body = SDP.into();
    let sent = authorised(&mut bench, caller, &invite);
    let lamp = sent.iter().find(|(flow, m)| *flow == watcher && m.method() == "NOTIFY").unwrap();
    let xml = text(&lamp.1);
    assert!(
        xml.contains("direction=\"initiator\"><state>early</state>") && xml.contains("sip:9198@"),
        "{xml}"
    );
}

#[test]
fn a_stranger_is_told_nothing() {
    let mut bench = Bench::new();
    let mut request = bench.request("SUBSCRIBE", "101", "101", udp(4001));
    request.push("Event", "message-summary");
    assert_eq!(codes(&bench.give(udp(4001), &request)), [407]);
    request.set("Event", "weather");
    let sent = authorised(&mut bench, udp(4001), &request);
    assert_eq!(codes(&sent), [489]);
}

#[test]
fn a_parked_call_is_taken_in_place_of_its_line() {
    let mut bench = Bench::new();
    let (parked, taker) = (udp(4002), udp(4003));
    let mut invite = bench.request("INVITE", "102", "*68", parked);
    invite.body = SDP.into();
    authorised(&mut bench, parked, &invite);
    let line = format!("{}|{}", invite.call_id(), tag(invite.header("From")));
    let (sent, _) = bench.input(Input::MediaOpened { line, rtp: Some(address(40_000)) });
    let (_, ok) = sent.into_iter().next().unwrap();
    assert_eq!(ok.code(), 200);

    let take = bench.request("INVITE", "103", "*881", taker);
    assert_eq!(codes(&authorised(&mut bench, taker, &take)), [404], "nobody is parked there");
    let take = bench.request("INVITE", "103", "*88", taker);
    let sent = authorised(&mut bench, taker, &take);
    let (to, forwarded) = sent.iter().find(|(_, m)| !m.uri().is_empty()).unwrap();
    assert_eq!((*to, forwarded.uri()), (parked, format!("sip:102@{}", parked.peer()).as_str()));
    let expected = format!(
        "{};to-tag={};from-tag={}",
        invite.call_id(),
        tag(invite.header("From")),
        tag(ok.header("To"))
    );
    assert_eq!(forwarded.header("Replaces"), Some(expected.as_str()));
}
