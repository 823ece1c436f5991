#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::time::Duration;
use system_tests::{Asterisk, Baresip, Kamailio, Linphone, Network, Speech, Voice};

#[test]
fn kam() {
    let network = Network::new(3);
    let kamailio = Kamailio::at(&network.hub(), network.pbx());
    let mut linphone = Linphone::start(&network.phone(1).0, &kamailio.account("1003", "udp"));
    eprintln!("{}", linphone.log());
    let mut baresip = Baresip::start(
        &network.phone(0).0,
        &kamailio.account("1002", "tcp"),
        "PCMU",
        &Speech::spoken(Voice::Second, 8000),
    );
    linphone.dial("1002@bell.test");
    baresip.wait_established();
    std::thread::sleep(Duration::from_secs(2));
    eprintln!("{}", linphone.log());
    baresip.hang_up();
    baresip.wait_closed();
    baresip.dial("1003@bell.test");
    baresip.wait_established();
    std::thread::sleep(Duration::from_secs(1));
    linphone.hang_up();
    baresip.wait_closed();
    eprintln!("{}", linphone.log());
}

#[test]
fn ast() {
    let network = Network::new(3);
    let start = std::time::Instant::now();
    let asterisk = Asterisk::at(&network.hub(), network.pbx());
    eprintln!("up {:?}", start.elapsed());
    let mut linphone = Linphone::start(&network.phone(1).0, &asterisk.account("2003", "tcp"));
    eprintln!("{:?}", start.elapsed());
    linphone.dial("600@bell.test");
    std::thread::sleep(Duration::from_secs(2));
    eprintln!("{}\n{}", linphone.log(), asterisk.log());
}
