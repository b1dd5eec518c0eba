//! From the bytes of a message to what its policy says of them: where extraction, inspection and policy meet.
//!
//! ```text
//!  head ─► URL, header values ────────────┐
//!  body ─► Reading ─► pieces ─► passages ─┴─► inspect ─► Hit (span in the received bytes, place) ─► rule ─► Action
//! ```
//! Pure: no I/O, no clock, no counter. Its memory is kept from request to request, so that in the steady state it allocates nothing.
//! What it cannot read to the end it refuses ([`Stop`]). It keeps no byte of a message that has been decided about.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::ops::Range;

use crate::error::Kind;
use crate::extract::Api;
use crate::extract::Form;
use crate::extract::Layer;
use crate::extract::Part;
use crate::extract::Piece;
use crate::extract::Place;
use crate::extract::Role;
use crate::extract::Unreadable;
use crate::extract::form::FormReader;
use crate::extract::form::percent;
use crate::extract::json;
use crate::extract::json::Walker;
use crate::extract::node;
use crate::extract::node::Node;
use crate::extract::usage::Usage;
use crate::http::forward;
use crate::http::head::Field;
use crate::http::head::RequestHead;
use crate::http::head::ResponseHead;
use crate::inspect::Exceeded;
use crate::inspect::Finding;
use crate::inspect::Text;
use crate::inspect::Work;
use crate::inspect::inspector;
use crate::inspect::inspector::Views;
use crate::inspect::normalise::View;
use crate::inspect::overlap;
use crate::limits;
use crate::policy::Action;
use crate::policy::Policy;
use crate::policy::Rule;
use crate::policy::Scope;
use crate::policy::Unread;
use crate::policy::tools::ToolVerdict;

pub mod fuzz;
pub mod placeholder;
mod reading;
pub mod redact;
pub mod restore;
#[cfg(test)]
mod restore_tests;
pub mod stream;
#[cfg(test)]
#[expect(clippy::string_slice, reason = "a panic is how a test says no")]
mod tests;
pub mod vault;

use reading::Reading;
pub(super) use reading::media_type;
use restore::Edit;
use restore::Scratch;
use vault::Vault;

/// A whole request, its content coding taken off.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The head.
    pub head: &'a RequestHead,
    /// What it was parsed from.
    pub bytes: &'a [u8],
    /// The body.
    pub body: &'a [u8],
}

/// A whole answer, its content coding taken off. Its head is looked at by [`Inspector::inspect_fields`].
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The API of the request's path.
    pub api: Api,
    /// The head.
    pub head: &'a ResponseHead,
    /// What it was parsed from.
    pub bytes: &'a [u8],
    /// The body.
    pub body: &'a [u8],
}

/// Why a message cannot be decided about. It is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The body has no, or more than one, reading.
    Unreadable(Unreadable),
    /// It holds what inspection does not read, and the policy does not let that through.
    Unsupported,
    /// It would cost more work than it may, or holds more matches than are kept.
    Limit,
}

/// Which bytes a [`Hit`] points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The head as received.
    Head,
    /// The body, its content coding taken off.
    Body,
}

/// How the bytes around a hit are written, and so how a placeholder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As they are, or inside a JSON string at whatever depth.
    Plain,
    /// The key of a JSON object.
    Key,
    /// A JSON number; the hit is the whole of it.
    Number,
    /// Percent-encoded: a URL or a form.
    Percent,
}

/// A match that a rule of the policy is about, in the bytes of a message that were received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where it begins in its target.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// What it was found by, for [`Policy::rule_for`].
    pub finder: u16,
    /// Which way the message goes.
    pub scope: Scope,
    /// Which bytes.
    pub target: Target,
    /// How a placeholder is written there.
    pub spelling: Spelling,
    /// Where it stands.
    pub place: Place,
    /// Whether it is the rest of the hit before it, which began in an earlier string.
    pub continued: bool,
    /// Whether a checksum or structure confirms it.
    pub validated: bool,
    /// Which of the message's different values it is, for numbered placeholders: from 1, zero where nobody asks.
    pub number: u32,
}

