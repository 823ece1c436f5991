//! A network path that loses, delays and reorders what is spoken over it, the same way for every phone.

mod cell;
mod path;
mod pattern;
mod tally;

pub use cell::Impairment;
pub use path::Path;
pub use pattern::{Fate, Pattern};
pub use tally::Tally;
