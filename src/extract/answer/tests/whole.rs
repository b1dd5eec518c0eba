//! Answers that come in one piece, as the providers' references show them.

use super::super::super::Api;
use super::super::super::tests::Case;
use super::super::super::tests::check;

const CHAT: &[Case] = &[
    (
        "a text",
        r#"{"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion","created":1741569952,"model":"gpt-5-2025-08-07",
            "choices":[{"index":0,"message":{"role":"assistant","content":"Hello!","refusal":null,"annotations":[{"type":"url_citation",
            "url_citation":{"start_index":1,"end_index":2,"url":"https://x.test","title":"t"}}]},"logprobs":null,"finish_reason":"stop"}],
            "usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},
            "completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},
            "service_tier":"default","system_fingerprint":"fp_44709d6fcb"}"#,
        &["assistant content: Hello!", "assistant url: https://x.test", "assistant title: t"],
        0,
    ),
    (
        "calls of tools, reasoning, a refusal, audio",
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":null,"reasoning_content":"think","reasoning":"more","tool_calls":[
            {"id":"call_abc123","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Bonn\"}"}},
            {"id":"call_2","type":"custom","custom":{"name":"shell","input":"ls"}}]},"finish_reason":"tool_calls"},
            {"index":1,"message":{"refusal":"no","function_call":{"name":"old","arguments":"{}"},"audio":{"id":"audio_1","data":"UklGRg==",
            "expires_at":1729018505,"transcript":"said"}}}]}"#,
        &[
            "assistant reasoning_content: think",
            "assistant reasoning: more",
            "call * name: weather",
            "call json arguments: {\"city\":\"Bonn\"}",
            "call * name: shell",
            "call input: ls",
            "assistant refusal: no",
            "call * name: old",
            "call json arguments: {}",
            "assistant transcript: said",
        ],
        1,
    ),
    (
        "log probabilities repeat the text as one",
        r#"{"choices":[{"message":{"content":"4111"},"logprobs":{"content":[{"token":"41","logprob":-0.000012345678,"bytes":[52,49],
            "top_logprobs":[{"token":"41","logprob":-0.1,"bytes":[52,49]}]},{"token":"11","logprob":-0.5,"bytes":null,"top_logprobs":[]}],
            "refusal":null}}]}"#,
        &["assistant content: 4111", "assistant token: 41", "assistant + token: 11", "assistant token: 41"],
        0,
    ),
    (
        "an error, and fields that nobody knows",
        r#"{"error":{"message":"Bad key sk-1","type":"invalid_request_error","param":null,"code":"invalid_api_key"},"x":{"y":"z"}}"#,
        &["assistant message: Bad key sk-1", "assistant key: x", "assistant key: y", "assistant y: z"],
        0,
    ),
];

const COMPLETIONS: &[Case] = &[(
    "two choices",
    r#"{"id":"cmpl-1","object":"text_completion","created":1589478378,"model":"gpt-3.5-turbo-instruct","choices":[{"text":"a","index":0,
        "logprobs":{"tokens":["x","y"],"token_logprobs":[-0.123456789,-1],"top_logprobs":[{"x":-0.123456789}],"text_offset":[0,1]},
        "finish_reason":"length"},{"text":"b","index":1}],"usage":{"prompt_tokens":5,"completion_tokens":7}}"#,
    &["assistant text: a", "assistant tokens: x", "assistant + tokens: y", "assistant key: x", "assistant text: b"],
    0,
)];

const EMBEDDINGS: &[Case] = &[(
    "vectors are no texts, in numbers or in base64",
    r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.0023064255,-0.009327292]},
        {"object":"embedding","index":1,"embedding":"zczMPc3MTD6amZk+"},{"embedding":"a text"}],"model":"text-embedding-3-small",
        "usage":{"prompt_tokens":8,"total_tokens":8}}"#,
    &["assistant embedding: a text"],
    0,
)];

