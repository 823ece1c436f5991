//! The user's wish to stop: Ctrl+C, or a termination signal where there are such.

/// Ctrl+C and SIGTERM.
pub struct Interrupt {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

impl Interrupt {
    /// Listens from now on. Where signals cannot be listened for, they end the process as usual.
    pub fn listen() -> Self {
        Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok(),
        }
    }

    /// Comes back when the user wants to stop.
    #[cfg(unix)]
    pub async fn pressed(&mut self) {
        let terminate = async {
            match &mut self.terminate {
                Some(signal) => signal.recv().await.unwrap_or_default(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminate => {}
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
