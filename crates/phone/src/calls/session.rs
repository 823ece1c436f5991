//! Offers and answers: what both ends have agreed on, and the voice path that follows it.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::sdp::Negotiated;

use super::Calls;
use super::call::Sound;
use super::floor::Flow;
use crate::actor::Input;
use crate::voice::{Sockets, Voice};
use crate::words::{of_sdp_error, of_voice_error};
use crate::{CallId, CallState, Code, Event, Problem, ProtectionView};

impl Calls {
    /// A phone at the other end rings, or somebody speaks already.
    pub(super) fn ringing(&mut self, id: CallId, fork: u32, status: u16, sdp: Option<&str>) {
        let Ok(call) = self.live(id) else { return };
        if !matches!(call.view.state, CallState::Calling | CallState::Ringing) {
            return;
        }
        let agreed = sdp.and_then(|sdp| match call.media.as_mut()?.accept(sdp) {
            Ok(agreed) => Some(agreed),
            Err(error) => {
                tracing::info!(%error, "early media that cannot be played");
                None
            }
        });
        call.early.progress(fork, status, agreed.is_some());
        if call.view.state == CallState::Calling {
            call.view.state = CallState::Ringing;
            self.tell(id);
        }
        if let Some(agreed) = agreed {
            self.connect(id, agreed);
        }
        self.settle();
    }

    /// Their answer to an offer of ours came.
    pub(super) fn accepted(&mut self, id: CallId, sdp: &str, setup: Option<Duration>) {
        let offered = self.floor.offered(id);
        let Some(call) = self.table.get_mut(&id) else { return };
        let Some(media) = call.media.as_mut() else { return };
        media.direction = offered.unwrap_or_default();
        match (media.accept(sdp), offered) {
            (Ok(agreed), Some(ours)) => {
                self.floor.accepted(id, Flow { ours, theirs: agreed.theirs });
                self.connect(id, agreed);
                self.settle();
                self.send_digits(id);
            }
            (Ok(agreed), None) => self.agree(id, agreed, setup),
            (Err(error), Some(_)) => {
                tracing::info!(%error, "their answer is as good as a refusal");
                self.refused(id, None);
            }
            (Err(error), None) => {
                tracing::info!(%error, "their answer cannot be used");
                self.end_for(id, of_sdp_error(&error));
            }
        }
    }

    /// The ACK to our answer came.
    pub(super) fn confirmed(&mut self, id: CallId, setup: Duration) {
        if let Some(call) = self.table.get_mut(&id) {
            call.view.setup_ms = Some(millis(setup));
            if call.is_established() {
                self.tell(id);
            }
        }
    }

