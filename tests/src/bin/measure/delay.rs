//! Mouth to ear: into a virtual microphone, through two of the same phone, out of a virtual speaker.

use std::thread::sleep;
use std::time::Duration;

use system_tests::{
    Baresip, Cli, Kamailio, Linphone, Network, Reading, Session, Side, Speech, before_others, delays,
};

use crate::SOON;

const CALLS: usize = 5;
const CODEC: &str = "opus";
/// baresip 1.0 has no buffer that adapts: this is the smallest that still gives its adaptive successors' choice of 20
/// to 100 ms.
const TIGHT: &str = "1-5";

/// A call that is up, from the microphone of one phone to the speaker of the other.
type Up = Box<dyn FnOnce()>;
type Call = fn(&Scene) -> Up;

/// Measures each phone in turn, call by call, so that what else the machine does meets all of them.
pub fn measure() {
    let phones: [(&str, Call); 4] = [
        ("carillon-cli", carillon),
        ("baresip 1.0, buffer of its template (5–10 packets)", |scene| baresip(scene, Baresip::TEMPLATE)),
        ("baresip 1.0, buffer of 1–5 packets", |scene| baresip(scene, TIGHT)),
        ("linphonec 5.1", linphone),
    ];
    let mut heard = phones.map(|_| Vec::new());
    for _ in 0..CALLS {
        for ((_, call), heard) in phones.iter().zip(&mut heard) {
            heard.extend(Scene::set().hear(*call));
        }
    }
    println!("\nMouth to ear, ms, {CODEC}, {CALLS} calls of 25 s of speech, two seconds each\n");
    println!("| phone | median | 95 % | best | worst | pieces |\n|---|---|---|---|---|---|");
    for ((name, _), mut delays) in phones.into_iter().zip(heard) {
        delays.sort_by(f64::total_cmp);
        let at = |share: f64| delays.get(((delays.len() as f64 - 1.0) * share).round() as usize).copied();
        let [median, most, best, worst] = [0.5, 0.95, 0.0, 1.0].map(|share| at(share).unwrap_or(f64::NAN));
        println!("| {name} | {median:.0} | {most:.0} | {best:.0} | {worst:.0} | {} |", delays.len());
    }
}

/// A PBX, two places for phones, and a sound server.
struct Scene {
    // What runs in the network ends before it.
    kamailio: Kamailio,
    session: Session,
    network: Network,
}

impl Scene {
    fn set() -> Self {
        let network = Network::new(2);
        let kamailio = Kamailio::at(&network.hub(), network.pbx());
        let session = Session::bare().with_sound();
        session.services().into_iter().for_each(before_others);
        Self { kamailio, session, network }
    }

    /// Has somebody read into a call; how long each piece took.
    fn hear(&self, call: Call) -> Vec<f64> {
        let hang_up = call(self);
        sleep(Duration::from_secs(3));
        let listening = self.session.listen();
        let mut reading = self.session.speak(&Reading::short().spoken_briefly());
        reading.close_stdin();
        reading.wait_exit(SOON);
        sleep(Duration::from_secs(1));
        let (mouth, ear) = listening.stop();
        hang_up();
        delays(&mouth, &ear)
    }
}

fn carillon(scene: &Scene) -> Up {
    let Scene { kamailio, session, network } = scene;
    let (silence, nowhere) = (Speech::silence(), session.path("nowhere.wav"));
    let listens = ["answer", "--max-calls", "1", "--codec", CODEC, "--play", silence.to_str().unwrap()];
    let speaks = ["call", "1002", "--codec", CODEC, "--record", nowhere.to_str().unwrap()];
    let mut listener =
        Cli::with_account(session, &network.phone(1).0, &kamailio.account("1002", "udp"), &listens);
    listener.wait_for("registered", SOON);
    let mut speaker =
        Cli::with_account(session, &network.phone(0).0, &kamailio.account("1001", "udp"), &speaks);
    speaker.wait_for("answered", SOON);
    listener.wait_for("answered", SOON);
    Box::new(move || {
        speaker.interrupt();
        speaker.wait_exit(SOON);
        listener.wait_exit(SOON);
    })
}

fn baresip(scene: &Scene, buffer: &str) -> Up {
    let Scene { kamailio, session, network } = scene;
    let phone = |n: usize, side| {
        let account = kamailio.account(&(1001 + n).to_string(), "udp");
        Baresip::at_cable(session, &network.phone(n).0, &account, CODEC, side, buffer)
    };
    let (mut speaker, mut listener) = (phone(0, Side::Speaks), phone(1, Side::Listens));
    speaker.dial("1002@bell.test");
    speaker.wait_established();
    listener.wait_established();
    Box::new(move || {
        speaker.hang_up();
        listener.wait_closed();
    })
}

fn linphone(scene: &Scene) -> Up {
    let Scene { kamailio, session, network } = scene;
    let phone = |n: usize| {
        let account = kamailio.account(&(1001 + n).to_string(), "udp");
        let mut phone = Linphone::at_cable(session, &network.phone(n).0, &account);
        phone.only_codec(CODEC);
        phone
    };
    let (mut speaker, mut listener) = (phone(0), phone(1));
    speaker.dial("1002@bell.test");
    speaker.wait("Media streams established");
    listener.wait("Media streams established");
    // Its own microphone is the same one, and what it says would come out of the same speaker.
    listener.command("mute");
    Box::new(move || {
        speaker.hang_up();
        listener.wait("ended");
    })
}
