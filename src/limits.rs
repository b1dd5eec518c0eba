//! Every bound in the program: what it limits, its unit, why that number, and what happens when it is reached.
//!
//! A bound that an operator may want to move is a setting: its default and its ceiling stand in `config/setting.rs`.
//! Nothing in this file reads anything of ours.

use std::time::Duration;

/// Bytes of a request or response head, start line and fields together.
///
/// 32 KiB: twice what HAProxy takes by default, room for a long `authorization` and cookies. Past it: 431 to a client, 502 for an upstream.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Bytes of a request line up to its CRLF. RFC 9112 section 3 asks for at least 8,000. Past it: 414.
pub const REQUEST_LINE_BYTES_MAX: usize = 8 * 1024;

/// Field lines of one head. Envoy and hyper stop at 100; 128 leaves room for chains of proxies. Past it: 431 or 502.
pub const HEAD_FIELDS_MAX: usize = 128;

/// Bytes of one chunk-size line with its extensions (RFC 9112 section 7.1.1). Past it: 400 or 502.
pub const CHUNK_LINE_BYTES_MAX: usize = 1024;

/// Bytes of chunk extensions that one body may carry beyond one for each byte of data; extensions are dropped, so
/// they are work without a result (CVE-2023-39326). Past it: 400 or 502.
pub const CHUNK_EXTENSION_BYTES_SLACK: u64 = 16 * 1024;

/// Hexadecimal digits of a chunk size, leading zeros included. 15 digits are 2^60 - 1, far above any body. Past it: 400 or 502.
pub const CHUNK_SIZE_DIGITS_MAX: usize = 15;

/// Bytes of a trailer section (RFC 9112 section 7.1.2); trailers are checked and dropped. Past it: 400 or 502.
pub const TRAILER_BYTES_MAX: usize = 8 * 1024;

/// Interim (1xx) responses of an upstream before its final one. Past it: 502.
pub const INTERIM_RESPONSES_MAX: usize = 8;

/// Digits of a `Content-Length`. 18 digits fit a `u64` and are far above any body. Past it: 400 or 502.
pub const CONTENT_LENGTH_DIGITS_MAX: usize = 18;

/// Bytes of a request id that is taken over from a client. Past it: a new one is made.
pub const REQUEST_ID_BYTES_MAX: usize = 128;

/// Bytes of one pooled buffer: a TLS record at its largest (RFC 8446 section 5.2: 16,384 + 256 + 5; RFC 5246: + 2,048)
/// and some room for a chunk's framing around it.
pub const BLOCK_BYTES: usize = 20 * 1024;

/// Bytes of plain text in one TLS record (RFC 8446 section 5.1), and the most that is read ahead of a slow reader.
pub const RECORD_PLAIN_BYTES_MAX: usize = 16 * 1024;

/// Bytes that one plain text may grow by as a TLS record: header 5, explicit nonce 8, tag 16, content type 1; rounded up.
pub const RECORD_OVERHEAD_BYTES: usize = 64;

/// Bytes of the smallest buffer that a few waiting bytes are moved to, so that one byte does not hold a block.
pub const SMALL_BYTES_MIN: usize = 1024;

/// Bytes of TLS records without application data (key updates, empty records) that a peer may send in a row. Past it: the
/// connection ends; such records cost work and mean nothing.
pub const TLS_QUIET_BYTES_MAX: usize = 64 * 1024;

/// Bytes of TLS records that are written at once: fewer system calls for long uploads, bounded memory for slow readers.
pub const TLS_FLUSH_BYTES: usize = 64 * 1024;

/// Reads in a row that find bytes before a connection lets the others of its core have a turn.
pub const READS_IN_A_ROW_MAX: u8 = 16;

/// Options of all `Connection` fields of one head. Past it: 400 or 502, since each option is compared with each field.
pub const CONNECTION_OPTIONS_MAX: usize = 32;

/// Buffers that a core keeps for reuse: 64 x 20 KiB = 1.25 MiB. Past it a returned buffer is freed.
pub const FREE_BLOCKS_MAX: usize = 64;

/// Bytes of TLS input that wait for the rest of a handshake message. A message is at most 64 KiB in rustls, plus one record.
/// Past it: the connection ends.
pub const TLS_INCOMING_BYTES_MAX: usize = 96 * 1024;

