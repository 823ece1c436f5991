//! Links, on their way to the phone: of its own scheme, and such that dial. They hold secrets: none is logged.

use brand::BRAND;
use phone::Command;
use secrecy::{ExposeSecret, SecretString};
use tauri::{AppHandle, Manager};
use tauri_plugin_deep_link::DeepLinkExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::desk::{Order, Orders};
use crate::line::Line;
use crate::{Args, args};

/// Where links are put in, from the first moment on.
#[derive(Debug, Clone)]
pub struct Links {
    links: UnboundedSender<SecretString>,
    orders: Orders,
}

/// Where they come out.
#[derive(Debug)]
pub struct Opened(UnboundedReceiver<SecretString>);

impl Links {
    /// Both ends. A second start also brings the window to the front, by an order.
    pub fn new(orders: Orders) -> (Self, Opened) {
        let (links, opened) = unbounded_channel();
        (Self { links, orders }, Opened(opened))
    }

    /// Takes a link, and drops one of another scheme.
    pub fn open(&self, link: SecretString) {
        if args::is_own(link.expose_secret()) || args::dials(link.expose_secret()) {
            // Nobody is left to open it only when the program ends.
            let _ = self.links.send(link);
        }
    }

    /// Follows what a second start of the program was given, and comes to the front.
    pub fn second_start(&self, app: &AppHandle, arguments: Vec<String>) {
        // What it could not have understood itself never gets here.
        let args = <Args as clap::Parser>::try_parse_from(arguments);
        let hidden = args.as_ref().is_ok_and(|args| args.hidden);
        if let Ok(args) = args {
            if args.open_links {
                take(app);
            }
            if let Some(link) = args.link {
                self.open(link);
            }
        }
        if !hidden {
            self.orders.send(Order::Open);
        }
    }
}

impl Opened {
    /// Hands the links to the phone, as long as there is one.
    pub fn deliver(mut self, app: &AppHandle) {
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            while let Some(link) = self.0.recv().await {
                let command = match args::dials(link.expose_secret()) {
                    true => Command::DialLink { link: link.expose_secret().to_owned() },
                    false => Command::OpenLink { link },
                };
                match app.state::<Line>().send(command).await {
                    Ok(()) => tracing::info!("a link was opened"),
                    Err(problem) => tracing::warn!(?problem, "a link could not be opened"),
                }
            }
        });
    }
}

/// Lets this program open the links of its scheme, for this user. On macOS its bundle does so, and nothing else
/// may.
pub fn take(app: &AppHandle) {
    match app.deep_link().register(BRAND.scheme) {
        Ok(()) => tracing::info!(scheme = BRAND.scheme, "this program opens the links now"),
        Err(error) => tracing::warn!(%error, "this program could not be made the one that opens links"),
    }
}

/// Lets this program open links that dial, for this user, or no longer. On macOS its bundle does so.
pub fn open_numbers(app: &AppHandle, wanted: bool) {
    let app = app.clone();
    // The system's programs for it take their time.
    tauri::async_runtime::spawn_blocking(move || {
        for scheme in args::DIALLING {
            let links = app.deep_link();
            let done = if wanted { links.register(scheme) } else { links.unregister(scheme) };
            if let Err(error) = done {
                tracing::warn!(%error, scheme, wanted, "which program opens these links was not changed");
            }
        }
    });
}
