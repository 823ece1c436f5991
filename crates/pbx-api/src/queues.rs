//! The call queues that the user serves as an agent, and how he stands in each.

use secrecy::SecretString;

use crate::contact::{is_opaque, line};
use crate::json::Object;
use crate::request::{Field, JSON_LIMIT};
use crate::{ApiError, Client};

/// A queue (`GET /user/call_queues`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Opaque id.
    pub id: String,
    /// Its name; its number where it has none.
    pub name: String,
    /// Its extension.
    pub number: Option<String>,
}

/// How an agent stands in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentState {
    /// `READY`: takes calls of the queue.
    Ready,
    /// `NOT_READY`; `BREAK` and `LUNCH`, which PBXs before 22.3 know.
    NotReady,
    /// `WRAP_UP`: writes up the last call.
    WrapUp,
    /// `QUEUE_CALL`, `OTHER_CALL`: in a call.
    InCall,
    /// `LOGGED_OUT`.
    LoggedOut,
    /// `OFFLINE`, or one that this client does not know.
    Other,
}

/// What an agent can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentChoice {
    /// `READY`.
    Ready,
    /// `NOT_READY`.
    NotReady,
    /// `LOGGED_IN`.
    LogIn,
    /// `LOGGED_OUT`.
    LogOut,
}

impl AgentState {
    fn named(name: &str) -> Self {
        match name {
            "READY" => Self::Ready,
            "NOT_READY" | "BREAK" | "LUNCH" => Self::NotReady,
            "WRAP_UP" => Self::WrapUp,
            "QUEUE_CALL" | "OTHER_CALL" => Self::InCall,
            "LOGGED_OUT" => Self::LoggedOut,
            _ => Self::Other,
        }
    }
}

impl AgentChoice {
    fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::NotReady => "NOT_READY",
            Self::LogIn => "LOGGED_IN",
            Self::LogOut => "LOGGED_OUT",
        }
    }
}

impl Client {
    /// `GET /user/call_queues`: the queues that the user serves.
    ///
    /// # Errors
    /// [`ApiError::Refused`] or [`ApiError::NotFound`] where this PBX does not offer them to this user.
    pub async fn queues(&self, access: &SecretString) -> Result<Vec<Queue>, ApiError> {
        let answer = self.get(self.url("user/call_queues")).bearer(access)?.answer(JSON_LIMIT).await?;
        read(&answer.bytes)
    }

    /// `GET /user/call_queues/{id}/agent`: how the user stands in a queue.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] where it is gone.
    pub async fn agent_state(&self, access: &SecretString, queue: &str) -> Result<AgentState, ApiError> {
        let url = self.below("user/call_queues", &[queue, "agent"])?;
        let answer = self.get(url).bearer(access)?.answer(JSON_LIMIT).await?;
        read_state(&answer.bytes)
    }

    /// `POST /user/call_queues/{id}/agent`: stands otherwise in a queue.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] where it is gone.
    pub async fn set_agent_state(
        &self,
        access: &SecretString,
        queue: &str,
        choice: AgentChoice,
    ) -> Result<(), ApiError> {
        let url = self.below("user/call_queues", &[queue, "agent"])?;
        let request = self.post(url).bearer(access)?.json(&[("status", Field::Plain(choice.name()))])?;
        request.answer(JSON_LIMIT).await.map(drop)
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Queue>, ApiError> {
    let mut queues = Vec::new();
    for mut item in Object::parse("call_queues", bytes)?.objects("items")? {
        let Some(id) = item.text("id")?.filter(|id| is_opaque(id)) else { continue };
        let number = line(&mut item, "extension_number")?;
        let Some(name) = line(&mut item, "name")?.or_else(|| number.clone()) else { continue };
        queues.push(Queue { id, name, number });
    }
    Ok(queues)
}

pub(crate) fn read_state(bytes: &[u8]) -> Result<AgentState, ApiError> {
    let status = Object::parse("agent", bytes)?.text("status")?;
    Ok(status.map_or(AgentState::Other, |name| AgentState::named(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_and_how_one_stands_in_them_are_read() {
        let body = br#"{"items":[{"id":"q1","name":"Sales","extension_number":"8001"},
            {"id":"q2","extension_number":"8002"},{"id":"q3"},{"id":"..","name":"Up"},{"name":"No id"}]}"#;
        let queue = |id: &str, name: &str, number: &str| Queue {
            id: id.into(),
            name: name.into(),
            number: Some(number.into()),
        };
        assert_eq!(read(body).unwrap(), [queue("q1", "Sales", "8001"), queue("q2", "8002", "8002")]);
        assert_eq!(read(b"{}").unwrap(), []);
        for (name, state) in [
            ("READY", AgentState::Ready),
            ("LUNCH", AgentState::NotReady),
            ("QUEUE_CALL", AgentState::InCall),
            ("ON_MARS", AgentState::Other),
        ] {
            let body = format!(r#"{{"status":"{name}"}}"#);
            assert_eq!(read_state(body.as_bytes()).unwrap(), state);
        }
    }
}
