//! The user's wish to stop: Ctrl+C, or a termination signal where there are such.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl+C and SIGTERM. They are listened for all the time: a signal that came while the command was busy
/// is not lost.
pub struct Interrupt {
    #[cfg(unix)]
    signals: [Option<Signal>; 2],
}

impl Interrupt {
    /// Listens from now on. Where signals cannot be listened for, they end the process as usual.
    pub fn listen() -> Self {
        Self {
            #[cfg(unix)]
            signals: [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok()),
        }
    }

    /// Comes back when the user wants to stop.
    #[cfg(unix)]
    pub async fn pressed(&mut self) {
        async fn one(signal: &mut Option<Signal>) {
            match signal {
                Some(signal) => signal.recv().await.unwrap_or_default(),
                None => std::future::pending().await,
            }
        }
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            () = one(interrupt) => {}
            () = one(terminate) => {}
        }
    }

    /// Comes back when the user wants to stop.
    #[cfg(not(unix))]
    pub async fn pressed(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
