//! A call of ours.

mod updates;

use std::pin::pin;
use std::time::{Duration, Instant};

use rsipstack::sip::{Header, Method, Response};
use rsipstack::transaction::transaction::Transaction;
use tokio::time::{sleep, timeout};

use super::early::Early;
use super::established::{Agreed, established};
use super::{Call, FAREWELL, Input, farewell};
use crate::dialog::Dialog;
use crate::digest::{Rounds, Verdict};
use crate::exchange::exchange;
use crate::extensions::{allows, asking, terms_of};
use crate::flow::Flow;
use crate::invite::Inviting;
use crate::message::{Draft, challenges, retry_after_of, sdp_of, seconds, to_of};
use crate::party::tag;
use crate::redirect::Targets;
use crate::resolve::MOST_TURNS;
use crate::session_timer::SessionTimer;
use crate::{Cause, EndCause, Event, Party};
use updates::Update;

/// An INVITE without any answer for this long goes nowhere: a proxy answers within 200 ms (RFC 3261, section 16.2),
/// and over UDP it has been sent three times by then.
const PATIENCE: Duration = Duration::from_secs(3);

/// An INVITE to be sent.
pub(crate) struct Invite(pub Draft);

/// An outgoing call.
pub(crate) async fn outgoing(mut call: Call, invitation: Invite) {
    let draft = invitation.0;
    call.party = Some(Party::parse(&draft.to));
    let mut waiting = None;
    match reach(&mut call, &mut waiting).await {
        Ok(flow) => {
            let ringing = Ringing {
                targets: Targets::new(&draft.uri),
                local: draft.body.as_ref().map(|body| body.text.clone()).unwrap_or_default(),
                draft,
                flow,
                timer: SessionTimer::new(),
                early: Early::default(),
                began: Instant::now(),
                ours: None,
                theirs: None,
                waiting,
            };
            ringing.invite(call).await;
        }
        Err(cause) => call.end(cause, None),
    }
}

/// Finds the way to the proxy, unless the call is given up before.
async fn reach(call: &mut Call, waiting: &mut Option<String>) -> Result<Flow, EndCause> {
    let net = call.net.clone();
    let mut way = pin!(net.flow());
    loop {
        tokio::select! {
            flow = &mut way => return flow.map_err(EndCause::Unreachable),
            input = call.input() => match input {
                Input::HangUp => return Err(EndCause::CancelledHere),
                Input::Reoffer(sdp) => *waiting = Some(sdp),
                Input::Transfer(..) => call.not_handed_on(),
                Input::Moved => call.tell(Event::Moved { call: call.key }),
                _ => {}
            },
        }
    }
}

/// An outgoing call until it is answered.
struct Ringing {
    draft: Draft,
    flow: Flow,
    targets: Targets,
    timer: SessionTimer,
    early: Early,
    began: Instant,
    /// Our session description as last agreed.
    local: String,
    /// An offer of ours within an early dialog, and one of theirs that is considered.
    ours: Option<Update>,
    theirs: Option<Transaction>,
    /// An offer that goes out as soon as the call is established.
    waiting: Option<String>,
}

