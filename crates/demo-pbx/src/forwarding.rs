//! Forward rules: what users set, and what they lead to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

/// States of presence that have forward rules of their own.
pub(crate) const STATES: [&str; 7] = ["available", "busy", "dnd", "away", "lunch", "trip", "offline"];

/// What a rule leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leads {
    /// To a number.
    Number(String),
    /// To the voicemail.
    Voicemail,
    /// To the phones all the same.
    Ring,
    /// Nowhere.
    HangUp,
}

/// The rules of one extension by their fields in `/user`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rules(BTreeMap<String, Value>);

impl Rules {
    /// What the rule for a state leads to; here it is always office hours.
    pub fn at(&self, state: &str) -> Option<Leads> {
        leads(self.0.get(&format!("{state}_office_hours_forward_rule"))?)
    }

    /// What happens when nobody has answered, and after how long.
    pub fn no_answer(&self, state: &str) -> Option<(Leads, Duration)> {
        let rule = self.0.get(&format!("{state}_no_answer_forward_rule"))?;
        let seconds = rule["timeout"].as_u64().unwrap_or(60);
        Some((leads(rule)?, Duration::from_secs(seconds)))
    }

    /// All of them as `/user` tells them.
    pub fn told(&self) -> impl Iterator<Item = (String, Value)> {
        fields().map(|field| {
            let value = self.0.get(&field).cloned().unwrap_or(Value::Null);
            (field, value)
        })
    }

    /// Takes those of a `POST /user`; the field that is wrong.
    pub fn take(&mut self, body: &Map<String, Value>) -> Result<(), String> {
        let mut taken = Vec::new();
        for field in fields() {
            let Some(rule) = body.get(&field) else { continue };
            if !is_sound(&field, rule) {
                return Err(field);
            }
            taken.push((field, rule.clone()));
        }
        self.0.extend(taken);
        Ok(())
    }
}

fn fields() -> impl Iterator<Item = String> {
    let hours = STATES.iter().flat_map(|state| {
        ["office_hours", "non_office_hours"].map(|hours| format!("{state}_{hours}_forward_rule"))
    });
    hours.chain(["available", "busy"].map(|state| format!("{state}_no_answer_forward_rule")))
}

fn is_sound(field: &str, rule: &Value) -> bool {
    let rings =
        !field.contains("no_answer") && ["available", "busy"].iter().any(|state| field.starts_with(state));
    let number = rule["number"].as_str().unwrap_or_default();
    let timeout = rule["timeout"].is_null() || rule["timeout"].as_u64().is_some();
    match rule["action"].as_str() {
        Some("FORWARD_TO_NUMBER") => {
            timeout && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c))
        }
        Some("RING_ANYWAY") => rings,
        Some("FORWARD_TO_VOICEMAIL" | "HANGUP") => timeout,
        _ => rule.is_null(),
    }
}

fn leads(rule: &Value) -> Option<Leads> {
    Some(match rule["action"].as_str()? {
        "FORWARD_TO_NUMBER" => Leads::Number(rule["number"].as_str()?.to_owned()),
        "FORWARD_TO_VOICEMAIL" => Leads::Voicemail,
        "HANGUP" => Leads::HangUp,
        _ => Leads::Ring,
    })
}
