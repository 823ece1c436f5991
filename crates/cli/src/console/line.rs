//! What a line of the console means.

use phone::{AccountId, CallId, CallPreferences, Command, DeclineReason, DtmfMode};

/// Every line there is, with what it does.
pub const WORDS: &[(&str, &str)] = &[
    ("dial TARGET", "call somebody; digits may follow (102,,1234#)"),
    ("answer [CALL]", "answer"),
    ("decline [CALL] [busy|decline|not-here]", "refuse"),
    ("redirect CALL TARGET", "send the caller elsewhere"),
    ("hangup [CALL]", "end a call"),
    ("hold [CALL]", "put to sleep"),
    ("resume [CALL]", "talk again"),
    ("merge CALL CALL...", "bring calls together"),
    ("split CALL", "talk to one of them alone"),
    ("transfer CALL TARGET", "hand on, blind"),
    ("transfer-to CALL CALL", "join the other ends of two calls"),
    ("park CALL [SLOT], group-park CALL", "park by star code"),
    ("to-voicemail CALL [NUMBER]", "hand a call, ringing or answered, to a voicemail"),
    ("retrieve [SLOT]", "take a parked call"),
    ("pickup [NUMBER]", "answer what rings at an extension, or in the group"),
    ("flip", "take the call from another phone of ours"),
    ("voicemail", "call the voicemail"),
    ("watch NUMBER, unwatch NUMBER", "busy lamp and presence of an extension (subscribe, unsubscribe)"),
    ("message TARGET TEXT", "send a text message"),
    ("mute [CALL], unmute [CALL]", "our voice"),
    ("record [CALL], unrecord [CALL]", "both voices into a file, and no longer"),
    ("dtmf CALL DIGITS", "send digits"),
    ("go-on [CALL]", "send the digits that wait"),
    (
        "prefer [dnd] [auto-answer] [click-to-dial] [publish] [dtmf=automatic|event|info|in-band]",
        "preferences, all anew",
    ),
    ("reconnect", "register now"),
    ("calls", "print all calls"),
    ("help", "print this"),
    ("quit", "hang up, un-register, end"),
];

/// What to do.
#[derive(Debug)]
pub enum Line {
    /// Ask this of the phone.
    Do(Box<Command>),
    /// Print the calls.
    List,
    /// Print what can be said.
    Help,
}

impl Line {
    /// Reads a line; an empty one is nothing. `only` is the call meant where none is named.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn read(line: &str, account: &AccountId, only: Option<CallId>) -> Result<Option<Self>, String> {
        let mut words = line.split_whitespace();
        let Some(verb) = words.next() else { return Ok(None) };
        let mut words = Words { rest: words.collect(), only };
        let own = || Some(account.clone());
        let command = match verb {
            "help" => return Ok(Some(Self::Help)),
            "calls" => return Ok(Some(Self::List)),
            "dial" => Command::Dial { account: Some(account.clone()), target: words.remaining()? },
            "answer" => Command::Answer { call: words.call()? },
            "decline" => Command::Decline { call: words.call()?, reason: reason(words.take())? },
            "redirect" => Command::Redirect { call: words.named()?, target: words.remaining()? },
            "hangup" => Command::HangUp { call: words.call()? },
            "hold" => Command::Hold { call: words.call()? },
            "resume" => Command::Resume { call: words.call()? },
            "merge" => Command::Merge { calls: words.calls()? },
            "split" => Command::Split { call: words.call()? },
            "transfer" => Command::Transfer { call: words.named()?, target: words.remaining()? },
            "transfer-to" => Command::TransferTo { call: words.named()?, to: words.named()? },
            "park" => Command::Park { call: words.named()?, slot: words.take().map(str::to_owned) },
            "group-park" => Command::GroupPark { call: words.call()? },
            "to-voicemail" => {
                Command::ToVoicemail { call: words.named()?, number: words.take().map(str::to_owned) }
            }
            "retrieve" => Command::Retrieve { account: own(), slot: words.take().map(str::to_owned) },
            "pickup" => Command::PickUp { account: own(), number: words.take().map(str::to_owned) },
            "flip" => Command::Flip { account: own() },
            "voicemail" => Command::CallVoicemail { account: own() },
            "watch" | "subscribe" => Command::Watch { account: account.clone(), number: words.remaining()? },
            "unwatch" | "unsubscribe" => {
                Command::Unwatch { account: account.clone(), number: words.remaining()? }
            }
            "message" => Command::SendMessage {
                account: own(),
                target: words.take().ok_or("to whom?")?.to_owned(),
                text: words.remaining()?,
            },
            "mute" => Command::Mute { call: words.call()?, muted: true },
            "unmute" => Command::Mute { call: words.call()?, muted: false },
            "record" => Command::Record { call: words.call()?, on: true },
            "unrecord" => Command::Record { call: words.call()?, on: false },
            "dtmf" => Command::SendDigits { call: words.named()?, digits: words.remaining()? },
            "go-on" => Command::SendWaiting { call: words.call()? },
            "prefer" => Command::PreferInCalls { preferences: preferences(&mut words)? },
            "reconnect" => Command::Reconnect { account: account.clone() },
            _ => return Err(format!("{verb}: unknown; say help")),
        };
        match words.take() {
            Some(word) => Err(format!("{word}: one word too many")),
            None => Ok(Some(Self::Do(Box::new(command)))),
        }
    }
}

