#![allow(clippy::expect_used, clippy::panic, reason = "what cannot go on, or goes wrong, is a finding")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::yield_now;

use crate::header::elements;
use crate::{Account, CallKey, Event, Proxy, Registration, Transport, UserAgent};

/// Steps of a script that are taken.
const MOST_STEPS: usize = 16;
/// Turns in which nothing comes, after which nothing more is awaited.
const QUIET: usize = 48;
/// Longest that a phone may take to say that it lives.
const LIVES: Duration = Duration::from_secs(8);
const OFFER: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";

/// Has a registered phone live through a script, over a socket, and asks whether it lives then.
///
/// A script is made of steps, each ended by a line `~~~`. A step that begins with `!` is what the phone's user does
/// (`!call`, `!answer`, `!hold`, `!transfer`, `!digit`, `!hangup`); any other is a message to the phone, in which `$i`
/// stands for a Call-ID, `$b` for a new branch, `$p` for that of the last INVITE, `$t` for the tag the phone has given itself,
/// `$u` for where it is reached, and `$V`, `$F`, `$T`, `$I`, `$C` for Via, From, To, Call-ID and CSeq of its last
/// request.
pub fn dialog(script: &[u8]) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().event_interval(1).build().expect("a runtime");
    runtime.block_on(async {
        let mut world = World::begin().await;
        for step in String::from_utf8_lossy(script).split("~~~\n").take(MOST_STEPS) {
            match step.strip_prefix('!') {
                Some(word) => world.user(word.trim()),
                None => world.send(step).await,
            }
            world.settle().await;
        }
        world.lives().await;
    });
    runtime.shutdown_background();
}

struct World {
    agent: UserAgent,
    events: mpsc::UnboundedReceiver<Event>,
    socket: UdpSocket,
    phone: SocketAddr,
    call: Option<CallKey>,
    /// What the phone last called itself.
    tag: String,
    request: Request,
    branches: u32,
    /// Of the last INVITE.
    invite: u32,
    lives: bool,
}

/// Headers of the phone's last request.
#[derive(Default)]
struct Request {
    via: String,
    from: String,
    to: String,
    call_id: String,
    cseq: String,
}

