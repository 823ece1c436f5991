//! The one task that owns all state.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use devices::DeviceError;
use sip::UserAgent;
use tokio::sync::{mpsc, oneshot};

use crate::accounts::{Accounts, Agent, AgentId};
use crate::asked::Asked;
use crate::bundling::Bundling;
use crate::calls::{Calls, Way};
use crate::checking::{Checking, Word};
use crate::contacts::{Contacts, ContactsInput};
use crate::dictation::Said;
use crate::history::Recalled;
use crate::lamps::Lamps;
use crate::outlet::Outlet;
use crate::picture::codecs;
use crate::playing;
use crate::portal::{Portal, PortalInput};
use crate::scanning::{Look, Seen};
use crate::signing_in::{SignedInput, SigningIn};
use crate::updating::{UpdateInput, Updating};
use crate::voice::{Recorder, Sockets, VoiceError, VoiceEvent};
use crate::watching::Watching;
use crate::{AccountId, BundleView, CallId, Code, Command, Config, Event, HearBackView, Picture, Problem};

/// How long a stop may take: an un-register, and recordings to be finished.
const STOP_WITHIN: Duration = Duration::from_secs(4);

/// All that can happen to a phone.
pub(crate) enum Input {
    /// A shell wants something.
    Command(Command),
    /// A shell wants the whole picture.
    Picture(oneshot::Sender<Picture>),
    /// The phone is to stop.
    Stop(oneshot::Sender<()>),
    /// All that had to come to its end before the phone may stop has done so.
    Landed,
    /// The time for stopping is over.
    StopOverdue,
    /// The phone is to end as by a defect.
    #[cfg(debug_assertions)]
    Crash,
    /// Something was seen while a QR code is looked for.
    Seen(Look, Seen),
    /// Something of signing in or of a session.
    Signed(SignedInput),
    /// A user agent was started, or could not be.
    AgentStarted(AgentId, Result<UserAgent, sip::Error>),
    /// A user agent says something.
    Signalled(AgentId, sip::Event),
    /// A user agent has nothing more to say.
    AgentGone(AgentId),
    /// Sockets and devices for a call were looked after.
    Prepared(CallId, Way, Result<Sockets, Problem>),
    /// Sockets for a call were bound at our new address, or could not be.
    Moved(CallId, Result<(IpAddr, Sockets), VoiceError>),
    /// A voice path, by its number, says something.
    Heard(u32, VoiceEvent),
    /// Something was plugged in or out.
    Plugged(devices::Present),
    /// A button of a headset.
    Pressed(devices::Press),
    /// The time has come for the next digits of a call.
    DigitsDue(CallId),
    /// The time has come to answer a call as the PBX wishes.
    AnswerDue(CallId),
    /// The file for a recording was created, or could not be.
    Recording(CallId, Result<Recorder, DeviceError>),
    /// A hear-back test, by its number, says how it stands.
    HearBack(u32, HearBackView),
    /// Something of a newer version.
    Update(UpdateInput),
    /// A diagnostic bundle, by its round, was made or saved, or could not be.
    Bundled(u64, Result<BundleView, Problem>),
    /// A check of the phone, by its number, has something to say.
    Checked(u32, Word),
    /// What has become of the call list.
    Recalled(Recalled),
    /// Something of the contacts.
    Contacts(Box<ContactsInput>),
    /// Something of what the PBX keeps for its user.
    Portal(Box<PortalInput>),
    /// What is listened to, by its number, says how far it is.
    Played(u32, playing::Word),
    /// A recording, by its number, says how it stands.
    Dictated(u32, Said),
    /// All of ended calls is closed; their last figures.
    Closed(Vec<(CallId, Option<Box<media::Report>>)>),
}

/// The phone's state and what it needs to act.
pub(crate) struct Actor {
    inbox: mpsc::UnboundedReceiver<Input>,
    pub(crate) outlet: Outlet,
    /// The diagnostic bundle that is shown.
    pub(crate) bundling: Bundling,
    pub(crate) checking: Checking,
    pub(crate) updating: Updating,
    pub(crate) accounts: Accounts,
    pub(crate) calls: Calls,
    pub(crate) watching: Watching,
    pub(crate) contacts: Contacts,
    pub(crate) lamps: Lamps,
    pub(crate) portal: Portal,
    pub(crate) signing_in: SigningIn,
    pub(crate) asked: Asked,
    stopping: Option<oneshot::Sender<()>>,
    landed: bool,
}

#[cfg(debug_assertions)]
#[allow(clippy::panic)]
fn crash() {
    panic!("told to");
}

