//! How calls begin: dialled, asked for by somebody else, or ringing here.

use std::sync::{Arc, Mutex};

use devices::Source;
use media::Keying;
use media::sdp::LocalMedia;

use super::call::{Call, Sound};
use super::{Calls, digits};
use crate::accounts::Agent;
use crate::actor::Input;
use crate::picture::codecs;
use crate::target::Target;
use crate::voice::{Device, Sockets};
use crate::words::{of_device_error, of_sdp_error, of_voice_error};
use crate::{
    AccountId, CallId, CallState, Code, DeclineReason, Direction, EndReason, Event, PeerView, Problem,
};

/// How a call goes on once its sound is prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is dialled.
    Dial(Target),
    /// It is dialled to take over a call of somebody else (Call-ID and both tags).
    TakeOver(Target, (String, String, String)),
    /// It is dialled because somebody asked for it.
    Follow(sip::ReferralKey),
    /// It is answered.
    Answer,
}

impl Calls {
    /// Begins an outgoing call; a row of digits may follow the target. Unless its caller is to be `shown` in a way of
    /// its own, it shows the number the user chose for the account.
    ///
    /// # Errors
    /// What was dialled is no target.
    pub(crate) fn dial(
        &mut self,
        account: AccountId,
        agent: Agent,
        typed: &str,
        shown: Option<sip::Shown>,
    ) -> Result<(), Problem> {
        let (typed, row) = digits::split(typed);
        let target = Target::parse(typed).map_err(|_| Problem::from(Code::TargetInvalid))?;
        let peer = PeerView { number: target.shown(), name: None, picture: None };
        let shown = self.shown(&account, shown);
        let id = self.call_out(account, agent, peer, Way::Dial(target));
        if let Some(call) = self.table.get_mut(&id) {
            call.shown = shown;
        }
        if let (Some(row), Some(call)) = (row, self.table.get_mut(&id)) {
            // It was read before it was split off.
            call.digits.add(row);
        }
        Ok(())
    }

    /// Takes over a call of another extension that still rings there: it is its caller who is called.
    ///
    /// # Errors
    /// The caller cannot be called.
    pub(crate) fn take_over(
        &mut self,
        account: AccountId,
        agent: Agent,
        caller: sip::Party,
        dialog: (String, String, String),
    ) -> Result<(), Problem> {
        let target = Target::parse(&caller.number).map_err(|_| Problem::from(Code::TargetInvalid))?;
        self.call_out(account, agent, caller.into(), Way::TakeOver(target, dialog));
        Ok(())
    }

    /// Calls as somebody asks: our other end in `within` is handed on, or a call is begun from outside.
    pub(crate) fn referred(
        &mut self,
        account: AccountId,
        agent: Agent,
        referral: sip::ReferralKey,
        within: Option<sip::CallKey>,
        target: sip::Party,
        shown: Option<sip::Shown>,
    ) {
        let old = within.and_then(|key| self.of_key(agent.id, key));
        if old.is_none() && !self.preferences.click_to_dial {
            agent.handle.refuse_referral(referral, 603);
            return;
        }
        let shown = self.shown(&account, shown);
        let Some(old) = old else {
            let id = self.call_out(account, agent, target.into(), Way::Follow(referral));
            if let Some(call) = self.table.get_mut(&id) {
                (call.referral, call.shown) = (Some(referral), shown);
            }
            return;
        };
        // The call that is handed on keeps the floor until somebody answers in its place.
        let id = self.begin(|id| {
            let mut call = Call::new(id, account, Direction::Outgoing, target.into(), agent);
            (call.replaces, call.view.follows) = (Some(old), Some(old));
            (call.referral, call.shown) = (Some(referral), shown);
            call
        });
        self.mute_like(id, old);
        self.prepare(id, Way::Follow(referral));
    }

