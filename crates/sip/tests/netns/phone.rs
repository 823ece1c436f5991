//! A phone on the phone's host.

use std::time::Duration;

use pbx_api::Trust;
use secrecy::SecretString;
use sip::{Account, Event, Instance, Proxy, Registration, Transport, UserAgent};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::kamailio_house::password;
use crate::world::PBX;

/// Longest any single thing may take on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A user agent with its events.
pub struct Phone {
    pub agent: UserAgent,
    pub events: mpsc::UnboundedReceiver<Event>,
    /// What the registration is said to be.
    pub said: Option<Registration>,
}

impl Phone {
    /// An account at the PBX.
    pub fn account(user: &str, transport: Transport) -> Account {
        Account {
            user: user.into(),
            auth_user: None,
            domain: "bell.test".into(),
            display_name: None,
            proxy: Proxy { host: PBX.into(), port: Some(5060) },
            transport: transport.into(),
            trust: Trust::default(),
            websocket_path: Account::WEBSOCKET_PATH.into(),
            name_servers: None,
            password: SecretString::from(password(user)),
            expires: Account::EXPIRES,
            user_agent: "Carillon tests".into(),
            instance: Some(Instance::random()),
            local_port: None,
        }
    }

    /// Starts and waits until registered.
    pub async fn registered(user: &str, transport: Transport) -> Self {
        Self::of(Self::account(user, transport)).await
    }

    /// Starts and waits until registered.
    pub async fn of(account: Account) -> Self {
        let mut phone = Self::start(account).await;
        phone.until_registered().await;
        phone
    }

    /// Starts.
    pub async fn start(account: Account) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let agent = UserAgent::start(account, sender).await.unwrap();
        Self { agent, events, said: None }
    }

    /// Waits for an event that `pick` picks; others are passed over.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let mut passed = Vec::new();
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("an event");
                if let Event::Registration(said) = &event {
                    self.said = Some(*said);
                }
                if let Some(found) = pick(&event) {
                    return found;
                }
                passed.push(event);
            }
        };
        match timeout(LIMIT, wait).await {
            Ok(found) => found,
            Err(_) => panic!("not what was waited for: {passed:?}"),
        }
    }

    pub async fn until_registered(&mut self) {
        self.until(|event| {
            matches!(event, Event::Registration(Registration::Registered { .. })).then_some(())
        })
        .await;
    }

    /// Waits until the registration is said to be something else than registered.
    pub async fn until_offline(&mut self) {
        self.until(|event| match event {
            Event::Registration(said) => (!matches!(said, Registration::Registered { .. })).then_some(()),
            _ => None,
        })
        .await;
    }

    /// What has been said of the registration up to now, in order.
    pub fn said_meanwhile(&mut self) -> Vec<Registration> {
        let mut all = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            if let Event::Registration(said) = event {
                self.said = Some(said);
                all.push(said);
            }
        }
        all
    }
}
