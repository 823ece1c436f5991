//! Nothing is left behind.

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::common::dns::{Dns, host, srv};
use crate::common::kamailio::Kamailio;
use crate::common::sipp::{Sipp, expect, perhaps, receive, reply, request};
use crate::common::{ANSWER, LIMIT, OFFER, Phone, account, free_port};
use sip::{Account, Event, Transport, TransportChoice};

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
fn alone_in_a_process(test: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{complained}");
}

#[test]
fn stopping_leaves_no_socket_and_no_task() {
    alone_in_a_process("leaks::alone");
}

#[test]
fn five_hundred_calls_leave_nothing() {
    alone_in_a_process("leaks::many_calls");
}

/// Memory that was asked for and not given back, in KiB: what the allocator keeps for later is no leak.
fn memory() -> usize {
    IN_USE.load(Ordering::Relaxed) / 1024
}

static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with a count of the bytes in use.
struct Counted;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

// Only what `System` gives is handed out and taken back, with the layout that was asked for.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Waits until no more tasks are alive than before: 32 seconds after the last call even its repetitions are over.
async fn until_settled(number: usize) {
    let deadline = Instant::now() + LIMIT;
    while tasks() > number {
        assert!(Instant::now() < deadline, "{} tasks instead of {number}", tasks());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn calls_out(phone: &mut Phone, number: usize) {
    for _ in 0..number {
        let call = phone.agent.invite("102", OFFER.into());
        phone.until_answered().await;
        phone.agent.hang_up(call);
        phone.until_ended().await;
    }
}

async fn calls_in(phone: &mut Phone, port: u16, number: u32) {
    let to = "[peer_tag_param]";
    let mut sipp = Sipp::caller_of(
        number,
        &[
            request("INVITE", "[branch]", 1, "", "", OFFER),
            perhaps(100),
            expect(200),
            request("ACK", "[branch]", 1, to, "", ""),
            request("BYE", "[branch]", 2, to, "", ""),
            expect(200),
        ],
        port,
    );
    let mut ended = 0;
    while ended < number {
        match phone.next().await {
            Event::Incoming { call, .. } => phone.agent.answer(call, ANSWER.into()),
            Event::Ended { .. } => ended += 1,
            _ => {}
        }
    }
    sipp.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by five_hundred_calls_leave_nothing"]
async fn many_calls() {
    let sipp = Sipp::server(&[
        receive("INVITE"),
        reply("180 Ringing", "", ""),
        reply("200 OK", "", ANSWER),
        receive("ACK"),
        receive("BYE"),
        reply("200 OK", "", "").replace(";tag=s[call_number]", ""),
    ]);
    let port = free_port();
    let account = Account { local_port: Some(port), ..account(sipp.port, Transport::Udp) };
    let mut phone = Phone::registered(account).await;
    let before = tasks();
    // As many as are measured afterwards: memory that is kept for the next call is taken by then.
    calls_out(&mut phone, 250).await;
    calls_in(&mut phone, port, 250).await;
    until_settled(before).await;
    let settled = (open_files(), memory());
    calls_out(&mut phone, 250).await;
    calls_in(&mut phone, port, 250).await;
    let (busy_tasks, busy_memory) = (tasks(), memory());
    until_settled(before).await;
    assert_eq!(open_files(), settled.0);
    let grown = memory().saturating_sub(settled.1);
    println!(
        "tasks {before}, {busy_tasks} right after 500 calls, {} later; memory {} KiB, {busy_memory}, {}",
        tasks(),
        settled.1,
        memory()
    );
    // The messages of one call alone take more than 4 KiB.
    assert!(grown < 100, "{grown} KiB more than before 500 calls");
    phone.agent.stop().await;
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
