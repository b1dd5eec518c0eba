//! An answer that comes in events: each channel of it is inspected as its text grows, and no more waits than must.
//!
//! ```text
//!  bytes ─► events ─► walk ─┬─ fragments ─► channel: what was released │ what waits │ new ─► scan ─► findings, openings
//!                           └─ whole texts ─► as in a whole answer                                    │
//!  out ◄─ events in their order, as they came but for the strings that changed ◄── queue ◄────────────┘
//! ```
//! A channel is one text that the client puts together: of one choice, of one field, of one tool call. An event goes on as soon as all
//! that its texts say is decided; the events behind it wait with it, so that their order stays. Whatever the events, what the client
//! puts together is what redaction of the whole text would be. Pure: no clock; who calls says when text has waited too long.
//! It never keeps more than its bounds, and never gives out a byte behind one that it has not decided about.

mod channel;
pub mod fuzz;
mod json;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Range;

use crate::extract::Form;
use crate::extract::Piece;
use crate::extract::json::unescape;
use crate::extract::node::Node;
use crate::extract::usage::Usage;
use crate::http::lines;
use crate::http::sse;
use crate::http::sse::Event;
use crate::limits;
use crate::policy::Action;
use crate::policy::Policy;
use crate::policy::Unread;
use crate::policy::answers::Overdue;
use crate::policy::code::Code;
use crate::policy::tools;
use crate::policy::tools::ToolVerdict;

use super::Escape;
use super::Hit;
use super::Inspector;
use super::Spelling;
use super::Stop;
use super::Target;
use super::reading;
use super::vault::Vault;

use channel::Channel;
use queue::Fragment;
use queue::Queue;

/// How a stream is cut into events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `text/event-stream`.
    Events,
    /// A JSON text a line, or behind a separator.
    Lines(lines::Form),
    /// Not at all: what is received at once is an event, and its bytes are text.
    Text,
    /// Not at all, and its bytes are a JSON document that is too large to be read as one.
    Document,
}

/// Why a stream ends before its time. Nothing behind what was given out may follow but the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// A rule blocks what would come next.
    Blocked(Code),
    /// A tool is called that must not be.
    Tool,
    /// A bound is met, or what cannot be inspected may not pass.
    Stopped(Stop),
    /// There is no room for what may go on.
    Memory,
}

/// One answer on its way.
pub struct Stream {
    splitter: Splitter,
    is_document: bool,
    table: &'static Node,
    /// What has come of an event that is not complete.
    input: Vec<u8>,
    queue: Queue,
    channels: Vec<Channel>,
    numbers: HashMap<u64, u32>,
    told: Vec<Hit>,
    denied: u32,
    redacted: u32,
    /// As it was before the last call.
    redacted_before: u32,
    bytes: u64,
    unread: u32,
    unparsed: u32,
    /// Whether it has log probabilities.
    likelihoods: bool,
    begun: bool,
    /// Whether it ended where an event did.
    whole: bool,
    usage: Usage,
}

enum Splitter {
    Events(sse::Splitter),
    Lines(lines::Splitter),
    Text,
}

/// What one call works with: the same policy and vault for all calls of a stream.
pub struct Call<'a> {
    /// The core's memory.
    pub inspector: &'a mut Inspector,
    /// The policy of the exchange.
    pub policy: &'a Policy,
    /// What is to be put back.
    pub vault: Option<&'a Vault>,
}

/// The channel of what is no JSON.
const UNPARSED: u32 = u32::MAX;

impl Stream {
    /// A stream whose events have their texts where `table` says.
    #[must_use]
    pub fn new(framing: Framing, table: &'static Node) -> Self {
        let splitter = match framing {
            Framing::Events => Splitter::Events(sse::Splitter::default()),
            Framing::Lines(form) => Splitter::Lines(lines::Splitter::new(form)),
            Framing::Text | Framing::Document => Splitter::Text,
        };
        let is_document = matches!(framing, Framing::Document);
        Self {
            splitter,
            is_document,
            table,
            input: Vec::new(),
            queue: Queue::default(),
            channels: Vec::new(),
            numbers: HashMap::new(),
            told: Vec::new(),
            denied: 0,
            redacted: 0,
            redacted_before: 0,
            bytes: 0,
            unread: 0,
            unparsed: 0,
            likelihoods: false,
            begun: false,
            whole: false,
            usage: Usage::default(),
        }
    }

