//! Events as lines: one JSON object each for machines, a sentence each for people.

use std::io::Write;
use std::time::Instant;

use phone::doctor::{Diagnosis, Finding, Outcome};
use phone::{
    AccountId, AccountView, CallEnd, CallId, CallReport, CallSummary, CallView, CodeFacts, DeviceNews,
    DeviceRole, Direction, HearBackView, MailboxView, MessageView, PastCallView, Problem, ProtectionView,
    WatchedView, Way,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Where events are printed.
pub struct Output {
    json: bool,
    started: Instant,
}

impl Output {
    /// Prints JSON or sentences; `t` counts from now.
    pub fn new(json: bool) -> Self {
        Self { json, started: Instant::now() }
    }

    /// The account can call and be called.
    pub fn registered(&self, account: &AccountId, expires_s: u32, rtt_ms: u32) {
        self.line(
            "registered",
            json!({ "account": account, "expires": expires_s, "rtt_ms": rtt_ms }),
            || format!("Registered as {account} for {expires_s} s ({rtt_ms} ms)"),
        );
    }

    /// A try to register failed; whether there is another is told by `retry`.
    pub fn registration_failed(&self, problem: &Problem, status: Option<u16>, retry: bool) {
        self.line(
            "registration_failed",
            json!({ "code": problem.code, "status": status, "detail": problem.detail, "retry": retry }),
            || format!("Not registered: {}{}", sentence(problem), if retry { "; trying again" } else { "" }),
        );
    }

    /// A session stands.
    pub fn signed_in(&self, account: &AccountView, sip_password_missing: bool) {
        self.line(
            "signed_in",
            json!({
                "account": account.id, "extension": account.extension, "display_name": account.display_name,
                "domain": account.domain, "server": account.server,
                "sip_password_missing": sip_password_missing, "secrets_in_memory": account.secrets_in_memory,
            }),
            || {
                let missing = if sip_password_missing {
                    "\nThe PBX does not hand over the extension's SIP password: set CARILLON_SIP_PASSWORD"
                } else {
                    ""
                };
                format!("Signed in as {} (extension {}){missing}", account.id, account.extension)
            },
        );
    }

    /// A session and its secrets are gone.
    pub fn signed_out(&self, account: &str) {
        self.line("signed_out", json!({ "account": account }), || format!("Signed out of {account}"));
    }

    /// One account of a list.
    pub fn account(&self, account: &impl Serialize, sentence: &str) {
        self.line("account", json!(account), || sentence.to_owned());
    }

    /// One microphone or speaker.
    pub fn device(&self, kind: &str, id: &str, name: &str, default: bool) {
        self.line("device", json!({ "kind": kind, "id": id, "name": name, "default": default }), || {
            format!("{kind}{} {name}\n    {id}", if default { " (default)" } else { "" })
        });
    }

    /// The call goes on through another device.
    pub fn device_changed(&self, news: &DeviceNews) {
        let role = match news.role {
            DeviceRole::Microphone => "microphone",
            DeviceRole::Speaker => "speaker",
            DeviceRole::Ringer => "ringer",
        };
        let facts = json!({
            "kind": role, "name": news.name, "instead_of": news.instead_of, "unplugged": news.unplugged,
            "gap_ms": news.gap_ms,
        });
        self.line("device_changed", facts, || {
            format!("Now using {role} {} after {} ms without", news.name, news.gap_ms)
        });
    }

    /// What a sign-in code says.
    pub fn code(&self, code: &CodeFacts) {
        let facts = code.facts.iter().map(|(name, value)| json!({ "name": name, "value": value }));
        self.line("code", json!({ "kind": code.kind, "facts": facts.collect::<Vec<_>>() }), || {
            let lines = code.facts.iter().map(|(name, value)| format!("  {name}: {value}"));
            format!("Sign-in code ({})\n{}", code.kind, lines.collect::<Vec<_>>().join("\n"))
        });
    }

    /// Our phone rings.
    pub fn incoming(&self, call: &CallView) {
        let peer = &call.peer;
        self.line("incoming", json!({ "call": call.id, "from": peer.number, "name": peer.name }), || {
            format!("Call from {}", peer.name.as_deref().unwrap_or(&peer.number))
        });
    }

    /// The other phone rings.
    pub fn ringing(&self, call: &CallView) {
        self.line("ringing", json!({ "call": call.id }), || "Ringing".into());
    }

    /// Both can talk.
    pub fn answered(&self, call: &CallView) {
        let codec = call.codec.as_deref().unwrap_or("none");
        let srtp = srtp(call);
        self.line(
            "answered",
            json!({ "call": call.id, "setup_ms": call.setup_ms, "codec": codec, "srtp": srtp }),
            || format!("Answered ({codec})"),
        );
    }

    /// What protects the sound of a call is another than before.
    pub fn protection(&self, call: &CallView) {
        let way = match &call.protection {
            ProtectionView::None => None,
            ProtectionView::Pending { keys, .. } | ProtectionView::Encrypted { keys, .. } => Some(keys),
        };
        let encrypted = matches!(call.protection, ProtectionView::Encrypted { .. });
        self.line(
            "protection",
            json!({ "call": call.id, "encrypted": encrypted, "srtp": srtp(call), "keys": way }),
            || if encrypted { format!("Encrypted ({})", srtp(call)) } else { "Not encrypted".into() },
        );
    }

    /// A call as it stands.
    pub fn call(&self, call: &CallView) {
        let state = json!(call.state).get("is").cloned().unwrap_or_default();
        let said = state.as_str().unwrap_or_default().to_owned();
        self.line(
            "call",
            json!({
                "call": call.id, "state": state, "direction": call.direction, "peer": call.peer.number,
                "name": call.peer.name, "remote_held": call.remote_held, "merged": call.merged,
                "muted": call.muted, "muted_talk": call.muted_talk, "transfer": call.transfer,
                "follows": call.follows, "codec": call.codec, "srtp": srtp(call),
                "verdict": call.verdict, "recording": call.recording, "recorded": call.recorded,
                "digits": call.digits, "digits_waiting": call.digits_waiting, "diverted_by": call.diverted_by,
            }),
            || {
                let more = [
                    (call.remote_held, "held there"),
                    (call.merged, "merged"),
                    (call.muted, "muted"),
                    (call.muted_talk, "talking all the same"),
                ];
                let more: Vec<_> = more.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
                format!("Call {} with {}: {said} {}", call.id.0, call.peer.number, more.join(", "))
            },
        );
    }

    /// They pressed a key.
    pub fn digit(&self, call: CallId, digit: char) {
        self.line("digit", json!({ "call": call, "digit": digit }), || format!("They pressed {digit}"));
    }

    /// Waiting messages of an account.
    pub fn mailbox(&self, account: &AccountId, mailbox: &MailboxView) {
        self.line(
            "mailbox",
            json!({ "account": account, "waiting": mailbox.waiting, "new": mailbox.new, "old": mailbox.old }),
            || {
                let new = mailbox.new.map_or(String::new(), |new| format!(", {new} new"));
                format!("Voicemail: {}{new}", if mailbox.waiting { "messages wait" } else { "nothing waits" })
            },
        );
    }

    /// Another extension that is watched.
    pub fn watched(&self, view: &WatchedView) {
        self.line("watched", json!(view), || {
            let lamp =
                view.lamp.as_ref().map(|lamp| name(&json!(lamp).get("is").cloned())).unwrap_or_default();
            let presence =
                view.presence.as_ref().map(|presence| name(&presence.activity)).unwrap_or_default();
            format!("{}: {lamp} {presence}", view.number)
        });
    }

    /// A text message.
    pub fn message(&self, view: &MessageView) {
        self.line("message", json!(view), || {
            let state = json!(view.state).get("is").cloned();
            format!("Message, {}, {}: {}", name(&state), view.peer.number, view.text)
        });
    }

    /// What can be said.
    pub fn help(&self, words: &[(&str, &str)]) {
        self.line("help", json!({ "lines": words }), || {
            words.iter().map(|(line, does)| format!("  {line}\n      {does}\n")).collect()
        });
    }

    /// A line that means nothing.
    pub fn misunderstood(&self, line: &str, sentence: &str) {
        self.line("misunderstood", json!({ "line": line, "detail": sentence }), || sentence.to_owned());
    }

    /// Figures of a running call.
    pub fn media(&self, call: CallId, r: &CallReport) {
        self.line(
            "media",
            json!({
                "call": call, "rx_packets": r.rx_packets, "tx_packets": r.tx_packets, "lost": r.lost, "late": r.late,
                "concealed_ms": r.concealed_ms, "jitter_ms": r.jitter_ms, "delay_ms": r.delay_ms,
                "rtt_ms": r.rtt_ms, "mos": r.mos, "path": way(r.way),
            }),
            || {
                format!(
                    "  {} packets in, {} lost, {} late, jitter {:.1} ms, delay {:.0} ms, MOS {:.2}",
                    r.rx_packets, r.lost, r.late, r.jitter_ms, r.delay_ms, r.mos
                )
            },
        );
    }

    /// Why somebody cannot hear; none: all is well again.
    pub fn verdict(&self, call: &CallView) {
        self.line("verdict", json!({ "call": call.id, "verdict": call.verdict }), || match &call.verdict {
            Some(verdict) => format!("  Sound: {}", name(verdict)),
            None => "  Sound: all is well".into(),
        });
    }

    /// What a call was like.
    pub fn summary(&self, call: CallId, summary: &CallSummary) {
        let mut fields = json!(summary);
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("call".into(), json!(call));
        }
        self.line("summary", fields, || {
            let mos = summary
                .mos
                .map_or_else(String::new, |mos| format!(", MOS {:.2} to {:.2}", mos.least, mos.most));
            format!(
                "  In all {} packets in, {} lost, {} ms concealed{mos}",
                summary.rx_packets, summary.lost, summary.concealed_ms
            )
        });
    }

    /// The call is over.
    pub fn ended(&self, call: &CallView, end: &CallEnd) {
        self.line(
            "ended",
            json!({ "call": call.id, "reason": end.reason, "status": end.status, "lasted_s": end.lasted_s }),
            || {
                let status = end.status.map(|s| format!(" ({s})")).unwrap_or_default();
                format!("Ended: {}{status}", name(&end.reason))
            },
        );
    }

    /// How it stands with the hear-back test.
    pub fn hear_back(&self, view: &HearBackView) {
        let state = json!(view).get("is").cloned().unwrap_or_default();
        let (heard, level) = match view {
            HearBackView::Recording { level, .. } => (None, Some(level)),
            HearBackView::Playing { level, heard, .. } => (Some(heard), Some(level)),
            HearBackView::Done { heard } => (Some(heard), None),
            HearBackView::Idle | HearBackView::Failed { .. } => (None, None),
        };
        self.line("hear_back", json!({ "state": state, "heard": heard, "level": level }), || {
            let said = heard.map(|heard| format!(": {}", name(heard))).unwrap_or_default();
            let bars =
                level.map(|level| format!(" {}", "|".repeat(usize::from(*level) / 4))).unwrap_or_default();
            format!("Hear back, {}{said}{bars}", name(&state))
        });
    }

    /// A call of the call list.
    pub fn past_call(&self, call: &PastCallView) {
        let PastCallView {
            id,
            account,
            direction,
            peer,
            diverted_by,
            began,
            end,
            recorded,
            elsewhere,
            seen,
            summary,
            ..
        } = call;
        self.line(
            "past_call",
            json!({
                "id": id, "account": account, "direction": direction, "peer": peer.number, "name": peer.name,
                "diverted_by": diverted_by, "began_ms": began, "reason": end.reason, "status": end.status,
                "lasted_s": end.lasted_s, "recorded": recorded, "elsewhere": elsewhere, "seen": seen,
                "summary": summary,
            }),
            || {
                let way = if *direction == Direction::Incoming { "from" } else { "to" };
                let who = match &peer.name {
                    Some(name) => format!("{name} ({})", peer.number),
                    None => peer.number.clone(),
                };
                let lasted = end.lasted_s.map(|s| format!(", {s} s")).unwrap_or_default();
                let mos = summary.as_ref().and_then(|summary| summary.mos);
                let mos = mos.map(|mos| format!(", MOS {:.2}", mos.mean)).unwrap_or_default();
                format!("{began}  {way} {who}: {}{lasted}{mos}", name(&end.reason))
            },
        );
    }

    /// One thing that was looked at: what it is called, and what it means and what to do where something is wrong.
    pub fn finding(&self, finding: &Finding, check: &str, said: Option<(&str, &str)>) {
        let Finding { check: code, tried, seen, outcome, diagnosis } = finding;
        let (means, act) = said.unwrap_or_default();
        let wrong = matches!(outcome, Outcome::Bad | Outcome::Note);
        self.line(
            "finding",
            json!({
                "check": code, "tried": tried, "seen": seen, "outcome": outcome, "diagnosis": diagnosis,
                "means": means, "do": if wrong { act } else { "" },
            }),
            || {
                let tried = if tried.is_empty() { String::new() } else { format!(" ({tried})") };
                let seen = if seen.is_empty() { String::new() } else { format!(": {seen}") };
                let word = match outcome {
                    Outcome::Good => "ok     ",
                    Outcome::Note => "note   ",
                    Outcome::Bad => "BAD    ",
                    Outcome::Skipped => "skipped",
                };
                match (said, wrong) {
                    (Some(_), true) => format!("{word} {check}{tried}{seen}\n        {means} {act}"),
                    (Some(_), false) => format!("{word} {check}: pointless, because: {means}"),
                    (None, _) => format!("{word} {check}{tried}{seen}"),
                }
            },
        );
    }

    /// A diagnostic bundle.
    pub fn bundle(&self, text: &str) {
        self.line("bundle", json!({ "text": text }), || text.to_owned());
    }

    /// The one cause of all that was found.
    pub fn diagnosis(&self, cause: Option<Diagnosis>, said: Option<(&str, &str)>) {
        let (means, act) = said.unwrap_or_default();
        self.line("diagnosis", json!({ "diagnosis": cause, "means": means, "do": act }), || match said {
            Some((means, act)) => format!("\nCause: {means}\nWhat to do: {act}"),
            None => "\nNothing wrong was found.".into(),
        });
    }

    /// Something failed.
    pub fn error(&self, problem: &Problem) {
        self.line(
            "error",
            json!({ "code": problem.code, "detail": problem.detail, "retry_after_s": problem.retry_after_s }),
            || format!("Error: {}", sentence(problem)),
        );
    }

    fn line(&self, event: &str, fields: Value, sentence: impl FnOnce() -> String) {
        let text = if self.json {
            let mut object = Map::new();
            object.insert("event".into(), event.into());
            object
                .insert("t".into(), json!((self.started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0));
            if let Value::Object(fields) = fields {
                object.extend(fields);
            }
            Value::Object(object).to_string()
        } else {
            sentence()
        };
        // A closed pipe must not end a call: who stopped reading does not want to know.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }
}

/// The crypto suite of a call, `pending` before that is known, `off` without any.
fn srtp(call: &CallView) -> &str {
    match &call.protection {
        ProtectionView::None => "off",
        ProtectionView::Pending { suite, .. } => suite.as_deref().unwrap_or("pending"),
        ProtectionView::Encrypted { suite, .. } => suite,
    }
}

fn sentence(problem: &Problem) -> String {
    match &problem.detail {
        Some(detail) => format!("{} ({detail})", name(&problem.code)),
        None => name(&problem.code),
    }
}

fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}
/// How round the way of the media is.
fn way(way: Way) -> &'static str {
    match way {
        Way::Plain => "plain",
        Way::Searching => "searching",
        Way::Blocked => "blocked",
        Way::Direct => "direct",
        Way::Reflexive => "reflexive",
        Way::Relayed => "relayed",
    }
}
