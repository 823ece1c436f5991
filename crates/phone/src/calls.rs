//! All calls: commands, signalling and sound brought together.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use devices::{Ringer, Source, Tone};
use media::sdp::{LocalMedia, Negotiated};

use crate::accounts::{Agent, AgentId};
use crate::actor::Input;
use crate::call::{Call, Sound};
use crate::outlet::Outlet;
use crate::report::report;
use crate::target::Target;
use crate::voice::{Device, Sockets, Voice, VoiceError, VoiceEvent};
use crate::words::{of_device_error, of_end, of_voice_error};
use crate::{
    AccountId, CallId, CallState, CallView, Code, Config, Direction, EndReason, Event, PeerView, Problem,
};

const BUSY: u16 = 486;

/// The calls in progress.
pub(crate) struct Calls {
    table: BTreeMap<CallId, Call>,
    last: u32,
    config: Arc<Config>,
    outlet: Outlet,
}

impl Calls {
    /// No calls yet.
    pub(crate) fn new(config: Arc<Config>, outlet: Outlet) -> Self {
        Self { table: BTreeMap::new(), last: 0, config, outlet }
    }

    /// What the shells show of them.
    pub(crate) fn views(&self) -> Vec<CallView> {
        self.table.values().filter(|call| !call.is_over()).map(|call| call.view.clone()).collect()
    }

    /// Whether sound devices or sockets of any call are still in use.
    pub(crate) fn is_quiet(&self) -> bool {
        self.table.is_empty()
    }

    /// Begins an outgoing call.
    ///
    /// # Errors
    /// What was dialled is no target, or there is a call already.
    pub(crate) fn dial(&mut self, account: AccountId, agent: Agent, typed: &str) -> Result<(), Problem> {
        let target = Target::parse(typed).map_err(|_| Problem::from(Code::TargetInvalid))?;
        if !self.table.is_empty() {
            return Err(Code::NotNow.into());
        }
        let peer = PeerView { number: target.shown(), name: None };
        let id = self.begin(|id| Call::new(id, account, Direction::Outgoing, peer, agent));
        self.prepare(id, Some(target));
        Ok(())
    }

    /// Answers a ringing call.
    pub(crate) fn answer(&mut self, id: CallId) -> Result<(), Problem> {
        let call = self.live(id)?;
        if call.offer.is_none() || !matches!(call.sound, Sound::None) {
            return Err(Code::NotNow.into());
        }
        call.tone = None;
        self.prepare(id, None);
        Ok(())
    }

    /// Refuses a ringing call.
    pub(crate) fn decline(&mut self, id: CallId) -> Result<(), Problem> {
        let call = self.live(id)?;
        match (&call.view.state, call.key) {
            (CallState::Incoming, Some(key)) => call.agent.handle.decline(key, BUSY),
            _ => return Err(Code::NotNow.into()),
        }
        (call.tone, call.offer) = (None, None);
        Ok(())
    }

    /// Ends a call in whatever state it is.
    pub(crate) fn hang_up(&mut self, id: CallId) -> Result<(), Problem> {
        let call = self.table.get_mut(&id).ok_or(Code::NoSuchCall)?;
        (call.tone, call.offer) = (None, None);
        match call.key {
            _ if call.is_over() => {}
            Some(key) => call.agent.handle.hang_up(key),
            None => self.finish(id, EndReason::Cancelled, None),
        }
        Ok(())
    }

    /// Ends all calls of a user agent.
    pub(crate) fn hang_up_by(&mut self, agent: AgentId) {
        for id in self.calls_by(agent) {
            // Each one was listed a moment ago.
            let _ = self.hang_up(id);
        }
    }

    /// A user agent is gone, so nothing more is heard of its calls.
    pub(crate) fn agent_gone(&mut self, agent: AgentId) {
        for id in self.calls_by(agent) {
            self.finish(id, EndReason::ConnectionLost, None);
        }
    }

    /// Forgets calls whose end takes too long.
    pub(crate) fn forget_all(&mut self) {
        self.table.clear();
    }

