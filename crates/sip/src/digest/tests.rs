use proptest::prelude::*;
use rsipstack::sip::SipMessage;

use super::*;

fn authenticator(user: &str, password: &str) -> Authenticator {
    Authenticator::new(user, SecretString::from(password))
}

fn field(header: &str, name: &str) -> Option<String> {
    let (_, list) = header.split_once(' ')?;
    parameters(list, ',').into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The one challenge in a header value.
fn challenge(asker: Asker, value: &str) -> Challenge {
    let mut all = Challenge::all(asker, value);
    assert_eq!(all.len(), 1, "{value}");
    all.remove(0)
}

/// An answer with the status and headers given.
fn response(status: u16, headers: &str) -> Response {
    let text = format!("SIP/2.0 {status} X\r\n{headers}Content-Length: 0\r\n\r\n");
    match SipMessage::try_from(text.as_bytes()).unwrap() {
        SipMessage::Response(response) => response,
        SipMessage::Request(_) => unreachable!(),
    }
}

/// Who asked, nonce and count of every answer to be sent now.
fn sends(auth: &mut Authenticator) -> Vec<(Asker, String, String)> {
    let answers = auth.answers("INVITE", "sip:b@c", b"", "cn");
    let of = |header: &str, name| field(header, name).unwrap();
    answers.into_iter().map(|(asker, header)| (asker, of(&header, "nonce"), of(&header, "nc"))).collect()
}

fn one(asker: Asker, nonce: &str, count: &str) -> Vec<(Asker, String, String)> {
    vec![(asker, nonce.into(), count.into())]
}

/// RFC 7616, section 3.9.1, with both algorithms.
#[test]
fn the_rfc_examples_come_out() {
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let challenge = challenge(
            Asker::Server,
            &format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            ),
        );
        let mut mufasa = authenticator("Mufasa", "Circle of Life");
        assert_eq!(mufasa.learn(vec![challenge], &mut Rounds::default()), Verdict::Retry);
        let answers =
            mufasa.answers("GET", "/dir/index.html", b"", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
        let header = &answers[0].1;
        assert_eq!(field(header, "response").as_deref(), Some(response));
        assert_eq!(field(header, "algorithm").as_deref(), Some(algorithm));
        assert!(header.contains("qop=auth,") && header.contains("nc=00000001"), "{header}");
        assert!(!header.contains("userhash"));
    }
}

