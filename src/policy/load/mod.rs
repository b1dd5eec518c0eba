//! Bytes of a file to a policy that may take effect, or the one reason why not.
//!
//! ```text
//!  size ─► header ─► key ─► signature ─► tenant ─► version ─► document ─► header = document ─► compile ─► Policy
//! ```
//! Nothing of a document is read before somebody pinned has vouched for it. The times are not looked at here: a policy that does not
//! hold yet, or no more, is still the policy.

#[cfg(test)]
mod tests;

use std::fmt;

use crate::limits;
use crate::policy::Origin;
use crate::policy::Policy;
use crate::policy::bundle;
use crate::policy::bundle::Bundle;
use crate::policy::bundle::Header;
use crate::policy::bundle::KeyId;
use crate::policy::bundle::PublicKey;
use crate::policy::compile;
use crate::policy::document::Document;
use crate::policy::document::Mistake;
use crate::policy::sha256;

/// Whom to believe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trust<'a> {
    /// Those that may sign.
    pub keys: &'a [PublicKey],
    /// The tenant that a policy must be for; none: any, but the one in force's where there is one.
    pub tenant: Option<&'a str>,
    /// Whether a document without a header is taken.
    pub allow_unsigned: bool,
}

/// Why a policy is not taken. The one in force stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// It is longer than `limits::POLICY_BYTES_MAX`.
    Size,
    /// It begins as a bundle, but its header is not spelled as it must be, or its length is another.
    Format,
    /// It has no header, and unsigned ones are not taken.
    Unsigned,
    /// No pinned key has the id that it names.
    UnknownKey(KeyId),
    /// The signature is not of these bytes.
    Signature,
    /// It is another tenant's.
    Tenant,
    /// Its version is lower than the one in force.
    Older {
        /// Its version.
        version: u64,
        /// The one in force.
        in_force: u64,
    },
    /// It has the version of the one in force, and is another.
    Different {
        /// The version of both.
        version: u64,
    },
    /// It is signed, but the header says another thing than the document, or brings back a version that is not lower.
    Contradiction,
    /// The document has mistakes.
    Document(Vec<Mistake>),
}

/// The reason codes of [`Rejected::code`], and when each is given.
pub static CODES: &[(&str, &str)] = &[
    (INVALID, "The file is too large, its header is broken, or its document has mistakes."),
    (
        UNTRUSTED,
        "Nobody signed it, or no pinned key, or the signature is of other bytes, or header and document disagree.",
    ),
    (TENANT, "It is another tenant's."),
    (VERSION, "Its version is lower than the one in force, or the same with another document."),
];

const INVALID: &str = "POLICY.BUNDLE_INVALID";
const UNTRUSTED: &str = "POLICY.BUNDLE_UNTRUSTED";
const TENANT: &str = "POLICY.BUNDLE_TENANT";
const VERSION: &str = "POLICY.BUNDLE_VERSION";

impl Rejected {
    /// One word, for metrics and logs.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Format => "format",
            Self::Unsigned => "unsigned",
            Self::UnknownKey(_) => "unknown_key",
            Self::Signature => "signature",
            Self::Tenant => "tenant",
            Self::Older { .. } | Self::Different { .. } => "version",
            Self::Contradiction | Self::Document(_) => "document",
        }
    }

    /// The reason code of the event that tells of it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Size | Self::Format | Self::Document(_) => INVALID,
            Self::Unsigned | Self::UnknownKey(_) | Self::Signature | Self::Contradiction => UNTRUSTED,
            Self::Tenant => TENANT,
            Self::Older { .. } | Self::Different { .. } => VERSION,
        }
    }

    /// The mistakes of the document, one line each; none for other reasons.
    #[must_use]
    pub fn details(&self) -> &[Mistake] {
        match self {
            Self::Document(mistakes) => mistakes,
            _ => &[],
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size => write!(f, "it is longer than {} bytes", limits::POLICY_BYTES_MAX),
            Self::Format => f.write_str("it begins as a bundle, but its header is broken or its length is another"),
            Self::Unsigned => f.write_str("nobody has signed it"),
            Self::UnknownKey(id) => write!(f, "it is signed by the key {}, which is not pinned", id.to_hex()),
            Self::Signature => f.write_str("its signature is not of these bytes"),
            Self::Tenant => f.write_str("it is another tenant's"),
            Self::Older { version, in_force } => {
                write!(f, "its version {version} is older than {in_force}, which is in force")
            }
            Self::Different { version } => {
                write!(f, "version {version} is in force with other rules; a change needs a higher version")
            }
            Self::Contradiction => f.write_str("its header and its document say different things"),
            Self::Document(mistakes) => match mistakes.as_slice() {
                [one] => write!(f, "its document has a mistake: {one}"),
                [first, ..] => write!(f, "its document has {} mistakes, the first: {first}", mistakes.len()),
                [] => f.write_str("its document has mistakes"),
            },
        }
    }
}

