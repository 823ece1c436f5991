use std::time::SystemTime;

use reqwest::header::DATE;
use reqwest::tls::TlsInfo;

use crate::{ApiError, CertificateFacts, Client};

/// What an answer shows beside what it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Glance {
    /// HTTP status.
    pub status: u16,
    /// The server's clock as the answer tells it (`Date`, RFC 9110, section 6.6.1).
    pub clock: Option<SystemTime>,
    /// The certificate that was shown, and trusted.
    pub certificate: Option<CertificateFacts>,
}

impl Client {
    /// Asks `GET /info` for what its answer shows, whatever its status. Nothing secret is sent.
    ///
    /// # Errors
    /// Any that come of having no answer.
    pub async fn glance(&self) -> Result<Glance, ApiError> {
        let response = match self.http().get(self.url("info")).send().await {
            Ok(response) => response,
            Err(error) => return Err(self.failed(error).await),
        };
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let shown = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
        Ok(Glance {
            status: response.status().as_u16(),
            clock: date.and_then(|date| httpdate::parse_http_date(date).ok()),
            certificate: shown.map(|der| CertificateFacts::read(self.server(), der)),
        })
    }
}
