//! A real browser, Chromium, driven through ChromeDriver: what a person opens a link with.

use std::ops::{Deref, DerefMut};
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::{Page, Place};

/// A running Chromium with a profile of its own, which goes with it.
pub struct Browser {
    page: Page,
    _profile: TempDir,
}

impl Browser {
    /// Opens it; screenshots go to `shots`. Like a person before a demo PBX, it does not mind the certificate.
    pub async fn open(shots: &Path) -> Self {
        Self::start(&Place::Here, shots, &[]).await
    }

    /// Opens it in the place where the calling thread is, for a page that makes calls, to a server of which it minds
    /// nothing.
    pub(crate) async fn open_for_calls(place: &Place, shots: &Path, hides: bool) -> Self {
        let mut arguments = vec!["--ignore-certificate-errors", "--autoplay-policy=no-user-gesture-required"];
        arguments.extend((!hides).then_some("--disable-features=WebRtcHideLocalIpsWithMdns"));
        Self::start(place, shots, &arguments).await
    }

    async fn start(place: &Place, shots: &Path, more: &[&str]) -> Self {
        let profile = TempDir::with_prefix("carillon-chromium-").unwrap();
        let mut command = place.command("chromedriver");
        for key in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR"] {
            command.env(key, profile.path());
        }
        command.env_remove("DISPLAY").env_remove("DBUS_SESSION_BUS_ADDRESS");
        let usual = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
        let arguments = [&usual[..], more].concat();
        let capabilities = json!({
            "acceptInsecureCerts": true,
            "goog:chromeOptions": { "args": arguments },
        });
        let page = Page::open("chromedriver", command, capabilities, shots).await;
        Self { page, _profile: profile }
    }

    /// Closes it.
    pub async fn close(self) {
        self.page.quit().await;
    }
}

impl Deref for Browser {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

impl DerefMut for Browser {
    fn deref_mut(&mut self) -> &mut Page {
        &mut self.page
    }
}
