//! What the desktop around the window is told in words: notifications and the tray's menu. The window has its own.

use brand::BRAND;
use phone::Language;

use super::model::{Caller, Face, Ringing, Shape};

/// The words of one language.
#[derive(Debug)]
pub struct Words {
    /// Answers a call.
    pub answer: &'static str,
    /// Refuses a call.
    pub decline: &'static str,
    /// Ends a call.
    pub hang_up: &'static str,
    /// Opens the main window.
    pub open: &'static str,
    /// Callers hear busy.
    pub do_not_disturb: &'static str,
    /// Ends the phone.
    pub quit: &'static str,
    unknown: &'static str,
    incoming: &'static str,
    to: &'static str,
    forwarded_by: &'static str,
    offline: &'static str,
    registered: &'static str,
    ringing: &'static str,
    in_call: &'static str,
    muted: &'static str,
}

const ENGLISH: Words = Words {
    answer: "Answer",
    decline: "Decline",
    hang_up: "Hang up",
    open: "Open {name}",
    do_not_disturb: "Do not disturb",
    quit: "Quit",
    unknown: "Unknown caller",
    incoming: "Incoming call",
    to: "to {}",
    forwarded_by: "forwarded by {}",
    offline: "Not connected",
    registered: "Ready for calls",
    ringing: "{} calls",
    in_call: "In a call with {}",
    muted: "Muted in a call with {}",
};

const GERMAN: Words = Words {
    answer: "Annehmen",
    decline: "Ablehnen",
    hang_up: "Auflegen",
    open: "{name} öffnen",
    do_not_disturb: "Nicht stören",
    quit: "Beenden",
    unknown: "Unbekannter Anrufer",
    incoming: "Eingehender Anruf",
    to: "an {}",
    forwarded_by: "weitergeleitet von {}",
    offline: "Nicht verbunden",
    registered: "Bereit für Anrufe",
    ringing: "{} ruft an",
    in_call: "Im Gespräch mit {}",
    muted: "Stumm im Gespräch mit {}",
};

const FRENCH: Words = Words {
    answer: "Répondre",
    decline: "Refuser",
    hang_up: "Raccrocher",
    open: "Ouvrir {name}",
    do_not_disturb: "Ne pas déranger",
    quit: "Quitter",
    unknown: "Appelant inconnu",
    incoming: "Appel entrant",
    to: "pour {}",
    forwarded_by: "renvoyé par {}",
    offline: "Non connecté",
    registered: "Prêt à téléphoner",
    ringing: "{} appelle",
    in_call: "En communication avec {}",
    muted: "Micro coupé, en communication avec {}",
};

const SPANISH: Words = Words {
    answer: "Contestar",
    decline: "Rechazar",
    hang_up: "Colgar",
    open: "Abrir {name}",
    do_not_disturb: "No molestar",
    quit: "Salir",
    unknown: "Llamada desconocida",
    incoming: "Llamada entrante",
    to: "para {}",
    forwarded_by: "desviada por {}",
    offline: "Sin conexión",
    registered: "Listo para llamadas",
    ringing: "Llama {}",
    in_call: "En llamada con {}",
    muted: "Micrófono silenciado, en llamada con {}",
};

const JAPANESE: Words = Words {
    answer: "応答",
    decline: "拒否",
    hang_up: "電話を切る",
    open: "{name} を開く",
    do_not_disturb: "応答不可",
    quit: "終了",
    unknown: "不明な発信者",
    incoming: "着信",
    to: "{} 宛て",
    forwarded_by: "{} から転送",
    offline: "未接続",
    registered: "通話できます",
    ringing: "{} から着信中",
    in_call: "{} と通話中",
    muted: "{} と通話中（ミュート）",
};

const CHINESE: Words = Words {
    answer: "接听",
    decline: "拒接",
    hang_up: "挂断",
    open: "打开 {name}",
    do_not_disturb: "勿扰",
    quit: "退出",
    unknown: "未知来电",
    incoming: "来电",
    to: "呼叫 {}",
    forwarded_by: "由 {} 转接",
    offline: "未连接",
    registered: "可以通话",
    ringing: "{} 来电",
    in_call: "正在与 {} 通话",
    muted: "正在与 {} 通话（已静音）",
};

