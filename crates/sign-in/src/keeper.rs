use std::collections::HashMap;
use std::future::Future;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pbx_api::Cause;
use tokio::sync::oneshot;

use crate::{Keychain, Secrets, SignInError, Vault};

/// How long a vault may think. A locked one asks its owner, who may be elsewhere.
pub const VAULT_LIMIT: Duration = Duration::from_secs(10);

/// Jobs that may wait for a vault that does not answer. More are refused.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce(&dyn Vault) + Send>;

/// Keeps secrets in a [`Vault`], from a thread of its own and with a time limit, and in memory as long as the
/// vault does not take them. What was asked first is done first, even if nobody waits for it any more.
pub struct Keeper {
    jobs: Option<SyncSender<Job>>,
    limit: Duration,
    memory: Arc<Mutex<Memory>>,
}

/// What the vault has not taken (yet).
#[derive(Default)]
struct Memory {
    accounts: HashMap<String, (u64, Secrets)>,
    writes: u64,
}

impl Keeper {
    /// A keeper for a vault, and the longest time to wait for it.
    pub fn new(vault: impl Vault, limit: Duration) -> Self {
        let (jobs, waiting) = sync_channel::<Job>(QUEUE);
        let work = move || waiting.into_iter().for_each(|job| job(&vault));
        let jobs = match std::thread::Builder::new().name("vault".into()).spawn(work) {
            Ok(_) => Some(jobs),
            Err(error) => {
                tracing::error!(%error, "no thread for the vault");
                None
            }
        };
        Self { jobs, limit, memory: Arc::default() }
    }

    /// A keeper for the operating system's keychain with the usual limit.
    pub fn keychain(service: impl Into<String>) -> Self {
        Self::new(Keychain::new(service), VAULT_LIMIT)
    }

    /// Secrets of an account, from memory where the vault has not taken them; `None` where there are none.
    ///
    /// # Errors
    /// One of the keychain errors of [`SignInError`].
    pub fn load(
        &self,
        account: &str,
    ) -> impl Future<Output = Result<Option<Secrets>, SignInError>> + Send + use<> {
        let kept = locked(&self.memory).accounts.get(account).map(|(_, secrets)| secrets.clone());
        let account = account.to_owned();
        let asked = match kept {
            Some(_) => None,
            None => Some(self.run(move |vault| vault.get(&account))),
        };
        async move {
            let Some(asked) = asked else { return Ok(kept) };
            match asked.await? {
                Some(entry) => Secrets::from_entry(&entry).map(Some),
                None => Ok(None),
            }
        }
    }

    /// Keeps secrets of an account. They are queued for the vault before this returns, and safe when the future
    /// is done: in the vault, or after an error in memory.
    ///
    /// # Errors
    /// Why they are kept in memory only: one of the keychain errors of [`SignInError`].
    pub fn save(
        &self,
        account: &str,
        secrets: &Secrets,
    ) -> impl Future<Output = Result<(), SignInError>> + Send + use<> {
        let version = {
            let mut memory = locked(&self.memory);
            memory.writes += 1;
            let version = memory.writes;
            memory.accounts.insert(account.to_owned(), (version, secrets.clone()));
            version
        };
        let (entry, name, memory) = (secrets.to_entry(), account.to_owned(), Arc::clone(&self.memory));
        self.run(move |vault| {
            vault.set(&name, &entry?)?;
            // Forgotten here, not by the asker, who may have given up waiting.
            let mut memory = locked(&memory);
            if memory.accounts.get(&name).is_some_and(|(kept, _)| *kept == version) {
                memory.accounts.remove(&name);
            }
            Ok(())
        })
    }

    /// Deletes the secrets of an account, in memory at once and in the vault. Queued before this returns.
    ///
    /// # Errors
    /// One of the keychain errors of [`SignInError`]; an absent keychain is none, for nothing can be in it.
    pub fn delete(&self, account: &str) -> impl Future<Output = Result<(), SignInError>> + Send + use<> {
        locked(&self.memory).accounts.remove(account);
        let account = account.to_owned();
        let deleted = self.run(move |vault| vault.delete(&account));
        async move {
            match deleted.await {
                Err(SignInError::KeychainAbsent { .. }) => Ok(()),
                other => other,
            }
        }
    }

    /// Whether an account's secrets are in memory only, to be forgotten when the process ends.
    pub fn in_memory(&self, account: &str) -> bool {
        locked(&self.memory).accounts.contains_key(account)
    }

    fn run<T, F>(&self, job: F) -> impl Future<Output = Result<T, SignInError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Vault) -> Result<T, SignInError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |vault| drop(answer.send(job(vault))));
        let queued = match &self.jobs {
            Some(jobs) => jobs.try_send(job).map_err(|error| match error {
                TrySendError::Full(_) => SignInError::KeychainSilent,
                TrySendError::Disconnected(_) => broken(),
            }),
            None => Err(broken()),
        };
        let limit = self.limit;
        async move {
            queued?;
            match tokio::time::timeout(limit, answered).await {
                Ok(answer) => answer.unwrap_or_else(|_| Err(broken())),
                Err(_) => Err(SignInError::KeychainSilent),
            }
        }
    }
}

