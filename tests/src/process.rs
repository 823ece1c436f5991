//! A child process whose output is read all the time and which never outlives its owner.

use std::io::{BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::usage::descendants;

/// One line a process printed.
#[derive(Debug, Clone)]
pub struct Line {
    /// It was printed on standard error.
    pub error: bool,
    /// Its text, without the line end.
    pub text: String,
    /// When it was read.
    pub at: Instant,
}

#[derive(Default)]
struct Output {
    lines: Mutex<Printed>,
    changed: Condvar,
}

#[derive(Default)]
struct Printed {
    lines: Vec<Line>,
    closed: usize,
}

/// A running program. Dropping it ends it and everything it started.
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
    cursor: usize,
}

impl Process {
    /// Starts `command`, called `name` in what a failing test says.
    pub fn start(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child =
            command.spawn().unwrap_or_else(|e| panic!("{name}: {program} cannot be started: {e}"));
        let output = Arc::new(Output::default());
        let readers = vec![
            read(child.stdout.take().expect("piped"), false, &output),
            read(child.stderr.take().expect("piped"), true, &output),
        ];
        Self { name: name.to_owned(), stdin: child.stdin.take(), child, output, readers, cursor: 0 }
    }

    /// Starts what voices pass through, and has it run before the other load of this machine.
    pub fn start_voice(name: &str, command: Command) -> Self {
        let process = Self::start(name, command);
        before_others(process.pid());
        process
    }

    /// Runs `command` to its end and gives its standard output; a failing one fails the test.
    pub fn run(name: &str, command: Command) -> String {
        Self::run_within(name, command, Duration::from_secs(60))
    }

    /// The same for what may take longer.
    pub fn run_within(name: &str, command: Command, limit: Duration) -> String {
        let mut process = Self::start(name, command);
        process.close_stdin();
        let status = process.wait_exit(limit);
        assert_eq!(status, 0, "{name} failed\n{}", process.log());
        process.output.lines.lock().unwrap().lines.iter().filter(|l| !l.error).fold(
            String::new(),
            |mut all, l| {
                all.push_str(&l.text);
                all.push('\n');
                all
            },
        )
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a line is printed in which `wanted` finds something, and gives that. Lines before it are
    /// not looked at again. Fails the test when the process ends or `limit` passes first.
    pub fn wait_for<T>(&mut self, what: &str, limit: Duration, wanted: impl FnMut(&Line) -> Option<T>) -> T {
        match self.look_for(limit, wanted) {
            Ok(found) => found,
            Err(why) => panic!("{}: waited for {what}, {why}\n{}", self.name, self.log()),
        }
    }

    /// Like [`Process::wait_for`], but gives the reason instead of failing.
    pub fn look_for<T>(
        &mut self,
        limit: Duration,
        mut wanted: impl FnMut(&Line) -> Option<T>,
    ) -> Result<T, String> {
        let deadline = Instant::now() + limit;
        let mut printed = self.output.lines.lock().unwrap();
        loop {
            while let Some(line) = printed.lines.get(self.cursor) {
                self.cursor += 1;
                if let Some(found) = wanted(line) {
                    return Ok(found);
                }
            }
            if printed.closed == self.readers.len() {
                return Err("but the program ended".to_owned());
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return Err(format!("but nothing like it came in {limit:?}"));
            };
            printed = self.output.changed.wait_timeout(printed, left).unwrap().0;
        }
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        let name = &self.name;
        let stdin = self.stdin.as_mut().unwrap_or_else(|| panic!("{name}: its standard input is closed"));
        stdin
            .write_all(format!("{line}\n").as_bytes())
            .unwrap_or_else(|e| panic!("{name} does not read: {e}"));
        stdin.flush().unwrap();
    }

    /// Ends its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits until it ends by itself and gives its exit status; -1 when a signal ended it.
    pub fn wait_exit(&mut self, limit: Duration) -> i32 {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                for reader in self.readers.drain(..) {
                    let _ = reader.join();
                }
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < deadline, "{} did not end within {limit:?}\n{}", self.name, self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Ends it without giving it a chance to say goodbye.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it printed last, for the message of a failing test.
    pub fn log(&self) -> String {
        let printed = self.output.lines.lock().unwrap();
        let from = printed.lines.len().saturating_sub(80);
        printed.lines[from..].iter().fold(format!("--- {} said:\n", self.name), |mut all, line| {
            all.push_str(&line.text);
            all.push('\n');
            all
        })
    }

    /// Everything it printed that holds `word`.
    pub fn lines_with(&self, word: &str) -> Vec<Line> {
        let printed = self.output.lines.lock().unwrap();
        printed.lines.iter().filter(|l| l.text.contains(word)).cloned().collect()
    }
}

/// Has a process run before the other load of this machine, with every thread it has and will have: a talker that
/// waits for its turn would be judged for what is not its fault.
pub fn before_others(pid: u32) {
    let mut chrt = Command::new("chrt");
    chrt.args(["--all-tasks", "--rr", "--pid", "5", &pid.to_string()]);
    Process::run("chrt", chrt);
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let below = descendants(self.child.id());
        self.signal(Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(3);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        self.kill();
        for pid in below {
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// Reads lines ended by LF or CR, as progress displays end them.
fn read(from: impl Read + Send + 'static, error: bool, output: &Arc<Output>) -> JoinHandle<()> {
    let output = Arc::clone(output);
    thread::spawn(move || {
        let mut line = Vec::new();
        let push = |line: &mut Vec<u8>| {
            if !line.is_empty() {
                let text = String::from_utf8_lossy(line).into_owned();
                output.lines.lock().unwrap().lines.push(Line { error, text, at: Instant::now() });
                output.changed.notify_all();
                line.clear();
            }
        };
        for byte in BufReader::new(from).bytes().map_while(Result::ok) {
            match byte {
                b'\n' | b'\r' => push(&mut line),
                byte => line.push(byte),
            }
        }
        push(&mut line);
        output.lines.lock().unwrap().closed += 1;
        output.changed.notify_all();
    })
}
