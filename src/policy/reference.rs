//! The reference page of the policy document, written from the tables that the reader reads by.

use std::fmt::Write as _;

use super::key;
use super::key::Key;
use super::load;
use crate::inspect::detector::DETECTORS;
use crate::limits;

const HEAD: &str = "\
# The policy document

This page is written by `penaxtra-gateway policy reference`; a test compares it with what the program knows.

A policy is a TOML document. An unknown key, a value of another kind and rules that contradict each other are mistakes: `penaxtra-gateway
policy check FILE` tells all of them with their lines, and a gateway takes no policy that has one.

";

const EXAMPLE: &str = r#"## An example

```toml
version = 42
tenant = "acme"
not_before = 2026-11-25T00:00:00Z

[defaults]
action = "redact"
placeholder = "numbered"
content = "forward"
media = "forward"

[[rule]]
# The support address may be sent.
id = "5a1e7c0d-0000-4000-8000-000000000101"
code = "DLP.PII.EMAIL"
pattern = 'support@acme\.example'
action = "allow"

[[rule]]
# Whoever may write the system prompt may name a customer there.
id = "5a1e7c0d-0000-4000-8000-000000000102"
detector = "email"
roles = ["system"]
action = "warn"

[[rule]]
id = "5a1e7c0d-0000-4000-8000-000000000103"
detector = "email"

[[rule]]
id = "5a1e7c0d-0000-4000-8000-000000000104"
code = "DLP.CUSTOM.CUSTOMER_NUMBER"
pattern = 'AC-[0-9]{8}'
context = ["customer", "account"]

[[rule]]
# Tried first: told and counted, nothing is refused.
id = "5a1e7c0d-0000-4000-8000-000000000105"
code = "DLP.CUSTOM.PROJECT"
literals = ["project orion", "project lyra"]
whole_words = true
action = "block"
mode = "shadow"
where = ["body", "tools", "url"]
```

"#;

const DECIDES: &str = "
## How a match is decided

1. All rules that look for the same thing (detector, pattern or literals, with the same context, validator and entropy) share one finder.
2. Of the rules of a finder, the first in the document that holds at the match's place decides: its scope, part, layer and role.
3. `allow` decides too, and nothing is told. So an exception stands above the rule that it is an exception from.
4. Of all matches of a message the strictest decides about the message: one `block` refuses it; else each `redact` and `tokenise`
   replaces its match.
5. A rule that holds nowhere, or that earlier ones leave nothing to, is a mistake.
";

const ANSWERS: &str = r#"
## Answers

Rules with `response` in their scope hold for answers, streams among them. Text of a stream is sent on as it comes; it waits only while a
match has begun that is to be replaced or blocked, and `[answers]` bounds that. A rule that only warns never lets anything wait.

- A policy that only lists tools reads all answers, and one that only tokenises those to requests in which something was tokenised. The
  calls of tools that a request repeats from earlier turns are not checked.
- The name of a tool waits until it is known, or as long as text may; then it is decided as it stands. Nothing of the arguments goes before.
- An answer with log probabilities in which something is to be replaced is refused, or cut, as content that is not inspected: they repeat
  the text token by token and in bytes.
- An answer of which not all was inspected says so in `x-penaxtra-inspection`. The head of a stream comes too early for that: where media was
  let through later, the stream ends with the comment `: x-penaxtra-inspection: partial;reason=media`.

A system prompt that gives itself away is found by a canary: a text that stands in the prompt and nowhere else.

```toml
[[rule]]
id = "5a1e7c0d-0000-4000-8000-000000000201"
code = "INJECTION.SYSTEM_PROMPT_LEAK"
literals = ["canary-7f3a91c2d4"]
scope = ["response"]
where = ["body", "tools"]
action = "block"
severity = "critical"

[[rule]]
# A link that carries data out, once somebody follows it. The built-in policy tells of images, which are fetched unasked.
id = "5a1e7c0d-0000-4000-8000-000000000202"
code = "INJECTION.EXFIL_MARKDOWN"
pattern = '\[[^\[\]]{0,200}\]\(https?://[^\s()\[\]<>"?#]+\?[^\s()\[\]<>"]*=[^\s()\[\]<>"&=]{40,}'
scope = ["response"]
action = "redact"
placeholder = "LINK"

[tools]
allow = ["get_*", "search"]
deny = ["get_secret*"]
action = "block"
```

## Tokens that are put back

`action = "tokenise"` replaces a value by a placeholder, such as `[EMAIL_1]`, and puts the value back where the answer repeats it.

- Equal values of a request share a placeholder. Numbers follow the order of the values, so that a conversation that goes on is written
  the same. Numbers of placeholders that the request holds itself are left out: what was not issued is never replaced by a value.
- A model may write the placeholder a little differently: letters in any case; a space, `-` or `_` for each `_`; one space inside the
  brackets; `\_` and `\-`, and `\[` together with `\]`, as Markdown escapes them. `[email 1]` is `[EMAIL_1]`; `[EMAIL_01]` and `EMAIL_1` are not.
- In the arguments of a tool call, and in a text that is JSON, the value is escaped for the JSON that it stands in. Of a text in a
  stream only the beginning tells: it is taken for JSON where it begins with an object, or an array of objects or strings.