/// The words after the first.
struct Words<'a> {
    rest: Vec<&'a str>,
    only: Option<CallId>,
}

impl<'a> Words<'a> {
    fn take(&mut self) -> Option<&'a str> {
        (!self.rest.is_empty()).then(|| self.rest.remove(0))
    }

    /// The call named, or the only one there is.
    fn call(&mut self) -> Result<CallId, String> {
        match self.rest.first().map(|word| word.parse()) {
            Some(Ok(number)) => {
                self.take();
                Ok(CallId(number))
            }
            _ => self.only.ok_or_else(|| "which call?".to_owned()),
        }
    }

    fn named(&mut self) -> Result<CallId, String> {
        let word = self.take().ok_or("which call?")?;
        word.parse().map(CallId).map_err(|_| format!("{word}: not the number of a call"))
    }

    fn calls(&mut self) -> Result<Vec<CallId>, String> {
        let mut calls = Vec::new();
        while !self.rest.is_empty() {
            calls.push(self.named()?);
        }
        Ok(calls)
    }

    fn remaining(&mut self) -> Result<String, String> {
        let rest = std::mem::take(&mut self.rest).join(" ");
        if rest.is_empty() { Err("something is missing".into()) } else { Ok(rest) }
    }
}

fn reason(word: Option<&str>) -> Result<DeclineReason, String> {
    match word {
        None | Some("busy") => Ok(DeclineReason::Busy),
        Some("decline") => Ok(DeclineReason::Decline),
        Some("not-here") => Ok(DeclineReason::NotHere),
        Some(other) => Err(format!("{other}: busy, decline or not-here")),
    }
}

fn preferences(words: &mut Words<'_>) -> Result<CallPreferences, String> {
    let mut preferences = CallPreferences::default();
    while let Some(word) = words.take() {
        match word {
            "dnd" => preferences.do_not_disturb = true,
            "auto-answer" => preferences.auto_answer = true,
            "click-to-dial" => preferences.click_to_dial = true,
            "publish" => preferences.publish_presence = true,
            "dtmf=automatic" => preferences.dtmf = DtmfMode::Automatic,
            "dtmf=event" => preferences.dtmf = DtmfMode::Event,
            "dtmf=info" => preferences.dtmf = DtmfMode::Info,
            "dtmf=in-band" => preferences.dtmf = DtmfMode::InBand,
            other => return Err(format!("{other}: no such preference")),
        }
    }
    Ok(preferences)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, only: Option<u32>) -> String {
        match Line::read(line, &AccountId("a@b".into()), only.map(CallId)) {
            Ok(None) => "nothing".into(),
            Ok(Some(line)) => format!("{line:?}"),
            Err(sentence) => format!("error: {sentence}"),
        }
    }

    #[test]
    fn lines_are_commands() {
        assert_eq!(read("", None), "nothing");
        assert_eq!(
            read("dial +49 30 12", None),
            r#"Do(Dial { account: Some(AccountId("a@b")), target: "+49 30 12" })"#
        );
        assert_eq!(read("hold", Some(3)), "Do(Hold { call: CallId(3) })");
        assert_eq!(read("hold 2", Some(3)), "Do(Hold { call: CallId(2) })");
        assert_eq!(read("merge 1 2", None), "Do(Merge { calls: [CallId(1), CallId(2)] })");
        assert_eq!(read("transfer-to 1 2", None), "Do(TransferTo { call: CallId(1), to: CallId(2) })");
        assert_eq!(read("decline not-here", Some(1)), "Do(Decline { call: CallId(1), reason: NotHere })");
        assert_eq!(read("dtmf 1 12,3#", None), r#"Do(SendDigits { call: CallId(1), digits: "12,3#" })"#);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for line in ["hold", "fly", "dial", "transfer x 102", "hold 1 2", "prefer x", "decline 1 never"] {
            assert!(read(line, None).starts_with("error: "), "{line}");
        }
    }
}
