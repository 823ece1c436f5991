use std::time::Duration;

use pbx_api::{ApiError, Dialect, ErrorCode, Info, Tenant, Tokens};
use secrecy::ExposeSecret;

use super::{
    Trial, asked, auth_user, find, finished, link, missing, refused, session, sign_in, timeout, user,
};
use crate::callback::Callback;
use crate::wizard::{Action, Input, Method, Page};
use crate::{Answer, Question};

const URL: &str = "https://login.example/";

fn address() -> Answer {
    Answer::Microsoft(Ok(URL.parse().unwrap()))
}

/// A trial whose browser is at work.
fn at_browser() -> Trial {
    let mut trial = Trial::at_user();
    assert_eq!(asked(&trial.does(Input::SignInWithMicrosoft)), "listen");
    assert!(trial.wizard.busy());
    assert_eq!(asked(&trial.listens()), "sign_in/microsoft@pbx");
    assert_eq!(asked(&trial.answers(address())), format!("open {URL}"));
    trial.stands(Page::Browser, "None");
    trial
}

impl Trial {
    fn returns(&mut self, callback: Callback) -> Vec<Action> {
        let request = self.listener.unwrap();
        self.does(Input::Returned { request, callback })
    }
}

#[test]
fn tokens_from_the_browser() {
    let mut trial = at_browser();
    let page = trial.wizard.browser().unwrap();
    assert_eq!((page.address, page.until), (None, trial.now + Duration::from_secs(300)));
    assert_eq!(trial.wizard.next_deadline(), Some(page.until));
    assert_eq!(asked(&trial.returns(Callback::Tokens(session("access")))), "auth/user@pbx");
    assert_eq!(trial.wizard.next_deadline(), None);
    // A second use is nobody's.
    assert!(trial.returns(Callback::Tokens(session("again"))).is_empty());
    trial.answers(auth_user(false));
    let done = finished(trial.answers(user(None, None)));
    assert_eq!(
        (done.dialect, done.method, done.username.as_str()),
        (Dialect::Auth, Method::Microsoft, "alice")
    );
}

#[test]
fn a_session_token_from_the_browser() {
    let mut trial = at_browser();
    let callback = Callback::SessionToken { token: "half".into(), second_factor: true };
    assert_eq!(asked(&trial.returns(callback)), "send_otp@pbx");
    trial.answers(Answer::SendCode(Ok(())));
    trial.stands(Page::Code, "None");
    trial.does(Input::GiveCode { code: "1".into() });
    trial.answers(Answer::VerifyCode(Ok(Some(session("access")))));
    trial.answers(auth_user(true));
    // No password was typed: the old one is asked for.
    assert!(trial.wizard.new_password().unwrap().old_needed);

    let bare = || Callback::SessionToken { token: "bare".into(), second_factor: false };
    let mut trial = at_browser();
    let actions = trial.returns(bare());
    assert!(matches!(&actions[..], [Action::Ask { question: Question::AuthUser { access }, .. }]
        if access.expose_secret() == "bare"));
    trial.answers(auth_user(false));
    let done = finished(trial.answers(user(None, None)));
    assert_eq!((done.dialect, done.tokens.expires_in), (Dialect::Token, Duration::MAX));
    let mut trial = at_browser();
    trial.returns(bare());
    trial.answers(Answer::AuthUser(Err(ApiError::Unauthorized)));
    trial.stands(Page::User, "SessionMissing");
}

#[test]
fn a_code_from_the_browser() {
    let mut trial = at_browser();
    let actions = trial.returns(Callback::Code("swap".into()));
    let [Action::Ask { question: Question::ExchangeCode { code, callback }, .. }] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!(code.expose_secret(), "swap");
    assert_eq!(*callback, link("http://127.0.0.1:4711/callback/nonce"));
    assert_eq!(asked(&trial.answers(Answer::ExchangeCode(Ok(session("access"))))), "auth/user@pbx");
    trial.answers(auth_user(false));
    assert_eq!(finished(trial.answers(user(None, None))).dialect, Dialect::OAuth);
    for (error, expected) in [
        (missing(), "BrowserSignInFailed"),
        (refused(400, ErrorCode::Unknown), "BrowserSignInFailed"),
        (timeout(), "Timeout"),
    ] {
        let mut trial = at_browser();
        trial.returns(Callback::Code("swap".into()));
        assert!(trial.answers(Answer::ExchangeCode(Err(error))).is_empty());
        trial.stands(Page::User, expected);
    }
}

