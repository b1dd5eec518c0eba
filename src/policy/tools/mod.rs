//! Which tools an answer may call: names that are allowed, names that are denied, and what happens to a call of another.
//!
//! A denied name is compared in its normal form (NFKC, invisible characters removed), so that it is denied in every spelling that looks
//! the same; an allowed one byte by byte, since nothing but the name itself was allowed. Case counts.
//!
//! ```text
//!  name so far   deny = ["exec*", "rm"]      verdict    may become another
//!  e             exec... may follow          allow      yes, held back
//!  exec          a mark on the c may follow  block      yes
//!  exec_         any end is denied           block      no
//!  g             nothing that begins so      allow      no, released at once
//! ```

#[cfg(test)]
mod tests;

use std::str;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;

use crate::inspect::normalise;
use crate::limits;

/// The reason code of a denied call.
pub const DENIED: &str = "POLICY.TOOL_DENIED";

const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();
const CLASSES: CanonicalCombiningClassMapBorrowed<'static> = CanonicalCombiningClassMapBorrowed::new();

/// What is done about the call of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolVerdict {
    /// Nothing.
    Allow,
    /// Nothing, but an event tells.
    Warn,
    /// The answer is refused or cut.
    Block,
}

/// A name, or how names begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// In its normal form; without the `*`. Empty only where it is open.
    text: Box<str>,
    /// Whether any end may follow.
    open: bool,
}

/// `[tools]` of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// None: every name that is not denied.
    allow: Option<Box<[Name]>>,
    deny: Box<[Name]>,
    /// What is done about a call that is not allowed; never `Allow`.
    otherwise: ToolVerdict,
}

/// What all names that begin so have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    Yes,
    No,
    Open,
}

impl Name {
    /// Reads a name, or with `*` at its end how names begin; none where it is not in its normal form, is empty, longer than
    /// `limits::TOOL_NAME_BYTES_MAX`, or holds white space, a control character or another `*`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (name, open) = text.strip_suffix('*').map_or((text, false), |name| (name, true));
        let plain = |character: char| !character.is_whitespace() && !character.is_control() && character != '*';
        let fits = (1..=limits::TOOL_NAME_BYTES_MAX).contains(&text.len()) && name.chars().all(plain);
        (fits && normal(name.as_bytes()).eq(name.chars())).then(|| Self { text: name.into(), open })
    }

    /// Whether every name that `other` stands for is one that this stands for.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self.open { other.text.starts_with(&*self.text) } else { self == other }
    }

    /// As it is written.
    #[must_use]
    pub fn written(&self) -> String {
        format!("{}{}", self.text, if self.open { "*" } else { "" })
    }

    /// Whether a name, as it came, is this one in any spelling.
    fn fits(&self, name: &[u8]) -> bool {
        let mut name = normal(name);
        self.text.chars().all(|character| name.next() == Some(character)) && (self.open || name.next().is_none())
    }

    /// Whether names whose normal form begins with `fixed`, and then with `last` or what it composes to, are this one.
    fn settled(&self, fixed: impl Iterator<Item = char>, last: Option<char>) -> Settled {
        let mut rest = self.text.chars();
        for character in fixed {
            match rest.next() {
                None if self.open => return Settled::Yes,
                Some(own) if own == character => {}
                _ => return Settled::No,
            }
        }
        match (rest.next(), last) {
            (None, _) if self.open => Settled::Yes,
            (None, Some(_)) => Settled::No,
            // No composition gives ASCII.
            (Some(own), Some(last)) if own.is_ascii() && own != last => Settled::No,
            _ => Settled::Open,
        }
    }

    /// The same, byte by byte.
    fn settled_exactly(&self, prefix: &[u8]) -> Settled {
        if self.open && prefix.starts_with(self.text.as_bytes()) {
            Settled::Yes
        } else if self.text.as_bytes().starts_with(prefix) {
            Settled::Open
        } else {
            Settled::No
        }
    }

    fn is(&self, name: &[u8]) -> bool {
        if self.open { name.starts_with(self.text.as_bytes()) } else { name == self.text.as_bytes() }
    }
}

impl Default for Tools {
    fn default() -> Self {
        Self { allow: None, deny: Box::default(), otherwise: ToolVerdict::Block }
    }
}

