use std::time::Duration;

use pbx_api::{ApiError, AuthUser, Cause, Dialect, ErrorCode};
use secrecy::ExposeSecret;

use super::{
    Trial, asked, auth_user, blob, certificate, finished, finished_plain, missing, refused, timeout, user,
};
use crate::wizard::{Action, Input, Method, Page};
use crate::{Answer, Question, SignInCode};

const FILE: &str = "<AccessToken>access</AccessToken><TenantDomain>test.io</TenantDomain>\
                    <ExtensionNumber>101</ExtensionNumber>";
const PASSWORD: &str = "<ExtensionPassword>sip</ExtensionPassword>";

fn code() -> Input {
    let text = r#"{"v":220,"path":"/api/blobs/file","info":[{"pub4":"192.0.2.1"},
        {"pbx_domain":"pbx.test.io","prefer":true},{"pri4":"10.0.0.1"}]}"#;
    Input::Scanned(SignInCode::parse(text).unwrap())
}

fn legacy(transport: &str) -> Input {
    let text = format!(
        r#"{{"extension_number":"101","extension_password":"sip","sip_domain":"test.io",
        "pbx_public_ip":"192.0.2.1","transports":[{{"protocol":"{transport}","port":"5070"}}]}}"#
    );
    Input::Scanned(SignInCode::parse(&text).unwrap())
}

fn file(account: &str) -> Answer {
    let file = format!("<root><Version>3</Version><Account>{account}</Account></root>");
    Answer::Profile(Ok(blob(file.as_bytes())))
}

fn failed(error: ApiError) -> Answer {
    Answer::Profile(Err(error))
}

/// A trial that waits for the file of a code.
fn at_code() -> Trial {
    let mut trial = Trial::new();
    assert!(trial.does(Input::Scan).is_empty());
    trial.stands(Page::Scan, "None");
    assert_eq!(asked(&trial.does(code())), "blobs@pbx.test.io");
    assert!(trial.wizard.busy());
    trial
}

#[test]
fn signs_in_by_itself() {
    let mut trial = at_code();
    assert_eq!(asked(&trial.answers(file(&format!("{FILE}{PASSWORD}")))), "auth/user@pbx.test.io");
    assert_eq!(asked(&trial.answers(auth_user(false))), "user@pbx.test.io");
    // Its file is here already.
    let done = finished(trial.answers(user(None, Some("digest"))));
    assert_eq!((done.dialect, done.method, done.username.as_str()), (Dialect::Token, Method::Qr, "alice"));
    assert_eq!((done.server.to_string(), done.tenant.domain.as_str()), ("pbx.test.io".into(), "test.io"));
    assert_eq!((done.tokens.access.expose_secret(), done.tokens.expires_in), ("access", Duration::MAX));
    assert_eq!(done.extension.sip_password.unwrap().expose_secret(), "sip");
    trial.stands(Page::Done, "None");
}

#[test]
fn the_first_way_that_leads_there() {
    let server = || "pbx".parse().unwrap();
    let nowhere = [
        ApiError::ServerNotFound { server: server(), cause: Cause::new("x") },
        ApiError::ConnectionRefused { server: server(), cause: Cause::new("x") },
        ApiError::NetworkUnreachable { server: server(), cause: Cause::new("x") },
        ApiError::ConnectionLost { server: server(), cause: Cause::new("x") },
        timeout(),
    ];
    for error in nowhere {
        let mut trial = at_code();
        let actions = trial.answers(failed(error));
        let [Action::Ask { server, question: Question::Profile { reference, access: None }, .. }] =
            &actions[..]
        else {
            panic!("{actions:?}")
        };
        assert_eq!((server.to_string().as_str(), reference.as_str()), ("192.0.2.1", "/api/blobs/file"));
        assert_eq!(asked(&trial.answers(file(FILE))), "auth/user@192.0.2.1");
    }
    let mut trial = at_code();
    trial.answers(failed(timeout()));
    assert_eq!(asked(&trial.answers(failed(timeout()))), "blobs@10.0.0.1");
    assert!(trial.answers(failed(timeout())).is_empty());
    trial.stands(Page::Scan, "CodeUnreachable { last: Some(Timeout");
    // And it may be scanned again.
    assert_eq!(asked(&trial.does(code())), "blobs@pbx.test.io");
}

#[test]
fn a_certificate_is_no_dead_end() {
    let mut trial = at_code();
    assert!(trial.answers(failed(certificate(1))).is_empty());
    trial.refuses(code());
    let fingerprint = trial.wizard.certificate().unwrap().fingerprint;
    let actions = trial.does(Input::TrustCertificate { fingerprint });
    assert_eq!(asked(&actions), "trust pbx, blobs@pbx.test.io");
    assert_eq!(asked(&trial.answers(file(FILE))), "auth/user@pbx.test.io");
    let mut trial = at_code();
    trial.answers(failed(certificate(1)));
    trial.does(Input::Back);
    trial.stands(Page::Scan, "None");
    assert_eq!(asked(&trial.does(code())), "blobs@pbx.test.io");
}

#[test]
fn codes_that_lead_to_nothing() {
    let server_failed = ApiError::ServerFailed { status: 500, retry_after: None };
    for (answer, expected) in [
        (failed(missing()), "CodeOutdated"),
        (failed(ApiError::Unauthorized), "CodeOutdated"),
        (failed(refused(403, ErrorCode::Unknown)), "CodeOutdated"),
        (failed(server_failed), "ServerFailed"),
        (Answer::Profile(Ok(blob(b"\xff"))), "ProfileInvalid"),
        (file("<AccessToken>{{.access_token}}</AccessToken>"), "ProfileInvalid"),
        (file("<TenantDomain>test.io</TenantDomain>"), "ProfileInvalid"),
    ] {
        let mut trial = at_code();
        assert!(trial.answers(answer).is_empty());
        trial.stands(Page::Scan, expected);
    }
}

