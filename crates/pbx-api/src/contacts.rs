//! Contacts: the lists there are, what changed in them, the user's favourites, and the user's own written.

use secrecy::SecretString;

use crate::contact::is_opaque;
use crate::json::Object;
use crate::request::JSON_LIMIT;
use crate::{ApiError, Client, Contact, ContactDraft, ContactKind};

/// Largest answer with changes read, bytes: the first one holds a whole company.
const CHANGES_LIMIT: usize = 16 * 1024 * 1024;

/// A part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactPage {
    /// How many there are in all, where the PBX counts.
    pub count: Option<u64>,
    /// How many entries were sent, readable or not: where the next part begins.
    pub sent: usize,
    /// Those of this part.
    pub contacts: Vec<Contact>,
}

/// What changed since a sync token was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactChanges {
    /// The token to ask with the next time.
    pub token: String,
    /// In the order in which they are to be followed.
    pub items: Vec<ContactChange>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactChange {
    /// It is new, or is another now.
    Changed(Box<Contact>),
    /// The one of this id is gone.
    Deleted(String),
}

impl Client {
    /// `GET /contacts` or `GET /user/contacts`: contacts of the company or of the user, at most 100 of them, from the
    /// one numbered `skip`. Of the directory the PBX tells users nothing but its changes.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where the access token is not accepted, [`ApiError::Refused`] where this user may
    /// not see them, [`ApiError::NotFound`] for the directory.
    pub async fn contacts(
        &self,
        access: &SecretString,
        kind: ContactKind,
        skip: u64,
        top: u8,
    ) -> Result<ContactPage, ApiError> {
        let list = match kind {
            ContactKind::Extension => return Err(ApiError::NotFound { status: 404, code: None }),
            ContactKind::Business => "contacts",
            ContactKind::Personal => "user/contacts",
        };
        let mut url = self.url(list);
        let top = top.clamp(1, 100);
        url.query_pairs_mut().append_pair("skip", &skip.to_string()).append_pair("top", &top.to_string());
        let answer = self.get(url).bearer(access)?.answer(JSON_LIMIT).await?;
        read_page(&answer.bytes)
    }

    /// `POST …/sync_tokens`: a token to ask for changes with.
    ///
    /// # Errors
    /// [`ApiError::Refused`] or [`ApiError::NotFound`] where this PBX does not tell them to this user.
    pub async fn contact_token(&self, access: &SecretString, kind: ContactKind) -> Result<String, ApiError> {
        let url = self.url(&format!("{}/sync_tokens", kind.resource()));
        let answer = self.post(url).bearer(access)?.answer(JSON_LIMIT).await?;
        read_token(&mut Object::parse("sync_tokens", &answer.bytes)?)
    }

