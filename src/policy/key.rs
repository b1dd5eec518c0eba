//! The keys of a policy document: the one list that the reader knows keys by and the reference page is written from.

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it takes, in words.
    pub value: &'static str,
    /// What holds where it is not given, in words; empty: it must be given.
    pub default: &'static str,
    /// What it is for.
    pub about: &'static str,
}

const fn key(name: &'static str, value: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { name, value, default, about }
}

/// Of the document itself. `rule` stands last, as it does in a document.
#[rustfmt::skip]
pub static DOCUMENT: &[Key] = &[
    key("version", "integer, 1 or more", "",
        "Of two policies of a tenant the greater is the newer. A gateway never goes back to a lower one."),
    key("tenant", "1 to 64 of `a-z 0-9 - _ .`", "",
        "Whose policy it is. A gateway with `--tenant` takes no other."),
    key("not_before", "date-time with offset, whole seconds", "from ever",
        "When it begins to hold, such as `2026-11-25T00:00:00Z`."),
    key("not_after", "date-time with offset, whole seconds", "for ever",
        "The last second in which it holds. What happens then is the gateway's `--policy-expired`."),
    key("path_key", "64 hexadecimal digits", "the gateway's own",
        "The key that request paths are hashed with in events, so that equal paths are equal over all gateways of a tenant."),
    key("defaults", "table", "none",
        "What holds for every rule that does not say otherwise, and for what is not inspected."),
    key("tools", "table", "every tool may be called",
        "Which tools an answer may call."),
    key("answers", "table", "its keys say it",
        "How long text of an answer may wait, and what happens to answers that are too large."),
    key("rule", "array of tables", "no rules",
        "The rules. Of those with one finder that hold at a place, the first in the document decides."),
];

/// Of `[defaults]`.
#[rustfmt::skip]
pub static DEFAULTS: &[Key] = &[
    key("action", "`allow`, `warn`, `redact`, `tokenise` or `block`", "each rule says it",
        "What rules do."),
    key("mode", "`enforce` or `shadow`", "`enforce`",
        "Whether rules act. An inherited `shadow` leaves `allow` as it is."),
    key("severity", "`info`, `low`, `medium`, `high` or `critical`", "the detector's, `medium` for others",
        "How bad a match is."),
    key("scope", "list of `request`, `response`", "`[\"request\"]`",
        "Which messages rules hold for."),
    key("where", "list of `headers`, `body`, `url`, `tools`", "`[\"body\", \"tools\"]`",
        "Which parts of a message rules hold for."),
    key("placeholder", "`fixed` or `numbered`", "`fixed`",
        "Whether redacted values of one request are told apart: `[EMAIL]`, or `[EMAIL_1]` and `[EMAIL_2]`. Tokenised ones always are."),
    key("content", "`forward` or `refuse`", "`refuse`",
        "What happens to a body of a media type that is not inspected."),
    key("media", "`forward` or `refuse`", "`refuse`",
        "What happens to images, audio and files inside a body, which are not inspected."),
];

/// Of `[tools]`.
#[rustfmt::skip]
pub static TOOLS: &[Key] = &[
    key("allow", "list of names, 1 to 1000", "every name that is not denied",
        "The tools that may be called; every other is denied. `*` at the end of a name stands for any end. Compared byte by byte."),
    key("deny", "list of names, 1 to 1000", "none",
        "Tools that may not be called, whatever `allow` says. Compared in NFKC and without invisible characters; case counts."),
    key("action", "`block` or `warn`", "`block`",
        "What is done about a call that is not allowed, before any of its arguments is sent on. The reason is `POLICY.TOOL_DENIED`."),
];

/// Of `[answers]`.
#[rustfmt::skip]
pub static ANSWERS: &[Key] = &[
    key("oversize", "`refuse` or `scan`", "`refuse`",
        "What happens to an answer in one piece that is larger than what is held of one. `scan`: it is inspected while it passes, as one text \
         and not by the places of its API: matches are replaced and told of, and one that blocks cuts it without an error. Under `[tools]` it \
         is refused all the same."),
    key("hold_bytes", "integer, 512 to 65536", "4096",
        "How many bytes of a stream may wait while a match that is to be replaced or blocked has begun and not ended."),
    key("hold_ms", "integer, 1 to 30000", "2000",
        "How long they may wait, milliseconds."),
    key("at_hold_limit", "`redact`, `release` or `block`", "`redact`",
        "What happens to them then. `redact`: what is a match so far, or would be one if its end came (a private key, a token), is replaced and \
         its rest left out; all else is sent on. `release`: all is sent on. `block`: the answer ends with an error. What was sent on and turns \
         out to be part of a match is told of, and the rest of the match is still replaced or blocked."),
];

/// Of a `[[rule]]`.
#[rustfmt::skip]
pub static RULE: &[Key] = &[
    key("id", "UUID", "",
        "By which events name the rule. No two rules have one."),
    key("code", "two to four words of `A-Z 0-9 _`, joined by dots", "the detector's; others must have one",
        "The reason that a refusal and an event give."),
    key("detector", "name of a built-in detector", "one of the three",
        "Finds what the program knows how to find; the list stands below."),
    key("pattern", "regular expression", "one of the three",
        "Finds what matches. Classes are ASCII; no look-around but `\\b`, `^` and `$`; it may not match the empty text. \
         One without a literal of some bytes that every match holds is slow, and `policy check` says so."),
    key("literals", "list of texts of 3 to 256 bytes", "one of the three",
        "Finds these texts."),
    key("case_sensitive", "boolean", "`false`",
        "Whether case counts in `literals`."),
    key("whole_words", "boolean", "`false`",
        "Whether a literal must not be part of a longer word."),
    key("validator", "`luhn` or `iban`", "none",
        "A check that each match of `pattern` must pass: ISO/IEC 7812-1 annex B, or ISO 7064 mod 97-10 over an IBAN."),
    key("context", "list of words", "none needed",
        "One of these must stand near a match or in the JSON key that it is the value of, whole and in any case."),
    key("entropy", "number, 0 to 8", "any",
        "Least Shannon entropy of a match, bits a byte."),
    key("scope", "list of `request`, `response`", "that of `[defaults]`",
        "Which messages it holds for."),
    key("where", "list of `headers`, `body`, `url`, `tools`", "that of `[defaults]`",
        "Which parts of a message it holds for. `tools`: definitions of tools, arguments and results of calls."),
    key("layers", "list of `pre-template`, `post-template`, `tool-call`", "all",
        "Which kinds of text it holds for: variables of a stored prompt, what a model reads, tools."),
    key("roles", "list of `system`, `user`, `assistant`, `tool`", "all, and text that is nobody's",
        "Whose text it holds for. Header fields and URLs are nobody's."),
    key("severity", "`info`, `low`, `medium`, `high` or `critical`", "that of `[defaults]`, else the detector's, else `medium`",
        "How bad a match is."),
    key("action", "`allow`, `warn`, `redact`, `tokenise` or `block`", "that of `[defaults]`",
        "What is done about a match. `allow` makes an exception from the rules below it that have the same finder. `tokenise` is for \
         requests only: the match is replaced, and put back where the answer repeats the placeholder."),
    key("mode", "`enforce` or `shadow`", "that of `[defaults]`",
        "`shadow`: a match is told and counted, and nothing is done."),
    key("placeholder", "1 to 32 of `A-Z 0-9 _`", "the detector's, else the last word of `code`",
        "The word in the brackets that a redacted match is replaced by."),
    key("numbered", "boolean", "that of `[defaults]`",
        "Whether redacted values of one request are told apart by a number. Tokenised ones always are."),
];
