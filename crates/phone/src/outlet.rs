//! The ways out of the actor: events to the shells, and work whose result comes back as an input.

use tokio::sync::{broadcast, mpsc};
use tokio_util::task::TaskTracker;

use crate::Event;
use crate::actor::Input;

/// Hands events to the shells and inputs to the actor.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    events: broadcast::Sender<Event>,
    inbox: mpsc::UnboundedSender<Input>,
    landing: TaskTracker,
}

impl Outlet {
    /// Writes to both.
    pub(crate) fn new(events: broadcast::Sender<Event>, inbox: mpsc::UnboundedSender<Input>) -> Self {
        Self { events, inbox, landing: TaskTracker::new() }
    }

    /// Tells every shell. Without one, nobody needs to know.
    pub(crate) fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Puts something into the actor's own inbox. A phone that has stopped reads no more.
    pub(crate) fn put(&self, input: Input) {
        let _ = self.inbox.send(input);
    }

    /// Does work that blocks on a thread for such; its result comes back as an input.
    pub(crate) fn blocking(&self, work: impl FnOnce() -> Input + Send + 'static) {
        let outlet = self.clone();
        tokio::task::spawn_blocking(move || outlet.put(work()));
    }

    /// Does work that waits; its result comes back as an input.
    pub(crate) fn waiting(&self, work: impl Future<Output = Input> + Send + 'static) {
        let outlet = self.clone();
        tokio::spawn(async move { outlet.put(work.await) });
    }

    /// Does work that must come to its end before the phone may stop.
    pub(crate) fn landing(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.landing.spawn(work);
    }

    /// Comes back when all such work is done.
    pub(crate) fn landed(&self) -> impl Future<Output = ()> + Send + 'static {
        let landing = self.landing.clone();
        landing.close();
        async move { landing.wait().await }
    }
}
