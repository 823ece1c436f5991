//! Headset buttons and lamps over HID (usage page 0x0B, telephony): what a device's report descriptor says of them,
//! what its reports mean while the phone rings or talks, and the headsets that are plugged in.

mod bus;
mod buttons;
mod descriptor;
mod fake;
mod plugged;

pub use bus::{HidBus, HidPort, system_hid};
pub use buttons::{Buttons, LineState, Press};
pub use descriptor::DescriptorError;
pub use fake::FakeHeadset;
pub use plugged::Headsets;
