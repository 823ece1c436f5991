//! Handing calls on (REFER, RFC 5589).

use super::Calls;
use crate::target::Target;
use crate::{CallId, Code, EndReason, Event, Problem, TransferView};

impl Calls {
    /// Hands a call on to a target (blind transfer).
    pub(crate) fn transfer(&mut self, id: CallId, target: &str) -> Result<(), Problem> {
        let target = Target::parse(target).map_err(|_| Problem::from(Code::TargetInvalid))?;
        let call = self.established(id)?;
        let Some(key) = call.key.filter(|_| call.view.transfer.is_none()) else {
            return Err(Code::NotNow.into());
        };
        call.agent.handle.transfer(key, &target.to_string());
        call.view.transfer = Some(TransferView { to: target.shown(), status: None });
        self.tell(id);
        Ok(())
    }

    /// Joins the other ends of two calls (attended transfer); the second may still ring there.
    pub(crate) fn transfer_to(&mut self, id: CallId, to: CallId) -> Result<(), Problem> {
        let other = self.live(to)?;
        let (agent, other_key, name) = (other.agent.id, other.key, other.view.peer.number.clone());
        let call = self.established(id)?;
        let (Some(key), Some(other_key)) = (call.key, other_key) else { return Err(Code::NotNow.into()) };
        if call.agent.id != agent || id == to || call.view.transfer.is_some() {
            return Err(Code::NotNow.into());
        }
        call.agent.handle.transfer_to(key, other_key);
        call.view.transfer = Some(TransferView { to: name, status: None });
        call.handed_to = Some(to);
        self.tell(id);
        Ok(())
    }

    /// How a transfer of ours goes.
    pub(super) fn transferred(&mut self, id: CallId, progress: sip::TransferProgress) {
        let Ok(call) = self.live(id) else { return };
        match progress {
            sip::TransferProgress::Trying(status) => {
                if let Some(transfer) = &mut call.view.transfer {
                    transfer.status = Some(status);
                }
                self.tell(id);
            }
            sip::TransferProgress::Done => {
                let other = call.handed_to.take();
                self.end_for(id, EndReason::Transferred);
                if let Some(other) = other.filter(|other| self.live(*other).is_ok()) {
                    self.end_for(other, EndReason::Transferred);
                }
            }
            sip::TransferProgress::Failed(status) => {
                (call.view.transfer, call.handed_to) = (None, None);
                let detail = status.map_or_else(String::new, |status| format!("SIP {status}"));
                let problem = Problem::new(Code::TransferFailed, detail);
                self.outlet.tell(Event::Notice { problem, call: Some(id) });
                self.tell(id);
            }
        }
    }
}
