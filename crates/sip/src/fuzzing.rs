//! What strangers send, for the fuzz targets: single messages, and whole dialogs.

mod dialog;

use rsipstack::sip::{HasHeaders, Header, Method, SipMessage};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};

use crate::Package;
use crate::dialog::{Dialog, sequence_of};
use crate::flow::{frames, mark};
use crate::message::{challenges, contact_of, granted, recorded_routes, sdp_of, to_of, value};
use crate::packages::Reader;
use crate::party::tag;
use crate::wire::{self, Reading};

pub use dialog::dialog;

/// Does with some bytes what is done with a message before anybody knows whom it is from, as it comes and as it is
/// tidied. None of the readers may panic; tidying what is tidy changes nothing.
pub fn message(bytes: &[u8]) {
    let from = ([192, 0, 2, 1], 5060).into();
    frames(bytes);
    take_in(bytes);
    match wire::read(bytes, from) {
        Reading::Message(tidied) => {
            assert_eq!(wire::read(&tidied, from), Reading::Message(tidied.clone()));
            take_in(&tidied);
        }
        Reading::Refusal(refusal) => take_in(&refusal),
        Reading::Dropped(_) => {}
    }
}

fn take_in(bytes: &[u8]) {
    let Ok(mut message) = SipMessage::try_from(bytes) else { return };
    if let SipMessage::Request(request) = &mut message {
        mark(request, ([192, 0, 2, 1], 5060).into());
    }
    let _ = message.to_bytes();
    match message {
        SipMessage::Request(request) => {
            let _ = TransactionKey::from_request(&request, TransactionRole::Server);
            let _ = (sequence_of(&request), tag(&to_of(&request)), sdp_of(&request, &request.body));
            if let Some(mut dialog) = Dialog::of_invite(&request) {
                let _ = (dialog.is_with(&request), dialog.accepts(&request));
                let _ = dialog.draft(Method::Bye).uri.to_string();
            }
            news(&request, &request.body);
        }
        SipMessage::Response(response) => {
            let _ = TransactionKey::from_response(&response, TransactionRole::Client);
            let _ = (challenges(&response), contact_of(&response), recorded_routes(&response));
            let _ = granted(&response, "<sip:101@h>", std::time::Duration::ZERO);
        }
    }
}

/// Reads a body as news of every package.
fn news(message: &impl HasHeaders, body: &[u8]) {
    let kind = value(message, |header| match header {
        Header::ContentType(kind) => Some(kind.value()),
        _ => None,
    });
    for package in [Package::MessageSummary, Package::Dialog, Package::Presence] {
        let mut reader = Reader::new(package);
        let _ = reader.read(kind.as_deref().unwrap_or_default(), body);
        let _ = reader.read(kind.as_deref().unwrap_or_default(), body);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    fn corpus(name: &str) -> Vec<Vec<u8>> {
        let folder = format!("{}/../../fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let inputs: Vec<_> = files.map(|file| fs::read(file).unwrap()).collect();
        assert!((8..200).contains(&inputs.len()), "{} in {folder}", inputs.len());
        inputs
    }

    #[test]
    fn the_corpus_of_messages() {
        corpus("sip_message").iter().for_each(|bytes| super::message(bytes));
    }

    #[test]
    fn the_corpus_of_dialogs() {
        corpus("sip_dialog").iter().for_each(|bytes| super::dialog(bytes));
    }
}
