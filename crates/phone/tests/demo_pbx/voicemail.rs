//! Voicemails: listed, heard, marked, deleted, saved.

use demo_pbx::{Config as Pbx, ECHO, RestFault, RestRule};
use devices::Sink;
use phone::{
    AudioConfig, CallState, Code, Command, Config, Event, PlayerState, PlayerView, SignInPage, SoundId,
    Standing, Start, VoicemailId, VoicemailsView,
};

use crate::bench::{Bench, Running};
use crate::sound::level;

async fn bench() -> Bench {
    Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await
}

async fn signed_in(bench: &Bench, config: Config) -> Running {
    let mut running = bench.phone_with(Config { contacts: true, start: Start::None, ..config });
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(bench.sign_in());
    running
}

fn sound(id: VoicemailId) -> SoundId {
    SoundId::Voicemail { id }
}

fn new(view: &VoicemailsView) -> usize {
    view.messages.iter().filter(|one| !one.heard).count()
}

impl Running {
    async fn voicemails(&mut self, wanted: impl Fn(&VoicemailsView) -> bool) -> VoicemailsView {
        let now = self.phone.picture().await.unwrap().voicemails;
        if wanted(&now) {
            return now;
        }
        self.until("the voicemails", |event| match event {
            Event::Voicemails { view } if wanted(view) => Some(view.clone()),
            _ => None,
        })
        .await
    }

    async fn player(&mut self, what: &str, wanted: impl Fn(&PlayerState) -> bool) -> PlayerView {
        self.until(what, |event| match event {
            Event::Player { view: Some(view) } if wanted(&view.state) => Some(*view.clone()),
            _ => None,
        })
        .await
    }

    async fn played_to(&mut self, least_ms: u32) {
        self.until("more of it", |event| match event {
            Event::PlayedTo { at_ms } if *at_ms >= least_ms => Some(()),
            _ => None,
        })
        .await;
    }
}

fn plays(state: &PlayerState) -> bool {
    *state == PlayerState::Playing
}

fn waits(state: &PlayerState) -> bool {
    *state == PlayerState::Paused
}

