//! One text of a stream: what of it was given out is kept as far as it matters, what waits is kept whole.
//!
//! ```text
//!  text:   …│ context │ watched: a match that is only told of may have begun │ waits: one that is acted on │
//!           0       settled                                                 holds                        end
//! ```
//! Places are counted in bytes of the channel's text since the stream began. `base <= settled <= end`, `base <= holds <= end`.

use std::cmp::Reverse;
use std::mem::swap;

use memchr::memmem;

use crate::extract::Form;
use crate::extract::Piece;
use crate::extract::Place;
use crate::extract::json::unescape;
use crate::inspect::Finding;
use crate::inspect::Text;
use crate::inspect::Work;
use crate::inspect::inspector;
use crate::inspect::normalise::View;
use crate::inspect::overlap;
use crate::limits;
use crate::policy::Action;
use crate::policy::Policy;
use crate::policy::Rule;
use crate::policy::Scope;

use super::super::Matcher;
use super::super::vault::Vault;
use super::Cut;
use super::Hit;
use super::Spelling;
use super::Stop;
use super::Target;
use super::denied;
use super::json::Lexer;
use super::json::Reader;
use super::queue;
use super::queue::Queue;

/// What completes a token in parts of which the last is missing: so that one that waits too long is known for what it is.
const COMPLETION: &[u8] = b".AAAA.A";

pub(super) struct Channel {
    id: u32,
    form: Form,
    place: Place,
    pub(super) is_tool_name: bool,
    /// From `base` on.
    text: Vec<u8>,
    base: u64,
    /// Up to where matches have been decided about.
    settled: u64,
    /// Up to where text may be given out.
    holds: u64,
    /// Up to where text has been replaced.
    replaced: u64,
    /// What a reader of JSON knows at `base`.
    lexer: Lexer,
    /// How often the text is escaped where it stands.
    outer: u8,
    /// Whether it is a JSON document, as far as its beginning says.
    document: Beginning,
    swallow: Swallow,
    bytes: u64,
}

/// How a text begins: whether as a JSON document does that has strings in it. A placeholder has brackets as well, and so has Markdown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// White space, or not at all.
    Nothing,
    /// With `{`.
    Brace,
    /// With `[`, or several.
    Bracket,
    /// As a document.
    Document,
    /// As anything else.
    Prose,
}

impl Beginning {
    fn is_known(self) -> bool {
        matches!(self, Self::Document | Self::Prose)
    }

    /// With one byte more.
    fn step(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Document | Self::Prose, _) | (_, b' ' | b'\t' | b'\r' | b'\n') => self,
            (Self::Nothing | Self::Bracket, b'{') => Self::Brace,
            (Self::Nothing | Self::Bracket, b'[') => Self::Bracket,
            (Self::Brace | Self::Bracket, b'"') => Self::Document,
            _ => Self::Prose,
        }
    }
}

/// A match that has been replaced before its end came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Swallow {
    /// There is none.
    No,
    /// What is found now to the end of the text may be one.
    Next,
    /// The rest of a token.
    Token,
    /// The rest of a private key: so many dashes in a row, and whether the last line has begun.
    Armour { dashes: u8, last: bool },
}

impl Swallow {
    /// For what goes on with this match.
    fn of(found: &[u8]) -> Self {
        const LINE: &[u8] = b"-----";
        let Some(label) = found.strip_prefix(LINE) else { return Self::Token };
        let head = memmem::find(label, LINE).map_or(label.len(), |at| at + LINE.len());
        let (mut dashes, mut last) = (0, false);
        let body = label.get(head..).unwrap_or_default();
        match armour_end(body, &mut dashes, &mut last) {
            Some(_) => Self::No,
            None => Self::Armour { dashes, last },
        }
    }
}

