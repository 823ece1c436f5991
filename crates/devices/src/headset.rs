//! Headset buttons and lamps over HID (usage page 0x0B, telephony): what a device's report descriptor says of them,
//! and what its reports mean while the phone rings or talks. Pure: bytes go in and out.

mod buttons;
mod descriptor;

pub use buttons::{Buttons, LineState, Press};
pub use descriptor::DescriptorError;
