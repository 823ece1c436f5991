use proptest::prelude::*;

use super::*;

fn from() -> SocketAddr {
    ([192, 0, 2, 9], 5077).into()
}

fn request(line: &str, headers: &str) -> String {
    format!(
        "{line}\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1;rport\r\nf: <sip:x@y>;tag=1\r\nTo: <sip:a@b>\r\n\
         Call-ID: c\r\n{headers}\r\n"
    )
}

fn options(headers: &str) -> String {
    request("OPTIONS sip:a@b SIP/2.0", &format!("CSeq: 1 OPTIONS\r\n{headers}"))
}

fn taken(message: &str) -> String {
    match read(message.as_bytes(), from()) {
        Reading::Message(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("{message}\n{other:?}"),
    }
}

fn refused(message: &str) -> String {
    match read(message.as_bytes(), from()) {
        Reading::Refusal(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("{message}\n{other:?}"),
    }
}

#[test]
fn folded_and_spaced_headers_are_tidied() {
    let message = options(
        "Contact:\r\n  \"Quoted ; \\\" = \"\t<sip:a@b ;x=1> ; q = 0.5\r\n\t, < sip:c@d >\r\nSubject :  a\r\n  b \r\n",
    );
    let message =
        message.replace("SIP/2.0/UDP h;branch=z9hG4bK1", "SIP / 2.0\r\n /UDP   h : 5080 ; branch = z9hG4bK1");
    let taken = taken(&message);
    assert!(taken.contains("Via: SIP/2.0/UDP h:5080;branch=z9hG4bK1;rport\r\n"), "{taken}");
    assert!(taken.contains("Contact: \"Quoted ; \\\" = \" <sip:a@b ;x=1>;q=0.5,<sip:c@d>\r\n"), "{taken}");
    assert!(taken.contains("Subject: a b\r\n"), "{taken}");
}

#[test]
fn a_line_end_of_another_kind_makes_no_header() {
    let taken = taken(&options("Subject: a\nVia: SIP/2.0/UDP evil\r\n"));
    assert!(taken.contains("Subject: a Via: SIP/2.0/UDP evil\r\n"), "{taken}");
}

#[test]
fn what_is_no_header_goes_with_all_its_lines() {
    let taken = taken(&options("Subject:\r\n a\r\nBad$Name: b\r\n c\r\nno header\r\n\td\r\n"));
    assert!(taken.contains("Subject: a\r\nContent-Length"), "{taken}");
}

#[test]
fn only_the_body_that_is_declared_is_taken() {
    let message = options("Content-Type: text/plain\r\nl: 2\r\n");
    assert!(taken(&format!("{message}abc")).ends_with("Content-Length: 2\r\n\r\nab"));
    let message = options("");
    assert!(taken(&format!("{message}abc")).ends_with("Content-Length: 3\r\n\r\nabc"));
    for length in ["4", "-1", "+3", "3x", "", "99999999999999999999"] {
        let message = options(&format!("Content-Length: {length}\r\n"));
        assert!(refused(&format!("{message}abc")).starts_with("SIP/2.0 400 "), "{length}");
    }
}

#[test]
fn a_refusal_holds_what_the_request_held() {
    let reply = refused(&request("BREW sip:a@b SIP/2.0", "CSeq: 1 BREW\r\nMax-Forwards: 70\r\n"));
    assert_eq!(
        reply,
        format!(
            "SIP/2.0 501 Not Implemented\r\nVia: SIP/2.0/UDP h;received=192.0.2.9;rport=5077;branch=z9hG4bK1\r\n\
             From: <sip:x@y>;tag=1\r\nCall-ID: c\r\nCSeq: 1 BREW\r\nTo: <sip:a@b>;tag=refused\r\n\
             Allow: {}\r\nContent-Length: 0\r\n\r\n",
            crate::message::ALLOW
        )
    );
}

#[test]
fn start_lines() {
    for (line, status) in [
        ("OPTIONS  sip:a@b SIP/2.0", "400"),
        ("OPTIONS sip:a@b SIP/2.0 ", "400"),
        ("OPTIONS sip:a@b; lr SIP/2.0", "400"),
        ("OPTIONS <sip:a@b> SIP/2.0", "400"),
        ("OPTIONS sip:a@b?Route=c SIP/2.0", "400"),
        ("OPTIONS sip:2001:db8::1 SIP/2.0", "400"),
        ("OPTIONS sip:a@[2001:db8::1 SIP/2.0", "400"),
        ("OPTIONS sip:a@b:99999 SIP/2.0", "400"),
        ("OPTIONS sip:a@ SIP/2.0", "400"),
        ("OPTIONS a@b SIP/2.0", "400"),
        ("OPTIONS http://a SIP/2.0", "416"),
        ("OPTIONS sip:a@b SIP/3.0", "505"),
        ("OPTIONS sip:a@b HTTP/1.1", "400"),
        ("OPTIONS sip:a@b", "400"),
        ("options sip:a@b SIP/2.0", "501"),
        ("OPT(IONS sip:a@b SIP/2.0", "400"),
    ] {
        let reply = refused(&request(line, "CSeq: 1 OPTIONS\r\n"));
        assert!(reply.starts_with(&format!("SIP/2.0 {status} ")), "{line}: {reply}");
    }
    for line in [
        "OPTIONS sip:a;b=c%40d@[2001:db8::1]:5070;lr sip/2.0",
        "OPTIONS tel:+49301234 SIP/2.0",
        "OPTIONS sips:b SIP/2.0",
    ] {
        taken(&request(line, "CSeq: 1 OPTIONS\r\n"));
    }
}

#[test]
fn requests_that_lack_something_or_have_it_twice() {
    let whole = options("Max-Forwards: 7\r\n");
    for line in ["f: <sip:x@y>;tag=1\r\n", "To: <sip:a@b>\r\n", "Call-ID: c\r\n", "CSeq: 1 OPTIONS\r\n"] {
        assert!(refused(&whole.replace(line, "")).starts_with("SIP/2.0 400 Missing "), "{line}");
        assert!(refused(&whole.replace(line, &line.repeat(2))).starts_with("SIP/2.0 400 Two "), "{line}");
    }
    assert!(refused(&options("Max-Forwards: 1\r\nMax-Forwards: 2\r\n")).starts_with("SIP/2.0 400 "));
    assert!(!taken(&options("Max-Forwards: 300\r\n")).contains("Max-Forwards"));
    for sequence in ["2147483648 OPTIONS", "1 INFO", "x OPTIONS", "1", ""] {
        let reply = refused(&whole.replace("1 OPTIONS", sequence));
        assert!(reply.starts_with("SIP/2.0 400 "), "{sequence}: {reply}");
    }
    assert!(taken(&whole.replace("1 OPTIONS", "0001   OPTIONS")).contains("CSeq: 1 OPTIONS\r\n"));
    let via = "Via: SIP/2.0/UDP h;branch=z9hG4bK1;rport\r\n";
    assert!(matches!(read(whole.replace(via, "").as_bytes(), from()), Reading::Dropped(_)));
    for bad in ["SIP/2.0/UDP h;;branch=1", "SIP/2.0/UDP h,,", "SIP/2.0/UDP h;x=\"y", ""] {
        let reply =
            refused(&whole.replace("SIP/2.0/UDP h;branch=z9hG4bK1;rport", &format!("{bad}\r\nVia: u")));
        assert!(reply.starts_with("SIP/2.0 400 Bad Via"), "{bad}: {reply}");
    }
    // Phones older than RFC 3261 have no tag.
    assert!(taken(&whole.replace(";tag=1", "")).contains("f: <sip:x@y>;tag=none\r\n"));
}

#[test]
fn acknowledgements_and_responses_are_never_answered() {
    let dropped = |message: &str| matches!(read(message.as_bytes(), from()), Reading::Dropped(_));
    assert!(dropped(&request("ACK sip:a@b SIP/2.0", "CSeq: x ACK\r\n")));
    let response = |line: &str| request(line, "CSeq: 1 OPTIONS\r\n");
    for line in
        ["SIP/3.0 200 OK", "SIP/2.0 4294967301 x", "SIP/2.0 99 x", "SIP/2.0 20 x", "SIP/2.0", "SIP/2.0 700 x"]
    {
        assert!(dropped(&response(line)), "{line}");
    }
    taken(&response("SIP/2.0 200 OK"));
    taken(&response("SIP/2.0 100 "));
    assert!(dropped(&response("SIP/2.0 200 OK").replace("f:", "v: SIP/2.0/UDP other\r\nf:")));
    assert!(dropped("OPTIONS sip:a SIP/2.0\r\nVia: x\r\n"));
    assert!(dropped(""));
}

proptest! {
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, from());
    }

    #[test]
    fn nothing_panics_on_what_looks_like_sip(
        line in "(OPTIONS|INVITE|ACK|SIP/2\\.0) (sip:|tel:)?[a-z@:;?\\[\\]<> %]{0,12} SIP/2\\.0",
        headers in "((v|To|From|i|CSeq|Contact|l)[ ]?:[ \\ta-z0-9\"<>;,=/\\\\\r\n]{0,24}\r\n){0,9}",
        body in "[\\PC]{0,20}",
    ) {
        let message = format!("{line}\r\n{headers}\r\n{body}");
        // What was taken once is taken again, and is the same.
        if let Reading::Message(bytes) = read(message.as_bytes(), from()) {
            prop_assert_eq!(read(&bytes, from()), Reading::Message(bytes.clone()));
        }
    }
}
