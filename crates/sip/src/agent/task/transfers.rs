//! Calls that are handed on, and that take the place of others.

use rsipstack::sip::{Header, Method};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;

use super::{Agent, Shown};
use crate::answer::{respond, set_to_tag};
use crate::call::{Input, Invite, outgoing};
use crate::dialog::{Dialog, Identity};
use crate::message::{Draft, token};
use crate::outside::is_from_own_proxy;
use crate::refer::ReferTo;
use crate::replaces::{Replaces, replaces_of};
use crate::target::request_uri;
use crate::{CallKey, EndCause, Event, ReferralKey, TransferProgress};

/// Dialogs that are over and still remembered.
const REMEMBERED: usize = 32;

impl Agent {
    /// Hands an established call on.
    pub(super) fn transfer(&self, key: CallKey, target: &str) {
        let to = request_uri(target, &self.net.account.domain).map(|uri| ReferTo { uri, replaces: None });
        self.hand_on(key, to, None);
    }

    /// Joins the other ends of two calls.
    pub(super) fn transfer_to(&self, key: CallKey, other: CallKey) {
        let Some(line) = self.calls.get(&other).filter(|_| key != other) else {
            return self.hand_on(key, None, None);
        };
        match (&line.dialog, &line.target) {
            (Some(dialog), _) if dialog.confirmed => {
                let replaces = Some(Replaces::of_theirs(&dialog.identity));
                self.hand_on(key, Some(ReferTo { uri: dialog.remote.clone(), replaces }), None);
            }
            // An early dialog cannot be taken over from its callee (RFC 3891, section 3): they are called anew, and the
            // call that rings there gives way once the other end has agreed to that.
            (_, Some(target)) => {
                self.hand_on(key, Some(ReferTo { uri: target.clone(), replaces: None }), Some(other));
            }
            (_, None) => self.hand_on(key, None, None),
        }
    }

    /// The call itself knows whether it can be handed on: it may have been answered this moment.
    fn hand_on(&self, key: CallKey, to: Option<ReferTo>, instead: Option<CallKey>) {
        match (self.calls.get(&key), to) {
            (Some(line), Some(to)) => {
                let _ = line.inbox.send(Input::Transfer(Box::new(to), instead));
            }
            (Some(_), None) => {
                let progress = TransferProgress::Failed(None);
                let _ = self.events.send(Event::Transfer { call: key, progress });
            }
            (None, _) => {}
        }
    }

    /// Somebody asks us to call, in a dialog.
    pub(super) fn referred(&mut self, call: CallKey, refer: Transaction, dialog: Dialog, before: u32) {
        let key = ReferralKey(self.next());
        self.referrals.take(key, Some(call), refer, dialog, before);
    }

    /// Somebody asks us to call, out of a dialog: the phone system may, on behalf of its user.
    pub(super) fn referred_outside(&mut self, mut refer: Transaction) {
        let (net, admitted) = (self.net.clone(), self.admitted.0.clone());
        self.net.behind(async move {
            if is_from_own_proxy(&net, &refer).await {
                set_to_tag(&mut refer, &token());
                let _ = admitted.send(refer);
            } else {
                respond(&mut refer, 403).await;
            }
        });
    }

    /// A REFER out of a dialog turned out to come from the phone system.
    pub(super) fn admitted(&mut self, mut refer: Transaction) {
        match Dialog::of_invite(&refer.original) {
            Some(dialog) => {
                let key = ReferralKey(self.next());
                self.referrals.take(key, None, refer, dialog, 0);
            }
            None => self.net.behind(async move { respond(&mut refer, 400).await }),
        }
    }

    /// Calls as somebody asked; who asked hears how it goes.
    pub(super) fn follow(&mut self, referral: ReferralKey, key: CallKey, shown: &Shown, offer: String) {
        let Some(followed) = self.referrals.follow(referral) else {
            let _ =
                self.events.send(Event::Ended { call: key, cause: EndCause::TargetInvalid, status: None });
            return;
        };
        let target = followed.to.uri.clone();
        let mut draft = self.invitation(followed.to.uri, offer);
        draft
            .headers
            .extend(followed.to.replaces.map(|replaces| Header::Replaces(replaces.to_string().into())));
        draft.headers.extend(followed.by.map(|by| Header::ReferredBy(by.into())));
        shown.on(&mut draft, &self.net.account);
        let (heard, mut hearing) = mpsc::unbounded_channel();
        let (events, progress) = (self.events.clone(), followed.progress);
        // Not ended with the other tasks: it ends with the call, whose last word it passes on.
        self.net.tasks.spawn(async move {
            while let Some(event) = hearing.recv().await {
                if let Some(status) = status_of(&event) {
                    let _ = progress.send(status);
                }
                let _ = events.send(event);
            }
        });
        self.dial(key, draft, heard, Some(target));
    }

    /// Begins a call of ours.
    pub(super) fn dial(
        &mut self,
        key: CallKey,
        draft: Draft,
        events: mpsc::UnboundedSender<Event>,
        target: Option<rsipstack::sip::Uri>,
    ) {
        let name = (draft.call_id.clone(), crate::party::tag(&draft.from).unwrap_or_default());
        let call = self.new_call(key, name, None, events);
        if let Some(line) = self.calls.get_mut(&key) {
            line.target = target;
        }
        self.spawn(key, outgoing(call, Invite(draft)));
    }

    /// The call an INVITE wants to take the place of.
    ///
    /// # Errors
    /// The status to refuse it with (RFC 3891, section 3).
    pub(super) fn replaced_by(&self, invite: &rsipstack::sip::Request) -> Result<Option<CallKey>, u16> {
        debug_assert_eq!(invite.method, Method::Invite);
        let Some(replaces) = replaces_of(invite).map_err(|()| 400_u16)? else { return Ok(None) };
        let found = self.calls.iter().find_map(|(key, line)| {
            let dialog = line.dialog.as_ref().filter(|dialog| replaces.names(&dialog.identity))?;
            Some((*key, dialog))
        });
        match found {
            Some((_, dialog)) if dialog.confirmed && replaces.early_only => Err(486),
            Some((_, dialog)) if !dialog.confirmed && !dialog.began_here => Err(481),
            Some((key, _)) => Ok(Some(key)),
            None if self.gone.iter().any(|dialog| replaces.names(dialog)) => Err(603),
            None => Err(481),
        }
    }

    /// Remembers a dialog that is over.
    pub(super) fn remember(&mut self, dialog: Identity) {
        self.gone.push_back(dialog);
        if self.gone.len() > REMEMBERED {
            self.gone.pop_front();
        }
    }
}

/// What who asked for a call is to hear of it.
fn status_of(event: &Event) -> Option<u16> {
    match event {
        Event::Ringing { status, .. } => Some(*status),
        Event::Answered { .. } => Some(200),
        Event::Ended { status: Some(status), .. } if *status >= 300 => Some(*status),
        Event::Ended { cause, .. } => Some(match cause {
            EndCause::TargetInvalid => 404,
            EndCause::NoAnswer => 408,
            EndCause::CancelledHere | EndCause::HungUpHere => 487,
            _ => 503,
        }),
        _ => None,
    }
}