/// Bytes that a client may send ahead while its request is being answered. Past it the connection is no longer read
/// (nor watched for its end) until the answer is complete.
pub const PIPELINE_BYTES_MAX: usize = HEAD_BYTES_MAX;

/// Bytes of an upload, or of an answer that was gathered, that are handed to the kernel at once, and so what `timeout-idle` is measured over.
pub const UPLOAD_PIECE_BYTES: usize = 256 * 1024;

/// Bytes that are read and thrown away after a refusal, so that the client can read the refusal before the socket closes.
/// Past it: the socket is closed, and the client may see a reset.
pub const LINGER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long such a client is waited for.
pub const LINGER_TIME_MAX: Duration = Duration::from_secs(2);

/// How long the end of a TLS connection (close_notify) is waited for when writing would block.
pub const CLOSE_TIME_MAX: Duration = Duration::from_secs(1);

/// How often a worker looks at the life cycle and says that it lives. Also the longest that a drain goes unnoticed.
pub const TICK: Duration = Duration::from_millis(50);

/// Entries of a worker's io_uring. Rings count against RLIMIT_MEMLOCK, per user and node: 8 MiB hold 157 of 512.
/// When the kernel refuses with ENOMEM the half is tried, then epoll.
pub const RING_ENTRIES: u32 = 512;

/// Connections that the kernel queues for one listener before accept; the kernel lowers it to `net.core.somaxconn`.
pub const BACKLOG: i32 = 4096;

/// How long accepting pauses after an error such as EMFILE, so that a full table does not spin a core.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// How long a refused connection's client has to take its 503.
pub const REFUSE_TIME_MAX: Duration = Duration::from_millis(500);

/// Connections over the cap that one core answers with 503 at once. Past it: closed without an answer.
pub const REFUSING_MAX: usize = 64;

/// Addresses of the upstream that are tried in turn. Past it the rest of the list is not tried.
pub const CONNECT_ADDRESSES_MAX: usize = 8;

/// Seconds in `retry-after` of a 503: long enough for a full core to finish something, short enough for an SDK to wait.
pub const RETRY_AFTER_SECONDS: u32 = 1;

/// How old a worker's last heartbeat may be before the process counts as hung: 40 turns of a worker's 50 ms.
///
/// Short enough for a probe every few seconds to see a hang, long enough for a pod that the kernel throttles for a while.
pub const HEARTBEAT_MILLISECONDS_MAX: u64 = 2_000;

/// How long after the start of the process a worker may take to its first heartbeat: rings, listeners and certificates come first.
pub const FIRST_HEARTBEAT_MILLISECONDS_MAX: u64 = 10_000;

/// Bytes of a request's head; a scraper's is about 300. Past it: 431.
pub const ADMIN_HEAD_BYTES_MAX: usize = 4 * 1024;

/// Field lines of a head. Past it: 431.
pub const ADMIN_FIELDS_MAX: usize = 64;

/// How long a connection lasts, from its accept to its end, whatever the peer does.
pub const ADMIN_TIME_MAX: Duration = Duration::from_secs(2);

/// How much of it the request may take, so that a late one can still be told so.
pub const ADMIN_REQUEST_TIME_MAX: Duration = Duration::from_millis(1500);

/// Bytes that are read and thrown away after the answer: closing a socket with unread bytes resets it, and the answer is lost.
pub const ADMIN_LINGER_BYTES_MAX: usize = 16 * 1024;

/// Connections at once: two scrapers and a few probes, with room. Past it a connection is closed unanswered, and counted.
pub const ADMIN_CONNECTIONS_MAX: usize = 8;

/// How long accepting pauses after an error such as EMFILE.
pub const ADMIN_ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often a pair that moves while it is read is read again, and how long to wait before: 100 ms in all. A Secret is swapped
/// in well under one; what is still moving then is an error at the start, and tried again at the next poll afterwards.
pub const CERTIFICATE_READS_MAX: usize = 20;

/// Pause between two reads of files that change under the reader.
pub const CERTIFICATE_READ_PAUSE: Duration = Duration::from_millis(5);

/// Bytes of one PEM file: a whole system bundle of authorities is about 220 KiB, a chain or a key a few. Past it: an error.
pub const PEM_BYTES_MAX: u64 = 1024 * 1024;

