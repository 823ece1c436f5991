//! The tenant's rules for passwords of users.

use serde::Serialize;

use crate::tenant::User;

/// What a new password must be like, as `GET /tenant/password_policy` tells it. The default is the contract's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PasswordPolicy {
    /// Fewest characters.
    pub min_length: u32,
    /// Most characters.
    pub max_length: u32,
    /// A letter must be there.
    pub contains_letters: bool,
    /// A digit must be there.
    pub contains_numbers: bool,
    /// Something else must be there.
    pub contains_special_letters: bool,
    /// No three characters that follow each other, as in `abc` or `321`.
    pub disable_sequential_characters: bool,
    /// No character three times in a row.
    pub disable_repeating_characters: bool,
    /// Neither user name nor extension number in it.
    pub disable_account_information: bool,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            min_length: 6,
            max_length: 32,
            contains_letters: true,
            contains_numbers: true,
            contains_special_letters: true,
            disable_sequential_characters: true,
            disable_repeating_characters: true,
            disable_account_information: true,
        }
    }
}

impl PasswordPolicy {
    /// Checks a new password of this user; names the rule that is broken.
    pub(crate) fn check(&self, password: &str, user: &User) -> Result<(), &'static str> {
        let letters: Vec<char> = password.chars().collect();
        let length = u32::try_from(letters.len()).unwrap_or(u32::MAX);
        let lower = password.to_lowercase();
        let account = [&user.username, &user.extension];
        let special = |letter: &char| !letter.is_alphanumeric();
        let rules = [
            (length < self.min_length, "min_length"),
            (length > self.max_length, "max_length"),
            (self.contains_letters && !letters.iter().any(|c| c.is_alphabetic()), "contains_letters"),
            (self.contains_numbers && !letters.iter().any(char::is_ascii_digit), "contains_numbers"),
            (self.contains_special_letters && !letters.iter().any(special), "contains_special_letters"),
            (self.disable_sequential_characters && sequential(&lower), "disable_sequential_characters"),
            (self.disable_repeating_characters && in_a_row(&letters, 0), "disable_repeating_characters"),
            (
                self.disable_account_information && account.iter().any(|name| lower.contains(name.as_str())),
                "disable_account_information",
            ),
        ];
        rules.iter().find(|(broken, _)| *broken).map_or(Ok(()), |(_, rule)| Err(rule))
    }
}

fn sequential(lower: &str) -> bool {
    let runs = |wanted: fn(&char) -> bool| {
        lower
            .chars()
            .collect::<Vec<_>>()
            .split(|c| !wanted(c))
            .any(|run| in_a_row(run, 1) || in_a_row(run, -1))
    };
    runs(char::is_ascii_lowercase) || runs(char::is_ascii_digit)
}

/// Three characters, each this many places after the one before.
fn in_a_row(letters: &[char], step: i64) -> bool {
    letters.windows(3).any(|three| {
        three.windows(2).all(|two| match two {
            [a, b] => i64::from(u32::from(*b)) - i64::from(u32::from(*a)) == step,
            _ => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::{Passwords, Tenant};

    #[test]
    fn each_rule_is_kept() {
        let tenant = Tenant::test_works(&Passwords::default());
        let dave = tenant.by_username("dave").unwrap();
        let policy = PasswordPolicy::default();
        for (password, expected) in [
            ("blue-Sk7y", Ok(())),
            ("b-7y", Err("min_length")),
            ("blue-Sk7yblue-Sk7yblue-Sk7yblue-S", Err("max_length")),
            ("184-725", Err("contains_letters")),
            ("blue-Sky", Err("contains_numbers")),
            ("blueSk7y", Err("contains_special_letters")),
            ("blue-Cba7", Err("disable_sequential_characters")),
            ("blue-123", Err("disable_sequential_characters")),
            ("bl-7ooo", Err("disable_repeating_characters")),
            ("blue-Dave7", Err("disable_account_information")),
            ("x-104-y", Err("disable_account_information")),
        ] {
            assert_eq!(policy.check(password, dave), expected, "{password}");
        }
    }
}
