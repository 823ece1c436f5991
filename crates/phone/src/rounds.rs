//! How long the PBX is left alone between two rounds of questions about what it keeps for us.

use std::time::Duration;

/// From one round that went well to the next.
const ROUND: Duration = Duration::from_secs(5 * 60);
/// After the first that failed; each further one waits twice as long.
const FIRST_RETRY: Duration = Duration::from_secs(15);
/// Longest wait after rounds that failed.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// How long until the next round, after so many that failed, and what the PBX asked for.
pub(crate) fn wait(failures: u32, told: Option<Duration>) -> Duration {
    let wait = match failures {
        0 => ROUND,
        _ => FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST),
    };
    wait.max(told.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_be_asked_is_asked_less_and_less_often() {
        let seconds = |failures| wait(failures, None).as_secs();
        assert_eq!([0, 1, 2, 3, 6, 7, 99].map(seconds), [300, 15, 30, 60, 480, 900, 900]);
        assert_eq!(wait(1, Some(Duration::from_secs(700))).as_secs(), 700);
    }
}
