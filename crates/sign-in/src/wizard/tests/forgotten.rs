use std::time::Duration;

use pbx_api::{ApiError, ErrorCode};
use secrecy::ExposeSecret;

use super::{Trial, asked, refused, timeout};
use crate::callback::Callback;
use crate::wizard::{Action, Input, News, Page};
use crate::{Answer, Question};

fn choose(new: &str) -> Input {
    Input::ChoosePassword { old: None, new: new.into() }
}

fn ask_for_reset(username: &str) -> Input {
    Input::AskForReset { username: username.into() }
}

fn give_link(link: &str) -> Input {
    Input::GiveResetLink { link: link.into() }
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
    let actions = trial.does(choose("better"));
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
    let actions = trial.does(choose("better"));
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
        trial.does(choose("better"));
        trial.answers(Answer::ResetPassword(Err(error)));
        trial.stands(Page::Forgot, "ResetLinkInvalid");
        assert_eq!(asked(&trial.does(give_link("h8g7f6e5d4c3b2a1"))), "password_policy@pbx");
    }
    for (error, expected) in
        [(refused(400, ErrorCode::ValidateFailed), "NewPasswordRefused"), (timeout(), "Timeout")]
    {
        let mut trial = at_asked();
        trial.does(give_link("a1b2c3d4e5f6g7h8"));
        trial.does(choose("worse"));
        trial.answers(Answer::ResetPassword(Err(error)));
        trial.stands(Page::NewPassword, expected);
        assert_eq!(asked(&trial.does(choose("better"))), "reset_password@pbx");
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
fn a_link_that_comes_back_while_another_mail_is_asked_for() {
    let mut trial = at_asked();
    trial.does(ask_for_reset("alice"));
    let request = trial.listener.unwrap();
    let actions = trial.does(Input::Returned { request, callback: Callback::ResetToken("token".into()) });
    assert_eq!(asked(&actions), "password_policy@pbx");
    trial.stands(Page::NewPassword, "None");
    assert!(trial.answers(Answer::ForgetPassword(Err(timeout()))).is_empty());
    trial.stands(Page::NewPassword, "None");
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
    let mut trial = at_asked();
    assert_eq!(asked(&trial.does(Input::Back)), "stop listening");
    trial.stands(Page::User, "None");
    let mut trial = at_asked();
    trial.does(give_link("a1b2c3d4e5f6g7h8"));
    trial.does(choose("better"));
    assert!(trial.does(Input::Back).is_empty());
    trial.stands(Page::Forgot, "None");
    assert!(trial.answers(Answer::ResetPassword(Ok(()))).is_empty());
    assert_eq!(trial.page(), Page::Forgot);
    trial.does(Input::Back);
    assert_eq!(trial.page(), Page::User);
}

#[test]
fn listener_and_page_stop_at_the_same_time_however_often_the_mail_is_asked_for() {
    let mut trial = at_asked();
    let end = trial.now + Duration::from_secs(1800);
    trial.now += Duration::from_secs(600);
    assert_eq!(asked(&trial.does(ask_for_reset("alice"))), "forget_password@pbx");
    assert_eq!(trial.wizard.next_deadline(), Some(end));
    trial.answers(Answer::ForgetPassword(Ok(())));
    trial.now = end;
    assert_eq!(asked(&trial.does(Input::TimedOut)), "stop listening");
    // Asked for once more, it is listened for anew, and for as long.
    assert_eq!(asked(&trial.does(ask_for_reset("alice"))), "listen for a link");
    trial.listens();
    trial.answers(Answer::ForgetPassword(Ok(())));
    assert_eq!(trial.wizard.next_deadline(), Some(end + Duration::from_secs(1800)));
    assert!(trial.does(Input::TimedOut).is_empty());
}
