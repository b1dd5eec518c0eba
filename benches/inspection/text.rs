//! The bodies of the bench: made here, the same in every run.

/// A generator of small numbers; the constants are Knuth's (MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

const WORDS: [&str; 64] = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "a",
    "is",
    "that",
    "for",
    "it",
    "as",
    "was",
    "with",
    "be",
    "by",
    "on",
    "not",
    "this",
    "are",
    "from",
    "which",
    "request",
    "service",
    "report",
    "customer",
    "please",
    "summarise",
    "following",
    "meeting",
    "quarter",
    "revenue",
    "increase",
    "analysis",
    "because",
    "deployment",
    "function",
    "return",
    "value",
    "index",
    "should",
    "between",
    "however",
    "although",
    "model",
    "answer",
    "question",
    "detail",
    "system",
    "version",
    "3.14",
    "2026",
    "42",
    "v1.2.3",
    "e.g.",
    "don't",
    "it's",
    "(see",
    "below)",
    "\u{201c}quoted\u{201d}",
    "caf\u{e9}",
    "na\u{ef}ve",
    "#12",
    "50%",
    "A/B",
];

/// Sentences of about `bytes` bytes: words, some numbers, a little Unicode.
pub(crate) fn prose(bytes: usize) -> String {
    let mut numbers = Numbers(7);
    let mut text = String::with_capacity(bytes + 32);
    while text.len() < bytes {
        text.push_str(WORDS[numbers.below(WORDS.len())]);
        text.push_str(match numbers.below(24) {
            0 => ". ",
            1 => ", ",
            2 => ".\n",
            _ => " ",
        });
    }
    text
}

/// The same with one percent of its bytes in matches of several rules.
pub(crate) fn matching(bytes: usize) -> String {
    const MATCHES: [&str; 4] =
        ["anna.keller@nordwind-handel.de", "4539 5787 6362 1486", "DE89 3704 0044 0532 0130 00", "+49 30 901820 33"];
    let mut text = String::with_capacity(bytes + 64);
    for (at, chunk) in prose(bytes).as_bytes().chunks(2_500).enumerate() {
        text.push_str(&String::from_utf8_lossy(chunk));
        text.push(' ');
        text.push_str(MATCHES[at % MATCHES.len()]);
        text.push(' ');
    }
    text
}

/// A chat request with the text as the user's message.
pub(crate) fn chat(text: &str) -> Vec<u8> {
    let system = "You are a helpful assistant. Answer briefly.";
    let body = serde_json::json!({
        "model": "gpt-5", "temperature": 0.2, "stream": true,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": text}],
    });
    body.to_string().into_bytes()
}

/// An agent's request: many short strings, most of the bytes in tool definitions, calls and results.
pub(crate) fn tools(bytes: usize) -> Vec<u8> {
    let tool = |at: usize| {
        serde_json::json!({"type": "function", "function": {"name": format!("tool_{at}"), "description": "Looks something up in a table.",
            "parameters": {"type": "object", "properties": {"query": {"type": "string", "description": "What to look for"},
            "limit": {"type": "integer"}}, "required": ["query"]}}})
    };
    let call = |at: usize| {
        let arguments = serde_json::json!({"query": "a \"quoted\" word", "limit": 10}).to_string();
        serde_json::json!({"role": "assistant", "tool_calls": [{"id": format!("call_{at}"), "type": "function",
            "function": {"name": format!("tool_{at}"), "arguments": arguments}}]})
    };
    let count = bytes / 520 + 1;
    let tools: Vec<_> = (0..count).map(tool).collect();
    let messages: Vec<_> = (0..count).map(call).collect();
    serde_json::json!({"model": "gpt-5", "tools": tools, "messages": messages}).to_string().into_bytes()
}

/// Texts that are made to cost: each aims at another part.
pub(crate) fn hostile(bytes: usize) -> Vec<(&'static str, String)> {
    let patterns: [(&'static str, &'static str); 16] = [
        ("@", "a@"),
        ("local parts", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@ "),
        ("digits", "4"),
        ("grouped digits", "4539 5787 6362 1487 "),
        ("dots", "1.2.3.4."),
        ("key prefixes", "AKIAAKIA"),
        ("token prefixes", "ghp_sk-ant-eyJ"),
        ("armour", "-----BEGIN PRIVATE KEY-----\n"),
        ("country codes", "DE89GB82FR76"),
        ("base64", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0NTY3ODk="),
        ("base64 of base64", "UVVKRFJFVkdSMGhKU2t0TVRVNVFVVkpUVkZWV1YxaFpXbw== "),
        ("percent", "%41"),
        ("entities", "&#64;"),
        ("escapes", "\\u0041"),
        ("zero width", "a\u{200b}"),
        ("full width", "\u{ff21}\u{fdfa}\u{0430}b"),
    ];
    patterns.into_iter().map(|(name, unit)| (name, unit.repeat(bytes / unit.len()))).collect()
}
