//! Asking the PBX for what changed: by the sync token of the last time, or for everything where there is none or the
//! PBX has forgotten it.

use pbx_api::{ApiError, Client, ContactChange, ContactChanges, ContactKind};
use secrecy::SecretString;
use sign_in::{Session, SignInError};

/// Contacts asked for in parts at most.
const MOST: u64 = 100_000;
/// Contacts of one part.
const PART: u8 = 100;

/// What the PBX told of one list.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) changes: ContactChanges,
    /// It is everything there is: what is not in it is gone.
    pub(super) whole: bool,
}

/// What changed in a list since its token; nothing where this PBX does not tell it to this user.
///
/// # Errors
/// The PBX could not be asked.
pub(super) async fn changes(
    session: &Session,
    kind: ContactKind,
    token: Option<&str>,
) -> Result<Option<Told>, SignInError> {
    if let Some(token) = token
        && let Some(changes) = diff(session, kind, token).await?
    {
        return Ok(Some(Told { changes, whole: false }));
    }
    let ask =
        move |client: Client, access: SecretString| async move { client.contact_token(&access, kind).await };
    let token = match session.authorized(ask).await {
        Err(error) if is_not_offered(&error) => return Ok(None),
        token => token?,
    };
    let Some(mut changes) = diff(session, kind, &token).await? else { return Ok(None) };
    add_unchanged(session, kind, &mut changes).await?;
    Ok(Some(Told { changes, whole: true }))
}

async fn diff(
    session: &Session,
    kind: ContactKind,
    token: &str,
) -> Result<Option<ContactChanges>, SignInError> {
    let ask = |client: Client, access: SecretString| {
        let token = token.to_owned();
        async move { client.contact_changes(&access, kind, &token).await }
    };
    session.authorized(ask).await
}

/// No document says whether a fresh token tells everything or only what changes from then on: those that are missing
/// are read from the list, where there is one.
async fn add_unchanged(
    session: &Session,
    kind: ContactKind,
    changes: &mut ContactChanges,
) -> Result<(), SignInError> {
    let part = |skip: u64, top: u8| {
        session.authorized(move |client: Client, access: SecretString| async move {
            client.contacts(&access, kind, skip, top).await
        })
    };
    let told = changes.items.iter().filter(|item| matches!(item, ContactChange::Changed(_))).count();
    let count = match part(0, 1).await {
        Err(error) if is_not_offered(&error) => return Ok(()),
        page => page?.count,
    };
    if count.is_some_and(|count| count <= told as u64) {
        return Ok(());
    }
    let (mut listed, mut skip) = (Vec::new(), 0);
    while skip < count.unwrap_or(MOST).min(MOST) {
        let page = part(skip, PART).await?;
        if page.sent == 0 {
            break;
        }
        skip += page.sent as u64;
        listed.extend(page.contacts.into_iter().map(|contact| ContactChange::Changed(Box::new(contact))));
    }
    // What was told of changes is later than the list.
    listed.append(&mut changes.items);
    changes.items = listed;
    Ok(())
}

/// Whether the PBX does not have it, or not for this user.
fn is_not_offered(error: &SignInError) -> bool {
    matches!(error, SignInError::Api(ApiError::NotFound { .. } | ApiError::Refused { .. }))
}
