//! All calls: commands, signalling and sound brought together.

mod addresses;
mod audio;
mod begin;
mod call;
mod dictating;
mod digits;
mod early;
mod end;
mod floor;
mod headset;
mod hear_back;
pub(crate) mod hiding;
mod keys;
mod meter;
mod playing;
mod protection;
mod recording;
mod session;
mod tone;
mod transfer;
mod turns;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use devices::{DeviceWatch, Headsets, LineState, PlaceBook};
use media::Identity;

use crate::accounts::AgentId;
use crate::actor::Input;
use crate::audio::Audio;
use crate::contacts::Directory;
use crate::history::History;
use crate::outlet::Outlet;
use crate::report::report;
use crate::verdict::{DeviceSigns, Signs};
use crate::voice::{Attention, Voice, VoiceError, VoiceEvent};
use crate::words::{of_end, of_voice_error};
use crate::{
    AccountId, CallId, CallPreferences, CallState, CallView, Code, Config, EndReason, Event, HistoryView,
    PeerView, Problem, Processing, ProtectionView, RingPreferences, UnixMs, VoicePreferences,
};

pub(crate) use begin::Way;
pub(crate) use call::now;
use call::{Call, Sound};
use dictating::Dictating;
use floor::Floor;
use hear_back::Testing;
use playing::Player;
use tone::Ear;

/// The calls in progress.
pub(crate) struct Calls {
    table: BTreeMap<CallId, Call>,
    floor: Floor,
    voice: Option<Voice>,
    /// Held by whoever has the devices open: a voice path waits for the one before it to let go.
    devices: Arc<Mutex<()>>,
    /// Counts voice paths: a former one may still have a last word to say.
    voices: u32,
    /// What the devices gave last.
    device_signs: DeviceSigns,
    ear: Ear,
    last: u32,
    preferences: CallPreferences,
    /// The numbers that calls show, by account.
    shown_as: BTreeMap<AccountId, String>,
    audio: Audio,
    history: History,
    /// Who is known by which number.
    directory: Arc<Directory>,
    testing: Testing,
    player: Player,
    dictating: Dictating,
    /// Tells what is plugged in, where that matters.
    _watch: Option<DeviceWatch>,
    /// Those with buttons.
    headsets: Option<Headsets>,
    /// What they show.
    lit: Option<LineState>,
    /// Whom other phones see in a handshake for keys, for as long as this phone runs.
    identity: Option<Arc<Identity>>,
    voice_preferences: VoicePreferences,
    /// Somebody looks at the level meters: the devices stay open without a call.
    metered: bool,
    config: Arc<Config>,
    outlet: Outlet,
}

impl Calls {
    /// No calls yet.
    pub(crate) fn new(
        config: Arc<Config>,
        preferences: CallPreferences,
        (book, ring): (PlaceBook, RingPreferences),
        voice_preferences: VoicePreferences,
        outlet: Outlet,
    ) -> Self {
        let audio = Audio::new(config.audio.clone(), book, ring);
        let told = outlet.clone();
        let watch = || DeviceWatch::start(move |present| told.put(Input::Plugged(present)));
        let pressed = outlet.clone();
        let headsets = |bus| Headsets::start(bus, move |press| pressed.put(Input::Pressed(press)));
        Self {
            _watch: audio.uses_cards().then(watch),
            headsets: config.headsets.clone().map(headsets),
            lit: None,
            audio,
            history: History::start(config.data_dir.clone(), preferences.keep_calls, outlet.clone()),
            directory: Arc::default(),
            testing: Testing::default(),
            player: Player::default(),
            dictating: Dictating::default(),
            table: BTreeMap::new(),
            floor: Floor::default(),
            voice: None,
            devices: Arc::default(),
            voices: 0,
            device_signs: DeviceSigns::default(),
            ear: Ear::default(),
            last: 0,
            preferences,
            shown_as: BTreeMap::new(),
            identity: Identity::generate().map(Arc::new),
            voice_preferences,
            metered: false,
            config,
            outlet,
        }
    }

    /// What the user prefers from now on.
    pub(crate) fn prefer(&mut self, preferences: CallPreferences) {
        self.history.keep(preferences.keep_calls);
        self.preferences = preferences;
    }

    /// What the user prefers.
    pub(crate) fn preferences(&self) -> CallPreferences {
        self.preferences.clone()
    }

