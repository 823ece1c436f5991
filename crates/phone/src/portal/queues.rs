//! The queues that the user serves, and how he stands in them.

use std::collections::BTreeMap;

use pbx_api::{AgentChoice, AgentState, Client, Queue};
use secrecy::SecretString;
use sign_in::{Session, SignInError};
use tokio::task::AbortHandle;

use super::{PortalInput, is_not_offered, later, problem_of, put, wait};
use crate::outlet::Outlet;
use crate::{AccountId, Code, Command, Event, Problem, QueueChoice, QueueStanding, QueueView};

/// Queues of one user that are asked about.
const MOST: usize = 50;

/// What happened to it, outside the actor.
pub(crate) enum QueuesInput {
    /// The time has come to ask the PBX.
    Due(AccountId),
    /// The PBX was asked, or does not offer it.
    Asked(AccountId, Result<Vec<(Queue, AgentState)>, SignInError>),
    /// It was told how the user stands in a queue, or could not be.
    Changed(AccountId, String, Result<(), SignInError>),
}

/// The queues of each account.
pub(super) struct Queues {
    accounts: BTreeMap<AccountId, Known>,
    told: Vec<QueueView>,
    outlet: Outlet,
}

struct Known {
    session: Session,
    queues: Vec<QueueView>,
    failures: u32,
    alarm: Option<AbortHandle>,
}

impl Drop for Known {
    fn drop(&mut self) {
        if let Some(alarm) = &self.alarm {
            alarm.abort();
        }
    }
}

impl Queues {
    pub(super) fn new(outlet: Outlet) -> Self {
        Self { accounts: BTreeMap::new(), told: Vec::new(), outlet }
    }

    pub(super) fn views(&self) -> Vec<QueueView> {
        self.told.clone()
    }

    /// Follows a command about it; any other is handed back.
    ///
    /// # Errors
    /// There is no such queue.
    pub(super) fn follow(&mut self, command: Command) -> Result<Result<(), Problem>, Box<Command>> {
        Ok(match command {
            Command::SetQueue { account, queue, choice } => self.set(account, queue, choice),
            Command::AskQueues => {
                let all: Vec<AccountId> = self.accounts.keys().cloned().collect();
                all.iter().for_each(|account| self.ask(account));
                Ok(())
            }
            other => return Err(Box::new(other)),
        })
    }

    /// Takes what happened.
    pub(super) fn take(&mut self, input: QueuesInput) {
        match input {
            QueuesInput::Due(account) => self.ask(&account),
            QueuesInput::Asked(account, asked) => self.asked(&account, asked),
            QueuesInput::Changed(account, queue, done) => {
                if let Err(error) = done {
                    self.outlet.tell(Event::Notice { problem: problem_of(&error), call: None });
                }
                if let Some(view) = self.queue(&account, &queue) {
                    view.saving = false;
                }
                self.ask(&account);
            }
        }
    }

    pub(super) fn stands(&mut self, id: AccountId, session: Session) {
        let queues = self.accounts.remove(&id).map(|mut known| std::mem::take(&mut known.queues));
        let known = Known { session, queues: queues.unwrap_or_default(), failures: 0, alarm: None };
        self.accounts.insert(id.clone(), known);
        self.ask(&id);
    }

    pub(super) fn gone(&mut self, id: &AccountId) {
        self.accounts.remove(id);
        self.tell();
    }

    fn queue(&mut self, account: &AccountId, queue: &str) -> Option<&mut QueueView> {
        self.accounts.get_mut(account)?.queues.iter_mut().find(|view| view.id == queue)
    }

    fn ask(&mut self, id: &AccountId) {
        let Some(known) = self.accounts.get_mut(id) else { return };
        if let Some(alarm) = known.alarm.take() {
            alarm.abort();
        }
        let (session, id, outlet) = (known.session.clone(), id.clone(), self.outlet.clone());
        tokio::spawn(async move {
            let asked = match asked(&session).await {
                Err(error) if is_not_offered(&error) => Ok(Vec::new()),
                asked => asked,
            };
            put(&outlet, PortalInput::Queues(QueuesInput::Asked(id, asked)));
        });
    }

