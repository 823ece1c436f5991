//! The contacts: the directory of extensions, those of the company and those of each user, with what changed when. Pure.
//!
//! Every change has a number. A sync token stands for the number up to which its owner was told; a fresh one has been
//! told of nothing, so that its first diff is the whole.

mod company;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use crate::tenant::{Tenant, opaque};

/// Sync tokens remembered of a user and kind; the oldest is forgotten first.
const TOKENS: usize = 16;

/// Fields of a contact of the company or of a user, with the most characters of each.
const FIELDS: [(&str, usize); 15] = [
    ("name", 64),
    ("email", 128),
    ("company", 128),
    ("title", 128),
    ("business", 128),
    ("business2", 128),
    ("mobile_phone", 128),
    ("mobile_phone2", 128),
    ("home_phone", 128),
    ("home_phone2", 128),
    ("other", 128),
    ("business_fax", 128),
    ("home_fax", 128),
    ("address", 128),
    ("notes", 1024),
];

/// Which contacts, and whose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum List {
    Extensions,
    Company,
    /// Those of the user with this id.
    Own(String),
}

/// Every contact there is, gone or not.
#[derive(Default)]
pub(crate) struct Contacts {
    lists: HashMap<List, BTreeMap<String, Entry>>,
    /// By user, list and contact: whether it is a favourite, and since which change.
    favorites: HashMap<(String, List, String), (bool, u64)>,
    /// By user and list, oldest first.
    tokens: HashMap<(String, List), Vec<(String, u64)>>,
    changes: u64,
    /// Numbers ids, so that a list has an order.
    made: u64,
}

struct Entry {
    fields: Map<String, Value>,
    created: u64,
    changed: u64,
    gone: bool,
}

impl Contacts {
    /// Those of a tenant: its users' extensions, a small company beside them, some of the first user's own, and so many
    /// made up ones.
    pub fn of(tenant: &Tenant, made_up: u32) -> Self {
        let mut contacts = Self::default();
        for (user, department) in tenant.users.iter().zip(company::DEPARTMENTS.iter().cycle()) {
            contacts.put(&List::Extensions, company::extension(user, department));
        }
        for fields in company::partners().chain(company::made_up(made_up)) {
            contacts.put(&List::Company, fields);
        }
        if let Some(user) = tenant.users.first() {
            for fields in company::friends() {
                contacts.put(&List::Own(user.id.clone()), fields);
            }
        }
        contacts
    }

    /// A part of those of a list that are not gone, in the order in which they came, and how many they are in all.
    pub fn list(&self, user: &str, list: &List, skip: usize, top: usize) -> (usize, Vec<Value>) {
        let all = || self.lists.get(list).into_iter().flatten().filter(|(_, entry)| !entry.gone);
        let part = all().skip(skip).take(top);
        (all().count(), part.map(|(id, entry)| Value::Object(self.picture(user, list, id, entry))).collect())
    }

