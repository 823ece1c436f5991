//! A phone that nobody has signed in to, beside a demo PBX, and the steps every way in shares.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

use image::{GrayImage, Luma};
use qrcode::{Color, QrCode};
use system_tests::{Demo, Secrets, Session, SipAccount, Window, output_dir};
use tokio::sync::{Mutex, MutexGuard};

/// One window at a time: each has a web process and a sound card's worth of work to do.
static TURN: Mutex<()> = Mutex::const_new(());

/// Service of the keychain's entries.
const SERVICE: &str = "Carillon";

/// A phone, its session and its PBX.
pub struct Trial {
    window: Window,
    /// The desktop session.
    pub session: Session,
    /// The PBX.
    pub demo: Demo,
    /// What must not be found anywhere.
    pub secrets: Secrets,
    /// Where its pictures go.
    pub shots: PathBuf,
    environment: Vec<(String, String)>,
    _turn: MutexGuard<'static, ()>,
}

impl Trial {
    /// A window beside a demo PBX with these arguments.
    pub async fn begin(name: &str, demo: &[&str]) -> Self {
        Self::begin_with(name, demo, &[]).await
    }

    /// The same, with these in the window's environment.
    pub async fn begin_with(name: &str, demo: &[&str], environment: &[(&str, &str)]) -> Self {
        let turn = TURN.lock().await;
        let shots = output_dir(&format!("ways-in/{name}"));
        let demo = Demo::start(demo);
        let session = Session::bare().with_keychain().with_display().with_browser();
        // Whatever is logged at all, no secret is in it.
        let environment = [&[("RUST_LOG", "trace")], environment].concat();
        let window = Window::open_with(&session, &shots, &[], &environment).await;
        let environment = environment.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        let environment = environment.collect();
        Self { window, session, demo, secrets: Secrets::default(), shots, environment, _turn: turn }
    }

    /// Closes the window and opens it once more.
    pub async fn start_again(&mut self) {
        self.assert_nothing_lies_open();
        self.window.quit().await;
        let environment: Vec<_> = self.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.window = Window::open_with(&self.session, &self.shots, &[], &environment).await;
    }

    /// From the first page to the second, by way of a certificate nobody knows yet.
    pub async fn find_server(&self) {
        self.name_server().await;
        self.click("trust").await;
        self.shown("username").await;
    }

    /// From the first page to the second, at a server whose certificate is trusted already.
    pub async fn find_known_server(&self) {
        self.name_server().await;
        self.shown("username").await;
    }

    async fn name_server(&self) {
        self.type_into("domain", Demo::DOMAIN).await;
        self.type_into("server", self.demo.server()).await;
        self.click("next").await;
    }

    /// A picture file of a user's sign-in code. Whoever knows where it points to is signed in.
    pub fn sign_in_code(&mut self, username: &str) -> PathBuf {
        let code = self.demo.qr(username).to_owned();
        let (_, path) = code.split_once("/api/blobs/").expect("it points to a file");
        self.secrets.learn(path.split('"').next().unwrap());
        self.picture(&code)
    }

    /// A picture file of a QR code, outside of the session.
    pub fn picture(&self, text: &str) -> PathBuf {
        let path = self.shots.join("qr.png");
        picture_of(text).save(&path).unwrap();
        path
    }

    /// Gives the name and this password on the second page.
    pub async fn sign_in(&mut self, username: &str, password: &str) {
        self.secrets.learn(password);
        self.type_into("username", username).await;
        self.type_into("password", password).await;
        self.click("sign-in").await;
    }

    /// Gives the extension's password, which this PBX does not hand over.
    pub async fn give_sip_password(&mut self, username: &str) {
        let password = self.demo.extension_password(username).to_owned();
        self.secrets.learn(&password);
        self.type_into("sip-password", &password).await;
        self.click("sign-in").await;
    }

