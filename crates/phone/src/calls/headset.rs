//! Headset buttons: what is pressed is done to the call it is meant for, and the headset shows what the phone does.

use devices::{LineState, Press};

use super::Calls;
use crate::{CallId, CallState, CallView, DeclineReason};

impl Calls {
    /// Something was pressed on a headset. What cannot be done now is no fault: the press came too late.
    pub(crate) fn pressed(&mut self, press: Press) {
        let done = match press {
            Press::Answer => self.find(is_incoming).map(|id| self.answer(id)),
            Press::Decline => self.find(is_incoming).map(|id| self.decline(id, DeclineReason::Busy)),
            Press::HangUp => self.talked_to().map(|id| self.hang_up(id)),
            Press::Mute(muted) => self.talked_to().map(|id| self.mute(id, muted)),
            Press::Hold => self.talked_to().map(|id| self.hold(id)),
        };
        if let Some(Err(problem)) = done {
            tracing::info!(?press, ?problem, "a headset's button did nothing");
        }
    }

    /// Headsets show what the phone does now.
    pub(crate) fn light(&mut self) {
        let Some(headsets) = &self.headsets else { return };
        let talked_to = self.talked_to();
        let line = LineState {
            ringing: self.find(is_incoming).is_some(),
            talking: talked_to.is_some(),
            muted: talked_to.and_then(|id| self.table.get(&id)).is_some_and(|call| call.view.muted),
        };
        if self.lit.replace(line) != Some(line) {
            headsets.show(line);
        }
    }

    /// The call that has the user's ear, or is about to have it.
    fn talked_to(&self) -> Option<CallId> {
        let dials = |view: &CallView| matches!(view.state, CallState::Calling | CallState::Ringing);
        self.find(|view| matches!(view.state, CallState::Active { .. })).or_else(|| self.find(dials))
    }

    fn find(&self, is: impl Fn(&CallView) -> bool) -> Option<CallId> {
        self.table.values().find(|call| is(&call.view)).map(|call| call.view.id)
    }
}

fn is_incoming(view: &CallView) -> bool {
    view.state == CallState::Incoming
}
