//! The proxy settings of Windows, in the forms that its own dialogue and `netsh` write them: `ProxyServer` and
//! `ProxyOverride` (WinINet, "Setting and Retrieving Internet Options", `INTERNET_PROXY_INFO`).

use hyper::http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use super::ProxyAddress;

/// What the two values say of servers reached by HTTPS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    proxy: Option<ProxyAddress>,
    /// Names without a dot are reached straight.
    local_straight: bool,
    straight: Vec<String>,
}

impl Settings {
    /// Reads `HOST[:PORT]`, or `http=HOST:PORT;https=HOST:PORT;socks=HOST:PORT`, and the list of hosts that are reached
    /// straight: patterns with `*`, and `<local>`.
    pub(super) fn read(server: &str, straight: &str) -> Self {
        let hosts = parts(straight).filter_map(host_pattern).collect();
        let local_straight = parts(straight).any(|part| part.eq_ignore_ascii_case("<local>"));
        Self { proxy: proxy(server), local_straight, straight: hosts }
    }

    /// The proxy that leads to a host, where there is one. An IPv6 address comes without brackets.
    pub(super) fn toward(&self, host: &str) -> Option<ProxyAddress> {
        let host = host.to_ascii_lowercase();
        let local = self.local_straight && !host.contains(['.', ':']);
        let straight = local || self.straight.iter().any(|pattern| fits(pattern, &host));
        self.proxy.clone().filter(|_| !straight)
    }
}

/// What this user's settings say now.
#[cfg(windows)]
pub(super) fn settings() -> Settings {
    let path = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
    let Ok(key) = windows_registry::CURRENT_USER.open(path) else { return Settings::default() };
    if key.get_u32("ProxyEnable").unwrap_or(0) == 0 {
        return Settings::default();
    }
    let text = |name| key.get_string(name).unwrap_or_default();
    Settings::read(&text("ProxyServer"), &text("ProxyOverride"))
}

/// The one for HTTPS; else the SOCKS proxy, which is for everything that has none of its own; else the one for all.
fn proxy(server: &str) -> Option<ProxyAddress> {
    let of = |wanted: &str| {
        parts(server)
            .filter_map(|part| part.split_once('='))
            .find(|(kind, address)| kind.eq_ignore_ascii_case(wanted) && !address.is_empty())
            .map(|(_, address)| address)
    };
    // Windows does not say which version of SOCKS: we speak the newer one.
    let socks = || {
        let address = of("socks")?;
        Some(if address.contains("://") { address.to_owned() } else { format!("socks5://{address}") })
    };
    let all = || parts(server).find(|part| !part.contains('='));
    let text = of("https").map(str::to_owned).or_else(socks).or_else(|| all().map(str::to_owned))?;
    let found = Matcher::builder().all(text).build().intercept(&Uri::from_static("https://a.invalid/"))?;
    ProxyAddress::of(&found)
}

/// The parts of a list, which semicolons or white space keep apart.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split(|sign: char| sign == ';' || sign.is_whitespace()).filter(|part| !part.is_empty())
}

/// The pattern of an entry `[SCHEME://]HOST[:PORT]` that concerns HTTPS. The port says nothing here: one way leads to
/// all of a server's.
fn host_pattern(entry: &str) -> Option<String> {
    let host = match entry.split_once("://") {
        Some((scheme, host)) => Some(host).filter(|_| scheme.eq_ignore_ascii_case("https"))?,
        None => entry,
    };
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?.0,
        None => match host.split_once(':') {
            Some((name, port)) if !port.contains(':') => name,
            _ => host,
        },
    };
    (!host.is_empty() && !host.starts_with('<')).then(|| host.to_ascii_lowercase())
}

/// Whether a name is one of a pattern's, in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*') {
        let Some((_, after)) = left.split_once(piece) else { return false };
        left = after;
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(server: &str) -> Option<String> {
        Settings::read(server, "").toward("pbx.example.com").map(|proxy| proxy.to_string())
    }

    #[test]
    fn every_form_of_the_server() {
        for (server, wanted) in [
            ("proxy:3128", Some("http://proxy:3128")),
            ("proxy", Some("http://proxy:80")),
            ("http://proxy:8080", Some("http://proxy:8080")),
            ("http=a:1;https=b:2;socks=c:3", Some("http://b:2")),
            ("http=a:1 https=b:2", Some("http://b:2")),
            ("http=a:1;HTTPS=http://b:2;ftp=d:4", Some("http://b:2")),
            ("https=socks5://b", Some("socks5://b:1080")),
            ("http=a:1;socks=c:3", Some("socks5://c:3")),
            ("socks=c", Some("socks5://c:1080")),
            ("socks=socks5://c:3", Some("socks5://c:3")),
            ("https=[2001:db8::1]:3128", Some("http://[2001:db8::1]:3128")),
            ("http=a:1;d:4", Some("http://d:4")),
            // What we do not speak is a proxy all the same: the way past it may be closed on purpose.
            ("https=https://b:443", Some("?://b:443")),
            ("socks=socks4://c:3", Some("?://c:3")),
            // Only other protocols have one.
            ("http=a:1", None),
            ("http=a:1;ftp=b:2", None),
            ("", None),
            (" ; ;", None),
            ("=", None),
            ("https=", None),
            ("https=;;=;socks", Some("http://socks:80")),
            ("https=a:99999", None),
        ] {
            assert_eq!(shown(server).as_deref(), wanted, "{server:?}");
        }
    }

    #[test]
    fn who_is_reached_straight() {
        let list = "*.example.com;<LOCAL>; 192.168.* https://one.test:8887;http://two.test;*mid*dle*;[2001:DB8::1];*-pbx";
        let settings = Settings::read("proxy:1", list);
        for host in [
            "pbx.example.com",
            "A.B.EXAMPLE.COM",
            "pbx",
            "192.168.7.1",
            "one.test",
            "a.middle.test",
            "amidst.puddle.test",
            "2001:db8::1",
            "a.test-pbx",
        ] {
            assert_eq!(settings.toward(host), None, "{host}");
        }
        for host in [
            "example.com",
            "example.com.test",
            "pbx.test",
            "10.192.168.1",
            "two.test",
            "dlemid.test",
            "2001:db8::2",
            "::2",
            "one.test.test",
        ] {
            assert!(settings.toward(host).is_some(), "{host}");
        }
        assert!(Settings::read("proxy:1", "").toward("pbx").is_some(), "without <local>");
        assert_eq!(Settings::read("proxy:1", "*").toward("pbx.test"), None);
        assert_eq!(Settings::read("", "<local>").toward("pbx.test"), None);
    }

    #[test]
    fn a_pattern_overlaps_nothing() {
        for (pattern, name, wanted) in [
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*a*a", "a", false),
            ("**", "", true),
            ("a**b", "ab", true),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(server in ".{0,60}", straight in ".{0,60}", host in ".{0,30}") {
            let _ = Settings::read(&server, &straight).toward(&host);
        }
    }
}