    /// Somebody calls.
    pub(crate) fn incoming(
        &mut self,
        account: AccountId,
        agent: Agent,
        key: sip::CallKey,
        invitation: sip::Invitation,
    ) {
        let sip::Invitation { from, diverted_by, offer, auto_answer, replaces, .. } = invitation;
        let replaces = replaces.and_then(|key| self.of_key(agent.id, key));
        let diverted_by = diverted_by.into_iter().next().map(PeerView::from);
        if self.preferences.do_not_disturb && replaces.is_none() {
            agent.handle.decline(key, 486);
            self.last += 1;
            let mut missed = Call::new(CallId(self.last), account, Direction::Incoming, from.into(), agent);
            missed.view.diverted_by = diverted_by;
            self.name(&mut missed.view);
            missed.ended(EndReason::Missed, Some(486));
            self.history.ended(&missed.view, None);
            self.outlet.tell(Event::Call { view: missed.view });
            return;
        }
        let handle = agent.handle.clone();
        let id = self.begin(|id| {
            let mut call = Call::new(id, account, Direction::Incoming, from.into(), agent);
            (call.key, call.offer, call.replaces) = (Some(key), Some(offer), replaces);
            (call.view.diverted_by, call.view.follows) = (diverted_by, replaces);
            call
        });
        if let Some(old) = replaces {
            self.mute_like(id, old);
            // Who takes the place of a call is expected: a colleague who hands on whom we talk to.
            self.prepare(id, Way::Answer);
            return;
        }
        handle.ring(key);
        if let Some(delay) = auto_answer.filter(|_| self.preferences.auto_answer) {
            self.outlet.waiting(async move {
                tokio::time::sleep(delay).await;
                Input::AnswerDue(id)
            });
        }
        self.settle();
    }

    /// The time has come to answer a call as the PBX wishes: unless we talk to somebody else.
    pub(crate) fn answer_due(&mut self, id: CallId) {
        if self.table.values().any(|call| call.view.id != id && !call.is_over()) {
            return;
        }
        let Some(call) = self.table.get_mut(&id).filter(|call| call.is_ringing_here()) else { return };
        call.answered_by_itself = true;
        // It rings, so it can be answered.
        let _ = self.answer(id);
    }

    /// Answers a ringing call; another one that talks is held.
    pub(crate) fn answer(&mut self, id: CallId) -> Result<(), Problem> {
        if !self.live(id)?.is_ringing_here() {
            return Err(Code::NotNow.into());
        }
        self.prepare(id, Way::Answer);
        self.floor.take(id);
        self.settle();
        Ok(())
    }

    /// Refuses a ringing call.
    pub(crate) fn decline(&mut self, id: CallId, reason: DeclineReason) -> Result<(), Problem> {
        let status = match reason {
            DeclineReason::Busy => 486,
            DeclineReason::Decline => 603,
            DeclineReason::NotHere => 480,
        };
        let (agent, key) = self.ringing_here(id)?;
        agent.handle.decline(key, status);
        Ok(())
    }

    /// Sends the caller of a ringing call elsewhere.
    pub(crate) fn redirect(&mut self, id: CallId, target: &str) -> Result<(), Problem> {
        let target = Target::parse(target).map_err(|_| Problem::from(Code::TargetInvalid))?;
        let (agent, key) = self.ringing_here(id)?;
        agent.handle.redirect(key, &target.to_string());
        Ok(())
    }

    fn ringing_here(&mut self, id: CallId) -> Result<(Agent, sip::CallKey), Problem> {
        let call = self.live(id)?;
        match (&call.view.state, call.key) {
            (CallState::Incoming, Some(key)) => {
                call.offer = None;
                let agent = call.agent.clone();
                self.settle();
                Ok((agent, key))
            }
            _ => Err(Code::NotNow.into()),
        }
    }

    fn shown(&self, account: &AccountId, wanted: Option<sip::Shown>) -> sip::Shown {
        let chosen = || self.shown_as.get(account).cloned().map(sip::Shown::As);
        wanted.or_else(chosen).unwrap_or_default()
    }