- Values are kept in memory for one exchange and overwritten at its end. What there is no room for, a number of JSON (which becomes `0`) and what
  overlaps another match are redacted for good; `pnx_vault_left_out_total` counts those without room.

"#;

const BUNDLE: &str = "
## The signed bundle

`penaxtra-gateway policy sign` puts a header in front of the document; header, an empty line and the document's bytes are one file:

```text
PNX-POLICY/1
tenant: acme
version: 42
key-id: 0123456789abcdef
not-before: 2026-11-25T00:00:00Z
not-after: none
created: 2026-11-24T15:00:00Z
rollback-to: none
length: 1234
signature: (128 hexadecimal digits)
```

- Every field is there, in this order, in this spelling; lines end in a line feed; times are UTC; what is not given is `none`.
- `key-id`: the first 16 hexadecimal digits of the SHA-256 of the public key.
- `length`: bytes of the document.
- `signature`: Ed25519 (RFC 8032) over `penaxtra-gateway policy bundle 1`, a zero byte, the header up to this line, and the document.
- Tenant, version and times are the document's own.
- A gateway takes a version that is higher than the one in force, or the same document again. To go back, the older rules are signed
  as a new, higher version, with `--rollback-to` the version that they come from.

A gateway that refuses a policy keeps the one in force, and tells why with one of these reason codes:

| code | when |
|---|---|
";

/// The page, Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    page.push_str(EXAMPLE);
    page.push_str("## Keys of the document\n\n");
    keys(&mut page, key::DOCUMENT);
    page.push_str("\n## Keys of `[defaults]`\n\n");
    keys(&mut page, key::DEFAULTS);
    page.push_str("\n## Keys of `[tools]`\n\n");
    keys(&mut page, key::TOOLS);
    page.push_str("\n## Keys of `[answers]`\n\n");
    keys(&mut page, key::ANSWERS);
    page.push_str("\n## Keys of a `[[rule]]`\n\n");
    keys(&mut page, key::RULE);
    if !DETECTORS.is_empty() {
        page.push_str("\n## Detectors\n\n| detector | code | severity | placeholder |\n|---|---|---|---|\n");
    }
    for row in DETECTORS {
        // Writing to a string cannot fail.
        let _ =
            writeln!(page, "| `{}` | `{}` | {} | `[{}]` |", row.name, row.code, row.severity.label(), row.placeholder);
    }
    page.push_str(DECIDES);
    page.push_str(ANSWERS);
    bounds(&mut page);
    page.push_str(BUNDLE);
    for (code, when) in load::CODES {
        let _ = writeln!(page, "| `{code}` | {when} |");
    }
    page
}

fn keys(page: &mut String, keys: &[Key]) {
    page.push_str("| key | value | if it is not given | for |\n|---|---|---|---|\n");
    for key in keys {
        let default = if key.default.is_empty() { "a mistake" } else { key.default };
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| `{}` | {} | {default} | {} |", key.name, key.value, key.about);
    }
}

fn bounds(page: &mut String) {
    let bounds = [
        ("bytes of the file", limits::POLICY_BYTES_MAX),
        ("rules", limits::POLICY_RULES_MAX),
        ("literals of a rule", limits::POLICY_LITERALS_MAX),
        ("bytes of a pattern", limits::POLICY_PATTERN_BYTES_MAX),
        ("bytes of a pattern's automaton", limits::PATTERN_BYTES_MAX),
        ("context words of a rule", limits::POLICY_CONTEXT_WORDS_MAX),
        ("bytes of a context word", limits::POLICY_CONTEXT_BYTES_MAX),
        ("names in a list of tools", limits::POLICY_TOOLS_MAX),
        ("tokenised values of one exchange", limits::VAULT_VALUES_MAX),
        ("bytes of them together", limits::VAULT_BYTES_MAX),
    ];
    page.push_str("## Bounds\n\n| what | most |\n|---|---|\n");
    for (what, most) in bounds {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| {what} | {most} |");
    }
}

#[cfg(test)]
mod tests {
    use super::reference;
    use crate::policy::Origin;
    use crate::policy::compile::compile;
    use crate::policy::document::Document;
    use crate::policy::key;

    #[test]
    fn the_examples_have_no_mistake() {
        let page = reference();
        let examples: Vec<_> = page.split("```").filter_map(|block| block.strip_prefix("toml\n")).collect();
        assert_eq!(examples.len(), 2);
        for example in examples {
            let head = if example.contains("tenant = ") { "" } else { "version = 1\ntenant = 'acme'\n" };
            let document =
                Document::parse(&format!("{head}{example}")).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
            assert!(compile(&document, Origin::Unsigned, [0; 32]).is_ok());
        }
    }

    #[test]
    fn every_key_is_in_the_page() {
        let page = reference();
        for key in [key::DOCUMENT, key::DEFAULTS, key::TOOLS, key::ANSWERS, key::RULE].concat() {
            assert!(page.contains(&format!("\n| `{}` | ", key.name)), "{}", key.name);
        }
        assert!(page.lines().all(|line| !line.ends_with(' ')));
    }
}
