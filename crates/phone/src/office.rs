//! What an office wants of its PBX: parking, picking up, voicemail, watching, messages; each for the account it is
//! about, by the star codes of that account.

use sip::SubscriptionKey;

use crate::accounts::{Agent, AgentId};
use crate::actor::Actor;
use crate::calls::hiding;
use crate::words::{of_certificate, of_certificate_problem};
use crate::{AccountId, AccountState, CallId, CallState, Code, Command, Event, FeatureCodes, Problem};

impl Actor {
    /// Follows a command of this kind; any other is handed back.
    ///
    /// # Errors
    /// The call, the account or the star code is missing.
    pub(crate) fn office(&mut self, command: Command) -> Result<Result<(), Problem>, Box<Command>> {
        Ok(match command {
            Command::Park { call, slot } => self.hand_on(call, |codes| codes.park, slot.as_deref()),
            Command::GroupPark { call } => self.hand_on(call, |codes| codes.group_park, None),
            Command::ToVoicemail { call, number } => self.hand_to_voicemail(call, number.as_deref()),
            Command::Retrieve { account, slot } => {
                self.dial_code(account.as_ref(), |codes| codes.retrieve, slot.as_deref())
            }
            Command::PickUp { account, number } => self.pick_up(account.as_ref(), number.as_deref()),
            Command::Flip { account } => self.dial_code(account.as_ref(), |codes| codes.flip, None),
            Command::CallVoicemail { account } => {
                self.dial_code(account.as_ref(), |codes| codes.voicemail, None)
            }
            Command::Watch { account, number } => {
                let agent = self.accounts.agent(Some(&account)).map(|(_, agent)| agent);
                match self.accounts.has(&account) {
                    true => self.watching.watch(account, agent.as_ref(), &number),
                    false => Err(Code::NoAccount.into()),
                }
            }
            Command::Unwatch { account, number } => {
                let agent = self.accounts.agent(Some(&account)).map(|(_, agent)| agent);
                self.watching.unwatch(&account, agent.as_ref(), &number)
            }
            Command::SendMessage { account, target, text } => self
                .line(account.as_ref())
                .and_then(|(account, agent)| self.watching.send(account, &agent, &target, text)),
            other => return Err(Box::new(other)),
        })
    }

    /// Takes what a user agent says beside its calls.
    pub(crate) fn told(&mut self, agent: AgentId, event: sip::Event) {
        match event {
            sip::Event::Subscription { subscription, state } => {
                self.watching.subscription(agent, subscription, state);
            }
            sip::Event::Notified { subscription, news } => self.notified(agent, subscription, news),
            sip::Event::Message { from, text } => {
                if let Some((account, _)) = self.accounts.of_agent(agent) {
                    self.watching.received(account, from, text);
                }
            }
            sip::Event::MessageSent { message, status } => {
                self.watching.message_sent(agent, message, status);
            }
            sip::Event::Published { status } => {
                tracing::debug!(?status, "presence was published");
            }
            sip::Event::Reached { transport, .. } => {
                if let Some((account, _)) = self.accounts.of_agent(agent) {
                    self.accounts.change(&account, |view| view.transport = transport.into());
                    self.signing_in.reached(&account, transport.into());
                }
            }
            sip::Event::CertificateNotTrusted { problem, certificate } => {
                let problem = of_certificate_problem(problem);
                self.accounts.not_trusted(agent, problem, of_certificate(&certificate));
            }
            event => self.calls.signalled(agent, event),
        }
    }

    fn notified(&mut self, agent: AgentId, subscription: Option<SubscriptionKey>, news: sip::News) {
        let mailbox = self.watching.notified(agent, subscription, news);
        if let (Some(mailbox), Some((account, _))) = (mailbox, self.accounts.of_agent(agent)) {
            self.accounts.change(&account, |view| view.mailbox = Some(mailbox));
            self.portal.mailbox_changed(&account);
        }
    }

    /// Trusts the certificate that the SIP server of an account shows.
    pub(crate) fn trust_sip_server(&mut self, account: &AccountId, fingerprint: &str) -> Result<(), Problem> {
        self.signing_in.may_trust_any()?;
        let shown = self.accounts.views().into_iter().find(|view| view.id == *account);
        let certificate = shown.and_then(|view| view.certificate).ok_or(Code::NotNow)?;
        if certificate.fingerprint != fingerprint {
            return Err(Code::NotNow.into());
        }
        self.signing_in.trust_sip_server(&certificate.server, fingerprint);
        self.accounts.change(account, |view| view.certificate = None);
        self.accounts.trust(&self.signing_in.trust());
        self.accounts.reconnect(account);
        Ok(())
    }