    /// Takes what has been received, and appends to `out` what may go on.
    ///
    /// # Errors
    /// The stream ends here. What `out` holds then still goes on.
    pub fn push(&mut self, mut call: Call<'_>, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Cut> {
        self.begin(&mut call);
        let mut input = std::mem::take(&mut self.input);
        let mut at = 0;
        let result;
        if input.is_empty() {
            result = self.events(&mut call, bytes, &mut at);
            input.extend_from_slice(bytes.get(at..).unwrap_or_default());
        } else {
            input.extend_from_slice(bytes);
            result = self.events(&mut call, &input, &mut at);
            input.drain(..at.min(input.len()));
        }
        if input.is_empty() && input.capacity() > limits::STREAM_INPUT_BYTES_KEPT {
            input = Vec::new();
        }
        self.input = input;
        self.release(&mut call, result, out)
    }

    /// Says that nothing more comes, and appends all that is left to `out`.
    ///
    /// # Errors
    /// As for [`Self::push`].
    pub fn finish(&mut self, mut call: Call<'_>, out: &mut Vec<u8>) -> Result<(), Cut> {
        self.begin(&mut call);
        let input = std::mem::take(&mut self.input);
        self.whole = input.is_empty();
        let last = match &mut self.splitter {
            Splitter::Events(splitter) => splitter.rest(&input),
            Splitter::Lines(splitter) => splitter.rest(&input),
            Splitter::Text => None,
        };
        let result = last.map_or(Ok(()), |event| self.event(&mut call, &input, &event));
        let result = result.and_then(|()| self.close(&mut call));
        self.release(&mut call, result, out)
    }

    /// Says that what waits has waited as long as it may: it is decided as the policy says, and appended to `out`.
    ///
    /// # Errors
    /// As for [`Self::push`].
    pub fn overdue(&mut self, mut call: Call<'_>, out: &mut Vec<u8>) -> Result<(), Cut> {
        self.begin(&mut call);
        let result = self.decide_overdue(&mut call);
        self.release(&mut call, result, out)
    }

    /// Whether anything has been given out.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether it ended where an event did, so that another may follow.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// Where in the stream the first event begins that waits, and where the next one that is complete will. Bytes since the stream began.
    #[must_use]
    pub fn waits(&self) -> Range<u64> {
        self.queue.start()..self.queue.end()
    }

    /// Bytes of memory that it takes, beside its own size.
    #[must_use]
    pub fn memory(&self) -> usize {
        let channels = self.channels.len() * (size_of::<Channel>() + limits::CHANNEL_BYTES_KEPT);
        // What waits stands in the text of its channel as well.
        self.input.capacity() + self.queue.memory() + self.queue.len() + channels
    }

    /// What the last call has found.
    #[must_use]
    pub fn told(&self) -> &[Hit] {
        &self.told
    }

    /// Calls of tools in the last call that the policy speaks against, let through or not.
    #[must_use]
    pub const fn denied(&self) -> u32 {
        self.denied
    }

    /// Placeholders that stand in the stream so far.
    #[must_use]
    pub const fn redacted(&self) -> u32 {
        self.redacted
    }

    /// Bytes of text that were inspected.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Parts that were let through unread.
    #[must_use]
    pub const fn unread(&self) -> u32 {
        self.unread
    }

    /// Events that are no JSON where they should be: they were read as text.
    #[must_use]
    pub const fn unparsed(&self) -> u32 {
        self.unparsed
    }

    /// The tokens that the stream says it has cost.
    #[must_use]
    pub const fn usage(&self) -> Usage {
        self.usage
    }

    fn begin(&mut self, call: &mut Call<'_>) {
        self.told.clear();
        self.denied = 0;
        self.redacted_before = self.redacted;
        call.inspector.begin_event();
        std::mem::swap(&mut call.inspector.matcher.numbers, &mut self.numbers);
    }

    /// Gives out what is decided.
    fn release(&mut self, call: &mut Call<'_>, mut result: Result<(), Cut>, out: &mut Vec<u8>) -> Result<(), Cut> {
        if self.likelihoods && self.redacted > self.redacted_before {
            // They repeat the text token by token, in bytes as well, beside any part of what is replaced: nothing of them can be.
            self.queue.stop_at(self.queue.start());
            result = result.and(Err(Cut::Stopped(Stop::Unsupported)));
        }
        let before = out.len();
        let is_full = self.queue.is_full();
        self.queue.release(out, |piece| is_decided(&self.channels, piece));
        self.begun |= out.len() > before;
        std::mem::swap(&mut call.inspector.matcher.numbers, &mut self.numbers);
        let held = self.queue.len() > limits::STREAM_HELD_BYTES_MAX || is_full;
        if result.is_ok() && (held || self.numbers.len() > limits::FINDINGS_MAX) {
            return Err(Cut::Stopped(Stop::Limit));
        }
        result
    }