impl Actor {
    /// An actor at rest.
    pub(crate) fn new(
        config: &Arc<Config>,
        signing_in: SigningIn,
        inbox: mpsc::UnboundedReceiver<Input>,
        outlet: Outlet,
    ) -> Self {
        let mut updating = Updating::start(config, outlet.clone());
        updating.trust(signing_in.trust());
        Self {
            inbox,
            accounts: Accounts::new(outlet.clone()),
            calls: Calls::new(
                Arc::clone(config),
                signing_in.call_preferences(),
                signing_in.devices(),
                signing_in.voice_preferences(),
                outlet.clone(),
            ),
            signing_in,
            watching: Watching::new(outlet.clone()),
            checking: Checking::new(outlet.clone()),
            updating,
            bundling: Bundling::default(),
            contacts: Contacts::start(&config.data_dir, config.contacts, outlet.clone()),
            lamps: Lamps::default(),
            portal: Portal::new(config.contacts, outlet.clone()),
            asked: Asked::default(),
            outlet,
            stopping: None,
            landed: false,
        }
    }

    /// Runs until stopped.
    pub(crate) async fn run(mut self) {
        self.contacts.want_computer(self.signing_in.desktop_preferences().computer_contacts);
        self.signing_in.begin(&mut self.accounts);
        while let Some(input) = self.inbox.recv().await {
            self.take(input);
            self.calls.light();
            self.publish();
            if self.landed && self.calls.is_quiet() {
                break;
            }
        }
        self.calls.history().close().await;
        self.contacts.close().await;
        if let Some(done) = self.stopping {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            // What is begun now would not be ended.
            Input::Command(_) | Input::Signed(_) | Input::Seen(..) if self.stopping.is_some() => {}
            Input::Command(command) => self.follow(command),
            Input::Picture(reply) => {
                // A shell that went away needs no picture.
                let _ = reply.send(self.picture());
            }
            Input::Stop(done) => self.stop(done),
            Input::Landed => self.landed = true,
            #[cfg(debug_assertions)]
            Input::Crash => crash(),
            Input::StopOverdue => {
                self.calls.forget_all();
                self.landed = true;
            }
            Input::Seen(look, seen) => {
                let superseded = self.signing_in.seen(look, seen, &mut self.accounts);
                self.let_go(superseded);
            }
            Input::Signed(input) => {
                let superseded = self.signing_in.take(input, &mut self.accounts);
                self.let_go(superseded);
            }
            Input::AgentStarted(agent, started) => {
                let superseded = self.accounts.started(agent, started);
                self.let_go(superseded);
            }
            Input::Signalled(agent, event) => self.signalled(agent, event),
            Input::AgentGone(agent) => {
                self.calls.agent_gone(agent);
                self.watching.gone(agent);
            }
            Input::Prepared(call, way, ready) => self.calls.prepared(call, way, ready),
            Input::Moved(call, bound) => self.calls.resettled(call, bound),
            Input::Plugged(present) => self.calls.plugged(present),
            Input::Pressed(press) => self.calls.pressed(press),
            Input::Heard(voice, event) => self.calls.heard(voice, event),
            Input::DigitsDue(call) => self.calls.send_digits(call),
            Input::AnswerDue(call) => self.calls.answer_due(call),
            Input::Recording(call, recorder) => self.calls.recorder_ready(call, recorder),
            Input::HearBack(number, view) => self.calls.heard_back(number, view),
            Input::Update(input) => self.updating.take(input),
            Input::Bundled(round, bundle) => self.bundled(round, bundle),
            Input::Checked(number, word) => self.checking.take(number, word),
            Input::Recalled(news) => self.calls.history().recalled(news),
            Input::Contacts(input) => {
                if self.contacts.take(*input) {
                    self.calls.know(self.contacts.directory());
                    self.portal.know(self.contacts.directory());
                    self.watch_favorites();
                }
            }
            Input::Portal(input) => self.portal(*input),
            Input::Played(number, word) => self.calls.played(number, word),
            Input::Dictated(number, said) => self.dictated(number, said),
            Input::Closed(calls) => self.calls.closed(calls),
        }
    }

    fn signalled(&mut self, agent: AgentId, event: sip::Event) {
        match event {
            sip::Event::Registration(registration) => {
                let account = self.accounts.registration(agent, registration);
                if let (Some(account), sip::Registration::Registered { .. }) = (&account, registration)
                    && let Some((_, agent)) = self.accounts.of_agent(agent)
                {
                    self.watching.registered(account, &agent);
                    self.dial_waiting();
                }
                if let (Some(account), sip::Registration::Refused { cause: sip::Cause::WrongPassword, .. }) =
                    (account, registration)
                {
                    self.signing_in.password_refused(&account);
                }
            }
            sip::Event::Incoming { call, invitation } => {
                // One that was let go refuses its calls by itself.
                if let Some((account, agent)) = self.accounts.of_agent(agent) {
                    self.calls.incoming(account, agent, call, *invitation);
                }
            }
            sip::Event::Referred { referral, call, target, by: _ } => {
                if let Some(line) = self.accounts.of_agent(agent) {
                    self.referred(line, referral, call, target);
                }
            }
            event => self.told(agent, event),
        }
    }

