//! Secrets a test knows of, and the search for them wherever they must not be.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{Process, Session, Window};

/// Passwords, codes and tokens that a test has typed or seen.
#[derive(Debug, Default, Clone)]
pub struct Secrets(BTreeSet<String>);

impl Secrets {
    /// Learns one.
    pub fn learn(&mut self, secret: &str) {
        // What is shorter occurs by chance.
        assert!(secret.len() >= 6, "{secret:?} is too short to be searched for");
        self.0.insert(secret.to_owned());
    }

    /// Learns every token and password in the keychain's entries of this service, and gives how many they are.
    pub fn learn_keychain(&mut self, session: &Session, service: &str) -> usize {
        let mut command = session.command("secret-tool");
        command.args(["search", "--all", "service", service]);
        let said = Process::run("secret-tool", command);
        let entries = said.lines().filter_map(|line| line.strip_prefix("secret = "));
        let mut found = 0;
        for entry in entries {
            let entry: Value = serde_json::from_str(entry).expect("an entry of the keychain is JSON");
            for secret in ["access", "refresh", "sip_password"].iter().filter_map(|key| entry[*key].as_str())
            {
                self.learn(secret);
                found += 1;
            }
        }
        found
    }

    /// Where any of them lies open: in a file of the session, in what the window has logged, in the environment
    /// or the arguments of one of its processes. The keychain's own file is encrypted.
    pub fn lie_open(&self, session: &Session, window: &Window) -> Vec<String> {
        let mut found = Vec::new();
        self.search_folder(&session.path(""), &mut found);
        let logged = window.logged().into_iter().filter(|line| self.is_in(line.text.as_bytes()));
        found.extend(logged.map(|line| format!("logged: {}", line.text)));
        let processes = window.processes();
        assert!(!processes.is_empty(), "the window has no process");
        for pid in processes {
            for file in ["environ", "cmdline"] {
                let path = Path::new("/proc").join(pid.to_string()).join(file);
                self.search_file(&path, &mut found);
            }
        }
        found
    }

    fn search_folder(&self, folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            if self.is_in(name.as_encoded_bytes()) {
                found.push(format!("name of {}", entry.path().display()));
            }
            if kind.is_dir() {
                self.search_folder(&entry.path(), found);
            } else if kind.is_file() {
                self.search_file(&entry.path(), found);
            }
        }
    }

    fn search_file(&self, path: &Path, found: &mut Vec<String>) {
        // A process or a file may go while it is looked for.
        if fs::read(path).is_ok_and(|bytes| self.is_in(&bytes)) {
            found.push(path.display().to_string());
        }
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        let plain = String::from_utf8_lossy(bytes);
        // As web engines keep text.
        let wide: String = plain.chars().filter(|&c| c != '\0').collect();
        self.0.iter().any(|secret| {
            let forms = [secret.clone(), percent_encoded(secret), in_json(secret)];
            forms.iter().any(|form| stands_in(&plain, form) || stands_in(&wide, form))
        })
    }
}

/// Whether `secret` stands in `text`; a code of digits only where it is not part of a longer number or word.
fn stands_in(text: &str, secret: &str) -> bool {
    let digits = secret.bytes().all(|b| b.is_ascii_digit());
    text.match_indices(secret).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + secret.len()..].chars().next();
        let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '.');
        !digits || !(part(before) || part(after))
    })
}

fn percent_encoded(secret: &str) -> String {
    secret.bytes().fold(String::new(), |mut all, b| {
        if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
            all.push(char::from(b));
        } else {
            all.push_str(&format!("%{b:02X}"));
        }
        all
    })
}

fn in_json(secret: &str) -> String {
    serde_json::to_string(secret).unwrap_or_default().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form_it_may_lie_in() {
        let mut secrets = Secrets::default();
        secrets.learn("pass word/1");
        let wide: Vec<u8> = "x pass word/1 y".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for text in [b"{\"p\":\"pass word/1\"}".as_slice(), b"?p=pass%20word%2F1&", &wide] {
            assert!(secrets.is_in(text), "{}", String::from_utf8_lossy(text));
        }
        assert!(!secrets.is_in(b"pass word 1"));
    }

    #[test]
    fn a_code_is_told_from_a_number_it_is_part_of() {
        let mut secrets = Secrets::default();
        secrets.learn("123456");
        assert!(secrets.is_in(b"code=123456&"));
        assert!(!secrets.is_in(b"2026-01-02T03:04:05.123456Z"));
        assert!(!secrets.is_in(b"port 1234567"));
    }

    #[test]
    fn files_and_their_names_are_searched_below_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let mut secrets = Secrets::default();
        secrets.learn("secret-of-the-user");
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::write(dir.path().join("a/b/clean"), "nothing").unwrap();
        let mut found = Vec::new();
        secrets.search_folder(dir.path(), &mut found);
        assert_eq!(found, Vec::<String>::new());
        fs::write(dir.path().join("a/b/leak"), b"\0\xffsecret-of-the-user\xfe").unwrap();
        fs::write(dir.path().join("a/secret-of-the-user.txt"), "").unwrap();
        secrets.search_folder(dir.path(), &mut found);
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
