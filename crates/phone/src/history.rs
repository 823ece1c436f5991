//! The calls that are over: kept on disk by a thread of their own, for the disk may be slow.

pub(crate) mod records;
pub(crate) mod store;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::actor::Input;
use crate::contacts::Directory;
use crate::outlet::Outlet;
use crate::{
    AccountId, CallId, CallSummary, CallView, Code, Event, HistoryView, KeepCalls, PastCallView, PastId,
    PeerView, Problem, UnixMs,
};

use records::Record;
use store::merge::Merged;
use store::{Store, StoreError};

/// How often it is looked whether it is time for something, and how often calls that are kept no longer are forgotten,
/// milliseconds.
const LOOK_AGAIN: Duration = Duration::from_secs(600);
const TIDY_EVERY: u64 = 24 * 3_600_000;
/// Calls that a shell is told of at once.
const PAGE: u32 = 200;

/// The calls that are over below `dir`, newest first, at most so many.
///
/// # Errors
/// They cannot be read.
pub fn past_calls(dir: &Path, most: u32) -> Result<Vec<PastCallView>, Problem> {
    let found = Store::look_at(dir).and_then(|store| store.map_or(Ok(Vec::new()), |s| s.newest(None, most)));
    found.map_err(|error| problem_of(&error))
}

/// What has become of the call list.
#[derive(Debug)]
pub(crate) enum Recalled {
    /// It was read; or not, and why.
    Whole(HistoryView),
    /// A call has come to it.
    Past(Box<PastCallView>),
    /// The newest calls once more, when so many changes of the user's were followed; whether there are earlier ones.
    Page(Vec<PastCallView>, bool, u64),
    /// Calls before those known were asked for.
    Earlier(Vec<PastCallView>, bool),
    /// It can be written no longer.
    Failed(Problem),
}

enum Order {
    Begin(Box<CallView>, UnixMs),
    End(Box<CallView>, UnixMs, Option<Box<CallSummary>>),
    Earlier(PastId),
    See(PastId),
    Forget(Option<PastId>),
    Merge(AccountId, Vec<Record>, oneshot::Sender<Merged>),
    LookedThrough(AccountId),
    Reread,
    Keep(KeepCalls),
}

/// The call list: what the shells know of it, and the way to the thread that keeps it.
pub(crate) struct History {
    view: HistoryView,
    /// Who is known by which number.
    directory: Arc<Directory>,
    /// Changes of the user's so far.
    changes: u64,
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
    outlet: Outlet,
}

impl History {
    /// Begins to read it.
    pub(crate) fn start(dir: PathBuf, keep: KeepCalls, outlet: Outlet) -> Self {
        let (orders, received) = channel();
        let told = outlet.clone();
        let keeping = move || keep_list(&dir, keep, &received, &told);
        let thread = thread::Builder::new().name("history".into()).spawn(keeping);
        let thread = thread.inspect_err(|error| tracing::warn!(%error, "calls are not kept")).ok();
        Self {
            view: HistoryView::default(),
            directory: Arc::default(),
            changes: 0,
            orders: Some(orders),
            thread,
            outlet,
        }
    }

    /// What the shells know of it.
    pub(crate) fn view(&self) -> HistoryView {
        self.view.clone()
    }

    /// With whom the calls were that the shells know of, and when, newest first.
    pub(crate) fn peers(&self) -> Vec<(PeerView, UnixMs)> {
        self.view.calls.iter().map(|call| (call.peer.clone(), call.began)).collect()
    }

    /// The contacts are others now.
    pub(crate) fn know(&mut self, directory: Arc<Directory>) {
        self.directory = directory;
        let mut view = self.view();
        view.calls.iter_mut().for_each(|call| self.name(call));
        if view != self.view {
            self.view = view;
            self.outlet.tell(Event::History { view: self.view() });
        }
    }

    /// Puts the names that the contacts have into a call.
    fn name(&self, call: &mut PastCallView) {
        let account = call.account.clone();
        let peers = [Some(&mut call.peer), call.diverted_by.as_mut()];
        peers.into_iter().flatten().for_each(|peer| self.directory.name(&account, peer));
    }

    /// A call has begun.
    pub(crate) fn begun(&self, call: &CallView) {
        self.order(Order::Begin(Box::new(call.clone()), crate::calls::now()));
    }

    /// A call has ended.
    pub(crate) fn ended(&self, call: &CallView, summary: Option<Box<CallSummary>>) {
        self.order(Order::End(Box::new(call.clone()), crate::calls::now(), summary));
    }

    /// Tells of the calls before this one.
    pub(crate) fn tell_earlier(&self, before: PastId) {
        self.order(Order::Earlier(before));
    }

    /// The user has seen the calls up to this one.
    pub(crate) fn see(&mut self, up_to: PastId) {
        let place = |call: &PastCallView| (call.began, call.id);
        let last = self.view.calls.iter().find(|call| call.id == up_to).map(place);
        let unseen = |call: &&mut PastCallView| last.is_some_and(|last| place(call) <= last) && !call.seen;
        self.changes += 1;
        for call in self.view.calls.iter_mut().filter(unseen) {
            call.seen = true;
            self.outlet.tell(Event::Past { view: Box::new(call.clone()) });
        }
        self.order(Order::See(up_to));
    }

