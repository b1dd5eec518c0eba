//! JSON with holes: strings that begin with `@`, to be filled with texts and read back. `"@json"` is filled with a document that holds
//! the text as its argument `q`.

use serde_json::Value;
use serde_json::json;

/// Puts texts into their holes.
pub fn fill(value: &mut Value, texts: &[(&str, &str)]) {
    match value {
        Value::String(hole) if hole == "@json" => *hole = json!({"q": texts[0].1}).to_string(),
        Value::String(hole) => {
            if let Some((_, text)) = texts.iter().find(|(name, _)| hole == name) {
                (*text).clone_into(hole);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, texts)),
        Value::Object(fields) => fields.values_mut().for_each(|field| fill(field, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Appends what fills the holes of the template; all else must be the template's.
pub fn read(template: &Value, value: &Value, out: &mut String) {
    match (template, value) {
        (Value::String(hole), Value::String(text)) if hole == "@json" => {
            let inside: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"));
            out.push_str(inside["q"].as_str().unwrap());
        }
        (Value::String(hole), Value::String(text)) if hole.starts_with('@') => out.push_str(text),
        (Value::Array(holes), Value::Array(items)) => {
            assert_eq!(holes.len(), items.len());
            holes.iter().zip(items).for_each(|(hole, item)| read(hole, item, out));
        }
        (Value::Object(holes), Value::Object(fields)) => {
            assert!(holes.keys().eq(fields.keys()));
            holes.values().zip(fields.values()).for_each(|(hole, field)| read(hole, field, out));
        }
        (template, value) => assert_eq!(template, value, "what stands around the text is another"),
    }
}
