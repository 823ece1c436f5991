//! `register`, `call` and `answer`: the phone driven by a script.

use std::collections::HashSet;
use std::time::Duration;

use phone::{
    AccountId, AccountState, CallId, CallPreferences, CallState, CallView, Code, Command, DeclineReason,
    EndReason, Event, Phone, Problem, ProtectionView,
};
use tokio::sync::broadcast::Receiver;
use tokio::time::{Instant, sleep_until};

use crate::args;
use crate::exit::{Exit, of_call};
use crate::interrupt::Interrupt;
use crate::output::Output;

const COMMA: Duration = Duration::from_secs(2);
const BEFORE_DIGITS: Duration = Duration::from_millis(300);
const MEDIA_EVERY: Duration = Duration::from_secs(1);

/// A phone, what it says, and where that is printed.
pub struct Script {
    /// The phone.
    pub phone: Phone,
    /// Its events since it was started.
    pub events: Receiver<Event>,
    /// Where to print.
    pub output: Output,
    /// The account in use.
    pub account: AccountId,
    /// The user's wish to stop.
    pub interrupt: Interrupt,
}

impl Script {
    /// Stays registered for a while, or until interrupted. Calls ring out; that they came is told.
    pub async fn register(&mut self, period: Option<Duration>) -> Exit {
        let until = period.map(|period| Instant::now() + period);
        let mut ever = false;
        let mut seen = HashSet::new();
        loop {
            tokio::select! {
                () = at(until) => return if ever { Exit::Done } else { Exit::Unreachable },
                () = self.interrupt.pressed() => return Exit::Done,
                event = next(&mut self.events) => match event {
                    Some(Event::Account { view }) => {
                        if let Some(exit) = self.registration(&view.state, ever) {
                            return exit;
                        }
                        ever |= matches!(view.state, AccountState::Registered { .. });
                    }
                    Some(Event::Call { view }) => match &view.state {
                        CallState::Incoming if seen.insert(view.id) => self.output.incoming(&view),
                        CallState::Ended { end } => self.output.ended(&view, end),
                        _ => {}
                    },
                    Some(Event::Notice { problem, .. }) => {
                        self.output.error(&problem);
                        if !ever {
                            return problem.code.into();
                        }
                    }
                    Some(_) => {}
                    None => return Exit::Unreachable,
                },
            }
        }
    }

    /// Registers, calls, talks, and hangs up.
    pub async fn call(&mut self, call: &args::Call) -> Exit {
        if let Some(exit) = self.until_registered().await {
            return exit;
        }
        self.phone.send(Command::Dial { account: Some(self.account.clone()), target: call.target.clone() });
        if call.dtmf_mode != args::DtmfMode::Auto {
            let dtmf = match call.dtmf_mode {
                args::DtmfMode::Auto => phone::DtmfMode::Automatic,
                args::DtmfMode::Event => phone::DtmfMode::Event,
                args::DtmfMode::Info => phone::DtmfMode::Info,
                args::DtmfMode::InBand => phone::DtmfMode::InBand,
            };
            let preferences = CallPreferences { dtmf, ..CallPreferences::default() };
            self.phone.send(Command::PreferInCalls { preferences });
        }
        let mut talk = Talk::new(call.duration, call.dtmf.as_deref());
        talk.plan = plan(call);
        loop {
            tokio::select! {
                () = self.interrupt.pressed() => {
                    if !talk.hang_up(&self.phone) {
                        return Exit::Done;
                    }
                }
                () = at(talk.due()) => talk.act(&self.phone),
                event = next(&mut self.events) => match event {
                    Some(Event::Notice { problem, .. }) => {
                        self.output.error(&problem);
                        if talk.call.is_none() {
                            return problem.code.into();
                        }
                        talk.problem = Some(problem.code);
                    }
                    Some(event) => {
                        if let Some(exit) = self.progress(&mut talk, event) {
                            return exit;
                        }
                    }
                    None => return Exit::Unreachable,
                },
            }
        }
    }

    /// Registers and answers what comes in.
    pub async fn answer(&mut self, answer: &args::Answer) -> Exit {
        if let Some(exit) = self.until_registered().await {
            return exit;
        }
        let mut left = answer.max_calls;
        let mut talk = Talk::new(answer.duration, None);
        let mut seen = HashSet::new();
        loop {
            if left == Some(0) {
                return Exit::Done;
            }
            tokio::select! {
                () = self.interrupt.pressed() => {
                    if !talk.hang_up(&self.phone) {
                        return Exit::Done;
                    }
                    left = Some(1);
                }
                () = at(talk.due()) => talk.act(&self.phone),
                event = next(&mut self.events) => match event {
                    Some(Event::Account { view }) => {
                        if let Some(exit) = self.registration(&view.state, true) {
                            return exit;
                        }
                    }
                    Some(Event::Call { view })
                        if view.state == CallState::Incoming && !talk.is_followed_by(&view) =>
                    {
                        if seen.insert(view.id) {
                            self.output.incoming(&view);
                            // One at a time: whoever else calls is told that we are busy.
                            let call = view.id;
                            self.phone.send(match talk.call {
                                None => Command::Answer { call },
                                Some(_) => Command::Decline { call, reason: DeclineReason::Busy },
                            });
                            talk.call = talk.call.or(Some(call));
                        }
                    }
                    Some(Event::Notice { problem, .. }) => self.output.error(&problem),
                    Some(event) => {
                        if self.progress(&mut talk, event).is_some() {
                            talk = Talk::new(answer.duration, None);
                            left = left.map(|n| n.saturating_sub(1));
                        }
                    }
                    None => return Exit::Unreachable,
                },
            }
        }
    }

