//! The scanner: candidates in one pass, then shapes, then validators and context.
//!
//! ```text
//!  64 bytes ─► Masks ─┬─ gram ───────► Anchors: which needle ─► token readers, literals, patterns ─┐
//!                     ├─ at ─────────► email                                                       ├─► report ─► Finding
//!                     ├─ digit runs ─► number: cards, SSNs, phones                                 │   context, validator,
//!                     └─ dots, AA00 ─► number: IPv4, IBAN                                          ┘   entropy
//! ```
//! Everything that reads behind a candidate counts what it reads in `Work::verified`, and marks keep it from reading the same
//! bytes for the same finder again. What is left is stopped by the count. Nothing is kept between two calls.

use crate::limits::FINDINGS_MAX;
use crate::limits::POLICY_LITERAL_BYTES_MAX;
use crate::limits::POLICY_LITERAL_BYTES_MIN;
use crate::limits::SLOW_LANE_BYTES_MAX;
use crate::limits::VERIFIED_BYTES_FACTOR;
use crate::limits::VERIFIED_BYTES_SLACK;
use crate::simd::literal::Masks;
use crate::simd::literal::WORD_BYTES;

use super::Exceeded;
use super::Finding;
use super::Text;
use super::Work;
use super::check;
use super::context::CONTEXT_BYTES;
use super::context::Words;
use super::context::is_random;
use super::detector::KINDS;
use super::detector::Kind;
use super::detector::named;
use super::email;
use super::literal::Action;
use super::literal::Anchors;
use super::literal::Needle;
use super::literal::rarest;
use super::number;
use super::pattern::Pattern;
use super::token;

/// What to look for. A scanner is made from a list of these, and a finding names its place in that list.
#[derive(Clone, Debug)]
pub struct Finder {
    /// The matcher.
    pub find: Find,
    /// Words of which one must stand near a match (or in its key), whole and in any case; empty: none needed.
    /// For a built-in detector they come on top of its own.
    pub context: Vec<String>,
    /// A further check of each match.
    pub validator: Option<Validator>,
    /// Least Shannon entropy of a match, bits a byte.
    pub entropy_min: Option<f32>,
}

/// The matcher of a [`Finder`].
#[derive(Clone, Debug)]
pub enum Find {
    /// A row of `detector::DETECTORS`, by its name.
    Detector(String),
    /// A regular expression of the policy; ASCII classes (`(?-u)`), no look-around but `\b`, `^`, `$`.
    Pattern(String),
    /// Literal texts, in any case unless `case_sensitive`.
    Literals {
        /// The texts, each of 3 to 256 bytes.
        texts: Vec<String>,
        /// Whether case counts.
        case_sensitive: bool,
        /// Whether a match must not be part of a longer word.
        whole_words: bool,
    },
}

/// Checks that a policy may name for a pattern of its own. They look at the digits (and letters) of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validator {
    /// ISO/IEC 7812-1 annex B.
    Luhn,
    /// ISO 7064 mod 97-10 over an IBAN, with the length of its country.
    Iban,
}

/// Why a finder cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinderError {
    /// No built-in detector has that name.
    UnknownDetector,
    /// The expression is not valid; the text says why (it quotes the policy, never a prompt).
    Pattern(String),
    /// Its automaton is larger than `limits::PATTERN_BYTES_MAX`.
    PatternTooLarge,
    /// It matches the empty text.
    MatchesNothing,
    /// A literal that is too short or too long.
    Literal,
}

/// Words whose masks are computed at once for a long text, one of them to look ahead: enough to be worth the loop, and quickly cleared.
const LONG_WORDS: usize = 17;

/// The same for a text of up to 128 bytes, of which a body has many.
const SHORT_WORDS: usize = 3;

/// Finders whose marks are kept at once. Two that share a mark do more work, and find the same.
const MARKS: usize = 16;

/// All finders of a policy, compiled: immutable, shared by all cores.
#[derive(Debug)]
pub struct Scanner {
    anchors: Anchors,
    finders: Vec<Compiled>,
    /// The finders of each kind of built-in detector.
    kinds: [Vec<u16>; KINDS],
    /// The finders without an anchor.
    slow: Vec<u16>,
    wants: Wants,
}

