//! The address a browser is to go back to.

use url::{Host, Url};

/// Longest one accepted, bytes.
const LONGEST: usize = 2048;

/// Schemes of the web and of browsers, which no application may claim.
const TAKEN: [&str; 12] = [
    "http",
    "https",
    "ws",
    "wss",
    "ftp",
    "file",
    "data",
    "javascript",
    "vbscript",
    "about",
    "blob",
    "mailto",
];

/// Accepts HTTP on loopback, unless that is refused, and an application's own scheme (RFC 8252, section 7).
pub(crate) fn callback(text: &str, refuse_loopback: bool) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| text.len() <= LONGEST && url.fragment().is_none())?;
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let accepted = match url.scheme() {
        "http" => loopback && !refuse_loopback && url.username().is_empty() && url.password().is_none(),
        scheme => !TAKEN.contains(&scheme),
    };
    accepted.then_some(url)
}

#[cfg(test)]
mod tests {
    use super::callback;

    #[test]
    fn loopback_and_own_schemes_only() {
        let accepted = |text: &str| callback(text, false).is_some();
        for good in [
            "http://127.0.0.1:4711/callback/x",
            "http://[::1]:1/",
            "http://localhost/",
            "carillon://callback/n",
        ] {
            assert!(accepted(good), "{good}");
        }
        for bad in [
            "",
            "x",
            "https://127.0.0.1/",
            "http://example.com/",
            "http://localhost.example.com/",
            "http://127.0.0.1@example.com/",
            "http://user@127.0.0.1/",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "http://127.0.0.1/#x",
        ] {
            assert!(!accepted(bad), "{bad}");
        }
        assert!(!accepted(&format!("carillon://{}", "x".repeat(3000))));
        assert!(callback("http://127.0.0.1:1/", true).is_none());
        assert!(callback("carillon://callback/n", true).is_some());
    }
}
