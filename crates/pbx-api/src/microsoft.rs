use url::Url;

use crate::json::Object;
use crate::request::{Field, JSON_LIMIT};
use crate::{ApiError, Client, SipDomain};

/// Longest address handed to a browser, bytes: what every system passes on whole.
const ADDRESS_LIMIT: usize = 8 * 1024;

impl Client {
    /// `POST /auth/sign_in/microsoft`: the page on which the user signs in with Microsoft 365. The PBX sends the
    /// browser on to `callback` afterwards.
    ///
    /// # Errors
    /// [`ApiError::Refused`] with [`crate::ErrorCode::ValidateFailed`] for a callback the PBX does not like;
    /// [`ApiError::NotFound`] from a PBX older than 22.2; [`ApiError::NotUnderstood`] for an address that is
    /// not one of the web.
    pub async fn microsoft(&self, domain: &SipDomain, callback: &Url) -> Result<Url, ApiError> {
        let request = self.post(self.url("auth/sign_in/microsoft")).json(&fields(domain, callback))?;
        read(&request.answer(JSON_LIMIT).await?.bytes)
    }

    /// `POST /login/by_microsoft`: the same at a PBX older than 22.2. Only the domain is documented; the callback
    /// goes along for a PBX that takes it.
    ///
    /// # Errors
    /// As [`Client::microsoft`]; [`ApiError::Redirect`] for a redirect that leads nowhere.
    pub async fn microsoft_older(&self, domain: &SipDomain, callback: &Url) -> Result<Url, ApiError> {
        let request = self.post(self.url("login/by_microsoft")).form(&fields(domain, callback));
        let place = "by_microsoft";
        on_the_web(request.redirect(place).await?, place)
    }
}

fn fields<'a>(domain: &'a SipDomain, callback: &'a Url) -> [(&'static str, Field<'a>); 2] {
    [("domain", Field::Plain(domain.as_str())), ("callback_url", Field::Plain(callback.as_str()))]
}

pub(crate) fn read(bytes: &[u8]) -> Result<Url, ApiError> {
    let mut answer = Object::parse("sign_in/microsoft", bytes)?;
    let text = answer.text("url")?.ok_or_else(|| answer.wrong("url", "is missing"))?;
    let url = Url::parse(&text).map_err(|_| answer.wrong("url", "is not an address"))?;
    on_the_web(url, "sign_in/microsoft.url")
}

/// An address that is safe to hand to the system's browser: nothing but a page of the web.
fn on_the_web(url: Url, place: &str) -> Result<Url, ApiError> {
    let web = matches!(url.scheme(), "https" | "http") && url.host().is_some();
    let plain = url.username().is_empty() && url.password().is_none() && url.as_str().len() <= ADDRESS_LIMIT;
    if web && plain {
        return Ok(url);
    }
    Err(ApiError::NotUnderstood { what: format!("{place} is not an address of the web") })
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::ApiError;

    #[test]
    fn addresses() {
        for url in
            ["https://login.microsoftonline.com/x/authorize?a=b#c", "http://127.0.0.1:1/x", "HTTPS://x/"]
        {
            let body = format!(r#"{{"url":"{url}"}}"#);
            assert_eq!(read(body.as_bytes()).unwrap().as_str().to_lowercase(), url.to_lowercase());
        }
        let long = format!("https://sesame/{}", "x".repeat(9000));
        for url in [
            "",
            "sesame",
            "/sesame",
            "//sesame/",
            "javascript:sesame",
            "file:///sesame",
            "data:text/html,sesame",
            "ms-settings:sesame",
            "https://",
            "https://sesame@evil.example/",
            "https://x:sesame@evil.example/",
            &long,
        ] {
            let error = read(format!(r#"{{"url":"{url}"}}"#).as_bytes()).unwrap_err();
            assert!(
                matches!(&error, ApiError::NotUnderstood { what } if !what.contains("sesame")),
                "{url}: {error:?}"
            );
        }
        for body in ["", "{}", "[]", r#"{"url":null}"#, r#"{"url":7}"#, r#""https://x/""#] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
