//! The routes. All stand below the optional base path, and without it too.
//!
//! ```text
//! GET    /healthz                       nothing  the process is alive
//! GET    /health-check                  nothing  the same, under the name of the original
//! GET    /readyz                        nothing  the views are complete
//! GET    /api/session                   see      who is logged in
//! POST   /api/session                   nothing  log in
//! DELETE /api/session                   see      log out
//! GET    /api/status                    see      mode, positions, replay, sources, faults
//! GET    /api/overview                  see      the first page: problems, and what was done
//! GET    /api/problems                  see      what is wrong, and what proves it
//! GET    /api/objects                   see      cluster objects
//! GET    /api/objects/{uid}             see      one, with its body
//! GET    /api/objects/{uid}/history     see      its recorded states
//! GET    /api/timeline                  see      events of the cluster
//! GET    /api/logs                      see      log lines
//! GET    /api/requests                  see      request traces
//! GET    /api/requests/{id}             see      one
//! GET    /api/live-queries              see      live queries
//! GET    /api/probes                    see      what probes found
//! GET    /api/volumes                   see      what volumes and processes use
//! GET    /api/volumes/{key}/history     see      a volume's recorded states
//! GET    /api/sources                   see      sources and gaps
//! GET    /api/actions                   see      what admins did
//! POST   /api/actions                   act      start an action
//! GET    /api/actions/{id}              see      one, with its output
//! POST   /api/actions/{id}/cancel       act      cancel it
//! GET    /api/runbooks                  see      the procedures of the configuration
//! GET    /api/outside                   see      other tools, and how they are
//! POST   /api/outside/tools-session     see      a way onto the second port
//! GET    /api/outside/loki              see      log lines of Loki
//! POST   /api/outside/grafana/password  act      its admin password, on record
//! GET    /api/live                      see      the live feed
//! GET    /api/journal                   see      segments and recovery report
//! GET    /api/journal/segments/{name}   see      one segment's bytes
//! GET    /api/journal/backup            see      all of it as a tar
//! POST   /api/journal/wipe              act      empty it
//! GET    /api/openapi.json              see      the description of all this
//! ```
//!
//! Below `/api` nothing else exists; everything outside of it is a file of the frontend.

use std::sync::Arc;

use hyper::{HeaderMap, Method, Request, StatusCode, body::Incoming};

use super::{
    Surface,
    access::Caller,
    answer,
    body::{Body, Response},
    download::{self, Ask},
    error::Error,
    live,
    moment::Moment,
    openapi, outside,
    params::{Params, decode_path},
    read::{self, Call},
    site, write,
};

/// What a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Nothing,
    See,
    Act,
}

/// How a route is answered.
#[derive(Debug, Clone, Copy)]
enum Handler {
    /// On a reader thread, from a moment.
    Of(fn(&Moment, &Call) -> Result<Response, Error>),
    /// The same, with what every connection shares.
    OfSurface(fn(&Surface, &Moment, &Call) -> Result<Response, Error>),
    Alive,
    Ready,
    Session,
    LogIn,
    LogOut,
    Status,
    Problems,
    StartAction,
    CancelAction,
    Runbooks,
    Outside,
    ToolsSession,
    Loki,
    GrafanaPassword,
    Live,
    Journal,
    Segment,
    Backup,
    Wipe,
    Description,
}

struct Route {
    method: Method,
    /// Words and `{places}`, parted by slashes.
    path: &'static str,
    need: Need,
    handler: Handler,
}

const fn get(path: &'static str, need: Need, handler: Handler) -> Route {
    Route { method: Method::GET, path, need, handler }
}

const fn post(path: &'static str, need: Need, handler: Handler) -> Route {
    Route { method: Method::POST, path, need, handler }
}

const fn delete(path: &'static str, need: Need, handler: Handler) -> Route {
    Route { method: Method::DELETE, path, need, handler }
}

