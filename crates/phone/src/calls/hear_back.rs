//! The hear-back test under the calls, which have the devices first.

use std::sync::Arc;

use super::Calls;
use crate::actor::Input;
use crate::hear_back::HearBack;
use crate::{Code, Event, HearBackView};

/// The test that runs, if any, and how it stands.
#[derive(Debug, Default)]
pub(super) struct Testing {
    running: Option<HearBack>,
    view: HearBackView,
    /// Counts tests: a former one may still have a last word to say.
    number: u32,
}

impl Calls {
    /// How it stands with the hear-back test.
    pub(crate) fn hearing(&self) -> HearBackView {
        self.testing.view.clone()
    }

    /// Begins it anew, unless a call has the devices.
    pub(crate) fn hear_back(&mut self) {
        self.stop_hearing();
        self.pause_playing();
        self.stop_dictation();
        if self.table.values().any(|call| !call.is_over()) {
            return self.show_hearing(HearBackView::Failed { problem: Code::NotNow.into() });
        }
        self.testing.number += 1;
        let (number, outlet) = (self.testing.number, self.outlet.clone());
        let tell = move |view| outlet.put(Input::HearBack(number, view));
        let (wanted, stages) = (self.audio.opening(), self.stages());
        match HearBack::start(wanted, stages, Arc::clone(&self.devices), tell) {
            Ok(test) => self.testing.running = Some(test),
            Err(problem) => self.show_hearing(HearBackView::Failed { problem }),
        }
    }

    /// Ends it: the user wants no more of it, or a call needs the devices.
    pub(crate) fn stop_hearing(&mut self) {
        if self.testing.running.take().is_some() {
            self.testing.number += 1;
            self.show_hearing(HearBackView::Idle);
        }
    }

    /// A test, by its number, says how it stands.
    pub(crate) fn heard_back(&mut self, number: u32, view: HearBackView) {
        if number != self.testing.number {
            return;
        }
        if matches!(view, HearBackView::Done { .. } | HearBackView::Failed { .. }) {
            self.testing.running = None;
        }
        self.show_hearing(view);
    }

    fn show_hearing(&mut self, view: HearBackView) {
        self.testing.view = view.clone();
        self.outlet.tell(Event::HearBack { view });
    }
}
