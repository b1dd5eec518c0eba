//! A text cut into the small pieces in which a model says it. Pieces are 1 to 20 bytes, cut between characters; joined
//! they are the text. It never holds a piece as an allocation of its own.

/// The paragraph of every answer. Umlauts, a dash, an emoji and quotes are in it so that pieces are not all ASCII, and
/// a JSON writer has something to escape.
const PARAGRAPH: &str = "Every one of them arrived, in order and unharmed. Zürich and Kraków send greetings — so does \
                         the \"quiet\" machine next door 🙂. Ask again whenever you like.\n";

/// The longest word that stays one piece, in bytes; longer words are cut here, as real vocabularies do.
const PIECE_BYTES_MAX: usize = 7;

/// A text and where its pieces end.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    text: String,
    /// Ends of pieces in `text`, rising, on character boundaries; the last one is `text.len()`.
    ends: Vec<u32>,
}

impl Tokens {
    /// The paragraph of an answer to `words` words, for one of several choices.
    pub(super) fn paragraph(words: usize, choice: usize) -> Self {
        let opening = match choice {
            0 => format!("You sent {words} words. "),
            _ => format!("Seen from side {choice}, you sent {words} words. "),
        };
        Self::cut(opening + PARAGRAPH)
    }

    /// Cuts `text`: a piece is a word with the space before it, or one other character.
    pub(super) fn cut(text: String) -> Self {
        let mut ends = Vec::new();
        let mut start = 0;
        let mut last = ' ';
        for (at, character) in text.char_indices() {
            let joins = character.is_alphanumeric() && (last.is_alphanumeric() || last == ' ');
            if at > start && (!joins || at - start >= PIECE_BYTES_MAX) {
                ends.extend(u32::try_from(at).ok());
                start = at;
            }
            last = character;
        }
        if start < text.len() {
            ends.extend(u32::try_from(text.len()).ok());
        }
        Self { text, ends }
    }

    /// Exactly `count` pieces: these, over and over.
    pub(super) fn cycle(self, count: usize) -> Self {
        let mut text = String::new();
        let mut ends = Vec::with_capacity(count);
        for piece in (0..self.len()).cycle().take(count) {
            text.push_str(self.piece(piece));
            ends.extend(u32::try_from(text.len()).ok());
        }
        Self { text, ends }
    }

    /// At most the first `count` pieces.
    pub(super) fn limit(mut self, count: usize) -> Self {
        self.ends.truncate(count);
        self.text.truncate(self.ends.last().map_or(0, |end| *end as usize));
        self
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// One piece; empty past the last.
    pub(super) fn piece(&self, index: usize) -> &str {
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        let end = self.ends.get(index).map_or(start, |end| *end as usize);
        self.text.get(start..end).unwrap_or_default()
    }

    /// All pieces, with nothing borrowed: a stream owns its text.
    pub(super) fn into_pieces(self) -> impl Iterator<Item = String> {
        (0..self.len()).map(move |index| self.piece(index).to_owned())
    }
}
