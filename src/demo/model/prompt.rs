//! What the mock understands of a request: whom it asks, how much it says, and what the answer may be. One reader for all
//! dialects, since their fields do not collide. It never keeps the words themselves, only how many there are.

use serde_json::Value;

use super::quote;
use super::script;
use super::tokens::Tokens;

/// The most choices that one request gets: OpenAI's own bound.
const CHOICES_MAX: u64 = 128;

/// The most tokens of one answer, about 500 KB of text: a typing error in `tokens-N` must not eat the machine.
const TOKENS_MAX: usize = 100_000;

/// The most tools that one answer calls: one and "more than one" are the cases.
const CALLS_MAX: usize = 2;

/// A request, understood.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) model: String,
    pub(super) stream: bool,
    /// 24 hexadecimal digits that depend on the body alone.
    pub(super) id: String,
    /// Words in the last user message.
    pub(super) words: usize,
    /// What the whole input counts as.
    pub(super) tokens: usize,
    /// `>= 1`, `<= CHOICES_MAX`.
    pub(super) choices: usize,
    pub(super) include_usage: bool,
    /// The tools to be called instead of talking; mostly none.
    pub(super) calls: Vec<Call>,
    pub(super) body: Value,
    limit: Option<usize>,
}

/// A call of a tool.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// `call_…` or `toolu_…` without the prefix.
    pub(super) id: String,
    pub(super) name: String,
    /// A JSON object, as text.
    pub(super) arguments: String,
}

/// One choice's words, and whether the limit cut them.
pub(super) struct Talk {
    pub(super) tokens: Tokens,
    pub(super) cut: bool,
}

impl Prompt {
    /// Reads a parsed body; `bytes` are the same body as sent.
    pub(super) fn read(body: Value, bytes: &[u8]) -> Self {
        let id = fingerprint(bytes);
        let limit = ["max_completion_tokens", "max_tokens", "max_output_tokens"]
            .iter()
            .find_map(|field| body.get(field)?.as_u64())
            .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let input = ["messages", "input", "prompt"].iter().find_map(|field| body.get(field)).unwrap_or(&Value::Null);
        let last = last_user(input);
        let all = [input, body.get("system").unwrap_or(&Value::Null), body.get("instructions").unwrap_or(&Value::Null)];
        let choices = body.get("n").and_then(Value::as_u64).unwrap_or(1).clamp(1, CHOICES_MAX);
        Self {
            model: body.get("model").and_then(Value::as_str).unwrap_or_default().to_owned(),
            stream: body.get("stream") == Some(&Value::Bool(true)),
            words: words(last),
            tokens: 3 + all.iter().map(|part| words(part)).sum::<usize>(),
            choices: usize::try_from(choices).unwrap_or(1),
            include_usage: body.pointer("/stream_options/include_usage") == Some(&Value::Bool(true)),
            calls: calls(&body, input, &id),
            id,
            limit,
            body,
        }
    }

    /// The model's name as JSON.
    pub(super) fn model_json(&self) -> String {
        quote(&self.model)
    }

    /// What one choice says.
    pub(super) fn talk(&self, choice: usize) -> Talk {
        let script = self.model.strip_prefix("script-").and_then(script::named);
        let paragraph = match script {
            Some(text) => Tokens::cut(text.to_owned()),
            None => Tokens::paragraph(self.words, choice),
        };
        let tokens = match self.model.strip_prefix("tokens-").and_then(|count| count.parse::<usize>().ok()) {
            Some(count) => paragraph.cycle(count.min(TOKENS_MAX)),
            None => paragraph,
        };
        let limit = self.limit.unwrap_or(usize::MAX);
        let cut = tokens.len() > limit;
        Talk { tokens: tokens.limit(limit), cut }
    }

    /// What the whole answer counts as.
    pub(super) fn answer_tokens(&self) -> usize {
        if self.calls.is_empty() {
            (0..self.choices).map(|choice| self.talk(choice).tokens.len()).sum()
        } else {
            self.calls.iter().map(|call| call.fragments().len()).sum::<usize>() * self.choices
        }
    }

