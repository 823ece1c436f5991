//! What the phone remembers between runs: which accounts, servers and certificates. Never a secret.
//!
//! One JSON file, `settings.json`, in the data directory; written beside and renamed over, so that a
//! crash leaves either the old or the new one. A file of a later version is refused rather than
//! half-read; one that cannot be read is kept aside under another name.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use devices::PlaceBook;
use pbx_api::{Fingerprint, Pin, Trust};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, CallPreferences, Connection, DesktopPreferences, Enforced, RingPreferences, SrtpPolicy,
    Transport, VoicePreferences, WebProxyPreference,
};

/// Version 2 knows plain SIP accounts, enforced settings and the camera used last, version 3 preferences in calls,
/// transports that are found out and the phone's identity, version 4 the order of codecs, version 5 the order of
/// devices and how it rings, version 6 whether calls are encrypted,
/// version 7 what is done to the voice, version 8 the echo line, version 9 how calls get through NATs,
/// version 10 the desktop around the window, version 11 theme, density and language, version 12 the web proxy and the
/// number shown to others, version 13 numbers that are hidden, version 14 how long calls are kept and what
/// notifications say, version 15 whether the computer's own contacts are shown;
/// earlier ones are read as they are.
const VERSION: u32 = 15;
const REMEMBERED: usize = 8;

/// The settings as they stand on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    version: u32,
    /// Accounts signed in to, in that order.
    #[serde(default)]
    pub accounts: Vec<SavedAccount>,
    /// Domains signed in to before, latest first.
    #[serde(default)]
    pub earlier_domains: Vec<String>,
    /// Servers signed in to before, latest first.
    #[serde(default)]
    pub earlier_servers: Vec<String>,
    /// Certificates trusted on purpose.
    #[serde(default)]
    pub trusted: Vec<TrustedCertificate>,
    /// Camera used last for a QR code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// What the user prefers in calls.
    #[serde(default)]
    pub calls: CallPreferences,
    /// Which devices are used at which place.
    #[serde(default)]
    pub devices: PlaceBook,
    /// How the phone rings.
    #[serde(default)]
    pub ring: RingPreferences,
    /// What is done to the user's voice.
    #[serde(default)]
    pub voice: VoicePreferences,
    /// How the phone lives in the desktop around its window.
    #[serde(default)]
    pub desktop: DesktopPreferences,
    /// How servers on the web are reached.
    #[serde(default)]
    pub web_proxy: WebProxyPreference,
    /// The number that calls show, by account, where that is not for the PBX to say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shown_as: BTreeMap<AccountId, String>,
}

/// What every version has in common.
#[derive(Deserialize)]
struct Shape {
    version: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            accounts: Vec::new(),
            earlier_domains: Vec::new(),
            earlier_servers: Vec::new(),
            trusted: Vec::new(),
            camera: None,
            calls: CallPreferences::default(),
            devices: PlaceBook::default(),
            ring: RingPreferences::default(),
            voice: VoicePreferences::default(),
            desktop: DesktopPreferences::default(),
            web_proxy: WebProxyPreference::default(),
            shown_as: BTreeMap::new(),
        }
    }
}

/// What an account was signed in to with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountKind {
    /// A session at a PBX's REST interface.
    #[default]
    Pbx,
    /// Nothing but a SIP password.
    Sip,
}

/// An account that was signed in to. Its secrets stand in the keychain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedAccount {
    /// `user@domain`.
    pub id: AccountId,
    /// What it was signed in to with.
    #[serde(default)]
    pub kind: AccountKind,
    /// Server as `host:port`; of a plain SIP account its outbound proxy as typed.
    pub server: String,
    /// SIP domain.
    pub domain: String,
    /// User name.
    pub username: String,
    /// Name of the person.
    pub display_name: String,
    /// Extension number.
    pub extension: String,
    /// Outbound proxy.
    pub proxy_host: String,
    /// Port of the outbound proxy, where it is not for the name service to say.
    pub proxy_port: Option<u16>,
    /// Transport to it; where that is for the phone to find out, the one that worked last.
    pub transport: Transport,
    /// The phone finds the transport out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub automatic: bool,
    /// Identity of this phone at the account's registrar (RFC 5626), kept for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// User name for digest, where it differs from the extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_user: Option<String>,
    /// Whether its calls are encrypted.
    #[serde(default)]
    pub srtp: SrtpPolicy,
    /// Its calls keep to themselves who calls.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// How its calls find their way through NATs.
    #[serde(default)]
    pub connection: Connection,
    /// What the PBX's profile file settles.
    #[serde(default, skip_serializing_if = "Enforced::is_empty")]
    pub enforced: Enforced,
}

