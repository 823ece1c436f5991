//! The contacts on disk: one SQLite file, `contacts.db`, in the data directory, so that they are there before the PBX
//! is. What the PBX has is a copy: a file that is broken is begun anew.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use pbx_api::{Contact, ContactChange, ContactChanges};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use super::sync::Told;
use crate::history::store::{StoreError, migrate, private, version};
use crate::{AccountId, ContactId, ContactKind, ContactNumber, ContactView, NumberKind, UnixMs};

/// What leads from each version to the next, the first from nothing. What was once here is never changed.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE contacts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        kind TEXT NOT NULL,
        remote TEXT NOT NULL,
        favorite INTEGER NOT NULL,
        fields TEXT NOT NULL,
        UNIQUE (account, kind, remote)
    );
    CREATE TABLE tokens (
        account TEXT NOT NULL,
        kind TEXT NOT NULL,
        token TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (account, kind)
    );
",
    "
    -- Kept without the pictures' references: with no token, all is asked for once more.
    UPDATE tokens SET token = '' WHERE kind = 'extension';
",
];
/// Another phone of the same user may be writing.
const PATIENCE: Duration = Duration::from_secs(5);
/// Contacts kept of one account and kind; more are left out.
const MOST: usize = 100_000;

/// What is kept of a contact as it is.
#[derive(Serialize, Deserialize)]
struct Fields {
    name: String,
    #[serde(default)]
    numbers: Vec<ContactNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    department: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
}

impl Fields {
    fn of(contact: &Contact) -> Self {
        let number = |number: &pbx_api::ContactNumber| ContactNumber {
            kind: number.kind.into(),
            number: number.number.clone(),
        };
        Self {
            name: contact.name.clone(),
            numbers: contact.numbers.iter().map(number).collect(),
            email: contact.email.clone(),
            company: contact.company.clone(),
            title: contact.title.clone(),
            department: contact.department.clone(),
            address: contact.address.clone(),
            notes: contact.notes.clone(),
            picture: contact.avatar_file_url.clone(),
        }
    }
}

/// The open file.
pub(super) struct Store {
    db: Connection,
}

