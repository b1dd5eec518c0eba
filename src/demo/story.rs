//! The story that `penaxtra-gateway demo` tells: a handful of calls through the gateway, each shown with what was asked,
//! what came back and how long it took. The prompts are its own; it never shows anybody else's traffic.

use std::io;
use std::io::Write;
use std::time::Duration;

use serde_json::Value;

use super::call::Reply;
use super::call::call;

/// How much of a body is shown, in characters: a screen's two lines.
const SHOWN_MAX: usize = 160;

/// A scene: one call and what makes it a success.
struct Scene {
    title: &'static str,
    target: &'static str,
    body: &'static str,
    /// Where the wanted text of a whole answer is; a stream's text is shown as it comes.
    shows: &'static [&'static str],
}

const SCENES: [Scene; 6] = [
    Scene {
        title: "An OpenAI chat, answered in one piece",
        target: "/v1/chat/completions",
        body: r#"{"model":"mock-small","messages":[{"role":"user","content":"Did my words arrive?"}]}"#,
        shows: &["/choices/0/message/content"],
    },
    Scene {
        title: "The same as a stream: each piece is shown when it arrives",
        target: "/v1/chat/completions",
        body: r#"{"model":"mock-small","stream":true,"messages":[{"role":"user","content":"And now piece by piece?"}]}"#,
        shows: &[],
    },
    Scene {
        title: "An OpenAI Responses call, streamed",
        target: "/v1/responses",
        body: r#"{"model":"mock-small","stream":true,"input":"The newer way of asking"}"#,
        shows: &[],
    },
    Scene {
        title: "A chat that ends in a tool call",
        target: "/v1/chat/completions",
        body: r#"{"model":"mock-small","messages":[{"role":"user","content":"How is the weather?"}],"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}}}}}]}"#,
        shows: &["/choices/0/message/tool_calls/0/function/name", "/choices/0/message/tool_calls/0/function/arguments"],
    },
    Scene {
        title: "An Anthropic message, streamed",
        target: "/v1/messages",
        body: r#"{"model":"mock-large","max_tokens":300,"stream":true,"messages":[{"role":"user","content":"The same through the other door?"}]}"#,
        shows: &[],
    },
    Scene {
        title: "An embedding",
        target: "/v1/embeddings",
        body: r#"{"model":"mock-embedding","input":"a text to be placed","dimensions":4}"#,
        shows: &["/data/0/embedding"],
    },
];

/// Where the text of a stream's event is, in each dialect.
const DELTAS: [&str; 3] = ["/choices/0/delta/content", "/delta/text", "/delta"];

/// Calls through the gateway at `base_url_plain` (`http://host:port`), tells `out` what happened. Returns whether every call ended as it should; an error only where `out` cannot be written.
pub fn tell(base_url_plain: &str, out: &mut dyn Write) -> io::Result<bool> {
    let base = base_url_plain.trim_end_matches('/');
    let authority = base.strip_prefix("http://").unwrap_or(base);
    writeln!(out, "\n{} calls through the gateway at {base}; behind it answers a mock LLM.", SCENES.len() + 1)?;
    let mut good = 0;
    for (index, scene) in SCENES.iter().enumerate() {
        writeln!(out, "\n{}. {}", index + 1, scene.title)?;
        good += usize::from(play(scene, authority, out)?);
    }
    writeln!(out, "\n{}. A request with two lengths, which two readers could read in two ways", SCENES.len() + 1)?;
    good += usize::from(refused(authority, out)?);
    let count = SCENES.len() + 1;
    writeln!(out, "\n{good} of {count} calls ended as they should.")?;
    Ok(good == count)
}

