//! Voicemail greetings: recorded or taken out of a file, used, reset, deleted.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use base64::Engine;
use devices::{FRAME, Frames, at_rate};
use pbx_api::{Client, Greeting};
use secrecy::SecretString;
use sign_in::{Session, SignInError};

use super::saving::Place;
use super::{PortalInput, is_not_offered, problem_of, put};
use crate::dictation::Said;
use crate::outlet::Outlet;
use crate::wav::Wav;
use crate::{
    AccountId, Code, Command, DraftView, Event, GreetingId, GreetingView, GreetingsView, PeerView, Problem,
};

/// What PBXs play: 8 kHz, 16 bit, mono.
const RATE: u32 = 8_000;
/// A greeting is no longer.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// What happened to the greetings, outside the actor.
pub(crate) enum GreetingInput {
    /// The PBX was asked: the greetings, or none where it does not offer them.
    Asked(AccountId, Result<Option<Vec<Greeting>>, SignInError>),
    /// Something was changed, or could not be; whether it was the draft that was sent.
    Changed(AccountId, bool, Result<(), SignInError>),
    /// A file was read, or what was said made fit to be sent.
    Drafted(Result<Wav, Problem>),
}

/// The greetings of all accounts, and the one that is made.
pub(super) struct Greetings {
    boxes: BTreeMap<AccountId, Held>,
    ids: HashMap<(AccountId, String), GreetingId>,
    last: u32,
    draft: Option<Wav>,
    told: GreetingsView,
    outlet: Outlet,
}

struct Held {
    session: Session,
    /// None where it is not known, or not offered.
    greetings: Option<Vec<(GreetingId, Greeting)>>,
}

impl Greetings {
    pub(super) fn new(outlet: Outlet) -> Self {
        Self {
            boxes: BTreeMap::new(),
            ids: HashMap::new(),
            last: 0,
            draft: None,
            told: GreetingsView::default(),
            outlet,
        }
    }

    pub(super) fn view(&self) -> GreetingsView {
        self.told.clone()
    }

    /// Follows a command about greetings; any other is handed back.
    ///
    /// # Errors
    /// There is no such greeting, or no account that takes one.
    pub(super) fn follow(&mut self, command: Command) -> Result<Result<(), Problem>, Box<Command>> {
        Ok(match command {
            Command::AskGreetings => {
                let all: Vec<AccountId> = self.boxes.keys().cloned().collect();
                all.iter().for_each(|account| self.ask(account));
                Ok(())
            }
            Command::TakeGreeting { file } => {
                let outlet = self.outlet.clone();
                tokio::task::spawn_blocking(move || {
                    put(&outlet, PortalInput::Greeting(GreetingInput::Drafted(of_file(&file))));
                });
                Ok(())
            }
            Command::DropDraft => {
                self.draft = None;
                self.show(DraftView::None);
                Ok(())
            }
            Command::UseDraft { account } => self.send(account.as_ref()),
            Command::UseGreeting { id, on } => self.enable(id, on),
            Command::DeleteGreeting { id } => self.delete(id),
            other => return Err(Box::new(other)),
        })
    }

    /// Takes what happened.
    pub(super) fn take(&mut self, input: GreetingInput) {
        match input {
            GreetingInput::Asked(account, asked) => self.asked(&account, asked),
            GreetingInput::Changed(account, sent, done) => {
                if let Err(error) = &done {
                    self.outlet.tell(Event::Notice { problem: problem_of(error), call: None });
                }
                if sent {
                    match (done, &self.draft) {
                        (Err(_), Some(draft)) => {
                            let length_ms = milliseconds(draft.length());
                            self.show(DraftView::Ready { length_ms });
                        }
                        _ => {
                            self.draft = None;
                            self.show(DraftView::None);
                        }
                    }
                }
                self.ask(&account);
            }
            GreetingInput::Drafted(Ok(wav)) => {
                let length_ms = milliseconds(wav.length());
                self.draft = Some(wav);
                self.show(DraftView::Ready { length_ms });
            }
            GreetingInput::Drafted(Err(problem)) => self.show(DraftView::Failed { problem }),
        }
    }

