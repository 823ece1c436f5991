use proptest::prelude::{any, prop_assert_eq, proptest};
use secrecy::ExposeSecret;

use super::{Enforced, Profile, Theme};

fn parse(file: &str) -> Result<Profile, String> {
    Profile::parse(file.as_bytes()).map_err(|invalid| invalid.what)
}

/// The file seen in the vendor's documents, with something more in its account or beside it.
fn file(account: &str, more: &str) -> String {
    format!(
        "\u{feff}<?xml version=\"1.0\"?>\n<root><Version>3</Version>\n <Account><AccessToken>tok</AccessToken>\
         <TenantDomain>Test.io</TenantDomain>\n <ExtensionNumber>101</ExtensionNumber>{account}\
         <UniqueID>u1</UniqueID><PrivateToken>prv</PrivateToken></Account>\n {more}</root>"
    )
}

fn password(file: &str) -> Result<Option<String>, String> {
    Ok(parse(file)?.sip_password.map(|password| password.expose_secret().to_owned()))
}

fn enforced(more: &str) -> Result<Enforced, String> {
    Ok(parse(&file("", more))?.enforced)
}

fn hidden(feature: &str) -> Vec<String> {
    enforced(&format!("<Feature>{feature}</Feature>")).unwrap().hidden
}

#[test]
fn the_account() {
    let json = r#"{"version":3,"account":{"access_token":"tok","tenant_domain":"test.io","extension_number":101,
        "unique_id":"u1","private_token":"prv"}}"#;
    for file in [file("", "<Feature><Contacts /></Feature>"), json.to_owned()] {
        let profile = parse(&file).unwrap();
        assert_eq!(profile.access.unwrap().expose_secret(), "tok");
        assert_eq!(profile.tenant_domain.unwrap().as_str(), "test.io");
        assert_eq!(profile.extension_number.as_deref(), Some("101"));
        assert_eq!(profile.unique_id.as_deref(), Some("u1"));
        assert_eq!(profile.private.unwrap().expose_secret(), "prv");
        assert!(profile.sip_password.is_none());
        assert_eq!(profile.enforced, Enforced::default());
    }
}

#[test]
fn a_file_that_says_little() {
    for file in [
        "<root/>",
        "<root><Account/></root>",
        "<root><Other version=\"beta\"/></root>",
        "{}",
        "[]",
        r#"{"access_token":null,"account":[]}"#,
    ] {
        let profile = parse(file).unwrap();
        assert!(profile.access.is_none() && profile.tenant_domain.is_none(), "{file}");
    }
}

