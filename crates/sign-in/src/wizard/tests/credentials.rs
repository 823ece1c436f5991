use pbx_api::{ApiError, Dialect, SignInAnswer};
use secrecy::ExposeSecret;

use super::{Trial, asked, auth_user, find, finished, info, missing, sign_in, timeout, tokens, user};
use crate::wizard::{Action, Method, Page};
use crate::{Answer, Question};

#[test]
fn the_straight_way() {
    let mut trial = Trial::new();
    assert_eq!(asked(&trial.does(find(" Test.io ", "https://pbx:9000/"))), "info@pbx:9000");
    assert!(trial.wizard.busy());
    assert_eq!(trial.answers(info(None)).len(), 0);
    assert_eq!((trial.page(), trial.wizard.busy()), (Page::User, false));
    assert_eq!(trial.wizard.tenant().unwrap().name, "Test");
    assert_eq!(asked(&trial.does(sign_in(" alice ", "secret"))), "sign_in@pbx:9000");
    assert_eq!(asked(&trial.answers(tokens())), "auth/user@pbx:9000");
    assert_eq!(asked(&trial.answers(auth_user(false))), "user@pbx:9000");
    let done = finished(trial.answers(user(Some("sip"), None)));
    assert_eq!((trial.page(), trial.wizard.busy()), (Page::Done, false));
    assert_eq!((done.username.as_str(), done.extension.extension_number.as_str()), ("alice", "101"));
    assert_eq!((done.dialect, done.method), (Dialect::Auth, Method::Password));
    assert_eq!(done.extension.outbound_proxy.to_string(), "pbx");
    assert_eq!(done.extension.sip_domain.as_str(), "test.io");
    assert_eq!(done.extension.sip_password.unwrap().expose_secret(), "sip");
    assert_eq!(done.tokens.refresh.unwrap().expose_secret(), "refresh");
}

#[test]
fn nothing_typed_is_not_tried() {
    let mut trial = Trial::at_user();
    for (username, password) in [("", "secret"), (" ", "secret"), ("alice", "")] {
        assert!(trial.does(sign_in(username, password)).is_empty());
        trial.stands(Page::User, "WrongCredentials");
    }
}

#[test]
fn refused_credentials_are_not_tried_again() {
    for dialect in ["sign_in", "login/oauth/token", "login"] {
        let mut trial = Trial::at_user();
        let mut actions = trial.does(sign_in("alice", "wrong"));
        while asked(&actions) != format!("{dialect}@pbx") {
            actions = trial.answers(Answer::SignIn(Err(missing())));
        }
        assert!(trial.answers(Answer::SignIn(Err(ApiError::WrongCredentials))).is_empty());
        trial.stands(Page::User, "WrongCredentials");
        // The dialect is known by now.
        assert_eq!(asked(&trial.does(sign_in("alice", "right"))), format!("{dialect}@pbx"));
        assert!(trial.wizard.problem().is_none());
    }
}

#[test]
fn older_dialects_only_where_the_newer_is_missing() {
    for error in [
        timeout(),
        ApiError::Blocked { retry_after: None },
        ApiError::ServerFailed { status: 500, retry_after: None },
        ApiError::Refused { status: 400, code: None, message: None },
        ApiError::NotUnderstood { what: "x".into() },
    ] {
        let mut trial = Trial::at_user();
        trial.does(sign_in("alice", "secret"));
        assert!(trial.answers(Answer::SignIn(Err(error))).is_empty());
        assert_eq!(trial.page(), Page::User);
    }
}

#[test]
fn the_dialect_found_is_the_sessions() {
    for (steps, dialect) in [(0, Dialect::Auth), (1, Dialect::OAuth), (2, Dialect::Cookie)] {
        let mut trial = Trial::at_user();
        trial.does(sign_in("alice", "secret"));
        for _ in 0..steps {
            let actions = trial.answers(Answer::SignIn(Err(missing())));
            let Some(Action::Ask { question: Question::SignIn { password, username, .. }, .. }) =
                actions.first()
            else {
                panic!("{actions:?}")
            };
            assert_eq!((username.as_str(), password.expose_secret()), ("alice", "secret"));
        }
        trial.answers(tokens());
        trial.answers(Answer::AuthUser(Err(missing())));
        let done = finished(trial.answers(user(None, None)));
        assert_eq!(done.dialect, dialect);
    }
}

#[test]
fn a_server_that_speaks_no_dialect() {
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    for expected in ["login/oauth/token@pbx", "login@pbx", ""] {
        assert_eq!(asked(&trial.answers(Answer::SignIn(Err(missing())))), expected);
    }
    trial.stands(Page::User, "SignInUnsupported");
    assert_eq!(asked(&trial.does(sign_in("alice", "secret"))), "sign_in@pbx");
}

#[test]
fn a_second_press_is_no_second_try() {
    let mut trial = Trial::new();
    trial.refuses(sign_in("alice", "x"));
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    trial.refuses(sign_in("alice", "secret"));
    assert!(trial.wizard.busy());
}

#[test]
fn no_secret_is_shown() {
    let mut trial = Trial::at_user();
    let actions = trial.does(sign_in("alice", "sesame"));
    let shown = format!("{:?} {actions:?}", trial.wizard);
    assert!(shown.contains("alice") && !shown.contains("sesame"), "{shown}");
    trial.answers(Answer::SignIn(Ok(SignInAnswer::SecondFactor { token: "sesame".into() })));
    let shown = format!("{:?}", trial.wizard);
    assert!(!shown.contains("sesame"), "{shown}");
}
