//! Two streams without deltas of an LLM provider's kind: an MCP tool's result (JSON-RPC in events), and JSON lines.
//!
//! MCP has no fragments: a progress message for each piece, which says nothing of it, then the result with the whole text, twice
//! where it has one part: as content and as structured content.

use serde_json::Value;

use super::{Channel, Kind, Said, Told};
use super::{events, list, must, quote, text, whole};

pub(super) fn mcp_unary(said: &[Said]) -> String {
    let content: Vec<String> =
        said.iter().map(|said| format!(r#"{{"type":"text","text":{}}}"#, quote(&whole(said)))).collect();
    let structured = match said {
        [only] => format!(r#","structuredContent":{{"answer":{}}}"#, quote(&whole(only))),
        _ => String::new(),
    };
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[{}]{structured},"isError":false}}}}"#, content.join(","))
}

pub(super) fn mcp_stream(said: &[Said]) -> Vec<String> {
    let pieces: usize = said.iter().map(|(_, pieces)| pieces.len()).sum();
    let progress = |number: usize| {
        events::named(
            "message",
            &format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":"t","progress":{number},"total":{pieces},"message":"at work"}}}}"#
            ),
        )
    };
    let mut out: Vec<String> = (1..=pieces).map(progress).collect();
    out.push(events::named("message", &mcp_unary(said)));
    out
}

pub(super) fn mcp_assemble(bytes: &[u8]) -> Result<Told, String> {
    let mut told = Told::default();
    for event in events::read(bytes)? {
        let json = events::json(event.data.as_bytes())?;
        must(event.name.is_empty() || event.name == "message", "another name", &json)?;
        must(json["jsonrpc"] == "2.0" && !told.ended, "no JSON-RPC, or behind the end", &json)?;
        if json.get("error").is_some() {
            must(json["error"]["code"].is_i64() && json["error"]["message"].is_string(), "no error object", &json)?;
            told.error = Some(json);
            break;
        }
        if json.get("method").is_some() {
            continue;
        }
        told.texts = mcp_texts(&json)?;
        told.ended = true;
    }
    Ok(told)
}

pub(super) fn mcp_texts(body: &Value) -> Result<Vec<(Channel, String)>, String> {
    must(body["id"] == 1, "another id", body)?;
    let read =
        |(index, part): (usize, &Value)| Ok((Channel::of(Kind::Text).part(index), text(part, "/text")?.to_owned()));
    let texts: Vec<(Channel, String)> =
        list(body, "/result/content")?.iter().enumerate().map(read).collect::<Result<_, String>>()?;
    if let Some(structured) = body["result"].get("structuredContent") {
        let first = texts.first().map(|(_, text)| text.as_str());
        must(structured["answer"].as_str() == first, "structured content says another text", body)?;
    }
    Ok(texts)
}

fn line(said: &str, done: bool) -> String {
    format!(r#"{{"model":"mock","created_at":"2025-10-09T08:53:20Z","response":{},"done":{done}}}"#, quote(said))
}

pub(super) fn lines_unary(said: &[Said]) -> String {
    line(&said.iter().map(whole).collect::<String>(), true)
}

pub(super) fn lines_stream(said: &[Said]) -> Vec<String> {
    let pieces = said.iter().flat_map(|(_, pieces)| pieces);
    let mut out: Vec<String> = pieces.map(|piece| line(piece, false) + "\n").collect();
    out.push(line("", true) + "\n");
    out
}

pub(super) fn lines_assemble(bytes: &[u8]) -> Result<Told, String> {
    let mut told = Told::default();
    let mut said = String::new();
    for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let json = events::json(line)?;
        must(!told.ended, "a line behind the end", &json)?;
        if json.get("error").is_some() {
            told.error = Some(json);
            break;
        }
        said.push_str(text(&json, "/response")?);
        told.ended = json["done"] == true;
    }
    told.texts = vec![(Channel::of(Kind::Text), said)];
    Ok(told)
}

pub(super) fn lines_texts(body: &Value) -> Result<Vec<(Channel, String)>, String> {
    must(body["done"] == true, "not done", body)?;
    Ok(vec![(Channel::of(Kind::Text), text(body, "/response")?.to_owned())])
}
