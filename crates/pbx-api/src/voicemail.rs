//! Voicemails: listed, marked, deleted, and their sound.

use std::time::{Duration, SystemTime};

use secrecy::SecretString;

use crate::blobs::path_of;
use crate::contact::{is_opaque, line};
use crate::json::Object;
use crate::request::JSON_LIMIT;
use crate::{ApiError, Blob, Client, timestamp};

/// Largest sound read, bytes: half an hour at 16 kB a second.
const SOUND_LIMIT: usize = 32 * 1024 * 1024;
/// How long a sound may take to come.
const SOUND_TIME: Duration = Duration::from_secs(120);
/// Longest a message may say that it is.
const LONGEST: u64 = 24 * 3600;

/// A voicemail (`GET /voicemails`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voicemail {
    /// Opaque id.
    pub id: String,
    /// Who left it, as the PBX writes it: a number, or an address. Since 22.6 `sender_number`.
    pub sender: Option<String>,
    /// Name of who left it, where the PBX tells one (22.6).
    pub sender_name: Option<String>,
    /// When it was left.
    pub created_at: Option<SystemTime>,
    /// How long it is. The documents give no unit; it is read as seconds.
    pub duration: Option<Duration>,
    /// Its user has heard it.
    pub read: bool,
    /// Name of its file, where the PBX tells one.
    pub file_name: Option<String>,
    /// Where its sound is, for [`Client::sound`].
    pub file_url: Option<String>,
}

/// A part of the voicemails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VoicemailPage {
    /// How many there are in all, where the PBX counts.
    pub count: Option<u64>,
    /// How many entries were sent, readable or not: where the next part begins.
    pub sent: usize,
    /// Those of this part.
    pub voicemails: Vec<Voicemail>,
}

impl Client {
    /// `GET /voicemails`: the user's voicemails, at most 100 of them, from the one numbered `skip`.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where the access token is not accepted, [`ApiError::Refused`] or
    /// [`ApiError::NotFound`] where this PBX does not offer them to this user.
    pub async fn voicemails(
        &self,
        access: &SecretString,
        skip: u64,
        top: u8,
    ) -> Result<VoicemailPage, ApiError> {
        let mut url = self.url("voicemails");
        let top = top.clamp(1, 100);
        url.query_pairs_mut().append_pair("skip", &skip.to_string()).append_pair("top", &top.to_string());
        let answer = self.get(url).bearer(access)?.answer(JSON_LIMIT).await?;
        read_page(&answer.bytes)
    }

    /// `POST /voicemails/{id}/set_read` or `…/set_unread`.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] where it is gone.
    pub async fn mark_voicemail(&self, access: &SecretString, id: &str, read: bool) -> Result<(), ApiError> {
        let url = self.below("voicemails", &[id, if read { "set_read" } else { "set_unread" }])?;
        self.post(url).bearer(access)?.answer(JSON_LIMIT).await.map(drop)
    }

    /// `POST /voicemails/{id}/destroy`: deletes a voicemail.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] where it is gone.
    pub async fn delete_voicemail(&self, access: &SecretString, id: &str) -> Result<(), ApiError> {
        let url = self.below("voicemails", &[id, "destroy"])?;
        self.post(url).bearer(access)?.answer(JSON_LIMIT).await.map(drop)
    }

    /// `GET /blobs/{digest}`: the sound of a voicemail or a greeting, by its `file_url`.
    ///
    /// # Errors
    /// [`ApiError::NotUnderstood`] for a reference that leads elsewhere; [`ApiError::TooLarge`] beyond 32 MiB.
    pub async fn sound(&self, reference: &str, access: &SecretString) -> Result<Blob, ApiError> {
        let url = self.url(&path_of(reference)?);
        let answer = self.get(url).bearer(access)?.within(SOUND_TIME).answer(SOUND_LIMIT).await?;
        Ok(Blob { media_type: answer.media_type(), bytes: answer.bytes })
    }
}

pub(crate) fn read_page(bytes: &[u8]) -> Result<VoicemailPage, ApiError> {
    let mut answer = Object::parse("voicemails", bytes)?;
    let mut items = answer.objects("items")?;
    let count = answer.number("count")?;
    let mut page = VoicemailPage { count, sent: items.len(), ..VoicemailPage::default() };
    for item in &mut items {
        page.voicemails.extend(read(item)?);
    }
    Ok(page)
}

/// One that has no usable id cannot be asked for, and is left out.
fn read(item: &mut Object) -> Result<Option<Voicemail>, ApiError> {
    let Some(id) = item.text("id")?.filter(|id| is_opaque(id)) else { return Ok(None) };
    let sender = match line(item, "sender_number")? {
        Some(number) => Some(number),
        None => line(item, "sender")?,
    };
    Ok(Some(Voicemail {
        id,
        sender,
        sender_name: line(item, "sender_name")?,
        created_at: item.text("created_at")?.and_then(|text| timestamp::parse(&text)),
        // What is still being recorded may say anything.
        duration: item.number("duration").ok().flatten().filter(|s| *s <= LONGEST).map(Duration::from_secs),
        read: item.text("status")?.is_some_and(|status| status.eq_ignore_ascii_case("READ")),
        file_name: line(item, "file_name")?,
        file_url: item.text("file_url")?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_old_and_of_new_are_read() {
        let body = br#"{"count":9,"items":[
            {"id":"v1","sender":"102","created_at":"1994-11-06T08:49:37Z","duration":47,"status":"UNREAD",
             "file_name":"a.wav","file_size":1,"file_url":"/api/blobs/0a"},
            {"id":"v2","sender":"x","sender_name":"Bob","sender_number":"103","duration":99999999,"status":"READ"},
            {"id":"","sender":"104"}, {"id":"..","sender":"104"}]}"#;
        let page = read_page(body).unwrap();
        assert_eq!((page.count, page.sent, page.voicemails.len()), (Some(9), 4, 2));
        let [old, new] = page.voicemails.as_slice() else { panic!("{page:?}") };
        assert_eq!((old.sender.as_deref(), old.sender_name.as_deref(), old.read), (Some("102"), None, false));
        assert_eq!(old.created_at, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)));
        assert_eq!(old.duration, Some(Duration::from_secs(47)));
        assert_eq!((new.sender.as_deref(), new.sender_name.as_deref()), (Some("103"), Some("Bob")));
        assert_eq!((new.read, new.duration, new.created_at), (true, None, None));
        assert_eq!(read_page(b"{}").unwrap(), VoicemailPage::default());
        assert_eq!(
            read_page(br#"{"items":[{"id":"1","duration":-1}]}"#).unwrap().voicemails[0].duration,
            None
        );
    }
}
