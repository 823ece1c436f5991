use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

use brand::BRAND;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use phone::CrashReport;
use secrecy::{ExposeSecret, SecretString};

use crate::watch::{Restarts, unix_now};

/// The folder in which an AppImage was started (AppImage specification). The phone within runs in another.
const STARTED_IN: &str = "OWD";

/// The softphone with a window.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = BRAND.program, version)]
pub struct Args {
    /// Directory of the settings, in place of the user's own
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// SIP domain that the sign-in offers
    #[arg(long, default_value = "")]
    pub domain: String,
    /// Server that the sign-in offers
    #[arg(long, value_name = "HOST[:PORT]", default_value = "")]
    pub server: String,
    /// Let this program open the links of its scheme, for this user
    #[arg(long)]
    pub open_links: bool,
    /// Delete the user's settings, calls and passwords and end: `ask` for it first, or `yes`
    #[arg(long, value_name = "HOW", hide = true)]
    pub remove_data: Option<RemoveData>,
    /// Start without a window, where there is a tray
    #[arg(long)]
    pub hidden: bool,
    /// When it was started again after crashes of late, seconds since 1970
    #[arg(long, value_name = "TIMES", hide = true, default_value_t, value_parser = Restarts::from_str)]
    pub restarts: Restarts,
    /// A phone that began then, seconds since 1970, has crashed, and this one takes its place
    #[arg(long, value_name = "TIME", hide = true)]
    pub crashed: Option<u64>,
    /// Link of the phone's own scheme, or one that dials; a phone that runs already gets it
    #[arg(value_name = "LINK")]
    pub link: Option<SecretString>,
}

/// Whether the user is asked before what is theirs is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RemoveData {
    /// They are.
    Ask,
    /// They were.
    Yes,
}

impl Args {
    /// The words by which the phone is started again after a crash, as it was but for a link, which is followed once.
    pub(crate) fn again(&self, hidden: bool) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(dir) = &self.data_dir {
            words.extend(["--data-dir".into(), dir.into()]);
        }
        let (restarts, now) = (self.restarts.to_string(), unix_now().to_string());
        let texts = [
            ("--domain", &self.domain),
            ("--server", &self.server),
            ("--restarts", &restarts),
            ("--crashed", &now),
        ];
        for (name, text) in texts {
            if !text.is_empty() {
                words.extend([name.into(), text.into()]);
            }
        }
        if hidden {
            words.push("--hidden".into());
        }
        words
    }

    /// Takes note of the crash that this phone comes after, if it does; none where there were too many of late. The
    /// report of it stands in `dir`.
    pub fn after_a_crash(mut self, dir: Option<&Path>) -> Option<Self> {
        let Some(began) = self.crashed.take() else { return Some(self) };
        if let Some(dir) = dir {
            let began = UNIX_EPOCH + Duration::from_secs(began);
            if let Err(error) = CrashReport::of_a_signal(dir, began) {
                tracing::warn!(%error, "the crash is not written down");
            }
        }
        self.restarts = self.restarts.one_more(unix_now())?;
        Some(self)
    }

    /// What this process was started with. Ends it where it cannot be understood, or is not to be followed.
    pub fn read() -> Self {
        let mut args = Self::parse();
        if let Some(started_in) = env::var_os(STARTED_IN) {
            args.data_dir = args.data_dir.map(|dir| PathBuf::from(started_in).join(dir));
        }
        let followed = |link: &SecretString| is_own(link.expose_secret()) || dials(link.expose_secret());
        if args.link.as_ref().is_some_and(|link| !followed(link)) {
            // In words of our own: the usual ones repeat what was given, which may hold a secret.
            let schemes = DIALLING.join(":, ");
            let words = format!("LINK has to begin with {}: or with {schemes}:", BRAND.scheme);
            Self::command().error(ErrorKind::InvalidValue, words).exit();
        }
        args
    }
}

/// Schemes of links that dial.
pub const DIALLING: [&str; 4] = ["tel", "sip", "sips", "callto"];

/// Whether it is a link of the phone's own scheme (RFC 3986, section 3.1: in either case).
pub fn is_own(link: &str) -> bool {
    is_of(link, BRAND.scheme)
}

/// Whether it is a link that dials.
pub fn dials(link: &str) -> bool {
    DIALLING.iter().any(|scheme| is_of(link, scheme))
}

fn is_of(link: &str, scheme: &str) -> bool {
    link.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_of_the_own_scheme_are_taken() {
        let scheme = BRAND.scheme;
        assert!(is_own(&format!("{scheme}://callback/abc?code=1")));
        assert!(is_own(&format!("{}:", scheme.to_uppercase())));
        for foreign in ["https://test.io/", "sip:101@test.io", scheme, "", ":", "x"] {
            assert!(!is_own(foreign), "{foreign}");
        }
        assert!(!is_own(&format!("x{scheme}:")));
    }

    #[test]
    fn links_that_dial_are_known_by_their_scheme() {
        for link in ["tel:102", "SIP:bob@test.io", "sips:102", "callto:102"] {
            assert!(dials(link) && !is_own(link), "{link}");
        }
        assert!(!dials("telnet:102") && !dials("102"));
    }

    #[test]
    fn it_is_started_again_as_it_was_but_for_the_link() {
        let first = ["phone", "--data-dir", "/a b", "--domain", "test.io", "--open-links", "tel:102"];
        let args = Args::try_parse_from(first).unwrap();
        let words = [OsString::from("phone")].into_iter().chain(args.again(true));
        let again = Args::try_parse_from(words).unwrap();
        assert_eq!((&again.data_dir, &again.domain), (&args.data_dir, &args.domain));
        assert!(again.hidden && again.link.is_none() && !again.restarts.any() && again.crashed.is_some());
        let again = again.after_a_crash(None).unwrap();
        assert!(again.restarts.any() && again.crashed.is_none());
    }

    #[test]
    fn a_link_is_never_printed() {
        let args = Args::try_parse_from(["phone", "x://callback/abc?token=hush"]).unwrap();
        assert!(args.link.is_some());
        assert!(!format!("{args:?}").contains("hush"));
    }
}
