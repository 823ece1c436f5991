//! Peers and a phone for the tests of this crate.

pub mod certificates;
pub mod dns;
#[path = "../../../../../tests/src/free_port.rs"]
mod free_port;
pub mod kamailio;
#[path = "../../../../../tests/src/kamailio_house.rs"]
mod kamailio_house;
pub mod peer;
pub mod presence;
pub mod sipp;

use std::process::Child;
use std::time::Duration;

use pbx_api::Trust;
use secrecy::SecretString;
use sip::{Account, CallKey, EndCause, Error, Event, Party, Proxy, Registration, TransportChoice, UserAgent};
use tokio::sync::mpsc;

pub use free_port::free_port;

/// Longest any single thing may take on a busy machine; more than the 32 seconds a transaction lives.
pub const LIMIT: Duration = Duration::from_secs(60);
/// A session description; nobody here reads it.
pub const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                         m=audio 40000 RTP/AVP 0\r\n";
/// Another.
pub const ANSWER: &str = "v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                          m=audio 40002 RTP/AVP 0\r\n";

/// A process that ends with the test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An account of user 101 at a proxy on loopback.
pub fn account(port: u16, transport: impl Into<TransportChoice>) -> Account {
    Account {
        user: "101".into(),
        auth_user: None,
        domain: "bell.test".into(),
        display_name: Some("Alice \"A\" Bell".into()),
        proxy: Proxy { host: "127.0.0.1".into(), port: Some(port) },
        transport: transport.into(),
        trust: Trust::default(),
        websocket_path: Account::WEBSOCKET_PATH.into(),
        name_servers: None,
        password: SecretString::from("secret-of-101"),
        expires: Account::EXPIRES,
        user_agent: "Carillon tests".into(),
        instance: None,
        local_port: None,
    }
}

/// A user agent with its events.
pub struct Phone {
    pub agent: UserAgent,
    pub events: mpsc::UnboundedReceiver<Event>,
}

impl Phone {
    pub async fn start(account: Account) -> Self {
        Self::try_start(account).await.unwrap()
    }

    pub async fn try_start(account: Account) -> Result<Self, Error> {
        let (sender, events) = mpsc::unbounded_channel();
        Ok(Self { agent: UserAgent::start(account, sender).await?, events })
    }

    /// Starts and waits until registered.
    pub async fn registered(account: Account) -> Self {
        let mut phone = Self::start(account).await;
        phone.until_registered().await;
        phone
    }

    /// The next event.
    pub async fn next(&mut self) -> Event {
        tokio::time::timeout(LIMIT, self.events.recv()).await.expect("an event in time").expect("an event")
    }

    /// Waits for an event that `pick` picks; others are passed over.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let mut passed = Vec::new();
        let wait = async {
            loop {
                let event =
                    self.events.recv().await.unwrap_or_else(|| panic!("events ended after {passed:?}"));
                if let Some(found) = pick(&event) {
                    return found;
                }
                passed.push(event);
            }
        };
        match tokio::time::timeout(LIMIT, wait).await {
            Ok(found) => found,
            Err(_) => panic!("not what was waited for: {passed:?}"),
        }
    }

    pub async fn until_registered(&mut self) -> Duration {
        self.until(|event| match event {
            Event::Registration(Registration::Registered { expires, .. }) => Some(*expires),
            _ => None,
        })
        .await
    }

    pub async fn until_incoming(&mut self) -> (CallKey, Party, Option<String>) {
        self.until(|event| match event {
            Event::Incoming { call, invitation } => {
                Some((*call, invitation.from.clone(), invitation.offer.clone()))
            }
            _ => None,
        })
        .await
    }

    pub async fn until_ringing(&mut self) -> u16 {
        self.until(|event| match event {
            Event::Ringing { status, .. } => Some(*status),
            _ => None,
        })
        .await
    }

    pub async fn until_answered(&mut self) -> String {
        self.until(|event| match event {
            Event::Answered { sdp, .. } => Some(sdp.clone()),
            _ => None,
        })
        .await
    }

    /// The answer to a new offer of ours within a call.
    pub async fn until_answer(&mut self) -> String {
        self.until(|event| match event {
            Event::Answer { sdp, .. } => Some(sdp.clone()),
            _ => None,
        })
        .await
    }

    /// An offer of theirs within a call.
    pub async fn until_offer(&mut self) -> Option<String> {
        self.until(|event| match event {
            Event::Offer { sdp, .. } => Some(sdp.clone()),
            _ => None,
        })
        .await
    }

    pub async fn until_confirmed(&mut self) {
        self.until(|event| matches!(event, Event::Confirmed { .. }).then_some(())).await;
    }

    pub async fn until_ended(&mut self) -> (EndCause, Option<u16>) {
        self.until(|event| match event {
            Event::Ended { cause, status, .. } => Some((*cause, *status)),
            _ => None,
        })
        .await
    }
}
