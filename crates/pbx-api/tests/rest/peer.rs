//! An HTTPS server made of raw bytes, so that nonsense is as easy to serve as sense.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pbx_api::{Client, ServerAddress, Trust};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::ServerConfig;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};

/// A certificate, its key, and the root to trust for it.
pub struct Identity {
    pub certificate: CertificateDer<'static>,
    pub key: Vec<u8>,
    pub root_pem: String,
}

impl Identity {
    /// Good for this machine, signed by a root of its own, altered before it is signed.
    pub fn signed(alter: impl FnOnce(&mut CertificateParams)) -> Self {
        let root_key = KeyPair::generate().unwrap();
        let mut root_params = CertificateParams::default();
        root_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root_params.distinguished_name.push(DnType::CommonName, "Trial root");
        let root = root_params.self_signed(&root_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["127.0.0.1".into(), "localhost".into()]).unwrap();
        alter(&mut params);
        let certificate = params.signed_by(&key, &Issuer::from_params(&root_params, &root_key)).unwrap();
        Self { certificate: certificate.der().clone(), key: key.serialize_der(), root_pem: root.pem() }
    }

    fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let key = PrivateKeyDer::try_from(self.key.clone()).unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let certified = CertifiedKey::new(vec![self.certificate.clone()], key);
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        TlsAcceptor::from(Arc::new(config))
    }
}

/// One part of an answer.
#[derive(Clone)]
pub enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// Ends the connection without a word of TLS.
    Cut,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// `METHOD /path`.
    pub line: String,
    /// Header lines, their names in lower case.
    pub head: String,
    pub body: String,
}

type Script = dyn Fn(&Request) -> Vec<Step> + Send + Sync;

/// The server. It ends when dropped.
pub struct Peer {
    pub address: ServerAddress,
    requests: Arc<Mutex<Vec<Request>>>,
    task: AbortHandle,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// Serves HTTPS: each request gets what the script says.
    pub async fn start(
        identity: &Identity,
        script: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let (acceptor, script) = (identity.acceptor(), Arc::new(script));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            let mut running = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, script, seen) = (acceptor.clone(), Arc::clone(&script), Arc::clone(&seen));
                running.spawn(async move { serve(acceptor, stream, &*script, &seen).await });
            }
        });
        Self { address, requests, task: task.abort_handle() }
    }

    /// Requests seen so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Requests seen so far, first lines only.
    pub fn lines(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.line).collect()
    }

    /// A client for it that trusts an identity's root.
    pub fn client(&self, identity: &Identity) -> Client {
        let mut trust = Trust::default();
        trust.add_roots(identity.root_pem.as_bytes()).unwrap();
        Client::new(self.address.clone(), &trust, "Carillon/test").unwrap()
    }
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, script: &Script, seen: &Mutex<Vec<Request>>) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().unwrap().push(request.clone());
        for step in script(&request) {
            match step {
                Step::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Pause(pause) => tokio::time::sleep(pause).await,
                Step::Cut => {
                    let _ = stream.flush().await;
                    return;
                }
            }
            let _ = stream.flush().await;
        }
    }
}

async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let head: String = head.lines().skip(1).map(header).collect();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { line, head, body: String::from_utf8(bytes[end..].to_vec()).unwrap() })
}

fn header(line: &str) -> String {
    match line.split_once(':') {
        Some((name, value)) => format!("{}:{value}\n", name.to_lowercase()),
        None => format!("{line}\n"),
    }
}

/// An answer with a JSON body.
pub fn json(status: u16, body: &str) -> Vec<Step> {
    answer(&format!("{status} Status"), "Content-Type: application/json\r\n", body)
}

/// An answer with any header lines and body.
pub fn answer(status: &str, head: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![Step::Send(
        format!("HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\n\r\n{body}").into_bytes(),
    )]
}

/// An error answer in the documented shape.
pub fn error(status: u16, code: &str) -> Vec<Step> {
    json(status, &format!(r#"{{"errors":[{{"code":"{code}","message":"a message"}}]}}"#))
}

/// Four token fields, numbered.
pub fn tokens(number: usize) -> Vec<Step> {
    json(
        200,
        &format!(
            r#"{{"token_type":"Bearer","access_token":"access-{number}","refresh_token":"refresh-{number}","expires_in":1800}}"#
        ),
    )
}
