use crate::ApiError;
use crate::json::Object;
use crate::request::Field;

/// Longest text kept of a field, characters; the description allows 1024 for names and 128 elsewhere.
const LINE: usize = 256;
/// Longest note kept, characters.
const NOTE: usize = 4096;

/// Whose contacts they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContactKind {
    /// The company directory: everybody who has an extension.
    Extension,
    /// Contacts of the company, the same for everybody.
    Business,
    /// The user's own.
    Personal,
}

impl ContactKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Extension, Self::Business, Self::Personal];

    /// The resource that tells their changes and takes the user's favourites.
    pub(crate) fn resource(self) -> &'static str {
        match self {
            Self::Extension => "user/extension_contacts",
            Self::Business => "user/business_contacts",
            Self::Personal => "user/contacts",
        }
    }
}

/// A contact, as far as a phone needs it. Its texts hold no control characters and are cut to what can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Opaque id, one among those of its kind.
    pub id: String,
    /// Its name; where it has none its first number or mail address.
    pub name: String,
    /// Its numbers, in the order in which one would try them.
    pub numbers: Vec<ContactNumber>,
    /// Mail address.
    pub email: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Title or position.
    pub title: Option<String>,
    /// Department, of an extension.
    pub department: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Notes, in lines.
    pub notes: Option<String>,
    /// Its picture, a reference for [`Client::blob`](crate::Client::blob).
    pub avatar_file_url: Option<String>,
    /// The user marked it as a favourite; `None` where that is not told.
    pub favorite: Option<bool>,
}

/// A number of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactNumber {
    /// Which.
    pub kind: NumberKind,
    /// The number, as it was written.
    pub number: String,
}

/// Which number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberKind {
    /// The extension.
    Extension,
    /// At work.
    Business,
    /// Mobile.
    Mobile,
    /// At home.
    Home,
    /// Another.
    Other,
    /// Fax at work.
    BusinessFax,
    /// Fax at home.
    HomeFax,
}

/// Fields that hold numbers, in the order in which one would try them.
const NUMBERS: [(&str, NumberKind); 11] = [
    ("extension_number", NumberKind::Extension),
    ("business", NumberKind::Business),
    ("business2", NumberKind::Business),
    ("work_phone", NumberKind::Business),
    ("mobile_phone", NumberKind::Mobile),
    ("mobile_phone2", NumberKind::Mobile),
    ("home_phone", NumberKind::Home),
    ("home_phone2", NumberKind::Home),
    ("other", NumberKind::Other),
    ("business_fax", NumberKind::BusinessFax),
    ("home_fax", NumberKind::HomeFax),
];

impl Contact {
    /// Reads one; nothing where it has no id, or nothing to be shown.
    pub(crate) fn read(item: &mut Object) -> Result<Option<Self>, ApiError> {
        let id = item.text("id")?.filter(|id| is_opaque(id));
        let mut numbers = Vec::new();
        for (field, kind) in NUMBERS {
            numbers.extend(line(item, field)?.map(|number| ContactNumber { kind, number }));
        }
        let email = line(item, "email")?;
        let named = match line(item, "name")? {
            Some(name) => Some(name),
            None => line(item, "display_name")?,
        };
        let first = numbers.first().map(|first| first.number.clone());
        let (Some(id), Some(name)) = (id, named.or(first).or_else(|| email.clone())) else { return Ok(None) };
        Ok(Some(Self {
            id,
            name,
            numbers,
            email,
            company: line(item, "company")?,
            title: line(item, "title")?,
            department: line(item, "department")?,
            address: line(item, "address")?,
            notes: item.text("notes")?.and_then(|notes| readable(&notes, NOTE, |c| c == '\n')),
            avatar_file_url: item.text("avatar_file_url")?.filter(|url| url.len() <= 2048),
            favorite: item.flag("favorite")?,
        }))
    }
}

/// A contact of the user's own, to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactDraft {
    /// Its name, 1 to 64 characters.
    pub name: String,
    /// Its numbers: no extension, two at work, two mobile and two at home, one of each other kind.
    pub numbers: Vec<ContactNumber>,
    /// Mail address.
    pub email: String,
    /// Company.
    pub company: String,
    /// Title or position.
    pub title: String,
    /// Postal address.
    pub address: String,
    /// Notes, at most 1024 characters.
    pub notes: String,
}

impl ContactDraft {
    /// All fields there are, blank where nothing is in them.
    ///
    /// # Errors
    /// [`ApiError::ContactInvalid`] where it would not fit.
    pub(crate) fn fields(&self) -> Result<Vec<(&'static str, Field<'_>)>, ApiError> {
        let mut fields = vec![
            ("name", self.name.trim()),
            ("email", self.email.trim()),
            ("company", self.company.trim()),
            ("title", self.title.trim()),
            ("address", self.address.trim()),
            ("notes", self.notes.trim()),
        ];
        let mut left: Vec<&ContactNumber> =
            self.numbers.iter().filter(|number| !number.number.trim().is_empty()).collect();
        // An extension's own fields are not the user's to write.
        let own = |field: &str| !matches!(field, "extension_number" | "work_phone");
        for (field, kind) in NUMBERS.into_iter().filter(|(field, _)| own(field)) {
            let place = left.iter().position(|number| number.kind == kind);
            fields.push((field, place.map_or("", |place| left.remove(place).number.trim())));
        }
        let fits = |(field, text): &(&str, &str)| match (*field, text.chars().count()) {
            ("name", count) => (1..=64).contains(&count),
            ("notes", count) => count <= 1024,
            (_, count) => count <= 128,
        };
        if !left.is_empty() || !fields.iter().all(fits) {
            return Err(ApiError::ContactInvalid);
        }
        Ok(fields.into_iter().map(|(field, text)| (field, Field::Plain(text))).collect())
    }
}

