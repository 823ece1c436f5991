//! A call, for tests.

use phone::{AccountId, CallId, CallState, CallView, Direction, PeerView, ProtectionView};

/// A call of Bob's to Alice.
pub fn call(state: CallState) -> CallView {
    CallView {
        id: CallId(7),
        account: AccountId("alice@test.io".into()),
        direction: Direction::Incoming,
        peer: PeerView { number: "102".into(), name: Some("Bob".into()), picture: None },
        state,
        muted: false,
        muted_talk: false,
        remote_held: false,
        merged: false,
        diverted_by: None,
        follows: None,
        transfer: None,
        digits: String::new(),
        digits_waiting: None,
        codec: None,
        protection: ProtectionView::None,
        setup_ms: None,
        verdict: None,
        recording: false,
        recorded: None,
    }
}
