//! Who is in the contacts from the start. Numbers are those set aside for drama.

use serde_json::{Map, Value};

use crate::portraits;
use crate::tenant::User;

/// Departments of the extensions, in turn.
pub(super) const DEPARTMENTS: [&str; 3] = ["Sales", "Service", "Workshop"];

const GIVEN: [&str; 25] = [
    "Amélie", "Beatrix", "Chidi", "Dörte", "Emil", "Fátima", "Grace", "Håkon", "Ingrid", "Jonas", "Kenji",
    "Lena", "Marta", "Núria", "Owen", "Priya", "Quentin", "Rosa", "Samir", "Tomás", "Ulla", "Viktor",
    "Wanda", "Yusuf", "Zoë",
];
const FAMILY: [&str; 25] = [
    "Ångström",
    "Brandt",
    "Coyle",
    "Dvořák",
    "Eze",
    "Faure",
    "García",
    "Haddad",
    "Ito",
    "Jansen",
    "Kowalski",
    "Leal",
    "Müller",
    "Nakamura",
    "Oduya",
    "Pritchard",
    "Quist",
    "Raman",
    "Sollund",
    "Thévenet",
    "Urban",
    "Vogt",
    "Weller",
    "Yilmaz",
    "Żak",
];
const COMPANIES: [&str; 8] = [
    "Harbour Instruments",
    "Nordlicht AG",
    "Tallis & Sons",
    "Bellfounders Ltd",
    "Meridian Freight",
    "Casa Verde",
    "Kestrel Optics",
    "Ostrava Steel",
];

/// The fields of an extension.
pub(super) fn extension(user: &User, department: &str) -> Map<String, Value> {
    fields(&[
        ("display_name", &user.display_name),
        ("email", &user.email),
        ("extension_number", &user.extension),
        ("mobile_phone", &format!("+44 7700 900{}", user.extension)),
        ("department", department),
        ("avatar_file_url", &portraits::reference(&user.extension).unwrap_or_default()),
    ])
}

/// Whom the company works with.
pub(super) fn partners() -> impl Iterator<Item = Map<String, Value>> {
    let all = [
        ("Marta Oduya", "Harbour Instruments", "Head of purchasing", "+44 20 7946 0312", "+44 7700 900226"),
        ("Jonas Weller", "Nordlicht AG", "Logistics", "+49 30 23125 208", "+49 171 3920 017"),
        ("Priya Raman", "Harbour Instruments", "Service", "020 7946 0177", ""),
        ("Tomás Leal", "Casa Verde", "Owner", "+34 91 049 82 31", "+34 600 100 231"),
        ("Wanda Müller", "Bellfounders Ltd", "Foundry", "0117 496 0148", ""),
        ("Speaking Clock", "", "", "123", ""),
    ];
    all.into_iter().map(|(name, company, title, business, mobile)| {
        fields(&[
            ("name", name),
            ("company", company),
            ("title", title),
            ("business", business),
            ("mobile_phone", mobile),
        ])
    })
}

/// Whom the first user knows.
pub(super) fn friends() -> impl Iterator<Item = Map<String, Value>> {
    let all = [
        ("Håkon Sollund", "+47 21 93 12 45", "Prefers the mobile after five."),
        ("Mum", "01632 960 118", ""),
    ];
    all.into_iter()
        .map(|(name, home, notes)| fields(&[("name", name), ("home_phone", home), ("notes", notes)]))
}

/// So many others, the same each time.
pub(super) fn made_up(count: u32) -> impl Iterator<Item = Map<String, Value>> {
    (0..count as usize).map(|n| {
        let pick = |from: &'static [&'static str], step: usize| {
            from.get(n / step % from.len()).copied().unwrap_or("")
        };
        let name = format!("{} {} {n}", pick(&GIVEN, 1), pick(&FAMILY, GIVEN.len()));
        fields(&[
            ("name", &name),
            ("company", pick(&COMPANIES, 3)),
            ("email", &format!("contact{n}@example.org")),
            ("business", &format!("+44 20 {:04} {:04}", 7000 + n / 10_000, n % 10_000)),
            ("mobile_phone", &format!("07700 {:06}", 100_000 + n)),
        ])
    })
}

fn fields(all: &[(&str, &str)]) -> Map<String, Value> {
    let filled = all.iter().filter(|(_, text)| !text.is_empty());
    filled.map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect()
}
