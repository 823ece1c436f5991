//! Both voices of a call in a stereo WAV file.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::{DeviceError, FRAME, RATE};

/// Frames that may wait for the disk: ten seconds.
const WAITING: usize = 1_000;
/// How often what has come is written.
const TURN: Duration = Duration::from_millis(200);
/// Turns between two updates of the header: a crash costs the last second at most.
const UPDATE: u32 = 5;
/// Frames of their voice that wait for ours; before it begins, and at most. The two come on clocks of their own.
const BEHIND: (usize, usize) = (3, 12);
/// Frames that a WAV file may hold: its sizes are 32 bits of bytes.
const MOST_FRAMES: u32 = u32::MAX / (FRAME as u32 * 4) - 1;

type Both = [[i16; FRAME]; 2];

/// A recording under way: what we say on the left, what they say on the right, 48 kHz, 16 bit.
///
/// Written by a thread of its own; the header is brought up to date every second, so that a file whose writer died
/// holds all but the last of it.
pub struct CallRecording {
    /// To the thread that writes; it stops when this is gone.
    ring: Option<Producer<Both>>,
    theirs: VecDeque<[i16; FRAME]>,
    begun: bool,
    overrun: bool,
    outcome: Receiver<DeviceError>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

impl fmt::Debug for CallRecording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallRecording").field("path", &self.path).finish_non_exhaustive()
    }
}

impl CallRecording {
    /// Creates the file, and the folder it stands in. One that is there already is not touched. Blocks.
    ///
    /// # Errors
    /// [`DeviceError::File`].
    pub fn create(path: &Path) -> Result<Self, DeviceError> {
        let failed = |error: hound::Error| DeviceError::file(path, error);
        let io = |error: io::Error| failed(hound::Error::IoError(error));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io)?;
        }
        let file = File::create_new(path).map_err(io)?;
        let spec =
            WavSpec { channels: 2, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let mut writer = WavWriter::new(BufWriter::new(file), spec).map_err(failed)?;
        writer.flush().map_err(failed)?;
        let (ring, frames) = RingBuffer::new(WAITING);
        let (fault, outcome) = sync_channel(1);
        let to = path.to_owned();
        let thread = thread::Builder::new()
            .name("recording".into())
            .spawn(move || write(writer, frames, &to, &fault))
            .map_err(io)?;
        Ok(Self {
            ring: Some(ring),
            theirs: VecDeque::with_capacity(BEHIND.1 + 1),
            begun: false,
            overrun: false,
            outcome,
            thread: Some(thread),
            path: path.to_owned(),
        })
    }

    /// Where it is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// 10 ms of what they say.
    pub fn hear(&mut self, theirs: &[i16; FRAME]) {
        if self.theirs.len() == BEHIND.1 {
            self.theirs.pop_front();
        }
        self.theirs.push_back(*theirs);
    }

    /// 10 ms of what we say; with it what they say at the same time is recorded.
    pub fn say(&mut self, ours: &[i16; FRAME]) {
        self.begun |= self.theirs.len() >= BEHIND.0;
        let theirs = if self.begun { self.theirs.pop_front() } else { None };
        // They have run dry: what comes next is to have its cushion again.
        self.begun &= theirs.is_some();
        if let Some(ring) = &mut self.ring {
            self.overrun |= ring.push([*ours, theirs.unwrap_or([0; FRAME])]).is_err();
        }
    }

    /// Why nothing more is recorded, once that is so.
    pub fn failed(&mut self) -> Option<DeviceError> {
        if let Ok(error) = self.outcome.try_recv() {
            return Some(error);
        }
        self.overrun
            .then(|| DeviceError::file(&self.path, hound::Error::IoError(io::ErrorKind::TimedOut.into())))
    }
}

impl Drop for CallRecording {
    /// Finishes the file. Blocks for as long as the disk takes.
    fn drop(&mut self) {
        self.ring = None;
        let Some(thread) = self.thread.take() else { return };
        thread.thread().unpark();
        if thread.join().is_err() {
            tracing::warn!(path = %self.path.display(), "the recording could not be finished");
        }
    }
}

fn write(
    mut writer: WavWriter<BufWriter<File>>,
    mut frames: Consumer<Both>,
    path: &Path,
    fault: &SyncSender<DeviceError>,
) {
    let (mut turn, mut written) = (0, 0);
    loop {
        let over = frames.is_abandoned();
        turn += 1;
        let put = put(&mut writer, &mut frames, &mut written)
            .and_then(|()| if over || turn % UPDATE == 0 { writer.flush() } else { Ok(()) });
        if let Err(error) = put {
            // What was written stays, with the header of the last update.
            fault.try_send(DeviceError::file(path, error)).ok();
            return;
        }
        if over {
            return;
        }
        thread::park_timeout(TURN);
    }
}

