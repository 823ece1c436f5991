//! What a demo PBX tells its starter: where it is and how to sign in. It holds passwords in the clear:
//! they are a demo's, and showing them is its purpose.

use std::fmt;

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::manner::Generation;
use crate::pbx::DemoPbx;
use crate::sip::{BUSY, DECLINE, ECHO, INTERCOM, NO_ANSWER, PARK, RETRIEVE, VOICEMAIL};
use crate::tenant::{User, Way};

/// One user with passwords.
#[derive(Clone, Serialize, Deserialize)]
pub struct AnnouncedUser {
    /// Name to sign in with.
    pub username: String,
    /// Password to sign in with.
    pub password: String,
    /// Name of the person.
    pub display_name: String,
    /// Extension number.
    pub extension: String,
    /// SIP password of the extension.
    pub extension_password: String,
    /// What is particular about signing in.
    pub way: Way,
    /// Payload of the sign-in QR code.
    pub qr: String,
    /// Payload of the QR code of a PBX of old.
    pub legacy_qr: String,
}

/// Numbers the PBX answers itself.
#[derive(Clone, Serialize, Deserialize)]
pub struct Lines {
    /// Sends back what it hears.
    pub echo: String,
    /// Always busy.
    pub busy: String,
    /// Rings for ever.
    pub no_answer: String,
    /// Always declines.
    pub decline: String,
}

/// Everything needed to use a demo PBX. `--json` prints it as one line.
#[derive(Clone, Serialize, Deserialize)]
pub struct Announcement {
    /// What to type as server.
    pub server: String,
    /// What to type as SIP domain.
    pub domain: String,
    /// Name of the tenant.
    pub tenant: String,
    /// Port of the REST API.
    pub https_port: u16,
    /// UDP port of SIP.
    pub sip_udp_port: u16,
    /// TCP port of SIP.
    pub sip_tcp_port: u16,
    /// SHA-256 of the certificate, 64 lower-case hexadecimal digits.
    pub certificate_sha256: String,
    /// The certificate.
    pub certificate_pem: String,
    /// Whether the profile file carries the extension password.
    pub hands_over_password: bool,
    /// Everyone.
    pub users: Vec<AnnouncedUser>,
    /// Version of the REST API.
    pub generation: Generation,
    /// Users may sign in with Microsoft 365, on a make-believe page.
    pub microsoft: bool,
    /// Page with the e-mails it would have sent; JSON, oldest first, for those who ask for that.
    pub outbox: String,
    /// Pictures of the QR codes: `{name}` stands for a user name; `?kind=legacy` for the older kind.
    pub qr_pictures: String,
    /// Numbers to try.
    pub lines: Lines,
}

impl Announcement {
    pub(crate) fn of(pbx: &DemoPbx) -> Self {
        let user = |user: &User| AnnouncedUser {
            username: user.username.clone(),
            password: pbx.password(user).expose_secret().into(),
            display_name: user.display_name.clone(),
            extension: user.extension.clone(),
            extension_password: user.extension_password.expose_secret().into(),
            way: user.way,
            qr: pbx.qr_payload(user),
            legacy_qr: pbx.legacy_qr_payload(user),
        };
        let manner = pbx.manner();
        Self {
            server: pbx.server(),
            domain: pbx.domain().into(),
            tenant: pbx.tenant_name().into(),
            https_port: pbx.https_port(),
            sip_udp_port: pbx.sip_udp_port(),
            sip_tcp_port: pbx.sip_tcp_port(),
            certificate_sha256: pbx.fingerprint().into(),
            certificate_pem: pbx.certificate_pem().into(),
            hands_over_password: pbx.hands_over_password(),
            users: pbx.users().iter().map(user).collect(),
            generation: manner.generation,
            microsoft: manner.microsoft,
            outbox: format!("https://{}/demo/outbox", pbx.server()),
            qr_pictures: format!("https://{}/demo/qr/{{name}}.png", pbx.server()),
            lines: Lines {
                echo: ECHO.into(),
                busy: BUSY.into(),
                no_answer: NO_ANSWER.into(),
                decline: DECLINE.into(),
            },
        }
    }
}

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} is up.\n", self.tenant)?;
        writeln!(f, "  SIP domain   {}", self.domain)?;
        writeln!(f, "  Server       {}\n", self.server)?;
        writeln!(
            f,
            "  {:<8} {:<14} {:<5} {:<18} Signs in by",
            "User", "Password", "Ext.", "Extension password"
        )?;
        for user in &self.users {
            writeln!(
                f,
                "  {:<8} {:<14} {:<5} {:<18} {}",
                user.username,
                user.password,
                user.extension,
                user.extension_password,
                user.way.words()
            )?;
        }
        if !self.hands_over_password {
            writeln!(
                f,
                "\n  The phone asks once for the extension password: this PBX does not hand it over."
            )?;
        }
        writeln!(f, "\n  E-mails      {}", self.outbox)?;
        writeln!(f, "  QR pictures  {}", self.qr_pictures)?;
        if self.microsoft {
            writeln!(f, "  Microsoft    a make-believe page: erin@test.io with erin's password")?;
        }
        writeln!(f, "  The browser warns of the certificate on these pages: it is the demo's own.")?;
        let Lines { echo, busy, no_answer, decline } = &self.lines;
        writeln!(f, "\n  Echo line    {echo}")?;
        writeln!(f, "  Voicemail    {VOICEMAIL} (says back what it hears)")?;
        writeln!(f, "  Intercom     {INTERCOM} and an extension")?;
        writeln!(f, "  Park         {PARK}, and {RETRIEVE} to take the call again")?;
        writeln!(f, "  Also         {busy} busy, {no_answer} rings, {decline} declines")?;
        writeln!(f, "  SIP          UDP {}, TCP {}", self.sip_udp_port, self.sip_tcp_port)?;
        let pairs: Vec<String> = self
            .certificate_sha256
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
            .collect();
        writeln!(f, "  Certificate  SHA-256 {}", pairs.join(":"))
    }
}