/// Which candidates are worth a look.
#[derive(Clone, Copy, Debug)]
struct Wants {
    any: bool,
    email: bool,
    runs: bool,
    ipv4: bool,
    iban: bool,
}

#[derive(Debug)]
struct Compiled {
    rule: Rule,
    words: Words,
    /// Whether every match needs a word, not only those that the detector itself doubts.
    context: bool,
    validator: Option<Validator>,
    entropy_min: Option<f32>,
}

#[derive(Debug)]
enum Rule {
    Detector,
    Literals { whole_words: bool },
    Pattern(Pattern),
}

impl Scanner {
    /// Compiles. Takes milliseconds: not for a core.
    ///
    /// # Errors
    /// The place of the first finder that cannot be built, and why.
    pub fn new(finders: &[Finder]) -> Result<Self, (usize, FinderError)> {
        Self::with_twin(finders, false)
    }

    /// The same without the CPU's vectors: the twin for tests and benches.
    ///
    /// # Errors
    /// As [`Scanner::new`].
    pub fn portable(finders: &[Finder]) -> Result<Self, (usize, FinderError)> {
        Self::with_twin(finders, true)
    }

    fn with_twin(finders: &[Finder], portable: bool) -> Result<Self, (usize, FinderError)> {
        let mut needles = Vec::new();
        let mut kinds: [Vec<u16>; KINDS] = Default::default();
        let mut slow = Vec::new();
        let mut compiled = Vec::new();
        for (index, finder) in finders.iter().enumerate() {
            let number = u16::try_from(index).map_err(|_| (index, FinderError::PatternTooLarge))?;
            let rule = compile(finder, number, &mut kinds, &mut needles).map_err(|error| (index, error))?;
            if matches!(&rule, Rule::Pattern(pattern) if pattern.is_slow()) {
                slow.push(number);
            }
            let own = match &finder.find {
                Find::Detector(name) => named(name).map_or(&[][..], |detector| detector.context),
                _ => &[],
            };
            let words = Words::new(own.iter().copied().chain(finder.context.iter().map(String::as_str)));
            compiled.push(Compiled {
                rule,
                words,
                context: !finder.context.is_empty(),
                validator: finder.validator,
                entropy_min: finder.entropy_min,
            });
        }
        token::needles(|kind| kinds.get(kind as usize).is_some_and(|list| !list.is_empty()), &mut needles);
        let wants = Wants::of(&kinds, &needles);
        Ok(Self { anchors: Anchors::new(needles, portable), finders: compiled, kinds, slow, wants })
    }

    /// Whether a finder has no anchor and runs in the slow lane: over every byte of a text, up to `limits::SLOW_LANE_BYTES_MAX` a request.
    #[must_use]
    pub fn is_slow(&self, finder: usize) -> bool {
        self.slow.iter().any(|slow| usize::from(*slow) == finder)
    }

    /// Whether a finder gives way where its match overlaps another's: the built-in detectors do, what the policy itself spells out
    /// does not.
    #[must_use]
    pub fn yields(&self, finder: u16) -> bool {
        self.finders.get(usize::from(finder)).is_some_and(|finder| matches!(finder.rule, Rule::Detector))
    }

    /// Adds every match in `text` as it stands (nothing is normalised or decoded here) to `findings`, in no particular order. Matches
    /// of different finders may overlap. The caller has added the text's length to `work.input`.
    ///
    /// # Errors
    /// The request has caused more work than it may, or has more findings than one may have.
    pub fn scan(&self, text: Text<'_>, work: &mut Work, findings: &mut Vec<Finding>) -> Result<(), Exceeded> {
        if u32::try_from(text.bytes.len()).is_err() {
            return Err(Exceeded);
        }
        let budget = VERIFIED_BYTES_FACTOR.saturating_mul(work.input).saturating_add(VERIFIED_BYTES_SLACK);
        let mut pass = Pass {
            scanner: self,
            text: text.bytes,
            key: text.key,
            budget,
            work,
            before: findings.len(),
            findings,
            done: [0; KINDS],
            marks: None,
        };
        if self.wants.any {
            if text.bytes.len() < SHORT_WORDS * WORD_BYTES {
                pass.candidates::<SHORT_WORDS>()?;
            } else {
                pass.candidates::<LONG_WORDS>()?;
            }
        }
        for finder in &self.slow {
            pass.slow(*finder)?;
        }
        Ok(())
    }
}