impl Tools {
    /// Made of lists; `allow` is none where there is no such list. A call that is not allowed is blocked where `blocks`, else told.
    #[must_use]
    pub fn new(allow: Option<Vec<Name>>, deny: Vec<Name>, blocks: bool) -> Self {
        let otherwise = if blocks { ToolVerdict::Block } else { ToolVerdict::Warn };
        Self { allow: allow.map(Vec::into_boxed_slice), deny: deny.into(), otherwise }
    }

    /// Whether every tool may be called: nobody needs to look.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allow.is_none() && self.deny.is_empty()
    }

    /// What is done about a call of the tool with this name. A name of more than `limits::TOOL_NAME_BYTES_MAX` bytes is not allowed,
    /// where there is any list.
    #[must_use]
    pub fn decide(&self, name: &[u8]) -> ToolVerdict {
        if self.is_empty() {
            return ToolVerdict::Allow;
        }
        let allowed = name.len() <= limits::TOOL_NAME_BYTES_MAX
            && self.allow.as_ref().is_none_or(|allow| allow.iter().any(|each| each.is(name)))
            && !self.deny.iter().any(|each| each.fits(name));
        if allowed { ToolVerdict::Allow } else { self.otherwise }
    }

    /// Whether a name of which `prefix` has come so far could become one with another verdict; so long it is held back. Once this says
    /// no, what follows changes nothing, but for the bound on its length: ask [`Self::decide`] again where a name goes on.
    ///
    /// It says yes for a character more than would be needed where that one may still compose with a mark.
    #[must_use]
    pub fn may_become(&self, prefix: &[u8]) -> bool {
        if self.is_empty() || prefix.len() > limits::TOOL_NAME_BYTES_MAX {
            return false;
        }
        let denied = self.denied(prefix);
        let allowed = self
            .allow
            .as_ref()
            .map_or(Settled::Yes, |allow| strongest(allow.iter().map(|name| name.settled_exactly(prefix))));
        denied != Settled::Yes && allowed != Settled::No && (denied == Settled::Open || allowed == Settled::Open)
    }

    fn denied(&self, prefix: &[u8]) -> Settled {
        let whole = match str::from_utf8(prefix) {
            Ok(_) => prefix,
            // A character that has not come in full yet.
            Err(error) if error.error_len().is_none() => prefix.get(..error.valid_up_to()).unwrap_or_default(),
            Err(_) => return Settled::Open,
        };
        // What comes can compose with the last starter and with what follows it, and with nothing before (UAX #15).
        let starter = |(_, character): &(usize, char)| CLASSES.get_u8(*character) == 0;
        let last = normal(whole).enumerate().filter(starter).last();
        let fixed = last.map_or(0, |(at, _)| at);
        let last = last.map(|(_, character)| character);
        strongest(self.deny.iter().map(|name| name.settled(normal(whole).take(fixed), last)))
    }

    /// The allow list as it is written, if there is one.
    pub fn allowed(&self) -> Option<impl Iterator<Item = String>> {
        self.allow.as_ref().map(|names| names.iter().map(Name::written))
    }

    /// The deny list as it is written.
    pub fn denies(&self) -> impl Iterator<Item = String> {
        self.deny.iter().map(Name::written)
    }

    /// What is done about a call that is not allowed.
    #[must_use]
    pub const fn otherwise(&self) -> ToolVerdict {
        self.otherwise
    }
}

/// Yes, where one says so; no, where all do.
fn strongest(all: impl Iterator<Item = Settled>) -> Settled {
    let mut strongest = Settled::No;
    for each in all {
        match each {
            Settled::Yes => return Settled::Yes,
            Settled::Open => strongest = Settled::Open,
            Settled::No => {}
        }
    }
    strongest
}

/// The normal form of a name: NFKC, invisible characters removed. Bytes that are not UTF-8 are U+FFFD.
fn normal(name: &[u8]) -> impl Iterator<Item = char> {
    let replaced = |chunk: str::Utf8Chunk<'_>| (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
    let characters = name.utf8_chunks();
    let characters = characters.flat_map(move |chunk| chunk.valid().chars().chain(replaced(chunk)));
    NFKC.normalize_iter(characters.filter(|character| !normalise::is_invisible(*character)))
}
