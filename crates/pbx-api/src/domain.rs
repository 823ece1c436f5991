use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use crate::{ApiError, address};

/// SIP domain of a tenant: usually a host name, sometimes an IP address; it need not resolve.
///
/// 1 to 280 characters, lower case (it is compared without case), letters of other scripts in their ASCII
/// form as SIP needs them; an IPv6 address is held without brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SipDomain(String);

impl SipDomain {
    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain as it stands in a SIP URI: IPv6 in brackets.
    pub fn for_sip(&self) -> String {
        if self.0.contains(':') { format!("[{}]", self.0) } else { self.0.clone() }
    }
}

impl FromStr for SipDomain {
    type Err = ApiError;

    fn from_str(text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(v6) = bare {
            return v6
                .parse::<Ipv6Addr>()
                .map(|ip| Self(ip.to_string()))
                .map_err(|_| ApiError::DomainInvalid);
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self(ip.to_string()));
        }
        let lower = if text.is_ascii() { Some(text.to_ascii_lowercase()) } else { address::name(text) };
        lower.filter(|domain| is_domain(domain)).map(Self).ok_or(ApiError::DomainInvalid)
    }
}

/// Letters, digits, hyphens and underscores between single dots. Longer than DNS allows, as the PBX does.
fn is_domain(text: &str) -> bool {
    (1..=280).contains(&text.len())
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
}

impl fmt::Display for SipDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::SipDomain;

    #[test]
    fn domains() {
        for (typed, expected) in [
            ("test.io", "test.io"),
            (" Test.IO ", "test.io"),
            ("10.0.0.1", "10.0.0.1"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(typed.parse::<SipDomain>().unwrap().as_str(), expected);
        }
        let long = "a".repeat(281);
        for typed in
            ["", "a b", "a@b", "a..b", ".a", "a.", "test.io:5060", "sip:test.io", "a/b", long.as_str()]
        {
            assert!(typed.parse::<SipDomain>().is_err(), "{typed}");
        }
        assert!(long.strip_prefix('a').unwrap().parse::<SipDomain>().is_ok());
        assert_eq!("::1".parse::<SipDomain>().unwrap().for_sip(), "[::1]");
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC{0,300}") {
            if let Ok(domain) = text.parse::<SipDomain>() {
                prop_assert_eq!(domain.as_str().parse::<SipDomain>().unwrap(), domain);
            }
        }
    }
}
