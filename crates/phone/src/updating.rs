//! Newer versions of the phone: looked for at its maker's, fetched, and handed to the system's installer. Nothing is
//! installed that the maker did not sign, and nothing earlier than what runs.

mod fetch;
mod source;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pbx_api::Trust;
use serde::Serialize;
use specta::Type;
use update::{Manifest, Package};

use crate::actor::{Actor, Input};
use crate::outlet::Outlet;
use crate::{Code, Config, Event, Problem};

pub use source::{Installer, Updates};

/// How it stands with newer versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct UpdateView {
    /// What is being done or is known.
    pub state: UpdateState,
    /// The newer version, once one is known.
    pub version: Option<String>,
    /// Where to read what is new in it.
    pub notes: Option<String>,
    /// It can be fetched and installed from here; otherwise whoever installed the phone does it.
    pub installable: bool,
    /// How much of it is here, 0 to 100, while it is fetched.
    pub percent: u8,
    /// What went wrong last.
    pub problem: Option<Problem>,
}

impl UpdateView {
    /// Nobody looks for any.
    pub(crate) fn is_off(&self) -> bool {
        self.state == UpdateState::Off
    }
}

/// Where an update stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum UpdateState {
    /// Nobody looks: this build has no maker's address, or the machine's policy forbids it.
    #[default]
    Off,
    /// Nothing is known yet.
    Unknown,
    /// The maker is being asked.
    Looking,
    /// There is nothing newer.
    Current,
    /// There is a newer version.
    Available,
    /// It is being fetched.
    Fetching,
    /// It is here and whole.
    Ready,
    /// The system's installer has it.
    Installing,
    /// It is in place, and begins with the phone's next start.
    Replaced,
    /// It failed; the problem says why.
    Failed,
}

/// What a look or a fetch comes back with.
pub(crate) enum UpdateInput {
    /// The time has come to look.
    Due,
    /// What the maker said.
    Looked { by_hand: bool, found: Result<Option<Box<Manifest>>, Problem> },
    /// So much of the package is here.
    Progress(u8),
    /// The package is here, or does not come.
    Fetched(Result<PathBuf, Problem>),
    /// The installer was started, or was not.
    Started(Result<(), Problem>),
}

/// What the phone knows of newer versions.
pub(crate) struct Updating {
    source: Option<Arc<Updates>>,
    trust: Trust,
    user_agent: String,
    folder: PathBuf,
    outlet: Outlet,
    view: UpdateView,
    package: Option<Package>,
    file: Option<PathBuf>,
}

impl Updating {
    /// Looks now and then, where there is somebody to ask and the policy has nothing against it.
    pub(crate) fn start(config: &Config, outlet: Outlet) -> Self {
        let source = config.updates.clone().filter(|_| config.may_update()).map(Arc::new);
        let state = if source.is_some() { UpdateState::Unknown } else { UpdateState::Off };
        if let Some((first, every)) = source.as_ref().map(|source| (source.first, source.every)) {
            let outlet = outlet.clone();
            tokio::spawn(async move {
                tokio::time::sleep(first).await;
                loop {
                    outlet.put(Input::Update(UpdateInput::Due));
                    tokio::time::sleep(every).await;
                }
            });
        }
        Self {
            source,
            trust: config.extra_roots.clone(),
            user_agent: config.user_agent.clone(),
            folder: config.data_dir.join("updates"),
            outlet,
            view: UpdateView { state, ..UpdateView::default() },
            package: None,
            file: None,
        }
    }

    /// What is trusted, and which way leads to servers, from now on.
    pub(crate) fn trust(&mut self, trust: Trust) {
        self.trust = trust;
    }

    /// As it stands now.
    pub(crate) fn view(&self) -> UpdateView {
        self.view.clone()
    }

    /// Asks the maker.
    ///
    /// # Errors
    /// Nobody is to be asked, or something is being done already.
    pub(crate) fn look(&mut self, by_hand: bool) -> Result<(), Problem> {
        let source = self.source.clone().ok_or(Code::NotAllowed)?;
        if !matches!(
            self.view.state,
            UpdateState::Unknown | UpdateState::Current | UpdateState::Available | UpdateState::Failed
        ) {
            return Err(Code::NotNow.into());
        }
        let (trust, user_agent) = (self.trust.clone(), self.user_agent.clone());
        self.outlet.waiting(async move {
            let found = fetch::manifest(&source, &trust, &user_agent).await;
            Input::Update(UpdateInput::Looked { by_hand, found: found.map(|found| found.map(Box::new)) })
        });
        if by_hand {
            self.show(UpdateView { state: UpdateState::Looking, problem: None, ..self.view() });
        }
        Ok(())
    }

