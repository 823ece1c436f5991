use std::path::PathBuf;
use std::sync::Arc;

use sign_in::Keeper;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::actor::{Actor, Input};
use crate::outlet::Outlet;
use crate::settings::Settings;
use crate::signing_in::SigningIn;
use crate::{Code, Command, Config, Event, Picture, Problem};

/// Events a shell may be behind before it has to ask for the whole picture.
const BACKLOG: usize = 1024;

/// A running phone.
///
/// Dropping it leaves the phone running until its runtime ends; [`stop`](Self::stop) ends it properly.
#[derive(Debug)]
pub struct Phone {
    inbox: mpsc::UnboundedSender<Input>,
    events: broadcast::Sender<Event>,
    task: JoinHandle<()>,
    died: watch::Receiver<bool>,
}

impl Phone {
    /// Starts a phone that keeps its secrets in the system's keychain.
    ///
    /// # Errors
    /// The settings cannot be read: nothing is started and nothing is lost.
    pub fn start(config: Config) -> Result<Self, Problem> {
        Self::start_with(config, Keeper::keychain(brand::BRAND.keychain))
    }

    /// Starts a phone that keeps its secrets with the keeper given.
    ///
    /// # Errors
    /// The settings cannot be read: nothing is started and nothing is lost.
    pub fn start_with(mut config: Config, keeper: Keeper) -> Result<Self, Problem> {
        config.lock();
        let settings = Settings::load(&config.data_dir)
            .map_err(|e| Problem::new(Code::SettingsFailed, e.to_string()))?;
        let (events, _) = broadcast::channel(BACKLOG);
        let (inbox, received) = mpsc::unbounded_channel();
        let outlet = Outlet::new(events.clone(), inbox.clone());
        let config = Arc::new(config);
        let signing_in = SigningIn::new(Arc::clone(&config), settings, keeper, outlet.clone());
        let actor = Actor::new(&config, signing_in, received, outlet);
        let (death, died) = watch::channel(false);
        let task = tokio::spawn(async move {
            let ended = tokio::spawn(actor.run()).await;
            let _ = death.send(ended.is_err_and(|error| error.is_panic()));
        });
        Ok(Self { inbox, events, task, died })
    }

    /// Resolves when a defect has ended the phone: it rings no more, and only a new one helps. Never, where it is
    /// stopped.
    pub fn died(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let mut died = self.died.clone();
        async move {
            if died.wait_for(|died| *died).await.is_err() {
                std::future::pending().await
            }
        }
    }

    /// Ends the phone as a defect would, in builds for tests.
    #[cfg(debug_assertions)]
    pub fn crash(&self) {
        self.put(Input::Crash);
    }

    /// Asks for something. What became of it comes as an event.
    pub fn send(&self, command: Command) {
        self.put(Input::Command(command));
    }

    /// The whole state as it stands now; none once the phone has stopped.
    pub async fn picture(&self) -> Option<Picture> {
        let (reply, picture) = oneshot::channel();
        self.put(Input::Picture(reply));
        picture.await.ok()
    }

    /// Every event from now on. A shell that falls behind is told so and asks for the [`picture`](Self::picture).
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Ends all calls, un-registers all accounts and stops, within a few seconds. Sessions stay signed in.
    pub async fn stop(self) {
        let (done, stopped) = oneshot::channel();
        self.put(Input::Stop(done));
        // The actor ends right after it has answered; both are over when the task is.
        let _ = stopped.await;
        let _ = self.task.await;
    }

    fn put(&self, input: Input) {
        // A stopped phone follows no command; `picture` tells so.
        let _ = self.inbox.send(input);
    }
}

/// Where settings are kept unless another place is named: the user's own directory for such.
pub fn default_data_dir() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", brand::BRAND.name).map(|dirs| dirs.data_dir().to_owned())
}
