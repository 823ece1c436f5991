//! How calls end, and what is left to be closed then.

use std::mem;
use std::time::Instant;

use super::Calls;
use super::call::{Call, Sound};
use crate::accounts::AgentId;
use crate::actor::Input;
use crate::report::report;
use crate::{CallId, Code, EndReason, Event, Problem};

impl Calls {
    /// Ends a call in whatever state it is.
    pub(crate) fn hang_up(&mut self, id: CallId) -> Result<(), Problem> {
        let call = self.table.get_mut(&id).ok_or(Code::NoSuchCall)?;
        call.offer = None;
        match call.key {
            _ if call.is_over() => {}
            Some(key) => call.agent.handle.hang_up(key),
            None => self.finish(id, EndReason::Cancelled, None),
        }
        self.sound_tone();
        Ok(())
    }

    /// Ends all calls of a user agent.
    pub(crate) fn hang_up_by(&mut self, agent: AgentId) {
        for id in self.calls_by(agent) {
            // Each one was listed a moment ago.
            let _ = self.hang_up(id);
        }
    }

    /// A user agent is gone, so nothing more is heard of its calls.
    pub(crate) fn agent_gone(&mut self, agent: AgentId) {
        for id in self.calls_by(agent) {
            self.finish(id, EndReason::ConnectionLost, None);
        }
    }

    /// Forgets calls whose end takes too long.
    pub(crate) fn forget_all(&mut self) {
        self.table.clear();
    }

    /// Ends a call from our side for a reason of ours.
    pub(super) fn end_for(&mut self, id: CallId, reason: EndReason) {
        let Some(call) = self.table.get_mut(&id) else { return };
        call.fault = Some(reason);
        match call.key {
            Some(key) => call.agent.handle.hang_up(key),
            None => self.finish(id, reason, None),
        }
    }

    /// The signalling of a call is over. It is told once its sound is closed too, so that a recording is
    /// whole when its call is said to have ended.
    pub(super) fn finish(&mut self, id: CallId, reason: EndReason, status: Option<u16>) {
        // It goes on as another one, here or between the other ends.
        let goes_on = |call: &Call| {
            (call.view.follows == Some(id) && call.is_established()) || call.handed_to == Some(id)
        };
        let heir = |call: &&Call| call.replaces == Some(id) && !call.is_over() && !call.is_established();
        let heir = self.table.values().find(heir).map(|call| call.view.id);
        let goes_on = heir.is_some() || self.table.values().any(goes_on);
        let Ok(call) = self.live(id) else { return };
        let handed_on = (call.view.transfer.is_some() || goes_on) && reason == EndReason::HungUpThere;
        call.ended(if handed_on { EndReason::Transferred } else { reason }, status);
        let sound = mem::replace(&mut call.sound, Sound::None);
        if let Some(referral) = call.referral.take() {
            // Given up before it was dialled: who asked for it is told so.
            call.agent.handle.refuse_referral(referral, 480);
        }
        if let Some(heir) = heir.filter(|_| reason == EndReason::HungUpThere) {
            // Whoever hands a call on need not wait for the answer.
            self.floor.replace(id, heir);
        }
        self.floor.end(id);
        let joined = self.table.values().any(|call| matches!(call.sound, Sound::Joined));
        let needed = joined || self.metered;
        match (sound, self.voice.take()) {
            (Sound::Joined, Some(voice)) if needed => {
                voice.leave(id);
                self.voice = Some(voice);
                if let Some(call) = self.table.get_mut(&id) {
                    call.sound = Sound::Leaving(self.voices);
                }
            }
            (_, Some(voice)) if !needed => self.outlet.blocking(move || {
                let mut last = voice.stop();
                let mut closed: Vec<_> =
                    last.remove(&id).into_iter().map(|report| (id, Some(Box::new(report)))).collect();
                if closed.is_empty() {
                    closed.push((id, None));
                }
                Input::Closed(closed)
            }),
            (_, voice) => {
                self.voice = voice;
                self.outlet.put(Input::Closed(vec![(id, None)]));
            }
        }
        self.settle();
    }

    /// All of an ended call is closed; its last figures.
    pub(crate) fn closed(&mut self, calls: Vec<(CallId, Option<Box<media::Report>>)>) {
        for (id, last) in calls {
            let Some(mut call) = self.table.remove(&id) else { continue };
            if let Some(figures) = last {
                for digit in &figures.digits {
                    self.outlet.tell(Event::DigitHeard { call: id, digit: digit.as_char() });
                }
                self.outlet.tell(Event::Media { call: id, report: report(&figures) });
            }
            let ledger = mem::take(&mut call.ledger);
            let summary = ledger.close(Instant::now(), call.view.codec.clone(), call.suite()).map(Box::new);
            if let Some(summary) = summary.clone() {
                self.outlet.tell(Event::Summary { call: id, summary });
            }
            self.history.ended(&call.view, summary);
            self.outlet.tell(Event::Call { view: call.view });
        }
    }
}
