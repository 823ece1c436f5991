use std::sync::Arc;
use std::sync::Mutex;

use super::*;

/// A card by its name; those that can be opened are on the list that all of them share.
#[derive(Clone)]
struct Card {
    name: &'static str,
    desk: Arc<Desk>,
}

#[derive(Default)]
struct Desk {
    there: Mutex<Vec<&'static str>>,
    opened: Mutex<Vec<&'static str>>,
}

impl PartialEq for Card {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Kind for Card {
    type Device = str;

    fn open(&self, _wake: Wake) -> Result<Box<str>, DeviceError> {
        self.desk.opened.lock().unwrap().push(self.name);
        match self.desk.there.lock().unwrap().contains(&self.name) {
            true => Ok(self.name.into()),
            false => Err(DeviceError::NotFound(self.name.into())),
        }
    }

    fn silence() -> Box<str> {
        "silence".into()
    }

    fn has_begun(device: &mut str) -> bool {
        device != "slow"
    }

    fn comes_back(&self) -> bool {
        self.name != "file"
    }
}

struct Trial {
    desk: Arc<Desk>,
    place: Place<Card>,
    now: Instant,
}

impl Trial {
    fn open(there: &[&'static str], wanted: &[&'static str]) -> Self {
        let desk = Arc::new(Desk { there: Mutex::new(there.to_vec()), opened: Mutex::default() });
        let wanted = cards(&desk, wanted);
        let place = Place::open(&wanted, Arc::new(|| {})).unwrap();
        Self { desk, place, now: Instant::now() }
    }

