//! The walker: a body in one pass, validated as a whole, its texts found by a table of places.
//!
//! ```text
//!  body ─► UTF-8 ─► value ─► next ─► value ─► … ─► end          frames: one for each open array or object
//!                    │         └ closes frames: duplicate keys, who spoke, parts brought together
//!                    └ opens a frame, or pushes a Piece
//! ```
//! It is iterative, and what it keeps is reused: in the steady state a walk allocates nothing. What it accepts is exactly RFC 8259
//! with the latitude taken out: no depth beyond a bound, no key twice, no half of a surrogate pair, no byte order mark. It never
//! copies a text, and never skips one: numbers of many digits and the keys that a table does not know are pieces as well.

use crate::limits;

use super::Form;
use super::Piece;
use super::Unreadable;
use super::channel::Marks;
use super::channel::path;
use super::media::is_base64;
use super::media::is_data_url;
use super::media::is_media;
use super::node::hash;
use super::node::step;
use super::speaker::Speaker;
use super::syntax;
use super::syntax::Inside;
use super::syntax::Span;
use super::usage;
use super::usage::Usage;

pub use super::escape::offsets;
pub use super::escape::offsets_from;
pub use super::escape::unescape;
pub use super::node::ANY;
pub use super::node::ARGUMENTS;
pub use super::node::Node;
pub use super::node::Strings;

/// Digits from which a number is a piece. The shortest identifiers that a validator confirms alone have nine.
const NUMBER_DIGITS_MIN: usize = 9;

/// Unknown keys of one object that are compared each with each; more are sorted.
const KEYS_COMPARED_MAX: usize = 16;

/// Reads one body after another. What it holds between two walks is memory to be used again.
#[derive(Default)]
pub struct Walker {
    /// The texts of the last body, in the order of the document, but for parts: the texts of one message's parts stand in a row,
    /// so that each one that is `joined` goes on where the piece before it ended; what else stood between them follows the last.
    pub pieces: Vec<Piece>,
    /// Media in base64 that were left out for their place.
    pub media: u32,
    /// The numbers of tokens that the last body names.
    pub usage: Usage,
    /// Whether the last body has log probabilities: then it repeats the answer's text token by token, as strings and as bytes.
    pub logprobs: bool,
    frames: Vec<Frame>,
    /// The keys of all open objects that their tables do not know.
    keys: Vec<UnknownKey>,
    /// The text of those that hold an escape.
    key_bytes: Vec<u8>,
    /// Where the parts of all open messages are in `pieces`. Ascending.
    parts: Vec<u32>,
    /// Pieces that turned out to be media: they are empty now.
    sources: u32,
    /// Room to bring parts together.
    spare: Vec<Piece>,
}

/// What the next value is.
#[derive(Clone, Copy)]
struct Slot {
    node: &'static Node,
    key: Span,
    /// The keys on the way to it.
    path: u32,
}

/// An open array or object.
struct Frame {
    is_object: bool,
    /// Of an object: the table of its keys. Of an array: the node of its elements.
    node: &'static Node,
    /// The key that it is the value of.
    key: Span,
    /// A bit for each key of the table that was there.
    seen: u64,
    /// How long each list was when it was opened.
    keys_start: u32,
    key_bytes_start: u32,
    pieces_start: u32,
    /// The same for `parts`, where the frame is a message's list of them.
    parts_start: Option<u32>,
    /// Where a text is in `pieces` that is media if the object says so.
    source: Option<u32>,
    is_base64: bool,
    speaker: Option<Speaker>,
    /// The keys on the way to it.
    path: u32,
    /// What tells its fragments from others.
    marks: Marks,
}

struct UnknownKey {
    hash: u64,
    /// In `key_bytes` where it holds an escape, else in the body.
    at: Span,
    plain: bool,
}

impl Walker {
    /// Reads a whole body and finds its texts.
    ///
    /// # Errors
    /// Why it is no JSON that can be read in one way only, or too large. There are no pieces then.
    pub fn walk(&mut self, body: &[u8], root: &'static Node) -> Result<(), Unreadable> {
        self.clear();
        let walked = self.document(body, root);
        if walked.is_err() {
            self.clear();
        }
        walked
    }

    /// Forgets the last body, and gives back what each list holds beyond `bytes`.
    pub fn shrink(&mut self, bytes: usize) {
        self.clear();
        shrink(&mut self.pieces, bytes);
        shrink(&mut self.frames, bytes);
        shrink(&mut self.keys, bytes);
        shrink(&mut self.key_bytes, bytes);
        shrink(&mut self.parts, bytes);
        shrink(&mut self.spare, bytes);
    }