    /// Stops or goes on sending the microphone.
    pub(crate) fn mute(&mut self, id: CallId, muted: bool) -> Result<(), Problem> {
        let call = self.live(id)?;
        call.view.muted = muted;
        if let Sound::Running(voice) = &call.sound {
            voice.mute(muted);
        }
        self.tell(id);
        Ok(())
    }

    /// Sends a DTMF digit.
    pub(crate) fn digit(&mut self, id: CallId, digit: char) -> Result<(), Problem> {
        let parsed = media::Digit::new(digit).ok_or(Code::TargetInvalid)?;
        let call = self.live(id)?;
        match &mut call.sound {
            Sound::Running(voice) => voice.digit(parsed),
            Sound::Opening { digits, .. } => digits.push(parsed),
            Sound::None | Sound::Preparing | Sound::Bound(_) => return Err(Code::NotNow.into()),
        }
        call.view.digits.push(digit.to_ascii_uppercase());
        self.tell(id);
        Ok(())
    }

    /// Somebody calls.
    pub(crate) fn incoming(
        &mut self,
        account: AccountId,
        agent: Agent,
        key: sip::CallKey,
        from: sip::Party,
        offer: Option<String>,
    ) {
        if !self.table.is_empty() {
            agent.handle.decline(key, BUSY);
            return;
        }
        let peer = PeerView { number: from.number, name: from.display_name };
        let tone = self.tone(Tone::Ring);
        agent.handle.ring(key);
        self.begin(|id| {
            let mut call = Call::new(id, account, Direction::Incoming, peer, agent);
            (call.key, call.offer, call.tone) = (Some(key), Some(offer), tone);
            call
        });
    }

    /// Takes what a user agent says of its calls.
    pub(crate) fn signalled(&mut self, agent: AgentId, event: sip::Event) {
        match event {
            sip::Event::Ringing { call, .. } => self.with(agent, call, Self::ringing),
            sip::Event::Answered { call, sdp, setup } => {
                self.with(agent, call, |calls, id| calls.accepted(id, &sdp, Some(setup)));
            }
            sip::Event::Confirmed { call, setup } => {
                self.with(agent, call, |calls, id| calls.confirmed(id, setup));
            }
            sip::Event::Offer { call, sdp } => {
                self.with(agent, call, |calls, id| calls.offered(id, sdp.as_deref()));
            }
            sip::Event::Answer { call, sdp } => {
                self.with(agent, call, |calls, id| calls.accepted(id, &sdp, None));
            }
            sip::Event::Ended { call, cause, status } => {
                self.with(agent, call, |calls, id| calls.finish(id, of_end(cause), status));
            }
            _ => {}
        }
    }