fn locked(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

fn broken() -> SignInError {
    SignInError::KeychainFailed { cause: Cause::new("the vault's thread is gone") }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, SystemTime};

    use pbx_api::{Cause, Dialect};
    use secrecy::ExposeSecret;
    use secrecy::zeroize::Zeroizing;

    use super::Keeper;
    use crate::{MemoryVault, Secrets, SessionSecrets, SignInError, Vault};

    const LONG: Duration = Duration::from_secs(60);

    fn secrets(access: &str) -> Secrets {
        let session = SessionSecrets {
            access: access.into(),
            refresh: Some("r".into()),
            expires_at: Some(SystemTime::UNIX_EPOCH),
            dialect: Dialect::Auth,
        };
        Secrets::new(session, None)
    }

    async fn access(keeper: &Keeper) -> Option<String> {
        let session = keeper.load("a").await.unwrap()?.session?;
        Some(session.access.expose_secret().to_owned())
    }

    #[tokio::test]
    async fn keeps_and_forgets() {
        let keeper = Keeper::new(MemoryVault::default(), LONG);
        assert_eq!(access(&keeper).await, None);
        keeper.save("a", &secrets("1")).await.unwrap();
        keeper.save("a", &secrets("2")).await.unwrap();
        assert!(!keeper.in_memory("a"));
        assert_eq!(access(&keeper).await.as_deref(), Some("2"));
        keeper.delete("a").await.unwrap();
        keeper.delete("a").await.unwrap();
        assert_eq!(access(&keeper).await, None);
    }

    /// A vault whose every call waits for a word from the test.
    struct Asking {
        words: Mutex<Receiver<Result<(), SignInError>>>,
        inner: Arc<Shared>,
    }

    #[derive(Default)]
    struct Shared(MemoryVault);

    impl Asking {
        fn new() -> (Self, Sender<Result<(), SignInError>>, Arc<Shared>) {
            let (say, words) = channel();
            let inner = Arc::new(Shared::default());
            (Self { words: Mutex::new(words), inner: Arc::clone(&inner) }, say, inner)
        }

        fn wait(&self) -> Result<(), SignInError> {
            self.words.lock().unwrap().recv().unwrap_or(Ok(()))
        }
    }

    impl Vault for Asking {
        fn get(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SignInError> {
            self.wait()?;
            self.inner.0.get(account)
        }

        fn set(&self, account: &str, entry: &[u8]) -> Result<(), SignInError> {
            self.wait()?;
            self.inner.0.set(account, entry)
        }

        fn delete(&self, account: &str) -> Result<(), SignInError> {
            self.wait()?;
            self.inner.0.delete(account)
        }
    }

    #[tokio::test]
    async fn absent_vault_leaves_secrets_in_memory() {
        let (vault, say, _) = Asking::new();
        let absent = || Err(SignInError::KeychainAbsent { cause: Cause::new("no bus") });
        let keeper = Keeper::new(vault, LONG);
        say.send(absent()).unwrap();
        assert!(matches!(keeper.save("a", &secrets("1")).await, Err(SignInError::KeychainAbsent { .. })));
        assert!(keeper.in_memory("a"));
        assert_eq!(access(&keeper).await.as_deref(), Some("1"));
        say.send(absent()).unwrap();
        keeper.delete("a").await.unwrap();
        assert!(!keeper.in_memory("a"));
        say.send(absent()).unwrap();
        assert!(matches!(keeper.load("a").await, Err(SignInError::KeychainAbsent { .. })));
    }

    #[tokio::test]
    async fn silent_vault_is_left_behind_and_catches_up() {
        let (vault, say, inner) = Asking::new();
        let keeper = Keeper::new(vault, Duration::from_millis(20));
        assert!(matches!(keeper.save("a", &secrets("1")).await, Err(SignInError::KeychainSilent)));
        assert!(matches!(keeper.save("a", &secrets("2")).await, Err(SignInError::KeychainSilent)));
        assert!(keeper.in_memory("a"));
        assert!(inner.0.get("a").unwrap().is_none());
        // Its owner comes back and unlocks it: every further call is let through at once.
        drop(say);
        let keeper = Keeper { limit: LONG, ..keeper };
        keeper.run(|_| Ok(())).await.unwrap();
        assert!(!keeper.in_memory("a"));
        assert_eq!(access(&keeper).await.as_deref(), Some("2"));
    }

    #[tokio::test]
    async fn a_vault_that_never_answers_is_not_heaped_up_on() {
        let (vault, _say, _) = Asking::new();
        let keeper = Keeper::new(vault, Duration::from_millis(1));
        for _ in 0..super::QUEUE + 2 {
            assert!(matches!(keeper.delete("a").await, Err(SignInError::KeychainSilent)));
        }
    }
}
