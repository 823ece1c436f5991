use pbx_api::ApiError;

use super::{Trial, asked, certificate, find, session, sign_in, tokens};
use crate::Answer;
use crate::wizard::{Input, Page};

#[test]
fn one_page_back() {
    let mut trial = Trial::new();
    trial.does(find("test.io", "pbx"));
    trial.answers(Answer::Info(Err(certificate(1))));
    assert!(trial.does(Input::Back).is_empty());
    trial.stands(Page::Server, "None");
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "wrong"));
    trial.answers(Answer::SignIn(Err(ApiError::WrongCredentials)));
    trial.does(Input::Back);
    trial.stands(Page::Server, "None");
    let mut trial = Trial::at_profile();
    assert_eq!(asked(&trial.does(Input::Back)), "end Auth access");
    trial.stands(Page::Server, "None");
}

#[test]
fn no_way_leads_back_to_a_tenant_that_was_left() {
    for way in [Input::Scan, Input::EnterSipAccount] {
        let mut trial = Trial::at_user();
        trial.does(Input::Back);
        assert!(trial.wizard.tenant().is_none());
        trial.does(way);
        trial.does(Input::Back);
        trial.stands(Page::Server, "None");
    }
}

#[test]
fn a_session_that_comes_too_late_is_ended() {
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    trial.does(Input::Back);
    assert_eq!(asked(&trial.answers(tokens())), "end Auth access");
    assert!(trial.answers(tokens()).is_empty());
    trial.stands(Page::Server, "None");
}

#[test]
fn of_many_sessions_that_come_too_late_the_newest_are_ended() {
    let mut trial = Trial::at_user();
    let mut requests = Vec::new();
    for _ in 0..100 {
        trial.does(sign_in("alice", "secret"));
        requests.push(trial.request.unwrap());
        trial.does(Input::Leave);
        trial.does(find("test.io", "pbx"));
        trial.answers(super::info(None));
    }
    let ended = requests
        .into_iter()
        .rev()
        .take_while(|request| !trial.does(Input::Answer { request: *request, answer: tokens() }).is_empty());
    assert_eq!(ended.count(), super::super::way_back::ABANDONED);
}

#[test]
fn leaving() {
    let mut trial = Trial::at_profile();
    assert_eq!(asked(&trial.does(Input::Leave)), "end Auth access");
    trial.stands(Page::Done, "None");
    assert!(trial.wizard.tenant().is_none());
    // A new account may begin by any way in.
    trial.does(Input::Scan);
    trial.does(Input::Back);
    trial.stands(Page::Server, "None");
}

#[test]
fn a_plain_account_is_none_of_the_wizards() {
    let mut trial = Trial::at_user();
    assert!(trial.does(Input::EnterSipAccount).is_empty());
    trial.stands(Page::Sip, "None");
    trial.does(Input::Back);
    assert_eq!(trial.page(), Page::User);
    let mut trial = Trial::at_profile();
    assert_eq!(asked(&trial.does(Input::EnterSipAccount)), "end Auth access");
    let mut trial = Trial::new();
    trial.does(Input::EnterSipAccount);
    trial.does(Input::Back);
    assert_eq!(trial.page(), Page::Server);
}

#[test]
fn nothing_is_waited_for_where_nobody_waits() {
    for input in [Input::TimedOut, Input::BrowserFailed] {
        let mut trial = Trial::at_user();
        assert!(trial.does(input).is_empty());
        assert_eq!(trial.wizard.next_deadline(), None);
        trial.stands(Page::User, "None");
    }
    let mut trial = Trial::at_auth_user();
    let request = trial.request.unwrap();
    let callback = crate::callback::Callback::Tokens(session("odd"));
    assert!(trial.does(Input::Returned { request, callback }).is_empty());
    assert!(trial.wizard.busy());
}
