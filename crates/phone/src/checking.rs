//! The doctor at work beside the phone: begun and ended by commands, told of by events.

use serde::Serialize;
use specta::Type;
use tokio::task::AbortHandle;

use crate::actor::Input;
use crate::doctor::{Diagnosis, Finding, Patient, Report, examine};
use crate::outlet::Outlet;
use crate::{AccountId, Code, Event, Problem};

/// How it stands with the check of the phone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CheckView {
    /// It is under way.
    pub running: bool,
    /// It has come to its end; without that and without running it was not asked for, or was stopped.
    pub done: bool,
    /// What was found so far.
    pub findings: Vec<Finding>,
    /// The one cause; none while it runs, and where nothing is wrong.
    pub cause: Option<Diagnosis>,
}

impl CheckView {
    /// Nobody has asked for a check.
    pub(crate) fn is_idle(&self) -> bool {
        *self == Self::default()
    }
}

/// What a check has to say.
#[derive(Debug)]
pub(crate) enum Word {
    /// One thing more was looked at.
    Found(Finding),
    /// All was.
    Done(Report),
}

/// The check that runs, if any, and how it stands.
pub(crate) struct Checking {
    outlet: Outlet,
    running: Option<AbortHandle>,
    view: CheckView,
    /// Counts checks: a former one may still have a last word to say.
    number: u32,
}

impl Checking {
    /// None yet.
    pub(crate) fn new(outlet: Outlet) -> Self {
        Self { outlet, running: None, view: CheckView::default(), number: 0 }
    }

    /// How it stands.
    pub(crate) fn view(&self) -> CheckView {
        self.view.clone()
    }

    /// Begins anew.
    pub(crate) fn begin(&mut self, patient: Patient) {
        self.end();
        let (number, outlet) = (self.number, self.outlet.clone());
        let task = tokio::spawn(async move {
            let words = outlet.clone();
            let tell =
                move |finding: &Finding| words.put(Input::Checked(number, Word::Found(finding.clone())));
            let report = examine(patient, tell).await;
            outlet.put(Input::Checked(number, Word::Done(report)));
        });
        self.running = Some(task.abort_handle());
        self.show(CheckView { running: true, ..CheckView::default() });
    }

    /// Ends it: nobody wants to know any more.
    pub(crate) fn stop(&mut self) {
        self.end();
        self.show(CheckView::default());
    }

    /// A check, by its number, has something to say.
    pub(crate) fn take(&mut self, number: u32, word: Word) {
        if number != self.number || !self.view.running {
            return;
        }
        let view = match word {
            Word::Found(finding) => {
                let mut view = self.view.clone();
                view.findings.push(finding);
                view
            }
            Word::Done(Report { findings, cause }) => {
                self.running = None;
                CheckView { running: false, done: true, findings, cause }
            }
        };
        self.show(view);
    }

    fn end(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
        self.number += 1;
    }

    fn show(&mut self, view: CheckView) {
        self.view = view.clone();
        self.outlet.tell(Event::Check { view: Box::new(view) });
    }
}

impl crate::actor::Actor {
    /// Looks for what keeps the phone from its work, with this account or the first.
    ///
    /// # Errors
    /// There is no such account.
    pub(crate) fn check(&mut self, wanted: Option<&AccountId>) -> Result<(), Problem> {
        let known: Vec<AccountId> = self.accounts.views().into_iter().map(|view| view.id).collect();
        let id = match wanted {
            Some(id) if !known.contains(id) => return Err(Code::NoAccount.into()),
            Some(id) => Some(id),
            None => known.first(),
        };
        let mut patient = self.signing_in.patient(id, id.and_then(|id| self.accounts.password(id)));
        // What the user agent was started with is what a check must go by.
        if let Some(line) = id.and_then(|id| self.accounts.line(id)) {
            patient.line = Some(line.sip.clone());
            patient.srtp = Some(line.srtp);
            patient.nat = Some(line.nat.as_ref().clone());
            patient.stun.clone_from(&line.nat.stun);
            patient.echo.clone_from(&self.calls.preferences().codes.echo);
        }
        if !self.calls.views().is_empty() {
            // Calls have the devices, and a second one would disturb them.
            (patient.microphone, patient.speaker, patient.echo) = (None, None, None);
        }
        self.checking.begin(patient);
        Ok(())
    }
}