    /// What is done to the user's voice from now on.
    pub(crate) fn prefer_voice(&mut self, preferences: VoicePreferences) {
        self.voice_preferences = preferences;
        if let Some(voice) = &self.voice {
            voice.process(self.stages());
        }
    }

    /// What is done to the user's voice.
    pub(crate) fn voice_preferences(&self) -> VoicePreferences {
        self.voice_preferences
    }

    /// The same, as far as these devices need it: into a headset nothing comes back, and a canceller that looks for an
    /// echo all the same takes voice for it.
    fn stages(&self) -> media::Stages {
        let stages = self.config.audio.stages(self.voice_preferences.into());
        let needless = self.audio.is_worn() && self.config.audio.processing == Processing::ForCards;
        media::Stages { echo: stages.echo && !needless, ..stages }
    }

    /// Whether others are told what we do.
    pub(crate) fn publishes(&self) -> bool {
        self.preferences.publish_presence
    }

    /// What the shells show of them.
    pub(crate) fn views(&self) -> Vec<CallView> {
        self.table.values().filter(|call| !call.is_over()).map(|call| call.view.clone()).collect()
    }

    /// Calls of an account that are dialled from now on show this number; without one that is for the PBX to say.
    pub(crate) fn show_as(&mut self, account: &AccountId, number: Option<String>) {
        match number {
            Some(number) => self.shown_as.insert(account.clone(), number),
            None => self.shown_as.remove(account),
        };
    }

    /// The calls that are over.
    pub(crate) fn history(&mut self) -> &mut History {
        &mut self.history
    }

    /// With whom they were, and when, newest first.
    pub(crate) fn peers(&self) -> Vec<(PeerView, UnixMs)> {
        self.history.peers()
    }

    /// What the shells show of them.
    pub(crate) fn past(&self) -> HistoryView {
        self.history.view()
    }

    /// Whether sound devices or sockets of any call are still in use.
    pub(crate) fn is_quiet(&self) -> bool {
        self.table.is_empty()
    }

    /// Whether a call of this user agent is in progress and not just ringing here.
    pub(crate) fn is_on_the_phone(&self, agent: AgentId) -> bool {
        let busy = |call: &Call| call.agent.id == agent && !call.is_over() && !call.is_ringing_here();
        self.table.values().any(busy)
    }

    /// Whose call it is.
    pub(crate) fn account_of(&self, id: CallId) -> Option<AccountId> {
        self.table.get(&id).filter(|call| !call.is_over()).map(|call| call.view.account.clone())
    }

    /// Where a call stands.
    pub(crate) fn state(&self, id: CallId) -> Option<&CallState> {
        self.table.get(&id).map(|call| &call.view.state)
    }

    /// Takes what a user agent says of its calls.
    pub(crate) fn signalled(&mut self, agent: AgentId, event: sip::Event) {
        match event {
            sip::Event::Ringing { call, fork, status, sdp } => {
                self.with(agent, call, |calls, id| calls.ringing(id, fork, status, sdp.as_deref()));
            }
            sip::Event::Answered { call, sdp, setup } => {
                self.with(agent, call, |calls, id| calls.accepted(id, &sdp, Some(setup)));
            }
            sip::Event::Confirmed { call, setup } => {
                self.with(agent, call, |calls, id| calls.confirmed(id, setup));
            }
            sip::Event::Offer { call, sdp } => {
                self.with(agent, call, |calls, id| calls.offered(id, sdp.as_deref()));
            }
            sip::Event::Answer { call, sdp } => {
                self.with(agent, call, |calls, id| calls.accepted(id, &sdp, None));
            }
            sip::Event::OfferRefused { call, status } => {
                self.with(agent, call, |calls, id| calls.refused(id, status));
            }
            sip::Event::Moved { call } => self.with(agent, call, Self::moved),
            sip::Event::PartyChanged { call, party } => {
                self.with(agent, call, |calls, id| calls.party_changed(id, party));
            }
            sip::Event::Info { call, content_type, body } => {
                self.with(agent, call, |calls, id| calls.informed(id, &content_type, &body));
            }
            sip::Event::Transfer { call, progress } => {
                self.with(agent, call, |calls, id| calls.transferred(id, progress));
            }
            sip::Event::Ended { call, cause, status } => {
                self.with(agent, call, |calls, id| calls.refused_or_over(id, of_end(cause), status));
            }
            _ => {}
        }
    }

