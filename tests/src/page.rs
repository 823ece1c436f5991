//! A page under a WebDriver: of the product's window or of a browser.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::{Process, free_port};

/// A page, its elements known by their `data-testid`. Its driver, and what that drives, end when it goes out
/// of scope.
pub struct Page {
    client: Client,
    driver: Process,
    shots: PathBuf,
    shot: u32,
}

impl Page {
    /// Starts a driver and, through it, what these capabilities describe; screenshots go to `shots`.
    pub(crate) async fn open(name: &str, mut driver: Command, capabilities: Value, shots: &Path) -> Self {
        let port = free_port();
        driver.arg(format!("--port={port}"));
        let driver = Process::start(name, driver);
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "{name} does not listen\n{}", driver.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let capabilities = capabilities.as_object().expect("capabilities are an object").clone();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        let client = client.unwrap_or_else(|e| panic!("{name} opens nothing: {e}\n{}", driver.log()));
        Self { client, driver, shots: shots.to_owned(), shot: 0 }
    }

    /// Goes to an address.
    pub async fn go_to(&self, address: &str) {
        self.must(address, self.client.goto(address).await);
    }

    /// Types into the field of this `data-testid`, in place of what it holds.
    pub async fn type_into(&self, id: &str, text: &str) {
        let field = self.shown(id).await;
        self.must(id, field.clear().await);
        self.must(id, field.send_keys(text).await);
    }

    /// Chooses a file with the file field of this `data-testid`, which need not be seen.
    pub async fn choose_file(&self, id: &str, file: &Path) {
        self.until(&format!("{id} to be there"), async || self.find(id).await.is_some()).await;
        let field = self.find(id).await.unwrap_or_else(|| panic!("{id} was there and is gone"));
        self.must(id, field.send_keys(&file.display().to_string()).await);
    }

    /// Drops a file onto the element of this `data-testid`, as the events of a real drop would tell of it.
    pub async fn drop_file(&self, id: &str, file: &Path) {
        let bytes = std::fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.shown(id).await;
        self.run(DROP, vec![json!(id), json!(name), json!(bytes)]).await;
    }

    /// Types into a field, selects it all and cuts it out, so that it stands in the clipboard.
    pub async fn cut_out_of(&self, id: &str, text: &str) {
        self.type_into(id, text).await;
        let field = self.shown(id).await;
        // WebDriver's code point of the Control key.
        self.must(id, field.send_keys("\u{e009}a").await);
        self.must(id, field.send_keys("\u{e009}x").await);
    }

    /// Chooses the option of this value in a list.
    pub async fn choose(&self, id: &str, value: &str) {
        let list = self.shown(id).await;
        self.must(id, list.select_by_value(value).await);
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

    /// Waits until an attribute of the element has this value.
    pub async fn has_attribute(&self, id: &str, name: &str, value: &str) {
        let fits = async || match self.find(id).await {
            Some(element) => element.attr(name).await.is_ok_and(|found| found.as_deref() == Some(value)),
            None => false,
        };
        self.until(&format!("{id} to have {name}={value:?}"), fits).await;
    }

    /// Waits until the page's text holds `words`, wherever.
    pub async fn tells(&self, words: &str) {
        self.until(&format!("the page to say {words:?}"), async || self.body().await.contains(words)).await;
    }

    /// Its text now, empty where it is not there.
    pub async fn text(&self, id: &str) -> String {
        match self.find(id).await {
            Some(element) => element.text().await.unwrap_or_default(),
            None => String::new(),
        }
    }

    /// Everything the page says now.
    pub async fn body(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Runs a script in the page and gives what it returns.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.must("a script", self.client.execute(script, arguments).await)
    }

    /// Keeps a picture of the page. What it last did is painted only two frames later.
    pub async fn shoot(&mut self, name: &str) {
        let painted =
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))";
        self.must("painting", self.client.execute_async(painted, Vec::new()).await);
        let png = self.must("a screenshot", self.client.screenshot().await);
        self.shot += 1;
        std::fs::write(self.shots.join(format!("{:02}-{name}.png", self.shot)), png).unwrap();
    }

    /// The driver, with what it drives below it.
    pub(crate) fn driver(&self) -> &Process {
        &self.driver
    }

    /// Closes what is driven.
    pub async fn quit(&self) {
        let _ = self.client.clone().close().await;
    }

    /// Waits until something fits, and fails the test, with a picture, when it does not come.
    pub async fn until(&self, what: &str, fits: impl AsyncFn() -> bool) {
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

    async fn find(&self, id: &str) -> Option<Element> {
        self.client.find(Locator::Css(&format!("[data-testid=\"{id}\"]"))).await.ok()
    }

    fn must<T>(&self, what: &str, result: Result<T, CmdError>) -> T {
        result.unwrap_or_else(|e| panic!("{what}: {e}\n{}", self.driver.log()))
    }
}

const LIMIT: Duration = Duration::from_secs(30);

const DROP: &str = r#"
const [id, name, bytes] = arguments;
const files = new DataTransfer();
files.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
const element = document.querySelector(`[data-testid="${id}"]`);
for (const kind of ['dragenter', 'dragover', 'drop']) {
  element.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: files }));
}
"#;
