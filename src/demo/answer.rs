//! The part of the story about answers: one in which a number is masked while it streams, one that is cut, and one in which a value
//! that left under a placeholder comes back. The model says what `model::script` holds.

use std::io;
use std::io::Write;
use std::time::Duration;

use serde_json::Value;

use super::call::Reply;
use super::guard::Ground;
use super::guard::ask;
use super::model::script;
use crate::clock;

/// What came of a streamed answer.
#[derive(Default)]
struct Told {
    text: String,
    /// When each piece of text came, from the call on.
    arrivals: Vec<Duration>,
    /// The index of the piece that holds the mask.
    masked: Option<usize>,
    /// The error that ended it.
    error: Option<Value>,
}

/// Asks for a scripted answer, and shows it as it comes.
fn listen(ground: &Ground<'_>, name: &str, prompt: &str, out: &mut dyn Write) -> io::Result<(Reply, Told)> {
    writeln!(out, "   > {prompt}")?;
    write!(out, "   < ")?;
    let (begun, mut told) = (clock::now(), Told::default());
    let body = serde_json::json!({
        "model": format!("script-{name}"), "stream": true, "messages": [{"role": "user", "content": prompt}]
    });
    let reply = ask(ground, &body, &mut |event| {
        if event.get("error").is_some() {
            told.error = Some(event.clone());
        }
        let text = event.pointer("/choices/0/delta/content").and_then(Value::as_str).unwrap_or_default();
        if text.contains("[CARD]") {
            told.masked = Some(told.arrivals.len());
        }
        if !text.is_empty() {
            told.arrivals.push(begun.elapsed());
            told.text.push_str(text);
            write!(out, "{text}")?;
            out.flush()?;
        }
        Ok(!text.is_empty())
    })?;
    writeln!(out)?;
    Ok((reply, told))
}

pub(super) fn masked(ground: &Ground<'_>, out: &mut dyn Write) -> io::Result<bool> {
    writeln!(out, "\nE. A card number in an answer: masked while it streams, and nothing else waits")?;
    let (reply, told) = listen(ground, "card", "How was this paid?", out)?;
    let times: Vec<String> = told.arrivals.iter().map(|time| time.as_millis().to_string()).collect();
    writeln!(out, "     Pieces came after {} ms.", times.join(" "))?;
    let (mut held, mut other) = (Duration::ZERO, Duration::ZERO);
    for (index, two) in told.arrivals.windows(2).enumerate() {
        let [before, at] = two else { continue };
        let longest = if Some(index + 1) == told.masked { &mut held } else { &mut other };
        *longest = at.saturating_sub(*before).max(*longest);
    }
    let (held, other) = (held.as_millis(), other.as_millis());
    writeln!(out, "     The number came {held} ms behind the piece before it, every other piece within {other} ms.")?;
    Ok(reply.status == 200 && told.text == script::CARD.replace("4111 1111 1111 1111", "[CARD]"))
}

pub(super) fn cut(ground: &Ground<'_>, out: &mut dyn Write) -> io::Result<bool> {
    writeln!(out, "\nF. An AWS key in an answer: the stream ends where it begins, with the error that SDKs raise")?;
    let (reply, told) = listen(ground, "key", "What opens the build server?", out)?;
    let error = told.error.unwrap_or_default();
    writeln!(out, "   ! {error}")?;
    let is_told = error.pointer("/error/code").is_some_and(|code| code == "DLP.SECRET.AWS_ACCESS_KEY");
    Ok(reply.status == 200 && is_told && told.text.trim_end() == "Of course. The key of the build server is")
}

pub(super) fn restored(ground: &Ground<'_>, out: &mut dyn Write) -> io::Result<bool> {
    writeln!(
        out,
        "\nG. An e-mail address under version 2: the model works with a token, the caller gets the address back"
    )?;
    let (address, prompt) =
        ("anna.keller@nordwind-handel.de", "Write to anna.keller@nordwind-handel.de that the offer stands.");
    let (reply, told) = listen(ground, "letter", prompt, out)?;
    let seen = ground.guard.prompt();
    writeln!(out, "   = {seen}\n     What the model got. It said: {}", script::LETTER)?;
    let said = script::LETTER.replace("[EMAIL_1]", address);
    Ok(reply.status == 200 && told.text == said && seen == prompt.replace(address, "[EMAIL_1]"))
}
