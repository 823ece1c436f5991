//! The PBX as a whole: started, stopped, restarted, asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use secrecy::SecretString;
use tokio::net::{TcpListener, TcpSocket, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::Accounts;
use crate::announcement::Announcement;
use crate::config::Config;
use crate::contacts::{Contacts, List};
use crate::faults::{Faults, Standing};
use crate::forwarding::Rules;
use crate::greetings::Greetings;
use crate::mail::{Mail, Outbox};
use crate::manner::Manner;
use crate::microsoft::Microsoft;
use crate::queues::Queues;
use crate::records::{CallRecords, now_at_pbx};
use crate::requests::{Requests, lock};
use crate::second_factor::SecondFactor;
use crate::session::Sessions;
use crate::sip::{Order, Registration, Told, Wishes};
use crate::tenant::{Tenant, User};
use crate::tickets::Tickets;
use crate::tls::Identity;
use crate::voicemail::Voicemails;
use crate::{StartError, blobs, https, picture, rest, sip};

/// How long a cookie session of an older server stands.
const COOKIE_LIFETIME: Duration = Duration::from_secs(8 * 3600);
/// How long a link to set a new password is good.
const RESET_LIFETIME: Duration = Duration::from_secs(1800);

/// Ports tried for SIP over UDP where none is wished.
const ATTEMPTS: usize = 20;

/// Ports in use; the same over a restart.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ports {
    pub https: u16,
    pub sip_udp: u16,
    pub sip_tcp: u16,
}

/// What the SIP side knows at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// Bindings in force, in the order they came.
    pub registrations: Vec<Registration>,
    /// Calls answered and not yet ended.
    pub calls: usize,
}

/// What REST and SIP share, and what outlasts a restart.
pub(crate) struct Shared {
    pub config: Config,
    pub tenant: Arc<Tenant>,
    pub accounts: Mutex<Accounts>,
    pub contacts: Mutex<Contacts>,
    pub voicemails: Mutex<Voicemails>,
    pub records: Mutex<CallRecords>,
    pub queues: Mutex<Queues>,
    pub greetings: Mutex<Greetings>,
    /// Presence and note that users have chosen, by their ids.
    pub presence: Mutex<BTreeMap<String, (String, String)>>,
    /// Forward rules, by extension.
    pub rules: Mutex<BTreeMap<String, Rules>>,
    pub sessions: Mutex<Sessions>,
    pub cookies: Mutex<Tickets<String>>,
    pub second_factor: Mutex<SecondFactor>,
    pub resets: Mutex<Tickets<String>>,
    pub microsoft: Mutex<Microsoft>,
    pub outbox: Mutex<Outbox>,
    pub standing: Mutex<Standing>,
    pub requests: Requests,
    pub snapshot: watch::Sender<Snapshot>,
    ports: OnceLock<Ports>,
    orders: Mutex<Option<mpsc::UnboundedSender<Order>>>,
}

impl Shared {
    pub fn ports(&self) -> Ports {
        self.ports.get().copied().unwrap_or_default()
    }

    /// How it goes about sign-in at the moment.
    pub fn manner(&self) -> Manner {
        lock(&self.standing).manner
    }

    /// Where its pages are: `https://host:port`.
    pub fn origin(&self) -> String {
        format!("https://{}", SocketAddr::new(self.config.bind, self.ports().https))
    }

    /// The user with this name and password in this domain. Only system administrators have no domain, and there
    /// are none here.
    pub fn authenticate(&self, domain: Option<&str>, username: &str, password: &str) -> Option<&User> {
        let user = self.tenant.by_username(username)?;
        let right = domain.is_some_and(|domain| self.tenant.is_domain(domain))
            && lock(&self.accounts).is_password(user, password);
        right.then_some(user)
    }

    /// Hands an order to the SIP side, if it is up.
    pub fn order(&self, order: Order) {
        if let Some(orders) = lock(&self.orders).as_ref() {
            // A side going down has no calls left to act on.
            let _ = orders.send(order);
        }
    }

    /// Tells the SIP side what a user wants done with calls.
    pub fn tell_wishes(&self, user: &User) {
        let presence = lock(&self.presence).get(&user.id).map(|(presence, _)| presence.clone());
        let rules = lock(&self.rules).get(&user.extension).cloned().unwrap_or_default();
        let wishes = Wishes { presence: presence.unwrap_or_default(), rules };
        self.order(Order::Wishes { extension: user.extension.clone(), wishes });
    }

