use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

/// One message of the manager interface: an event or an answer.
pub type Message = BTreeMap<String, String>;

/// Asterisk's manager interface: asks for actions, hears what happens.
pub struct Ami {
    reader: BufReader<TcpStream>,
    /// What came while something else was waited for.
    heard: Vec<Message>,
    partial: String,
}

impl Ami {
    /// Signs in and waits until Asterisk has started all of itself.
    pub(super) fn open(address: Ipv4Addr, port: u16, limit: Duration) -> Self {
        let stream = TcpStream::connect((address, port)).expect("Asterisk's manager interface");
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let mut ami = Self { reader: BufReader::new(stream), heard: Vec::new(), partial: String::new() };
        ami.act(&[("Action", "Login"), ("Username", "judge"), ("Secret", "judge")]);
        ami.wait("FullyBooted", limit, |_| true);
        ami
    }

    /// Asks for an action and gives the answer; fails the test where it is refused.
    pub fn act(&mut self, fields: &[(&str, &str)]) -> Message {
        let text: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.reader.get_mut().write_all(format!("{text}\r\n").as_bytes()).unwrap();
        let answer = self.message(Duration::from_secs(20), |message| message.contains_key("Response"));
        let answer = answer.unwrap_or_else(|heard| panic!("{fields:?}: no answer, but {heard:?}"));
        assert_eq!(answer["Response"], "Success", "{fields:?}: {answer:?}");
        answer
    }

    /// Calls `channel` and puts it at `extension` once it answers.
    pub fn originate(&mut self, channel: &str, extension: &str) {
        self.act(&[
            ("Action", "Originate"),
            ("Channel", channel),
            ("Context", "office"),
            ("Exten", extension),
            ("Priority", "1"),
            ("CallerID", "Judge <600>"),
            ("Async", "true"),
        ]);
    }

    /// Waits for an event of this name that fits, one heard already included; fails the test when `limit` passes.
    pub fn wait(&mut self, event: &str, limit: Duration, fits: impl Fn(&Message) -> bool) -> Message {
        let fits =
            |message: &Message| message.get("Event").is_some_and(|name| name == event) && fits(message);
        self.message(limit, fits).unwrap_or_else(|heard| {
            let names: Vec<_> = heard.iter().filter_map(|message| message.get("Event")).collect();
            panic!("Asterisk never told of {event}, but of {names:?}")
        })
    }

    /// Forgets what was heard so far.
    pub fn forget(&mut self) {
        self.heard.clear();
    }

    /// Takes the first message that fits out of what is heard; or gives all of it when `limit` passes.
    fn message(&mut self, limit: Duration, fits: impl Fn(&Message) -> bool) -> Result<Message, Vec<Message>> {
        let deadline = Instant::now() + limit;
        let mut from = 0;
        loop {
            if let Some(at) = self.heard.iter().skip(from).position(&fits) {
                return Ok(self.heard.remove(from + at));
            }
            from = self.heard.len();
            if Instant::now() > deadline {
                return Err(self.heard.clone());
            }
            self.read();
        }
    }

    /// Reads on, for a tenth of a second or to the end of a message.
    fn read(&mut self) {
        loop {
            match self.reader.read_line(&mut self.partial) {
                Ok(0) => panic!("Asterisk closed its manager interface"),
                Ok(_) if self.partial.ends_with("\r\n\r\n") => {
                    let text = std::mem::take(&mut self.partial);
                    let fields = text.lines().filter_map(|line| line.split_once(':'));
                    self.heard.push(fields.map(|(k, v)| (k.to_owned(), v.trim().to_owned())).collect());
                    return;
                }
                Ok(_) => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return,
                Err(e) => panic!("Asterisk's manager interface: {e}"),
            }
        }
    }
}
