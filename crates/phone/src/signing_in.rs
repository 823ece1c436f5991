//! Signing in, staying signed in, signing out: the wizard, the sessions and what is remembered of both.

mod acting;
mod plain;
mod relay;
mod sessions;
mod view;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

pub(crate) use relay::entry as turn_entry;

use devices::PlaceBook;
use pbx_api::{Client, FeatureCode, Fingerprint, ServerAddress};
use secrecy::{ExposeSecret, SecretString};
use sessions::Watched;
use sign_in::callback::Callback;
use sign_in::{
    Answer, CallbackUrl, Input as Step, Keeper, Page, RequestId, Secrets, Session, SessionStatus,
    SignInError, Wizard,
};
use tokio::task::AbortHandle;

pub(crate) use plain::proxy;

use crate::accounts::{Accounts, Agent};
use crate::actor::Input;
use crate::doctor::Patient;
use crate::outlet::Outlet;
use crate::picture::codecs;
use crate::returning::Returning;
use crate::scanning::{Look, Scanning, Seen};
use crate::settings::{SavedAccount, Settings, TrustedCertificate};
use crate::words::of_sign_in_error;
use crate::{
    AccountId, AccountKind, CallPreferences, Code, Command, Config, Connection, DesktopPreferences, Event,
    FeatureCodes, FieldIs, Problem, RingPreferences, SessionState, SignInView, SrtpPolicy, TrustedView,
    VoicePreferences, WebProxyPreference,
};

/// What happened to the wizard or a session, from outside the actor.
pub(crate) enum SignedInput {
    /// A server answered the wizard.
    Answered(RequestId, Answer),
    /// A listener waits for the browser.
    Listening {
        /// Whose.
        request: RequestId,
        /// Its address.
        loopback: Option<CallbackUrl>,
        /// The address of the phone's own scheme.
        scheme: Option<CallbackUrl>,
    },
    /// The browser came back.
    Returned {
        /// To whom.
        request: RequestId,
        /// With what.
        callback: Callback,
    },
    /// No browser could be opened.
    BrowserFailed,
    /// The time has come that the wizard waits for.
    TimedOut,
    /// A session was begun after the wizard, or taken up out of the keychain.
    Session(AccountId, Result<Option<Session>, SignInError>),
    /// The PBX was asked whether a session stands.
    Confirmed(AccountId, Result<(), SignInError>),
    /// The PBX told its star codes.
    Codes(AccountId, Vec<FeatureCode>),
    /// The status of a session changed.
    Status(AccountId, SessionStatus),
    /// The password of a plain account was kept, or not.
    PlainKept(AccountId, Result<(), SignInError>),
    /// The password of a plain account was looked up.
    Plain(AccountId, Result<Option<Secrets>, SignInError>),
    /// The password of an account's TURN server is known.
    TurnPassword(AccountId, SecretString),
    /// Signing out has come to its end.
    SignedOut(AccountId, Result<(), SignInError>),
}

/// The wizard and the sessions.
pub(crate) struct SigningIn {
    config: Arc<Config>,
    settings: Settings,
    keeper: Arc<Keeper>,
    outlet: Outlet,
    wizard: Wizard,
    showing: Showing,
    /// The account just signed in to that still lacks its SIP password.
    fresh: Option<AccountId>,
    scanning: Scanning,
    returning: Returning,
    /// Rings when the wizard has waited long enough.
    alarm: Option<AbortHandle>,
    /// The client last used by the wizard, whose connection can be used again.
    client: Option<(ServerAddress, Client)>,
    sessions: BTreeMap<AccountId, Watched>,
}

/// What the wizard's place in the window shows.
enum Showing {
    /// The wizard.
    Wizard,
    /// The page for a plain SIP account, and what is wrong with what was typed there.
    Sip(Option<Problem>),
    /// The question for an account's SIP password, and why it is asked again.
    SipPassword(AccountId, Option<Problem>),
    /// Nothing: signed in.
    Nothing,
}

impl SigningIn {
    /// Signing in, with what is remembered.
    pub(crate) fn new(config: Arc<Config>, settings: Settings, keeper: Keeper, outlet: Outlet) -> Self {
        Self {
            scanning: Scanning::new(config.eyes.clone(), outlet.clone()),
            returning: Returning::new(outlet.clone()),
            config,
            settings,
            keeper: Arc::new(keeper),
            outlet,
            wizard: Wizard::new(),
            showing: Showing::Wizard,
            fresh: None,
            alarm: None,
            client: None,
            sessions: BTreeMap::new(),
        }
    }

