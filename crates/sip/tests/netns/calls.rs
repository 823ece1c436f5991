//! A call whose phone moves to another network.

use std::net::SocketAddr;
use std::time::Instant;

use sip::{EndCause, Event, Transport};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::pbx::{CALLEE, Pbx};
use crate::phone::{LIMIT, Phone};
use crate::world::World;

#[test]
fn a_call_goes_on_in_another_network() {
    World::run_case("call", "calls::moving");
}

fn sdp(ip: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n")
}

/// Somebody beside the PBX who is called.
struct Callee(UdpSocket);

struct Message {
    text: String,
    from: SocketAddr,
}

impl Message {
    fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    fn header(&self, name: &str) -> &str {
        self.headers(name).next().unwrap_or_default()
    }
}

impl Callee {
    /// The next request of a method that was not answered yet.
    async fn receive(&self, method: &str, seen: &mut Vec<String>) -> Message {
        let wait = async {
            let mut buffer = vec![0; 65536];
            loop {
                let (length, from) = self.0.recv_from(&mut buffer).await.unwrap();
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let message = Message { text, from };
                let via = message.header("Via").to_owned();
                if message.text.starts_with(method) && !seen.contains(&via) {
                    seen.push(via);
                    return message;
                }
                // Questions whether we are still there.
                if message.text.starts_with("OPTIONS") {
                    self.answer(&message, "").await;
                }
            }
        };
        timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("no {method}"))
    }

    async fn answer(&self, request: &Message, body: &str) {
        let mut answer = String::from("SIP/2.0 200 OK\r\n");
        for name in ["Via", "Record-Route"] {
            for value in request.headers(name) {
                answer += &format!("{name}: {value}\r\n");
            }
        }
        let to = request.header("To");
        let tag = if to.contains("tag=") { "" } else { ";tag=callee" };
        let own = self.0.local_addr().unwrap();
        answer += &format!(
            "From: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: <sip:900@{own}>\r\n",
            request.header("From"),
            request.header("Call-ID"),
            request.header("CSeq")
        );
        if !body.is_empty() {
            answer += "Content-Type: application/sdp\r\n";
        }
        answer += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.0.send_to(answer.as_bytes(), request.from).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by a_call_goes_on_in_another_network"]
async fn moving() {
    let world = World::here();
    let mut pbx = Pbx::start(600).await;
    let callee = Callee(world.socket_at_pbx(CALLEE));
    for (user, transport, from, to) in [("101", Transport::Udp, 0, 1), ("102", Transport::Tcp, 1, 0)] {
        let mut seen = Vec::new();
        let mut phone = Phone::registered(user, transport).await;
        let call = phone.agent.invite("900", sdp(&phone.agent.local_ip().to_string()));
        let invite = callee.receive("INVITE", &mut seen).await;
        callee.answer(&invite, &sdp("10.77.9.2")).await;
        phone.until(|event| matches!(event, Event::Answered { .. }).then_some(())).await;
        callee.receive("ACK", &mut seen).await;

        world.down(from);
        world.up(to);
        world.ip("p", &format!("route add default via 10.77.{}.1", to + 1));
        let begin = Instant::now();
        let moved = phone.until(|event| match event {
            Event::Moved { call } => Some(*call),
            Event::Ended { cause, .. } => panic!("{cause:?}"),
            _ => None,
        });
        assert_eq!(moved.await, call);
        let told = begin.elapsed();
        let address = format!("10.77.{}.2", to + 1);
        assert_eq!(phone.agent.local_ip().to_string(), address);
        phone.agent.reoffer(call, sdp(&address));
        let again = callee.receive("INVITE", &mut seen).await;
        println!("call of {user}: told after {told:?}, offered anew after {:?}", begin.elapsed());
        assert!(again.header("Contact").contains(&address), "{}", again.text);
        assert!(again.text.contains(&format!("c=IN IP4 {address}")), "{}", again.text);
        callee.answer(&again, &sdp("10.77.9.2")).await;
        phone.until(|event| matches!(event, Event::Answer { .. }).then_some(())).await;
        callee.receive("ACK", &mut seen).await;
        pbx.until_reached(user).await;
        println!("call of {user}: reached after {:?}", begin.elapsed());

        phone.agent.hang_up(call);
        let bye = callee.receive("BYE", &mut seen).await;
        callee.answer(&bye, "").await;
        let end = phone.until(|event| match event {
            Event::Ended { cause, .. } => Some(*cause),
            _ => None,
        });
        assert_eq!(end.await, EndCause::HungUpHere);
        phone.agent.stop().await;
    }
}
