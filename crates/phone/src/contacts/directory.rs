//! All contacts in memory, as they stood at one moment: whose number it is, and who is found. Pure.

use std::collections::HashMap;

use super::text::{Digits, folded, spelt_out};
use crate::{
    AccountId, ContactFilter, ContactId, ContactKind, ContactPage, ContactView, NumberKind, PeerView, UnixMs,
};

/// Contacts told at once at most.
const MOST: u32 = 200;

/// The contacts, favourites first, then by name.
#[derive(Default)]
pub(crate) struct Directory {
    /// Counted up with every change.
    pub(super) version: u32,
    /// When each account's were last as the PBX has them.
    pub(super) fresh: HashMap<AccountId, UnixMs>,
    pub(super) entries: Vec<Entry>,
    /// The words of all entries in their order: a search runs through memory once.
    text: String,
    /// Where in it those of each entry end: of its name, of its name spelt out, of what is around it.
    ends: Vec<[usize; 3]>,
    /// Places of entries by what their numbers have in common with the same ones in another notation.
    tails: HashMap<String, Vec<usize>>,
    places: HashMap<ContactId, usize>,
}

/// A contact with what it is sought by.
pub(super) struct Entry {
    pub(super) view: ContactView,
    /// Its id at the PBX.
    pub(super) remote: String,
    /// Words of its name.
    name: String,
    /// Its numbers, in its order; nothing for one that is none.
    pub(super) numbers: Vec<Option<Digits>>,
}

/// The words a contact is sought by.
pub(super) struct Words<'a> {
    /// Those of its name.
    pub(super) name: &'a str,
    /// The same with umlauts spelt out; empty where there are none.
    pub(super) spelt: &'a str,
    /// Those of company, department, title and mail address.
    pub(super) around: &'a str,
}

impl Entry {
    fn new(view: ContactView, remote: String) -> Self {
        Self {
            name: folded(&view.name),
            numbers: view.numbers.iter().map(|number| Digits::of(&number.number)).collect(),
            remote,
            view,
        }
    }
}

impl Directory {
    /// These contacts, with their ids at the PBX.
    pub(super) fn new(
        version: u32,
        fresh: HashMap<AccountId, UnixMs>,
        contacts: impl IntoIterator<Item = (ContactView, String)>,
    ) -> Self {
        let mut entries: Vec<Entry> =
            contacts.into_iter().map(|(view, remote)| Entry::new(view, remote)).collect();
        entries.sort_by(|a, b| {
            let order = |entry: &Entry| (!entry.view.favorite, entry.view.id);
            (order(a).0, &a.name, order(a).1).cmp(&(order(b).0, &b.name, order(b).1))
        });
        let (mut tails, mut places) = (HashMap::<String, Vec<usize>>::new(), HashMap::new());
        for (place, entry) in entries.iter().enumerate() {
            places.insert(entry.view.id, place);
            for digits in entry.numbers.iter().flatten() {
                tails.entry(digits.tail().to_owned()).or_default().push(place);
            }
        }
        let (mut text, mut ends) = (String::new(), Vec::with_capacity(entries.len()));
        for Entry { name, view, .. } in &entries {
            text.push_str(name);
            let named = text.len();
            text.push_str(&spelt_out(&view.name));
            let spelt = text.len();
            let around = [&view.company, &view.department, &view.title, &view.email];
            around.into_iter().flatten().for_each(|part| text.push_str(&folded(part)));
            ends.push([named, spelt, text.len()]);
        }
        Self { version, fresh, entries, text, ends, tails, places }
    }

