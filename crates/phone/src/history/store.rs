//! The call list on disk: one SQLite file, `history.db`, in the data directory. Never a secret.
//!
//! A file of a later version is left as it is; one that is broken is kept aside under another name.

pub(crate) mod merge;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Row, TransactionBehavior, params};
use serde::de::DeserializeOwned;

use crate::{
    AccountId, CallEnd, CallState, CallSummary, CallView, Direction, EndReason, PastCallView, PastId,
    PeerView, UnixMs,
};

/// What leads from each version to the next, the first from nothing. What was once here is never changed.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE calls (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        incoming INTEGER NOT NULL,
        number TEXT NOT NULL,
        name TEXT,
        diverted_number TEXT,
        diverted_name TEXT,
        began_ms INTEGER NOT NULL,
        reason TEXT,
        status INTEGER,
        lasted_s INTEGER,
        recorded TEXT,
        seen INTEGER NOT NULL DEFAULT 0,
        report TEXT
    );
", "
    ALTER TABLE calls ADD COLUMN elsewhere INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE calls ADD COLUMN record TEXT;
    ALTER TABLE calls ADD COLUMN record_call TEXT;
    CREATE INDEX calls_by_time ON calls (began_ms, id);
    CREATE INDEX calls_by_record ON calls (account, record);
    CREATE INDEX calls_by_record_call ON calls (account, record_call);
    CREATE TABLE gone (
        account TEXT NOT NULL,
        incoming INTEGER NOT NULL,
        began_ms INTEGER NOT NULL,
        record TEXT,
        record_call TEXT
    );
    CREATE INDEX gone_by_record ON gone (account, record);
    CREATE TABLE forgotten (before_ms INTEGER NOT NULL);
    CREATE TABLE synced (account TEXT PRIMARY KEY, since_ms INTEGER NOT NULL, complete INTEGER NOT NULL DEFAULT 0);
"];
/// Takes the oldest calls away, but for so many.
const MAKE_ROOM: &str = "DELETE FROM calls WHERE reason IS NOT NULL AND id IN \
    (SELECT id FROM calls ORDER BY began_ms DESC, id DESC LIMIT -1 OFFSET ?1)";
/// Calls that are kept; older ones are forgotten.
pub(crate) const MOST_CALLS: u32 = 5_000;
/// Another phone of the same user may be writing.
const PATIENCE: Duration = Duration::from_secs(5);

/// The call list cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The file or its directory cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite says why.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// It is not what was written.
    #[error("broken: {0}")]
    Broken(String),
    /// It was written by a later version of the phone.
    #[error("the call list is of version {0}, this phone knows {known}", known = MIGRATIONS.len())]
    TooNew(usize),
}

impl StoreError {
    /// What is in the file cannot be used.
    pub(crate) fn is_broken(&self) -> bool {
        match self {
            Self::Broken(_) => true,
            Self::Sql(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
            ),
            Self::Io { .. } | Self::TooNew(_) => false,
        }
    }
}

/// The open file.
pub(crate) struct Store {
    db: Connection,
    most: u32,
}

