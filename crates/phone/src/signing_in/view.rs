use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;
use pbx_api::Tenant;
use sign_in::{Page, Picture};

use super::{Showing, SigningIn};
use crate::words::{of_certificate, of_sign_in_error};
use crate::{SignInPage, SignInView, TenantView};

/// What the wizard's place in the window shows.
pub(super) fn of(signing_in: &SigningIn) -> SignInView {
    let SigningIn { wizard, settings, config, .. } = signing_in;
    let typed = |typed: &str, suggested: &str| {
        if typed.is_empty() { suggested.to_owned() } else { typed.to_owned() }
    };
    let mut view = SignInView {
        page: match wizard.page() {
            Page::Server => SignInPage::Server,
            Page::User => SignInPage::User,
            Page::Done => SignInPage::Done,
        },
        busy: wizard.busy(),
        domain: typed(wizard.domain(), &config.suggested_domain),
        server: typed(wizard.server(), &config.suggested_server),
        username: wizard.username().to_owned(),
        tenant: wizard.tenant().map(|tenant| tenant_view(tenant, wizard.picture())),
        problem: wizard.problem().map(of_sign_in_error),
        certificate: wizard.certificate().map(of_certificate),
        earlier_domains: settings.earlier_domains.clone(),
        earlier_servers: settings.earlier_servers.clone(),
        ways: config.ways,
        code: None,
        new_password: None,
        forgot: None,
        browser: None,
        scan: None,
        news: None,
    };
    match &signing_in.showing {
        Showing::Wizard => {}
        Showing::SipPassword(id, problem) => {
            view.page = SignInPage::SipPassword;
            view.problem.clone_from(problem);
            if let Some(saved) = settings.accounts.iter().find(|saved| saved.id == *id) {
                view.username.clone_from(&saved.extension);
                view.domain.clone_from(&saved.domain);
                view.server.clone_from(&saved.server);
            }
        }
        Showing::Nothing => view.page = SignInPage::Done,
    }
    view
}

fn tenant_view(tenant: &Tenant, picture: Option<&Picture>) -> TenantView {
    TenantView {
        name: tenant.name.clone(),
        domain: tenant.domain.to_string(),
        picture: picture.map(|p| format!("data:{};base64,{}", p.media_type, STANDARD.encode(&p.bytes))),
        microsoft: tenant.microsoft,
    }
}
