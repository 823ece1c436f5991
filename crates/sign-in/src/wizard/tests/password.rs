use std::time::Duration;

use pbx_api::{ApiError, ErrorCode, PasswordPolicy};
use secrecy::ExposeSecret;

use super::{
    Trial, asked, auth_user, blob, finished, info, missing, refused, sign_in, timeout, tokens, user,
};
use crate::callback::Callback;
use crate::wizard::{Action, Input, News, Page};
use crate::{Answer, Question};

fn choose(old: Option<&str>, new: &str) -> Input {
    Input::ChoosePassword { old: old.map(Into::into), new: new.into() }
}

fn ask_for_reset(username: &str) -> Input {
    Input::AskForReset { username: username.into() }
}

fn give_link(link: &str) -> Input {
    Input::GiveResetLink { link: link.into() }
}

/// A trial at the page of a forced change, after a password was typed.
fn at_forced() -> Trial {
    let mut trial = Trial::at_auth_user();
    assert_eq!(asked(&trial.answers(auth_user(true))), "password_policy@pbx");
    trial.stands(Page::NewPassword, "None");
    trial
}

/// A trial at the page of the forgotten password, the e-mail asked for.
fn at_asked() -> Trial {
    let mut trial = Trial::at_user();
    trial.does(Input::ForgotPassword);
    assert_eq!(asked(&trial.does(ask_for_reset(" alice "))), "listen for a link");
    assert!(trial.wizard.busy());
    assert_eq!(asked(&trial.listens()), "forget_password@pbx");
    assert!(trial.answers(Answer::ForgetPassword(Ok(()))).is_empty());
    assert!(trial.wizard.forgot().unwrap().asked);
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
fn by_a_link_that_comes_back_by_itself() {
    let mut trial = at_asked();
    assert_eq!(trial.wizard.username(), "alice");
    assert_eq!(trial.wizard.next_deadline(), Some(trial.now + Duration::from_secs(1800)));
    let request = trial.listener.unwrap();
    let callback = Callback::ResetToken("token".into());
    let actions = trial.does(Input::Returned { request, callback });
    assert_eq!(asked(&actions), "password_policy@pbx");
    assert!(matches!(
        actions.first(),
        Some(Action::Ask { question: Question::PasswordPolicy { access: None }, .. })
    ));
    trial.stands(Page::NewPassword, "None");
    let page = trial.wizard.new_password().unwrap();
    assert!(!page.forced && !page.old_needed);
    let actions = trial.does(choose(None, "better"));
    let [Action::Ask { question: Question::ResetPassword { token, new }, .. }] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!((token.expose_secret(), new.expose_secret()), ("token", "better"));
    assert!(trial.answers(Answer::ResetPassword(Ok(()))).is_empty());
    trial.stands(Page::User, "None");
    assert_eq!((trial.wizard.news(), trial.wizard.username()), (Some(News::PasswordChanged), "alice"));
}

#[test]
fn by_a_link_that_is_pasted() {
    let mut trial = at_asked();
    for link in ["", "  ", "https://pbx/reset"] {
        assert!(trial.does(give_link(link)).is_empty(), "{link}");
        trial.stands(Page::Forgot, "ResetLinkInvalid");
    }
    let actions = trial.does(give_link(" https://pbx:8887/reset?token=a1b2c3d4e5f6g7h8 "));
    assert_eq!(asked(&actions), "stop listening, password_policy@pbx");
    let actions = trial.does(choose(None, "better"));
    let [Action::Ask { question: Question::ResetPassword { token, .. }, .. }] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!(token.expose_secret(), "a1b2c3d4e5f6g7h8");
}

#[test]
fn a_link_may_be_pasted_without_having_asked() {
    let mut trial = Trial::at_user();
    trial.does(Input::ForgotPassword);
    assert!(!trial.wizard.forgot().unwrap().asked);
    assert_eq!(asked(&trial.does(give_link("a1b2c3d4e5f6g7h8"))), "password_policy@pbx");
}

#[test]
fn a_link_that_is_used_up_may_be_followed_by_another() {
    for error in [
        refused(400, ErrorCode::Unknown),
        refused(403, ErrorCode::Unauthorized),
        ApiError::Unauthorized,
        ApiError::WrongCredentials,
    ] {
        let mut trial = at_asked();
        trial.does(give_link("a1b2c3d4e5f6g7h8"));
        trial.does(choose(None, "better"));
        trial.answers(Answer::ResetPassword(Err(error)));
        trial.stands(Page::Forgot, "ResetLinkInvalid");
        assert_eq!(asked(&trial.does(give_link("h8g7f6e5d4c3b2a1"))), "password_policy@pbx");
    }
    for (error, expected) in
        [(refused(400, ErrorCode::ValidateFailed), "NewPasswordRefused"), (timeout(), "Timeout")]
    {
        let mut trial = at_asked();
        trial.does(give_link("a1b2c3d4e5f6g7h8"));
        trial.does(choose(None, "worse"));
        trial.answers(Answer::ResetPassword(Err(error)));
        trial.stands(Page::NewPassword, expected);
        assert_eq!(asked(&trial.does(choose(None, "better"))), "reset_password@pbx");
    }
}

#[test]
fn asking_for_the_mail() {
    let mut trial = Trial::at_user();
    trial.refuses(ask_for_reset("alice"));
    trial.does(Input::ForgotPassword);
    trial.refuses(Input::ForgotPassword);
    assert!(trial.does(ask_for_reset(" ")).is_empty());
    trial.stands(Page::Forgot, "WrongCredentials");
    trial.does(ask_for_reset("alice"));
    trial.refuses(ask_for_reset("alice"));
    trial.listens();
    assert_eq!(asked(&trial.answers(Answer::ForgetPassword(Err(timeout())))), "stop listening");
    trial.stands(Page::Forgot, "Timeout");
    assert!(!trial.wizard.forgot().unwrap().asked);
    // A second e-mail leads back to the same place as the first.
    let mut trial = at_asked();
    assert_eq!(asked(&trial.does(ask_for_reset("alice"))), "forget_password@pbx");
    assert!(trial.answers(Answer::ForgetPassword(Err(timeout()))).is_empty());
    assert!(trial.wizard.next_deadline().is_some());
}

#[test]
fn a_callback_that_the_pbx_does_not_like() {
    let mut trial = Trial::at_user();
    trial.does(Input::ForgotPassword);
    trial.does(ask_for_reset("alice"));
    trial.listens();
    let no = || Answer::ForgetPassword(Err(refused(400, ErrorCode::ValidateFailed)));
    let actions = trial.answers(no());
    assert!(format!("{actions:?}").contains("CallbackUrl(carillon:..)"), "{actions:?}");
    assert_eq!(asked(&trial.answers(no())), "stop listening");
    trial.stands(Page::Forgot, "Refused");
}

#[test]
fn the_link_is_not_listened_for_for_ever() {
    let mut trial = at_asked();
    trial.pass(1799);
    assert!(trial.does(Input::TimedOut).is_empty());
    trial.pass(1);
    assert_eq!(asked(&trial.does(Input::TimedOut)), "stop listening");
    trial.stands(Page::Forgot, "None");
    assert_eq!(trial.wizard.next_deadline(), None);
    assert!(trial.wizard.forgot().unwrap().asked);
    assert_eq!(asked(&trial.does(give_link("a1b2c3d4e5f6g7h8"))), "password_policy@pbx");
}

#[test]
fn back_from_each_page() {
    let mut trial = at_forced();
    assert_eq!(asked(&trial.does(Input::Back)), "end Auth access");
    trial.stands(Page::User, "None");
    trial.refuses(choose(None, "better"));
    let mut trial = at_asked();
    assert_eq!(asked(&trial.does(Input::Back)), "stop listening");
    trial.stands(Page::User, "None");
    let mut trial = at_asked();
    trial.does(give_link("a1b2c3d4e5f6g7h8"));
    trial.does(choose(None, "better"));
    assert!(trial.does(Input::Back).is_empty());
    trial.stands(Page::Forgot, "None");
    assert!(trial.answers(Answer::ResetPassword(Ok(()))).is_empty());
    assert_eq!(trial.page(), Page::Forgot);
    trial.does(Input::Back);
    assert_eq!(trial.page(), Page::User);
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