impl Words {
    /// Those of a language.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
            Language::French => &FRENCH,
            Language::Spanish => &SPANISH,
            Language::Japanese => &JAPANESE,
            Language::Chinese => &CHINESE,
        }
    }

    /// Who calls, in one line.
    pub fn title(&self, who: &Caller) -> String {
        let number = || Some(who.number.clone()).filter(|number| !number.is_empty());
        who.name.clone().or_else(number).unwrap_or_else(|| self.unknown.to_owned())
    }

    /// That somebody calls, and who, where that is to be said.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "notifications are Linux's alone so far")
    )]
    pub fn rings(&self, ringing: &Ringing) -> String {
        ringing.who.as_ref().map_or_else(|| self.incoming.to_owned(), |who| self.title(who))
    }

    /// Which number calls, which of our lines, and who forwarded the call.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "notifications are Linux's alone so far")
    )]
    pub fn body(&self, ringing: &Ringing) -> String {
        let named = ringing.who.as_ref().filter(|who| who.name.is_some());
        let number = named.map(|who| who.number.clone());
        let to = self.to.replace("{}", &ringing.account);
        let by = ringing.diverted_by.as_ref().map(|by| self.forwarded_by.replace("{}", by));
        let parts = [number.filter(|number| !number.is_empty()), Some(to), by];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// What opens the main window.
    pub fn open(&self) -> String {
        self.open.replace("{name}", BRAND.name)
    }

    /// The state of the phone in a sentence.
    pub fn state(&self, face: &Face) -> String {
        let who = face.peer.as_ref().map(|peer| self.title(peer)).unwrap_or_default();
        let sentence = match (face.shape, &face.peer) {
            (Shape::Offline, _) => self.offline,
            (Shape::Registered, _) => self.registered,
            (Shape::Ringing, _) => self.ringing,
            (Shape::InCall, _) => self.in_call,
            (Shape::Muted, Some(_)) => self.muted,
            (Shape::Muted, None) => self.do_not_disturb,
        };
        sentence.replace("{}", &who)
    }
}

#[cfg(test)]
mod tests {
    use phone::CallId;

    use super::*;

    fn bob() -> Caller {
        Caller { name: Some("Bob".into()), number: "102".into() }
    }

    #[test]
    fn a_caller_is_told_by_name_and_number() {
        let ringing = Ringing {
            call: CallId(1),
            who: Some(bob()),
            account: "101".into(),
            diverted_by: Some("Eve".into()),
            language: Language::English,
        };
        assert_eq!(ENGLISH.rings(&ringing), "Bob");
        assert_eq!(ENGLISH.body(&ringing), "102 · to 101 · forwarded by Eve");
        let unsaid = Ringing { who: None, diverted_by: None, ..ringing };
        assert_eq!(
            (ENGLISH.rings(&unsaid), ENGLISH.body(&unsaid)),
            ("Incoming call".into(), "to 101".into())
        );
        let nameless = Caller { name: None, number: "102".into() };
        assert_eq!(GERMAN.title(&nameless), "102");
        assert_eq!(GERMAN.title(&Caller { name: None, number: String::new() }), "Unbekannter Anrufer");
    }

    #[test]
    fn no_sentence_keeps_a_placeholder() {
        let shapes = [Shape::Offline, Shape::Registered, Shape::Ringing, Shape::InCall, Shape::Muted];
        for words in Language::ALL.map(Words::of) {
            for (shape, peer) in shapes.into_iter().flat_map(|shape| [(shape, None), (shape, Some(bob()))]) {
                let said = words.state(&Face { shape, peer, ..Face::default() });
                assert!(!said.contains('{'), "{said}");
            }
            assert!(!words.open().contains('{'));
        }
    }
}