    /// Tells others, where the user wants that, what each account does.
    pub(crate) fn publish(&mut self) {
        if !self.calls.publishes() && !self.watching.is_publishing() {
            return;
        }
        let preferences = self.calls.preferences();
        for view in self.accounts.views() {
            let Some((_, agent)) = self.accounts.agent(Some(&view.id)) else { continue };
            if !matches!(view.state, AccountState::Registered { .. }) {
                continue;
            }
            let activity = match preferences.do_not_disturb {
                true => sip::Activity::DoNotDisturb,
                false if self.calls.is_on_the_phone(agent.id) => sip::Activity::OnThePhone,
                false => sip::Activity::Unknown,
            };
            let presence = sip::Presence { open: !preferences.do_not_disturb, activity, note: None };
            self.watching.publish(&agent, preferences.publish_presence.then_some(presence));
        }
    }

    /// The account named, or the first, and its user agent.
    pub(crate) fn line(&self, wanted: Option<&AccountId>) -> Result<(AccountId, Agent), Problem> {
        let known = match wanted {
            Some(id) => self.accounts.has(id),
            None => !self.accounts.views().is_empty(),
        };
        let missing = if known { Code::NotRegistered } else { Code::NoAccount };
        self.accounts.agent(wanted).ok_or_else(|| missing.into())
    }

    fn code(
        &self,
        account: &AccountId,
        which: impl FnOnce(FeatureCodes) -> Option<String>,
        then: Option<&str>,
    ) -> Result<String, Problem> {
        let told = self.accounts.codes(account);
        let codes = told.unwrap_or_else(|| self.calls.preferences().codes);
        let code = which(codes).ok_or(Code::FeatureOff)?;
        let then = then.unwrap_or_default().trim();
        if !then.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(Code::TargetInvalid.into());
        }
        Ok(format!("{code}{then}"))
    }

    fn dial_code(
        &mut self,
        account: Option<&AccountId>,
        which: impl FnOnce(FeatureCodes) -> Option<String>,
        then: Option<&str>,
    ) -> Result<(), Problem> {
        let (account, agent) = self.line(account)?;
        let target = self.code(&account, which, then)?;
        self.calls.dial(account, agent, &target, None)
    }

    /// Calls somebody and keeps from him who calls. Where the PBX does not offer that, nobody is called.
    pub(crate) fn dial_hidden(&mut self, wanted: Option<&AccountId>, target: &str) -> Result<(), Problem> {
        let (account, agent) = self.line(wanted)?;
        let shown = hiding::typed(target, self.hiding_code(&account))?;
        self.calls.dial(account, agent, target, shown)
    }

    /// Calls as somebody asks, and keeps from whom is called who calls where the user hides in all calls: then nobody
    /// is called where the PBX does not offer that.
    pub(crate) fn referred(
        &mut self,
        (account, agent): (AccountId, Agent),
        referral: sip::ReferralKey,
        within: Option<sip::CallKey>,
        target: sip::Party,
    ) {
        let hides = self.accounts.hides(&account);
        let shown = if hides { hiding::number(&target.number, self.hiding_code(&account)) } else { Ok(None) };
        match shown {
            Ok(shown) => self.calls.referred(account, agent, referral, within, target, shown),
            Err(problem) => {
                agent.handle.refuse_referral(referral, 603);
                self.tell(Event::Notice { problem, call: None });
            }
        }
    }

    /// The star code before numbers that hides the caller, where it takes one.
    fn hiding_code(&self, account: &AccountId) -> Option<Result<String, Problem>> {
        self.accounts.is_of_pbx(account).then(|| self.code(account, |codes| codes.hide, None))
    }

    fn hand_on(
        &mut self,
        call: CallId,
        which: impl FnOnce(FeatureCodes) -> Option<String>,
        then: Option<&str>,
    ) -> Result<(), Problem> {
        let account = self.calls.account_of(call).ok_or(Code::NoSuchCall)?;
        let target = self.code(&account, which, then)?;
        self.calls.transfer(call, &target)
    }

    /// Hands a call, ringing or answered, to a voicemail: the one given, or our own.
    fn hand_to_voicemail(&mut self, call: CallId, number: Option<&str>) -> Result<(), Problem> {
        let account = self.calls.account_of(call).ok_or(Code::NoSuchCall)?;
        let own = self.accounts.extension(&account);
        let target = self.code(&account, |codes| codes.to_voicemail, number.or(own.as_deref()))?;
        match self.calls.state(call) {
            Some(CallState::Incoming) => self.calls.redirect(call, &target),
            _ => self.calls.transfer(call, &target),
        }
    }

    /// Answers the call that rings at an extension, or in the group: in its place where the PBX tells which call
    /// that is, else by star code.
    fn pick_up(&mut self, account: Option<&AccountId>, number: Option<&str>) -> Result<(), Problem> {
        let (account, agent) = self.line(account)?;
        let Some(number) = number else {
            return self.dial_code(Some(&account), |codes| codes.group_pick_up, None);
        };
        match self.watching.ringing(&account, number) {
            Some((caller, dialog)) => self.calls.take_over(account, agent, caller, dialog),
            None => self.dial_code(Some(&account), |codes| codes.pick_up, Some(number)),
        }
    }
}
