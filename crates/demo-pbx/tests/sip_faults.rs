//! The SIP side misbehaving as told, and its keep-alives, over bare sockets.

// Functions of a test may fail it, as tests themselves may.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use demo_pbx::{Config, DemoPbx, SipFault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

fn options(n: u32) -> String {
    format!(
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{n}\r\n\
         From: <sip:101@test.io>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: {n}\r\nCSeq: {n} OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

async fn answer(socket: &UdpSocket) -> String {
    let mut buffer = [0; 2048];
    let received = tokio::time::timeout(Duration::from_secs(10), socket.recv(&mut buffer));
    let length = received.await.unwrap().unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn silent_and_unavailable() {
    let pbx = DemoPbx::start(Config::default()).await.unwrap();
    let phone = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    phone.connect(("127.0.0.1", pbx.sip_udp_port())).await.unwrap();

    phone.send(options(1).as_bytes()).await.unwrap();
    assert!(answer(&phone).await.starts_with("SIP/2.0 200 OK\r\n"));

    pbx.faults().sip(SipFault::Unavailable);
    phone.send(options(2).as_bytes()).await.unwrap();
    assert!(answer(&phone).await.starts_with("SIP/2.0 503 Service Unavailable\r\n"));

    pbx.faults().sip(SipFault::Silent);
    phone.send(options(3).as_bytes()).await.unwrap();
    let taken = async {
        while pbx.count("SIP OPTIONS") < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), taken).await.unwrap();
    pbx.faults().clear();
    phone.send(options(4).as_bytes()).await.unwrap();
    let next = answer(&phone).await;
    assert!(next.starts_with("SIP/2.0 200 OK\r\n") && next.contains("CSeq: 4 OPTIONS"), "{next}");
}

#[tokio::test]
async fn a_stream_is_cut_into_messages_and_keep_alives_are_answered() {
    let pbx = DemoPbx::start(Config::default()).await.unwrap();
    let mut phone = TcpStream::connect(("127.0.0.1", pbx.sip_tcp_port())).await.unwrap();
    let two = format!("\r\n\r\n{}{}", options(1), options(2)).replace("/UDP", "/TCP");
    for piece in two.as_bytes().chunks(50) {
        phone.write_all(piece).await.unwrap();
    }
    let mut text = String::new();
    let mut buffer = [0; 2048];
    while text.matches("\r\n\r\n").count() < 2 {
        let length =
            tokio::time::timeout(Duration::from_secs(10), phone.read(&mut buffer)).await.unwrap().unwrap();
        assert_ne!(length, 0);
        text.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    assert!(text.starts_with("\r\nSIP/2.0 200 OK\r\n"), "{text}");
    assert!(text.contains("CSeq: 1 OPTIONS") && text.contains("CSeq: 2 OPTIONS"));

    phone.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(10), phone.read(&mut buffer)).await.unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)));
}
