//! What is left of a user when the phone is removed from the machine.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use brand::BRAND;
use sign_in::Keeper;

use crate::signing_in::turn_entry;
use crate::words::of_sign_in_error;
use crate::{Code, Problem, Settings};

/// Deletes this user's settings and calls in `data_dir`, and what the keychain holds of the accounts there. Recordings
/// stay: they lie where the user wanted them.
///
/// # Errors
/// The settings cannot be read, the keychain not emptied or the folder not deleted. What comes after that is left
/// alone, so that a second try finds it.
pub async fn remove_data(data_dir: &Path) -> Result<(), Problem> {
    remove_with(data_dir, &Keeper::keychain(BRAND.keychain)).await
}

async fn remove_with(data_dir: &Path, keeper: &Keeper) -> Result<(), Problem> {
    let failed = |error: &dyn std::fmt::Display| Problem::new(Code::SettingsFailed, error.to_string());
    let settings = Settings::load(data_dir).map_err(|error| failed(&error))?;
    for account in &settings.accounts {
        for entry in [account.id.0.clone(), turn_entry(&account.id)] {
            keeper.delete(&entry).await.map_err(|error| of_sign_in_error(&error))?;
        }
    }
    match fs::remove_dir_all(data_dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sign_in::{MemoryVault, Secrets};

    use super::*;
    use crate::AccountId;

    #[tokio::test]
    async fn settings_and_secrets_go_and_nothing_else_is_needed() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let keeper = Keeper::new(MemoryVault::default(), Duration::from_secs(5));
        fs::create_dir_all(&data).unwrap();
        let settings = r#"{"version":1,"accounts":[{"id":"u@d","server":"s:8887","domain":"d","username":"u",
            "display_name":"U","extension":"101","proxy_host":"s","proxy_port":5060,"transport":"udp"}],
            "earlier_domains":[],"earlier_servers":[],"trusted":[]}"#;
        fs::write(data.join("settings.json"), settings).unwrap();
        let kept = ["u@d".to_owned(), turn_entry(&AccountId("u@d".into()))];
        for entry in &kept {
            keeper.save(entry, &Secrets::plain("hush".into())).await.unwrap();
        }
        remove_with(&data, &keeper).await.unwrap();
        assert!(!data.exists());
        for entry in &kept {
            assert!(keeper.load(entry).await.unwrap().is_none());
        }
        remove_with(&data, &keeper).await.unwrap();
    }

    #[tokio::test]
    async fn settings_of_a_later_version_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("settings.json"), r#"{"version":9999}"#).unwrap();
        let keeper = Keeper::new(MemoryVault::default(), Duration::from_secs(5));
        let problem = remove_with(dir.path(), &keeper).await.unwrap_err();
        assert_eq!(problem.code, Code::SettingsFailed);
        assert!(dir.path().join("settings.json").exists());
    }
}
