//! What a release says of itself, and whether it may be believed: a manifest with a signature beside it, and packages
//! that are what the manifest says. Nothing here fetches or writes; bytes go in, and what they are comes out.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod manifest;
mod package;
mod version;

pub use manifest::{Key, MAX_MANIFEST, Manifest, Package, Refused, Signature, read};
pub use package::{Incoming, NotThePackage};
pub use version::Version;
