//! What follows the phone and its user's orders, and lets the desktop show what [`model`](super::model) wants shown.

use std::sync::PoisonError;
use std::time::Duration;

use phone::{CallPreferences, Command, DeclineReason, DesktopPreferences, Event, HiddenWindow};
use tauri::{AppHandle, Manager};
use tauri_specta::Event as _;
use tokio::time::Instant;

use super::keys::{self, Deed};
use super::main_window::{self, MAIN};
use super::model::{MainWindow, Model, Wanted};
use super::organs::{Organs, replaced};
use super::pop::Pops;
use super::{DesktopView, HIDDEN_FOR, Options, Order, Orders, SETTLES, Shown, TRAY_WITHIN, autostart, small};
use crate::line::Line;
use crate::watch::Watch;
use crate::{leave, links};

/// How often the main window is looked at as long as there are calls.
const AGAIN: Duration = Duration::from_secs(1);

/// The phone in the desktop.
pub(super) struct Desk {
    app: AppHandle,
    orders: Orders,
    options: Options,
    model: Model,
    shown: Wanted,
    pops: Pops,
    view: DesktopView,
    applied: Option<DesktopPreferences>,
    organs: Organs,
    #[cfg(target_os = "linux")]
    grabbed: Option<keys::x11::Grabbed>,
    pub(super) drops_at: Option<Instant>,
    pub(super) looks_at: Option<Instant>,
    pub(super) opens_at: Option<Instant>,
    /// The main window was hidden, or never opened.
    hidden: bool,
    /// It is to have the focus once it is there.
    rises: bool,
}

impl Desk {
    pub(super) fn new(app: AppHandle, orders: Orders, options: Options) -> Self {
        let organs = Organs::start(&app, &orders);
        let Options { hidden, restarted, .. } = options;
        app.state::<Watch>().shown(!hidden);
        let opens_at = hidden.then(|| Instant::now() + TRAY_WITHIN);
        Self {
            app,
            orders,
            options,
            model: Model::default(),
            shown: Wanted::default(),
            pops: Pops::default(),
            view: DesktopView { restarted, ..DesktopView::default() },
            applied: None,
            organs,
            #[cfg(target_os = "linux")]
            grabbed: None,
            drops_at: None,
            looks_at: None,
            opens_at,
            hidden,
            rises: false,
        }
    }

    pub(super) async fn catch_up(&mut self) {
        if let Ok(picture) = self.app.state::<Line>().picture().await {
            self.model.show(picture);
        }
        self.look();
        self.settle();
    }

    pub(super) fn told(&mut self, event: &Event) {
        if let Event::Call { view } = event {
            let account = self.model.name(&view.account);
            let wanted = &self.model.preferences().screen_pop;
            if let Some(page) = self.pops.fold(view, &account, wanted) {
                tauri::async_runtime::spawn_blocking(move || {
                    if let Err(error) = webbrowser::open(page.as_str()) {
                        tracing::warn!(%error, "no browser opens the page for a call");
                    }
                });
            }
        }
        if self.model.fold(event) {
            self.look_soon();
            self.settle();
        }
    }

    pub(super) async fn follow(&mut self, order: Order) {
        match order {
            Order::Open => self.open(),
            Order::Close => self.close(),
            Order::Dismiss(label) if label == small::INCOMING.label => self.model.dismiss(),
            // It is the call's last place to be seen.
            Order::Dismiss(_) => self.open(),
            Order::Look => self.look_soon(),
            Order::Answer(call) => self.send(Command::Answer { call }).await,
            Order::Decline(call) => {
                self.send(Command::Decline { call, reason: DeclineReason::default() }).await;
            }
            Order::HangUp(call) => self.send(Command::HangUp { call }).await,
            Order::Disturb(disturb) => {
                let preferences =
                    CallPreferences { do_not_disturb: !disturb, ..self.model.calling().clone() };
                self.send(Command::PreferInCalls { preferences }).await;
            }
            Order::Press(deed) => self.press(deed).await,
            Order::Tray(tray) => self.tray(tray),
            #[cfg(target_os = "linux")]
            Order::NoticesSuffice(suffice) => self.model.notices_suffice = suffice,
            Order::Quit => leave::leave(&self.app),
        }
        self.settle();
    }

    async fn press(&self, deed: Deed) {
        tracing::debug!(?deed, "a key was pressed");
        match deed {
            Deed::Answer => {
                if let Some(call) = self.model.answers() {
                    self.send(Command::Answer { call }).await;
                }
            }
            Deed::HangUp => {
                let Some(call) = self.model.hangs_up() else { return };
                let rings = self.model.answers() == Some(call);
                let decline = Command::Decline { call, reason: DeclineReason::default() };
                self.send(if rings { decline } else { Command::HangUp { call } }).await;
            }
            Deed::Mute => {
                let (calls, muted) = self.model.mutes();
                for call in calls {
                    self.send(Command::Mute { call, muted }).await;
                }
            }
        }
    }

    async fn send(&self, command: Command) {
        if let Err(problem) = self.app.state::<Line>().send(command).await {
            tracing::warn!(?problem, "there is no phone to follow an order");
        }
    }

    pub(super) fn open(&mut self) {
        (self.model.leaving, self.drops_at, self.opens_at) = (false, None, None);
        (self.hidden, self.rises, self.model.main) = (false, true, MainWindow::Open);
        self.app.state::<Watch>().shown(true);
        main_window::open(&self.app);
        self.look_soon();
    }

