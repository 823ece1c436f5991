use std::path::PathBuf;
use std::sync::Arc;

use brand::{BRAND, Preset};
use devices::{HidBus, Sink, Source};
use media::Stages;
use pbx_api::Trust;

use crate::words::of_api_error;
use crate::{
    AccountId, Browser, CallPreferences, Eyes, FieldIs, Nat, Problem, SrtpPolicy, Updates, VoicePreferences,
    WaysView,
};

/// How a [`Phone`](crate::Phone) is to be run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory of the settings.
    pub data_dir: PathBuf,
    /// Which accounts to begin with.
    pub start: Start,
    /// Where sound comes from and goes to.
    pub audio: AudioConfig,
    /// Ring and give ring-back tones through the speaker.
    pub tones: bool,
    /// Codecs to offer and accept in this run, best first; without them what is settled for the account, or chosen by
    /// the user.
    pub codecs: Option<Vec<media::Codec>>,
    /// `User-Agent` of SIP and HTTP.
    pub user_agent: String,
    /// Certificates to trust beside the system's.
    pub extra_roots: Trust,
    /// Domain the wizard offers.
    pub suggested_domain: String,
    /// Server the wizard offers.
    pub suggested_server: String,
    /// Ways in that are offered.
    pub ways: WaysView,
    /// Opens addresses.
    pub browser: Browser,
    /// Looks for QR codes.
    pub eyes: Eyes,
    /// Where headsets with buttons are plugged in.
    pub headsets: Option<Arc<dyn HidBus>>,
    /// Preferences in calls for this run alone; without them those in the settings hold, and changes are kept there.
    pub calls: Option<CallPreferences>,
    /// The same for what is done to the user's voice.
    pub voice: Option<VoicePreferences>,
    /// How calls find their way through NATs in this run alone; without it what is set for each account holds.
    pub nat: Option<Nat>,
    /// Registers beside other phones that use the same settings, not in their place: under an instance
    /// (RFC 5626, section 4.1) of this run alone.
    pub beside_others: bool,
    /// Keep the contacts of the PBX, and ask it for what changes in them and in what else it keeps for its user.
    pub contacts: bool,
    /// The machine's policy ([`obey`](Self::obey)).
    pub policy: policy::Policy,
    /// What of it could not be read or meant.
    pub policy_faults: Vec<String>,
    /// Where newer versions are looked for, if anywhere.
    pub updates: Option<Updates>,
    /// Whether calls are encrypted, for this run alone and all accounts; without it each account says so.
    pub srtp: Option<SrtpPolicy>,
}

/// Which of the accounts signed in to before to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// All of them.
    All,
    /// One.
    One(AccountId),
    /// None.
    None,
}

/// Where sound comes from and goes to.
#[derive(Debug, Clone)]
pub struct AudioConfig {
    /// What speaks for us.
    pub microphone: Source,
    /// What we listen to.
    pub speaker: Sink,
    /// Whether our voice is processed.
    pub processing: Processing,
}

/// Whether our voice is processed: echo, noise, gain, high-pass, each as the user prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processing {
    /// That of a sound card is, that of a file is not.
    ForCards,
    /// It is.
    On,
    /// It is not.
    Off,
}

impl Default for AudioConfig {
    fn default() -> Self {
        Self { microphone: Source::Card(None), speaker: Sink::Card(None), processing: Processing::ForCards }
    }
}

impl AudioConfig {
    /// What of `preferred` is done to our voice.
    pub(crate) fn stages(&self, preferred: Stages) -> Stages {
        match (self.processing, &self.microphone) {
            (Processing::On, _) | (Processing::ForCards, Source::Card(_)) => preferred,
            (Processing::Off, _) | (Processing::ForCards, Source::Wav(_) | Source::Silence) => Stages::NONE,
        }
    }
}

impl Config {
    /// A phone with a person before it: all accounts, system sound cards, tones.
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            start: Start::All,
            audio: AudioConfig::default(),
            tones: true,
            codecs: None,
            user_agent: BRAND.user_agent(env!("CARGO_PKG_VERSION")),
            extra_roots: Trust::default(),
            suggested_domain: BRAND.domain.value.to_owned(),
            suggested_server: BRAND.server.value.to_owned(),
            ways: WaysView {
                password: BRAND.ways.password,
                microsoft: BRAND.ways.microsoft,
                qr: BRAND.ways.qr,
                sip: BRAND.ways.sip,
                domain: field(BRAND.domain),
                server: field(BRAND.server),
            },
            browser: Browser::system(),
            eyes: Eyes::System,
            headsets: Some(devices::system_hid()),
            calls: None,
            voice: None,
            nat: None,
            beside_others: false,
            contacts: true,
            policy: policy::Policy::default(),
            policy_faults: Vec::new(),
            updates: None,
            srtp: None,
        }
    }

    /// Lets the wizard offer another domain and server, each unless it is empty or the brand has settled it.
    pub fn suggest(&mut self, domain: &str, server: &str) {
        for (is, given, suggested) in [
            (self.ways.domain, domain, &mut self.suggested_domain),
            (self.ways.server, server, &mut self.suggested_server),
        ] {
            if is == FieldIs::Free && !given.is_empty() {
                given.clone_into(suggested);
            }
        }
    }

    /// Trusts the certificates in a PEM file beside the system's.
    ///
    /// # Errors
    /// There is no certificate in it.
    pub fn trust(&mut self, pem: &[u8]) -> Result<(), Problem> {
        match self.extra_roots.add_roots(pem) {
            Ok(_) => Ok(()),
            Err(error) => Err(of_api_error(&error)),
        }
    }
}

fn field(preset: Preset) -> FieldIs {
    match preset.is {
        brand::FieldIs::Free => FieldIs::Free,
        brand::FieldIs::Fixed => FieldIs::Fixed,
        brand::FieldIs::Hidden => FieldIs::Hidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_brand_has_settled_stays() {
        let mut config = Config::new(PathBuf::new());
        config.suggested_domain = "free.example".into();
        config.suggested_server = "settled.example".into();
        config.ways.server = FieldIs::Hidden;
        config.ways.domain = FieldIs::Free;
        config.suggest("", "other.example");
        assert_eq!(config.suggested_domain, "free.example");
        config.suggest("test.io", "other.example");
        assert_eq!(config.suggested_domain, "test.io");
        assert_eq!(config.suggested_server, "settled.example");
    }
}