impl Wants {
    fn of(kinds: &[Vec<u16>; KINDS], needles: &[Needle]) -> Self {
        let has = |kind: Kind| kinds.get(kind as usize).is_some_and(|list| !list.is_empty());
        let any = !needles.is_empty() || kinds.iter().any(|list| !list.is_empty());
        let runs = has(Kind::Card) || has(Kind::UsSsn) || has(Kind::Phone);
        Self { any, email: has(Kind::Email), runs, ipv4: has(Kind::Ipv4), iban: has(Kind::Iban) }
    }
}

fn compile(
    finder: &Finder,
    number: u16,
    kinds: &mut [Vec<u16>; KINDS],
    needles: &mut Vec<Needle>,
) -> Result<Rule, FinderError> {
    match &finder.find {
        Find::Detector(name) => {
            let detector = named(name).ok_or(FinderError::UnknownDetector)?;
            if let Some(list) = kinds.get_mut(detector.kind as usize) {
                list.push(number);
            }
            Ok(Rule::Detector)
        }
        Find::Pattern(expression) => {
            let pattern = Pattern::new(expression)?;
            let anchors: Vec<Needle> = pattern
                .anchors
                .iter()
                .map(|anchor| Needle {
                    text: anchor.clone(),
                    fold: true,
                    action: Action::Pattern(number),
                    gram_at: None,
                })
                .collect();
            // One place for all: anchors come up in the order in which they stand in the text.
            let gram_at = Some(rarest(&anchors.iter().collect::<Vec<_>>()));
            needles.extend(anchors.into_iter().map(|needle| Needle { gram_at, ..needle }));
            Ok(Rule::Pattern(pattern))
        }
        Find::Literals { texts, case_sensitive, whole_words } => {
            for text in texts {
                if !(POLICY_LITERAL_BYTES_MIN..=POLICY_LITERAL_BYTES_MAX).contains(&text.len()) {
                    return Err(FinderError::Literal);
                }
                for text in cases(text, *case_sensitive) {
                    let text = text.into_bytes().into_boxed_slice();
                    needles.push(Needle {
                        text,
                        fold: !case_sensitive,
                        action: Action::Literal(number),
                        gram_at: None,
                    });
                }
            }
            Ok(Rule::Literals { whole_words: *whole_words })
        }
    }
}

/// The spellings of a literal that are looked for. ASCII letters fold as they are compared; others are written out.
fn cases(text: &str, case_sensitive: bool) -> Vec<String> {
    let mut spellings = vec![text.to_owned()];
    if !case_sensitive && !text.is_ascii() {
        spellings.extend([text.to_lowercase(), text.to_uppercase()]);
        let mut rest = text.chars();
        if let Some(first) = rest.next() {
            spellings.push(first.to_uppercase().chain(rest.as_str().to_lowercase().chars()).collect());
        }
        spellings.sort();
        spellings.dedup();
    }
    spellings
}

/// What one finder has done in this text.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    /// Which finder, plus one; 0: none.
    owner: u32,
    /// Its last match.
    start: usize,
    end: usize,
    /// Up to where context words were looked for, from what match on, and where the last one begins.
    words_to: usize,
    words_from: usize,
    word: Option<usize>,
    /// Whether a context word stands in the key.
    key: Option<bool>,
}

/// One text on its way through.
pub(super) struct Pass<'a> {
    scanner: &'a Scanner,
    pub(super) text: &'a [u8],
    key: &'a [u8],
    work: &'a mut Work,
    budget: u64,
    findings: &'a mut Vec<Finding>,
    /// How many of them are of other texts.
    before: usize,
    /// Up to where the reader of each kind has read.
    pub(super) done: [usize; KINDS],
    /// Made when the first match asks for it: most texts have none.
    marks: Option<[Mark; MARKS]>,
}

