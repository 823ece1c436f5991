//! Pictures of people, by account and reference: kept on disk, else asked of the PBX
//! (`GET /api/blobs/{digest}`), and handed to the windows only as the phone itself wrote them.

mod cut;
mod shelf;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pbx_api::Client;
use secrecy::SecretString;
use sign_in::Session;
use tokio::sync::Semaphore;

use self::cut::Cut;
use self::shelf::Shelf;
use crate::actor::Input;
use crate::contacts::ContactsInput;
use crate::outlet::Outlet;
use crate::{AccountId, Event};

/// How long one that could not be had is not asked for again.
const PATIENCE: Duration = Duration::from_secs(300);
/// Those that could not be had and are remembered.
const FAILURES: usize = 2048;
/// Longest reference.
const REFERENCE: usize = 2048;
/// Asked for at once: each may take a hundred megabytes while it is unpacked.
const AT_ONCE: usize = 2;

/// Whose picture: account and reference.
pub(crate) type Whose = (AccountId, String);

/// What became of one that was asked for.
pub(crate) enum Outcome {
    /// It is there, as a `data:` URL.
    Here(String),
    /// It could not be had.
    Failed,
    /// There was nobody to ask.
    Unasked,
}

/// The portraits: which are on their way, and which could not be had.
pub(crate) struct Portraits {
    /// None where nothing is kept, and nothing asked for.
    shelf: Option<Arc<Mutex<Shelf>>>,
    asked: HashSet<Whose>,
    failed: HashMap<Whose, Instant>,
    turns: Arc<Semaphore>,
}

impl Portraits {
    /// Those kept below `dir`; or none at all.
    pub(crate) fn new(dir: &Path, keeps: bool) -> Self {
        let shelf = keeps.then(|| Arc::new(Mutex::new(Shelf::new(dir.join("portraits")))));
        Self {
            shelf,
            asked: HashSet::new(),
            failed: HashMap::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Looks for a portrait, unless it is on its way. Where it is known that there is none, that is told.
    pub(crate) fn ask(&mut self, whose: Whose, session: Option<Session>, outlet: &Outlet) {
        let Some(shelf) = self.shelf.clone().filter(|_| whose.1.len() <= REFERENCE) else {
            return outlet.tell(told(whose, None));
        };
        if self.failed.get(&whose).is_some_and(|since| since.elapsed() < PATIENCE) {
            return outlet.tell(told(whose, None));
        }
        if !self.asked.insert(whose.clone()) {
            return;
        }
        let age = lock(&shelf).age(&whose.0);
        let turns = Arc::clone(&self.turns);
        outlet.waiting(async move {
            let outcome = find(&shelf, age, &whose, session, &turns).await;
            Input::Contacts(Box::new(ContactsInput::Portrait(whose, outcome)))
        });
    }

    /// What became of it.
    pub(crate) fn found(&mut self, whose: Whose, outcome: Outcome) -> Event {
        self.asked.remove(&whose);
        match outcome {
            Outcome::Here(url) => return told(whose, Some(url)),
            Outcome::Failed => {
                if self.failed.len() >= FAILURES {
                    self.failed.clear();
                }
                self.failed.insert(whose.clone(), Instant::now());
            }
            Outcome::Unasked => {}
        }
        told(whose, None)
    }

    /// A session of an account stands: what could not be had is asked for again.
    pub(crate) fn stands(&mut self, account: &AccountId) {
        self.failed.retain(|(of, _), _| of != account);
    }

    /// Removes what came with an account. It waits for the disk: the account is gone only then.
    pub(crate) fn forget(&mut self, account: &AccountId) {
        self.stands(account);
        if let Some(shelf) = &self.shelf {
            lock(shelf).forget(account);
        }
    }
}

async fn find(
    shelf: &Arc<Mutex<Shelf>>,
    age: u32,
    whose: &Whose,
    session: Option<Session>,
    turns: &Semaphore,
) -> Outcome {
    // It is never closed.
    let _turn = turns.acquire().await;
    let (kept, (account, reference)) = (Arc::clone(shelf), whose.clone());
    let kept = tokio::task::spawn_blocking(move || lock(&kept).get(&account, &reference)).await;
    if let Ok(Some(portrait)) = kept {
        return Outcome::Here(url(&portrait));
    }
    let Some(session) = session else { return Outcome::Unasked };
    let ask = |client: Client, access: SecretString| {
        let reference = whose.1.clone();
        async move { client.blob(&reference, Some(&access)).await }
    };
    let blob = match session.authorized(ask).await {
        Ok(blob) => blob,
        Err(error) => {
            tracing::debug!(%error, "a portrait cannot be had");
            return Outcome::Failed;
        }
    };
    let (shelf, (account, reference)) = (Arc::clone(shelf), whose.clone());
    let made = move || {
        let portrait = cut::cut(&blob.bytes)?;
        lock(&shelf).put(&account, age, &reference, &portrait).then(|| url(&portrait))
    };
    match tokio::task::spawn_blocking(made).await {
        Ok(Some(url)) => Outcome::Here(url),
        _ => Outcome::Failed,
    }
}

fn told((account, reference): Whose, portrait: Option<String>) -> Event {
    Event::Portrait { account, reference, portrait }
}

fn url(portrait: &Cut) -> String {
    format!("data:{};base64,{}", portrait.media_type, BASE64_STANDARD.encode(&portrait.bytes))
}

/// What it holds is whole after every step.
fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}