    /// Forgets one call, or all that are over.
    pub(crate) fn forget(&mut self, id: Option<PastId>) {
        self.changes += 1;
        self.order(Order::Forget(id));
        match id {
            Some(id) => {
                self.view.calls.retain(|call| call.id != id);
                self.outlet.tell(Event::PastGone { id });
            }
            None => {
                (self.view.calls, self.view.earlier) = (Vec::new(), false);
                self.outlet.tell(Event::History { view: self.view() });
            }
        }
    }

    /// How long calls are kept, from now on.
    pub(crate) fn keep(&self, keep: KeepCalls) {
        self.order(Order::Keep(keep));
    }

    /// Takes in what the PBX remembers for an account, oldest first; what became of it is answered.
    pub(crate) fn merge(&self, account: AccountId, records: Vec<Record>, done: oneshot::Sender<Merged>) {
        self.order(Order::Merge(account, records, done));
    }

    /// A round of questions about what the PBX remembers is over: whether anything changed, and all was looked through.
    pub(crate) fn merged(&self, account: AccountId, changed: bool, complete: bool) {
        if complete {
            self.order(Order::LookedThrough(account));
        }
        if changed {
            self.order(Order::Reread);
        }
    }

    /// The thread says what has become of it.
    pub(crate) fn recalled(&mut self, news: Recalled) {
        match news {
            Recalled::Whole(mut view) => {
                view.calls.iter_mut().for_each(|call| self.name(call));
                self.view = view;
                self.outlet.tell(Event::History { view: self.view() });
            }
            Recalled::Past(mut call) => {
                self.name(&mut call);
                let later = |known: &PastCallView| (known.began, known.id) > (call.began, call.id);
                let place = self.view.calls.partition_point(later);
                self.view.calls.insert(place, (*call).clone());
                if self.view.calls.len() > PAGE as usize {
                    self.view.calls.truncate(PAGE as usize);
                    self.view.earlier = true;
                }
                self.outlet.tell(Event::Past { view: call });
            }
            // What the user has changed since is not in it.
            Recalled::Page(_, _, changes) if changes != self.changes => self.order(Order::Reread),
            Recalled::Page(mut calls, earlier, _) => {
                for call in &mut calls {
                    self.name(call);
                    let known = self.view.calls.iter().find(|known| known.id == call.id);
                    call.call = known.and_then(|known| known.call);
                }
                (self.view.calls, self.view.earlier) = (calls, earlier);
                self.outlet.tell(Event::History { view: self.view() });
            }
            Recalled::Earlier(mut calls, earlier) => {
                calls.iter_mut().for_each(|call| self.name(call));
                self.outlet.tell(Event::EarlierCalls { calls, earlier });
            }
            Recalled::Failed(problem) => {
                self.view.problem = Some(problem);
                self.outlet.tell(Event::History { view: self.view() });
            }
        }
    }

    /// Waits until all is written.
    pub(crate) async fn close(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // It ends by itself once it has followed its last order, and does not panic.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // Without its thread, that was said when it could not be begun.
            let _ = orders.send(order);
        }
    }
}

/// Keeps the call list until no more orders come.
fn keep_list(dir: &Path, keep: KeepCalls, orders: &Receiver<Order>, outlet: &Outlet) {
    let (store, mut problem) = match Store::open(dir) {
        Ok((store, aside)) => {
            (Ok(store), aside.map(|to| Problem::new(Code::HistoryBroken, to.display().to_string())))
        }
        Err(error) => {
            tracing::warn!(%error, "calls are kept for this run alone");
            (Store::in_memory(), Some(problem_of(&error)))
        }
    };
    let tell = |news| outlet.put(Input::Recalled(news));
    let mut keeper = match store {
        Ok(store) => Keeper { store, begun: HashMap::new(), changes: 0, keep, due: UnixMs(0) },
        Err(error) => return tell(Recalled::Failed(problem_of(&error))),
    };
    // What is kept no longer is not shown even once.
    match keeper.tidy(crate::calls::now()).and_then(|_| keeper.page(None)) {
        Ok((calls, earlier)) => {
            tell(Recalled::Whole(HistoryView { calls, earlier, problem: problem.clone() }));
        }
        Err(error) => tell(Recalled::Failed(problem_of(&error))),
    }
    loop {
        let followed = match orders.recv_timeout(LOOK_AGAIN) {
            Ok(order) => keeper.follow(order),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        for done in [followed, keeper.tidy(crate::calls::now())] {
            match done {
                Ok(Some(news)) => tell(news),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "the call list cannot be written");
                    // Once is enough.
                    if problem.is_none() {
                        problem = Some(problem_of(&error));
                        tell(Recalled::Failed(problem_of(&error)));
                    }
                }
            }
        }
    }
}

