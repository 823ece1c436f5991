//! Every way in, asked over real TLS.

// Functions of a test may fail it, as tests themselves may.
#![allow(clippy::unwrap_used)]

use demo_pbx::{Config, DemoPbx, Generation, Manner, MicrosoftAnswer, Passwords, VerifyAnswer};
use reqwest::{Client, Response};
use serde_json::{Value, json};

const PASSWORD: &str = "open sesame";

struct Trial {
    pbx: DemoPbx,
    client: Client,
}

impl Trial {
    async fn begin(manner: Manner) -> Self {
        let passwords = Passwords { user: Some(PASSWORD.into()), extension: Some("sip secret".into()) };
        let pbx = DemoPbx::start(Config { passwords, manner, ..Config::default() }).await.unwrap();
        // A second call in the same process finds the provider already installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificate = reqwest::Certificate::from_pem(pbx.certificate_pem().as_bytes()).unwrap();
        let client = Client::builder()
            .tls_certs_only([certificate])
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { pbx, client }
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.pbx.server())
    }

    async fn post(&self, path: &str, body: Value) -> Response {
        self.client.post(self.url(path)).json(&body).send().await.unwrap()
    }

    async fn get(&self, path: &str, access: &str) -> Response {
        self.client.get(self.url(path)).bearer_auth(access).send().await.unwrap()
    }

    async fn form(&self, path: &str, body: &'static str) -> Response {
        let request =
            self.client.post(self.url(path)).header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.unwrap()
    }

    async fn sign_in(&self, username: &str, password: &str) -> Value {
        let body = json!({ "username": username, "password": password, "domain": "test.io" });
        self.post("/api/auth/sign_in", body).await.json().await.unwrap()
    }
}

fn manner() -> Manner {
    Manner { microsoft: true, ..Manner::default() }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

#[tokio::test]
async fn a_code_by_mail() {
    let trial = Trial::begin(manner()).await;
    let half = trial.sign_in("carol", PASSWORD).await;
    assert_eq!(half["two_factor_enabled"], true);
    let token = text(&half, "token");
    assert_eq!(trial.post("/api/auth/send_otp", json!({ "token": token })).await.status(), 200);
    assert_eq!(trial.post("/api/auth/send_otp", json!({ "token": "x" })).await.status(), 400);
    let mail = trial.pbx.outbox().pop().unwrap();
    let code = mail.code.unwrap();
    let wrong = trial.post("/api/auth/verify_otp", json!({ "token": token, "code": "wrong" })).await;
    assert_eq!(wrong.status(), 400);
    assert_eq!(wrong.json::<Value>().await.unwrap()["errors"][0]["code"], "UNAUTHORIZED");
    let right = trial.post("/api/auth/verify_otp", json!({ "token": token, "code": code })).await;
    let tokens: Value = right.json().await.unwrap();
    assert_eq!(trial.get("/api/user", text(&tokens, "access_token")).await.status(), 200);
}

#[tokio::test]
async fn a_code_that_brings_no_tokens() {
    let trial = Trial::begin(Manner { verify_otp: VerifyAnswer::NoTokens, ..manner() }).await;
    let half = trial.sign_in("carol", PASSWORD).await;
    trial.post("/api/auth/send_otp", json!({ "token": half["token"] })).await;
    let code = trial.pbx.outbox().pop().unwrap().code;
    let answer = trial.post("/api/auth/verify_otp", json!({ "token": half["token"], "code": code })).await;
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, ""));
}

#[tokio::test]
async fn a_password_that_must_be_changed() {
    let trial = Trial::begin(manner()).await;
    let tokens = trial.sign_in("dave", PASSWORD).await;
    let access = text(&tokens, "access_token");
    let role: Value = trial.get("/api/auth/user", access).await.json().await.unwrap();
    assert_eq!(role["password_force_reset"], true);
    assert_eq!(trial.get("/api/user", access).await.status(), 403);
    assert_eq!(trial.get("/api/tenant/password_policy", access).await.status(), 200);
    for (old, new, status) in
        [("no", "blue-Sk7y", 400), (PASSWORD, "short", 400), (PASSWORD, "blue-Sk7y", 200)]
    {
        let body = json!({ "old_password": old, "new_password": new });
        let request = trial.client.post(trial.url("/api/user/password")).bearer_auth(access).json(&body);
        assert_eq!(request.send().await.unwrap().status(), status, "{new}");
    }
    assert_eq!(trial.get("/api/user", access).await.status(), 200);
}