    fn clear(&mut self) {
        self.pieces.clear();
        self.media = 0;
        self.usage = Usage::default();
        self.logprobs = false;
        self.sources = 0;
        self.frames.clear();
        self.keys.clear();
        self.key_bytes.clear();
        self.parts.clear();
        self.spare.clear();
    }

    fn document(&mut self, body: &[u8], root: &'static Node) -> Result<(), Unreadable> {
        if u32::try_from(body.len()).is_err() {
            return Err(Unreadable::Pieces);
        }
        if simdutf8::basic::from_utf8(body).is_err() {
            return Err(Unreadable::Utf8);
        }
        let mut reader = Reader { body, at: 0, walker: self };
        let mut slot = Slot { node: root, key: Span::NONE, path: 0 };
        loop {
            let opens = reader.value(slot)?;
            match reader.next(opens)? {
                Some(next) => slot = next,
                None => break,
            }
        }
        if reader.at < body.len() {
            return Err(Unreadable::Syntax);
        }
        if self.sources > 0 {
            self.pieces.retain(|piece| piece.start < piece.end);
            self.media = self.media.saturating_add(self.sources);
        }
        if root.fragment {
            for piece in self.pieces.iter_mut().filter(|piece| piece.fragment) {
                piece.joined = false;
            }
        }
        Ok(())
    }
}

/// How long a list is: none is longer than the body.
#[expect(clippy::cast_possible_truncation, reason = "a body is no longer than u32::MAX")]
const fn length<T>(list: &[T]) -> u32 {
    list.len() as u32
}

fn shrink<T>(list: &mut Vec<T>, bytes: usize) {
    list.shrink_to(bytes / size_of::<T>());
}

/// One walk. `at <= body.len() <= u32::MAX`.
struct Reader<'a> {
    body: &'a [u8],
    at: usize,
    walker: &'a mut Walker,
}

