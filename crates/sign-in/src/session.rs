use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use pbx_api::{ApiError, Client, Dialect, Tokens};
use secrecy::SecretString;
use tokio::sync::watch;

use crate::{Keeper, Schedule, Secrets, SessionSecrets, SignInError};

/// How long signing out at the PBX may take.
pub const SIGN_OUT_LIMIT: Duration = Duration::from_secs(3);

/// Longest sleep between two looks at the clock: timers stand still while the machine sleeps, the wall clock
/// does not.
const LOOK: Duration = Duration::from_secs(30);

/// A session at the PBX: tokens that are kept fresh and kept in the vault. Cheap to clone.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

/// What others must know of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionStatus {
    /// It cannot be renewed: sign in again.
    pub expired: bool,
    /// The vault did not take the secrets.
    pub secrets_in_memory: bool,
}

/// How signing out went. The session is over here in any case.
#[derive(Debug)]
pub struct SignedOut {
    /// At the PBX.
    pub pbx: Result<(), ApiError>,
    /// In the vault.
    pub vault: Result<(), SignInError>,
}

struct Inner {
    account: String,
    keeper: Arc<Keeper>,
    state: Mutex<State>,
    /// Held by the one refresh under way.
    flight: tokio::sync::Mutex<()>,
    status: watch::Sender<SessionStatus>,
    /// Why the vault did not take the secrets.
    vault_problem: Mutex<Option<SignInError>>,
}

struct State {
    client: Client,
    tokens: SessionSecrets,
    sip_password: Option<SecretString>,
    schedule: Schedule,
    /// Counts the tokens: those with this number are the newest.
    generation: u64,
    /// Counts the refreshes done, and keeps what the last one failed of.
    refreshes: u64,
    failure: Option<SignInError>,
    /// No refresh any more: refused, not possible, or signed out.
    ended: bool,
    /// Signed out: nothing may reach the vault any more.
    signed_out: bool,
}

impl Session {
    /// Begins a session with tokens just given. They are in the vault, or in the keeper's memory, when this
    /// is done.
    pub async fn begin(
        client: Client,
        keeper: Arc<Keeper>,
        account: impl Into<String>,
        dialect: Dialect,
        tokens: Tokens,
        sip_password: Option<SecretString>,
    ) -> Self {
        let tokens = SessionSecrets::new(dialect, tokens, SystemTime::now());
        let session = Self::with(client, keeper, account.into(), tokens, sip_password);
        let saving = session.inner.save(&session.inner.state());
        session.inner.note_saved(saving.await);
        session
    }

    /// Takes up the session of an account out of the vault; `None` where the vault holds none, as of a plain SIP
    /// account.
    ///
    /// # Errors
    /// One of the keychain errors of [`SignInError`].
    pub async fn resume(
        client: Client,
        keeper: Arc<Keeper>,
        account: impl Into<String>,
    ) -> Result<Option<Self>, SignInError> {
        let account = account.into();
        let Some(Secrets { session: Some(tokens), sip_password }) = keeper.load(&account).await? else {
            return Ok(None);
        };
        let session = Self::with(client, keeper, account, tokens, sip_password);
        let in_memory = session.inner.keeper.in_memory(&session.inner.account);
        session.inner.status.send_modify(|status| status.secrets_in_memory = in_memory);
        Ok(Some(session))
    }

