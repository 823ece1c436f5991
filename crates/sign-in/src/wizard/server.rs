//! The first page: a server and a domain, and the certificates met on the way.

use pbx_api::{ApiError, Dialect, Fingerprint, Info, Pin, ServerAddress, SipDomain};

use super::{Action, Found, News, Stage, Wizard};
use crate::{Answer, Picture, Question, SignInError};

impl Wizard {
    pub(super) fn find_server(&mut self, domain: String, server: String) -> Vec<Action> {
        let mut actions = self.start_anew(Stage::Server);
        self.found = None;
        self.picture_request = None;
        let parsed = server.parse::<ServerAddress>();
        let parsed_domain = domain.parse::<SipDomain>();
        (self.typed_domain, self.typed_server) = (domain, server);
        match (parsed_domain, parsed) {
            (Ok(domain), Ok(server)) => actions.push(self.ask(server, Question::Info { domain })),
            (Err(error), _) | (_, Err(error)) => self.problem = Some(error.into()),
        }
        actions
    }

    pub(super) fn sign_in_again(&mut self, domain: String, server: String, username: String) -> Vec<Action> {
        let actions = self.find_server(domain, server);
        self.username = username;
        self.news = Some(News::SignInAgain);
        actions
    }

    pub(super) fn trust(&mut self, fingerprint: Fingerprint) -> Result<Vec<Action>, SignInError> {
        let pin = self
            .certificate()
            .filter(|shown| shown.fingerprint == fingerprint)
            .map(|shown| Pin { server: shown.server.clone(), fingerprint })
            .ok_or(SignInError::NotNow)?;
        let (server, question) = self.stopped.take().ok_or(SignInError::NotNow)?;
        self.problem = None;
        Ok(vec![Action::Trust(pin), self.ask(server, question)])
    }

    pub(super) fn info(
        &mut self,
        server: ServerAddress,
        asked: &SipDomain,
        answer: Result<Info, ApiError>,
    ) -> Vec<Action> {
        let tenant = match answer {
            Ok(info) => info.tenant,
            // A 404 in another shape than the PBX's comes from something that is no PBX.
            Err(ApiError::NotFound { code: None, .. }) => return self.fail(SignInError::SignInUnsupported),
            Err(ApiError::NotFound { .. } | ApiError::Refused { .. } | ApiError::Unauthorized) => None,
            Err(error) => return self.fail(error.into()),
        };
        let Some(tenant) = tenant else { return self.fail(SignInError::DomainUnknown) };
        tracing::debug!(%server, %asked, "tenant found");
        let mut actions = Vec::new();
        if let Some(reference) = &tenant.avatar_url {
            let request = self.next_request();
            self.picture_request = Some(request);
            let question = Question::Picture { reference: reference.clone() };
            actions.push(Action::Ask { request, server: server.clone(), question });
        }
        self.found = Some(Found { server, tenant, picture: None, dialect: Dialect::Auth });
        self.stage = Stage::User;
        actions
    }

    pub(super) fn tenants_picture(&mut self, answer: Answer) {
        if let (Answer::Picture(Ok(blob)), Some(found)) = (&answer, &mut self.found) {
            found.picture = Picture::in_file(blob);
        }
    }
}
