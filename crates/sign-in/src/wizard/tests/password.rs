use pbx_api::{ApiError, ErrorCode, PasswordPolicy};
use secrecy::ExposeSecret;

use super::{
    Trial, asked, auth_user, blob, finished, info, missing, refused, sign_in, timeout, tokens, user,
};
use crate::wizard::{Action, Input, News, Page};
use crate::{Answer, Question};

fn choose(old: Option<&str>, new: &str) -> Input {
    Input::ChoosePassword { old: old.map(Into::into), new: new.into() }
}

/// A trial at the page of a forced change, after a password was typed.
fn at_forced() -> Trial {
    let mut trial = Trial::at_auth_user();
    assert_eq!(asked(&trial.answers(auth_user(true))), "password_policy@pbx");
    trial.stands(Page::NewPassword, "None");
    trial
}

#[test]
fn forced() {
    let mut trial = Trial::at_auth_user();
    let actions = trial.answers(auth_user(true));
    let Some(Action::Ask { request, question: Question::PasswordPolicy { access: Some(_) }, .. }) =
        actions.first()
    else {
        panic!("{actions:?}")
    };
    let page = trial.wizard.new_password().unwrap();
    assert!(page.forced && !page.old_needed && page.policy.is_none());
    // The rules come while one types, or never.
    assert!(!trial.wizard.busy());
    let policy = PasswordPolicy { min_length: 12, ..PasswordPolicy::default() };
    let answer = Answer::PasswordPolicy(Ok(policy));
    assert!(trial.does(Input::Answer { request: *request, answer }).is_empty());
    assert_eq!(trial.wizard.new_password().unwrap().policy.unwrap().min_length, 12);
    let actions = trial.does(choose(None, "better"));
    let [Action::Ask { question: Question::ChangePassword { old, new, .. }, .. }] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!((old.expose_secret(), new.expose_secret()), ("secret", "better"));
    assert_eq!(asked(&trial.answers(Answer::ChangePassword(Ok(())))), "user@pbx");
    assert_eq!(finished(trial.answers(user(None, None))).tokens.access.expose_secret(), "access");
}

#[test]
fn forced_without_rules() {
    let mut trial = Trial::at_auth_user();
    let actions = trial.answers(auth_user(true));
    let Some(Action::Ask { request, .. }) = actions.first() else { panic!("{actions:?}") };
    trial.does(Input::Answer { request: *request, answer: Answer::PasswordPolicy(Err(missing())) });
    trial.stands(Page::NewPassword, "None");
    assert_eq!(asked(&trial.does(choose(None, "better"))), "user/password@pbx");
}

#[test]
fn passwords_that_are_not_accepted() {
    let mut trial = at_forced();
    assert!(trial.does(choose(None, "")).is_empty());
    trial.stands(Page::NewPassword, "NewPasswordRefused");
    trial.does(choose(None, "worse"));
    trial.refuses(choose(None, "worse"));
    assert!(trial.answers(Answer::ChangePassword(Err(refused(400, ErrorCode::ValidateFailed)))).is_empty());
    trial.stands(Page::NewPassword, "NewPasswordRefused { message: Some(\"no\") }");
    trial.does(choose(None, "better"));
    trial.answers(Answer::ChangePassword(Err(timeout())));
    trial.stands(Page::NewPassword, "Timeout");
    // The old password typed was changed meanwhile: it is asked for from now on.
    trial.does(choose(None, "better"));
    trial.answers(Answer::ChangePassword(Err(ApiError::WrongCredentials)));
    trial.stands(Page::NewPassword, "OldPasswordWrong");
    assert!(trial.wizard.new_password().unwrap().old_needed);
    assert!(trial.does(choose(None, "better")).is_empty());
    trial.stands(Page::NewPassword, "OldPasswordWrong");
    assert_eq!(asked(&trial.does(choose(Some("secret"), "better"))), "user/password@pbx");
    // And so was the session's token.
    let actions = trial.answers(Answer::ChangePassword(Err(ApiError::Unauthorized)));
    assert_eq!(asked(&actions), "end Auth access");
    trial.stands(Page::User, "Unauthorized");
}

#[test]
fn a_change_that_voids_the_token_ends_at_the_sign_in() {
    let mut trial = at_forced();
    trial.does(choose(None, "better"));
    trial.answers(Answer::ChangePassword(Ok(())));
    trial.answers(Answer::User(Err(ApiError::Unauthorized)));
    trial.stands(Page::User, "None");
    assert_eq!(trial.wizard.news(), Some(News::PasswordChanged));
    trial.does(sign_in("alice", "better"));
    assert_eq!(trial.wizard.news(), None);
    trial.answers(tokens());
    trial.answers(auth_user(false));
    finished(trial.answers(user(None, None)));
}

#[test]
fn back_from_a_forced_change() {
    let mut trial = at_forced();
    assert_eq!(asked(&trial.does(Input::Back)), "end Auth access");
    trial.stands(Page::User, "None");
    trial.refuses(choose(None, "better"));
}

#[test]
fn rules_that_come_too_late_are_ignored() {
    let mut trial = Trial::at_auth_user();
    let actions = trial.answers(auth_user(true));
    let Some(Action::Ask { request, .. }) = actions.first() else { panic!("{actions:?}") };
    trial.does(Input::Back);
    let answer = Answer::PasswordPolicy(Ok(PasswordPolicy::default()));
    assert!(trial.does(Input::Answer { request: *request, answer }).is_empty());
    trial.stands(Page::User, "None");
}

#[test]
fn nothing_of_a_password_is_left_behind() {
    let mut trial = at_forced();
    trial.does(choose(None, "better"));
    trial.answers(Answer::ChangePassword(Ok(())));
    trial.answers(user(None, Some("digest")));
    finished(trial.answers(Answer::Profile(Ok(blob(b"<root/>")))));
    assert!(trial.wizard.typed_password.is_none() && trial.wizard.opening.is_none());
    let mut trial = Trial::at_auth_user();
    trial.answers(auth_user(false));
    assert!(trial.wizard.typed_password.is_none());
    let mut trial = Trial::at_auth_user();
    trial.does(Input::FindServer { domain: "test.io".into(), server: "pbx".into() });
    trial.answers(info(None));
    assert!(trial.wizard.typed_password.is_none());
}
