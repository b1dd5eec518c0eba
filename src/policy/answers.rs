//! What a policy says about answers as such: how long text may wait, and what happens to what is too large.
//!
//! What stands in an answer is the business of rules with the scope `response`; which tools may be called that of [`super::tools`].

use std::time::Duration;

use crate::limits;

/// What happens to an answer that is no stream and larger than what is held of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversize {
    /// It is refused.
    Refuse,
    /// It is inspected while it passes, as one text: matches are replaced and told of, and one that blocks cuts it. Where the policy lists
    /// tools it is refused all the same, since nobody reads which it calls.
    Scan,
}

/// What happens to text that has waited as long as it may, while a match that began in it is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// What is a match so far, or would be one if its end came, is replaced, and what goes on with it is left out: the rest of a private
    /// key, of a token. All else is sent on; where it turns out to be a match later, what of that was not sent on is replaced.
    Redact,
    /// It is sent on as it is. Where it turns out to be a match later, what of that was not sent on is replaced or blocked.
    Release,
    /// The answer is cut with the dialect's error.
    Block,
}

/// `[answers]` of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// About answers in one piece.
    pub oversize: Oversize,
    /// Bytes of one stream that may wait for a match to be decided.
    /// `limits::ANSWER_HOLD_BYTES_MIN <= hold_bytes <= limits::ANSWER_HOLD_BYTES_MAX`.
    pub hold_bytes: usize,
    /// How long they may. `limits::ANSWER_HOLD_MILLISECONDS_MAX` at most, one millisecond at least.
    pub hold_time: Duration,
    /// What happens at either bound.
    pub at_hold_limit: Overdue,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            oversize: Oversize::Refuse,
            hold_bytes: limits::ANSWER_HOLD_BYTES,
            hold_time: Duration::from_millis(limits::ANSWER_HOLD_MILLISECONDS),
            at_hold_limit: Overdue::Redact,
        }
    }
}

impl Oversize {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Refuse, Self::Scan];

    /// The word in a policy's `oversize`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Scan => "scan",
        }
    }
}

impl Overdue {
    /// All.
    pub const ALL: [Self; 3] = [Self::Redact, Self::Release, Self::Block];

    /// The word in a policy's `at_hold_limit`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Redact => "redact",
            Self::Release => "release",
            Self::Block => "block",
        }
    }
}