impl Hit {
    /// The rule that decides about it.
    #[must_use]
    pub fn rule<'p>(&self, policy: &'p Policy) -> Option<&'p Rule> {
        policy.rule_for(self.finder, self.scope, self.place)
    }
}

/// One core's inspection, and its memory.
#[derive(Default)]
pub struct Inspector {
    /// One for the body, and one for each time a string is JSON inside JSON.
    levels: [Level; limits::JSON_NESTED_MAX + 1],
    form: FormReader,
    matcher: Matcher,
    unread: u32,
    /// The whole body was let through unread.
    skipped: bool,
    /// Calls of tools in an answer that the policy speaks against.
    denied: u32,
    // For streams: the data of an event of several lines, its texts that are no fragments, the name of a tool, what is found in a
    // channel, what is folded to see where a match may have begun, a text with its blanks opened, and what may go on.
    joined: Vec<u8>,
    texts: Vec<Piece>,
    name: Vec<u8>,
    findings: Vec<Finding>,
    opening_view: View,
    opened: Vec<u8>,
    ready: Vec<u8>,
    /// Bytes of the last body.
    last: usize,
}

/// A document that is being read.
#[derive(Default)]
struct Level {
    walker: Walker,
    text: Vec<u8>,
    seams: Vec<Seam>,
}

/// Where a piece begins in the text of its passage.
#[derive(Clone, Copy)]
struct Seam {
    start: u32,
    piece: Piece,
}

/// How strings of a document are escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    Json,
    Percent,
}

/// Looks for the policy's rules in texts, and keeps what is found.
#[derive(Default)]
struct Matcher {
    /// Which way the message goes that is being looked at.
    scope: Scope,
    views: Views,
    findings: Vec<Finding>,
    joint: Vec<Finding>,
    hits: Vec<Hit>,
    order: Vec<Offset>,
    numbers: HashMap<u64, u32>,
    hasher: RandomState,
    /// What is to be put back in the answer; none before a rule tokenises something.
    vault: Option<Box<Vault>>,
    /// The policy tokenises, and the message is a request.
    tokenises: bool,
    work: Work,
}

/// One end of a hit, to be mapped from a text to what it was unescaped from; in the order in which that is done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Offset {
    seam: u32,
    at: u32,
    hit: u32,
    is_end: bool,
}

impl From<Stop> for Kind {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Unreadable(unreadable) => Self::Unreadable(unreadable),
            Stop::Unsupported => Self::UnsupportedContent,
            Stop::Limit => Self::Blocked,
        }
    }
}

impl From<Exceeded> for Stop {
    fn from(_: Exceeded) -> Self {
        Self::Limit
    }
}

impl From<Unreadable> for Stop {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl Inspector {
    /// Reads the whole request and says the strongest action that a rule asks for; [`Self::hits`] has them all.
    ///
    /// # Errors
    /// The request must be refused whatever its rules say.
    pub fn inspect(&mut self, policy: &Policy, message: &Message<'_>) -> Result<Action, Stop> {
        let Message { head, bytes, body } = *message;
        self.begin(Scope::Request, body.len());
        self.matcher.tokenises = policy.tokenises();
        if policy.looks_at(Scope::Request, Part::Url) {
            self.url(policy, bytes, head.path.range())?;
        }
        if policy.looks_at(Scope::Request, Part::Headers) {
            self.matcher.fields(policy, &head.fields, bytes)?;
        }
        self.body(policy, Reading::of(message)?, body)?;
        self.matcher.settle();
        Ok(self.strongest(policy))
    }