    fn desk(&self, there: &[&'static str]) {
        *self.desk.there.lock().unwrap() = there.to_vec();
    }

    fn want(&mut self, wanted: &[&'static str]) {
        self.place.want(cards(&self.desk, wanted), self.now);
    }

    /// Looks, a second of a made-up clock at a time, until it is so.
    fn until(&mut self, done: impl Fn(&mut Place<Card>) -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !done(&mut self.place) {
            assert!(Instant::now() < end, "it is {} still", self.place.device());
            self.now += RETRY;
            self.place.look(self.now);
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn opened(&self) -> Vec<&'static str> {
        self.desk.opened.lock().unwrap().clone()
    }
}

fn cards(desk: &Arc<Desk>, names: &[&'static str]) -> Vec<Card> {
    names.iter().map(|name| Card { name, desk: desk.clone() }).collect()
}

fn at_rest(place: &mut Place<Card>) -> bool {
    matches!(place.search, Search::Rest)
}

#[test]
fn the_best_that_opens_is_used() {
    let mut trial = Trial::open(&["dock", "laptop"], &["headset", "dock", "laptop"]);
    assert_eq!((trial.place.device().to_string().as_str(), trial.place.deadline()), ("dock", None));
    assert_eq!(trial.opened(), ["headset", "dock"]);
    let desk = trial.desk.clone();
    let none = Place::open(&cards(&desk, &["a", "b"]), Arc::new(|| {}));
    assert!(matches!(none.err(), Some(DeviceError::NotFound(name)) if name == "a"), "the error of the best");
}

#[test]
fn a_lost_card_is_silence_until_it_is_back() {
    let mut trial = Trial::open(&["headset"], &["headset"]);
    trial.desk(&[]);
    trial.place.lost(trial.now);
    assert_eq!(
        (trial.place.device().to_string().as_str(), trial.place.deadline()),
        ("silence", Some(trial.now))
    );
    for _ in 0..3 {
        let tried = trial.opened().len();
        let desk = trial.desk.clone();
        trial.until(|_| desk.opened.lock().unwrap().len() > tried);
    }
    trial.desk(&["headset"]);
    trial.until(at_rest);
    assert_eq!(trial.place.device(), "headset");
    assert_eq!(trial.place.deadline(), None);
}

#[test]
fn the_next_takes_the_place_of_a_lost_one() {
    let mut trial = Trial::open(&["headset", "laptop"], &["headset", "dock", "laptop"]);
    trial.desk(&["laptop"]);
    trial.place.lost(trial.now);
    trial.until(at_rest);
    assert_eq!(trial.place.device(), "laptop");
}

#[test]
fn a_better_one_takes_over_without_a_silence_between() {
    let mut trial = Trial::open(&["laptop", "headset"], &["laptop"]);
    trial.want(&["headset", "laptop"]);
    assert_eq!(trial.place.deadline(), Some(trial.now), "at once");
    trial.until(|place| {
        assert_ne!(place.device(), "silence");
        at_rest(place)
    });
    assert_eq!(trial.place.device(), "headset");
    trial.want(&["headset", "laptop"]);
    assert_eq!(trial.place.deadline(), None, "what is wanted already is not looked for");
}

#[test]
fn one_that_does_not_begin_waits_behind_the_one_that_works() {
    let mut trial = Trial::open(&["laptop", "slow"], &["laptop"]);
    trial.want(&["slow", "laptop"]);
    trial.until(|place| matches!(place.search, Search::Warming { .. }));
    assert_eq!(trial.place.device(), "laptop");
    let begun = trial.now;
    trial.until(at_rest);
    assert_eq!(trial.place.device(), "slow");
    assert!(trial.now >= begun + WARM_UP - RETRY);
}

#[test]
fn the_one_that_works_is_lost_while_another_begins() {
    let mut trial = Trial::open(&["laptop", "slow"], &["laptop"]);
    trial.want(&["slow", "laptop"]);
    trial.until(|place| matches!(place.search, Search::Warming { .. }));
    trial.place.lost(trial.now);
    assert_eq!(trial.place.device(), "slow");
}

#[test]
fn a_better_one_that_cannot_be_opened_is_let_be() {
    let mut trial = Trial::open(&["laptop"], &["laptop"]);
    trial.want(&["headset", "laptop"]);
    trial.until(at_rest);
    assert_eq!(trial.place.device(), "laptop");
    assert_eq!(trial.opened(), ["laptop", "headset"], "neither tried twice nor the one in use opened again");
}

#[test]
fn what_is_wanted_may_change_while_a_thread_looks() {
    let mut trial = Trial::open(&["laptop", "dock", "headset"], &["laptop"]);
    trial.want(&["dock", "laptop"]);
    trial.place.look(trial.now);
    assert!(matches!(trial.place.search, Search::Running { .. }));
    trial.want(&["headset", "dock", "laptop"]);
    trial.until(|place| at_rest(place) && place.device() == "headset");
}

#[test]
fn a_file_does_not_come_back() {
    let mut trial = Trial::open(&["file"], &["file"]);
    trial.place.lost(trial.now);
    assert_eq!(trial.place.deadline(), None);
    trial.place.look(trial.now + RETRY);
    assert_eq!((trial.place.device().to_string().as_str(), trial.opened().len()), ("silence", 1));
}

#[test]
fn a_card_that_fails_as_soon_as_it_opens_is_looked_for_once_a_second() {
    let mut trial = Trial::open(&["headset"], &["headset"]);
    trial.place.lost(trial.now);
    trial.until(at_rest);
    trial.place.lost(trial.now);
    assert_eq!(trial.place.deadline(), Some(trial.now + RETRY));
    trial.until(at_rest);
    let later = trial.now + Duration::from_secs(60);
    trial.place.lost(later);
    assert_eq!(trial.place.deadline(), Some(later));
}

#[test]
fn the_gap_is_what_passed_between_the_last_sound_of_one_and_the_first_of_the_other() {
    let mut trial = Trial::open(&["headset", "laptop"], &["headset", "laptop"]);
    let begin = trial.now;
    let at = |ms: u64| begin + Duration::from_millis(ms);
    let first = trial.place.passed(at(0)).map(|moved| (moved.to.name, moved.gap));
    assert_eq!(first, Some(("headset", None)));
    assert!(trial.place.passed(at(10)).is_none());
    trial.desk(&["laptop"]);
    trial.place.lost(at(15));
    assert!(trial.place.passed(at(20)).is_none(), "silence is no sound");
    trial.until(at_rest);
    let moved = trial.place.passed(at(150)).map(|moved| (moved.to.name, moved.gap));
    assert_eq!(moved, Some(("laptop", Some(Duration::from_millis(130)))));
    assert!(trial.place.passed(at(160)).is_none(), "told once");
}