impl Store {
    /// Opens the contacts below `dir`, or begins them.
    ///
    /// # Errors
    /// The file cannot be used, or is of a later version: it is left as it is.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("contacts.db");
        fs::create_dir_all(dir).map_err(|source| StoreError::Io { path: dir.into(), source })?;
        match Self::open_file(&path) {
            Err(error) if error.is_broken() => {
                tracing::warn!(%error, "the contacts are broken; asking for them anew");
                for tail in ["", "-wal", "-shm"] {
                    // What cannot be removed fails again right below.
                    let _ = fs::remove_file(dir.join(format!("contacts.db{tail}")));
                }
                Self::open_file(&path)
            }
            opened => opened,
        }
    }

    /// Contacts that are forgotten with the phone.
    ///
    /// # Errors
    /// There is no memory for them.
    pub(super) fn in_memory() -> Result<Self, StoreError> {
        Self::ready(Connection::open_in_memory()?)
    }

    fn open_file(path: &Path) -> Result<Self, StoreError> {
        private(path)?;
        let db = Connection::open(path)?;
        db.busy_timeout(PATIENCE)?;
        let known = version(&db)?;
        if known > MIGRATIONS.len() {
            return Err(StoreError::TooNew(known));
        }
        let said: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if said != "ok" {
            return Err(StoreError::Broken(said));
        }
        db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        db.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;")?;
        Self::ready(db)
    }

    fn ready(mut db: Connection) -> Result<Self, StoreError> {
        migrate(&mut db, MIGRATIONS)?;
        Ok(Self { db })
    }

    /// Every contact, with its id at the PBX.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) fn all(&self) -> Result<Vec<(ContactView, String)>, StoreError> {
        let mut query =
            self.db.prepare("SELECT id, account, kind, remote, favorite, fields FROM contacts")?;
        let rows = query.query_map([], |row| {
            let (kind, fields): (String, String) = (row.get(2)?, row.get(5)?);
            let (Some(kind), Ok(fields)) = (of_word(&kind), serde_json::from_str::<Fields>(&fields)) else {
                return Ok(None);
            };
            let view = ContactView {
                id: ContactId(row.get(0)?),
                account: AccountId(row.get(1)?),
                kind,
                name: fields.name,
                numbers: fields.numbers,
                email: fields.email,
                company: fields.company,
                title: fields.title,
                department: fields.department,
                address: fields.address,
                notes: fields.notes,
                picture: fields.picture,
                favorite: row.get(4)?,
            };
            Ok(Some((view, row.get(3)?)))
        })?;
        Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }

    /// When the contacts of each account were last as its PBX has them.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn fresh(&self) -> Result<HashMap<AccountId, UnixMs>, StoreError> {
        let mut query =
            self.db.prepare("SELECT account, MIN(at_ms) FROM tokens WHERE account <> '' GROUP BY account")?;
        let rows = query.query_map([], |row| {
            let at: i64 = row.get(1)?;
            Ok((AccountId(row.get(0)?), UnixMs(u64::try_from(at).unwrap_or_default())))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The sync token of a list; none where all of it is to be asked for.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn token(&self, account: &AccountId, kind: ContactKind) -> Result<Option<String>, StoreError> {
        let query = "SELECT token FROM tokens WHERE account = ?1 AND kind = ?2 AND token <> ''";
        Ok(self.db.query_row(query, params![account.0, word(kind)], |row| row.get(0)).optional()?)
    }

    /// Does what the PBX told: all of it, or none. Says whether any contact is another now.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn follow(
        &mut self,
        account: &AccountId,
        kind: ContactKind,
        told: &Told,
        at: UnixMs,
    ) -> Result<bool, StoreError> {
        let Told { changes: ContactChanges { token, items }, whole } = told;
        let change = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut known: HashSet<String> = {
            let mut query = change.prepare("SELECT remote FROM contacts WHERE account = ?1 AND kind = ?2")?;
            let rows = query.query_map(params![account.0, word(kind)], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        let mut outdated = if *whole { known.clone() } else { HashSet::new() };
        {
            let mut put = change.prepare(
                "INSERT INTO contacts (account, kind, remote, favorite, fields) \
                 VALUES (?1, ?2, ?3, COALESCE(?4, 0), ?5) ON CONFLICT (account, kind, remote) \
                 DO UPDATE SET favorite = COALESCE(?4, favorite), fields = excluded.fields",
            )?;
            for item in items {
                match item {
                    ContactChange::Changed(contact) => {
                        outdated.remove(&contact.id);
                        if known.len() >= MOST && !known.contains(&contact.id) {
                            continue;
                        }
                        let fields = serde_json::to_string(&Fields::of(contact)).unwrap_or_default();
                        put.execute(params![account.0, word(kind), contact.id, contact.favorite, fields])?;
                        known.insert(contact.id.clone());
                    }
                    ContactChange::Deleted(remote) => {
                        outdated.insert(remote.clone());
                    }
                }
            }
            let mut delete =
                change.prepare("DELETE FROM contacts WHERE account = ?1 AND kind = ?2 AND remote = ?3")?;
            for remote in &outdated {
                delete.execute(params![account.0, word(kind), remote])?;
            }
        }
        change.execute(
            "INSERT INTO tokens (account, kind, token, at_ms) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (account, kind) DO UPDATE SET token = excluded.token, at_ms = excluded.at_ms",
            params![account.0, word(kind), token, i64::try_from(at.0).unwrap_or(i64::MAX)],
        )?;
        change.commit()?;
        Ok(*whole || !items.is_empty())
    }

    /// Marks a contact, or no longer.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn favor(&mut self, id: ContactId, favorite: bool) -> Result<(), StoreError> {
        self.db.execute("UPDATE contacts SET favorite = ?2 WHERE id = ?1", params![id.0, favorite])?;
        Ok(())
    }

    /// Forgets one contact.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn remove(&mut self, id: ContactId) -> Result<(), StoreError> {
        self.db.execute("DELETE FROM contacts WHERE id = ?1", [id.0])?;
        Ok(())
    }

    /// Forgets all that came with an account, so that nothing of it is left in the file. Says whether there was anything.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn forget(&mut self, account: &AccountId) -> Result<bool, StoreError> {
        let mut gone = self.db.execute("DELETE FROM contacts WHERE account = ?1", [&account.0])?;
        gone += self.db.execute("DELETE FROM tokens WHERE account = ?1", [&account.0])?;
        if gone > 0 {
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(gone > 0)
    }
}

