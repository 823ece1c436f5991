//! A real browser, Chromium, driven through ChromeDriver: what a person opens a link with.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::Page;

/// A running Chromium with a profile of its own, which goes with it.
pub struct Browser {
    page: Page,
    _profile: TempDir,
}

impl Browser {
    /// Opens it; screenshots go to `shots`. Like a person before a demo PBX, it does not mind the certificate.
    pub async fn open(shots: &Path) -> Self {
        let profile = TempDir::with_prefix("carillon-chromium-").unwrap();
        let mut command = Command::new("chromedriver");
        for key in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR"] {
            command.env(key, profile.path());
        }
        command.env_remove("DISPLAY").env_remove("DBUS_SESSION_BUS_ADDRESS");
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
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
