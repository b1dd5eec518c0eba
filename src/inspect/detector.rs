//! The built-in detectors: one table, a row each.
//!
//! A row says what a detector is called and what it looks for. What decides stands beside it by `Kind`: `email`, `number` and
//! `token` read the shapes, `check` holds the checksums. The shapes here are what those readers are tested against.

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
    /// The word in its placeholder: `EMAIL` for `[EMAIL]`. Only `A-Z`, `0-9` and `_`.
    pub placeholder: &'static str,
    /// The outer shape of a match as a regular expression over ASCII classes: every match has it, not everything with it matches.
    pub shape: &'static str,
    /// What the text is searched for first: a match has one of these (`0` stands for any digit, `A` for any letter).
    pub anchors: &'static [&'static str],
    /// What confirms a match, in words.
    pub validator: &'static str,
    /// Words that count as context, in lower case.
    pub context: &'static [&'static str],
    /// Which matches need one of these words near.
    pub context_for: Context,
    /// Which reader finds it.
    pub(super) kind: Kind,
}

/// Which matches of a detector need a context word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// None.
    Nothing,
    /// Those that are less than canonical: bare digits, unusual lengths.
    Bare,
}

/// The readers, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Email,
    Card,
    Iban,
    UsSsn,
    Phone,
    Ipv4,
    AwsAccessKey,
    GithubToken,
    OpenaiKey,
    AnthropicKey,
    PrivateKey,
    Jwt,
}

/// How many kinds there are.
pub(super) const KINDS: usize = 12;

const CARD_WORDS: &[&str] = &[
    "card",
    "cards",
    "credit",
    "debit",
    "visa",
    "mastercard",
    "maestro",
    "amex",
    "discover",
    "diners",
    "unionpay",
    "jcb",
    "cc",
    "ccn",
    "pan",
    "cvv",
    "cvc",
    "expiry",
    "kreditkarte",
    "karte",
    "kartennummer",
    "carte",
    "tarjeta",
    "carta",
    "cartão",
    "kaart",
    "kort",
    "карта",
    "カード",
    "卡号",
    "信用卡",
];

const SSN_WORDS: &[&str] = &[
    "ssn",
    "ssns",
    "social",
    "social security",
    "security number",
    "soc sec",
    "tin",
    "taxpayer",
    "w2",
    "w-2",
    "seguro social",
];

const PHONE_WORDS: &[&str] = &[
    "phone",
    "phones",
    "telephone",
    "tel",
    "mobile",
    "cell",
    "cellphone",
    "call",
    "fax",
    "whatsapp",
    "sms",
    "text",
    "dial",
    "contact",
    "telefon",
    "telefonnummer",
    "handy",
    "mobil",
    "rufnummer",
    "téléphone",
    "portable",
    "teléfono",
    "móvil",
    "celular",
    "telefone",
    "telefono",
    "cellulare",
    "telefoon",
    "puhelin",
    "телефон",
    "電話",
    "电话",
    "手机",
    "전화",
];

