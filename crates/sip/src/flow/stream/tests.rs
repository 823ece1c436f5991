use std::net::Ipv4Addr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

use rsipstack::EndpointBuilder;
use rsipstack::transaction::endpoint::EndpointInnerRef;
use tokio::io::{DuplexStream, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::flow::{Loss, websocket};
use crate::registration::{Fact, Input};

/// A flow as it is while nobody sends anything over it.
struct Idle {
    flow: Flow,
    endpoint: EndpointInnerRef,
    to_send: Outgoing,
    reports: mpsc::UnboundedReceiver<Fact>,
    _sender: mpsc::UnboundedSender<TransportEvent>,
}

async fn idle(transport: Transport) -> Idle {
    let local = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 5060);
    let (outgoing, to_send) = mpsc::unbounded_channel();
    let (_, unused) = mpsc::unbounded_channel();
    let channel =
        ChannelConnection::create_connection(unused, outgoing.clone(), address(transport, local), None);
    let (report, reports) = mpsc::unbounded_channel();
    let flow = Flow {
        connection: channel.await.unwrap().into(),
        transport,
        local,
        peer: local,
        user: "101".into(),
        reflexive: Arc::default(),
        loss: Arc::new(Loss {
            token: CancellationToken::new(),
            cause: OnceLock::new(),
            report,
            aside: AtomicBool::new(false),
            targets: Arc::new(Mutex::default()),
            watch: OnceLock::new(),
        }),
    };
    let endpoint = EndpointBuilder::new().build().inner;
    Idle { flow, endpoint, to_send, reports, _sender: outgoing }
}

/// Answers the first pings, then only reads.
async fn pong(mut far: DuplexStream, times: usize) {
    let mut read = [0; 64];
    for round in 0.. {
        match far.read(&mut read).await {
            Ok(length) if length > 0 => assert_eq!(read.get(..length), Some(PING)),
            _ => return,
        }
        if round < times {
            far.write_all(b"\r\n").await.unwrap();
        }
    }
}

/// How long a flow lasts whose other end answers this many pings; at most an hour is waited for its end.
async fn life(times: usize) -> (Duration, Option<Cause>) {
    let mut idle = idle(Transport::Tcp).await;
    let (near, far) = duplex(4096);
    tokio::spawn(pong(far, times));
    let began = now();
    tokio::spawn(carry(idle.flow.clone(), idle.endpoint, near, idle.to_send));
    let cause = timeout(Duration::from_secs(3600), idle.flow.lost()).await.ok();
    if let Some(cause) = cause {
        assert!(
            matches!(idle.reports.recv().await, Some(Fact { input: Input::FlowLost(reported), attempt: None }) if reported == cause)
        );
    }
    (now().duration_since(began), cause)
}

#[tokio::test(start_paused = true)]
async fn who_stops_answering_pings_is_given_up_ten_seconds_later() {
    let (life, cause) = life(3).await;
    assert_eq!(cause, Some(Cause::Silence));
    // Three rounds answered, the fourth not.
    assert!((4 * 24 + 10..=4 * 28 + 11).contains(&life.as_secs()), "{life:?}");
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_pings_is_not_given_up() {
    assert_eq!(life(0).await.1, None);
}

#[tokio::test(start_paused = true)]
async fn who_takes_no_more_bytes_is_given_up() {
    let idle = idle(Transport::Tcp).await;
    let (near, _far) = duplex(PING.len() - 1);
    tokio::spawn(carry(idle.flow.clone(), idle.endpoint, near, idle.to_send));
    assert_eq!(idle.flow.lost().await, Cause::Silence);
}

#[tokio::test(start_paused = true)]
async fn a_web_socket_whose_other_end_is_gone_is_given_up() {
    use futures_util::StreamExt;
    let idle = idle(Transport::Wss).await;
    let (near, far) = duplex(4096);
    let socket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
    let mut server = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move {
        // Reading answers a ping by itself.
        let read = async { while server.next().await.is_some() {} };
        tokio::select! {
            () = read => {}
            _ = stopped => {}
        }
        std::future::pending::<()>().await;
        drop(server);
    });
    tokio::spawn(websocket::carry(idle.flow.clone(), idle.endpoint, socket, idle.to_send));
    assert!(timeout(Duration::from_secs(3600), idle.flow.lost()).await.is_err(), "answered all along");
    stop.send(()).unwrap();
    assert_eq!(idle.flow.lost().await, Cause::Silence);
}