    /// Tells the SIP side who takes the calls of the queues.
    pub fn tell_queues(&self) {
        let queues = lock(&self.queues);
        for number in queues.numbers() {
            let agents = queues.ready(number).unwrap_or_default();
            self.order(Order::Queue { number: number.to_owned(), agents });
        }
    }

    /// Keeps the record of a call for those of its ends who are users.
    pub fn remember(&self, told: &Told) {
        let now = now_at_pbx(lock(&self.standing).clock_ahead_s);
        lock(&self.records).remember(&self.tenant, told, now);
    }

    /// Tells the SIP side how many messages wait for an extension.
    pub fn tell_mailbox(&self, extension: &str) {
        let (new, old) = lock(&self.voicemails).counts(extension);
        self.order(Order::Mailbox { extension: extension.to_owned(), new, old });
    }
}

struct Running {
    stop: CancellationToken,
    tasks: TaskTracker,
    _reserved: Option<TcpSocket>,
}

/// The PBX with its sockets, which come and go.
pub(crate) struct Site {
    pub shared: Arc<Shared>,
    identity: Identity,
    root: CancellationToken,
    running: tokio::sync::Mutex<Option<Running>>,
}

impl Site {
    async fn come_up(self: &Arc<Self>) -> Result<(), StartError> {
        let mut running = self.running.lock().await;
        if running.is_some() {
            return Ok(());
        }
        let config = &self.shared.config;
        let known = self.shared.ports.get().copied();
        let wanted = known.unwrap_or(Ports {
            https: config.https_port,
            sip_udp: config.sip_udp_port,
            sip_tcp: config.sip_tcp_port,
        });
        let address = |port| SocketAddr::new(config.bind, port);
        let failed = |name, port| move |source| StartError::Bind { name, address: address(port), source };
        let https = TcpListener::bind(address(wanted.https)).await.map_err(failed("REST", wanted.https))?;
        let (udp, reserved) =
            bind_udp(address(wanted.sip_udp)).await.map_err(failed("SIP over UDP", wanted.sip_udp))?;
        let tcp = TcpListener::bind(address(wanted.sip_tcp))
            .await
            .map_err(failed("SIP over TCP", wanted.sip_tcp))?;
        let port = |local: std::io::Result<SocketAddr>| {
            local.map(|local| local.port()).map_err(failed("a socket", 0))
        };
        let ports = Ports {
            https: port(https.local_addr())?,
            sip_udp: port(udp.local_addr())?,
            sip_tcp: port(tcp.local_addr())?,
        };
        self.shared.ports.get_or_init(|| ports);

        let (stop, tasks) = (self.root.child_token(), TaskTracker::new());
        let (sender, orders) = mpsc::unbounded_channel();
        *lock(&self.shared.orders) = Some(sender);
        for user in &self.shared.tenant.users {
            self.shared.tell_mailbox(&user.extension);
            self.shared.tell_wishes(user);
        }
        self.shared.tell_queues();
        let listeners = sip::transport::Listeners { udp, tcp };
        let (shared, inner) = (self.shared.clone(), tasks.clone());
        let sip = sip::transport::serve(listeners, shared, orders, stop.clone(), inner);
        tasks.spawn(async move {
            if let Err(error) = sip.await {
                tracing::error!(%error, "SIP is not served");
            }
        });
        let router = rest::router(self.clone());
        tasks.spawn(https::serve(https, self.identity.server.clone(), router, stop.clone(), tasks.clone()));
        *running = Some(Running { stop, tasks, _reserved: reserved });
        Ok(())
    }

    async fn go_down(&self) {
        if let Some(Running { stop, tasks, .. }) = self.running.lock().await.take() {
            stop.cancel();
            tasks.close();
            tasks.wait().await;
        }
    }

    pub async fn restart(self: &Arc<Self>) -> Result<(), StartError> {
        self.go_down().await;
        self.come_up().await
    }
}

/// A socket for datagrams, and one that keeps the TCP port of the same number without listening: phones try large
/// requests there first (RFC 3261, section 18.1.1) and would otherwise reach whoever was given that port.
async fn bind_udp(address: SocketAddr) -> std::io::Result<(UdpSocket, Option<TcpSocket>)> {
    for _ in 0..ATTEMPTS {
        let udp = UdpSocket::bind(address).await?;
        let reserved = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if reserved.bind(udp.local_addr()?).is_ok() {
            return Ok((udp, Some(reserved)));
        }
        if address.port() != 0 {
            return Ok((udp, None));
        }
    }
    Err(std::io::ErrorKind::AddrInUse.into())
}

