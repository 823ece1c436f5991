//! A hundred accounts in one process.

use std::process::Command;
use std::time::{Duration, Instant};

use sip::{Account, Event, Instance, Registration, Transport};
use tokio::time::sleep;

use crate::common::kamailio::Kamailio;
use crate::common::{OFFER, Phone};

const ACCOUNTS: usize = 100;
/// Seconds to run, in the environment of the inner test.
const SECONDS: &str = "SIP_LOAD_SECONDS";

/// In a process of its own, which is measured.
fn run(seconds: u64) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "load::alone", "--ignored", "--nocapture"])
        .env(SECONDS, seconds.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{complaints}");
}

#[test]
fn a_hundred_accounts_stay_registered_for_a_minute() {
    run(60);
}

#[test]
#[ignore = "takes ten minutes"]
fn a_hundred_accounts_stay_registered_for_ten_minutes() {
    run(600);
}

/// What the process uses.
#[derive(Debug, Clone, Copy)]
struct Use {
    threads: u64,
    tasks: usize,
    sockets: usize,
    memory_kib: u64,
}

impl Use {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        let files = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| {
            std::fs::read_link(entry.unwrap().path())
                .ok()
                .filter(|to| to.to_string_lossy().starts_with("socket:"))
        });
        Self {
            threads: number("Threads:"),
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
            sockets: files.count(),
            memory_kib: number("VmRSS:"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the tests above"]
async fn alone() {
    let seconds: u64 = std::env::var(SECONDS).unwrap().parse().unwrap();
    let length = Duration::from_secs(seconds);
    // Refreshed every sixteen seconds or so.
    let short = (r#""max_expires", 1800"#, r#""max_expires", 20"#);
    let kamailio = Kamailio::start_changed("MD5", &[short]);
    let mut phones = Vec::new();
    for number in 0..ACCOUNTS {
        let transport = [Transport::Udp, Transport::Tcp, Transport::Udp, Transport::Tls][number % 4];
        let account = kamailio.account(&format!("{}", 2000 + number), transport);
        phones.push(Phone::start(Account { instance: Some(Instance::random()), ..account }).await);
    }
    for phone in &mut phones {
        phone.until_registered().await;
    }
    let begin = Instant::now();
    println!("{ACCOUNTS} accounts: {:?}", Use::now());
    let mut early: Option<Use> = None;
    let (mut refreshes, mut lapses) = (0, Vec::new());
    while begin.elapsed() < length {
        sleep(Duration::from_secs(1)).await;
        for phone in &mut phones {
            while let Ok(event) = phone.events.try_recv() {
                match event {
                    Event::Registration(Registration::Registered { .. }) => refreshes += 1,
                    Event::Registration(said) => lapses.push(said),
                    _ => {}
                }
            }
        }
        // By then the first transactions have run out, as many as begin.
        if early.is_none() && begin.elapsed() > Duration::from_secs(40).min(length / 3 * 2) {
            early = Some(Use::now());
        }
    }
    let (early, late) = (early.unwrap(), Use::now());
    println!("after {length:?}: {refreshes} refreshes; {early:?}, then {late:?}");
    assert!(lapses.is_empty(), "{lapses:?}");
    assert!(refreshes > ACCOUNTS * usize::try_from(seconds).unwrap() / 25, "{refreshes} refreshes");
    assert_eq!(early.threads, late.threads);
    assert!(late.sockets <= early.sockets + 2, "{} sockets, then {}", early.sockets, late.sockets);
    assert!(late.tasks <= early.tasks + ACCOUNTS, "{} tasks, then {}", early.tasks, late.tasks);
    assert!(
        late.memory_kib < early.memory_kib / 10 * 12,
        "{} KiB, then {}",
        early.memory_kib,
        late.memory_kib
    );

    // And every one of them can be called.
    let mut caller = Phone::registered(kamailio.account("101", Transport::Udp)).await;
    for (number, phone) in phones.iter_mut().enumerate() {
        caller.agent.invite(&format!("{}", 2000 + number), OFFER.into());
        let (call, ..) = phone.until_incoming().await;
        phone.agent.decline(call, 486);
        caller.until_ended().await;
    }
    for phone in phones {
        phone.agent.stop().await;
    }
    caller.agent.stop().await;
}