    /// A new contact; its id.
    pub fn create(&mut self, list: &List, fields: Map<String, Value>) -> Result<String, &'static str> {
        let fields = fit(fields)?;
        if !fields.contains_key("name") {
            return Err("name");
        }
        Ok(self.put(list, fields))
    }

    /// Writes what is named anew, and empties what is blank.
    pub fn update(
        &mut self,
        list: &List,
        id: &str,
        fields: Map<String, Value>,
    ) -> Result<bool, &'static str> {
        if fields.get("name").is_some_and(is_blank) {
            return Err("name");
        }
        let named: Vec<String> = fields.keys().cloned().collect();
        let fields = fit(fields)?;
        let change = self.changes + 1;
        let Some(entry) = self.entry(list, id) else { return Ok(false) };
        named.iter().for_each(|name| drop(entry.fields.remove(name)));
        entry.fields.extend(fields);
        entry.changed = change;
        self.changes = change;
        Ok(true)
    }

    /// Deletes a contact; whether there was one.
    pub fn delete(&mut self, list: &List, id: &str) -> bool {
        let change = self.changes + 1;
        let Some(entry) = self.entry(list, id) else { return false };
        (entry.gone, entry.changed) = (true, change);
        self.changes = change;
        true
    }

    /// Marks a contact as a favourite of a user's, or no longer; whether there is such a contact.
    pub fn favor(&mut self, user: &str, list: &List, id: &str, favorite: bool) -> bool {
        if self.entry(list, id).is_none() {
            return false;
        }
        self.changes += 1;
        self.favorites.insert((user.into(), list.clone(), id.into()), (favorite, self.changes));
        true
    }

    /// A token of a user's that has been told of nothing yet.
    pub fn token(&mut self, user: &str, list: &List) -> String {
        self.remember(user, list, 0)
    }

    /// What changed since a token was given, with the token to ask with next; nothing for one that is not known.
    pub fn diff(&mut self, user: &str, list: &List, token: &str) -> Option<(String, Vec<Value>)> {
        let known = self.tokens.get(&(user.to_owned(), list.clone()))?;
        let since = known.iter().find(|(known, _)| known == token).map(|(_, since)| *since)?;
        let mut items = Vec::new();
        for (id, entry) in self.lists.get(list).into_iter().flatten() {
            let favored = self.favored(user, list, id).map_or(0, |(_, change)| change);
            let mut fields = match entry.changed.max(favored) {
                told if told <= since => continue,
                _ if entry.gone && entry.created > since => continue,
                _ if entry.gone => Map::from_iter([("id".to_owned(), id.as_str().into())]),
                _ => self.picture(user, list, id, entry),
            };
            let change = match (entry.gone, entry.created > since) {
                (true, _) => "DELETED",
                (false, true) => "CREATED",
                (false, false) => "UPDATED",
            };
            fields.insert("change_type".into(), change.into());
            items.push(Value::Object(fields));
        }
        Some((self.remember(user, list, self.changes), items))
    }

    /// Forgets every token.
    pub fn forget_tokens(&mut self) {
        self.tokens.clear();
    }

    fn put(&mut self, list: &List, fields: Map<String, Value>) -> String {
        self.changes += 1;
        self.made += 1;
        let id = format!("{:06}{}", self.made, opaque(8));
        let entry = Entry { fields, created: self.changes, changed: self.changes, gone: false };
        self.lists.entry(list.clone()).or_default().insert(id.clone(), entry);
        id
    }

    fn entry(&mut self, list: &List, id: &str) -> Option<&mut Entry> {
        self.lists.get_mut(list)?.get_mut(id).filter(|entry| !entry.gone)
    }

    fn favored(&self, user: &str, list: &List, id: &str) -> Option<(bool, u64)> {
        self.favorites.get(&(user.to_owned(), list.clone(), id.to_owned())).copied()
    }

    fn picture(&self, user: &str, list: &List, id: &str, entry: &Entry) -> Map<String, Value> {
        let mut fields = entry.fields.clone();
        if *list != List::Extensions {
            for (name, _) in FIELDS {
                fields.entry(name).or_insert(Value::Null);
            }
        }
        fields.insert("id".into(), id.into());
        let favorite = self.favored(user, list, id).is_some_and(|(favorite, _)| favorite);
        fields.insert("favorite".into(), favorite.into());
        fields
    }

    fn remember(&mut self, user: &str, list: &List, since: u64) -> String {
        let token = opaque(24);
        let known = self.tokens.entry((user.into(), list.clone())).or_default();
        known.push((token.clone(), since));
        if known.len() > TOKENS {
            known.remove(0);
        }
        token
    }
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// The fields that may be written and are not blank; or the name of one that does not fit.
fn fit(fields: Map<String, Value>) -> Result<Map<String, Value>, &'static str> {
    let mut fitting = Map::new();
    for (name, most) in FIELDS {
        match fields.get(name) {
            None => {}
            Some(value) if is_blank(value) => {}
            Some(Value::String(text)) if text.chars().count() <= most => {
                fitting.insert(name.into(), json!(text));
            }
            Some(_) => return Err(name),
        }
    }
    Ok(fitting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::Passwords;

    fn contacts() -> Contacts {
        Contacts::of(&Tenant::test_works(&Passwords::default()), 0)
    }

    fn named(name: &str) -> Map<String, Value> {
        Map::from_iter([("name".to_owned(), name.into())])
    }

    /// What a diff tells: kind of change and name, or id where it is gone.
    fn told(items: &[Value]) -> Vec<(String, String)> {
        let text = |item: &Value, name: &str| item[name].as_str().map(str::to_owned);
        let each = items.iter().map(|item| {
            (text(item, "change_type").unwrap(), text(item, "name").or_else(|| text(item, "id")).unwrap())
        });
        each.collect()
    }

    #[test]
    fn the_first_diff_is_the_whole_and_the_next_what_changed() {
        let (mut contacts, list) = (contacts(), List::Own("u".into()));
        let ann = contacts.create(&list, named("Ann")).unwrap();
        let gone = contacts.create(&list, named("Gone")).unwrap();
        contacts.delete(&list, &gone);
        let token = contacts.token("u", &list);
        let (token, items) = contacts.diff("u", &list, &token).unwrap();
        assert_eq!(told(&items), [("CREATED".into(), "Ann".into())]);
        assert_eq!(items[0]["favorite"], false);
        assert_eq!(items[0].get("mobile_phone"), Some(&Value::Null));
        let (next, items) = contacts.diff("u", &list, &token).unwrap();
        assert_eq!(items, Vec::<Value>::new());
        contacts.update(&list, &ann, named("Anna")).unwrap();
        let bob = contacts.create(&list, named("Bob")).unwrap();
        let (_, items) = contacts.diff("u", &list, &next).unwrap();
        assert_eq!(told(&items), [("UPDATED".into(), "Anna".into()), ("CREATED".into(), "Bob".into())]);
        contacts.delete(&list, &bob);
        contacts.delete(&list, &ann);
        let (_, items) = contacts.diff("u", &list, &next).unwrap();
        assert_eq!(told(&items), [("DELETED".into(), ann)], "of what came and went, nothing is told");
    }

    #[test]
    fn a_favourite_is_the_users_own_affair() {
        let mut contacts = contacts();
        let list = List::Company;
        let id = contacts.list("u", &list, 0, 1).1[0]["id"].as_str().unwrap().to_owned();
        let tokens = ["u", "v"].map(|user| {
            let token = contacts.token(user, &list);
            contacts.diff(user, &list, &token).unwrap().0
        });
        assert!(contacts.favor("u", &list, &id, true));
        assert!(!contacts.favor("u", &list, "none", true));
        assert_eq!(contacts.diff("u", &list, &tokens[0]).unwrap().1[0]["favorite"], true);
        assert_eq!(contacts.diff("v", &list, &tokens[1]).unwrap().1, Vec::<Value>::new());
        assert!(contacts.diff("v", &list, &tokens[0]).is_none(), "a token of somebody else");
    }

    #[test]
    fn tokens_are_forgotten_by_order_and_by_age() {
        let mut contacts = contacts();
        let first = contacts.token("u", &List::Company);
        (0..TOKENS).for_each(|_| drop(contacts.token("u", &List::Company)));
        assert!(contacts.diff("u", &List::Company, &first).is_none());
        let token = contacts.token("u", &List::Company);
        contacts.forget_tokens();
        assert!(contacts.diff("u", &List::Company, &token).is_none());
    }

    #[test]
    fn what_does_not_fit_is_refused_and_what_is_blank_is_emptied() {
        let (mut contacts, list) = (contacts(), List::Own("u".into()));
        for bad in
            [Map::new(), named(" "), named(&"n".repeat(65)), Map::from_iter([("name".to_owned(), json!(7))])]
        {
            assert_eq!(contacts.create(&list, bad), Err("name"));
        }
        let mut fields = named("Ann");
        fields.insert("title".into(), "Head".into());
        let id = contacts.create(&list, fields).unwrap();
        let change = Map::from_iter([("title".to_owned(), json!("")), ("email".to_owned(), json!("a@b"))]);
        assert_eq!(contacts.update(&list, &id, change), Ok(true));
        let now = &contacts.list("u", &list, 0, 9).1[0];
        assert_eq!(
            (&now["name"], &now["title"], &now["email"]),
            (&json!("Ann"), &Value::Null, &json!("a@b"))
        );
        assert_eq!(contacts.update(&list, &id, named("")), Err("name"));
        assert_eq!(contacts.update(&list, "none", named("A")), Ok(false));
    }

    #[test]
    fn ten_thousand_are_made_up_and_the_same_each_time() {
        let names = |made_up| -> Vec<Value> {
            let contacts = Contacts::of(&Tenant::test_works(&Passwords::default()), made_up);
            contacts
                .list("u", &List::Company, 0, 99_999)
                .1
                .into_iter()
                .map(|contact| contact["name"].clone())
                .collect()
        };
        let many = names(10_000);
        assert_eq!((many.len() - names(0).len(), &many), (10_000, &names(10_000)));
    }
}
