//! The phone is being removed from the machine: what is to become of the user's settings and calls?

use std::path::Path;

use crate::args::RemoveData;

/// Deletes what the user had in the phone, where they want that. The removal goes on whatever comes of it.
pub fn remove_data(how: RemoveData, data_dir: Option<&Path>) {
    let Some(data_dir) = data_dir.filter(|dir| dir.exists()) else { return };
    if how == RemoveData::Ask && !agreed() {
        return;
    }
    // The runtime, because the keychain is asked beside it.
    if let Err(problem) = tauri::async_runtime::block_on(phone::remove_data(data_dir)) {
        tracing::warn!(?problem, "the user's settings could not be deleted");
    }
}

/// Asks the user.
#[cfg(windows)]
fn agreed() -> bool {
    use phone::Language;
    crate::dialog::agreed(match Language::first_of([]) {
        Language::English => {
            "Delete your accounts, passwords, settings and call list as well? Recordings stay where they are."
        }
        Language::German => {
            "Auch Ihre Konten, Passwörter, Einstellungen und die Anrufliste löschen? Aufnahmen bleiben, wo sie sind."
        }
        Language::French => {
            "Supprimer aussi vos comptes, mots de passe, réglages et le journal d’appels ? Les enregistrements restent où ils sont."
        }
        Language::Spanish => {
            "¿Borrar también sus cuentas, contraseñas, ajustes y la lista de llamadas? Las grabaciones se quedan donde están."
        }
        Language::Japanese => {
            "アカウント、パスワード、設定、通話履歴も削除しますか？録音はそのまま残ります。"
        }
        Language::Chinese => "是否同时删除账户、密码、设置和通话记录？录音会保留在原处。",
    })
}

/// Elsewhere packages do not ask, and so nothing is deleted.
#[cfg(not(windows))]
fn agreed() -> bool {
    false
}