    fn follow(&mut self, command: Command) {
        let command = match self.office(command) {
            Ok(Ok(())) => return,
            Ok(Err(problem)) => return self.outlet.tell(Event::Notice { problem, call: None }),
            Err(other) => *other,
        };
        let past = || self.calls.peers();
        let followed = self.contacts.follow(command, past);
        let followed = followed.or_else(|other| self.desk(*other)).or_else(|other| self.at_portal(*other));
        let command = match followed {
            Ok(Ok(())) => return,
            Ok(Err(problem)) => return self.outlet.tell(Event::Notice { problem, call: None }),
            Err(other) => *other,
        };
        let (done, call) = match command {
            Command::SignOut { account } => {
                self.watching.forget(&account);
                self.forget_bundle();
                let agent = self.signing_in.sign_out(&account, &mut self.accounts);
                self.let_go(agent);
                (Ok(()), None)
            }
            Command::Reconnect { account } => {
                let known = self.accounts.reconnect(&account)
                    || self.signing_in.reconnect(&account, &mut self.accounts);
                (if known { Ok(()) } else { Err(Code::NoAccount.into()) }, None)
            }
            Command::Dial { account, target } => (self.dial(account.as_ref(), &target), None),
            Command::DialHidden { account, target } => (self.dial_hidden(account.as_ref(), &target), None),
            Command::Answer { call } => (self.calls.answer(call), Some(call)),
            Command::Decline { call, reason } => (self.calls.decline(call, reason), Some(call)),
            Command::Redirect { call, target } => (self.calls.redirect(call, &target), Some(call)),
            Command::HangUp { call } => (self.calls.hang_up(call), Some(call)),
            Command::Hold { call } => (self.calls.hold(call), Some(call)),
            Command::Resume { call } => (self.calls.resume(call), Some(call)),
            Command::Merge { calls } => (self.calls.merge(&calls), calls.first().copied()),
            Command::Split { call } => (self.calls.split(call), Some(call)),
            Command::Transfer { call, target } => (self.calls.transfer(call, &target), Some(call)),
            Command::TransferTo { call, to } => (self.calls.transfer_to(call, to), Some(call)),
            Command::Mute { call, muted } => (self.calls.mute(call, muted), Some(call)),
            Command::Record { call, on } => (self.calls.record(call, on), Some(call)),
            Command::SendDigits { call, digits } => (self.calls.digits(call, &digits), Some(call)),
            Command::SendWaiting { call } => (self.calls.go_on(call), Some(call)),
            Command::HearBack => {
                self.calls.hear_back();
                (Ok(()), None)
            }
            Command::CheckPhone { account } => (self.check(account.as_ref()), None),
            Command::MakeBundle { shorten_numbers } => {
                self.make_bundle(shorten_numbers);
                (Ok(()), None)
            }
            Command::LookForUpdate => (self.updating.look(true), None),
            Command::FetchUpdate => (self.updating.fetch(), None),
            Command::InstallUpdate => (self.install_update(), None),
            Command::SaveBundle => (self.save_bundle(), None),
            Command::StopChecking => {
                self.checking.stop();
                (Ok(()), None)
            }
            Command::StopHearBack => {
                self.calls.stop_hearing();
                (Ok(()), None)
            }
            Command::EarlierCalls { before } => {
                self.calls.history().tell_earlier(before);
                (Ok(()), None)
            }
            Command::SeeCalls { up_to } => {
                self.calls.history().see(up_to);
                (Ok(()), None)
            }
            Command::ForgetCall { id } => {
                self.calls.history().forget(Some(id));
                (Ok(()), None)
            }
            Command::ForgetAllCalls => {
                self.calls.history().forget(None);
                (Ok(()), None)
            }
            Command::PreferInCalls { preferences } => {
                let mut preferences = self.signing_in.allowed(preferences);
                preferences.codecs = codecs::complete(&preferences.codecs);
                self.signing_in.prefer(&preferences);
                self.calls.prefer(preferences.clone());
                self.outlet.tell(Event::CallPreferences { preferences });
                (Ok(()), None)
            }
            Command::RankDevices { role, ids } => {
                self.calls.rank(role.into(), &ids);
                self.remember_devices();
                (Ok(()), None)
            }
            Command::UseDevice { role, id } => {
                self.calls.use_device(role.into(), id.as_deref());
                self.remember_devices();
                (Ok(()), None)
            }
            Command::PreferRing { ring } => {
                self.calls.prefer_ring(ring);
                self.remember_devices();
                (Ok(()), None)
            }
            Command::SetSrtp { account, srtp } => {
                self.signing_in.protect(&account, srtp);
                self.accounts.protect(&account, srtp);
                let known = self.accounts.has(&account);
                (if known { Ok(()) } else { Err(Code::NoAccount.into()) }, None)
            }
            Command::HideNumber { account, hidden } => {
                self.signing_in.hide(&account, hidden);
                self.accounts.change(&account, |view| view.hidden = hidden);
                let known = self.accounts.has(&account);
                (if known { Ok(()) } else { Err(Code::NoAccount.into()) }, None)
            }
            Command::SetConnection { account, connection, turn_password } => {
                (self.signing_in.connect(&account, connection, turn_password, &mut self.accounts), None)
            }
            Command::PreferVoice { preferences } => {
                self.signing_in.prefer_voice(preferences);
                self.calls.prefer_voice(preferences);
                self.outlet.tell(Event::VoicePreferences { preferences });
                (Ok(()), None)
            }
            Command::PreferWebProxy { preference } => (self.prefer_web_proxy(&preference), None),
            Command::Meter { on } => (self.calls.meter(on), None),
            Command::TrySpeaker => (self.calls.try_speaker(), None),
            Command::TrustSipServer { account, fingerprint } => {
                (self.trust_sip_server(&account, &fingerprint), None)
            }
            other => {
                let trusts =
                    matches!(other, Command::TrustCertificate { .. } | Command::WithdrawTrust { .. });
                let agent = self.signing_in.follow(other, &mut self.accounts);
                self.let_go(agent);
                if trusts {
                    self.accounts.trust(&self.signing_in.trust());
                }
                (Ok(()), None)
            }
        };
        if let Err(problem) = done {
            self.outlet.tell(Event::Notice { problem, call });
        }
    }

