//! The wire of a stream, read as strictly as any client does: whole events, valid UTF-8, JSON that ends where its data does.

use serde_json::Value;

/// One server-sent event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
}

/// The events that have data. A stream that ends inside an event was cut, which its dialect tells by the missing end; half of an
/// event's bytes at the end are dropped, as clients do.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Event>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut events = Vec::new();
    let (mut name, mut data) = (String::new(), Vec::new());
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                if !data.is_empty() {
                    events.push(Event { name: std::mem::take(&mut name), data: data.join("\n") });
                }
                (name, data) = (String::new(), Vec::new());
            }
            "" | "id" | "retry" => {}
            "event" => name = value.to_owned(),
            "data" => data.push(value),
            other => return Err(format!("a field named {other:?}")),
        }
    }
    Ok(events)
}

pub(super) fn json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("{error}: {}", String::from_utf8_lossy(bytes)))
}

/// An event whose name is given in its JSON too.
pub(super) fn named(name: &str, json: &str) -> String {
    format!("event: {name}\ndata: {json}\n\n")
}

pub(super) fn unnamed(json: &str) -> String {
    format!("data: {json}\n\n")
}