/// One call, told. True when it was answered with what the scene wants.
fn play(scene: &Scene, authority: &str, out: &mut dyn Write) -> io::Result<bool> {
    writeln!(out, "   > POST {}  {}", scene.target, shorten(scene.body))?;
    write!(out, "   < ")?;
    out.flush()?;
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\nauthorization: Bearer mock\r\n\
         anthropic-version: 2023-06-01\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
        scene.target,
        scene.body.len(),
        scene.body,
    );
    let mut pieces = 0;
    let told = call(authority, &request, &mut |event| {
        let Some(text) = DELTAS.iter().find_map(|place| event.pointer(place)?.as_str()) else { return Ok(false) };
        pieces += usize::from(!text.is_empty());
        write!(out, "{}", text.replace('\n', " "))?;
        out.flush()?;
        Ok(!text.is_empty())
    });
    let Some(reply) = arrived(told, out)? else { return Ok(false) };
    if reply.status == 200 && scene.shows.is_empty() {
        let first = reply.first.map_or_else(|| "no text".to_owned(), |first| format!("first after {}", time(first)));
        writeln!(out, "\n     {} in {}: {pieces} pieces, {first}.", reply.status, time(reply.total))?;
        return Ok(pieces > 0);
    }
    let answer: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let shown: Option<Vec<String>> = scene.shows.iter().map(|place| answer.pointer(place).map(plain)).collect();
    match shown.filter(|_| reply.status == 200) {
        Some(shown) => {
            writeln!(out, "{}\n     {} in {}.", shown.join(" "), reply.status, time(reply.total)).map(|()| true)
        }
        None => writeln!(out, "not what was hoped for: {} {}", reply.status, shorten(&reply.body)).map(|()| false),
    }
}

/// The malformed request: 400 is the good end.
fn refused(authority: &str, out: &mut dyn Write) -> io::Result<bool> {
    writeln!(out, "   > POST /v1/chat/completions  content-length: 2, content-length: 3")?;
    write!(out, "   < ")?;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\n\
         content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"
    );
    let told = call(authority, &request, &mut |_| Ok(false));
    let Some(reply) = arrived(told, out)? else { return Ok(false) };
    let verdict = if reply.status == 400 { "refused, as it must be" } else { "this should have been 400" };
    writeln!(out, "{}\n     {} in {}: {verdict}.", shorten(&reply.body), reply.status, time(reply.total))?;
    Ok(reply.status == 400)
}

/// The reply, or a line that says that none came.
fn arrived(told: io::Result<Reply>, out: &mut dyn Write) -> io::Result<Option<Reply>> {
    match told {
        Ok(reply) => Ok(Some(reply)),
        Err(error) => {
            writeln!(out, "no answer: {error}")?;
            Ok(None)
        }
    }
}

/// How to go on by hand.
pub(super) fn invite(base: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nTry it yourself:")?;
    writeln!(out, "  curl -N {base}/v1/chat/completions -H 'content-type: application/json' \\")?;
    writeln!(
        out,
        r#"    -d '{{"model":"mock-small","stream":true,"messages":[{{"role":"user","content":"Hello there"}}]}}'"#
    )?;
    writeln!(out, "  OpenAI SDKs:     base URL {base}/v1, any API key")?;
    writeln!(out, "  Anthropic SDKs:  base URL {base}, any API key\n")?;
    out.flush()
}

/// A JSON value as a reader wants it: a string without its quotes, on one line.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.replace('\n', " ").trim_end().to_owned())
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn time(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::tell;
    use crate::demo::server::MockLlm;
    use crate::demo::server::Options;

    fn told(base: &str) -> (bool, String) {
        let mut out = Vec::new();
        let good = tell(base, &mut out).unwrap();
        (good, String::from_utf8(out).unwrap())
    }

    #[test]
    fn the_story_ends_well_where_every_call_is_answered() {
        let mock = MockLlm::start(SocketAddr::from(([127, 0, 0, 1], 0)), Options::default()).unwrap();
        let (good, text) = told(&format!("http://{}/", mock.address));
        assert!(good, "{text}");
        for expected in ["You sent 4 words", "weather", "7 of 7", "400 in"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }

    #[test]
    fn the_story_says_so_where_nobody_answers() {
        // A port that was free a moment ago.
        let mock = MockLlm::start(SocketAddr::from(([127, 0, 0, 1], 0)), Options::default()).unwrap();
        let base = format!("http://{}", mock.address);
        drop(mock);
        let (good, text) = told(&base);
        assert!(!good);
        assert!(text.contains("no answer") && text.contains("0 of 7"), "{text}");
    }
}
