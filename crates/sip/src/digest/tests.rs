use proptest::prelude::*;

use super::*;

fn authenticator(user: &str, password: &str) -> Authenticator {
    Authenticator::new(user, SecretString::from(password))
}

fn field(header: &str, name: &str) -> Option<String> {
    let (_, list) = header.split_once(' ')?;
    parameters(list, ',').into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// RFC 7616, section 3.9.1, with both algorithms.
#[test]
fn the_rfc_examples_come_out() {
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let challenge = Challenge::parse(
            Asker::Server,
            &format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            ),
        )
        .unwrap();
        let mut mufasa = authenticator("Mufasa", "Circle of Life");
        assert_eq!(mufasa.learn(vec![challenge], &mut Rounds::default()), Verdict::Retry);
        let answers =
            mufasa.answers("GET", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
        let header = &answers[0].1;
        assert_eq!(field(header, "response").as_deref(), Some(response));
        assert_eq!(field(header, "algorithm").as_deref(), Some(algorithm));
        assert!(header.contains("qop=auth,") && header.contains("nc=00000001"), "{header}");
    }
}

/// RFC 2069 style: no qop, no algorithm named.
#[test]
fn an_old_challenge_gets_an_old_answer() {
    let challenge = Challenge::parse(Asker::Proxy, r#"Digest realm="r", nonce="n", qop="""#).unwrap();
    let mut alice = authenticator("alice", "secret");
    alice.learn(vec![challenge], &mut Rounds::default());
    let (asker, header) = alice.answers("INVITE", "sip:b@c", "cn").remove(0);
    assert_eq!(asker, Asker::Proxy);
    let expected = Algorithm::Md5.hash(&format!(
        "{}:n:{}",
        Algorithm::Md5.hash("alice:r:secret"),
        Algorithm::Md5.hash("INVITE:sip:b@c")
    ));
    assert_eq!(field(&header, "response"), Some(expected));
    assert!(!header.contains("qop") && !header.contains("algorithm") && !header.contains("cnonce"));
}

#[test]
fn a_session_algorithm_hashes_the_nonces_in() {
    let challenge =
        Challenge::parse(Asker::Server, r#"Digest realm="r", nonce="n", algorithm=md5-SESS, qop=auth"#)
            .unwrap();
    let mut alice = authenticator("alice", "secret");
    alice.learn(vec![challenge], &mut Rounds::default());
    let (_, header) = alice.answers("BYE", "sip:b@c", "cn").remove(0);
    let ha1 = Algorithm::Md5.hash(&format!("{}:n:cn", Algorithm::Md5.hash("alice:r:secret")));
    let ha2 = Algorithm::Md5.hash("BYE:sip:b@c");
    assert_eq!(
        field(&header, "response"),
        Some(Algorithm::Md5.hash(&format!("{ha1}:n:00000001:cn:auth:{ha2}")))
    );
}

#[test]
fn the_strongest_of_a_realm_is_answered_and_the_nonce_counted() {
    let offers = ["MD5", "SHA-256", "SHA-512-256"].map(|name| {
        Challenge::parse(
            Asker::Server,
            &format!(r#"Digest realm="r", nonce="{name}", algorithm={name}, qop="auth""#),
        )
    });
    assert!(offers[2].is_none());
    let mut alice = authenticator("alice", "secret");
    alice.learn(offers.into_iter().flatten().collect(), &mut Rounds::default());
    for count in ["00000001", "00000002"] {
        let answers = alice.answers("REGISTER", "sip:r", "c");
        assert_eq!(answers.len(), 1);
        assert_eq!(field(&answers[0].1, "nonce").as_deref(), Some("SHA-256"));
        assert_eq!(field(&answers[0].1, "nc").as_deref(), Some(count));
    }
}

#[test]
fn a_second_challenge_is_a_refusal_unless_stale_or_of_another_realm() {
    let challenge = |realm: &str, nonce: &str, stale: bool| {
        let text = format!(r#"Digest realm="{realm}", nonce="{nonce}", stale={stale}, qop="auth""#);
        vec![Challenge::parse(Asker::Server, &text).unwrap()]
    };
    let mut alice = authenticator("alice", "secret");
    let mut rounds = Rounds::default();
    assert_eq!(alice.learn(challenge("a", "1", false), &mut rounds), Verdict::Retry);
    assert_eq!(alice.learn(challenge("b", "2", false), &mut rounds), Verdict::Retry);
    assert_eq!(alice.answers("INVITE", "sip:x", "c").len(), 2);
    assert_eq!(alice.learn(challenge("a", "3", true), &mut rounds), Verdict::Retry);
    assert_eq!(alice.learn(challenge("a", "4", true), &mut rounds), Verdict::Retry);
    assert_eq!(alice.learn(challenge("a", "5", true), &mut rounds), Verdict::Refused);
    assert_eq!(alice.learn(challenge("b", "6", false), &mut rounds), Verdict::Refused);
    // A new request may be challenged anew: the kept nonce has simply run out.
    assert_eq!(alice.learn(challenge("a", "7", false), &mut Rounds::default()), Verdict::Retry);
    assert_eq!(alice.learn(Vec::new(), &mut rounds), Verdict::NotUnderstood);
}

#[test]
fn debug_output_keeps_the_secret() {
    assert!(!format!("{:?}", authenticator("alice", "tell-nobody")).contains("tell-nobody"));
}

proptest! {
    #[test]
    fn nothing_panics_and_no_header_is_broken_open(text in "Digest ([a-z]{1,9}=\"?[^\\p{C}]{0,9}\"?,? ?){0,8}|\\PC{0,60}") {
        if let Some(challenge) = Challenge::parse(Asker::Server, &text) {
            let mut alice = authenticator("al\"ice", "s");
            alice.learn(vec![challenge], &mut Rounds::default());
            for (_, header) in alice.answers("REGISTER", "sip:r", "c") {
                prop_assert!(!header.contains(['\r', '\n']));
            }
        }
    }
}