    /// From the first page to a plain SIP account, as far as the button that uses it.
    pub async fn enter_sip_account(&mut self, account: &SipAccount) {
        self.secrets.learn(&account.password);
        self.click("other-sip").await;
        self.type_into("sip-user", &account.user).await;
        self.type_into("sip-account-password", &account.password).await;
        self.type_into("sip-domain", &account.domain).await;
        self.type_into("sip-proxy", &account.proxy).await;
        self.choose("sip-transport", &account.transport).await;
    }

    /// Waits until the page says what is wrong, by the problem's stable name.
    pub async fn fails_with(&self, code: &str) {
        self.has_attribute("problem", "data-code", code).await;
    }

    /// Waits until calls can come and go, and looks for secrets that lie open.
    pub async fn registered(&mut self) {
        self.says("account-state", "Registered").await;
        self.shoot("registered").await;
        let bundle = self.save_bundle().await;
        let kept = self.secrets.learn_keychain(&self.session, SERVICE);
        assert!(kept > 0, "nothing is in the keychain");
        self.demo.issued().iter().for_each(|token| self.secrets.learn(token));
        self.demo
            .outbox()
            .iter()
            .filter_map(|mail| mail.code.as_ref())
            .for_each(|code| self.secrets.learn(code));
        self.assert_nothing_lies_open();
        // The same search finds what is no secret.
        let mut public = Secrets::default();
        public.learn("earlier_domains");
        public.learn(SERVICE);
        let found = public.lie_open(&self.session, &self.window).join("\n");
        assert!(found.contains("settings.json") && found.contains("logged: "), "{found}");
        assert_eq!(bundle, found.contains("-diagnostics-"), "{found}");
    }

    /// Saves a diagnostic bundle, which the search for secrets finds among the session's files then. Not where the PBX
    /// hides the settings.
    async fn save_bundle(&self) -> bool {
        let offered = self.has("settings").await;
        if offered {
            self.click("settings").await;
            self.click("settings-check").await;
            self.click("bundle-make").await;
            self.click("bundle-save").await;
            self.says("bundle-saved", "-diagnostics-").await;
            self.click("calls").await;
        }
        offered
    }

    fn assert_nothing_lies_open(&self) {
        let found = self.secrets.lie_open(&self.session, &self.window);
        assert!(found.is_empty(), "secrets lie open:\n{}", found.join("\n"));
    }

    /// Signs out, and looks whether anything was left behind.
    pub async fn sign_out(&mut self) {
        self.click("own-menu").await;
        self.click("sign-out").await;
        self.shown("domain").await;
        assert_eq!(self.session.keychain_entries(), Vec::<String>::new());
        self.assert_nothing_lies_open();
    }

    /// Ends the trial as it should: registered, then signed out with nothing left behind.
    pub async fn ends_registered(mut self) {
        self.registered().await;
        self.sign_out().await;
        self.window.quit().await;
    }
}

/// A QR code as a phone's screen shows it: eight pixels a module, with its quiet zone.
fn picture_of(text: &str) -> GrayImage {
    const SCALE: u32 = 8;
    const QUIET: u32 = 4;
    let code = QrCode::new(text).unwrap();
    let modules = u32::try_from(code.width()).unwrap();
    let colours = code.to_colors();
    GrayImage::from_fn((modules + 2 * QUIET) * SCALE, (modules + 2 * QUIET) * SCALE, |x, y| {
        let at = |pixel: u32| (pixel / SCALE).checked_sub(QUIET).filter(|&module| module < modules);
        let dark = at(x).zip(at(y)).is_some_and(|(x, y)| colours[(y * modules + x) as usize] == Color::Dark);
        Luma([if dark { 0 } else { 255 }])
    })
}

impl Deref for Trial {
    type Target = Window;

    fn deref(&self) -> &Window {
        &self.window
    }
}

impl DerefMut for Trial {
    fn deref_mut(&mut self) -> &mut Window {
        &mut self.window
    }
}
