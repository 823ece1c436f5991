//! The desktop's address book, Evolution Data Server, in a session of its own, and another program that writes into it.

use std::time::{Duration, Instant};

use zbus::zvariant::ObjectPath;
use zbus::{Connection, Proxy, connection};

use crate::{Process, Session};

const SERVERS: [&str; 2] = ["evolution-source-registry", "evolution-addressbook-factory"];
const FACTORY: &str = "org.gnome.evolution.dataserver.AddressBookFactory";
const BOOK: &str = "org.gnome.evolution.dataserver.AddressBook";
/// The user's own, which every desktop has.
const OWN: &str = "system-address-book";
const LIMIT: Duration = Duration::from_secs(20);

/// The address book of a session, open for writing.
pub struct AddressBook {
    // It is closed once who opened it is gone.
    _bus: Connection,
    book: Proxy<'static>,
}

impl Session {
    /// With an address book, which is empty. Needs a bus.
    pub fn with_address_book(mut self) -> Self {
        for server in SERVERS {
            let mut command = self.command(format!("/usr/libexec/{server}"));
            // Its settings are nobody's.
            command.env("GSETTINGS_BACKEND", "memory");
            let server = Process::start(server, command);
            self.serve(server);
        }
        self
    }
}

impl AddressBook {
    /// Opens that of a session.
    pub async fn of(session: &Session) -> Self {
        let bus = connection::Builder::address(session.bus_address()).unwrap().build().await.unwrap();
        let deadline = Instant::now() + LIMIT;
        loop {
            match open(&bus).await {
                Ok(book) => return Self { _bus: bus, book },
                Err(error) => assert!(Instant::now() < deadline, "the address book does not open: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Adds somebody with these lines of a vCard; gives the id.
    pub async fn add(&self, lines: &str) -> String {
        let card = format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}\r\nEND:VCARD\r\n");
        let ids: Vec<String> = self.book.call("CreateContacts", &(vec![card], 0_u32)).await.unwrap();
        ids.into_iter().next().unwrap()
    }

    /// Takes somebody out.
    pub async fn remove(&self, id: &str) {
        self.book.call::<_, _, ()>("RemoveContacts", &(vec![id], 0_u32)).await.unwrap();
    }
}

async fn open(bus: &Connection) -> zbus::Result<Proxy<'static>> {
    let service = "org.gnome.evolution.dataserver.AddressBook10";
    let factory =
        Proxy::new(bus, service, "/org/gnome/evolution/dataserver/AddressBookFactory", FACTORY).await?;
    let (path, service): (String, String) = factory.call("OpenAddressBook", &(OWN,)).await?;
    let book = Proxy::new(bus, service, ObjectPath::try_from(path)?, BOOK).await?;
    let _: Vec<String> = book.call("Open", &()).await?;
    Ok(book)
}