    /// The sockets and devices for a call were looked after.
    pub(crate) fn prepared(&mut self, id: CallId, target: Option<Target>, ready: Result<Sockets, Problem>) {
        let Ok(call) = self.live(id) else { return };
        let sockets = match ready {
            Ok(sockets) => sockets,
            Err(problem) => return self.fail(id, problem),
        };
        let (ip, codecs) = (call.agent.handle.local_ip(), call.agent.codecs.clone());
        let mut media = LocalMedia::new(ip, sockets.rtp_port, sockets.rtcp_port, codecs, rand::random());
        call.sound = Sound::Bound(sockets);
        if let Some(target) = target {
            call.key = Some(call.agent.handle.invite(&target.to_string(), media.offer()));
            call.media = Some(media);
            return;
        }
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
                call.fault = Some(EndReason::NoCommonCodec);
                call.agent.handle.decline(key, 488);
            }
        }
    }

    /// The voice path of a call was started, or could not be.
    pub(crate) fn opened(&mut self, id: CallId, voice: Result<Voice, VoiceError>) {
        let Ok(call) = self.live(id) else {
            match voice {
                Ok(voice) => self.close(id, voice),
                Err(_) => self.closed(id, None),
            }
            return;
        };
        match (voice, mem::replace(&mut call.sound, Sound::None)) {
            (Ok(voice), opening) => {
                voice.mute(call.view.muted);
                if let Sound::Opening { agreed, digits } = opening {
                    agreed.into_iter().for_each(|agreed| voice.renegotiate(agreed));
                    digits.into_iter().for_each(|digit| voice.digit(digit));
                }
                call.sound = Sound::Running(voice);
            }
            (Err(error), _) => self.fail(id, of_voice_error(&error)),
        }
    }

    /// The voice path of a call says something.
    pub(crate) fn heard(&self, id: CallId, event: VoiceEvent) {
        if self.table.get(&id).is_none_or(Call::is_over) {
            return;
        }
        match event {
            VoiceEvent::Report(figures) => {
                self.outlet.tell(Event::Media { call: id, report: report(&figures) });
            }
            VoiceEvent::DeviceFailed(device, error) => {
                let problem = of_device_error(device, &error);
                self.outlet.tell(Event::Notice { problem, call: Some(id) });
            }
        }
    }

    /// Everything of a call that had ended is closed: its last figures, and its end, can be told.
    pub(crate) fn closed(&mut self, id: CallId, last: Option<&media::Report>) {
        let Some(call) = self.table.remove(&id) else { return };
        if let Some(figures) = last {
            self.outlet.tell(Event::Media { call: id, report: report(figures) });
        }
        self.outlet.tell(Event::Call { view: call.view });
    }

    fn live(&mut self, id: CallId) -> Result<&mut Call, Code> {
        self.table.get_mut(&id).filter(|call| !call.is_over()).ok_or(Code::NoSuchCall)
    }

    fn calls_by(&self, agent: AgentId) -> Vec<CallId> {
        let live = self.table.values().filter(|call| call.agent.id == agent && !call.is_over());
        live.map(|call| call.view.id).collect()
    }

    fn begin(&mut self, call: impl FnOnce(CallId) -> Call) -> CallId {
        self.last += 1;
        let id = CallId(self.last);
        self.table.insert(id, call(id));
        self.tell(id);
        id
    }

    fn ringing(&mut self, id: CallId) {
        let calling = |call: &Call| call.view.state == CallState::Calling;
        if !self.table.get(&id).is_some_and(calling) {
            return;
        }
        let tone = self.tone(Tone::RingBack);
        if let Some(call) = self.table.get_mut(&id) {
            call.view.state = CallState::Ringing;
            call.tone = tone;
            self.tell(id);
        }
    }

    /// Their answer to an offer of ours came.
    fn accepted(&mut self, id: CallId, sdp: &str, setup: Option<Duration>) {
        let Some(call) = self.table.get_mut(&id) else { return };
        match call.media.as_mut().map(|media| media.accept(sdp)) {
            Some(Ok(agreed)) => self.agree(id, agreed, setup),
            Some(Err(error)) => {
                tracing::info!(%error, "their answer cannot be used");
                self.end_for(id, EndReason::NoCommonCodec);
            }
            None => {}
        }
    }

    /// The ACK to our answer came.
    fn confirmed(&mut self, id: CallId, setup: Duration) {
        if let Some(call) = self.table.get_mut(&id) {
            call.view.setup_ms = Some(millis(setup));
            if matches!(call.view.state, CallState::Active { .. }) {
                self.tell(id);
            }
        }
    }

    /// They offer another session in mid-call, or ask for our offer.
    fn offered(&mut self, id: CallId, sdp: Option<&str>) {
        let Some(call) = self.table.get_mut(&id) else { return };
        let (Some(key), Some(media)) = (call.key, call.media.as_mut()) else { return };
        let Some(offer) = sdp else {
            let ours = media.offer();
            return call.agent.handle.answer_offer(key, Some(ours));
        };
        match media.answer(offer) {
            Ok((answer, agreed)) => {
                call.agent.handle.answer_offer(key, Some(answer));
                self.agree(id, agreed, None);
            }
            Err(error) => {
                tracing::info!(%error, "their new offer is refused");
                call.agent.handle.answer_offer(key, None);
            }
        }
    }

    /// Both ends have agreed on a session: the voice path starts, or follows.
    fn agree(&mut self, id: CallId, agreed: Negotiated, setup: Option<Duration>) {
        let Some(call) = self.table.get_mut(&id) else { return };
        call.answered(agreed.codec().name(), setup.map(millis));
        match mem::replace(&mut call.sound, Sound::None) {
            Sound::Running(voice) => {
                voice.renegotiate(agreed);
                call.sound = Sound::Running(voice);
            }
            Sound::Opening { digits, .. } => call.sound = Sound::Opening { agreed: Some(agreed), digits },
            Sound::Bound(sockets) => {
                call.sound = Sound::Opening { agreed: None, digits: Vec::new() };
                let (audio, outlet) = (self.config.audio.clone(), self.outlet.clone());
                self.outlet.blocking(move || {
                    let heard = move |event| outlet.put(Input::Heard(id, event));
                    Input::Opened(id, Voice::start(sockets, &agreed, &audio, heard))
                });
            }
            // Without sockets nothing was offered or answered.
            unasked @ (Sound::None | Sound::Preparing) => call.sound = unasked,
        }
        self.tell(id);
    }

    /// Ends a call from our side for a reason of ours.
    fn end_for(&mut self, id: CallId, reason: EndReason) {
        let Some(call) = self.table.get_mut(&id) else { return };
        call.fault = Some(reason);
        match call.key {
            Some(key) => call.agent.handle.hang_up(key),
            None => self.finish(id, reason, None),
        }
    }

    fn fail(&mut self, id: CallId, problem: Problem) {
        self.outlet.tell(Event::Notice { problem, call: Some(id) });
        self.end_for(id, EndReason::AudioFailed);
    }

    /// The signalling of a call is over. It is told once its sound is closed too, so that a recording is
    /// whole when its call is said to have ended.
    fn finish(&mut self, id: CallId, reason: EndReason, status: Option<u16>) {
        let Ok(call) = self.live(id) else { return };
        call.ended(reason, status);
        match mem::replace(&mut call.sound, Sound::None) {
            Sound::Running(voice) => self.close(id, voice),
            // To be closed as soon as it is open.
            Sound::Opening { .. } => {}
            Sound::None | Sound::Preparing | Sound::Bound(_) => self.outlet.put(Input::Closed(id, None)),
        }
    }

    fn close(&self, id: CallId, voice: Voice) {
        self.outlet.blocking(move || Input::Closed(id, Some(Box::new(voice.stop()))));
    }

    fn with(&mut self, agent: AgentId, key: sip::CallKey, then: impl FnOnce(&mut Self, CallId)) {
        let found = self.table.values().find(|c| c.key == Some(key) && c.agent.id == agent);
        if let Some(id) = found.map(|call| call.view.id) {
            then(self, id);
        }
    }

    fn prepare(&mut self, id: CallId, target: Option<Target>) {
        let Ok(call) = self.live(id) else { return };
        call.sound = Sound::Preparing;
        let ip = call.agent.handle.local_ip();
        let config = Arc::clone(&self.config);
        self.outlet.blocking(move || {
            let ready = present(&config.audio.microphone)
                .and_then(|()| Sockets::bind(ip).map_err(|error| of_voice_error(&error)));
            Input::Prepared(id, target, ready)
        });
    }

    fn tone(&self, tone: Tone) -> Option<Ringer> {
        self.config.tones.then(|| Ringer::start(self.config.audio.speaker.clone(), tone))
    }

    fn tell(&self, id: CallId) {
        if let Some(call) = self.table.get(&id) {
            self.outlet.tell(Event::Call { view: call.view.clone() });
        }
    }
}

/// A call without a microphone is not begun: the user is told before anybody's phone rings.
fn present(microphone: &Source) -> Result<(), Problem> {
    devices::open_microphone(microphone, Arc::new(|| {}))
        .map(drop)
        .map_err(|error| of_device_error(Device::Microphone, &error))
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
