//! Who is meant by what is typed: by the beginnings of names, by any part of a number, by whom was called before. Pure.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::directory::{Directory, Entry, Words, is_of};
use super::text::{Digits, folded};
use crate::{ContactFilter, ContactId, ContactPage, HitView, PeerView, UnixMs};

/// Contacts told at once at most.
const MOST: usize = 200;
/// Longest text looked at, characters.
const LONGEST: usize = 64;
/// Fewest digits that are sought within a number and not only where it begins.
const WITHIN: usize = 3;
/// Digits of a number that may begin with the code of a country.
const LONG: usize = 10;
/// A day, milliseconds.
const DAY: u64 = 24 * 3600 * 1000;

/// Somebody there were calls with, and when the last was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) peer: PeerView,
    pub(crate) last: UnixMs,
    /// How many calls, of those that are known.
    pub(crate) times: u32,
    digits: Option<Digits>,
}

impl Called {
    /// Those of a call list, newest first, each number once.
    pub(crate) fn of(calls: impl IntoIterator<Item = (PeerView, UnixMs)>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for (peer, last) in calls {
            let digits = Digits::of(&peer.number);
            let same = |known: &&mut Self| match (&known.digits, &digits) {
                (Some(known), Some(digits)) => known.same(digits),
                _ => known.peer.number == peer.number,
            };
            match all.iter_mut().find(same) {
                Some(known) => known.times = known.times.saturating_add(1),
                None => all.push(Self { peer, last, times: 1, digits }),
            }
        }
        all
    }
}

/// What is sought.
struct Sought {
    /// Words, each after a blank.
    text: String,
    /// The same one by one.
    words: Vec<String>,
    digits: Option<Digits>,
    /// Nothing but a number was typed.
    is_number: bool,
}

/// How well something fits, 0 to 100; and by which of its numbers.
struct Fit {
    likeness: u32,
    number: Option<usize>,
}

impl Sought {
    fn of(typed: &str) -> Self {
        let typed: String = typed.chars().take(LONGEST).collect();
        let digits = Digits::of(&typed);
        let is_number = digits.is_some() && !typed.chars().any(char::is_alphabetic);
        let text = folded(&typed);
        let words = text.split_whitespace().map(|word| format!(" {word}")).collect();
        Self { text, words, digits, is_number }
    }

    fn fit(&self, words: &Words<'_>, entry: &Entry) -> Option<Fit> {
        let name = [self.names(words.name), self.names(words.spelt)].into_iter().max().flatten();
        let by_name = name.or_else(|| self.around(words)).map(|likeness| Fit { likeness, number: None });
        let numbers = self.digits.iter().flat_map(|_| entry.numbers.iter().enumerate());
        let by_number = numbers.filter_map(|(place, digits)| {
            Some(Fit { likeness: self.number(digits.as_ref()?)?, number: Some(place) })
        });
        // Of numbers that fit alike, the first is the one to try.
        by_name
            .into_iter()
            .chain(by_number)
            .reduce(|best, next| if next.likeness > best.likeness { next } else { best })
    }

    /// How well a name fits: its words begin with those that are sought, in any order.
    fn names(&self, name: &str) -> Option<u32> {
        let text = self.text.as_str();
        match () {
            () if text.is_empty() || name.is_empty() => None,
            () if name == text => Some(100),
            () if name.starts_with(text) => Some(90),
            () if self.words.iter().all(|word| begins(name, word)) => Some(80),
            () => None,
        }
    }

    /// The same over all that is known of somebody.
    fn around(&self, words: &Words<'_>) -> Option<u32> {
        let found = |word: &String| {
            begins(words.name, word) || begins(words.spelt, word) || begins(words.around, word)
        };
        (!self.text.is_empty() && self.words.iter().all(found)).then_some(60)
    }

