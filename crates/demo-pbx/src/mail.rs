//! E-mails the PBX would have sent.

use std::collections::VecDeque;
use std::time::SystemTime;

use serde::Serialize;

use crate::timestamp::rfc3339;

/// How many are kept.
const KEPT: usize = 200;

/// One e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// Address it goes to.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Text.
    pub text: String,
    /// The code in it, if it is about one.
    pub code: Option<String>,
    /// The link in it that leads back to who asked, if it is about one.
    pub link: Option<String>,
    /// The same link as a page of the PBX's own.
    pub portal_link: Option<String>,
    /// When it was sent, RFC 3339.
    pub sent_at: String,
}

/// E-mails sent, oldest first; the oldest go when there are too many.
#[derive(Default)]
pub(crate) struct Outbox(VecDeque<Mail>);

impl Outbox {
    /// An e-mail with the code of a second factor.
    pub fn code(&mut self, to: &str, code: &str) {
        let text = format!("Your sign-in code is {code}. It is good once, for ten minutes.");
        self.put(Mail { code: Some(code.into()), ..mail(to, "Your sign-in code", text) });
    }

    /// An e-mail with a link to set a new password.
    pub fn reset(&mut self, to: &str, link: &str, portal: &str) {
        let text = format!(
            "Set a new password: {link}\nOr on the PBX's own page: {portal}\nThe link is good once, for thirty minutes."
        );
        let base = mail(to, "Set a new password", text);
        self.put(Mail { link: Some(link.into()), portal_link: Some(portal.into()), ..base });
    }

    /// All, oldest first.
    pub fn all(&self) -> Vec<Mail> {
        self.0.iter().cloned().collect()
    }

    fn put(&mut self, mail: Mail) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(mail);
    }
}

fn mail(to: &str, subject: &str, text: String) -> Mail {
    let sent_at = rfc3339(SystemTime::now());
    Mail { to: to.into(), subject: subject.into(), text, code: None, link: None, portal_link: None, sent_at }
}
