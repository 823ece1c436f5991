//! The product's window, driven through WebKitWebDriver.

use std::env;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::usage::descendants;
use crate::{Demo, Line, Page, Session, Usage, product};

/// The running window. Its driver, and the window with it, end when it goes out of scope.
pub struct Window {
    page: Page,
}

impl Window {
    /// Opens the window in a session with a display; screenshots go to `shots`.
    pub async fn open(session: &Session, shots: &Path, arguments: &[&str]) -> Self {
        Self::open_with(session, shots, arguments, &[]).await
    }

    /// Opens it with these in the environment besides those of the session.
    pub async fn open_with(
        session: &Session,
        shots: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        Self::open_program(&product("carillon"), session, shots, arguments, environment).await
    }

    /// Opens the window of another program, such as another brand's.
    pub async fn open_program(
        program: &Path,
        session: &Session,
        shots: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        // By its full path: the environment may well hide every program from the window.
        let mut command = session.command(found("WebKitWebDriver"));
        command.arg("--host=127.0.0.1");
        command.envs([
            ("TAURI_WEBVIEW_AUTOMATION", "true"),
            ("NO_AT_BRIDGE", "1"),
            ("GTK_A11Y", "none"),
            ("GDK_BACKEND", "x11"),
            ("LIBGL_ALWAYS_SOFTWARE", "1"),
        ]);
        command.envs(environment.iter().copied());
        let binary = json!({ "binary": program, "args": arguments });
        let capabilities = json!({ "webkitgtk:browserOptions": binary });
        Self { page: Page::open("WebKitWebDriver", command, capabilities, shots).await }
    }

    /// What the window's processes use, without those of the driver.
    pub fn usage(&self) -> Usage {
        let driver = self.page.driver().pid();
        let (all, driver) = (Usage::of_tree(driver), Usage::of(driver));
        Usage {
            cpu_s: all.cpu_s - driver.cpu_s,
            pss_mib: all.pss_mib - driver.pss_mib,
            rss_mib: all.rss_mib - driver.rss_mib,
        }
    }

    /// The window's processes, without those of the driver.
    pub fn processes(&self) -> Vec<u32> {
        descendants(self.page.driver().pid())
    }

    /// Everything it has logged so far.
    pub fn logged(&self) -> Vec<Line> {
        self.page.driver().lines_with("")
    }

    /// Signs alice in by typing.
    pub async fn sign_in(&self, demo: &Demo) {
        let (user, password) = demo.alice();
        self.type_into("domain", Demo::DOMAIN).await;
        self.type_into("server", demo.server()).await;
        self.click("next").await;
        self.click("trust").await;
        self.type_into("username", user).await;
        self.type_into("password", password).await;
        self.click("sign-in").await;
        self.type_into("sip-password", &demo.alice_sip("udp").password).await;
        self.click("sign-in").await;
        self.says("account-state", "Registered").await;
    }

    /// Closes the window.
    pub async fn close(self) {
        self.page.quit().await;
    }
}

impl Deref for Window {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

impl DerefMut for Window {
    fn deref_mut(&mut self) -> &mut Page {
        &mut self.page
    }
}

fn found(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).map(|dir| dir.join(program));
    places.find(|file| file.is_file()).unwrap_or_else(|| panic!("{program} is missing: install it"))
}
