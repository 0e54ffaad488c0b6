//! Events of the cluster (core/v1), as they are recorded: each as the range that it is.

use serde_json::Value;

use super::{Kind, object};
use crate::event::{ClusterEvent, Extensions, Millis, ObjectRef};

/// Reads an Event.
///
/// # Errors
/// It lacks what every object has.
pub fn read(kind: &Kind, event: Value) -> Result<ClusterEvent, String> {
    let text = |pointer| text(&event, pointer);
    let lacks = |what| object::lacks(kind, what);
    let time = |pointer| time(&event, pointer);
    let reported = time("/eventTime").or_else(|| time("/metadata/creationTimestamp"));
    let first = time("/firstTimestamp").or(reported).unwrap_or(0.0);
    let last = time("/series/lastObservedTime")
        .or_else(|| time("/lastTimestamp"))
        .or(time("/eventTime"))
        .unwrap_or(first);
    let count = |pointer| event.pointer(pointer).and_then(Value::as_u64).filter(|count| *count > 0);
    Ok(ClusterEvent {
        uid: text("/metadata/uid").ok_or_else(|| lacks("uid"))?,
        source: kind.source.clone(),
        resource_version: text("/metadata/resourceVersion")
            .ok_or_else(|| lacks("resourceVersion"))?,
        regarding: regarding(&event),
        event_type: text("/type").unwrap_or_default(),
        reason: text("/reason").unwrap_or_default(),
        message: text("/message").unwrap_or_default(),
        reporter: text("/reportingComponent")
            .or_else(|| text("/source/component"))
            .unwrap_or_default(),
        count: count("/series/count").or_else(|| count("/count")).unwrap_or(1),
        first,
        last,
        ext: Extensions::default(),
    })
}

fn regarding(event: &Value) -> ObjectRef {
    let of = |name: &str| text(event, &format!("/involvedObject/{name}")).unwrap_or_default();
    ObjectRef {
        api_version: of("apiVersion"),
        kind: of("kind"),
        namespace: of("namespace"),
        name: of("name"),
        uid: of("uid"),
    }
}

/// Empty means absent: old reporters write empty strings.
fn text(event: &Value, pointer: &str) -> Option<String> {
    event.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn time(event: &Value, pointer: &str) -> Option<Millis> {
    let time: jiff::Timestamp = event.pointer(pointer)?.as_str()?.parse().ok()?;
    Some(time.as_microsecond() as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::kinds::usual, *};

    fn read(more: Value) -> ClusterEvent {
        let mut event = json!({
            "metadata": {
                "uid": "u", "resourceVersion": "5", "creationTimestamp": "1970-01-01T00:00:09Z",
            },
            "involvedObject": {"kind": "Pod", "namespace": "ns", "name": "p", "uid": "pu"},
            "type": "Warning", "reason": "BackOff", "message": "m",
        });
        let fields = event.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        super::read(&usual("Event"), event).expect("a good event")
    }

    #[test]
    fn the_range_of_an_event_is_read_from_each_form() {
        let check = |more: Value, expected| {
            let event = read(more);
            assert_eq!((event.count, event.first, event.last), expected);
        };
        check(
            json!({
                "count": 3, "firstTimestamp": "1970-01-01T00:00:01Z",
                "lastTimestamp": "1970-01-01T00:00:02Z", "eventTime": null,
            }),
            (3, 1000.0, 2000.0),
        );
        check(
            json!({
                "firstTimestamp": null, "lastTimestamp": null, "count": 0,
                "eventTime": "1970-01-01T00:00:01.250500Z",
                "series": {"count": 7, "lastObservedTime": "1970-01-01T00:00:03.5Z"},
            }),
            (7, 1250.5, 3500.0),
        );
        check(json!({"eventTime": "1970-01-01T00:00:04Z"}), (1, 4000.0, 4000.0));
        check(json!({}), (1, 9000.0, 9000.0));
        check(json!({"firstTimestamp": "nonsense"}), (1, 9000.0, 9000.0));
    }

    #[test]
    fn the_reporter_is_read_from_each_form() {
        let reporter = |more| read(more).reporter;
        assert_eq!(reporter(json!({"reportingComponent": "a"})), "a");
        assert_eq!(reporter(json!({"reportingComponent": "", "source": {"component": "b"}})), "b");
        assert_eq!(reporter(json!({})), "");
    }
}
