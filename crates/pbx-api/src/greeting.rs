//! Voicemail greetings: what callers hear before they leave a message.

use bytes::Bytes;
use secrecy::SecretString;

use crate::contact::{is_opaque, line};
use crate::json::Object;
use crate::request::{Field, JSON_LIMIT};
use crate::{ApiError, Client};

/// Header that names an upload.
const UPLOAD_ID: &str = "portsip-upload-id";
/// Header with what allows the next step of an upload; each step gives another.
pub(crate) const UPLOAD_TOKEN: &str = "portsip-upload-token";

/// A greeting (`GET /user/greetings`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// Opaque id.
    pub id: String,
    /// Callers hear it.
    pub enabled: bool,
    /// Name of its file.
    pub file_name: Option<String>,
    /// Where its sound is, for [`Client::sound`].
    pub file_url: Option<String>,
}

impl Client {
    /// `GET /user/greetings`: the user's greetings.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where the access token is not accepted, [`ApiError::Refused`] or
    /// [`ApiError::NotFound`] where this PBX does not offer them to this user.
    pub async fn greetings(&self, access: &SecretString) -> Result<Vec<Greeting>, ApiError> {
        let answer = self.get(self.url("user/greetings")).bearer(access)?.answer(JSON_LIMIT).await?;
        read(&answer.bytes)
    }

    /// `POST /user/greetings`: adds a greeting out of a file that was uploaded; its id.
    ///
    /// # Errors
    /// [`ApiError::Refused`] where the PBX does not take the file.
    pub async fn add_greeting(&self, access: &SecretString, file: &str) -> Result<String, ApiError> {
        let request = self.post(self.url("user/greetings")).bearer(access)?;
        let answer = request.json(&[("file_id", Field::Plain(file))])?.answer(JSON_LIMIT).await?;
        read_id("greeting", &answer.bytes)
    }

    /// `POST /user/greetings/{id}/enable` or `…/disable`.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] where it is gone.
    pub async fn enable_greeting(
        &self,
        access: &SecretString,
        id: &str,
        enabled: bool,
    ) -> Result<(), ApiError> {
        let url = self.below("user/greetings", &[id, if enabled { "enable" } else { "disable" }])?;
        self.post(url).bearer(access)?.answer(JSON_LIMIT).await.map(drop)
    }

    /// `POST /user/greetings/{id}/destroy`: deletes a greeting.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] where it is gone.
    pub async fn delete_greeting(&self, access: &SecretString, id: &str) -> Result<(), ApiError> {
        let url = self.below("user/greetings", &[id, "destroy"])?;
        self.post(url).bearer(access)?.answer(JSON_LIMIT).await.map(drop)
    }

    /// `POST /blobs/uploads`, then `…/append` and `…/complete`: uploads a file in one piece; its id.
    ///
    /// # Errors
    /// [`ApiError::Refused`] where the PBX does not take it, [`ApiError::NotUnderstood`] where a step leads nowhere.
    pub async fn upload(
        &self,
        access: &SecretString,
        file_name: &str,
        file: Bytes,
    ) -> Result<String, ApiError> {
        let mut url = self.url("blobs/uploads");
        url.query_pairs_mut().append_pair("filename", file_name);
        let opened = self.post(url).bearer(access)?.answer(JSON_LIMIT).await?;
        let id = opened.header(UPLOAD_ID).ok_or_else(|| missing(UPLOAD_ID))?;
        let token: SecretString = opened.header(UPLOAD_TOKEN).ok_or_else(|| missing(UPLOAD_TOKEN))?.into();
        let append = self.below("blobs/uploads", &[&id, "append"])?;
        let appended =
            self.post(append).bearer(access)?.upload(&token)?.octets(file).answer(JSON_LIMIT).await?;
        let next = appended.header(UPLOAD_TOKEN).map_or(token, SecretString::from);
        let complete = self.below("blobs/uploads", &[&id, "complete"])?;
        let request = self.post(complete).bearer(access)?.upload(&next)?.octets(Bytes::new());
        read_id("upload", &request.answer(JSON_LIMIT).await?.bytes)
    }
}

fn missing(header: &str) -> ApiError {
    ApiError::NotUnderstood { what: format!("the answer to an upload has no {header}") }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Greeting>, ApiError> {
    let mut greetings = Vec::new();
    for mut item in Object::parse("greetings", bytes)?.objects("items")? {
        let Some(id) = item.text("id")?.filter(|id| is_opaque(id)) else { continue };
        let enabled = item.flag("enabled")?.unwrap_or(false);
        let file_name = line(&mut item, "file_name")?;
        greetings.push(Greeting { id, enabled, file_name, file_url: item.text("file_url")? });
    }
    Ok(greetings)
}

fn read_id(place: &str, bytes: &[u8]) -> Result<String, ApiError> {
    let mut answer = Object::parse(place, bytes)?;
    let id = answer.text("id")?.filter(|id| is_opaque(id));
    id.ok_or_else(|| answer.wrong("id", "is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_are_read() {
        let body = br#"{"items":[{"id":"g1","enabled":true,"file_name":"hello.wav","file_size":9,"file_url":"/api/blobs/0a"},
            {"id":"g2"},{"id":""}]}"#;
        let greetings = read(body).unwrap();
        let [hello, bare] = greetings.as_slice() else { panic!("{greetings:?}") };
        assert_eq!((hello.enabled, hello.file_name.as_deref()), (true, Some("hello.wav")));
        assert_eq!((bare.enabled, &bare.file_name, &bare.file_url), (false, &None, &None));
        assert!(read(b"[]").is_err() && read_id("upload", b"{}").is_err());
        assert_eq!(read_id("upload", br#"{"id":"f1"}"#).unwrap(), "f1");
    }
}