struct Keeper {
    store: Store,
    /// The calls in progress.
    begun: HashMap<CallId, PastId>,
    /// Changes of the user's that were followed.
    changes: u64,
    keep: KeepCalls,
    /// When it is next looked for calls that are kept no longer.
    due: UnixMs,
}

impl Keeper {
    /// Forgets the calls that are kept no longer; what is left, where any were.
    fn tidy(&mut self, now: UnixMs) -> Result<Option<Recalled>, StoreError> {
        let Some(since) = self.keep.since(now).filter(|_| now >= self.due) else { return Ok(None) };
        self.due = UnixMs(now.0.saturating_add(TIDY_EVERY));
        match self.store.forget_before(since)? {
            0 => Ok(None),
            _ => self.follow(Order::Reread),
        }
    }

    fn follow(&mut self, order: Order) -> Result<Option<Recalled>, StoreError> {
        match order {
            Order::Begin(call, began) => {
                let id = self.store.begin(&call, began)?;
                self.begun.insert(call.id, id);
            }
            Order::End(call, at, summary) => {
                let id = match self.begun.remove(&call.id) {
                    Some(id) => id,
                    None => self.store.begin(&call, at)?,
                };
                let past = self.store.end(id, &call, summary.as_deref())?;
                return Ok(
                    past.map(|past| Recalled::Past(Box::new(PastCallView { call: Some(call.id), ..past })))
                );
            }
            Order::Earlier(before) => {
                let (calls, earlier) = self.page(Some(before))?;
                return Ok(Some(Recalled::Earlier(calls, earlier)));
            }
            Order::See(up_to) => {
                self.changes += 1;
                self.store.see(up_to)?;
            }
            Order::Forget(id) => {
                self.changes += 1;
                self.store.forget(id)?;
            }
            Order::Keep(keep) => (self.keep, self.due) = (keep, UnixMs(0)),
            Order::Merge(account, mut records, done) => {
                if let Some(since) = self.keep.since(crate::calls::now()) {
                    records.retain(|record| record.began >= since);
                }
                let merged = self.store.merge(&account, &records, crate::calls::now())?;
                // Whoever asked may have stopped waiting.
                let _ = done.send(merged);
            }
            Order::LookedThrough(account) => self.store.looked_through(&account)?,
            Order::Reread => {
                let (calls, earlier) = self.page(None)?;
                return Ok(Some(Recalled::Page(calls, earlier, self.changes)));
            }
        }
        Ok(None)
    }

    /// A page of calls, and whether there are earlier ones.
    fn page(&self, before: Option<PastId>) -> Result<(Vec<PastCallView>, bool), StoreError> {
        let mut calls = self.store.newest(before, PAGE + 1)?;
        let earlier = calls.len() > PAGE as usize;
        calls.truncate(PAGE as usize);
        Ok((calls, earlier))
    }
}

fn problem_of(error: &StoreError) -> Problem {
    Problem::new(Code::HistoryFailed, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::store::tests::{dialled, over};
    use super::*;
    use crate::EndReason;

    const DAY: u64 = 24 * 3_600_000;

    #[test]
    fn calls_are_kept_as_long_as_the_user_wants() {
        let store = Store::in_memory().unwrap();
        let mut keeper =
            Keeper { store, begun: HashMap::new(), changes: 0, keep: KeepCalls::Always, due: UnixMs(0) };
        let now = 1_000 * DAY;
        for (age, number) in [(400, "1"), (91, "2"), (31, "3"), (30, "4"), (0, "5")] {
            let view = dialled(1, number);
            let id = keeper.store.begin(&view, UnixMs(now - age * DAY)).unwrap();
            keeper.store.end(id, &over(view, EndReason::Busy), None).unwrap();
        }
        let left = |keeper: &Keeper| keeper.store.newest(None, 9).unwrap().len();
        for (keep, calls) in
            [(KeepCalls::Always, 5), (KeepCalls::Year, 4), (KeepCalls::Quarter, 3), (KeepCalls::Month, 2)]
        {
            assert!(keeper.follow(Order::Keep(keep)).unwrap().is_none());
            let told = keeper.tidy(UnixMs(now)).unwrap();
            assert_eq!((left(&keeper), told.is_some()), (calls, keep != KeepCalls::Always), "{keep:?}");
        }
        // Not with every order, but every day.
        assert!(keeper.tidy(UnixMs(now + DAY - 1)).unwrap().is_none());
        assert!(keeper.tidy(UnixMs(now + DAY)).unwrap().is_some());
        assert_eq!(left(&keeper), 1);
        // One that lasts is let be, however long.
        keeper.store.begin(&dialled(1, "6"), UnixMs(now)).unwrap();
        assert!(keeper.tidy(UnixMs(now + 40 * DAY)).unwrap().is_some());
        let begun = dialled(1, "6");
        assert_eq!(left(&keeper), 0);
        let id = crate::PastId(6);
        assert!(keeper.store.end(id, &over(begun, EndReason::Busy), None).unwrap().is_some());
    }
}
