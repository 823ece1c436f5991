use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use url::Url;

use super::{Nonce, Parameters};

/// Longest link looked at, bytes.
const LONGEST: usize = 24 * 1024;

/// Shortest and longest token taken without a name beside it, bytes.
const BARE: std::ops::RangeInclusive<usize> = 6..=4096;

/// Shortest last piece of a path that can be a token, bytes.
const SHORTEST_PIECE: usize = 16;

/// The callback address of the app's own scheme, `SCHEME://callback/NONCE`, for a PBX that refuses loopback
/// addresses. `None` where the scheme is none (RFC 3986, section 3.1).
pub fn scheme_url(scheme: &str, nonce: &Nonce) -> Option<Url> {
    Url::parse(&format!("{scheme}://callback/{}", nonce.expose())).ok().filter(|url| url.scheme() == scheme)
}

/// Nonce and parameters of a link of the app's own scheme; `None` where it is no way back.
pub fn parse_link(link: &str, scheme: &str) -> Option<(Zeroizing<String>, Parameters)> {
    let url =
        Some(link.trim()).filter(|link| link.len() <= LONGEST).and_then(|link| Url::parse(link).ok())?;
    if !url.scheme().eq_ignore_ascii_case(scheme) {
        return None;
    }
    // Some systems hand `scheme://callback/nonce` over as `scheme:/callback/nonce`, or with a slash more.
    let pieces = url.host_str().into_iter().chain(url.path().split('/'));
    let mut pieces = pieces.filter(|piece| !piece.is_empty());
    let nonce = match (pieces.next(), pieces.next(), pieces.next()) {
        (Some("callback"), Some(nonce), None) => Zeroizing::new(nonce.to_owned()),
        _ => return None,
    };
    Some((nonce, parameters(&url)))
}

/// The token of a link to a new password, out of what was pasted: the link, words around it, or the token by
/// itself. `None` where there is none.
pub fn reset_token(pasted: &str) -> Option<SecretString> {
    let pasted = Some(pasted.trim()).filter(|pasted| pasted.len() <= LONGEST)?;
    let Some(link) = pasted.split_whitespace().find(|word| word.contains("://")) else {
        let token = pasted.trim_matches(|letter| "<>\"'".contains(letter));
        let plain = BARE.contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
        return plain.then(|| token.into());
    };
    let link = link.trim_matches(|letter| "<>\"'()[],;".contains(letter));
    let url = Url::parse(link).ok()?;
    parameters(&url).reset_token().or_else(|| {
        // A page that routes by fragment has its path there.
        let fragment = url.fragment().unwrap_or_default();
        [fragment, url.path()].into_iter().find_map(last_piece)
    })
}

fn parameters(url: &Url) -> Parameters {
    let query = Parameters::parse(url.query().unwrap_or_default());
    query.and(Parameters::parse(url.fragment().unwrap_or_default()))
}

/// The last piece of a path, where it looks like a token and not like a word.
fn last_piece(path: &str) -> Option<SecretString> {
    let piece = path.split(['?', '&']).next()?.split('/').rfind(|piece| !piece.is_empty())?;
    let plain = piece.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
    let random = piece.bytes().any(|byte| byte.is_ascii_digit());
    ((SHORTEST_PIECE..=*BARE.end()).contains(&piece.len()) && plain && random).then(|| piece.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;
    use secrecy::ExposeSecret;

    use super::{parse_link, reset_token, scheme_url};
    use crate::callback::{Callback, Nonce, Purpose};

    #[test]
    fn our_own_scheme() {
        let nonce = Nonce::random();
        let url = scheme_url("carillon", &nonce).unwrap();
        assert_eq!(url.as_str(), format!("carillon://callback/{}", nonce.expose()));
        for sent in [
            format!("{url}?code=c"),
            format!("{url}#code=c"),
            format!("{url}/?code=c"),
            format!(" CARILLON:/callback/{}?code=c ", nonce.expose()),
        ] {
            let (given, parameters) = parse_link(&sent, "carillon").unwrap();
            assert_eq!(given.as_str(), nonce.expose(), "{sent}");
            let Callback::Code(code) = parameters.read(Purpose::SignIn) else { panic!("{sent}") };
            assert_eq!(code.expose_secret(), "c");
        }
        for other in [
            "",
            "carillon:",
            "carillon://callback",
            "carillon://callback/",
            "carillon://callback/a/b",
            "carillon://other/a",
            "carillon2://callback/a",
            "https://callback/a",
            "tel:101",
        ] {
            assert!(parse_link(other, "carillon").is_none(), "{other}");
        }
        assert!(parse_link(&format!("{url}?{}", "x".repeat(30_000)), "carillon").is_none());
        for bad in ["", "a b", "1a", "a:b", "a/b"] {
            assert!(scheme_url(bad, &nonce).is_none(), "{bad}");
        }
    }

    #[test]
    fn pasted() {
        for (pasted, expected) in [
            ("https://pbx:8887/reset?token=abc", Some("abc")),
            (" <https://pbx:8887/reset?reset_token=a%2Bb> ", Some("a+b")),
            ("https://pbx/#/reset?token=abc", Some("abc")),
            ("https://pbx/#token=abc", Some("abc")),
            ("https://pbx/#/reset/0123456789abcdef0123", Some("0123456789abcdef0123")),
            ("https://pbx/reset/0123456789abcdef0123/", Some("0123456789abcdef0123")),
            ("https://pbx/reset?code=abc", Some("abc")),
            ("https://pbx/reset?t=abc&lang=en", Some("abc")),
            ("Your link: https://pbx/reset?t=abc\nBye", Some("abc")),
            ("carillon://callback/x?token=abc", Some("abc")),
            ("0123456789abcdef", Some("0123456789abcdef")),
            ("\"0123456789abcdef\"", Some("0123456789abcdef")),
            ("https://pbx:8887/", None),
            ("https://pbx:8887/reset_password", None),
            ("https://pbx:8887/reset-your-password-now", None),
            ("https://pbx:8887/reset?token=", None),
            ("two words", None),
            ("short", None),
            ("", None),
            ("://", None),
        ] {
            let found = reset_token(pasted);
            assert_eq!(found.as_ref().map(|token| token.expose_secret()), expected, "{pasted}");
        }
        assert!(reset_token(&"a".repeat(5000)).is_none());
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,200}") {
            for text in [text.clone(), format!("carillon://callback/{text}"), format!("https://{text}")] {
                let _ = parse_link(&text, "carillon");
                let _ = reset_token(&text);
            }
        }
    }
}
