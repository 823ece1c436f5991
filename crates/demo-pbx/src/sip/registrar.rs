//! The location service: which extension is reached where (RFC 3261 section 10.3). Pure.

use std::time::{Duration, Instant};

use super::message::Message;
use super::route::Flow;
use super::uri::Address;
use crate::config::Transport;

/// Shortest lifetime of a binding; a shorter wish is answered with 423.
pub(crate) const MIN_EXPIRES: u64 = 10;
/// Longest lifetime of a binding; a longer wish is cut to it.
const MAX_EXPIRES: u64 = 3600;

/// A binding, as tests and the log see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Extension number.
    pub extension: String,
    /// Contact URI as registered.
    pub contact: String,
    /// Transport it was registered over.
    pub transport: Transport,
    /// Lifetime granted, seconds.
    pub expires: u64,
    /// The User-Agent header of the REGISTER.
    pub user_agent: Option<String>,
}

struct Binding {
    seen: Registration,
    flow: Flow,
    until: Instant,
    call_id: String,
    cseq: u32,
    instance: Option<String>,
}

/// Why a REGISTER is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It contradicts itself: 400.
    Malformed,
    /// The lifetime asked for is too short: 423.
    TooBrief,
    /// It is older than what is known: 500, as section 10.3 item 7 has the update fail.
    OutOfOrder,
}

/// All bindings.
#[derive(Default)]
pub(crate) struct Registrar {
    bindings: Vec<Binding>,
}

impl Registrar {
    /// Applies a REGISTER whose sender is proven to be `extension`. All of it is applied, or nothing.
    pub fn register(
        &mut self,
        extension: &str,
        request: &Message,
        flow: Flow,
        now: Instant,
    ) -> Result<(), Refused> {
        let contacts: Vec<&str> = request.all("Contact").collect();
        let header = request.header("Expires").map(|text| text.trim().parse::<u64>());
        let cseq = request.cseq().map(|(number, _)| number).ok_or(Refused::Malformed)?;
        let newer = |b: &Binding| b.call_id != request.call_id() || b.cseq < cseq;

        if contacts.contains(&"*") {
            if contacts.len() != 1 || header != Some(Ok(0)) {
                return Err(Refused::Malformed);
            }
            if !self.of(extension).all(newer) {
                return Err(Refused::OutOfOrder);
            }
            self.bindings.retain(|b| b.seen.extension != extension);
            return Ok(());
        }

        let mut wanted = Vec::new();
        for contact in contacts {
            let address = Address::parse(contact).ok_or(Refused::Malformed)?;
            let own = address.param("expires").map(str::parse::<u64>);
            let expires = match own.or(header.clone()) {
                Some(Ok(seconds)) => seconds.min(MAX_EXPIRES),
                // A damaged value counts as 3600 (section 20.19), and so does none.
                Some(Err(_)) | None => MAX_EXPIRES,
            };
            if (1..MIN_EXPIRES).contains(&expires) {
                return Err(Refused::TooBrief);
            }
            let instance = address
                .param("+sip.instance")
                .and_then(|instance| Some(format!("{instance};{}", address.param("reg-id")?)));
            if !self.of(extension).filter(|b| b.is(address.uri, &instance)).all(newer) {
                return Err(Refused::OutOfOrder);
            }
            wanted.push((address.uri.to_string(), expires, instance));
        }
        for (contact, expires, instance) in wanted {
            self.bindings.retain(|b| b.seen.extension != extension || !b.is(&contact, &instance));
            if expires == 0 {
                continue;
            }
            let seen = Registration {
                extension: extension.into(),
                contact,
                transport: flow.transport(),
                expires,
                user_agent: request.header("User-Agent").map(Into::into),
            };
            let (until, call_id) = (now + Duration::from_secs(expires), request.call_id().into());
            self.bindings.push(Binding { seen, flow, until, call_id, cseq, instance });
        }
        Ok(())
    }

    /// Contact values of an extension for the answer to a REGISTER, with the seconds left.
    pub fn contacts(&self, extension: &str, now: Instant) -> Vec<String> {
        let left = |b: &Binding| b.until.saturating_duration_since(now).as_secs_f64().ceil();
        self.of(extension).map(|b| format!("<{}>;expires={}", b.seen.contact, left(b))).collect()
    }

    /// Where an extension is reached: contact URI and flow of each binding, newest first.
    pub fn locate(&self, extension: &str) -> Vec<(String, Flow)> {
        self.of(extension).rev().map(|b| (b.seen.contact.clone(), b.flow)).collect()
    }