/// RFC 7616, section 3.9.2, with the values of its erratum 4897: those printed there were made with another hash.
#[test]
fn a_hidden_user_name_with_umlauts_comes_out_as_in_the_rfc() {
    let challenge = challenge(
        Asker::Server,
        "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
         nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
         opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
    );
    let mut jason = authenticator("J\u{e4}s\u{f8}n Doe", "Secret, or not?");
    jason.learn(vec![challenge], &mut Rounds::default());
    let answers = jason.answers("GET", "/doe.json", b"", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v");
    let header = &answers[0].1;
    assert_eq!(
        field(header, "username").as_deref(),
        Some("793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b")
    );
    assert_eq!(
        field(header, "response").as_deref(),
        Some("3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5")
    );
    assert!(header.ends_with("userhash=true"));
}

/// RFC 2069 style: no qop, no algorithm named.
#[test]
fn an_old_challenge_gets_an_old_answer() {
    let challenge = challenge(Asker::Proxy, r#"Digest realm="r", nonce="n", qop="""#);
    let mut alice = authenticator("alice", "secret");
    alice.learn(vec![challenge], &mut Rounds::default());
    let (asker, header) = alice.answers("INVITE", "sip:b@c", b"", "cn").remove(0);
    assert_eq!(asker, Asker::Proxy);
    let hash = |text: &str| Algorithm::MD5.hash(text);
    let expected = hash(&format!("{}:n:{}", hash("alice:r:secret"), hash("INVITE:sip:b@c")));
    assert_eq!(field(&header, "response"), Some(expected));
    assert!(!header.contains("qop") && !header.contains("algorithm") && !header.contains("cnonce"));
}

#[test]
fn a_session_algorithm_holds_on_to_the_first_client_nonce() {
    for name in ["MD5-sess", "SHA-256-sess", "sha-512-256-SESS"] {
        let algorithm = Algorithm::parse(name).unwrap();
        let challenge =
            challenge(Asker::Server, &format!(r#"Digest realm="r", nonce="n", algorithm={name}, qop=auth"#));
        let mut alice = authenticator("alice", "secret");
        alice.learn(vec![challenge], &mut Rounds::default());
        for (count, cnonce) in [("00000001", "first"), ("00000002", "second")] {
            let (_, header) = alice.answers("BYE", "sip:b@c", b"", cnonce).remove(0);
            let ha1 = algorithm.hash(format!("{}:n:first", algorithm.hash("alice:r:secret")));
            let ha2 = algorithm.hash("BYE:sip:b@c");
            let expected = algorithm.hash(format!("{ha1}:n:{count}:{cnonce}:auth:{ha2}"));
            assert_eq!(field(&header, "response"), Some(expected));
        }
    }
}

#[test]
fn the_body_is_covered_only_where_it_must_be() {
    let hash = |text: &str| Algorithm::MD5.hash(text);
    for (offered, used, ha2) in [
        ("auth-int", "auth-int", hash(&format!("INVITE:sip:b@c:{}", hash("v=0\r\n")))),
        ("auth-int,auth", "auth", hash("INVITE:sip:b@c")),
        ("AUTH-INT , x", "auth-int", hash(&format!("INVITE:sip:b@c:{}", hash("v=0\r\n")))),
    ] {
        let challenge = challenge(Asker::Server, &format!(r#"Digest realm="r",nonce="n",qop="{offered}""#));
        let mut alice = authenticator("alice", "secret");
        alice.learn(vec![challenge], &mut Rounds::default());
        let (_, header) = alice.answers("INVITE", "sip:b@c", b"v=0\r\n", "cn").remove(0);
        assert_eq!(field(&header, "qop").as_deref(), Some(used));
        let expected = hash(&format!("{}:n:00000001:cn:{used}:{ha2}", hash("alice:r:secret")));
        assert_eq!(field(&header, "response"), Some(expected));
    }
    assert!(Challenge::all(Asker::Server, r#"Digest realm="r", nonce="n", qop="auth-conf""#).is_empty());
}

#[test]
fn several_challenges_in_one_header_are_told_apart() {
    let value = r#"Digest realm="a, Digest \"b\"", nonce="1", qop="auth,auth-int", Basic realm="c",
        digest realm="d", nonce="2", algorithm = SHA-256, stale=TRUE, Bearer x, Digest nonce="no realm",
        Digest realm="e", nonce="3", algorithm=MD4"#;
    let all = Challenge::all(Asker::Server, value);
    let read: Vec<_> = all.iter().map(|one| (one.realm.as_str(), one.nonce.as_str(), one.stale)).collect();
    assert_eq!(read, [(r#"a, Digest "b""#, "1", false), ("d", "2", true)]);
    let many = r#"Digest realm="r", nonce="n", "#.repeat(50);
    assert!(Challenge::all(Asker::Server, &many).len() < 10);
}

#[test]
fn the_strongest_of_a_realm_is_answered_and_the_nonce_counted() {
    let offers = ["MD5", "SHA-512-256", "SHA-256", "TOKEN"].map(|name| {
        Challenge::all(
            Asker::Server,
            &format!(r#"Digest realm="r", nonce="{name}", algorithm={name}, qop="auth""#),
        )
    });
    let mut alice = authenticator("alice", "secret");
    alice.learn(offers.concat(), &mut Rounds::default());
    assert_eq!(sends(&mut alice), one(Asker::Server, "SHA-512-256", "00000001"));
    assert_eq!(sends(&mut alice), one(Asker::Server, "SHA-512-256", "00000002"));
}

/// A challenge of the realm with this nonce.
fn of(asker: Asker, realm: &str, nonce: &str, stale: bool) -> Vec<Challenge> {
    vec![challenge(asker, &format!(r#"Digest realm="{realm}", nonce="{nonce}", stale={stale}, qop="auth""#))]
}

#[test]
fn a_second_challenge_is_a_refusal_unless_stale_or_of_another_realm() {
    let of = |realm, nonce, stale| of(Asker::Server, realm, nonce, stale);
    let mut alice = authenticator("alice", "secret");
    let mut rounds = Rounds::default();
    assert_eq!(alice.learn(of("a", "1", false), &mut rounds), Verdict::Retry);
    assert_eq!(alice.learn(of("b", "2", false), &mut rounds), Verdict::Retry);
    assert_eq!(sends(&mut alice).len(), 2);
    assert_eq!(alice.learn(of("a", "3", true), &mut rounds), Verdict::Retry);
    assert_eq!(alice.learn(of("a", "4", true), &mut rounds), Verdict::Retry);
    assert_eq!(alice.learn(of("a", "5", true), &mut rounds), Verdict::Refused);
    assert_eq!(alice.learn(of("b", "6", false), &mut rounds), Verdict::Refused);
    // A new request may be challenged anew: the kept nonce has simply run out.
    assert_eq!(alice.learn(of("a", "7", false), &mut Rounds::default()), Verdict::Retry);
    assert_eq!(alice.learn(Vec::new(), &mut rounds), Verdict::NotUnderstood);
}

#[test]
fn a_server_that_asks_for_ever_more_realms_is_not_followed() {
    let mut alice = authenticator("alice", "secret");
    let mut rounds = Rounds::default();
    let verdict =
        (0..100).map(|realm| alice.learn(of(Asker::Proxy, &realm.to_string(), "n", false), &mut rounds));
    assert_eq!(verdict.take_while(|verdict| *verdict == Verdict::Retry).count(), MOST_REALMS);
}

#[test]
fn a_proxy_and_the_server_behind_it_are_both_answered() {
    let mut alice = authenticator("alice", "secret");
    let mut rounds = Rounds::default();
    alice.learn(of(Asker::Proxy, "r", "p", false), &mut rounds);
    assert_eq!(sends(&mut alice), one(Asker::Proxy, "p", "00000001"));
    assert_eq!(alice.learn(of(Asker::Server, "r", "s", false), &mut rounds), Verdict::Retry);
    let both = [one(Asker::Proxy, "p", "00000002"), one(Asker::Server, "s", "00000001")].concat();
    assert_eq!(sends(&mut alice), both);
}

#[test]
fn accepted_nonces_are_shared_and_counted_together() {
    let account = authenticator("alice", "secret");
    let (mut call, mut other) = (account.clone(), account.clone());
    call.learn(of(Asker::Proxy, "r", "n", false), &mut Rounds::default());
    assert_eq!(sends(&mut other), [], "nobody else uses a nonce before it has been accepted");
    sends(&mut call);
    call.answered(&response(401, ""));
    assert_eq!(sends(&mut other), []);
    assert_eq!(sends(&mut call), one(Asker::Proxy, "n", "00000002"));
    call.answered(&response(486, ""));
    assert_eq!(sends(&mut other), one(Asker::Proxy, "n", "00000003"));
    assert_eq!(sends(&mut call), one(Asker::Proxy, "n", "00000004"));
    // It runs out for one of them: the others go on with the old one until the new one is accepted.
    other.learn(of(Asker::Proxy, "r", "m", false), &mut Rounds::default());
    assert_eq!(sends(&mut other), one(Asker::Proxy, "m", "00000001"));
    assert_eq!(sends(&mut call), one(Asker::Proxy, "n", "00000005"));
    other.answered(&response(200, ""));
    assert_eq!(sends(&mut call), one(Asker::Proxy, "m", "00000002"));
}

#[test]
fn what_the_registrar_asked_for_is_not_sent_to_those_who_are_called() {
    let mut calls = authenticator("alice", "secret");
    let mut registration = calls.apart();
    let mut rounds = Rounds::default();
    registration.learn(of(Asker::Server, "r", "s", false), &mut rounds);
    registration.learn(of(Asker::Proxy, "r", "p", false), &mut rounds);
    sends(&mut registration);
    registration.answered(&response(200, ""));
    assert_eq!(sends(&mut calls), one(Asker::Proxy, "p", "00000002"));
    assert_eq!(sends(&mut registration).len(), 2);
}

#[test]
fn the_next_nonce_a_server_names_is_used_next() {
    let mut alice = authenticator("alice", "secret");
    alice.learn(of(Asker::Server, "r", "n", false), &mut Rounds::default());
    sends(&mut alice);
    alice.answered(&response(200, "Authentication-Info: qop=auth, nextnonce=\"m,1\", rspauth=\"0\"\r\n"));
    assert_eq!(sends(&mut alice.clone()), one(Asker::Server, "m,1", "00000001"));
    let mut bob = authenticator("bob", "secret");
    bob.learn(of(Asker::Proxy, "r", "n", false), &mut Rounds::default());
    sends(&mut bob);
    bob.answered(&response(
        200,
        "Authentication-Info: nextnonce=\"x\"\r\nproxy-authentication-info: nextnonce=m\r\n",
    ));
    assert_eq!(sends(&mut bob), one(Asker::Proxy, "m", "00000001"));
    // Of two realms nobody knows which is meant.
    let mut carol = authenticator("carol", "secret");
    let mut rounds = Rounds::default();
    carol.learn(of(Asker::Proxy, "a", "1", false), &mut rounds);
    carol.learn(of(Asker::Proxy, "b", "2", false), &mut rounds);
    sends(&mut carol);
    carol.answered(&response(200, "Proxy-Authentication-Info: nextnonce=m\r\n"));
    assert!(sends(&mut carol).iter().all(|(_, nonce, _)| nonce != "m"));
}

#[test]
fn names_with_quotes_and_umlauts_are_sent_quoted_and_hashed_plain() {
    let challenge = challenge(Asker::Server, r#"Digest realm="a \"b\" \\", nonce="n\"", qop=auth"#);
    let mut alice = authenticator(r#"jörg "j" \"#, "gehe\u{fc}m");
    alice.learn(vec![challenge], &mut Rounds::default());
    let (_, header) = alice.answers("REGISTER", "sip:r", b"", "cn").remove(0);
    assert!(header.contains(r#"username="jörg \"j\" \\", realm="a \"b\" \\", nonce="n\"""#), "{header}");
    let hash = |text: &str| Algorithm::MD5.hash(text);
    let ha1 = hash("jörg \"j\" \\:a \"b\" \\:geheüm");
    let expected = hash(&format!("{ha1}:n\":00000001:cn:auth:{}", hash("REGISTER:sip:r")));
    assert_eq!(field(&header, "response"), Some(expected));
}

#[test]
fn debug_output_keeps_the_secret() {
    assert!(!format!("{:?}", authenticator("alice", "tell-nobody")).contains("tell-nobody"));
}

proptest! {
    #[test]
    fn nothing_panics_and_no_header_is_broken_open(text in "Digest ([a-z]{1,9}=\"?[^\\p{C}]{0,9}\"?,? ?){0,8}|\\PC{0,60}") {
        let mut alice = authenticator("al\"ice", "s");
        alice.learn(Challenge::all(Asker::Server, &text), &mut Rounds::default());
        for (_, header) in alice.answers("REGISTER", "sip:r", b"", "c") {
            prop_assert!(!header.contains(['\r', '\n']));
        }
    }
}