    async fn until_registered(&mut self) -> Option<Exit> {
        loop {
            tokio::select! {
                () = self.interrupt.pressed() => return Some(Exit::Done),
                event = next(&mut self.events) => match event {
                    Some(Event::Account { view }) => {
                        if let Some(exit) = self.registration(&view.state, false) {
                            return Some(exit);
                        }
                        if matches!(view.state, AccountState::Registered { .. }) {
                            return None;
                        }
                    }
                    // The account itself was refused.
                    Some(Event::Notice { problem, .. }) => return Some(fail(&self.output, &problem)),
                    Some(_) => {}
                    None => return Some(Exit::Unreachable),
                },
            }
        }
    }

    /// Prints what became of the registration. The exit status, where it is hopeless; a phone that was
    /// never registered does not wait for a server to appear.
    pub fn registration(&self, state: &AccountState, ever: bool) -> Option<Exit> {
        match state {
            AccountState::Registering => None,
            AccountState::Registered { .. } => {
                self.registered(state);
                None
            }
            AccountState::Reconnecting { problem, status, .. } => {
                self.output.registration_failed(problem, *status, ever);
                (!ever).then(|| problem.code.into())
            }
            AccountState::Offline { problem, status } => {
                self.output.registration_failed(problem, *status, false);
                Some(problem.code.into())
            }
        }
    }

    fn registered(&self, state: &AccountState) {
        if let AccountState::Registered { expires_s, rtt_ms } = state {
            self.output.registered(&self.account, *expires_s, *rtt_ms);
        }
    }

    /// Prints what became of the call; its exit status when it is over.
    fn progress(&self, talk: &mut Talk, event: Event) -> Option<Exit> {
        match event {
            Event::Call { view } if talk.call.is_some_and(|call| call != view.id) => {
                if talk.follows(&view) {
                    return self.progress(talk, Event::Call { view });
                }
                match &view.state {
                    CallState::Incoming if !talk.is_followed_by(&view) => {
                        self.phone.send(Command::Decline { call: view.id, reason: DeclineReason::Busy });
                    }
                    CallState::Ended { end } => self.output.ended(&view, end),
                    _ => {}
                }
                None
            }
            Event::Call { view } => {
                let held = (matches!(view.state, CallState::Held { .. }), view.remote_held);
                let news = talk.news(&view);
                if talk.told && std::mem::replace(&mut talk.held, held) != held {
                    self.output.call(&view);
                }
                if talk.told && std::mem::replace(&mut talk.verdict, view.verdict) != view.verdict {
                    self.output.verdict(&view);
                }
                if talk.told && talk.protection != view.protection {
                    self.output.protection(&view);
                }
                talk.protection.clone_from(&view.protection);
                match &view.state {
                    CallState::Ringing if news => self.output.ringing(&view),
                    // An incoming call is set up when the ACK has come.
                    CallState::Active { .. } if view.setup_ms.is_some() && !talk.told => {
                        talk.told = true;
                        self.output.answered(&view);
                    }
                    CallState::Ended { end } => {
                        if let Some(report) = talk.unprinted.take() {
                            self.output.media(view.id, &report);
                        }
                        self.output.ended(&view, end);
                        if end.reason == EndReason::Transferred && talk.go_on() {
                            return None;
                        }
                        return Some(match (end.reason, talk.problem) {
                            (EndReason::AudioFailed, Some(code)) => code.into(),
                            (reason, _) => of_call(reason, talk.answered),
                        });
                    }
                    _ => {}
                }
                None
            }
            Event::Summary { call, summary } => {
                if let Some(report) = talk.unprinted.take().filter(|_| talk.call == Some(call)) {
                    self.output.media(call, &report);
                }
                self.output.summary(call, &summary);
                None
            }
            Event::DeviceChanged { news } => {
                self.output.device_changed(&news);
                None
            }
            Event::Media { call, report } if talk.call == Some(call) => {
                if talk.media_due <= Instant::now() {
                    talk.media_due = Instant::now() + MEDIA_EVERY;
                    self.output.media(call, &report);
                } else {
                    talk.unprinted = Some(report);
                }
                None
            }
            _ => None,
        }
    }
}