#[test]
fn what_else_comes_back() {
    for (callback, expected) in [
        (Callback::Denied, "ConsentDenied"),
        (Callback::Failed { what: "server_error".into() }, "BrowserSignInFailed { what: \"server_error\" }"),
        (Callback::ResetToken("x".into()), "SessionMissing"),
    ] {
        let mut trial = at_browser();
        assert!(trial.returns(callback).is_empty());
        trial.stands(Page::User, expected);
        assert_eq!(asked(&trial.does(Input::SignInWithMicrosoft)), "listen");
    }
}

#[test]
fn older_servers() {
    let mut trial = Trial::at_user();
    trial.does(Input::SignInWithMicrosoft);
    trial.listens();
    assert_eq!(asked(&trial.answers(Answer::Microsoft(Err(missing())))), "login/by_microsoft@pbx");
    trial.answers(address());
    trial.returns(Callback::Tokens(Tokens { refresh: None, ..session("access") }));
    trial.answers(Answer::AuthUser(Err(missing())));
    assert_eq!(finished(trial.answers(user(None, None))).dialect, Dialect::Cookie);

    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "wrong"));
    trial.answers(Answer::SignIn(Err(missing())));
    trial.answers(Answer::SignIn(Err(ApiError::WrongCredentials)));
    trial.does(Input::SignInWithMicrosoft);
    assert_eq!(asked(&trial.listens()), "login/by_microsoft@pbx");
    trial.answers(address());
    trial.returns(Callback::Tokens(session("access")));
    trial.answers(auth_user(false));
    assert_eq!(finished(trial.answers(user(None, None))).dialect, Dialect::OAuth);

    let mut trial = Trial::at_user();
    trial.does(Input::SignInWithMicrosoft);
    trial.listens();
    trial.answers(Answer::Microsoft(Err(missing())));
    assert_eq!(asked(&trial.answers(Answer::Microsoft(Err(missing())))), "stop listening");
    trial.stands(Page::User, "NotFound");
}

#[test]
fn where_the_browser_comes_back_to() {
    let callback = |actions: &[Action]| match actions {
        [Action::Ask { question: Question::Microsoft { callback, .. }, .. }] => callback.clone(),
        other => panic!("{other:?}"),
    };
    let refusal = || Answer::Microsoft(Err(refused(400, ErrorCode::ValidateFailed)));
    let mut trial = Trial::at_user();
    trial.does(Input::SignInWithMicrosoft);
    assert_eq!(callback(&trial.listens()), link("http://127.0.0.1:4711/callback/nonce"));
    assert_eq!(callback(&trial.answers(refusal())), link("carillon://callback/nonce"));
    assert_eq!(asked(&trial.answers(refusal())), "stop listening");
    trial.stands(Page::User, "Refused");

    let mut trial = Trial::at_user();
    trial.does(Input::SignInWithMicrosoft);
    let request = trial.listener.unwrap();
    let scheme = Some(link("carillon://callback/nonce"));
    let actions = trial.does(Input::Listening { request, loopback: None, scheme });
    assert_eq!(callback(&actions), link("carillon://callback/nonce"));
    assert!(!format!("{actions:?}").contains("nonce"));
    assert_eq!(asked(&trial.answers(refusal())), "stop listening");

    let mut trial = Trial::at_user();
    trial.does(Input::SignInWithMicrosoft);
    let request = trial.listener.unwrap();
    trial.does(Input::Listening { request, loopback: None, scheme: None });
    trial.stands(Page::User, "BrowserSignInFailed");
}

