//! Call records: what the PBX remembers of calls that are over.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::sip::Told;
use crate::tenant::{Tenant, opaque};
use crate::timestamp::rfc3339;

/// The call records of each extension, oldest first.
#[derive(Default)]
pub(crate) struct CallRecords(BTreeMap<String, Vec<Value>>);

impl CallRecords {
    /// Some of an extension's, newest first, and how many they are in all.
    pub fn list(&self, extension: &str, skip: usize, top: usize) -> (usize, Vec<Value>) {
        let mine = self.0.get(extension).map(Vec::as_slice).unwrap_or_default();
        (mine.len(), mine.iter().rev().skip(skip).take(top).cloned().collect())
    }

    /// One of an extension's.
    pub fn get(&self, extension: &str, id: &str) -> Option<Value> {
        self.0.get(extension)?.iter().find(|record| record["id"] == id).cloned()
    }

    /// Puts one in as it is, the newest.
    pub fn put(&mut self, extension: &str, record: Value) {
        self.0.entry(extension.to_owned()).or_default().push(record);
    }

    /// Keeps a call that is over for each of its ends who is a user.
    pub fn remember(&mut self, tenant: &Tenant, told: &Told, now: SystemTime) {
        let name = |number: &str| tenant.by_extension(number).map(|user| user.display_name.clone());
        let began = now - told.began;
        let record = json!({
            "id": opaque(16),
            "call_id": told.call_id,
            "caller": told.caller,
            "caller_domain": tenant.domain,
            "caller_display_name": name(&told.caller),
            "callee": told.callee,
            "callee_domain": tenant.domain,
            "callee_display_name": name(&told.callee),
            "started_at": rfc3339(began),
            "rang_at": rfc3339(began),
            "answered_at": told.lasted.map(|lasted| rfc3339(now - lasted)),
            "ended_at": rfc3339(now),
            "direction": "EXTENSION_CALL",
            "end_reason": match (told.lasted, told.by_caller) {
                (None, true) => "CANCELLED",
                (_, true) => "CALLER_DISCONNECTED",
                (_, false) => "CALLEE_DISCONNECTED",
            },
            "reroute_reason": null,
            "status_code": told.status,
            "destination": null,
            "outbound_caller_id": null,
            "did_cid": null,
            "trunk": null,
            "duration": told.lasted.unwrap_or_default().as_secs(),
            "service_number": null,
            "user_data": null,
        });
        let ends = [&told.caller, &told.callee].map(|number| tenant.by_extension(number));
        for user in ends.into_iter().flatten() {
            self.put(&user.extension, record.clone());
        }
    }
}

/// The present by the clock of the PBX, which may be wrong.
pub(crate) fn now_at_pbx(ahead_s: i64) -> SystemTime {
    let by = Duration::from_secs(ahead_s.unsigned_abs());
    let now = SystemTime::now();
    if ahead_s < 0 { now - by } else { now + by }
}
