//! What the machine's policy means for a phone. It goes before what a PBX settles, and that before what the user has
//! chosen.

use std::fs;

use pbx_api::{Fingerprint, Pin, Trust, WebProxy};
use policy::{Name, Policy, Reading};
use serde::Serialize;
use specta::Type;

use crate::{
    CallPreferences, Code, Codec, CodecPreference, Config, DesktopPreferences, FieldIs, Problem,
    SavedAccount, Settings, SrtpPolicy, TransportChoice, WebProxyPreference,
};

/// What the window must know of the machine's policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    /// Keys that users cannot choose otherwise, by their names in the policy (`srtp`, `transport`).
    pub locked: Vec<String>,
    /// Who settles it.
    pub organisation: Option<String>,
    /// Where help is found, in place of the brand's own page.
    pub help: Option<String>,
    /// Transport that a plain account begins with.
    pub transport: Option<TransportChoice>,
    /// Outbound proxy that a plain account begins with.
    pub proxy: Option<String>,
    /// Calls cannot be recorded.
    pub no_recording: bool,
    /// What of the policy could not be read or meant, for the administrator.
    pub faults: Vec<String>,
}

/// How much the policy of this machine wants to be logged: `error`, `warn`, `info` or `debug`. For a program that has
/// no phone yet.
pub fn machine_log_level() -> Option<String> {
    let reading = policy::of_machine(brand::BRAND.program, brand::BRAND.name);
    reading.policy.text(Name::Log).map(str::to_owned)
}

impl PolicyView {
    /// Nothing is settled.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Config {
    /// Takes the policy of this machine, from where its system keeps such.
    pub fn obey_machine(&mut self) {
        self.obey(policy::of_machine(brand::BRAND.program, brand::BRAND.name));
    }

    /// Takes the machine's policy. What it locks holds from the phone's start on, whatever is set here until then.
    pub fn obey(&mut self, reading: Reading) {
        self.policy_faults = reading.faults.iter().map(ToString::to_string).collect();
        self.policy = reading.policy;
        let preset = |name| (!self.policy.locks(name)).then(|| self.policy.text(name)).flatten();
        let (domain, server) =
            (preset(Name::Domain).unwrap_or_default(), preset(Name::Server).unwrap_or_default());
        let (domain, server) = (domain.to_owned(), server.to_owned());
        self.suggest(&domain, &server);
        self.trust_policy();
        for fault in &self.policy_faults {
            tracing::error!(%fault, "the machine's policy");
        }
    }

    /// Makes what is locked hold.
    pub(crate) fn lock(&mut self) {
        for (name, suggested, is) in [
            (Name::Domain, &mut self.suggested_domain, &mut self.ways.domain),
            (Name::Server, &mut self.suggested_server, &mut self.ways.server),
        ] {
            if let Some(text) = locked_text(&self.policy, name) {
                text.clone_into(suggested);
                // What the brand hides stays hidden.
                *is = if *is == FieldIs::Hidden { FieldIs::Hidden } else { FieldIs::Fixed };
            }
        }
        if let Some(ways) = self.policy.list(Name::Ways) {
            let has = |way: &str| ways.iter().any(|known| known == way);
            self.ways.password &= has("password");
            self.ways.microsoft &= has("microsoft");
            self.ways.qr &= has("qr");
            self.ways.sip &= has("sip");
        }
        if let Some(srtp) = locked_text(&self.policy, Name::Srtp).and_then(srtp) {
            self.srtp = Some(srtp);
        }
        if self.policy.locks(Name::Codecs) {
            self.codecs = self.policy.list(Name::Codecs).map(codecs);
        }
    }

    /// What is trusted and which way leads to servers, out of the policy and what the user has chosen.
    pub(crate) fn trusting(&self, settings: &Settings) -> Trust {
        let mut trust = match self.may_trust() {
            Ok(()) => settings.trusting(self.extra_roots.clone()),
            // What users have trusted before holds no longer either.
            Err(_) => self.extra_roots.clone(),
        };
        if !self.policy.locks(Name::WebProxy)
            && let Ok(Some(chosen)) = settings.web_proxy.chosen()
        {
            trust.web_proxy = chosen;
        }
        trust
    }

    /// How servers on the web are reached, as users see it.
    pub(crate) fn web_proxy(&self, chosen: &WebProxyPreference) -> WebProxyPreference {
        match self.policy.locks(Name::WebProxy) {
            true => WebProxyPreference::of(&self.extra_roots.web_proxy),
            false => chosen.clone(),
        }
    }

    /// Trusts the authorities and certificates that the policy names, and goes the way it names.
    fn trust_policy(&mut self) {
        match self.policy.text(Name::WebProxy).map(web_proxy) {
            Some(Some(way)) => self.extra_roots.web_proxy = way,
            // The value may hold a password.
            Some(None) => {
                self.policy_faults.push("web_proxy is neither none nor a proxy's address".to_owned())
            }
            None => {}
        }
        for file in self.policy.list(Name::Authorities).unwrap_or_default() {
            let read = fs::read(file).map_err(|error| error.to_string());
            let added =
                read.and_then(|pem| self.extra_roots.add_roots(&pem).map_err(|error| error.to_string()));
            if let Err(why) = added {
                self.policy_faults.push(format!("authorities: {file}: {why}"));
            }
        }
        for text in self.policy.list(Name::Pins).unwrap_or_default() {
            match pin(text) {
                Some(pin) => self.extra_roots.pins.push(pin),
                None => self.policy_faults.push(format!("pins: {text} is not host:port and a fingerprint")),
            }
        }
    }

