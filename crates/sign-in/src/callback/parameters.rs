use std::fmt;
use std::time::Duration;

use pbx_api::Tokens;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use url::form_urlencoded;

use super::{Callback, Purpose};

/// Most parameters looked at.
const MOST: usize = 64;

/// Longest token believed, bytes.
const LONGEST_TOKEN: usize = 8 * 1024;

/// Longest explanation kept, characters.
const LONGEST_WORDS: usize = 200;

/// Longest lifetime believed, so that no sum with it can overflow.
const LONGEST_LIFETIME: u64 = 10 * 365 * 24 * 3600;

/// Names of the token in a link to a new password, likeliest first.
const RESET_TOKEN: [&str; 6] = ["token", "resettoken", "resetpasswordtoken", "passwordtoken", "code", "t"];

/// `error` values by which the user or an administrator says no (RFC 6749, section 4.1.2.1; OpenID Connect;
/// Microsoft identity platform).
const DENIALS: [&str; 5] = ["accessdenied", "consentrequired", "usercancelled", "usercanceled", "cancelled"];

/// What a callback address carried behind its `?` and `#`. Nobody documents the names, so they are compared
/// without case and separators: `access_token`, `accessToken` and `Access-Token` are the same.
#[derive(Default)]
pub struct Parameters(Vec<(String, Zeroizing<String>)>);

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parameters({})", self.0.len())
    }
}

