use std::path::PathBuf;

use brand::BRAND;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

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
    /// Link of the phone's own scheme; a phone that runs already gets it
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
    /// What this process was started with. Ends it where it cannot be understood, or is not to be followed.
    pub fn read() -> Self {
        let args = Self::parse();
        if args.link.as_ref().is_some_and(|link| !is_own(link.expose_secret())) {
            // In words of our own: the usual ones repeat what was given, which may hold a secret.
            let words = format!("LINK has to begin with {}:", BRAND.scheme);
            Self::command().error(ErrorKind::InvalidValue, words).exit();
        }
        args
    }
}

/// Whether it is a link of the phone's own scheme (RFC 3986, section 3.1: in either case).
pub fn is_own(link: &str) -> bool {
    link.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(BRAND.scheme))
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
    fn a_link_is_never_printed() {
        let args = Args::try_parse_from(["phone", "x://callback/abc?token=hush"]).unwrap();
        assert!(args.link.is_some());
        assert!(!format!("{args:?}").contains("hush"));
    }
}
