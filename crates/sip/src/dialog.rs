//! A dialog (RFC 3261, section 12): who talks to whom, under which tags, over which route.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use rsipstack::sip::{Header, HeadersExt, Host, Method, Request, Response, Scheme, Uri};
use rsipstack::transaction::transaction::Transaction;

use crate::Party;
use crate::flow::Flow;
use crate::message::{Draft, call_id_of, contact_of, from_of, recorded_routes, to_of, uri_in};
use crate::outside::source_of;
use crate::party::tag;

/// Names a dialog to others (RFC 3891).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub call_id: String,
    pub local_tag: String,
    pub remote_tag: String,
}

/// A dialog as the agent knows it: enough to hand it on, or to have its place taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub identity: Identity,
    pub confirmed: bool,
    /// The INVITE was ours.
    pub began_here: bool,
    /// Where others reach who is at the other end.
    pub remote: Uri,
}

/// One dialog, early or confirmed. Clones share the CSeq counter.
#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    call_id: String,
    local: String,
    remote: String,
    target: Uri,
    routes: Vec<String>,
    sequence: Arc<AtomicU32>,
    /// Of their last request; none came yet.
    remote_sequence: Option<u32>,
    began_here: bool,
    /// Where its INVITE came from.
    familiar: Option<IpAddr>,
}

impl Dialog {
    /// The dialog that an answer to our INVITE establishes. `None` without a Contact: nobody to talk to.
    pub(crate) fn of_answer(invite: &Draft, answer: &Response) -> Option<Self> {
        let mut routes = recorded_routes(answer);
        routes.reverse();
        Some(Self {
            call_id: invite.call_id.clone(),
            local: invite.from.clone(),
            remote: to_of(answer),
            target: contact_of(answer)?,
            routes,
            sequence: invite.sequence.clone(),
            remote_sequence: None,
            began_here: true,
            familiar: None,
        })
    }

    /// The dialog that our 2xx to this INVITE establishes; its To header has our tag already.
    pub(crate) fn of_invite(invite: &Request) -> Option<Self> {
        Some(Self {
            call_id: call_id_of(invite),
            local: to_of(invite),
            remote: from_of(invite),
            // Phones older than RFC 3261 may do without a Contact.
            target: contact_of(invite).or_else(|| uri_in(&from_of(invite)))?,
            routes: recorded_routes(invite),
            sequence: Arc::new(AtomicU32::new(0)),
            remote_sequence: Some(sequence_of(invite)),
            began_here: false,
            familiar: source_of(invite),
        })
    }

    /// The dialog that a notification establishes, of a subscription asked for by `subscribe` (RFC 6665,
    /// section 4.4.1).
    pub(crate) fn of_notify(subscribe: &Draft, notify: &Request) -> Option<Self> {
        Some(Self {
            call_id: subscribe.call_id.clone(),
            local: subscribe.from.clone(),
            remote: from_of(notify),
            target: contact_of(notify)?,
            routes: recorded_routes(notify),
            sequence: subscribe.sequence.clone(),
            remote_sequence: Some(sequence_of(notify)),
            began_here: true,
            familiar: source_of(notify),
        })
    }

