//! Links of the phone's own scheme, on their way to the phone. They hold secrets: none is logged.

use brand::BRAND;
use phone::Command;
use secrecy::SecretString;
use tauri::{AppHandle, Manager};
use tauri_plugin_deep_link::DeepLinkExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::line::Line;
use crate::{Args, args, webview};

/// Where links are put in, from the first moment on.
#[derive(Debug, Clone)]
pub struct Links(UnboundedSender<SecretString>);

/// Where they come out.
#[derive(Debug)]
pub struct Opened(UnboundedReceiver<SecretString>);

impl Links {
    /// Both ends.
    pub fn new() -> (Self, Opened) {
        let (links, opened) = unbounded_channel();
        (Self(links), Opened(opened))
    }

    /// Takes a link, and drops one of another scheme.
    pub fn open(&self, link: SecretString) {
        if args::is_own(secrecy::ExposeSecret::expose_secret(&link)) {
            // Nobody is left to open it only when the program ends.
            let _ = self.0.send(link);
        }
    }

    /// Follows what a second start of the program was given, and comes to the front.
    pub fn second_start(&self, app: &AppHandle, arguments: Vec<String>) {
        // What it could not have understood itself never gets here.
        if let Ok(args) = <Args as clap::Parser>::try_parse_from(arguments) {
            if args.open_links {
                take(app);
            }
            if let Some(link) = args.link {
                self.open(link);
            }
        }
        webview::to_front(app);
    }
}

impl Opened {
    /// Hands the links to the phone, as long as there is one.
    pub fn deliver(mut self, app: &AppHandle) {
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            while let Some(link) = self.0.recv().await {
                match app.state::<Line>().send(Command::OpenLink { link }).await {
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