    fn number(&self, number: &Digits) -> Option<u32> {
        let sought = self.digits.as_ref()?;
        let all = sought.dialled.as_str();
        let bare = sought.bare.trim_start_matches('0');
        let behind = |code: usize| number.bare.get(code..).is_some_and(|rest| rest.starts_with(bare));
        match () {
            () if number.same(sought) => Some(100),
            () if number.dialled.starts_with(all) => Some(85),
            () if bare.len() < WITHIN => None,
            () if number.bare.starts_with(bare) => Some(85),
            // Behind the code of a country, a number begins as well.
            () if number.bare.len() >= LONG && (1..=3).any(behind) => Some(80),
            () if within(&number.dialled, all) => Some(50),
            () => None,
        }
    }
}

/// Whether a word of `words` begins with this one. Where words are written without blanks it may stand anywhere.
fn begins(words: &str, sought: &str) -> bool {
    // Names are short: looking at each word is quicker than getting ready to search.
    let starts = words.match_indices(' ');
    let from = |at: usize| words.get(at..).unwrap_or_default();
    let mut rest = starts.map(|(at, _)| from(at));
    let bare = sought.trim_start();
    rest.any(|rest| rest.starts_with(sought))
        || (bare.starts_with(|c: char| c >= '\u{2e80}') && words.contains(bare))
}

/// Whether digits stand anywhere within others.
fn within(all: &str, sought: &str) -> bool {
    !sought.is_empty() && all.as_bytes().windows(sought.len()).any(|part| part == sought.as_bytes())
}

/// What speaks for somebody beside the likeness.
fn regard(favorite: bool, called: Option<&Called>, now: UnixMs) -> u32 {
    let recent = called.map_or(0, |called| match now.0.saturating_sub(called.last.0) / DAY {
        0 => 15,
        1..7 => 10,
        7..30 => 5,
        _ => 0,
    });
    let often = called.map_or(0, |called| called.times.min(10));
    recent + often + if favorite { 12 } else { 0 }
}

impl Directory {
    /// A part of the contacts that what was typed may mean, likest first; without a text, all as they stand.
    pub(crate) fn find(&self, typed: &str, filter: ContactFilter, from: u32, most: u32) -> ContactPage {
        let sought = Sought::of(typed);
        if typed.trim().is_empty() {
            return self.page(filter, from, most);
        }
        let among = self.sought().filter(|(_, _, entry)| is_of(&entry.view, filter));
        let mut found: Vec<(u32, usize, &Entry)> = among
            .filter_map(|(place, words, entry)| {
                Some((
                    sought.fit(&words, entry)?.likeness + regard(entry.view.favorite, None, UnixMs(0)),
                    place,
                    entry,
                ))
            })
            .collect();
        let upto = (from as usize).saturating_add((most as usize).min(MOST));
        in_front(&mut found, upto, |(worth, place, _)| (Reverse(*worth), *place));
        let part = found.iter().skip(from as usize).take((most as usize).min(MOST));
        ContactPage {
            from,
            total: u32::try_from(found.len()).unwrap_or(u32::MAX),
            favorites: 0,
            contacts: part.map(|(_, _, entry)| entry.view.clone()).collect(),
        }
    }

    /// Whom to call by what was typed: contacts and those there were calls with, likest, favourite, most recent and
    /// most frequent first. Without a text, those there were calls with.
    pub(crate) fn search(&self, typed: &str, called: &[Called], now: UnixMs, most: usize) -> Vec<HitView> {
        let most = most.min(MOST);
        if typed.trim().is_empty() {
            return called.iter().take(most).map(|called| self.former(called)).collect();
        }
        let sought = Sought::of(typed);
        let mut known: HashMap<ContactId, &Called> = HashMap::new();
        let mut strangers = Vec::new();
        for called in called {
            let digits = called.digits.as_ref();
            let mut whose = digits.into_iter().flat_map(|digits| self.whose(digits)).peekable();
            if whose.peek().is_none() {
                strangers.push(called);
            }
            for (entry, _) in whose {
                known.entry(entry.view.id).or_insert(called);
            }
        }
        // Who has no number cannot be called.
        let contacts = self.sought().filter_map(|(place, words, entry)| {
            let fit = sought.fit(&words, entry).filter(|_| !entry.numbers.is_empty())?;
            let worth = fit.likeness + regard(entry.view.favorite, known.get(&entry.view.id).copied(), now);
            Some((Reverse(worth), place, Found::Contact(entry, fit)))
        });
        let strangers = strangers.into_iter().enumerate().filter_map(|(place, called)| {
            let worth = sought.former(called)? + regard(false, Some(called), now);
            Some((Reverse(worth), self.entries.len() + place, Found::Former(called)))
        });
        let mut found: Vec<_> = contacts.chain(strangers).collect();
        in_front(&mut found, most, |(worth, place, _)| (*worth, *place));
        let hits = found.into_iter().filter_map(|(_, _, found)| match found {
            Found::Contact(entry, fit) => hit(entry, &fit, called),
            Found::Former(called) => Some(self.former(called)),
        });
        hits.take(most).collect()
    }

