//! An account that was signed in to before, as a patient.

use secrecy::SecretString;
use sign_in::Keeper;

use super::Patient;
use crate::{AccountId, AccountKind, Code, Config, Problem, SavedAccount, Settings};

impl Patient {
    /// The account of this name below the data directory of `config`, its SIP password out of the keychain. Without the
    /// password, registering is left out.
    ///
    /// # Errors
    /// The settings cannot be read, or there is no such account.
    pub async fn signed_in(config: &Config, id: &AccountId) -> Result<Self, Problem> {
        let settings = Settings::load(&config.data_dir)
            .map_err(|error| Problem::new(Code::SettingsFailed, error.to_string()))?;
        let saved = settings.accounts.iter().find(|account| account.id == *id);
        let saved = saved.ok_or_else(|| Problem::new(Code::NoAccount, id.0.clone()))?;
        let secrets = Keeper::keychain(brand::BRAND.keychain).load(&id.0).await;
        let secrets = secrets.inspect_err(|error| tracing::debug!(%error, "no password for the check"));
        let password = secrets.ok().flatten().and_then(|secrets| secrets.sip_password);
        Ok(Self::of(config, &settings, saved, password.unwrap_or_default()))
    }

    /// An account of these settings.
    pub(crate) fn of(
        config: &Config,
        settings: &Settings,
        saved: &SavedAccount,
        password: SecretString,
    ) -> Self {
        let mut patient = Self::new(config);
        patient.trust = config.trusting(settings);
        patient.domain = saved.domain.parse().ok();
        patient.server = match saved.kind {
            AccountKind::Pbx => saved.server.parse().ok(),
            AccountKind::Sip => None,
        };
        patient.srtp = patient.srtp.or(Some(saved.srtp));
        patient.nat = patient.nat.or_else(|| saved.connection.nat(None).ok());
        patient.stun = patient.nat.as_ref().and_then(|nat| nat.stun.clone());
        patient.echo = settings.calls.codes.echo.clone();
        let transport = match saved.automatic {
            true => sip::TransportChoice::Automatic { first: Some(saved.transport.into()) },
            false => sip::TransportChoice::Fixed(saved.transport.into()),
        };
        let proxy = sip::Proxy { host: saved.proxy_host.clone(), port: saved.proxy_port };
        patient.line = Some(sip::Account {
            user: saved.extension.clone(),
            auth_user: saved.auth_user.clone(),
            password,
            ..patient.anybody(&saved.domain, proxy, transport)
        });
        patient
    }
}
