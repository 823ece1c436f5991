use std::path::PathBuf;

use super::*;
use crate::{AccountId, AccountKind, Connection, Enforced, Transport};

/// A phone under a policy of this text, as it is when it has started.
fn under(text: &str) -> Config {
    let mut config = Config::new(PathBuf::new());
    config.obey(policy::parse(text).unwrap());
    config.lock();
    config
}

fn account() -> SavedAccount {
    SavedAccount {
        id: AccountId("101@test.io".into()),
        kind: AccountKind::Sip,
        server: "pbx.test".into(),
        domain: "test.io".into(),
        username: "101".into(),
        display_name: String::new(),
        extension: "101".into(),
        proxy_host: "pbx.test".into(),
        proxy_port: Some(5060),
        transport: Transport::Udp,
        automatic: false,
        instance: None,
        auth_user: None,
        hidden: false,
        srtp: SrtpPolicy::Prefer,
        connection: Connection::default(),
        enforced: Enforced::default(),
    }
}

#[test]
fn without_a_policy_nothing_changes() {
    let config = under("");
    let plain = Config::new(PathBuf::new());
    assert_eq!((config.suggested_server.as_str(), config.srtp), (plain.suggested_server.as_str(), None));
    assert_eq!(config.ways, plain.ways);
    assert_eq!(config.policy_view(), PolicyView::default());
    assert!(config.may_record().is_ok() && config.may_trust().is_ok());
}

#[test]
fn server() {
    let config = under("[locked]\nserver = \"pbx.example.com\"\n");
    assert_eq!((config.suggested_server.as_str(), config.ways.server), ("pbx.example.com", FieldIs::Fixed));
    let config = under("[preset]\nserver = \"pbx.example.com\"\n");
    assert_eq!((config.suggested_server.as_str(), config.ways.server), ("pbx.example.com", FieldIs::Free));
}

#[test]
fn domain() {
    let config = under("[locked]\ndomain = \"example.com\"\n");
    assert_eq!((config.suggested_domain.as_str(), config.ways.domain), ("example.com", FieldIs::Fixed));
    let mut config = under("[preset]\ndomain = \"example.com\"\n");
    assert_eq!(config.suggested_domain, "example.com");
    config.suggest("other.example", "");
    assert_eq!(config.suggested_domain, "other.example");
}

#[test]
fn what_is_locked_holds_against_the_command_line() {
    let mut config = Config::new(PathBuf::new());
    config.obey(
        policy::parse("[locked]\nserver = \"a.example\"\nsrtp = \"require\"\ncodecs = [\"opus\"]\n").unwrap(),
    );
    config.suggest("", "b.example");
    config.srtp = Some(SrtpPolicy::Off);
    config.codecs = Some(vec![Codec::Pcmu]);
    config.lock();
    assert_eq!(config.suggested_server, "a.example");
    assert_eq!((config.srtp, config.codecs), (Some(SrtpPolicy::Require), Some(vec![Codec::Opus])));
}

#[test]
fn ways() {
    let ways = under("[locked]\nways = [\"password\", \"qr\"]\n").ways;
    assert_eq!((ways.password, ways.microsoft, ways.qr, ways.sip), (true, false, true, false));
}

#[test]
fn transport() {
    let (proxy, transport) = under("[locked]\ntransport = \"tls\"\n").route(&account());
    assert_eq!(transport, sip::TransportChoice::Fixed(sip::Transport::Tls));
    assert_eq!((proxy.host.as_str(), proxy.port), ("pbx.test", None));
    let (proxy, transport) = under("[locked]\ntransport = \"udp\"\n").route(&account());
    assert_eq!((transport, proxy.port), (sip::TransportChoice::Fixed(sip::Transport::Udp), Some(5060)));
    let preset = under("[preset]\ntransport = \"tls\"\n");
    assert_eq!(preset.route(&account()).1, sip::TransportChoice::Fixed(sip::Transport::Udp));
    assert_eq!(preset.policy_view().transport, Some(TransportChoice::Tls));
}

#[test]
fn proxy() {
    let (proxy, _) = under("[locked]\nproxy = \"sbc.example.com:5066\"\n").route(&account());
    assert_eq!((proxy.host.as_str(), proxy.port), ("sbc.example.com", Some(5066)));
    let preset = under("[preset]\nproxy = \"sbc.example.com:5066\"\n");
    assert_eq!(preset.route(&account()).0.host, "pbx.test");
    assert_eq!(preset.policy_view().proxy.as_deref(), Some("sbc.example.com:5066"));
}

#[test]
fn srtp() {
    assert_eq!(under("[locked]\nsrtp = \"require\"\n").srtp, Some(SrtpPolicy::Require));
    let preset = under("[preset]\nsrtp = \"off\"\n");
    assert_eq!((preset.srtp, preset.new_srtp()), (None, SrtpPolicy::Off));
}

#[test]
fn codecs() {
    assert_eq!(
        under("[locked]\ncodecs = [\"pcma\", \"opus\"]\n").codecs,
        Some(vec![Codec::Pcma, Codec::Opus])
    );
    let preset = under("[preset]\ncodecs = [\"g722\"]\n");
    assert_eq!(preset.codecs, None);
    let unchosen = preset.allowed(CallPreferences::default());
    assert_eq!(crate::picture::codecs::chosen(&unchosen.codecs), [Codec::G722]);
    let own = CallPreferences { codecs: preferred(&[Codec::Opus]), ..CallPreferences::default() };
    assert_eq!(crate::picture::codecs::chosen(&preset.allowed(own).codecs), [Codec::Opus]);
}

