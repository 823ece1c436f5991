use std::sync::{Mutex, PoisonError};

use rsipstack::sip::{HasHeaders, Header, Method, Request, Response};

use crate::header::elements;
use crate::message::to_of;
use crate::party::tag;

/// Routes a registrar may ask for.
const MOST: usize = 8;

/// The way that requests outside of dialogs take, as the registrar said last (`Service-Route`, RFC 3608).
#[derive(Debug, Default)]
pub(crate) struct ServiceRoute(Mutex<Vec<String>>);

impl ServiceRoute {
    /// Takes what a 2xx to a REGISTER says; nothing said is no route.
    pub(crate) fn learn(&self, response: &Response) {
        let mut routes = Vec::new();
        for header in response.headers().iter() {
            if let Header::ServiceRoute(value) = header {
                routes.extend(elements(value.value()));
            }
        }
        routes.truncate(MOST);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = routes;
    }

    /// Puts the route into a request that is to go this way and has none.
    pub(crate) fn apply(&self, request: &mut Request) {
        let has_route = request.headers.iter().any(|header| matches!(header, Header::Route(_)));
        let other_way = matches!(request.method, Method::Register | Method::Ack | Method::Cancel);
        if has_route || other_way || tag(&to_of(request)).is_some() {
            return;
        }
        let routes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        request
            .headers
            .extend(routes.into_iter().map(|route| Header::Route(route.into())).collect::<Vec<_>>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, to: &str, headers: &str) -> Request {
        let text = format!(
            "{method} sip:102@bell.test SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:101@t>;tag=b\r\n\
             To: <sip:102@t>{to}\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n{headers}Content-Length: 0\r\n\r\n"
        );
        Request::try_from(text.as_str()).unwrap()
    }

    fn routes(request: &Request) -> Vec<String> {
        let routes = request.headers.iter().filter_map(|header| match header {
            Header::Route(route) => Some(route.value().to_owned()),
            _ => None,
        });
        routes.collect()
    }

    fn ok(headers: &str) -> Response {
        Response::try_from(format!("SIP/2.0 200 OK\r\n{headers}Content-Length: 0\r\n\r\n").as_str()).unwrap()
    }

    #[test]
    fn requests_outside_of_dialogs_take_the_way_the_registrar_said() {
        let way = ServiceRoute::default();
        way.learn(&ok(
            "Service-Route: <sip:p1.test;lr>, <sip:p2.test;lr>\r\nService-Route: <sip:p3.test;lr>\r\n",
        ));
        let applied = |method: &str, to: &str, headers: &str| {
            let mut request = request(method, to, headers);
            way.apply(&mut request);
            routes(&request)
        };
        let whole = ["<sip:p1.test;lr>", "<sip:p2.test;lr>", "<sip:p3.test;lr>"];
        assert_eq!(applied("INVITE", "", ""), whole);
        assert_eq!(applied("SUBSCRIBE", "", ""), whole);
        assert_eq!(applied("REGISTER", "", ""), [""; 0]);
        assert_eq!(applied("INVITE", ";tag=a", ""), [""; 0], "a dialog has a way of its own");
        assert_eq!(applied("INVITE", "", "Route: <sip:q;lr>\r\n"), ["<sip:q;lr>"]);
        way.learn(&ok(""));
        let mut later = request("INVITE", "", "");
        way.apply(&mut later);
        assert_eq!(routes(&later), [""; 0]);
    }
}
