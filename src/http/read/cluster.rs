//! What the cluster API tells: objects, their history, and Events.

use super::{Call, found, ok};
use crate::{
    event::{Event, Key, kind},
    http::{
        body::Response,
        convert,
        error::Error,
        moment::Moment,
        openapi::{AtQuery, PageQuery},
        wire,
    },
    views::{
        Object,
        read::{self, ClusterEventFilter, ObjectFilter, ObjectVersion, Recorded},
    },
};

/// Cluster events that a detail page shows.
const DETAIL_EVENTS_MAX: usize = 50;

/// Objects: all living ones, and the newest deleted ones.
#[utoipa::path(get, path = "/api/objects", params(
    ("kind" = Option<String>, Query, description = "Only this kind."),
    ("namespace" = Option<String>, Query, description = "Only this namespace."),
    ("deleted" = Option<bool>, Query, description = "`false` leaves the deleted ones out."),
    ("limit" = Option<u64>, Query, description = "How many deleted ones at most."),
    AtQuery,
), responses((status = 200, body = wire::Objects)))]
pub(in crate::http) fn objects(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let filter =
        ObjectFilter { kind: call.params.text("kind"), namespace: call.params.text("namespace") };
    let living = moment.snapshot.state.objects.values();
    let mut living: Vec<&Object> = living.filter(|row| filter.fits(&row.object)).collect();
    living.sort_by_key(|row| (&row.object.kind, &row.object.namespace, &row.object.name));
    let mut objects: Vec<_> = living.into_iter().map(convert::object).collect();
    let mut deleted_from = None;
    if call.params.flag("deleted")?.unwrap_or(true) {
        let window = moment.newest(call.params.limit()?);
        let deleted = read::deleted_objects(&moment.reader, window, &filter)?;
        objects.extend(deleted.rows.iter().map(convert::deleted_object));
        deleted_from = deleted.next;
    }
    ok(&wire::Objects { seq: moment.seq(), objects, deleted_from })
}

/// One object, living or deleted, with its body.
#[utoipa::path(get, path = "/api/objects/{uid}",
    params(("uid" = String, Path, description = "The object's uid."), AtQuery),
    responses((status = 200, body = wire::ObjectDetail)))]
pub(in crate::http) fn object(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let uid = call.place();
    let (object, body) = match moment.snapshot.state.objects.get(&Key::object(uid)) {
        Some(living) => (convert::object(living), living_body(living)),
        None => deleted(moment, uid)?,
    };
    let filter = ClusterEventFilter { uid: Some(uid.to_owned()), ..Default::default() };
    let events = read::cluster_events(&moment.reader, moment.newest(DETAIL_EVENTS_MAX), &filter)?;
    ok(&wire::ObjectDetail {
        seq: moment.seq(),
        object,
        body: convert::json_body(&body),
        events: events.rows.into_iter().map(convert::cluster_event).collect(),
        events_from: events.next,
    })
}

fn living_body(living: &Object) -> String {
    match living.body.event(kind::OBJECT_OBSERVED) {
        Some(Event::ObjectObserved(event)) => event.body,
        _ => String::new(),
    }
}

/// The end of an object is the newest record of it.
fn deleted(moment: &Moment, uid: &str) -> Result<(wire::ObjectRow, String), Error> {
    let state = &moment.snapshot.state;
    let newest = read::object_history(&moment.reader, state, uid, moment.lookup())?;
    match found(newest, "this object")? {
        Recorded { seq, learned, value: Event::ObjectDeleted(value) } => {
            let row = Recorded { seq, learned, value };
            Ok((convert::deleted_object(&row), row.value.body))
        }
        _ => Err(Error::NotFound { what: "this object".into() }),
    }
}

/// The recorded states of one object, newest first.
#[utoipa::path(get, path = "/api/objects/{uid}/history",
    params(("uid" = String, Path, description = "The object's uid."), PageQuery),
    responses((status = 200, body = wire::ObjectHistory)))]
pub(in crate::http) fn object_history(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let window = moment.window(&call.params)?;
    let state = &moment.snapshot.state;
    let page = read::object_history(&moment.reader, state, call.place(), window)?;
    ok(&wire::ObjectHistory {
        seq: moment.seq(),
        next: page.next,
        versions: page.rows.into_iter().filter_map(version).collect(),
    })
}

fn version(row: ObjectVersion) -> Option<wire::ObjectVersion> {
    let (body, deleted_because) = match row.value {
        Event::ObjectObserved(event) => (event.body, None),
        Event::ObjectDeleted(event) => (event.body, Some(convert::because(event.because))),
        _ => return None,
    };
    Some(wire::ObjectVersion {
        seq: row.seq,
        time: row.learned,
        deleted: deleted_because.is_some(),
        deleted_because,
        body: convert::json_body(&body),
    })
}

/// Events of the cluster, newest record first, one for each uid.
#[utoipa::path(get, path = "/api/timeline", params(
    PageQuery,
    ("namespace" = Option<String>, Query, description = "Only about objects of this namespace."),
    ("uid" = Option<String>, Query, description = "Only about the object with this uid."),
    ("type" = Option<String>, Query, description = "Only `Normal` or only `Warning`."),
), responses((status = 200, body = wire::Timeline)))]
pub(in crate::http) fn timeline(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let filter = ClusterEventFilter {
        namespace: call.params.text("namespace"),
        uid: call.params.text("uid"),
        event_type: call.params.text("type"),
    };
    let window = moment.window(&call.params)?;
    let page = read::cluster_events(&moment.reader, window, &filter)?;
    ok(&wire::Timeline {
        seq: moment.seq(),
        next: page.next,
        events: page.rows.into_iter().map(convert::cluster_event).collect(),
    })
}
