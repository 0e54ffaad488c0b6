//! The OpenAPI description of the surface, from the wire types and the handlers.

use utoipa::{
    IntoParams, OpenApi,
    openapi::{
        ContentBuilder, Object, Ref, RefOr, ResponseBuilder, Schema, Type, path::Operation,
        schema::SchemaType,
    },
};

use super::{download, live, outside, read, wire, write};

/// The moment that an answer is of.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "described here, read by name in `Params`")]
pub(super) struct AtQuery {
    /// The state at a past moment: a sequence number, or an RFC 3339 time.
    at: Option<String>,
}

/// A page of a history, and the moment that it is of.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "described here, read by name in `Params`")]
pub(super) struct PageQuery {
    /// The state at a past moment: a sequence number, or an RFC 3339 time.
    at: Option<String>,
    /// Rows at most; 100 when absent.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u64>,
    /// Only records with a lower number; `next` of the page before. A page ends after a second with
    /// the rows that it has, none maybe, and `next` says where to go on.
    before: Option<u64>,
    /// Only records with a higher number.
    after: Option<u64>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "monitor-backend",
        description = "The flight recorder and admin desk of a Kubernetes cluster and its \
                       app-server. The protocol is disposable: it may change with every version.",
    ),
    paths(
        write::session,
        write::log_in,
        write::log_out,
        read::recorder::status,
        read::overview::overview,
        read::problems::problems,
        read::cluster::objects,
        read::cluster::object,
        read::cluster::object_history,
        read::cluster::timeline,
        read::app::logs,
        read::app::requests,
        read::app::request,
        read::app::live_queries,
        read::app::probes,
        read::usage::volumes,
        read::usage::volume_history,
        read::recorder::sources,
        read::actions::actions,
        write::start_action,
        read::actions::action,
        write::cancel_action,
        read::actions::runbooks,
        live::live,
        read::journal::journal,
        download::segment,
        download::backup,
        write::wipe,
        outside::outside,
        outside::tools_session,
        outside::loki::lines,
        outside::grafana::password,
    ),
    components(schemas(
        wire::ErrorBody,
        wire::DryRun,
        wire::ToolsSessionRequest,
        wire::ToolsSession,
        wire::LokiLogs,
        wire::GrafanaPassword,
        wire::LiveHello,
        wire::LiveBatch,
        wire::LiveDurable,
        wire::LiveShed,
        wire::LiveReset,
        wire::LiveHeartbeat,
    ))
)]
struct Description;

/// The description. Paths are relative to the base path.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Description::openapi();
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
            complete(operation);
        }
    }
    let schemas = document.components.iter_mut().flat_map(|known| known.schemas.values_mut());
    for schema in schemas {
        if let RefOr::T(Schema::Object(object)) = schema {
            require_nullable(object);
        }
    }
    document
}

/// What every operation has, and the names of our modules, which are nobody's business.
fn complete(operation: &mut Operation) {
    operation.tags = None;
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = "Done as asked.".into();
        }
    }
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
    let refusal = ResponseBuilder::new()
        .description("Every refusal.")
        .content("application/json", body)
        .build();
    operation.responses.responses.insert("default".into(), RefOr::T(refusal));
}

/// What may be null is there all the same: the derived schemas would have it optional.
fn require_nullable(object: &mut Object) {
    for (name, property) in &object.properties {
        if let RefOr::T(Schema::Object(property)) = property
            && let SchemaType::Array(types) = &property.schema_type
            && types.contains(&Type::Null)
        {
            object.required.push(name.clone());
        }
    }
}

/// The description as it is committed beside the frontend, whose types are made from it.
pub fn text() -> String {
    let mut text = document().to_pretty_json().expect("a description is plain data");
    text.push('\n');
    text
}