    /// The same for the body of an answer.
    ///
    /// # Errors
    /// The answer must be refused whatever its rules say.
    pub fn inspect_answer(&mut self, policy: &Policy, answer: &Answer<'_>) -> Result<Action, Stop> {
        self.begin(Scope::Response, answer.body.len());
        let reading = Reading::of_answer(answer)?;
        self.body(policy, reading, answer.body)?;
        if matches!(reading, Reading::Json(_) | Reading::Guess) && !policy.tools().is_empty() {
            self.calls(policy, answer.body);
        }
        Ok(self.strongest(policy))
    }

    /// Asks the policy about each tool that the document calls which was just read.
    fn calls(&mut self, policy: &Policy, document: &[u8]) {
        let Self { levels: [Level { walker, .. }, ..], name, denied, .. } = self;
        for piece in walker.pieces.iter().filter(|piece| piece.calls_tool()) {
            name.clear();
            json::unescape(document.get(piece.range()).unwrap_or_default(), name);
            *denied += u32::from(policy.tools().decide(name) != ToolVerdict::Allow);
        }
    }

    /// The same for the fields of an answer's head, which `bytes` are.
    ///
    /// # Errors
    /// The answer must be refused whatever its rules say.
    pub fn inspect_fields(&mut self, policy: &Policy, fields: &[Field], bytes: &[u8]) -> Result<Action, Stop> {
        self.begin(Scope::Response, bytes.len());
        self.matcher.fields(policy, fields, bytes)?;
        Ok(self.strongest(policy))
    }

    /// Empty memory for what may go on of a stream.
    pub(super) fn take_ready(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }

    /// Gives it back.
    pub(super) fn put_ready(&mut self, mut ready: Vec<u8>) {
        ready.clear();
        ready.shrink_to(limits::SCRATCH_BYTES_KEPT);
        self.ready = ready;
    }

    fn strongest(&self, policy: &Policy) -> Action {
        let actions = self.matcher.hits.iter().filter_map(|hit| hit.rule(policy)).map(|rule| rule.action);
        actions.max().unwrap_or(Action::Allow)
    }

    /// What was found, by place: the URL, the header fields, the body.
    #[must_use]
    pub fn hits(&self) -> &[Hit] {
        &self.matcher.hits
    }

    /// What the hits of the request stand for that are tokenised, if there are any. It is handed out once.
    #[must_use]
    pub fn take_vault(&mut self) -> Option<Box<Vault>> {
        self.matcher.vault.take()
    }

    /// Bytes of text that were inspected.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.matcher.work.input
    }

    /// How many parts of the message were let through unread: images, audio, files, or the whole body.
    #[must_use]
    pub const fn unread(&self) -> u32 {
        self.unread
    }

    /// Whether the whole body was let through unread.
    #[must_use]
    pub const fn skipped(&self) -> bool {
        self.skipped
    }

    /// How many calls of tools in an answer the policy speaks against. What is done about them its `[tools]` say.
    #[must_use]
    pub const fn denied(&self) -> u32 {
        self.denied
    }

    /// Whether the answer has log probabilities, which repeat its text token by token.
    #[must_use]
    pub const fn likelihoods(&self) -> bool {
        let [level, ..] = &self.levels;
        level.walker.logprobs
    }