    fn with(
        client: Client,
        keeper: Arc<Keeper>,
        account: String,
        tokens: SessionSecrets,
        sip_password: Option<SecretString>,
    ) -> Self {
        let schedule = match (tokens.expires_at, &tokens.refresh) {
            (Some(end), Some(_)) => Schedule::resumed(SystemTime::now(), end, rand::random()),
            (end, _) => Schedule::ending(end),
        };
        let state = State {
            client,
            tokens,
            sip_password,
            schedule,
            generation: 0,
            refreshes: 0,
            failure: None,
            ended: false,
            signed_out: false,
        };
        let inner = Inner {
            account,
            keeper,
            state: Mutex::new(state),
            flight: tokio::sync::Mutex::new(()),
            status: watch::Sender::new(SessionStatus::default()),
            vault_problem: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What others must know of it, now and at each change.
    pub fn status(&self) -> watch::Receiver<SessionStatus> {
        self.inner.status.subscribe()
    }

    /// Why the vault did not take the secrets, where it did not.
    pub fn vault_problem(&self) -> Option<SignInError> {
        self.inner.vault_problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The extension's SIP password, where known.
    pub fn sip_password(&self) -> Option<SecretString> {
        self.inner.state().sip_password.clone()
    }

    /// Keeps another SIP password.
    pub async fn set_sip_password(&self, password: SecretString) {
        self.inner.state().sip_password = Some(password);
        // Written in the middle of a refresh it would bring the void tokens back into the vault.
        let _landed = self.inner.flight.lock().await;
        let saving = {
            let state = self.inner.state();
            if state.signed_out {
                return;
            }
            self.inner.save(&state)
        };
        self.inner.note_saved(saving.await);
    }

    /// Uses another client from now on, as is needed after a new pin.
    pub fn set_client(&self, client: Client) {
        self.inner.state().client = client;
    }

    /// Makes a call of the REST API with the access token. Where the token is not accepted it is refreshed once,
    /// and the call is made once more.
    ///
    /// # Errors
    /// What the call failed of; what the refresh failed of, [`SignInError::SessionExpired`] among it.
    pub async fn authorized<T, F>(&self, call: impl Fn(Client, SecretString) -> F) -> Result<T, SignInError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let (client, access, generation) = self.inner.current()?;
        match call(client, access).await {
            Err(ApiError::Unauthorized) => {}
            other => return Ok(other?),
        }
        self.refresh(generation).await?;
        let (client, access, _) = self.inner.current()?;
        Ok(call(client, access).await?)
    }

    /// Keeps the tokens fresh until the session ends. Exactly one task should run it.
    pub async fn keep_fresh(&self) {
        let mut status = self.inner.status.subscribe();
        loop {
            let (wait, generation) = {
                let state = self.inner.state();
                (state.schedule.wait(SystemTime::now()), state.generation)
            };
            match wait {
                None => return,
                Some(Duration::ZERO) => match self.refresh(generation).await {
                    Ok(()) => {}
                    Err(SignInError::SessionExpired) => return,
                    Err(error) => tracing::warn!(account = %self.inner.account, %error, "refresh failed"),
                },
                Some(wait) => {
                    // Ends early when the session does.
                    let _ = tokio::time::timeout(wait.min(LOOK), status.changed()).await;
                }
            }
        }
    }

    /// Signs out: ends the session at the PBX, for which it waits no longer than [`SIGN_OUT_LIMIT`], and empties
    /// the vault of it, whatever the PBX says.
    pub async fn sign_out(&self) -> SignedOut {
        {
            let mut state = self.inner.state();
            (state.ended, state.signed_out) = (true, true);
            state.schedule.ended();
        }
        self.inner.status.send_modify(|_| {});
        let vault = self.inner.keeper.delete(&self.inner.account);
        let at_pbx = async {
            // A refresh under way voids the token we have.
            let _landed = self.inner.flight.lock().await;
            let (client, tokens) = {
                let state = self.inner.state();
                (state.client.clone(), state.tokens.clone())
            };
            client.sign_out(tokens.dialect, &tokens.access, tokens.refresh.as_ref()).await
        };
        let server = self.inner.state().client.server().clone();
        let (pbx, vault) = tokio::join!(tokio::time::timeout(SIGN_OUT_LIMIT, at_pbx), vault);
        let pbx = pbx
            .unwrap_or_else(|elapsed| Err(ApiError::Timeout { server, cause: pbx_api::Cause::new(elapsed) }));
        SignedOut { pbx, vault }
    }

    /// Refreshes the tokens of a generation, unless somebody else did meanwhile. It goes on to its end when the
    /// caller gives up: the PBX may already have voided the old tokens.
    async fn refresh(&self, generation: u64) -> Result<(), SignInError> {
        let seen = self.inner.state().refreshes;
        let inner = Arc::clone(&self.inner);
        let task = tokio::spawn(async move { inner.refresh(generation, seen).await });
        task.await.unwrap_or(Err(SignInError::SessionExpired))
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Result<(Client, SecretString, u64), SignInError> {
        let state = self.state();
        if state.ended {
            return Err(SignInError::SessionExpired);
        }
        Ok((state.client.clone(), state.tokens.access.clone(), state.generation))
    }

    /// `seen` is the number of refreshes done when the caller asked: one that ended since then is its answer too.
    async fn refresh(&self, generation: u64, seen: u64) -> Result<(), SignInError> {
        let _flight = self.flight.lock().await;
        let (client, dialect, refresh) = {
            let state = self.state();
            if state.ended {
                return Err(SignInError::SessionExpired);
            }
            if state.generation != generation {
                return Ok(());
            }
            if let (true, Some(failure)) = (state.refreshes != seen, &state.failure) {
                return Err(failure.clone());
            }
            (state.client.clone(), state.tokens.dialect, state.tokens.refresh.clone())
        };
        let answer = match &refresh {
            Some(refresh) => client.refresh(dialect, refresh).await,
            None => Err(ApiError::Unauthorized),
        };
        let now = SystemTime::now();
        match answer {
            Ok(tokens) => {
                self.replace(tokens, now).await;
                Ok(())
            }
            Err(error) if is_final(&error) => {
                tracing::info!(account = %self.account, %error, "the session has ended");
                {
                    let mut state = self.state();
                    state.refreshes += 1;
                    state.ended = true;
                    state.schedule.ended();
                }
                self.status.send_modify(|status| status.expired = true);
                Err(SignInError::SessionExpired)
            }
            Err(error) => {
                let mut state = self.state();
                state.refreshes += 1;
                state.schedule.failed(now, error.retry_after(), rand::random());
                state.failure = Some(error.clone().into());
                Err(error.into())
            }
        }
    }

    /// New tokens reach the vault before they are used: were they used first, a crash in between would leave
    /// a void refresh token in the vault.
    async fn replace(&self, tokens: Tokens, now: SystemTime) {
        let (tokens, saving) = {
            let state = self.state();
            let refresh = tokens.refresh.clone().or_else(|| state.tokens.refresh.clone());
            let tokens = Tokens { refresh, ..tokens };
            let tokens = SessionSecrets::new(state.tokens.dialect, tokens, now);
            let secrets = Secrets::new(tokens.clone(), state.sip_password.clone());
            let saving = (!state.signed_out).then(|| self.keeper.save(&self.account, &secrets));
            (tokens, saving)
        };
        if let Some(saving) = saving {
            self.note_saved(saving.await);
        }
        let mut state = self.state();
        state.generation += 1;
        state.refreshes += 1;
        state.failure = None;
        if !state.ended {
            state.schedule = match (tokens.expires_at, &tokens.refresh) {
                (Some(end), Some(_)) => {
                    Schedule::granted(now, end.duration_since(now).unwrap_or_default(), rand::random())
                }
                (end, _) => Schedule::ending(end),
            };
        }
        state.tokens = tokens;
    }

    fn save(&self, state: &State) -> impl Future<Output = Result<(), SignInError>> + Send + use<> {
        let secrets = Secrets::new(state.tokens.clone(), state.sip_password.clone());
        self.keeper.save(&self.account, &secrets)
    }

    fn note_saved(&self, saved: Result<(), SignInError>) {
        if let Err(error) = &saved {
            tracing::warn!(account = %self.account, %error, "secrets are in memory only");
        }
        let in_memory = saved.is_err();
        *self.vault_problem.lock().unwrap_or_else(PoisonError::into_inner) = saved.err();
        self.status.send_if_modified(|status| {
            let before = std::mem::replace(&mut status.secrets_in_memory, in_memory);
            before != status.secrets_in_memory
        });
    }
}

/// Whether a refresh token is refused for good. A bad one is documented as 400 `UNKNOWN`.
fn is_final(error: &ApiError) -> bool {
    matches!(error, ApiError::Unauthorized | ApiError::Refused { status: 400 | 403 | 422, .. })
}
