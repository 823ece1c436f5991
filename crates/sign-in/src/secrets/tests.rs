use std::time::{Duration, SystemTime};

use pbx_api::{Dialect, Tokens};
use proptest::prelude::{any, proptest};
use secrecy::{ExposeSecret, SecretString};

use super::{Secrets, SessionSecrets};

fn text(secret: Option<&SecretString>) -> Option<&str> {
    secret.map(ExposeSecret::expose_secret)
}

fn at() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

#[test]
fn there_and_back() {
    for dialect in [Dialect::Auth, Dialect::OAuth, Dialect::Cookie, Dialect::Token] {
        for (refresh, expires_at, sip_password) in
            [(Some("r".into()), Some(at()), None), (None, None, Some("p\"w".into()))]
        {
            let session = SessionSecrets { access: "a".into(), refresh, expires_at, dialect };
            let secrets = Secrets::new(session, sip_password);
            let back = Secrets::from_entry(&secrets.to_entry().unwrap()).unwrap();
            assert_eq!(text(back.sip_password.as_ref()), text(secrets.sip_password.as_ref()));
            let (back, session) = (back.session.unwrap(), secrets.session.unwrap());
            assert_eq!(back.access.expose_secret(), "a");
            assert_eq!(text(back.refresh.as_ref()), text(session.refresh.as_ref()));
            assert_eq!((back.expires_at, back.dialect), (session.expires_at, session.dialect));
        }
    }
}

#[test]
fn a_plain_account_has_its_password_only() {
    let entry = Secrets::plain("sesame".into()).to_entry().unwrap();
    assert_eq!(std::str::from_utf8(&entry).unwrap(), r#"{"v":2,"sip_password":"sesame"}"#);
    let back = Secrets::from_entry(&entry).unwrap();
    assert!(back.session.is_none());
    assert_eq!(text(back.sip_password.as_ref()), Some("sesame"));
}

#[test]
fn version_1_is_read() {
    let entry = br#"{"v":1,"access":"a","refresh":"r","expires_at":1700000000,"sip_password":"s"}"#;
    let back = Secrets::from_entry(entry).unwrap();
    let session = back.session.as_ref().unwrap();
    assert_eq!(
        (session.access.expose_secret(), text(session.refresh.as_ref()), session.expires_at, session.dialect),
        ("a", Some("r"), Some(at()), Dialect::Auth)
    );
    assert_eq!(text(back.sip_password.as_ref()), Some("s"));
    // And is of this version once it is written again.
    let entry = back.to_entry().unwrap();
    assert!(entry.starts_with(br#"{"v":2,"#));
}

#[test]
fn an_untold_lifetime_has_no_end() {
    let tokens = |expires_in| Tokens { access: "a".into(), refresh: None, expires_in, token_type: None };
    let session = SessionSecrets::new(Dialect::Token, tokens(Duration::MAX), at());
    assert_eq!(session.expires_at, None);
    let session = SessionSecrets::new(Dialect::Cookie, tokens(Duration::from_secs(1)), at());
    assert_eq!(session.expires_at, Some(at() + Duration::from_secs(1)));
    // Unless it can be renewed: then it is, before a usual one would end.
    let renewable = Tokens { refresh: Some("r".into()), ..tokens(Duration::MAX) };
    let session = SessionSecrets::new(Dialect::Auth, renewable, at());
    assert_eq!(session.expires_at, Some(at() + Duration::from_secs(1800)));
}

#[test]
fn what_is_not_ours_is_refused_without_quoting_it() {
    for entry in [
        "",
        "sesame",
        "{}",
        r#"{"v":2}"#,
        r#"{"v":2,"access":"sesame"}"#,
        r#"{"v":2,"dialect":"auth","sip_password":"sesame"}"#,
        r#"{"v":2,"dialect":"sesame","access":"sesame"}"#,
        r#"{"v":3,"dialect":"auth","access":"sesame","refresh":"sesame","expires_at":1}"#,
        r#"{"v":1,"access":"sesame"}"#,
        r#"{"v":1,"sip_password":"sesame"}"#,
        r#"{"v":1,"access":"sesame","refresh":"sesame"}"#,
        r#"{"v":1,"access":"sesame","refresh":"sesame","expires_at":"sesame"}"#,
        r#"{"v":1,"access":"sesame","refresh":"sesame","expires_at":18446744073709551615}"#,
    ] {
        let error = Secrets::from_entry(entry.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
    }
}

proptest! {
    #[test]
    fn any_entry(entry in any::<Vec<u8>>()) {
        let _ = Secrets::from_entry(&entry);
    }
}
