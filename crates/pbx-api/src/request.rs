use std::time::{Duration, SystemTime};

use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE,
};
use reqwest::{RequestBuilder, Response, Url};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Serializer;

use crate::client::setup;
use crate::greeting::UPLOAD_TOKEN;
use crate::refusal::{quotable, refusal};
use crate::{ApiError, Client};

/// Largest JSON answer read, bytes.
pub(crate) const JSON_LIMIT: usize = 1024 * 1024;

/// Largest error answer looked into, bytes.
const ERROR_LIMIT: usize = 64 * 1024;

/// A body larger than this grows by copying, which leaves an unwiped copy behind.
const BODY_ROOM: usize = 16 * 1024;

/// A request being put together. It knows every secret that goes into it, so that nothing the server says of
/// it in refusing is passed on where it quotes one.
pub(crate) struct Request<'a> {
    client: &'a Client,
    builder: RequestBuilder,
    secrets: Vec<&'a SecretString>,
}

/// Value of a field of the body.
#[derive(Clone, Copy)]
pub(crate) enum Field<'a> {
    Plain(&'a str),
    Secret(&'a SecretString),
}

impl Field<'_> {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose_secret(),
        }
    }
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    headers: HeaderMap,
}

impl Answer {
    /// Media type without parameters, lower case.
    pub(crate) fn media_type(&self) -> Option<String> {
        let value = self.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        value.split(';').next().map(|bare| bare.trim().to_ascii_lowercase()).filter(|bare| !bare.is_empty())
    }

    /// A header that is readable text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        Some(self.headers.get(name)?.to_str().ok()?.to_owned()).filter(|text| !text.is_empty())
    }

    /// When the server wrote it, by the server's clock; by ours where it does not say.
    pub(crate) fn date(&self) -> SystemTime {
        let told = self.headers.get(DATE).and_then(|date| date.to_str().ok());
        told.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now)
    }

    /// Its `Set-Cookie` lines, those that are readable text.
    pub(crate) fn set_cookies(&self) -> impl Iterator<Item = &str> {
        self.headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok())
    }
}

impl<'a> Request<'a> {
    pub(crate) fn new(client: &'a Client, builder: RequestBuilder) -> Self {
        Self { client, builder, secrets: Vec::new() }
    }

    /// With an access token.
    pub(crate) fn bearer(self, access: &'a SecretString) -> Result<Self, ApiError> {
        let value = Zeroizing::new(format!("Bearer {}", access.expose_secret()));
        self.secret_header(AUTHORIZATION, access, &value, "the access token does not fit into a header")
    }

    /// With another limit of time for the whole of it.
    pub(crate) fn within(mut self, limit: Duration) -> Self {
        self.builder = self.builder.timeout(limit);
        self
    }

    /// With the cookies of a session, as they stand in a `Cookie` header.
    pub(crate) fn cookies(self, cookies: &'a SecretString) -> Result<Self, ApiError> {
        self.secret_header(COOKIE, cookies, cookies.expose_secret(), "the cookies do not fit into a header")
    }

    /// With a JSON object of texts as its body.
    pub(crate) fn json(mut self, fields: &[(&str, Field<'a>)]) -> Result<Self, ApiError> {
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_ROOM));
        let entries = fields.iter().map(|(name, field)| (name, field.text()));
        serde_json::Serializer::new(&mut *body).collect_map(entries).map_err(setup)?;
        self.remember(fields);
        self.builder = with_body(self.builder, "application/json", body);
        Ok(self)
    }

    /// With a JSON value without secrets as its body.
    pub(crate) fn value(mut self, value: &serde_json::Value) -> Self {
        let body = Zeroizing::new(value.to_string().into_bytes());
        self.builder = with_body(self.builder, "application/json", body);
        self
    }

    /// With a form as its body (`application/x-www-form-urlencoded`).
    pub(crate) fn form(mut self, fields: &[(&str, Field<'a>)]) -> Self {
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_ROOM));
        for (name, field) in fields {
            if !body.is_empty() {
                body.push(b'&');
            }
            body.extend_from_slice(name.as_bytes());
            body.push(b'=');
            for part in url::form_urlencoded::byte_serialize(field.text().as_bytes()) {
                body.extend_from_slice(part.as_bytes());
            }
        }
        self.remember(fields);
        self.builder = with_body(self.builder, "application/x-www-form-urlencoded", body);
        self
    }

