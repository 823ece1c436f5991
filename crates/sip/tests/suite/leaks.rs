//! Nothing is left behind.

use std::process::Command;

use crate::common::dns::{Dns, host, srv};
use crate::common::kamailio::Kamailio;
use crate::common::{ANSWER, OFFER, Phone};
use sip::{Transport, TransportChoice};

fn open_files() -> Vec<String> {
    let mut open: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .map(|target| target.display().to_string())
        .filter(|target| target.starts_with("socket:"))
        .collect();
    open.sort();
    open
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// The task that says that all is closed is itself the last to end.
async fn until_tasks(number: usize) {
    let wait = async {
        while tasks() > number {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::common::LIMIT, wait).await.expect("no task left");
}

/// In a process of its own, so that nobody else opens or closes anything meanwhile.
#[test]
fn stopping_leaves_no_socket_and_no_task() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "leaks::alone", "--ignored"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by stopping_leaves_no_socket_and_no_task"]
async fn alone() {
    let kamailio = Kamailio::start();
    let before = (open_files(), tasks());
    for (transport, in_call) in [
        (Transport::Udp, false),
        (Transport::Tcp, false),
        (Transport::Tls, false),
        (Transport::Wss, false),
        (Transport::Udp, true),
        (Transport::Tcp, true),
        (Transport::Tls, true),
        (Transport::Wss, true),
    ] {
        let alice = Phone::registered(kamailio.account("101", transport)).await;
        let mut bob = Phone::registered(kamailio.account("102", transport)).await;
        assert!(open_files().len() > before.0.len(), "the measure measures");
        if in_call {
            // One call established, one ringing, one just begun.
            for answered in [true, false] {
                alice.agent.invite("102", OFFER.into());
                let (call, ..) = bob.until_incoming().await;
                bob.agent.ring(call);
                if answered {
                    bob.agent.answer(call, ANSWER.into());
                    bob.until_confirmed().await;
                }
            }
            alice.agent.invite("102", OFFER.into());
        }
        alice.agent.reconnect();
        alice.agent.stop().await;
        bob.agent.stop().await;
        assert_eq!(open_files(), before.0, "{transport:?}, in call: {in_call}");
        until_tasks(before.1).await;
    }
    // Several servers were asked for, found and tried.
    let service = |name, transport| srv(name, "pbx.test", kamailio.port(transport), 10);
    let dns = Dns::start(&[
        host("pbx.test", "127.0.0.1"),
        host("bell.test", "127.0.0.77"),
        srv("_sips._tcp.bell.test", "pbx.test", kamailio.expired, 10),
        service("_sip._tcp.bell.test", Transport::Tcp),
        service("_sip._udp.bell.test", Transport::Udp),
    ]);
    for choice in [
        TransportChoice::Automatic { first: None },
        TransportChoice::Automatic { first: Some(Transport::Udp) },
    ] {
        let alice = Phone::registered(dns.account(kamailio.account("101", Transport::Tls), choice)).await;
        alice.agent.stop().await;
        until_tasks(before.1).await;
        assert_eq!(open_files(), before.0, "{choice:?}");
    }
    // Dropping the handle stops as well.
    let mut alice = Phone::registered(kamailio.account("101", Transport::Tcp)).await;
    drop(alice.agent);
    while alice.events.recv().await.is_some() {}
    assert_eq!(open_files(), before.0);
    until_tasks(before.1).await;
}