#[test]
fn authorities() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    let key = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap();
    fs::write(&file, key.cert.pem()).unwrap();
    let config = under(&format!("[locked]\nauthorities = [{file:?}]\n"));
    assert_eq!(config.policy_faults, Vec::<String>::new());
    let config = under("[locked]\nauthorities = [\"/nowhere/ca.pem\"]\n");
    assert!(config.policy_view().faults.concat().contains("/nowhere/ca.pem"));
}

#[test]
fn pins() {
    let fingerprint = "ab".repeat(32);
    let config = under(&format!("[locked]\npins = [\"pbx.example.com:8887 {fingerprint}\"]\n"));
    let [pin] = &config.extra_roots.pins[..] else { panic!("no pin") };
    assert_eq!(
        (pin.server.authority(), pin.fingerprint.to_string()),
        ("pbx.example.com:8887".into(), fingerprint)
    );
    assert_eq!(config.may_trust().unwrap_err().code, Code::NotAllowed);
    assert!(under("[preset]\npins = [\"nonsense\"]\n").policy_view().faults.concat().contains("nonsense"));
}

#[test]
fn recording() {
    let wish = |automatic| {
        let mut preferences = CallPreferences::default();
        preferences.recording.automatic = automatic;
        preferences
    };
    let forbidden = under("[locked]\nrecording = \"forbidden\"\n");
    assert_eq!(forbidden.may_record().unwrap_err().code, Code::NotAllowed);
    assert!(!forbidden.allowed(wish(true)).recording.automatic && forbidden.policy_view().no_recording);
    assert!(under("[locked]\nrecording = \"always\"\n").allowed(wish(false)).recording.automatic);
    assert!(under("[preset]\nrecording = \"forbidden\"\n").may_record().is_ok());
}

#[test]
fn autostart() {
    let (on, off) =
        (DesktopPreferences { autostart: true, ..Default::default() }, DesktopPreferences::default());
    assert!(under("[locked]\nautostart = true\n").desktop(&off).autostart);
    assert!(!under("[locked]\nautostart = false\n").desktop(&on).autostart);
    assert!(under("[preset]\nautostart = false\n").desktop(&on).autostart);
}

#[test]
fn organisation_and_help() {
    let view =
        under("[preset]\norganisation = \"Example Ltd\"\nhelp = \"https://help.example/\"\n").policy_view();
    assert_eq!(view.organisation.as_deref(), Some("Example Ltd"));
    assert_eq!(view.help.as_deref(), Some("https://help.example/"));
    assert_eq!(under("[preset]\nhelp = \"file:///etc/passwd\"\n").policy_view().help, None);
}

#[test]
fn every_locked_key_is_told_to_the_window() {
    for key in policy::KEYS {
        let view = under(&format!("[locked]\n{} = {}\n", key.key, key.example)).policy_view();
        assert_eq!(view.locked, [key.key], "{}", key.key);
    }
}

#[test]
fn web_proxy() {
    use crate::{WebProxyPreference, WebProxyWay};
    use pbx_api::WebProxy;

    let chose = |way, address: &str| {
        let mut settings = Settings::default();
        settings.web_proxy = WebProxyPreference { way, address: address.to_owned() };
        settings
    };
    let system = chose(WebProxyWay::System, "");
    let (direct, own) = (chose(WebProxyWay::None, ""), chose(WebProxyWay::Address, "socks5://own:1"));
    let through = |text: &str| WebProxy::Through(text.parse().unwrap());

    let config = under("");
    assert_eq!(config.trusting(&system).web_proxy, WebProxy::System);
    assert_eq!(config.trusting(&direct).web_proxy, WebProxy::Direct);
    assert_eq!(config.trusting(&own).web_proxy, through("socks5://own:1"));

    let config = under("[preset]\nweb_proxy = \"http://a:b@proxy:3128\"\n");
    assert_eq!(config.trusting(&system).web_proxy, through("http://a:b@proxy:3128"));
    assert_eq!(config.trusting(&own).web_proxy, through("socks5://own:1"));

    let config = under("[locked]\nweb_proxy = \"http://anna:secret@proxy:3128\"\n");
    for settings in [&system, &direct, &own] {
        assert_eq!(config.trusting(settings).web_proxy, through("http://anna:secret@proxy:3128"));
        let shown = config.web_proxy(&settings.web_proxy);
        assert_eq!((shown.way, shown.address.as_str()), (WebProxyWay::Address, "http://proxy:3128"));
    }
    let config = under("[locked]\nweb_proxy = \"None\"\n");
    assert_eq!(config.trusting(&own).web_proxy, WebProxy::Direct);

    let config = under("[locked]\nweb_proxy = \"ftp://anna:secret@proxy\"\n");
    assert_eq!(config.policy_faults, ["web_proxy is neither none nor a proxy's address"]);
}

#[test]
fn an_address_with_a_password_is_not_kept_in_the_settings() {
    use crate::{WebProxyPreference, WebProxyWay};
    for address in ["http://anna:secret@proxy:1", "https://proxy:1", "", "two words"] {
        let preference = WebProxyPreference { way: WebProxyWay::Address, address: address.to_owned() };
        assert_eq!(preference.chosen().unwrap_err().code, Code::WebProxyInvalid, "{address}");
    }
}
