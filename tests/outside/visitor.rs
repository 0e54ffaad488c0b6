//! A desk with tools, and a visitor who comes to their pages as a browser does.

use monitor_backend::{
    http::ToolsDesk,
    outside::{Config, Limits, Outside, Tool, ToolConfig, Upstream},
};
use reqwest::{
    Method, RequestBuilder, Response,
    header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE},
    redirect::Policy,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Recording, Server, client};

/// A served desk with tools.
pub struct Desk {
    _recording: Recording,
    pub server: Server,
    /// `127.0.0.1:PORT` of the second port.
    pub tools: String,
    pub outside: Outside,
    client: reqwest::Client,
}

/// A browser's part that follows no redirect by itself.
fn client() -> reqwest::Client {
    client::builder().redirect(Policy::none()).build().unwrap()
}

pub fn config(url: Upstream) -> ToolConfig {
    ToolConfig { url, public_url: None, external_path: String::new(), tenant: None }
}

impl Desk {
    /// With these tools and the usual bounds.
    pub async fn with(tools: Vec<(Tool, ToolConfig)>) -> Desk {
        Desk::bounded(tools, Limits::default()).await
    }

    pub async fn bounded(tools: Vec<(Tool, ToolConfig)>, limits: Limits) -> Desk {
        let recording = Recording::start();
        assert!(recording.published.replayed().await);
        let outside = Outside::start(Config { tools, grafana_secret: None }, limits).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let desk = ToolsDesk {
            outside: outside.clone(),
            port: Some(at.port()),
            listener: Some(listener),
            public_url: None,
        };
        let server = Server::live(&recording, |given| given.outside = Some(desk)).await;
        Desk { _recording: recording, server, tools: at.to_string(), outside, client: client() }
    }

    /// The origin of the desk's pages.
    pub fn origin(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// What the desk answers to a page that wants to open a tool.
    pub async fn ticket(&self, wanted: &Value) -> Response {
        let request = self.server.ask(Method::POST, "/api/outside/tools-session");
        request.header(ORIGIN, self.origin()).json(wanted).send().await.unwrap()
    }

    /// Goes the way that a frame goes, to its end: the cookie of the second port.
    pub async fn enter(&self, tool: &str) -> Visitor<'_> {
        let answer = self.ticket(&json!({"tool": tool})).await;
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        let url = answer["url"].as_str().unwrap();
        let path = url.strip_prefix(&format!("http://{}", self.tools)).expect(url);
        let entered = self.bare(Method::GET, path).send().await.unwrap();
        assert_eq!(entered.status(), 303);
        assert_eq!(entered.headers()[LOCATION], format!("/{tool}/"));
        let cookie = entered.headers()[SET_COOKIE].to_str().unwrap();
        for flag in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=3600"] {
            assert!(cookie.contains(flag), "{cookie}");
        }
        Visitor { desk: self, cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    /// A request to the second port without a cookie.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.tools))
    }
}

/// Someone with a cookie of the second port.
pub struct Visitor<'a> {
    pub desk: &'a Desk,
    pub cookie: String,
}

impl Visitor<'_> {
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.desk.bare(method, path).header(COOKIE, &self.cookie)
    }

    /// As a page of the second port asks.
    pub fn write(&self, method: Method, path: &str) -> RequestBuilder {
        self.ask(method, path).header(ORIGIN, format!("http://{}", self.desk.tools))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.ask(Method::GET, path).send().await.unwrap()
    }
}
