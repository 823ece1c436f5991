//! The system's browser, where a sign-in goes on outside the phone.

use std::fmt;
use std::io;
use std::sync::Arc;

type Open = dyn Fn(&str) -> io::Result<()> + Send + Sync;

/// What opens an address for the user.
#[derive(Clone)]
pub struct Browser(Arc<Open>);

impl Browser {
    /// The browser the system prefers.
    pub fn system() -> Self {
        Self::by(webbrowser::open)
    }

    /// Something else that opens addresses. It may block.
    pub fn by(open: impl Fn(&str) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    /// Opens an address. May block.
    ///
    /// # Errors
    /// There is no browser, or it did not start.
    pub(crate) fn open(&self, address: &str) -> io::Result<()> {
        (self.0)(address)
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Browser")
    }
}