#[test]
fn no_browser() {
    let mut trial = at_browser();
    assert!(trial.does(Input::BrowserFailed).is_empty());
    trial.stands(Page::Browser, "NoBrowser");
    assert_eq!(trial.wizard.browser().unwrap().address.unwrap().as_str(), URL);
    assert_eq!(asked(&trial.does(Input::OpenBrowserAgain)), format!("open {URL}"));
    assert_eq!((trial.wizard.browser().unwrap().address, trial.problem().as_str()), (None, "None"));
    // Opened by hand, on another machine's browser even, it comes back all the same.
    trial.does(Input::BrowserFailed);
    assert_eq!(asked(&trial.returns(Callback::Tokens(session("access")))), "auth/user@pbx");
    assert_eq!(trial.problem(), "None");
    trial.refuses(Input::OpenBrowserAgain);
    assert!(trial.does(Input::BrowserFailed).is_empty());
    assert_eq!(trial.problem(), "None");
}

#[test]
fn the_browser_takes_too_long() {
    let mut trial = at_browser();
    trial.pass(299);
    assert!(trial.does(Input::TimedOut).is_empty());
    trial.pass(1);
    assert_eq!(asked(&trial.does(Input::TimedOut)), "stop listening");
    trial.stands(Page::User, "BrowserTimedOut");
    assert!(trial.does(Input::TimedOut).is_empty());
    // The session it brings now is nobody's.
    assert_eq!(asked(&trial.returns(Callback::Tokens(session("late")))), "end Auth late");
    trial.stands(Page::User, "BrowserTimedOut");
}

#[test]
fn back_at_each_step() {
    let mut trial = Trial::at_user();
    trial.does(Input::SignInWithMicrosoft);
    assert_eq!(asked(&trial.does(Input::Back)), "stop listening");
    assert_eq!(trial.page(), Page::Server);
    assert!(trial.listens().is_empty());
    let mut trial = Trial::at_user();
    trial.does(Input::SignInWithMicrosoft);
    trial.listens();
    assert_eq!(asked(&trial.does(Input::Back)), "stop listening");
    assert!(trial.answers(address()).is_empty());
    assert_eq!(trial.page(), Page::Server);
    let mut trial = at_browser();
    assert_eq!(asked(&trial.does(Input::Back)), "stop listening");
    trial.stands(Page::User, "None");
    assert!(trial.returns(Callback::Denied).is_empty());
    trial.stands(Page::User, "None");
    let mut trial = at_browser();
    trial.returns(Callback::Code("swap".into()));
    assert!(trial.does(Input::Back).is_empty());
    trial.stands(Page::User, "None");
    assert_eq!(asked(&trial.answers(Answer::ExchangeCode(Ok(session("late"))))), "end OAuth late");
    let mut trial = at_browser();
    trial.returns(Callback::Tokens(session("access")));
    assert_eq!(asked(&trial.does(Input::Back)), "end Auth access");
    trial.stands(Page::User, "None");
}

#[test]
fn only_where_the_tenant_has_it() {
    let mut trial = Trial::new();
    trial.refuses(Input::SignInWithMicrosoft);
    trial.does(find("test.io", "pbx"));
    let domain = "test.io".parse().unwrap();
    let tenant = Tenant { name: "Test".into(), domain, website: None, avatar_url: None, microsoft: false };
    trial.answers(Answer::Info(Ok(Info { tenant: Some(tenant), ..Info::default() })));
    trial.refuses(Input::SignInWithMicrosoft);
    trial.refuses(Input::OpenBrowserAgain);
}

#[test]
fn another_listener_says_nothing() {
    let mut trial = at_browser();
    let old = trial.listener.unwrap();
    trial.does(Input::Back);
    trial.does(Input::SignInWithMicrosoft);
    trial.listens();
    trial.answers(address());
    assert!(trial.does(Input::Returned { request: old, callback: Callback::Denied }).is_empty());
    trial.stands(Page::Browser, "None");
}
