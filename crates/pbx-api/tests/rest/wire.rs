//! The client against servers that answer well, badly, or not at all.

use std::sync::Arc;
use std::time::Duration;

use crate::peer::{Identity, Peer, Step, answer, error, json, tokens};
use pbx_api::{
    ApiError, CertificateProblem, Client, Dialect, ErrorCode, Fingerprint, Info, Limits, Pin, ServerAddress,
    SignInAnswer, SipDomain, Trust,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, SanType, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const INFO: &str =
    r#"{"web_domain":"pbx.example","name":"Test","domain":"test.io","website":null,"new":[1]}"#;

fn domain() -> SipDomain {
    "test.io".parse().unwrap()
}

/// How a trial certificate differs from a good one.
#[derive(Clone, Copy)]
enum Flaw {
    None,
    OtherName,
    Expired,
    NotYet,
}

impl Flaw {
    fn alter(self, params: &mut CertificateParams) {
        params.distinguished_name.push(DnType::CommonName, "trial.example");
        (params.not_before, params.not_after) = match self {
            Self::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
            Self::NotYet => (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1)),
            Self::None | Self::OtherName => (date_time_ymd(2020, 1, 1), date_time_ymd(2090, 1, 1)),
        };
        if let Self::OtherName = self {
            params.subject_alt_names = vec![SanType::DnsName("other.example".try_into().unwrap())];
        }
    }
}

fn identity() -> Identity {
    Identity::signed(|params| Flaw::None.alter(params))
}

/// Signed by itself; with the right to sign others it is as OpenSSL makes them by default.
fn self_signed(may_sign: bool, flaw: Flaw) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["127.0.0.1".into(), "localhost".into()]).unwrap();
    flaw.alter(&mut params);
    if may_sign {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let certificate = params.self_signed(&key).unwrap();
    Identity { certificate: certificate.der().clone(), key: key.serialize_der(), root_pem: certificate.pem() }
}

fn client(server: &ServerAddress, trust: &Trust) -> Client {
    Client::new(server.clone(), trust, "Carillon/test").unwrap()
}

/// A client that soon loses patience.
fn impatient(server: &ServerAddress, identity: &Identity) -> Client {
    let mut trust = Trust::default();
    trust.add_roots(identity.root_pem.as_bytes()).unwrap();
    let limits = Limits { connect: Duration::from_millis(500), request: Duration::from_millis(800) };
    Client::with_limits(server.clone(), &trust, "Carillon/test", limits).unwrap()
}

fn pinned(server: &ServerAddress, fingerprint: Fingerprint) -> Trust {
    let mut trust = Trust::default();
    trust.pins.push(Pin { server: server.clone(), fingerprint });
    trust
}

const FOR_EVER: Step = Step::Pause(Duration::from_secs(3600));

async fn info(client: &Client) -> Result<Info, ApiError> {
    client.info(Some(&domain())).await
}

/// What `/info` ends in where a server answers so.
async fn info_of(steps: impl Fn() -> Vec<Step> + Send + Sync + 'static) -> ApiError {
    let identity = identity();
    let peer = Peer::start(&identity, move |_| steps()).await;
    let error = info(&peer.client(&identity)).await.unwrap_err();
    assert_eq!(peer.requests().len(), 1, "asked more than once");
    error
}

