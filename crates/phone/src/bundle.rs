//! The diagnostic bundle: one text that a person can read before giving it away. What proves who somebody is never gets
//! into it; numbers are shortened where that is wanted.

mod mask;

use std::fmt::Write;
use std::path::Path;

use sip::trace::Entry;

use crate::doctor::{Finding, Outcome};
use crate::log_file::LogFile;
use crate::{CheckView, PastCallView, Settings, UnixMs};

use mask::Mask;

/// Most of the log, bytes.
const LOG: usize = 256 * 1024;
/// Calls of the call list.
pub(crate) const CALLS: u32 = 30;

/// All that a bundle is made of.
pub(crate) struct Parts<'a> {
    /// When it is made.
    pub(crate) now: UnixMs,
    /// Program and version.
    pub(crate) version: &'a str,
    /// Settings.
    pub(crate) settings: &'a Settings,
    /// How it stands with each account, a line each.
    pub(crate) accounts: &'a [String],
    /// The last check of the phone.
    pub(crate) check: &'a CheckView,
    /// Calls that are over, newest first.
    pub(crate) calls: &'a [PastCallView],
    /// SIP messages, oldest first.
    pub(crate) trace: &'a [Entry],
    /// What the last crash left.
    pub(crate) crash: &'a str,
    /// The log's end.
    pub(crate) log: &'a str,
    /// What must not stand in it, whatever the reason it got there.
    pub(crate) secrets: &'a [String],
}

/// The log of a phone with this data directory.
pub(crate) fn log(data_dir: &Path) -> String {
    LogFile::tail(data_dir, LOG)
}

/// The bundle; `shorten` leaves of each number its last two digits.
pub(crate) fn compose(parts: &Parts<'_>, shorten: bool) -> String {
    let mut out = String::new();
    let mut section = |title: &str, content: &str| {
        let _ = write!(out, "== {title} ==\n{}\n\n", content.trim_end());
    };
    let system =
        format!("{}\n{} {}, made {}", parts.version, std::env::consts::OS, std::env::consts::ARCH, parts.now);
    section("Program", &system);
    section("Accounts", &parts.accounts.join("\n"));
    section("Check", &checked(parts.check));
    section("Calls", &parts.calls.iter().map(past).collect::<Vec<_>>().join("\n"));
    let settings = serde_json::to_string_pretty(parts.settings).unwrap_or_default();
    section("Settings", &settings);
    section("SIP", &parts.trace.iter().map(message).collect::<Vec<_>>().join("\n\n"));
    section("Last crash", parts.crash);
    section("Log", parts.log);
    let mask = Mask::new(parts.secrets);
    let masked = mask.secrets(&out);
    match shorten {
        true => Mask::numbers(&masked),
        false => masked,
    }
}

fn checked(check: &CheckView) -> String {
    let line = |finding: &Finding| {
        let word = match finding.outcome {
            Outcome::Good => "good",
            Outcome::Note => "note",
            Outcome::Bad => "BAD",
            Outcome::Skipped => "skipped",
        };
        let diagnosis = finding.diagnosis.map(|diagnosis| format!(" {diagnosis:?}")).unwrap_or_default();
        format!("{word} {:?}{diagnosis} [{}] {}", finding.check, finding.tried, finding.seen)
    };
    let findings: Vec<String> = check.findings.iter().map(line).collect();
    let cause = check.cause.map_or_else(|| "none".to_owned(), |cause| format!("{cause:?}"));
    match check.done {
        true => format!("cause: {cause}\n{}", findings.join("\n")),
        false => "not done".to_owned(),
    }
}

fn past(call: &PastCallView) -> String {
    let summary = call.summary.as_ref().and_then(|summary| serde_json::to_string(summary).ok());
    format!(
        "{} {:?} {} {:?} {:?} {}",
        call.began,
        call.direction,
        call.peer.number,
        call.end.reason,
        call.end.status,
        summary.unwrap_or_default()
    )
}

fn message(entry: &Entry) -> String {
    let since = entry.at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let at = UnixMs(u64::try_from(since.as_millis()).unwrap_or_default());
    let way = if entry.sent { "->" } else { "<-" };
    format!("{at} {way} {}\n{}", entry.peer, entry.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_in_it_but_secrets() {
        let entry = Entry {
            at: std::time::UNIX_EPOCH,
            sent: true,
            peer: "UDP:192.0.2.1:5060".into(),
            text: "INVITE sip:004930123456@test.io SIP/2.0\nX: sesame-open".into(),
        };
        let parts = Parts {
            now: UnixMs(0),
            version: "Carillon 1",
            settings: &Settings::default(),
            accounts: &["101@test.io: registered".into()],
            check: &CheckView::default(),
            calls: &[],
            trace: &[entry],
            crash: "In the thread main: told to, Bearer abc.def",
            log: "Authorization: Bearer abc.def\npassword=\"geheim\" done",
            secrets: &["sesame-open".into()],
        };
        let whole = compose(&parts, false);
        for part in [
            "Carillon 1",
            "In the thread main",
            "101@test.io",
            "INVITE sip:004930123456",
            "done",
            "\"version\"",
        ] {
            assert!(whole.contains(part), "{part}: {whole}");
        }
        for secret in ["sesame", "abc.def", "geheim"] {
            assert!(!whole.contains(secret), "{secret}: {whole}");
        }
        let shortened = compose(&parts, true);
        assert!(shortened.contains("sip:…56@test.io") && !shortened.contains("0049301"), "{shortened}");
        assert!(shortened.contains("192.0.2.1:5060"));
    }
}
