use pbx_api::{ApiError, User};
use secrecy::ExposeSecret;

use super::{Trial, asked, auth_user, blob, finished, missing, timeout, tokens, user};
use crate::Answer;
use crate::wizard::Page;

#[test]
fn what_the_profile_file_brings() {
    let file = br#"{"extension_password":"from file","codecs":["OPUS"],"appearance":{"theme":"dark"}}"#;
    let mut trial = Trial::at_profile();
    let done = finished(trial.answers(Answer::Profile(Ok(blob(file)))));
    assert_eq!(done.extension.sip_password.unwrap().expose_secret(), "from file");
    assert_eq!(done.enforced.theme, Some(crate::Theme::Dark));
    // It is looked into even where the password is known already, which stands.
    let mut trial = Trial::at_auth_user();
    trial.answers(auth_user(false));
    assert_eq!(asked(&trial.answers(user(Some("sip"), Some("digest")))), "blobs@pbx");
    let done = finished(trial.answers(Answer::Profile(Ok(blob(file)))));
    assert_eq!(done.extension.sip_password.unwrap().expose_secret(), "sip");
    assert_eq!(done.enforced.theme, Some(crate::Theme::Dark));
}

#[test]
fn a_session_stands_without_its_profile_file() {
    for profile in [Ok(blob(b"<root/>")), Ok(blob(b"\xff")), Ok(blob(b"<root>")), Err(timeout())] {
        let mut trial = Trial::at_profile();
        let done = finished(trial.answers(Answer::Profile(profile)));
        assert!(done.extension.sip_password.is_none());
        trial.stands(Page::Done, "None");
    }
}

#[test]
fn older_pbx_without_auth_user() {
    let mut trial = Trial::at_auth_user();
    assert_eq!(asked(&trial.answers(Answer::AuthUser(Err(missing())))), "user@pbx");
}

#[test]
fn failure_after_the_tokens_ends_the_session() {
    for (answers, expected) in [
        (vec![Answer::AuthUser(Err(timeout()))], "Timeout"),
        (vec![Answer::AuthUser(Err(ApiError::Unauthorized))], "Unauthorized"),
        (vec![auth_user(false), Answer::User(Err(timeout()))], "Timeout"),
        (vec![auth_user(false), Answer::User(Ok(Box::<User>::default()))], "NoExtension"),
    ] {
        let mut trial = Trial::at_auth_user();
        let mut actions = Vec::new();
        for answer in answers {
            actions = trial.answers(answer);
        }
        assert_eq!(asked(&actions), "end Auth access", "{expected}");
        trial.stands(Page::User, expected);
    }
}

#[test]
fn an_answer_to_another_question_ends_all_sessions() {
    let mut trial = Trial::at_auth_user();
    assert_eq!(asked(&trial.answers(tokens())), "end Auth access, end Auth access");
    trial.stands(Page::User, "NotUnderstood");
}
