//! Sending requests over a flow, with credentials where they are asked for.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rsipstack::sip::{Header, Method, Param, Request, Response, SipMessage, Transport as SipTransport, Uri};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::transaction::Transaction;
use tokio::time::timeout;

use crate::Cause;
use crate::Transport;
use crate::digest::{Authenticator, Rounds, Verdict};
use crate::flow::{Flow, Hop, Net, udp_address};
use crate::message::{Draft, challenges, to_of, uri_in};

/// How much longer the final answer may take once a provisional one has come.
const AFTER_PROVISIONAL: Duration = Duration::from_secs(10);

/// A final answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub response: Response,
    /// From the last sending to the answer.
    pub rtt: Duration,
    /// The answer refuses credentials that were sent.
    pub credentials_refused: bool,
    /// Credentials were sent with the request.
    pub credentials_sent: bool,
    /// The answer shows that the proxy sees us at another address than the Contact of the request told.
    pub moved: bool,
}

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        self.response.status_code.code()
    }
}

impl Net {
    /// Runs a task that must not outlive the user agent.
    pub(crate) fn behind(&self, task: impl Future<Output = ()> + Send + 'static) {
        let closing = self.closing.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = task => {}
                () = closing.cancelled() => {}
            }
        });
    }
}

/// Where a request goes next, and whether that is the phone system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    hop: Hop,
    /// Only the phone system gets credentials, and is believed when it asks for them: whoever else did would get
    /// material to guess the password from.
    pub to_proxy: bool,
}

impl Way {
    /// That of a draft over `flow`: outside a dialog to the proxy, else to the first route or target.
    pub(crate) async fn of(net: &Net, flow: &Flow, draft: &Draft) -> Self {
        let route = draft.routes.first().and_then(|route| uri_in(route));
        Self::to(net, flow, &draft.to, route.unwrap_or_else(|| draft.uri.clone())).await
    }

    async fn to(net: &Net, flow: &Flow, to: &str, uri: Uri) -> Self {
        let proxy = Hop { address: flow.peer, by_tcp: false };
        let in_dialog = crate::party::tag(to).is_some();
        if !in_dialog || flow.transport != Transport::Udp {
            return Self { hop: proxy, to_proxy: true };
        }
        let by_tcp = uri.params.iter().any(|param| matches!(param, Param::Transport(SipTransport::Tcp)));
        let hop = net.hops.address_of(&uri).await.map_or(proxy, |address| Hop { address, by_tcp });
        let to_proxy = hop.address.ip().to_canonical() == flow.peer.ip().to_canonical();
        Self { hop, to_proxy }
    }
}

/// Starts a client transaction. Requests outside a dialog go to the proxy, others to their first route or target.
///
/// # Errors
/// The stack will not have the request.
pub(crate) async fn start(net: &Net, flow: &Flow, request: Request) -> Result<Transaction, Cause> {
    let route = request.headers.iter().find_map(|header| match header {
        Header::Route(route) => uri_in(route.value()),
        _ => None,
    });
    let uri = route.unwrap_or_else(|| request.uri.clone());
    let way = Way::to(net, flow, &to_of(&request), uri).await;
    start_on(net, flow, way, request).await
}

/// As [`start`], where the way is known already.
///
/// # Errors
/// The stack will not have the request.
pub(crate) async fn start_on(
    net: &Net,
    flow: &Flow,
    Way { hop, .. }: Way,
    mut request: Request,
) -> Result<Transaction, Cause> {
    net.service_route.apply(&mut request);
    let mut connection = flow.connection.clone();
    let mut destination = None;
    if flow.transport == Transport::Udp {
        match net.detour(flow, hop, &mut request).await {
            Some(detour) => connection = detour.connection,
            None => destination = Some(udp_address(hop.address)),
        }
    }
    let key =
        TransactionKey::from_request(&request, TransactionRole::Client).map_err(|_| Cause::NotUnderstood)?;
    let mut transaction = Transaction::new_client(key, request, net.endpoint.clone(), Some(connection));
    transaction.destination = destination;
    transaction.send().await.map_err(|_| Cause::ConnectionLost)?;
    Ok(transaction)
}

