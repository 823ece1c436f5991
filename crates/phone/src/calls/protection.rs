//! Encryption that was refused, and how it stands with that of a call.

use media::sdp::Srtp;

use super::Calls;
use super::begin::Way;
use super::call::Call;
use crate::{CallId, EndReason, ProtectionView, SrtpPolicy};

/// Statuses with which an offer is refused for what stands in it (RFC 3261, section 21).
const NOT_ACCEPTABLE: [u16; 3] = [415, 488, 606];

impl Call {
    /// Sends the first offer.
    pub(crate) fn place(&mut self, way: Way, offer: String) {
        let handle = &self.agent.handle;
        let key = match &way {
            Way::Dial(target) => handle.invite_shown(&target.to_string(), self.shown.clone(), offer),
            Way::TakeOver(target, dialog) => {
                handle.take_over(&target.to_string(), dialog.clone(), true, offer)
            }
            Way::Follow(referral) => {
                self.referral = None;
                handle.follow_shown(*referral, self.shown.clone(), offer)
            }
            Way::Answer => return,
        };
        self.key = Some(key);
        self.dialled = Some(way);
    }

    /// Takes note of how it is protected; whether that is news.
    pub(crate) fn protected_as(&mut self, protection: ProtectionView) -> bool {
        use ProtectionView::Pending;
        // What was agreed on says more than that it is still awaited.
        let known = matches!((&self.view.protection, &protection), (Pending { .. }, Pending { .. }));
        if known || self.view.protection == protection {
            return false;
        }
        self.view.protection = protection;
        true
    }

    /// The crypto suite, where both directions are encrypted.
    pub(crate) fn suite(&self) -> Option<String> {
        match &self.view.protection {
            ProtectionView::Encrypted { suite, .. } => Some(suite.clone()),
            ProtectionView::None | ProtectionView::Pending { .. } => None,
        }
    }

    /// An offer that may be repeated without protection, now that it was refused.
    fn plainly(&mut self, status: Option<u16>) -> Option<(Way, String)> {
        let refused = status.is_some_and(|status| NOT_ACCEPTABLE.contains(&status));
        if !refused || self.is_established() || self.agent.srtp != SrtpPolicy::Prefer {
            return None;
        }
        // Somebody who asked for a call was told how that ended.
        let way = self.dialled.take().filter(|way| !matches!(way, Way::Follow(_)))?;
        let media = self.media.as_mut()?;
        media.security.srtp = Srtp::Off;
        let offer = media.offer();
        media.security.srtp = Srtp::Prefer;
        Some((way, offer))
    }
}

impl Calls {
    /// The signalling of a call is over; one whose protection was refused is dialled once more without.
    pub(super) fn refused_or_over(&mut self, id: CallId, reason: EndReason, status: Option<u16>) {
        let Some(call) = self.table.get_mut(&id) else { return };
        let hopeful = reason == EndReason::NoCommonCodec;
        if let Some((way, offer)) = call.plainly(status).filter(|_| hopeful) {
            tracing::info!("the call is tried again without encryption");
            call.place(way, offer);
            call.dialled = None;
            return;
        }
        let unprotected = hopeful && call.agent.srtp == SrtpPolicy::Require;
        self.finish(id, if unprotected { EndReason::NotEncrypted } else { reason }, status);
    }
}