    /// All bindings in force.
    pub fn all(&self) -> Vec<Registration> {
        self.bindings.iter().map(|b| b.seen.clone()).collect()
    }

    /// Drops bindings whose time is over.
    pub fn expire(&mut self, now: Instant) {
        self.bindings.retain(|b| b.until > now);
    }

    /// When the next binding ends.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.bindings.iter().map(|b| b.until).min()
    }

    /// A connection is gone, and with it every binding that was reached over it.
    pub fn closed(&mut self, connection: u64) {
        self.bindings.retain(|b| !b.flow.is_over(connection));
    }

    fn of<'a>(&'a self, extension: &'a str) -> impl DoubleEndedIterator<Item = &'a Binding> {
        self.bindings.iter().filter(move |b| b.seen.extension == extension)
    }
}

impl Binding {
    /// The same contact, or the same registration of the same instance (RFC 5626 section 6).
    fn is(&self, contact: &str, instance: &Option<String>) -> bool {
        self.seen.contact == contact || (instance.is_some() && self.instance == *instance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        Flow::Tcp { connection: 7, peer: "127.0.0.1:4000".parse().unwrap() }
    }

    fn register(cseq: u32, headers: &[(&str, &str)]) -> Message {
        let mut request = Message::request("REGISTER", "sip:test.io");
        request.push("Call-ID", "c");
        request.push("CSeq", format!("{cseq} REGISTER"));
        for (name, value) in headers {
            request.push(name, *value);
        }
        request
    }

    #[test]
    fn bindings_come_expire_and_go() {
        let t0 = Instant::now();
        let mut registrar = Registrar::default();
        let a = register(
            1,
            &[("Contact", "<sip:101@h:1>;expires=60"), ("Contact", "<sip:101@h:2>"), ("Expires", "9999")],
        );
        registrar.register("101", &a, flow(), t0).unwrap();
        assert_eq!(registrar.contacts("101", t0), ["<sip:101@h:1>;expires=60", "<sip:101@h:2>;expires=3600"]);
        assert!(registrar.locate("102").is_empty());
        assert_eq!(registrar.next_deadline(), Some(t0 + Duration::from_secs(60)));
        registrar.expire(t0 + Duration::from_secs(60));
        assert_eq!(registrar.all().len(), 1);
        let off = register(2, &[("Contact", "<sip:101@h:2>;expires=0")]);
        registrar.register("101", &off, flow(), t0).unwrap();
        assert!(registrar.all().is_empty());
    }

    #[test]
    fn a_star_takes_all_and_only_with_expires_0() {
        let t0 = Instant::now();
        let mut registrar = Registrar::default();
        registrar.register("101", &register(1, &[("Contact", "<sip:a@h>")]), flow(), t0).unwrap();
        let without = register(2, &[("Contact", "*")]);
        assert_eq!(registrar.register("101", &without, flow(), t0), Err(Refused::Malformed));
        let other = register(3, &[("Contact", "*"), ("Expires", "0")]);
        registrar.register("102", &other, flow(), t0).unwrap();
        assert_eq!(registrar.all().len(), 1);
        registrar.register("101", &other, flow(), t0).unwrap();
        assert!(registrar.all().is_empty());
    }

    #[test]
    fn too_brief_out_of_order_and_closed() {
        let t0 = Instant::now();
        let mut registrar = Registrar::default();
        let brief = register(1, &[("Contact", "<sip:a@h>"), ("Expires", "9")]);
        assert_eq!(registrar.register("101", &brief, flow(), t0), Err(Refused::TooBrief));
        registrar.register("101", &register(5, &[("Contact", "<sip:a@h>")]), flow(), t0).unwrap();
        let old = register(4, &[("Contact", "<sip:a@h>;expires=0")]);
        assert_eq!(registrar.register("101", &old, flow(), t0), Err(Refused::OutOfOrder));
        registrar.closed(8);
        assert_eq!(registrar.all().len(), 1);
        registrar.closed(7);
        assert!(registrar.all().is_empty());
    }

    #[test]
    fn an_instance_replaces_its_own_binding() {
        let t0 = Instant::now();
        let mut registrar = Registrar::default();
        for (cseq, port) in [(1, 1), (2, 2)] {
            let contact = format!("<sip:a@h:{port}>;+sip.instance=\"<urn:uuid:1>\";reg-id=1");
            registrar.register("101", &register(cseq, &[("Contact", &contact)]), flow(), t0).unwrap();
        }
        assert_eq!(registrar.locate("101"), [("sip:a@h:2".to_string(), flow())]);
    }
}