    /// Whether users may trust certificates by themselves.
    ///
    /// # Errors
    /// [`Code::NotAllowed`].
    pub(crate) fn may_trust(&self) -> Result<(), Problem> {
        if self.policy.locks(Name::Pins) { Err(Code::NotAllowed.into()) } else { Ok(()) }
    }

    /// Whether newer versions may be looked for.
    pub(crate) fn may_update(&self) -> bool {
        self.policy.flag(Name::Updates).unwrap_or(true)
    }

    /// Whether calls may be recorded.
    ///
    /// # Errors
    /// [`Code::NotAllowed`].
    pub(crate) fn may_record(&self) -> Result<(), Problem> {
        match locked_text(&self.policy, Name::Recording) {
            Some("forbidden") => Err(Code::NotAllowed.into()),
            _ => Ok(()),
        }
    }

    /// Preferences in calls as they may be.
    pub(crate) fn allowed(&self, mut preferences: CallPreferences) -> CallPreferences {
        match locked_text(&self.policy, Name::Recording) {
            Some("forbidden" | "allowed") => preferences.recording.automatic = false,
            Some("always") => preferences.recording.automatic = true,
            _ => {}
        }
        if preferences.codecs.is_empty()
            && let Some(preset) = self.policy.list(Name::Codecs)
        {
            preferences.codecs = preferred(&codecs(preset));
        }
        preferences
    }

    /// Whether the calls of a new account are encrypted.
    pub(crate) fn new_srtp(&self) -> SrtpPolicy {
        self.policy.text(Name::Srtp).and_then(srtp).unwrap_or_default()
    }

    /// How the phone lives in the desktop, out of what its user has chosen.
    pub(crate) fn desktop(&self, chosen: &DesktopPreferences) -> DesktopPreferences {
        let locked = self.policy.flag(Name::Autostart).filter(|_| self.policy.locks(Name::Autostart));
        DesktopPreferences { autostart: locked.unwrap_or(chosen.autostart), ..chosen.clone() }
    }

    /// Where an account sends SIP to, and how, as the policy has it: it comes before what is known of the account.
    pub(crate) fn route(&self, saved: &SavedAccount) -> (sip::Proxy, sip::TransportChoice) {
        let first = saved.transport.into();
        let mut transport = match saved.automatic {
            true => sip::TransportChoice::Automatic { first: Some(first) },
            false => sip::TransportChoice::Fixed(first),
        };
        let mut proxy = sip::Proxy { host: saved.proxy_host.clone(), port: saved.proxy_port };
        if let Some((host, port)) =
            locked_text(&self.policy, Name::Proxy).and_then(|typed| crate::signing_in::proxy(typed).ok())
        {
            proxy = sip::Proxy { host, port };
        }
        if let Some(choice) = locked_text(&self.policy, Name::Transport).and_then(transport_choice) {
            let other = match choice.fixed() {
                Some(fixed) => sip::TransportChoice::Fixed(fixed.into()),
                None => sip::TransportChoice::Automatic { first: Some(first) },
            };
            // A port that belongs to another transport is of no use to this one.
            if other != transport && !self.policy.locks(Name::Proxy) {
                proxy.port = None;
            }
            transport = other;
        }
        (proxy, transport)
    }

    /// What the window must know of it.
    pub(crate) fn policy_view(&self) -> PolicyView {
        let text = |name| self.policy.text(name).map(str::to_owned);
        PolicyView {
            locked: self.policy.locked().filter_map(|name| Some(name.key()?.key.to_owned())).collect(),
            organisation: text(Name::Organisation),
            help: text(Name::Help).filter(|help| help.starts_with("https://")),
            transport: self.policy.text(Name::Transport).and_then(transport_choice),
            proxy: text(Name::Proxy),
            no_recording: self.may_record().is_err(),
            faults: self.policy_faults.clone(),
        }
    }
}

fn locked_text(policy: &Policy, name: Name) -> Option<&str> {
    policy.text(name).filter(|_| policy.locks(name))
}

fn srtp(word: &str) -> Option<SrtpPolicy> {
    match word {
        "off" => Some(SrtpPolicy::Off),
        "prefer" => Some(SrtpPolicy::Prefer),
        "require" => Some(SrtpPolicy::Require),
        _ => None,
    }
}

fn transport_choice(word: &str) -> Option<TransportChoice> {
    match word {
        "automatic" => Some(TransportChoice::Automatic),
        "tls" => Some(TransportChoice::Tls),
        "tcp" => Some(TransportChoice::Tcp),
        "udp" => Some(TransportChoice::Udp),
        "wss" => Some(TransportChoice::Wss),
        _ => None,
    }
}

fn codecs(words: &[String]) -> Vec<Codec> {
    words.iter().filter_map(|word| Codec::from_name(word)).collect()
}

/// These first, and no others used.
fn preferred(codecs: &[Codec]) -> Vec<CodecPreference> {
    let others = Codec::ALL.into_iter().filter(|codec| !codecs.contains(codec));
    let entry = |codec: Codec, used| CodecPreference { name: codec.name().to_owned(), used };
    codecs.iter().map(|codec| entry(*codec, true)).chain(others.map(|codec| entry(codec, false))).collect()
}

fn web_proxy(text: &str) -> Option<WebProxy> {
    match text.trim() {
        none if none.eq_ignore_ascii_case("none") => Some(WebProxy::Direct),
        address => address.parse().ok().map(WebProxy::Through),
    }
}

/// `host:port FINGERPRINT`.
fn pin(text: &str) -> Option<Pin> {
    let (server, fingerprint) = text.split_once(' ')?;
    Some(Pin { server: server.parse().ok()?, fingerprint: Fingerprint::parse(fingerprint)? })
}

#[cfg(test)]
mod tests;
