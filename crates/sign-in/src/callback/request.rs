use std::str;

use secrecy::zeroize::Zeroizing;

use super::Parameters;

/// Longest request line with headers, bytes. Cookies that other programs left at 127.0.0.1 come along.
const HEAD: usize = 64 * 1024;

/// Longest body, bytes.
const BODY: usize = 16 * 1024;

/// Longest request, bytes.
pub(super) const LONGEST: usize = HEAD + BODY;

/// Most headers.
const HEADERS: usize = 64;

/// What a browser asks of the callback address.
pub enum Asked {
    /// It came back (`GET`), with what stood in the query.
    Page {
        /// The nonce in its path.
        nonce: Zeroizing<String>,
        /// What stood in the query.
        parameters: Parameters,
    },
    /// The page hands over what it alone can see, the fragment (`POST`).
    Handover {
        /// The nonce in its path.
        nonce: Zeroizing<String>,
        /// What stood in query and fragment.
        parameters: Parameters,
    },
}

/// Why a request is not looked at any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefused {
    /// It is no HTTP/1 request, or an ambiguous one.
    #[error("not a request")]
    Broken,
    /// It comes from a page of another origin, is meant for another host, or is not the browser going somewhere.
    #[error("a foreign request")]
    Foreign,
    /// There is nothing at its path.
    #[error("nothing is there")]
    NotFound,
    /// Neither `GET` nor `POST`.
    #[error("not this method")]
    Method,
    /// Its body is larger than any honest one.
    #[error("the body is too large")]
    BodyTooLarge,
    /// Its head is larger than any honest one.
    #[error("the head is too large")]
    HeadTooLarge,
}

impl RequestRefused {
    /// The status that says so (RFC 9110, section 15).
    pub fn status(self) -> u16 {
        match self {
            Self::Broken => 400,
            Self::Foreign => 403,
            Self::NotFound => 404,
            Self::Method => 405,
            Self::BodyTooLarge => 413,
            Self::HeadTooLarge => 431,
        }
    }
}

/// Reads a request to the listener at this port of 127.0.0.1 out of all bytes that came so far; `None` while it
/// is not complete. Pure.
///
/// # Errors
/// [`RequestRefused`], as early as it is certain.
pub fn read_request(bytes: &[u8], port: u16) -> Result<Option<Asked>, RequestRefused> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let head = match request.parse(bytes) {
        Ok(httparse::Status::Complete(head)) if head <= HEAD => head,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(RequestRefused::HeadTooLarge),
        Err(_) => return Err(RequestRefused::Broken),
    };
    let headers = Headers(request.headers);
    let posted = match request.method {
        Some("GET") => false,
        Some("POST") => true,
        _ => return Err(RequestRefused::Method),
    };
    let own = format!("127.0.0.1:{port}");
    if headers.one("host")?.is_none_or(|host| host != own) {
        return Err(RequestRefused::Foreign);
    }
    let origin = headers.one("origin")?.map(|origin| origin.strip_prefix("http://") == Some(own.as_str()));
    let site = headers.one("sec-fetch-site")?;
    let mode = headers.one("sec-fetch-mode")?;
    let dest = headers.one("sec-fetch-dest")?;
    let own_page = origin == Some(true) && matches!(site, None | Some("same-origin"));
    // A redirect from elsewhere brings the browser here: only as the whole window, never a frame or a picture.
    let arrival = origin != Some(false)
        && matches!(mode, None | Some("navigate"))
        && matches!(dest, None | Some("document"));
    if !(if posted { own_page } else { arrival }) {
        return Err(RequestRefused::Foreign);
    }
    let (path, query) =
        request.path.map_or(("", ""), |target| target.split_once('?').unwrap_or((target, "")));
    let nonce = path.strip_prefix("/callback/").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let nonce = nonce.ok_or(RequestRefused::NotFound)?;
    let length = headers.length()?;
    if length > BODY {
        return Err(RequestRefused::BodyTooLarge);
    }
    let (nonce, parameters) = (Zeroizing::new(nonce.to_owned()), Parameters::parse(query));
    if !posted {
        return Ok(Some(Asked::Page { nonce, parameters }));
    }
    let Some(body) = bytes.get(head..head.saturating_add(length)) else { return Ok(None) };
    let body = str::from_utf8(body).map_err(|_| RequestRefused::Broken)?;
    // The page sends query and fragment as they stood, each on a line.
    let parameters = body.lines().map(Parameters::parse).fold(parameters, Parameters::and);
    Ok(Some(Asked::Handover { nonce, parameters }))
}

