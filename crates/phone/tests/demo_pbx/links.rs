//! Links of other programs that dial.

use demo_pbx::Config as Pbx;
use phone::{AskedView, CallState, Code, Command, DesktopPreferences, Event, Start, Transport};

use crate::bench::{Bench, Running};

fn link(link: &str) -> Command {
    Command::DialLink { link: link.into() }
}

async fn asked(running: &mut Running) -> Option<AskedView> {
    running
        .until("a number that is asked about", |event| match event {
            Event::Asked { view } => Some(view.clone()),
            _ => None,
        })
        .await
}

async fn talks_to(running: &mut Running) -> String {
    running.call("an answer", |state| matches!(state, CallState::Active { .. })).await.peer.number
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opened_before_the_sign_in_is_dialled_after_it() {
    let bench = Bench::new(Pbx::default()).await;
    let mut bob = bench.phone(Start::None);
    bob.send(link("tel:91-96"));
    let view = asked(&mut bob).await.unwrap();
    assert_eq!((view.target.as_str(), view.waits), ("9196", false));
    bob.send(Command::DialAsked { always: false });
    assert!(asked(&mut bob).await.is_some_and(|view| view.waits));
    assert!(
        bob.phone.picture().await.unwrap().asked.is_some_and(|view| view.waits),
        "a window that comes back"
    );
    bob.send(bench.bob(Transport::Udp));
    assert_eq!(talks_to(&mut bob).await, "9196");
    let picture = bob.phone.picture().await.unwrap();
    assert!(picture.asked.is_none() && !picture.desktop.dial_links, "nothing was allowed for good");
    bob.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_may_be_allowed_for_good_but_codes_are_asked_about() {
    let bench = Bench::new(Pbx::default()).await;
    let mut bob = bench.bobs_phone().await;
    bob.send(link("callto:9196"));
    assert!(asked(&mut bob).await.is_some());
    bob.send(Command::DialAsked { always: true });
    let allowed = |event: &Event| match event {
        Event::Desktop { preferences: DesktopPreferences { dial_links: true, .. } } => Some(()),
        _ => None,
    };
    bob.until("the preference", allowed).await;
    assert_eq!(talks_to(&mut bob).await, "9196");

    bob.send(link("tel:*97"));
    let view = asked(&mut bob).await.unwrap();
    assert!(!view.plain && !view.waits, "{view:?}");
    bob.send(Command::DropAsked);
    assert_eq!(asked(&mut bob).await, None);
    assert_eq!(bob.phone.picture().await.unwrap().calls.len(), 1, "it was dialled");
    bob.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_without_a_number_is_a_notice() {
    let bench = Bench::new(Pbx::default()).await;
    let mut bob = bench.phone(Start::None);
    bob.send(link("tel:%0d%0aVia:%20x"));
    let code = |event: &Event| match event {
        Event::Notice { problem, .. } => Some(problem.code),
        _ => None,
    };
    assert_eq!(bob.until("a notice", code).await, Code::TargetInvalid);
    bob.phone.stop().await;
}