/// Servers whose sessions a core remembers. There is one upstream; a few more cost nothing and cover its change of name.
pub const RESUMED_SERVERS_MAX: usize = 8;

/// How long after the closing of the listeners was asked for a worker's heartbeat proves that it has closed them: two of its turns.
pub const DRAIN_SETTLE: Duration = Duration::from_millis(100);

/// Addresses that are kept of one answer; a provider behind a load balancer gives 2 to 8. Past it the rest is dropped.
pub const ADDRESSES_MAX: usize = 32;

/// How old an answer gets before the name is looked up again. `getaddrinfo` does not tell an answer's TTL; providers' are 30 to 300 s.
pub const RESOLVE_REFRESH: Duration = Duration::from_secs(30);

/// The first pause after a failure; each further failure doubles it, up to `RESOLVE_REFRESH`.
pub const RESOLVE_RETRY_FIRST: Duration = Duration::from_secs(1);

/// How long the process has to end by itself after the second request to stop. It closes sockets and no more.
pub const EXIT_TIME: Duration = Duration::from_secs(1);

/// Requests to the control thread that wait for it. Signals of one kind merge in the kernel, and the thread does nothing that
/// takes long; past it whoever asks waits.
pub const ASKS_MAX: usize = 16;

/// How often the control thread looks while the process stops: a worker's own turn.
pub const DRAIN_TURN: Duration = Duration::from_millis(50);

/// How often the files are looked at. A Secret takes about a minute to reach a pod, so 10 s more are little.
pub const CERTIFICATE_LOOK_PAUSE: Duration = Duration::from_secs(10);

/// Bytes that are read of one of the kernel's files; the longest, the list of a process's cgroups, has a line per hierarchy.
pub const KERNEL_FILE_BYTES_MAX: u64 = 16 * 1024;

/// How long each of connecting, writing and reading may take.
pub const HEALTHCHECK_TIME_MAX: Duration = Duration::from_secs(3);

/// Bytes of an answer that are read; its status line is among the first.
pub const HEALTHCHECK_ANSWER_BYTES_MAX: u64 = 4096;

/// Depth of arrays and objects in a JSON body. Providers' own documents have about ten; a deeper one is made to exhaust a reader. Past it: 400.
pub const JSON_DEPTH_MAX: usize = 128;

/// Bytes of a string that may be a word of an API (a model's name, an id, an enumeration) and so no text. The longest ids have about 70.
/// Past it: it is inspected as a text.
pub const WORD_BYTES_MAX: usize = 128;

/// Strings, keys and long numbers of one body that are inspected. 262,144 x 28 bytes are 7 MiB while the body is held. Past it: 413.
pub const PIECES_MAX: usize = 256 * 1024;

/// How often a string may be JSON inside JSON (a tool call's arguments, escaped again). Past it the text is inspected as it is.
pub const JSON_NESTED_MAX: usize = 3;

/// Bytes that verification may read for each byte of a request's text (on top of a constant that lets small texts pass). Clean text
/// needs less than 2. Past it: the request is refused, `POLICY.SCAN_LIMIT`.
pub const VERIFIED_BYTES_FACTOR: u64 = 16;

/// The constant: one short text may cost this much whatever its length.
pub const VERIFIED_BYTES_SLACK: u64 = 64 * 1024;

/// Bytes of one policy pattern's automaton. Past it: the policy is refused.
pub const PATTERN_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of a request's text that patterns without an anchor are run over. Past it: the request is refused, `POLICY.SCAN_LIMIT`.
pub const SLOW_LANE_BYTES_MAX: u64 = 1024 * 1024;

/// Events in one core's ring: at 176 bytes each 88 KiB. It is emptied ten times a second. Past it: dropped and counted.
pub const EVENTS_MAX: usize = 512;

/// Events of one request, one for each rule and place; two of a stream, at the first match and at its end. More tell nothing new. Past it: the further ones are only counted as matches.
pub const EVENTS_PER_REQUEST_MAX: usize = 16;

/// Reason codes that are counted one by one; the taxonomy has about 60. Past it: in no figure but the total.
pub const EVENT_CODES_MAX: usize = 256;

/// How often the rings are emptied.
pub const EVENTS_PAUSE: Duration = Duration::from_millis(100);

/// How long the end of the process waits for the last events to be written.
pub const EVENTS_END_TIME_MAX: Duration = Duration::from_secs(1);

