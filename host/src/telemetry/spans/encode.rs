//! The JSON of OTLP, <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>: numbers of 64 bits are texts,
//! ids are in hex, names are in camel case.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::{Kind, Value};

/// Enough of an error for eyes.
const LONGEST_MESSAGE: usize = 500;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request<'a> {
    pub(super) resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceSpans<'a> {
    pub(super) resource: ResourceOf,
    pub(super) scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Serialize)]
pub(super) struct ResourceOf {
    pub(super) attributes: Vec<Attribute>,
}

#[derive(Serialize)]
pub(super) struct ScopeSpans<'a> {
    pub(super) scope: Scope,
    pub(super) spans: &'a [Span],
}

#[derive(Serialize)]
pub(super) struct Scope {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: &'static str,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
    status: Status,
}

#[derive(Serialize)]
pub(super) struct Attribute {
    key: &'static str,
    value: AnyValue,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::enum_variant_names, reason = "the names of the protocol")]
enum AnyValue {
    StringValue(String),
    IntValue(String),
    BoolValue(bool),
}

#[derive(Default, Serialize)]
struct Status {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// `STATUS_CODE_ERROR`.
const FAILED: u8 = 2;

pub(super) fn attribute(key: &'static str, value: Value) -> Attribute {
    let value = match value {
        Value::Text(text) => AnyValue::StringValue(text),
        Value::Number(number) => AnyValue::IntValue(number.to_string()),
        Value::Flag(flag) => AnyValue::BoolValue(flag),
    };
    Attribute { key, value }
}

impl Span {
    /// Its attributes are taken out of it.
    pub(super) fn of(span: &mut super::Span) -> Self {
        let nanos =
            |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string();
        let message = span.error.take().map(|mut why| {
            why.truncate(why.floor_char_boundary(LONGEST_MESSAGE));
            why
        });
        let attributes = std::mem::take(&mut span.attributes);
        Self {
            trace_id: span.context.trace_id().to_owned(),
            span_id: span.context.span_id().to_owned(),
            parent_span_id: span.parent.take(),
            name: span.name,
            kind: match span.kind {
                Kind::Internal => 1,
                Kind::Server => 2,
                Kind::Client => 3,
                Kind::Consumer => 5,
            },
            start_time_unix_nano: nanos(span.began),
            end_time_unix_nano: nanos(span.ended),
            attributes: attributes.into_iter().map(|(key, value)| attribute(key, value)).collect(),
            status: Status { code: message.as_ref().map(|_| FAILED), message },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::task::Trace;

    #[test]
    fn a_span_is_as_the_protocol_has_it() {
        let context =
            Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").expect("a header");
        let began = UNIX_EPOCH + Duration::from_secs(1_780_000_000);
        let mut span = super::super::Span {
            context,
            parent: Some("0102030405060708".to_owned()),
            name: "step",
            kind: Kind::Internal,
            began,
            ended: began + Duration::from_nanos(5),
            attributes: vec![("task.id", "t".into()), ("step", 3.into()), ("replayed", true.into())],
            error: Some("it trapped".to_owned()),
        };
        assert_eq!(
            serde_json::to_value(Span::of(&mut span)).expect("JSON"),
            json!({
                "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                "spanId": "00f067aa0ba902b7",
                "parentSpanId": "0102030405060708",
                "name": "step",
                "kind": 1,
                "startTimeUnixNano": "1780000000000000000",
                "endTimeUnixNano": "1780000000000000005",
                "attributes": [
                    { "key": "task.id", "value": { "stringValue": "t" } },
                    { "key": "step", "value": { "intValue": "3" } },
                    { "key": "replayed", "value": { "boolValue": true } },
                ],
                "status": { "code": 2, "message": "it trapped" },
            })
        );
    }
}
