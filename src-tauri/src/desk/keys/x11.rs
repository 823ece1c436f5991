//! Keys under X11: they are grabbed at the root window, with each of the locks on and off.

use std::error::Error;
use std::sync::Arc;
use std::thread;

use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ConnectionExt, CreateWindowAux, EventMask, GrabMode, Keycode, Keysym, ModMask, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;

use super::{Chord, Deed, Key};

/// Keys that are grabbed, until this is dropped.
#[derive(Debug)]
pub struct Grabbed {
    display: Arc<RustConnection>,
    root: Window,
    end: Window,
}

type Failure = Box<dyn Error + Send + Sync>;

/// Caps Lock and Num Lock, which nobody means to hold.
const LOCKS: [u16; 4] = [0, 1 << 1, 1 << 4, 1 << 1 | 1 << 4];
/// Shift, Control, Alt, and the key with the system's sign.
const HELD: u16 = 1 | 1 << 2 | 1 << 3 | 1 << 6;
/// Every key.
const ANY: Keycode = 0;

/// Grabs these keys; `press` is told what each does when it is pressed. Gives those that somebody else has, or that
/// this keyboard has not.
///
/// # Errors
/// There is no display, or it does not answer.
pub fn grab(
    chords: &[(Chord, Deed)],
    press: impl Fn(Deed) + Send + 'static,
) -> Result<(Grabbed, Vec<Chord>), Failure> {
    let (display, screen) = RustConnection::connect(None)?;
    let root = display.setup().roots.get(screen).ok_or("no such screen")?.root;
    let end = window(&display, root)?;
    // From now on whatever fails gives back what was grabbed.
    let grabbed = Grabbed { display: Arc::new(display), root, end };
    let keyboard = Keyboard::read(&grabbed.display)?;
    let (mut deeds, mut refused) = (Vec::new(), Vec::new());
    for (chord, deed) in chords {
        match keyboard.code(chord.key) {
            Some(code) if grabbed.take(code, held(chord))? => deeds.push((code, held(chord), *deed)),
            _ => refused.push(*chord),
        }
    }
    let display = Arc::clone(&grabbed.display);
    thread::Builder::new().name("keys".into()).spawn(move || {
        while let Ok(event) = display.wait_for_event() {
            match event {
                Event::KeyPress(event) => {
                    let state = u16::from(event.state) & HELD;
                    let deed = deeds.iter().find(|(code, held, _)| (*code, *held) == (event.detail, state));
                    deed.iter().for_each(|(_, _, deed)| press(*deed));
                }
                Event::DestroyNotify(event) if event.window == end => return,
                _ => {}
            }
        }
    })?;
    Ok((grabbed, refused))
}

impl Grabbed {
    /// Whether nobody else has it.
    fn take(&self, code: Keycode, held: u16) -> Result<bool, Failure> {
        for lock in LOCKS {
            let mask = ModMask::from(held | lock);
            let grab =
                self.display.grab_key(false, self.root, mask, code, GrabMode::ASYNC, GrabMode::ASYNC)?;
            if grab.check().is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Drop for Grabbed {
    fn drop(&mut self) {
        // Where the display is gone there is nothing to give back.
        let _ = self.display.ungrab_key(ANY, self.root, ModMask::ANY);
        let _ = self.display.destroy_window(self.end);
        let _ = self.display.flush();
    }
}

/// A window that nobody sees, whose end ends the thread that waits for keys.
fn window(display: &RustConnection, root: Window) -> Result<Window, Failure> {
    let window = display.generate_id()?;
    let listening = CreateWindowAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
    let class = WindowClass::INPUT_ONLY;
    display
        .create_window(COPY_DEPTH_FROM_PARENT, window, root, 0, 0, 1, 1, 0, class, 0, &listening)?
        .check()?;
    Ok(window)
}

/// Which key stands where.
struct Keyboard {
    first: Keycode,
    of_each: usize,
    signs: Vec<Keysym>,
}

impl Keyboard {
    fn read(display: &RustConnection) -> Result<Self, Failure> {
        let (first, last) = (display.setup().min_keycode, display.setup().max_keycode);
        let count = last.saturating_sub(first).saturating_add(1);
        let reply = display.get_keyboard_mapping(first, count)?.reply()?;
        Ok(Self { first, of_each: usize::from(reply.keysyms_per_keycode).max(1), signs: reply.keysyms })
    }

    fn code(&self, key: Key) -> Option<Keycode> {
        let sign = keysym(key);
        let at = self.signs.chunks(self.of_each).position(|signs| signs.first() == Some(&sign))?;
        self.first.checked_add(u8::try_from(at).ok()?)
    }
}

fn keysym(key: Key) -> Keysym {
    match key {
        Key::Sign(sign) => sign.to_ascii_lowercase().into(),
        Key::Function(number) => 0xffbd + Keysym::from(number),
        Key::MediaPlay => 0x1008_ff14,
        Key::MediaStop => 0x1008_ff15,
        Key::MicMute => 0x1008_ffb2,
    }
}

fn held(chord: &Chord) -> u16 {
    let of = |held: bool, bit: u16| if held { 1 << bit } else { 0 };
    of(chord.shift, 0) | of(chord.control, 2) | of(chord.alt, 3) | of(chord.meta, 6)
}