#[test]
fn passwords() {
    for (inner, expected) in [
        ("", None),
        ("<ExtensionPassword>s3</ExtensionPassword>", Some("s3")),
        ("<extension_password> a&amp;b&#33; </extension_password>", Some("a&b!")),
        ("<Password>plain</Password><SIPPassword><![CDATA[<s3>]]></SIPPassword>", Some("<s3>")),
        ("<Password>plain</Password>", Some("plain")),
        ("<Portal><Password>other</Password></Portal>", None),
        ("<ExtensionPassword/>", None),
        ("<SIP ExtensionPassword=\"a&quot;b\"/>", Some("a\"b")),
        ("<x:ExtensionPassword xmlns:x=\"y\">s3</x:ExtensionPassword>", Some("s3")),
    ] {
        assert_eq!(password(&file(inner, "")), Ok(expected.map(str::to_owned)), "{inner}");
    }
    for (file, expected) in [
        (r#"{"extension_number":"101","extension_password":"s3"}"#, Some("s3")),
        (r#"{"account":{"password":"s3"},"web_access_password":"web"}"#, Some("s3")),
        (r#"[{"x":[{"sipPassword":"s3"}]}]"#, Some("s3")),
        (r#"{"password":"portal"}"#, None),
        (r#"{"extension_password":""}"#, None),
    ] {
        assert_eq!(password(file), Ok(expected.map(str::to_owned)), "{file}");
    }
}

#[test]
fn malformed() {
    for broken in [
        "",
        "<",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>text",
        "<a/><b",
        "<a b=c/>",
        "<a b=\"1\" b=\"2\"/>",
        "<a>&unknown;</a>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]>",
        "{",
        "7",
        "\"text\"",
        "plain words",
        r#"{"version":{}}"#,
        r#"{"version":"three"}"#,
        r#"{"extension_password":7}"#,
        r#"{"extension_password":["x"]}"#,
        r#"{"extension_number":"1 01"}"#,
        r#"{"extension_number":{}, "x": 1, "access_token":{"a":"b"}}"#,
        r#"{"tenant_domain":"a b"}"#,
        r#"{"access_token":"two words"}"#,
        r#"{"access_token":"{{.access_token}}"}"#,
        r#"{"access_token":"a\u0000b"}"#,
    ] {
        assert!(parse(broken).is_err(), "{broken}");
    }
    for inner in [
        "<ExtensionPassword>{{.password}}</ExtensionPassword>",
        "<ExtensionPassword>&unknown;</ExtensionPassword>",
        "<ExtensionPassword><b>s3</b></ExtensionPassword>",
    ] {
        assert!(parse(&file(inner, "")).is_err(), "{inner}");
    }
}

#[test]
fn no_secret_is_quoted() {
    let broken =
        r#"{"account":{"access_token":"top secret","extension_number":"top secret"},"tenant_domain":"#;
    for file in [broken.to_owned(), format!("{broken}\"top secret\"}}")] {
        assert!(!parse(&file).unwrap_err().contains("secret"));
    }
    let profile = parse(&file("<Password>s3cret</Password>", "")).unwrap();
    let shown = format!("{profile:?}");
    assert!(!shown.contains("tok") && !shown.contains("prv") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn hidden_views() {
    for (feature, expected) in [
        ("<Contacts />", &[][..]),
        ("<SMS hide=\"true\"/><Contacts/>", &["sms"]),
        ("<SMS enabled=\"false\"/>", &["sms"]),
        ("<SMS visible='0'/><Voicemail show=\"1\"/>", &["sms"]),
        ("<SMS>hide</SMS><Meeting>false</Meeting><Chat>true</Chat>", &["sms", "meeting"]),
        ("<SMS><Hidden>yes</Hidden></SMS>", &["sms"]),
        (
            "<HideSMS>true</HideSMS><HideChat>false</HideChat><ShowMeeting>0</ShowMeeting>",
            &["sms", "meeting"],
        ),
        (
            "<View><SMS hide=\"1\"/></View><Settings><Profile hide=\"1\"/></Settings>",
            &["sms", "settings.profile"],
        ),
        ("<Settings enabled=\"off\"><Profile/></Settings>", &["settings"]),
        ("<Item name=\"Quick Dial\" visible=\"false\"/><Item name=\"SMS\"/>", &["quickdial"]),
        ("<HiddenViews>sms, call_park;sms</HiddenViews>", &["sms", "callpark"]),
        ("<Hide><View>SMS</View><View>Chat</View></Hide>", &["sms", "chat"]),
        ("<SMS value=\"false\"/>", &["sms"]),
        ("<SMS>sometimes</SMS>", &[]),
    ] {
        assert_eq!(hidden(feature), expected, "{feature}");
    }
    assert!(enforced("<Feature><SMS hide=\"perhaps\"/></Feature>").is_err());
    let json = r#"{"features":{"sms":false,"contacts":true,"hidden":["chat"]}}"#;
    let mut found = parse(json).unwrap().enforced.hidden;
    found.sort();
    assert_eq!(found, ["chat", "sms"]);
}

#[test]
fn appearances() {
    for (appearance, theme, language) in [
        ("<Theme>dark</Theme><Language>de</Language>", Some(Theme::Dark), Some("de")),
        ("<Theme>Light</Theme><Language>zh_CN</Language>", Some(Theme::Light), Some("zh-CN")),
        ("<Theme value=\"dark\"/><Locale>en-US</Locale>", Some(Theme::Dark), Some("en-US")),
        ("<Theme>system</Theme><Language>auto</Language>", None, None),
        ("<Theme>Classic</Theme><Language>Deutsch</Language>", None, Some("de")),
        ("<Theme/><Language>Klingon (old)</Language>", None, None),
    ] {
        let found = enforced(&format!("<Feature><Appearance>{appearance}</Appearance></Feature>")).unwrap();
        assert_eq!((found.theme, found.language.as_deref()), (theme, language), "{appearance}");
    }
    let attributes = enforced("<Appearance theme=\"dark\" language=\"ja\"/>").unwrap();
    assert_eq!((attributes.theme, attributes.language.as_deref()), (Some(Theme::Dark), Some("ja")));
    for broken in [
        "<Theme><a/></Theme>",
        "<Theme>{{.theme}}</Theme>",
        "<Language>1031</Language>",
        "<Language>&lt;b&gt;</Language>",
    ] {
        assert!(enforced(&format!("<Appearance>{broken}</Appearance>")).is_err(), "{broken}");
    }
}

#[test]
fn codecs() {
    for (list, expected) in [
        ("<Codecs/>", &[][..]),
        ("<Codecs>OPUS, PCMU;PCMA</Codecs>", &["OPUS", "PCMU", "PCMA"]),
        ("<Codecs><Codec>OPUS</Codec><Codec>G.722</Codec></Codecs>", &["OPUS", "G.722"]),
        ("<Codecs><Codec name=\"OPUS\" enabled=\"false\"/><Codec name=\"PCMA\"/></Codecs>", &["PCMA"]),
        ("<Codecs><OPUS>1</OPUS><PCMU>0</PCMU><PCMA/><Ptime>20</Ptime></Codecs>", &["opus", "pcma"]),
        (
            "<Codecs><Codec name=\"A\" priority=\"2\"/><Codec name=\"B\" priority=\"1\"/><Codec name=\"C\"/></Codecs>",
            &["B", "A", "C"],
        ),
        ("<Codecs><Audio>OPUS</Audio><Video>H264</Video></Codecs>", &["OPUS"]),
        ("<AudioCodecs><Codec>OPUS</Codec><Codec>opus</Codec></AudioCodecs>", &["OPUS"]),
    ] {
        assert_eq!(enforced(list).unwrap().codecs, expected, "{list}");
    }
    for (json, expected) in [
        (r#"{"codecs":["opus","pcmu"]}"#, &["opus", "pcmu"][..]),
        (r#"{"codecs":[{"name":"opus","enabled":false},{"name":"pcmu"}]}"#, &["pcmu"]),
    ] {
        assert_eq!(parse(json).unwrap().enforced.codecs, expected, "{json}");
    }
    assert!(enforced("<Codecs><Codec name=\"A\" priority=\"first\"/></Codecs>").is_err());
    assert!(enforced("<Codecs><Codec name=\"A\" enabled=\"maybe\"/></Codecs>").is_err());
}

#[test]
fn bounds() {
    let deep =
        format!("{}<ExtensionPassword>s3</ExtensionPassword>{}", "<a>".repeat(100), "</a>".repeat(100));
    assert!(parse(&deep).is_err());
    let deep = format!("{}{{\"sip_password\":\"s3\"}}{}", "[".repeat(100), "]".repeat(100));
    assert!(parse(&deep).is_err());
    let large = format!("<a>{}</a>", " ".repeat(super::tree::LIMIT));
    assert!(parse(&large).is_err());
    assert!(Profile::parse(b"\xff\xfe<").is_err());
    let many: String = (0..5000).map(|n| format!("<V{n} hide=\"1\"/>")).collect();
    assert_eq!(hidden(&many).len(), 64);
}

proptest! {
    #[test]
    fn any_file(file in any::<Vec<u8>>(), text in "[<>/&;#a-z{}\\[\\]\":,! -]{0,200}") {
        let _ = Profile::parse(&file);
        for text in [text.clone(), format!("<{text}"), format!("{{{text}"), format!("<Feature>{text}</Feature>")] {
            let _ = parse(&text);
        }
    }

    #[test]
    fn any_password(secret in "[a-zA-Z0-9!#$%'()*+,./:;=?@^_`|~-]{1,64}") {
        let account = format!("<ExtensionPassword>{secret}</ExtensionPassword>");
        prop_assert_eq!(password(&file(&account, "")), Ok(Some(secret)));
    }
}
