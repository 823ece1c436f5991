//! Newer versions, on a web server that is not ours: Python's.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use demo_pbx::Config as Pbx;
use phone::{Code, Command, Config, Event, Installer, Start, Transport, UpdateState, UpdateView, Updates};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};
use update::{Key, Manifest, Package};

use crate::bench::{Bench, Running};

/// Long enough for several pieces.
const PACKAGE: usize = 300_000;
const SERVER: &str = "
import http.server, ssl, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *all): super().__init__(*all, directory=sys.argv[1])
    def log_message(self, *all): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Quiet)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(sys.argv[2])
server.socket = tls.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
";

/// Who makes the phone: a key, and a web server with what it signs.
struct Maker {
    pair: Ed25519KeyPair,
    dir: tempfile::TempDir,
    certificate: String,
    server: Child,
    port: u16,
}

impl Maker {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let identity = dir.path().join("identity.pem");
        fs::write(&identity, own.signing_key.serialize_pem() + &own.cert.pem()).unwrap();
        let files = dir.path().join("files");
        fs::create_dir(&files).unwrap();
        let mut server = Process::new("python3")
            .args(["-c", SERVER])
            .args([&files, &identity])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).unwrap();
        Self { pair, dir, certificate: own.cert.pem(), server, port: port.trim().parse().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("files").join(name)
    }

    /// Puts a version out: the package and a manifest that speaks of it.
    fn releases(&self, version: &str) {
        self.releases_kind(version, "debian-amd64");
    }

    fn releases_kind(&self, version: &str, kind: &str) {
        let bytes: Vec<u8> = (0..PACKAGE).map(|n| u8::try_from(n % 251).unwrap()).collect();
        fs::write(self.file("phone.deb"), &bytes).unwrap();
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let package = Package {
            kind: kind.into(),
            url: format!("https://127.0.0.1:{}/phone.deb", self.port).parse().unwrap(),
            size: PACKAGE.try_into().unwrap(),
            sha256,
        };
        let manifest = Manifest {
            product: "Carillon".into(),
            version: version.parse().unwrap(),
            notes: Some("https://carillon.test/new".parse().unwrap()),
            packages: vec![package],
        };
        self.signs(&serde_json::to_vec(&manifest).unwrap());
    }

    fn signs(&self, manifest: &[u8]) {
        use base64::Engine as _;
        let signature = base64::engine::general_purpose::STANDARD.encode(self.pair.sign(manifest));
        fs::write(self.file("manifest.json"), manifest).unwrap();
        fs::write(self.file("manifest.json.sig"), signature).unwrap();
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Packages the installer was given.
type Installed = Arc<Mutex<Vec<PathBuf>>>;

/// A phone of version 1.2.3 that asks this maker; `first` is when it asks by itself.
fn config(bench: &Bench, maker: &Maker, first: Duration) -> (Config, Installed) {
    let installed = Installed::default();
    let given = Arc::clone(&installed);
    let updates = Updates {
        manifest: format!("https://127.0.0.1:{}/manifest.json", maker.port).parse().unwrap(),
        key: Key::of(maker.pair.public_key().as_ref().try_into().unwrap()),
        product: "Carillon".into(),
        installed: "1.2.3".parse().unwrap(),
        kind: Some("debian-amd64".into()),
        first,
        every: Duration::from_secs(3600),
        installer: Installer::by(move |package: &Path| {
            given.lock().unwrap().push(package.to_owned());
            Ok(())
        }),
    };
    let mut config = Config { start: Start::None, updates: Some(updates), ..bench.config() };
    config.trust(maker.certificate.as_bytes()).unwrap();
    (config, installed)
}

const NEVER: Duration = Duration::from_secs(3600);

impl Running {
    async fn update(&mut self, state: UpdateState) -> UpdateView {
        self.until("the update", |event| match event {
            Event::Update { view } if view.state == state => Some((**view).clone()),
            _ => None,
        })
        .await
    }

    async fn update_fails(&mut self) -> Code {
        self.update(UpdateState::Failed).await.problem.unwrap().code
    }

    async fn refusal(&mut self) -> Code {
        self.until("the refusal", |event| match event {
            Event::Notice { problem, .. } => Some(problem.code),
            _ => None,
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_is_found_fetched_and_installed_but_not_during_a_call() {
    let (bench, maker) = (Bench::new(Pbx::default()).await, Maker::new());
    maker.releases("1.10.0");
    let (config, installed) = config(&bench, &maker, Duration::ZERO);
    let mut running = bench.phone_with(config);
    let found = running.update(UpdateState::Available).await;
    assert_eq!(found.version.as_deref(), Some("1.10.0"));
    assert_eq!(found.notes.as_deref(), Some("https://carillon.test/new"));
    assert!(found.installable);
    running.send(Command::InstallUpdate);
    assert_eq!(running.refusal().await, Code::NotNow);
    running.send(Command::FetchUpdate);
    running.send(Command::FetchUpdate);
    assert_eq!(running.refusal().await, Code::NotNow, "twice at once");
    running.update(UpdateState::Ready).await;

    running.send(bench.bob(Transport::Udp));
    running.registered().await;
    running.dial(demo_pbx::ECHO);
    running.call("an answer", |state| matches!(state, phone::CallState::Active { .. })).await;
    running.send(Command::InstallUpdate);
    assert_eq!(running.refusal().await, Code::NotNow);
    assert!(installed.lock().unwrap().is_empty());
    let call = running.phone.picture().await.unwrap().calls[0].id;
    running.send(Command::HangUp { call });
    running.call("the end", |state| matches!(state, phone::CallState::Ended { .. })).await;

    running.send(Command::InstallUpdate);
    running.update(UpdateState::Installing).await;
    let package = installed.lock().unwrap()[0].clone();
    assert_eq!(fs::read(package).unwrap(), fs::read(maker.file("phone.deb")).unwrap());
    running.phone.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_appimage_is_replaced_where_it_lies() {
    use std::os::unix::fs::PermissionsExt;

    let (bench, maker) = (Bench::new(Pbx::default()).await, Maker::new());
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("phone.AppImage");
    fs::write(&image, "old").unwrap();
    fs::set_permissions(&image, fs::Permissions::from_mode(0o755)).unwrap();
    maker.releases_kind("1.10.0", "linux-x64-appimage");
    let (mut config, _) = config(&bench, &maker, Duration::ZERO);
    let updates = config.updates.as_mut().unwrap();
    updates.kind = Some("linux-x64-appimage".into());
    updates.installer = Installer::replacing(image.clone());
    let mut running = bench.phone_with(config);
    assert!(running.update(UpdateState::Available).await.installable);
    running.send(Command::FetchUpdate);
    running.update(UpdateState::Ready).await;
    running.send(Command::InstallUpdate);
    let replaced = running.update(UpdateState::Replaced).await;
    assert_eq!(replaced.version.as_deref(), Some("1.10.0"));
    assert_eq!(fs::read(&image).unwrap(), fs::read(maker.file("phone.deb")).unwrap());
    assert_eq!(fs::metadata(&image).unwrap().permissions().mode() & 0o777, 0o755);
    // This phone is still the earlier one, and is not to offer what is there already.
    running.send(Command::LookForUpdate);
    assert_eq!(running.refusal().await, Code::NotNow);
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_maker_did_not_sign_or_is_not_newer_is_refused() {
    let (bench, maker) = (Bench::new(Pbx::default()).await, Maker::new());
    let (config, _) = config(&bench, &maker, NEVER);
    let mut running = bench.phone_with(config);
    running.send(Command::LookForUpdate);
    assert_eq!(running.update_fails().await, Code::NotUnderstood, "there is no manifest");

    maker.releases("1.10.0");
    let manifest = fs::read_to_string(maker.file("manifest.json")).unwrap();
    fs::write(maker.file("manifest.json"), manifest.replace("1.10.0", "1.11.0")).unwrap();
    running.send(Command::LookForUpdate);
    assert_eq!(running.update_fails().await, Code::UpdateRefused, "changed after it was signed");

    maker.releases("1.2.2");
    running.send(Command::LookForUpdate);
    assert_eq!(running.update_fails().await, Code::UpdateRefused, "earlier than what runs");
    maker.signs(&vec![b' '; 100_000]);
    running.send(Command::LookForUpdate);
    assert_eq!(running.update_fails().await, Code::AnswerTooLarge);
    maker.releases("1.2.3");
    running.send(Command::LookForUpdate);
    running.update(UpdateState::Current).await;
    running.send(Command::FetchUpdate);
    assert_eq!(running.refusal().await, Code::NotNow);
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_cut_longer_or_another_is_not_kept() {
    let (bench, maker) = (Bench::new(Pbx::default()).await, Maker::new());
    let (config, installed) = config(&bench, &maker, NEVER);
    let mut running = bench.phone_with(config);
    maker.releases("1.10.0");
    let whole = fs::read(maker.file("phone.deb")).unwrap();
    let mut changed = whole.clone();
    changed[7] ^= 1;
    for wrong in [&whole[..PACKAGE - 1], &[&whole[..], b"more"].concat(), &changed] {
        fs::write(maker.file("phone.deb"), wrong).unwrap();
        running.send(Command::LookForUpdate);
        running.update(UpdateState::Available).await;
        running.send(Command::FetchUpdate);
        assert_eq!(running.update_fails().await, Code::UpdateRefused);
        assert!(!bench.dir.path().join("updates/update.deb").exists());
    }
    // Whole at first, and changed on our own disk before it is installed.
    maker.releases("1.10.0");
    running.send(Command::LookForUpdate);
    running.update(UpdateState::Available).await;
    running.send(Command::FetchUpdate);
    running.update(UpdateState::Ready).await;
    fs::write(bench.dir.path().join("updates/update.deb"), &changed).unwrap();
    running.send(Command::InstallUpdate);
    assert_eq!(running.update_fails().await, Code::UpdateRefused);
    assert!(installed.lock().unwrap().is_empty());
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_may_forbid_to_look() {
    let (bench, maker) = (Bench::new(Pbx::default()).await, Maker::new());
    maker.releases("1.10.0");
    let (mut config, _) = config(&bench, &maker, Duration::ZERO);
    config.obey(policy::parse("[locked]\nupdates = false\n").unwrap());
    let mut running = bench.phone_with(config);
    let picture = running.phone.picture().await.unwrap();
    assert_eq!(picture.update.state, UpdateState::Off);
    assert!(picture.policy.locked.contains(&"updates".to_owned()));
    running.send(Command::LookForUpdate);
    assert_eq!(running.refusal().await, Code::NotAllowed);
    running.phone.stop().await;
}
