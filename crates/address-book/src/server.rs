//! Evolution Data Server on the session bus: which address books there are, and who is in them. What its D-Bus interfaces
//! hold is described by the XML files of its source (`src/private`).

use std::collections::HashMap;
use std::time::Duration;

use futures_util::stream::{BoxStream, SelectAll, select_all};
use futures_util::{FutureExt, StreamExt};
use tokio::time::{sleep, timeout};
use zbus::fdo::{DBusProxy, ObjectManagerProxy, PropertiesProxy};
use zbus::names::{BusName, OwnedBusName};
use zbus::zvariant::ObjectPath;
use zbus::{Connection, Proxy};

use crate::{Contact, Error, card};

const SOURCE: &str = "org.gnome.evolution.dataserver.Source";
const BOOK: &str = "org.gnome.evolution.dataserver.AddressBook";
const FACTORY: &str = "org.gnome.evolution.dataserver.AddressBookFactory";
const SOURCES_AT: &str = "/org/gnome/evolution/dataserver/SourceManager";
const FACTORY_AT: &str = "/org/gnome/evolution/dataserver/AddressBookFactory";
/// The services carry the version of their interface in their names.
const SOURCES_SERVICE: &str = "org.gnome.evolution.dataserver.Sources";
const BOOKS_SERVICE: &str = "org.gnome.evolution.dataserver.AddressBook";
/// Everybody, in the server's language for it.
const EVERYBODY: &str = "(contains \"x-evolution-any-field\" \"\")";
/// An address book on a network may take its time.
const PATIENCE: Duration = Duration::from_secs(60);
/// A synchronisation changes much at once.
const SETTLES: Duration = Duration::from_millis(500);
/// They are read anew this often whatever happens: a service that was started again tells nobody.
const AGAIN: Duration = Duration::from_secs(900);
/// Contacts read at most.
const MOST: usize = 100_000;

/// The names of both services.
struct Services {
    sources: OwnedBusName,
    books: OwnedBusName,
}

/// An open address book.
struct Book {
    uid: String,
    proxy: Proxy<'static>,
    changes: PropertiesProxy<'static>,
}

pub(crate) async fn is_there() -> bool {
    let Ok(bus) = Connection::session().await else { return false };
    services(&bus).await.is_ok()
}

pub(crate) async fn follow(mut tell: impl FnMut(Vec<Contact>)) -> Result<(), Error> {
    let bus = Connection::session().await?;
    let services = services(&bus).await?;
    let sources = sources(&bus, &services).await?;
    let mut added = sources.receive_interfaces_added().await?;
    let mut removed = sources.receive_interfaces_removed().await?;
    loop {
        let books = open(&bus, &services, &sources).await?;
        let mut changes = changes(&books).await?;
        loop {
            tell(everybody(&books).await?);
            tokio::select! {
                Some(()) = changes.next() => {}
                Some(_) = added.next() => break,
                Some(_) = removed.next() => break,
                () = sleep(AGAIN) => break,
            }
            sleep(SETTLES).await;
            while changes.next().now_or_never().flatten().is_some() {}
        }
        drop(changes);
        close(books).await;
        sleep(SETTLES).await;
    }
}

/// The services by their latest versions, whether they run or would be started.
async fn services(bus: &Connection) -> Result<Services, Error> {
    let daemon = DBusProxy::new(bus).await?;
    let mut names = daemon.list_activatable_names().await?;
    names.extend(daemon.list_names().await?);
    let latest = |service: &str| {
        let version = |name: &OwnedBusName| name.strip_prefix(service)?.parse::<u32>().ok();
        names.iter().filter_map(|name| Some((version(name)?, name))).max().map(|(_, name)| name.clone())
    };
    let (sources, books) = (latest(SOURCES_SERVICE), latest(BOOKS_SERVICE));
    Ok(Services { sources: sources.ok_or(Error::None)?, books: books.ok_or(Error::None)? })
}

async fn sources(bus: &Connection, services: &Services) -> zbus::Result<ObjectManagerProxy<'static>> {
    ObjectManagerProxy::builder(bus).destination(services.sources.clone())?.path(SOURCES_AT)?.build().await
}