    /// As a step of an upload, with what allows it.
    pub(crate) fn upload(self, token: &'a SecretString) -> Result<Self, ApiError> {
        let name = HeaderName::from_static(UPLOAD_TOKEN);
        self.secret_header(
            name,
            token,
            token.expose_secret(),
            "the upload's token does not fit into a header",
        )
    }

    /// With a file as its body.
    pub(crate) fn octets(mut self, file: bytes::Bytes) -> Self {
        let kind = HeaderValue::from_static("application/octet-stream");
        self.builder = self.builder.header(CONTENT_TYPE, kind).body(file);
        self
    }

    /// Sends it, for an answer of at most `limit` bytes.
    pub(crate) async fn answer(self, limit: usize) -> Result<Answer, ApiError> {
        let Self { client, builder, secrets } = self;
        let mut response = send(client, builder).await?;
        let status = response.status();
        if status.is_redirection() {
            let to = location(response.headers()).and_then(|to| quotable(to, &secrets));
            // What follows may be a token of the server's own.
            let to = to.and_then(|to| to.split(['?', '#']).next().map(str::to_owned));
            return Err(ApiError::Redirect { status: status.as_u16(), to });
        }
        if !status.is_success() {
            return Err(refused(client, &mut response, &secrets).await);
        }
        let bytes = read(client, &mut response, limit).await?;
        Ok(Answer { bytes, headers: std::mem::take(response.headers_mut()) })
    }

    /// Sends it, for the place a redirect leads to.
    pub(crate) async fn redirect(self, place: &str) -> Result<Url, ApiError> {
        let Self { client, builder, secrets } = self;
        let mut response = send(client, builder).await?;
        let status = response.status();
        if status.is_redirection() {
            let to = location(response.headers()).and_then(|to| response.url().join(to).ok());
            return to.ok_or(ApiError::Redirect { status: status.as_u16(), to: None });
        }
        if !status.is_success() {
            return Err(refused(client, &mut response, &secrets).await);
        }
        Err(ApiError::NotUnderstood { what: format!("{place} is not a redirect") })
    }

    fn secret_header(
        mut self,
        name: HeaderName,
        secret: &'a SecretString,
        value: &str,
        unfit: &str,
    ) -> Result<Self, ApiError> {
        let mut value =
            HeaderValue::from_str(value).map_err(|_| ApiError::NotUnderstood { what: unfit.to_owned() })?;
        value.set_sensitive(true);
        self.secrets.push(secret);
        self.builder = self.builder.header(name, value);
        Ok(self)
    }

    fn remember(&mut self, fields: &[(&str, Field<'a>)]) {
        self.secrets.extend(fields.iter().filter_map(|(_, field)| match field {
            Field::Plain(_) => None,
            Field::Secret(secret) => Some(*secret),
        }));
    }
}

fn with_body(builder: RequestBuilder, media_type: &'static str, body: Zeroizing<Vec<u8>>) -> RequestBuilder {
    builder.header(CONTENT_TYPE, HeaderValue::from_static(media_type)).body(bytes::Bytes::from_owner(body))
}

async fn send(client: &Client, builder: RequestBuilder) -> Result<Response, ApiError> {
    match builder.send().await {
        Ok(response) => Ok(response),
        Err(error) => Err(client.failed(error).await),
    }
}

fn location(headers: &HeaderMap) -> Option<&str> {
    headers.get(LOCATION)?.to_str().ok()
}

async fn refused(client: &Client, response: &mut Response, secrets: &[&SecretString]) -> ApiError {
    // The status says enough where the body is too large, broken or late.
    let bytes = read(client, response, ERROR_LIMIT).await.unwrap_or_default();
    refusal(response.status(), response.headers(), &bytes, secrets, SystemTime::now())
}

/// Reads a body up to a limit, whatever its length claims to be.
async fn read(
    client: &Client,
    response: &mut Response,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    let too_large = || ApiError::TooLarge { limit };
    let told = response.content_length().map_or(Ok(BODY_ROOM), usize::try_from).map_err(|_| too_large())?;
    if response.content_length().is_some() && told > limit {
        return Err(too_large());
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(told));
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(bytes),
            Err(error) => return Err(client.failed(error).await),
        };
        if bytes.len().saturating_add(chunk.len()) > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
}