    fn remember_devices(&mut self) {
        let audio = self.calls.audio();
        self.signing_in.remember_devices(audio.book(), audio.ring());
    }

    /// Tells every shell.
    pub(crate) fn tell(&self, event: Event) {
        self.outlet.tell(event);
    }

    pub(crate) fn dial(&mut self, wanted: Option<&AccountId>, target: &str) -> Result<(), Problem> {
        let (account, agent) = self.line(wanted)?;
        if self.accounts.hides(&account) {
            return self.dial_hidden(Some(&account), target);
        }
        self.calls.dial(account, agent, target, None)
    }

    fn picture(&self) -> Picture {
        Picture {
            sign_in: self.signing_in.view(),
            accounts: self.accounts.views(),
            calls: self.calls.views(),
            trusted: self.signing_in.trusted(),
            call_preferences: self.calls.preferences(),
            voice_preferences: self.calls.voice_preferences(),
            watched: self.watching.views(),
            audio: self.calls.audio().view(),
            history: self.calls.past(),
            hear_back: self.calls.hearing(),
            check: self.checking.view(),
            update: self.updating.view(),
            policy: self.signing_in.policy(),
            contacts: self.contacts.view(),
            desktop: self.signing_in.desktop_preferences(),
            web_proxy: self.signing_in.web_proxy(),
            asked: self.asked.view(),
            voicemails: self.portal.voicemails(),
            greetings: self.portal.greetings(),
            own_presence: self.portal.own_presence(),
            forwarding: self.portal.forwarding(),
            queues: self.portal.queues(),
            caller_ids: self.portal.caller_ids(),
            player: self.calls.player(),
        }
    }

    /// Stops a user agent that is no longer wanted, and its calls with it.
    fn let_go(&mut self, agent: Option<Agent>) {
        if let Some(agent) = agent {
            self.calls.hang_up_by(agent.id);
            self.outlet.landing(agent.handle.stop());
        }
    }

    fn stop(&mut self, done: oneshot::Sender<()>) {
        self.stopping = Some(done);
        self.signing_in.close_eyes();
        self.calls.close_player();
        self.calls.stop_dictation();
        self.portal.stop();
        for agent in self.accounts.agents() {
            self.let_go(Some(agent));
        }
        let landed = self.outlet.landed();
        self.outlet.waiting(async move {
            landed.await;
            Input::Landed
        });
        self.outlet.waiting(async {
            tokio::time::sleep(STOP_WITHIN).await;
            Input::StopOverdue
        });
    }
}
