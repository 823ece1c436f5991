use pbx_api::{ApiError, ErrorCode, Info};

use super::{Trial, asked, blob, find, finished, info, missing, refused, sign_in, timeout};
use crate::wizard::{Action, Input, News, Page};
use crate::{Answer, SignInError};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

#[test]
fn what_was_typed_wrong() {
    let mut trial = Trial::new();
    assert!(trial.does(find("", "pbx")).is_empty());
    assert!(matches!(trial.wizard.problem(), Some(SignInError::Api(ApiError::DomainInvalid))));
    assert!(trial.does(find("test.io", "alice@pbx")).is_empty());
    assert!(matches!(trial.wizard.problem(), Some(SignInError::Api(ApiError::ServerInvalid))));
    assert_eq!((trial.wizard.domain(), trial.wizard.server()), ("test.io", "alice@pbx"));
    assert!(!trial.wizard.busy());
}

#[test]
fn unknown_domain() {
    for answer in [
        Ok(Info::default()),
        Err(refused(400, ErrorCode::Unknown)),
        Err(ApiError::Refused { status: 400, code: None, message: None }),
        Err(ApiError::NotFound { status: 404, code: Some(ErrorCode::Unknown) }),
        Err(ApiError::Unauthorized),
    ] {
        let mut trial = Trial::new();
        trial.does(find("nowhere.io", "pbx"));
        assert!(trial.answers(Answer::Info(answer)).is_empty());
        trial.stands(Page::Server, "DomainUnknown");
    }
}

#[test]
fn no_pbx_at_all() {
    let mut trial = Trial::new();
    trial.does(find("test.io", "pbx"));
    trial.answers(Answer::Info(Err(missing())));
    trial.stands(Page::Server, "SignInUnsupported");
}

#[test]
fn late_answers_are_ignored() {
    let mut trial = Trial::new();
    trial.does(find("test.io", "old"));
    let old = trial.request.unwrap();
    assert_eq!(asked(&trial.does(find("test.io", "new"))), "info@new");
    assert!(trial.does(Input::Answer { request: old, answer: info(None) }).is_empty());
    assert_eq!((trial.page(), trial.wizard.busy()), (Page::Server, true));
    trial.does(Input::Back);
    assert!(!trial.wizard.busy());
    assert!(trial.answers(info(None)).is_empty());
    assert_eq!(trial.page(), Page::Server);
}

#[test]
fn another_account_after_the_first() {
    let mut trial = Trial::at_profile();
    finished(trial.answers(Answer::Profile(Err(timeout()))));
    trial.does(Input::Back);
    assert_eq!(trial.page(), Page::Done);
    assert_eq!(asked(&trial.does(find("other.io", "pbx"))), "info@pbx");
    assert_eq!(trial.page(), Page::Server);
    assert!(trial.wizard.tenant().is_none());
}

#[test]
fn a_new_server_in_the_middle_ends_the_session() {
    let mut trial = Trial::at_profile();
    assert_eq!(asked(&trial.does(find("test.io", "other"))), "end Auth access, info@other");
}

#[test]
fn signing_in_again_keeps_saying_so() {
    let mut trial = Trial::at_profile();
    let again = Input::SignInAgain { domain: "test.io".into(), server: "pbx".into(), username: "bob".into() };
    assert_eq!(asked(&trial.does(again)), "end Auth access, info@pbx");
    assert_eq!((trial.page(), trial.wizard.username()), (Page::Server, "bob"));
    trial.answers(info(None));
    assert_eq!((trial.page(), trial.wizard.news()), (Page::User, Some(News::SignInAgain)));
    trial.does(sign_in("bob", "wrong"));
    trial.answers(Answer::SignIn(Err(ApiError::WrongCredentials)));
    assert_eq!(trial.wizard.news(), Some(News::SignInAgain));
    trial.does(find("test.io", "pbx"));
    assert_eq!(trial.wizard.news(), None);
}

#[test]
fn picture_of_the_tenant() {
    let mut trial = Trial::new();
    trial.does(find("test.io", "pbx"));
    let actions = trial.answers(info(Some("/api/blobs/x")));
    assert_eq!(asked(&actions), "blobs@pbx");
    assert!(!trial.wizard.busy());
    let Some(Action::Ask { request, .. }) = actions.first() else { panic!("no question") };
    // It is on its way while the user goes on.
    trial.does(sign_in("alice", "secret"));
    let answer = Answer::Picture(Ok(blob(PNG)));
    assert!(trial.does(Input::Answer { request: *request, answer }).is_empty());
    assert_eq!(trial.wizard.picture().unwrap().media_type, "image/png");
    assert!(trial.wizard.busy());
    for file in [Ok(blob(b"<svg/>")), Err(timeout())] {
        let mut trial = Trial::new();
        trial.does(find("test.io", "pbx"));
        let actions = trial.answers(info(Some("/api/blobs/x")));
        let Some(Action::Ask { request, .. }) = actions.first() else { panic!("no question") };
        trial.does(Input::Answer { request: *request, answer: Answer::Picture(file) });
        assert!(trial.wizard.picture().is_none() && trial.wizard.problem().is_none());
    }
}
