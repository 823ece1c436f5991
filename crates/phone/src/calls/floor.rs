//! Who talks: one call, or those that are merged, or nobody; who is held, and what is still to be offered so that
//! the other ends know it. Pure: commands and what the other ends say go in, who has the devices and the next
//! offers come out.
//!
//! - Microphone and speaker belong to one call, or to all that are merged, and to no held one.
//! - They never come back by themselves: not when another call ends, and not when a hold is refused.
//! - A call that is held is held here at once; the other end is told by an offer as soon as it can be.

use std::collections::BTreeMap;

use media::sdp::Direction;

use crate::CallId;
use crate::voice::Attention;

/// All calls that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    lines: BTreeMap<CallId, Line>,
    owner: Owner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Owner {
    #[default]
    Nobody,
    Call(CallId),
    Merged,
}

#[derive(Debug, Default)]
struct Line {
    /// Both ends have agreed to talk.
    talking: bool,
    /// We want it to sleep.
    held: bool,
    /// It is one of the conference.
    merged: bool,
    /// They want it to sleep.
    held_there: bool,
    /// What our last description said that they have taken.
    said: Direction,
    /// What our offer says that they have not replied to.
    offered: Option<Direction>,
    /// They would not hear of the hold; they are not asked again.
    refused: bool,
}

/// What a session that both ends took says of holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    /// What our description says.
    pub(crate) ours: Direction,
    /// What theirs says, seen from us.
    pub(crate) theirs: Direction,
}

impl Line {
    fn wanted(&self) -> Direction {
        match (self.held, self.held_there) {
            (false, _) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (true, true) => Direction::Inactive,
        }
    }
}

fn is_hold(direction: Direction) -> bool {
    !direction.receives()
}

impl Floor {
    /// An incoming call rings: it has nothing yet.
    pub(crate) fn begin(&mut self, call: CallId) {
        self.lines.insert(call, Line::default());
    }

    /// A call gets the devices: dialled, answered or resumed, with those it is merged with. All others that talk
    /// are held.
    pub(crate) fn take(&mut self, call: CallId) {
        let Some(line) = self.lines.get(&call) else { return };
        self.owner = if line.merged { Owner::Merged } else { Owner::Call(call) };
        self.settle();
    }

    /// Puts a call to sleep, with those it is merged with.
    ///
    /// Returns false where it does not talk.
    pub(crate) fn hold(&mut self, call: CallId) -> bool {
        let Some(line) = self.lines.get_mut(&call).filter(|line| line.talking) else { return false };
        line.held = true;
        if self.has(call) {
            self.owner = Owner::Nobody;
            self.settle();
        }
        true
    }

    /// Brings calls together, with those that are merged already.
    ///
    /// Returns false, and nothing changes, unless all of them talk and there are two at least.
    pub(crate) fn merge(&mut self, calls: &[CallId]) -> bool {
        let talk = |call: &CallId| self.lines.get(call).is_some_and(|line| line.talking);
        let others = self.lines.iter().filter(|(call, line)| line.merged && !calls.contains(call)).count();
        let mut different = calls.to_vec();
        different.sort_unstable();
        different.dedup();
        if !calls.iter().all(talk) || different.is_empty() || different.len() + others < 2 {
            return false;
        }
        for call in calls {
            if let Some(line) = self.lines.get_mut(call) {
                line.merged = true;
            }
        }
        self.owner = Owner::Merged;
        self.settle();
        true
    }

    /// Takes the conference apart: `call` goes on, the others are held, each for itself.
    ///
    /// Returns false where it is not merged.
    pub(crate) fn split(&mut self, call: CallId) -> bool {
        if !self.lines.get(&call).is_some_and(|line| line.merged) {
            return false;
        }
        self.lines.values_mut().for_each(|line| line.merged = false);
        self.owner = Owner::Call(call);
        self.settle();
        true
    }

    /// A call is over.
    pub(crate) fn end(&mut self, call: CallId) {
        self.lines.remove(&call);
        if self.owner == Owner::Call(call) {
            self.owner = Owner::Nobody;
        }
        self.dissolve();
    }

    /// A new call takes the place of an old one, which is still to end. It need not be answered yet.
    pub(crate) fn replace(&mut self, old: CallId, new: CallId) {
        let had = self.has(old);
        if !self.lines.contains_key(&new) {
            return;
        }
        let Some(line) = self.lines.get_mut(&old) else { return };
        let merged = line.merged;
        *line = Line::default();
        if let Some(line) = self.lines.get_mut(&new) {
            line.merged = merged;
        }
        if had {
            self.owner = if merged { Owner::Merged } else { Owner::Call(new) };
        }
        self.settle();
    }