    fn events(&mut self, call: &mut Call<'_>, bytes: &[u8], at: &mut usize) -> Result<(), Cut> {
        loop {
            let rest = bytes.get(*at..).unwrap_or_default();
            let next = match &mut self.splitter {
                Splitter::Events(splitter) => splitter.next(rest),
                Splitter::Lines(splitter) => splitter.next(rest),
                Splitter::Text if rest.is_empty() => Ok(None),
                Splitter::Text => Ok(Some(Event { end: rest.len(), data: 0..rest.len(), lines: 1, name: 0..0 })),
            };
            let Some(event) = next.map_err(|_| Cut::Stopped(Stop::Limit))? else { return Ok(()) };
            self.event(call, rest, &event)?;
            *at += event.end;
            if self.queue.len() > call.policy.answers().hold_bytes.saturating_add(event.end)
                && self.waits_too_much(call)
            {
                self.decide_overdue(call)?;
            }
        }
    }

    /// Whether more text waits than may.
    fn waits_too_much(&mut self, call: &mut Call<'_>) -> bool {
        self.queue.settle(|piece| is_decided(&self.channels, piece));
        let most = call.policy.answers().hold_bytes;
        self.channels.iter().any(|channel| channel.waiting() > most)
            || self.queue.waiting() > limits::STREAM_HELD_BYTES_MAX / 2
    }

    /// One event, the first of `bytes`.
    fn event(&mut self, call: &mut Call<'_>, bytes: &[u8], event: &Event) -> Result<(), Cut> {
        let raw = bytes.get(..event.end).unwrap_or_default();
        let name = raw.get(event.name.clone()).unwrap_or_default();
        let mut joined = std::mem::take(&mut call.inspector.joined);
        let data = if event.lines > 1 {
            sse::joined(raw, event, &mut joined);
            joined.as_slice()
        } else {
            raw.get(event.data.clone()).unwrap_or_default()
        };
        let begin = self.queue.push(raw);
        let result = self
            .beside(call, raw, event, begin)
            .and_then(|()| self.data(call, name, data, begin + event.data.start as u64));
        call.inspector.joined = joined;
        result
    }