/// The table.
pub static DETECTORS: &[Detector] = &[
    Detector {
        name: "email",
        code: "DLP.PII.EMAIL",
        severity: Severity::Low,
        placeholder: "EMAIL",
        shape: r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,24}",
        anchors: &["@"],
        validator: "the top-level domain exists; no domain that is reserved for examples; not the user of a URL",
        context: &["email", "e-mail", "mail"],
        context_for: Context::Nothing,
        kind: Kind::Email,
    },
    Detector {
        name: "card",
        code: "DLP.PII.CREDIT_CARD",
        severity: Severity::High,
        placeholder: "CARD",
        shape: r"[0-9](?:[ -]?[0-9]){12,18}",
        anchors: &["000000000", "0000 0000", "0000-0000"],
        validator: "Luhn; the issuer's prefix and its lengths; its grouping. Published test numbers stay unconfirmed",
        context: CARD_WORDS,
        context_for: Context::Bare,
        kind: Kind::Card,
    },
    Detector {
        name: "iban",
        code: "DLP.PII.IBAN",
        severity: Severity::High,
        placeholder: "IBAN",
        shape: r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}",
        anchors: &["AA00"],
        validator: "ISO 7064 mod 97-10; the length of its country",
        context: &["iban", "account", "konto", "compte", "cuenta", "conto", "rekening"],
        context_for: Context::Nothing,
        kind: Kind::Iban,
    },
    Detector {
        name: "us_ssn",
        code: "DLP.PII.US_SSN",
        severity: Severity::High,
        placeholder: "SSN",
        shape: r"[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}",
        anchors: &["000-00-0000", "000000000"],
        validator: "numbers that can be issued; not one of the well-known false ones (no checksum exists)",
        context: SSN_WORDS,
        context_for: Context::Bare,
        kind: Kind::UsSsn,
    },
    Detector {
        name: "phone",
        code: "DLP.PII.PHONE",
        severity: Severity::Low,
        placeholder: "PHONE",
        shape: r"(?:\+|\(\+?)?[0-9](?:[ ./()-]{0,3}[0-9]){8,14}",
        anchors: &["+0", "000-000-0000", "(000) 000-0000", "000000000"],
        validator: "for +: the country code and the lengths of its numbers",
        context: PHONE_WORDS,
        context_for: Context::Bare,
        kind: Kind::Phone,
    },
    Detector {
        name: "ipv4",
        code: "DLP.PII.IP_ADDRESS",
        severity: Severity::Low,
        placeholder: "IP",
        shape: r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}",
        anchors: &["0.0.0.0"],
        validator: "global unicast; no version or section number",
        context: &["ip", "ipv4", "address", "host", "server"],
        context_for: Context::Nothing,
        kind: Kind::Ipv4,
    },
    Detector {
        name: "aws_access_key",
        code: "DLP.SECRET.AWS_ACCESS_KEY",
        severity: Severity::High,
        placeholder: "AWS_ACCESS_KEY",
        shape: r"(?:AKIA|ASIA)[A-Z2-7]{16}",
        anchors: &["AKIA", "ASIA"],
        validator: "base32, entropy, no documentation sample",
        context: &["aws", "amazon", "access key"],
        context_for: Context::Nothing,
        kind: Kind::AwsAccessKey,
    },
    Detector {
        name: "github_token",
        code: "DLP.SECRET.GITHUB_TOKEN",
        severity: Severity::Critical,
        placeholder: "GITHUB_TOKEN",
        shape: r"gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        anchors: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
        validator: "CRC-32 in base 62 over the random part; the exact lengths of a fine-grained token",
        context: &["github", "token"],
        context_for: Context::Nothing,
        kind: Kind::GithubToken,
    },
    Detector {
        name: "openai_key",
        code: "DLP.SECRET.LLM_PROVIDER_KEY",
        severity: Severity::Critical,
        placeholder: "OPENAI_KEY",
        shape: r"sk-[A-Za-z0-9_-]{20,200}T3BlbkFJ[A-Za-z0-9_-]{20,200}",
        anchors: &["T3BlbkFJ"],
        validator: "the marker between two random parts",
        context: &["openai"],
        context_for: Context::Nothing,
        kind: Kind::OpenaiKey,
    },
    Detector {
        name: "anthropic_key",
        code: "DLP.SECRET.LLM_PROVIDER_KEY",
        severity: Severity::Critical,
        placeholder: "ANTHROPIC_KEY",
        shape: r"sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{40,200}",
        anchors: &["sk-ant-"],
        validator: "93 characters and AA",
        context: &["anthropic", "claude"],
        context_for: Context::Nothing,
        kind: Kind::AnthropicKey,
    },
    Detector {
        name: "private_key",
        code: "DLP.SECRET.PRIVATE_KEY",
        severity: Severity::Critical,
        placeholder: "PRIVATE_KEY",
        shape: r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[^\x00]*",
        anchors: &["-----BEGIN"],
        validator: "40 characters of base64 or more behind the armour's head line (RFC 7468, RFC 9580)",
        context: &["private key"],
        context_for: Context::Nothing,
        kind: Kind::PrivateKey,
    },
    Detector {
        name: "jwt",
        code: "DLP.SECRET.JWT",
        severity: Severity::Medium,
        placeholder: "JWT",
        shape: r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
        anchors: &["eyJ"],
        validator: "the header decodes to a JSON object with `alg` (RFC 7515); the sample of jwt.io stays unconfirmed",
        context: &["jwt", "bearer", "token"],
        context_for: Context::Nothing,
        kind: Kind::Jwt,
    },
];

/// The row with this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Detector> {
    DETECTORS.iter().find(|detector| detector.name == name)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_their_kinds() {
        assert_eq!(DETECTORS.len(), KINDS);
        for (index, detector) in DETECTORS.iter().enumerate() {
            assert_eq!(detector.kind as usize, index, "{}", detector.name);
        }
    }

    #[test]
    fn names_are_unique_and_words_are_plain() {
        for (index, detector) in DETECTORS.iter().enumerate() {
            assert!(DETECTORS.iter().skip(index + 1).all(|other| other.name != detector.name));
            assert!(
                detector.placeholder.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'),
                "{}",
                detector.name
            );
            assert!(detector.code.starts_with("DLP."), "{}", detector.name);
            assert!(detector.context.iter().all(|word| word.to_lowercase() == *word), "{}", detector.name);
            assert!(named(detector.name).is_some());
        }
        assert!(named("no such").is_none());
    }
}
