//! Where the PBX sends calls: its rules, read and written.

use std::collections::BTreeMap;

use pbx_api::{Client, ForwardAction, ForwardCase, ForwardRule, ForwardState};
use secrecy::SecretString;
use sign_in::{Session, SignInError};
use tokio::task::AbortHandle;

use super::{PortalInput, is_not_offered, later, problem_of, put, wait};
use crate::outlet::Outlet;
use crate::{
    AccountId, Code, Command, Event, ForwardDoes, ForwardRuleView, ForwardWhen, ForwardingView, Problem,
};

/// Seconds that a phone rings at least, and at most, before a rule is followed.
const PATIENCE: (u32, u32) = (5, 600);
/// Longest number that calls go to.
const LONGEST: usize = 64;

/// What happened to it, outside the actor.
pub(crate) enum ForwardingInput {
    /// The time has come to ask the PBX.
    Due(AccountId),
    /// The PBX was asked, or does not offer it.
    Asked(AccountId, Result<Option<Vec<ForwardRuleView>>, SignInError>),
    /// A rule was changed, or could not be; which change of this account's it was.
    Changed(AccountId, u32, Result<(), SignInError>),
}

/// The rules of each account.
pub(super) struct Forwardings {
    accounts: BTreeMap<AccountId, Known>,
    told: Vec<ForwardingView>,
    outlet: Outlet,
}

struct Known {
    session: Session,
    /// As the shells see them: with the changes that the PBX has not agreed to yet. None where it is not offered.
    rules: Option<Vec<ForwardRuleView>>,
    /// As the PBX has them.
    theirs: Vec<ForwardRuleView>,
    changes: u32,
    saving: bool,
    problem: Option<Problem>,
    failures: u32,
    alarm: Option<AbortHandle>,
}

impl Drop for Known {
    fn drop(&mut self) {
        if let Some(alarm) = &self.alarm {
            alarm.abort();
        }
    }
}

impl Forwardings {
    pub(super) fn new(outlet: Outlet) -> Self {
        Self { accounts: BTreeMap::new(), told: Vec::new(), outlet }
    }

    pub(super) fn views(&self) -> Vec<ForwardingView> {
        self.told.clone()
    }

    /// Follows a command about it; any other is handed back.
    ///
    /// # Errors
    /// The PBX of that account does not offer it.
    pub(super) fn follow(&mut self, command: Command) -> Result<Result<(), Problem>, Box<Command>> {
        Ok(match command {
            Command::SetForwarding { account, rule } => self.set(account, rule),
            Command::AskForwarding => {
                let all: Vec<AccountId> = self.accounts.keys().cloned().collect();
                all.iter().for_each(|account| self.ask(account));
                Ok(())
            }
            other => return Err(Box::new(other)),
        })
    }

    /// Takes what happened.
    pub(super) fn take(&mut self, input: ForwardingInput) {
        match input {
            ForwardingInput::Due(account) => self.ask(&account),
            ForwardingInput::Asked(account, asked) => self.asked(&account, asked),
            ForwardingInput::Changed(account, change, done) => self.changed(&account, change, done),
        }
    }

    pub(super) fn stands(&mut self, id: AccountId, session: Session) {
        let former = self.accounts.remove(&id).and_then(|mut known| known.rules.take());
        let known = Known {
            session,
            theirs: former.clone().unwrap_or_default(),
            rules: former,
            changes: 0,
            saving: false,
            problem: None,
            failures: 0,
            alarm: None,
        };
        self.accounts.insert(id.clone(), known);
        self.ask(&id);
    }

    pub(super) fn gone(&mut self, id: &AccountId) {
        self.accounts.remove(id);
        self.tell();
    }

    fn ask(&mut self, id: &AccountId) {
        let Some(known) = self.accounts.get_mut(id) else { return };
        if let Some(alarm) = known.alarm.take() {
            alarm.abort();
        }
        let (session, id, outlet) = (known.session.clone(), id.clone(), self.outlet.clone());
        tokio::spawn(async move {
            let ask = |client: Client, access: SecretString| async move { client.forwarding(&access).await };
            let asked = match session.authorized(ask).await {
                Err(error) if is_not_offered(&error) => Ok(None),
                rules => rules.map(|rules| {
                    rules.map(|rules| rules.into_iter().map(|(case, rule)| view(case, rule)).collect())
                }),
            };
            put(&outlet, PortalInput::Forwarding(ForwardingInput::Asked(id, asked)));
        });
    }