    /// Fetches the package.
    ///
    /// # Errors
    /// There is none, or it is being fetched already.
    pub(crate) fn fetch(&mut self) -> Result<(), Problem> {
        if self.is_taken() {
            return Err(Code::NotNow.into());
        }
        let package = self.package.clone().ok_or(Code::NotNow)?;
        let (trust, user_agent, folder) = (self.trust.clone(), self.user_agent.clone(), self.folder.clone());
        let outlet = self.outlet.clone();
        self.outlet.waiting(async move {
            let progress = |percent| outlet.put(Input::Update(UpdateInput::Progress(percent)));
            let fetched = fetch::package(&package, &trust, &user_agent, &folder, progress).await;
            Input::Update(UpdateInput::Fetched(fetched))
        });
        self.show(UpdateView { state: UpdateState::Fetching, percent: 0, problem: None, ..self.view() });
        Ok(())
    }

    /// Hands what was fetched to the installer, after another look at it.
    ///
    /// # Errors
    /// Nothing was fetched.
    pub(crate) fn install(&mut self) -> Result<(), Problem> {
        let (Some(source), Some(package), Some(file)) = (&self.source, &self.package, self.file.take())
        else {
            return Err(Code::NotNow.into());
        };
        let (installer, package) = (source.installer.clone(), package.clone());
        self.outlet.blocking(move || {
            let started = fetch::verify(&package, &file).and_then(|()| {
                installer.install(&file).map_err(|error| Problem::new(Code::UpdateFailed, error.to_string()))
            });
            Input::Update(UpdateInput::Started(started))
        });
        Ok(())
    }

    /// Takes what came back.
    pub(crate) fn take(&mut self, input: UpdateInput) {
        let before = self.view();
        let failed =
            |problem| UpdateView { state: UpdateState::Failed, problem: Some(problem), ..before.clone() };
        let view = match input {
            UpdateInput::Due => {
                // Whoever is at something with it needs no reminder.
                let _ = self.look(false);
                return;
            }
            // What is on its way is neither taken twice nor replaced.
            UpdateInput::Looked { .. } if self.is_taken() => return,
            UpdateInput::Looked { by_hand, .. } if !by_hand && before.state == UpdateState::Looking => return,
            UpdateInput::Looked { found: Ok(None), .. } => {
                self.package = None;
                UpdateView { state: UpdateState::Current, ..UpdateView::default() }
            }
            UpdateInput::Looked { found: Ok(Some(manifest)), .. } => self.found(*manifest),
            UpdateInput::Looked { by_hand: true, found: Err(problem) } => failed(problem),
            UpdateInput::Looked { by_hand: false, found: Err(problem) } => {
                tracing::warn!(?problem, "updates cannot be looked for");
                return;
            }
            UpdateInput::Progress(percent) if before.state == UpdateState::Fetching => {
                UpdateView { percent, ..before }
            }
            UpdateInput::Progress(_) => return,
            UpdateInput::Fetched(Ok(file)) => {
                self.file = Some(file);
                UpdateView { state: UpdateState::Ready, percent: 100, ..before }
            }
            UpdateInput::Started(Ok(())) => {
                let image = self.package.as_ref().is_some_and(|package| package.kind == source::APPIMAGE);
                let state = if image { UpdateState::Replaced } else { UpdateState::Installing };
                UpdateView { state, ..before }
            }
            UpdateInput::Fetched(Err(problem)) | UpdateInput::Started(Err(problem)) => failed(problem),
        };
        self.show(view);
    }

    /// The package is being fetched, or was.
    fn is_taken(&self) -> bool {
        use UpdateState::{Fetching, Installing, Ready, Replaced};

        matches!(self.view.state, Fetching | Ready | Installing | Replaced)
    }

    fn found(&mut self, manifest: Manifest) -> UpdateView {
        let kind = self.source.as_ref().and_then(|source| source.kind.clone());
        self.package = manifest.packages.into_iter().find(|package| Some(&package.kind) == kind.as_ref());
        self.file = None;
        UpdateView {
            state: UpdateState::Available,
            version: Some(manifest.version.to_string()),
            notes: manifest.notes.filter(|notes| notes.scheme() == "https").map(String::from),
            installable: self.package.is_some(),
            ..UpdateView::default()
        }
    }

    fn show(&mut self, view: UpdateView) {
        if view != self.view {
            self.view = view.clone();
            self.outlet.tell(Event::Update { view: Box::new(view) });
        }
    }
}

impl Actor {
    /// Installs what was fetched; never while somebody is in a call.
    ///
    /// # Errors
    /// There are calls, or nothing was fetched.
    pub(crate) fn install_update(&mut self) -> Result<(), Problem> {
        if self.calls.views().is_empty() { self.updating.install() } else { Err(Code::NotNow.into()) }
    }
}

/// Where what was fetched lies until it is installed.
fn file_name(package: &Package) -> &'static Path {
    Path::new(match package.kind.as_str() {
        source::APPIMAGE => "update.AppImage",
        kind if kind.starts_with("windows") => "update.msi",
        _ => "update.deb",
    })
}
