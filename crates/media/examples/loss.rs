//! Speaks a WAV file (48 kHz, mono, 16 bit) through two sessions over paths that lose packets, and writes what is
//! heard at the other end: `loss SPOKEN.wav FOLDER SEEDS [CELL...]`. Prints one JSON object for each call.
//!
//! A cell is PEER-LOSS: `plain`, `ours` or `ours40` (at most 40 kbit/s), then a letter with a number: `r` or `g`, so much
//! per cent lost at random, or in bursts of 3.5 packets on the mean; `o`, so much per cent held back and overtaken; `j`,
//! jitter of so many milliseconds on the mean; `d`, a speaker whose clock is off by so many parts in a million. Time is
//! simulated, so nothing depends on the machine but the cost.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use media::sdp::LocalMedia;
use media::{Channel, Codec, FRAME, Report, Session};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const CELLS: [&str; 26] = [
    "plain-r0",
    "plain-r1",
    "plain-r3",
    "plain-r5",
    "plain-r10",
    "plain-r20",
    "plain-r30",
    "plain-g5",
    "plain-g10",
    "plain-g20",
    "ours-r5",
    "ours-r10",
    "ours-r20",
    "ours-r30",
    "ours-g3",
    "ours-g5",
    "ours-g10",
    "ours-g20",
    "ours-g30",
    "ours40-r5",
    "ours40-r10",
    "ours40-r20",
    "ours40-g5",
    "ours40-g10",
    "ours40-g20",
    "ours-r0",
];
/// Mean length of a burst, packets.
const BURST: f64 = 3.5;
/// One way, ms.
const WAY: f64 = 20.0;
/// By how much a packet is held back that others overtake, ms.
const HELD: std::ops::Range<f64> = 25.0..65.0;
/// Both ends know the path after so much speech, seconds; only what comes then is written.
const RUN_IN: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [spoken, folder, seeds, cells @ ..] = arguments.as_slice() else {
        return Err("loss SPOKEN.wav FOLDER SEEDS [CELL...]".into());
    };
    let said: Vec<i16> = hound::WavReader::open(spoken)?.into_samples().collect::<Result<_, _>>()?;
    let all = CELLS.map(str::to_owned);
    let cells = if cells.is_empty() { &all[..] } else { cells };
    for cell in cells {
        for seed in 1..=seeds.parse()? {
            let call = Call::run(&said, &Cell::parse(cell).ok_or("no such cell")?, seed)?;
            let file = Path::new(folder).join(format!("{cell}-{seed}.wav"));
            write(&file, &call.heard)?;
            println!("{}", call.describe(cell, seed, &file));
        }
    }
    Ok(())
}

struct Cell {
    /// What the listening end says of its Opus decoder.
    says: &'static str,
    loss: f64,
    burst: f64,
    /// Share of packets that are held back and overtaken.
    overtaken: f64,
    /// Mean of what comes on top of the way, nothing to twice as much; the order stays. Milliseconds.
    jitter: f64,
    /// By how much the speaker's clock is behind, parts in a million.
    drift: f64,
}

impl Cell {
    fn parse(text: &str) -> Option<Self> {
        let (peer, loss) = text.split_once('-')?;
        let says = match peer {
            "plain" => "useinbandfec=1",
            "ours" => "useinbandfec=1;x-dred=12",
            "ours40" => "useinbandfec=1;x-dred=12;maxaveragebitrate=40000",
            _ => return None,
        };
        let number: f64 = loss.get(1..)?.parse().ok()?;
        let clean = Self { says, loss: 0.0, burst: 1.0, overtaken: 0.0, jitter: 0.0, drift: 0.0 };
        let share = number / 100.0;
        Some(match loss.get(..1)? {
            "r" => Self { loss: share, burst: 1.0 / (1.0 - share), ..clean },
            "g" => Self { loss: share, burst: BURST, ..clean },
            "o" => Self { overtaken: share, ..clean },
            "j" => Self { jitter: number, ..clean },
            "d" => Self { drift: number, ..clean },
            _ => return None,
        })
    }

    /// How long a packet of voice is under way that is sent after so many milliseconds, and whether others may overtake
    /// it.
    fn delay(&self, sent: f64, random: &mut StdRng) -> (f64, bool) {
        let way = WAY + self.drift / 1e6 * sent;
        if self.overtaken > 0.0 && random.random::<f64>() < self.overtaken {
            return (way + random.random_range(HELD), true);
        }
        let jitter = if self.jitter > 0.0 { random.random_range(0.0..2.0 * self.jitter) } else { 0.0 };
        (way + jitter, false)
    }
}

/// What became of a call.
struct Call {
    heard: Vec<i16>,
    report: Report,
    /// Packets sent and lost, and bytes of voice, after the run-in.
    sent: u32,
    lost: u32,
    bytes: usize,
    /// Mean delay of the jitter buffer, ms.
    delay_ms: f32,
    /// Processor time of both ends, ms a second.
    cost: f64,
}

