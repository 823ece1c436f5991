//! Digits one after another, with pauses (`,` two seconds, `;` until the user goes on). Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::Digit;

/// What a comma is worth.
const PAUSE: Duration = Duration::from_secs(2);
/// From one digit to the next: 100 ms of tone and a silence that any exchange hears.
const STEP: Duration = Duration::from_millis(200);
/// From the answer to the first digit, so that whoever listens is listening.
const FIRST: Duration = Duration::from_millis(500);
/// Most that is kept.
const MOST: usize = 256;

/// What can stand in a row of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Digit(Digit),
    Pause,
    Wait,
}

/// Digits that are to be sent.
#[derive(Debug, Default)]
pub(crate) struct Digits {
    items: VecDeque<Item>,
    /// Nothing is sent before.
    not_before: Option<Instant>,
    waits: bool,
}

impl Digits {
    /// Adds a row as it was typed; spaces and dashes are passed over. `p` and `w` are read as `,` and `;`.
    ///
    /// Returns false, and nothing is added, where it holds anything else or is far too long.
    pub(crate) fn add(&mut self, row: &str) -> bool {
        let Some(items) = read(row) else { return false };
        if self.items.len() + items.len() > MOST {
            return false;
        }
        self.items.extend(items);
        true
    }

    /// The call was just answered.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.not_before = Some(now + FIRST);
    }

    /// The user goes on after a `;`.
    pub(crate) fn go_on(&mut self) {
        self.waits = false;
    }

    /// The digit that is due now, if one is.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Digit> {
        while !self.waits && self.not_before.is_none_or(|at| at <= now) {
            match self.items.pop_front()? {
                Item::Digit(digit) => {
                    self.not_before = Some(now + STEP);
                    return Some(digit);
                }
                Item::Pause => self.not_before = Some(now + PAUSE),
                Item::Wait => self.waits = true,
            }
        }
        None
    }

    /// When to ask again.
    pub(crate) fn due(&self) -> Option<Instant> {
        if self.waits || self.items.is_empty() { None } else { self.not_before }
    }

    /// What is sent once the user goes on, up to the next `;`; none unless that is waited for.
    pub(crate) fn waiting(&self) -> Option<String> {
        let digits = self.items.iter().take_while(|item| **item != Item::Wait).map(|item| match item {
            Item::Digit(digit) => digit.as_char(),
            Item::Pause | Item::Wait => ',',
        });
        self.waits.then(|| digits.collect())
    }
}

fn read(row: &str) -> Option<Vec<Item>> {
    row.chars()
        .filter(|c| !matches!(c, ' ' | '-'))
        .map(|c| match c {
            ',' | 'p' | 'P' => Some(Item::Pause),
            ';' | 'w' | 'W' => Some(Item::Wait),
            c => Digit::new(c).map(Item::Digit),
        })
        .collect()
}

/// Splits what was dialled into whom to call and the digits to send then (`102,,1234#`): the row begins at the
/// first `,` or `;`, and a target with a `;` of its own is left whole.
pub(crate) fn split(typed: &str) -> (&str, Option<&str>) {
    let at = typed.find([',', ';']);
    match at.and_then(|at| typed.split_at_checked(at)) {
        Some((head, row)) if !head.trim().is_empty() && read(row).is_some() => (head, Some(row)),
        _ => (typed, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is sent and when, in milliseconds, until nothing more is due.
    fn play(digits: &mut Digits, mut now: Instant) -> Vec<(u128, char)> {
        let begun = now;
        let mut sent = Vec::new();
        loop {
            while let Some(digit) = digits.next(now) {
                sent.push((now.duration_since(begun).as_millis(), digit.as_char()));
            }
            match digits.due() {
                Some(due) => now = due,
                None => return sent,
            }
        }
    }

    #[test]
    fn a_row_with_pauses() {
        let (now, mut digits) = (Instant::now(), Digits::default());
        assert!(digits.add(",,12-3 4#"));
        digits.begin(now);
        let sent = play(&mut digits, now);
        assert_eq!(sent, [(4500, '1'), (4700, '2'), (4900, '3'), (5100, '4'), (5300, '#')]);
    }

    #[test]
    fn the_user_is_waited_for() {
        let (now, mut digits) = (Instant::now(), Digits::default());
        assert!(digits.add("1;23,4w5"));
        assert_eq!(play(&mut digits, now), [(0, '1')]);
        assert_eq!(digits.waiting().as_deref(), Some("23,4"));
        digits.go_on();
        assert_eq!(digits.waiting(), None);
        let later = now + Duration::from_secs(60);
        assert_eq!(play(&mut digits, later), [(0, '2'), (200, '3'), (2400, '4')]);
        assert_eq!(digits.waiting().as_deref(), Some("5"));
    }

    #[test]
    fn nonsense_is_refused_whole() {
        let mut digits = Digits::default();
        assert!(!digits.add("12x"));
        assert!(!digits.add(&"1".repeat(MOST + 1)));
        assert_eq!(digits.next(Instant::now()), None);
    }

    #[test]
    fn rows_are_told_from_addresses() {
        assert_eq!(split("102,,1234#"), ("102", Some(",,1234#")));
        assert_eq!(split("+49 30 1;99"), ("+49 30 1", Some(";99")));
        assert_eq!(split("sip:bob@host;transport=tcp"), ("sip:bob@host;transport=tcp", None));
        assert_eq!(split("tel:+1201;ext=4"), ("tel:+1201;ext=4", None));
        assert_eq!(split(",,12"), (",,12", None));
        assert_eq!(split("102"), ("102", None));
    }
}