    fn asked(&mut self, id: &AccountId, asked: Result<Option<Vec<ForwardRuleView>>, SignInError>) {
        let Some(known) = self.accounts.get_mut(id) else { return };
        let told = match &asked {
            Err(SignInError::Api(error)) => error.retry_after(),
            _ => None,
        };
        match asked {
            // What is being changed may be in it or not.
            Ok(_) if known.saving => known.failures = 0,
            Ok(rules) => {
                known.failures = 0;
                known.theirs = rules.clone().unwrap_or_default();
                known.rules = rules;
            }
            Err(error) => {
                tracing::info!(account = %id, %error, "the PBX cannot be asked for its forward rules");
                known.failures = known.failures.saturating_add(1);
            }
        }
        if let Some(alarm) = known.alarm.take() {
            alarm.abort();
        }
        if !known.session.status().borrow().expired {
            let due = PortalInput::Forwarding(ForwardingInput::Due(id.clone()));
            known.alarm = Some(later(&self.outlet, wait(known.failures, told), due));
        }
        self.tell();
    }

    fn set(&mut self, id: AccountId, rule: ForwardRuleView) -> Result<(), Problem> {
        let known = self.accounts.get_mut(&id).ok_or(Code::FeatureOff)?;
        let rules = known.rules.as_mut().ok_or(Code::FeatureOff)?;
        let (case, theirs, shown) = match checked(rule) {
            Ok(checked) => checked,
            Err(problem) => {
                known.problem = Some(problem);
                self.tell();
                return Ok(());
            }
        };
        let place = |rule: &&mut ForwardRuleView| {
            (rule.when, rule.outside_office) == (shown.when, shown.outside_office)
        };
        if let Some(known) = rules.iter_mut().find(place) {
            *known = shown;
        }
        known.changes = known.changes.wrapping_add(1);
        (known.saving, known.problem) = (true, None);
        let (session, change, outlet) = (known.session.clone(), known.changes, self.outlet.clone());
        // The PBX hears of it also where the phone stops now.
        self.outlet.landing(async move {
            let ask = |client: Client, access: SecretString| {
                let theirs = theirs.clone();
                async move { client.set_forwarding(&access, case, &theirs).await }
            };
            let done = session.authorized(ask).await;
            put(&outlet, PortalInput::Forwarding(ForwardingInput::Changed(id, change, done)));
        });
        self.tell();
        Ok(())
    }

    fn changed(&mut self, id: &AccountId, change: u32, done: Result<(), SignInError>) {
        let Some(known) = self.accounts.get_mut(id) else { return };
        if let Err(error) = &done {
            known.problem = Some(problem_of(error));
        }
        if known.changes == change {
            known.saving = false;
            match &done {
                Ok(()) => known.theirs = known.rules.clone().unwrap_or_default(),
                Err(_) => known.rules = Some(known.theirs.clone()),
            }
            self.ask(id);
        }
        self.tell();
    }

    fn tell(&mut self) {
        let view = |(account, known): (&AccountId, &Known)| {
            Some(ForwardingView {
                account: account.clone(),
                rules: known.rules.clone()?,
                saving: known.saving,
                problem: known.problem.clone(),
            })
        };
        let views: Vec<ForwardingView> = self.accounts.iter().filter_map(view).collect();
        if self.told != views {
            self.told.clone_from(&views);
            self.outlet.tell(Event::Forwarding { views });
        }
    }
}

/// A rule as the user wants it, as the PBX takes it and as it is shown.
fn checked(rule: ForwardRuleView) -> Result<(ForwardCase, ForwardRule, ForwardRuleView), Problem> {
    let case = case_of(rule.when, rule.outside_office);
    let does = rule.does.ok_or(Code::NotNow)?;
    let action = match does {
        ForwardDoes::Ring => ForwardAction::Ring,
        ForwardDoes::Voicemail => ForwardAction::Voicemail,
        ForwardDoes::Number => ForwardAction::Number,
        ForwardDoes::HangUp => ForwardAction::HangUp,
    };
    if !case.takes(action) {
        return Err(Code::NotNow.into());
    }
    let number = match does {
        ForwardDoes::Number => dialled(&rule.number).ok_or(Code::TargetInvalid)?,
        _ => String::new(),
    };
    let no_answer = matches!(case, ForwardCase::NoAnswer(_));
    let after_s = rule.after_s.filter(|_| no_answer).map(|after| after.clamp(PATIENCE.0, PATIENCE.1));
    let theirs =
        ForwardRule { action, number: Some(number.clone()).filter(|n| !n.is_empty()), timeout_s: after_s };
    Ok((case, theirs, ForwardRuleView { number, after_s, ..rule }))
}

