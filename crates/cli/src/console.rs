//! `console`: the phone driven line by line over standard input, for tests and scripts that need several calls.

mod line;

use std::collections::BTreeMap;
use std::io::BufRead;

use phone::{AccountState, CallId, CallState, CallView, Event, MailboxView};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant};

use crate::calls::{Script, next};
use crate::exit::Exit;
use line::{Line, WORDS};

/// Figures of a call are printed this often.
const MEDIA_EVERY: Duration = Duration::from_secs(1);

/// The calls in progress, as they were last printed.
#[derive(Default)]
struct Known {
    calls: BTreeMap<CallId, CallView>,
    media_due: BTreeMap<CallId, Instant>,
    /// Calls whose answer was printed.
    answered: Vec<CallId>,
    state: Option<AccountState>,
    mailbox: Option<MailboxView>,
}

impl Script {
    /// Does what each line says until the input ends, `quit` is read, or the user interrupts.
    pub async fn console(&mut self) -> Exit {
        let mut lines = read_lines();
        let mut known = Known::default();
        loop {
            tokio::select! {
                () = self.interrupt.pressed() => return Exit::Done,
                line = lines.recv() => match line {
                    Some(line) if line.trim() == "quit" => return Exit::Done,
                    Some(line) => self.obey(&line, &known),
                    None => return Exit::Done,
                },
                event = next(&mut self.events) => match event {
                    Some(event) => self.show(event, &mut known),
                    None => return Exit::Unreachable,
                },
            }
        }
    }

    fn obey(&self, line: &str, known: &Known) {
        let only = match known.calls.keys().collect::<Vec<_>>().as_slice() {
            [only] => Some(**only),
            _ => None,
        };
        match Line::read(line, &self.account, only) {
            Ok(None) => {}
            Ok(Some(Line::Do(command))) => self.phone.send(*command),
            Ok(Some(Line::List)) => known.calls.values().for_each(|view| self.output.call(view)),
            Ok(Some(Line::Help)) => self.output.help(WORDS),
            Err(sentence) => self.output.misunderstood(line, &sentence),
        }
    }

    fn show(&self, event: Event, known: &mut Known) {
        match event {
            Event::Account { view } => {
                // A phone at a console waits for a server to appear.
                if known.state.as_ref() != Some(&view.state) {
                    self.registration(&view.state, true);
                }
                if known.mailbox != view.mailbox
                    && let Some(mailbox) = &view.mailbox
                {
                    self.output.mailbox(&view.id, mailbox);
                }
                (known.state, known.mailbox) = (Some(view.state), view.mailbox);
            }
            Event::Watched { view } => self.output.watched(&view),
            Event::Message { view } => self.output.message(&view),
            Event::Call { view } => self.show_call(view, known),
            Event::Media { call, report } => {
                let due = known.media_due.entry(call).or_insert_with(Instant::now);
                if *due <= Instant::now() {
                    *due = Instant::now() + MEDIA_EVERY;
                    self.output.media(call, &report);
                }
            }
            Event::Summary { call, summary } => self.output.summary(call, &summary),
            Event::DeviceChanged { news } => self.output.device_changed(&news),
            Event::DigitHeard { call, digit } => self.output.digit(call, digit),
            Event::Notice { problem, .. } => self.output.error(&problem),
            _ => {}
        }
    }

    fn show_call(&self, view: CallView, known: &mut Known) {
        let before = known.calls.insert(view.id, view.clone());
        let fresh = before.as_ref().is_none_or(|before| before.state != view.state);
        match &view.state {
            CallState::Incoming if fresh => self.output.incoming(&view),
            CallState::Ringing if fresh => self.output.ringing(&view),
            CallState::Active { .. } | CallState::Held { .. }
                if view.setup_ms.is_some() && !known.answered.contains(&view.id) =>
            {
                known.answered.push(view.id);
                self.output.answered(&view);
            }
            CallState::Ended { end } => {
                self.output.ended(&view, end);
                known.calls.remove(&view.id);
                known.media_due.remove(&view.id);
                return;
            }
            _ => {}
        }
        if before.as_ref() != Some(&view) {
            self.output.call(&view);
        }
    }
}

/// Lines of standard input, read by a thread of their own: a runtime would wait for the last one at its end.
fn read_lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    let read = move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("lines".into()).spawn(read) {
        tracing::error!(%error, "no thread to read lines with");
    }
    lines
}
