//! Recording of calls: into which file, with which notice.

use std::path::PathBuf;
use std::time::Duration;

use devices::{CallRecording, DeviceError};

use super::Calls;
use super::call::{Sound, now};
use crate::actor::Input;
use crate::date::file_name;
use crate::voice::{Notice, Recorder};
use crate::words::of_recording_error;
use crate::{CallId, Code, Event, Problem, RecordingNotice};

/// Folder of the recordings in the data directory, where the user has named none.
const FOLDER: &str = "recordings";

impl Calls {
    /// Records a call from now on, or no longer.
    pub(crate) fn record(&mut self, id: CallId, on: bool) -> Result<(), Problem> {
        if on {
            self.config.may_record()?;
        }
        let preferences = self.preferences.recording.clone();
        let folder = match &preferences.folder {
            Some(folder) if !folder.is_empty() => PathBuf::from(folder),
            _ => self.config.data_dir.join(FOLDER),
        };
        let call = self.established(id)?;
        if on == call.view.recording {
            return Ok(());
        }
        if !matches!(call.sound, Sound::Joined) {
            return Err(Code::NotNow.into());
        }
        call.view.recording = on;
        if on {
            let path = folder.join(file_name(Duration::from_millis(now().0), &call.view.peer));
            call.view.recorded = Some(path.display().to_string());
            self.outlet.blocking(move || {
                let notice = match &preferences.notice {
                    RecordingNotice::None => Ok(Notice::None),
                    RecordingNotice::Tone => Ok(Notice::tone()),
                    RecordingNotice::File { path } => Notice::file(path.as_ref()),
                };
                let recorder =
                    notice.and_then(|notice| Ok(Recorder::new(CallRecording::create(&path)?, notice)));
                Input::Recording(id, recorder)
            });
        } else if let Some(voice) = &self.voice {
            voice.record(id, None);
        }
        self.tell(id);
        Ok(())
    }

    /// The file for a recording was created, or could not be.
    pub(crate) fn recorder_ready(&mut self, id: CallId, recorder: Result<Recorder, DeviceError>) {
        let recorder = match recorder {
            Ok(recorder) => recorder,
            Err(error) => return self.recording_failed(id, &error),
        };
        // Without a call that wants it any more it is dropped, which ends the file.
        let Ok(call) = self.established(id) else { return };
        if call.view.recording
            && let Some(voice) = &self.voice
        {
            voice.record(id, Some(recorder));
        }
    }

    /// A call is recorded no longer.
    pub(super) fn recording_failed(&mut self, id: CallId, error: &DeviceError) {
        self.outlet.tell(Event::Notice { problem: of_recording_error(error), call: Some(id) });
        if let Some(call) = self.table.get_mut(&id) {
            call.view.recording = false;
            self.tell(id);
        }
    }

    /// A call that was just answered is recorded where the user wants all of them to be.
    pub(super) fn record_by_itself(&mut self, id: CallId) {
        if self.preferences.recording.automatic
            && let Err(problem) = self.record(id, true)
        {
            self.outlet.tell(Event::Notice { problem, call: Some(id) });
        }
    }
}