    /// They offer another session in mid-call, or ask for our offer.
    pub(super) fn offered(&mut self, id: CallId, sdp: Option<&str>) {
        let direction = self.floor.direction(id);
        let asked = sdp.is_none().then(|| self.floor.offer(id, true)).flatten();
        let Some(call) = self.table.get_mut(&id) else { return };
        let (Some(key), Some(media)) = (call.key, call.media.as_mut()) else { return };
        let Some(offer) = sdp else {
            media.direction = asked.unwrap_or(direction);
            let ours = media.offer_anew();
            return call.agent.handle.answer_offer(key, Some(ours));
        };
        media.direction = direction;
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

    /// They refused an offer of ours in mid-call.
    pub(super) fn refused(&mut self, id: CallId, status: Option<u16>) {
        if self.floor.refused(id) {
            let detail = status.map_or_else(String::new, |status| format!("SIP {status}"));
            let problem = Problem::new(Code::ResumeRefused, detail);
            self.outlet.tell(Event::Notice { problem, call: Some(id) });
        }
        self.settle();
    }

    /// Our address has changed under a call: it needs other sockets, and the other end must be told.
    pub(super) fn moved(&mut self, id: CallId) {
        let Ok(call) = self.live(id) else { return };
        let ip = call.agent.handle.local_ip();
        let Some(media) = &call.media else { return };
        let (ice, nat, config) = (media.ice.is_some(), Arc::clone(&call.agent.nat), Arc::clone(&self.config));
        self.outlet.blocking(move || {
            let bound = Sockets::bind(ip);
            let gather = |sockets: Sockets| {
                if ice { sockets.gather(&nat, &config.extra_roots) } else { sockets }
            };
            Input::Moved(id, bound.map(|sockets| (ip, gather(sockets))))
        });
    }

    /// Sockets at our new address were bound, or could not be.
    pub(crate) fn resettled(
        &mut self,
        id: CallId,
        bound: Result<(std::net::IpAddr, Sockets), crate::voice::VoiceError>,
    ) {
        let Ok(call) = self.live(id) else { return };
        let (ip, sockets) = match bound {
            Ok(bound) => bound,
            Err(error) => {
                let problem = of_voice_error(&error);
                return self.outlet.tell(Event::Notice { problem, call: Some(id) });
            }
        };
        if let Some(media) = call.media.as_mut() {
            (media.address, media.rtp_port, media.rtcp_port) = (ip, sockets.rtp_port, sockets.rtcp_port);
            media.ice = sockets.ice();
        }
        call.moved = !call.is_established();
        match call.sound {
            Sound::Joined => {
                if let Some(voice) = &self.voice {
                    voice.move_to(id, sockets);
                }
            }
            Sound::Bound(_) => call.sound = Sound::Bound(sockets),
            Sound::None | Sound::Preparing | Sound::Leaving(_) => {}
        }
        self.make_offer(id, true);
    }

    /// Offers what is to be told to the other end: a hold, its end, or (`anew`) another address.
    pub(super) fn make_offer(&mut self, id: CallId, anew: bool) {
        let Some(call) = self.table.get_mut(&id).filter(|call| !call.is_over()) else { return };
        let (Some(key), Some(media)) = (call.key, call.media.as_mut()) else { return };
        if let Some(direction) = self.floor.offer(id, anew) {
            media.direction = direction;
            call.agent.handle.reoffer(key, media.offer());
        }
    }

    /// Both ends have agreed on a session, by an offer of theirs or by the first answer to ours.
    pub(super) fn agree(&mut self, id: CallId, agreed: Negotiated, setup: Option<Duration>) {
        let ours = self.floor.direction(id);
        let Some(call) = self.table.get_mut(&id) else { return };
        let first = !call.is_established();
        call.answered(setup.map(millis));
        if first {
            call.digits.begin(Instant::now());
        }
        let replaced = call.replaces.filter(|_| first);
        let moved = mem::take(&mut call.moved);
        let theirs = agreed.theirs;
        self.connect(id, agreed);
        if let Some(old) = replaced {
            self.floor.replace(old, id);
            self.mute_as_one();
        }
        self.floor.agreed(id, Flow { ours, theirs });
        if moved {
            self.make_offer(id, true);
        }
        self.settle();
        self.tell(id);
        if first {
            self.record_by_itself(id);
        }
        self.send_digits(id);
    }

    /// The voice path follows what was agreed on.
    fn connect(&mut self, id: CallId, agreed: Negotiated) {
        let Some(call) = self.table.get_mut(&id) else { return };
        call.view.codec = Some(agreed.codec().name().to_owned());
        call.takes_events = agreed.send_events.is_some();
        call.protected_as(ProtectionView::agreed(agreed.protection.as_ref(), call.agent.secure));
        match mem::replace(&mut call.sound, Sound::None) {
            Sound::Joined => {
                call.sound = Sound::Joined;
                if let Some(voice) = &self.voice {
                    voice.renegotiate(id, agreed);
                }
            }
            Sound::Bound(sockets) => {
                call.sound = Sound::Joined;
                let (muted, later) = (call.view.muted, call.trickled.take());
                match self.open_voice() {
                    Ok(voice) => {
                        voice.join(id, sockets, agreed);
                        voice.mute(id, muted);
                        later.into_iter().for_each(|later| voice.trickle(id, later));
                    }
                    Err(problem) => {
                        if let Some(call) = self.table.get_mut(&id) {
                            call.sound = Sound::None;
                        }
                        self.fail(id, problem);
                    }
                }
            }
            // Without sockets nothing was offered or answered; what is over agrees on nothing more.
            other @ (Sound::None | Sound::Preparing | Sound::Leaving(_)) => call.sound = other,
        }
    }

    pub(super) fn open_voice(&mut self) -> Result<&Voice, Problem> {
        let voice = match self.voice.take() {
            Some(voice) => voice,
            None => {
                self.voices += 1;
                let (number, outlet) = (self.voices, self.outlet.clone());
                let heard = move |event| outlet.put(Input::Heard(number, event));
                self.audio.closed();
                Voice::start(self.audio.opening(), self.stages(), Arc::clone(&self.devices), heard)
                    .map_err(|error| of_voice_error(&error))?
            }
        };
        Ok(self.voice.insert(voice))
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
