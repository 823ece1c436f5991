//! What shows a part of the phone in the desktop by itself, as it is told.

use tauri::AppHandle;
use tokio::sync::watch;

use super::model::{Face, Ringing};
#[cfg(target_os = "linux")]
use super::{Order, notices};
use super::{Orders, awake, tray};

/// What follows by itself what it is told.
pub(super) struct Organs {
    /// Notifications of calls that ring.
    pub notices: watch::Sender<Vec<Ringing>>,
    /// The tray.
    pub face: watch::Sender<Face>,
    /// Sleep is held off.
    pub awake: watch::Sender<bool>,
}

impl Organs {
    #[cfg(target_os = "linux")]
    pub fn start(_app: &AppHandle, orders: &Orders) -> Self {
        let (notices, wanted_notices) = watch::channel(Vec::new());
        let (face, wanted_face) = watch::channel(Face::default());
        let (awake, wanted_awake) = watch::channel(false);
        let orders = orders.clone();
        tauri::async_runtime::spawn(async move {
            let bus = zbus::Connection::session().await;
            let bus = bus.inspect_err(|error| tracing::info!(%error, "there is no session bus")).ok();
            if let Some(bus) = bus.clone() {
                let (orders, tray) = (orders.clone(), bus.clone());
                tauri::async_runtime::spawn(until_lost(
                    "notifications",
                    notices::run(bus, wanted_notices, orders.clone()),
                ));
                tauri::async_runtime::spawn(until_lost("the tray", tray::run(tray, wanted_face, orders)));
            } else {
                orders.send(Order::Tray(false));
            }
            awake::run(bus, wanted_awake).await;
        });
        Self { notices, face, awake }
    }

    #[cfg(not(target_os = "linux"))]
    pub fn start(app: &AppHandle, orders: &Orders) -> Self {
        // Calls that ring have their small window here, and no notification yet.
        let (notices, _) = watch::channel(Vec::new());
        let (face, wanted_face) = watch::channel(Face::default());
        let (awake, wanted_awake) = watch::channel(false);
        let (app, orders) = (app.clone(), orders.clone());
        tauri::async_runtime::spawn(until_lost("the tray", tray::run(app, wanted_face, orders)));
        tauri::async_runtime::spawn(awake::run(wanted_awake));
        Self { notices, face, awake }
    }
}

async fn until_lost<E: std::fmt::Display>(what: &'static str, work: impl Future<Output = Result<(), E>>) {
    if let Err(error) = work.await {
        tracing::warn!(%error, what, "is there no longer");
    }
}

/// Whether it is another one than what is shown, and takes its place.
pub(super) fn replaced<T: Clone + PartialEq>(shown: &mut T, wanted: &T) -> bool {
    let changes = shown != wanted;
    if changes {
        shown.clone_from(wanted);
    }
    changes
}