    /// Follows a command of the wizard's. A user agent that is no longer wanted is left to be stopped.
    pub(crate) fn follow(&mut self, command: Command, accounts: &mut Accounts) -> Option<Agent> {
        let ways = self.config.ways;
        let step = match command {
            Command::FindServer { domain, server } => self.find_server(domain, server),
            Command::SignIn { username, password } if ways.password => Step::SignIn { username, password },
            Command::SignInWithMicrosoft if ways.microsoft => Step::SignInWithMicrosoft,
            Command::OpenBrowserAgain => Step::OpenBrowserAgain,
            Command::GiveCode { code } => Step::GiveCode { code },
            Command::SendCodeAgain => Step::SendCodeAgain,
            Command::ForgotPassword if ways.password => Step::ForgotPassword,
            Command::AskForReset { username } => Step::AskForReset { username },
            Command::GiveResetLink { link } => Step::GiveResetLink { link },
            Command::ChoosePassword { old, new } => Step::ChoosePassword { old, new },
            Command::Scan if ways.qr => Step::Scan,
            Command::EnterSipAccount if ways.sip => Step::EnterSipAccount,
            Command::OpenLink { link } => match self.returning.link(link.expose_secret()) {
                Some((request, callback)) => Step::Returned { request, callback },
                None => return self.refuse(Code::NotNow.into()),
            },
            Command::SignInAgain { account } => match self.saved(&account) {
                Some(saved) if saved.kind == AccountKind::Pbx => Step::SignInAgain {
                    domain: saved.domain.clone(),
                    server: saved.server.clone(),
                    username: saved.username.clone(),
                },
                _ => return self.refuse(Code::NoAccount.into()),
            },
            Command::AddAccount => return self.add_account(accounts),
            Command::TrustCertificate { fingerprint } => match self.may_trust(&fingerprint) {
                Ok(fingerprint) => Step::TrustCertificate { fingerprint },
                Err(problem) => return self.refuse(problem),
            },
            Command::WithdrawTrust { server } => {
                self.withdraw_trust(&server);
                return None;
            }
            Command::GiveSipPassword { password } => return self.sip_password_given(password, accounts),
            Command::Back => return self.back(accounts),
            Command::UseSipAccount { account } => return self.plain(account, accounts),
            other => return self.look(other),
        };
        self.step(step, accounts)
    }

    /// Whether users may trust certificates by themselves.
    pub(crate) fn may_trust_any(&self) -> Result<(), Problem> {
        self.config.may_trust()
    }

    /// A certificate that the user wants to trust, where users may.
    fn may_trust(&self, fingerprint: &str) -> Result<Fingerprint, Problem> {
        self.config.may_trust()?;
        Fingerprint::parse(fingerprint).ok_or_else(|| Code::NotNow.into())
    }

    /// What the machine's policy allows of the user's preferences.
    pub(crate) fn allowed(&self, preferences: CallPreferences) -> CallPreferences {
        self.config.allowed(preferences)
    }

    /// What the window must know of the machine's policy.
    pub(crate) fn policy(&self) -> crate::PolicyView {
        self.config.policy_view()
    }

