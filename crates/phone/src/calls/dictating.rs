//! A word of the user's recorded under the calls, which have the devices first.

use std::sync::Arc;

use super::Calls;
use crate::actor::Input;
use crate::dictation::{Dictation, Said};
use crate::{Code, Problem};

/// The recording that runs, if any.
#[derive(Default)]
pub(super) struct Dictating {
    running: Option<Dictation>,
    /// Counts recordings: a former one may still have a last word to say.
    number: u32,
}

impl Calls {
    /// Begins to record.
    ///
    /// # Errors
    /// A call has the devices, or the system has no room.
    pub(crate) fn dictate(&mut self) -> Result<(), Problem> {
        self.stop_dictation();
        if self.table.values().any(|call| !call.is_over()) {
            return Err(Code::NotNow.into());
        }
        self.stop_hearing();
        self.pause_playing();
        let (number, outlet) = (self.dictating.number, self.outlet.clone());
        let tell = move |said| outlet.put(Input::Dictated(number, said));
        let microphones = self.audio.opening().microphones;
        self.dictating.running = Some(Dictation::start(microphones, Arc::clone(&self.devices), tell)?);
        Ok(())
    }

    /// Enough is said.
    pub(crate) fn finish_dictation(&mut self) {
        self.dictating.running = None;
    }

    /// Nothing is to be kept of what is said: a call needs the devices.
    pub(crate) fn stop_dictation(&mut self) {
        if self.dictating.running.take().is_some() {
            self.dictating.number += 1;
            let failed = Said::Failed(Code::NotNow.into());
            self.outlet.put(Input::Dictated(self.dictating.number, failed));
        }
    }

    /// Whether this is said by the recording that counts.
    pub(crate) fn is_dictation(&mut self, number: u32, said: &Said) -> bool {
        let counts = number == self.dictating.number;
        if counts && !matches!(said, Said::Going(..)) {
            self.dictating.running = None;
        }
        counts
    }
}
