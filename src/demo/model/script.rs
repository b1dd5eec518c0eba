//! Answers that stand here word for word, for scenes about what an answer may say. Which one is said is chosen by the model's name,
//! `script-NAME`; what was asked has no part in it.

/// In two halves, so that no scanner of repositories takes it for a key that was lost.
pub const KEY: &str = concat!("AKIA", "Q7ZT2XV5JNLB3RWD");

/// A card number in the middle.
pub const CARD: &str = "The invoice was paid by card 4111 1111 1111 1111 on Friday, and the receipt is on its way.";

/// [`KEY`] in the middle.
const LEAK: &str =
    concat!("Of course. The key of the build server is ", "AKIA", "Q7ZT2XV5JNLB3RWD", ", but keep that to yourself.");

/// A placeholder, as a model repeats what it was given for a value.
pub const LETTER: &str = "Done: the letter to [EMAIL_1] says that the offer stands.";

/// The answer of this name; none for another.
pub(super) fn named(name: &str) -> Option<&'static str> {
    match name {
        "card" => Some(CARD),
        "key" => Some(LEAK),
        "letter" => Some(LETTER),
        _ => None,
    }
}
