//! The REST contract, asked over real TLS.

// Functions of a test may fail it, as tests themselves may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use demo_pbx::{Config, DemoPbx, Passwords, RestFault, RestRule};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

/// Every field of `GET /user` in the contract.
const USER_FIELDS: &str = "\
    address anonymous_outbound_calls available_no_answer_forward_rule \
    available_non_office_hours_forward_rule available_office_hours_forward_rule avatar_file_name \
    avatar_file_size avatar_file_url away_non_office_hours_forward_rule away_office_hours_forward_rule \
    blfs busy_no_answer_forward_rule busy_non_office_hours_forward_rule busy_office_hours_forward_rule \
    created_at custom_forward_rules custom_options delivery_outbound_cid department display_name \
    dnd_non_office_hours_forward_rule dnd_office_hours_forward_rule email enable_acb \
    enable_audio_recording enable_dnd enable_hot_desking enable_video_recording enable_voicemail_notify \
    enable_voicemail_pin enabled extension_number home_phone id interface \
    lunch_non_office_hours_forward_rule lunch_office_hours_forward_rule mobile_phone name office_hours \
    offline_non_office_hours_forward_rule offline_office_hours_forward_rule outbound_caller_ids \
    preferred_transport profile role sms sync_type transports trip_non_office_hours_forward_rule \
    trip_office_hours_forward_rule voicemail_pin voicemail_play_datetime voicemail_prompt work_phone";

async fn start(config: Config) -> (DemoPbx, Client) {
    let passwords = Passwords { user: Some("open sesame".into()), extension: Some("sip secret".into()) };
    let pbx = DemoPbx::start(Config { passwords, ..config }).await.unwrap();
    let client = client(&pbx);
    (pbx, client)
}

/// A client that trusts this PBX's certificate and nothing else.
fn client(pbx: &DemoPbx) -> Client {
    // A second call in the same process finds the provider already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = reqwest::Certificate::from_pem(pbx.certificate_pem().as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only([certificate])
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

fn url(pbx: &DemoPbx, path: &str) -> String {
    format!("https://{}{path}", pbx.server())
}

async fn sign_in(pbx: &DemoPbx, client: &Client, body: Value) -> Response {
    client.post(url(pbx, "/api/auth/sign_in")).json(&body).send().await.unwrap()
}

async fn alice(pbx: &DemoPbx, client: &Client) -> Value {
    let body = json!({ "username": "alice", "password": "open sesame", "domain": "test.io" });
    let response = sign_in(pbx, client, body).await;
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.unwrap()
}

async fn get(pbx: &DemoPbx, client: &Client, path: &str, token: &str) -> Response {
    client.get(url(pbx, path)).bearer_auth(token).send().await.unwrap()
}

async fn refresh(pbx: &DemoPbx, client: &Client, token: &str) -> Response {
    let body = json!({ "refresh_token": token });
    client.post(url(pbx, "/api/auth/refresh_token")).json(&body).send().await.unwrap()
}

/// Status and code of a refusal in the documented shape.
async fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    let error = &body["errors"][0];
    assert!(error["message"].is_string(), "{body}");
    (status, error["code"].as_str().unwrap().to_string())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is no text in {value}"))
}

#[tokio::test]
async fn info_tells_the_system_and_with_a_domain_the_tenant() {
    let (pbx, client) = start(Config::default()).await;
    let system: Value = client.get(url(&pbx, "/api/info")).send().await.unwrap().json().await.unwrap();
    assert_eq!(system["private_ipv4"], "127.0.0.1");
    assert_eq!(system.get("web_domain"), Some(&Value::Null));
    assert_eq!(system.get("name"), None);

    let tenant = client.get(url(&pbx, "/api/info?domain=TEST.io")).send().await.unwrap();
    let tenant: Value = tenant.json().await.unwrap();
    assert_eq!((text(&tenant, "name"), text(&tenant, "domain")), ("Test Works", "test.io"));
    assert_eq!(tenant["enable_ms365_integration"], false);

    let avatar = client.get(url(&pbx, text(&tenant, "avatar_url"))).send().await.unwrap();
    assert_eq!(avatar.headers()["content-type"], "image/svg+xml");
    assert!(avatar.headers()["content-disposition"].to_str().unwrap().contains("filename"));
    assert!(avatar.text().await.unwrap().starts_with("<svg"));

    let unknown = client.get(url(&pbx, "/api/info?domain=nowhere.io")).send().await.unwrap();
    assert_eq!(refusal(unknown).await, (404, "NOT_FOUND".into()));
    let unknown = client.get(url(&pbx, "/api/nothing")).send().await.unwrap();
    assert_eq!(refusal(unknown).await, (404, "NOT_FOUND".into()));
    let unknown = client.post(url(&pbx, "/api/info")).send().await.unwrap();
    assert_eq!(refusal(unknown).await, (405, "METHOD_NOT_ALLOWED".into()));
    assert_eq!(pbx.count("GET /info"), 3);
    assert_eq!(pbx.count("GET /blobs"), 1);
}

