//! The torture messages of RFC 4475 and RFC 5118, each sent to a registered phone that must treat it as the RFC says
//! and can be called afterwards.
//!
//! The files of RFC 4475 are those of its appendix, byte by byte but for the blank line that baddn lacks there. Those
//! of RFC 5118 are written from its text; their
//! Content-Length is that of their bodies, which the text gets wrong.

mod far_end;

use std::fs;
use std::path::Path;
use std::time::Duration;

use sip::Transport;
use tokio::time::timeout;

use super::common::{Phone, account};
use far_end::FarEnd;

/// Longest that a phone may take for an answer on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// How a phone treats a message.
#[derive(Debug, Clone, Copy)]
enum Treatment {
    /// Answers it finally, with one of these.
    Answer(&'static [u16]),
    /// Takes it for a call.
    Call,
    /// Says nothing to it.
    Silence,
}

use Treatment::{Answer, Call, Silence};

/// A phone is no registrar; what is wrong with a REGISTER may be seen before that.
const NO_REGISTRAR: Treatment = Answer(&[400, 405]);
const BAD: Treatment = Answer(&[400]);
const FINE: Treatment = Answer(&[200]);

/// RFC 4475, in its order.
const RFC4475: [(&str, Treatment); 49] = [
    // Its To carries a tag: it is of a dialog nobody knows.
    ("wsinv", Answer(&[481])),
    ("intmeth", Answer(&[501])),
    ("esc01", Call),
    ("escnull", Answer(&[405])),
    ("esc02", Answer(&[501])),
    ("lwsdisp", FINE),
    ("longreq", Call),
    ("dblreq", Answer(&[405])),
    ("semiuri", FINE),
    ("transports", FINE),
    // What a message may hold is for its receiver to say, not for the parser.
    ("mpart01", Answer(&[200, 405, 415])),
    ("unreason", Silence),
    ("noreason", Silence),
    ("badinv01", BAD),
    ("clerr", BAD),
    ("ncl", BAD),
    ("scalar02", BAD),
    ("scalarlg", Silence),
    ("quotbal", BAD),
    ("ltgtruri", BAD),
    ("lwsruri", BAD),
    ("lwsstart", BAD),
    ("trws", BAD),
    ("escruri", BAD),
    // Nothing here reads the Date.
    ("baddate", Call),
    ("regbadct", NO_REGISTRAR),
    ("badaspec", Answer(&[200, 400])),
    ("baddn", Answer(&[200, 400])),
    ("badvers", Answer(&[505])),
    ("mismatch01", BAD),
    ("mismatch02", Answer(&[400, 501])),
    ("bigcode", Silence),
    ("badbranch", FINE),
    ("insuf", BAD),
    ("unkscm", Answer(&[416])),
    ("novelsc", Answer(&[416])),
    ("unksm2", NO_REGISTRAR),
    ("bext01", Answer(&[420])),
    ("invut", Answer(&[415])),
    ("regaut01", Answer(&[405])),
    ("multi01", BAD),
    ("mcl01", BAD),
    ("bcast", Silence),
    ("zeromf", FINE),
    ("cparam01", Answer(&[405])),
    ("cparam02", Answer(&[405])),
    ("regescrt", Answer(&[405])),
    ("sdp01", Answer(&[400, 406])),
    ("inv2543", Call),
];

/// RFC 5118, in its order.
const RFC5118: [(&str, Treatment); 12] = [
    ("ipv6-good", Answer(&[405])),
    ("ipv6-bad", BAD),
    ("port-ambiguous", Answer(&[405])),
    ("port-unambiguous", Answer(&[405])),
    // A BYE of a dialog nobody knows.
    ("via-received-param-with-delim", Answer(&[481])),
    ("via-received-param-no-delim", FINE),
    ("ipv6-in-sdp", Call),
    ("mult-ip-in-header", Answer(&[481])),
    ("mult-ip-in-sdp", Call),
    ("ipv4-mapped-ipv6", Call),
    ("ipv6-bug-abnf-3-colons", FINE),
    ("ipv6-correct-abnf-2-colons", FINE),
];

#[tokio::test(flavor = "multi_thread")]
async fn over_udp() {
    torture(Transport::Udp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tcp() {
    torture(Transport::Tcp).await;
}

async fn torture(transport: Transport) {
    let far = FarEnd::start(transport).await;
    let mut us = account(5060, transport);
    us.proxy.host = far.ip.to_string();
    us.proxy.port = Some(far.port);
    let all = RFC4475.iter().map(|one| ("rfc4475", one)).chain(RFC5118.iter().map(|one| ("rfc5118", one)));
    let all: Vec<_> = all.collect();
    let mut wrong = Vec::new();
    // A phone that has declined twenty calls within seconds is busy for the next ones.
    for some in all.chunks(8) {
        let mut phone = Phone::registered(us.clone()).await;
        for (rfc, (name, treatment)) in some {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/torture/{rfc}/{name}.dat"));
            let message = fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            far.send(&message).await;
            let treated = treat(&far, &mut phone, transport, name, &message, *treatment).await;
            if let Err(instead) = treated {
                wrong.push(format!("{name}: {treatment:?}, but {instead}"));
            }
            call(&far, &mut phone, name).await;
        }
        phone.agent.stop().await;
        far.hang_up().await;
    }
    assert!(wrong.is_empty(), "over {transport:?}:\n{}", wrong.join("\n"));
}

/// Sees how one message is treated; says what happened instead.
async fn treat(
    far: &FarEnd,
    phone: &mut Phone,
    transport: Transport,
    name: &str,
    message: &[u8],
    treatment: Treatment,
) -> Result<(), String> {
    let call_id = call_id(message);
    match (name, transport) {
        // The rest of it might still come.
        ("clerr", Transport::Tcp) => {
            far.hang_up().await;
            return Ok(());
        }
        // It has no length and so, on a stream, no body: what follows it is the beginning of nothing.
        ("inv2543", Transport::Tcp) => {
            decline(phone).await?;
            far.hang_up().await;
            return Ok(());
        }
        ("ncl" | "mcl01", Transport::Tcp) => {
            far.closed().await;
            return Ok(());
        }
        _ => {}
    }
    match treatment {
        Answer(wanted) => {
            let status = far.answer(&call_id).await?;
            if !wanted.contains(&status) {
                return Err(format!("answered with {status}"));
            }
        }
        Call => {
            decline(phone).await?;
            let status = far.answer(&call_id).await?;
            if status != 603 {
                return Err(format!("answered with {status}"));
            }
        }
        Silence => {
            far.nothing_but_signs_of_life().await;
            if let Ok(status) = far.heard(&call_id) {
                return Err(format!("answered with {status}"));
            }
        }
    }
    // On a stream, what follows is another message.
    if (name, transport) == ("dblreq", Transport::Tcp) {
        decline(phone).await?;
        far.answer("dblreq.0ha0isnda977644900765@192.0.2.15").await?;
    }
    Ok(())
}

/// Waits for a call and declines it.
async fn decline(phone: &mut Phone) -> Result<(), String> {
    let (key, ..) = timeout(SOON, phone.until_incoming()).await.map_err(|_| "there was no call")?;
    phone.agent.decline(key, 603);
    Ok(())
}

/// Calls the phone, which declines.
async fn call(far: &FarEnd, phone: &mut Phone, after: &str) {
    far.reached().await;
    let call_id = format!("after-{after}");
    let request = |method: &str, to: &str| {
        format!(
            "{method} sip:101@phone.test SIP/2.0\r\nVia: SIP/2.0/{} {}:{};branch=z9hG4bK{call_id}\r\n\
             From: <sip:far@bell.test>;tag=far\r\nTo: <sip:101@bell.test>{to}\r\nCall-ID: {call_id}\r\n\
             CSeq: 1 {method}\r\nContact: <sip:far@{}:{}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            far.via, far.ip, far.port, far.ip, far.port
        )
    };
    far.send(request("INVITE", "").as_bytes()).await;
    decline(phone).await.unwrap_or_else(|what| panic!("{what} after {after}"));
    assert_eq!(far.answer(&call_id).await, Ok(603), "after {after}");
    let to = far.to(&call_id).unwrap_or_default();
    far.send(request("ACK", to.split_once('>').map_or("", |(_, tag)| tag)).as_bytes()).await;
    far.forget();
}

/// The Call-ID of a message, empty where it has none.
fn call_id(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let mut headers =
        text.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'));
    let found =
        headers.find(|(name, _)| ["call-id", "i"].contains(&name.trim().to_ascii_lowercase().as_str()));
    found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}