#[tokio::test(flavor = "multi_thread")]
async fn voicemails_are_listed_by_name_and_follow_the_mailbox() {
    let bench = bench().await;
    let mut alice = signed_in(&bench, bench.config()).await;
    let view = alice
        .voicemails(|view| {
            let named = view.messages.iter().filter(|one| one.from.name.is_some()).count();
            view.messages.len() == 3 && named == 3
        })
        .await;
    assert!(matches!(view.state, Standing::Fresh { .. }), "{view:?}");
    let told: Vec<_> = view
        .messages
        .iter()
        .map(|one| (one.from.name.as_deref().unwrap(), one.length_s, one.heard))
        .collect();
    assert_eq!(
        told,
        [("Bob Chen", Some(12), false), ("Priya Raman", Some(6), true), ("Carol Nakamura", Some(21), true)],
        "newest first"
    );
    // The lamp of the mailbox tells that there is another one: nobody asks for it.
    bench.pbx.leave_voicemail("101", "104", 3);
    let view = alice.voicemails(|view| view.messages.len() == 4).await;
    assert_eq!((view.messages[0].from.name.as_deref(), new(&view)), (Some("Dave Okafor"), 2));
    alice.send(Command::SignOut { account: bench.alice() });
    alice.voicemails(|view| view.messages.is_empty() && view.state == Standing::None).await;
    alice.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voicemail_is_heard_from_any_place_and_is_no_longer_new() {
    let bench = bench().await;
    let heard = bench.dir.path().join("heard.wav");
    let audio = AudioConfig { speaker: Sink::Wav(heard.clone()), ..bench.config().audio };
    let mut alice = signed_in(&bench, Config { audio, ..bench.config() }).await;
    let id = alice.voicemails(|view| view.messages.len() == 3).await.messages[0].id;
    alice.send(Command::Play { sound: sound(id), from_ms: None });
    alice.player("it is fetched", |state| *state == PlayerState::Loading).await;
    let view = alice.player("it is played", plays).await;
    assert_eq!((view.length_ms, view.peaks.len(), view.peaks.iter().max()), (12_000, 96, Some(&100)));
    alice.played_to(300).await;
    alice.send(Command::PausePlaying);
    let at = alice.player("it waits", waits).await.at_ms;
    let fetched = bench.pbx.count("GET /blobs");
    assert!((300..12_000).contains(&at), "{at}");
    alice.voicemails(|view| new(view) == 0).await;
    assert_eq!(bench.pbx.voicemails("101"), (0, 3));

    // On from there, then to its end.
    alice.send(Command::Play { sound: sound(id), from_ms: None });
    assert_eq!(alice.player("it goes on", plays).await.at_ms, at);
    alice.send(Command::Play { sound: sound(id), from_ms: Some(11_000) });
    assert_eq!(alice.player("it is played from there", |_| true).await.at_ms, 11_000);
    assert_eq!(alice.player("its end", waits).await.at_ms, 12_000);
    assert_eq!(bench.pbx.count("GET /blobs"), fetched, "it is fetched once");
    alice.send(Command::ClosePlayer);
    alice.until("nothing is open", |event| matches!(event, Event::Player { view: None }).then_some(())).await;

    alice.send(Command::MarkVoicemail { id, heard: false });
    alice.voicemails(|view| new(view) == 1).await;
    alice.phone.stop().await;
    // The last second: its syllables are there.
    let mut reader = hound::WavReader::open(&heard).unwrap();
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    let loud = samples.chunks_exact(4_800).filter(|part| level(part, 700.0) > 0.5).count();
    assert!(loud >= 3, "{loud} tenths of a second of {} samples were heard", samples.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_first_and_the_message_waits_where_it_was() {
    let bench = bench().await;
    let mut alice = signed_in(&bench, bench.config()).await;
    alice.registered().await;
    let id = alice.voicemails(|view| view.messages.len() == 3).await.messages[0].id;
    alice.send(Command::Play { sound: sound(id), from_ms: Some(2_000) });
    alice.played_to(2_100).await;
    alice.dial(ECHO);
    alice.player("it waits", waits).await;
    let call = alice.call("an answer", |state| matches!(state, CallState::Active { .. })).await.id;
    alice.send(Command::Play { sound: sound(id), from_ms: None });
    let failed = alice.player("a refusal", |state| matches!(state, PlayerState::Failed { .. })).await;
    assert!(matches!(failed.state, PlayerState::Failed { problem } if problem.code == Code::NotNow));
    alice.send(Command::HangUp { call });
    alice.ended().await;
    alice.send(Command::Play { sound: sound(id), from_ms: None });
    assert!(alice.player("it goes on", plays).await.at_ms >= 2_000);
    alice.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_voicemail_can_be_kept_for_a_while_and_is_gone_when_the_phone_stops() {
    let bench = bench().await;
    let mut alice = signed_in(&bench, bench.config()).await;
    let id = alice.voicemails(|view| view.messages.len() == 3).await.messages[0].id;
    alice.send(Command::DeleteVoicemail { id });
    alice.voicemails(|view| view.messages.len() == 2).await;
    alice.send(Command::KeepVoicemail { id });
    alice.voicemails(|view| view.messages.len() == 3).await;
    assert_eq!(bench.pbx.count("POST /voicemails"), 0);
    alice.send(Command::DeleteVoicemail { id });
    alice.voicemails(|view| view.messages.len() == 2).await;
    alice.phone.stop().await;
    assert_eq!(bench.pbx.voicemails("101"), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pbx_does_not_offer_is_none_and_what_fails_is_said() {
    let bench = bench().await;
    let fault = |status, times| RestRule {
        fault: RestFault::Status { status, retry_after_s: None },
        path: Some("/voicemails".into()),
        times,
    };
    bench.pbx.faults().rest_rule(fault(404, Some(1)));
    let mut alice = signed_in(&bench, bench.config()).await;
    alice.voicemails(|view| view.state == Standing::None).await;
    alice
        .until("the session", |event| match event {
            Event::Contacts { view } => (view.count == 13).then_some(()),
            _ => None,
        })
        .await;
    bench.pbx.faults().rest_rule(fault(500, Some(1)));
    alice.send(Command::AskVoicemails);
    let stale = |view: &VoicemailsView| match &view.state {
        Standing::Stale { problem, .. } => problem.code == Code::ServerFailed,
        _ => false,
    };
    alice.voicemails(stale).await;
    alice.send(Command::AskVoicemails);
    let view = alice.voicemails(|view| matches!(view.state, Standing::Fresh { .. })).await;
    let id = view.messages[0].id;
    alice.send(Command::MarkVoicemail { id: VoicemailId(99), heard: true });
    let notice = alice.until("a notice", |event| match event {
        Event::Notice { problem, .. } => Some(problem.code),
        _ => None,
    });
    assert_eq!(notice.await, Code::GoneAtPbx);
    bench.pbx.faults().rest(RestFault::Garbage);
    alice.send(Command::Play { sound: sound(id), from_ms: None });
    let failed = alice.player("no sound", |state| matches!(state, PlayerState::Failed { .. })).await;
    assert!(
        matches!(&failed.state, PlayerState::Failed { problem } if problem.code == Code::SoundUnknown),
        "{failed:?}"
    );
    alice.phone.stop().await;
}