#[tokio::test]
async fn sign_in_gives_tokens_that_open_the_profile() {
    let (pbx, client) = start(Config::default()).await;
    let tokens = alice(&pbx, &client).await;
    assert_eq!((text(&tokens, "token_type"), &tokens["expires_in"]), ("Bearer", &json!(1800)));
    let access = text(&tokens, "access_token");

    let role: Value = get(&pbx, &client, "/api/auth/user", access).await.json().await.unwrap();
    assert_eq!(
        role,
        json!({ "role": "StandardUser", "password_verified": true, "password_force_reset": false })
    );

    let user: Value = get(&pbx, &client, "/api/user", access).await.json().await.unwrap();
    assert_eq!((text(&user, "extension_number"), text(&user, "display_name")), ("101", "Alice Martin"));
    assert_eq!(user["preferred_transport"], "UDP");
    assert_eq!(user["transports"][0]["port"], pbx.sip_udp_port());
    assert_eq!(
        user["transports"][1],
        json!({ "protocol": "TCP", "port": pbx.sip_tcp_port(), "verification": "DISABLE" })
    );
    assert_eq!(user.get("mobile_phone"), Some(&Value::Null));
    let mut fields: Vec<_> = user.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, USER_FIELDS.split(' ').collect::<Vec<_>>());
    assert!(!user.to_string().contains("sip secret"));

    let profile =
        client.get(url(&pbx, &format!("/api/blobs/{}", text(&user, "profile")))).send().await.unwrap();
    let profile = profile.text().await.unwrap();
    assert!(profile.contains("<ExtensionNumber>101</ExtensionNumber>"));
    assert!(!profile.contains("sip secret"));
    let missing = client.get(url(&pbx, "/api/blobs/0123")).send().await.unwrap();
    assert_eq!(refusal(missing).await, (404, "NOT_FOUND".into()));
}

#[tokio::test]
async fn the_profile_file_hands_the_sip_password_over_when_told_to() {
    let (pbx, client) = start(Config { hand_over_password: true, ..Config::default() }).await;
    let digest = &pbx.user("bob").unwrap().profile;
    let profile = client.get(url(&pbx, &format!("/api/blobs/{digest}"))).send().await.unwrap();
    let profile = profile.text().await.unwrap();
    assert!(profile.contains("<ExtensionPassword>sip secret</ExtensionPassword>"));
    let token = profile.split("<AccessToken>").nth(1).unwrap().split('<').next().unwrap();
    let user: Value = get(&pbx, &client, "/api/user", token).await.json().await.unwrap();
    assert_eq!(text(&user, "name"), "bob");
}

#[tokio::test]
async fn refusals_come_in_the_documented_shape() {
    let (pbx, client) = start(Config::default()).await;
    for body in [
        json!({ "username": "alice", "password": "wrong", "domain": "test.io" }),
        json!({ "username": "nobody", "password": "open sesame", "domain": "test.io" }),
        json!({ "username": "alice", "password": "open sesame", "domain": "other.io" }),
        json!({ "username": "alice", "password": "open sesame" }),
        json!({ "username": "alice", "password": "sip secret", "domain": "test.io" }),
    ] {
        let response = sign_in(&pbx, &client, body.clone()).await;
        assert_eq!(refusal(response).await, (400, "UNAUTHORIZED".into()), "{body}");
    }
    for body in [json!({ "username": "alice" }), json!({ "username": "", "password": "x" }), json!(1)] {
        let response = sign_in(&pbx, &client, body.clone()).await;
        assert_eq!(refusal(response).await, (400, "VALIDATE_FAILED".into()), "{body}");
    }
    let bad = get(&pbx, &client, "/api/user", "nonsense").await;
    assert_eq!(refusal(bad).await, (401, "UNAUTHORIZED".into()));
    let none = client.get(url(&pbx, "/api/auth/user")).send().await.unwrap();
    assert_eq!(refusal(none).await, (401, "UNAUTHORIZED".into()));
    assert_eq!(refusal(refresh(&pbx, &client, "nonsense").await).await, (400, "UNKNOWN".into()));
}

