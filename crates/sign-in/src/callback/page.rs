use std::fmt::Write;

/// What the page left in the browser says, in the user's language.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Language of the words, as a BCP 47 tag.
    pub language: String,
    /// It worked; one may return to the phone.
    pub done: Words,
    /// The user, or who decides for them, said no.
    pub denied: Words,
    /// It did not work.
    pub failed: Words,
    /// What came was not let in: a wrong address, one used before, or one come too late.
    pub refused: Words,
}

/// A headline and what stands under it, as plain text.
#[derive(Debug, Clone)]
pub struct Words {
    /// The headline.
    pub title: String,
    /// What stands under it.
    pub text: String,
}

/// What a page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Denied,
    Failed,
    Refused,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Done, Self::Denied, Self::Failed, Self::Refused];

    /// Its name between page and listener.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }

    fn words(self, pages: &Pages) -> &Words {
        match self {
            Self::Done => &pages.done,
            Self::Denied => &pages.denied,
            Self::Failed => &pages.failed,
            Self::Refused => &pages.refused,
        }
    }
}

/// Takes query and fragment out of the address, and so out of the history.
const TIDY: &str = "history.replaceState(null,'',location.pathname);";

/// Hands query and fragment over and shows what became of them. What the listener does not answer is shown as
/// it is without scripts.
const HAND_OVER: &str = "\
const sent=location.search+'\\n'+location.hash;\
history.replaceState(null,'',location.pathname);\
const show=name=>{\
for(const part of document.querySelectorAll('main'))part.hidden=part.id!==name;\
document.title=document.querySelector('main:not([hidden]) h1').textContent};\
fetch(location.pathname,{method:'POST',body:sent,cache:'no-store'})\
.then(answer=>answer.text()).then(name=>show(document.getElementById(name)?name:'refused'))\
.catch(()=>show('refused'));";

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;min-height:100vh;display:grid;place-items:center;\
font:16px/1.5 Inter,system-ui,sans-serif;background:#f4f5f7;color:#16181d}\
main{box-sizing:border-box;width:min(400px,100vw - 32px);padding:32px;border-radius:12px;\
background:#fff;border:1px solid #d9dce1;overflow-wrap:anywhere}\
h1{margin:0 0 8px;font-size:20px;line-height:28px}p{margin:0;color:#4a4f59}\
@media(prefers-color-scheme:dark){body{background:#131519;color:#eceef2}\
main{background:#1c1f25;border-color:#343841}p{color:#b3b9c4}}";

/// A page that says how it went.
pub(super) fn said(pages: &Pages, outcome: Outcome, script_nonce: &str) -> String {
    let words = outcome.words(pages);
    html(pages, &words.title, &part(words, ""), TIDY, script_nonce)
}

/// A page that hands over its fragment. Without scripts it says that nothing was let in: only they see it.
pub(super) fn hand_over(pages: &Pages, script_nonce: &str) -> String {
    let mut parts = String::new();
    for outcome in Outcome::ALL {
        let attributes = format!(" id=\"{}\" hidden", outcome.name());
        parts.push_str(&part(outcome.words(pages), &attributes));
    }
    let without = format!("<noscript>{}</noscript>", part(&pages.refused, ""));
    html(pages, "\u{2026}", &format!("{parts}{without}"), HAND_OVER, script_nonce)
}

/// The policy under which a page stands: its own style and script, talking to its own origin, nothing else.
pub(super) fn policy(script_nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{script_nonce}'; style-src 'nonce-{script_nonce}'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn html(pages: &Pages, title: &str, body: &str, script: &str, script_nonce: &str) -> String {
    let (language, title) = (escaped(&pages.language), escaped(title));
    format!(
        "<!doctype html><html lang=\"{language}\" dir=\"auto\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <link rel=\"icon\" href=\"data:,\"><style nonce=\"{script_nonce}\">{STYLE}</style></head>\
         <body>{body}<script nonce=\"{script_nonce}\">{script}</script></body></html>\n"
    )
}

fn part(words: &Words, attributes: &str) -> String {
    let (title, text) = (escaped(&words.title), escaped(&words.text));
    format!(
        "<main{attributes} aria-live=\"polite\"><h1 dir=\"auto\">{title}</h1><p dir=\"auto\">{text}</p></main>"
    )
}

/// Text within an element or a quoted attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a string cannot fail.
                let _ = write!(safe, "&#{};", u32::from(letter));
            }
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
pub(super) fn examples() -> Pages {
    let words = |title: &str, text: &str| Words { title: title.into(), text: text.into() };
    Pages {
        language: "en".into(),
        done: words("You are signed in", "You may return to the phone & close this page."),
        denied: words("Sign-in was refused", "You may return to the phone."),
        failed: words("Sign-in failed", "You may return to the phone and try again."),
        refused: words("This page is no longer of use", "Start again in the phone."),
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Pages, Words, examples, hand_over, policy, said};

    #[test]
    fn nothing_gets_out_of_the_words() {
        let evil = || Words { title: "</title><script>x".into(), text: "\"'&<img src=x>".into() };
        let pages = Pages {
            language: "\"><b>".into(),
            done: evil(),
            denied: evil(),
            failed: evil(),
            refused: evil(),
        };
        for page in [said(&pages, Outcome::Done, "n"), hand_over(&pages, "n")] {
            assert!(!page.contains("<script>") && !page.contains("<img") && !page.contains("<b>"), "{page}");
            assert_eq!(page.matches("<script").count(), 1);
        }
    }

    #[test]
    fn each_page_says_its_own_words() {
        let pages = examples();
        for (outcome, words) in [
            (Outcome::Done, "phone &#38; close"),
            (Outcome::Denied, "was refused"),
            (Outcome::Failed, "failed"),
            (Outcome::Refused, "Start again"),
        ] {
            let page = said(&pages, outcome, "n");
            assert!(page.contains(words) && page.matches("<main").count() == 1);
        }
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        for page in [said(&examples(), Outcome::Done, "n"), hand_over(&examples(), "n")] {
            assert!(!page.contains("http") && !page.contains("src="), "{page}");
        }
        assert!(policy("n").starts_with("default-src 'none';"));
    }
}
