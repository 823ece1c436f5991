//! What the page left in the browser says. It is the one page that is not the window's, so its words stand here.

use sign_in::callback::{Pages, Words};

use crate::Language;

/// What the pages say in one language, `{name}` for the product: a title and a sentence each.
struct Said {
    done: (&'static str, &'static str),
    denied: (&'static str, &'static str),
    failed: (&'static str, &'static str),
    refused: (&'static str, &'static str),
}

/// The pages in one language.
pub(super) fn pages(language: Language) -> Pages {
    let said = said(language);
    Pages {
        language: language.code().into(),
        done: words(said.done),
        denied: words(said.denied),
        failed: words(said.failed),
        refused: words(said.refused),
    }
}

fn words((title, text): (&str, &str)) -> Words {
    let named = |words: &str| words.replace("{name}", brand::BRAND.name);
    Words { title: named(title), text: named(text) }
}

fn said(language: Language) -> Said {
    match language {
        Language::English => Said {
            done: ("You may return to {name}.", "This page can be closed."),
            denied: ("Nothing was allowed.", "Return to {name} to try again or to sign in another way."),
            failed: ("Signing in did not work.", "{name} says why, and what to do."),
            refused: (
                "This page has done its work, or comes too late.",
                "Return to {name}; if you are not signed in there, begin again.",
            ),
        },
        Language::German => Said {
            done: ("Sie können zu {name} zurückkehren.", "Diese Seite kann geschlossen werden."),
            denied: (
                "Es wurde nichts erlaubt.",
                "Kehren Sie zu {name} zurück, um es noch einmal oder anders zu versuchen.",
            ),
            failed: ("Die Anmeldung ist misslungen.", "{name} sagt, woran es lag und was zu tun ist."),
            refused: (
                "Diese Seite wurde schon benutzt oder kommt zu spät.",
                "Kehren Sie zu {name} zurück; wenn Sie dort nicht angemeldet sind, beginnen Sie von vorn.",
            ),
        },
        Language::French => Said {
            done: ("Vous pouvez revenir à {name}.", "Cette page peut être fermée."),
            denied: (
                "Rien n’a été autorisé.",
                "Revenez à {name} pour réessayer ou vous connecter autrement.",
            ),
            failed: ("La connexion a échoué.", "{name} vous dit pourquoi, et que faire."),
            refused: (
                "Cette page a déjà servi, ou arrive trop tard.",
                "Revenez à {name} ; si vous n’y êtes pas connecté, recommencez.",
            ),
        },
        Language::Spanish => Said {
            done: ("Ya puede volver a {name}.", "Puede cerrar esta página."),
            denied: (
                "No se ha autorizado nada.",
                "Vuelva a {name} para intentarlo de nuevo o iniciar sesión de otra forma.",
            ),
            failed: ("No se ha podido iniciar sesión.", "{name} le indica el motivo y qué puede hacer."),
            refused: (
                "Esta página ya se ha usado o llega demasiado tarde.",
                "Vuelva a {name}; si no ha iniciado sesión, empiece de nuevo.",
            ),
        },
        Language::Japanese => Said {
            done: ("{name} に戻ってください。", "このページは閉じてかまいません。"),
            denied: (
                "許可されませんでした。",
                "{name} に戻り、もう一度試すか、別の方法でサインインしてください。",
            ),
            failed: ("サインインできませんでした。", "原因と対処方法は {name} に表示されます。"),
            refused: (
                "このページは使用済みか、有効期限が切れています。",
                "{name} に戻ってください。サインインしていない場合は、最初からやり直してください。",
            ),
        },
        Language::Chinese => Said {
            done: ("请返回 {name}。", "可以关闭此页面。"),
            denied: ("未获得授权。", "请返回 {name} 重试，或用其他方式登录。"),
            failed: ("登录失败。", "{name} 会说明原因和解决办法。"),
            refused: ("此页面已使用过或已过期。", "请返回 {name}；如果尚未登录，请重新开始。"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_names_the_product_and_no_placeholder() {
        for pages in Language::ALL.map(pages) {
            for page in [pages.done, pages.denied, pages.failed, pages.refused] {
                let said = format!("{} {}", page.title, page.text);
                assert!(!said.contains('{'), "{said}");
                assert!(said.contains(brand::BRAND.name) || page.text.ends_with(['.', '。']), "{said}");
            }
        }
    }
}
