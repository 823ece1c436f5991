//! The tray on Linux: a StatusNotifierItem, which the host of the desktop's panel shows.

use futures_util::StreamExt;
use tokio::sync::watch::Receiver;
use zbus::fdo::DBusProxy;
use zbus::object_server::{InterfaceRef, SignalEmitter};
use zbus::zvariant::ObjectPath;
use zbus::{Connection, Proxy};

use super::menu::Menu;
use super::picture;
use crate::desk::model::Face;
use crate::desk::words::Words;
use crate::desk::{Order, Orders};

const ITEM: &str = "/StatusNotifierItem";
const MENU: &str = "/MenuBar";
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

type Pixmap = Vec<(i32, i32, Vec<u8>)>;

/// Shows the phone in the tray as long as this runs, and says whether there is a tray that does.
///
/// # Errors
/// The bus is gone.
pub async fn run(bus: Connection, mut faces: Receiver<Face>, orders: Orders) -> zbus::Result<()> {
    let face = faces.borrow_and_update().clone();
    let item = Item { face: face.clone(), orders: orders.clone() };
    let menu = Menu::new(face, orders.clone());
    let server = bus.object_server();
    server.at(ITEM, item).await?;
    server.at(MENU, menu).await?;
    let name = format!("org.kde.StatusNotifierItem-{}-1", std::process::id());
    bus.request_name(name.as_str()).await?;
    let item = server.interface::<_, Item>(ITEM).await?;
    let menu = server.interface::<_, Menu>(MENU).await?;
    let owners = DBusProxy::new(&bus).await?;
    let mut comings = owners.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
    let watcher = Proxy::new(&bus, WATCHER, "/StatusNotifierWatcher", WATCHER).await?;
    let mut hosts = watcher.receive_signal("StatusNotifierHostRegistered").await?;
    let mut hosts_gone = watcher.receive_signal("StatusNotifierHostUnregistered").await?;
    orders.send(Order::Tray(register(&watcher, &name).await));
    loop {
        tokio::select! {
            changed = faces.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let face = faces.borrow_and_update().clone();
                show(&item, &menu, face).await?;
            }
            Some(_) = comings.next() => orders.send(Order::Tray(register(&watcher, &name).await)),
            Some(_) = hosts.next() => orders.send(Order::Tray(has_host(&watcher).await)),
            Some(_) = hosts_gone.next() => orders.send(Order::Tray(has_host(&watcher).await)),
        }
    }
}

/// Asks to be shown. Gives whether somebody does.
async fn register(watcher: &Proxy<'_>, name: &str) -> bool {
    match watcher.call::<_, _, ()>("RegisterStatusNotifierItem", &name).await {
        Ok(()) => has_host(watcher).await,
        Err(error) => {
            tracing::debug!(%error, "there is no tray");
            false
        }
    }
}

/// A watcher without a host shows nothing.
async fn has_host(watcher: &Proxy<'_>) -> bool {
    // Asked, not remembered: not every watcher tells of the change.
    let asked = watcher.connection().call_method(
        Some(WATCHER),
        "/StatusNotifierWatcher",
        Some("org.freedesktop.DBus.Properties"),
        "Get",
        &(WATCHER, "IsStatusNotifierHostRegistered"),
    );
    let reply = match asked.await {
        Ok(reply) => reply,
        Err(_) => return false,
    };
    let body = reply.body();
    body.deserialize::<zbus::zvariant::Value<'_>>().is_ok_and(|value| bool::try_from(value).unwrap_or(false))
}

async fn show(item: &InterfaceRef<Item>, menu: &InterfaceRef<Menu>, face: Face) -> zbus::Result<()> {
    item.get_mut().await.face = face.clone();
    Item::new_icon(item.signal_emitter()).await?;
    Item::new_tool_tip(item.signal_emitter()).await?;
    let revision = menu.get_mut().await.show(face);
    Menu::layout_updated(menu.signal_emitter(), revision, 0).await
}

struct Item {
    face: Face,
    orders: Orders,
}

impl Item {
    fn pixmap(&self) -> Pixmap {
        let Some(picture) = picture::picture(self.face.shape, is_dark()) else { return Vec::new() };
        // Alpha first, in network byte order.
        let argb = picture.rgba.chunks_exact(4).flat_map(|p| [p[3], p[0], p[1], p[2]]).collect();
        let side = i32::try_from(picture.side).unwrap_or_default();
        vec![(side, side, argb)]
    }
}

/// Whether the tray is dark. No host tells; the panels of these desktops are, unless somebody paints them.
fn is_dark() -> bool {
    let desktop = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    let light = desktop.split(':').any(|name| matches!(name, "KDE" | "X-Cinnamon" | "LXQt"));
    !light
}

#[zbus::interface(name = "org.kde.StatusNotifierItem")]
impl Item {
    #[zbus(property)]
    fn category(&self) -> &'static str {
        "Communications"
    }

    #[zbus(property)]
    fn id(&self) -> &'static str {
        brand::BRAND.program
    }

    #[zbus(property)]
    fn title(&self) -> &'static str {
        brand::BRAND.name
    }

    #[zbus(property)]
    fn status(&self) -> &'static str {
        "Active"
    }

    #[zbus(property)]
    fn window_id(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn icon_name(&self) -> &'static str {
        ""
    }

    #[zbus(property)]
    fn icon_pixmap(&self) -> Pixmap {
        self.pixmap()
    }

    #[zbus(property)]
    fn overlay_icon_name(&self) -> &'static str {
        ""
    }

    #[zbus(property)]
    fn attention_icon_name(&self) -> &'static str {
        ""
    }

    #[zbus(property)]
    fn tool_tip(&self) -> (String, Pixmap, String, String) {
        (
            String::new(),
            Vec::new(),
            brand::BRAND.name.to_owned(),
            Words::of(self.face.language).state(&self.face),
        )
    }

    #[zbus(property)]
    fn item_is_menu(&self) -> bool {
        false
    }

    #[zbus(property)]
    fn menu(&self) -> ObjectPath<'static> {
        ObjectPath::from_static_str_unchecked(MENU)
    }

    fn activate(&self, _x: i32, _y: i32) {
        self.orders.send(Order::Open);
    }

    fn secondary_activate(&self, _x: i32, _y: i32) {
        self.orders.send(Order::Open);
    }

    fn context_menu(&self, _x: i32, _y: i32) {}

    fn scroll(&self, _delta: i32, _orientation: &str) {}

    #[zbus(signal)]
    async fn new_icon(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn new_tool_tip(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}