const RESPONSES: &[Case] = &[
    (
        "a message, and the request once more",
        r#"{"id":"resp_67ccd2","object":"response","created_at":1741476542,"status":"completed","error":null,"incomplete_details":null,
            "instructions":"be kind","max_output_tokens":null,"model":"gpt-5","output":[{"type":"message","id":"msg_67","status":"completed",
            "role":"assistant","content":[{"type":"output_text","text":"one ","annotations":[{"type":"file_citation","index":3,
            "file_id":"file-1","filename":"f.txt"}],"logprobs":[{"token":"one","logprob":-0.123456789,"bytes":[111],"top_logprobs":[]},
            {"token":" ","logprob":-1}]},{"type":"output_text","text":"two","annotations":[]},{"type":"refusal","refusal":"no"}]}],
            "parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":"low","summary":null},"store":true,
            "temperature":1.0,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[{"type":"function","name":"f","description":"d"}],
            "top_p":1.0,"truncation":"disabled","usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":0},"output_tokens":87,
            "output_tokens_details":{"reasoning_tokens":0},"total_tokens":123},"user":null,"metadata":{}}"#,
        &[
            "system instructions: be kind",
            "assistant text: one ",
            "assistant + text: two",
            "assistant filename: f.txt",
            "assistant token: one",
            "assistant + token:  ",
            "assistant refusal: no",
            "tool * name: f",
            "tool description: d",
        ],
        0,
    ),
    (
        "items of every kind",
        r#"{"output":[{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"gAAAAA==",
            "content":[{"type":"reasoning_text","text":"r"}]},{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f",
            "arguments":"{\"a\":1}","status":"completed"},{"type":"custom_tool_call","name":"g","input":"free"},
            {"type":"mcp_call","id":"mcp_1","server_label":"s","name":"h","arguments":"{}","output":"o","error":null},
            {"type":"web_search_call","action":{"type":"search","query":"q"}},{"type":"file_search_call","queries":["q2"],
            "results":[{"text":"t"}]},{"type":"code_interpreter_call","code":"print()","outputs":[{"type":"logs","logs":"l"}],
            "container_id":"cntr_1"},{"type":"image_generation_call","result":"iVBORw0KGgo=","revised_prompt":"p"}]}"#,
        &[
            "assistant text: s",
            "assistant text: r",
            "call * name: f",
            "call json arguments: {\"a\":1}",
            "call * name: g",
            "call input: free",
            "call server_label: s",
            "call * name: h",
            "call json arguments: {}",
            "tool output: o",
            "call key: type",
            "call type: search",
            "call key: query",
            "call query: q",
            "call queries: q2",
            "tool key: text",
            "tool text: t",
            "call code: print()",
            "tool key: logs",
            "tool logs: l",
            "assistant key: revised_prompt",
            "assistant revised_prompt: p",
        ],
        1,
    ),
];

const MESSAGES: &[Case] = &[
    (
        "blocks",
        r#"{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"claude-opus-4-6","content":[
            {"type":"thinking","thinking":"hm","signature":"EqQBCgIYAhIM=="},{"type":"text","text":"a","citations":[
            {"type":"char_location","cited_text":"c","document_title":"t"}]},{"type":"tool_use","id":"toolu_01","name":"f",
            "input":{"q":"x"}},{"type":"text","text":"b"},{"type":"redacted_thinking","data":"EmwKAhgB"}],"stop_reason":"tool_use",
            "stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":6,"cache_creation":{"ephemeral_5m_input_tokens":0}}}"#,
        &[
            "assistant thinking: hm",
            "assistant text: a",
            "assistant + text: b",
            "assistant cited_text: c",
            "assistant document_title: t",
            "call * name: f",
            "call key: q",
            "call q: x",
        ],
        0,
    ),
    (
        "what a search found is from outside",
        r#"{"content":[{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}},{"type":"web_search_tool_result",
            "tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"https://x.test","title":"t",
            "encrypted_content":"Eqgf"}]}],"container":{"id":"container_1","expires_at":"2026-01-01T00:00:00Z"}}"#,
        &["call * name: web_search", "tool url: https://x.test", "tool title: t"],
        1,
    ),
    (
        "an error",
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded now"},"request_id":"req_1"}"#,
        &["assistant message: Overloaded now"],
        0,
    ),
];

const OTHER: &[Case] = &[
    (
        "a result of a tool, as in a request",
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"isError":false}}"#,
        &["assistant key: id", "tool text: a", "tool + text: b"],
        0,
    ),
    (
        "what a server asks of a client",
        r#"{"jsonrpc":"2.0","id":2,"method":"sampling/createMessage","params":{"systemPrompt":"s","messages":[{"role":"user",
            "content":{"type":"text","text":"u"}}]}}"#,
        &["assistant key: id", "none method: sampling/createMessage", "system systemPrompt: s", "user text: u"],
        0,
    ),
    (
        "Gemini: all strings",
        r#"{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"STOP"}]}"#,
        &[
            "assistant key: candidates",
            "assistant key: content",
            "assistant key: parts",
            "assistant key: text",
            "assistant text: a",
            "assistant key: role",
            "assistant role: model",
            "assistant key: finishReason",
            "assistant finishReason: STOP",
        ],
        0,
    ),
];

#[test]
fn whole_answers_are_the_models_and_what_they_bring_from_outside_is_a_tools() {
    check(Api::OpenAiChat.answer_table(), CHAT);
    check(Api::OpenAiCompletions.answer_table(), COMPLETIONS);
    check(Api::OpenAiEmbeddings.answer_table(), EMBEDDINGS);
    check(Api::OpenAiResponses.answer_table(), RESPONSES);
    check(Api::AnthropicMessages.answer_table(), MESSAGES);
    check(Api::Other.answer_table(), OTHER);
}
