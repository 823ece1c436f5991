//! The way back from the browser: a listener on this machine, or a link of the phone's own scheme.

mod pages;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sign_in::callback::{Callback, Listener, Nonce, Purpose, Return, parse_link, scheme_url};
use sign_in::{CallbackUrl, RequestId};
use tokio::task::AbortHandle;

use crate::Language;
use crate::actor::Input;
use crate::outlet::Outlet;
use crate::signing_in::SignedInput;

/// Waits for the browser, for one sign-in at a time.
pub(crate) struct Returning {
    outlet: Outlet,
    open: Option<Open>,
}

struct Open {
    request: RequestId,
    way: Arc<Mutex<Return>>,
    task: AbortHandle,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Returning {
    /// Waiting for nobody.
    pub(crate) fn new(outlet: Outlet) -> Self {
        Self { outlet, open: None }
    }

    /// Waits for the browser. Where it is to come comes back as [`SignedInput::Listening`], what it brought as
    /// [`SignedInput::Returned`]; the page left in the browser is in `language`.
    pub(crate) fn listen(
        &mut self,
        request: RequestId,
        purpose: Purpose,
        limit: Duration,
        language: Language,
    ) {
        let nonce = Nonce::random();
        let way = Arc::new(Mutex::new(Return::new(purpose, nonce.clone(), Instant::now(), limit)));
        let (outlet, shared) = (self.outlet.clone(), Arc::clone(&way));
        let task = tokio::spawn(async move {
            let put = |input| outlet.put(Input::Signed(input));
            let scheme = scheme_url(brand::BRAND.scheme, &nonce).map(CallbackUrl::from);
            let listener = Listener::bind().await.inspect_err(|error| {
                tracing::warn!(%error, "nothing listens for the browser on this machine");
            });
            let loopback = listener.as_ref().ok().map(|listener| listener.url(&nonce).into());
            put(SignedInput::Listening { request, loopback, scheme });
            if let Ok(listener) = listener
                && let Some(callback) = listener.serve(shared, pages::pages(language)).await
            {
                put(SignedInput::Returned { request, callback });
            }
        });
        self.open = Some(Open { request, way, task: task.abort_handle() });
    }

    /// The browser is no longer waited for.
    pub(crate) fn stop(&mut self, request: RequestId) {
        self.open.take_if(|open| open.request == request);
    }

    /// Takes a link of the phone's own scheme: what it brought, where it is the one waited for.
    pub(crate) fn link(&self, link: &str) -> Option<(RequestId, Callback)> {
        let (nonce, parameters) = parse_link(link, brand::BRAND.scheme)?;
        let open = self.open.as_ref()?;
        let mut way = open.way.lock().unwrap_or_else(PoisonError::into_inner);
        let callback = way.accept(&nonce, &parameters, Instant::now()).inspect_err(|refused| {
            tracing::info!(%refused, "a link was not let in");
        });
        Some((open.request, callback.ok()?))
    }
}