    /// `POST …/sync_tokens/{token}/diff`: what changed since the token was given, of a fresh one everything; `None`
    /// where the PBX has forgotten the token (documented as 403) and all is to be asked for anew.
    ///
    /// # Errors
    /// [`ApiError::TooLarge`] beyond 16 MiB.
    pub async fn contact_changes(
        &self,
        access: &SecretString,
        kind: ContactKind,
        token: &str,
    ) -> Result<Option<ContactChanges>, ApiError> {
        let url = self.below(&format!("{}/sync_tokens", kind.resource()), &[token, "diff"])?;
        match self.post(url).bearer(access)?.answer(CHANGES_LIMIT).await {
            Ok(answer) => read_changes(&answer.bytes).map(Some),
            Err(ApiError::Refused { status: 403, .. } | ApiError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `POST …/{id}/favorite` or `…/unfavorite`.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] where it is gone.
    pub async fn favor_contact(
        &self,
        access: &SecretString,
        kind: ContactKind,
        id: &str,
        favorite: bool,
    ) -> Result<(), ApiError> {
        let word = if favorite { "favorite" } else { "unfavorite" };
        let url = self.below(kind.resource(), &[id, word])?;
        self.post(url).bearer(access)?.answer(JSON_LIMIT).await.map(drop)
    }

    /// `POST /user/contacts`: writes a new contact of the user's; its id.
    ///
    /// # Errors
    /// [`ApiError::ContactInvalid`] where it would not fit.
    pub async fn create_contact(
        &self,
        access: &SecretString,
        draft: &ContactDraft,
    ) -> Result<String, ApiError> {
        let mut fields = draft.fields()?;
        fields.retain(|(_, field)| !field.text().is_empty());
        let request = self.post(self.url(ContactKind::Personal.resource())).bearer(access)?.json(&fields)?;
        let answer = request.answer(JSON_LIMIT).await?;
        let mut answer = Object::parse("contact", &answer.bytes)?;
        let id = answer.text("id")?.filter(|id| is_opaque(id));
        id.ok_or_else(|| answer.wrong("id", "is missing"))
    }

    /// `POST /user/contacts/{id}`: writes a contact of the user's anew; what is blank is emptied.
    ///
    /// # Errors
    /// [`ApiError::ContactInvalid`] where it would not fit, [`ApiError::NotFound`] where it is gone.
    pub async fn update_contact(
        &self,
        access: &SecretString,
        id: &str,
        draft: &ContactDraft,
    ) -> Result<(), ApiError> {
        let url = self.below(ContactKind::Personal.resource(), &[id])?;
        let fields = draft.fields()?;
        self.post(url).bearer(access)?.json(&fields)?.answer(JSON_LIMIT).await.map(drop)
    }

    /// `POST /user/contacts/{id}/destroy`: deletes a contact of the user's.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] where it is gone.
    pub async fn delete_contact(&self, access: &SecretString, id: &str) -> Result<(), ApiError> {
        let url = self.below(ContactKind::Personal.resource(), &[id, "destroy"])?;
        self.post(url).bearer(access)?.answer(JSON_LIMIT).await.map(drop)
    }
}

pub(crate) fn read_page(bytes: &[u8]) -> Result<ContactPage, ApiError> {
    let mut answer = Object::parse("contacts", bytes)?;
    let mut items = answer.objects("items")?;
    let mut page =
        ContactPage { count: answer.number("count")?, sent: items.len(), ..ContactPage::default() };
    for item in &mut items {
        page.contacts.extend(Contact::read(item)?);
    }
    Ok(page)
}

pub(crate) fn read_changes(bytes: &[u8]) -> Result<ContactChanges, ApiError> {
    let mut answer = Object::parse("diff", bytes)?;
    let token = read_token(&mut answer)?;
    let mut items = Vec::new();
    for mut item in answer.objects("items")? {
        let deleted = item.text("change_type")?.is_some_and(|change| change.eq_ignore_ascii_case("DELETED"));
        if deleted {
            items.extend(item.text("id")?.map(ContactChange::Deleted));
        } else {
            items.extend(Contact::read(&mut item)?.map(|contact| ContactChange::Changed(Box::new(contact))));
        }
    }
    Ok(ContactChanges { token, items })
}

fn read_token(answer: &mut Object) -> Result<String, ApiError> {
    let token = answer.text("token")?.filter(|token| is_opaque(token));
    token.ok_or_else(|| answer.wrong("token", "is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Trust;

    #[test]
    fn changes_are_read_in_order() {
        let body = br#"{"token":"t2","items":[{"id":"1","name":"Ann","change_type":"UPDATED"},
            {"id":"2","change_type":"DELETED"},{"change_type":"DELETED"},{"id":"3","change_type":"CREATED"}]}"#;
        let changes = read_changes(body).unwrap();
        assert_eq!(changes.token, "t2");
        let [ContactChange::Changed(ann), ContactChange::Deleted(gone)] = changes.items.as_slice() else {
            panic!("{changes:?}")
        };
        assert_eq!((ann.name.as_str(), gone.as_str()), ("Ann", "2"));
        for body in
            ["{}", r#"{"token":".."}"#, r#"{"token":"t","items":{}}"#, "[]", r#"{"token":"t","items":[7]}"#]
        {
            assert!(read_changes(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_page_says_how_much_was_sent() {
        let page = read_page(br#"{"count":3,"items":[{"id":"1","name":"Ann"},{"name":"none"}]}"#).unwrap();
        assert_eq!((page.count, page.sent, page.contacts.len()), (Some(3), 2, 1));
        assert_eq!(read_page(b"{}").unwrap(), ContactPage::default());
    }

    #[test]
    fn an_id_is_one_segment_whatever_is_in_it() {
        let client = Client::new("127.0.0.1".parse().unwrap(), &Trust::default(), "Carillon/test").unwrap();
        let path =
            |id: &str| client.below("user/contacts", &[id, "favorite"]).map(|url| url.path().to_owned());
        assert_eq!(path("a/../b?c#d%2f").unwrap(), "/api/user/contacts/a%2F..%2Fb%3Fc%23d%252f/favorite");
        for bad in ["", ".", "..", "a\r\nb", &"n".repeat(257)] {
            assert!(path(bad).is_err(), "{bad:?}");
        }
    }
}