/// A certificate trusted on purpose, for one server only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedCertificate {
    /// Server as `host:port`.
    pub server: String,
    /// SHA-256 of the certificate, 64 hexadecimal digits.
    pub fingerprint: String,
}

/// Settings could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file or its directory cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It was written by a later version of the phone.
    #[error("settings are of version {0}, this phone knows {VERSION}")]
    TooNew(u32),
}

impl Settings {
    /// Reads the settings below `dir`; none are the defaults.
    ///
    /// # Errors
    /// The file cannot be read, or is of a later version. Nothing is lost either way.
    pub fn load(dir: &Path) -> Result<Self, SettingsError> {
        let path = file(dir);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(SettingsError::Io { path, source }),
        };
        // A later version may have another shape.
        if let Ok(Shape { version }) = serde_json::from_slice(&text)
            && version > VERSION
        {
            return Err(SettingsError::TooNew(version));
        }
        match serde_json::from_slice::<Self>(&text) {
            Ok(settings) => Ok(Self { version: VERSION, ..settings }),
            Err(error) => {
                let aside = path.with_extension("unreadable.json");
                tracing::warn!(%error, kept_as = %aside.display(), "settings are not readable; starting afresh");
                fs::rename(&path, &aside).map_err(|source| SettingsError::Io { path, source })?;
                Ok(Self::default())
            }
        }
    }

    /// Writes the settings below `dir`, wholly or not at all.
    ///
    /// # Errors
    /// The directory cannot be made or the file not written; the old file still stands then.
    pub fn save(&self, dir: &Path) -> Result<(), SettingsError> {
        let path = file(dir);
        let beside = path.with_extension("json.new");
        let write = || {
            fs::create_dir_all(dir)?;
            let mut out = fs::File::create(&beside)?;
            serde_json::to_writer_pretty(&mut out, self)?;
            out.write_all(b"\n")?;
            out.sync_all()?;
            fs::rename(&beside, &path)
        };
        write().map_err(|source| SettingsError::Io { path: path.clone(), source })
    }

    /// Makes a change here and below `dir`, on what stands there now: another phone of the same user may have
    /// written since this one read.
    ///
    /// # Errors
    /// As [`load`](Self::load) and [`save`](Self::save); the change is made here in any case.
    pub fn change(&mut self, dir: &Path, change: impl Fn(&mut Self)) -> Result<(), SettingsError> {
        change(self);
        let mut standing = Self::load(dir)?;
        change(&mut standing);
        standing.save(dir)
    }

    /// Puts `account` in its place, or at the end where it is new, and a PBX's domain and server first
    /// among the earlier ones.
    pub fn remember(&mut self, account: SavedAccount) {
        if account.kind == AccountKind::Pbx {
            put_first(&mut self.earlier_domains, &account.domain);
            put_first(&mut self.earlier_servers, &account.server);
        }
        match self.accounts.iter_mut().find(|a| a.id == account.id) {
            Some(place) => {
                // It is the same phone at the same registrar.
                let instance = place.instance.take().or_else(|| account.instance.clone());
                // So is what the user has chosen for it.
                let connection = place.connection.clone();
                let (srtp, hidden) = (place.srtp, place.hidden);
                *place = SavedAccount { instance, srtp, hidden, connection, ..account };
            }
            None => self.accounts.push(account),
        }
    }

    /// Puts an account that there is in its place.
    pub fn replace(&mut self, account: &SavedAccount) {
        if let Some(place) = self.accounts.iter_mut().find(|a| a.id == account.id) {
            place.clone_from(account);
        }
    }

    /// Whether the calls of an account are encrypted.
    pub fn protect(&mut self, id: &AccountId, srtp: SrtpPolicy) {
        if let Some(account) = self.accounts.iter_mut().find(|a| a.id == *id) {
            account.srtp = srtp;
        }
    }

    /// Whether the calls of an account keep to themselves who calls.
    pub fn hide(&mut self, id: &AccountId, hidden: bool) {
        if let Some(account) = self.accounts.iter_mut().find(|a| a.id == *id) {
            account.hidden = hidden;
        }
    }

    /// The number that the calls of an account show; none where that is for the PBX to say.
    pub fn show_as(&mut self, id: &AccountId, number: Option<String>) {
        match number {
            Some(number) => self.shown_as.insert(id.clone(), number),
            None => self.shown_as.remove(id),
        };
    }

    /// How the calls of an account find their way through NATs.
    pub fn connect(&mut self, id: &AccountId, connection: Connection) {
        if let Some(account) = self.accounts.iter_mut().find(|a| a.id == *id) {
            account.connection = connection;
        }
    }

    /// Forgets an account; where it was signed in to is still offered.
    pub fn forget(&mut self, id: &AccountId) {
        self.accounts.retain(|a| a.id != *id);
        self.shown_as.remove(id);
    }

    /// Trusts a certificate for a server, in place of any trusted for it before.
    pub fn trust(&mut self, certificate: TrustedCertificate) {
        self.trusted.retain(|t| t.server != certificate.server);
        self.trusted.push(certificate);
    }

    /// What is trusted, with the certificates trusted on purpose.
    pub(crate) fn trusting(&self, mut trust: Trust) -> Trust {
        trust.pins.extend(self.trusted.iter().filter_map(|trusted| {
            let fingerprint = Fingerprint::parse(&trusted.fingerprint)?;
            Some(Pin { server: trusted.server.parse().ok()?, fingerprint })
        }));
        trust
    }

    /// Trusts no certificate on purpose for a server any more.
    pub fn withdraw_trust(&mut self, server: &str) {
        self.trusted.retain(|t| t.server != server);
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn put_first(list: &mut Vec<String>, entry: &str) {
    list.retain(|e| e != entry);
    list.insert(0, entry.to_owned());
    list.truncate(REMEMBERED);
}

fn file(dir: &Path) -> PathBuf {
    dir.join("settings.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Appearance, CodecPreference, KeepCalls, NoiseRemoval, WebProxyWay};

    fn account(n: u32) -> SavedAccount {
        SavedAccount {
            id: AccountId(format!("u{n}@d{n}")),
            server: format!("s{n}:8887"),
            domain: format!("d{n}"),
            username: format!("u{n}"),
            display_name: String::new(),
            extension: "101".into(),
            proxy_host: "s".into(),
            proxy_port: Some(5060),
            transport: Transport::Udp,
            automatic: false,
            instance: None,
            kind: AccountKind::Pbx,
            auth_user: None,
            srtp: SrtpPolicy::Prefer,
            hidden: false,
            connection: Connection::default(),
            enforced: Enforced::default(),
        }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap(), Settings::default());
        let mut settings = Settings::default();
        settings.remember(account(1));
        settings.trust(TrustedCertificate { server: "s1:8887".into(), fingerprint: "ab".into() });
        settings.save(dir.path()).unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap(), settings);
    }

    #[test]
    fn signing_in_again_keeps_the_identity() {
        let mut settings = Settings::default();
        let named = |n: &str| SavedAccount { instance: Some(n.into()), ..account(1) };
        settings.remember(named("first"));
        settings.remember(named("second"));
        assert_eq!(settings.accounts, [named("first")]);
    }

    #[test]
    fn signing_in_again_keeps_what_was_chosen() {
        let mut settings = Settings::default();
        settings.remember(account(1));
        settings.protect(&account(1).id, SrtpPolicy::Require);
        settings.hide(&account(1).id, true);
        settings.remember(account(1));
        assert_eq!((settings.accounts[0].srtp, settings.accounts[0].hidden), (SrtpPolicy::Require, true));
    }

    #[test]
    fn two_phones_do_not_forget_each_others_accounts() {
        let dir = tempfile::tempdir().unwrap();
        let (mut window, mut terminal) = (Settings::default(), Settings::default());
        window.change(dir.path(), |s| s.remember(account(1))).unwrap();
        terminal.change(dir.path(), |s| s.remember(account(2))).unwrap();
        window.change(dir.path(), |s| s.forget(&account(1).id)).unwrap();
        let standing = Settings::load(dir.path()).unwrap();
        assert_eq!(standing.accounts, [account(2)]);
    }

    #[test]
    fn earlier_places_are_latest_first_and_few() {
        let mut settings = Settings::default();
        (0..20).for_each(|n| settings.remember(account(n)));
        settings.remember(account(15));
        assert_eq!(settings.earlier_domains.len(), REMEMBERED);
        assert_eq!(settings.earlier_domains[..2], ["d15".to_owned(), "d19".to_owned()]);
        assert_eq!(settings.accounts.len(), 20, "signing in again adds no second account");
    }

    #[test]
    fn an_unreadable_file_is_kept_aside() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(file(dir.path()), b"{\"version\": 1, \"acc").unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap(), Settings::default());
        assert!(dir.path().join("settings.unreadable.json").exists());
    }

    #[test]
    fn a_later_version_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(file(dir.path()), b"{\"version\": 99, \"accounts\": {}}").unwrap();
        assert!(matches!(Settings::load(dir.path()), Err(SettingsError::TooNew(99))));
        assert!(file(dir.path()).exists());
    }

    #[test]
    fn the_first_version_is_read_and_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let first = r#"{"version":1,"accounts":[{"id":"u@d","server":"s:8887","domain":"d","username":"u",
            "display_name":"U","extension":"101","proxy_host":"s","proxy_port":5060,"transport":"udp"}],
            "earlier_domains":["d"],"earlier_servers":["s:8887"],"trusted":[]}"#;
        fs::write(file(dir.path()), first).unwrap();
        let mut settings = Settings::load(dir.path()).unwrap();
        assert_eq!(settings.accounts[0].kind, AccountKind::Pbx);
        assert_eq!(settings.accounts[0].proxy_port, Some(5060));
        assert_eq!(settings.accounts[0].srtp, SrtpPolicy::Prefer);
        assert_eq!(settings.accounts[0].connection, Connection::default());
        assert!(!settings.accounts[0].hidden);
        settings.change(dir.path(), |s| s.withdraw_trust("nobody")).unwrap();
        assert!(fs::read_to_string(file(dir.path())).unwrap().contains(&format!("\"version\": {VERSION}")));
        assert_eq!(Settings::load(dir.path()).unwrap(), settings);
    }

    #[test]
    fn the_third_version_has_no_order_of_codecs_yet() {
        let dir = tempfile::tempdir().unwrap();
        let third = r#"{"version":3,"accounts":[],"calls":{"doNotDisturb":true,"dtmf":"info"}}"#;
        fs::write(file(dir.path()), third).unwrap();
        let mut settings = Settings::load(dir.path()).unwrap();
        assert!(settings.calls.do_not_disturb && settings.calls.codecs.is_empty());
        let order = vec![CodecPreference { name: "PCMA".into(), used: true }];
        settings.change(dir.path(), |s| s.calls.codecs.clone_from(&order)).unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap().calls.codecs, order);
        // A phone of that version leaves the file alone instead of forgetting the order.
        assert!(fs::read_to_string(file(dir.path())).unwrap().contains(&format!("\"version\": {VERSION}")));
    }

    #[test]
    fn the_third_version_follows_the_system_and_rings_as_before() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(file(dir.path()), b"{\"version\": 3, \"calls\": {\"doNotDisturb\": true}}").unwrap();
        let settings = Settings::load(dir.path()).unwrap();
        assert!(settings.calls.do_not_disturb);
        assert_eq!((settings.version, settings.ring.volume), (VERSION, 100));
        assert_eq!(settings.devices, PlaceBook::default());
    }

    #[test]
    fn a_version_that_knew_no_number_to_show_leaves_it_to_the_pbx() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(file(dir.path()), r#"{"version":11,"ring":{"volume":40}}"#).unwrap();
        let mut settings = Settings::load(dir.path()).unwrap();
        assert_eq!((settings.version, settings.shown_as.len()), (VERSION, 0));
        let id = AccountId("u@d".into());
        settings.change(dir.path(), |s| s.show_as(&id, Some("+4420".into()))).unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap().shown_as.get(&id).map(String::as_str), Some("+4420"));
        settings.change(dir.path(), |s| s.forget(&id)).unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap().shown_as.len(), 0);
    }

    #[test]
    fn a_version_that_knew_no_end_of_keeping_keeps_all_and_says_who_calls() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(file(dir.path()), r#"{"version":13,"calls":{"publishPresence":true}}"#).unwrap();
        let mut settings = Settings::load(dir.path()).unwrap();
        assert!(settings.calls.publish_presence && settings.desktop.notify_names);
        assert_eq!((settings.version, settings.calls.keep_calls), (VERSION, KeepCalls::Always));
        settings.change(dir.path(), |s| s.calls.keep_calls = KeepCalls::Month).unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap().calls.keep_calls, KeepCalls::Month);
    }

    #[test]
    fn a_version_that_knew_no_voice_gets_what_is_usual() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(file(dir.path()), r#"{"version":6,"ring":{"volume":40}}"#).unwrap();
        let mut settings = Settings::load(dir.path()).unwrap();
        assert_eq!((settings.version, settings.ring.volume), (VERSION, 40));
        assert_eq!(settings.voice, VoicePreferences::default());
        settings.change(dir.path(), |s| s.voice.noise = NoiseRemoval::High).unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap().voice.noise, NoiseRemoval::High);
    }

    #[test]
    fn a_version_that_knew_no_echo_line_gets_the_usual_one() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(file(dir.path()), r#"{"version":7,"calls":{"codes":{"park":"*60"}}}"#).unwrap();
        let mut settings = Settings::load(dir.path()).unwrap();
        assert_eq!(settings.calls.codes.park.as_deref(), Some("*60"));
        assert_eq!(settings.calls.codes.echo.as_deref(), Some("9196"));
        settings.change(dir.path(), |s| s.calls.codes.echo = None).unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap().calls.codes.echo, None);
    }

    #[test]
    fn a_version_that_knew_no_web_proxy_goes_as_the_system_says() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(file(dir.path()), r#"{"version":11,"desktop":{"autostart":true}}"#).unwrap();
        let mut settings = Settings::load(dir.path()).unwrap();
        assert_eq!(settings.web_proxy, WebProxyPreference::default());
        let direct = WebProxyPreference { way: WebProxyWay::None, ..WebProxyPreference::default() };
        settings.change(dir.path(), |s| s.web_proxy = direct.clone()).unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap().web_proxy, direct);
    }

    #[test]
    fn a_version_that_knew_no_desktop_gets_what_is_usual() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(file(dir.path()), r#"{"version":9,"desktop":{"autostart":true}}"#).unwrap();
        let mut settings = Settings::load(dir.path()).unwrap();
        assert_eq!(settings.desktop, DesktopPreferences { autostart: true, ..DesktopPreferences::default() });
        settings.change(dir.path(), |s| s.desktop.keys.mute = "Ctrl+Shift+F9".into()).unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap().desktop.keys.mute, "Ctrl+Shift+F9");
    }

    #[test]
    fn a_version_that_knew_no_appearance_follows_the_system() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(file(dir.path()), r#"{"version":10,"desktop":{"stayAwake":false}}"#).unwrap();
        let mut settings = Settings::load(dir.path()).unwrap();
        assert_eq!((settings.version, settings.desktop.stay_awake), (VERSION, false));
        assert_eq!(settings.desktop.appearance, Appearance::default());
        settings.change(dir.path(), |s| s.desktop.appearance.language = Some("ja".into())).unwrap();
        assert_eq!(Settings::load(dir.path()).unwrap().desktop.appearance.language.as_deref(), Some("ja"));
    }

    #[test]
    fn an_interrupted_write_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.save(dir.path()).unwrap();
        fs::create_dir(file(dir.path()).with_extension("json.new")).unwrap();
        settings.remember(account(1));
        assert!(settings.save(dir.path()).is_err());
        assert_eq!(Settings::load(dir.path()).unwrap(), Settings::default());
    }
}