fn put(
    writer: &mut WavWriter<BufWriter<File>>,
    frames: &mut Consumer<Both>,
    written: &mut u32,
) -> Result<(), hound::Error> {
    while let Ok([ours, theirs]) = frames.pop() {
        if *written == MOST_FRAMES {
            return Err(hound::Error::IoError(io::ErrorKind::FileTooLarge.into()));
        }
        *written += 1;
        for (left, right) in ours.into_iter().zip(theirs) {
            writer.write_sample(left)?;
            writer.write_sample(right)?;
        }
    }
    Ok(())
}

/// A WAV file as 48 kHz mono, the first `most` of it.
///
/// # Errors
/// [`DeviceError::File`], [`DeviceError::Rate`].
pub fn load_wav(path: &Path, most: Duration) -> Result<Vec<i16>, DeviceError> {
    let reader = WavReader::open(path).map_err(|error| DeviceError::file(path, error))?;
    let length = f64::from(reader.duration()) / f64::from(reader.spec().sample_rate.max(1));
    drop(reader);
    let frames = (length.min(most.as_secs_f64()) * 100.0).ceil() as usize;
    crate::wav::read(path, frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(path: &Path) -> (Vec<i16>, Vec<i16>) {
        let mut reader = WavReader::open(path).unwrap();
        assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, RATE));
        let all: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        (all.iter().copied().step_by(2).collect(), all.iter().copied().skip(1).step_by(2).collect())
    }

    fn talk(recording: &mut CallRecording, frames: usize) {
        for n in 0..frames {
            recording.hear(&[2_000 + n as i16; FRAME]);
            recording.say(&[1_000; FRAME]);
        }
    }

    #[test]
    fn we_are_on_the_left_and_they_on_the_right() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("folder/that is new/call.wav");
        let mut recording = CallRecording::create(&path).unwrap();
        talk(&mut recording, 100);
        drop(recording);
        let (left, right) = samples(&path);
        assert_eq!((left.len(), right.len()), (100 * FRAME, 100 * FRAME));
        assert!(left.iter().all(|sample| *sample == 1_000));
        let begun = right.iter().position(|sample| *sample != 0).unwrap();
        assert!(begun <= BEHIND.0 * FRAME);
        assert!(right[begun..].is_sorted() && right[begun] == 2_000, "no frame is lost or twice there");
    }

    #[test]
    fn a_file_whose_writer_died_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let (path, left_behind) = (dir.path().join("call.wav"), dir.path().join("crashed.wav"));
        let mut recording = CallRecording::create(&path).unwrap();
        talk(&mut recording, 300);
        let end = std::time::Instant::now() + Duration::from_secs(60);
        while WavReader::open(&path).map_or(0, |reader| reader.duration()) < 300 * FRAME as u32 {
            assert!(std::time::Instant::now() < end, "the header is not brought up to date");
            thread::sleep(Duration::from_millis(20));
        }
        fs::copy(&path, &left_behind).unwrap();
        assert_eq!(samples(&left_behind).0.len(), 300 * FRAME);
    }

    #[test]
    fn clocks_that_drift_cost_a_frame_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        let mut recording = CallRecording::create(&path).unwrap();
        for n in 0..400 {
            recording.say(&[1; FRAME]);
            recording.hear(&[2; FRAME]);
            // Theirs runs ten percent faster.
            if n % 10 == 0 {
                recording.hear(&[2; FRAME]);
            }
        }
        drop(recording);
        let (left, right) = samples(&path);
        assert_eq!(left.len(), right.len());
        let silent = right.iter().filter(|sample| **sample == 0).count();
        assert!(silent <= (BEHIND.0 + 1) * FRAME, "{silent}");
    }

    #[test]
    fn an_earlier_recording_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        fs::write(&path, "an earlier one").unwrap();
        assert!(matches!(CallRecording::create(&path), Err(DeviceError::File { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "an earlier one");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told() {
        let full = Path::new("/dev/full");
        let spec =
            WavSpec { channels: 2, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let file = File::options().write(true).open(full).unwrap();
        let mut writer = WavWriter::new(BufWriter::new(file), spec).unwrap();
        let (mut ring, mut frames) = RingBuffer::new(WAITING);
        (0..WAITING).for_each(|_| ring.push([[1; FRAME]; 2]).unwrap());
        let error = put(&mut writer, &mut frames, &mut 0).unwrap_err();
        assert!(matches!(error, hound::Error::IoError(e) if e.kind() == io::ErrorKind::StorageFull));
    }

    #[test]
    fn a_notice_is_loaded_at_our_rate() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notice.wav");
        let spec = WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        (0..8_000).for_each(|n| writer.write_sample((n % 40 * 200) as i16).unwrap());
        writer.finalize().unwrap();
        assert_eq!(load_wav(&path, Duration::from_secs(9)).unwrap().len(), RATE as usize);
        assert_eq!(load_wav(&path, Duration::from_millis(500)).unwrap().len(), RATE as usize / 2);
        assert!(load_wav(&dir.path().join("none.wav"), Duration::ZERO).is_err());
    }
}