/// What a channel is read with.
pub(super) struct Scan<'a> {
    pub(super) policy: &'a Policy,
    pub(super) vault: Option<&'a Vault>,
    pub(super) matcher: &'a mut Matcher,
    pub(super) findings: &'a mut Vec<Finding>,
    pub(super) view: &'a mut View,
    /// Scratch: a text with its blanks opened.
    pub(super) opened: &'a mut Vec<u8>,
}

/// What comes of it.
pub(super) struct Acts<'a> {
    pub(super) queue: &'a mut Queue,
    pub(super) told: &'a mut Vec<Hit>,
    pub(super) redacted: &'a mut u32,
    /// The channel's place.
    pub(super) at: usize,
}

/// What is decided of a text, in its own offsets. `settle <= hold`
struct Bounds {
    settle: usize,
    hold: usize,
}

impl Channel {
    pub(super) fn new(piece: &Piece, outer: u8) -> Self {
        Self {
            id: piece.channel,
            form: piece.form,
            place: piece.place,
            is_tool_name: piece.calls_tool(),
            text: Vec::with_capacity(limits::CHANNEL_BYTES_KEPT),
            base: 0,
            settled: 0,
            holds: 0,
            replaced: 0,
            lexer: Lexer::default(),
            outer,
            document: if piece.form == Form::Json { Beginning::Document } else { Beginning::Nothing },
            swallow: Swallow::No,
            bytes: 0,
        }
    }

    pub(super) fn is(&self, piece: &Piece) -> bool {
        self.id == piece.channel
    }

    pub(super) fn end(&self) -> u64 {
        self.base + self.text.len() as u64
    }

    /// Up to where text may be given out.
    pub(super) fn decided(&self) -> u64 {
        self.holds
    }