fn word(kind: ContactKind) -> &'static str {
    match kind {
        ContactKind::Extension => "extension",
        ContactKind::Business => "business",
        ContactKind::Personal => "personal",
        ContactKind::Computer => "computer",
    }
}

fn of_word(word: &str) -> Option<ContactKind> {
    [ContactKind::Extension, ContactKind::Business, ContactKind::Personal, ContactKind::Computer]
        .into_iter()
        .find(|kind| self::word(*kind) == word)
}

impl From<pbx_api::NumberKind> for NumberKind {
    fn from(kind: pbx_api::NumberKind) -> Self {
        match kind {
            pbx_api::NumberKind::Extension => Self::Extension,
            pbx_api::NumberKind::Business => Self::Business,
            pbx_api::NumberKind::Mobile => Self::Mobile,
            pbx_api::NumberKind::Home => Self::Home,
            pbx_api::NumberKind::Other => Self::Other,
            pbx_api::NumberKind::BusinessFax => Self::BusinessFax,
            pbx_api::NumberKind::HomeFax => Self::HomeFax,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(id: &str, name: &str, favorite: Option<bool>) -> ContactChange {
        ContactChange::Changed(Box::new(Contact {
            id: id.into(),
            name: name.into(),
            numbers: vec![pbx_api::ContactNumber {
                kind: pbx_api::NumberKind::Mobile,
                number: "07700 900461".into(),
            }],
            email: None,
            company: Some("Test Works".into()),
            title: None,
            department: None,
            address: None,
            notes: None,
            avatar_file_url: None,
            favorite,
        }))
    }

    fn told(whole: bool, token: &str, items: Vec<ContactChange>) -> Told {
        Told { changes: ContactChanges { token: token.into(), items }, whole }
    }

    fn names(store: &Store) -> Vec<(String, bool)> {
        let all = store.all().unwrap().into_iter();
        all.map(|(contact, _)| (contact.name, contact.favorite)).collect()
    }

    const KIND: ContactKind = ContactKind::Business;

    #[test]
    fn what_changed_is_followed_and_what_is_whole_replaces() {
        let (dir, alice) = (tempfile::tempdir().unwrap(), AccountId("alice".into()));
        let mut store = Store::open(dir.path()).unwrap();
        assert_eq!(store.token(&alice, KIND).unwrap(), None);
        let first = told(true, "t1", vec![contact("1", "Ann", Some(true)), contact("2", "Bob", None)]);
        assert!(store.follow(&alice, KIND, &first, UnixMs(5)).unwrap());
        assert_eq!(names(&store), [("Ann".into(), true), ("Bob".into(), false)]);
        let second = told(false, "t2", vec![contact("1", "Anna", None), ContactChange::Deleted("2".into())]);
        store.follow(&alice, KIND, &second, UnixMs(6)).unwrap();
        drop(store);
        let mut store = Store::open(dir.path()).unwrap();
        assert_eq!(names(&store), [("Anna".into(), true)], "who is not said to be no favourite stays one");
        assert_eq!(store.token(&alice, KIND).unwrap().as_deref(), Some("t2"));
        assert_eq!(store.fresh().unwrap(), HashMap::from([(alice.clone(), UnixMs(6))]));
        let (view, remote) = store.all().unwrap().remove(0);
        assert_eq!(
            (view.id, remote.as_str(), view.company.as_deref()),
            (ContactId(1), "1", Some("Test Works"))
        );
        assert_eq!(view.numbers[0].kind, NumberKind::Mobile);
        assert!(!store.follow(&alice, KIND, &told(false, "t3", vec![]), UnixMs(7)).unwrap());
        store.follow(&alice, KIND, &told(true, "t4", vec![contact("3", "Cy", None)]), UnixMs(8)).unwrap();
        assert_eq!(names(&store), [("Cy".into(), false)]);
    }

    #[test]
    fn an_account_is_forgotten_without_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        let [alice, bob] = ["alice", "bob"].map(|name| AccountId(name.into()));
        for account in [&alice, &bob] {
            let all = told(true, "t", vec![contact("1", &format!("of {account}"), None)]);
            store.follow(account, KIND, &all, UnixMs(1)).unwrap();
        }
        assert!(store.forget(&alice).unwrap() && !store.forget(&alice).unwrap());
        assert_eq!(names(&store), [("of bob".into(), false)]);
        assert_eq!(store.token(&alice, KIND).unwrap(), None);
        let id = store.all().unwrap()[0].0.id;
        store.favor(id, true).unwrap();
        assert_eq!(names(&store), [("of bob".into(), true)]);
        store.remove(id).unwrap();
        assert_eq!(names(&store), []);
        drop(store);
        let bytes = fs::read(dir.path().join("contacts.db")).unwrap();
        assert!(!bytes.windows(8).any(|part| part == b"of alice"), "nothing of it is left");
    }

    #[test]
    fn the_computers_own_keep_their_favourites_and_say_nothing_of_the_pbx() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        let follow = |store: &mut Store, name| {
            let all = told(true, "", vec![contact("book/1", name, None)]);
            store.follow(&AccountId::COMPUTER, ContactKind::Computer, &all, UnixMs(1)).unwrap()
        };
        assert!(follow(&mut store, "Yusuf"));
        store.favor(ContactId(1), true).unwrap();
        assert!(follow(&mut store, "Yusuf D."));
        assert_eq!(names(&store), [("Yusuf D.".into(), true)]);
        assert_eq!(
            (store.all().unwrap()[0].0.kind, store.fresh().unwrap().len()),
            (ContactKind::Computer, 0)
        );
        assert!(store.forget(&AccountId::COMPUTER).unwrap());
        assert_eq!(names(&store), []);
    }