struct Headers<'a>(&'a [httparse::Header<'a>]);

impl<'a> Headers<'a> {
    /// The value of a header that may come once.
    fn one(&self, name: &str) -> Result<Option<&'a str>, RequestRefused> {
        let mut values = self.0.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        let first = values.next();
        if values.next().is_some() {
            return Err(RequestRefused::Broken);
        }
        first.map(|header| str::from_utf8(header.value).map_err(|_| RequestRefused::Broken)).transpose()
    }

    /// Length of the body (RFC 9112, section 6); no browser sends one of unknown length.
    fn length(&self) -> Result<usize, RequestRefused> {
        if self.one("transfer-encoding")?.is_some() {
            return Err(RequestRefused::Broken);
        }
        let Some(text) = self.one("content-length")? else { return Ok(0) };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(RequestRefused::Broken);
        }
        // Digits only: what does not parse is too large.
        Ok(text.parse().unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Asked, RequestRefused, read_request};
    use crate::callback::{Callback, Purpose};

    const PORT: u16 = 4711;

    /// What becomes of a request: `page` or `post` with its nonce and what its parameters mean.
    fn read(request: &str) -> String {
        let (kind, nonce, parameters) = match read_request(request.as_bytes(), PORT) {
            Ok(None) => return "more".into(),
            Ok(Some(Asked::Page { nonce, parameters })) => ("page", nonce, parameters),
            Ok(Some(Asked::Handover { nonce, parameters })) => ("post", nonce, parameters),
            Err(refused) => return refused.status().to_string(),
        };
        let said = matches!(parameters.read(Purpose::SignIn), Callback::Code(_));
        format!("{kind} {} {said}", nonce.as_str())
    }

    fn get(target: &str, headers: &str) -> String {
        read(&format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n{headers}\r\n"))
    }

    fn post(headers: &str, body: &str) -> String {
        let length = body.len();
        read(&format!(
            "POST /callback/n HTTP/1.1\r\nhost: 127.0.0.1:4711\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    #[test]
    fn arrivals() {
        for (target, expected) in [
            ("/callback/n?code=c", "page n true"),
            ("/callback/n/?code=c", "page n true"),
            ("/callback/n", "page n false"),
            ("/callback/", "page  false"),
            ("/callback/a/b", "page a/b false"),
            ("/callback", "404"),
            ("/", "404"),
            ("/favicon.ico", "404"),
            ("http://127.0.0.1:4711/callback/n", "404"),
        ] {
            assert_eq!(get(target, ""), expected, "{target}");
        }
        for (headers, expected) in [
            ("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", true),
            ("Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n", true),
            ("Origin: http://127.0.0.1:4711\r\n", true),
            ("Origin: https://evil.example\r\n", false),
            ("Origin: null\r\n", false),
            ("Origin: http://127.0.0.1:4712\r\n", false),
            ("Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n", false),
            ("Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n", false),
            ("Sec-Fetch-Mode: cors\r\n", false),
        ] {
            assert_eq!(get("/callback/n", headers) == "page n false", expected, "{headers}");
        }
    }

    #[test]
    fn hosts() {
        for (headers, expected) in [
            ("Host: 127.0.0.1:4711\r\n", "page n false"),
            ("", "403"),
            ("Host: localhost:4711\r\n", "403"),
            ("Host: 127.0.0.1\r\n", "403"),
            ("Host: evil.example:4711\r\n", "403"),
            ("Host: 127.0.0.1:4711\r\nHost: 127.0.0.1:4711\r\n", "400"),
            ("Host: \u{e9}\r\n", "403"),
        ] {
            assert_eq!(read(&format!("GET /callback/n HTTP/1.1\r\n{headers}\r\n")), expected, "{headers}");
        }
    }

    #[test]
    fn handovers() {
        let own = "Origin: http://127.0.0.1:4711\r\n";
        assert_eq!(post(own, "code=c"), "post n true");
        assert_eq!(post(own, "?state=s\n#code=c"), "post n true");
        assert_eq!(post(&format!("{own}Sec-Fetch-Site: same-origin\r\n"), ""), "post n false");
        for (headers, expected) in [
            ("", "403"),
            ("Origin: null\r\n", "403"),
            ("Origin: https://pbx.example\r\nSec-Fetch-Mode: navigate\r\n", "403"),
            ("Origin: http://127.0.0.1:4711\r\nSec-Fetch-Site: cross-site\r\n", "403"),
            ("Origin: http://127.0.0.1:4711\r\nTransfer-Encoding: chunked\r\n", "400"),
            ("Origin: http://127.0.0.1:4711\r\nContent-Length: 1\r\n", "400"),
        ] {
            assert_eq!(post(headers, "code=c"), expected, "{headers}");
        }
        let told = |length: &str| {
            read(&format!(
                "POST /callback/n HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n{own}Content-Length: {length}\r\n\r\ncode=c"
            ))
        };
        for (length, expected) in [
            ("6", "post n true"),
            ("5", "post n false"),
            ("7", "more"),
            ("16384", "more"),
            ("16385", "413"),
            ("99999999999999999999999999", "413"),
            ("-1", "400"),
            ("+6", "400"),
            ("6, 6", "400"),
        ] {
            assert_eq!(told(length), expected, "{length}");
        }
    }

    #[test]
    fn methods_and_broken_ones() {
        for (request, expected) in [
            ("", "more"),
            ("GET /callback/n HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n", "more"),
            ("HEAD /callback/n HTTP/1.1\r\n\r\n", "405"),
            ("OPTIONS * HTTP/1.1\r\n\r\n", "405"),
            ("PUT /callback/n HTTP/1.1\r\n\r\n", "405"),
            ("GET /callback/n HTTP/2.0\r\n\r\n", "400"),
            ("\u{16}\u{3}\u{1}", "400"),
            ("GET  /callback/n HTTP/1.1\r\n\r\n", "400"),
        ] {
            assert_eq!(read(request), expected, "{request:?}");
        }
        assert_eq!(read(&"x-header: y\r\n".repeat(5500)), "400");
        assert_eq!(read(&format!("GET /{} ", "x".repeat(66_000))), "431");
        assert_eq!(read(&format!("GET / HTTP/1.1\r\n{}", "x: y\r\n".repeat(65))), "431");
        let late = format!("GET /callback/n?{} HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n", "x".repeat(66_000));
        assert_eq!(read(&late), "431");
        assert_eq!(RequestRefused::HeadTooLarge.status(), 431);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in any::<Vec<u8>>(), line in "[ -~]{0,80}", headers in "([A-Za-z-]{1,12}: [ -~]{0,20}\r\n){0,5}") {
            let _ = read_request(&bytes, PORT);
            let _ = read(&line);
            let _ = get(&format!("/callback/{line}"), &headers);
            let _ = post(&headers, &line);
        }
    }
}
