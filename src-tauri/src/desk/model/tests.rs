use phone::{CallEnd, EndReason, UnixMs};

use super::*;
use crate::desk::samples::call as sample;

fn call(id: u32, state: CallState) -> CallView {
    let peer = PeerView { number: "102".into(), name: Some("Bob".into()), picture: None };
    CallView { id: CallId(id), peer, ..sample(state) }
}

fn active() -> CallState {
    CallState::Active { since: UnixMs(0) }
}

fn held() -> CallState {
    CallState::Held { since: UnixMs(0) }
}

fn ended() -> CallState {
    CallState::Ended { end: CallEnd { reason: EndReason::Missed, status: None, lasted_s: None } }
}

fn model(main: MainWindow, calls: &[(u32, CallState)]) -> Model {
    let mut model = Model { main, ..Model::default() };
    for (id, state) in calls {
        assert!(model.fold(&Event::Call { view: call(*id, state.clone()) }));
    }
    model
}

#[test]
fn a_call_is_shown_unless_the_main_window_is_in_front() {
    for (main, shown) in [(MainWindow::Front, false), (MainWindow::Open, true), (MainWindow::Away, true)] {
        let wanted = model(main, &[(1, CallState::Incoming)]).wanted();
        assert_eq!((wanted.incoming, wanted.notices.len()), (shown, usize::from(shown)), "{main:?}");
        assert!(!wanted.compact, "a call that rings is not in progress");
    }
}

#[test]
fn where_a_notification_does_better_there_is_no_small_window() {
    let mut model = model(MainWindow::Open, &[(1, CallState::Incoming)]);
    model.notices_suffice = true;
    assert!(!model.wanted().incoming && model.wanted().notices.len() == 1);
    // Who wants no notifications sees the window.
    model.preferences.notifications = false;
    assert!(model.wanted().incoming && model.wanted().notices.is_empty());
}

#[test]
fn what_rings_no_longer_is_shown_no_longer() {
    for state in [active(), ended()] {
        let mut model = model(MainWindow::Away, &[(1, CallState::Incoming)]);
        model.fold(&Event::Call { view: call(1, state) });
        assert!(!model.wanted().incoming && model.wanted().notices.is_empty());
    }
}

#[test]
fn a_call_that_was_dismissed_rings_on_unseen_and_the_next_is_shown() {
    let mut model = model(MainWindow::Away, &[(1, CallState::Incoming)]);
    model.dismiss();
    assert!(!model.wanted().incoming);
    assert_eq!(model.wanted().face.shape, Shape::Ringing);
    model.fold(&Event::Call { view: call(2, CallState::Incoming) });
    assert!(model.wanted().incoming);
}

#[test]
fn the_compact_window_is_there_while_a_call_goes_on_without_the_main_one() {
    for (main, shown) in [(MainWindow::Front, false), (MainWindow::Open, false), (MainWindow::Away, true)] {
        assert_eq!(model(main, &[(1, active())]).wanted().compact, shown, "{main:?}");
    }
    let mut unwanted = model(MainWindow::Away, &[(1, active())]);
    unwanted.preferences.compact_window = false;
    assert!(!unwanted.wanted().compact);
    unwanted.leaving = true;
    assert!(unwanted.wanted().compact, "without it the call could not be reached any more");
}

#[test]
fn keys_reach_the_call_that_is_meant() {
    let calls = [(1, active()), (2, held()), (3, CallState::Incoming), (4, CallState::Incoming)];
    let busy = model(MainWindow::Away, &calls);
    assert_eq!((busy.answers(), busy.hangs_up()), (Some(CallId(3)), Some(CallId(1))));
    assert_eq!(busy.mutes(), (vec![CallId(1)], true));
    let rings = model(MainWindow::Away, &[(3, CallState::Incoming)]);
    assert_eq!(rings.hangs_up(), Some(CallId(3)), "a call that rings alone is declined");
}

#[test]
fn the_tray_tells_the_state_by_its_shape() {
    let shape = |calls: &[(u32, CallState)]| model(MainWindow::Away, calls).wanted().face.shape;
    assert_eq!(shape(&[]), Shape::Offline);
    assert_eq!(shape(&[(1, active())]), Shape::InCall);
    assert_eq!(shape(&[(1, active()), (2, CallState::Incoming)]), Shape::Ringing);
    let mut muted = model(MainWindow::Away, &[]);
    muted.fold(&Event::Call { view: CallView { muted: true, ..call(1, active()) } });
    assert_eq!(muted.wanted().face.shape, Shape::Muted);
}

#[test]
fn the_computer_stays_awake_as_long_as_there_is_a_call() {
    assert!(model(MainWindow::Front, &[(1, held())]).wanted().awake);
    assert!(!model(MainWindow::Front, &[(1, CallState::Incoming)]).wanted().awake);
}
