//! What an outgoing call hears before it is answered, where several phones may ring (forks). Pure.

use std::collections::BTreeMap;

/// The phones that were heard of.
#[derive(Debug, Default)]
pub(crate) struct Early {
    forks: BTreeMap<u32, Fork>,
    /// The fork that brought a session description last.
    sounding: Option<u32>,
    /// Sound has arrived.
    heard: bool,
}

#[derive(Debug, Default)]
struct Fork {
    rings: bool,
    media: bool,
}

impl Early {
    /// A fork makes progress; whether its description takes the place of the one in use.
    pub(crate) fn progress(&mut self, fork: u32, status: u16, media: bool) -> bool {
        let known = self.forks.entry(fork).or_default();
        known.rings |= status == 180;
        known.media |= media;
        let other = media && self.sounding != Some(fork);
        if media {
            self.sounding = Some(fork);
        }
        if other {
            self.heard = false;
        }
        media
    }

    /// Sound has arrived from the fork in use.
    ///
    /// Returns whether that is news.
    pub(crate) fn sound(&mut self) -> bool {
        self.sounding.is_some() && !std::mem::replace(&mut self.heard, true)
    }

    /// Whether the phone gives a ring-back tone itself: some phone rings, and nothing is heard of the other side
    /// yet (RFC 3960, section 3.2).
    pub(crate) fn rings_back(&self) -> bool {
        !self.heard && self.forks.values().any(|fork| fork.rings || !fork.media)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_that_rings_is_rung_back() {
        let mut early = Early::default();
        assert!(!early.rings_back());
        assert!(!early.progress(0, 180, false));
        assert!(early.rings_back());
        assert!(!early.sound(), "there is nothing to be heard");
    }

    #[test]
    fn an_announcement_is_heard_instead() {
        let mut early = Early::default();
        assert!(early.progress(0, 183, true));
        assert!(!early.rings_back(), "it speaks for itself");
        assert!(early.sound() && !early.sound());
        early.progress(0, 180, false);
        assert!(!early.rings_back());
    }

    #[test]
    fn a_description_without_sound_does_not_silence_the_ring_back() {
        let mut early = Early::default();
        early.progress(0, 183, true);
        early.progress(0, 180, false);
        assert!(early.rings_back());
        early.sound();
        assert!(!early.rings_back());
    }

    #[test]
    fn another_fork_takes_over_when_it_speaks() {
        let mut early = Early::default();
        early.progress(0, 180, false);
        early.progress(1, 183, true);
        assert!(early.rings_back(), "one rings, the other has said nothing yet");
        early.sound();
        assert!(!early.rings_back());
        assert!(early.progress(2, 183, true));
        assert!(early.rings_back(), "until the third is heard");
        early.sound();
        assert!(!early.rings_back());
    }
}
