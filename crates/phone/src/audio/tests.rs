use devices::{DeviceInfo, DeviceKind};

use super::*;

fn device(id: &str, name: &str, default: bool) -> DeviceInfo {
    DeviceInfo {
        id: id.into(),
        name: name.into(),
        default,
        kind: DeviceKind::Other,
        hardware: None,
        model: None,
    }
}

fn laptop() -> DeviceInfo {
    device("laptop", "Laptop", true)
}

fn headset() -> DeviceInfo {
    device("headset", "Headset", false)
}

fn present(speakers: &[DeviceInfo]) -> Present {
    Present { microphones: vec![device("mic", "Laptop microphone", true)], speakers: speakers.to_vec() }
}

fn audio(config: AudioConfig) -> Audio {
    Audio::new(config, PlaceBook::default(), RingPreferences::default())
}

fn speakers(audio: &Audio) -> Vec<Sink> {
    audio.wanted().speakers
}

fn card(id: &str) -> Sink {
    Sink::Card(Some(id.into()))
}

#[test]
fn before_anything_is_known_the_system_decides() {
    let audio = audio(AudioConfig::default());
    assert_eq!(speakers(&audio), [Sink::Card(None)]);
    assert_eq!(audio.wanted().microphones, [Source::Card(None)]);
    assert_eq!(audio.view().speaker.reason, ReasonView::Nothing);
}

#[test]
fn what_is_played_stays_at_the_ears_only_where_the_speaker_is_worn() {
    let mut audio = audio(AudioConfig::default());
    assert!(!audio.is_worn(), "nothing is known yet");
    let worn = DeviceInfo { kind: DeviceKind::Headset, ..headset() };
    audio.plugged(present(&[laptop(), worn.clone()]));
    assert!(!audio.is_worn());
    audio.prefer(Role::Speaker, Some("headset"));
    assert!(audio.is_worn(), "it will be used");
    audio.used(Device::Speaker, Some("laptop".into()), None);
    assert!(!audio.is_worn(), "the laptop is what could be opened");
    let config = AudioConfig { speaker: Sink::Null, ..AudioConfig::default() };
    let mut nowhere = super::Audio::new(config, PlaceBook::default(), RingPreferences::default());
    nowhere.plugged(present(&[worn]));
    assert!(!nowhere.is_worn());
}

#[test]
fn one_click_uses_a_device_and_another_follows_the_system_again() {
    let mut audio = audio(AudioConfig::default());
    audio.plugged(present(&[laptop(), headset()]));
    assert_eq!(speakers(&audio), [card("laptop"), card("headset")]);
    audio.prefer(Role::Speaker, Some("headset"));
    assert_eq!(speakers(&audio), [card("headset"), card("laptop")]);
    assert_eq!(audio.view().speaker.reason, ReasonView::First);
    assert_eq!(audio.view().ringer.in_use.as_deref(), Some("laptop"), "each purpose for itself");
    audio.prefer(Role::Speaker, Some("laptop"));
    let order: Vec<String> = audio.view().speaker.order.into_iter().map(|device| device.id).collect();
    assert_eq!(order, ["laptop", "headset"]);
    audio.prefer(Role::Speaker, None);
    assert_eq!(audio.view().speaker.reason, ReasonView::Default);
    audio.rank(Role::Speaker, &["nobody".into(), "headset".into()]);
    assert_eq!(audio.view().speaker.order.len(), 1, "what is not known is not ranked");
}

#[test]
fn an_order_keeps_what_is_unplugged() {
    let mut audio = audio(AudioConfig::default());
    audio.plugged(present(&[laptop(), headset()]));
    audio.prefer(Role::Speaker, Some("headset"));
    audio.plugged(present(&[laptop()]));
    let view = audio.view().speaker;
    assert_eq!(view.order.iter().map(|device| device.here).collect::<Vec<_>>(), [false]);
    assert_eq!(view.reason, ReasonView::Instead { name: "Headset".into(), failed: false });
    audio.rank(Role::Speaker, &["laptop".into(), "headset".into()]);
    assert_eq!(audio.view().speaker.order.len(), 2, "one that is away can be moved too");
}

#[test]
fn what_the_command_line_names_comes_first_and_must_open() {
    let named =
        AudioConfig { microphone: Source::Silence, speaker: card("headset"), ..AudioConfig::default() };
    let mut audio = audio(named);
    audio.plugged(present(&[laptop(), headset()]));
    assert_eq!(audio.opening().speakers, [card("headset")]);
    assert_eq!(speakers(&audio), [card("headset"), card("laptop")]);
    assert_eq!(audio.wanted().microphones, [Source::Silence]);
}

#[test]
fn a_change_is_told_with_its_cause_and_its_gap() {
    let mut audio = audio(AudioConfig::default());
    audio.plugged(present(&[laptop(), headset()]));
    audio.prefer(Role::Speaker, Some("headset"));
    assert_eq!(audio.used(Device::Speaker, Some("headset".into()), None), None, "a call begins");
    audio.plugged(present(&[laptop()]));
    let news = audio.used(Device::Speaker, Some("laptop".into()), Some(Duration::from_millis(80))).unwrap();
    assert_eq!((news.name.as_str(), news.instead_of.as_deref()), ("Laptop", Some("Headset")));
    assert_eq!((news.unplugged, news.gap_ms, news.role), (true, 80, DeviceRole::Speaker));
    audio.plugged(present(&[laptop(), headset()]));
    let back = audio.used(Device::Speaker, Some("headset".into()), Some(Duration::ZERO)).unwrap();
    assert_eq!((back.name.as_str(), back.unplugged), ("Headset", false));
}

#[test]
fn one_that_cannot_be_opened_is_passed_over_until_something_is_plugged() {
    let mut audio = audio(AudioConfig::default());
    audio.plugged(present(&[laptop(), headset()]));
    audio.prefer(Role::Speaker, Some("headset"));
    audio.used(Device::Speaker, Some("laptop".into()), None);
    assert_eq!(speakers(&audio), [card("laptop"), card("headset")]);
    assert_eq!(audio.view().speaker.reason, ReasonView::Instead { name: "Headset".into(), failed: true });
    audio.plugged(present(&[laptop(), headset()]));
    assert_eq!(speakers(&audio), [card("headset"), card("laptop")]);
}

#[test]
fn a_ring_may_be_heard_at_two_places() {
    let mut audio = audio(AudioConfig::default());
    audio.plugged(present(&[laptop(), headset()]));
    audio.prefer(Role::Speaker, Some("headset"));
    assert_eq!(audio.ringers(), [vec![card("laptop"), card("headset")]]);
    audio.prefer_ring(RingPreferences { everywhere: true, ..audio.ring() });
    assert_eq!(audio.ringers().len(), 2);
    audio.prefer(Role::Ringer, Some("headset"));
    assert_eq!(audio.ringers().len(), 1, "not twice at the same one");
}
