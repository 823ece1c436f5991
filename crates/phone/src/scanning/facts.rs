//! What a QR picture holds, for those who look into one by hand. Secrets are left out.

use sign_in::SignInCode;
use sign_in::qr;

use super::{Seen, still};
use crate::{Code, Problem};

/// What a sign-in code says, without its secrets: each fact by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeFacts {
    /// `user` for the code of a v22 PBX, `legacy` for one of those before.
    pub kind: &'static str,
    /// Names and values, in order.
    pub facts: Vec<(&'static str, String)>,
}

/// What stands in place of a secret.
const MASKED: &str = "(hidden)";

/// Reads the sign-in code in a picture file.
///
/// # Errors
/// [`Code::PictureUnreadable`], [`Code::NoCodeFound`], or [`Code::NotASignInCode`] with what it seems to be.
pub fn code_in(file: &[u8]) -> Result<CodeFacts, Problem> {
    let picture =
        qr::picture(file).map_err(|error| Problem::new(Code::PictureUnreadable, error.to_string()))?;
    match still::in_picture(picture.luma()) {
        Seen::Found(code) => Ok(facts(&code)),
        Seen::Other(problem) => Err(problem),
        _ => Err(Code::NoCodeFound.into()),
    }
}

fn facts(code: &SignInCode) -> CodeFacts {
    match code {
        SignInCode::User(code) => {
            let ways = code.ways.iter().map(|way| {
                let name = if way.preferred { "preferred way" } else { "way" };
                (name, way.server.authority())
            });
            let fixed = [("version", code.version.to_string()), ("profile file", MASKED.to_owned())];
            CodeFacts { kind: "user", facts: fixed.into_iter().chain(ways).collect() }
        }
        SignInCode::Legacy(code) => {
            let mut facts = vec![
                ("extension", code.extension.clone()),
                ("password", MASKED.to_owned()),
                ("domain", code.domain.to_string()),
            ];
            facts.extend(code.proxies.iter().map(|proxy| ("outbound proxy", proxy.clone())));
            let transports = code.transports.iter();
            facts.extend(transports.map(|(kind, port)| ("transport", format!("{kind:?} {port}"))));
            CodeFacts { kind: "legacy", facts }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let code = SignInCode::parse(text).unwrap();
        format!("{:?}", facts(&code))
    }

    #[test]
    fn secrets_are_left_out() {
        let user = shown(
            r#"{"v":220,"path":"/api/blobs/sesame","info":[{"pbx_domain":"pbx.example","prefer":true},{"pri4":"192.0.2.7"}]}"#,
        );
        assert!(user.contains("pbx.example:8887") && user.contains("192.0.2.7:8887"), "{user}");
        let legacy = shown(
            r#"{"extension_number":"101","extension_password":"sesame","sip_domain":"test.io","outbound_proxy":"192.0.2.7"}"#,
        );
        assert!(legacy.contains("test.io") && legacy.contains("101"), "{legacy}");
        for shown in [user, legacy] {
            assert!(!shown.contains("sesame"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert_eq!(code_in(b"not a picture").unwrap_err().code, Code::PictureUnreadable);
    }
}