/// A running demo PBX. Dropping it stops everything.
pub struct DemoPbx {
    site: Arc<Site>,
}

impl Drop for DemoPbx {
    fn drop(&mut self) {
        self.site.root.cancel();
    }
}

impl DemoPbx {
    /// Starts listening. When this returns, every port answers.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        if config.bind.is_unspecified() {
            return Err(StartError::Unspecified);
        }
        let identity =
            Identity::load_or_make(config.state.as_deref(), config.bind, config.certificate_fault)?;
        let tenant = Arc::new(Tenant::test_works(&config.passwords));
        let shared = Shared {
            accounts: Mutex::new(Accounts::of(&tenant)),
            contacts: Mutex::new(Contacts::of(&tenant, config.made_up_contacts)),
            greetings: Mutex::default(),
            records: Mutex::default(),
            queues: Mutex::new(Queues::of(&tenant)),
            presence: Mutex::default(),
            rules: Mutex::default(),
            voicemails: Mutex::new(Voicemails::of(&tenant)),
            tenant,
            sessions: Mutex::new(Sessions::new(config.token_lifetime)),
            cookies: Mutex::new(Tickets::new(COOKIE_LIFETIME)),
            second_factor: Mutex::new(SecondFactor::new()),
            resets: Mutex::new(Tickets::new(RESET_LIFETIME)),
            microsoft: Mutex::new(Microsoft::new()),
            outbox: Mutex::default(),
            standing: Mutex::new(Standing { manner: config.manner, ..Standing::default() }),
            requests: Requests::default(),
            snapshot: watch::Sender::new(Snapshot::default()),
            ports: OnceLock::new(),
            orders: Mutex::default(),
            config,
        };
        let site = Arc::new(Site {
            shared: Arc::new(shared),
            identity,
            root: CancellationToken::new(),
            running: tokio::sync::Mutex::default(),
        });
        site.come_up().await?;
        Ok(Self { site })
    }

    /// Port of the REST API.
    pub fn https_port(&self) -> u16 {
        self.site.shared.ports().https
    }

    /// UDP port of SIP.
    pub fn sip_udp_port(&self) -> u16 {
        self.site.shared.ports().sip_udp
    }

    /// TCP port of SIP.
    pub fn sip_tcp_port(&self) -> u16 {
        self.site.shared.ports().sip_tcp
    }

    /// What a user types as server: `host:port`.
    pub fn server(&self) -> String {
        SocketAddr::new(self.site.shared.config.bind, self.https_port()).to_string()
    }

    /// What a user types as SIP domain.
    pub fn domain(&self) -> &str {
        &self.site.shared.tenant.domain
    }

    /// Name of the tenant.
    pub fn tenant_name(&self) -> &str {
        &self.site.shared.tenant.name
    }

    /// Whether the profile file carries the extension password.
    pub fn hands_over_password(&self) -> bool {
        self.site.shared.config.hand_over_password
    }

    /// The certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.site.identity.pem
    }

    /// SHA-256 of the certificate's DER form, 64 lower-case hexadecimal digits.
    pub fn fingerprint(&self) -> &str {
        &self.site.identity.fingerprint
    }

    /// Everyone, with the passwords they began with: alice (101) to erin (105).
    pub fn users(&self) -> &[User] {
        &self.site.shared.tenant.users
    }

    /// The user with this name.
    pub fn user(&self, username: &str) -> Option<&User> {
        self.users().iter().find(|user| user.username == username)
    }

    /// Makes it misbehave.
    pub fn faults(&self) -> Faults {
        Faults::new(self.site.shared.clone())
    }

    /// Puts a contact of the company in, as an administrator does; its id.
    pub fn add_company_contact(&self, name: &str, business: &str) -> Option<String> {
        let fields =
            [("name", name), ("business", business)].map(|(field, text)| (field.to_owned(), text.into()));
        lock(&self.site.shared.contacts).create(&List::Company, fields.into_iter().collect()).ok()
    }

    /// Gives a contact of the company another name; whether there is such a contact.
    pub fn rename_company_contact(&self, id: &str, name: &str) -> bool {
        let fields = [("name".to_owned(), name.into())].into_iter().collect();
        lock(&self.site.shared.contacts).update(&List::Company, id, fields) == Ok(true)
    }

    /// Takes a contact of the company away; whether there was one.
    pub fn remove_company_contact(&self, id: &str) -> bool {
        lock(&self.site.shared.contacts).delete(&List::Company, id)
    }

    /// Leaves a voicemail of so many seconds for an extension, as a caller does whom the PBX takes there; its id.
    pub fn leave_voicemail(&self, extension: &str, sender: &str, seconds: u32) -> String {
        let id = lock(&self.site.shared.voicemails).leave(extension, sender, seconds);
        self.site.shared.tell_mailbox(extension);
        id
    }

    /// Puts a call record as it is into those of an extension, the newest: also one that no honest PBX would tell.
    pub fn put_call_record(&self, extension: &str, record: serde_json::Value) {
        lock(&self.site.shared.records).put(extension, record);
    }

    /// How an extension stands in the queue of this name; none where it does not serve it.
    pub fn agent_state(&self, queue: &str, extension: &str) -> Option<String> {
        lock(&self.site.shared.queues).standing_in(queue, extension)
    }

    /// How many call records of an extension there are.
    pub fn call_records(&self, extension: &str) -> usize {
        lock(&self.site.shared.records).list(extension, 0, 0).0
    }

    /// The greeting that callers of a user hear, as it was uploaded; none where it is the PBX's own.
    pub fn greeting(&self, user: &User) -> Option<Vec<u8>> {
        let greetings = lock(&self.site.shared.greetings);
        let used = greetings.list(&user.id).into_iter().find(|one| one["enabled"] == true)?;
        greetings.sound(used["file_url"].as_str()?.strip_prefix("/api/blobs/")?)
    }

    /// How many voicemails of an extension were not heard yet, and how many were.
    pub fn voicemails(&self, extension: &str) -> (usize, usize) {
        lock(&self.site.shared.voicemails).counts(extension)
    }

    /// Bindings in force.
    pub fn registrations(&self) -> Vec<Registration> {
        self.site.shared.snapshot.borrow().registrations.clone()
    }

    /// Calls answered and not yet ended.
    pub fn calls(&self) -> usize {
        self.site.shared.snapshot.borrow().calls
    }

    /// Waits until the SIP side looks like this. Bring a time limit of your own.
    pub async fn until(&self, is: impl FnMut(&Snapshot) -> bool) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.site.shared.snapshot.subscribe().wait_for(is).await;
    }

    /// How often each endpoint (`GET /info`) and SIP method (`SIP REGISTER`) was asked for.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.site.shared.requests.all()
    }

    /// How often this one was asked for.
    pub fn count(&self, name: &str) -> u64 {
        self.requests().get(name).copied().unwrap_or_default()
    }

    /// Stops listening: connections are dropped, bindings and calls forgotten. Users, passwords, tokens,
    /// certificate and ports stay for [`Self::come_up`].
    pub async fn go_down(&self) {
        self.site.go_down().await;
    }

    /// Listens again, on the same ports.
    pub async fn come_up(&self) -> Result<(), StartError> {
        self.site.come_up().await
    }

    /// [`Self::go_down`] and [`Self::come_up`].
    pub async fn restart(&self) -> Result<(), StartError> {
        self.site.restart().await
    }

    /// Stops for good, and returns when every socket is closed.
    pub async fn stop(self) {
        self.site.go_down().await;
    }

    /// Payload of the sign-in QR code of a user, as a v22 PBX makes it.
    pub fn qr_payload(&self, user: &User) -> String {
        blobs::qr_payload(&self.site.shared, user)
    }

    /// Payload of a user's QR code as PBXs before v22 made it: the extension with its password.
    pub fn legacy_qr_payload(&self, user: &User) -> String {
        blobs::legacy_qr_payload(&self.site.shared, user)
    }

    /// A QR code as a PNG file; nothing for a text no code can hold.
    pub fn qr_picture(text: &str) -> Option<Vec<u8>> {
        picture::png(text)
    }

    /// E-mails sent so far, oldest first.
    pub fn outbox(&self) -> Vec<Mail> {
        lock(&self.site.shared.outbox).all()
    }

    /// How it goes about sign-in at the moment.
    pub fn manner(&self) -> Manner {
        self.site.shared.manner()
    }

    /// The user's password as it is now.
    pub(crate) fn password(&self, user: &User) -> SecretString {
        lock(&self.site.shared.accounts).password(user)
    }

    /// Everything needed to use it, passwords included.
    pub fn announcement(&self) -> Announcement {
        Announcement::of(self)
    }
}
