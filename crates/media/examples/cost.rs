//! Prints what one end of a call costs (capture, encode, receive, decode, play): milliseconds of one core for
//! each second. Run with `cargo run --release -p media --example cost`.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use media::sdp::LocalMedia;
use media::{Channel, Codec, FRAME, Session};

const SECONDS: u32 = 30;

fn main() -> Result<(), Box<dyn Error>> {
    for codec in Codec::ALL {
        for loss in [0u32, 10] {
            println!("{codec} at {loss} % loss: {:.1} ms/s", run(codec, loss)?);
        }
    }
    Ok(())
}

fn run(codec: Codec, loss: u32) -> Result<f64, Box<dyn Error>> {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut a = LocalMedia::new(address, 4000, 4001, vec![codec], 1);
    let mut b = LocalMedia::new(address, 4000, 4001, vec![codec], 2);
    let (answer, _) = b.answer(&a.offer())?;
    let negotiated = a.accept(&answer)?;
    let start = Instant::now();
    // It hears itself: one session does the work of one end of a call.
    let mut session = Session::new(&negotiated, 1, start)?;
    let from = SocketAddr::new(address, 4000);
    let (mut noise, mut phase) = (1u32, 0.0f32);
    let began = Instant::now();
    for n in 0..SECONDS * 100 {
        let now = start + Duration::from_millis(10) * n;
        let frame: [i16; FRAME] = std::array::from_fn(|_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            phase = (phase + 140.0 / 48_000.0).fract();
            ((0.5 - phase) * 12_000.0) as i16 + (noise >> 24) as i16
        });
        session.capture(now, &frame);
        while let Some(transmit) = session.poll_transmit(now) {
            if transmit.from_port == Channel::Rtp && noise % 100 >= loss {
                session.receive(now, from, &transmit.bytes);
            }
        }
        let mut out = [0; FRAME];
        session.play(now, &mut out);
    }
    Ok(began.elapsed().as_secs_f64() * 1000.0 / f64::from(SECONDS))
}
