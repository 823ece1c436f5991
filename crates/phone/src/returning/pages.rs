//! What the page left in the browser says. It is the one page that is not the window's, so its words stand here.

use sign_in::callback::{Pages, Words};

/// The pages in the system's language, or in English.
pub(super) fn pages() -> Pages {
    let settings = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let language = settings.into_iter().filter_map(|name| std::env::var(name).ok()).find(|l| !l.is_empty());
    match language {
        Some(language) if language.starts_with("de") => german(),
        _ => english(),
    }
}

fn words(title: &str, text: &str) -> Words {
    let named = |words: &str| words.replace("{name}", brand::BRAND.name);
    Words { title: named(title), text: named(text) }
}

fn english() -> Pages {
    Pages {
        language: "en".into(),
        done: words("You may return to {name}.", "This page can be closed."),
        denied: words("Nothing was allowed.", "Return to {name} to try again or to sign in another way."),
        failed: words("Signing in did not work.", "{name} says why, and what to do."),
        refused: words(
            "This page has done its work, or comes too late.",
            "Return to {name}; if you are not signed in there, begin again.",
        ),
    }
}

fn german() -> Pages {
    Pages {
        language: "de".into(),
        done: words("Sie können zu {name} zurückkehren.", "Diese Seite kann geschlossen werden."),
        denied: words(
            "Es wurde nichts erlaubt.",
            "Kehren Sie zu {name} zurück, um es noch einmal oder anders zu versuchen.",
        ),
        failed: words("Die Anmeldung ist misslungen.", "{name} sagt, woran es lag und was zu tun ist."),
        refused: words(
            "Diese Seite wurde schon benutzt oder kommt zu spät.",
            "Kehren Sie zu {name} zurück; wenn Sie dort nicht angemeldet sind, beginnen Sie von vorn.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_names_the_product_and_no_placeholder() {
        for pages in [english(), german()] {
            for page in [pages.done, pages.denied, pages.failed, pages.refused] {
                let said = format!("{} {}", page.title, page.text);
                assert!(!said.contains('{'), "{said}");
                assert!(said.contains(brand::BRAND.name) || page.text.ends_with('.'), "{said}");
            }
        }
    }
}
