//! The echo itself: two sockets and the clock around [`Reflector`].

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use tokio::net::UdpSocket;
use tokio::sync::watch;

use super::rtcp::{Heard, compound, is_rtcp};
use super::rtp::Reflector;
use super::sdp::Media;

/// Between two reports.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// The sockets of one line: RTP on an even port, RTCP on the one above.
pub(crate) struct Sockets {
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

impl Sockets {
    /// Takes a free pair of ports.
    pub async fn open(ip: IpAddr) -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..64 {
            let rtp = UdpSocket::bind((ip, 0)).await?;
            let port = rtp.local_addr()?.port();
            if port % 2 != 0 {
                continue;
            }
            match UdpSocket::bind((ip, port + 1)).await {
                Ok(rtcp) => return Ok(Self { rtp, rtcp }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Address for the session description.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.rtp.local_addr()
    }
}

/// Sends back what comes, until no RTP has come for `silence` although it might have.
/// Packets go back to where they came from, whatever the session description says.
pub(crate) async fn echo(sockets: Sockets, mut media: watch::Receiver<Media>, silence: Duration) {
    let Sockets { rtp, rtcp } = sockets;
    let start = Instant::now();
    let mut now_media = media.borrow_and_update().clone();
    let mut reflector = Reflector::new(now_media.clock(), start);
    let (mut rtp_peer, mut rtcp_peer) = (now_media.remote, now_media.remote_rtcp);
    let mut heard: Option<Heard> = None;
    let mut last_rtp = start;
    let mut reports = tokio::time::interval(REPORT_EVERY);
    reports.tick().await;
    let (mut packet, mut report) = ([0_u8; 2048], [0_u8; 2048]);
    loop {
        let quiet_at = tokio::time::Instant::from_std(last_rtp + silence);
        tokio::select! {
            received = rtp.recv_from(&mut packet) => {
                // An ICMP error of an earlier packet is no reason to hang up.
                let Ok((length, peer)) = received else { continue };
                let Some(packet) = packet.get_mut(..length) else { continue };
                let now = Instant::now();
                if is_rtcp(packet) {
                    heard = Heard::parse(packet, now).or(heard);
                    continue;
                }
                if reflector.reflect(packet, now) {
                    last_rtp = now;
                    rtp_peer = Some(peer);
                    if now_media.sends() && rtp.send_to(packet, peer).await.is_ok() {
                        reflector.count(packet.len(), now);
                    }
                }
            }
            received = rtcp.recv_from(&mut report) => {
                let Ok((length, peer)) = received else { continue };
                let Some(report) = report.get(..length) else { continue };
                if is_rtcp(report) {
                    rtcp_peer = Some(peer);
                    heard = Heard::parse(report, Instant::now()).or(heard);
                }
            }
            _ = reports.tick() => {
                let now = Instant::now();
                let mut block = reflector.report();
                if let (Some(block), Some(heard)) = (block.as_mut(), heard) {
                    heard.fill(block, now);
                }
                let packet = compound(reflector.ssrc(), reflector.sent(now), block, SystemTime::now());
                let (socket, peer) = if now_media.mux { (&rtp, rtp_peer) } else { (&rtcp, rtcp_peer) };
                if let Some(peer) = peer {
                    let _ = socket.send_to(&packet, peer).await;
                }
            }
            changed = media.changed() => {
                if changed.is_err() {
                    return;
                }
                now_media = media.borrow_and_update().clone();
                reflector.set_clock(now_media.clock());
                (rtp_peer, rtcp_peer) = (now_media.remote, now_media.remote_rtcp);
                last_rtp = Instant::now();
            }
            () = tokio::time::sleep_until(quiet_at), if now_media.receives() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clock stands still until everyone waits; then it jumps to the next timer.
    #[tokio::test(start_paused = true)]
    async fn rtp_comes_back_reports_follow_and_silence_ends_it() {
        let caller = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let offer = format!(
            "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio {} RTP/AVP 0\r\na=rtcp-mux\r\n",
            caller.local_addr().unwrap().port()
        );
        let (hold, media) = watch::channel(Media::for_offer(offer.as_bytes()).unwrap());
        let sockets = Sockets::open(IpAddr::from([127, 0, 0, 1])).await.unwrap();
        let line = sockets.address().unwrap();
        assert_eq!(line.port() % 2, 0);
        let line_ends = tokio::spawn(echo(sockets, media, Duration::from_secs(60)));

        let mut packet = vec![0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7];
        packet.extend([0x55; 160]);
        let mut back = [0; 1500];
        caller.send_to(&packet, line).await.unwrap();
        let length = caller.recv(&mut back).await.unwrap();
        assert_eq!((length, &back[..2], &back[12..length]), (172, &packet[..2], &packet[12..]));

        let length = caller.recv(&mut back).await.unwrap();
        assert!(is_rtcp(&back[..length]));
        assert_eq!((back[1], &back[20..24], &back[28..32]), (200, &[0, 0, 0, 1][..], &[0, 0, 0, 7][..]));

        let held = offer.replace("a=rtcp-mux", "a=inactive\r\na=rtcp-mux");
        hold.send(Media::for_offer(held.as_bytes()).unwrap()).unwrap();
        caller.send_to(&packet, line).await.unwrap();
        for _ in 0..20 {
            // A hundred seconds on hold bring reports, and neither an echo nor the end.
            let length = caller.recv(&mut back).await.unwrap();
            assert!(is_rtcp(&back[..length]));
        }
        assert!(!line_ends.is_finished());
        hold.send(Media::for_offer(offer.as_bytes()).unwrap()).unwrap();
        line_ends.await.unwrap();
    }
}
