use pbx_api::{Fingerprint, SignInAnswer};

use super::{Trial, asked, auth_user, certificate, find, info, session, sign_in};
use crate::callback::Callback;
use crate::wizard::{Input, Page};
use crate::{Answer, SignInError};

fn trust(digit: u8) -> Input {
    Input::TrustCertificate { fingerprint: Fingerprint([digit; 32]) }
}

#[test]
fn trusted_on_purpose() {
    let mut trial = Trial::new();
    trial.does(find("test.io", "pbx"));
    assert!(trial.answers(Answer::Info(Err(certificate(1)))).is_empty());
    assert!(!trial.wizard.busy());
    assert_eq!(trial.wizard.certificate().unwrap().fingerprint, Fingerprint([1; 32]));
    trial.refuses(trust(2));
    assert_eq!(asked(&trial.does(trust(1))), "trust pbx, info@pbx");
    assert!(trial.wizard.certificate().is_none() && trial.wizard.busy());
    trial.answers(info(None));
    assert_eq!(trial.page(), Page::User);
}

#[test]
fn one_that_changes_in_the_middle() {
    let mut trial = Trial::at_auth_user();
    assert!(trial.answers(Answer::AuthUser(Err(certificate(3)))).is_empty());
    assert_eq!(asked(&trial.does(trust(3))), "trust pbx, auth/user@pbx");
    trial.answers(Answer::AuthUser(Err(certificate(3))));
    assert_eq!(asked(&trial.does(Input::Back)), "end Auth access");
    trial.stands(Page::User, "None");
    trial.refuses(trust(3));
}

/// A flow up to a question: the trial, the answer that shows a certificate, what is asked again, and the page
/// that is left when one turns away from it.
type Stopped = (Trial, Answer, &'static str, Page);

fn flows() -> Vec<Stopped> {
    let half = || Answer::SignIn(Ok(SignInAnswer::SecondFactor { token: "half".into() }));
    let at_send = || {
        let mut trial = Trial::at_user();
        trial.does(sign_in("alice", "secret"));
        trial.answers(half());
        trial
    };
    let at_verify = || {
        let mut trial = at_send();
        trial.answers(Answer::SendCode(Ok(())));
        trial.does(Input::GiveCode { code: "1".into() });
        trial
    };
    let at_forced = || {
        let mut trial = Trial::at_auth_user();
        trial.answers(auth_user(true));
        trial.does(Input::ChoosePassword { old: None, new: "new".into() });
        trial
    };
    let at_forgot = || {
        let mut trial = Trial::at_user();
        trial.does(Input::ForgotPassword);
        trial.does(Input::AskForReset { username: "alice".into() });
        trial.listens();
        trial
    };
    let at_reset = || {
        let mut trial = Trial::at_user();
        trial.does(Input::ForgotPassword);
        trial.does(Input::GiveResetLink { link: "a1b2c3d4e5f6g7h8".into() });
        trial.does(Input::ChoosePassword { old: None, new: "new".into() });
        trial
    };
    let at_microsoft = || {
        let mut trial = Trial::at_user();
        trial.does(Input::SignInWithMicrosoft);
        trial.listens();
        trial
    };
    let at_exchange = || {
        let mut trial = at_microsoft();
        trial.answers(Answer::Microsoft(Ok("https://login.example/".parse().unwrap())));
        let request = trial.listener.unwrap();
        trial.does(Input::Returned { request, callback: Callback::Code("swap".into()) });
        trial
    };
    let stop = certificate(5);
    vec![
        (at_send(), Answer::SendCode(Err(stop.clone())), "send_otp", Page::Code),
        (at_verify(), Answer::VerifyCode(Err(stop.clone())), "verify_otp", Page::Code),
        (at_forced(), Answer::ChangePassword(Err(stop.clone())), "user/password", Page::User),
        (at_forgot(), Answer::ForgetPassword(Err(stop.clone())), "forget_password", Page::Forgot),
        (at_reset(), Answer::ResetPassword(Err(stop.clone())), "reset_password", Page::NewPassword),
        (at_microsoft(), Answer::Microsoft(Err(stop.clone())), "sign_in/microsoft", Page::User),
        (at_exchange(), Answer::ExchangeCode(Err(stop.clone())), "login/oauth/token with a code", Page::User),
        (Trial::at_profile(), Answer::Profile(Err(stop)), "blobs", Page::User),
    ]
}

#[test]
fn every_flow_stops_and_goes_on() {
    for (mut trial, answer, question, _) in flows() {
        let page = trial.page();
        assert!(trial.answers(answer).is_empty(), "{question}");
        assert_eq!((trial.page(), trial.wizard.busy()), (page, false), "{question}");
        assert!(trial.wizard.certificate().is_some());
        assert_eq!(asked(&trial.does(trust(5))), format!("trust pbx, {question}@pbx"));
        assert!(trial.wizard.busy() && trial.wizard.certificate().is_none());
    }
}

#[test]
fn every_flow_can_be_turned_away_from() {
    for (mut trial, answer, question, left) in flows() {
        trial.answers(answer);
        trial.does(Input::Back);
        trial.stands(left, "None");
        assert!(matches!(trial.wizard.handle(trial.now, trust(5)), Err(SignInError::NotNow)), "{question}");
    }
}

#[test]
fn a_browser_that_comes_back_while_a_certificate_is_shown() {
    let mut trial = Trial::at_user();
    trial.does(Input::ForgotPassword);
    trial.does(Input::AskForReset { username: "alice".into() });
    trial.listens();
    trial.answers(Answer::ForgetPassword(Err(certificate(5))));
    let request = trial.listener.unwrap();
    let callback = Callback::Tokens(session("odd"));
    let actions = trial.does(Input::Returned { request, callback });
    assert_eq!(asked(&actions), "");
    trial.stands(Page::Forgot, "ResetLinkInvalid");
}