/// How often a policy file is looked at. A look asks for its metadata and reads nothing.
pub const POLICY_LOOK_PAUSE: Duration = Duration::from_secs(1);

/// Bytes of a request's path that are kept for the events of its answer. Past it the path is hashed as far as it was kept.
pub const PATH_BYTES_KEPT: usize = 1024;

/// Bytes of a JSON-RPC id that is repeated in an error, quotes included. A UUID has 36. Past it: `null`.
pub const RPC_ID_BYTES_MAX: usize = 64;

/// Findings of one request. Past it: the request is refused, `POLICY.SCAN_LIMIT`.
pub const FINDINGS_MAX: usize = 8192;

/// Bytes of a file that holds a public key: 64 digits and a line end, with room. Past it: an error.
pub const POLICY_KEY_BYTES_MAX: usize = 1024;

/// Bytes of a file that holds a private key; one with comments around it has a few hundred. Past it: it holds no key.
pub const POLICY_PRIVATE_KEY_BYTES_MAX: usize = 64 * 1024;

/// Bytes that each buffer of inspection's scratch keeps from one request to the next: enough for most prompts. What a longer one needed
/// is given back when the body before was shorter.
pub const SCRATCH_BYTES_KEPT: usize = 64 * 1024;

/// How many times the last body's bytes each of those buffers keeps: a folded text is up to three times as long, and lists grow by
/// doubling. Asking the kernel for the pages again costs a megabyte of text as much as its inspection.
pub const SCRATCH_KEPT_FACTOR: usize = 4;

/// Bytes of a policy's file, header and document. 10,000 rules of 200 to 400 bytes are 2 to 4 MiB. Past it: the policy is refused.
pub const POLICY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of a file that a policy is tried on: twice what a gateway takes by default. Past it: it is not tried, and `policy test` says so.
pub const TRIED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Files and folders that one run of `policy test` or `policy diff` looks at. Past it: nothing is tried, and it says so.
pub const TRIED_FILES_MAX: usize = 10_000;

/// Rules of one policy; large ones in use have a few hundred. Past it: the policy is refused.
pub const POLICY_RULES_MAX: usize = 10_000;

/// Literals of one rule. Past it: the policy is refused.
pub const POLICY_LITERALS_MAX: usize = 10_000;

/// Bytes of the shortest literal; a shorter one is found everywhere. Below it: the policy is refused.
pub const POLICY_LITERAL_BYTES_MIN: usize = 3;

/// Bytes of the longest literal. Past it: the policy is refused.
pub const POLICY_LITERAL_BYTES_MAX: usize = 256;

/// Bytes of one regular expression of a policy; one of a few hundred is already hard to read. Past it: the policy is refused.
pub const POLICY_PATTERN_BYTES_MAX: usize = 4 * 1024;

/// Context words of one rule: a dozen languages with a few words each. Past it: the policy is refused.
pub const POLICY_CONTEXT_WORDS_MAX: usize = 64;

/// Bytes of one context word. Past it: the policy is refused.
pub const POLICY_CONTEXT_BYTES_MAX: usize = 64;

/// Names in each list of a policy's `[tools]`; agents have tens of tools. Past it: the policy is refused.
pub const POLICY_TOOLS_MAX: usize = 1_000;

/// Bytes of a tool's name; providers take 64 or 128. Past it: a policy with such a name is refused, and where a policy lists names, a
/// call of one is denied.
pub const TOOL_NAME_BYTES_MAX: usize = 256;

/// Bytes that a stream under inspection is charged for at least: two texts, and the buffers of an event or two. Without room for it: 503.
/// What waits beyond that is charged as it comes; without room for it the stream is cut.
pub const STREAM_BYTES: usize = 4096;

/// Texts of one streamed answer that are told apart: 16 choices with 16 calls of tools each. Past it: the stream is cut.
pub const STREAM_CHANNELS_MAX: usize = 256;

/// Bytes of each of a stream's buffers that are kept while nothing waits: an event or two.
pub const STREAM_INPUT_BYTES_KEPT: usize = 2048;

/// Bytes of one stream's events that wait, decided about or not. At half of it: what the policy's `at_hold_limit` says; past it: the
/// stream is cut.
pub const STREAM_HELD_BYTES_MAX: usize = 512 * 1024;

