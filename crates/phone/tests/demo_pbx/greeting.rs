//! Voicemail greetings: recorded, heard, used, taken out of a file, reset.

use base64::Engine;
use demo_pbx::{Config as Pbx, ECHO};
use devices::Source;
use phone::{
    AudioConfig, CallState, Code, Command, Config, DraftView, Event, GreetingsView, PlayerState, Processing,
    SignInPage, SoundId, Start,
};

use crate::bench::{Bench, Running};
use crate::sound::level;

const TONE: f32 = 700.0;

impl Running {
    async fn greetings(&mut self, what: &str, wanted: impl Fn(&GreetingsView) -> bool) -> GreetingsView {
        let now = self.phone.picture().await.unwrap().greetings;
        if wanted(&now) {
            return now;
        }
        self.until(what, |event| match event {
            Event::Greetings { view } if wanted(view) => Some(view.clone()),
            _ => None,
        })
        .await
    }
}

fn wav(rate: u32, seconds: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format };
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for n in 0..rate * seconds {
        let turn = std::f32::consts::TAU * TONE * n as f32 / rate as f32;
        writer.write_sample((9_000.0 * turn.sin()) as i16).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

async fn alice(bench: &Bench) -> Running {
    let said = bench.dir.path().join("said.wav");
    std::fs::write(&said, wav(48_000, 30)).unwrap();
    let audio =
        AudioConfig { microphone: Source::Wav(said), processing: Processing::Off, ..bench.config().audio };
    let config = Config { contacts: true, start: Start::None, audio, ..bench.config() };
    let mut running = bench.phone_with(config);
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(bench.sign_in());
    running.greetings("that they are offered", |view| view.accounts == [bench.alice()]).await;
    running
}

async fn bench() -> Bench {
    Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await
}

fn is_ready(view: &GreetingsView) -> bool {
    matches!(view.draft, DraftView::Ready { .. })
}

/// Samples of what callers hear: 8 kHz, 16 bit, mono.
fn at_pbx(bench: &Bench) -> Option<Vec<i16>> {
    let greeting = bench.pbx.greeting(bench.pbx.user("alice").unwrap())?;
    let mut reader = hound::WavReader::new(std::io::Cursor::new(greeting)).unwrap();
    assert_eq!((reader.spec().sample_rate, reader.spec().channels), (8_000, 1));
    Some(reader.samples::<i16>().map(Result::unwrap).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_is_recorded_heard_used_and_reset() {
    let bench = bench().await;
    let mut alice = alice(&bench).await;
    alice.send(Command::RecordGreeting);
    let going = |view: &GreetingsView| match view.draft {
        DraftView::Recording { ms, level } => ms >= 1_000 && level > 50,
        _ => false,
    };
    alice.greetings("a second of it", going).await;
    alice.send(Command::FinishGreeting);
    let view = alice.greetings("the draft", is_ready).await;
    let DraftView::Ready { length_ms } = view.draft else { panic!("{view:?}") };
    assert!(length_ms >= 1_000, "{length_ms}");
    alice.send(Command::Play { sound: SoundId::Draft, from_ms: None });
    alice
        .until("it is heard", |event| match event {
            Event::Player { view: Some(view) } if view.state == PlayerState::Playing => Some(view.length_ms),
            _ => None,
        })
        .await;
    alice.send(Command::UseDraft { account: None });
    let view = alice.greetings("it is used", |view| view.greetings.iter().any(|one| one.on)).await;
    let [greeting] = view.greetings.as_slice() else { panic!("{view:?}") };
    let name = greeting.name.as_deref().unwrap();
    assert!(name.starts_with("Greeting 20") && name.ends_with(".wav"), "{name}");
    // What callers hear is what was said.
    let samples = at_pbx(&bench).unwrap();
    assert!(samples.len() >= 8_000, "{} samples", samples.len());
    let tripled: Vec<i16> = samples.iter().flat_map(|sample| [*sample; 6]).collect();
    assert!(level(&tripled[9_600..19_200], TONE) > 0.5);

    alice.send(Command::UseGreeting { id: greeting.id, on: false });
    alice.greetings("the PBX's own", |view| view.greetings.iter().all(|one| !one.on)).await;
    assert_eq!(at_pbx(&bench), None);
    alice.send(Command::DeleteGreeting { id: greeting.id });
    alice.greetings("none", |view| view.greetings.is_empty()).await;
    alice.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_is_taken_out_of_a_file_and_a_call_ends_a_recording() {
    let bench = bench().await;
    let mut alice = alice(&bench).await;
    let take =
        |file: &[u8]| Command::TakeGreeting { file: base64::engine::general_purpose::STANDARD.encode(file) };
    alice.send(take(b"<html>"));
    let failed = |code: Code| move |view: &GreetingsView| matches!(&view.draft, DraftView::Failed { problem } if problem.code == code);
    alice.greetings("a refusal", failed(Code::SoundUnknown)).await;
    alice.send(take(&wav(44_100, 2)));
    let view = alice.greetings("the draft", is_ready).await;
    assert_eq!(view.draft, DraftView::Ready { length_ms: 2_000 });
    alice.send(Command::UseDraft { account: Some(bench.alice()) });
    alice.greetings("it is used", |view| view.greetings.iter().any(|one| one.on)).await;
    assert_eq!(at_pbx(&bench).unwrap().len(), 16_000);

    alice.send(Command::RecordGreeting);
    alice.greetings("a recording", |view| matches!(view.draft, DraftView::Recording { .. })).await;
    alice.dial(ECHO);
    alice.greetings("its end", failed(Code::NotNow)).await;
    let call = alice.call("an answer", |state| matches!(state, CallState::Active { .. })).await.id;
    alice.send(Command::HangUp { call });
    alice.ended().await;
    alice.phone.stop().await;
}
