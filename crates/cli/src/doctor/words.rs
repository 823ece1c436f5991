//! What the doctor's findings are called, what they mean and what to do about them, in plain English.

use phone::doctor::{Check, Diagnosis};

/// What is looked at.
pub fn name(check: Check) -> &'static str {
    match check {
        Check::Network => "Network",
        Check::Vpn => "VPN",
        Check::Names => "Name of the server",
        Check::Services => "SIP records of the domain",
        Check::Port => "Port of the PBX",
        Check::Certificate => "Certificate",
        Check::Clock => "Clock",
        Check::Info => "PBX and domain",
        Check::SignIn => "Sign-in",
        Check::Transport => "SIP",
        Check::Registration => "Registration",
        Check::Nat => "Address translation",
        Check::Echo => "Call to the echo line",
        Check::Sound => "Quality of that call",
        Check::Firewall => "Packet filters",
        Check::Keychain => "Keychain",
        Check::Microphone => "Microphone",
        Check::Speaker => "Speaker",
        Check::Camera => "Camera",
    }
}

/// What a diagnosis means, and what to do about it.
pub fn of(diagnosis: Diagnosis) -> (&'static str, &'static str) {
    match diagnosis {
        Diagnosis::NoNetwork => {
            ("This machine has no network.", "Connect a cable or Wi-Fi, then check again.")
        }
        Diagnosis::Vpn => (
            "A VPN is connected; the way to the PBX may lead through it.",
            "If calls fail or sound bad, try without the VPN, or ask its administrator to let SIP and RTP pass.",
        ),
        Diagnosis::NameNotFound => (
            "No server of this name is known, or no name server answers.",
            "Check the spelling of the server. If it is right, other names do not resolve either: check the network's DNS.",
        ),
        Diagnosis::ServiceLeadsNowhere => (
            "The domain's SRV records name a host that does not exist.",
            "Ask the administrator to correct the SRV records, or enter the server's own address as outbound proxy.",
        ),
        Diagnosis::AddressDead => (
            "One of the server's addresses does not answer; another one does.",
            "Ask the administrator to take the dead address out of the DNS.",
        ),
        Diagnosis::PortClosed => (
            "The server's machine answers, but nothing listens on this port.",
            "Check the port. A PortSIP PBX listens on 8887; the PBX may also be stopped.",
        ),
        Diagnosis::PortSilent => (
            "Nothing comes back from this port, although the server answers elsewhere.",
            "A firewall swallows it: let TCP to this port pass.",
        ),
        Diagnosis::ServerSilent => (
            "Nothing at all comes back from the server.",
            "The server is off, or a firewall or missing VPN is in the way. Try from another network.",
        ),
        Diagnosis::NoTls => (
            "What listens there does not speak TLS, or no version that is safe.",
            "Check the port. If it is right, the server must offer TLS 1.2 or newer.",
        ),
        Diagnosis::CertificateUntrusted => (
            "The certificate is signed by an authority that this machine does not trust.",
            "Install the authority's certificate on this machine, or trust this one certificate after comparing its fingerprint.",
        ),
        Diagnosis::CertificateSelfSigned => (
            "The server signed its certificate itself, as a fresh PBX does.",
            "Compare the fingerprint with the administrator's and trust it, or install a proper certificate on the PBX.",
        ),
        Diagnosis::CertificateName => (
            "The certificate belongs to another name than the one entered.",
            "Enter the server by the name in its certificate, or have the certificate reissued for this name.",
        ),
        Diagnosis::CertificateExpired => {
            ("The server's certificate has run out.", "The administrator must renew it.")
        }
        Diagnosis::CertificateNotYetValid => (
            "The server's certificate is not valid yet.",
            "Check the clock of this machine; if it is right, the certificate was issued for a later day.",
        ),
        Diagnosis::CertificateChanged => (
            "The server shows another certificate than the one trusted on purpose.",
            "Ask the administrator whether it was replaced before trusting the new one.",
        ),
        Diagnosis::CertificateEndsSoon => {
            ("The server's certificate runs out within two weeks.", "The administrator should renew it.")
        }
        Diagnosis::ClockWrong => (
            "The clock of this machine and that of the server are far apart.",
            "Set the clock, and have it set by the network from now on. If it is right, the server's is wrong.",
        ),
        Diagnosis::NotAPbx => (
            "Something answers there, but not a PortSIP PBX.",
            "Check server and port. A web proxy or a sign-in page of the network may also be in between.",
        ),
        Diagnosis::Redirected => (
            "The server sends the phone to another address, which it does not follow.",
            "Enter the address that the PBX itself has.",
        ),
        Diagnosis::PbxFailing => (
            "The PBX is there, but fails with an error of its own.",
            "Nothing is wrong on this side: tell the administrator, and try again later.",
        ),
        Diagnosis::DomainUnknown => (
            "The PBX does not know this SIP domain.",
            "Check the spelling of the domain; it is not always the name of the server.",
        ),
        Diagnosis::WrongPassword => (
            "The PBX refuses user name or password.",
            "Enter them again. The user name is not the extension number, and the password is that of the web portal.",
        ),
        Diagnosis::Blocked => (
            "The PBX has blocked this address for a while.",
            "Wait, and do not try passwords meanwhile; the administrator can lift the block.",
        ),
        Diagnosis::SignInUnsupported => {
            ("The server has no sign-in that this phone knows.", "Use a plain SIP account with this server.")
        }
        Diagnosis::TransportClosed => (
            "Nothing listens for SIP over the transport that is set.",
            "Choose another transport (those that answer are listed above), or Automatic; or correct the port.",
        ),
        Diagnosis::UdpBlocked => (
            "SIP over UDP gets no answer, while another transport works: UDP is blocked on the way.",
            "Choose TLS or TCP, or Automatic. Voice needs UDP too: let it pass, or use a TURN server.",
        ),
        Diagnosis::TransportBlocked => (
            "Nothing comes back over the transport that is set.",
            "A firewall swallows it: let it pass, or choose another transport or Automatic.",
        ),
        Diagnosis::RegistrarSilent => (
            "The SIP server takes what is sent and answers nothing.",
            "The SIP service of the PBX hangs: the administrator must look at it.",
        ),
        Diagnosis::ProxyUnreachable => (
            "The web proxy on the way to the server cannot be reached, or does not answer.",
            "Check the proxy's address in the network settings, in HTTPS_PROXY or in the policy, or go without one.",
        ),
        Diagnosis::ProxyCredentials => (
            "The web proxy wants a name and a password, or others than it was given.",
            "Ask the administrator for them: they belong into the policy or into HTTPS_PROXY. Windows' own sign-in to proxies is not known here.",
        ),
        Diagnosis::ProxyRefused => (
            "The web proxy does not let the phone through to the server.",
            "Ask the proxy's administrator to allow CONNECT to this server and port.",
        ),
        Diagnosis::ProxyNoWay => (
            "The web proxy does not reach the server.",
            "Check the spelling of server and port; if they are right, ask the proxy's administrator.",
        ),
        Diagnosis::ProxyNotUnderstood => (
            "What answers is no web proxy that is known here, or it answers in the server's place.",
            "Check kind, address and port of the proxy: http:// and socks5:// are known, and scripts (PAC) are not.",
        ),
        Diagnosis::NotSip => {
            ("What listens on this port does not speak SIP.", "Correct the port of the outbound proxy.")
        }
        Diagnosis::SipPasswordWrong => (
            "The registrar refuses extension number or SIP password.",
            "Enter the extension's own password, which is not that of the web portal; check number and domain.",
        ),
        Diagnosis::RegistrationRefused => (
            "The registrar refuses the registration.",
            "Check number and domain, and ask the administrator whether the extension may register.",
        ),
        Diagnosis::RegistrarFailing => (
            "The SIP server fails with an error of its own.",
            "Nothing is wrong on this side: tell the administrator, and try again later.",
        ),
        Diagnosis::SymmetricNat => (
            "The router shows every other end another address (symmetric NAT).",
            "Calls that go through the PBX work; for others set a TURN server in the account.",
        ),
        Diagnosis::StunSilent => (
            "The STUN server does not answer.",
            "Check its name and port (3478), and whether UDP to it passes.",
        ),
        Diagnosis::EchoNotAnswered => (
            "The registration stands, but the echo line was not answered.",
            "Check its number with the administrator; another call may work.",
        ),
        Diagnosis::CallFailed => (
            "The call to the echo line could not be made.",
            "See the detail, and send a diagnostic bundle to your support.",
        ),
        Diagnosis::VoiceNotSent => (
            "Our voice does not reach the other side: outgoing RTP is blocked.",
            "Let UDP to the PBX's RTP ports (45000-64999) pass, or use a TURN server.",
        ),
        Diagnosis::VoiceNotReceived => (
            "The other side hears us, but nothing comes back: incoming RTP is blocked.",
            "Let answers from the PBX's RTP ports pass; switch off SIP ALG in the router; or use a TURN server.",
        ),
        Diagnosis::VoiceBlocked => (
            "No voice arrives, and the other side says nothing of ours.",
            "RTP is blocked: let UDP to and from the PBX's RTP ports pass, or use a TURN server.",
        ),
        Diagnosis::EchoOfSilence => (
            "Voice packets arrive but hold silence.",
            "Ask the administrator whether this number is an echo line.",
        ),
        Diagnosis::Loss => (
            "Much of the voice is lost on the way.",
            "Use a cable instead of Wi-Fi, stop large transfers, or have voice given priority on the line.",
        ),
        Diagnosis::Jitter => (
            "The voice arrives very unevenly.",
            "Use a cable instead of Wi-Fi, stop large transfers, or have voice given priority on the line.",
        ),
        Diagnosis::Delay => (
            "The way to the PBX and back takes long.",
            "Try without a VPN or from another network; over satellite it stays so.",
        ),
        Diagnosis::PortsFiltered => (
            "Some ports of the server are silent while others answer: a packet filter is on the way.",
            "If one of them is needed, let it pass.",
        ),
        Diagnosis::KeychainAbsent => (
            "There is no keychain: passwords are forgotten when the phone closes.",
            "Start the desktop's keychain (GNOME Keyring or KWallet), then sign in again.",
        ),
        Diagnosis::KeychainLocked => {
            ("The keychain is locked.", "Unlock it, usually with the password of your computer.")
        }
        Diagnosis::KeychainFailed => (
            "The keychain does not keep what it is given.",
            "See the detail; sign out of the desktop and in again.",
        ),
        Diagnosis::NoSound => {
            ("The sound system does not answer.", "Restart the sound system or the computer.")
        }
        Diagnosis::NoMicrophone => ("There is no microphone.", "Plug in a headset or microphone."),
        Diagnosis::MicrophoneFailed => (
            "The microphone cannot be opened.",
            "Close other programs that use it, and allow the phone to use the microphone in the system's settings.",
        ),
        Diagnosis::MicrophoneSilent => (
            "The microphone gives nothing but silence.",
            "Look for a mute switch on the headset and in the system's sound settings, or choose another microphone.",
        ),
        Diagnosis::NoSpeaker => ("There is no speaker.", "Plug in a headset or speaker."),
        Diagnosis::SpeakerFailed => (
            "The speaker cannot be opened.",
            "Close other programs that keep it for themselves, or choose another speaker.",
        ),
        Diagnosis::NoCamera => (
            "There is no camera.",
            "Nothing: it is needed for QR codes only, and those can be read from a picture too.",
        ),
        Diagnosis::CameraFailed => (
            "The camera cannot be used.",
            "Close other programs that use it, and allow the phone to use the camera in the system's settings.",
        ),
    }
}
