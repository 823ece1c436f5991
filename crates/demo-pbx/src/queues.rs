//! Call queues: who serves which, and how.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::tenant::{Tenant, opaque};

/// How an agent can stand in a queue, as the contract knows it.
const CHOICES: [&str; 7] = ["READY", "NOT_READY", "WRAP_UP", "BREAK", "LUNCH", "LOGGED_IN", "LOGGED_OUT"];

struct Queue {
    id: String,
    name: &'static str,
    number: &'static str,
    /// How each of its agents stands, by their extensions.
    agents: BTreeMap<String, String>,
}

/// All queues.
#[derive(Default)]
pub(crate) struct Queues(Vec<Queue>);

impl Queues {
    /// "Sales" at 8001, served by the first two users, and "Support" at 8002, served by the first.
    pub fn of(tenant: &Tenant) -> Self {
        let queue = |name, number, count| Queue {
            id: opaque(16),
            name,
            number,
            agents: tenant
                .users
                .iter()
                .take(count)
                .map(|u| (u.extension.clone(), "LOGGED_OUT".into()))
                .collect(),
        };
        Self(vec![queue("Sales", "8001", 2), queue("Support", "8002", 1)])
    }

    /// Those that an extension serves.
    pub fn list(&self, extension: &str) -> Vec<Value> {
        let served = self.0.iter().filter(|queue| queue.agents.contains_key(extension));
        served.map(|q| json!({ "id": q.id, "name": q.name, "extension_number": q.number })).collect()
    }

    /// How an extension stands in a queue that it serves.
    pub fn standing(&self, id: &str, extension: &str) -> Option<String> {
        self.0.iter().find(|queue| queue.id == id)?.agents.get(extension).cloned()
    }

    /// The same by the queue's name.
    pub fn standing_in(&self, name: &str, extension: &str) -> Option<String> {
        self.0.iter().find(|queue| queue.name == name)?.agents.get(extension).cloned()
    }

    /// An extension chooses. None where it serves no such queue; whether it is a choice.
    pub fn choose(&mut self, id: &str, extension: &str, choice: &str) -> Option<bool> {
        let agent = self.0.iter_mut().find(|queue| queue.id == id)?.agents.get_mut(extension)?;
        // Who has not logged in is not ready or paused.
        let logged_in = agent != "LOGGED_OUT" || matches!(choice, "LOGGED_IN" | "LOGGED_OUT");
        if !CHOICES.contains(&choice) || !logged_in {
            return Some(false);
        }
        *agent = if choice == "LOGGED_IN" { "NOT_READY".into() } else { choice.into() };
        Some(true)
    }

    /// The agents of a queue's number that take calls; none where it is no queue's.
    pub fn ready(&self, number: &str) -> Option<Vec<String>> {
        let queue = self.0.iter().find(|queue| queue.number == number)?;
        Some(
            queue
                .agents
                .iter()
                .filter(|(_, state)| *state == "READY")
                .map(|(agent, _)| agent.clone())
                .collect(),
        )
    }

    /// The numbers of all queues.
    pub fn numbers(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|queue| queue.number)
    }
}
