//! Pages for a browser.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:light-dark(#e8edf0,#12171b);--card:light-dark(#fcfdfd,#1d2429);\
--ink:light-dark(#1a2025,#eef1f3);--ink2:light-dark(#525c64,#b4bdc4);--hair:light-dark(#d8dee2,#313b42);\
--accent:light-dark(#005f73,#6cbfd1);--on:light-dark(#fff,#0c2027);--soft:light-dark(#e4f0f3,#1f3a42);\
--red:light-dark(#b3261e,#f2a59f)}\
*{box-sizing:border-box}body{margin:0;min-height:100vh;padding:48px 16px;background:var(--ground);color:var(--ink);\
font:14px/1.45 Inter,system-ui,sans-serif}\
main{max-width:400px;margin:0 auto;padding:32px;background:var(--card);border:1px solid var(--hair);\
border-radius:12px}main.wide{max-width:720px}h1{margin:0 0 8px;font-size:20px;line-height:1.25;font-weight:600}\
p{margin:0 0 16px;color:var(--ink2)}label{display:block;margin:16px 0 4px;font-size:13px;font-weight:500}\
input{width:100%;height:40px;padding:0 12px;border:1px solid var(--ink2);border-radius:8px;background:transparent;\
color:inherit;font:inherit}input:focus-visible,button:focus-visible,a:focus-visible{outline:3px solid var(--accent);\
outline-offset:1px}button{height:40px;padding:0 16px;border:1px solid var(--hair);border-radius:8px;\
background:transparent;color:inherit;font:inherit;font-weight:500;cursor:pointer}\
button.primary{background:var(--accent);color:var(--on);border-color:transparent}\
.row{display:flex;gap:12px;margin-top:24px}.row button{flex:1}\
.label{display:inline-block;margin-bottom:16px;padding:4px 10px;border-radius:999px;background:var(--soft);\
color:var(--ink);font-size:13px;font-weight:500}.bad{color:var(--red)}a{color:var(--accent);overflow-wrap:anywhere}\
article{padding:16px 0;border-top:1px solid var(--hair)}article h2{margin:0;font-size:14px;font-weight:600}\
article p{margin:4px 0 0;white-space:pre-line;overflow-wrap:anywhere}time{float:inline-end;color:var(--ink2);\
font-size:13px;font-variant-numeric:tabular-nums}\
.code{font-size:28px;letter-spacing:.16em;color:var(--ink);font-variant-numeric:tabular-nums}";

/// A page with this title; `body` is HTML. Its address may hold a token, so nothing of it is kept or passed on.
pub(super) fn page(status: StatusCode, title: &str, head: &str, body: &str) -> Response {
    let title = escape(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">{head}<title>{title}</title>\
         <style>{STYLE}</style></head><body>{body}</body></html>"
    );
    // No form-action: browsers would hold it against the way back to the callback address as well.
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(html)).into_response()
}

/// A page that only says something.
pub(super) fn say(status: StatusCode, title: &str, text: &str) -> Response {
    let (head, text) = (escape(title), escape(text));
    page(status, title, "", &format!("<main><h1>{head}</h1><p data-testid=\"said\">{text}</p></main>"))
}

/// Sends the browser on.
pub(super) fn go_to(address: &str) -> Response {
    let headers = [
        (header::LOCATION, address),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Text as it may stand in HTML, in attributes too.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