/// Bytes that stand ready to be put into events that wait: values that were tokenised may be long, and repeated. Past it: the stream is cut.
pub const STREAM_EDITED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How many reads of one stream are told apart by when they came, while their text waits. Past it the last one counts as one with what
/// follows, whose time is up a little early.
pub const STREAM_ARRIVALS_MAX: usize = 16;

/// Bytes of a text's buffer that are kept while nothing waits.
pub const CHANNEL_BYTES_KEPT: usize = 512;

/// Bytes of a text that was given out and is looked at again, for what is only told of: more than the longest address. What is longer
/// is found from here on.
pub const CHANNEL_WATCHED_BYTES_MAX: usize = 448;

/// Bytes before what is decided that are kept: for context words, and for what a number or an address may stand behind.
pub const CHANNEL_CONTEXT_BYTES: usize = 80;

/// Bytes of one stream's answer that wait for an open match, where the policy does not say: longer than every bounded built-in match.
/// At it: what the policy's `at_hold_limit` says.
pub const ANSWER_HOLD_BYTES: usize = 4096;

/// The least that a policy may say: the longest token of a known form, 256 bytes, with room for the events around it.
pub const ANSWER_HOLD_BYTES_MIN: usize = 512;

/// The most that a policy may say: 10,000 streams that all wait would hold 640 MiB. Past it: the policy is refused.
pub const ANSWER_HOLD_BYTES_MAX: usize = 64 * 1024;

/// How long they wait, milliseconds, where the policy does not say: models pause for less between two tokens, and people wait no longer.
/// At it: as above.
pub const ANSWER_HOLD_MILLISECONDS: u64 = 2_000;

/// The most that a policy may say, milliseconds: half the time after which clients take a silent stream for dead. Past it: the policy is refused.
pub const ANSWER_HOLD_MILLISECONDS_MAX: u64 = 30_000;

/// Bytes of a placeholder's name: a word of 32, `_`, 9 digits. A longer text in brackets is no placeholder.
pub const PLACEHOLDER_NAME_BYTES_MAX: usize = 42;

/// Different values of one exchange that are kept to be put back in its answer; a prompt of names and addresses has tens. Past it: the
/// value is redacted for good, and counted.
pub const VAULT_VALUES_MAX: usize = 1024;

/// Bytes of them together: 64 bytes for each. Past it: as above.
pub const VAULT_BYTES_MAX: usize = 64 * 1024;

/// Different numbers of placeholders that a request itself holds and that are not given out. Past it: nothing of this exchange is put back.
pub const PLACEHOLDERS_TAKEN_MAX: usize = 256;

/// Mistakes that are told of one policy. Past it: only their number is.
pub const POLICY_MISTAKES_MAX: usize = 100;

/// Bytes of a policy bundle's header with the empty line; all of its fields at their longest need 500. Past it: the policy is refused.
pub const POLICY_HEADER_BYTES_MAX: usize = 1024;

/// Coded bytes that one step of decoding reads: text decodes in 0.1 ms, the slowest bytes that a search has found in 6. Past it: the
/// next step. A step of zstd is one block, 128 KiB at most.
pub const CODING_STEP_BYTES: usize = 8 * 1024;

/// Window of a coded body, bytes: what RFC 9659 lets a zstd coding ask for; for br it leaves out only the largest of sixteen
/// sizes, which is no encoder's default. Past it: 415.
pub const CODING_WINDOW_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Decoded bytes for each coded one. JSON of chats compresses by 3 to 10, JSON of repeated records by 50; an attacker's bytes by
/// 1,000 (gzip) and above. Past it: 413.
pub const CODING_RATIO_MAX: usize = 100;

/// Decoded bytes that come on top, whatever the ratio: a small body may repeat itself, and this much decodes in a fraction of a
/// millisecond. Past both: 413.
pub const CODING_RATIO_SLACK_BYTES: usize = 64 * 1024;

/// Bytes that are charged to a core's budget for a stream in gzip or deflate while it is decoded: a window of 32 KiB and tables. Where the
/// budget has no room: 503.
pub const CODING_SMALL_BYTES: usize = 48 * 1024;

/// The same for br and zstd: the longest window, half as much again while it grows, and 0.5 MiB of tables.
pub const CODING_LARGE_BYTES: usize = 13 * 1024 * 1024;