    /// A request within the dialog.
    pub(crate) fn draft(&self, method: Method) -> Draft {
        Draft {
            method,
            uri: self.target.clone(),
            from: self.local.clone(),
            to: self.remote.clone(),
            call_id: self.call_id.clone(),
            sequence: self.sequence.clone(),
            routes: self.routes.clone(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// The PRACK of a provisional answer with this number (RFC 3262, section 7.2).
    pub(crate) fn prack(&self, number: u32, answer: &Response) -> Option<Draft> {
        let answered = answer.cseq_header().ok()?.value().trim();
        let mut draft = self.draft(Method::PRack);
        draft.headers.push(Header::RAck(format!("{number} {answered}").into()));
        Some(draft)
    }

    /// Whether the INVITE was ours, and so the Call-ID.
    pub(crate) fn began_here(&self) -> bool {
        self.began_here
    }

    /// How the dialog stands.
    pub(crate) fn standing(&self, confirmed: bool) -> Standing {
        // The address of record rather than the phone itself, which others may have no way to. Who is anonymous has none.
        let address = uri_in(&self.remote).filter(|uri| {
            let anonymous = self.party().is_anonymous();
            !anonymous && uri.scheme == Some(Scheme::Sip) && uri.auth.is_some()
        });
        Standing {
            identity: self.identity(),
            confirmed,
            began_here: self.began_here,
            remote: address.unwrap_or_else(|| self.target.clone()),
        }
    }

    /// Who is at the other end, as the dialog says.
    pub(crate) fn party(&self) -> Party {
        Party::parse(&self.remote)
    }

    /// Call-ID, our tag and theirs.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            call_id: self.call_id.clone(),
            local_tag: tag(&self.local).unwrap_or_default(),
            remote_tag: tag(&self.remote).unwrap_or_default(),
        }
    }

    /// Goes on with what came within the early dialog.
    pub(crate) fn succeed(&mut self, early: &Self) {
        self.remote_sequence = self.remote_sequence.max(early.remote_sequence);
    }

    /// An answer to a target refresh of ours moves the target along (RFC 3261, section 12.2.1.2).
    pub(crate) fn follow(&mut self, answer: &Response) {
        if let Some(target) = contact_of(answer) {
            self.target = target;
        }
    }

    /// Whether a request that bears our tag and Call-ID comes from the other end of this dialog, and not from another
    /// branch of a fork or a stranger (RFC 3261, section 12.2.2).
    pub(crate) fn is_with(&self, request: &Request) -> bool {
        tag(&from_of(request)) == tag(&self.remote)
    }

    /// Whether a request comes from an address that can be theirs: the proxy's, one that a message of the dialog came
    /// from, or the one that ours go to. A name may stand for many addresses: then there is nothing to tell by.
    pub(crate) fn is_familiar(&self, transaction: &Transaction, flow: &Flow) -> bool {
        let Some(source) = source_of(&transaction.original) else { return false };
        let next = self.routes.first().and_then(|route| uri_in(route)).unwrap_or_else(|| self.target.clone());
        match next.host_with_port.host {
            Host::Domain(_) => true,
            Host::IpAddr(ip) => {
                let proxy = flow.peer.ip().to_canonical();
                source == ip.to_canonical() || source == proxy || self.familiar == Some(source)
            }
        }
    }

    /// Whether a request of theirs comes in order; a target refresh moves the target along.
    pub(crate) fn accepts(&mut self, request: &Request) -> bool {
        let sequence = sequence_of(request);
        if self.remote_sequence.is_some_and(|last| sequence <= last) {
            return false;
        }
        self.remote_sequence = Some(sequence);
        if matches!(request.method, Method::Invite | Method::Update | Method::Notify)
            && let Some(target) = contact_of(request)
        {
            self.target = target;
        }
        true
    }
}

/// Number in the CSeq of a request; 0 where it cannot be read.
pub(crate) fn sequence_of(request: &Request) -> u32 {
    request.cseq_header().and_then(|cseq| cseq.seq()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(method: &str, cseq: u32, contact: &str) -> Request {
        let text = format!(
            "{method} sip:101@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:102@t>;tag=b\r\n\
             To: <sip:101@t>;tag=a\r\nCall-ID: c\r\nCSeq: {cseq} {method}\r\nContact: <{contact}>\r\n\
             Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nContent-Length: 0\r\n\r\n"
        );
        Request::try_from(text.as_str()).unwrap()
    }

    #[test]
    fn requests_of_a_callee_go_back_along_the_recorded_route() {
        let dialog = Dialog::of_invite(&request("INVITE", 7, "sip:102@h2:5080")).unwrap();
        let bye = dialog.draft(Method::Bye);
        assert_eq!(bye.uri.to_string(), "sip:102@h2:5080");
        assert_eq!(bye.routes, ["<sip:p1;lr>", "<sip:p2;lr>"]);
        assert_eq!((bye.from.as_str(), bye.to.as_str()), ("<sip:101@t>;tag=a", "<sip:102@t>;tag=b"));
    }

    #[test]
    fn order_is_kept_and_targets_follow() {
        let mut dialog = Dialog::of_invite(&request("INVITE", 7, "sip:102@h2")).unwrap();
        assert!(!dialog.accepts(&request("BYE", 7, "sip:x@y")));
        assert!(dialog.accepts(&request("INFO", 8, "sip:x@y")));
        assert_eq!(dialog.draft(Method::Bye).uri.to_string(), "sip:102@h2");
        assert!(dialog.accepts(&request("UPDATE", 10, "sip:102@h3")));
        assert_eq!(dialog.draft(Method::Bye).uri.to_string(), "sip:102@h3");
        assert!(!dialog.accepts(&request("UPDATE", 9, "sip:102@h4")));
    }

    #[test]
    fn sources_are_what_the_transport_noted() {
        for (via, source) in [
            ("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx", Some("192.0.2.1")),
            (
                "SIP/2.0/UDP h:5060;received=192.0.2.9;rport=7;branch=z9hG4bKx, SIP/2.0/UDP 192.0.2.1",
                Some("192.0.2.9"),
            ),
            ("SIP / 2.0 / UDP  [2001:db8::1]:5060 ;rport=5060", Some("2001:db8::1")),
            ("SIP/2.0/UDP 192.0.2.1;received=2001:db8::2;rport=5060", Some("2001:db8::2")),
            ("SIP/2.0/UDP somewhere.test", None),
            ("", None),
        ] {
            let text = format!("BYE sip:a SIP/2.0\r\nVia: {via}\r\nContent-Length: 0\r\n\r\n");
            let request = Request::try_from(text.as_str()).unwrap();
            assert_eq!(source_of(&request), source.map(|ip| ip.parse().unwrap()), "{via}");
        }
    }

    proptest! {
        /// Whatever is done to a message on its way, nobody stumbles over it.
        #[test]
        fn nothing_panics(
            answer in any::<bool>(),
            spoilt in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_usize, "[\\x00-\\x7fü€\"<>;:=@%,\r\n]{0,3}"), 0..6),
        ) {
            let start = if answer { "SIP/2.0 401 Unauthorized" } else { "INVITE sip:101:p%41@[::1]:5060;a=b?c=d SIP/2.0" };
            let mut bytes = format!(
                "{start}\r\nVia: SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKx;rport;received=192.0.2.9;ttl=1, SIP/2.0/TCP h\r\n\
                 From: \"B \\\"o\" <sip:102:x@t:1;p>;tag=b;x\r\nTo: sip:101@t;tag=a\r\nCall-ID: c@h\r\nCSeq: 7 INVITE\r\n\
                 m: \"C\" <sip:%3449@[::1]:5080;transport=tcp>;expires=5;q=0.5, <sip:b>\r\nRecord-Route: <sip:p1;lr>, <sip:p2>\r\n\
                 WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth,auth-int\", stale=true\r\nExpires: 9\r\n\
                 c: application/sdp;x\r\nl: 3\r\n\r\nv=0"
            ).into_bytes();
            for (place, length, instead) in spoilt {
                let at = place.index(bytes.len());
                let end = (at + length).min(bytes.len());
                bytes.splice(at..end, instead.into_bytes());
            }
            crate::fuzzing::message(&bytes);
        }
    }
}
