//! A headset that is not there.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::bus::{HidBus, HidPort};

const ID: &str = "fake";

/// The one headset of a bus of its own: tests press its buttons and look at its lamps. It is plugged in at first.
#[derive(Debug, Clone)]
pub struct FakeHeadset {
    descriptor: Arc<[u8]>,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    away: bool,
    pressed: VecDeque<Vec<u8>>,
    shown: Vec<Vec<u8>>,
}

impl FakeHeadset {
    /// One with this report descriptor.
    pub fn new(descriptor: &[u8]) -> Self {
        Self { descriptor: descriptor.into(), state: Arc::default() }
    }

    /// It sends an input report.
    pub fn press(&self, report: &[u8]) {
        self.change(|state| state.pressed.push_back(report.to_vec()));
    }

    /// Output reports that came since this was asked last.
    pub fn shown(&self) -> Vec<Vec<u8>> {
        let mut shown = Vec::new();
        self.change(|state| shown = std::mem::take(&mut state.shown));
        shown
    }

    /// It is unplugged, or plugged in.
    pub fn plug(&self, plugged_in: bool) {
        self.change(|state| state.away = !plugged_in);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let (state, changed) = &*self.state;
        change(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
    }

    fn there(&self) -> io::Result<()> {
        let away = self.state.0.lock().unwrap_or_else(PoisonError::into_inner).away;
        if away { Err(io::ErrorKind::NotConnected.into()) } else { Ok(()) }
    }
}

impl HidBus for FakeHeadset {
    fn present(&self) -> io::Result<Vec<String>> {
        Ok(self.there().map(|()| ID.to_owned()).into_iter().collect())
    }

    fn open(&self, _id: &str) -> io::Result<Box<dyn HidPort>> {
        self.there()?;
        Ok(Box::new(self.clone()))
    }
}

impl HidPort for FakeHeadset {
    fn descriptor(&mut self) -> io::Result<Vec<u8>> {
        self.there().map(|()| self.descriptor.to_vec())
    }

    fn read(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize> {
        let (state, changed) = &*self.state;
        let waits = |state: &mut State| !state.away && state.pressed.is_empty();
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) =
            changed.wait_timeout_while(state, within, waits).unwrap_or_else(PoisonError::into_inner);
        if state.away {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let report = state.pressed.pop_front().unwrap_or_default();
        let length = report.len().min(into.len());
        into.iter_mut().zip(&report).for_each(|(into, byte)| *into = *byte);
        Ok(length)
    }

    fn write(&mut self, report: &[u8]) -> io::Result<()> {
        self.there()?;
        self.change(|state| state.shown.push(report.to_vec()));
        Ok(())
    }
}