static ROUTES: &[Route] = &[
    get("/healthz", Need::Nothing, Handler::Alive),
    get("/health-check", Need::Nothing, Handler::Alive),
    get("/readyz", Need::Nothing, Handler::Ready),
    get("/api/session", Need::See, Handler::Session),
    post("/api/session", Need::Nothing, Handler::LogIn),
    delete("/api/session", Need::See, Handler::LogOut),
    get("/api/status", Need::See, Handler::Status),
    get("/api/overview", Need::See, Handler::OfSurface(read::overview::overview)),
    get("/api/problems", Need::See, Handler::Problems),
    get("/api/objects", Need::See, Handler::Of(read::cluster::objects)),
    get("/api/objects/{uid}", Need::See, Handler::Of(read::cluster::object)),
    get("/api/objects/{uid}/history", Need::See, Handler::Of(read::cluster::object_history)),
    get("/api/timeline", Need::See, Handler::Of(read::cluster::timeline)),
    get("/api/logs", Need::See, Handler::Of(read::app::logs)),
    get("/api/requests", Need::See, Handler::Of(read::app::requests)),
    get("/api/requests/{id}", Need::See, Handler::Of(read::app::request)),
    get("/api/live-queries", Need::See, Handler::Of(read::app::live_queries)),
    get("/api/probes", Need::See, Handler::Of(read::app::probes)),
    get("/api/volumes", Need::See, Handler::Of(read::usage::volumes)),
    get("/api/volumes/{key}/history", Need::See, Handler::Of(read::usage::volume_history)),
    get("/api/sources", Need::See, Handler::Of(read::recorder::sources)),
    get("/api/actions", Need::See, Handler::Of(read::actions::actions)),
    post("/api/actions", Need::Act, Handler::StartAction),
    get("/api/actions/{id}", Need::See, Handler::Of(read::actions::action)),
    post("/api/actions/{id}/cancel", Need::Act, Handler::CancelAction),
    get("/api/runbooks", Need::See, Handler::Runbooks),
    get("/api/outside", Need::See, Handler::Outside),
    post("/api/outside/tools-session", Need::See, Handler::ToolsSession),
    get("/api/outside/loki", Need::See, Handler::Loki),
    post("/api/outside/grafana/password", Need::Act, Handler::GrafanaPassword),
    get("/api/live", Need::See, Handler::Live),
    get("/api/journal", Need::See, Handler::Journal),
    get("/api/journal/segments/{name}", Need::See, Handler::Segment),
    get("/api/journal/backup", Need::See, Handler::Backup),
    post("/api/journal/wipe", Need::Act, Handler::Wipe),
    get("/api/openapi.json", Need::See, Handler::Description),
];

/// Answers a request; every refusal is an answer too.
pub(super) async fn answer(surface: &Arc<Surface>, request: Request<Incoming>) -> Response {
    let frames = outside::frame_sources(surface, request.headers());
    let is_head = request.method() == Method::HEAD;
    let doing = surface.meters.begin(index_of(surface, &request));
    let answered = dispatch(surface, request).await;
    let mut response = answered.unwrap_or_else(Error::into_response);
    doing.done(response.status());
    if is_head {
        *response.body_mut() = Body::Whole(None);
    }
    answer::harden(response.headers_mut(), frames.as_deref());
    response
}

/// How many routes there are.
pub(super) const COUNT: usize = ROUTES.len();

/// Method and path of each route, in order.
pub(super) fn labels() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().map(|route| (route.method.as_str(), route.path))
}

/// Which route a request is for.
fn index_of(surface: &Surface, request: &Request<Incoming>) -> Option<usize> {
    let path = surface.below_base(request.uri().path())?;
    let Found::Route(found, _) = find(request.method(), path) else { return None };
    ROUTES.iter().position(|route| std::ptr::eq(route, found))
}

async fn dispatch(surface: &Arc<Surface>, request: Request<Incoming>) -> Result<Response, Error> {
    let (head, body) = request.into_parts();
    let Some(path) = surface.below_base(head.uri.path()) else {
        let last = surface.desk.base_path.rsplit('/').next().unwrap_or("");
        return Ok(answer::redirect(StatusCode::PERMANENT_REDIRECT, &format!("{last}/")));
    };
    let (route, places) = match find(&head.method, path) {
        Found::Route(route, places) => (route, places),
        Found::OtherMethods(allow) => return Err(Error::MethodNotAllowed { allow }),
        Found::Nothing if path == "/api" || path.starts_with("/api/") => {
            return Err(Error::NoRoute { path: path.to_owned() });
        }
        Found::Nothing => return site::file(&head.method, &head.headers, path),
    };
    let call = Call { path: places, params: Params::parse(head.uri.query().unwrap_or("")) };
    let caller = admit(surface, route, &head.method, &head.headers).await?;
    if route.method != Method::GET && call.params.names_a_moment() {
        return Err(Error::Past);
    }
    let asked = Asked { method: head.method, headers: head.headers, call, body, caller };
    serve(surface, route.handler, asked).await
}

/// Lets those through who may ask.
async fn admit(
    surface: &Surface,
    route: &Route,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Caller>, Error> {
    if route.need == Need::Nothing {
        return Ok(None);
    }
    let caller = surface.access.caller(headers).await?;
    caller.may_send(method, headers)?;
    if route.need == Need::Act {
        caller.may_act()?;
    }
    Ok(Some(caller))
}

/// A request that may be answered.
struct Asked {
    method: Method,
    headers: HeaderMap,
    call: Call,
    body: Incoming,
    /// `None` on routes that need nothing.
    caller: Option<Caller>,
}

impl Asked {
    fn caller(&self) -> Result<Caller, Error> {
        self.caller.clone().ok_or(Error::NoAccess)
    }

    fn bytes(&self) -> Ask<'_> {
        Ask { method: &self.method, headers: &self.headers }
    }
}