#[tokio::test]
async fn a_forgotten_password() {
    let trial = Trial::begin(manner()).await;
    let ask = |name: &str, to: &str| json!({ "domain": "test.io", "username": name, "callback_url": to });
    let bad = trial.post("/api/auth/forget_password", ask("alice", "https://example.com/")).await;
    assert_eq!(bad.json::<Value>().await.unwrap()["errors"][0]["code"], "VALIDATE_FAILED");
    let unknown = trial.post("/api/auth/forget_password", ask("nobody", "carillon://callback/n")).await;
    assert_eq!((unknown.status().as_u16(), trial.pbx.outbox().len()), (200, 0));
    trial.post("/api/auth/forget_password", ask("alice", "carillon://callback/n")).await;
    let link = trial.pbx.outbox().pop().unwrap().link.unwrap();
    let token = link.strip_prefix("carillon://callback/n?token=").unwrap().to_owned();
    for (new, status) in [("weak", 400), ("blue-Sk7y", 200), ("green-Sk7y", 400)] {
        let body = json!({ "token": token, "new_password": new });
        assert_eq!(trial.post("/api/auth/reset_password", body).await.status(), status, "{new}");
    }
    assert!(trial.sign_in("alice", "blue-Sk7y").await["access_token"].is_string());
}

#[tokio::test]
async fn microsoft_comes_back_with_a_code() {
    let trial = Trial::begin(Manner { microsoft_answer: MicrosoftAnswer::Code, ..manner() }).await;
    let body = json!({ "domain": "test.io", "callback_url": "http://127.0.0.1:9/callback/n" });
    let begun: Value = trial.post("/api/auth/sign_in/microsoft", body).await.json().await.unwrap();
    let page = trial.client.get(text(&begun, "url")).send().await.unwrap().text().await.unwrap();
    let state = page.split("name=\"state\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let filled = format!("state={state}&email=erin%40test.io&password=open+sesame&action=sign_in");
    let request = trial.client.post(trial.url("/demo/microsoft"));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(filled);
    let sent = request.send().await.unwrap();
    let next = sent.headers()["location"].to_str().unwrap().to_owned();
    let back = trial.client.get(trial.url(&next)).send().await.unwrap();
    assert!(back.headers()["location"].to_str().unwrap().starts_with("http://127.0.0.1:9/callback/n?code="));
    assert_eq!(trial.client.get(trial.url(&next)).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn older_servers() {
    let trial = Trial::begin(Manner { generation: Generation::V22_0, ..manner() }).await;
    let body = json!({ "username": "alice", "password": PASSWORD, "domain": "test.io" });
    assert_eq!(trial.post("/api/auth/sign_in", body.clone()).await.status(), 404);
    let grant =
        "grant_type=password&username=alice&password=open+sesame&domain=test.io&scope=all&client_id=x";
    let tokens: Value = trial.form("/api/login/oauth/token", grant).await.json().await.unwrap();
    assert_eq!(trial.get("/api/user", text(&tokens, "access_token")).await.status(), 200);
    trial.pbx.faults().manner(|manner| manner.generation = Generation::V21);
    assert_eq!(trial.form("/api/login/oauth/token", grant).await.status(), 404);
    let opened = trial.post("/api/login", body).await;
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let session = trial.client.get(trial.url("/api/login")).header("cookie", cookie).send().await.unwrap();
    let session: Value = session.json().await.unwrap();
    assert!(text(&session, "expires_at").ends_with('Z'));
    assert_eq!(trial.get("/api/user", text(&session, "access_token")).await.status(), 200);
}
