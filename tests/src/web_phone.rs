//! A telephone in a browser: SIP over WebSocket in a page of the tests', and Chromium's own WebRTC for the voice.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Browser, Place, SipAccount};

/// A page that is a telephone.
pub struct WebPhone {
    /// None once it is to be closed.
    scripts: Option<mpsc::Sender<(String, Vec<Value>)>>,
    answers: mpsc::Receiver<Value>,
    thread: Option<thread::JoinHandle<()>>,
    _folder: TempDir,
}

const SOON: Duration = Duration::from_secs(60);

impl WebPhone {
    /// Opens it and registers it over WSS; in its calls it says what is in this WAV file, with this codec. Where
    /// `hides`, the browser keeps its addresses to itself, as it does where no microphone was asked for.
    pub fn start(place: &Place, account: &SipAccount, codec: &str, speech: &Path, hides: bool) -> Self {
        let folder = TempDir::with_prefix("carillon-web-phone-").unwrap();
        let page = folder.path().join("page.html");
        fs::write(&page, format!("<!doctype html><script>{}</script>", include_str!("web_phone/page.js")))
            .unwrap();
        let (scripts, asked) = mpsc::channel::<(String, Vec<Value>)>();
        let (answer, answers) = mpsc::channel();
        let (place, shots) = (place.clone(), folder.path().to_owned());
        let thread = thread::spawn(move || {
            // What drives the browser must be where it is.
            place.enter();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let browser = Browser::open_for_calls(&place, &shots, hides).await;
                browser.go_to(&format!("file://{}", page.display())).await;
                while let Ok((script, arguments)) = asked.recv() {
                    answer.send(browser.run(&script, arguments).await).unwrap();
                }
                browser.close().await;
            });
        });
        let phone = Self { scripts: Some(scripts), answers, thread: Some(thread), _folder: folder };
        let SipAccount { proxy, domain, user, password, .. } = account;
        let speech = BASE64_STANDARD.encode(fs::read(speech).unwrap());
        let arguments =
            vec![json!(proxy), json!(domain), json!(user), json!(password), json!(speech), json!(codec)];
        phone.begin("phone.start(...arguments)", arguments);
        phone.wait("registered");
        phone
    }

    /// Calls a number.
    pub fn dial(&self, number: &str) {
        self.begin("phone.dial(arguments[0])", vec![json!(number)]);
    }

    /// Calls a number, and tells its addresses only after the answer, one by one.
    pub fn dial_and_trickle(&self, number: &str) {
        self.begin("phone.dial(arguments[0], true)", vec![json!(number)]);
    }

    /// Ends the call.
    pub fn hang_up(&self) {
        self.begin("phone.hangUp()", Vec::new());
    }

    /// Waits until it is `registered`, `talking` or `ended`.
    pub fn wait(&self, state: &str) {
        let begun = Instant::now();
        loop {
            let found = self.ask("return [phone.state, phone.problem]", Vec::new());
            assert!(found[1].is_null(), "{}\n{}", found[1], self.log());
            if found[0] == state {
                return;
            }
            assert!(begun.elapsed() < SOON, "waited for {state}, it is {}\n{}", found[0], self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What WebRTC says of the call.
    pub fn figures(&self) -> Value {
        self.begin("phone.figures().then((found) => (phone.found = found))", Vec::new());
        let begun = Instant::now();
        loop {
            let found = self.ask("return phone.found", Vec::new());
            if !found.is_null() {
                return found;
            }
            assert!(begun.elapsed() < SOON, "no figures");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Writes what was heard, from the beginning of the call, into a WAV file.
    pub fn save(&self, file: &Path) {
        let found = self.ask("return phone.recording()", Vec::new());
        let rate = found["rate"].as_u64().unwrap_or_else(|| panic!("nothing was heard\n{}", self.log()));
        let samples = BASE64_STANDARD.decode(found["samples"].as_str().unwrap()).unwrap();
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: rate as u32,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut out = hound::WavWriter::create(file, spec).unwrap();
        samples
            .chunks_exact(2)
            .for_each(|two| out.write_sample(i16::from_le_bytes([two[0], two[1]])).unwrap());
        out.finalize().unwrap();
    }

    /// The messages it got, for the message of a failing test.
    pub fn log(&self) -> String {
        let said = self.ask("return phone.said", Vec::new());
        let all = said.as_array().into_iter().flatten().filter_map(Value::as_str);
        all.collect::<Vec<_>>().join("\n----\n")
    }

    /// Begins something that takes time; its failure is the phone's problem.
    fn begin(&self, script: &str, arguments: Vec<Value>) {
        self.ask(&format!("{script}.catch((e) => (phone.problem = String(e.stack)))"), arguments);
    }

    fn ask(&self, script: &str, arguments: Vec<Value>) -> Value {
        let scripts = self.scripts.as_ref().expect("it is open");
        let gone = "the browser is gone";
        scripts.send((script.to_owned(), arguments)).expect(gone);
        self.answers.recv_timeout(SOON).expect(gone)
    }
}

impl Drop for WebPhone {
    fn drop(&mut self) {
        self.scripts = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