async fn serve(surface: &Arc<Surface>, to: Handler, asked: Asked) -> Result<Response, Error> {
    let params = &asked.call.params;
    match to {
        Handler::Of(handler) => {
            surface.of_moment(asked.call, move |_, moment, call| handler(moment, call)).await
        }
        Handler::OfSurface(handler) => surface.of_moment(asked.call, handler).await,
        Handler::Alive => Ok(answer::text(StatusCode::OK, "alive\n")),
        Handler::Ready => Ok(surface.ready()),
        Handler::Session => Ok(write::session(asked.caller()?)),
        Handler::LogIn => write::log_in(surface, &asked.headers, asked.body).await,
        Handler::LogOut => Ok(write::log_out(surface, &asked.headers)),
        Handler::Status => read::recorder::status(surface, asked.call).await,
        Handler::Problems => read::problems::problems(surface, asked.call).await,
        Handler::StartAction => write::start_action(surface, asked.caller()?, asked.body).await,
        Handler::CancelAction => write::cancel_action(surface, asked.caller()?, asked.call.place()),
        Handler::Runbooks => read::actions::runbooks(surface),
        Handler::Outside => Ok(outside::outside(surface, &asked.headers)),
        Handler::ToolsSession => {
            let caller = asked.caller()?;
            outside::tools_session(surface, caller, &asked.headers, asked.body).await
        }
        Handler::Loki => outside::loki::lines(surface, params).await,
        Handler::GrafanaPassword => outside::grafana::password(surface, asked.caller()?).await,
        Handler::Live => {
            live::live(surface, &asked.method, &asked.headers, params, &asked.caller()?).await
        }
        Handler::Journal => read::journal::journal(surface).await,
        Handler::Segment => download::segment(surface, asked.bytes(), asked.call.place()).await,
        Handler::Backup => download::backup(surface, asked.bytes(), params).await,
        Handler::Wipe => write::wipe(surface, asked.caller()?, asked.body).await,
        Handler::Description => {
            let text = openapi::text().into_bytes();
            Ok(answer::of_bytes(StatusCode::OK, "application/json", text))
        }
    }
}

enum Found {
    Route(&'static Route, Vec<String>),
    /// The path exists for these methods.
    OtherMethods(String),
    Nothing,
}

fn find(method: &Method, path: &str) -> Found {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let mut others = Vec::new();
    for route in ROUTES {
        let Some(places) = places(route.path, path) else { continue };
        if route.method == *method {
            return Found::Route(route, places);
        }
        others.push(route.method.as_str());
        if route.method == Method::GET {
            others.push("HEAD");
        }
    }
    if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others.join(", ")) }
}

/// What stands in the places of a pattern, decoded; `None` where the path does not fit.
fn places(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut places = Vec::new();
    let mut parts = path.split('/');
    for word in pattern.split('/') {
        let part = parts.next()?;
        if word.starts_with('{') && !part.is_empty() {
            places.push(decode_path(part));
        } else if word != part {
            return None;
        }
    }
    parts.next().is_none().then_some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Method, path and need of every line of the block above.
    fn documented() -> Vec<[String; 3]> {
        let lines = include_str!("routes.rs").lines();
        let block = lines.skip_while(|line| *line != "//! ```text").skip(1);
        let block = block.take_while(|line| *line != "//! ```");
        let words = block.map(|line| line.trim_start_matches("//! ").split_whitespace());
        words.map(|mut words| std::array::from_fn(|_| words.next().unwrap().to_owned())).collect()
    }

    #[test]
    fn the_documented_routes_are_the_routes() {
        let routes = ROUTES.iter().map(|route| {
            let need = format!("{:?}", route.need).to_lowercase();
            [route.method.to_string(), route.path.to_owned(), need]
        });
        assert_eq!(routes.collect::<Vec<_>>(), documented());
    }

    #[test]
    fn the_described_routes_are_the_routes() {
        let document = serde_json::to_value(openapi::document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let mut described: Vec<String> = Vec::new();
        for (path, item) in paths {
            let methods = item.as_object().unwrap().keys();
            described.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
        }
        let undescribed = ["/healthz", "/health-check", "/readyz", "/api/openapi.json"];
        let routes = ROUTES.iter().filter(|route| !undescribed.contains(&route.path));
        let mut routes: Vec<String> =
            routes.map(|route| format!("{} {}", route.method, route.path)).collect();
        routes.sort();
        described.sort();
        assert_eq!(routes, described);
    }

    #[test]
    fn places_are_decoded_and_never_empty() {
        let check = |path: &str| places("/api/objects/{uid}/history", path);
        assert_eq!(check("/api/objects/a%2Fb%00/history").unwrap(), ["a/b\0"]);
        assert_eq!(check("/api/objects//history"), None);
        assert_eq!(check("/api/objects/a"), None);
        assert_eq!(check("/api/objects/a/history/"), None);
        assert_eq!(places("/healthz", "*"), None);
        assert_eq!(places("/healthz", ""), None);
    }
}