    /// What an event says beside its data: comments, ids, names, fields that nobody knows. Nobody puts texts together from them, so that
    /// each line is one.
    fn beside(&mut self, call: &mut Call<'_>, raw: &[u8], event: &Event, begin: u64) -> Result<(), Cut> {
        // `data: ` and an empty line; `event: ` and its end. What is longer by a few bytes says something.
        let usual = if event.name.is_empty() { 12 } else { 20 };
        let known = [&b"response."[..], b"content_block_", b"message", b"ping", b"error"];
        let name = raw.get(event.name.clone()).unwrap_or_default();
        let in_name = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_' | b'-');
        // Of several lines of data one may have the name between them.
        let is_plain = event.lines < 2
            && event.end.saturating_sub(event.data.len() + event.name.len()) <= usual
            && name.iter().all(in_name)
            && (name.is_empty() || known.iter().any(|known| name.starts_with(known)));
        if is_plain || !matches!(self.splitter, Splitter::Events(_)) {
            return Ok(());
        }
        let mut at = 0;
        for line in raw.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
            let piece = super::piece(at..at + line.len(), 0..0, reading::BODY);
            at += line.len();
            if line.starts_with(b"data") || line.trim_ascii().is_empty() {
                continue;
            }
            let matcher = &mut call.inspector.matcher;
            matcher.hits.clear();
            matcher.work = super::Work::default();
            let result = matcher.plain(call.policy, raw, &piece).map_err(Cut::Stopped);
            result.and_then(|()| self.act(call, begin)).map_err(|cut| self.stop_here(begin, cut))?;
        }
        Ok(())
    }

    /// Does what the policy says of the hits in an event's bytes, which begin at `from`.
    fn act(&mut self, call: &mut Call<'_>, from: u64) -> Result<(), Cut> {
        let matcher = &call.inspector.matcher;
        self.bytes += matcher.work.input;
        for hit in &matcher.hits {
            let Some(rule) = hit.rule(call.policy) else { continue };
            self.told.push(*hit);
            if rule.action == Action::Block {
                return Err(Cut::Blocked(rule.code));
            }
            if rule.action.replaces() {
                self.redacted += u32::from(!hit.continued);
                let with = if hit.continued { Vec::new() } else { queue::placeholder(rule, hit.spelling, hit.number) };
                self.queue.edit(from + u64::from(hit.start), from + u64::from(hit.end), with);
            }
        }
        Ok(())
    }

    /// What an event says; `from` is where that stands in the queue.
    fn data(&mut self, call: &mut Call<'_>, name: &[u8], data: &[u8], from: u64) -> Result<(), Cut> {
        if matches!(self.splitter, Splitter::Text) {
            // Blanks alone too: they are what parts the words around them.
            let form = if self.is_document { Form::Json } else { Form::Text };
            let piece = Piece { form, ..whole(data, 0) };
            return self.fragments(call, &[piece], data, from);
        }
        if data.trim_ascii().is_empty() {
            return Ok(());
        }
        if data == b"[DONE]" {
            return self.close(call);
        }
        let [level, ..] = &mut call.inspector.levels;
        if level.walker.walk(data, self.table).is_err() {
            self.unparsed += 1;
            return self.fragments(call, &[whole(data, UNPARSED)], data, from);
        }
        self.likelihoods |= level.walker.logprobs;
        self.unread += level.walker.media;
        if level.walker.media > 0 && call.policy.media() == Unread::Refuse {
            return Err(self.stop_here(from, Cut::Stopped(Stop::Unsupported)));
        }
        self.usage.update(level.walker.usage);
        let pieces = std::mem::take(&mut level.walker.pieces);
        let result = self.walked(call, &pieces, data, from);
        let [level, ..] = &mut call.inspector.levels;
        level.walker.pieces = pieces;
        result?;
        if self.likelihoods && self.redacted_before > 0 {
            return Err(self.stop_here(from, Cut::Stopped(Stop::Unsupported)));
        }
        if ends_a_text(name) { self.close(call) } else { Ok(()) }
    }

    fn walked(&mut self, call: &mut Call<'_>, pieces: &[Piece], data: &[u8], from: u64) -> Result<(), Cut> {
        self.fragments(call, pieces, data, from)?;
        if pieces.iter().all(|piece| piece.fragment) {
            return Ok(());
        }
        let mut texts = std::mem::take(&mut call.inspector.texts);
        texts.clear();
        texts.extend(pieces.iter().filter(|piece| !piece.fragment));
        let result = self.whole_texts(call, &texts, data, from);
        call.inspector.texts = texts;
        result.map_err(|cut| self.stop_here(from, cut))
    }

    /// Whole texts: those that stand alone, and those that repeat what came in fragments.
    fn whole_texts(&mut self, call: &mut Call<'_>, texts: &[Piece], data: &[u8], from: u64) -> Result<(), Cut> {
        let Call { inspector, policy, .. } = call;
        for piece in texts.iter().filter(|piece| piece.calls_tool()) {
            inspector.name.clear();
            unescape(data.get(piece.range()).unwrap_or_default(), &mut inspector.name);
            self.denied += denied(policy, &inspector.name)?;
        }
        let Inspector { levels, matcher, .. } = &mut **inspector;
        matcher.hits.clear();
        matcher.work = super::Work::default();
        matcher.pieces(levels, policy, data, texts, Escape::Json).map_err(Cut::Stopped)?;
        self.act(call, from)?;
        let Call { inspector, vault, .. } = call;
        if let Some(vault) = vault {
            let [level, ..] = &mut inspector.levels;
            self.queue.restore(vault, data, texts, from, &mut level.text, &mut level.walker);
        }
        Ok(())
    }

    /// Adds the fragments of an event to their channels, and reads on in those.
    fn fragments(&mut self, call: &mut Call<'_>, pieces: &[Piece], data: &[u8], from: u64) -> Result<(), Cut> {
        let first = self.queue.pieces_end();
        for piece in pieces.iter().filter(|piece| piece.fragment) {
            let at = self.channel(piece).map_err(|cut| self.stop_here(from, cut))?;
            let Some(channel) = self.channels.get_mut(at) else { continue };
            let text_start = channel.end();
            channel.append(data.get(piece.range()).unwrap_or_default(), piece.plain);
            self.queue.piece(Fragment {
                channel: at,
                text_start,
                text_end: channel.end(),
                start: from + u64::from(piece.start),
                end: from + u64::from(piece.end),
                plain: piece.plain,
                known: None,
            });
        }
        // The name of a tool is over where anything else of the stream goes on.
        if self.queue.pieces_end() > first {
            self.close_names(call, first)?;
        }
        for at in first..self.queue.pieces_end() {
            let Some(channel) = self.queue.channel_of(at) else { continue };
            // Once for each channel, after all of its fragments.
            let is_last = (at + 1..self.queue.pieces_end()).all(|later| self.queue.channel_of(later) != Some(channel));
            if is_last {
                self.advance(call, channel, false)?;
            }
        }
        Ok(())
    }

    /// The channel of a fragment.
    fn channel(&mut self, piece: &Piece) -> Result<usize, Cut> {
        if let Some(at) = self.channels.iter().rposition(|channel| channel.is(piece)) {
            return Ok(at);
        }
        if self.channels.len() >= limits::STREAM_CHANNELS_MAX {
            return Err(Cut::Stopped(Stop::Limit));
        }
        let outer = if matches!(self.splitter, Splitter::Text) { 0 } else { 1 };
        self.channels.push(Channel::new(piece, outer));
        Ok(self.channels.len() - 1)
    }

    /// Decides about all that waits: nothing more comes of any text.
    fn close(&mut self, call: &mut Call<'_>) -> Result<(), Cut> {
        (0..self.channels.len()).try_for_each(|at| self.advance(call, at, true))
    }

    /// The same for names of tools to which nothing was added since the piece `first`.
    fn close_names(&mut self, call: &mut Call<'_>, first: usize) -> Result<(), Cut> {
        for at in 0..self.channels.len() {
            let waits = self.channels.get(at).is_some_and(|channel| channel.is_tool_name && channel.waiting() > 0);
            if waits && (first..self.queue.pieces_end()).all(|piece| self.queue.channel_of(piece) != Some(at)) {
                self.advance(call, at, true)?;
            }
        }
        Ok(())
    }

    /// Reads on in a channel: decides what can be decided, or all of it where it `ends`.
    fn advance(&mut self, call: &mut Call<'_>, at: usize, ends: bool) -> Result<(), Cut> {
        let Some(channel) = self.channels.get_mut(at) else { return Ok(()) };
        if channel.is_tool_name {
            self.denied += channel.name(call.policy, ends)?;
        }
        let Inspector { matcher, findings, opening_view: view, opened, .. } = &mut *call.inspector;
        let scan = channel::Scan { policy: call.policy, vault: call.vault, matcher, findings, view, opened };
        let mut acts = channel::Acts { queue: &mut self.queue, told: &mut self.told, redacted: &mut self.redacted, at };
        let result = channel.advance(scan, &mut acts, ends);
        self.bytes += channel.take_bytes();
        result
    }

    fn decide_overdue(&mut self, call: &mut Call<'_>) -> Result<(), Cut> {
        for at in 0..self.channels.len() {
            let Some(channel) = self.channels.get_mut(at).filter(|channel| channel.waiting() > 0) else { continue };
            match call.policy.answers().at_hold_limit {
                Overdue::Block => return Err(Cut::Stopped(Stop::Limit)),
                // It is decided as it stands, before it is known to be over: nobody asks about it once it is gone.
                Overdue::Release | Overdue::Redact if channel.is_tool_name => self.advance(call, at, true)?,
                Overdue::Release => channel.let_go(),
                Overdue::Redact => {
                    channel.swallow_next();
                    self.advance(call, at, true)?;
                }
            }
        }
        Ok(())
    }

    /// Nothing from this event on is given out.
    fn stop_here(&mut self, from: u64, cut: Cut) -> Cut {
        self.queue.stop_at(from);
        cut
    }
}