impl Ringing {
    async fn invite(mut self, mut call: Call) {
        let mut rounds = Rounds::default();
        let mut turns = 0;
        loop {
            let mut draft = self.draft.clone();
            draft.headers.extend(asking(&self.timer));
            let request = draft.request(&self.flow, &call.net.account.user_agent, Some(&mut call.auth));
            let mut inviting = match Inviting::start(&call.net, &self.flow, request).await {
                Ok(inviting) => inviting,
                Err(cause) => return call.end(EndCause::Unreachable(cause), None),
            };
            let response = match self.until_final(&mut call, &mut inviting).await {
                Ok(response) => response,
                Err(given_up) => {
                    call.end(given_up.cause, None);
                    return self.abandon(call, inviting, given_up.heard).await;
                }
            };
            call.auth.answered(&response);
            let status = response.status_code.code();
            match status {
                200..=299 => return self.answered(call, inviting, &response).await,
                401 | 407 if call.auth.learn(challenges(&response), &mut rounds) == Verdict::Retry => {
                    continue;
                }
                422 if self.is_longer(&response) => continue,
                503 if turns < MOST_TURNS && self.is_turned_away(&call, &response) => {
                    turns += 1;
                    match reach(&mut call, &mut self.waiting).await {
                        Ok(flow) => self.flow = flow,
                        Err(cause) => return call.end(cause, None),
                    }
                    continue;
                }
                // Other ways of moving are for proxies (RFC 3261, section 21.3).
                300..=302 => self.targets.learn(&response),
                // Nobody is to be asked any more (section 16.7).
                600.. => return call.end(EndCause::of_status(status), Some(status)),
                _ => {}
            }
            match self.targets.next() {
                Some(target) => {
                    self.draft.uri = target;
                    rounds = Rounds::default();
                }
                None => return call.end(EndCause::of_status(status), Some(status)),
            }
        }
    }

    async fn until_final(&mut self, call: &mut Call, inviting: &mut Inviting) -> Result<Response, GivenUp> {
        let mut silence = pin!(sleep(PATIENCE));
        let mut heard = false;
        loop {
            let Self { ours, flow, .. } = self;
            let offer_ended = async {
                match ours {
                    Some(update) => update.outcome.as_mut().await,
                    None => std::future::pending().await,
                }
            };
            let cause = tokio::select! {
                answer = inviting.next() => match answer {
                    Some(response) => {
                        heard = true;
                        if response.status_code.code() >= 200 {
                            return Ok(response);
                        }
                        self.progress(call, &response);
                        continue;
                    }
                    None => EndCause::NoAnswer,
                },
                input = call.input() => {
                    match input {
                        Input::HangUp => return Err(GivenUp { cause: EndCause::CancelledHere, heard }),
                        Input::Replaced => return Err(GivenUp { cause: EndCause::Replaced, heard }),
                        Input::Request(request) => self.request(call, *request).await,
                        Input::AnswerOffer(sdp) => self.answer_offer(sdp).await,
                        Input::Reoffer(sdp) => self.offer(call, sdp),
                        Input::Transfer(..) => call.not_handed_on(),
                        Input::Moved => call.tell(Event::Moved { call: call.key }),
                        _ => {}
                    }
                    continue;
                }
                outcome = offer_ended => {
                    self.offer_ended(call, outcome);
                    continue;
                }
                // It may ring there all the same: what still comes of it is taken back.
                cause = flow.lost() => EndCause::Unreachable(cause),
                () = &mut silence, if !heard => EndCause::Unreachable(Cause::Silence),
            };
            return Err(GivenUp { cause, heard });
        }
    }

    /// The proxy itself wants to be left alone for a while, and there is another (RFC 3263, section 4.3). Gateways
    /// behind it answer so as well when all their lines are taken, but do not say for how long.
    fn is_turned_away(&self, call: &Call, response: &Response) -> bool {
        let pause = retry_after_of(response).filter(|_| self.early.is_empty());
        pause.is_some_and(|pause| call.net.give_way(&self.flow, Some(pause)))
    }

    /// Somebody on the way wants longer session timers.
    fn is_longer(&mut self, response: &Response) -> bool {
        let minimum = seconds(response, |header| match header {
            Header::MinSE(value) => Some(value.value()),
            _ => None,
        });
        minimum.is_some_and(|minimum| self.timer.too_brief(minimum))
    }

    fn progress(&mut self, call: &Call, response: &Response) {
        let status = response.status_code.code();
        if status == 100 {
            return;
        }
        let Some(progress) = self.early.heard(&self.draft, response) else { return };
        if let Some(dialog) = progress.dialog {
            call.is_in(&dialog, false);
        }
        if let Some(prack) = progress.acknowledgement {
            let net = call.net.clone();
            let mut auth = call.auth.clone();
            // Behind: an answer to it that is lost must not hold up the answer to the call.
            call.net.behind(async move {
                if let Ok(flow) = net.flow().await {
                    let _ = exchange(&net, &flow, &prack, &mut auth, FAREWELL).await;
                }
            });
        }
        call.tell(Event::Ringing { call: call.key, fork: progress.fork, status, sdp: progress.sdp });
    }

