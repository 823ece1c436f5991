use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;
use pbx_api::{PasswordPolicy, Tenant};
use sign_in::{BrowserPage, CodePage, ForgotPage, NewPasswordPage, News, Page, Picture};

use super::{Showing, SigningIn};
use crate::words::{of_certificate, of_sign_in_error};
use crate::{
    BrowserView, CodeView, FieldIs, ForgotView, NewPasswordView, PasswordPolicyView, SignInNews, SignInPage,
    SignInView, TenantView, UnixMs,
};

/// What the wizard's place in the window shows.
pub(super) fn of(signing_in: &SigningIn) -> SignInView {
    let SigningIn { wizard, settings, config, scanning, .. } = signing_in;
    let field = |is: FieldIs, typed: &str, suggested: &str| match is {
        FieldIs::Free if !typed.is_empty() => typed.to_owned(),
        _ => suggested.to_owned(),
    };
    let mut view = SignInView {
        page: page(wizard.page()),
        busy: wizard.busy(),
        domain: field(config.ways.domain, wizard.domain(), &config.suggested_domain),
        server: field(config.ways.server, wizard.server(), &config.suggested_server),
        username: wizard.username().to_owned(),
        tenant: wizard.tenant().map(|tenant| tenant_view(tenant, wizard.picture())),
        problem: wizard.problem().map(of_sign_in_error),
        certificate: wizard.certificate().map(of_certificate),
        earlier_domains: settings.earlier_domains.clone(),
        earlier_servers: settings.earlier_servers.clone(),
        ways: config.ways,
        code: wizard.code().map(|CodePage { sent, again_at }| CodeView { sent, again_at: unix_ms(again_at) }),
        new_password: wizard.new_password().map(new_password),
        forgot: wizard.forgot().map(|ForgotPage { asked }| ForgotView { asked }),
        browser: wizard.browser().map(|BrowserPage { address, until }| BrowserView {
            address: address.map(String::from),
            until: unix_ms(until),
        }),
        scan: scanning.view().cloned(),
        news: wizard.news().map(|news| match news {
            News::PasswordChanged => SignInNews::PasswordChanged,
            News::CodeSent => SignInNews::CodeSent,
            News::SignInAgain => SignInNews::SignInAgain,
        }),
    };
    match &signing_in.showing {
        Showing::Wizard => {}
        Showing::Sip(problem) => {
            view.page = SignInPage::Sip;
            view.problem.clone_from(problem);
        }
        Showing::SipPassword(id, problem) => {
            view.page = SignInPage::SipPassword;
            view.problem.clone_from(problem);
            if let Some(saved) = signing_in.saved(id) {
                view.username.clone_from(&saved.extension);
                view.domain.clone_from(&saved.domain);
                view.server.clone_from(&saved.server);
            }
        }
        Showing::Nothing => view.page = SignInPage::Done,
    }
    view
}

fn page(page: Page) -> SignInPage {
    match page {
        Page::Server => SignInPage::Server,
        Page::User => SignInPage::User,
        Page::Code => SignInPage::Code,
        Page::NewPassword => SignInPage::NewPassword,
        Page::Forgot => SignInPage::Forgot,
        Page::Browser => SignInPage::Browser,
        Page::Scan => SignInPage::Scan,
        Page::Sip => SignInPage::Sip,
        Page::Done => SignInPage::Done,
    }
}

fn new_password(page: NewPasswordPage) -> NewPasswordView {
    let NewPasswordPage { forced, old_needed, policy } = page;
    NewPasswordView { forced, old_needed, policy: policy.map(policy_view) }
}

fn policy_view(policy: PasswordPolicy) -> PasswordPolicyView {
    let PasswordPolicy {
        min_length,
        max_length,
        letters,
        digits,
        special,
        no_sequences,
        no_repeats,
        no_account_name,
    } = policy;
    PasswordPolicyView {
        min_length,
        max_length,
        letters,
        digits,
        special,
        no_sequences,
        no_repeats,
        no_account_name,
    }
}

fn tenant_view(tenant: &Tenant, picture: Option<&Picture>) -> TenantView {
    TenantView {
        name: tenant.name.clone(),
        domain: tenant.domain.to_string(),
        picture: picture.map(|p| format!("data:{};base64,{}", p.media_type, STANDARD.encode(&p.bytes))),
        microsoft: tenant.microsoft,
    }
}

fn unix_ms(time: SystemTime) -> UnixMs {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