#[tokio::test]
async fn refresh_turns_both_tokens_over_and_sign_out_ends_them() {
    let (pbx, client) = start(Config::default()).await;
    let old = alice(&pbx, &client).await;
    let new: Value = refresh(&pbx, &client, text(&old, "refresh_token")).await.json().await.unwrap();
    assert_ne!(text(&old, "refresh_token"), text(&new, "refresh_token"));
    assert_eq!(refresh(&pbx, &client, text(&old, "refresh_token")).await.status(), 400);
    assert_eq!(get(&pbx, &client, "/api/user", text(&old, "access_token")).await.status(), 401);
    assert_eq!(get(&pbx, &client, "/api/user", text(&new, "access_token")).await.status(), 200);

    let out = client.post(url(&pbx, "/api/auth/sign_out")).bearer_auth(text(&new, "access_token"));
    assert_eq!(out.send().await.unwrap().status(), 200);
    assert_eq!(get(&pbx, &client, "/api/user", text(&new, "access_token")).await.status(), 401);
    assert_eq!(refresh(&pbx, &client, text(&new, "refresh_token")).await.status(), 400);
}

#[tokio::test]
async fn tokens_expire_and_are_revoked_on_order() {
    let (pbx, client) = start(Config::default()).await;
    let tokens = alice(&pbx, &client).await;
    pbx.faults().expire_access_tokens();
    assert_eq!(get(&pbx, &client, "/api/user", text(&tokens, "access_token")).await.status(), 401);
    let tokens: Value = refresh(&pbx, &client, text(&tokens, "refresh_token")).await.json().await.unwrap();
    pbx.faults().revoke_refresh_tokens();
    assert_eq!(get(&pbx, &client, "/api/user", text(&tokens, "access_token")).await.status(), 200);
    assert_eq!(refresh(&pbx, &client, text(&tokens, "refresh_token")).await.status(), 400);
    pbx.faults().token_lifetime(Duration::ZERO);
    let tokens = alice(&pbx, &client).await;
    assert_eq!(get(&pbx, &client, "/api/user", text(&tokens, "access_token")).await.status(), 401);
}

#[tokio::test]
async fn it_misbehaves_as_told() {
    let (pbx, client) = start(Config::default()).await;
    let faults = pbx.faults();
    let info = || client.get(url(&pbx, "/api/info")).send();

    faults.rest(RestFault::Status { status: 503, retry_after_s: Some(7) });
    let response = info().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"7".parse().unwrap())
    );
    faults.rest(RestFault::Garbage);
    let response = info().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.json::<Value>().await.is_err());
    faults.rest(RestFault::Huge);
    assert!(info().await.unwrap().bytes().await.unwrap().len() > 10_000_000);
    faults.rest(RestFault::Redirect { to: "https://elsewhere.invalid/api/info".into() });
    let response = info().await.unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], "https://elsewhere.invalid/api/info");
    faults.rest(RestFault::Drop);
    assert!(info().await.unwrap_err().is_request());

    faults.rest_at("/user", RestFault::Garbage);
    assert_eq!(info().await.unwrap().json::<Value>().await.unwrap()["enable_ipv6"], false);
    let once = RestFault::Status { status: 500, retry_after_s: None };
    faults.rest_rule(RestRule { fault: once, path: Some("/info".into()), times: Some(1) });
    assert_eq!(info().await.unwrap().status(), 500);
    assert_eq!(info().await.unwrap().status(), 200);

    faults.rest_delay(Duration::from_secs(3600));
    let waited = tokio::time::timeout(Duration::from_millis(200), info()).await;
    assert!(waited.is_err());
    faults.clear();
    assert_eq!(info().await.unwrap().status(), 200);
}