impl Call {
    fn run(said: &[i16], cell: &Cell, seed: u64) -> Result<Self, Box<dyn Error>> {
        let start = Instant::now();
        let [mut speaker, mut listener] = connect(cell.says, start)?;
        let mut random = StdRng::seed_from_u64(seed);
        let (mut bad, mut voice, mut last) = (false, 0, 0.0_f64);
        // Arrival, ms; to the listener, from the port, what.
        let mut way: Vec<(f64, bool, Channel, Vec<u8>)> = Vec::new();
        let run_in = said.get(..RUN_IN * 48_000).ok_or("less than the run-in is said")?;
        let mut call = Call {
            heard: Vec::with_capacity(said.len()),
            report: listener.report(start),
            sent: 0,
            lost: 0,
            bytes: 0,
            delay_ms: 0.0,
            cost: 0.0,
        };
        let mut delays = Vec::new();
        let began = processor_ms();
        for (step, frame) in run_in.chunks_exact(FRAME).chain(said.chunks_exact(FRAME)).enumerate() {
            let elapsed = 10.0 * step as f64;
            let after = |ms: f64| start + Duration::from_secs_f64(ms / 1000.0);
            let now = after(elapsed);
            let counts = step >= RUN_IN * 100;
            let mut due;
            (due, way) = way.into_iter().partition(|(at, ..)| *at <= elapsed);
            due.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
            for (at, to_listener, port, bytes) in due {
                let end = if to_listener { &mut listener } else { &mut speaker };
                end.receive(after(at), address(if to_listener { 1 } else { 2 }, port), &bytes);
            }
            speaker.capture(now, frame.try_into()?);
            listener.capture(now, &[0; FRAME]);
            while let Some(datagram) = speaker.poll_transmit(now) {
                if datagram.from_port == Channel::Rtp {
                    voice += 1;
                    let stay = 1.0 - 1.0 / cell.burst;
                    let fall = cell.loss / (1.0 - cell.loss) / cell.burst;
                    bad = random.random::<f64>() < if bad { stay } else { fall };
                    call.sent += u32::from(counts);
                    call.lost += u32::from(counts && bad);
                    call.bytes += if counts { datagram.bytes.len() - 12 } else { 0 };
                    // The first packets open the line.
                    if bad && voice > 5 {
                        continue;
                    }
                }
                let (delay, overtaken) = cell.delay(elapsed, &mut random);
                let mut at = elapsed + delay;
                if !overtaken {
                    at = at.max(last);
                    last = at;
                }
                way.push((at, true, datagram.from_port, datagram.bytes));
            }
            while let Some(datagram) = listener.poll_transmit(now) {
                way.push((elapsed + WAY, false, datagram.from_port, datagram.bytes));
            }
            let mut out = [0; FRAME];
            listener.play(now, &mut out);
            speaker.play(now, &mut [0; FRAME]);
            if counts {
                call.heard.extend_from_slice(&out);
            }
            if step % 100 == 0 {
                call.report = listener.report(now);
                delays.extend(counts.then_some(call.report.delay_ms));
            }
        }
        call.cost = (processor_ms() - began) / (RUN_IN as f64 + said.len() as f64 / 48_000.0);
        call.delay_ms = delays.iter().sum::<f32>() / delays.len().max(1) as f32;
        Ok(call)
    }

    fn describe(&self, cell: &str, seed: u64, file: &Path) -> String {
        let Report { concealed_ms, fec_ms, dred_ms, lengthened_ms, shortened_ms, look_ahead_ms, .. } =
            self.report;
        let loss = 100.0 * f64::from(self.lost) / f64::from(self.sent.max(1));
        let kbit = self.bytes as f64 * 8.0 / (f64::from(self.sent.max(1)) * 20.0);
        format!(
            "{{\"cell\":\"{cell}\",\"seed\":{seed},\"file\":\"{}\",\"loss\":{loss:.2},\"kbit\":{kbit:.1},\
             \"delay_ms\":{:.1},\"look_ahead_ms\":{look_ahead_ms},\"fec_ms\":{fec_ms},\"dred_ms\":{dred_ms},\
             \"concealed_ms\":{concealed_ms},\"lengthened_ms\":{lengthened_ms},\"shortened_ms\":{shortened_ms},\
             \"mos\":{:.2},\"cost\":{:.1}}}",
            file.display(),
            self.delay_ms,
            self.report.mos,
            self.cost,
        )
    }
}

fn connect(says: &str, now: Instant) -> Result<[Session; 2], Box<dyn Error>> {
    let end = |host| LocalMedia::new(address(host, Channel::Rtp).ip(), 4000, 4001, vec![Codec::Opus], 1);
    let (mut speaker, mut listener) = (end(1), end(2));
    let ours = "useinbandfec=1;x-dred=12";
    let (answer, theirs) = listener.answer(&speaker.offer().replace(ours, says))?;
    let negotiated = speaker.accept(&answer.replace(ours, says))?;
    Ok([Session::new(&negotiated, 1, now)?, Session::new(&theirs, 2, now)?])
}

fn address(host: u8, port: Channel) -> SocketAddr {
    let port = if port == Channel::Rtp { 4000 } else { 4001 };
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)), port)
}

fn write(file: &Path, sound: &[i16]) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: media::RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, spec)?;
    for sample in sound {
        writer.write_sample(*sample)?;
    }
    writer.finalize()
}

/// Processor time of this thread so far; nothing where the system does not tell.
fn processor_ms() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e6
}
