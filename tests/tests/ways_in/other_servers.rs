//! Servers of earlier versions, and those that are no PortSIP PBX at all.

use system_tests::Kamailio;

use crate::Trial;

#[tokio::test(flavor = "multi_thread")]
async fn before_22_2() {
    signs_in_at("22.0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_cookie() {
    signs_in_at("21").await;
}

async fn signs_in_at(generation: &str) {
    let mut trial = Trial::begin(&format!("server-{generation}"), &["--generation", generation]).await;
    trial.find_server().await;
    let password = trial.demo.user("alice").1.to_owned();
    trial.sign_in("alice", &password).await;
    trial.give_sip_password("alice").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_sip_over_udp() {
    plain_sip("udp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_sip_over_tcp() {
    plain_sip("tcp").await;
}

async fn plain_sip(transport: &str) {
    let kamailio = Kamailio::here();
    let mut trial = Trial::begin(&format!("plain-sip-{transport}"), &[]).await;
    let account = kamailio.account("1001", transport);
    trial.secrets.learn(&account.password);
    trial.click("other-sip").await;
    trial.type_into("sip-user", &account.user).await;
    trial.type_into("sip-account-password", &account.password).await;
    trial.type_into("sip-domain", &account.domain).await;
    trial.type_into("sip-proxy", &account.proxy).await;
    trial.choose("sip-transport", transport).await;
    trial.shoot("sip").await;
    trial.click("sip-sign-in").await;
    trial.ends_registered().await;
}
