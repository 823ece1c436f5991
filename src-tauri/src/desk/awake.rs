//! The computer does not fall asleep during a call; its screen may.

use tokio::sync::watch::Receiver;

/// Keeps the computer awake while that is wanted.
#[cfg(target_os = "linux")]
pub async fn run(bus: Option<zbus::Connection>, mut wanted: Receiver<bool>) {
    let mut held = None;
    while wanted.changed().await.is_ok() {
        let wanted = *wanted.borrow_and_update();
        match (wanted, held.is_some()) {
            (true, false) => held = Some(system::Held::take(bus.as_ref()).await),
            (false, true) => {
                if let Some(held) = held.take() {
                    held.give_back(bus.as_ref()).await;
                }
            }
            _ => {}
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use brand::BRAND;
    use zbus::zvariant::OwnedFd;
    use zbus::{Connection, Proxy};

    /// What holds sleep off. Each desktop listens to another one; whoever is not there is left out.
    pub struct Held {
        /// logind's lock; it is given back by being closed.
        _lock: Option<OwnedFd>,
        /// GNOME's session.
        session: Option<u32>,
        /// Everybody else's power daemon.
        power: Option<u32>,
    }

    const WHY: &str = "A call is in progress";
    /// `org.gnome.SessionManager.Inhibit`: suspending the session.
    const SUSPEND: u32 = 4;

    const SESSION: [&str; 3] =
        ["org.gnome.SessionManager", "/org/gnome/SessionManager", "org.gnome.SessionManager"];
    const POWER: [&str; 3] = [
        "org.freedesktop.PowerManagement",
        "/org/freedesktop/PowerManagement/Inhibit",
        "org.freedesktop.PowerManagement.Inhibit",
    ];

    impl Held {
        pub async fn take(bus: Option<&Connection>) -> Self {
            let lock = lock().await.inspect_err(|error| tracing::debug!(%error, "no lock of logind's")).ok();
            let mut held = Self { _lock: lock, session: None, power: None };
            if let Some(bus) = bus {
                held.session = ask(bus, SESSION, "Inhibit", &(BRAND.name, 0_u32, WHY, SUSPEND)).await;
                held.power = ask(bus, POWER, "Inhibit", &(BRAND.name, WHY)).await;
            }
            let by = (held._lock.is_some(), held.session.is_some(), held.power.is_some());
            tracing::info!(logind = by.0, session = by.1, power = by.2, "sleep is held off");
            held
        }

        pub async fn give_back(self, bus: Option<&Connection>) {
            let Some(bus) = bus else { return };
            for (cookie, service, method) in
                [(self.session, SESSION, "Uninhibit"), (self.power, POWER, "UnInhibit")]
            {
                if let Some(cookie) = cookie {
                    let _: Option<()> = ask(bus, service, method, &cookie).await;
                }
            }
        }
    }

    async fn lock() -> zbus::Result<OwnedFd> {
        let bus = Connection::system().await?;
        let path = "/org/freedesktop/login1";
        let manager =
            Proxy::new(&bus, "org.freedesktop.login1", path, "org.freedesktop.login1.Manager").await?;
        manager.call("Inhibit", &("sleep:idle", BRAND.name, WHY, "block")).await
    }

    async fn ask<A, R>(bus: &Connection, service: [&str; 3], method: &str, arguments: &A) -> Option<R>
    where
        A: serde::Serialize + zbus::zvariant::DynamicType,
        R: for<'d> zbus::zvariant::DynamicDeserialize<'d>,
    {
        let [name, path, interface] = service;
        let asked = async { Proxy::new(bus, name, path, interface).await?.call(method, arguments).await };
        asked
            .await
            .inspect_err(|error: &zbus::Error| tracing::debug!(%error, name, "sleep is not held off"))
            .ok()
    }
}

/// Keeps the computer awake while that is wanted.
#[cfg(windows)]
pub async fn run(mut wanted: Receiver<bool>) {
    // The system asks for it anew from the same thread, which therefore is one of its own.
    let (say, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || said.iter().for_each(system::keep));
    while wanted.changed().await.is_ok() {
        if say.send(*wanted.borrow_and_update()).is_err() {
            return;
        }
    }
}

#[cfg(windows)]
mod system {
    use windows_sys::Win32::System::Power::{ES_CONTINUOUS, ES_SYSTEM_REQUIRED, SetThreadExecutionState};

    #[allow(unsafe_code)]
    pub fn keep(awake: bool) {
        let state = if awake { ES_CONTINUOUS | ES_SYSTEM_REQUIRED } else { ES_CONTINUOUS };
        // SAFETY: it takes flags and touches no memory of ours.
        unsafe { SetThreadExecutionState(state) };
    }
}

/// Keeps the computer awake while that is wanted: `caffeinate` runs as long as this program lets it.
#[cfg(target_os = "macos")]
pub async fn run(mut wanted: Receiver<bool>) {
    let mut held = None;
    while wanted.changed().await.is_ok() {
        held = match *wanted.borrow_and_update() {
            true => tokio::process::Command::new("caffeinate").arg("-i").kill_on_drop(true).spawn().ok(),
            false => None,
        };
    }
    drop(held);
}
