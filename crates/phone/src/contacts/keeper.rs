//! The thread that keeps the contacts on disk, and tells them anew after each change.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use super::directory::Directory;
use super::store::Store;
use super::sync::Told;
use super::{ContactsInput, put};
use crate::history::store::StoreError;
use crate::outlet::Outlet;
use crate::{AccountId, ContactId, ContactKind};

/// What is asked of the thread.
pub(super) enum Order {
    /// The sync token of a list.
    Token(AccountId, ContactKind, oneshot::Sender<Option<String>>),
    /// Follow what the PBX told of a list, and say when that is done.
    Follow(AccountId, ContactKind, Told, oneshot::Sender<()>),
    /// Mark a contact, or no longer.
    Favor(ContactId, bool),
    /// Forget a contact.
    Remove(ContactId),
    /// An account is signed in: what the PBX tells of its contacts is kept.
    Expect(AccountId),
    /// Forget all that came with an account, and what is still told of it.
    Forget(AccountId),
    /// Nothing more is asked of the thread.
    Close,
}

/// The way to the thread.
pub(super) struct Keeper {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Begins to read the contacts below `dir`.
    pub(super) fn start(dir: PathBuf, outlet: Outlet) -> Self {
        let (orders, received) = channel();
        let keeping = move || keep(&dir, &received, &outlet);
        let thread = thread::Builder::new().name("contacts".into()).spawn(keeping);
        let thread = thread.inspect_err(|error| tracing::warn!(%error, "contacts are not kept")).ok();
        Self { orders: Some(orders), thread }
    }

    /// One that keeps nothing.
    pub(super) fn none() -> Self {
        Self { orders: None, thread: None }
    }

    /// The way to it for somebody who goes on by himself; none once it is closed.
    pub(super) fn orders(&self) -> Option<Sender<Order>> {
        self.orders.clone()
    }

    /// Asks something of it. Without its thread there is nothing kept that could be changed.
    pub(super) fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(order);
        }
    }

    /// Waits until all is written that was asked for.
    pub(super) async fn close(&mut self) {
        self.order(Order::Close);
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // It ends by itself once it has followed its last order, and does not panic.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// Keeps the contacts until no more orders come.
fn keep(dir: &Path, orders: &Receiver<Order>, outlet: &Outlet) {
    let store = Store::open(dir).or_else(|error| {
        tracing::warn!(%error, "contacts are kept for this run alone");
        Store::in_memory()
    });
    let mut store = match store {
        Ok(store) => store,
        Err(error) => return tracing::warn!(%error, "contacts are not kept"),
    };
    let (mut version, mut expected) = (0, HashSet::new());
    tell(&store, &mut version, outlet);
    while let Ok(order) = orders.recv() {
        match &order {
            Order::Close => return,
            Order::Expect(account) => {
                expected.insert(account.clone());
            }
            Order::Forget(account) => {
                expected.remove(account);
            }
            // It was signed out while the PBX was asked.
            Order::Follow(account, ..) if !expected.contains(account) => continue,
            _ => {}
        }
        let (changed, done) = match follow(&mut store, order) {
            Ok(followed) => followed,
            Err(error) => {
                tracing::warn!(%error, "the contacts cannot be written");
                continue;
            }
        };
        if changed {
            tell(&store, &mut version, outlet);
        }
        if let Some(done) = done {
            // Who asked may have stopped waiting.
            let _ = done.send(());
        }
    }
}

/// Follows an order: whether the contacts are others now, and whom to tell that it is done.
fn follow(store: &mut Store, order: Order) -> Result<(bool, Option<oneshot::Sender<()>>), StoreError> {
    match order {
        Order::Token(account, kind, reply) => {
            let _ = reply.send(store.token(&account, kind)?);
            return Ok((false, None));
        }
        Order::Follow(account, kind, told, done) => {
            let changed = store.follow(&account, kind, &told, crate::calls::now())?;
            return Ok((changed, Some(done)));
        }
        Order::Favor(id, favorite) => store.favor(id, favorite)?,
        Order::Remove(id) => store.remove(id)?,
        Order::Forget(account) => return Ok((store.forget(&account)?, None)),
        Order::Expect(_) | Order::Close => return Ok((false, None)),
    }
    Ok((true, None))
}

fn tell(store: &Store, version: &mut u32, outlet: &Outlet) {
    *version += 1;
    let read = || Ok::<_, StoreError>(Directory::new(*version, store.fresh()?, store.all()?));
    match read() {
        Ok(directory) => put(outlet, ContactsInput::Read(directory)),
        Err(error) => tracing::warn!(%error, "the contacts cannot be read"),
    }
}
