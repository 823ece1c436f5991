//! A desktop's panel and power daemon on the session bus: it shows one item in its tray, and may be told not to let the
//! computer fall asleep.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use zbus::blocking::connection::Builder;
use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{ObjectPath, OwnedValue, Structure, Value};

use crate::Session;

/// A running panel.
pub struct Panel {
    bus: Connection,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    items: Vec<String>,
    held: Vec<u32>,
    asked: u32,
}

type Properties = HashMap<String, OwnedValue>;

impl Panel {
    /// Starts it in a session that has a bus.
    pub fn start(session: &Session) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (watcher, power) = (Watcher(Arc::clone(&state)), Power(Arc::clone(&state)));
        let bus = Builder::address(session.bus_address())
            .and_then(|bus| bus.serve_at("/StatusNotifierWatcher", watcher))
            .and_then(|bus| bus.serve_at("/org/freedesktop/PowerManagement/Inhibit", power))
            .and_then(|bus| bus.name("org.kde.StatusNotifierWatcher"))
            .and_then(|bus| bus.name("org.freedesktop.PowerManagement"))
            .and_then(Builder::build)
            .unwrap_or_else(|e| panic!("no panel on the session bus: {e}"));
        Self { bus, state }
    }

    /// Waits until the state of the phone is told in these words.
    pub fn says(&self, words: &str) {
        self.wait(&format!("the tray to say {words:?}"), || self.tool_tip().contains(words));
    }

    /// The picture, in whatever form it takes, so that it can be compared.
    pub fn picture(&self) -> String {
        format!("{:?}", self.property("IconPixmap"))
    }

    /// What the menu offers, by number.
    pub fn menu(&self) -> Vec<(i32, String)> {
        let menu = self.menu_proxy();
        let (_, (_, _, children)): (u32, (i32, Properties, Vec<OwnedValue>)) =
            menu.call("GetLayout", &(0, -1, Vec::<String>::new())).expect("the menu has a layout");
        let ids: Vec<i32> = (1..=i32::try_from(children.len()).unwrap()).collect();
        let all: Vec<(i32, Properties)> =
            menu.call("GetGroupProperties", &(ids, Vec::<String>::new())).expect("the menu has entries");
        let label = |of: &Properties| of.get("label").and_then(|l| l.downcast_ref::<String>().ok());
        all.into_iter().filter_map(|(id, of)| Some((id, label(&of)?))).collect()
    }

    /// Waits until the menu offers this, and chooses it.
    pub fn press(&self, label: &str) {
        let find = || self.menu().into_iter().find(|(_, known)| known == label).map(|(id, _)| id);
        self.wait(&format!("{label:?} in the menu"), || find().is_some());
        let id = find().expect("it was there just now");
        let data = Value::from("");
        self.menu_proxy().call::<_, _, ()>("Event", &(id, "clicked", data, 0_u32)).expect("the menu hears");
    }

    /// Clicks the item.
    pub fn activate(&self) {
        self.item("org.kde.StatusNotifierItem")
            .call::<_, _, ()>("Activate", &(0, 0))
            .expect("the item hears");
    }

    /// Waits until the computer may fall asleep, or may not.
    pub fn lets_sleep(&self, sleep: bool) {
        self.wait(&format!("sleep to be {sleep}"), || self.state.lock().unwrap().held.is_empty() == sleep);
    }

    fn tool_tip(&self) -> String {
        if self.state.lock().unwrap().items.is_empty() {
            return String::new();
        }
        // Between two phones there is nothing.
        let Ok(all) = self.asked("ToolTip") else { return String::new() };
        let parts: Structure<'_> = all.downcast_ref().expect("a tool tip has parts");
        parts
            .fields()
            .iter()
            .filter_map(|part| part.downcast_ref::<String>().ok())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn property(&self, name: &str) -> OwnedValue {
        self.asked(name).unwrap_or_else(|e| panic!("the item has no {name}: {e}"))
    }

    fn asked(&self, name: &str) -> zbus::Result<OwnedValue> {
        self.item("org.freedesktop.DBus.Properties").call("Get", &("org.kde.StatusNotifierItem", name))
    }

    fn item(&self, interface: &'static str) -> Proxy<'static> {
        self.proxy("/StatusNotifierItem", interface)
    }

    fn menu_proxy(&self) -> Proxy<'static> {
        let menu = self.property("Menu");
        let path: ObjectPath<'_> = menu.downcast_ref().expect("the item has a menu");
        self.proxy(&path.to_string(), "com.canonical.dbusmenu")
    }

    fn proxy(&self, path: &str, interface: &'static str) -> Proxy<'static> {
        let name = self.state.lock().unwrap().items.last().cloned().expect("something is in the tray");
        Proxy::new(&self.bus, name, path.to_owned(), interface).expect("the item is there")
    }

    fn wait(&self, what: &str, fits: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !fits() {
            assert!(Instant::now() < deadline, "waited for {what}; it says {:?}", self.tool_tip());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

struct Watcher(Arc<Mutex<State>>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String) {
        self.0.lock().unwrap().items.push(service);
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

struct Power(Arc<Mutex<State>>);

#[zbus::interface(name = "org.freedesktop.PowerManagement.Inhibit")]
impl Power {
    fn inhibit(&self, _application: String, _reason: String) -> u32 {
        let mut state = self.0.lock().unwrap();
        state.asked += 1;
        let cookie = state.asked;
        state.held.push(cookie);
        cookie
    }

    #[zbus(name = "UnInhibit")]
    fn un_inhibit(&self, cookie: u32) {
        self.0.lock().unwrap().held.retain(|held| *held != cookie);
    }
}
