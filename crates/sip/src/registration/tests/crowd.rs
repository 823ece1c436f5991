//! Many phones and one PBX under a clock by hand.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

/// How the PBX and the way to it fare at some time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fine,
    /// The PBX's machine is up, the PBX is not.
    Refuses,
    /// Nothing comes back.
    Silent,
    /// Every request is answered 503.
    Overloaded,
    /// It answers every tenth request, and is silent to the others.
    Moody,
}

const RTT: Duration = Duration::from_millis(20);
/// How long a try lasts that nobody answers.
const PATIENCE: Duration = Duration::from_secs(3);
/// When a request over UDP is sent again within that time.
const SENDINGS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(500), Duration::from_millis(1500)];

struct Phone {
    machine: Machine,
    /// When the try under way has its outcome, and which.
    outcome: Option<(Instant, Input)>,
    registered: bool,
}

/// A crowd of phones at one PBX whose weather is a function of the time since the begin.
struct Crowd<W: Fn(Duration) -> Weather> {
    begin: Instant,
    phones: Vec<Phone>,
    agenda: BinaryHeap<Reverse<(Instant, usize)>>,
    weather: W,
    requests: u64,
    /// When each successful registration came.
    registrations: Vec<Duration>,
}

impl<W: Fn(Duration) -> Weather> Crowd<W> {
    fn new(size: usize, weather: W) -> Self {
        let begin = Instant::now() + Duration::from_secs(1);
        let mut crowd = Self {
            begin,
            phones: Vec::new(),
            agenda: BinaryHeap::new(),
            weather,
            requests: 0,
            registrations: Vec::new(),
        };
        for seed in 0..size {
            let machine = Machine::new(HOUR, seed as u64);
            crowd.phones.push(Phone { machine, outcome: None, registered: false });
            crowd.give(seed, Input::Begin, begin);
        }
        crowd
    }

    fn give(&mut self, index: usize, input: Input, now: Instant) {
        for action in self.phones[index].machine.handle(input, now) {
            match action {
                Action::Register { .. } => self.phones[index].outcome = Some(self.request(now)),
                Action::Report(said) => {
                    self.phones[index].registered = matches!(said, Registration::Registered { .. });
                }
            }
        }
        let phone = &self.phones[index];
        let next = [phone.machine.deadline(), phone.outcome.map(|(at, _)| at)];
        self.agenda.extend(next.into_iter().flatten().map(|at| Reverse((at, index))));
    }

    /// What comes of a try that begins now, and when.
    fn request(&mut self, now: Instant) -> (Instant, Input) {
        let granted = Input::Granted { expires: HOUR, rtt: RTT, look: HOUR };
        let failed = |cause, status| Input::Failed { cause, status, retry_after: None };
        for pause in SENDINGS {
            self.requests += 1;
            let at = now + pause + RTT;
            match (self.weather)(at - self.begin) {
                Weather::Fine => return (at, granted),
                Weather::Refuses => return (at, failed(Cause::ConnectionRefused, None)),
                Weather::Overloaded => return (at, failed(Cause::ServerFailed, Some(503))),
                Weather::Moody if self.requests.is_multiple_of(10) => return (at, granted),
                Weather::Silent | Weather::Moody => {}
            }
        }
        (now + PATIENCE, failed(Cause::Silence, None))
    }

    /// Lets the time pass until so long after the begin.
    fn run(&mut self, until: Duration) {
        let end = self.begin + until;
        while let Some(Reverse((now, index))) = self.agenda.peek().copied() {
            if now > end {
                break;
            }
            self.agenda.pop();
            match self.phones[index].outcome {
                Some((at, input)) if at <= now => {
                    self.phones[index].outcome = None;
                    if matches!(input, Input::Granted { .. }) {
                        self.registrations.push(now - self.begin);
                    }
                    self.give(index, input, now);
                }
                _ => self.give(index, Input::Due, now),
            }
        }
    }

    /// Tells all phones at once.
    fn tell(&mut self, input: Input, at: Duration) {
        for index in 0..self.phones.len() {
            self.phones[index].outcome = None;
            self.give(index, input, self.begin + at);
        }
    }

    fn all_registered(&self) -> bool {
        self.phones.iter().all(|phone| phone.registered)
    }

