//! A network with a PBX in its hub, our phone on the first link and foreign phones on the others.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use sip::Transport;
use system_tests::{Ami, Asterisk, Baresip, Kamailio, Linphone, Network, Place, SipAccount, Speech, Voice};

use crate::subject::Phone;

/// Whose PBX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// A proxy: phones talk to each other through it.
    Kamailio,
    /// A PBX that answers by itself and stands between phones.
    Asterisk,
}

enum Pbx {
    Kamailio(Kamailio),
    Asterisk(Asterisk),
}

/// Foreign phones there is room for in one operation.
const PHONES: u8 = 4;

/// The stage of one PBX over one transport.
pub struct Stage {
    network: Network,
    pbx: Pbx,
    pub maker: Maker,
    pub transport: Transport,
    /// Links taken in the operation that plays.
    taken: AtomicU8,
}

impl Stage {
    pub fn set(maker: Maker, transport: Transport) -> Self {
        let network = Network::new(PHONES + 1);
        let (hub, address) = (network.hub(), network.pbx());
        let pbx = match maker {
            Maker::Kamailio => Pbx::Kamailio(Kamailio::at(&hub, address)),
            Maker::Asterisk => Pbx::Asterisk(Asterisk::at(&hub, address)),
        };
        Self { network, pbx, maker, transport, taken: AtomicU8::new(0) }
    }

    /// Plays an operation where our phone is: its thread, and all threads it starts, are on the first link.
    pub fn play(&self, operation: fn(&Self)) {
        self.taken.store(0, Ordering::Relaxed);
        let place = self.network.phone(0).0;
        let outcome = thread::scope(|scope| {
            let thread = scope.spawn(|| {
                place.enter();
                operation(self);
            });
            thread.join()
        });
        if let Err(why) = outcome {
            std::panic::resume_unwind(why);
        }
    }

    /// Name of a user: the first is ours.
    pub fn user(&self, n: u16) -> String {
        let first = match self.maker {
            Maker::Kamailio => 1000,
            Maker::Asterisk => 2000,
        };
        (first + n).to_string()
    }

    /// A user with the domain behind it.
    pub fn address(&self, n: u16) -> String {
        format!("{}@{}", self.user(n), Kamailio::DOMAIN)
    }

    /// Our own account.
    pub fn ours(&self) -> sip::Account {
        let account = self.account(1, self.transport_name());
        crate::subject::account(&account, self.transport, &self.authority())
    }

    /// Name and version of the PBX.
    pub fn version(&self) -> String {
        match &self.pbx {
            Pbx::Kamailio(_) => Kamailio::version(),
            Pbx::Asterisk(_) => Asterisk::version(),
        }
    }

    /// The transport as a SIP URI and the command line have it.
    pub fn transport_name(&self) -> &'static str {
        match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Wss => "wss",
        }
    }

    /// Certificate of the authority that vouches for the PBX.
    pub fn authority(&self) -> PathBuf {
        match &self.pbx {
            Pbx::Kamailio(kamailio) => kamailio.authority(),
            Pbx::Asterisk(asterisk) => asterisk.authority(),
        }
    }

    /// Where our phone is.
    pub fn place(&self) -> Place {
        self.network.phone(0).0
    }

    /// Our phone, registered.
    pub fn phone(&self) -> Phone {
        Phone::registered(self.ours())
    }

    /// A baresip for this user, over UDP.
    pub fn baresip(&self, n: u16) -> Baresip {
        self.baresip_of(n, Voice::Second)
    }

    /// The same, with this voice.
    pub fn baresip_of(&self, n: u16, voice: Voice) -> Baresip {
        let speech = Speech::spoken(voice, 8_000);
        Baresip::start(&self.link().0, &self.account(n, "udp"), "PCMU", &speech)
    }

    /// A linphone for this user, over TCP.
    pub fn linphone(&self, n: u16) -> Linphone {
        Linphone::start(&self.link().0, &self.account(n, "tcp"))
    }

    /// A link nobody uses in this operation, and the address there.
    pub fn link(&self) -> (Place, Ipv4Addr) {
        let n = self.taken.fetch_add(1, Ordering::Relaxed);
        assert!(n < PHONES, "there are no more links");
        self.network.phone(usize::from(n) + 1)
    }

    /// Asterisk's manager interface.
    pub fn manager(&self) -> Ami {
        match &self.pbx {
            Pbx::Asterisk(asterisk) => asterisk.manager(),
            Pbx::Kamailio(_) => panic!("Kamailio has no manager interface"),
        }
    }

    /// What Asterisk received at the number that records.
    pub fn received(&self) -> PathBuf {
        match &self.pbx {
            Pbx::Asterisk(asterisk) => asterisk.received(),
            Pbx::Kamailio(_) => panic!("Kamailio records nothing"),
        }
    }

    /// A user's account.
    pub fn account(&self, n: u16, transport: &str) -> SipAccount {
        match &self.pbx {
            Pbx::Kamailio(kamailio) => kamailio.account(&self.user(n), transport),
            Pbx::Asterisk(asterisk) => asterisk.account(&self.user(n), transport),
        }
    }
}