    /// The entries with what they are sought by, and their places.
    pub(super) fn sought(&self) -> impl Iterator<Item = (usize, Words<'_>, &Entry)> {
        let mut from = 0;
        let each = self.entries.iter().zip(&self.ends).enumerate();
        each.map(move |(place, (entry, [named, spelt, around]))| {
            let part = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
            let words = Words {
                name: part(from, *named),
                spelt: part(*named, *spelt),
                around: part(*spelt, *around),
            };
            from = *around;
            (place, words, entry)
        })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// A contact and its id at the PBX.
    pub(crate) fn get(&self, id: ContactId) -> Option<(&ContactView, &str)> {
        let entry = self.entries.get(*self.places.get(&id)?)?;
        Some((&entry.view, &entry.remote))
    }

    /// The contact that has this id at the PBX of an account.
    pub(crate) fn at_pbx(&self, account: &AccountId, kind: ContactKind, remote: &str) -> Option<ContactId> {
        let found = self.entries.iter().find(|entry| {
            entry.remote == remote && entry.view.kind == kind && entry.view.account == *account
        });
        found.map(|entry| entry.view.id)
    }

    /// Whose number it is, for an account: its own contacts know better than those of others, and extensions are
    /// known at their own PBX alone.
    pub(crate) fn name_of(&self, account: &AccountId, number: &str) -> Option<&str> {
        self.at(account, number).map(|contact| contact.name.as_str())
    }

    /// The contact a number is of, for this account.
    fn at(&self, account: &AccountId, number: &str) -> Option<&ContactView> {
        let sought = Digits::of(number)?;
        self.whose(&sought)
            .filter(|(entry, kind)| *kind != NumberKind::Extension || entry.view.account == *account)
            .min_by_key(|(entry, _)| (entry.view.account != *account, !entry.view.favorite, entry.view.kind))
            .map(|(entry, _)| &entry.view)
    }

    /// Puts the name and the picture of a contact to a number, where there is one; the name is better known than what
    /// came with a call. A picture is to be had only through the account whose contact it is.
    pub(crate) fn name(&self, account: &AccountId, peer: &mut PeerView) {
        let contact = self.at(account, &peer.number);
        if let Some(contact) = contact {
            peer.name = Some(contact.name.clone());
        }
        peer.picture =
            contact.filter(|contact| contact.account == *account).and_then(|it| it.picture.clone());
    }

    /// Contacts that have this number, and which of theirs it is.
    pub(super) fn whose(&self, sought: &Digits) -> impl Iterator<Item = (&Entry, NumberKind)> {
        let places = self.tails.get(sought.tail()).into_iter().flatten();
        let entries = places.filter_map(|place| self.entries.get(*place));
        entries.filter_map(|entry| {
            let mut numbers = entry.numbers.iter().zip(&entry.view.numbers);
            let (_, number) =
                numbers.find(|(digits, _)| digits.as_ref().is_some_and(|digits| digits.same(sought)))?;
            Some((entry, number.kind))
        })
    }

    /// Favourites that have an extension: through which account, and which.
    pub(crate) fn favorite_extensions(&self) -> impl Iterator<Item = (&AccountId, &str)> {
        let favorites = self.entries.iter().take_while(|entry| entry.view.favorite);
        let extensions = favorites.filter(|entry| entry.view.kind == ContactKind::Extension);
        extensions.filter_map(|entry| {
            let number = entry.view.numbers.iter().find(|number| number.kind == NumberKind::Extension)?;
            Some((&entry.view.account, number.number.as_str()))
        })
    }

    /// A part of the contacts, as they stand.
    pub(super) fn page(&self, filter: ContactFilter, from: u32, most: u32) -> ContactPage {
        let wanted = |entry: &&Entry| is_of(&entry.view, filter);
        let total = self.entries.iter().filter(wanted).count();
        let favorites = self.entries.iter().take_while(|entry| entry.view.favorite).filter(wanted).count();
        let part = self.entries.iter().filter(wanted).skip(from as usize).take(most.min(MOST) as usize);
        ContactPage {
            from,
            total: u32::try_from(total).unwrap_or(u32::MAX),
            favorites: u32::try_from(favorites).unwrap_or(u32::MAX),
            contacts: part.map(|entry| entry.view.clone()).collect(),
        }
    }
}

/// Whether a contact is among those wanted.
pub(super) fn is_of(contact: &ContactView, filter: ContactFilter) -> bool {
    match filter {
        ContactFilter::All => true,
        ContactFilter::Favorites => contact.favorite,
        ContactFilter::Extension => contact.kind == ContactKind::Extension,
        ContactFilter::Business => contact.kind == ContactKind::Business,
        ContactFilter::Personal => contact.kind == ContactKind::Personal,
        ContactFilter::Computer => contact.kind == ContactKind::Computer,
    }
}