    /// Since `from`: the greatest number of registrations within any one second, and when the last one came.
    fn return_since(&self, from: Duration) -> (usize, Duration) {
        let mut times: Vec<Duration> =
            self.registrations.iter().filter(|at| **at >= from).map(|at| *at - from).collect();
        times.sort();
        let second = Duration::from_secs(1);
        let busiest =
            times.iter().map(|at| times.iter().filter(|t| **t >= *at && **t < *at + second).count());
        (busiest.max().unwrap_or_default(), times.last().copied().unwrap_or_default())
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_thousand_phones_do_not_come_back_in_one_second_after_a_restart() {
    // A restart so short that the connections are all that is lost; a short one; a long one; a crash of the machine.
    for (weather, length, most, last) in [
        (Weather::Refuses, Duration::ZERO, 600, 3),
        (Weather::Refuses, seconds(10), 500, 5),
        (Weather::Refuses, seconds(300), 350, 9),
        (Weather::Silent, seconds(300), 500, 7),
    ] {
        let down = seconds(100);
        let up = down + length;
        let mut crowd =
            Crowd::new(1000, move |at| if at >= down && at < up { weather } else { Weather::Fine });
        crowd.run(down);
        assert!(crowd.all_registered());
        let cause = if weather == Weather::Silent { Cause::Silence } else { Cause::ConnectionLost };
        crowd.tell(Input::FlowLost(cause), down);
        assert!(!crowd.phones.iter().any(|phone| phone.registered), "what is lost is not called registered");
        crowd.run(up + seconds(20));
        assert!(crowd.all_registered());
        let (busiest, last_back) = crowd.return_since(up);
        println!("down for {length:?}: at most {busiest} of 1000 in a second, the last after {last_back:?}");
        assert!(busiest <= most, "{busiest} in one second after {length:?}");
        assert!(last_back <= seconds(last), "the last came {last_back:?} after {length:?}");
    }
}

#[test]
fn a_thousand_phones_on_one_switch_are_back_within_two_seconds_and_not_at_once() {
    let (down, up) = (seconds(100), seconds(160));
    let mut crowd =
        Crowd::new(1000, move |at| if at >= down && at < up { Weather::Silent } else { Weather::Fine });
    crowd.run(down);
    crowd.tell(Input::Cut, down);
    crowd.run(up);
    crowd.tell(Input::Moved { urgent: false }, up);
    crowd.run(up + seconds(5));
    assert!(crowd.all_registered());
    let (_, last_back) = crowd.return_since(up);
    assert!(last_back <= Duration::from_millis(1100), "{last_back:?}");
    let tenths = (0..10).map(|tenth| {
        let from = up + Duration::from_millis(100) * tenth;
        let within = |at: &&Duration| **at >= from && **at < from + Duration::from_millis(100);
        crowd.registrations.iter().filter(within).count()
    });
    assert!(tenths.max().unwrap() < 200, "no tenth of a second sees a fifth of them");
}

#[test]
fn an_overloaded_pbx_is_given_air() {
    let (down, up) = (seconds(100), seconds(400));
    let mut crowd =
        Crowd::new(1000, move |at| if at >= down && at < up { Weather::Overloaded } else { Weather::Fine });
    crowd.run(down);
    crowd.requests = 0;
    crowd.tell(Input::FlowLost(Cause::ConnectionLost), down);
    crowd.run(up);
    assert!(crowd.requests < 15_000, "{} requests in five minutes", crowd.requests);
    crowd.run(up + seconds(90));
    assert!(crowd.all_registered());
    let (busiest, _) = crowd.return_since(up);
    assert!(busiest < 100, "{busiest}");
}

#[test]
fn an_outage_on_the_way_is_over_two_seconds_after_it_is_over() {
    for length in [5, 20, 55] {
        let (down, up) = (seconds(3000), seconds(3000 + length));
        // The refresh falls into the outage for some, and the rest hear of it by their keep-alive.
        let mut crowd =
            Crowd::new(100, move |at| if at >= down && at < up { Weather::Silent } else { Weather::Fine });
        crowd.run(down);
        crowd.tell(Input::FlowLost(Cause::Silence), down);
        crowd.run(up + seconds(5));
        assert!(crowd.all_registered());
        let (_, last_back) = crowd.return_since(up);
        assert!(last_back <= Duration::from_millis(2100), "{last_back:?} after {length} s");
    }
}

#[test]
fn a_pbx_that_answers_every_tenth_request_keeps_its_phones_for_days() {
    let mut crowd = Crowd::new(20, |_| Weather::Moody);
    let mut offline = 0;
    let mut looks = 0;
    for minute in 10..60 * 24 * 3 {
        crowd.run(seconds(60 * minute));
        looks += crowd.phones.len();
        offline += crowd.phones.iter().filter(|phone| !phone.registered).count();
    }
    println!("offline in {offline} of {looks} looks over three days");
    assert!(offline * 50 < looks, "offline in {offline} of {looks} looks");
}

#[test]
fn a_network_that_flaps_for_a_day_leaves_the_phone_registered_whenever_it_is_there() {
    // Forty seconds there, twenty seconds gone, for a day.
    let cycle = |at: Duration| at.as_secs() % 60;
    let weather = move |at| if cycle(at) < 40 { Weather::Fine } else { Weather::Silent };
    let mut crowd = Crowd::new(10, weather);
    for minute in 1..60 * 24 {
        let start = seconds(60 * minute);
        crowd.tell(Input::Moved { urgent: minute % 2 == 0 }, start);
        crowd.run(start + seconds(2));
        assert!(crowd.all_registered(), "minute {minute}");
        crowd.run(start + seconds(40));
        assert!(crowd.all_registered(), "minute {minute}");
        crowd.tell(Input::Cut, start + seconds(40));
        assert!(!crowd.phones.iter().any(|phone| phone.registered));
        crowd.run(start + seconds(60));
    }
}