/// A number as it is dialled: what is written for the eye is left out.
fn dialled(number: &str) -> Option<String> {
    let kept: String = number.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '/' | '.')).collect();
    let body = kept.strip_prefix('+').unwrap_or(&kept);
    let sound = !body.is_empty() && body.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#'));
    (sound && kept.len() <= LONGEST).then_some(kept)
}

fn view(case: ForwardCase, rule: Option<ForwardRule>) -> ForwardRuleView {
    let (when, outside_office) = match case {
        ForwardCase::Office(state) => (state_of(state), false),
        ForwardCase::OutsideOffice(state) => (state_of(state), true),
        ForwardCase::NoAnswer(ForwardState::Busy) => (ForwardWhen::NoAnswerBusy, false),
        ForwardCase::NoAnswer(_) => (ForwardWhen::NoAnswer, false),
    };
    let does = rule.as_ref().map(|rule| match rule.action {
        ForwardAction::Ring => ForwardDoes::Ring,
        ForwardAction::Voicemail => ForwardDoes::Voicemail,
        ForwardAction::Number => ForwardDoes::Number,
        ForwardAction::HangUp => ForwardDoes::HangUp,
    });
    let (number, after_s) = rule.map(|rule| (rule.number, rule.timeout_s)).unwrap_or_default();
    ForwardRuleView { when, outside_office, does, number: number.unwrap_or_default(), after_s }
}

fn state_of(state: ForwardState) -> ForwardWhen {
    match state {
        ForwardState::Available => ForwardWhen::Available,
        ForwardState::Busy => ForwardWhen::Busy,
        ForwardState::DoNotDisturb => ForwardWhen::DoNotDisturb,
        ForwardState::Away => ForwardWhen::Away,
        ForwardState::Lunch => ForwardWhen::Lunch,
        ForwardState::BusinessTrip => ForwardWhen::BusinessTrip,
        ForwardState::Offline => ForwardWhen::Offline,
    }
}

fn case_of(when: ForwardWhen, outside: bool) -> ForwardCase {
    let state = match when {
        ForwardWhen::NoAnswer => return ForwardCase::NoAnswer(ForwardState::Available),
        ForwardWhen::NoAnswerBusy => return ForwardCase::NoAnswer(ForwardState::Busy),
        ForwardWhen::Available => ForwardState::Available,
        ForwardWhen::Busy => ForwardState::Busy,
        ForwardWhen::DoNotDisturb => ForwardState::DoNotDisturb,
        ForwardWhen::Away => ForwardState::Away,
        ForwardWhen::Lunch => ForwardState::Lunch,
        ForwardWhen::BusinessTrip => ForwardState::BusinessTrip,
        ForwardWhen::Offline => ForwardState::Offline,
    };
    if outside { ForwardCase::OutsideOffice(state) } else { ForwardCase::Office(state) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_shown_and_found_again() {
        for case in ForwardCase::all() {
            let rule = view(case, None);
            assert_eq!(case_of(rule.when, rule.outside_office), case);
        }
    }

    #[test]
    fn a_rule_is_checked_before_the_pbx_hears_of_it() {
        let rule = |when, does, number: &str, after_s| ForwardRuleView {
            when,
            outside_office: false,
            does: Some(does),
            number: number.into(),
            after_s,
        };
        let (_, theirs, shown) =
            checked(rule(ForwardWhen::NoAnswer, ForwardDoes::Number, "+44 (20) 7946-0312", Some(1))).unwrap();
        assert_eq!((theirs.number.as_deref(), theirs.timeout_s), (Some("+442079460312"), Some(5)));
        assert_eq!((shown.number.as_str(), shown.after_s), ("+442079460312", Some(5)));
        let (_, theirs, _) =
            checked(rule(ForwardWhen::Busy, ForwardDoes::Voicemail, "102", Some(20))).unwrap();
        assert_eq!((theirs.number, theirs.timeout_s), (None, None));
        for number in ["", " ", "+", "bob", "1\r\n2", "sip:1@2", "++1", &"1".repeat(65)] {
            let refused = checked(rule(ForwardWhen::Busy, ForwardDoes::Number, number, None));
            assert_eq!(refused.unwrap_err().code, Code::TargetInvalid, "{number:?}");
        }
        let odd = checked(rule(ForwardWhen::Offline, ForwardDoes::Ring, "", None));
        assert_eq!(odd.unwrap_err().code, Code::NotNow);
    }
}