    /// Both ends have agreed on a session, by an offer of theirs or by the first answer to ours.
    pub(crate) fn agreed(&mut self, call: CallId, flow: Flow) {
        if let Some(line) = self.lines.get_mut(&call) {
            line.talking = true;
            line.settled(flow);
        }
        self.settle();
    }

    /// They have taken the offer that we sent.
    pub(crate) fn accepted(&mut self, call: CallId, flow: Flow) {
        if let Some(line) = self.lines.get_mut(&call) {
            line.offered = None;
            line.settled(flow);
        }
    }

    /// They have refused the offer that we sent: the session is as it was.
    ///
    /// Returns whether the call stays held against our will.
    pub(crate) fn refused(&mut self, call: CallId) -> bool {
        let Some(line) = self.lines.get_mut(&call) else { return false };
        let Some(offered) = line.offered.take() else { return false };
        if is_hold(offered) {
            line.refused = true;
            return false;
        }
        if !is_hold(line.said) || line.held {
            return false;
        }
        // They would not take it up again. It leaves the conference, for the others go on.
        (line.held, line.merged) = (true, false);
        if self.owner == Owner::Call(call) {
            self.owner = Owner::Nobody;
        }
        self.dissolve();
        true
    }

    /// What is to be offered now; it counts as offered. `anew` offers in any case: our address has changed.
    pub(crate) fn offer(&mut self, call: CallId, anew: bool) -> Option<Direction> {
        let line = self.lines.get_mut(&call).filter(|line| line.talking)?;
        let wanted = line.wanted();
        let due = line.offered.is_none()
            && is_hold(wanted) != is_hold(line.said)
            && !(line.refused && is_hold(wanted));
        if !due && !anew {
            return None;
        }
        line.offered = Some(wanted);
        Some(wanted)
    }

    /// What our offer that they have not replied to says.
    pub(crate) fn offered(&self, call: CallId) -> Option<Direction> {
        self.lines.get(&call)?.offered
    }

    /// What a description of ours that answers one of theirs says.
    pub(crate) fn direction(&self, call: CallId) -> Direction {
        match self.lines.get(&call) {
            Some(Line { held: true, .. }) => Direction::SendOnly,
            _ => Direction::SendRecv,
        }
    }

    /// What a call has of the devices.
    pub(crate) fn attention(&self, call: CallId) -> Attention {
        match self.lines.get(&call) {
            // Its music on hold would be all that the others hear.
            Some(line) if line.merged && line.held_there => Attention::Asleep,
            Some(line) if self.has(call) && !line.held => {
                if line.talking {
                    Attention::Talking
                } else {
                    Attention::Listening
                }
            }
            _ => Attention::Asleep,
        }
    }

    /// The call is held by us.
    pub(crate) fn is_held(&self, call: CallId) -> bool {
        self.lines.get(&call).is_some_and(|line| line.held)
    }

    /// The call is held by them.
    pub(crate) fn is_held_there(&self, call: CallId) -> bool {
        self.lines.get(&call).is_some_and(|line| line.held_there)
    }

    /// The call is one of the conference.
    pub(crate) fn is_merged(&self, call: CallId) -> bool {
        self.lines.get(&call).is_some_and(|line| line.merged)
    }

    /// Whether a call has the devices, or is to have them as soon as it can talk.
    pub(crate) fn has(&self, call: CallId) -> bool {
        match self.owner {
            Owner::Nobody => false,
            Owner::Call(owner) => owner == call,
            Owner::Merged => self.is_merged(call),
        }
    }

    /// All calls that have not ended.
    pub(crate) fn calls(&self) -> Vec<CallId> {
        self.lines.keys().copied().collect()
    }

    /// Who does not have the floor is held; who has it is not.
    fn settle(&mut self) {
        let owner = self.owner;
        for (call, line) in &mut self.lines {
            let has = match owner {
                Owner::Nobody => false,
                Owner::Call(owner) => owner == *call,
                Owner::Merged => line.merged,
            };
            let held = line.talking && !has;
            if held != line.held {
                line.refused = false;
            }
            line.held = held;
        }
    }

    /// One alone is no conference.
    fn dissolve(&mut self) {
        let merged: Vec<CallId> =
            self.lines.iter().filter(|(_, line)| line.merged).map(|(call, _)| *call).collect();
        match merged.as_slice() {
            [] if self.owner == Owner::Merged => self.owner = Owner::Nobody,
            [last] => {
                if self.owner == Owner::Merged {
                    self.owner = Owner::Call(*last);
                }
                self.lines.values_mut().for_each(|line| line.merged = false);
            }
            _ => {}
        }
    }
}

impl Line {
    fn settled(&mut self, flow: Flow) {
        self.said = flow.ours;
        // To a description that sends nothing there is nothing to be said but that nothing is received.
        if flow.ours.sends() {
            self.held_there = !flow.theirs.sends();
        }
    }
}

#[cfg(test)]
mod tests;
