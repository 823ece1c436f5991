//! Waiting messages (RFC 3842).

use crate::MessageSummary;

/// Reads a message summary; `None` where it does not say whether messages wait.
pub(crate) fn read(text: &str) -> Option<MessageSummary> {
    let mut waiting = None;
    let mut summary = MessageSummary::default();
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "messages-waiting" => waiting = Some(value.eq_ignore_ascii_case("yes")),
            "message-account" => summary.account = Some(value.to_owned()).filter(|uri| !uri.is_empty()),
            "voice-message" => {
                let (new, old) = value.split_once('/').unwrap_or((value, ""));
                summary.new = number(new);
                summary.old = number(old);
            }
            _ => {}
        }
    }
    // The count is the truer word: some mailboxes leave the flag behind.
    summary.waiting = waiting? || summary.new.is_some_and(|new| new > 0);
    Some(summary)
}

fn number(text: &str) -> Option<u32> {
    let digits: String = text.trim().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) const SAMPLE: &str = "Messages-Waiting: yes\r\nMessage-Account: sip:*97@bell.test\r\n\
        Voice-Message: 2/8 (0/2)\r\nFax-Message: 7/0\r\n\r\nTo: <alice@bell.test>\r\n";

    #[test]
    fn counts_and_account() {
        let read = read(SAMPLE).unwrap();
        assert!(read.waiting);
        assert_eq!(
            (read.new, read.old, read.account.as_deref()),
            (Some(2), Some(8), Some("sip:*97@bell.test"))
        );
    }

    #[test]
    fn a_bare_summary() {
        let none = MessageSummary::default();
        assert_eq!(read("messages-waiting:no\n"), Some(none));
        assert_eq!(
            read("MESSAGES-WAITING : Yes"),
            Some(MessageSummary { waiting: true, ..Default::default() })
        );
        let counted = read("Messages-Waiting: no\r\nVoice-Message: 3/0\r\n").unwrap();
        assert_eq!((counted.waiting, counted.new), (true, Some(3)));
    }

    #[test]
    fn anything_else_is_none() {
        for nonsense in ["", "Voice-Message: 1/0", "hello", "Messages-Waiting"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
        assert_eq!(read("Messages-Waiting: yes\nVoice-Message: 99999999999/x").unwrap().new, None);
    }
}
