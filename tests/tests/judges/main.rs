//! Foreign judges: two PBXs, each over every transport, and foreign phones behind them. Every operation is one cell
//! of a matrix; what each cell came to lies in `tests/output/judges`, and in the README.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod lamps;
mod matrix;
mod media;
mod stage;
mod subject;
mod transfers;

use sip::Transport;

use matrix::judge;
use stage::Maker;

#[test]
fn kamailio_over_udp() {
    judge(Maker::Kamailio, Transport::Udp);
}

#[test]
fn kamailio_over_tcp() {
    judge(Maker::Kamailio, Transport::Tcp);
}

#[test]
fn kamailio_over_tls() {
    judge(Maker::Kamailio, Transport::Tls);
}

#[test]
fn kamailio_over_wss() {
    judge(Maker::Kamailio, Transport::Wss);
}

#[test]
fn asterisk_over_udp() {
    judge(Maker::Asterisk, Transport::Udp);
}

#[test]
fn asterisk_over_tcp() {
    judge(Maker::Asterisk, Transport::Tcp);
}

#[test]
fn asterisk_over_tls() {
    judge(Maker::Asterisk, Transport::Tls);
}

#[test]
fn asterisk_over_wss() {
    judge(Maker::Asterisk, Transport::Wss);
}