    /// The voice path says something.
    pub(crate) fn heard(&mut self, voice: u32, event: VoiceEvent) {
        match event {
            VoiceEvent::Left(id, last) => self.closed(vec![(id, Some(last))]),
            VoiceEvent::Failed(error) => {
                // Those that were to leave it have nothing more to wait for.
                let leaving = |call: &&Call| matches!(call.sound, Sound::Leaving(from) if from == voice);
                let left: Vec<_> =
                    self.table.values().filter(leaving).map(|call| (call.view.id, None)).collect();
                self.closed(left);
                if voice == self.voices {
                    self.voice_failed(&error);
                }
            }
            _ if voice != self.voices => {}
            VoiceEvent::Devices(signs) => self.device_signs = signs,
            VoiceEvent::Levels(microphone, speaker) => self.levels(microphone, speaker),
            VoiceEvent::Unwatched => self.unwatched(),
            VoiceEvent::MutedTalk(talking) => self.muted_talk(talking),
            VoiceEvent::Report(id, figures) => self.figures(id, &figures),
            VoiceEvent::RecordingFailed(id, error) => self.recording_failed(id, &error),
            VoiceEvent::LegFailed(id, error) => {
                if let Some(call) = self.table.get_mut(&id) {
                    call.sound = Sound::None;
                }
                self.fail(id, of_voice_error(&error));
            }
            VoiceEvent::DeviceFailed(device, error) => self.device_failed(device, &error),
            VoiceEvent::DeviceUsed(device, card, gap) => self.device_used(device, card, gap),
        }
    }

    /// There is no voice path any more.
    fn voice_failed(&mut self, error: &VoiceError) {
        self.voice = None;
        let joined = |call: &&Call| matches!(call.sound, Sound::Joined);
        let lost: Vec<CallId> = self.table.values().filter(joined).map(|call| call.view.id).collect();
        if std::mem::take(&mut self.metered) && lost.is_empty() {
            self.outlet.tell(Event::Notice { problem: of_voice_error(error), call: None });
        }
        for id in lost {
            if let Some(call) = self.table.get_mut(&id) {
                call.sound = Sound::None;
            }
            self.fail(id, of_voice_error(error));
        }
    }

    fn figures(&mut self, id: CallId, figures: &media::Report) {
        let Ok(call) = self.live(id) else { return };
        let begins = !call.is_established() && figures.rx_packets > 0 && call.early.sound();
        if figures.protected == media::Protected::Failed {
            tracing::info!(call = id.0, "the other end is not who it was announced to be");
            return self.end_for(id, EndReason::NotEncrypted);
        }
        let protection = ProtectionView::running(figures.protected, call.agent.secure);
        let news = call.protected_as(protection);
        for digit in &figures.digits {
            self.outlet.tell(Event::DigitHeard { call: id, digit: digit.as_char() });
        }
        self.outlet.tell(Event::Media { call: id, report: report(figures) });
        if news {
            self.tell(id);
        }
        self.judge(id, figures);
        if begins {
            self.settle();
        }
    }

    /// What is wrong with the sound of a call, where that has changed.
    fn judge(&mut self, id: CallId, figures: &media::Report) {
        let devices = self.device_signs;
        let Some(call) = self.table.get_mut(&id).filter(|call| call.is_established()) else { return };
        let signs = Signs {
            figures,
            devices,
            muted: call.view.muted,
            held: matches!(call.view.state, CallState::Held { .. }),
            held_there: call.view.remote_held,
        };
        let now = Instant::now();
        call.ledger.note(now, figures);
        call.ledger.note_devices(self.audio.in_use());
        let verdict = call.assistant.look(now, &signs);
        call.ledger.verdict(now, verdict);
        if std::mem::replace(&mut call.view.verdict, verdict) != verdict {
            self.tell(id);
        }
    }

    /// We talk, or do no longer, to those who have the microphone and cannot hear us.
    fn muted_talk(&mut self, talking: bool) {
        for id in self.floor.calls() {
            let talks = talking && self.floor.attention(id) == Attention::Talking;
            let Some(call) = self.table.get_mut(&id) else { continue };
            let talks = talks && call.view.muted;
            if std::mem::replace(&mut call.view.muted_talk, talks) != talks {
                self.tell(id);
            }
        }
    }

