//! What is allowed: the signed policy document, and its compiled form that a core asks.
//!
//! ```text
//!  bundle ─► verify ─► document ─► compile ─► Policy (immutable, shared by an atomic pointer) ─► rule_for
//! ```
//! It never does I/O and never reads a clock: whoever loads a policy says what time it is.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

pub mod advice;
pub mod answers;
pub mod bundle;
pub mod code;
pub mod compile;
pub mod document;
pub mod explain;
pub mod fuzz;
pub mod hex;
pub mod key;
pub mod load;
pub mod places;
pub mod reference;
pub mod time;
pub mod tools;

use std::fmt;

use answers::Answers;
use aws_lc_rs::digest;
use code::Code;
use compile::Acts;
use compile::Deciders;
use compile::Looks;
use document::Document;
use tools::Tools;

use crate::extract::Part;
use crate::extract::Place;
use crate::inspect::detector::Severity;
use crate::inspect::opening::Openings;
use crate::inspect::scan::Scanner;

/// The policy that holds where no other is given.
pub const DEFAULT: &str = include_str!("default.toml");

/// A UUID (RFC 9562), as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub u128);

/// Which way a message goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// From the client to the upstream.
    #[default]
    Request,
    /// From the upstream to the client.
    Response,
}

/// What a rule does about a match. Ascending: of several, the greatest decides about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing, and nothing is told.
    Allow,
    /// Nothing, but an event and a counter tell. A rule in shadow mode does this whatever else it would do.
    Warn,
    /// The match is replaced by a placeholder, and the request goes on.
    Redact,
    /// The match is replaced by a placeholder, the request goes on, and the match is put back where the answer repeats the placeholder.
    Tokenise,
    /// The request is refused.
    Block,
}

/// What happens to what inspection does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is sent on, and counted.
    Forward,
    /// The request is refused.
    Refuse,
}

/// What stands in the place of a redacted match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// `[A-Z0-9_]`, 1 to 32 of them: `EMAIL` for `[EMAIL]`.
    pub word: Box<str>,
    /// Whether equal values of one request get an equal number, and others another: `[EMAIL_1]`, `[EMAIL_2]`.
    pub numbered: bool,
}

/// A rule, compiled: what is needed once something has matched.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id.
    pub id: Uuid,
    /// The reason that is given.
    pub code: Code,
    /// How bad a match is.
    pub severity: Severity,
    /// What is done.
    pub action: Action,
    /// What a match is replaced by, if it is.
    pub placeholder: Placeholder,
}

/// Who vouches for a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is the one that the program brings along.
    BuiltIn,
    /// Nobody: a document without a signature, which the operator allows.
    Unsigned,
    /// One of the pinned keys.
    Signed,
}

/// Where now stands in a policy's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Before `not_before`.
    NotYet,
    /// In it.
    Valid,
    /// Past `not_after`.
    Over,
}

impl Uuid {
    /// A UUID of version 8 (RFC 9562 section 5.8) of 60 of the bits of `seed`, which tells one maker from another, and a number of its own.
    #[must_use]
    pub const fn custom(seed: u64, number: u64) -> Self {
        let high = seed & !0xF000 | 0x8000;
        let low = number & (u64::MAX >> 2) | 1 << 63;
        Self((high as u128) << 64 | low as u128)
    }

    /// Reads the canonical form: 8-4-4-4-12 hexadecimal digits in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let dashes = [8, 13, 18, 23];
        if bytes.len() != 36 {
            return None;
        }
        let mut value = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if dashes.contains(&at) {
                (byte == b'-').then_some(())?;
            } else {
                value = value << 4 | u128::from(char::from(byte).to_digit(16)?);
            }
        }
        Some(Self(value))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |shift: u32, bits: u32| (self.0 >> shift) & ((1 << bits) - 1);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(96, 32),
            part(80, 16),
            part(64, 16),
            part(48, 16),
            part(0, 48)
        )
    }
}

impl Origin {
    /// The word in logs and metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::Unsigned => "unsigned",
            Self::Signed => "signed",
        }
    }
}

impl Scope {
    /// The word on the wire, and in a policy's `scope`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

impl Action {
    /// Whether a match is replaced by a placeholder.
    #[must_use]
    pub const fn replaces(self) -> bool {
        matches!(self, Self::Redact | Self::Tokenise)
    }

    /// The word in a policy's `action`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Redact => "redact",
            Self::Tokenise => "tokenise",
            Self::Block => "block",
        }
    }
}

/// A policy, compiled. Immutable.
#[derive(Debug)]
pub struct Policy {
    version: u64,
    tenant: Box<str>,
    not_before: Option<u64>,
    not_after: Option<u64>,
    origin: Origin,
    path_key: Option<[u8; 32]>,
    content: Unread,
    media: Unread,
    tools: Tools,
    answers: Answers,
    scanner: Scanner,
    /// In the order of the document.
    rules: Box<[Rule]>,
    /// INVARIANT: one for each finder of `scanner`; every index is one of `rules`.
    deciders: Box<[Deciders]>,
    /// INVARIANT: one for each finder of `scanner`.
    acts: Box<[Acts]>,
    /// What holds the text of a stream back, outside tools and in them.
    holding: [Openings; 2],
    /// What of a stream's text is kept to be looked at again.
    watching: Openings,
    looks: Looks,
    tokenises: bool,
    /// SHA-256 of the document's bytes.
    digest: [u8; 32],
}