    /// A field of the body as JSON, or `default`.
    pub(super) fn echo(&self, field: &str, default: &str) -> String {
        self.body.get(field).map_or_else(|| default.to_owned(), Value::to_string)
    }
}

impl Call {
    /// The arguments in the fragments in which they are streamed; a cut falls into strings and between escapes alike.
    pub(super) fn fragments(&self) -> Tokens {
        Tokens::cut(self.arguments.clone())
    }
}

/// The last thing a user said; the whole input where there are no messages.
fn last_user(input: &Value) -> &Value {
    let Some(items) = input.as_array() else { return input };
    let user = items.iter().rev().find(|item| item.get("role").and_then(Value::as_str) == Some("user"));
    user.and_then(|item| item.get("content")).unwrap_or(input)
}

/// Words in all text of a value: of strings, and of what parts and messages carry.
fn words(value: &Value) -> usize {
    match value {
        Value::String(text) => text.split_whitespace().count(),
        Value::Array(items) => items.iter().map(words).sum(),
        Value::Object(fields) => {
            ["content", "text", "output", "arguments"].iter().filter_map(|name| fields.get(*name)).map(words).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Which tools to call: the first ones offered, unless the last turn already brought a tool's result.
fn calls(body: &Value, input: &Value, id: &str) -> Vec<Call> {
    let tools = body.get("tools").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let choice = body.get("tool_choice");
    let refused =
        choice.is_some_and(|choice| choice == "none" || choice.get("type").is_some_and(|kind| kind == "none"));
    if refused || answered(input) {
        return Vec::new();
    }
    let single = body.get("parallel_tool_calls") == Some(&Value::Bool(false))
        || body.pointer("/tool_choice/disable_parallel_tool_use") == Some(&Value::Bool(true));
    let named = tools.iter().filter_map(|tool| {
        let tool = tool.get("function").unwrap_or(tool);
        let schema = tool.get("parameters").or_else(|| tool.get("input_schema")).unwrap_or(&Value::Null);
        Some((tool.get("name")?.as_str()?, schema))
    });
    let count = if single { 1 } else { CALLS_MAX };
    let call = |(index, (name, schema)): (usize, (&str, &Value))| Call {
        id: format!("{}{index:02}", id.get(..22).unwrap_or_default()),
        name: name.to_owned(),
        arguments: arguments(schema),
    };
    named.take(count).enumerate().map(call).collect()
}

/// Whether the newest item is a tool's result, so that a loop of calls comes to an end.
fn answered(input: &Value) -> bool {
    let Some(last) = input.as_array().and_then(|items| items.last()) else { return false };
    let result = |item: &Value| {
        let kind = item.get("type").and_then(Value::as_str);
        matches!(kind, Some("tool_result" | "function_call_output"))
    };
    let parts = last.get("content").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    last.get("role").is_some_and(|role| role == "tool") || result(last) || parts.iter().any(result)
}

/// An object that fits the top level of a JSON schema, as text.
fn arguments(schema: &Value) -> String {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return "{}".to_owned() };
    let value = |schema: &Value| match schema.get("type").and_then(Value::as_str) {
        _ if schema.get("enum").is_some() => {
            schema.pointer("/enum/0").map_or_else(|| "null".to_owned(), Value::to_string)
        }
        Some("integer") => "42".to_owned(),
        Some("number") => "20.5".to_owned(),
        Some("boolean") => "true".to_owned(),
        Some("array") => "[]".to_owned(),
        Some("object") => "{}".to_owned(),
        _ => quote("Zürich \"old town\", 8001"),
    };
    let fields: Vec<String> =
        properties.iter().map(|(name, schema)| format!("{}:{}", quote(name), value(schema))).collect();
    format!("{{{}}}", fields.join(","))
}

/// 24 hexadecimal digits of a body, by FNV-1a with two starting values; an id, not a secret.
fn fingerprint(bytes: &[u8]) -> String {
    let hash =
        |start: u64| bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{:016x}{:08x}", hash(0xcbf2_9ce4_8422_2325), hash(0x9e37_79b9_7f4a_7c15) >> 32)
}