    /// Somebody there were calls with.
    fn former(&self, called: &Called) -> HitView {
        let known = called.digits.as_ref().and_then(|digits| self.whose(digits).next());
        HitView {
            contact: known.map(|(entry, _)| entry.view.id),
            name: known.map(|(entry, _)| entry.view.name.clone()).or_else(|| called.peer.name.clone()),
            number: called.peer.number.clone(),
            kind: known.map(|(_, kind)| kind),
            place: known.and_then(|(entry, _)| place_of(entry)),
            favorite: known.is_some_and(|(entry, _)| entry.view.favorite),
            called: Some(called.last),
            account: known.map(|(entry, _)| entry.view.account.clone()),
            picture: known.and_then(|(entry, _)| entry.view.picture.clone()),
        }
    }
}

/// Brings the first so many into their order; what is behind them stays in none.
fn in_front<T, K: Ord>(found: &mut [T], most: usize, key: impl Fn(&T) -> K) {
    if most < found.len() {
        found.select_nth_unstable_by_key(most, &key);
    }
    if let Some(front) = found.get_mut(..most.min(found.len())) {
        front.sort_unstable_by_key(key);
    }
}

/// What was found.
enum Found<'a> {
    Contact(&'a Entry, Fit),
    Former(&'a Called),
}

impl Sought {
    /// How well somebody fits there were calls with.
    fn former(&self, called: &Called) -> Option<u32> {
        let name = called.peer.name.as_deref().map(folded).unwrap_or_default();
        let by_number = called.digits.as_ref().and_then(|digits| self.number(digits));
        // An address is no number; it is typed as it is written.
        let by_address =
            || (!self.is_number && begins(&folded(&called.peer.number), &self.text)).then_some(80);
        self.names(&name).max(by_number).or_else(by_address)
    }
}

/// How a contact is shown, with the number to be called: the one that was sought, else the one called last, else the
/// first. One without any number cannot be called.
fn hit(entry: &Entry, fit: &Fit, called: &[Called]) -> Option<HitView> {
    let calls_with = |digits: &Option<Digits>| {
        let digits = digits.as_ref()?;
        called.iter().find(|called| called.digits.as_ref().is_some_and(|known| known.same(digits)))
    };
    let latest = || {
        let each = entry.numbers.iter().enumerate();
        let with = each.filter_map(|(place, digits)| Some((calls_with(digits)?.last, place)));
        with.max_by_key(|(last, _)| *last).map(|(_, place)| place)
    };
    let place = fit.number.or_else(latest).unwrap_or(0);
    let number = entry.view.numbers.get(place)?;
    Some(HitView {
        contact: Some(entry.view.id),
        name: Some(entry.view.name.clone()),
        number: number.number.clone(),
        kind: Some(number.kind),
        place: place_of(entry),
        favorite: entry.view.favorite,
        called: entry.numbers.get(place).and_then(calls_with).map(|called| called.last),
        account: Some(entry.view.account.clone()),
        picture: entry.view.picture.clone(),
    })
}

fn place_of(entry: &Entry) -> Option<String> {
    entry.view.company.clone().or_else(|| entry.view.department.clone())
}

#[cfg(test)]
mod tests;