impl Reader<'_> {
    /// Reads the value at hand; of an array or object only its beginning: then the answer is true.
    fn value(&mut self, slot: Slot) -> Result<bool, Unreadable> {
        self.at = syntax::blanks(self.body, self.at);
        match self.body.get(self.at) {
            Some(b'"') => {
                let Some(inside) = self.string() else { return Err(self.string_fault()) };
                self.text(slot, inside)?;
            }
            Some(&byte @ (b'{' | b'[')) => {
                self.open(slot, byte == b'{')?;
                return Ok(true);
            }
            Some(b'-' | b'0'..=b'9') => self.number(slot)?,
            _ => self.at = syntax::literal(self.body, self.at)?,
        }
        Ok(false)
    }

    /// What follows a value, or the beginning of an array or object: the slot of the next value. `None`: the document is over.
    fn next(&mut self, mut opens: bool) -> Result<Option<Slot>, Unreadable> {
        loop {
            self.at = syntax::blanks(self.body, self.at);
            let Some(frame) = self.walker.frames.last() else { return Ok(None) };
            let is_object = frame.is_object;
            let byte = self.body.get(self.at);
            if byte == Some(if is_object { &b'}' } else { &b']' }) {
                self.at += 1;
                self.close()?;
                opens = false;
                continue;
            }
            if !opens {
                if byte != Some(&b',') {
                    return Err(Unreadable::Syntax);
                }
                self.at += 1;
            }
            if is_object {
                return self.member().map(Some);
            }
            return Ok(self.walker.frames.last().map(|frame| Slot {
                node: frame.node,
                key: frame.key,
                path: frame.path,
            }));
        }
    }

    /// The key of the next member, and its colon.
    fn member(&mut self) -> Result<Slot, Unreadable> {
        self.at = syntax::blanks(self.body, self.at);
        if self.body.get(self.at) != Some(&b'"') {
            return Err(Unreadable::Syntax);
        }
        let Some(inside) = self.string() else { return Err(self.string_fault()) };
        self.at = syntax::blanks(self.body, self.at);
        if self.body.get(self.at) != Some(&b':') {
            return Err(Unreadable::Syntax);
        }
        self.at += 1;
        self.key(inside)
    }

    /// Notes a key of the innermost object, and says what its value is.
    fn key(&mut self, inside: Inside) -> Result<Slot, Unreadable> {
        let walker = &mut *self.walker;
        let Some(frame) = walker.frames.last_mut() else { return Err(Unreadable::Syntax) };
        let node = frame.node;
        let raw = inside.span.of(self.body);
        let unescaped = walker.key_bytes.len();
        let name = if inside.plain {
            raw
        } else {
            unescape(raw, &mut walker.key_bytes);
            walker.key_bytes.get(unescaped..).unwrap_or_default()
        };
        if let Some((index, known)) = node.find(name) {
            walker.key_bytes.truncate(unescaped);
            let bit = u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index)).unwrap_or_default();
            if frame.seen & bit != 0 {
                return Err(Unreadable::DuplicateKey);
            }
            frame.seen |= bit;
            return Ok(Slot { node: known.node, key: inside.span, path: path(frame.path, known.step) });
        }
        let hash = hash(name);
        let path = path(frame.path, step(hash));
        // The text of all keys is no longer than the body.
        let at = if inside.plain { inside.span } else { Span::new(unescaped, walker.key_bytes.len()) };
        walker.keys.push(UnknownKey { hash, at, plain: inside.plain });
        self.piece(inside, Slot { node, key: Span::NONE, path: 0 }, Form::Key)?;
        Ok(Slot { node: node.other, key: inside.span, path })
    }

    /// The string whose opening quote is at hand. `None`: it is none, and [`Self::string_fault`] says why.
    #[inline(always)]
    fn string(&mut self) -> Option<Inside> {
        let inside = syntax::string(self.body, self.at + 1)?;
        self.at = inside.span.end as usize + 1;
        Some(inside)
    }

    #[cold]
    fn string_fault(&self) -> Unreadable {
        syntax::string_fault(self.body, self.at + 1)
    }

    /// A string that is a value, by its place.
    fn text(&mut self, slot: Slot, inside: Inside) -> Result<(), Unreadable> {
        let raw = inside.span.of(self.body);
        let node = slot.node;
        let mut form = Form::Text;
        match node.strings {
            Strings::Text if node.parts && self.is_in_array() => return self.part(slot, inside),
            Strings::Text => {}
            Strings::PartText => return self.part(slot, inside),
            Strings::Json => form = Form::Json,
            Strings::Word if is_word(raw) => return Ok(()),
            Strings::Word => {}
            Strings::Role | Strings::Kind | Strings::Method => {
                self.note(slot, inside);
                if node.strings != Strings::Method && is_word(raw) {
                    return Ok(());
                }
            }
            Strings::Mark | Strings::Index | Strings::Id | Strings::Event | Strings::Whole => {
                self.note(slot, inside);
                if is_word(raw) {
                    return Ok(());
                }
            }
            Strings::Likelihood | Strings::InputTokens | Strings::OutputTokens if is_word(raw) => return Ok(()),
            Strings::Likelihood | Strings::InputTokens | Strings::OutputTokens => {}
            Strings::Opaque if is_base64(raw) => return Ok(()),
            Strings::Opaque => {}
            Strings::Base64 if is_media(raw) => return self.leave_out(),
            Strings::Url if is_data_url(raw) => return self.leave_out(),
            Strings::Base64 | Strings::Url => {}
            Strings::Source => {
                let index = length(&self.walker.pieces);
                let frame = self.walker.frames.last_mut().filter(|frame| frame.is_object);
                if let Some(frame) = frame.filter(|_| is_base64(raw)) {
                    frame.source = Some(index);
                }
            }
        }
        self.piece(inside, slot, form)
    }

    /// What a word says of the object that it stands in.
    fn note(&mut self, slot: Slot, inside: Inside) {
        let raw = inside.span.of(self.body);
        // A byte of a word takes six at the most.
        if raw.len() > 6 * limits::WORD_BYTES_MAX {
            return;
        }
        let walker = &mut *self.walker;
        let Some(frame) = walker.frames.last_mut().filter(|frame| frame.is_object) else { return };
        let unescaped = walker.key_bytes.len();
        let text = if inside.plain {
            raw
        } else {
            unescape(raw, &mut walker.key_bytes);
            walker.key_bytes.get(unescaped..).unwrap_or_default()
        };
        match slot.node.strings {
            Strings::Role => frame.speaker = Speaker::by_role(text),
            Strings::Method if text == b"tools/call" => frame.speaker = Some(Speaker::Call),
            Strings::Kind => frame.is_base64 = text == b"base64",
            Strings::Event => {
                frame.is_base64 = matches!(text, b"response.audio.delta" | b"response.output_audio.delta");
                frame.speaker = Some(Speaker::by_event(text));
                frame.marks.mark(slot.path, text);
            }
            Strings::Mark => frame.marks.mark(slot.path, text),
            Strings::Index => frame.marks.index(frame.path, text),
            Strings::Id => frame.marks.id(slot.path, text),
            Strings::Whole => frame.marks.whole(),
            _ => {}
        }
        walker.key_bytes.truncate(unescaped);
    }

    /// A text that is part of a message's, if there is an open list of parts.
    fn part(&mut self, slot: Slot, inside: Inside) -> Result<(), Unreadable> {
        let index = length(&self.walker.pieces);
        self.piece(inside, slot, Form::Text)?;
        if length(&self.walker.pieces) > index {
            self.walker.parts.push(index);
        }
        Ok(())
    }

    fn leave_out(&mut self) -> Result<(), Unreadable> {
        self.walker.media = self.walker.media.saturating_add(1);
        Ok(())
    }

    fn number(&mut self, slot: Slot) -> Result<(), Unreadable> {
        let start = self.at;
        let end = syntax::number(self.body, start)?;
        self.at = end;
        if slot.node.strings.is_noted() {
            self.note_number(slot, Span::new(start, end));
        }
        if end - start < NUMBER_DIGITS_MIN || !slot.node.strings.holds_numbers() {
            return Ok(());
        }
        let raw = self.body.get(start..end).unwrap_or_default();
        if raw.iter().filter(|byte| byte.is_ascii_digit()).count() < NUMBER_DIGITS_MIN {
            return Ok(());
        }
        self.piece(Inside { span: Span::new(start, end), plain: true }, slot, Form::Number)
    }

    /// What a number says of the object that it stands in, or of the answer.
    #[inline(never)]
    fn note_number(&mut self, slot: Slot, span: Span) {
        match slot.node.strings {
            Strings::Likelihood => self.walker.logprobs = true,
            Strings::InputTokens => {
                self.walker.usage.input = usage::count(span.of(self.body)).or(self.walker.usage.input)
            }
            Strings::OutputTokens => {
                self.walker.usage.output = usage::count(span.of(self.body)).or(self.walker.usage.output)
            }
            _ => self.note(slot, Inside { span, plain: true }),
        }
    }

    fn is_in_array(&self) -> bool {
        self.walker.frames.last().is_some_and(|frame| !frame.is_object)
    }

    /// Nothing is no text: an empty string is no piece.
    #[inline]
    fn piece(&mut self, inside: Inside, slot: Slot, form: Form) -> Result<(), Unreadable> {
        if inside.span.is_empty() {
            return Ok(());
        }
        if self.walker.pieces.len() >= limits::PIECES_MAX {
            return Err(Unreadable::Pieces);
        }
        let Inside { span: Span { start, end }, plain } = inside;
        let Span { start: key_start, end: key_end } = slot.key;
        let &Node { place, fragment, tool_name, .. } = slot.node;
        let is_string = matches!(form, Form::Text | Form::Json);
        let (fragment, tool_name) = (fragment && is_string, tool_name && is_string);
        let channel = if fragment { slot.path } else { 0 };
        self.walker.pieces.push(Piece {
            start,
            end,
            key_start,
            key_end,
            place,
            form,
            joined: false,
            plain,
            fragment,
            tool_name,
            channel,
        });
        Ok(())
    }

    fn open(&mut self, slot: Slot, is_object: bool) -> Result<(), Unreadable> {
        let walker = &mut *self.walker;
        if walker.frames.len() >= limits::JSON_DEPTH_MAX {
            return Err(Unreadable::Depth);
        }
        self.at += 1;
        // A part of a list of parts has the list's node, and is no list of its own.
        let is_part = walker.frames.last().is_some_and(|frame| std::ptr::eq(frame.node, slot.node));
        walker.frames.push(Frame {
            is_object,
            node: slot.node,
            key: slot.key,
            seen: 0,
            keys_start: length(&walker.keys),
            key_bytes_start: length(&walker.key_bytes),
            pieces_start: length(&walker.pieces),
            parts_start: (slot.node.parts && !is_part).then_some(length(&walker.parts)),
            source: None,
            is_base64: false,
            speaker: None,
            path: slot.path,
            marks: Marks::default(),
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Unreadable> {
        let walker = &mut *self.walker;
        let Some(mut frame) = walker.frames.pop() else { return Err(Unreadable::Syntax) };
        if let Some(start) = frame.parts_start {
            walker.bring_together(start as usize);
        }
        if !frame.is_object {
            return Ok(());
        }
        let source = frame.source.filter(|_| frame.is_base64);
        if let Some(media) = source.and_then(|index| walker.pieces.get_mut(index as usize)) {
            // Taken out at the end, all at once.
            media.end = media.start;
            walker.sources += 1;
        }
        if let Some(speaker) = frame.speaker {
            speaker.claim(walker.pieces.get_mut(frame.pieces_start as usize..).unwrap_or_default());
        }
        if frame.node.counted
            && let Some(list) = walker.frames.last_mut().filter(|list| !list.is_object)
        {
            frame.marks.position(frame.path, list.marks.count());
        }
        if frame.marks.is_any() {
            frame.marks.tell_apart(walker.pieces.get_mut(frame.pieces_start as usize..).unwrap_or_default());
        }
        let keys = walker.keys.get_mut(frame.keys_start as usize..).unwrap_or_default();
        if keys.len() > 1 && has_duplicate(keys, self.body, &walker.key_bytes) {
            return Err(Unreadable::DuplicateKey);
        }
        walker.keys.truncate(frame.keys_start as usize);
        walker.key_bytes.truncate(frame.key_bytes_start as usize);
        Ok(())
    }
}

impl Walker {
    /// Puts the texts of a message's parts in a row, each joined to the one before it, and what stood between them behind.
    fn bring_together(&mut self, start: usize) {
        let parts = self.parts.get(start..).unwrap_or_default();
        if let [first, .., last] = *parts {
            let (first, last) = (first as usize, last as usize);
            let row = first..first + parts.len();
            if last >= row.end {
                self.spare.clear();
                self.spare.extend_from_slice(self.pieces.get(first..=last).unwrap_or_default());
                let mut parts = parts.iter().map(|part| *part as usize).peekable();
                let (mut text_at, mut other_at) = (row.start, row.end);
                for (at, piece) in (first..).zip(&self.spare) {
                    let to = if parts.next_if_eq(&at).is_some() { &mut text_at } else { &mut other_at };
                    if let Some(place) = self.pieces.get_mut(*to) {
                        *place = *piece;
                    }
                    *to += 1;
                }
            }
            for piece in self.pieces.get_mut(row).unwrap_or_default().iter_mut().skip(1) {
                piece.joined = true;
            }
        }
        self.parts.truncate(start);
    }
}

/// Whether a string can be a word of an API: short, and of letters, digits and the signs that names are made with.
fn is_word(raw: &[u8]) -> bool {
    let is_in = |byte: &u8| byte.is_ascii() && WORD_BYTES >> byte & 1 == 1;
    raw.len() <= limits::WORD_BYTES_MAX && raw.iter().all(is_in)
}

/// A bit for each byte of a word.
const WORD_BYTES: u128 = {
    let mut bits = 0;
    let mut rest: &[u8] = b"_-./:+0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    while let [byte, after @ ..] = rest {
        bits |= 1 << *byte;
        rest = after;
    }
    bits
};

/// Whether two keys of one object are the same. Few are compared each with each, many are sorted: at most n log n comparisons.
fn has_duplicate(keys: &mut [UnknownKey], body: &[u8], key_bytes: &[u8]) -> bool {
    let name = |key: &UnknownKey| {
        let from = if key.plain { body } else { key_bytes };
        key.at.of(from)
    };
    let same = |one: &UnknownKey, other: &UnknownKey| one.hash == other.hash && name(one) == name(other);
    if keys.len() <= KEYS_COMPARED_MAX {
        let mut rest: &[UnknownKey] = keys;
        while let [key, after @ ..] = rest {
            if after.iter().any(|other| same(key, other)) {
                return true;
            }
            rest = after;
        }
        return false;
    }
    keys.sort_unstable_by_key(|key| key.hash);
    // Keys of one hash are next to each other now; more than one of them are rare, and as many as an attacker likes.
    keys.chunk_by_mut(|one, other| one.hash == other.hash).filter(|keys| keys.len() > 1).any(|keys| {
        keys.sort_unstable_by(|one, other| name(one).cmp(name(other)));
        keys.iter().zip(keys.iter().skip(1)).any(|(one, other)| same(one, other))
    })
}
