//! The line between the window and the phone.

use std::mem;
use std::time::Duration;

use phone::{Code, Command, Event, Phone, Picture, Problem};
use tokio::sync::RwLock;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

/// How long the phone may take to stop: longer than it allows itself, so that it is never cut short.
const STOP_WITHIN: Duration = Duration::from_secs(6);

/// The phone, for those who ask it something.
pub struct Line(RwLock<Result<Phone, Problem>>);

/// Events were lost: what the window shows is no longer to be trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost;

impl Line {
    /// The line to a running phone, or to the reason why there is none.
    pub fn new(phone: Result<Phone, Problem>) -> Self {
        Self(RwLock::new(phone))
    }

    /// Hands a command to the phone.
    ///
    /// # Errors
    /// Why there is no phone.
    pub async fn send(&self, command: Command) -> Result<(), Problem> {
        match &*self.0.read().await {
            Ok(phone) => {
                phone.send(command);
                Ok(())
            }
            Err(problem) => Err(problem.clone()),
        }
    }

    /// The state of the phone.
    ///
    /// # Errors
    /// Why there is no phone.
    pub async fn picture(&self) -> Result<Picture, Problem> {
        match &*self.0.read().await {
            Ok(phone) => phone.picture().await.ok_or(Code::Internal.into()),
            Err(problem) => Err(problem.clone()),
        }
    }

    /// Ends the phone as a defect would.
    #[cfg(all(unix, debug_assertions))]
    pub async fn crash(&self) {
        if let Ok(phone) = &*self.0.read().await {
            phone.crash();
        }
    }

    /// Stops the phone; it un-registers, within [`STOP_WITHIN`]. Whoever asks meanwhile waits for it too.
    pub async fn stop(&self) {
        let stopping = async {
            let mut slot = self.0.write().await;
            if let Ok(phone) = mem::replace(&mut *slot, Err(Code::NotNow.into())) {
                phone.stop().await;
            }
        };
        if timeout(STOP_WITHIN, stopping).await.is_err() {
            tracing::warn!("the phone did not stop in time");
        }
    }
}

/// Tells every event, and where some were lost, that they were.
pub async fn forward(mut events: Receiver<Event>, tell: impl Fn(Result<Event, Lost>)) {
    loop {
        match events.recv().await {
            Ok(event) => tell(Ok(event)),
            Err(RecvError::Lagged(lost)) => {
                tracing::warn!(lost, "events were lost on the way to the window");
                tell(Err(Lost));
            }
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use phone::AccountId;
    use tokio::sync::broadcast;

    use super::*;

    /// What is told of the events 0 to `sent`, where the line holds four.
    async fn told(sent: u32) -> Vec<Result<Event, Lost>> {
        let (phone, events) = broadcast::channel(4);
        (0..sent).for_each(|n| assert_eq!(phone.send(event(n)).unwrap(), 1));
        drop(phone);
        let told = RefCell::new(Vec::new());
        forward(events, |news| told.borrow_mut().push(news)).await;
        told.into_inner()
    }

    fn event(n: u32) -> Event {
        Event::AccountGone { account: AccountId(n.to_string()) }
    }

    #[tokio::test]
    async fn every_event_is_told_in_order() {
        assert_eq!(told(3).await, [0, 1, 2].map(|n| Ok(event(n))));
    }

    #[tokio::test]
    async fn lost_events_are_told_to_be_lost() {
        let after = [5, 6, 7, 8].map(|n| Ok(event(n)));
        assert_eq!(told(9).await, [&[Err(Lost)], &after[..]].concat());
    }
}