/// Opens every address book that is switched on. One that does not open is left out.
async fn open(
    bus: &Connection,
    services: &Services,
    sources: &ObjectManagerProxy<'_>,
) -> Result<Vec<Book>, Error> {
    let factory = Proxy::new(bus, services.books.clone(), FACTORY_AT, FACTORY).await?;
    let known = patiently(sources.get_managed_objects()).await?;
    let mut books = Vec::new();
    for (_, interfaces) in known {
        let source = interfaces.into_iter().find(|(name, _)| name.as_str() == SOURCE);
        let Some(uid) = source.and_then(|(_, properties)| book_of(&properties)) else { continue };
        match open_one(bus, &factory, &uid).await {
            Ok(book) => books.push(book),
            Err(error) => tracing::warn!(uid, %error, "an address book does not open"),
        }
    }
    Ok(books)
}

async fn open_one(bus: &Connection, factory: &Proxy<'_>, uid: &str) -> Result<Book, Error> {
    let (path, service): (String, String) = patiently(factory.call("OpenAddressBook", &(uid,))).await?;
    let path = ObjectPath::try_from(path).map_err(zbus::Error::from)?;
    let service = BusName::try_from(service).map_err(zbus::Error::from)?;
    let proxy = Proxy::new(bus, service.clone(), path.clone(), BOOK).await?;
    let changes = PropertiesProxy::builder(bus).destination(service)?.path(path)?.build().await?;
    let _: Vec<String> = patiently(proxy.call("Open", &())).await?;
    Ok(Book { uid: uid.to_owned(), proxy, changes })
}

/// Lets the server forget that we read them.
async fn close(books: Vec<Book>) {
    for book in books {
        // One that is gone is closed.
        let _: Result<(), Error> = patiently(book.proxy.call("Close", &())).await;
    }
}

/// The id of a source that is an address book and switched on.
fn book_of(properties: &HashMap<String, zbus::zvariant::OwnedValue>) -> Option<String> {
    let text = |name: &str| properties.get(name).and_then(|value| <&str>::try_from(value).ok());
    is_book(text("Data")?).then(|| text("UID").map(str::to_owned))?
}

/// Whether a source's key file describes an address book that is switched on.
fn is_book(data: &str) -> bool {
    let mut group = "";
    let (mut book, mut on) = (false, true);
    for line in data.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            group = name;
            book |= group == "Address Book";
        } else if group == "Data Source" && line == "Enabled=false" {
            on = false;
        }
    }
    book && on
}

/// Every address book's word that it is another one now.
async fn changes(books: &[Book]) -> zbus::Result<SelectAll<BoxStream<'static, ()>>> {
    let mut changes = Vec::new();
    for book in books {
        let told = book.changes.receive_properties_changed().await?;
        let revised = |change: zbus::fdo::PropertiesChanged| async move {
            let args = change.args().ok()?;
            args.changed_properties().contains_key("Revision").then_some(())
        };
        changes.push(told.filter_map(revised).boxed());
    }
    Ok(select_all(changes))
}

/// Who is in the address books. One that does not answer is left out, unless none does.
async fn everybody(books: &[Book]) -> Result<Vec<Contact>, Error> {
    let (mut all, mut failed) = (Vec::new(), None);
    for book in books {
        let cards: Result<Vec<String>, Error> =
            patiently(book.proxy.call("GetContactList", &(EVERYBODY,))).await;
        match cards {
            Ok(cards) => all.extend(cards.iter().filter_map(|text| card::read(text)).map(|contact| {
                // Two books may give the same id.
                Contact { id: format!("{}/{}", book.uid, contact.id), ..contact }
            })),
            Err(error) => {
                tracing::warn!(uid = book.uid, %error, "an address book is not read");
                failed = Some(error);
            }
        }
    }
    all.truncate(MOST);
    match failed {
        Some(error) if all.is_empty() => Err(error),
        _ => Ok(all),
    }
}

/// What the bus answers, within [`PATIENCE`].
async fn patiently<T, E: Into<zbus::Error>>(asked: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
    match timeout(PATIENCE, asked).await {
        Ok(answer) => Ok(answer.map_err(Into::into)?),
        Err(_) => Err(Error::Unreachable("it takes too long".into())),
    }
}

impl From<zbus::Error> for Error {
    fn from(error: zbus::Error) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl From<zbus::fdo::Error> for Error {
    fn from(error: zbus::fdo::Error) -> Self {
        Self::Unreachable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_book_that_is_switched_on_is_one() {
        let book = "[Data Source]\nDisplayName=Personal\nEnabled=true\n\n[Address Book]\nBackendName=local\n";
        assert!(is_book(book));
        assert!(!is_book(&book.replace("true", "false")));
        assert!(!is_book("[Data Source]\nEnabled=true\n[Calendar]\nBackendName=local\n"));
        assert!(!is_book(""));
    }
}