    /// Takes what happened outside.
    pub(crate) fn take(&mut self, input: SignedInput, accounts: &mut Accounts) -> Option<Agent> {
        match input {
            SignedInput::Answered(request, answer) => {
                return self.step(Step::Answer { request, answer }, accounts);
            }
            SignedInput::Listening { request, loopback, scheme } => {
                return self.step(Step::Listening { request, loopback, scheme }, accounts);
            }
            SignedInput::Returned { request, callback } => {
                return self.step(Step::Returned { request, callback }, accounts);
            }
            SignedInput::BrowserFailed => return self.step(Step::BrowserFailed, accounts),
            SignedInput::TimedOut => return self.step(Step::TimedOut, accounts),
            SignedInput::Session(account, session) => return self.session(&account, session, accounts),
            SignedInput::Confirmed(account, confirmed) => {
                if confirmed.is_ok() {
                    self.ask_codes(&account);
                }
                // Where the PBX could not be asked, it is asked for its contacts later on.
                if !matches!(confirmed, Err(SignInError::SessionExpired)) {
                    self.offer_contacts(&account);
                }
                accounts.change(&account, |view| {
                    view.session = match confirmed {
                        Ok(()) => SessionState::Open,
                        Err(SignInError::SessionExpired) => SessionState::Expired,
                        Err(error) => SessionState::Unconfirmed { problem: of_sign_in_error(&error) },
                    };
                });
            }
            SignedInput::Codes(account, codes) => {
                let codes = FeatureCodes::told(self.call_preferences().codes, &codes);
                accounts.change(&account, |view| view.codes = Some(Box::new(codes)));
            }
            SignedInput::Status(account, status) => accounts.change(&account, |view| {
                if status.expired {
                    view.session = SessionState::Expired;
                }
                view.secrets_in_memory = status.secrets_in_memory;
            }),
            SignedInput::PlainKept(account, kept) => self.plain_kept(&account, kept, accounts),
            SignedInput::Plain(account, secrets) => return self.plain_taken_up(&account, secrets, accounts),
            SignedInput::TurnPassword(account, password) => self.relay(&account, password, accounts),
            SignedInput::SignedOut(account, vault) => {
                if let Err(error) = vault {
                    self.outlet.tell(Event::Notice { problem: of_sign_in_error(&error), call: None });
                }
                // Unless it was signed in to again meanwhile.
                if self.saved(&account).is_none() && accounts.has(&account) {
                    let agent = accounts.remove(&account);
                    self.after_sign_out(&account, accounts);
                    return agent;
                }
            }
        }
        None
    }

    /// Takes what was seen of a QR code.
    pub(crate) fn seen(&mut self, look: Look, seen: Seen, accounts: &mut Accounts) -> Option<Agent> {
        let found = self.scanning.take(look, seen);
        if let Some(camera) = self.scanning.camera_in_use()
            && self.settings.camera.as_deref() != Some(camera)
        {
            let camera = camera.to_owned();
            self.settle(|settings| settings.camera = Some(camera.clone()));
        }
        match found {
            Some(code) => {
                // Its thread has ended; the camera opens again where the code leads nowhere.
                self.scanning.rest();
                self.step(Step::Scanned(code), accounts)
            }
            None => {
                self.tell();
                None
            }
        }
    }

    /// What to show.
    pub(crate) fn view(&self) -> SignInView {
        view::of(self)
    }

    /// Certificates trusted on purpose.
    pub(crate) fn trusted(&self) -> Vec<TrustedView> {
        let view = |trusted: &TrustedCertificate| TrustedView {
            server: trusted.server.clone(),
            fingerprint: trusted.fingerprint.clone(),
        };
        self.settings.trusted.iter().map(view).collect()
    }

    /// What the user prefers in calls.
    pub(crate) fn call_preferences(&self) -> CallPreferences {
        let mut preferences = self.config.calls.clone().unwrap_or_else(|| self.settings.calls.clone());
        preferences = self.config.allowed(preferences);
        preferences.codecs = codecs::complete(&preferences.codecs);
        preferences
    }

    /// Remembers what the user prefers in calls.
    pub(crate) fn prefer(&mut self, preferences: &CallPreferences) {
        if self.config.calls.is_none() {
            self.settle(|settings| settings.calls.clone_from(preferences));
        }
    }

    /// Which devices are used where, and how the phone rings.
    pub(crate) fn devices(&self) -> (PlaceBook, RingPreferences) {
        (self.settings.devices.clone(), self.settings.ring)
    }

    /// Remembers which devices are used where, and how the phone rings.
    pub(crate) fn remember_devices(&mut self, book: &PlaceBook, ring: RingPreferences) {
        self.settle(|settings| {
            settings.devices.clone_from(book);
            settings.ring = ring;
        });
    }

    /// Remembers how the calls of an account find their way through NATs.
    ///
    /// # Errors
    /// There is no such account, or a server is none.
    pub(crate) fn connect(
        &mut self,
        id: &AccountId,
        connection: Connection,
        password: Option<SecretString>,
        accounts: &mut Accounts,
    ) -> Result<(), Problem> {
        if self.saved(id).is_none() {
            return Err(Code::NoAccount.into());
        }
        let nat = connection.nat(None)?;
        self.settle(|settings| settings.connect(id, connection.clone()));
        accounts.connect(id, connection, self.config.nat.clone().unwrap_or(nat));
        self.keep_turn_password(id, password);
        Ok(())
    }