#[tokio::test]
async fn faults_are_ordered_from_outside_too() {
    let (pbx, client) = start(Config::default()).await;
    let order = |body: Value| client.post(url(&pbx, "/demo/faults")).json(&body).send();
    let rule = json!({ "rest": { "kind": "status", "status": 502, "times": 1 }, "rest_delay_ms": 1, "sip": "silent" });
    let standing: Value = order(rule).await.unwrap().json().await.unwrap();
    assert_eq!(standing["sip"], "silent");
    assert_eq!(
        standing["rest"],
        json!({ "kind": "status", "status": 502, "retry_after_s": null, "path": null, "times": 1 })
    );
    assert_eq!(client.get(url(&pbx, "/api/info")).send().await.unwrap().status(), 502);
    assert_eq!(client.get(url(&pbx, "/api/info")).send().await.unwrap().status(), 200);
    let unknown = order(json!({ "explode": true })).await.unwrap();
    assert_eq!(refusal(unknown).await, (400, "VALIDATE_FAILED".into()));
    let standing: Value = order(json!({ "clear": true })).await.unwrap().json().await.unwrap();
    assert_eq!((&standing["rest"], &standing["sip"]), (&Value::Null, &json!("none")));
}

#[tokio::test]
async fn a_restart_is_ordered_from_outside_too() {
    let (pbx, client) = start(Config::default()).await;
    let mut phone = tokio::net::TcpStream::connect(("127.0.0.1", pbx.sip_tcp_port())).await.unwrap();
    let order = client.post(url(&pbx, "/demo/faults")).json(&json!({ "restart": true })).send();
    // The restart may overtake its own answer.
    let _ = order.await;
    let mut rest = Vec::new();
    let closed = tokio::io::AsyncReadExt::read_to_end(&mut phone, &mut rest);
    let closed = tokio::time::timeout(Duration::from_secs(10), closed).await.unwrap();
    assert!(closed.is_err() || rest.is_empty());
    let back = async {
        while client.get(url(&pbx, "/api/info")).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), back).await.unwrap();
}

#[tokio::test]
async fn a_restart_keeps_ports_users_tokens_and_certificate() {
    let (pbx, first) = start(Config::default()).await;
    let tokens = alice(&pbx, &first).await;
    let (ports, fingerprint) = ((pbx.https_port(), pbx.sip_udp_port()), pbx.fingerprint().to_string());
    pbx.go_down().await;
    assert!(first.get(url(&pbx, "/api/info")).send().await.unwrap_err().is_connect());
    pbx.come_up().await.unwrap();
    let second = client(&pbx);
    assert_eq!(((pbx.https_port(), pbx.sip_udp_port()), pbx.fingerprint()), (ports, fingerprint.as_str()));
    assert_eq!(get(&pbx, &second, "/api/user", text(&tokens, "access_token")).await.status(), 200);
    alice(&pbx, &second).await;
}