    /// What the answer says of the tokens that it took.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let [level, ..] = &self.levels;
        level.walker.usage
    }

    /// The hit that a refusal gives as its reason: of those that block the most severe, of equals the first.
    #[must_use]
    pub fn reason<'p>(&self, policy: &'p Policy) -> Option<&'p Rule> {
        let blocking =
            self.hits().iter().filter_map(|hit| hit.rule(policy)).filter(|rule| rule.action == Action::Block);
        blocking.reduce(|most, rule| if rule.severity > most.severity { rule } else { most })
    }

    /// Whether a body that was redacted still has the one reading that its rules were applied to.
    #[must_use]
    pub fn reads(&mut self, message: &Message<'_>) -> bool {
        self.still(Reading::of(message), message.body)
    }

    /// The same for an answer.
    #[must_use]
    pub fn reads_answer(&mut self, answer: &Answer<'_>) -> bool {
        self.still(Reading::of_answer(answer), answer.body)
    }

    fn still(&mut self, reading: Result<Reading<'_>, Stop>, body: &[u8]) -> bool {
        let [level, ..] = &mut self.levels;
        match reading {
            Ok(Reading::Json(root)) => level.walker.walk(body, root).is_ok(),
            Ok(Reading::Urlencoded) => self.form.urlencoded(body).is_ok(),
            Ok(Reading::Multipart(boundary)) => self.form.multipart(body, boundary).is_ok(),
            Ok(Reading::Nothing | Reading::Guess | Reading::Text | Reading::Unread) => true,
            Err(_) => false,
        }
    }

    /// The placeholders of the request that stand in an answer, for [`restore::splice`]. To be asked for an answer as it is to be sent on,
    /// with all that is redacted in it, since this reads it again.
    #[must_use]
    pub fn restorations<'v>(&mut self, vault: &'v Vault, answer: &Answer<'_>) -> Vec<Edit<'v>> {
        let [Level { walker, text, .. }, inner, ..] = &mut self.levels;
        let body = answer.body;
        let read = match Reading::of_answer(answer) {
            Ok(Reading::Json(root)) => walker.walk(body, root).is_ok(),
            Ok(Reading::Guess) => walker.walk(body, Api::Other.table()).is_ok(),
            Ok(Reading::Text) => false,
            Ok(Reading::Nothing | Reading::Urlencoded | Reading::Multipart(_) | Reading::Unread) | Err(_) => {
                return Vec::new();
            }
        };
        if !read {
            return restore::edits_of_text(vault, body);
        }
        restore::edits(vault, body, &walker.pieces, &mut Scratch { text, walker: &mut inner.walker })
    }

    /// Begins a call for a stream: its memory is that of the core, as it is.
    fn begin_event(&mut self) {
        self.matcher.scope = Scope::Response;
        (self.matcher.vault, self.matcher.tokenises) = (None, false);
        self.matcher.hits.clear();
        self.matcher.numbers.clear();
    }

    /// Forgets the message before, and begins one that goes this way. Memory is kept for another body like the last one, so that large
    /// ones in a row find it again; the first that is smaller gives it back.
    fn begin(&mut self, scope: Scope, body: usize) {
        let kept = self.last.saturating_mul(limits::SCRATCH_KEPT_FACTOR).max(limits::SCRATCH_BYTES_KEPT);
        self.last = body;
        self.unread = 0;
        self.skipped = false;
        self.denied = 0;
        self.matcher.scope = scope;
        let Matcher { views, hits, numbers, vault, tokenises, work, .. } = &mut self.matcher;
        (*vault, *tokenises) = (None, false);
        hits.clear();
        numbers.clear();
        views.shrink(kept);
        *work = Work::default();
        self.form.shrink(kept);
        for Level { walker, text, .. } in &mut self.levels {
            walker.shrink(kept);
            walker.usage = Usage::default();
            text.clear();
            text.shrink_to(kept);
        }
    }

    /// The path as one text; the query as the form that it nearly always is, else as one text too.
    fn url(&mut self, policy: &Policy, bytes: &[u8], target: Range<usize>) -> Result<(), Stop> {
        let path = bytes.get(target.clone()).unwrap_or_default();
        let query = memchr::memchr(b'?', path).map_or(target.end, |at| target.start + at + 1);
        let place = Place { part: Part::Url, layer: Layer::PostTemplate, role: Role::None };
        let whole = |range: Range<usize>| piece(range, 0..0, place);
        let matcher = &mut self.matcher;
        let hits = matcher.hits.len();
        matcher.plain(policy, bytes, &whole(target.start..query))?;
        let document = bytes.get(..target.end).unwrap_or_default();
        let values = document.get(query..).unwrap_or_default();
        let [level, ..] = &mut self.levels;
        if self.form.urlencoded(values).is_ok() {
            for piece in &self.form.pieces {
                let start = u32::try_from(query).unwrap_or(u32::MAX);
                let moved = Piece {
                    start: piece.start + start,
                    end: piece.end + start,
                    key_start: 0,
                    key_end: 0,
                    place,
                    ..*piece
                };
                matcher.passage(level, policy, document, &[moved], Escape::Percent)?;
            }
        } else {
            matcher.plain(policy, bytes, &whole(query..target.end))?;
        }
        for hit in matcher.hits.iter_mut().skip(hits) {
            (hit.target, hit.spelling) = (Target::Head, Spelling::Percent);
        }
        Ok(())
    }

    fn body(&mut self, policy: &Policy, reading: Reading<'_>, body: &[u8]) -> Result<(), Stop> {
        if u32::try_from(body.len()).is_err() {
            return Err(Stop::Limit);
        }
        let Self { levels, form, matcher, unread, skipped, .. } = self;
        let hits = matcher.hits.len();
        match reading {
            Reading::Nothing => {}
            Reading::Json(root) => *unread = matcher.json(levels, policy, body, root)?,
            Reading::Guess => {
                let [level, ..] = levels;
                *unread = match level.walker.walk(body, Api::Other.table()) {
                    Ok(()) => matcher.walked(levels, policy, body)?,
                    Err(_) => return self.body(policy, Reading::Text, body),
                };
            }
            Reading::Text => matcher.plain(policy, body, &piece(0..body.len(), 0..0, reading::BODY))?,
            Reading::Urlencoded => {
                form.urlencoded(body)?;
                matcher.pieces(levels, policy, body, &form.pieces, Escape::Percent)?;
                for hit in matcher.hits.iter_mut().skip(hits) {
                    hit.spelling = Spelling::Percent;
                }
            }
            Reading::Multipart(boundary) => {
                form.multipart(body, boundary)?;
                *unread = form.media + matcher.pieces(levels, policy, body, &form.pieces, Escape::Json)?;
            }
            Reading::Unread if policy.content() == Unread::Refuse => return Err(Stop::Unsupported),
            Reading::Unread => {
                *unread = 1;
                *skipped = true;
                return Ok(());
            }
        }
        if *unread > 0 && policy.media() == Unread::Refuse {
            return Err(Stop::Unsupported);
        }
        Ok(())
    }
}

