//! What notifications and publications carry: a reader for each event package.

mod dialog_info;
mod message_summary;
mod presence;
mod xml;

use crate::{News, Package};

pub(crate) use message_summary::read as read_message_summary;
pub(crate) use presence::{PIDF, write as write_presence};

use dialog_info::Dialogs;

/// Largest body looked into, bytes.
const LIMIT: usize = 128 * 1024;

/// What a body cannot be read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is of another media type.
    Kind,
    /// It is not what its media type says, or larger than anything sensible.
    Content,
}

/// What reading a body came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// What it says; nothing, where it only repeats what is known.
    pub news: Option<News>,
    /// Something was missed on the way: the whole state has to be asked for.
    pub gap: bool,
}

impl Package {
    /// Name in the `Event` header.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::MessageSummary => "message-summary",
            Self::Dialog => "dialog",
            Self::Presence => "presence",
        }
    }

    /// Media type of its bodies.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::MessageSummary => "application/simple-message-summary",
            Self::Dialog => "application/dialog-info+xml",
            Self::Presence => PIDF,
        }
    }
}

/// Reads the notifications of one subscription, one after another.
#[derive(Debug)]
pub(crate) struct Reader {
    package: Package,
    dialogs: Dialogs,
}

impl Reader {
    pub(crate) fn new(package: Package) -> Self {
        Self { package, dialogs: Dialogs::default() }
    }

    /// What came before does not count any more: the subscription is another one.
    pub(crate) fn reset(&mut self) {
        self.dialogs = Dialogs::default();
    }

    /// Reads a body of the media type `kind`.
    pub(crate) fn read(&mut self, kind: &str, body: &[u8]) -> Result<Reading, Unreadable> {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case(self.package.kind()) {
            return Err(Unreadable::Kind);
        }
        if body.len() > LIMIT {
            return Err(Unreadable::Content);
        }
        let text = std::str::from_utf8(body).map_err(|_| Unreadable::Content)?;
        let whole = |news| Reading { news: Some(news), gap: false };
        match self.package {
            Package::MessageSummary => {
                message_summary::read(text).map(|summary| whole(News::Messages(summary)))
            }
            Package::Presence => presence::read(text).map(|presence| whole(News::Presence(presence))),
            Package::Dialog => self.dialogs.read(text),
        }
        .ok_or(Unreadable::Content)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn another_media_type_is_not_read() {
        let mut reader = Reader::new(Package::Presence);
        assert_eq!(reader.read("application/xml", b"<presence/>"), Err(Unreadable::Kind));
        assert_eq!(
            reader.read("Application/PIDF+xml; charset=utf-8", b"<presence"),
            Err(Unreadable::Content)
        );
        assert_eq!(reader.read(PIDF, &vec![b' '; LIMIT + 1]), Err(Unreadable::Content));
    }

    proptest! {
        /// Whatever is done to a body on its way, nobody stumbles over it.
        #[test]
        fn nothing_panics(
            package in prop::sample::select(vec![Package::MessageSummary, Package::Dialog, Package::Presence]),
            spoilt in proptest::collection::vec((any::<prop::sample::Index>(), 0..6_usize, "[\\x00-\\x7fü€\"<>&;:=/!\r\n]{0,6}"), 0..6),
        ) {
            let mut body = match package {
                Package::MessageSummary => message_summary::tests::SAMPLE,
                Package::Dialog => dialog_info::tests::SAMPLE,
                Package::Presence => presence::tests::SAMPLE,
            }.as_bytes().to_vec();
            for (place, length, instead) in spoilt {
                let at = place.index(body.len() + 1);
                let end = (at + length).min(body.len());
                body.splice(at..end, instead.into_bytes());
            }
            let mut reader = Reader::new(package);
            let _ = (reader.read(package.kind(), &body), reader.read(package.kind(), &body));
        }
    }
}