impl Policy {
    /// Its version; of two policies of a tenant the greater is the newer. The built-in one has 0.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whose it is. The built-in one is nobody's.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Who vouches for it.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The key that paths are hashed with in events; none: the policy leaves it to the gateway.
    #[must_use]
    pub const fn path_key(&self) -> Option<&[u8; 32]> {
        self.path_key.as_ref()
    }

    /// What happens to a body of a media type that inspection does not read.
    #[must_use]
    pub const fn content(&self) -> Unread {
        self.content
    }

    /// What happens to images, audio and files inside a body.
    #[must_use]
    pub const fn media(&self) -> Unread {
        self.media
    }

    /// Which tools an answer may call.
    #[must_use]
    pub const fn tools(&self) -> &Tools {
        &self.tools
    }

    /// What it says about answers as such.
    #[must_use]
    pub const fn answers(&self) -> &Answers {
        &self.answers
    }

    /// What finds its rules' matches. A finding's `finder` is for [`Self::rule_for`].
    #[must_use]
    pub const fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    /// Where `unix` (seconds) stands in its time.
    #[must_use]
    pub fn validity(&self, unix: u64) -> Validity {
        if self.not_before.is_some_and(|from| unix < from) {
            Validity::NotYet
        } else if self.not_after.is_some_and(|until| unix > until) {
            Validity::Over
        } else {
            Validity::Valid
        }
    }

    /// The rule that decides about a match at a place: the first of the document that has this finder and holds there.
    #[must_use]
    pub fn rule_for(&self, finder: u16, scope: Scope, place: Place) -> Option<&Rule> {
        let (_, rule) =
            self.deciders.get(usize::from(finder))?.iter().find(|(places, _)| places.holds(scope, place))?;
        self.rules.get(*rule as usize)
    }

    /// Whether any rule holds for this part at all; where none does it need not be read.
    #[must_use]
    pub fn looks_at(&self, scope: Scope, part: Part) -> bool {
        self.looks.get(scope as usize).and_then(|parts| parts.get(part as usize)).is_some_and(|looks| *looks)
    }

    /// Whether a match of this finder is, at some place of this part, replaced or a reason to block. Of a finder that only allows or
    /// tells there, an unfinished match holds no text back.
    #[must_use]
    pub fn acts(&self, finder: u16, scope: Scope, part: Part) -> bool {
        self.acts.get(usize::from(finder)).is_some_and(|acts| acts.at(scope, part))
    }

    /// Where matches may have begun that are replaced, or a reason to block, in this part of an answer.
    #[must_use]
    pub const fn holding(&self, part: Part) -> &Openings {
        let [body, tools] = &self.holding;
        if matches!(part, Part::Tools) { tools } else { body }
    }

    /// Where matches of any rule for answers may have begun.
    #[must_use]
    pub const fn watching(&self) -> &Openings {
        &self.watching
    }

    /// Whether any rule tokenises, so that a request must be asked which placeholders it holds itself.
    #[must_use]
    pub const fn tokenises(&self) -> bool {
        self.tokenises
    }

    /// Its rules, in the order of the document.
    #[must_use]
    pub const fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// SHA-256 of its document: what tells two policies of one version apart.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The policy that the program brings along.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a part of the program, which a test compiles")]
    pub fn built_in() -> Self {
        let document = built_in_document();
        compile::compile(&document, Origin::BuiltIn, sha256(DEFAULT.as_bytes())).expect("the built-in policy compiles")
    }
}

