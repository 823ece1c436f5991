//! Whose turn it is to talk: hold, resume, merge, split, mute.

use super::Calls;
use super::call::{Call, Sound};
use crate::{CallId, Code, Problem};

impl Calls {
    /// Puts a call to sleep, with those it is merged with.
    pub(crate) fn hold(&mut self, id: CallId) -> Result<(), Problem> {
        self.established(id)?;
        self.floor.hold(id);
        self.settle();
        Ok(())
    }

    /// Talks to a held call again; another one that talks is held.
    pub(crate) fn resume(&mut self, id: CallId) -> Result<(), Problem> {
        self.established(id)?;
        self.floor.take(id);
        self.settle();
        Ok(())
    }

    /// Brings calls together: all hear each other.
    pub(crate) fn merge(&mut self, ids: &[CallId]) -> Result<(), Problem> {
        for id in ids {
            self.established(*id)?;
        }
        if !self.floor.merge(ids) {
            return Err(Code::NotNow.into());
        }
        self.mute_as_one();
        self.settle();
        Ok(())
    }

    /// Talks to one of the merged calls alone; the others are held.
    pub(crate) fn split(&mut self, id: CallId) -> Result<(), Problem> {
        self.established(id)?;
        if !self.floor.split(id) {
            return Err(Code::NotNow.into());
        }
        self.settle();
        Ok(())
    }

    /// Stops or goes on sending the microphone, to all that are merged with it.
    pub(crate) fn mute(&mut self, id: CallId, muted: bool) -> Result<(), Problem> {
        self.live(id)?;
        let merged = self.floor.is_merged(id);
        let others = self.floor.calls().into_iter().filter(|other| merged && self.floor.is_merged(*other));
        let mut all: Vec<CallId> = others.filter(|other| *other != id).collect();
        all.push(id);
        // Who is to take the place of one of them is not to hear more than it would.
        let heirs = self.table.values().filter(|call| !call.is_established() && !call.is_over());
        let heirs = heirs.filter(|call| call.replaces.is_some_and(|old| all.contains(&old)));
        let heirs: Vec<CallId> = heirs.map(|call| call.view.id).filter(|id| !all.contains(id)).collect();
        for id in all.into_iter().chain(heirs) {
            let Some(call) = self.table.get_mut(&id) else { continue };
            call.view.muted = muted;
            call.view.muted_talk &= muted;
            if let (Sound::Joined, Some(voice)) = (&call.sound, &self.voice) {
                voice.mute(id, muted);
            }
            self.tell(id);
        }
        Ok(())
    }

    /// A conference is muted as a whole, wherever one of it is: else some would hear us and others would not.
    pub(super) fn mute_as_one(&mut self) {
        let muted = |call: &&Call| call.view.muted && self.floor.is_merged(call.view.id);
        if let Some(id) = self.table.values().find(muted).map(|call| call.view.id) {
            // It is live, for it is merged.
            let _ = self.mute(id, true);
        }
    }

    /// A call that is to take the place of another is muted as that one is.
    pub(super) fn mute_like(&mut self, id: CallId, old: CallId) {
        if self.table.get(&old).is_some_and(|old| old.view.muted) {
            // It has just begun.
            let _ = self.mute(id, true);
        }
    }
}