    /// Bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        usize::try_from(self.end() - self.holds).unwrap_or(usize::MAX)
    }

    /// Bytes of text that came since the last call.
    pub(super) fn take_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.bytes)
    }

    /// Bytes that its memory takes.
    pub(super) fn capacity(&self) -> usize {
        self.text.capacity()
    }

    /// Gives out what waits, undecided.
    pub(super) fn let_go(&mut self) {
        self.holds = self.end();
    }

    /// What is found to the end of the text when it is next read goes on behind it.
    pub(super) fn swallow_next(&mut self) {
        self.swallow = Swallow::Next;
    }

    pub(super) fn append(&mut self, raw: &[u8], plain: bool) {
        let before = self.text.len();
        if plain {
            self.text.extend_from_slice(raw);
        } else {
            unescape(raw, &mut self.text);
        }
        self.bytes += (self.text.len() - before) as u64;
        for byte in self.text.get(before..).unwrap_or_default() {
            self.document = self.document.step(*byte);
            if self.document.is_known() {
                break;
            }
        }
    }

    /// What the policy says of the tool whose name this is, or becomes. While another name may come of it, it waits.
    pub(super) fn name(&mut self, policy: &Policy, ends: bool) -> Result<u32, Cut> {
        if self.waiting() == 0 || (!ends && policy.tools().may_become(&self.text)) {
            return Ok(0);
        }
        denied(policy, &self.text)
    }

    /// Reads on. See [`super::Stream`].
    pub(super) fn advance(&mut self, mut scan: Scan<'_>, acts: &mut Acts<'_>, ends: bool) -> Result<(), Cut> {
        if self.swallow_rest(acts) {
            return Ok(());
        }
        let mut bounds = self.read(&mut scan, ends)?;
        if self.is_tool_name && !ends && scan.policy.tools().may_become(&self.text) {
            bounds = Bounds { settle: 0, hold: 0 };
        }
        let swallow = self.swallow == Swallow::Next;
        self.swallow = Swallow::No;
        self.decide(&mut scan, acts, &bounds, swallow)?;
        if let Some(vault) = scan.vault {
            self.restore(vault, acts, &mut bounds, ends);
        }
        // Never back: what was let go is gone.
        self.settled = self.settled.max(self.base + bounds.settle as u64);
        self.holds = self.holds.max(self.base + bounds.hold as u64);
        if self.is_tool_name {
            // Names are short, and looked at whole.
            if self.text.len() > limits::TOOL_NAME_BYTES_MAX {
                return Err(Cut::Stopped(Stop::Limit));
            }
        } else if self.swallow == Swallow::No {
            self.forget(bounds.settle.min(bounds.hold));
        } else {
            self.forget_all();
        }
        Ok(())
    }

    /// Finds what there is, and what may still come of it.
    fn read(&mut self, scan: &mut Scan<'_>, ends: bool) -> Result<Bounds, Cut> {
        if self.form != Form::Json || !self.lexer.open_blanks(&self.text, scan.opened) {
            return self.read_text(scan, ends);
        }
        swap(&mut self.text, scan.opened);
        let bounds = self.read_text(scan, ends);
        swap(&mut self.text, scan.opened);
        bounds
    }

    fn read_text(&mut self, scan: &mut Scan<'_>, ends: bool) -> Result<Bounds, Cut> {
        let Scan { policy, matcher, findings, view, .. } = scan;
        let part = self.place.part;
        let length = self.text.len();
        let mut work = Work::default();
        let text = Text { bytes: &self.text, key: b"" };
        inspector::inspect(policy.scanner(), text, &mut work, &mut matcher.views, findings)
            .map_err(|_| Cut::Stopped(Stop::Limit))?;
        if ends {
            if self.swallow == Swallow::Next {
                self.complete(policy, matcher, findings, view)?;
            }
            return Ok(Bounds { settle: length, hold: length });
        }
        let awaited = |chosen: &dyn Fn(u16) -> bool| work.awaited.earliest(chosen).map_or(length, |at| at as usize);
        let acting = |finder| policy.acts(finder, Scope::Response, part);
        // Whatever holds is watched as well: where nothing is watched, nothing holds.
        let watched = policy.watching().earliest(&self.text, view);
        let held = watched.and_then(|_| policy.holding(part).earliest(&self.text, view));
        let mut hold = held.unwrap_or(length).min(awaited(&acting));
        let mut settle = watched.unwrap_or(length).min(awaited(&|_| true)).min(hold);
        // A match that goes beyond what is settled is not decided about, and so on for those that it overlaps.
        while let Some(across) =
            findings.iter().find(|found| (found.start as usize) < settle && (found.end as usize) > settle)
        {
            settle = across.start as usize;
        }
        for found in findings.iter().filter(|found| (found.start as usize) >= settle && acting(found.finder)) {
            hold = hold.min(found.start as usize);
        }
        Ok(Bounds { settle, hold })
    }

    /// Looks for a token that would be one if its last part came.
    fn complete(
        &mut self,
        policy: &Policy,
        matcher: &mut Matcher,
        findings: &mut Vec<Finding>,
        view: &mut View,
    ) -> Result<(), Cut> {
        let length = self.text.len();
        let Some(open) = policy.holding(self.place.part).earliest(&self.text, view) else { return Ok(()) };
        let known = findings.len();
        self.text.extend_from_slice(COMPLETION);
        let mut completed = Vec::new();
        let text = Text { bytes: &self.text, key: b"" };
        let result =
            inspector::inspect(policy.scanner(), text, &mut Work::default(), &mut matcher.views, &mut completed);
        self.text.truncate(length);
        result.map_err(|_| Cut::Stopped(Stop::Limit))?;
        let end = u32::try_from(length).unwrap_or(u32::MAX);
        let is_new = |found: &&Finding| found.start as usize >= open && found.start < end && found.end > end;
        findings.extend(completed.iter().filter(is_new).map(|found| Finding { end, ..*found }));
        if findings.len() > known {
            overlap::merge(findings);
        }
        Ok(())
    }

    /// Does what the policy says about all matches that are decided.
    fn decide(&mut self, scan: &mut Scan<'_>, acts: &mut Acts<'_>, bounds: &Bounds, swallow: bool) -> Result<(), Cut> {
        // Of one beginning the longest speaks for all.
        scan.findings.sort_unstable_by_key(|found| (found.start, Reverse(found.end), found.finder));
        let mut reader = Reader::new(&self.text, self.lexer);
        for at in 0..scan.findings.len() {
            let Some(&found) = scan.findings.get(at) else { break };
            let (start, end) = (self.base + u64::from(found.start), self.base + u64::from(found.end));
            // What begins where the text was cut off before may be the end of something longer, which was no match.
            let is_cut = found.start == 0 && self.base > 0;
            if end <= self.settled || (start < self.settled && is_cut) || found.end as usize > bounds.settle {
                continue;
            }
            let Some(rule) = scan.policy.rule_for(found.finder, Scope::Response, self.place) else { continue };
            if rule.action == Action::Allow {
                continue;
            }
            let number = self.number(scan.matcher, rule, found);
            let hit = self.hit(found, number);
            acts.told.push(hit);
            if rule.action == Action::Block {
                self.holds = self.holds.max(start.min(self.end()));
                return Err(Cut::Blocked(rule.code));
            }
            if rule.action.replaces() {
                let end = self.replace(acts, &mut reader, rule, found, hit)?;
                self.replaced = self.replaced.max(end);
                if swallow && found.end as usize == self.text.len() {
                    let text = self.text.get(found.start as usize..).unwrap_or_default();
                    self.swallow = Swallow::of(text);
                }
            }
        }
        Ok(())
    }

    fn number(&self, matcher: &mut Matcher, rule: &Rule, found: Finding) -> u32 {
        let text = self.text.get(found.start as usize..found.end as usize).unwrap_or_default();
        if rule.action.replaces() && rule.placeholder.numbered {
            matcher.number(&rule.placeholder.word, text)
        } else {
            0
        }
    }

    fn hit(&self, found: Finding, number: u32) -> Hit {
        let Finding { start, end, finder, validated } = found;
        Hit {
            start,
            end,
            finder,
            scope: Scope::Response,
            target: Target::Body,
            spelling: Spelling::Plain,
            place: self.place,
            continued: false,
            validated,
            number,
        }
    }

    /// Puts the placeholder in, and says up to where. In JSON it stays inside its string, or is a number.
    fn replace(
        &self,
        acts: &mut Acts<'_>,
        reader: &mut Reader<'_>,
        rule: &Rule,
        found: Finding,
        hit: Hit,
    ) -> Result<u64, Cut> {
        let span = found.start as usize..found.end as usize;
        let (span, spelling) = match self.form {
            Form::Json => match reader.replaceable(span) {
                Some(replaceable) => replaceable,
                None => return Err(Cut::Blocked(rule.code)),
            },
            Form::Text | Form::Key | Form::Number => (span, Spelling::Plain),
        };
        let (start, end) = (self.base + span.start as u64, self.base + span.end as u64);
        // What overlaps is replaced as one.
        let goes_on = start < self.replaced;
        let with = if goes_on { Vec::new() } else { queue::placeholder(rule, spelling, hit.number) };
        let is_there = acts.queue.replace(acts.at, start, end, &with);
        *acts.redacted += u32::from(is_there && !goes_on);
        Ok(end)
    }

    /// Puts values back where their placeholders stand, and holds back what may become one.
    ///
    /// Arguments of a tool, and what a model was asked to write as JSON, are documents: a value is escaped for the string in them.
    fn restore(&self, vault: &Vault, acts: &mut Acts<'_>, bounds: &mut Bounds, ends: bool) {
        let open = if ends { None } else { vault.open_at_end(&self.text) };
        if let Some(open) = open {
            bounds.hold = bounds.hold.min(open);
            bounds.settle = bounds.settle.min(open);
        }
        let mut reader = Reader::new(&self.text, self.lexer);
        let mut from = 0;
        while let Some(found) = vault.find(&self.text, from) {
            from = found.end;
            let (start, end) = (self.base + found.start as u64, self.base + found.end as u64);
            // Once: when all before its end is settled.
            if found.end > bounds.settle {
                bounds.hold = bounds.hold.min(found.start);
                bounds.settle = bounds.settle.min(found.start);
            } else if start >= self.settled {
                let is_inside = self.document == Beginning::Document && reader.is_inside(found.start);
                let with = queue::escaped(found.value, self.outer + u8::from(is_inside));
                if acts.queue.is_full() {
                    return;
                }
                acts.queue.replace(acts.at, start, end, &with);
            }
        }
    }

    /// Takes out what goes on with a match that was replaced before its end. Whether that is all there is.
    fn swallow_rest(&mut self, acts: &mut Acts<'_>) -> bool {
        let end = match &mut self.swallow {
            Swallow::No | Swallow::Next => return false,
            Swallow::Token => self.text.iter().position(|byte| !in_token(*byte)),
            Swallow::Armour { dashes, last } => armour_end(&self.text, dashes, last),
        };
        let start = self.base;
        let length = end.unwrap_or(self.text.len());
        acts.queue.replace(acts.at, start, start + length as u64, b"");
        let rest = self.text.get(..length).unwrap_or_default();
        self.lexer.read(rest);
        self.text.drain(..length);
        self.base += length as u64;
        (self.settled, self.holds) = (self.base, self.base);
        if end.is_some() {
            self.swallow = Swallow::No;
        }
        end.is_none()
    }

    /// Drops what no match can need any more that begins at `kept` or behind.
    fn forget(&mut self, kept: usize) {
        let most = self.text.len().saturating_sub(limits::CHANNEL_WATCHED_BYTES_MAX);
        let waiting = usize::try_from(self.holds - self.base).unwrap_or(usize::MAX);
        let context = limits::CHANNEL_CONTEXT_BYTES;
        let mut front = kept.saturating_sub(context).max(most).min(waiting.saturating_sub(context));
        if front > 0 {
            // Not in the middle of a word: its end may look like a match that it is not, and hide one that it overlaps.
            let ends = (front..kept).find(|at| self.text.get(*at).is_some_and(|byte| parts_words(*byte)));
            front = ends.unwrap_or(front);
        }
        while self.text.get(front).is_some_and(|byte| byte & 0xC0 == 0x80) {
            front += 1;
        }
        self.lexer.read(self.text.get(..front).unwrap_or_default());
        self.text.drain(..front.min(self.text.len()));
        self.base += front as u64;
        self.text.shrink_to(limits::CHANNEL_BYTES_KEPT);
    }

    fn forget_all(&mut self) {
        self.lexer.read(&self.text);
        self.base = self.end();
        self.text.clear();
        self.text.shrink_to(limits::CHANNEL_BYTES_KEPT);
    }
}

/// Whether no match goes on over this, but for numbers and what stands over several lines.
fn parts_words(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || !byte.is_ascii()
        || matches!(byte, b'"' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b',' | b';')
}

fn in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=')
}

/// Where a private key ends that has begun; `None`: not in this text.
fn armour_end(text: &[u8], dashes: &mut u8, last: &mut bool) -> Option<usize> {
    for (at, byte) in text.iter().enumerate() {
        if *byte == b'-' {
            *dashes = dashes.saturating_add(1);
        } else {
            *last |= *dashes >= 5;
            *dashes = 0;
        }
        if *last && *dashes == 5 {
            return Some(at + 1);
        }
        let goes_on = byte.is_ascii_alphanumeric()
            || byte.is_ascii_whitespace()
            || matches!(byte, b'-' | b'+' | b'/' | b'=' | b'\\' | b':' | b',' | b'.');
        if !goes_on {
            return Some(at);
        }
    }
    None
}
