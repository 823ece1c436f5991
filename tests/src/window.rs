//! The product's window, driven through WebKitWebDriver.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

use crate::{Process, Session, Usage, free_port, product};

/// The running window. Its driver, and the window with it, end when it goes out of scope.
pub struct Window {
    client: Client,
    driver: Process,
    shots: PathBuf,
    shot: u32,
}

impl Window {
    /// Opens the window in a session with a display; screenshots go to `shots`.
    pub async fn open(session: &Session, shots: &Path, arguments: &[&str]) -> Self {
        let port = free_port();
        let mut command = session.command("WebKitWebDriver");
        command.arg(format!("--port={port}")).arg("--host=127.0.0.1");
        command.envs([
            ("TAURI_WEBVIEW_AUTOMATION", "true"),
            ("NO_AT_BRIDGE", "1"),
            ("GTK_A11Y", "none"),
            ("GDK_BACKEND", "x11"),
            ("LIBGL_ALWAYS_SOFTWARE", "1"),
        ]);
        let driver = Process::start("WebKitWebDriver", command);
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                std::time::Instant::now() < deadline,
                "WebKitWebDriver does not listen\n{}",
                driver.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let binary = json!({ "binary": product("carillon"), "args": arguments });
        let capabilities = [("webkitgtk:browserOptions".to_owned(), binary)].into_iter().collect();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        let client = client.unwrap_or_else(|e| panic!("the window does not open: {e}\n{}", driver.log()));
        Self { client, driver, shots: shots.to_owned(), shot: 0 }
    }

    /// Types into the field of this `data-testid`, in place of what it holds.
    pub async fn type_into(&self, id: &str, text: &str) {
        let field = self.shown(id).await;
        self.must(id, field.clear().await);
        self.must(id, field.send_keys(text).await);
    }

    /// Waits until it can be clicked, and clicks it.
    pub async fn click(&self, id: &str) {
        let element = self.shown(id).await;
        self.until(&format!("{id} to be enabled"), async || element.is_enabled().await.unwrap_or(false))
            .await;
        self.must(id, element.click().await);
    }

    /// Waits until the element is there and seen.
    pub async fn shown(&self, id: &str) -> Element {
        self.until(&format!("{id} to be shown"), async || match self.find(id).await {
            Some(element) => element.is_displayed().await.unwrap_or(false),
            None => false,
        })
        .await;
        self.find(id).await.unwrap_or_else(|| panic!("{id} was shown and is gone"))
    }

    /// Waits until the element is gone.
    pub async fn gone(&self, id: &str) {
        self.until(&format!("{id} to be gone"), async || self.find(id).await.is_none()).await;
    }

    /// Whether the element is there now.
    pub async fn has(&self, id: &str) -> bool {
        self.find(id).await.is_some()
    }

    /// Waits until the element's text holds `words`.
    pub async fn says(&self, id: &str, words: &str) {
        self.until(&format!("{id} to say {words:?}"), async || self.text(id).await.contains(words)).await;
    }

    /// Its text now, empty where it is not there.
    pub async fn text(&self, id: &str) -> String {
        match self.find(id).await {
            Some(element) => element.text().await.unwrap_or_default(),
            None => String::new(),
        }
    }

    /// Keeps a picture of the window. What the page last did is painted only two frames later.
    pub async fn shoot(&mut self, name: &str) {
        let painted =
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))";
        self.must("painting", self.client.execute_async(painted, Vec::new()).await);
        let png = self.must("a screenshot", self.client.screenshot().await);
        self.shot += 1;
        std::fs::write(self.shots.join(format!("{:02}-{name}.png", self.shot)), png).unwrap();
    }

    /// What the window's processes use, without those of the driver.
    pub fn usage(&self) -> Usage {
        let (all, driver) = (Usage::of_tree(self.driver.pid()), Usage::of(self.driver.pid()));
        Usage {
            cpu_s: all.cpu_s - driver.cpu_s,
            pss_mib: all.pss_mib - driver.pss_mib,
            rss_mib: all.rss_mib - driver.rss_mib,
        }
    }

    /// Closes the window.
    pub async fn close(self) {
        let _ = self.client.clone().close().await;
    }

    async fn find(&self, id: &str) -> Option<Element> {
        self.client.find(Locator::Css(&format!("[data-testid=\"{id}\"]"))).await.ok()
    }

    async fn until(&self, what: &str, fits: impl AsyncFn() -> bool) {
        let waiting = async {
            while !fits().await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(LIMIT, waiting).await.is_err() {
            let png = self.client.screenshot().await.unwrap_or_default();
            let _ = std::fs::write(self.shots.join("failed.png"), png);
            let page = self.client.source().await.unwrap_or_default();
            let _ = std::fs::write(self.shots.join("failed.html"), page);
            let problem = self.text("problem").await;
            panic!("waited for {what} (problem shown: {problem:?})\n{}", self.driver.log());
        }
    }

    fn must<T>(&self, what: &str, result: Result<T, CmdError>) -> T {
        result.unwrap_or_else(|e| panic!("{what}: {e}\n{}", self.driver.log()))
    }
}

const LIMIT: Duration = Duration::from_secs(30);