    /// The user closes the window: the phone goes on in the tray, or until its last call is over.
    fn close(&mut self) {
        let stays = self.view.tray && self.model.preferences().close_to_tray;
        self.model.leaving = !stays;
        main_window::hide(&self.app);
        // What was about to take the keyboard would come back for it.
        (self.hidden, self.rises) = (true, false);
        self.app.state::<Watch>().shown(false);
        self.drops_at = match self.model.preferences().hidden_window {
            HiddenWindow::Keep => None,
            HiddenWindow::Later => Some(Instant::now() + HIDDEN_FOR),
            HiddenWindow::AtOnce => Some(Instant::now()),
        };
        self.look();
    }

    fn look_soon(&mut self) {
        self.looks_at = self.looks_at.or_else(|| Some(Instant::now() + SETTLES));
    }

    fn look(&mut self) {
        self.model.main = if self.hidden { MainWindow::Away } else { main_window::look(&self.app) };
        if let (false, Some(window)) = (self.hidden, self.app.get_webview_window(MAIN)) {
            main_window::remember(&window);
        }
    }

    pub(super) fn look_and_settle(&mut self) {
        self.looks_at = None;
        if std::mem::take(&mut self.rises) {
            main_window::focus(&self.app);
        }
        self.look();
        if self.model.has_calls() {
            // A window behind others tells nobody when it is minimised.
            self.looks_at = Some(Instant::now() + AGAIN);
        }
        self.settle();
    }

    pub(super) fn drop_window(&mut self) {
        self.drops_at = None;
        if self.hidden {
            main_window::drop_it(&self.app);
            tracing::info!("the hidden window gave its memory back");
        }
    }

    fn tray(&mut self, tray: bool) {
        self.view.tray = tray;
        if tray {
            self.opens_at = None;
        } else if self.opens_at.is_none() && self.hidden && !self.model.leaving {
            // Without a tray nobody would find it again.
            self.open();
        }
        self.tell();
    }

    /// Lets the desktop show what is to be shown.
    fn settle(&mut self) {
        if self.model.leaving && !self.model.has_calls() {
            return leave::leave(&self.app);
        }
        self.apply();
        let wanted = self.model.wanted();
        if wanted == self.shown {
            return;
        }
        small::COMPACT.show(&self.app, wanted.compact);
        let incoming = if wanted.compact { small::INCOMING.above(small::COMPACT) } else { small::INCOMING };
        incoming.show(&self.app, wanted.incoming);
        self.organs.notices.send_if_modified(|shown| replaced(shown, &wanted.notices));
        self.organs.face.send_if_modified(|shown| replaced(shown, &wanted.face));
        self.organs.awake.send_if_modified(|shown| replaced(shown, &wanted.awake));
        self.shown = wanted;
    }

    /// Makes the desktop do what the user prefers.
    fn apply(&mut self) {
        let preferences = self.model.preferences().clone();
        let before = self.applied.replace(preferences.clone());
        if before.as_ref() == Some(&preferences) {
            return;
        }
        // At the start, too, where it is on: the program may have moved. Where it is off, nothing is touched.
        let was = before.as_ref().is_some_and(|before| before.autostart);
        if was || preferences.autostart {
            let set = autostart::set(preferences.autostart, self.options.data_dir.as_deref());
            let failed = set.inspect_err(|error| tracing::warn!(%error, "autostart cannot be set")).is_err();
            self.view.autostart_failed = failed;
        }
        if before
            .as_ref()
            .map_or(preferences.open_links, |before| before.open_links != preferences.open_links)
        {
            links::open_numbers(&self.app, preferences.open_links);
        }
        if before.map(|before| before.keys) != Some(preferences.keys.clone()) {
            self.grab(&preferences);
        }
        self.tell();
    }

    #[cfg(target_os = "linux")]
    fn grab(&mut self, preferences: &DesktopPreferences) {
        let (chords, mut refused) = keys::chosen(&preferences.keys);
        self.grabbed = None;
        // Under Wayland a grab would only hear what is typed into programs made for X11.
        self.view.global_keys = !super::is_wayland();
        if self.view.global_keys && !chords.is_empty() {
            let orders = self.orders.clone();
            match keys::x11::grab(&chords, move |deed| orders.send(Order::Press(deed))) {
                Ok((grabbed, taken)) => {
                    tracing::debug!(?chords, ?taken, "keys are grabbed");
                    self.grabbed = Some(grabbed);
                    refused.extend(taken.iter().map(ToString::to_string));
                }
                Err(error) => {
                    tracing::warn!(%error, "keys cannot be grabbed");
                    self.view.global_keys = false;
                }
            }
        }
        self.view.refused_keys = refused;
    }

    #[cfg(not(target_os = "linux"))]
    fn grab(&mut self, preferences: &DesktopPreferences) {
        let (chords, mut refused) = keys::chosen(&preferences.keys);
        let orders = self.orders.clone();
        let taken = keys::registered::grab(&self.app, chords, move |deed| orders.send(Order::Press(deed)));
        self.view.global_keys = taken.is_some();
        refused.extend(taken.unwrap_or_default().iter().map(ToString::to_string));
        self.view.refused_keys = refused;
    }

    fn tell(&self) {
        *self.app.state::<Shown>().0.lock().unwrap_or_else(PoisonError::into_inner) = self.view.clone();
        if let Err(error) = self.view.emit(&self.app) {
            tracing::warn!(%error, "the window was not told of the desktop");
        }
    }
}