impl std::error::Error for Rejected {}

impl Policy {
    /// Verifies and compiles the bytes of a file: a bundle, or a document where unsigned ones are taken. The policy in force is taken
    /// again. Takes as long as compiling takes: not for a core.
    ///
    /// # Errors
    /// [`Rejected`]; what is in force then stays.
    pub fn load(bytes: &[u8], trust: &Trust<'_>, in_force: Option<&Self>) -> Result<Self, Rejected> {
        if bytes.len() > limits::POLICY_BYTES_MAX {
            return Err(Rejected::Size);
        }
        let bundle = verified(bytes, trust)?;
        let bytes = bundle.as_ref().map_or(bytes, |bundle| bundle.document);
        let digest = sha256(bytes);
        // What a signed header says is enough to refuse by; reading the document is the longer way.
        if let Some(Bundle { header, .. }) = &bundle {
            follow(&header.tenant, header.version, &digest, trust, in_force)?;
        }
        let document = read(bytes)?;
        follow(&document.tenant, document.version, &digest, trust, in_force)?;
        if bundle.as_ref().is_some_and(|bundle| !agree(&bundle.header, &document)) {
            return Err(Rejected::Contradiction);
        }
        let origin = if bundle.is_some() { Origin::Signed } else { Origin::Unsigned };
        compile::compile(&document, origin, digest).map_err(Rejected::Document)
    }
}

/// The bundle, if it is one and a pinned key signed it; none for a document that may be unsigned.
fn verified<'a>(bytes: &'a [u8], trust: &Trust<'_>) -> Result<Option<Bundle<'a>>, Rejected> {
    if !bundle::is_bundle(bytes) {
        return if trust.allow_unsigned { Ok(None) } else { Err(Rejected::Unsigned) };
    }
    let bundle = Bundle::parse(bytes).ok_or(Rejected::Format)?;
    let id = bundle.header.key_id;
    let mut named = trust.keys.iter().filter(|key| key.id() == id).peekable();
    if named.peek().is_none() {
        return Err(Rejected::UnknownKey(id));
    }
    if named.any(|key| bundle.is_signed_by(key)) { Ok(Some(bundle)) } else { Err(Rejected::Signature) }
}

fn read(bytes: &[u8]) -> Result<Document, Rejected> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let line = bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count() + 1;
        Rejected::Document(vec![Mistake { line, rule: None, text: "not UTF-8".to_owned() }])
    })?;
    Document::parse(text).map_err(Rejected::Document)
}

/// Whether this one may follow the one in force.
fn follow(
    tenant: &str,
    version: u64,
    digest: &[u8; 32],
    trust: &Trust<'_>,
    in_force: Option<&Policy>,
) -> Result<(), Rejected> {
    let is_own = |policy: &&Policy| policy.origin != Origin::BuiltIn;
    let before = in_force.filter(is_own);
    let wanted = trust.tenant.or(before.map(|policy| &*policy.tenant));
    if wanted.is_some_and(|wanted| wanted != tenant) {
        return Err(Rejected::Tenant);
    }
    match before {
        Some(policy) if version < policy.version => Err(Rejected::Older { version, in_force: policy.version }),
        Some(policy) if version == policy.version && *digest != policy.digest => Err(Rejected::Different { version }),
        _ => Ok(()),
    }
}

fn agree(header: &Header, document: &Document) -> bool {
    header.tenant == document.tenant
        && header.version == document.version
        && header.not_before == document.not_before
        && header.not_after == document.not_after
        && header.rollback_to.is_none_or(|version| version > 0 && version < header.version)
}
