//! The webview is a process of its own and may die; the phone and its calls live on.

use brand::{BRAND, Links};
use tauri::plugin::{self, TauriPlugin};
use tauri::{AppHandle, Manager, Url, Webview, Wry};

/// Keeps the windows on the UI: nothing else is ever loaded into them, whatever link is followed. The brand's own
/// pages are opened in the system's browser instead. A window whose webview dies is loaded anew.
pub fn stay_home() -> TauriPlugin<Wry> {
    let follow = |url: &Url| {
        if let Some(page) = brands_page(url) {
            // It may take its time.
            tauri::async_runtime::spawn_blocking(move || {
                if let Err(error) = webbrowser::open(page) {
                    tracing::warn!(%error, page, "no browser opens a page of the brand's");
                }
            });
        }
        is_home(url)
    };
    plugin::Builder::new("stay-home")
        .on_navigation(move |_, url| follow(url))
        .on_webview_ready(|webview| {
            if let Err(error) = reload_after_crash(&webview) {
                tracing::warn!(%error, "the window is not loaded anew when its webview dies");
            }
        })
        .build()
}

/// The page of the brand's that `url` is.
fn brands_page(url: &Url) -> Option<&'static str> {
    let Links { website, help, privacy } = BRAND.links;
    let mut pages = [website, help, privacy].into_iter().flatten();
    pages.find(|page| Url::parse(page).is_ok_and(|page| page == *url))
}

/// Whether `url` is the UI: `tauri://localhost`, on Windows `http(s)://tauri.localhost`, and in a build
/// without the UI in it Vite's server. A webview begins at `about:blank`.
fn is_home(url: &Url) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) | ("http" | "https", Some("tauri.localhost")) => true,
        ("http", Some("localhost")) => tauri::is_dev(),
        _ => url.as_str() == "about:blank",
    }
}

/// Loads the UI anew; it asks for the picture and draws the truth.
///
/// # Errors
/// The window is gone already.
pub fn reload(app: &AppHandle) -> tauri::Result<()> {
    app.webview_windows().into_values().try_for_each(|window| window.reload())
}

/// Loads the UI anew when its process dies. The phone does not notice.
#[cfg(target_os = "linux")]
fn reload_after_crash(webview: &Webview) -> tauri::Result<()> {
    use webkit2gtk::WebViewExt;

    webview.with_webview(|webview| {
        webview.inner().connect_web_process_terminated(|view, reason| {
            tracing::warn!(?reason, "the webview died; loading the window anew");
            view.reload();
        });
    })
}

/// Other systems' webviews come back, or not, by themselves.
#[cfg(not(target_os = "linux"))]
fn reload_after_crash(_webview: &Webview) -> tauri::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ui_is_home() {
        let is_home = |url: &str| is_home(&url.parse().unwrap());
        assert!(is_home("tauri://localhost"));
        assert!(is_home("tauri://localhost/index.html"));
        assert!(is_home("http://tauri.localhost/"));
        assert!(is_home("about:blank"));
        assert!(!is_home("http://localhost.evil.example/"));
        assert!(!is_home("https://test.io/"));
        assert!(!is_home("tauri://evil.example/"));
        assert!(!is_home("file:///etc/passwd"));
        assert!(!is_home("data:text/html,x"));
        assert!(!is_home("about:srcdoc"));
    }

    #[test]
    fn only_the_brands_own_pages_are_shown_elsewhere() {
        let Links { website, help, privacy } = BRAND.links;
        for page in [website, help, privacy].into_iter().flatten() {
            assert_eq!(brands_page(&page.parse().unwrap()), Some(page));
        }
        for other in ["https://test.io/", "file:///etc/passwd", "tauri://localhost"] {
            assert_eq!(brands_page(&other.parse().unwrap()), None);
        }
    }
}