    fn asked(&mut self, id: &AccountId, asked: Result<Vec<(Queue, AgentState)>, SignInError>) {
        let Some(known) = self.accounts.get_mut(id) else { return };
        let told = match &asked {
            Err(SignInError::Api(error)) => error.retry_after(),
            _ => None,
        };
        match asked {
            Ok(queues) => {
                known.failures = 0;
                let before = std::mem::take(&mut known.queues);
                known.queues = queues.into_iter().map(|(queue, state)| view(id, queue, state)).collect();
                // What the user has chosen since is not in it.
                for former in before.into_iter().filter(|former| former.saving) {
                    if let Some(view) = known.queues.iter_mut().find(|view| view.id == former.id) {
                        *view = former;
                    }
                }
            }
            Err(error) => {
                tracing::info!(account = %id, %error, "the PBX cannot be asked for queues");
                known.failures = known.failures.saturating_add(1);
            }
        }
        if let Some(alarm) = known.alarm.take() {
            alarm.abort();
        }
        if !known.session.status().borrow().expired {
            let due = PortalInput::Queues(QueuesInput::Due(id.clone()));
            known.alarm = Some(later(&self.outlet, wait(known.failures, told), due));
        }
        self.tell();
    }

    fn set(&mut self, account: AccountId, queue: String, choice: QueueChoice) -> Result<(), Problem> {
        let view = self.queue(&account, &queue).ok_or(Code::FeatureOff)?;
        let out = view.standing == QueueStanding::LoggedOut;
        view.saving = true;
        let choices: &[AgentChoice] = match choice {
            QueueChoice::Ready if out => &[AgentChoice::LogIn, AgentChoice::Ready],
            QueueChoice::Ready => &[AgentChoice::Ready],
            QueueChoice::Paused if out => &[AgentChoice::LogIn, AgentChoice::NotReady],
            QueueChoice::Paused => &[AgentChoice::NotReady],
            QueueChoice::LoggedOut => &[AgentChoice::LogOut],
        };
        let known = self.accounts.get(&account).ok_or(Code::FeatureOff)?;
        let (session, outlet) = (known.session.clone(), self.outlet.clone());
        tokio::spawn(async move {
            let mut done = Ok(());
            for choice in choices {
                let ask = |client: Client, access: SecretString| {
                    let queue = queue.clone();
                    async move { client.set_agent_state(&access, &queue, *choice).await }
                };
                done = session.authorized(ask).await;
                if done.is_err() {
                    break;
                }
            }
            put(&outlet, PortalInput::Queues(QueuesInput::Changed(account, queue, done)));
        });
        self.tell();
        Ok(())
    }

    fn tell(&mut self) {
        let views: Vec<QueueView> =
            self.accounts.values().flat_map(|known| known.queues.iter().cloned()).collect();
        if self.told != views {
            self.told.clone_from(&views);
            self.outlet.tell(Event::Queues { views });
        }
    }
}

/// The queues, and how the user stands in each of them.
async fn asked(session: &Session) -> Result<Vec<(Queue, AgentState)>, SignInError> {
    let ask = |client: Client, access: SecretString| async move { client.queues(&access).await };
    let mut all = Vec::new();
    for queue in session.authorized(ask).await?.into_iter().take(MOST) {
        let ask = |client: Client, access: SecretString| {
            let id = queue.id.clone();
            async move { client.agent_state(&access, &id).await }
        };
        let state = match session.authorized(ask).await {
            Err(error) if is_not_offered(&error) => AgentState::Other,
            state => state?,
        };
        all.push((queue, state));
    }
    Ok(all)
}

fn view(account: &AccountId, queue: Queue, state: AgentState) -> QueueView {
    let standing = match state {
        AgentState::Ready => QueueStanding::Ready,
        AgentState::NotReady => QueueStanding::Paused,
        AgentState::WrapUp => QueueStanding::WrapUp,
        AgentState::InCall => QueueStanding::InCall,
        AgentState::LoggedOut => QueueStanding::LoggedOut,
        AgentState::Other => QueueStanding::Unknown,
    };
    let Queue { id, name, number } = queue;
    QueueView {
        account: account.clone(),
        id,
        name,
        number: number.unwrap_or_default(),
        standing,
        saving: false,
    }
}
