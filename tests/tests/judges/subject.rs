//! Our user agent as the subject, told what to do and waited for from a test without async.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use pbx_api::Trust;
use secrecy::SecretString;
use sip::{
    Account, CallKey, EndCause, Event, Invitation, News, Proxy, Registration, TransferProgress, Transport,
    UserAgent,
};
use system_tests::SipAccount;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longest that any single thing may take on a busy machine; less than the 32 seconds a transaction lives.
const LIMIT: Duration = Duration::from_secs(25);

/// Our side of a session, for direction attributes.
#[derive(Debug, Clone, Copy)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
}

/// A running user agent. Media is told of, and nobody listens there: these tests are about signalling.
pub struct Phone {
    runtime: Option<Runtime>,
    agent: Option<UserAgent>,
    events: mpsc::UnboundedReceiver<Event>,
    /// What came while something else was waited for.
    heard: Vec<Event>,
    /// Version of the last session description made.
    version: u32,
}

/// A plain account as the user agent takes it.
pub fn account(plain: &SipAccount, transport: Transport, authority: &Path) -> Account {
    let mut trust = Trust::default();
    trust.add_roots(&fs::read(authority).unwrap()).unwrap();
    let (host, port) = plain.proxy.rsplit_once(':').unwrap();
    Account {
        user: plain.user.clone(),
        auth_user: None,
        domain: plain.domain.clone(),
        display_name: Some("Judged".to_owned()),
        proxy: Proxy { host: host.to_owned(), port: port.parse().ok() },
        transport: transport.into(),
        trust,
        websocket_path: Account::WEBSOCKET_PATH.to_owned(),
        name_servers: None,
        instance: None,
        password: SecretString::from(plain.password.clone()),
        expires: Account::EXPIRES,
        user_agent: "Carillon judges".to_owned(),
        local_port: None,
    }
}

impl Phone {
    pub fn start(account: Account) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (sender, events) = mpsc::unbounded_channel();
        let agent = runtime.block_on(UserAgent::start(account, sender)).expect("the user agent starts");
        Self { runtime: Some(runtime), agent: Some(agent), events, heard: Vec::new(), version: 0 }
    }

    pub fn registered(account: Account) -> Self {
        let mut phone = Self::start(account);
        phone.until("its registration", |event| {
            matches!(event, Event::Registration(Registration::Registered { .. })).then_some(())
        });
        phone
    }

    pub fn agent(&self) -> &UserAgent {
        self.agent.as_ref().unwrap()
    }

    /// Waits for an event that `pick` picks, one that came already included; others are kept for later.
    pub fn until<T>(&mut self, what: &str, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let deadline = Instant::now() + LIMIT;
        let mut from = 0;
        loop {
            let found =
                self.heard.iter().enumerate().skip(from).find_map(|(n, event)| Some((n, pick(event)?)));
            if let Some((n, found)) = found {
                self.heard.remove(n);
                return found;
            }
            from = self.heard.len();
            let left = deadline.saturating_duration_since(Instant::now());
            let events = &mut self.events;
            let next = self.runtime.as_ref().unwrap().block_on(async { timeout(left, events.recv()).await });
            let Ok(next) = next else { panic!("waited for {what}, but {:?}", self.heard) };
            self.heard.push(next.expect("the user agent runs"));
        }
    }

    /// Forgets what came so far.
    pub fn forget(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.heard.push(event);
        }
        self.heard.clear();
    }

    /// Waits for an offer in a call, answers it with this direction, and gives it.
    pub fn offered(&mut self, key: CallKey, direction: Direction) -> String {
        let offer = self.until("an offer", |event| match event {
            Event::Offer { call, sdp } if *call == key => {
                Some(sdp.clone().expect("an offer, not a question for one"))
            }
            _ => None,
        });
        let answer = self.sdp(direction);
        self.agent().answer_offer(key, Some(answer));
        offer
    }

    /// A session description of ours: PCMU and telephone events.
    pub fn sdp(&mut self, direction: Direction) -> String {
        self.version += 1;
        let ip = self.agent().local_ip();
        let attribute = match direction {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
        };
        format!(
            "v=0\r\no=- 7001 {} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 101\r\n\
             a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na={attribute}\r\n",
            self.version
        )
    }

    /// Calls somebody and waits for the answer.
    pub fn call(&mut self, target: &str) -> CallKey {
        let offer = self.sdp(Direction::SendRecv);
        let key = self.agent().invite(target, offer);
        self.until("an answer", |event| match event {
            Event::Answered { call, .. } if *call == key => Some(()),
            Event::Ended { call, cause, status } if *call == key => {
                panic!("not answered: {cause:?} {status:?}")
            }
            _ => None,
        });
        key
    }

    /// Waits until somebody calls.
    pub fn incoming(&mut self) -> (CallKey, Invitation) {
        self.until("a call", |event| match event {
            Event::Incoming { call, invitation } => Some((*call, (**invitation).clone())),
            _ => None,
        })
    }

    /// Lets a call ring, answers it and waits until it stands.
    pub fn answer(&mut self, key: CallKey) {
        let sdp = self.sdp(Direction::SendRecv);
        self.agent().ring(key);
        self.agent().answer(key, sdp);
        self.until("the caller's acknowledgement", |event| {
            matches!(event, Event::Confirmed { call, .. } if *call == key).then_some(())
        });
    }

    /// Offers a session of this direction and gives the answer.
    pub fn reoffer(&mut self, key: CallKey, direction: Direction) -> String {
        let offer = self.sdp(direction);
        self.agent().reoffer(key, offer);
        self.until("the answer to an offer", |event| match event {
            Event::Answer { call, sdp } if *call == key => Some(sdp.clone()),
            Event::OfferRefused { call, status } if *call == key => {
                panic!("the offer was refused: {status:?}")
            }
            _ => None,
        })
    }

    /// Waits until a transfer of ours is done. Others may put us on hold meanwhile.
    pub fn transferred(&mut self, key: CallKey) {
        self.until("the end of the transfer", |event| match event {
            Event::Transfer { call, progress } if *call == key => match progress {
                TransferProgress::Trying(_) => None,
                TransferProgress::Done => Some(()),
                TransferProgress::Failed(status) => panic!("the transfer failed: {status:?}"),
            },
            _ => None,
        });
    }

    /// Waits until a call is over.
    pub fn ended(&mut self, key: CallKey) -> EndCause {
        self.until("the call's end", |event| match event {
            Event::Ended { call, cause, .. } if *call == key => Some(*cause),
            _ => None,
        })
    }

    /// Waits for news in which `pick` finds something.
    pub fn news<T>(&mut self, what: &str, mut pick: impl FnMut(&News) -> Option<T>) -> T {
        self.until(what, |event| match event {
            Event::Notified { news, .. } => pick(news),
            Event::Subscription { state: sip::SubscriptionState::Ended(status), .. } => {
                panic!("the subscription was refused: {status:?}")
            }
            _ => None,
        })
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        if let (Some(runtime), Some(agent)) = (self.runtime.take(), self.agent.take()) {
            runtime.block_on(agent.stop());
            runtime.shutdown_timeout(Duration::from_secs(2));
        }
    }
}
