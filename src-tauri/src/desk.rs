//! The phone in the desktop around its window: small windows, notifications, tray, keys, sleep. It follows the phone's
//! events and knows nothing of telephony; what it decides is in [`model`], pure.

mod autostart;
mod awake;
mod follow;
mod keys;
mod main_window;
mod model;
#[cfg(target_os = "linux")]
mod notices;
mod organs;
mod place;
mod pop;
#[cfg(test)]
mod samples;
mod small;
mod tray;
mod words;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use phone::{CallId, Event};
use serde::Serialize;
use specta::Type;
use tauri::{AppHandle, WindowEvent};
use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::leave;
use follow::Desk;
use keys::Deed;
use main_window::MAIN;
pub use main_window::{Memory, create, open};

/// How long a hidden window keeps its memory, where it is not to be kept for good.
const HIDDEN_FOR: Duration = Duration::from_secs(300);
/// How long a phone that starts hidden waits for a tray before it opens its window: panels start beside it.
const TRAY_WITHIN: Duration = Duration::from_secs(20);
/// How long the main window is given to settle before it is looked at: it tells of each step it takes.
const SETTLES: Duration = Duration::from_millis(150);

/// Something the desktop wants of the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// The main window is to come to the front.
    Open,
    /// The main window was closed by its user.
    Close,
    /// A small window was closed by its user.
    Dismiss(&'static str),
    /// The main window may stand otherwise.
    Look,
    /// Answer this call.
    Answer(CallId),
    /// Refuse this call.
    Decline(CallId),
    /// End this call.
    HangUp(CallId),
    /// Let callers disturb, or no longer.
    Disturb(bool),
    /// A key was pressed.
    Press(Deed),
    /// Whether there is a tray that shows the phone.
    Tray(bool),
    /// Whether a notification does, and better, what the small window of a call that rings would do.
    #[cfg(target_os = "linux")]
    NoticesSuffice(bool),
    /// End the phone.
    Quit,
}

/// Whether the desktop is a Wayland one, where a window can neither choose its place nor refuse the keyboard.
#[cfg(target_os = "linux")]
fn is_wayland() -> bool {
    std::env::var_os("WAYLAND_DISPLAY").is_some()
}

/// Where orders are put in.
#[derive(Debug, Clone)]
pub struct Orders(UnboundedSender<Order>);

impl Orders {
    /// Both ends.
    pub fn new() -> (Self, UnboundedReceiver<Order>) {
        let (orders, given) = unbounded_channel();
        (Self(orders), given)
    }

    /// Gives an order. Nobody follows it only when the program ends.
    pub fn send(&self, order: Order) {
        let _ = self.0.send(order);
    }

    /// Takes what a window says of itself.
    pub fn window(&self, label: &str, event: &WindowEvent) {
        match event {
            WindowEvent::CloseRequested { api, .. } if label == MAIN => {
                api.prevent_close();
                self.send(Order::Close);
            }
            WindowEvent::CloseRequested { .. } => {
                let small = [small::INCOMING, small::COMPACT].into_iter().find(|small| small.label == label);
                if let Some(small) = small {
                    self.send(Order::Dismiss(small.label));
                }
            }
            event if label == MAIN && main_window::moves(event) => self.send(Order::Look),
            _ => {}
        }
    }
}

/// What the desktop lets the phone do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type, tauri_specta::Event)]
#[serde(rename_all = "camelCase")]
pub struct DesktopView {
    /// There is a tray that shows the phone.
    pub tray: bool,
    /// Keys can work whatever program is in front.
    pub global_keys: bool,
    /// Keys that somebody else has, that this keyboard has not, or that are none.
    pub refused_keys: Vec<String>,
    /// The program could not be made to start with the session.
    pub autostart_failed: bool,
    /// The phone crashed and was started again.
    pub restarted: bool,
}

/// How it is run.
#[derive(Debug)]
pub struct Options {
    /// Starts without a window, where there is a tray.
    pub hidden: bool,
    /// It crashed and was started again.
    pub restarted: bool,
    /// Directory of the settings, where it is not the user's own.
    pub data_dir: Option<PathBuf>,
    /// Told when windows can be opened.
    pub ready: Arc<Notify>,
}

/// Follows the phone and the desktop until the program ends.
pub async fn run(
    app: AppHandle,
    mut events: Receiver<Event>,
    orders: (Orders, UnboundedReceiver<Order>),
    options: Options,
) {
    let (orders, mut given) = orders;
    options.ready.notified().await;
    let mut desk = Desk::new(app, orders, options);
    desk.catch_up().await;
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(event) => desk.told(&event),
                Err(RecvError::Lagged(_)) => desk.catch_up().await,
                Err(RecvError::Closed) => return,
            },
            Some(order) = given.recv() => desk.follow(order).await,
            () = until(desk.drops_at) => desk.drop_window(),
            () = until(desk.looks_at) => desk.look_and_settle(),
            () = until(desk.opens_at) => desk.open(),
        }
    }
}

/// Where there is no phone, its window says why: it can be opened, and ends the program when it is closed.
pub async fn run_without_phone(app: AppHandle, mut given: UnboundedReceiver<Order>) {
    while let Some(order) = given.recv().await {
        match order {
            Order::Open => open(&app),
            Order::Close | Order::Quit => leave::leave(&app),
            _ => {}
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// What the desktop was last known to let the phone do.
#[derive(Debug, Default)]
pub struct Shown(Mutex<DesktopView>);

impl Shown {
    /// As it stands now.
    pub fn view(&self) -> DesktopView {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
