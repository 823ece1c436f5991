//! Kamailio as presence agent: presence, waiting messages and busy lamps.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::kamailio::Kamailio;

/// Where the package keeps its empty tables.
const TABLES: &str = "/usr/share/kamailio/dbtext/kamailio";

/// Kamailio that takes SUBSCRIBE and PUBLISH, tells of calls through it, and hands on text messages.
pub struct PresenceServer {
    pub kamailio: Kamailio,
    _tables: TempDir,
}

impl PresenceServer {
    pub fn start() -> Self {
        let tables = TempDir::with_prefix("sip-presence-").unwrap();
        for table in ["presentity", "active_watchers", "watchers", "xcap", "pua", "version"] {
            fs::copy(Path::new(TABLES).join(table), tables.path().join(table))
                .expect("kamailio's tables are missing: install the package kamailio");
        }
        let modules = MODULES.replace("@TABLES@", &tables.path().display().to_string());
        let kamailio = Kamailio::start_changed(
            "MD5",
            &[
                // What it publishes of a call reaches itself by UDP: with one reader it keeps its order.
                ("\nchildren=2\n", "\nchildren=1\n"),
                ("request_route {", &format!("{modules}request_route {{")),
                ("    if (has_totag()) {\n", &format!("    if (has_totag()) {{\n{WITHIN}")),
                ("    if (!auth_check(\"$fd\"", &format!("{WITHOUT}    if (!auth_check(\"$fd\"")),
                ("    record_route();\n", &format!("{AUTHENTICATED}    record_route();\n")),
            ],
        );
        Self { kamailio, _tables: tables }
    }
}

const MODULES: &str = r#"
loadmodule "dialog.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
loadmodule "presence_mwi.so"
loadmodule "presence_dialoginfo.so"
loadmodule "pua.so"
loadmodule "pua_dialoginfo.so"
modparam("presence|presence_xml|pua", "db_url", "text://@TABLES@")
modparam("presence", "server_address", "sip:127.0.0.1")
modparam("presence", "subs_db_mode", 0)
modparam("presence", "publ_cache", 2)
modparam("presence", "min_expires", 3)
modparam("presence_xml", "force_active", 1)
modparam("presence_dialoginfo", "force_dummy_dialog", 1)
modparam("pua", "outbound_proxy", "sip:127.0.0.1:@UDP@")
modparam("pua_dialoginfo", "include_callid", 1)
modparam("pua_dialoginfo", "include_tags", 1)
modparam("pua_dialoginfo", "caller_confirmed", 0)
modparam("dialog", "db_mode", 0)
modparam("dialog", "track_cseq_updates", 0)
"#;

const WITHIN: &str = r#"        if (is_method("SUBSCRIBE") && uri == myself) { handle_subscribe(); exit; }
"#;

const WITHOUT: &str = r#"    if (is_method("PUBLISH") && src_ip == 127.0.0.1 && $ua != "Carillon tests") {
        if (!t_newtran()) exit;
        handle_publish();
        exit;
    }
"#;

const AUTHENTICATED: &str = r#"    if (is_method("SUBSCRIBE")) { if (!t_newtran()) exit; handle_subscribe(); exit; }
    if (is_method("PUBLISH")) { if (!t_newtran()) exit; handle_publish(); exit; }
    if (is_method("INVITE")) dlg_manage();
"#;