/// Whether all of a piece may be given out.
fn is_decided(channels: &[Channel], piece: &Fragment) -> bool {
    channels.get(piece.channel).is_some_and(|channel| piece.text_end <= channel.decided())
}

/// Whether events of this name say that a text is over: its next part is another text.
fn ends_a_text(name: &[u8]) -> bool {
    name == b"content_block_stop"
        || name == b"message_stop"
        || (name.starts_with(b"response.")
            && [&b".done"[..], b".completed", b".failed", b".incomplete"].iter().any(|end| name.ends_with(end)))
}

/// A piece that is all of `data`.
fn whole(data: &[u8], channel: u32) -> Piece {
    Piece { fragment: true, channel, ..super::piece(0..data.len(), 0..0, reading::BODY) }
}

/// What the policy says of a tool's name: 1 where it speaks against it and lets it pass.
fn denied(policy: &Policy, name: &[u8]) -> Result<u32, Cut> {
    match policy.tools().decide(name) {
        ToolVerdict::Allow => Ok(0),
        ToolVerdict::Warn => Ok(1),
        ToolVerdict::Block => Err(Cut::Tool),
    }
}

impl Cut {
    /// The reason that is told.
    #[must_use]
    pub fn code(self) -> Option<Code> {
        match self {
            Self::Blocked(code) => Some(code),
            Self::Tool => Code::new(tools::DENIED),
            Self::Stopped(_) | Self::Memory => None,
        }
    }
}
