//! What is said to a proxy before it is out of the way.

use std::io;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::ProxyProblem::{self, Credentials, NoWay, NotUnderstood, Refused, Unreachable};

/// Largest head of an answer, bytes.
const LARGEST: usize = 16 * 1024;
/// Ways to say who we are (RFC 1928, section 3).
const NOBODY: u8 = 0;
const BY_PASSWORD: u8 = 2;

/// Who we are.
type Login<'a> = Option<(&'a str, &'a SecretString)>;

/// CONNECT (RFC 9110, section 9.3.6), with Basic credentials where there are any (RFC 7617).
pub(super) async fn connect<S>(
    stream: &mut S,
    host: &str,
    port: u16,
    login: Login<'_>,
) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let to = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = Zeroizing::new(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n"));
    if let Some((user, password)) = login {
        let plain = Zeroizing::new(format!("{user}:{}", password.expose_secret()));
        let basic = Zeroizing::new(STANDARD.encode(plain.as_bytes()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&basic);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|_| Unreachable)?;
    let (status, rest) = answer(stream).await?;
    match status {
        // The server waits for our first word: whatever comes before it is not the server's.
        200..300 if rest => Err(NotUnderstood),
        200..300 => Ok(()),
        407 => Err(Credentials),
        // No proxy, but a web server.
        400 | 404 | 405 | 501 => Err(NotUnderstood),
        400..500 => Err(Refused),
        500..600 => Err(NoWay),
        _ => Err(NotUnderstood),
    }
}

/// Status of an answer, and whether more than its head came.
async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> Result<(u16, bool), ProxyProblem> {
    let (mut head, mut piece) = (Vec::new(), [0; 2048]);
    let end = loop {
        match stream.read(&mut piece).await {
            Ok(0) if head.is_empty() => return Err(Unreachable),
            Ok(0) => return Err(NotUnderstood),
            Ok(length) => head.extend_from_slice(piece.get(..length).unwrap_or_default()),
            Err(_) => return Err(Unreachable),
        }
        if !b"HTTP/1.".starts_with(head.get(..7).unwrap_or(&head)) || head.len() > LARGEST {
            return Err(NotUnderstood);
        }
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let line = String::from_utf8_lossy(&head);
    let status = line.split(' ').nth(1).and_then(|word| word.get(..3)).and_then(|word| word.parse().ok());
    Ok((status.ok_or(NotUnderstood)?, head.len() > end))
}

/// SOCKS 5 (RFC 1928), with name and password where there are any (RFC 1929). The proxy looks names up.
pub(super) async fn socks<S>(
    stream: &mut S,
    host: &str,
    port: u16,
    login: Login<'_>,
) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let greeting: &[u8] = if login.is_some() { &[5, 2, NOBODY, BY_PASSWORD] } else { &[5, 1, NOBODY] };
    say(stream, greeting).await?;
    let [version, method] = hear(stream).await?;
    match (version, method, login) {
        (5, NOBODY, _) => {}
        (5, BY_PASSWORD, Some((user, password))) => {
            let mut words = Zeroizing::new(vec![1]);
            put(&mut words, user.as_bytes())?;
            put(&mut words, password.expose_secret().as_bytes())?;
            say(stream, &words).await?;
            let [_, 0] = hear(stream).await? else { return Err(Credentials) };
        }
        (5, BY_PASSWORD | 0xff, _) => return Err(Credentials),
        _ => return Err(NotUnderstood),
    }
    let mut request = vec![5, 1, 0];
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            request.push(1);
            request.extend_from_slice(&ip.octets());
        }
        Ok(IpAddr::V6(ip)) => {
            request.push(4);
            request.extend_from_slice(&ip.octets());
        }
        Err(_) => {
            request.push(3);
            put(&mut request, host.as_bytes())?;
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    say(stream, &request).await?;
    let [version, reply, _, kind] = hear(stream).await?;
    match (version, reply) {
        (5, 0) => {}
        (5, 2) => return Err(Refused),
        (5, 1 | 3..=6) => return Err(NoWay),
        _ => return Err(NotUnderstood),
    }
    // Where the proxy went out: of no use to us, but it stands before what the server says.
    match kind {
        1 => drop(hear::<6>(stream).await?),
        4 => drop(hear::<18>(stream).await?),
        3 => {
            let [length] = hear(stream).await?;
            let mut rest = vec![0; usize::from(length) + 2];
            stream.read_exact(&mut rest).await.map_err(|error| of_io(&error))?;
        }
        _ => return Err(NotUnderstood),
    }
    Ok(())
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), words: &[u8]) -> Result<(), ProxyProblem> {
    stream.write_all(words).await.map_err(|_| Unreachable)
}

async fn hear<const N: usize>(stream: &mut (impl AsyncRead + Unpin)) -> Result<[u8; N], ProxyProblem> {
    let mut words = [0; N];
    stream.read_exact(&mut words).await.map_err(|error| of_io(&error))?;
    Ok(words)
}

/// Adds a text of at most 255 bytes, its length before it.
fn put(words: &mut Vec<u8>, text: &[u8]) -> Result<(), ProxyProblem> {
    words.push(u8::try_from(text.len()).map_err(|_| NotUnderstood)?);
    words.extend_from_slice(text);
    Ok(())
}

fn of_io(error: &io::Error) -> ProxyProblem {
    if error.kind() == io::ErrorKind::UnexpectedEof { NotUnderstood } else { Unreachable }
}
