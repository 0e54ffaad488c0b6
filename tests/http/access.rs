//! Who may ask.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{DEADLINE, KEY, Recording, Server, refusal};

const SEEN: [&str; 5] =
    ["/api/session", "/api/status", "/api/logs", "/api/openapi.json", "/api/journal/backup"];

async fn log_in(server: &Server, key: &str) -> Response {
    let request = server.bare(Method::POST, "/api/session").json(&json!({"key": key}));
    request.send().await.unwrap()
}

/// The `name=value` of the session cookie.
async fn session(server: &Server) -> String {
    let answer = log_in(server, KEY).await;
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn nothing_is_seen_or_done_without_access() {
    let recording = Recording::start();
    let server = Server::live(&recording, |_| {}).await;
    for path in SEEN {
        let refused = refusal(server.bare(Method::GET, path)).await;
        assert_eq!(refused, (401, "no_access".into()), "{path}");
    }
    let answer = server.bare(Method::GET, "/api/logs").send().await.unwrap();
    assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    for path in ["/api/actions", "/api/journal/wipe"] {
        let refused = refusal(server.bare(Method::POST, path).json(&json!({}))).await;
        assert_eq!(refused, (401, "no_access".into()), "{path}");
    }
    for path in ["/healthz", "/health-check", "/", "/index.html"] {
        let answer = server.bare(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_counted_and_told_to_nobody() {
    let recording = Recording::start();
    let server = Server::live(&recording, |desk| {
        desk.limits.wrong_key_report = Duration::from_millis(20);
    })
    .await;
    assert!(recording.published.replayed().await);
    let wrong = "almost-the-secret-key";
    let answer = log_in(&server, wrong).await;
    assert_eq!(answer.status(), 401);
    let told = format!("{:?} {}", answer.headers().clone(), answer.text().await.unwrap());
    assert!(!told.contains(wrong) && !told.contains(KEY), "{told}");
    let bearer = server.bare(Method::GET, "/api/status").bearer_auth("x");
    assert_eq!(refusal(bearer).await, (401, "wrong_key".into()));
    let odd = server.bare(Method::POST, "/api/session").body(format!(r#"{{"key":["{KEY}"]}}"#));
    let answer = odd.send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(!answer.text().await.unwrap().contains(KEY));

    let counted = async {
        loop {
            let actions = server.json("/api/actions").await;
            let failures = |row: &&Value| row["action"] == "log-in-failures";
            let rows = actions["actions"].as_array().unwrap().iter().filter(failures);
            let counts = rows.map(|row| row["args"]["count"].as_u64().unwrap());
            if counts.sum::<u64>() == 2 {
                return actions;
            }
        }
    };
    let actions = tokio::time::timeout(DEADLINE, counted).await.expect("both are recorded");
    assert_eq!(actions["actions"][0]["actor"], "unknown");
    assert_eq!(actions["actions"][0]["outcome"], "failed");
    assert!(!actions.to_string().contains(wrong));
}

#[tokio::test]
async fn the_right_key_works_whatever_came_before() {
    let recording = Recording::start();
    let server = Server::live(&recording, |_| {}).await;
    let (wrong, right) = tokio::join!(log_in(&server, "wrong"), log_in(&server, KEY));
    assert_eq!((wrong.status().as_u16(), right.status().as_u16()), (401, 200));
    let session: Value = right.json().await.unwrap();
    assert_eq!(session, json!({"actor": "admin key", "can_act": true, "via": "key"}));
}

#[tokio::test]
async fn a_session_sees_and_survives_a_restart_of_the_server() {
    let recording = Recording::start();
    let server = Server::live(&recording, |_| {}).await;
    let answer = log_in(&server, KEY).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(!cookie.contains("Path"), "it holds below api/, wherever a gateway has put that");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(KEY));
    let pair = cookie.split(';').next().unwrap().to_owned();
    server.stop().await;

    let server = Server::live(&recording, |_| {}).await;
    let asked = |cookie: String| server.bare(Method::GET, "/api/session").header("cookie", cookie);
    let answer = asked(format!("other=1; {pair}")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let forged = format!("{}0", &pair[..pair.len() - 1]);
    let forged = if forged == pair { format!("{}1", &pair[..pair.len() - 1]) } else { forged };
    assert_eq!(refusal(asked(forged)).await, (401, "no_access".into()));
}

#[tokio::test]
async fn a_write_with_a_session_must_come_from_this_site() {
    let recording = Recording::start();
    let server = Server::live(&recording, |_| {}).await;
    let cookie = session(&server).await;
    let write = || {
        let wipe = server.bare(Method::POST, "/api/journal/wipe").json(&json!({"confirm": "no"}));
        wipe.header("cookie", &cookie)
    };
    let elsewhere = (403, "cross_origin".into());
    assert_eq!(refusal(write()).await, elsewhere);
    assert_eq!(refusal(write().header("origin", "http://evil.example")).await, elsewhere);
    assert_eq!(refusal(write().header("sec-fetch-site", "cross-site")).await, elsewhere);
    let here = format!("http://{}", server.address);
    assert_eq!(refusal(write().header("origin", here)).await.0, 400);
    assert_eq!(refusal(write().header("sec-fetch-site", "same-origin")).await.0, 400);

    let log_in = server.bare(Method::POST, "/api/session").json(&json!({"key": KEY}));
    let log_in = log_in.header("origin", "http://evil.example");
    assert_eq!(refusal(log_in).await, elsewhere, "nor may another site log a browser in");
}

#[tokio::test]
async fn logging_out_takes_the_cookie_back() {
    let recording = Recording::start();
    let server = Server::live(&recording, |desk| desk.base_path = "/monitor".into()).await;
    let cookie = session(&server).await;
    let log_out = server.bare(Method::DELETE, "/monitor/api/session").header("cookie", &cookie);
    let answer = log_out.header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let taken = answer.headers()["set-cookie"].to_str().unwrap();
    let name = cookie.split('=').next().unwrap();
    assert!(taken.starts_with(&format!("{name}=; Max-Age=0")), "{taken}");
}
