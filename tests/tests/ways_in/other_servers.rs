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
    trial.enter_sip_account(&kamailio.account("1001", transport)).await;
    trial.shoot("sip").await;
    trial.click("sip-sign-in").await;
    trial.ends_registered().await;
}