impl World {
    async fn begin() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
        let port = socket.local_addr().expect("bound").port();
        let (sender, events) = mpsc::unbounded_channel();
        let agent = UserAgent::start(account(port), sender).await.expect("a user agent");
        let mut world = Self {
            agent,
            events,
            socket,
            phone: ([127, 0, 0, 1], 0).into(),
            call: None,
            tag: String::new(),
            request: Request::default(),
            branches: 0,
            invite: 0,
            lives: false,
        };
        let began = Instant::now();
        loop {
            world.settle().await;
            if world.phone.port() != 0 && world.lives {
                world.lives = false;
                return world;
            }
            assert!(began.elapsed() < LIVES, "the phone never registered");
        }
    }

    fn user(&mut self, word: &str) {
        if word == "call" {
            self.call = Some(self.agent.invite("102", OFFER.to_owned()));
        }
        let Some(call) = self.call else { return };
        match word {
            "answer" => self.agent.answer(call, OFFER.to_owned()),
            "hold" => self.agent.reoffer(call, OFFER.to_owned()),
            "transfer" => self.agent.transfer(call, "103"),
            "digit" => self.agent.info(call, "application/dtmf-relay", "Signal=5\r\n".to_owned()),
            "hangup" => self.agent.hang_up(call),
            _ => {}
        }
    }

    async fn send(&mut self, step: &str) {
        self.branches += 1;
        if step.starts_with("INVITE") {
            self.invite = self.branches;
        }
        let (head, body) = step.split_once("\n\n").unwrap_or((step, ""));
        let head = head.replace("\r\n", "\n").replace('\n', "\r\n");
        let text = format!("{head}\r\n\r\n{body}")
            .replace("$i", "the-call")
            .replace("$b", &format!("z9hG4bK{}", self.branches))
            .replace("$p", &format!("z9hG4bK{}", self.invite))
            .replace("$t", &self.tag)
            .replace("$u", &format!("sip:101@{}", self.phone))
            .replace("$V", &self.request.via)
            .replace("$F", &self.request.from)
            .replace("$T", &self.request.to)
            .replace("$I", &self.request.call_id)
            .replace("$C", &self.request.cseq);
        // What is too long for a datagram is not sent.
        let _ = self.socket.send_to(text.as_bytes(), self.phone).await;
    }

    /// Lets the phone do what it has to do, and takes in what it sends and says.
    async fn settle(&mut self) {
        let mut quiet = 0;
        let mut buffer = vec![0; 65_535];
        while quiet < QUIET {
            yield_now().await;
            quiet += 1;
            while let Ok((length, from)) = self.socket.try_recv_from(&mut buffer) {
                quiet = 0;
                let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
                self.heard(&text, from).await;
            }
            while let Ok(event) = self.events.try_recv() {
                quiet = 0;
                self.told(event);
            }
        }
    }

    async fn heard(&mut self, text: &str, from: SocketAddr) {
        let header = |name: &str| {
            let mut lines = text.split("\r\n").filter_map(|line| line.split_once(": "));
            lines
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
                .unwrap_or_default()
        };
        let response = text.starts_with("SIP/2.0");
        let own = if response { header("To") } else { header("From") };
        if let Some((_, tag)) = own.rsplit_once("tag=") {
            self.tag = tag.to_owned();
        }
        if response {
            return;
        }
        self.request = Request {
            via: header("Via"),
            from: header("From"),
            to: header("To"),
            call_id: header("Call-ID"),
            cseq: header("CSeq"),
        };
        if text.starts_with("REGISTER") {
            self.phone = from;
            let Request { via, from, to, call_id, cseq } = &self.request;
            let answer = format!(
                "SIP/2.0 200 OK\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to};tag=r\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n\
                 Contact: {};expires=600\r\nContent-Length: 0\r\n\r\n",
                elements(&header("Contact")).first().map(String::as_str).unwrap_or_default()
            );
            let _ = self.socket.send_to(answer.as_bytes(), self.phone).await;
        }
    }

    fn told(&mut self, event: Event) {
        match event {
            Event::Registration(Registration::Registered { .. }) => self.lives = true,
            Event::Incoming { call, .. } => {
                self.call = Some(call);
                self.agent.ring(call);
            }
            Event::Offer { call, .. } => self.agent.answer_offer(call, Some(OFFER.to_owned())),
            Event::Referred { referral, .. } => {
                self.agent.follow(referral, OFFER.to_owned());
            }
            _ => {}
        }
    }

    /// Whatever came, the phone answers.
    async fn lives(&mut self) {
        let options = format!(
            "OPTIONS sip:101@h SIP/2.0\nVia: SIP/2.0/UDP {};branch=z9hG4bKlives;rport\nFrom: <sip:102@t>;tag=lives\n\
             To: <sip:101@t>\nCall-ID: lives\nCSeq: 1 OPTIONS\nMax-Forwards: 70\nContent-Length: 0\n\n",
            self.socket.local_addr().expect("bound")
        );
        let began = Instant::now();
        let mut buffer = vec![0; 65_535];
        let mut asked = None::<Instant>;
        loop {
            // Datagrams get lost where a socket's buffer is full.
            if asked.is_none_or(|asked| asked.elapsed() > Duration::from_millis(500)) {
                self.send(&options).await;
                asked = Some(Instant::now());
            }
            yield_now().await;
            while let Ok((length, _)) = self.socket.try_recv_from(&mut buffer) {
                let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
                if text.starts_with("SIP/2.0 200") && text.contains("Call-ID: lives\r\n") {
                    return;
                }
            }
            while self.events.try_recv().is_ok() {}
            assert!(began.elapsed() < LIVES, "the phone does not answer any more");
        }
    }
}

fn account(port: u16) -> Account {
    Account {
        user: "101".to_owned(),
        auth_user: None,
        domain: "t".to_owned(),
        display_name: None,
        proxy: Proxy { host: "127.0.0.1".to_owned(), port: Some(port) },
        transport: Transport::Udp.into(),
        trust: pbx_api::Trust::default(),
        websocket_path: Account::WEBSOCKET_PATH.to_owned(),
        name_servers: None,
        password: SecretString::from("secret"),
        expires: Account::EXPIRES,
        user_agent: "fuzzed".to_owned(),
        instance: None,
        local_port: None,
    }
}