    #[test]
    fn a_file_without_pictures_asks_for_all_extensions_once_more() {
        let (dir, alice) = (tempfile::tempdir().unwrap(), AccountId("alice".into()));
        let mut db = Connection::open(dir.path().join("contacts.db")).unwrap();
        migrate(&mut db, &MIGRATIONS[..1]).unwrap();
        db.execute_batch(
            r#"INSERT INTO contacts (account, kind, remote, favorite, fields)
                   VALUES ('alice', 'extension', '7', 1, '{"name":"Ann"}');
               INSERT INTO tokens (account, kind, token, at_ms)
                   VALUES ('alice', 'extension', 'e1', 5), ('alice', 'business', 'b1', 6);"#,
        )
        .unwrap();
        drop(db);
        let mut store = Store::open(dir.path()).unwrap();
        let kind = ContactKind::Extension;
        assert_eq!(
            (names(&store), store.all().unwrap()[0].0.picture.as_deref()),
            (vec![("Ann".into(), true)], None)
        );
        assert_eq!((store.token(&alice, kind).unwrap(), store.fresh().unwrap()[&alice]), (None, UnixMs(5)));
        assert_eq!(store.token(&alice, ContactKind::Business).unwrap().as_deref(), Some("b1"));

        let ContactChange::Changed(mut ann) = contact("7", "Ann", None) else { panic!() };
        ann.avatar_file_url = Some("/api/blobs/aa".into());
        let all = told(true, "e2", vec![ContactChange::Changed(ann)]);
        store.follow(&alice, kind, &all, UnixMs(7)).unwrap();
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.token(&alice, kind).unwrap().as_deref(), Some("e2"), "once, not at each start");
        let (view, _) = store.all().unwrap().remove(0);
        assert_eq!((view.picture.as_deref(), view.favorite), (Some("/api/blobs/aa"), true));
    }

    #[test]
    fn a_broken_file_is_begun_anew_and_a_later_one_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("contacts.db");
        fs::write(&file, b"torn").unwrap();
        assert_eq!(names(&Store::open(dir.path()).unwrap()), []);
        Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(Store::open(dir.path()), Err(StoreError::TooNew(99))));
        assert!(file.exists());
    }
}