/// The document of the policy that the program brings along.
///
/// # Panics
/// Never: a test reads it.
#[must_use]
#[expect(clippy::expect_used, reason = "a part of the program, which a test reads")]
pub fn built_in_document() -> Document {
    Document::parse_built_in(DEFAULT).expect("the built-in policy has no mistake")
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::Action;
    use super::Origin;
    use super::Policy;
    use super::Scope;
    use super::Unread;
    use super::Uuid;
    use super::Validity;
    use super::answers::Oversize;
    use crate::extract::Layer;
    use crate::extract::Part;
    use crate::extract::Place;
    use crate::extract::Role;
    use crate::inspect::Text;
    use crate::inspect::Work;
    use crate::inspect::detector::DETECTORS;

    #[test]
    fn the_built_in_policy_has_a_rule_for_each_detector() {
        let policy = Policy::built_in();
        assert_eq!((policy.version(), policy.tenant(), policy.origin()), (0, "", Origin::BuiltIn));
        assert_eq!((policy.content(), policy.media()), (Unread::Forward, Unread::Forward));
        assert_eq!([0, u64::MAX].map(|unix| policy.validity(unix)), [Validity::Valid; 2]);
        assert_eq!((policy.answers().oversize, policy.tools().is_empty()), (Oversize::Scan, true));
        let rules: Vec<_> = policy.rules().iter().map(|rule| rule.code.to_string()).collect();
        let (requests, answers) = rules.split_at(DETECTORS.len());
        assert_eq!(requests, DETECTORS.iter().map(|row| row.code).collect::<Vec<_>>());
        assert_eq!(answers.len(), DETECTORS.len() + 1);
        let secret = |code: &str| code.starts_with("DLP.SECRET.") && code != "DLP.SECRET.JWT";
        for (at, rule) in policy.rules().iter().enumerate() {
            assert_eq!(
                rule.action == Action::Block,
                at < DETECTORS.len() && secret(rule.code.as_str()),
                "{}",
                rule.code
            );
        }
        let looks =
            |scope| [Part::Headers, Part::Body, Part::Url, Part::Tools].map(|part| policy.looks_at(scope, part));
        assert_eq!(looks(Scope::Request), [false, true, true, true]);
        assert_eq!(looks(Scope::Response), [false, true, false, true]);
    }

    #[test]
    fn what_the_built_in_policy_only_tells_of_holds_nothing_back() {
        let policy = Policy::built_in();
        let place = Place { part: Part::Body, layer: Layer::PostTemplate, role: Role::Assistant };
        let policy = &policy;
        let acting = |scope| {
            let acts =
                (0..).map_while(|finder| policy.rule_for(finder, Scope::Response, place).map(|rule| (finder, rule)));
            acts.filter(move |(finder, _)| policy.acts(*finder, scope, Part::Body))
                .map(|(_, rule)| rule.code.to_string())
        };
        let answers: Vec<_> = acting(Scope::Response).collect();
        let told = ["DLP.PII.EMAIL", "DLP.PII.PHONE", "DLP.PII.IP_ADDRESS"];
        let rest = DETECTORS.iter().map(|row| row.code).filter(|code| !told.contains(code));
        assert_eq!(answers, rest.collect::<Vec<_>>());
        let requests = DETECTORS.iter().map(|row| row.code).filter(|code| *code != "DLP.PII.IP_ADDRESS");
        assert_eq!(acting(Scope::Request).collect::<Vec<_>>(), requests.collect::<Vec<_>>());
        assert!((0..20).all(|finder| !policy.acts(finder, Scope::Response, Part::Url)));
    }

    #[test]
    fn an_image_that_carries_a_long_value_is_found() {
        let policy = Policy::built_in();
        let (first, second) = ("c2VjcmV0IHZhbHVlcyBv", "ZiBzb21lIGN1c3RvbWVyIG9mIG91cnM");
        let long = format!("{first}{second}");
        let cases = [
            (format!("see ![a](https://x.example/p.png?q={long}) there"), true),
            (format!("![](http://x.example/a/b?v=1&q={long}&w=2)"), true),
            (format!("![a\n](http://x.example/?q={first}%20{second})"), true),
            (format!("[a](https://x.example/p.png?q={long})"), false),
            ("![a](https://x.example/p.png?width=400&height=300)".to_owned(), false),
            (format!("![a](https://x.example/{long}.png)"), false),
            (format!("![a] (https://x.example/?q={long})"), false),
        ];
        for (text, expected) in cases {
            let (mut work, mut findings) = (Work::default(), Vec::new());
            let text_of = Text { bytes: text.as_bytes(), key: b"" };
            policy.scanner().scan(text_of, &mut work, &mut findings).unwrap();
            let place = Place { part: Part::Body, layer: Layer::PostTemplate, role: Role::Assistant };
            let codes = findings.iter().filter_map(|finding| policy.rule_for(finding.finder, Scope::Response, place));
            assert_eq!(
                codes.filter(|rule| rule.code.as_str() == "INJECTION.EXFIL_MARKDOWN").count(),
                usize::from(expected),
                "{text}"
            );
        }
        // Many beginnings cost no more than bytes.
        let text = "![](https://a.example/?".repeat(2_000);
        let (mut work, mut findings) = (Work { input: text.len() as u64, ..Work::default() }, Vec::new());
        policy.scanner().scan(Text { bytes: text.as_bytes(), key: b"" }, &mut work, &mut findings).unwrap();
        assert!(work.verified < 4 * text.len() as u64, "{work:?}");
    }

    #[test]
    fn a_uuid_is_read_as_it_is_written() {
        let text = "0192f0c1-2345-7abc-8def-00000000002a";
        assert_eq!(Uuid::parse(text).map(|uuid| uuid.to_string()).as_deref(), Some(text));
        for wrong in [
            "",
            "0192f0c1-2345-7abc-8def-00000000002",
            "0192f0c1+2345-7abc-8def-00000000002a",
            "0192f0c1-2345-7abc-8def-00000000002g",
        ] {
            assert_eq!(Uuid::parse(wrong), None, "{wrong}");
        }
    }
}