/// A parameter came twice with different values (RFC 6749, section 3.1 forbids it).
struct Twice(&'static str);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text: a query or a fragment, with or without its first sign. A
    /// path before a `?` in it, as pages that route by fragment have, is passed over.
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix(['?', '#']).unwrap_or(text);
        let text = match text.split_once('?') {
            Some((path, query)) if !path.contains('=') => query,
            _ => text,
        };
        let pairs = form_urlencoded::parse(text.as_bytes()).take(MOST);
        Self(pairs.map(|(name, value)| (folded(&name), Zeroizing::new(value.into_owned()))).collect())
    }

    /// These and others.
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Whether anything in them is an answer to what was asked.
    pub(super) fn say_something(&self, purpose: Purpose) -> bool {
        let known: &[&str] = match purpose {
            Purpose::SignIn => &["accesstoken", "token", "sessiontoken", "code"],
            Purpose::Reset => &RESET_TOKEN,
        };
        let known = |name: &str| known.contains(&name) || ["error", "errorcode"].contains(&name);
        self.0.iter().any(|(name, value)| known(name) && !value.is_empty())
    }

    /// What they mean.
    pub(super) fn read(&self, purpose: Purpose) -> Callback {
        let read = match purpose {
            Purpose::SignIn => self.sign_in(),
            Purpose::Reset => self.reset(),
        };
        read.unwrap_or_else(|Twice(name)| Callback::Failed { what: format!("{name} came twice") })
    }

    /// The token of a link to a new password.
    pub(super) fn reset_token(&self) -> Option<SecretString> {
        RESET_TOKEN.iter().find_map(|name| token(self.one(name).ok()??).ok())
    }

    fn sign_in(&self) -> Result<Callback, Twice> {
        if let Some(callback) = self.error()? {
            return Ok(callback);
        }
        let failed = |what: &str| Callback::Failed { what: what.to_owned() };
        if let Some(access) = self.one("accesstoken")? {
            let Ok(access) = token(access) else { return Ok(failed("access_token is not a token")) };
            let refresh = match self.one("refreshtoken")?.map(token).transpose() {
                Ok(refresh) => refresh,
                Err(NotAToken) => return Ok(failed("refresh_token is not a token")),
            };
            let expires_in = match self.one("expiresin")?.map(|seconds| seconds.trim().parse::<u64>()) {
                None => Duration::MAX,
                Some(Ok(seconds)) => Duration::from_secs(seconds.min(LONGEST_LIFETIME)),
                Some(Err(_)) => return Ok(failed("expires_in is not a number")),
            };
            let token_type = self.one("tokentype")?.map(words);
            return Ok(Callback::Tokens(Tokens { access, refresh, expires_in, token_type }));
        }
        let session = match self.one("token")? {
            Some(session) => Some(session),
            None => self.one("sessiontoken")?,
        };
        if let Some(session) = session {
            let Ok(token) = token(session) else { return Ok(failed("token is not a token")) };
            let second_factor = match self.one("twofactorenabled")?.map(str::to_ascii_lowercase).as_deref() {
                None | Some("false" | "0" | "no") => false,
                Some("true" | "1" | "yes") => true,
                Some(_) => return Ok(failed("two_factor_enabled is neither true nor false")),
            };
            return Ok(Callback::SessionToken { token, second_factor });
        }
        Ok(match self.one("code")?.map(token) {
            Some(Ok(code)) => Callback::Code(code),
            Some(Err(NotAToken)) => failed("code is not a code"),
            None => failed("the browser came back with nothing"),
        })
    }

    fn reset(&self) -> Result<Callback, Twice> {
        for name in RESET_TOKEN {
            if let Some(Ok(token)) = self.one(name)?.map(token) {
                return Ok(Callback::ResetToken(token));
            }
        }
        let nothing = || Callback::Failed { what: "the link holds no token".to_owned() };
        Ok(self.error()?.unwrap_or_else(nothing))
    }

    fn error(&self) -> Result<Option<Callback>, Twice> {
        let error = match self.one("error")? {
            Some(error) => Some(error),
            None => self.one("errorcode")?,
        };
        let Some(error) = error else { return Ok(None) };
        let mut said = self.one("errordescription")?;
        if said.is_none() {
            said = self.one("errormessage")?;
        }
        // Microsoft's number for "the user declined to consent", which may arrive under another error.
        let declined = said.is_some_and(|said| said.contains("AADSTS65004"));
        if declined || DENIALS.contains(&folded(error).as_str()) {
            return Ok(Some(Callback::Denied));
        }
        let mut what = words(error);
        if let Some(said) = said {
            what = format!("{what}: {}", words(said));
        }
        Ok(Some(Callback::Failed { what }))
    }

    /// The value of a parameter that is there and not empty.
    fn one(&self, name: &'static str) -> Result<Option<&str>, Twice> {
        let mut values = self.0.iter().filter(|(known, value)| known == name && !value.is_empty());
        let first = values.next().map(|(_, value)| value.as_str());
        if values.any(|(_, value)| Some(value.as_str()) != first) { Err(Twice(name)) } else { Ok(first) }
    }
}

struct NotAToken;

/// A token: what fits into a header (RFC 9110, section 5.5) and is no longer than any honest one. A space was a
/// plus sign that the sender did not escape, as Base64 has it.
fn token(text: &str) -> Result<SecretString, NotAToken> {
    let text = Zeroizing::new(text.replace(' ', "+"));
    let fits = (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text.as_str().into()) } else { Err(NotAToken) }
}

/// Somebody else's words, fit to be shown on one line.
fn words(text: &str) -> String {
    let readable = text.split_whitespace().collect::<Vec<_>>().join(" ");
    readable.chars().filter(|letter| !letter.is_control()).take(LONGEST_WORDS).collect()
}

fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{prop_assert, proptest};
    use secrecy::ExposeSecret;

    use super::{Callback, Parameters, Purpose};

    /// A callback with its secrets in the open.
    fn read(text: &str, purpose: Purpose) -> String {
        match Parameters::parse(text).read(purpose) {
            Callback::Tokens(tokens) => format!(
                "tokens {} {} {} {}",
                tokens.access.expose_secret(),
                tokens.refresh.as_ref().map_or("-", |refresh| refresh.expose_secret()),
                match tokens.expires_in {
                    Duration::MAX => "untold".to_owned(),
                    lifetime => lifetime.as_secs().to_string(),
                },
                tokens.token_type.as_deref().unwrap_or("-"),
            ),
            Callback::SessionToken { token, second_factor } => {
                format!("session {} {second_factor}", token.expose_secret())
            }
            Callback::Code(code) => format!("code {}", code.expose_secret()),
            Callback::ResetToken(token) => format!("reset {}", token.expose_secret()),
            Callback::Denied => "denied".into(),
            Callback::Failed { what } => format!("failed {what}"),
        }
    }

    #[test]
    fn sign_ins() {
        for (text, expected) in [
            ("access_token=a&refresh_token=r&expires_in=3600&token_type=Bearer", "tokens a r 3600 Bearer"),
            ("?accessToken=a%2Bb+c", "tokens a+b+c - untold -"),
            ("#accessToken=a%2Bb&expiresIn=5", "tokens a+b - 5 -"),
            ("#/signed-in?access_token=a", "tokens a - untold -"),
            ("access_token=a?b=c", "tokens a?b=c - untold -"),
            ("access_token=a&expires_in=99999999999999999999", "failed expires_in is not a number"),
            ("access_token=a&expires_in=9999999999999999999", "tokens a - 315360000 -"),
            ("access_token=a&refresh_token=", "tokens a - untold -"),
            ("access_token=a&access_token=b", "failed accesstoken came twice"),
            ("access_token=a&access_token=a", "tokens a - untold -"),
            ("token=a+b/c==", "session a+b/c== false"),
            ("token=a%2Bb", "session a+b false"),
            ("token=t", "session t false"),
            ("token=t&two_factor_enabled=true", "session t true"),
            ("session_token=t&twoFactorEnabled=1", "session t true"),
            ("token=t&two_factor_enabled=maybe", "failed two_factor_enabled is neither true nor false"),
            ("code=c&state=s", "code c"),
            ("code=c&error=access_denied", "denied"),
            ("error=access_denied&error_description=no", "denied"),
            ("error=server_error&error_description=AADSTS65004%3A+declined", "denied"),
            (
                "error=server_error&error_description=it%0d%0abroke+%1b[1m",
                "failed server_error: it broke [1m",
            ),
            ("error=", "failed the browser came back with nothing"),
            ("", "failed the browser came back with nothing"),
            ("state=s", "failed the browser came back with nothing"),
        ] {
            assert_eq!(read(text, Purpose::SignIn), expected, "{text}");
        }
    }

    #[test]
    fn resets() {
        for (text, expected) in [
            ("token=t", "reset t"),
            ("reset_token=t", "reset t"),
            ("code=t&state=x", "reset t"),
            ("t=t", "reset t"),
            ("token=a%00b&code=t", "reset t"),
            ("error=expired", "failed expired"),
            ("x=y", "failed the link holds no token"),
        ] {
            assert_eq!(read(text, Purpose::Reset), expected, "{text}");
        }
    }

    #[test]
    fn bounds() {
        let long = format!("access_token={}", "a".repeat(8193));
        assert_eq!(read(&long, Purpose::SignIn), "failed access_token is not a token");
        let many = format!("{}code=c", "x=y&".repeat(64));
        assert_eq!(read(&many, Purpose::SignIn), "failed the browser came back with nothing");
        let words = read(&format!("error=e&error_description={}", "w".repeat(5000)), Purpose::SignIn);
        assert!(words.len() < 300);
        assert_eq!(format!("{:?}", Parameters::parse("code=c")), "Parameters(1)");
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,200}", known in "(access_token|token|code|error|error_description|t)=[^&]{0,20}") {
            for purpose in [Purpose::SignIn, Purpose::Reset] {
                for text in [text.clone(), format!("{known}&{text}"), format!("#{text}&{known}")] {
                    if let Callback::Failed { what } = Parameters::parse(&text).read(purpose) {
                        prop_assert!(!what.chars().any(char::is_control) && what.chars().count() < 500);
                    }
                }
            }
        }
    }
}