    async fn answered(mut self, mut call: Call, inviting: Inviting, response: &Response) {
        let status = response.status_code.code();
        let Some(mut dialog) = Dialog::of_answer(&self.draft, response) else {
            return call.end(EndCause::Refused, Some(status));
        };
        let branch = tag(&to_of(response));
        if let Some(fork) = self.early.with(branch.as_deref())
            && let Some(early) = &fork.dialog
        {
            dialog.succeed(early);
        }
        let setup = self.began.elapsed();
        refuse_others(&call, self.draft.clone(), inviting, branch.clone());
        let sdp = sdp_of(response, &response.body).or_else(|| self.early.answer_of(branch.as_deref()));
        match sdp {
            Some(sdp) => {
                call.is_in(&dialog, true);
                call.tell(Event::Answered { call: call.key, sdp: sdp.clone(), setup });
                call.identify(response);
                self.timer.accepted(terms_of(response), Instant::now());
                let agreed = Agreed {
                    dialog,
                    flow: self.flow,
                    local: self.local,
                    remote: Some(sdp),
                    // What is still under way of it is overtaken.
                    waiting: self.waiting.or(self.ours.map(|update| update.sdp)),
                    theirs: self.theirs,
                    reliable: None,
                    timer: self.timer,
                    update: allows(response, Method::Update).unwrap_or_default(),
                };
                established(call, agreed, None).await;
            }
            None => {
                call.end(EndCause::NotAcceptable, Some(status));
                call.bye(&dialog).await;
            }
        }
    }

    /// Cancels an INVITE that was given up: not before a first answer, for there would be nothing to cancel
    /// (RFC 3261, section 9.1). A 2xx that crosses the CANCEL has been acknowledged already and is followed by a BYE.
    async fn abandon(self, mut call: Call, mut inviting: Inviting, heard: bool) {
        let net = call.net.clone();
        let farewell = async {
            let mut response = None;
            if !heard {
                response = inviting.next().await;
                response.as_ref()?;
            }
            if response.as_ref().is_none_or(|response| response.status_code.code() < 200) {
                inviting.cancel(&net, &self.flow, None);
                response = loop {
                    match inviting.next().await {
                        Some(provisional) if provisional.status_code.code() < 200 => {}
                        outcome => break outcome,
                    }
                };
            }
            response.filter(|response| response.status_code.code() < 300)
        };
        let crossed = call.meanwhile(timeout(FAREWELL, farewell)).await.ok().flatten();
        if let Some(answer) = crossed
            && let Some(dialog) = Dialog::of_answer(&self.draft, &answer)
        {
            refuse_others(&call, self.draft, inviting, tag(&to_of(&answer)));
            call.bye(&dialog).await;
        }
    }
}

/// Why an INVITE is given up, and whether it was heard by anybody.
struct GivenUp {
    cause: EndCause,
    heard: bool,
}

/// Keeps the INVITE transaction for 64 times T1, in which it acknowledges every further 2xx. A 2xx from another
/// branch of a fork establishes a dialog nobody wants: it ends with a BYE (RFC 3261, section 13.2.2.4).
fn refuse_others(call: &Call, draft: Draft, mut inviting: Inviting, accepted: Option<String>) {
    let net = call.net.clone();
    let auth = call.auth.clone();
    call.net.behind(async move {
        let mut known = vec![accepted];
        while let Some(response) = inviting.next().await {
            let branch = tag(&to_of(&response));
            if !(200..300).contains(&response.status_code.code()) || known.contains(&branch) {
                continue;
            }
            known.push(branch);
            let Some(dialog) = Dialog::of_answer(&draft, &response) else { continue };
            let bye = dialog.draft(Method::Bye);
            let (net, auth) = (net.clone(), auth.clone());
            net.clone().behind(async move { farewell(&net, auth, bye).await });
        }
    });
}