/// What the words before say about a word.
#[derive(Clone, Copy, Debug, Default)]
struct Carry {
    before: Masks,
    /// Whether its last byte begins a run of nine.
    run: bool,
    /// Dots between digits, and those with another one before.
    dots: u64,
    seconds: u64,
}

/// Bit `i` says what bit `i + by` said.
fn ahead(word: u64, next: u64, by: u32) -> u64 {
    word >> by | next << (64 - by)
}

/// Bit `i` says what bit `i - by` said.
fn behind(word: u64, before: u64, by: u32) -> u64 {
    word << by | before >> (64 - by)
}

/// The places of the bits that are set.
fn places(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = word.trailing_zeros();
        let left = word & word.wrapping_sub(1);
        (word != 0).then(|| {
            word = left;
            place as usize
        })
    })
}

impl<'a> Pass<'a> {
    fn candidates<const WORDS: usize>(&mut self) -> Result<(), Exceeded> {
        let mut masks = [Masks::default(); WORDS];
        let mut carry = Carry::default();
        let mut base = 0;
        while let Some(rest) = self.text.get(base..).filter(|rest| !rest.is_empty()) {
            self.scanner.anchors.classifier.classify(rest, &mut masks);
            for pair in masks.windows(2) {
                let [word, next] = pair else { continue };
                self.word(base, word, next, &mut carry)?;
                base += WORD_BYTES;
                if base >= self.text.len() {
                    break;
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn word(&mut self, base: usize, word: &Masks, next: &Masks, carry: &mut Carry) -> Result<(), Exceeded> {
        for place in places(word.gram) {
            self.gram(base + place)?;
        }
        if word.at != 0 && self.scanner.wants.email {
            for place in places(word.at) {
                email::at(self, base + place)?;
            }
        }
        if word.digit | next.digit & 7 != 0 {
            self.digits(base, word, next, carry)?;
        } else {
            (carry.run, carry.dots, carry.seconds) = (false, 0, 0);
        }
        carry.before = *word;
        Ok(())
    }

    fn digits(&mut self, base: usize, word: &Masks, next: &Masks, carry: &mut Carry) -> Result<(), Exceeded> {
        let wants = self.scanner.wants;
        let before = carry.before;
        if wants.runs {
            // Digits, and separators beside one: nine in a row, and where such a run begins.
            let beside = behind(word.digit, before.digit, 1) | ahead(word.digit, next.digit, 1);
            let member = word.digit | word.separator & beside;
            let beside = behind(next.digit, word.digit, 1) | next.digit >> 1;
            let member_next = next.digit | next.separator & beside;
            let two = member & ahead(member, member_next, 1);
            let two_next = member_next & member_next >> 1;
            let four = two & ahead(two, two_next, 2);
            let four_next = two_next & two_next >> 2;
            let nine = four & ahead(four, four_next, 4) & ahead(member, member_next, 8);
            let starts = nine & !(nine << 1 | u64::from(carry.run));
            carry.run = nine >> 63 == 1;
            for place in places(starts) {
                let (members, digits) = match u32::try_from(place).unwrap_or(0) {
                    0 => (member, word.digit),
                    by => (ahead(member, member_next, by), ahead(word.digit, next.digit, by)),
                };
                let inside = (1_u64.checked_shl(members.trailing_ones()).unwrap_or(0)).wrapping_sub(1);
                if (digits & inside).count_ones() >= number::DIGITS_MIN {
                    number::run(self, base + place)?;
                }
            }
        }
        if wants.ipv4 {
            let dots = word.dot & behind(word.digit, before.digit, 1) & ahead(word.digit, next.digit, 1);
            let chained =
                |dots: u64, before: u64| behind(dots, before, 2) | behind(dots, before, 3) | behind(dots, before, 4);
            let seconds = dots & chained(dots, carry.dots);
            for place in places(dots & chained(seconds, carry.seconds)) {
                number::ipv4(self, base + place)?;
            }
            (carry.dots, carry.seconds) = (dots, seconds);
        }
        if wants.iban {
            let inside = behind(word.letter | word.digit, before.letter | before.digit, 1);
            let starts = word.letter
                & ahead(word.letter, next.letter, 1)
                & ahead(word.digit, next.digit, 2)
                & ahead(word.digit, next.digit, 3)
                & !inside;
            for place in places(starts) {
                number::iban(self, base + place)?;
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn gram(&mut self, at: usize) -> Result<(), Exceeded> {
        let scanner = self.scanner;
        let read = scanner.anchors.verify(self.text, at, |needle, start| {
            let end = start + needle.text.len();
            match needle.action {
                Action::Token(kind) => token::at(self, kind, start),
                Action::Literal(finder) => self.literal(finder, start, end),
                Action::Pattern(finder) => self.pattern(finder, start),
            }
        })?;
        self.read(read)
    }

    fn literal(&mut self, finder: u16, start: usize, end: usize) -> Result<(), Exceeded> {
        let Some(Rule::Literals { whole_words }) = self.finder(finder).map(|finder| &finder.rule) else {
            return Ok(());
        };
        let inside = |left: Option<u8>, right: Option<u8>| left.is_some_and(in_word) && right.is_some_and(in_word);
        let byte = |at: usize| self.text.get(at).copied();
        let cut = inside(start.checked_sub(1).and_then(byte), byte(start))
            || inside(end.checked_sub(1).and_then(byte), byte(end));
        if *whole_words && cut {
            return Ok(());
        }
        self.report(finder, start, end, false, false)
    }

    fn pattern(&mut self, finder: u16, anchor: usize) -> Result<(), Exceeded> {
        let Some(Rule::Pattern(pattern)) = self.finder(finder).map(|finder| &finder.rule) else { return Ok(()) };
        let last = *self.mark(finder);
        if pattern.is_prefixed() && anchor < last.end {
            return Ok(());
        }
        let (span, read) = pattern.at_anchor(self.text, anchor);
        self.read(read)?;
        let Some(span) = span else { return Ok(()) };
        self.report(finder, span.start, span.end, false, false)
    }

    #[cold]
    fn slow(&mut self, finder: u16) -> Result<(), Exceeded> {
        let Some(Rule::Pattern(pattern)) = self.finder(finder).map(|finder| &finder.rule) else { return Ok(()) };
        let mut from = 0;
        loop {
            let (span, read) = pattern.next(self.text, from);
            self.work.slow = self.work.slow.saturating_add(read);
            if self.work.slow > SLOW_LANE_BYTES_MAX {
                return Err(Exceeded);
            }
            let Some(span) = span else { return Ok(()) };
            self.report(finder, span.start, span.end, false, false)?;
            from = span.end.max(from + 1);
        }
    }

    fn finder(&self, finder: u16) -> Option<&'a Compiled> {
        self.scanner.finders.get(usize::from(finder))
    }

    /// The marks of a finder. Where two share a place each takes it over from the other, with its last match from the findings: what is
    /// reported must not depend on who else has matched meanwhile.
    fn mark(&mut self, finder: u16) -> &mut Mark {
        let marks = self.marks.get_or_insert_with(|| [Mark::default(); MARKS]);
        let owner = u32::from(finder) + 1;
        let place = usize::from(finder) % MARKS;
        #[expect(clippy::indexing_slicing, reason = "the place is below the length")]
        let mark = &mut marks[place];
        if mark.owner != owner {
            // Where nobody has had the place, this finder has no match either.
            let of_text = self.findings.get(self.before..).filter(|_| mark.owner != 0).unwrap_or_default();
            let passed = of_text.iter().rev().take_while(|finding| finding.finder != finder).count();
            // To pass a finding takes a fraction of the time that verifying a byte takes.
            self.work.verified = self.work.verified.saturating_add(passed as u64 / 8);
            let last = of_text.iter().nth_back(passed);
            let (start, end) = last.map_or((0, 0), |last| (last.start as usize, last.end as usize));
            *mark = Mark { owner, start, end, ..Mark::default() };
        }
        mark
    }

    /// Counts bytes that were read to verify something.
    pub(super) fn read(&mut self, bytes: u64) -> Result<(), Exceeded> {
        self.work.verified = self.work.verified.saturating_add(bytes);
        if self.work.verified > self.budget { Err(Exceeded) } else { Ok(()) }
    }

    /// Whether a kind of detector is asked for.
    pub(super) fn wants(&self, kind: Kind) -> bool {
        self.scanner.kinds.get(kind as usize).is_some_and(|finders| !finders.is_empty())
    }

    /// A match of a built-in detector, for each finder that asks for it.
    pub(super) fn found(
        &mut self,
        kind: Kind,
        span: std::ops::Range<usize>,
        validated: bool,
        doubtful: bool,
    ) -> Result<(), Exceeded> {
        for finder in self.scanner.kinds.get(kind as usize).into_iter().flatten() {
            self.report(*finder, span.start, span.end, validated, doubtful)?;
        }
        Ok(())
    }

    /// Adds a match unless it lies in the finder's last one, lacks context, or fails the finder's own checks.
    fn report(
        &mut self,
        number: u16,
        start: usize,
        end: usize,
        validated: bool,
        doubtful: bool,
    ) -> Result<(), Exceeded> {
        let Some(finder) = self.finder(number) else { return Ok(()) };
        let (start, end) = on_characters(self.text, start, end);
        let last = *self.mark(number);
        if last.start <= start && end <= last.end {
            return Ok(());
        }
        if (doubtful || finder.context) && !self.near(number, &finder.words, start, end)? {
            if end + CONTEXT_BYTES + finder.words.bytes_max() > self.text.len() {
                self.work.awaited.add(number, u32::try_from(start).map_err(|_| Exceeded)?);
            }
            return Ok(());
        }
        let found = self.text.get(start..end).unwrap_or_default();
        let mut validated = validated;
        if finder.validator.is_some() || finder.entropy_min.is_some() {
            self.read(found.len() as u64)?;
            let holds = match finder.validator {
                Some(Validator::Luhn) => check::luhn(found),
                Some(Validator::Iban) => check::iban(found),
                None => true,
            };
            if !holds || !is_random(found, finder.entropy_min) {
                return Ok(());
            }
            validated |= finder.validator.is_some();
        }
        if self.findings.len() >= FINDINGS_MAX {
            return Err(Exceeded);
        }
        let mark = self.mark(number);
        (mark.start, mark.end) = (start, end);
        let (start, end) = (u32::try_from(start).map_err(|_| Exceeded)?, u32::try_from(end).map_err(|_| Exceeded)?);
        self.findings.push(Finding { finder: number, start, end, validated });
        Ok(())
    }

    /// Whether a context word of this finder stands near. Each byte is read about once for each finder, however many matches ask.
    fn near(&mut self, number: u16, words: &Words, start: usize, end: usize) -> Result<bool, Exceeded> {
        let (text, key) = (self.text, self.key);
        let from = start.saturating_sub(CONTEXT_BYTES);
        let to = (end + CONTEXT_BYTES).min(text.len());
        let mark = self.mark(number);
        let mut read = 0;
        let in_key = *mark.key.get_or_insert_with(|| {
            read = key.len();
            words.find(key, 0, key.len()).is_some()
        });
        if !in_key {
            if from < mark.words_from {
                (mark.words_to, mark.word) = (0, None);
            }
            mark.words_from = from;
            if mark.word.is_none_or(|word| word < from || word >= to) {
                let begin = mark.words_to.clamp(from, to);
                mark.word = words.find(text, begin, to);
                mark.words_to = mark.word.map_or(to, |word| word + 1);
                read += mark.word.unwrap_or(to) - begin;
            }
        }
        let near = in_key || mark.word.is_some();
        self.read(read as u64)?;
        Ok(near)
    }
}

/// Whether a byte goes on with a word: letters, digits, `_`, and what is beyond ASCII.
fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The span widened to whole characters of UTF-8.
fn on_characters(text: &[u8], start: usize, end: usize) -> (usize, usize) {
    let inside = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let start = (0..3).try_fold(start, |at, _| if inside(&at) { Ok(at.saturating_sub(1)) } else { Err(at) });
    let end = (0..3).try_fold(end, |at, _| if inside(&at) { Ok(at + 1) } else { Err(at) });
    (start.unwrap_or_else(|at| at), end.unwrap_or_else(|at| at))
}
