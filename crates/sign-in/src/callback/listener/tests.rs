use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Listener;
use crate::callback::page::examples;
use crate::callback::{Callback, Nonce, Purpose, Return};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A listener at work, and where it is.
struct Trial {
    port: u16,
    nonce: String,
    served: JoinHandle<Option<Callback>>,
}

impl Trial {
    async fn start(purpose: Purpose, limit: Duration) -> Self {
        let (listener, nonce) = (Listener::bind().await.unwrap(), Nonce::random());
        let url = listener.url(&nonce);
        assert_eq!(url.host_str(), Some("127.0.0.1"));
        assert_eq!(url.path(), format!("/callback/{}", nonce.expose()));
        let way = Arc::new(Mutex::new(Return::new(purpose, nonce.clone(), Instant::now(), limit)));
        let port = url.port().unwrap();
        let served = tokio::spawn(listener.serve(way, examples()));
        Self { port, nonce: nonce.expose().to_owned(), served }
    }

    async fn sign_in() -> Self {
        Self::start(Purpose::SignIn, PATIENCE).await
    }

    /// Sends a request as it is and reads the whole answer.
    async fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    }

    async fn get(&self, target: &str) -> String {
        let port = self.port;
        self.send(&format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")).await
    }

    /// Comes back with a query.
    async fn comes(&self, query: &str) -> String {
        self.get(&format!("/callback/{}{query}", self.nonce)).await
    }

    /// What the page does with its fragment.
    async fn hands_over(&self, origin: &str, body: &str) -> String {
        let (port, nonce, length) = (self.port, &self.nonce, body.len());
        self.send(&format!(
            "POST /callback/{nonce} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    async fn heard(self) -> Option<Callback> {
        timeout(PATIENCE, self.served).await.unwrap().unwrap()
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn access(callback: Option<Callback>) -> String {
    match callback {
        Some(Callback::Tokens(tokens)) => tokens.access.expose_secret().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tokens_in_the_query() {
    let trial = Trial::sign_in().await;
    let page = trial.comes("?access_token=s3cret&refresh_token=r&expires_in=60").await;
    assert_eq!(status(&page), 200);
    assert!(page.contains("You may return to the phone &#38; close this page."));
    assert!(!page.contains("s3cret"));
    for header in [
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "Content-Security-Policy: default-src 'none'; script-src 'nonce-",
        "Connection: close",
    ] {
        assert!(page.contains(&format!("\r\n{header}")), "{header}");
    }
    assert_eq!(access(trial.heard().await), "s3cret");
}

#[tokio::test]
async fn tokens_in_the_fragment() {
    let trial = Trial::sign_in().await;
    // Whoever looks at the page without handing anything over uses nothing up.
    for _ in 0..3 {
        let page = trial.comes("?state=s").await;
        assert_eq!(status(&page), 200);
        assert!(page.contains("<noscript>") && page.contains("fetch("));
    }
    let said = trial.hands_over(&trial.origin(), "?state=s\n#access_token=s3cret").await;
    assert!(said.ends_with("\r\n\r\ndone"), "{said}");
    assert_eq!(access(trial.heard().await), "s3cret");
}

#[tokio::test]
async fn each_outcome_in_words() {
    for (query, words, heard) in [
        ("?token=t&two_factor_enabled=true", "You are signed in", "session"),
        ("?code=c", "You are signed in", "code"),
        ("?error=access_denied", "Sign-in was refused", "denied"),
        ("?error=server_error", "Sign-in failed", "failed"),
    ] {
        let trial = Trial::sign_in().await;
        let page = trial.comes(query).await;
        assert_eq!(status(&page), 200);
        assert!(page.contains(words), "{query}");
        let callback = match trial.heard().await.unwrap() {
            Callback::SessionToken { second_factor: true, .. } => "session",
            Callback::Code(_) => "code",
            Callback::Denied => "denied",
            Callback::Failed { .. } => "failed",
            _ => "another",
        };
        assert_eq!(callback, heard);
    }
    let trial = Trial::start(Purpose::Reset, PATIENCE).await;
    assert_eq!(status(&trial.comes("?code=t").await), 200);
    assert!(matches!(trial.heard().await, Some(Callback::ResetToken(_))));
    let trial = Trial::sign_in().await;
    assert!(trial.hands_over(&trial.origin(), "\n").await.ends_with("\r\n\r\nfailed"));
    assert!(matches!(trial.heard().await, Some(Callback::Failed { .. })));
}

#[tokio::test]
async fn refusals_use_nothing_up() {
    let trial = Trial::sign_in().await;
    let (port, nonce) = (trial.port, trial.nonce.clone());
    let good = format!("/callback/{nonce}?code=c");
    let wrong = format!("/callback/{}?code=c", nonce.replace(|digit: char| digit != '0', "0"));
    for target in [wrong.as_str(), "/callback/?code=c", "/callback?code=c", "/favicon.ico", "/"] {
        let page = trial.get(target).await;
        assert_eq!(status(&page), 404, "{target}");
        assert!(page.contains("Start again in the phone."), "{target}");
    }
    for (request, expected) in [
        (format!("GET {good} HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 403),
        (format!("GET {good} HTTP/1.1\r\n\r\n"), 403),
        (
            format!("GET {good} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: https://evil.example\r\n\r\n"),
            403,
        ),
        (
            format!(
                "GET {good} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Site: cross-site\r\n\r\n"
            ),
            403,
        ),
        (format!("HEAD {good} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"), 405),
        (format!("PUT {good} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"), 405),
        (format!("GET {good}{} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n", "x".repeat(66_000)), 431),
        ("\u{16}\u{3}\u{1}\u{2}".to_owned(), 400),
    ] {
        assert_eq!(status(&trial.send(&request).await), expected, "{request:.80}");
    }
    for origin in ["https://evil.example", "null", "http://localhost:80"] {
        assert_eq!(status(&trial.hands_over(origin, "code=c").await), 403, "{origin}");
    }
    assert_eq!(status(&trial.hands_over(&trial.origin(), &"x".repeat(20_000)).await), 413);
    assert_eq!(status(&trial.get(&good).await), 200);
    assert!(matches!(trial.heard().await, Some(Callback::Code(_))));
}

#[tokio::test]
async fn a_second_use_is_told_so() {
    let trial = Trial::sign_in().await;
    assert_eq!(status(&trial.comes("?code=c").await), 200);
    let (port, nonce) = (trial.port, trial.nonce.clone());
    let origin = trial.origin();
    let again = Trial { port, nonce, served: tokio::spawn(std::future::ready(None)) };
    assert!(trial.heard().await.is_some());
    let page = again.comes("?code=d").await;
    assert_eq!(status(&page), 410);
    assert!(page.contains("This page is no longer of use"));
    assert_eq!(status(&again.hands_over(&origin, "#code=d").await), 410);
    assert_eq!(status(&again.comes("").await), 410);
}

#[tokio::test]
async fn the_time_limit() {
    let trial = Trial::start(Purpose::SignIn, Duration::from_millis(1)).await;
    let (port, nonce) = (trial.port, trial.nonce.clone());
    assert!(trial.heard().await.is_none());
    let late = Trial { port, nonce, served: tokio::spawn(std::future::ready(None)) };
    let page = late.comes("?code=c").await;
    assert_eq!(status(&page), 410);
    assert!(page.contains("This page is no longer of use"));
}

#[tokio::test]
async fn silent_connections_stop_nobody() {
    let trial = Trial::sign_in().await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(TcpStream::connect(("127.0.0.1", trial.port)).await.unwrap());
    }
    assert_eq!(status(&trial.comes("?code=c").await), 200);
    assert!(matches!(trial.heard().await, Some(Callback::Code(_))));
}

#[tokio::test]
async fn a_slow_browser_is_understood() {
    let trial = Trial::sign_in().await;
    let mut stream = TcpStream::connect(("127.0.0.1", trial.port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (port, nonce, origin) = (trial.port, &trial.nonce, trial.origin());
    let request = format!(
        "POST /callback/{nonce} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\nContent-Length: 6\r\n\r\ncode=c"
    );
    for piece in request.as_bytes().chunks(7) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("done"));
    assert!(matches!(trial.heard().await, Some(Callback::Code(_))));
}

#[tokio::test]
async fn a_port_given_up_is_closed() {
    let trial = Trial::sign_in().await;
    assert_eq!(status(&trial.get("/").await), 404);
    trial.served.abort();
    assert!(trial.served.await.unwrap_err().is_cancelled());
    assert!(TcpStream::connect(("127.0.0.1", trial.port)).await.is_err());
}

/// Opens an address in a real browser and waits until its page has come to rest.
async fn browse(url: &str) -> String {
    let named = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found: Option<PathBuf> = named
        .iter()
        .find_map(|name| std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file()));
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(found.expect("Chromium is not installed"))
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ])
        .args(["--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(url)
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(2 * PATIENCE, output).await.unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A real browser hands its fragment over, tidies its address and says so in words.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_browser_with_a_fragment() {
    let trial = Trial::start(Purpose::SignIn, 2 * PATIENCE).await;
    let url = format!(
        "{}/callback/{}?state=s#access_token=s3cret%2B1&refresh_token=r&expires_in=3600",
        trial.origin(),
        trial.nonce
    );
    let shown = browse(&url).await;
    let Some(Callback::Tokens(tokens)) = trial.heard().await else { panic!("{shown}") };
    assert_eq!(tokens.access.expose_secret(), "s3cret+1");
    assert_eq!(tokens.refresh.unwrap().expose_secret(), "r");
    assert_eq!(tokens.expires_in, Duration::from_secs(3600));
    assert!(shown.contains("<title>You are signed in</title>"), "{shown}");
    assert!(shown.contains("<main id=\"done\" aria-live=\"polite\">"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

/// The other way: nothing but a query, and a refusal.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_browser_with_a_query() {
    let trial = Trial::start(Purpose::SignIn, 2 * PATIENCE).await;
    let shown = browse(&format!("{}/callback/{}?error=access_denied", trial.origin(), trial.nonce)).await;
    assert!(shown.contains("Sign-in was refused"), "{shown}");
    assert!(matches!(trial.heard().await, Some(Callback::Denied)));
}
