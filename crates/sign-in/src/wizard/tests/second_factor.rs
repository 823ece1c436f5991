use std::time::Duration;

use pbx_api::{ApiError, SignInAnswer};
use secrecy::ExposeSecret;

use super::{Trial, asked, auth_user, finished, missing, session, sign_in, timeout, user};
use crate::wizard::{Action, CodePage, Input, News, Page};
use crate::{Answer, Question};

fn half() -> Answer {
    Answer::SignIn(Ok(SignInAnswer::SecondFactor { token: "half".into() }))
}

fn give(code: &str) -> Input {
    Input::GiveCode { code: code.into() }
}

/// A trial at the code page, its code sent.
fn at_code() -> Trial {
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    assert_eq!(asked(&trial.answers(half())), "send_otp@pbx");
    assert!(trial.answers(Answer::SendCode(Ok(()))).is_empty());
    trial
}

#[test]
fn by_a_code() {
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    trial.answers(half());
    assert_eq!((trial.page(), trial.wizard.busy()), (Page::Code, true));
    assert!(!trial.wizard.code().unwrap().sent);
    trial.answers(Answer::SendCode(Ok(())));
    let again_at = trial.now + Duration::from_secs(60);
    assert_eq!(trial.wizard.code(), Some(CodePage { sent: true, again_at }));
    assert_eq!(trial.wizard.news(), None);
    let actions = trial.does(give(" 123 456\u{a0}\r\n"));
    let [Action::Ask { question: Question::VerifyCode { token, code }, .. }] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!((token.expose_secret(), code.expose_secret()), ("half", "123456"));
    assert_eq!(asked(&trial.answers(Answer::VerifyCode(Ok(Some(session("access")))))), "auth/user@pbx");
    trial.answers(auth_user(false));
    assert_eq!(finished(trial.answers(user(None, None))).username, "alice");
}

#[test]
fn wrong_codes() {
    for (answer, expected) in [
        (Ok(None), "SessionMissing"),
        (Err(ApiError::WrongCredentials), "SecondFactorWrong"),
        (Err(ApiError::Unauthorized), "SecondFactorWrong"),
        (Err(timeout()), "Timeout"),
        (Err(missing()), "NotFound"),
    ] {
        let mut trial = at_code();
        trial.does(give("1"));
        assert!(trial.answers(Answer::VerifyCode(answer)).is_empty());
        trial.stands(Page::Code, expected);
        // One may try another.
        assert_eq!(asked(&trial.does(give("2"))), "verify_otp@pbx");
        assert_eq!(trial.problem(), "None");
    }
    let mut trial = at_code();
    assert!(trial.does(give(" \n")).is_empty());
    trial.stands(Page::Code, "SecondFactorWrong");
}

#[test]
fn another_code_after_a_while() {
    let mut trial = at_code();
    trial.refuses(Input::SendCodeAgain);
    trial.pass(59);
    trial.refuses(Input::SendCodeAgain);
    trial.pass(1);
    assert_eq!(asked(&trial.does(Input::SendCodeAgain)), "send_otp@pbx");
    trial.refuses(Input::SendCodeAgain);
    trial.answers(Answer::SendCode(Ok(())));
    assert_eq!(trial.wizard.news(), Some(News::CodeSent));
    trial.refuses(Input::SendCodeAgain);
    trial.does(give("1"));
    assert_eq!(trial.wizard.news(), None);
}

#[test]
fn a_code_that_could_not_be_sent() {
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    trial.answers(half());
    trial.answers(Answer::SendCode(Err(timeout())));
    trial.stands(Page::Code, "Timeout");
    assert!(!trial.wizard.code().unwrap().sent);
    // It may be asked for at once, but not sooner than the PBX says.
    trial.does(Input::SendCodeAgain);
    let retry_after = Some(Duration::from_secs(10));
    trial.answers(Answer::SendCode(Err(ApiError::Throttled { retry_after })));
    trial.refuses(Input::SendCodeAgain);
    trial.pass(10);
    assert_eq!(asked(&trial.does(Input::SendCodeAgain)), "send_otp@pbx");
}

#[test]
fn back_from_the_code() {
    let mut trial = at_code();
    trial.does(give("1"));
    assert!(trial.does(Input::Back).is_empty());
    trial.stands(Page::User, "None");
    assert_eq!(asked(&trial.answers(Answer::VerifyCode(Ok(Some(session("late")))))), "end Auth late");
    trial.refuses(give("2"));
    trial.refuses(Input::SendCodeAgain);
}

#[test]
fn a_failure_after_the_code_begins_anew() {
    let mut trial = at_code();
    trial.does(give("1"));
    trial.answers(Answer::VerifyCode(Ok(Some(session("access")))));
    trial.refuses(give("1"));
    assert_eq!(asked(&trial.answers(Answer::AuthUser(Err(timeout())))), "end Auth access");
    trial.stands(Page::User, "Timeout");
}

#[test]
fn the_password_typed_is_kept_for_a_forced_change() {
    let mut trial = at_code();
    trial.does(give("1"));
    trial.answers(Answer::VerifyCode(Ok(None)));
    trial.does(give("2"));
    trial.answers(Answer::VerifyCode(Ok(Some(session("access")))));
    trial.answers(auth_user(true));
    assert!(!trial.wizard.new_password().unwrap().old_needed);
}
