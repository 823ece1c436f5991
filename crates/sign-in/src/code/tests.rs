use proptest::prelude::{any, proptest};
use secrecy::ExposeSecret;

use super::{LegacyCode, LegacyTransport, Seems, SignInCode, UserCode, WayKind};

fn user(text: &str) -> UserCode {
    match SignInCode::parse(text) {
        Ok(SignInCode::User(code)) => code,
        other => panic!("{text}: {other:?}"),
    }
}

fn legacy(text: &str) -> LegacyCode {
    match SignInCode::parse(text) {
        Ok(SignInCode::Legacy(code)) => code,
        other => panic!("{text}: {other:?}"),
    }
}

fn seems(text: &str) -> Seems {
    SignInCode::parse(text).unwrap_err().seems
}

/// The ways of an `info`, in order, `*` before the preferred.
fn ways(info: &str) -> Vec<String> {
    let code = user(&format!(r#"{{"v":220,"path":"/api/blobs/x","info":{info}}}"#));
    let each = code.ways.iter().map(|way| {
        format!("{}{:?} {}", if way.preferred { "*" } else { "" }, way.kind, way.server.authority())
    });
    each.collect()
}

/// The reference of a code that names `pbx.example` as its only way.
fn path(path: &str) -> Option<String> {
    let text = serde_json::json!({"v": 220, "path": path, "info": [{"pbx_domain": "pbx.example"}]});
    match SignInCode::parse(&text.to_string()) {
        Ok(SignInCode::User(code)) => Some(code.path),
        _ => None,
    }
}

#[test]
fn the_user_code_as_seen() {
    let code = user(
        r#"{"v":220,"path":"/api/blobs/0123456789abcdef0123456789abcdef",
            "info":[{"pbx_domain":"us.example.com","prefer":true},{"pub4":"203.0.113.7"},{"pri4":"10.0.0.7"}]}"#,
    );
    assert_eq!((code.version, code.path.as_str()), (220, "/api/blobs/0123456789abcdef0123456789abcdef"));
    let kinds: Vec<WayKind> = code.ways.iter().map(|way| way.kind).collect();
    assert_eq!(kinds, [WayKind::Domain, WayKind::PublicIpv4, WayKind::PrivateIpv4]);
    assert!(code.ways[0].preferred && !code.ways[1].preferred);
    assert_eq!(code.ways[0].server.authority(), "us.example.com:8887");
}

#[test]
fn ways_in_every_form() {
    for (info, expected) in [
        (
            r#"[{"pri4":"10.0.0.7","prefer":"true"},{"pub4":"1.2.3.4"}]"#,
            &["*PrivateIpv4 10.0.0.7:8887", "PublicIpv4 1.2.3.4:8887"][..],
        ),
        (
            r#"[{"pri4":"10.0.0.7","prefer":1},{"domain":"a.b"}]"#,
            &["*PrivateIpv4 10.0.0.7:8887", "Domain a.b:8887"],
        ),
        (
            r#"[{"sbc_domain":"s.b"},{"private_ipv6":"fd00::1"},{"private_ipv4":"10.0.0.7"},{"public_ipv6":"2001:db8::1"},{"public_ipv4":"1.2.3.4"},{"web_domain":"a.b"}]"#,
            &[
                "Domain a.b:8887",
                "PublicIpv4 1.2.3.4:8887",
                "PublicIpv6 [2001:db8::1]:8887",
                "PrivateIpv4 10.0.0.7:8887",
                "PrivateIpv6 [fd00::1]:8887",
                "SbcDomain s.b:8887",
            ],
        ),
        (
            r#"{"pbx_domain":"a.b","pub4":"1.2.3.4","pri6":"[fd00::1]:9000","prefer":"pub4"}"#,
            &["*PublicIpv4 1.2.3.4:8887", "Domain a.b:8887", "PrivateIpv6 [fd00::1]:9000"],
        ),
        (r#"[{"pbx_domain":"https://a.b:9000/portal"}]"#, &["Domain a.b:9000"]),
        (
            r#"[{"pbx_domain":"a.b:9000","port":8887},{"pub4":"1.2.3.4","port":"9001"}]"#,
            &["Domain a.b:9000", "PublicIpv4 1.2.3.4:9001"],
        ),
        (r#"[{"host":"10.1.1.1","port":9001}]"#, &["PrivateIpv4 10.1.1.1:9001"]),
        (
            r#"["a.b","1.2.3.4","10.0.0.7","fd00::1","2001:db8::1"]"#,
            &[
                "Domain a.b:8887",
                "PublicIpv4 1.2.3.4:8887",
                "PublicIpv6 [2001:db8::1]:8887",
                "PrivateIpv4 10.0.0.7:8887",
                "PrivateIpv6 [fd00::1]:8887",
            ],
        ),
        (r#""a.b""#, &["Domain a.b:8887"]),
        (
            r#"[{"pbx_domain":""},{"pub4":null},{"pri4":"10.0.0.7"},{"new":"x"},null]"#,
            &["PrivateIpv4 10.0.0.7:8887"],
        ),
        (r#"[{"pbx_domain":"not a host"},{"pri4":"10.0.0.7"}]"#, &["PrivateIpv4 10.0.0.7:8887"]),
        (
            r#"[{"pbx_domain":"a.b"},{"domain":"A.B"},{"pri4":"10.0.0.7","prefer":false}]"#,
            &["Domain a.b:8887", "PrivateIpv4 10.0.0.7:8887"],
        ),
    ] {
        assert_eq!(ways(info), expected, "{info}");
    }
    let flat = user(r#"{"v":"22.4","path":"x","pbx_domain":"a.b"}"#);
    assert_eq!((flat.version, flat.ways.len()), (224, 1));
    assert_eq!(user(r#"{"path":"x","info":["a.b"]}"#).version, 0);
}

#[test]
fn references() {
    for (given, expected) in [
        ("/api/blobs/abc", Some("/api/blobs/abc")),
        ("abc123", Some("abc123")),
        ("api/blobs/abc", Some("/api/blobs/abc")),
        ("/blobs/abc", Some("/api/blobs/abc")),
        ("blobs/abc", Some("/api/blobs/abc")),
        ("https://pbx.example:8887/api/blobs/abc", Some("/api/blobs/abc")),
        ("https://PBX.example/api/blobs/abc", Some("/api/blobs/abc")),
        ("https://evil.example/api/blobs/abc", None),
        ("https://pbx.example@evil.example/api/blobs/abc", None),
        ("https://pbx.example", None),
        ("ftp://pbx.example/abc", None),
        ("//evil.example/abc", None),
        ("/api/../abc", None),
        ("/api/blobs/", None),
        ("a?b", None),
        ("a%2e", None),
        ("a\r\nb", None),
        ("", None),
    ] {
        assert_eq!(path(given).as_deref(), expected, "{given}");
    }
}

#[test]
fn broken_user_codes() {
    for (text, fault) in [
        (r#"{"v":220,"info":[{"pub4":"1.2.3.4"}]}"#, "path is missing"),
        (r#"{"v":220,"path":"x","info":[]}"#, "no way"),
        (r#"{"v":220,"path":"x"}"#, "no way"),
        (r#"{"v":220,"path":"x","info":[{"pub4":"?"}]}"#, "no way"),
        (r#"{"v":{},"path":"x","info":["a.b"]}"#, "v is not text"),
        (r#"{"v":"new","path":"x","info":["a.b"]}"#, "v is not a version"),
        (r#"{"v":220,"path":7.5,"info":["a.b"]}"#, "path is not text"),
        (r#"{"v":220,"path":"x","info":7}"#, "info is neither"),
        (r#"{"v":220,"path":"x","info":[7]}"#, "info holds"),
        (r#"{"v":220,"path":"x","info":[{"pub4":"1.2.3.4","port":70000}]}"#, "not a port"),
        (r#"{"v":220,"path":"/api/blobs/abc","info":[{"pub4":"#, "cut off"),
    ] {
        let Seems::BrokenCode { what } = seems(text) else { panic!("{text}") };
        assert!(what.contains(fault), "{text}: {what}");
    }
}

#[test]
fn legacy_codes() {
    let code = legacy(
        r#"{"extension_number":"101","extension_password":" s3 ","sip_domain":"Test.io","display_name":"Al","email":"x",
            "voicemail_number":"777","web_access_password":"w","pbx_private_ip":"10.0.0.7","outbound_proxy":"sip:pbx.example:5066;lr",
            "pbx_public_ip":"203.0.113.7","transports":[{"protocol":"PERS_UDP","port":"5068"},{"protocol":"TLS","port":5061},
            {"protocol":"WS","port":80},{"protocol":"udp","port":"5060"},{"protocol":"TCP"}]}"#,
    );
    assert_eq!((code.extension.as_str(), code.domain.as_str()), ("101", "test.io"));
    assert_eq!(code.password.expose_secret(), " s3 ");
    assert_eq!(code.display_name.as_deref(), Some("Al"));
    assert_eq!(code.proxies, ["203.0.113.7", "pbx.example:5066", "10.0.0.7"]);
    assert_eq!(
        code.transports,
        [
            (LegacyTransport::Udp, 5060),
            (LegacyTransport::Tcp, 5063),
            (LegacyTransport::Tls, 5061),
            (LegacyTransport::PersUdp, 5068)
        ]
    );
    let least = legacy(r#"{"extensionNumber":101,"extensionPassword":777,"sipDomain":"10.0.0.7"}"#);
    assert_eq!((least.extension.as_str(), least.password.expose_secret()), ("101", "777"));
    assert!(least.display_name.is_none() && least.proxies.is_empty() && least.transports.is_empty());
    let proxy = |typed: &str| {
        let text = serde_json::json!({"extension_number": "1", "extension_password": "x", "sip_domain": "d", "outbound_proxy": typed});
        legacy(&text.to_string()).proxies
    };
    for (typed, expected) in [
        ("[fd00::1]:5060", "[fd00::1]:5060"),
        ("fd00::1", "[fd00::1]"),
        ("pbx:8887", "pbx:8887"),
        ("PBX", "pbx"),
    ] {
        assert_eq!(proxy(typed), [expected], "{typed}");
    }
}

#[test]
fn broken_legacy_codes() {
    let with = |name: &str, value: serde_json::Value| {
        let mut code =
            serde_json::json!({"extension_number": "101", "extension_password": "x", "sip_domain": "d"});
        code[name] = value;
        let Seems::BrokenCode { what } = seems(&code.to_string()) else { panic!("{code}") };
        what
    };
    for name in ["extension_number", "extension_password", "sip_domain"] {
        assert_eq!(with(name, serde_json::Value::Null), format!("{name} is missing"));
    }
    for (name, value) in [
        ("extension_number", serde_json::json!("1 01")),
        ("extension_number", serde_json::json!([])),
        ("extension_password", serde_json::json!("")),
        ("extension_password", serde_json::json!("a\u{0}b")),
        ("extension_password", serde_json::json!({})),
        ("sip_domain", serde_json::json!("a b")),
        ("outbound_proxy", serde_json::json!("http://x/")),
        ("transports", serde_json::json!(7)),
        ("transports", serde_json::json!([{"protocol": "UDP", "port": 70000}])),
        ("transports", serde_json::json!([{"protocol": "UDP", "port": "0"}])),
        ("transports", serde_json::json!([{"protocol": "UDP", "port": "+1"}])),
    ] {
        assert!(!with(name, value.clone()).is_empty(), "{name} {value}");
    }
}

#[test]
fn anything_else() {
    let link = |host: &str| Seems::Link { host: host.into() };
    for (text, expected) in [
        ("", Seems::Empty),
        (" \n", Seems::Empty),
        ("https://www.example.com/menu?x=y", link("www.example.com")),
        ("HTTP://EXAMPLE.COM", link("example.com")),
        ("www.example.com", link("www.example.com")),
        ("WIFI:S:net;T:WPA;P:secret;;", Seems::Wifi),
        ("BEGIN:VCARD\nFN:Al\nEND:VCARD", Seems::Contact),
        ("MECARD:N:Al;;", Seems::Contact),
        ("mailto:al@example.com", Seems::Contact),
        ("otpauth://totp/x?secret=y", Seems::Otp),
        ("tel:+491234567", Seems::PhoneNumber),
        ("+49 123 456-78", Seems::PhoneNumber),
        ("12345", Seems::Text),
        ("hello", Seems::Text),
        ("{}", Seems::Text),
        ("[]", Seems::Text),
        (r#"{"a":1}"#, Seems::Text),
        (r#"{"qrlogin":{"token":"00000000-0000-0000-0000-000000000000"}}"#, Seems::DevicePlaceholder),
    ] {
        assert_eq!(seems(text), expected, "{text}");
    }
    assert_eq!(seems(&"1".repeat(9000)), Seems::TooLong);
    assert_eq!(seems(&format!("https://{}", "a.".repeat(1000))), Seems::Text);
    let said = SignInCode::parse("https://www.example.com/secret").unwrap_err().to_string();
    assert_eq!(said, "this is not a sign-in code: it seems to be a link to www.example.com");
}

#[test]
fn nothing_is_shown() {
    let texts = [
        r#"{"v":220,"path":"s3cret","info":[{"pub4":"1.2.3.4"}]}"#,
        r#"{"extension_number":"s3cret","extension_password":"s3cret","sip_domain":"s3cret","outbound_proxy":"s3cret"}"#,
    ];
    for text in texts {
        let shown = format!("{:?}", SignInCode::parse(text).unwrap());
        assert!(!shown.contains("s3cret") && !shown.contains("1.2.3.4"), "{shown}");
    }
    for broken in [r#"{"v":220,"path":"s3cret?","info":["a.b"]}"#, r#"{"extension_password":"s3cret"}"#] {
        assert!(!SignInCode::parse(broken).unwrap_err().to_string().contains("s3cret"));
    }
}

proptest! {
    #[test]
    fn any_text(text in "\\PC{0,200}", json in "[{}\\[\\]\":,a-z0-9._]{0,60}", bytes in any::<Vec<u8>>()) {
        let _ = SignInCode::parse(&text);
        let _ = SignInCode::parse(&String::from_utf8_lossy(&bytes));
        let _ = SignInCode::parse(&format!(r#"{{"v":220,"path":"x","info":[{{"pub4":"{text}"}}]}}"#));
        let _ = SignInCode::parse(&format!(r#"{{"v":220,"path":"{json}","info":{json}}}"#));
        let _ = SignInCode::parse(&format!(r#"{{"extension_number":{json},"transports":{json}}}"#));
    }
}
