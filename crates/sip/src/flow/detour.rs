//! Requests that are too large for UDP, and hops that are reached by TCP only, while the flow to the proxy is UDP
//! (RFC 3261, section 18.1.1).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rsipstack::sip::headers::untyped::Via;
use rsipstack::sip::{Header, Request, SipMessage};
use tokio::time::timeout;

use super::{Flow, Net};
use crate::Transport;
use crate::network::source_toward;
use crate::resolve::{Order, Target, resolve};

/// Larger requests may not pass in one datagram.
const LARGEST: usize = 1300;
/// Longest that opening the way round may take before the request goes by UDP all the same.
const PATIENCE: Duration = Duration::from_millis(1500);
/// A way round that is closed is not tried again for this long.
const CLOSED: Duration = Duration::from_secs(300);

/// Ways round that are kept open; far ends may name as many addresses as they like.
const MOST: usize = 4;

/// The ways round in use, and those that turned out to be closed.
#[derive(Default)]
pub(super) struct Detours {
    open: Vec<(SocketAddr, Flow)>,
    closed: Vec<(SocketAddr, Instant)>,
}

/// Where a request goes next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hop {
    pub address: SocketAddr,
    /// Its URI asks for TCP.
    pub by_tcp: bool,
}

impl Net {
    /// The connection to go round UDP with, if this request must or should, its Via made to fit. `None`: there is no
    /// need, or no way.
    pub(crate) async fn detour(&self, flow: &Flow, hop: Hop, request: &mut Request) -> Option<Flow> {
        // A CANCEL has the Via of its INVITE, and takes its way.
        let took_it = via(request).is_some_and(|via| via.value().contains("/TCP "));
        let is_too_large = || SipMessage::Request(request.clone()).to_bytes().len() > LARGEST;
        if !took_it && !hop.by_tcp && !is_too_large() {
            return None;
        }
        let way = self.round(flow, hop).await?;
        if !took_it && let Some(via) = via(request) {
            via.replace(way.via());
        }
        Some(way)
    }

    async fn round(&self, flow: &Flow, hop: Hop) -> Option<Flow> {
        let mut detours = self.detours.lock().await;
        let now = Instant::now();
        detours.open.retain(|(_, way)| {
            // One from an address of another network would only be found dead much later.
            let holds = !way.is_lost() && source_toward(way.peer) == Some(way.local.ip());
            if !holds {
                way.discard();
            }
            holds
        });
        detours.closed.retain(|(_, until)| *until > now);
        if let Some((_, known)) = detours.open.iter().find(|(to, _)| *to == hop.address) {
            return Some(known.clone());
        }
        if detours.closed.iter().any(|(to, _)| *to == hop.address) {
            return None;
        }
        let opened = timeout(PATIENCE, async {
            for address in self.tcp_addresses(flow, hop).await {
                if let Ok(flow) =
                    self.connect(Target { transport: Transport::Tcp, address, rank: 0, beyond: None }).await
                {
                    return Some(flow);
                }
            }
            None
        });
        let opened = opened.await.ok().flatten();
        match &opened {
            Some(opened) => {
                opened.set_aside(true);
                if detours.open.len() >= MOST {
                    let (_, oldest) = detours.open.remove(0);
                    oldest.discard();
                }
                detours.open.push((hop.address, opened.clone()));
            }
            None => detours.closed.push((hop.address, now + CLOSED)),
        }
        opened
    }

    /// Where the hop listens for TCP: at the same port, or, where the account names none, where its domain says.
    async fn tcp_addresses(&self, flow: &Flow, hop: Hop) -> Vec<SocketAddr> {
        if hop.by_tcp || hop.address != flow.peer || self.account.proxy.port.is_some() {
            return vec![hop.address];
        }
        let order = Order { transports: vec![Transport::Tcp], preferred: 1 };
        let mut found: Vec<SocketAddr> = match resolve(&self.account, &order).await {
            Ok(found) => found.into_iter().map(|target| target.address).collect(),
            Err(_) => Vec::new(),
        };
        found.sort_by_key(|address| address.ip() != hop.address.ip());
        found
    }
}

fn via(request: &mut Request) -> Option<&mut Via> {
    request.headers.iter_mut().find_map(|header| match header {
        Header::Via(via) => Some(via),
        _ => None,
    })
}
