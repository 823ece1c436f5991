//! What the whole-system tests stand on: foreign peers, virtual sound, a private desktop session, and the
//! product's own programs, each started by a small type that owns its folder and its process and ends both
//! when it goes out of scope.
//!
//! Everything here is for tests: whatever cannot be started fails the test, with a sentence that says why.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod asterisk;
mod authority;
mod bare_root;
mod baresip;
mod browser;
mod cli;
mod codec_call;
mod coturn;
mod demo;
mod desktop;
mod dns;
mod fake_camera;
mod free_port;
mod impair;
mod kamailio;
mod kamailio_house;
mod linphone;
mod network;
mod page;
mod pair;
mod panel;
mod paths;
mod process;
mod reading;
mod round;
mod rtpengine;
mod score;
mod screen;
mod secrets;
mod session;
mod sipp;
mod slow_link;
mod sound;
mod speech;
mod tone;
mod usage;
mod verdict;
mod web_phone;
mod web_proxy;
mod window;
mod wine;

pub use asterisk::{Ami, Asterisk};
pub use authority::Authority;
pub use bare_root::BareRoot;
pub use baresip::{Baresip, Recording, Side};
pub use browser::Browser;
pub use cli::{Cli, Event, SipAccount};
pub use codec_call::{CodecPeer, codec_call};
pub use coturn::Coturn;
pub use demo::{Demo, Mail};
pub use desktop::Seen;
pub use dns::Dns;
pub use fake_camera::{FakeCamera, Fault};
pub use free_port::free_port;
pub use impair::{Fate, Impairment, Path, Pattern, Tally};
pub use kamailio::Kamailio;
pub use linphone::Linphone;
pub use network::{Nat, Network, Place};
pub use page::Page;
pub use pair::{Pair, Phone};
pub use panel::Panel;
pub use paths::{branded, output_dir, output_file, product, python, target_dir};
pub use process::{Line, Process, before_others};
pub use reading::{Clip, Reading};
pub use round::{Heard, Talk, hold};
pub use rtpengine::Rtpengine;
pub use score::{Score, delays, score};
pub use screen::Screen;
pub use secrets::Secrets;
pub use session::Session;
pub use sipp::{Sipp, scenario};
pub use slow_link::SlowLink;
pub use sound::Listening;
pub use speech::{Speech, Voice};
pub use tone::seconds_of_tone;
pub use usage::{Usage, open_sockets};
pub use verdict::{Hearing, Judge, Verdict};
pub use web_phone::WebPhone;
pub use web_proxy::{Microsocks, PretendedProxy, Squid};
pub use window::Window;
pub use wine::{Registry, Wine};