/// Whether a text may be the id of something: it becomes one segment of a path.
pub(crate) fn is_opaque(id: &str) -> bool {
    (1..=256).contains(&id.len()) && !matches!(id, "." | "..") && !id.chars().any(char::is_control)
}

/// A text of one line, without what cannot be shown.
pub(crate) fn line(item: &mut Object, field: &str) -> Result<Option<String>, ApiError> {
    Ok(item.text(field)?.and_then(|text| readable(&text, LINE, |_| false)))
}

fn readable(text: &str, most: usize, besides: impl Fn(char) -> bool) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_control() || besides(*c)).take(most).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Option<Contact>, ApiError> {
        Contact::read(&mut Object::parse("contact", body.as_bytes()).unwrap())
    }

    #[test]
    fn an_extension_and_a_contact_are_read_alike() {
        let extension = r#"{"id":"7","display_name":"Bob Chen","extension_number":"102","work_phone":"+44 20 7946 0312",
            "mobile_phone":null,"department":"Sales","favorite":true,"change_type":"CREATED"}"#;
        let bob = read(extension).unwrap().unwrap();
        let numbers: Vec<_> = bob.numbers.iter().map(|n| (n.kind, n.number.as_str())).collect();
        assert_eq!(numbers, [(NumberKind::Extension, "102"), (NumberKind::Business, "+44 20 7946 0312")]);
        assert_eq!(
            (bob.name.as_str(), bob.department.as_deref(), bob.favorite),
            ("Bob Chen", Some("Sales"), Some(true))
        );
        let contact = read(r#"{"id":"8","name":"Ann","home_phone2":"1","notes":"a\r\nb","email":""}"#)
            .unwrap()
            .unwrap();
        assert_eq!((contact.notes.as_deref(), contact.favorite, contact.email), (Some("a\nb"), None, None));
    }

    #[test]
    fn what_has_no_id_or_nothing_to_show_is_left_out() {
        for body in [
            r#"{"name":"Ann"}"#,
            r#"{"id":"7"}"#,
            r#"{"id":"..","name":"Ann"}"#,
            r#"{"id":"7","name":"\u0007"}"#,
        ] {
            assert_eq!(read(body).unwrap(), None, "{body}");
        }
        assert_eq!(read(r#"{"id":"7","mobile_phone":"0171"}"#).unwrap().unwrap().name, "0171");
        assert!(read(r#"{"id":"7","name":["Ann"]}"#).is_err());
    }

    #[test]
    fn texts_are_cut_and_hold_no_control_characters() {
        let body = format!(r#"{{"id":"7","name":"A\u001b[31m{}"}}"#, "n".repeat(5000));
        let name = read(&body).unwrap().unwrap().name;
        assert!(name.starts_with("A[31mn") && name.chars().count() == LINE, "{name}");
    }

    #[test]
    fn a_draft_fills_the_fields_of_each_kind_in_turn() {
        let number = |kind, number: &str| ContactNumber { kind, number: number.into() };
        let draft = ContactDraft {
            name: " Ann ".into(),
            numbers: vec![
                number(NumberKind::Mobile, "1"),
                number(NumberKind::Mobile, "2"),
                number(NumberKind::Home, " "),
                number(NumberKind::Other, "3"),
            ],
            ..ContactDraft::default()
        };
        let fields = draft.fields().unwrap();
        let text = |name: &str| fields.iter().find(|(field, _)| *field == name).map(|(_, text)| text.text());
        assert_eq!(
            ["name", "mobile_phone", "mobile_phone2", "home_phone", "other"].map(text),
            ["Ann", "1", "2", "", "3"].map(Some)
        );
        assert_eq!(text("extension_number"), None);
    }

    #[test]
    fn a_draft_that_does_not_fit_is_refused() {
        let ann = ContactDraft { name: "Ann".into(), ..ContactDraft::default() };
        let numbers = |kind, count: usize| {
            let number = ContactNumber { kind, number: "1".into() };
            ContactDraft { numbers: vec![number; count], ..ann.clone() }
        };
        assert!(numbers(NumberKind::Business, 2).fields().is_ok());
        for bad in [
            ContactDraft::default(),
            ContactDraft { name: "n".repeat(65), ..ann.clone() },
            ContactDraft { notes: "n".repeat(1025), ..ann.clone() },
            ContactDraft { email: "n".repeat(129), ..ann.clone() },
            numbers(NumberKind::Business, 3),
            numbers(NumberKind::Extension, 1),
        ] {
            assert!(matches!(bad.fields(), Err(ApiError::ContactInvalid)), "{bad:?}");
        }
    }
}