/// A piece that is its own text.
fn piece(range: Range<usize>, key: Range<usize>, place: Place) -> Piece {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Piece {
        start: offset(range.start),
        end: offset(range.end),
        key_start: offset(key.start),
        key_end: offset(key.end),
        place,
        form: Form::Text,
        joined: false,
        plain: true,
        fragment: false,
        tool_name: false,
        channel: 0,
    }
}

/// Fields that carry the caller's credentials for the provider, or the provider's for the caller: they are what they are, and must arrive.
fn is_credential(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 8] = [
        b"authorization",
        b"proxy-authorization",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"cookie",
        b"set-cookie",
        b"x-amz-security-token",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

impl Matcher {
    /// Every field that crosses, but for credentials.
    fn fields(&mut self, policy: &Policy, fields: &[Field], bytes: &[u8]) -> Result<(), Stop> {
        let place = Place { part: Part::Headers, layer: Layer::PostTemplate, role: Role::None };
        let hits = self.hits.len();
        for field in forward::crossing(bytes, fields) {
            if !is_credential(field.spelling.of(bytes)) {
                self.plain(policy, bytes, &piece(field.value.range(), field.spelling.range(), place))?;
            }
        }
        for hit in self.hits.iter_mut().skip(hits) {
            hit.target = Target::Head;
        }
        Ok(())
    }

    /// A JSON document, and the documents inside its strings as deep as there are levels. Returns how many media parts were skipped.
    fn json(
        &mut self,
        levels: &mut [Level],
        policy: &Policy,
        document: &[u8],
        root: &'static Node,
    ) -> Result<u32, Stop> {
        let Some(level) = levels.first_mut() else { return Ok(0) };
        level.walker.walk(document, root)?;
        self.walked(levels, policy, document)
    }

    /// The same for a document that the first level's walker has just read.
    fn walked(&mut self, levels: &mut [Level], policy: &Policy, document: &[u8]) -> Result<u32, Stop> {
        let Some(level) = levels.first_mut() else { return Ok(0) };
        let pieces = std::mem::take(&mut level.walker.pieces);
        let result = self.pieces(levels, policy, document, &pieces, Escape::Json);
        let Some(level) = levels.first_mut() else { return Ok(0) };
        level.walker.pieces = pieces;
        result.map(|media| level.walker.media + media)
    }

    /// All pieces of a document, those that are read as one text together. Returns how many media parts were skipped.
    fn pieces(
        &mut self,
        levels: &mut [Level],
        policy: &Policy,
        document: &[u8],
        mut pieces: &[Piece],
        escape: Escape,
    ) -> Result<u32, Stop> {
        let mut media = 0;
        while let Some(first) = pieces.first() {
            let length = 1 + pieces.iter().skip(1).take_while(|piece| piece.joined).count();
            let (passage, rest) = pieces.split_at(length);
            pieces = rest;
            let Some((level, deeper)) = levels.split_first_mut() else { break };
            if first.form == Form::Json
                && length == 1
                && let Some(skipped) = self.nested(level, deeper, policy, document, first)?
            {
                media += skipped;
                continue;
            }
            self.passage(level, policy, document, passage, escape)?;
        }
        Ok(media)
    }

    /// A string that should be a JSON document. `None`: it is none, or stands too deep; then it is a text.
    fn nested(
        &mut self,
        level: &mut Level,
        deeper: &mut [Level],
        policy: &Policy,
        document: &[u8],
        piece: &Piece,
    ) -> Result<Option<u32>, Stop> {
        let raw = document.get(piece.range()).unwrap_or_default();
        let text = if piece.plain {
            raw
        } else {
            level.text.clear();
            json::unescape(raw, &mut level.text);
            &level.text
        };
        let root = if piece.place.part == Part::Tools { &node::ARGUMENTS } else { &node::ANY };
        let Some(inner) = deeper.first_mut() else { return Ok(None) };
        if inner.walker.walk(text, root).is_err() {
            return Ok(None);
        }
        let from = self.hits.len();
        let media = self.walked(deeper, policy, text)?;
        self.order.clear();
        for (at, hit) in self.hits.iter_mut().enumerate().skip(from) {
            hit.place = piece.place;
            self.order.extend(Offset::of(0, hit, at));
        }
        self.map_back(&[Seam { start: 0, piece: *piece }], document, Escape::Json);
        Ok(Some(media))
    }

    /// One piece whose text is its bytes.
    fn plain(&mut self, policy: &Policy, document: &[u8], piece: &Piece) -> Result<(), Stop> {
        let bytes = document.get(piece.range()).unwrap_or_default();
        let key = telling_key(document, piece);
        self.placeholders(bytes);
        let Self { views, findings, work, .. } = self;
        inspector::inspect(policy.scanner(), Text { bytes, key }, work, views, findings)?;
        for at in 0..self.findings.len() {
            let Some(&finding) = self.findings.get(at) else { break };
            let found = bytes.get(finding.start as usize..finding.end as usize).unwrap_or_default();
            let (start, end) = match piece.form {
                Form::Number => (piece.start, piece.end),
                Form::Text | Form::Json | Form::Key => (piece.start + finding.start, piece.start + finding.end),
            };
            self.hit(policy, Finding { start, end, ..finding }, piece, found, false)?;
        }
        Ok(())
    }

    /// Pieces that are one text: together, since a value may be split over them, and each alone, since another may only seem to go on.
    fn passage(
        &mut self,
        level: &mut Level,
        policy: &Policy,
        document: &[u8],
        pieces: &[Piece],
        escape: Escape,
    ) -> Result<(), Stop> {
        if let [piece @ Piece { plain: true, .. }] = pieces {
            return self.plain(policy, document, piece);
        }
        let Level { text, seams, .. } = level;
        assemble(document, pieces, escape, text, seams);
        self.placeholders(text);
        let key = pieces.first().map_or(&b""[..], |piece| telling_key(document, piece));
        let Self { views, findings, joint, work, .. } = self;
        inspector::inspect(policy.scanner(), Text { bytes: text, key }, work, views, joint)?;
        if pieces.len() > 1 {
            for (seam, end) in bounds(seams, text.len()) {
                let bytes = text.get(seam.start as usize..end as usize).unwrap_or_default();
                inspector::inspect(policy.scanner(), Text { bytes, key }, work, views, findings)?;
                let moved = |finding: &Finding| Finding {
                    start: finding.start + seam.start,
                    end: finding.end + seam.start,
                    ..*finding
                };
                joint.extend(findings.iter().map(moved));
                if joint.len() > limits::FINDINGS_MAX {
                    return Err(Stop::Limit);
                }
            }
            overlap::resolve(joint, |finder| policy.scanner().yields(finder));
        }
        if self.joint.is_empty() {
            return Ok(());
        }
        self.order.clear();
        for at in 0..self.joint.len() {
            let Some(&finding) = self.joint.get(at) else { break };
            self.split(policy, finding, seams, text)?;
        }
        self.map_back(seams, document, escape);
        Ok(())
    }

    /// A finding in a passage: one hit in each of the pieces that it stands in, still in offsets of the piece's text.
    fn split(&mut self, policy: &Policy, finding: Finding, seams: &[Seam], text: &[u8]) -> Result<(), Stop> {
        let first = seams.partition_point(|seam| seam.start <= finding.start).saturating_sub(1);
        let mut continued = false;
        let tail = seams.get(first..).unwrap_or_default();
        for (at, (seam, end)) in bounds(tail, text.len()).enumerate() {
            if seam.start >= finding.end {
                break;
            }
            let (start, end) = (finding.start.max(seam.start), finding.end.min(end));
            if start < end {
                let found = text.get(finding.start as usize..finding.end as usize).unwrap_or_default();
                let part = Finding { start: start - seam.start, end: end - seam.start, ..finding };
                let before = self.hits.len();
                self.hit(policy, part, &seam.piece, found, continued)?;
                if let Some(hit) = self.hits.get(before) {
                    self.order.extend(Offset::of(first + at, hit, before));
                }
                continued = true;
            }
        }
        Ok(())
    }

    /// Keeps a finding in a piece that a rule is about, `found` being its bytes.
    fn hit(
        &mut self,
        policy: &Policy,
        finding: Finding,
        piece: &Piece,
        found: &[u8],
        continued: bool,
    ) -> Result<(), Stop> {
        let Some(rule) = policy.rule_for(finding.finder, self.scope, piece.place) else { return Ok(()) };
        if rule.action == Action::Allow {
            return Ok(());
        }
        if self.hits.len() >= limits::FINDINGS_MAX {
            return Err(Stop::Limit);
        }
        let spelling = match piece.form {
            Form::Key => Spelling::Key,
            Form::Number => Spelling::Number,
            Form::Text | Form::Json => Spelling::Plain,
        };
        let numbered = rule.action.replaces() && (rule.placeholder.numbered || spelling == Spelling::Key);
        let mut number = if numbered && !continued { self.number(&rule.placeholder.word, found) } else { 0 };
        // A number has no room for a placeholder, so nothing of it can come back.
        if rule.action == Action::Tokenise && number > 0 && spelling != Spelling::Number {
            let vault = self.vault.get_or_insert_default();
            if !vault.keep(&rule.placeholder.word, number, found) {
                number = 0;
            }
        }
        let Finding { start, end, finder, validated } = finding;
        let (scope, place, target) = (self.scope, piece.place, Target::Body);
        self.hits.push(Hit { start, end, finder, scope, target, spelling, place, continued, validated, number });
        Ok(())
    }

    /// Notes what has the form of a placeholder in a request's own text. Later texts may hold some too, so that numbers are given out
    /// at the end.
    fn placeholders(&mut self, text: &[u8]) {
        if self.tokenises && placeholder::next(text, 0).is_some() {
            self.vault.get_or_insert_default().take(text);
        }
    }

    /// Gives out the numbers of placeholders.
    fn settle(&mut self) {
        let Some(vault) = &mut self.vault else { return };
        let given = vault.settle();
        for hit in self.hits.iter_mut().filter(|hit| hit.number > 0) {
            hit.number = given(hit.number);
        }
        if vault.is_empty() && vault.left_out() == 0 {
            self.vault = None;
        }
    }

    /// Equal values of one word get an equal number.
    fn number(&mut self, word: &str, value: &[u8]) -> u32 {
        let next = u32::try_from(self.numbers.len() + 1).unwrap_or(u32::MAX);
        *self.numbers.entry(self.hasher.hash_one((word, value))).or_insert(next)
    }

    /// Turns the hits in `order` from offsets of their piece's text to offsets of the document.
    fn map_back(&mut self, seams: &[Seam], document: &[u8], escape: Escape) {
        self.order.sort_unstable();
        let mut order = self.order.as_slice();
        while let Some(&Offset { seam, .. }) = order.first() {
            let (of_seam, rest) = order.split_at(order.partition_point(|offset| offset.seam == seam));
            order = rest;
            let Some(Seam { piece, .. }) = seams.get(seam as usize) else { continue };
            let raw = document.get(piece.range()).unwrap_or_default();
            let mut offsets = match escape {
                Escape::Json => json::offsets(raw),
                Escape::Percent => percent::offsets(raw),
            };
            for offset in of_seam {
                let at = offset.at as usize;
                let moved = if piece.plain { at } else { offsets.to_raw(at) };
                let moved = piece.start + u32::try_from(moved).unwrap_or(u32::MAX);
                if let Some(hit) = self.hits.get_mut(offset.hit as usize) {
                    *(if offset.is_end { &mut hit.end } else { &mut hit.start }) = moved;
                }
            }
        }
    }
}

impl Offset {
    /// Both ends of a hit.
    fn of(seam: usize, hit: &Hit, at: usize) -> [Self; 2] {
        let seam = u32::try_from(seam).unwrap_or(u32::MAX);
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        [
            Self { seam, at: hit.start, hit: number, is_end: false },
            Self { seam, at: hit.end, hit: number, is_end: true },
        ]
    }
}

/// The key that a text is the value of, where it says something of it. Every part of every API has a `text`, which no more makes a
/// telephone number of its digits than `content` does.
fn telling_key<'a>(document: &'a [u8], piece: &Piece) -> &'a [u8] {
    document.get(piece.key()).filter(|key| *key != b"text").unwrap_or_default()
}

/// Puts the texts of the pieces one behind the other.
fn assemble(document: &[u8], pieces: &[Piece], escape: Escape, text: &mut Vec<u8>, seams: &mut Vec<Seam>) {
    text.clear();
    seams.clear();
    for piece in pieces {
        seams.push(Seam { start: u32::try_from(text.len()).unwrap_or(u32::MAX), piece: *piece });
        let raw = document.get(piece.range()).unwrap_or_default();
        match escape {
            _ if piece.plain => text.extend_from_slice(raw),
            Escape::Json => json::unescape(raw, text),
            Escape::Percent => percent::unescape(raw, text),
        }
    }
}

/// Each seam with where its piece ends in the text.
fn bounds(seams: &[Seam], length: usize) -> impl Iterator<Item = (&Seam, u32)> {
    let ends = seams.iter().skip(1).map(|seam| seam.start).chain([u32::try_from(length).unwrap_or(u32::MAX)]);
    seams.iter().zip(ends)
}
