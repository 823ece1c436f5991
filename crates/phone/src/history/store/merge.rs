//! Calls that the PBX remembers come into the call list, none of them twice.

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Store, StoreError, name_of};
use crate::contacts::is_same_number;
use crate::history::records::Record;
use crate::{AccountId, EndReason, UnixMs};

/// What is ours and what is the PBX's may begin so far apart and be one call, milliseconds.
const TOLERANCE: u64 = 15_000;

/// What became of calls that the PBX remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Merged {
    /// Calls of the list that are new or changed.
    pub(crate) changed: usize,
    /// All that the PBX remembers was once looked through.
    pub(crate) complete: bool,
}

/// Whether a call that the PBX remembers is in the list.
enum Place {
    /// It is, or is not to be.
    Known,
    /// It is this one, of which the PBX had not told yet.
    Ours(i64),
    /// It is not.
    New,
}

impl Store {
    /// Takes in what the PBX remembers, oldest first.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn merge(
        &mut self,
        account: &AccountId,
        records: &[Record],
        now: UnixMs,
    ) -> Result<Merged, StoreError> {
        let most = self.most;
        let change = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change.execute(
            "INSERT OR IGNORE INTO synced (account, since_ms) VALUES (?1, ?2)",
            params![account.0, ms(now)],
        )?;
        let (since, complete): (i64, bool) = change.query_row(
            "SELECT since_ms, complete FROM synced WHERE account = ?1",
            [&account.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let forgotten: Option<i64> =
            change.query_row("SELECT before_ms FROM forgotten", [], |row| row.get(0)).optional()?;
        let oldest: Option<i64> = change
            .query_row(
                "SELECT began_ms FROM calls ORDER BY began_ms DESC, id DESC LIMIT 1 OFFSET ?1",
                [most.saturating_sub(1)],
                |row| row.get(0),
            )
            .optional()?;
        let mut changed = 0;
        for record in records {
            let began = ms(record.began);
            // What was cleared away, and what would be the first to make room.
            if forgotten.is_some_and(|before| began <= before) || oldest.is_some_and(|oldest| began <= oldest)
            {
                continue;
            }
            match place(&change, account, record)? {
                Place::Known => {}
                Place::Ours(id) => changed += usize::from(complete_one(&change, id, record)?),
                Place::New => {
                    insert(&change, account, record, began > since)?;
                    changed += 1;
                }
            }
        }
        change.execute(super::MAKE_ROOM, [most])?;
        change.commit()?;
        Ok(Merged { changed, complete })
    }

    /// All that the PBX remembers was looked through.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn looked_through(&mut self, account: &AccountId) -> Result<(), StoreError> {
        self.db.execute("UPDATE synced SET complete = 1 WHERE account = ?1", [&account.0])?;
        Ok(())
    }
}

fn place(db: &Transaction<'_>, account: &AccountId, record: &Record) -> Result<Place, StoreError> {
    let known: bool = db.query_row(
        "SELECT EXISTS (SELECT 1 FROM calls WHERE account = ?1 AND (record = ?2 OR \
         (record_call = ?3 AND incoming = ?4))) OR EXISTS (SELECT 1 FROM gone WHERE account = ?1 AND \
         (record = ?2 OR (record_call = ?3 AND incoming = ?4)))",
        params![account.0, record.id, record.call_id, record.incoming],
        |row| row.get(0),
    )?;
    if known {
        return Ok(Place::Known);
    }
    let (from, to) = (
        ms(UnixMs(record.began.0.saturating_sub(TOLERANCE))),
        ms(UnixMs(record.began.0.saturating_add(TOLERANCE))),
    );
    let mut near = db.prepare(
        "SELECT id, number, began_ms FROM calls WHERE account = ?1 AND incoming = ?2 AND record IS NULL AND \
         began_ms BETWEEN ?3 AND ?4",
    )?;
    let rows = near.query_map(params![account.0, record.incoming, from, to], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
    })?;
    let mut nearest: Option<(u64, i64)> = None;
    for row in rows {
        let (id, number, began) = row?;
        let apart = began.abs_diff(ms(record.began));
        let same = number == record.peer.number || is_same_number(&number, &record.peer.number);
        if same && nearest.is_none_or(|(least, _)| apart < least) {
            nearest = Some((apart, id));
        }
    }
    if let Some((_, id)) = nearest {
        return Ok(Place::Ours(id));
    }
    // Of a call that the user took off the list, no more is kept than when it was.
    let gone: Option<i64> = db
        .query_row(
            "SELECT rowid FROM gone WHERE account = ?1 AND incoming = ?2 AND record IS NULL AND \
             began_ms BETWEEN ?3 AND ?4 ORDER BY ABS(began_ms - ?5) LIMIT 1",
            params![account.0, record.incoming, from, to, ms(record.began)],
            |row| row.get(0),
        )
        .optional()?;
    let Some(gone) = gone else { return Ok(Place::New) };
    db.execute(
        "UPDATE gone SET record = ?2, record_call = ?3 WHERE rowid = ?1",
        params![gone, record.id, record.call_id],
    )?;
    Ok(Place::Known)
}

/// A call of ours is one that the PBX tells of: whether it is another now.
fn complete_one(db: &Transaction<'_>, id: i64, record: &Record) -> Result<bool, StoreError> {
    db.execute(
        "UPDATE calls SET record = ?2, record_call = ?3, name = COALESCE(name, ?4) WHERE id = ?1",
        params![id, record.id, record.call_id, record.peer.name],
    )?;
    let Some(lasted) = record.lasted_s.filter(|_| record.incoming) else { return Ok(false) };
    // It rang here, and somebody took it.
    let changed = db.execute(
        "UPDATE calls SET reason = ?2, elsewhere = 1, lasted_s = ?3 WHERE id = ?1 AND lasted_s IS NULL AND \
         reason IN (?4, ?2)",
        params![id, name_of(EndReason::AnsweredElsewhere), lasted, name_of(EndReason::Missed)],
    )?;
    Ok(changed > 0)
}

/// `here`: this phone was there, and had no part in it.
fn insert(db: &Transaction<'_>, account: &AccountId, record: &Record, here: bool) -> Result<(), StoreError> {
    let elsewhere = here && (record.lasted_s.is_some() || !record.incoming);
    let reason = match record.reason {
        _ if elsewhere && record.incoming => EndReason::AnsweredElsewhere,
        reason => reason,
    };
    let unseen = here && reason == EndReason::Missed;
    db.execute(
        "INSERT INTO calls (account, incoming, number, name, began_ms, reason, status, lasted_s, seen, elsewhere, \
         record, record_call) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            account.0,
            record.incoming,
            record.peer.number,
            record.peer.name,
            ms(record.began),
            name_of(reason),
            record.status,
            record.lasted_s,
            !unseen,
            elsewhere,
            record.id,
            record.call_id,
        ],
    )?;
    Ok(())
}

fn ms(moment: UnixMs) -> i64 {
    i64::try_from(moment.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
