//! Ways out: one page back, a problem, a fresh start, and answers that come too late for any of them.

use pbx_api::Tokens;

use super::opening::Opening;
use super::stage::{Forgot, NewPassword, Right};
use super::{Abandoned, Action, Asked, Method, News, Stage, Wizard};
use crate::SignInError;

/// Requests given up that are remembered; nobody has more of them under way.
pub(super) const ABANDONED: usize = 32;

impl Wizard {
    pub(super) fn back(&mut self) -> Vec<Action> {
        let certificate_shown = self.certificate().is_some();
        let start = self.opening.as_ref().map(|opening| home(opening.method));
        let actions = self.give_up();
        let stage = std::mem::replace(&mut self.stage, Stage::Server);
        self.stage = match stage {
            stage if certificate_shown => start.unwrap_or_else(|| resting(stage)),
            Stage::NewPassword(NewPassword { right: Right::Link { .. }, .. }) => {
                Stage::Forgot(Forgot { asked: true })
            }
            Stage::NewPassword(_) => start.unwrap_or(Stage::User),
            Stage::Code(_) | Stage::Forgot(_) | Stage::Browser(_) => Stage::User,
            Stage::Scan(_) | Stage::Sip if self.found.is_some() => Stage::User,
            Stage::Server | Stage::User | Stage::Scan(_) | Stage::Sip => Stage::Server,
            Stage::Done => Stage::Done,
        };
        if matches!(self.stage, Stage::Server) {
            // Another way in begun from here must not lead back to this tenant's page.
            self.found = None;
        }
        actions
    }

    pub(super) fn leave(&mut self) -> Vec<Action> {
        let actions = self.start_anew(Stage::Done);
        self.found = None;
        actions
    }

    /// Gives up what is under way, for another page.
    pub(super) fn start_anew(&mut self, stage: Stage) -> Vec<Action> {
        let actions = self.give_up();
        self.news = None;
        self.stage = stage;
        actions
    }

    /// Stops with a problem on the page shown, or, where its flow cannot go on there, on the page where it began.
    /// A session that was begun is ended.
    pub(super) fn fail(&mut self, problem: SignInError) -> Vec<Action> {
        let start = self.opening.as_ref().map(|opening| home(opening.method));
        let actions = self.give_up();
        let stage = std::mem::replace(&mut self.stage, Stage::Server);
        self.stage = start.unwrap_or_else(|| resting(stage));
        self.problem = Some(problem);
        actions
    }

    /// Forgets what is under way, and the problem of the last step.
    pub(super) fn give_up(&mut self) -> Vec<Action> {
        self.problem = None;
        self.stopped = None;
        self.typed_password = None;
        self.policy_request = None;
        // Why one is asked to sign in again stays true until one has.
        self.news = self.news.filter(|news| *news == News::SignInAgain);
        let mut actions = self.stop_listening();
        if let Some(Asked { request, server, question }) = self.waiting.take()
            && let Some(dialect) = question.may_begin()
        {
            self.abandoned.push(Abandoned { request, server, dialect });
        }
        if self.abandoned.len() > ABANDONED {
            self.abandoned.remove(0);
        }
        match self.opening.take() {
            // The token of a QR code is the code's: ended, the code could not be scanned again.
            None | Some(Opening { method: Method::Qr, .. }) => {}
            Some(Opening { server, dialect, tokens: Tokens { access, refresh, .. }, .. }) => {
                actions.push(Action::EndSession { server, dialect, access, refresh });
            }
        }
        actions
    }
}

/// The page on which a way in begins.
fn home(method: Method) -> Stage {
    match method {
        Method::Password | Method::Microsoft => Stage::User,
        Method::Qr => Stage::Scan(None),
    }
}

/// The page on which a flow that was stopped can be begun again.
fn resting(stage: Stage) -> Stage {
    match stage {
        Stage::Browser(_) => Stage::User,
        Stage::Scan(_) => Stage::Scan(None),
        stage => stage,
    }
}