#[tokio::test]
async fn requests_as_the_api_wants_them() {
    let identity = identity();
    let peer = Peer::start(&identity, |request| match request.line.as_str() {
        "GET /api/info?domain=test.io" => json(200, INFO),
        "POST /api/auth/sign_in" => tokens(1),
        "POST /api/auth/refresh_token" => tokens(2),
        "GET /api/auth/user" => json(200, r#"{"role":"StandardUser","password_force_reset":null}"#),
        "GET /api/user" => json(200, r#"{"extension_number":"101"}"#),
        "GET /api/blobs/abc" => answer("200 OK", "Content-Type: Image/PNG; x=y\r\n", "picture"),
        "POST /api/auth/sign_out" => answer("204 No Content", "", ""),
        _ => error(404, "UNKNOWN"),
    })
    .await;
    let client = peer.client(&identity);
    assert_eq!(info(&client).await.unwrap().tenant.unwrap().name, "Test");
    let password = "pass\"wörd\\".into();
    let SignInAnswer::Tokens(first) = client.sign_in(&domain(), "alice", &password).await.unwrap() else {
        panic!("no tokens")
    };
    assert_eq!(first.expires_in, Duration::from_secs(1800));
    let second = client.refresh(Dialect::Auth, &first.refresh.unwrap()).await.unwrap();
    assert!(!client.auth_user(&second.access).await.unwrap().password_force_reset);
    assert_eq!(client.user(&second.access).await.unwrap().extension_number.as_deref(), Some("101"));
    let blob = client.blob("/api/blobs/abc", None).await.unwrap();
    assert_eq!((blob.bytes.as_slice(), blob.media_type.as_deref()), (&b"picture"[..], Some("image/png")));
    client.sign_out(Dialect::Auth, &second.access, second.refresh.as_ref()).await.unwrap();
    let requests = peer.requests();
    let find = |line: &str| requests.iter().find(|request| request.line.ends_with(line)).unwrap();
    let sent: serde_json::Value = serde_json::from_str(&find("sign_in").body).unwrap();
    assert_eq!(
        sent,
        serde_json::json!({"username": "alice", "password": "pass\"wörd\\", "domain": "test.io"})
    );
    assert_eq!(find("refresh_token").body, r#"{"refresh_token":"refresh-1"}"#);
    assert!(find("/api/user").head.contains("authorization: Bearer access-2\n"));
    assert!(find("sign_out").head.contains("authorization: Bearer access-2\n"));
    for request in &requests {
        assert!(request.head.contains("user-agent: Carillon/test\n"), "{request:?}");
        assert!(!request.head.contains("accept-encoding"), "{request:?}");
        let bearer = request.head.contains("authorization");
        let open =
            ["info", "sign_in", "refresh_token", "blobs"].iter().any(|open| request.line.contains(open));
        assert!(bearer != open, "{request:?}");
    }
}

#[tokio::test]
async fn no_such_name() {
    let server: ServerAddress = "no-such-host.invalid".parse().unwrap();
    let client = Client::new(server, &Trust::default(), "Carillon/test").unwrap();
    let error = info(&client).await.unwrap_err();
    // A machine without any network cannot know better.
    assert!(
        matches!(error, ApiError::ServerNotFound { .. } | ApiError::NetworkUnreachable { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn refused_port() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap().to_string().parse().unwrap();
    drop(listener);
    let client = Client::new(server, &Trust::default(), "Carillon/test").unwrap();
    let error = info(&client).await.unwrap_err();
    assert!(matches!(error, ApiError::ConnectionRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn silent_servers() {
    let identity = identity();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_at = silent.local_addr().unwrap().to_string().parse().unwrap();
    let no_answer = Peer::start(&identity, |_| vec![FOR_EVER]).await;
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
    let no_end = Peer::start(&identity, move |_| vec![Step::Send(head.clone()), FOR_EVER]).await;
    let drip = Peer::start(&identity, |_| {
        let start = Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_vec());
        let drops =
            (0..1000).flat_map(|_| [Step::Send(b" ".to_vec()), Step::Pause(Duration::from_millis(20))]);
        std::iter::once(start).chain(drops).collect()
    })
    .await;
    for (server, name) in [
        (&silent_at, "no TLS"),
        (&no_answer.address, "no answer"),
        (&no_end.address, "no end"),
        (&drip.address, "drip"),
    ] {
        let error = info(&impatient(server, &identity)).await.unwrap_err();
        assert!(matches!(error, ApiError::Timeout { .. }), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn broken_connections() {
    let cut = info_of(|| vec![Step::Cut]).await;
    assert!(matches!(cut, ApiError::ConnectionLost { .. }), "{cut:?}");
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
    let half_way = info_of(move || vec![Step::Send(half.clone()), Step::Cut]).await;
    assert!(matches!(half_way, ApiError::ConnectionLost { .. }), "{half_way:?}");
    let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a".to_vec();
    let half_chunk = info_of(move || vec![Step::Send(chunk.clone()), Step::Cut]).await;
    assert!(matches!(half_chunk, ApiError::ConnectionLost { .. }), "{half_chunk:?}");
}

#[tokio::test]
async fn no_tls_on_this_port() {
    for bytes in ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap().to_string().parse().unwrap();
        let serving = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            // Reading first keeps the close from becoming a reset.
            let _hello = stream.read(&mut [0; 4096]).await.unwrap();
            stream.write_all(bytes.as_bytes()).await.unwrap();
        };
        let client = client(&server, &Trust::default());
        let ((), answer) = tokio::join!(serving, info(&client));
        assert!(matches!(answer, Err(ApiError::Tls { .. })), "{bytes}: {answer:?}");
    }
}

#[tokio::test]
async fn wrong_password_is_one_request() {
    for (status, code) in [(400, "UNAUTHORIZED"), (401, "UNAUTHORIZED"), (401, "UNKNOWN")] {
        let identity = identity();
        let peer = Peer::start(&identity, move |_| error(status, code)).await;
        let refused = peer.client(&identity).sign_in(&domain(), "alice", &"wrong".into()).await.unwrap_err();
        assert!(matches!(refused, ApiError::WrongCredentials), "{refused:?}");
        assert_eq!(peer.lines(), ["POST /api/auth/sign_in"]);
    }
}

#[tokio::test]
async fn a_password_quoted_by_the_server_is_not_repeated() {
    let identity = identity();
    let body = r#"{"errors":[{"code":"VALIDATE_FAILED","message":"sesame is too short"}]}"#;
    let peer = Peer::start(&identity, move |_| json(400, body)).await;
    let refused = peer.client(&identity).sign_in(&domain(), "alice", &"sesame".into()).await.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("sesame"));
    assert!(matches!(refused, ApiError::Refused { code: Some(ErrorCode::ValidateFailed), .. }));
}

#[tokio::test]
async fn self_signed_then_pinned() {
    for may_sign in [false, true] {
        let identity = self_signed(may_sign, Flaw::None);
        let peer = Peer::start(&identity, |_| json(200, INFO)).await;
        let error = info(&client(&peer.address, &Trust::default())).await.unwrap_err();
        let ApiError::Certificate { problem, certificate: facts } = error else { panic!("{error:?}") };
        assert_eq!(problem, CertificateProblem::Untrusted);
        assert_eq!(facts.server, peer.address);
        assert!(facts.subject.contains("trial.example") && facts.subject == facts.issuer, "{facts:?}");
        assert!(facts.self_signed);
        assert_eq!((facts.not_before, facts.not_after), (1_577_836_800, 3_786_912_000));
        assert_eq!(facts.fingerprint.to_string(), sha256(&identity.certificate));
        assert!(peer.requests().is_empty());

        info(&client(&peer.address, &pinned(&peer.address, facts.fingerprint))).await.unwrap();

        let elsewhere = ServerAddress::new(peer.address.host().clone(), peer.address.port() ^ 1).unwrap();
        let error = info(&client(&peer.address, &pinned(&elsewhere, facts.fingerprint))).await.unwrap_err();
        assert!(
            matches!(error, ApiError::Certificate { problem: CertificateProblem::Untrusted, .. }),
            "{error:?}"
        );

        let error =
            info(&client(&peer.address, &pinned(&peer.address, Fingerprint([7; 32])))).await.unwrap_err();
        let ApiError::Certificate { problem, certificate } = error else { panic!("{error:?}") };
        assert_eq!((problem, certificate.fingerprint), (CertificateProblem::Changed, facts.fingerprint));
    }
}

#[tokio::test]
async fn a_pinned_certificate_needs_its_key() {
    let honest = self_signed(false, Flaw::None);
    let thief = Identity { certificate: honest.certificate.clone(), ..self_signed(false, Flaw::None) };
    let peer = Peer::start(&thief, |_| json(200, INFO)).await;
    let seen = Fingerprint::parse(&sha256(&honest.certificate)).unwrap();
    let trust = pinned(&peer.address, seen);
    let error = info(&client(&peer.address, &trust)).await.unwrap_err();
    assert!(matches!(error, ApiError::Tls { .. }), "{error:?}");
    assert!(peer.requests().is_empty());
}

#[tokio::test]
async fn certificates_under_a_root_given() {
    use CertificateProblem::{Expired, Name, Untrusted};
    for (flaw, expected) in [
        (Flaw::None, None),
        (Flaw::OtherName, Some(Name)),
        (Flaw::Expired, Some(Expired)),
        (Flaw::NotYet, Some(Expired)),
    ] {
        for identity in
            [Identity::signed(|params| flaw.alter(params)), self_signed(true, flaw), self_signed(false, flaw)]
        {
            let peer = Peer::start(&identity, |_| json(200, INFO)).await;
            let found = match info(&peer.client(&identity)).await {
                Ok(_) => None,
                Err(ApiError::Certificate { problem, .. }) => Some(problem),
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(found, expected);
            assert_eq!(peer.requests().len(), usize::from(expected.is_none()));
        }
    }
    let identity = identity();
    let peer = Peer::start(&identity, |_| json(200, INFO)).await;
    let error = info(&peer.client(&self::identity())).await.unwrap_err();
    assert!(matches!(error, ApiError::Certificate { problem: Untrusted, .. }), "{error:?}");
    let mut trust = Trust::default();
    assert_eq!(trust.add_roots(identity.root_pem.repeat(2).as_bytes()).unwrap(), 2);
}

#[tokio::test]
async fn garbage() {
    let page = "<html><title>Welcome to nginx!</title></html>";
    for (body, kind) in [
        ("{\"name\":", "half JSON"),
        ("[1,2]", "a list"),
        ("", "nothing"),
        (page, "HTML"),
        ("{\"domain\":7}", "a wrong type"),
    ] {
        let error = info_of(move || answer("200 OK", "Content-Type: text/html\r\n", body)).await;
        assert!(matches!(error, ApiError::NotUnderstood { .. }), "{kind}: {error:?}");
    }
    let bytes = b"\x00\x01\x02 not HTTP at all \xff\r\n\r\n".to_vec();
    let error = info_of(move || vec![Step::Send(bytes.clone()), Step::Cut]).await;
    assert!(matches!(error, ApiError::NotUnderstood { .. }), "{error:?}");
    // Never unpacked: a small answer cannot become a large one.
    let error = info_of(|| answer("200 OK", "Content-Encoding: gzip\r\n", "\u{1f}\u{8b} a bomb")).await;
    assert!(matches!(error, ApiError::NotUnderstood { .. }), "{error:?}");
}

#[tokio::test]
async fn ten_megabytes() {
    let head = |line: &str| Step::Send(format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n").into_bytes());
    let told =
        info_of(move || vec![head("Content-Length: 10485760"), Step::Send(b" ".repeat(10 << 20))]).await;
    let to_the_end =
        info_of(move || vec![head("Connection: close"), Step::Send(b" ".repeat(10 << 20)), Step::Cut]).await;
    let chunked = info_of(move || {
        let chunk = [b"10000\r\n".to_vec(), b" ".repeat(0x10000), b"\r\n".to_vec()].concat();
        vec![
            head("Transfer-Encoding: chunked"),
            Step::Send(chunk.repeat(160)),
            Step::Send(b"0\r\n\r\n".to_vec()),
        ]
    })
    .await;
    let absurd = info_of(move || vec![head("Content-Length: 9223372036854775807"), FOR_EVER]).await;
    for error in [told, to_the_end, chunked, absurd] {
        assert!(matches!(error, ApiError::TooLarge { limit: 1_048_576 }), "{error:?}");
    }
    let endless_head = info_of(move || {
        vec![Step::Send(b"HTTP/1.1 200 OK\r\nX-Endless: ".to_vec()), Step::Send(b"x".repeat(10 << 20))]
    })
    .await;
    assert!(matches!(endless_head, ApiError::TooLarge { .. }), "{endless_head:?}");
    // An error remains that error, however much comes with it.
    let error = info_of(move || {
        let head = b"HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 10485760\r\n\r\n".to_vec();
        vec![Step::Send(head), Step::Send(b" ".repeat(10 << 20))]
    })
    .await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    let identity = identity();
    let peer =
        Peer::start(&identity, move |_| vec![head("Connection: close"), Step::Send(b" ".repeat(10 << 20))])
            .await;
    let error = peer.client(&identity).blob("abc", None).await.unwrap_err();
    assert!(matches!(error, ApiError::TooLarge { limit: 8_388_608 }), "{error:?}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let identity = Arc::new(identity());
    let other = Peer::start(&identity, |_| json(200, INFO)).await;
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let to = format!("https://{}/api/info", other.address.authority());
        let head = format!("Location: {to}\r\n");
        let error = info_of(move || answer(status, &head, "")).await;
        assert!(matches!(&error, ApiError::Redirect { to: Some(seen), .. } if *seen == to), "{error:?}");
    }
    let error = info_of(|| answer("304 Not Modified", "", "")).await;
    assert!(matches!(error, ApiError::Redirect { status: 304, to: None }), "{error:?}");
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn refusals() {
    let throttled = info_of(|| answer("429 Slow down", "Retry-After: 30\r\n", "")).await;
    assert!(matches!(throttled, ApiError::Throttled { retry_after: Some(wait) } if wait.as_secs() == 30));
    let failed = info_of(|| answer("500 Oops", "", "<html>")).await;
    assert!(matches!(failed, ApiError::ServerFailed { status: 500, retry_after: None }), "{failed:?}");
    let half = b"HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\n{".to_vec();
    let failed = info_of(move || vec![Step::Send(half.clone()), Step::Cut]).await;
    assert!(matches!(failed, ApiError::ServerFailed { status: 503, retry_after: None }), "{failed:?}");
    let gone = info_of(|| answer("404 Not Found", "", "<html>")).await;
    assert!(matches!(gone, ApiError::NotFound { status: 404, code: None }), "{gone:?}");
    let refused = info_of(|| error(400, "UNKNOWN")).await;
    assert!(
        matches!(&refused, ApiError::Refused { status: 400, code: Some(ErrorCode::Unknown), message: Some(text) }
        if text == "a message")
    );
}

#[tokio::test]
async fn an_access_token_no_header_can_hold() {
    let identity = identity();
    let peer = Peer::start(&identity, |_| json(200, "{}")).await;
    let error = peer.client(&identity).user(&"se\r\nsame".into()).await.unwrap_err();
    assert!(matches!(&error, ApiError::NotUnderstood { what } if !what.contains("same")), "{error:?}");
    assert!(peer.requests().is_empty());
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
