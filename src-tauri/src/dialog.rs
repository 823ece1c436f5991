//! Windows' own message box, for when there is no window to say something in.
#![allow(unsafe_code)]

use brand::BRAND;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    IDYES, MB_DEFBUTTON2, MB_ICONERROR, MB_ICONQUESTION, MB_YESNO, MESSAGEBOX_STYLE, MessageBoxW,
};

/// Asks, with *No* as the answer that a hasty press gives.
pub fn agreed(question: &str) -> bool {
    show(question, MB_YESNO | MB_ICONQUESTION | MB_DEFBUTTON2) == IDYES
}

/// Says what is wrong.
pub fn tell(problem: &str) {
    show(problem, MB_ICONERROR);
}

fn show(text: &str, style: MESSAGEBOX_STYLE) -> i32 {
    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let (text, title) = (wide(text), wide(BRAND.name));
    // SAFETY: both texts end with a zero and live until it returns; there is no owner.
    unsafe { MessageBoxW(std::ptr::null_mut(), text.as_ptr(), title.as_ptr(), style) }
}
