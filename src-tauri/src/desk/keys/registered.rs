//! Keys as Windows and macOS register them for a program.

use std::cell::RefCell;
use std::sync::mpsc;
use std::time::Duration;

use global_hotkey::hotkey::{Code, HotKey, Modifiers};
use global_hotkey::{GlobalHotKeyEvent, GlobalHotKeyManager, HotKeyState};
use tauri::AppHandle;

use super::{Chord, Deed, Key};

/// How long the main thread may take: it registers nothing before its loop runs.
const WITHIN: Duration = Duration::from_secs(5);

thread_local! {
    /// What is registered, on the main thread: there the system tells of it.
    static REGISTERED: RefCell<Option<(GlobalHotKeyManager, Vec<HotKey>)>> = const { RefCell::new(None) };
}

/// Registers these keys in place of those before; which of them others have. `None`: there are no such keys here.
pub fn grab(
    app: &AppHandle,
    chords: Vec<(Chord, Deed)>,
    pressed: impl Fn(Deed) + Send + Sync + 'static,
) -> Option<Vec<Chord>> {
    let known: Vec<(u32, Deed)> =
        chords.iter().filter_map(|(chord, deed)| Some((hot_key(*chord)?.id(), *deed))).collect();
    GlobalHotKeyEvent::set_event_handler(Some(move |event: GlobalHotKeyEvent| {
        let deed = known.iter().find(|(id, _)| *id == event.id).map(|(_, deed)| *deed);
        if let (Some(deed), HotKeyState::Pressed) = (deed, event.state) {
            pressed(deed);
        }
    }));
    let (tell, told) = mpsc::channel();
    let register = move || {
        // Nobody waits any longer where it took too long.
        let _ = tell.send(REGISTERED.with_borrow_mut(|registered| register(registered, &chords)));
    };
    app.run_on_main_thread(register).ok()?;
    told.recv_timeout(WITHIN).ok().flatten()
}

fn register(
    registered: &mut Option<(GlobalHotKeyManager, Vec<HotKey>)>,
    chords: &[(Chord, Deed)],
) -> Option<Vec<Chord>> {
    let (manager, before) = match registered.take() {
        Some(registered) => registered,
        None => (GlobalHotKeyManager::new().ok()?, Vec::new()),
    };
    for key in before {
        if let Err(error) = manager.unregister(key) {
            tracing::debug!(%error, "a key was not registered any more");
        }
    }
    let (mut keys, mut taken) = (Vec::new(), Vec::new());
    for (chord, _) in chords {
        match hot_key(*chord).filter(|key| manager.register(*key).is_ok()) {
            Some(key) => keys.push(key),
            None => taken.push(*chord),
        }
    }
    *registered = Some((manager, keys));
    Some(taken)
}

/// As the system calls it; `None` where it has no such key.
fn hot_key(chord: Chord) -> Option<HotKey> {
    let mut held = Modifiers::empty();
    for (is_held, key) in [
        (chord.control, Modifiers::CONTROL),
        (chord.alt, Modifiers::ALT),
        (chord.shift, Modifiers::SHIFT),
        (chord.meta, Modifiers::META),
    ] {
        held.set(key, is_held);
    }
    // Named as the standard of keyboard events names them.
    let code: Option<Code> = match chord.key {
        Key::Sign(sign) if sign.is_ascii_digit() => format!("Digit{sign}").parse().ok(),
        Key::Sign(sign) => format!("Key{sign}").parse().ok(),
        Key::Function(number) => format!("F{number}").parse().ok(),
        Key::MediaPlay => Some(Code::MediaPlayPause),
        Key::MediaStop => Some(Code::MediaStop),
        Key::MicMute => None,
    };
    Some(HotKey::new(Some(held), code?))
}