    /// Remembers whether the calls of an account are encrypted.
    pub(crate) fn protect(&mut self, id: &AccountId, srtp: SrtpPolicy) {
        self.settle(|settings| settings.protect(id, srtp));
    }

    /// Remembers whether the calls of an account keep to themselves who calls.
    pub(crate) fn hide(&mut self, id: &AccountId, hidden: bool) {
        self.settle(|settings| settings.hide(id, hidden));
    }

    /// Remembers the number that the calls of an account show.
    pub(crate) fn show_as(&mut self, id: &AccountId, number: Option<String>) {
        self.settle(|settings| settings.show_as(id, number.clone()));
    }

    /// What is remembered.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Directory of the settings.
    pub(crate) fn data_dir(&self) -> &Path {
        &self.config.data_dir
    }

    /// Product and version.
    pub(crate) fn user_agent(&self) -> &str {
        &self.config.user_agent
    }

    /// What the doctor is to look at: an account, or without one this machine alone.
    pub(crate) fn patient(&self, id: Option<&AccountId>, password: Option<SecretString>) -> Patient {
        match id.and_then(|id| self.saved(id)) {
            Some(saved) => Patient::of(&self.config, &self.settings, saved, password.unwrap_or_default()),
            None => Patient::new(&self.config),
        }
    }

    /// What is done to the user's voice.
    pub(crate) fn voice_preferences(&self) -> VoicePreferences {
        self.config.voice.unwrap_or(self.settings.voice)
    }

    /// Remembers what is done to the user's voice.
    pub(crate) fn prefer_voice(&mut self, preferences: VoicePreferences) {
        if self.config.voice.is_none() {
            self.settle(|settings| settings.voice = preferences);
        }
    }

    /// How the phone lives in the desktop around its window.
    pub(crate) fn desktop_preferences(&self) -> DesktopPreferences {
        self.config.desktop(&self.settings.desktop)
    }

    /// How servers on the web are reached.
    pub(crate) fn web_proxy(&self) -> WebProxyPreference {
        self.config.web_proxy(&self.settings.web_proxy)
    }

    /// Remembers how servers on the web are reached, and goes that way from now on.
    ///
    /// # Errors
    /// The administrator does not allow it, or the address is no proxy's.
    pub(crate) fn prefer_web_proxy(&mut self, preference: &WebProxyPreference) -> Result<(), Problem> {
        if self.config.policy.locks(policy::Name::WebProxy) {
            return Err(Code::NotAllowed.into());
        }
        preference.chosen()?;
        self.settle(|settings| settings.web_proxy.clone_from(preference));
        self.client = None;
        self.renew_all_clients();
        Ok(())
    }

    /// Keeps that.
    pub(crate) fn prefer_desktop(&mut self, preferences: &DesktopPreferences) {
        self.settle(|settings| settings.desktop.clone_from(preferences));
    }

    fn find_server(&self, domain: String, server: String) -> Step {
        let settled = |is: FieldIs, typed: String, settled: &str| match is {
            FieldIs::Free => typed,
            FieldIs::Fixed | FieldIs::Hidden => settled.to_owned(),
        };
        let Config { ways, suggested_domain, suggested_server, .. } = &*self.config;
        Step::FindServer {
            domain: settled(ways.domain, domain, suggested_domain),
            server: settled(ways.server, server, suggested_server),
        }
    }

    fn add_account(&mut self, accounts: &mut Accounts) -> Option<Agent> {
        let superseded = self.step(Step::Leave, accounts);
        self.wizard = std::mem::take(&mut self.wizard).renewed();
        self.showing = Showing::Wizard;
        self.tell();
        superseded
    }

    fn back(&mut self, accounts: &mut Accounts) -> Option<Agent> {
        match &self.showing {
            // Who has only just come in goes out again; an account that stood before stays.
            Showing::SipPassword(account, _) if self.fresh.as_ref() == Some(account) => {
                let account = account.clone();
                self.sign_out(&account, accounts)
            }
            Showing::SipPassword(..) => {
                self.showing = Showing::Nothing;
                self.tell();
                None
            }
            // There is no page before the first, but there may be a phone behind it.
            Showing::Wizard if self.is_on_first_page() && !accounts.views().is_empty() => {
                let superseded = self.step(Step::Leave, accounts);
                self.showing = Showing::Nothing;
                self.tell();
                superseded
            }
            _ => self.step(Step::Back, accounts),
        }
    }