/// Whether a request went straight to the proxy over its flow: others see us at other addresses.
pub(crate) fn is_direct(transaction: &Transaction, flow: &Flow) -> bool {
    flow.transport != Transport::Udp || transaction.destination == Some(udp_address(flow.peer))
}

/// Sends a request other than INVITE and waits for the final answer, going through challenges on the way.
/// The first answer of each round must come within `patience`.
///
/// # Errors
/// No answer came, and why.
pub(crate) async fn exchange(
    net: &Net,
    flow: &Flow,
    draft: &Draft,
    auth: &mut Authenticator,
    patience: Duration,
) -> Result<Reply, Cause> {
    exchange_within(net, flow, draft, auth, &mut Rounds::default(), patience).await
}

/// As [`exchange`], for a request that is made anew in the middle of its challenges.
pub(crate) async fn exchange_within(
    net: &Net,
    flow: &Flow,
    draft: &Draft,
    auth: &mut Authenticator,
    rounds: &mut Rounds,
    patience: Duration,
) -> Result<Reply, Cause> {
    debug_assert_ne!(draft.method, Method::Invite);
    loop {
        let way = Way::of(net, flow, draft).await;
        let request = draft.request(flow, &net.account.user_agent, way.to_proxy.then_some(&mut *auth));
        let credentials_sent = carries_credentials(&request);
        let sent = Instant::now();
        let mut transaction = start_on(net, flow, way, request).await?;
        let response = tokio::select! {
            response = final_response(&mut transaction, patience) => response?,
            cause = flow.lost() => return Err(cause),
        };
        // Ahead of the next round, whose Contact is made of it.
        let moved = is_direct(&transaction, flow) && flow.observe(&response);
        let mut credentials_refused = false;
        if way.to_proxy {
            auth.answered(&response);
        }
        if way.to_proxy && matches!(response.status_code.code(), 401 | 407) {
            match auth.learn(challenges(&response), rounds) {
                // A request with a Contact of its own is made anew by those who made it.
                Verdict::Retry if moved && draft.has_contact() => {}
                Verdict::Retry => continue,
                Verdict::Refused => credentials_refused = true,
                Verdict::NotUnderstood => return Err(Cause::NotUnderstood),
            }
        }
        return Ok(Reply { response, rtt: sent.elapsed(), credentials_refused, credentials_sent, moved });
    }
}

/// Credentials as they are after an exchange, and what came of it.
type Outcome = (Authenticator, Result<Reply, Cause>);

/// An exchange under way, beside other things.
pub(crate) struct Asking(Pin<Box<dyn Future<Output = Outcome> + Send>>);

impl Asking {
    /// Begins one over the current flow.
    pub(crate) fn begin(net: Arc<Net>, draft: Draft, mut auth: Authenticator, patience: Duration) -> Self {
        Self(Box::pin(async move {
            let outcome = match net.flow().await {
                Ok(flow) => exchange(&net, &flow, &draft, &mut auth, patience).await,
                Err(cause) => Err(cause),
            };
            (auth, outcome)
        }))
    }

    /// Waits for the end of one, where there is one.
    pub(crate) async fn end(asking: Option<&mut Self>) -> Outcome {
        match asking {
            Some(Self(asking)) => asking.await,
            None => std::future::pending().await,
        }
    }
}

fn carries_credentials(request: &Request) -> bool {
    request
        .headers
        .iter()
        .any(|header| matches!(header, Header::Authorization(_) | Header::ProxyAuthorization(_)))
}

async fn final_response(transaction: &mut Transaction, patience: Duration) -> Result<Response, Cause> {
    let mut patience = patience;
    loop {
        match timeout(patience, transaction.receive()).await {
            Ok(Some(SipMessage::Response(response))) => {
                if response.status_code.code() >= 200 {
                    return Ok(response);
                }
                patience = AFTER_PROVISIONAL;
            }
            Ok(Some(SipMessage::Request(_))) => {}
            Ok(None) | Err(_) => return Err(Cause::Silence),
        }
    }
}
