//! Server-sent events as bytes.

use bytes::Bytes;
use serde::Serialize;

use crate::journal::Seq;

/// One message. JSON text has no line breaks, so one data line is enough.
pub(super) fn message(event: &str, id: Option<Seq>, data: &impl Serialize) -> Bytes {
    let mut out = format!("event: {event}\n").into_bytes();
    if let Some(id) = id {
        out.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    out.extend_from_slice(b"data: ");
    serde_json::to_writer(&mut out, data).expect("wire types have string keys and finite depth");
    out.extend_from_slice(b"\n\n");
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_block_whatever_its_text() {
        let bytes = message("batch", Some(7), &"a\nb\r\n\u{2028}");
        assert_eq!(bytes, "event: batch\nid: 7\ndata: \"a\\nb\\r\\n\u{2028}\"\n\n".as_bytes());
        assert_eq!(message("durable", None, &1), "event: durable\ndata: 1\n\n".as_bytes());
    }
}