    fn look(&mut self, command: Command) -> Option<Agent> {
        // A code that is being followed is not looked for any more.
        let done = match command {
            _ if self.wizard.busy() => Err(Code::NotNow),
            Command::UseCamera { camera } => {
                self.scanning.use_camera(camera.or_else(|| self.settings.camera.clone()))
            }
            Command::ReadPicture { picture } => self.scanning.read_picture(picture),
            Command::ReadClipboard => self.scanning.read_clipboard(),
            Command::ReadScreen => self.scanning.read_screen(),
            _ => Err(Code::NotNow),
        };
        if let Err(code) = done {
            return self.refuse(code.into());
        }
        self.tell();
        None
    }

    fn step(&mut self, step: Step, accounts: &mut Accounts) -> Option<Agent> {
        let mut superseded = None;
        // Who has left the wizard is not brought back by a late answer.
        let asked_for = !matches!(
            step,
            Step::Answer { .. }
                | Step::Listening { .. }
                | Step::Returned { .. }
                | Step::BrowserFailed
                | Step::TimedOut
        );
        match self.wizard.handle(SystemTime::now(), step) {
            Ok(actions) => {
                if asked_for {
                    match self.wizard.page() {
                        Page::Done => {}
                        Page::Sip => self.showing = Showing::Sip(None),
                        _ => self.showing = Showing::Wizard,
                    }
                }
                for action in actions {
                    superseded = self.act(action, accounts).or(superseded);
                }
                match self.wizard.page() {
                    // The camera rests while its code is followed and a certificate is looked at; it opens again
                    // where that fails.
                    Page::Scan if self.wizard.busy() || self.wizard.certificate().is_some() => {
                        self.scanning.rest();
                    }
                    Page::Scan if matches!(self.showing, Showing::Wizard) => {
                        self.scanning.open(self.settings.camera.clone());
                    }
                    _ => self.scanning.close(),
                }
                self.set_alarm();
                self.tell();
            }
            Err(error) => return self.refuse(of_sign_in_error(&error)),
        }
        superseded
    }

    /// Asks for the SIP password of an account, unless the user is in the wizard: nobody is torn out of it.
    fn ask_sip_password(&mut self, id: &AccountId, problem: Option<Problem>) {
        if !matches!(self.showing, Showing::Wizard | Showing::Sip(_)) {
            self.showing = Showing::SipPassword(id.clone(), problem);
            self.tell();
        }
    }

    /// Closes the camera: the phone stops.
    pub(crate) fn close_eyes(&mut self) {
        self.scanning.close();
    }

    fn leave_wizard(&mut self) {
        self.scanning.close();
        self.showing = Showing::Nothing;
        self.tell();
    }

    fn is_on_first_page(&self) -> bool {
        matches!(self.wizard.page(), Page::Server | Page::Done) && self.wizard.certificate().is_none()
    }

    fn saved(&self, id: &AccountId) -> Option<&SavedAccount> {
        self.settings.accounts.iter().find(|saved| saved.id == *id)
    }

    fn refuse(&self, problem: Problem) -> Option<Agent> {
        self.outlet.tell(Event::Notice { problem, call: None });
        None
    }

    fn plain_problem(&mut self, problem: Problem) -> Option<Agent> {
        match &mut self.showing {
            Showing::Sip(shown) => {
                *shown = Some(problem);
                self.tell();
                None
            }
            _ => self.refuse(problem),
        }
    }

    fn settle(&mut self, change: impl Fn(&mut Settings)) {
        if let Err(error) = self.settings.change(&self.config.data_dir, change) {
            let problem = Problem::new(Code::SettingsFailed, error.to_string());
            self.outlet.tell(Event::Notice { problem, call: None });
        }
    }

    fn tell(&self) {
        self.outlet.tell(Event::SignIn { view: Box::new(self.view()) });
    }

    /// Sets the alarm for what the wizard waits for; a former one is off.
    fn set_alarm(&mut self) {
        if let Some(former) = self.alarm.take() {
            former.abort();
        }
        let Some(deadline) = self.wizard.next_deadline() else { return };
        let outlet = self.outlet.clone();
        let alarm = tokio::spawn(async move {
            let wait = deadline.duration_since(SystemTime::now()).unwrap_or_default();
            tokio::time::sleep(wait).await;
            outlet.put(Input::Signed(SignedInput::TimedOut));
        });
        self.alarm = Some(alarm.abort_handle());
    }
}
