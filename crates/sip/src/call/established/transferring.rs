use std::time::{Duration, Instant};

use rsipstack::sip::{Header, Method};
use rsipstack::transaction::transaction::Transaction;

use super::super::Report;
use super::super::offering::glare;
use super::{Session, until};
use crate::answer::respond;
use crate::exchange::Asking;
use crate::extensions::SUPPORTED;
use crate::refer::{ReferTo, is_of_referral, status_of, without_news};
use crate::subscription::standing_of;
use crate::transfer::{Input, Machine, Step};
use crate::{CallKey, Event, TransferProgress};

/// A REFER without any answer for this long went nowhere.
const PATIENCE: Duration = Duration::from_secs(32);

/// A transfer of ours under way.
pub(super) struct Transferring {
    to: ReferTo,
    machine: Machine,
    asking: Option<Asking>,
    /// A call that still rings where this one is handed on to, and has to give way.
    instead: Option<CallKey>,
}

impl Transferring {
    /// What happens next.
    pub(super) async fn next(transfer: Option<&mut Self>) -> Input {
        let Some(transfer) = transfer else { return std::future::pending().await };
        let deadline = transfer.machine.deadline();
        tokio::select! {
            (_, outcome) = Asking::end(transfer.asking.as_mut()) => {
                transfer.asking = None;
                match outcome {
                    // No other REFER crosses it: there is nobody to let go first.
                    Ok(reply) if reply.status() == 491 => {
                        Input::Crossed { pause: glare(false, rand::random()) }
                    }
                    Ok(reply) => {
                        Input::Answered { status: reply.status(), mute: without_news(&reply.response) }
                    }
                    Err(_) => Input::Failed,
                }
            }
            () = until(deadline) => Input::Due,
        }
    }
}

impl Session {
    /// Asks the other end to call somebody else; one at a time. Not before our answer is acknowledged: what overtakes it
    /// on its way belongs to no call there.
    pub(super) fn transfer(&mut self, to: ReferTo, instead: Option<CallKey>) {
        if self.transfer.is_some() {
            return;
        }
        if self.unacknowledged.is_some() {
            self.later.get_or_insert((to, instead));
            return;
        }
        let asking = Some(self.refer(&to));
        self.transfer = Some(Transferring { to, machine: Machine::default(), asking, instead });
    }

    fn refer(&mut self, to: &ReferTo) -> Asking {
        let net = &self.call.net;
        let mut draft = self.dialog.draft(Method::Refer);
        draft.headers = vec![
            Header::ReferTo(to.to_string().into()),
            Header::ReferredBy(format!("<{}>", net.account.address()).into()),
            Header::Supported(SUPPORTED.into()),
        ];
        Asking::begin(net.clone(), draft, self.call.auth.clone(), PATIENCE)
    }

    pub(super) fn transfer_goes(&mut self, input: Input) {
        let Some(transfer) = &mut self.transfer else { return };
        let progress = match transfer.machine.handle(input, Instant::now()) {
            Some(Step::Tell(progress)) => Some(progress),
            Some(Step::Ask) => {
                let to = transfer.to.clone();
                let asking = self.refer(&to);
                if let Some(transfer) = &mut self.transfer {
                    transfer.asking = Some(asking);
                }
                return;
            }
            None => None,
        };
        let taken = matches!(progress, Some(TransferProgress::Trying(_) | TransferProgress::Done));
        if let Some(instead) = transfer.instead.take_if(|_| taken) {
            let _ = self.call.reports.send(Report::HandedOn(instead));
        }
        if transfer.machine.is_over() {
            let ended = self.transfer.take();
            // Its REFER is seen through to the answer all the same.
            if let Some(mut asking) = ended.and_then(|ended| ended.asking) {
                self.call.net.behind(async move {
                    let _ = Asking::end(Some(&mut asking)).await;
                });
            }
        }
        if let Some(progress) = progress {
            self.call.tell(Event::Transfer { call: self.call.key, progress });
        }
    }

    /// Takes a notification: how a transfer of ours goes, or nothing we asked for (RFC 6665, section 4.1.3).
    pub(super) async fn notified(&mut self, mut transaction: Transaction) {
        if self.transfer.is_none() || !is_of_referral(&transaction.original) {
            return respond(&mut transaction, 481).await;
        }
        respond(&mut transaction, 200).await;
        let notify = &transaction.original;
        let (last, expires) = standing_of(notify).remaining();
        self.transfer_goes(Input::Notified { status: status_of(notify), last, expires });
    }

    /// Hands a request to call somebody on to who decides.
    pub(super) fn referred(&mut self, transaction: Transaction) {
        let report = Report::Referred {
            call: self.call.key,
            refer: Box::new(transaction),
            dialog: self.dialog.clone(),
            before: self.referrals,
        };
        self.referrals += 1;
        let _ = self.call.reports.send(report);
    }
}