    /// Something is said, or could not be.
    pub(super) fn said(&mut self, said: Said) {
        match said {
            Said::Going(ms, level) => self.show(DraftView::Recording { ms, level }),
            Said::Failed(problem) => self.show(DraftView::Failed { problem }),
            Said::Over(frames) => {
                let outlet = self.outlet.clone();
                tokio::task::spawn_blocking(move || {
                    let fit = fit(&frames);
                    put(&outlet, PortalInput::Greeting(GreetingInput::Drafted(fit)));
                });
            }
        }
    }

    /// It cannot be recorded.
    pub(super) fn failed(&mut self, problem: Problem) {
        self.show(DraftView::Failed { problem });
    }

    pub(super) fn stands(&mut self, id: AccountId, session: Session) {
        let greetings = self.boxes.remove(&id).and_then(|held| held.greetings);
        self.boxes.insert(id.clone(), Held { session, greetings });
        self.ask(&id);
    }

    pub(super) fn gone(&mut self, id: &AccountId) {
        self.boxes.remove(id);
        self.tell();
    }

    /// The greeting that was made and is not sent yet.
    pub(super) fn draft(&self) -> Result<Wav, Problem> {
        self.draft.clone().ok_or_else(|| Code::GoneAtPbx.into())
    }

    /// Where the sound of a greeting is.
    ///
    /// # Errors
    /// There is no such greeting, or it has none.
    pub(super) fn place(&self, id: GreetingId) -> Result<Place, Problem> {
        let (account, one) = self.find(id)?;
        let held = self.boxes.get(account).ok_or(Code::SessionExpired)?;
        Ok(Place {
            session: held.session.clone(),
            reference: one.file_url.clone().ok_or(Code::GoneAtPbx)?,
            about: (
                PeerView { number: String::new(), name: one.file_name.clone(), picture: None },
                crate::calls::now(),
            ),
        })
    }

    fn ask(&self, id: &AccountId) {
        let Some(held) = self.boxes.get(id) else { return };
        let (session, id, outlet) = (held.session.clone(), id.clone(), self.outlet.clone());
        tokio::spawn(async move {
            let ask = |client: Client, access: SecretString| async move { client.greetings(&access).await };
            let asked = match session.authorized(ask).await {
                Err(error) if is_not_offered(&error) => Ok(None),
                listed => listed.map(Some),
            };
            put(&outlet, PortalInput::Greeting(GreetingInput::Asked(id, asked)));
        });
    }

    fn asked(&mut self, id: &AccountId, asked: Result<Option<Vec<Greeting>>, SignInError>) {
        let Some(held) = self.boxes.get_mut(id) else { return };
        match asked {
            Ok(listed) => {
                let (ids, last) = (&mut self.ids, &mut self.last);
                let number = |one: Greeting| {
                    let number = *ids.entry((id.clone(), one.id.clone())).or_insert_with(|| {
                        *last += 1;
                        GreetingId(*last)
                    });
                    (number, one)
                };
                held.greetings = listed.map(|listed| listed.into_iter().map(number).collect());
            }
            Err(error) => tracing::info!(account = %id, %error, "the greetings cannot be asked for"),
        }
        self.tell();
    }

    /// Sends the draft to the PBX, which uses it from then on.
    fn send(&mut self, wanted: Option<&AccountId>) -> Result<(), Problem> {
        let draft = self.draft()?;
        let mut taking = self.boxes.iter().filter(|(_, held)| held.greetings.is_some());
        let (id, held) =
            taking.find(|(id, _)| wanted.is_none_or(|wanted| wanted == *id)).ok_or(Code::NoAccount)?;
        let (session, id, outlet) = (held.session.clone(), id.clone(), self.outlet.clone());
        let file = bytes::Bytes::from(draft.to_bytes());
        // `2026-11-22 12:16:05Z`, of letters that every file system takes.
        let name = format!("Greeting {}.wav", crate::calls::now().to_string().replace(':', "."));
        self.show(DraftView::Sending);
        tokio::spawn(async move {
            let ask = |client: Client, access: SecretString| {
                let (file, name) = (file.clone(), name.clone());
                async move {
                    let file = client.upload(&access, &name, file).await?;
                    let greeting = client.add_greeting(&access, &file).await?;
                    client.enable_greeting(&access, &greeting, true).await
                }
            };
            let done = session.authorized(ask).await;
            put(&outlet, PortalInput::Greeting(GreetingInput::Changed(id, true, done)));
        });
        Ok(())
    }

