//! The early dialogs of an outgoing call (RFC 3261, section 12.1): one for each phone that rings.

use rsipstack::sip::{Header, Method, Response};

use crate::dialog::Dialog;
use crate::extensions::{allows, requires};
use crate::message::{Draft, sdp_of, to_of, value};
use crate::party::tag;

/// Phones that may ring at once. More than that is no hunt group.
const MOST: usize = 64;

/// All of them, in the order they were heard of.
#[derive(Default)]
pub(super) struct Early(Vec<Fork>);

/// One of them.
pub(super) struct Fork {
    /// To tag; some leave it out.
    tag: Option<String>,
    /// Where requests within the early dialog go; nowhere without a Contact.
    pub dialog: Option<Dialog>,
    /// Number of the last reliable provisional answer (RFC 3262, section 4).
    reliable: Option<u32>,
    /// Their answer to our offer.
    pub answer: Option<String>,
    /// It came reliably, so that further offers may follow (RFC 3262, section 5).
    pub agreed: bool,
    /// It takes UPDATE.
    pub update: bool,
}

/// What a provisional answer brought.
pub(super) struct Progress {
    pub fork: u32,
    pub sdp: Option<String>,
    /// The first early dialog of the call, where this made it.
    pub dialog: Option<Dialog>,
    /// The PRACK to send.
    pub acknowledgement: Option<Draft>,
}

impl Early {
    /// Takes in a provisional answer but 100. `None` where it is a repetition or out of order.
    pub(super) fn heard(&mut self, invite: &Draft, response: &Response) -> Option<Progress> {
        let name = tag(&to_of(response));
        let number = match self.0.iter().position(|fork| fork.tag == name) {
            Some(number) => number,
            None if self.0.len() < MOST => {
                self.0.push(Fork {
                    tag: name,
                    dialog: None,
                    reliable: None,
                    answer: None,
                    agreed: false,
                    update: false,
                });
                self.0.len() - 1
            }
            None => return None,
        };
        let fork = self.0.get_mut(number)?;
        let mut begun = None;
        if fork.dialog.is_none() {
            fork.dialog = Dialog::of_answer(invite, response);
            begun = fork.dialog.clone().filter(|_| number == 0);
        }
        fork.update = allows(response, Method::Update).unwrap_or(fork.update);
        let sdp = sdp_of(response, &response.body);
        let mut acknowledgement = None;
        if let Some(sequence) = reliable(response) {
            if fork.reliable.is_some_and(|last| last.checked_add(1) != Some(sequence)) {
                return None;
            }
            fork.reliable = Some(sequence);
            fork.agreed |= sdp.is_some();
            acknowledgement = fork.dialog.as_ref().and_then(|dialog| dialog.prack(sequence, response));
        }
        if sdp.is_some() {
            fork.answer.clone_from(&sdp);
        }
        Some(Progress { fork: u32::try_from(number).ok()?, sdp, dialog: begun, acknowledgement })
    }

    /// Nobody has rung yet.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The answer that the phone with this To tag gave early.
    pub(super) fn answer_of(&self, name: Option<&str>) -> Option<String> {
        self.0.iter().find(|fork| fork.tag.as_deref() == name)?.answer.clone()
    }

    /// The one with this tag.
    pub(super) fn with(&mut self, name: Option<&str>) -> Option<&mut Fork> {
        self.0.iter_mut().find(|fork| fork.tag.as_deref() == name)
    }

    /// The early dialog in which we may offer anew: the only one, where its first offer has been answered reliably.
    pub(super) fn agreed(&mut self) -> Option<&mut Fork> {
        match self.0.as_mut_slice() {
            [only] if only.agreed && only.update && only.dialog.is_some() => Some(only),
            _ => None,
        }
    }
}

/// Number of a provisional answer that is to be acknowledged.
fn reliable(response: &Response) -> Option<u32> {
    if !requires(response, "100rel") {
        return None;
    }
    let sequence = value(response, |header| match header {
        Header::RSeq(sequence) => Some(sequence.value()),
        _ => None,
    })?;
    sequence.trim().parse().ok()
}

#[cfg(test)]
mod tests;
