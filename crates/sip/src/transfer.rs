//! A transfer of ours, seen from who hands the call on (RFC 3515 and 5589): inputs and the current time go in, news
//! for the user come out, and the moment at which to come back.

use std::time::{Duration, Instant};

use crate::TransferProgress;

/// How long the first news of a referral that was taken may take: 64 times T1.
const SILENCE: Duration = Duration::from_secs(32);
/// Least time to wait for the end after news have come: somebody may have to walk to the phone.
const RINGING: Duration = Duration::from_secs(180);
/// REFERs that crossed a request of theirs, and are sent once more.
const ROUNDS: u32 = 6;

/// What happened to the referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// The final answer to the REFER.
    Answered {
        status: u16,
        /// No news will come (`Refer-Sub: false`).
        mute: bool,
    },
    /// It crossed a request of theirs (491), and may be sent again after this pause.
    Crossed { pause: Duration },
    /// No answer came.
    Failed,
    /// A notification.
    Notified {
        /// The status it brings, where it is to be read.
        status: Option<u16>,
        /// No more will come.
        last: bool,
        /// How long the subscription still lasts.
        expires: Option<Duration>,
    },
    /// The deadline has come.
    Due,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The user is told.
    Tell(TransferProgress),
    /// The REFER goes out once more.
    Ask,
}

/// One transfer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machine {
    due: Option<Instant>,
    /// The deadline is that of the next REFER.
    crossed: bool,
    rounds: u32,
    told: Option<TransferProgress>,
    heard: bool,
    over: bool,
}

impl Machine {
    /// When to come back with [`Input::Due`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.over { None } else { self.due }
    }

    /// Nothing more will be told.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes one input in; what is to be done.
    pub(crate) fn handle(&mut self, input: Input, now: Instant) -> Option<Step> {
        if self.over {
            return None;
        }
        match input {
            Input::Answered { status: 200..=299, mute: true } => self.end(TransferProgress::Done),
            Input::Answered { status: 200..=299, mute: false } if self.heard => None,
            Input::Answered { status: 200..=299, mute: false } => {
                self.due = Some(now + SILENCE);
                self.tell(TransferProgress::Trying(100))
            }
            // News have come: the REFER arrived, whatever became of its answer.
            Input::Failed if self.heard => None,
            Input::Failed => self.end(TransferProgress::Failed(None)),
            Input::Answered { status, .. } => self.end(TransferProgress::Failed(Some(status))),
            Input::Crossed { .. } if self.heard => None,
            Input::Crossed { .. } if self.rounds >= ROUNDS => self.end(TransferProgress::Failed(Some(491))),
            Input::Crossed { pause } => {
                (self.crossed, self.rounds) = (true, self.rounds + 1);
                self.due = Some(now + pause);
                None
            }
            Input::Notified { status, last, expires } => {
                (self.heard, self.crossed) = (true, false);
                self.due = Some(now + expires.unwrap_or(RINGING).clamp(RINGING, 10 * RINGING));
                match status {
                    Some(200..=299) => self.end(TransferProgress::Done),
                    Some(status) if status >= 300 => self.end(TransferProgress::Failed(Some(status))),
                    // Ended without saying how.
                    _ if last => self.end(TransferProgress::Failed(None)),
                    Some(status) => self.tell(TransferProgress::Trying(status)),
                    None => None,
                }
            }
            Input::Due if self.due.is_none_or(|due| due > now) => None,
            Input::Due if self.crossed => {
                (self.crossed, self.due) = (false, None);
                Some(Step::Ask)
            }
            Input::Due => self.end(TransferProgress::Failed(None)),
        }
    }

    fn tell(&mut self, progress: TransferProgress) -> Option<Step> {
        let news = self.told != Some(progress);
        self.told = Some(progress);
        news.then_some(Step::Tell(progress))
    }

    fn end(&mut self, progress: TransferProgress) -> Option<Step> {
        self.over = true;
        self.tell(progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TransferProgress::{Done, Failed, Trying};

    const TAKEN: Input = Input::Answered { status: 202, mute: false };

    fn news(status: u16, last: bool) -> Input {
        Input::Notified { status: Some(status), last, expires: None }
    }

    fn told(inputs: &[Input]) -> (Vec<TransferProgress>, Machine) {
        let (mut machine, now) = (Machine::default(), Instant::now());
        let steps = inputs.iter().filter_map(|input| machine.handle(*input, now));
        let told = steps.map(|step| match step {
            Step::Tell(progress) => progress,
            Step::Ask => panic!("asked again"),
        });
        (told.collect(), machine)
    }

    #[test]
    fn how_transfers_go() {
        for (inputs, want) in [
            (
                vec![TAKEN, news(100, false), news(180, false), news(180, false), news(200, true)],
                vec![Trying(100), Trying(180), Done],
            ),
            (
                vec![TAKEN, news(180, false), news(486, true), news(200, true)],
                vec![Trying(100), Trying(180), Failed(Some(486))],
            ),
            // News overtake the answer.
            (vec![news(180, false), TAKEN, news(200, true)], vec![Trying(180), Done]),
            (vec![news(200, true), TAKEN], vec![Done]),
            (vec![news(100, false), Input::Failed, news(200, true)], vec![Trying(100), Done]),
            (vec![Input::Answered { status: 603, mute: false }], vec![Failed(Some(603))]),
            (vec![Input::Answered { status: 200, mute: true }], vec![Done]),
            (vec![Input::Failed], vec![Failed(None)]),
            (vec![TAKEN, news(180, true)], vec![Trying(100), Failed(None)]),
            (vec![TAKEN, Input::Notified { status: None, last: false, expires: None }], vec![Trying(100)]),
        ] {
            assert_eq!(told(&inputs).0, want, "{inputs:?}");
        }
    }

    #[test]
    fn what_crossed_a_request_of_theirs_is_asked_again() {
        let (mut machine, mut now) = (Machine::default(), Instant::now());
        let pause = Duration::from_secs(1);
        for _ in 0..ROUNDS {
            assert_eq!(machine.handle(Input::Crossed { pause }, now), None);
            assert_eq!(machine.handle(Input::Due, now), None);
            now += pause;
            assert_eq!(machine.deadline(), Some(now));
            assert_eq!(machine.handle(Input::Due, now), Some(Step::Ask));
            assert_eq!(machine.deadline(), None);
        }
        let mut other = machine.clone();
        assert_eq!(machine.handle(Input::Crossed { pause }, now), Some(Step::Tell(Failed(Some(491)))));
        assert_eq!(other.handle(TAKEN, now), Some(Step::Tell(Trying(100))));
        assert_eq!(other.handle(news(200, true), now), Some(Step::Tell(Done)));
    }

    #[test]
    fn nobody_waits_for_ever() {
        for inputs in [vec![TAKEN], vec![TAKEN, news(180, false)]] {
            let (_, mut machine) = told(&inputs);
            let due = machine.deadline().unwrap();
            assert_eq!(machine.handle(Input::Due, due - Duration::from_secs(1)), None);
            assert_eq!(machine.handle(Input::Due, due), Some(Step::Tell(Failed(None))));
            assert!(machine.is_over() && machine.deadline().is_none());
        }
    }
}
