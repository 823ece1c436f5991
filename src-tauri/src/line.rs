//! The line between the window and the phone.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use phone::{Code, Command, Config, Event, Phone, Picture, Problem};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};
use tokio::time::timeout;

/// How long the phone may take to un-register.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// A running phone, or why there is none.
type Slot = Result<Phone, Problem>;

/// The phone, for those who ask it something. While it starts, they wait.
pub struct Line(Arc<RwLock<Slot>>);

/// The phone's place on the line, kept for it until it has started.
pub struct Starting(OwnedRwLockWriteGuard<Slot>);

/// Events were lost: what the window shows is no longer to be trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost;

impl Line {
    /// A line on which a phone is about to start.
    pub fn new() -> (Self, Starting) {
        let line = Arc::new(RwLock::new(Err(Code::NotNow.into())));
        let place = tauri::async_runtime::block_on(Arc::clone(&line).write_owned());
        (Self(line), Starting(place))
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
            Ok(phone) => Ok(phone.picture().await),
            Err(problem) => Err(problem.clone()),
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

impl Starting {
    /// Starts the phone and tells all that happens until it stops.
    pub async fn start(mut self, config: Config, tell: impl Fn(Result<Event, Lost>)) {
        match Phone::start(config).await {
            Ok(phone) => {
                let events = phone.subscribe();
                *self.0 = Ok(phone);
                drop(self.0);
                forward(events, tell).await;
            }
            Err(problem) => {
                tracing::error!(?problem, "the phone does not start");
                *self.0 = Err(problem);
            }
        }
    }
}

/// Tells every event, and where some were lost, that they were.
async fn forward(mut events: Receiver<Event>, tell: impl Fn(Result<Event, Lost>)) {
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
