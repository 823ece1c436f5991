use rsipstack::sip::{Request, SipMessage};

use super::{Failure, Flow, Net};
use crate::exchange::start;
use crate::message::token;
use crate::{Cause, target};

/// Waits until a SIP server answers at the other end of a flow over UDP. It is asked for our bindings: that is what
/// every registrar answers, if only with a challenge (RFC 3261, section 10.2.3).
pub(super) async fn answers(net: &Net, flow: &Flow) -> Result<(), Failure> {
    let account = &net.account;
    let domain = &account.domain;
    let user = target::user_part(&account.user).unwrap_or_default();
    let question = format!(
        "REGISTER sip:{domain} SIP/2.0\r\nVia: {}\r\nMax-Forwards: 70\r\nFrom: <sip:{user}@{domain}>;tag={}\r\n\
         To: <sip:{user}@{domain}>\r\nCall-ID: {}\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n",
        flow.via(),
        token(),
        token(),
    );
    let question = Request::try_from(question.as_str()).map_err(|_| Cause::NotUnderstood)?;
    let mut transaction = start(net, flow, question).await?;
    tokio::select! {
        cause = flow.lost() => Err(cause.into()),
        answer = transaction.receive() => match answer {
            Some(SipMessage::Response(answer)) => {
                flow.observe(&answer);
                Ok(())
            }
            _ => Err(Cause::Silence.into()),
        },
    }
}
