use crate::json::Object;
use crate::request::JSON_LIMIT;
use crate::{ApiError, Client, SipDomain};

/// What a PBX says of itself without a sign-in (`GET /info`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// Its name on the web.
    pub web_domain: Option<String>,
    /// Its public IPv4 address.
    pub public_ipv4: Option<String>,
    /// Its private IPv4 address.
    pub private_ipv4: Option<String>,
    /// Its public IPv6 address.
    pub public_ipv6: Option<String>,
    /// Its private IPv6 address.
    pub private_ipv6: Option<String>,
    /// The tenant asked for; `None` where none was asked for or there is none of this domain.
    pub tenant: Option<Tenant>,
}

/// The tenant behind a SIP domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its name; the domain where it has none.
    pub name: String,
    /// Its SIP domain, in the server's spelling where it gave one.
    pub domain: SipDomain,
    /// Its web site.
    pub website: Option<String>,
    /// Its picture, as a reference for [`Client::blob`].
    pub avatar_url: Option<String>,
    /// Signing in with Microsoft 365 is possible.
    pub microsoft: bool,
}

impl Client {
    /// `GET /info?domain=`: the first question to a server.
    ///
    /// # Errors
    /// Any but [`ApiError::WrongCredentials`]. What an unknown domain answers is documented nowhere: a 4xx
    /// and a 200 without a tenant both mean it.
    pub async fn info(&self, domain: Option<&SipDomain>) -> Result<Info, ApiError> {
        let mut url = self.url("info");
        if let Some(domain) = domain {
            url.query_pairs_mut().append_pair("domain", domain.as_str());
        }
        let answer = self.get(url).answer(JSON_LIMIT).await?;
        read(&answer.bytes, domain)
    }
}

pub(crate) fn read(bytes: &[u8], asked: Option<&SipDomain>) -> Result<Info, ApiError> {
    let mut answer = Object::parse("info", bytes)?;
    let mut info = Info {
        web_domain: answer.text("web_domain")?,
        public_ipv4: answer.text("public_ipv4")?,
        private_ipv4: answer.text("private_ipv4")?,
        public_ipv6: answer.text("public_ipv6")?,
        private_ipv6: answer.text("private_ipv6")?,
        tenant: None,
    };
    let (Some(asked), name, told) = (asked, answer.text("name")?, answer.text("domain")?) else {
        return Ok(info);
    };
    if name.is_none() && told.is_none() {
        return Ok(info);
    }
    let domain = told.and_then(|told| told.parse().ok()).unwrap_or_else(|| asked.clone());
    info.tenant = Some(Tenant {
        name: name.unwrap_or_else(|| domain.to_string()),
        website: answer.text("website")?,
        avatar_url: answer.text("avatar_url")?,
        microsoft: answer.flag("enable_ms365_integration")?.unwrap_or(false),
        domain,
    });
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::{Info, read};
    use crate::ApiError;

    #[test]
    fn tenant_or_none() {
        let asked = "test.io".parse().unwrap();
        let with = read(br#"{"web_domain":null,"name":"Test","domain":"Test.io","later":{}}"#, Some(&asked))
            .unwrap();
        let tenant = with.tenant.unwrap();
        assert_eq!(
            (tenant.name.as_str(), tenant.domain.as_str(), tenant.microsoft),
            ("Test", "test.io", false)
        );
        assert_eq!(read(br#"{"name":null,"domain":null}"#, Some(&asked)).unwrap(), Info::default());
        let unnamed = read(br#"{"domain":"test.io"}"#, Some(&asked)).unwrap();
        assert_eq!(unnamed.tenant.unwrap().name, "test.io");
    }

    #[test]
    fn wrong_types_are_named_by_place_only() {
        let asked = "test.io".parse().unwrap();
        for body in [r#"{"name":["sesame"]}"#, r#"{"name":"x","enable_ms365_integration":"sesame"}"#] {
            let error = read(body.as_bytes(), Some(&asked)).unwrap_err();
            let ApiError::NotUnderstood { what } = error else { panic!("{error:?}") };
            assert!(what.starts_with("info.") && !what.contains("sesame"), "{what}");
        }
        for body in ["", "[]", "7", "{\"name\":", "<html>sesame</html>", "\u{feff}{}"] {
            let error = read(body.as_bytes(), None).unwrap_err();
            assert!(
                matches!(&error, ApiError::NotUnderstood { what } if !what.contains("sesame")),
                "{error:?}"
            );
        }
        let deep = "[".repeat(100_000);
        assert!(read(deep.as_bytes(), None).is_err());
    }
}