    fn party_changed(&mut self, id: CallId, party: sip::Party) {
        let Some(call) = self.table.get_mut(&id) else { return };
        let mut peer = PeerView::from(party);
        self.directory.name(&call.view.account, &mut peer);
        if call.view.peer != peer {
            call.view.peer = peer;
            self.tell(id);
        }
    }

    /// The contacts are others now.
    pub(crate) fn know(&mut self, directory: Arc<Directory>) {
        self.directory = Arc::clone(&directory);
        self.history.know(directory);
        for id in self.table.keys().copied().collect::<Vec<_>>() {
            let Some(mut view) = self.table.get(&id).map(|call| call.view.clone()) else { continue };
            self.name(&mut view);
            if let Some(call) = self.table.get_mut(&id).filter(|call| !call.is_over() && call.view != view) {
                call.view = view;
                self.tell(id);
            }
        }
    }

    /// Puts the names that the contacts have into a call.
    fn name(&self, call: &mut CallView) {
        let peers = [Some(&mut call.peer), call.diverted_by.as_mut()];
        peers.into_iter().flatten().for_each(|peer| self.directory.name(&call.account, peer));
    }

    fn live(&mut self, id: CallId) -> Result<&mut Call, Code> {
        self.table.get_mut(&id).filter(|call| !call.is_over()).ok_or(Code::NoSuchCall)
    }

    /// A call that both ends have agreed on.
    fn established(&mut self, id: CallId) -> Result<&mut Call, Problem> {
        let call = self.live(id)?;
        if call.is_established() { Ok(call) } else { Err(Code::NotNow.into()) }
    }

    fn calls_by(&self, agent: AgentId) -> Vec<CallId> {
        let live = self.table.values().filter(|call| call.agent.id == agent && !call.is_over());
        live.map(|call| call.view.id).collect()
    }

    fn of_key(&self, agent: AgentId, key: sip::CallKey) -> Option<CallId> {
        let found = self.table.values().find(|c| c.key == Some(key) && c.agent.id == agent);
        found.map(|call| call.view.id)
    }

    fn with(&mut self, agent: AgentId, key: sip::CallKey, then: impl FnOnce(&mut Self, CallId)) {
        if let Some(id) = self.of_key(agent, key) {
            then(self, id);
        }
    }

    /// A call that has just begun.
    fn begin(&mut self, call: impl FnOnce(CallId) -> Call) -> CallId {
        self.last += 1;
        let id = CallId(self.last);
        self.stop_hearing();
        self.pause_playing();
        self.stop_dictation();
        let mut call = call(id);
        self.name(&mut call.view);
        self.history.begun(&call.view);
        self.table.insert(id, call);
        self.floor.begin(id);
        self.tell(id);
        id
    }

    fn fail(&mut self, id: CallId, problem: Problem) {
        self.outlet.tell(Event::Notice { problem, call: Some(id) });
        self.end_for(id, EndReason::AudioFailed);
    }

    /// After every change: the other ends are told who is held, the voice path who has the devices, the shells
    /// what has become of the calls, and the ear hears the tone that fits.
    fn settle(&mut self) {
        for id in self.floor.calls() {
            self.make_offer(id, false);
            let (held, there, merged) =
                (self.floor.is_held(id), self.floor.is_held_there(id), self.floor.is_merged(id));
            let Some(call) = self.table.get_mut(&id) else { continue };
            let before = (call.view.state.clone(), call.view.remote_held, call.view.merged);
            call.hold(held);
            (call.view.remote_held, call.view.merged) = (there, merged);
            if before != (call.view.state.clone(), there, merged) {
                self.tell(id);
            }
        }
        if let Some(voice) = &self.voice {
            let attention = |id: CallId| (id, self.floor.attention(id));
            voice.attend(self.floor.calls().into_iter().map(attention).collect());
        }
        self.sound_tone();
    }

    fn tell(&self, id: CallId) {
        if let Some(call) = self.table.get(&id) {
            self.outlet.tell(Event::Call { view: call.view.clone() });
        }
    }
}

impl From<sip::Party> for PeerView {
    fn from(party: sip::Party) -> Self {
        Self { number: party.number, name: party.display_name, picture: None }
    }
}