    fn enable(&self, id: GreetingId, on: bool) -> Result<(), Problem> {
        self.change(id, move |client, access, remote| async move {
            client.enable_greeting(&access, &remote, on).await
        })
    }

    fn delete(&self, id: GreetingId) -> Result<(), Problem> {
        self.change(
            id,
            |client, access, remote| async move { client.delete_greeting(&access, &remote).await },
        )
    }

    fn change<F>(
        &self,
        id: GreetingId,
        change: impl Fn(Client, SecretString, String) -> F + Send + Sync + 'static,
    ) -> Result<(), Problem>
    where
        F: Future<Output = Result<(), pbx_api::ApiError>> + Send,
    {
        let (account, one) = self.find(id)?;
        let held = self.boxes.get(account).ok_or(Code::SessionExpired)?;
        let (session, remote) = (held.session.clone(), one.id.clone());
        let (account, outlet) = (account.clone(), self.outlet.clone());
        tokio::spawn(async move {
            let ask = |client: Client, access: SecretString| change(client, access, remote.clone());
            let done = session.authorized(ask).await;
            put(&outlet, PortalInput::Greeting(GreetingInput::Changed(account, false, done)));
        });
        Ok(())
    }

    fn find(&self, id: GreetingId) -> Result<(&AccountId, &Greeting), Problem> {
        let all = self.boxes.iter().flat_map(|(account, held)| {
            held.greetings.iter().flatten().map(move |(number, one)| (account, *number, one))
        });
        let found = all.into_iter().find(|(_, number, _)| *number == id);
        found.map(|(account, _, one)| (account, one)).ok_or_else(|| Code::GoneAtPbx.into())
    }

    fn show(&mut self, draft: DraftView) {
        if self.told.draft != draft {
            self.told.draft = draft;
            self.outlet.tell(Event::Greetings { view: self.view() });
        }
    }

    fn tell(&mut self) {
        let held = self.boxes.iter().filter_map(|(account, held)| Some((account, held.greetings.as_ref()?)));
        let mut view = GreetingsView { draft: self.told.draft.clone(), ..GreetingsView::default() };
        for (account, greetings) in held {
            view.accounts.push(account.clone());
            view.greetings.extend(greetings.iter().map(|(id, one)| GreetingView {
                id: *id,
                account: account.clone(),
                name: one.file_name.clone(),
                on: one.enabled,
            }));
        }
        if self.told != view {
            self.told = view;
            self.outlet.tell(Event::Greetings { view: self.view() });
        }
    }
}

/// What was said, as PBXs play it.
fn fit(frames: &[[i16; FRAME]]) -> Result<Wav, Problem> {
    let samples = at_rate(frames, RATE).map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    Ok(Wav { rate: RATE, samples: samples.into() })
}

/// A file of any kind that is known here, base64, as PBXs play it.
fn of_file(file: &str) -> Result<Wav, Problem> {
    let unknown = |why: &str| Problem::new(Code::SoundUnknown, why);
    let bytes = base64::engine::general_purpose::STANDARD.decode(file).map_err(|_| unknown("base64"))?;
    let wav = Wav::read(&bytes).map_err(|error| unknown(&error.to_string()))?;
    if wav.samples.is_empty() || wav.length() > LONGEST {
        return Err(unknown("empty, or longer than five minutes"));
    }
    if wav.rate == RATE {
        return Ok(wav);
    }
    let frames = Frames::of(wav.samples, wav.rate, Duration::ZERO).map_err(|e| unknown(&e.to_string()))?;
    fit(&frames.collect::<Vec<_>>())
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