impl Store {
    /// Opens the call list below `dir`, or begins one; with where a broken one was put.
    ///
    /// # Errors
    /// It cannot be used, or is of a later version: it is left as it is.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Option<PathBuf>), StoreError> {
        let path = file(dir);
        fs::create_dir_all(dir).map_err(|source| StoreError::Io { path: dir.into(), source })?;
        match Self::open_file(&path) {
            Err(error) if error.is_broken() => {
                let aside = put_aside(&path)?;
                tracing::warn!(%error, kept_as = %aside.display(), "the call list is broken; starting afresh");
                Ok((Self::open_file(&path)?, Some(aside)))
            }
            opened => opened.map(|store| (store, None)),
        }
    }

    /// One that is forgotten with the phone.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        Self::ready(Connection::open_in_memory()?)
    }

    /// Opens the call list below `dir` to look at it alone; none where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is of a later version.
    pub(crate) fn look_at(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = file(dir);
        if !path.exists() {
            return Ok(None);
        }
        let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        db.busy_timeout(PATIENCE)?;
        match version(&db)? {
            known if known > MIGRATIONS.len() => Err(StoreError::TooNew(known)),
            _ => Ok(Some(Self::ready(db)?)),
        }
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
        // Nobody waits for the disk to turn: after a crash of the machine the last calls may be missing, not more.
        db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        db.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;")?;
        let store = Self::ready(db)?;
        // The phone did not live to see their end.
        store.db.execute("UPDATE calls SET reason = 'connectionLost' WHERE reason IS NULL", [])?;
        Ok(store)
    }

    fn ready(mut db: Connection) -> Result<Self, StoreError> {
        migrate(&mut db, MIGRATIONS)?;
        Ok(Self { db, most: MOST_CALLS })
    }

    /// A call has begun.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn begin(&mut self, call: &CallView, began: UnixMs) -> Result<PastId, StoreError> {
        let change = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change.execute(
            "INSERT INTO calls (account, incoming, number, name, began_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                call.account.0,
                call.direction == Direction::Incoming,
                call.peer.number,
                call.peer.name,
                i64::try_from(began.0).unwrap_or(i64::MAX),
            ],
        )?;
        let id = PastId(change.last_insert_rowid());
        change.execute(MAKE_ROOM, [self.most])?;
        change.commit()?;
        Ok(id)
    }

    /// A call has ended; what is known of it now is kept.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn end(
        &mut self,
        id: PastId,
        call: &CallView,
        summary: Option<&CallSummary>,
    ) -> Result<Option<PastCallView>, StoreError> {
        let CallState::Ended { end } = &call.state else { return Ok(None) };
        let diverted = call.diverted_by.as_ref();
        self.db.execute(
            "UPDATE calls SET number = ?2, name = ?3, diverted_number = ?4, diverted_name = ?5, reason = ?6, \
             status = ?7, lasted_s = ?8, recorded = ?9, report = ?10 WHERE id = ?1",
            params![
                id.0,
                call.peer.number,
                call.peer.name,
                diverted.map(|peer| &peer.number),
                diverted.and_then(|peer| peer.name.as_ref()),
                name_of(end.reason),
                end.status,
                end.lasted_s,
                call.recorded,
                summary.and_then(|summary| serde_json::to_string(summary).ok()),
            ],
        )?;
        self.get(id)
    }

    /// The newest calls that are over, or those before this one, newest first.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn newest(&self, before: Option<PastId>, most: u32) -> Result<Vec<PastCallView>, StoreError> {
        let mut query = self.db.prepare(
            "SELECT * FROM calls WHERE reason IS NOT NULL AND (?1 IS NULL OR (began_ms, id) < \
             (SELECT began_ms, id FROM calls WHERE id = ?1)) ORDER BY began_ms DESC, id DESC LIMIT ?2",
        )?;
        let rows = query.query_map(params![before.map(|id| id.0), most], view)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The user has seen the calls up to this one.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn see(&mut self, up_to: PastId) -> Result<(), StoreError> {
        self.db.execute(
            "UPDATE calls SET seen = 1 WHERE seen = 0 AND \
             (began_ms, id) <= (SELECT began_ms, id FROM calls WHERE id = ?1)",
            [up_to.0],
        )?;
        Ok(())
    }

    /// Forgets one call, or all that are over: nothing of them is left in the file but that the PBX need not tell of
    /// them again.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn forget(&mut self, id: Option<PastId>) -> Result<(), StoreError> {
        let change = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match id {
            Some(id) => {
                change.execute(
                    "INSERT INTO gone SELECT account, incoming, began_ms, record, record_call FROM calls WHERE id = ?1",
                    [id.0],
                )?;
                change.execute(
                    "DELETE FROM gone WHERE rowid <= (SELECT rowid FROM gone ORDER BY rowid DESC LIMIT 1 OFFSET ?1)",
                    [self.most],
                )?;
                change.execute("DELETE FROM calls WHERE id = ?1", [id.0])?;
            }
            None => {
                let now = i64::try_from(crate::calls::now().0).unwrap_or(i64::MAX);
                change.execute_batch("DELETE FROM gone; DELETE FROM forgotten;")?;
                change.execute("INSERT INTO forgotten (before_ms) VALUES (?1)", [now])?;
                change.execute("DELETE FROM calls WHERE reason IS NOT NULL", [])?;
            }
        }
        change.commit()?;
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Forgets the calls that are over and began before `since`; how many.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn forget_before(&mut self, since: UnixMs) -> Result<usize, StoreError> {
        let since = i64::try_from(since.0).unwrap_or(i64::MAX);
        let gone =
            self.db.execute("DELETE FROM calls WHERE reason IS NOT NULL AND began_ms < ?1", [since])?;
        if gone > 0 {
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(gone)
    }

    fn get(&self, id: PastId) -> Result<Option<PastCallView>, StoreError> {
        let mut query = self.db.prepare("SELECT * FROM calls WHERE id = ?1")?;
        Ok(query.query_map([id.0], view)?.next().transpose()?)
    }
}