/// One call as a script goes through it.
struct Talk {
    call: Option<CallId>,
    last: Option<CallState>,
    answered: bool,
    /// Its answer was printed.
    told: bool,
    /// What was last said to be wrong with it.
    problem: Option<Code>,
    hanging_up: bool,
    duration: Option<Duration>,
    hang_up_at: Option<Instant>,
    digits: Vec<char>,
    digit_at: Option<Instant>,
    media_due: Instant,
    unprinted: Option<phone::CallReport>,
    /// What is done how long after the answer, the last first.
    plan: Vec<(Duration, Deed)>,
    /// Held by us, held by them.
    held: (bool, bool),
    /// What was last said to be wrong with its sound.
    verdict: Option<phone::Verdict>,
    answered_at: Option<Instant>,
    /// How its sound is protected.
    protection: ProtectionView,
    /// The call that follows this one, before it is answered.
    follower: Option<CallId>,
}

/// What a script does in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Deed {
    Hold,
    Resume,
    Transfer(String),
}

fn plan(call: &args::Call) -> Vec<(Duration, Deed)> {
    let mut plan = Vec::new();
    plan.extend(call.hold_after.map(|after| (after, Deed::Hold)));
    plan.extend(call.resume_after.map(|after| (after, Deed::Resume)));
    plan.extend(call.transfer.clone().map(|target| (call.transfer_after, Deed::Transfer(target))));
    plan.sort_by_key(|(after, _)| std::cmp::Reverse(*after));
    plan
}

impl Talk {
    fn new(duration: Option<Duration>, digits: Option<&str>) -> Self {
        Self {
            call: None,
            last: None,
            answered: false,
            told: false,
            problem: None,
            hanging_up: false,
            duration,
            hang_up_at: None,
            digits: digits.unwrap_or_default().chars().rev().collect(),
            digit_at: None,
            media_due: Instant::now(),
            unprinted: None,
            plan: Vec::new(),
            held: (false, false),
            verdict: None,
            answered_at: None,
            protection: ProtectionView::None,
            follower: None,
        }
    }

    /// Whether the talk goes on in another call: its other end was handed on.
    fn follows(&mut self, view: &CallView) -> bool {
        if !self.is_followed_by(view) {
            return false;
        }
        let over = matches!(view.state, CallState::Ended { .. });
        self.follower = Some(view.id).filter(|_| !over);
        view.setup_ms.is_some() && self.go_on()
    }

    /// Whether a call takes, or is to take, the place of this one.
    fn is_followed_by(&self, view: &CallView) -> bool {
        view.follows.is_some() && view.follows == self.call
    }

    /// Goes on in the call that follows; false where there is none.
    fn go_on(&mut self) -> bool {
        let Some(follower) = self.follower.take() else { return false };
        (self.call, self.told) = (Some(follower), false);
        true
    }

    /// Takes note of the call; whether its state is a new one.
    fn news(&mut self, view: &CallView) -> bool {
        self.call = Some(view.id);
        if self.last.as_ref() == Some(&view.state) {
            return false;
        }
        self.last = Some(view.state.clone());
        if matches!(view.state, CallState::Active { .. }) && !self.answered {
            self.answered = true;
            let now = Instant::now();
            self.answered_at = Some(now);
            self.hang_up_at = self.duration.map(|d| now + d);
            self.digit_at = (!self.digits.is_empty()).then_some(now + BEFORE_DIGITS);
        }
        true
    }

    fn due(&self) -> Option<Instant> {
        let deed = self.plan.last().zip(self.answered_at).map(|((after, _), at)| at + *after);
        self.hang_up_at.into_iter().chain(self.digit_at).chain(deed).min()
    }

    fn act(&mut self, phone: &Phone) {
        let now = Instant::now();
        if self.hang_up_at.is_some_and(|at| at <= now) {
            self.hang_up(phone);
        }
        while let (Some(call), Some(at)) = (self.call, self.answered_at)
            && let Some((_, deed)) = self.plan.pop_if(|(after, _)| at + *after <= now)
        {
            phone.send(match deed {
                Deed::Hold => Command::Hold { call },
                Deed::Resume => Command::Resume { call },
                Deed::Transfer(target) => Command::Transfer { call, target },
            });
        }
        if self.digit_at.is_some_and(|at| at <= now) {
            self.digit_at = match (self.digits.pop(), self.call) {
                (Some(','), _) => Some(now + COMMA),
                (Some(digit), Some(call)) => {
                    phone.send(Command::SendDigits { call, digits: digit.to_string() });
                    Some(now)
                }
                _ => None,
            };
        }
    }

    /// Hangs up; false where there is no call, or where that was asked before.
    fn hang_up(&mut self, phone: &Phone) -> bool {
        (self.hang_up_at, self.digit_at) = (None, None);
        let Some(call) = self.call.filter(|_| !self.hanging_up) else { return false };
        self.hanging_up = true;
        phone.send(Command::HangUp { call });
        true
    }
}

/// The next event. A script reads as fast as it can; should it still fall behind, it goes on with the
/// latest, for each event carries the whole of what changed.
pub async fn next(events: &mut Receiver<Event>) -> Option<Event> {
    use tokio::sync::broadcast::error::RecvError;
    loop {
        match events.recv().await {
            Ok(event) => return Some(event),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

/// A problem that ended the command before it could begin.
pub fn fail(output: &Output, problem: &Problem) -> Exit {
    output.error(problem);
    problem.code.into()
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}
