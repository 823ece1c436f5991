//! What a process costs and holds, out of `/proc`.

use std::fs;

use rustix::param::clock_ticks_per_second;

/// Processor time and memory of a process and everything it started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Processor time, user and system, seconds.
    pub cpu_s: f64,
    /// Proportional set size, MiB.
    pub pss_mib: f64,
    /// Resident set size, MiB.
    pub rss_mib: f64,
}

impl Usage {
    /// What the process tree below and with `pid` has used so far.
    pub fn of_tree(pid: u32) -> Self {
        let mut all = descendants(pid);
        all.push(pid);
        all.into_iter().map(Self::of).fold(Self::default(), |a, b| Self {
            cpu_s: a.cpu_s + b.cpu_s,
            pss_mib: a.pss_mib + b.pss_mib,
            rss_mib: a.rss_mib + b.rss_mib,
        })
    }

    pub(crate) fn of(pid: u32) -> Self {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let mib = |key: &str| {
            let line = rollup.lines().find(|l| l.starts_with(key));
            line.and_then(|l| l.split_whitespace().nth(1))
                .and_then(|kb| kb.parse::<f64>().ok())
                .unwrap_or(0.0)
                / 1024.0
        };
        let fields = stat(pid);
        let ticks = |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
        // proc(5): utime and stime are fields 14 and 15; ours begin behind the name, with field 3.
        let cpu_s = (ticks(11) + ticks(12)) / clock_ticks_per_second() as f64;
        Self { cpu_s, pss_mib: mib("Pss:"), rss_mib: mib("Rss:") }
    }
}

/// Sockets a process holds open.
pub fn open_sockets(pid: u32) -> usize {
    let entries =
        fs::read_dir(format!("/proc/{pid}/fd")).unwrap_or_else(|e| panic!("process {pid} is gone: {e}"));
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .filter(|link| link.to_string_lossy().starts_with("socket:"))
        .count()
}

/// Every process below `pid`.
pub fn descendants(pid: u32) -> Vec<u32> {
    let processes: Vec<(u32, u32)> = fs::read_dir("/proc")
        .map(|entries| {
            let pids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
            pids.filter_map(|pid: u32| Some((pid, stat(pid).get(1)?.parse().ok()?))).collect()
        })
        .unwrap_or_default();
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(processes.iter().filter(|(_, p)| *p == parent).map(|(child, _)| *child));
        next += 1;
    }
    found.split_off(1)
}

/// Fields of `/proc/PID/stat` from the third on; the second, the name, may hold anything.
fn stat(pid: u32) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace().map(str::to_owned).collect()
}
