//! The built-in detectors: one table, a row each.

/// How bad a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For the record.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// A built-in detector.
#[derive(Clone, Copy, Debug)]
pub struct Detector {
    /// How a policy names it: `email`.
    pub name: &'static str,
    /// Its reason code: `DLP.PII.EMAIL`.
    pub code: &'static str,
    /// How bad a match is unless the policy says otherwise.
    pub severity: Severity,
    /// The word in its placeholder: `EMAIL` for `[EMAIL]`.
    pub placeholder: &'static str,
}

/// The table.
pub static DETECTORS: &[Detector] = &[];

impl Severity {
    /// The word on the wire, and in a policy's `severity`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}