#[test]
fn a_token_that_the_pbx_does_not_take() {
    for error in [ApiError::Unauthorized, refused(403, ErrorCode::Unknown)] {
        let mut trial = at_code();
        trial.answers(file(&format!("{FILE}{PASSWORD}")));
        let account = finished_plain(trial.answers(Answer::AuthUser(Err(error))));
        assert_eq!(account.extension.extension_number, "101");
        assert_eq!(account.extension.outbound_proxy.to_string(), "pbx.test.io");
        assert_eq!(account.extension.sip_password.unwrap().expose_secret(), "sip");
        trial.stands(Page::Done, "None");
    }
    let mut trial = at_code();
    trial.answers(file(FILE));
    trial.answers(auth_user(false));
    // The code's token is not ended: it could not be scanned again.
    assert!(trial.answers(Answer::User(Err(ApiError::Unauthorized))).is_empty());
    trial.stands(Page::Scan, "CodeOutdated");
    let mut trial = at_code();
    trial.answers(file(&format!("{FILE}{PASSWORD}")));
    assert!(trial.answers(Answer::AuthUser(Err(timeout()))).is_empty());
    trial.stands(Page::Scan, "Timeout");
}

#[test]
fn files_that_leave_something_out() {
    let mut trial = at_code();
    let rest = "<TenantDomain>test.io</TenantDomain><ExtensionNumber>101</ExtensionNumber>";
    let account = finished_plain(trial.answers(file(&format!("{rest}{PASSWORD}"))));
    assert_eq!(account.extension.sip_domain.as_str(), "test.io");
    // The domain may come from the PBX instead.
    let told = |domain: Option<&str>| {
        let domain = domain.map(|domain| domain.parse().unwrap());
        Answer::AuthUser(Ok(AuthUser { domain, ..AuthUser::default() }))
    };
    let mut trial = at_code();
    trial.answers(file("<AccessToken>access</AccessToken>"));
    trial.answers(told(Some("other.io")));
    assert_eq!(finished(trial.answers(user(None, None))).tenant.name, "other.io");
    for answer in [told(None), Answer::AuthUser(Err(missing()))] {
        let mut trial = at_code();
        trial.answers(file("<AccessToken>access</AccessToken>"));
        assert!(trial.answers(answer).is_empty());
        trial.stands(Page::Scan, "ProfileInvalid");
    }
}

#[test]
fn a_forced_change_by_code() {
    let mut trial = at_code();
    trial.answers(file(FILE));
    assert_eq!(asked(&trial.answers(auth_user(true))), "password_policy@pbx.test.io");
    assert!(trial.wizard.new_password().unwrap().old_needed);
    trial.does(Input::ChoosePassword { old: Some("old".into()), new: "new".into() });
    assert_eq!(asked(&trial.answers(Answer::ChangePassword(Ok(())))), "user@pbx.test.io");
    finished(trial.answers(user(None, None)));
    // A change that voids the token voids the code.
    let mut trial = at_code();
    trial.answers(file(FILE));
    trial.answers(auth_user(true));
    trial.does(Input::ChoosePassword { old: Some("old".into()), new: "new".into() });
    trial.answers(Answer::ChangePassword(Ok(())));
    assert!(trial.answers(Answer::User(Err(ApiError::Unauthorized))).is_empty());
    trial.stands(Page::Scan, "CodeOutdated");
    let mut trial = at_code();
    trial.answers(file(FILE));
    trial.answers(auth_user(true));
    assert!(trial.does(Input::Back).is_empty());
    trial.stands(Page::Scan, "None");
}

#[test]
fn a_legacy_code_is_an_account() {
    let mut trial = Trial::at_user();
    trial.does(Input::Scan);
    let extension = finished_plain(trial.does(legacy("UDP"))).extension;
    assert_eq!(
        (extension.outbound_proxy.to_string(), extension.preferred.port, extension.sip_domain.as_str()),
        ("192.0.2.1".into(), 5070, "test.io")
    );
    trial.stands(Page::Done, "None");
    let mut trial = Trial::new();
    trial.does(Input::Scan);
    assert!(trial.does(legacy("PERS_TCP")).is_empty());
    trial.stands(Page::Scan, "TransportUnsupported");
}

#[test]
fn codes_are_looked_for_on_their_page_only() {
    let mut trial = Trial::at_user();
    trial.refuses(code());
    let mut trial = at_code();
    trial.refuses(code());
    trial.answers(file(FILE));
    trial.refuses(code());
}

#[test]
fn back_and_anew() {
    let mut trial = Trial::new();
    trial.does(Input::Scan);
    trial.does(Input::Back);
    assert_eq!(trial.page(), Page::Server);
    let mut trial = Trial::at_user();
    trial.does(Input::Scan);
    trial.does(code());
    assert!(trial.does(Input::Back).is_empty());
    trial.stands(Page::User, "None");
    assert!(trial.answers(file(FILE)).is_empty());
    trial.stands(Page::User, "None");
    let mut trial = at_code();
    trial.answers(file(FILE));
    assert!(trial.does(Input::Scan).is_empty());
    trial.stands(Page::Scan, "None");
}