    fn call_out(&mut self, account: AccountId, agent: Agent, peer: PeerView, way: Way) -> CallId {
        let id = self.begin(|id| Call::new(id, account, Direction::Outgoing, peer, agent));
        self.floor.take(id);
        self.prepare(id, way);
        self.settle();
        id
    }

    fn prepare(&mut self, id: CallId, way: Way) {
        let (microphones, devices) = (self.audio.opening().microphones, Arc::clone(&self.devices));
        let Ok(call) = self.live(id) else { return };
        call.sound = Sound::Preparing;
        let (ip, browserly) = (call.agent.handle.local_ip(), call.agent.keying() == Keying::Dtls);
        let (nat, config) = (Arc::clone(&call.agent.nat), Arc::clone(&self.config));
        self.outlet.blocking(move || {
            // Browsers, and what speaks to them, take nothing without it (RFC 8835, section 3.4).
            let ice = nat.offers() || (nat.answers() && (browserly || way == Way::Answer));
            let ready = present(&microphones, &devices)
                .and_then(|()| Sockets::bind(ip).map_err(|error| of_voice_error(&error)))
                .map(|sockets| if ice { sockets.gather(&nat, &config.extra_roots) } else { sockets });
            Input::Prepared(id, way, ready)
        });
    }

    /// The sockets and devices for a call were looked after.
    pub(crate) fn prepared(&mut self, id: CallId, way: Way, ready: Result<Sockets, Problem>) {
        let own = self.config.codecs.clone();
        let chosen = codecs::chosen(&self.preferences.codecs);
        let pauses = self.preferences.leave_out_silence;
        let identity = self.identity.clone();
        let Ok(call) = self.live(id) else {
            return;
        };
        let sockets = match ready {
            Ok(sockets) => sockets,
            Err(problem) => return self.fail(id, problem),
        };
        let settled = Some(call.agent.codecs.clone()).filter(|codecs| !codecs.is_empty());
        let (ip, codecs) = (call.agent.handle.local_ip(), own.or(settled).unwrap_or(chosen));
        let mut media = LocalMedia::new(ip, sockets.rtp_port, sockets.rtcp_port, codecs, rand::random());
        media.pauses = pauses;
        media.ice = sockets.ice();
        call.sound = Sound::Bound(sockets);
        media.security.srtp = call.agent.srtp.into();
        media.security.identity = identity;
        media.security.keying = call.agent.keying();
        if way == Way::Answer {
            return self.give_answer(id, media);
        }
        let offer = media.offer();
        call.media = Some(media);
        call.place(way, offer);
    }

    fn give_answer(&mut self, id: CallId, mut media: LocalMedia) {
        let Ok(call) = self.live(id) else { return };
        let (Some(key), Some(offer)) = (call.key, call.offer.take()) else { return };
        let sdp = match offer {
            None => Ok((media.offer(), None)),
            Some(offer) => media.answer(&offer).map(|(answer, agreed)| (answer, Some(agreed))),
        };
        call.media = Some(media);
        match sdp {
            Ok((sdp, agreed)) => {
                call.agent.handle.answer(key, sdp);
                if let Some(agreed) = agreed {
                    self.agree(id, agreed, None);
                }
            }
            Err(error) => {
                tracing::info!(%error, "their offer cannot be answered");
                call.fault = Some(of_sdp_error(&error));
                call.agent.handle.decline(key, 488);
            }
        }
    }
}

/// A call without a microphone is not begun: the user is told before anybody's phone rings. While a voice path has
/// the devices open, it is there.
fn present(microphones: &[Source], devices: &Mutex<()>) -> Result<(), Problem> {
    let Ok(_ours) = devices.try_lock() else { return Ok(()) };
    let mut first = None;
    for microphone in microphones {
        match devices::open_microphone(microphone, Arc::new(|| {})) {
            Ok(_) => return Ok(()),
            Err(error) => first.get_or_insert(error),
        };
    }
    first.map_or(Ok(()), |error| Err(of_device_error(Device::Microphone, &error)))
}
