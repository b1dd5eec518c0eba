//! The places of JSON-RPC as MCP uses it (revision 2025-11-25), and of every JSON that no other table is for.
//!
//! Of a document that is neither, all strings and keys are texts: only below `params` and `result` does this table know more. A batch
//! is an array of such documents, and so has the same places.

use super::node::ANY;
use super::node::ANY_SYSTEM;
use super::node::ANY_TOOL;
use super::node::BASE64;
use super::node::BODY;
use super::node::Key;
use super::node::Node;
use super::node::PART_TEXT;
use super::node::ROLE;
use super::node::Strings;
use super::node::TOOL;
use super::node::TOOL_BASE64;
use super::node::TOOL_TEXT;
use super::node::WORD;
use super::node::key;
use super::openai::TOOL_DEFINITION;

/// A request, a notification or an answer; or any other JSON.
pub static OTHER: Node = Node {
    keys: &[key("jsonrpc", &WORD), key("method", &METHOD), key("params", &PARAMS), key("result", &RESULT)],
    ..Node::free(&ANY, BODY)
};

/// `tools/call` makes everything in the request that nobody else says a call of the model.
pub(super) static METHOD: Node = Node::strings(Strings::Method, &ANY);

/// What is asked: arguments of a tool, a prompt or a resource; or a sampling of the client's model, with messages.
static PARAMS: Node = Node { keys: PARAMS_KEYS, ..Node::free(&ANY, BODY) };

/// The same where an answer has it: there a client is asked.
pub(super) static PARAMS_KEYS: &[Key] =
    &[key("name", &NAME), key("messages", &MESSAGE), key("systemPrompt", &ANY_SYSTEM), key("tools", &TOOL_DEFINITION)];

/// Of a tool, where the method calls one.
static NAME: Node = Node::strings(Strings::Text, &ANY).names_tool();

/// What is answered: a tool's result, the list of tools, a prompt's messages, a resource's contents.
static RESULT: Node = Node { keys: RESULT_KEYS, ..Node::free(&ANY, BODY) };

pub(super) static RESULT_KEYS: &[Key] = &[
    key("content", &CONTENT),
    key("structuredContent", &ANY_TOOL),
    key("isError", &WORD),
    key("tools", &TOOL_DEFINITION),
    key("messages", &MESSAGE),
    key("contents", &RESOURCE),
];

static MESSAGE: Node = Node { keys: &[key("role", &ROLE), key("content", &MESSAGE_CONTENT)], ..Node::free(&ANY, BODY) };

static MESSAGE_CONTENT: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &PART_TEXT),
        key("data", &BASE64),
        key("mimeType", &WORD),
        key("resource", &RESOURCE),
        key("content", &CONTENT),
    ],
    parts: true,
    ..Node::free(&ANY, BODY)
};

/// A tool's result in parts.
static CONTENT: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &TOOL_TEXT),
        key("data", &TOOL_BASE64),
        key("mimeType", &WORD),
        key("resource", &RESOURCE),
    ],
    parts: true,
    ..Node::free(&ANY_TOOL, TOOL)
};

/// A resource: a tool's, since it comes from outside.
static RESOURCE: Node = Node {
    keys: &[key("uri", &ANY_TOOL), key("mimeType", &WORD), key("text", &ANY_TOOL), key("blob", &TOOL_BASE64)],
    ..Node::free(&ANY_TOOL, TOOL)
};

#[cfg(test)]
mod tests {
    use super::super::tests::Case;
    use super::super::tests::check;
    use super::*;

    const CASES: &[Case] = &[
        (
            "a call of a tool, its method in front or behind",
            r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"f","arguments":{"path":"/etc"}}},
                {"params":{"name":"g","arguments":{"q":"x"}},"method":"tools\/call"}]"#,
            &[
                "call key: id",
                "call method: tools/call",
                "call * name: f",
                "call key: arguments",
                "call key: path",
                "call path: /etc",
                "call * name: g",
                "call key: arguments",
                "call key: q",
                "call q: x",
                "call method: tools/call",
            ],
            0,
        ),
        (
            "other methods",
            r#"{"jsonrpc":"2.0","id":"i","method":"resources/read","params":{"uri":"file:///x"}}"#,
            &["none key: id", "none id: i", "none method: resources/read", "none key: uri", "none uri: file:///x"],
            0,
        ),
        (
            "a result in parts",
            r#"{"jsonrpc":"2.0","result":{"content":[{"type":"text","text":"a","annotations":{"audience":["user"]}},
                {"type":"image","data":"iVBO","mimeType":"image/png"},{"type":"text","text":"b"},
                {"type":"resource","resource":{"uri":"u","mimeType":"text/plain","text":"t"}},{"type":"resource","resource":{"blob":"AAAA"}}],
                "structuredContent":{"k":"v"},"isError":false}}"#,
            &[
                "tool text: a",
                "tool + text: b",
                "tool key: annotations",
                "tool key: audience",
                "tool audience: user",
                "tool uri: u",
                "tool text: t",
                "tool key: k",
                "tool k: v",
            ],
            2,
        ),
        (
            "definitions of tools",
            r#"{"result":{"tools":[{"name":"f","title":"t","description":"d","inputSchema":{"type":"object","properties":{"p":{"type":"string"}}}}]}}"#,
            &["tool * name: f", "tool key: title", "tool title: t", "tool description: d", "tool key: p"],
            0,
        ),
        (
            "a sampling of the client's model",
            r#"{"method":"sampling/createMessage","params":{"systemPrompt":"s","messages":[{"content":{"type":"text","text":"u"},"role":"user"}]}}"#,
            &["none method: sampling/createMessage", "system systemPrompt: s", "user text: u"],
            0,
        ),
        (
            "Gemini: all strings",
            r#"{"contents":[{"role":"user","parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"iVBO"}}]}],"id":"i"}"#,
            &[
                "none key: contents",
                "none key: role",
                "none role: user",
                "none key: parts",
                "none key: text",
                "none text: a",
                "none key: inlineData",
                "none key: mimeType",
                "none mimeType: image/png",
                "none key: data",
                "none data: iVBO",
                "none key: id",
                "none id: i",
            ],
            0,
        ),
        ("no object", r#""a""#, &["none: a"], 0),
    ];

    #[test]
    fn json_rpc_and_any_other_json() {
        check(&OTHER, CASES);
    }
}
