//! Several accounts, the next start, and a certificate that is trusted no longer.

use system_tests::{Kamailio, Window};

use crate::Trial;

const ALICE: &str = "alice@test.io";
const PLAIN: &str = "1001@bell.test";

#[tokio::test(flavor = "multi_thread")]
async fn side_by_side_and_signed_in_at_the_next_start() {
    let kamailio = Kamailio::here();
    let mut trial = Trial::begin("accounts", &[]).await;
    trial.find_server().await;
    let password = trial.demo.user("alice").1.to_owned();
    trial.sign_in("alice", &password).await;
    trial.give_sip_password("alice").await;
    trial.says("account-state", "Registered").await;

    open_accounts(&trial).await;
    trial.click("add-account").await;
    trial.enter_sip_account(&kamailio.account("1001", "udp")).await;
    trial.click("sip-sign-in").await;
    trial.says("account-state", "Registered").await;
    assert_eq!(trial.session.keychain_entries().len(), 2);

    trial.start_again().await;
    open_accounts(&trial).await;
    for id in [ALICE, PLAIN] {
        trial.says(&format!("account-{id}"), "Registered").await;
    }
    trial.shoot("accounts").await;
    trial.registered().await;

    // One leaves, the other stays.
    open_accounts(&trial).await;
    trial.click(&format!("sign-out-{ALICE}")).await;
    trial.gone(&format!("account-{ALICE}")).await;
    trial.says(&format!("account-{PLAIN}"), "Registered").await;
    assert_eq!(trial.session.keychain_entries().len(), 1);

    trial.click("settings-certificates").await;
    trial.shown("trusted").await;
    trial.shoot("certificates").await;
    trial.click("withdraw").await;
    trial.click("withdraw-confirm").await;
    trial.gone("trusted").await;
}

async fn open_accounts(window: &Window) {
    window.click("settings").await;
    window.click("settings-accounts").await;
    window.shown("add-account").await;
}
