//! Making the diagnostic bundle, showing it, and saving what was shown.

use std::fs;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use serde::Serialize;
use specta::Type;

use crate::actor::{Actor, Input};
use crate::bundle::{self, CALLS, Parts, compose};
use crate::calls::now;
use crate::{AccountView, Code, Event, Problem, UnixMs};

/// A diagnostic bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BundleView {
    /// All of it, as it would be saved.
    pub text: String,
    /// The file it was saved to.
    pub saved: Option<String>,
}

/// The bundle that is shown, and how many were begun or forgotten before it.
#[derive(Debug, Default)]
pub(crate) struct Bundling {
    shown: BundleView,
    round: u64,
}

impl Actor {
    /// Makes a bundle, to be shown. The one shown before is gone at once: what is saved is what was read.
    pub(crate) fn make_bundle(&mut self, shorten: bool) {
        self.forget_bundle();
        let round = self.bundling.round;
        let views = self.accounts.views();
        let accounts: Vec<String> = views.iter().map(account).collect();
        let passwords = views.iter().filter_map(|view| self.accounts.password(&view.id));
        let secrets: Vec<String> = passwords.map(|password| password.expose_secret().to_owned()).collect();
        let (settings, data_dir) =
            (self.signing_in.settings().clone(), self.signing_in.data_dir().to_owned());
        let (check, version) = (self.checking.view(), self.signing_in.user_agent().to_owned());
        self.outlet.blocking(move || {
            let text = compose(
                &Parts {
                    now: now(),
                    version: &version,
                    settings: &settings,
                    accounts: &accounts,
                    check: &check,
                    calls: &crate::past_calls(&data_dir, CALLS).unwrap_or_default(),
                    trace: &sip::trace::recent(),
                    crash: &crate::CrashReport::read(&data_dir).unwrap_or_default(),
                    log: &bundle::log(&data_dir),
                    secrets: &secrets,
                },
                shorten,
            );
            Input::Bundled(round, Ok(BundleView { text, saved: None }))
        });
    }

    /// Saves the bundle that was shown.
    pub(crate) fn save_bundle(&mut self) -> Result<(), Problem> {
        let Bundling { shown: BundleView { text, .. }, round } = &self.bundling;
        if text.is_empty() {
            return Err(Code::NotNow.into());
        }
        let (text, round) = (text.clone(), *round);
        let data_dir = self.signing_in.data_dir().to_owned();
        self.outlet.blocking(move || {
            let path = place(&data_dir, now());
            let saved = fs::write(&path, &text);
            let bundle = match saved {
                Ok(()) => Ok(BundleView { text, saved: Some(path.display().to_string()) }),
                Err(error) => Err(Problem::new(Code::SettingsFailed, format!("{}: {error}", path.display()))),
            };
            Input::Bundled(round, bundle)
        });
        Ok(())
    }

    /// Lets go of the bundle that is shown, and of one that is being made.
    pub(crate) fn forget_bundle(&mut self) {
        self.bundling.round += 1;
        if self.bundling.shown != BundleView::default() {
            self.show_bundle(BundleView::default());
        }
    }

    /// The bundle of this round was made or saved, or could not be.
    pub(crate) fn bundled(&mut self, round: u64, bundle: Result<BundleView, Problem>) {
        match bundle {
            Ok(view) if round == self.bundling.round => self.show_bundle(view),
            Ok(_) => {}
            Err(problem) => self.outlet.tell(Event::Notice { problem, call: None }),
        }
    }

    fn show_bundle(&mut self, view: BundleView) {
        self.bundling.shown.clone_from(&view);
        self.outlet.tell(Event::Bundle { view: Box::new(view) });
    }
}

/// The user's folder for downloads, or where there is none the phone's own.
fn place(data_dir: &Path, now: UnixMs) -> PathBuf {
    let downloads = directories::UserDirs::new().and_then(|dirs| dirs.download_dir().map(Path::to_owned));
    let folder = downloads.filter(|folder| folder.is_dir()).unwrap_or_else(|| data_dir.to_owned());
    let at: String = now.to_string().chars().filter(char::is_ascii_digit).collect();
    folder.join(format!("{}-diagnostics-{at}.txt", brand::BRAND.program))
}

fn account(view: &AccountView) -> String {
    format!(
        "{} at {} over {:?}, SRTP {:?}: {:?}, session {:?}",
        view.id, view.server, view.transport, view.srtp, view.state, view.session
    )
}