fn view(row: &Row<'_>) -> rusqlite::Result<PastCallView> {
    let diverted: Option<String> = row.get("diverted_number")?;
    let diverted_name: Option<String> = row.get("diverted_name")?;
    let reason: String = row.get("reason")?;
    let report: Option<String> = row.get("report")?;
    let incoming: bool = row.get("incoming")?;
    let began: i64 = row.get("began_ms")?;
    Ok(PastCallView {
        id: PastId(row.get("id")?),
        call: None,
        account: AccountId(row.get("account")?),
        direction: if incoming { Direction::Incoming } else { Direction::Outgoing },
        peer: PeerView { number: row.get("number")?, name: row.get("name")?, picture: None },
        diverted_by: diverted.map(|number| PeerView { number, name: diverted_name, picture: None }),
        began: UnixMs(u64::try_from(began).unwrap_or_default()),
        end: CallEnd {
            reason: of_name(&reason).unwrap_or(EndReason::Failed),
            status: row.get("status")?,
            lasted_s: row.get("lasted_s")?,
        },
        recorded: row.get("recorded")?,
        elsewhere: row.get("elsewhere")?,
        seen: row.get("seen")?,
        summary: report.and_then(|report| serde_json::from_str(&report).ok()),
    })
}

/// Brings the file to the version of this phone, wholly or not at all.
pub(crate) fn migrate(db: &mut Connection, steps: &[&str]) -> Result<(), StoreError> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another phone of the same user may have been first.
    let from = version(&change)?;
    for step in steps.iter().skip(from) {
        change.execute_batch(step)?;
    }
    if from < steps.len() {
        change.pragma_update(None, "user_version", i64::try_from(steps.len()).unwrap_or_default())?;
    }
    change.commit()?;
    Ok(())
}

pub(crate) fn version(db: &Connection) -> Result<usize, StoreError> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    // Below zero nobody counts.
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

/// Whom somebody talked to is nobody else's business: the file is its owner's alone.
pub(crate) fn private(path: &Path) -> Result<(), StoreError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(source) if source.kind() != ErrorKind::AlreadyExists => {
            Err(StoreError::Io { path: path.into(), source })
        }
        _ => Ok(()),
    }
}

fn put_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let aside = path.with_extension(format!("unreadable-{}.db", crate::calls::now().0));
    for tail in ["-wal", "-shm", ""] {
        let with = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(tail);
            PathBuf::from(name)
        };
        match fs::rename(with(path), with(&aside)) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(StoreError::Io { path: path.into(), source });
            }
            _ => {}
        }
    }
    Ok(aside)
}

fn name_of(reason: EndReason) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

fn of_name<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

fn file(dir: &Path) -> PathBuf {
    dir.join("history.db")
}

#[cfg(test)]
pub(crate) mod tests;