/// Members of a gzip body, frames of a zstd body. Each costs the reset of a window, and may be 20 bytes long; tools that write several
/// make one for every 64 KiB or more. Past it: 400.
pub const CODING_FRAMES_MAX: usize = 4096;

/// Parts of one `multipart/form-data` body. Uploads to LLM APIs have about ten. Past it: 413.
pub const FORM_PARTS_MAX: usize = 1024;

/// Field lines of one part. Browsers and SDKs send two, some libraries four. Past it: 400.
pub const FORM_PART_FIELDS_MAX: usize = 16;

/// Bytes of one part's field lines: room for a name and a file name of 255 characters of three bytes, percent-encoded. Past it: 400.
pub const FORM_PART_HEAD_BYTES_MAX: usize = 8 * 1024;

/// Layers of wrapping (percent, entities, escapes) that are taken off a text: `%25252541` is `A`. Past it what is left stays as it is;
/// a reader that unwraps once or twice does not get there either.
pub const WRAPPING_LAYERS_MAX: usize = 3;

/// Characters, decomposed, that are combined at a time: UAX #15 section 13 allows 30 marks. Past it what follows begins anew.
pub const COMBINED_CHARACTERS_MAX: usize = 32;

/// How many times as long as its source a folded sequence may be: U+FDFA has 18 characters in its place. Past it the character
/// stays as it is.
pub const FOLDED_GROWTH_MAX: usize = 3;

/// How often what was decoded (base64, hexadecimal) is decoded again. Past it what it says is not looked at: no tool wraps so often.
pub const DECODING_DEPTH_MAX: usize = 3;

/// Matches without a context word that are remembered while one may still follow, in one text. More: all text from the first on waits.
pub const AWAITED_MAX: usize = 8;

/// Characters of the shortest run that is decoded, padding among them: 11 bytes of base64, 8 of hexadecimal. Secrets are longer.
pub const ENCODED_CHARACTERS_MIN: usize = 16;

/// Bytes of one event of a stream, its field names and the empty line among them. An event of a Responses stream may repeat the whole
/// answer beside the request's instructions and tools, or hold an image: 1536 x 1024 as PNG in base64 is about 4 MiB. Past it: the
/// answer is cut.
pub const SSE_EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

const _: () = {
    assert!(REQUEST_LINE_BYTES_MAX < HEAD_BYTES_MAX);
    assert!(RECORD_PLAIN_BYTES_MAX + 2048 + 5 <= BLOCK_BYTES);
    assert!(RECORD_PLAIN_BYTES_MAX + RECORD_OVERHEAD_BYTES <= BLOCK_BYTES);
    assert!(TLS_INCOMING_BYTES_MAX > BLOCK_BYTES);
    assert!(CHUNK_SIZE_DIGITS_MAX < 16);
    assert!(ANSWER_HOLD_BYTES_MIN <= ANSWER_HOLD_BYTES && ANSWER_HOLD_BYTES <= ANSWER_HOLD_BYTES_MAX);
    assert!(TOOL_NAME_BYTES_MAX < ANSWER_HOLD_BYTES_MIN);
};

/// How long each wait may last. Each is a setting of 1 ms to 24 h (`drain_delay` may be zero); the defaults stand in `config/setting.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the first byte of a request head to its last. At the bound: 408.
    pub head: Duration,
    /// Between two reads of a request body. At the bound: 408.
    pub body: Duration,
    /// A whole TLS handshake, on either side. At the bound: the connection ends (client) or 502 (upstream).
    pub tls: Duration,
    /// One attempt to connect to one address of the upstream. At the bound: the next address, then 502.
    pub connect: Duration,
    /// From the last byte of the request sent upstream to the first byte of its answer. At the bound: 504.
    pub first_byte: Duration,
    /// Between two pieces of an answer, and for a client to take one. At the bound: the answer is cut.
    pub idle: Duration,
    /// A whole exchange. At the bound: 504, or the answer is cut.
    pub total: Duration,
    /// An idle client connection. At the bound: it is closed.
    pub keep_alive: Duration,
    /// An idle upstream connection. At the bound: it is closed.
    pub pool_idle: Duration,
    /// From SIGTERM to the closing of the listeners, while readiness already says no.
    pub drain_delay: Duration,
    /// From the closing of the listeners to the end of the process, for streams to finish.
    pub drain: Duration,
}