#[tokio::test]
async fn a_new_process_with_the_same_state_has_the_same_certificate() {
    let state = tempfile::tempdir().unwrap();
    let config = || Config { state: Some(state.path().into()), ..Config::default() };
    let (pbx, _) = start(config()).await;
    let fingerprint = pbx.fingerprint().to_string();
    pbx.stop().await;
    let (pbx, client) = start(config()).await;
    assert_eq!(pbx.fingerprint(), fingerprint);
    assert_eq!(client.get(url(&pbx, "/api/info")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn dropping_it_frees_its_ports() {
    let (pbx, client) = start(Config::default()).await;
    let address = url(&pbx, "/api/info");
    client.get(&address).send().await.unwrap();
    drop(pbx);
    // The tasks end at their next turn; from then on nobody listens.
    while client.get(&address).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_taken_port_and_an_unspecified_address_are_refused() {
    let (pbx, _) = start(Config::default()).await;
    let taken = DemoPbx::start(Config { https_port: pbx.https_port(), ..Config::default() }).await;
    assert!(matches!(taken.err(), Some(demo_pbx::StartError::Bind { name: "REST", .. })));
    let everywhere = DemoPbx::start(Config { bind: [0, 0, 0, 0].into(), ..Config::default() }).await;
    assert!(matches!(everywhere.err(), Some(demo_pbx::StartError::Unspecified)));
}

/// What a `POST` without a body is answered with.
async fn post(pbx: &DemoPbx, client: &Client, path: &str, token: &str) -> Response {
    client.post(url(pbx, path)).bearer_auth(token).send().await.unwrap()
}

#[tokio::test]
async fn contacts_are_listed_written_and_told_of_by_sync_token() {
    let (pbx, client) = start(Config { made_up_contacts: 150, ..Config::default() }).await;
    let tokens = alice(&pbx, &client).await;
    let access = text(&tokens, "access_token");
    let page: Value =
        get(&pbx, &client, "/api/contacts?skip=100&top=100", access).await.json().await.unwrap();
    assert_eq!((&page["count"], page["items"].as_array().unwrap().len()), (&json!(156), 56));
    assert!(page["items"][0]["name"].is_string() && page["items"][0].get("favorite").is_none());
    for bad in ["top=101", "top=0", "skip=x"] {
        assert!(get(&pbx, &client, &format!("/api/contacts?{bad}"), access).await.status().is_client_error());
    }
    assert_eq!(refusal(get(&pbx, &client, "/api/contacts", "no token").await).await.0, 401);

    let body = json!({ "name": "Ann", "mobile_phone": "07700 900461", "notes": "" });
    let made =
        client.post(url(&pbx, "/api/user/contacts")).bearer_auth(access).json(&body).send().await.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.unwrap();
    let ann = format!("/api/user/contacts/{}", text(&made, "id"));
    let body = json!({ "name": "" });
    let refused = client.post(url(&pbx, &ann)).bearer_auth(access).json(&body).send().await.unwrap();
    assert_eq!(refusal(refused).await, (400, "VALIDATE_FAILED".into()));

    for (kind, count) in [("extension_contacts", 5), ("business_contacts", 156), ("contacts", 3)] {
        let made = post(&pbx, &client, &format!("/api/user/{kind}/sync_tokens"), access).await;
        assert_eq!(made.status(), StatusCode::CREATED);
        let made: Value = made.json().await.unwrap();
        let diff = |token: &str| format!("/api/user/{kind}/sync_tokens/{token}/diff");
        let first = post(&pbx, &client, &diff(text(&made, "token")), access).await;
        let first: Value = first.json().await.unwrap();
        let items = first["items"].as_array().unwrap();
        assert_eq!((items.len(), &items[0]["change_type"]), (count, &json!("CREATED")), "{kind}");
        let id = text(&items[0], "id");
        let marked = post(&pbx, &client, &format!("/api/user/{kind}/{id}/favorite"), access).await;
        assert_eq!(marked.status(), StatusCode::OK);
        let next: Value =
            post(&pbx, &client, &diff(text(&first, "token")), access).await.json().await.unwrap();
        let changed = &next["items"][0];
        assert_eq!((&changed["change_type"], &changed["favorite"]), (&json!("UPDATED"), &json!(true)));
        assert_eq!(next["items"].as_array().unwrap().len(), 1);
        pbx.faults().forget_sync_tokens();
        let forgotten = post(&pbx, &client, &diff(text(&next, "token")), access).await;
        assert_eq!(refusal(forgotten).await.0, 403);
    }
    let gone = post(&pbx, &client, &format!("{ann}/destroy"), access).await;
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(refusal(post(&pbx, &client, &format!("{ann}/destroy"), access).await).await.0, 404);
}

#[tokio::test]
async fn some_users_have_a_picture_and_one_a_broken_one() {
    let (pbx, client) = start(Config::default()).await;
    let tokens = alice(&pbx, &client).await;
    let access = text(&tokens, "access_token");
    let made = post(&pbx, &client, "/api/user/extension_contacts/sync_tokens", access).await;
    let made: Value = made.json().await.unwrap();
    let diff = format!("/api/user/extension_contacts/sync_tokens/{}/diff", text(&made, "token"));
    let diff: Value = post(&pbx, &client, &diff, access).await.json().await.unwrap();
    let of = |extension: &str| {
        let mut all = diff["items"].as_array().unwrap().iter();
        all.find(|item| item["extension_number"] == extension).unwrap().get("avatar_file_url").cloned()
    };
    assert_eq!((of("104"), of("105")), (None, None));

    let user: Value = get(&pbx, &client, "/api/user", access).await.json().await.unwrap();
    assert_eq!(Some(&user["avatar_file_url"]), of("101").as_ref(), "the same picture in both places");
    for (extension, whole) in [("101", true), ("102", true), ("103", false)] {
        let reference = of(extension).unwrap();
        let file = get(&pbx, &client, reference.as_str().unwrap(), access).await;
        assert_eq!(
            (file.status(), &file.headers()["content-type"]),
            (StatusCode::OK, &"image/png".parse().unwrap())
        );
        let bytes = file.bytes().await.unwrap();
        assert_eq!(image::load_from_memory(&bytes).is_ok(), whole, "{extension}");
        if extension == "101" {
            assert_eq!(user["avatar_file_size"], bytes.len());
        }
    }
}
