//! Digits within a call, one way and the other.

use std::time::Instant;

use media::Codec;
use media::Digit;

use super::Calls;
use super::addresses::is_trickle;
use super::call::{Call, Sound};
use crate::actor::Input;
use crate::voice::DigitBy;
use crate::{CallId, Code, DtmfMode, Event, Problem};

/// Media type of a digit in an INFO, and milliseconds that it is said to last.
const RELAY: &str = "application/dtmf-relay";
const LASTS_MS: u32 = 160;

impl Calls {
    /// Sends a row of digits, with pauses.
    ///
    /// # Errors
    /// It is no row of digits, or the call does not talk yet, or is held by the other end.
    pub(crate) fn digits(&mut self, id: CallId, row: &str) -> Result<(), Problem> {
        let call = self.live(id)?;
        if !matches!(call.sound, Sound::Joined) || self.is_deaf(id) {
            return Err(Code::NotNow.into());
        }
        if !self.live(id)?.digits.add(row) {
            return Err(Code::TargetInvalid.into());
        }
        self.send_digits(id);
        Ok(())
    }

    /// Goes on with the digits that wait for the user.
    pub(crate) fn go_on(&mut self, id: CallId) -> Result<(), Problem> {
        self.live(id)?;
        if self.is_deaf(id) {
            return Err(Code::NotNow.into());
        }
        self.live(id)?.digits.go_on();
        self.send_digits(id);
        Ok(())
    }

    /// Whether digits would be lost: who holds us takes no sound from us.
    fn is_deaf(&self, id: CallId) -> bool {
        let by_sound = |call: &Call| mode(self.preferences.dtmf, call) != DtmfMode::Info;
        self.floor.is_held_there(id) && self.table.get(&id).is_some_and(by_sound)
    }

    /// Sends the digits that are due, and comes back for the others. While they would be lost they wait.
    pub(crate) fn send_digits(&mut self, id: CallId) {
        if self.is_deaf(id) {
            return;
        }
        let Ok(call) = self.live(id) else { return };
        if !matches!(call.sound, Sound::Joined) {
            return;
        }
        let before = (call.view.digits.len(), call.view.digits_waiting.clone());
        let mut sent = Vec::new();
        while let Some(digit) = call.digits.next(Instant::now()) {
            call.view.digits.push(digit.as_char());
            sent.push(digit);
        }
        call.view.digits_waiting = call.digits.waiting();
        let changed = before != (call.view.digits.len(), call.view.digits_waiting.clone());
        if let Some(due) = call.digits.due() {
            self.outlet.waiting(async move {
                tokio::time::sleep_until(due.into()).await;
                Input::DigitsDue(id)
            });
        }
        sent.into_iter().for_each(|digit| self.send_digit(id, digit));
        if changed {
            self.tell(id);
        }
    }

    fn send_digit(&self, id: CallId, digit: Digit) {
        let (Some(call), Some(voice)) = (self.table.get(&id), &self.voice) else { return };
        match mode(self.preferences.dtmf, call) {
            DtmfMode::InBand => voice.digit(id, digit, DigitBy::Tones),
            DtmfMode::Info => {
                let body = format!("Signal={}\r\nDuration={LASTS_MS}\r\n", digit.as_char());
                if let Some(key) = call.key {
                    call.agent.handle.info(key, RELAY, body);
                }
            }
            DtmfMode::Automatic | DtmfMode::Event => voice.digit(id, digit, DigitBy::Event),
        }
    }

    /// An INFO came: a digit is told, an address of theirs is tried.
    pub(super) fn informed(&mut self, id: CallId, content_type: &str, body: &str) {
        if is_trickle(content_type) {
            self.trickled(id, body);
        } else if let Some(digit) = read_info(content_type, body) {
            self.outlet.tell(Event::DigitHeard { call: id, digit: digit.as_char() });
        }
    }
}

/// What is preferred where it can be done; by itself telephone-events where they were agreed on, else tones in a
/// voice that keeps them whole, else INFO.
fn mode(preferred: DtmfMode, call: &Call) -> DtmfMode {
    let whole = |codec: &Codec| call.view.codec.as_deref() == Some(codec.name()) && *codec != Codec::Opus;
    match preferred {
        DtmfMode::Automatic | DtmfMode::Event if call.takes_events => DtmfMode::Event,
        DtmfMode::Automatic | DtmfMode::Event if Codec::ALL.iter().any(whole) => DtmfMode::InBand,
        DtmfMode::Automatic | DtmfMode::Event => DtmfMode::Info,
        other => other,
    }
}

/// The digit in an INFO: `Signal=5` (dtmf-relay), or `5` alone (`application/dtmf`); 10 and 11 are `*` and `#`.
fn read_info(content_type: &str, body: &str) -> Option<Digit> {
    let kind = content_type.split(';').next()?.trim().to_ascii_lowercase();
    let signal = match kind.as_str() {
        RELAY => body.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
        })?,
        "application/dtmf" => body.trim(),
        _ => return None,
    };
    let mut chars = signal.chars();
    match (signal, chars.next(), chars.next()) {
        ("10", ..) => Digit::new('*'),
        ("11", ..) => Digit::new('#'),
        (_, Some(digit), None) => Digit::new(digit),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_in_infos() {
        let digit = |kind: &str, body: &str| read_info(kind, body).map(Digit::as_char);
        assert_eq!(digit("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"), Some('5'));
        assert_eq!(digit("Application/DTMF-Relay; x=y", "Duration=100\r\nsignal= #\r\n"), Some('#'));
        assert_eq!(digit("application/dtmf", "11"), Some('#'));
        assert_eq!(digit("application/dtmf", "12"), None);
        assert_eq!(digit("text/plain", "5"), None);
        assert_eq!(digit("application/dtmf-relay", ""), None);
    }
}
