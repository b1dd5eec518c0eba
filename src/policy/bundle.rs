//! The signed file: a strict text header, an empty line, and the document's bytes as they were signed.
//!
//! ```text
//!  PNX-POLICY/1                                   ┐
//!  tenant: acme                                   │
//!  version: 42                                    │
//!  key-id: 0123456789abcdef                       │
//!  not-before: 2026-11-25T00:00:00Z  (or none)    │ signed, behind a domain of its own
//!  not-after: none                                │
//!  created: 2026-11-24T15:00:00Z                  │
//!  rollback-to: none                 (or 40)      │
//!  length: 1234                                   ┘
//!  signature: <128 hexadecimal digits>              Ed25519 (RFC 8032)
//!
//!  <the document, 1234 bytes>                       signed, behind the header
//! ```
//! Every field is there, in this order, in one spelling: a header that would be written in another way is refused, so that every bit
//! of a file is covered. Nothing of the document is read here.

use aws_lc_rs::signature;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::signature::UnparsedPublicKey;

use super::document;
use super::document::Document;
use super::document::Mistake;
use super::hex;
use super::sha256;
use super::time;
use crate::limits;

/// What every bundle begins with, whatever its format's version.
const MAGIC: &[u8] = b"PNX-POLICY/";
/// The first line of this version.
const FIRST_LINE: &str = "PNX-POLICY/1\n";
/// What stands before the signed bytes, so that a signature over them is of use for nothing else.
const DOMAIN: &[u8] = b"penaxtra-gateway policy bundle 1\0";
/// The name of the one field that is not signed itself.
const SIGNATURE: &str = "signature: ";

/// A public key that may sign policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// The first 64 bits of the SHA-256 of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId([u8; 8]);

/// A private key that signs policies.
#[derive(Debug)]
pub struct SigningKey(Ed25519KeyPair);

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whose the policy is.
    pub tenant: Box<str>,
    /// Its version.
    pub version: u64,
    /// Which key signed it.
    pub key_id: KeyId,
    /// Unix seconds.
    pub not_before: Option<u64>,
    /// Unix seconds.
    pub not_after: Option<u64>,
    /// When it was signed, Unix seconds.
    pub created: u64,
    /// The version whose rules it brings back. Lower than `version`.
    pub rollback_to: Option<u64>,
}

/// A bundle, taken apart; nothing is verified yet.
#[derive(Clone, Debug)]
pub struct Bundle<'a> {
    /// Its header.
    pub header: Header,
    /// The header's bytes up to the signature.
    signed: &'a [u8],
    signature: [u8; 64],
    /// The document's bytes.
    pub document: &'a [u8],
}

/// Why a document cannot be signed.
#[derive(Clone, Debug)]
pub enum Unsignable {
    /// It has mistakes.
    Document(Vec<Mistake>),
    /// It says that it brings back a version that is not lower than its own.
    Rollback,
    /// With its header it is longer than `limits::POLICY_BYTES_MAX`.
    Size,
    /// The key does not sign.
    Key,
}

impl PublicKey {
    /// Reads 64 hexadecimal digits in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex::read(text).map(Self)
    }

    /// The 64 digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::write(&self.0)
    }

    /// By which a header names it.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let [a, b, c, d, e, f, g, h, ..] = sha256(&self.0);
        KeyId([a, b, c, d, e, f, g, h])
    }
}

impl KeyId {
    /// 16 hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        hex::write(&self.0)
    }
}

impl SigningKey {
    /// Reads a PKCS#8 document (RFC 5958) in DER; none where it does not hold an Ed25519 key.
    #[must_use]
    pub fn from_pkcs8(der: &[u8]) -> Option<Self> {
        Ed25519KeyPair::from_pkcs8(der).ok().map(Self)
    }

    /// What verifies its signatures.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }
}

impl Header {
    /// The signed part of the header in front of a document of `length` bytes.
    fn write(&self, length: usize) -> String {
        let time = |time: Option<u64>| time.map_or_else(|| "none".to_owned(), time::write);
        let rollback_to = self.rollback_to.map_or_else(|| "none".to_owned(), |version| version.to_string());
        format!(
            "{FIRST_LINE}tenant: {}\nversion: {}\nkey-id: {}\nnot-before: {}\nnot-after: {}\ncreated: {}\nrollback-to: {rollback_to}\n\
             length: {length}\n",
            self.tenant,
            self.version,
            self.key_id.to_hex(),
            time(self.not_before),
            time(self.not_after),
            time::write(self.created),
        )
    }

    /// Reads the fields, as many spellings as they may have; the caller compares with the one that is right.
    fn read(text: &str) -> Option<(Self, [u8; 64])> {
        let mut lines = text.strip_prefix(FIRST_LINE)?.split('\n');
        let mut field = |name: &str| lines.next()?.strip_prefix(name);
        let header = Self {
            tenant: field("tenant: ").filter(|text| document::is_tenant(text))?.into(),
            version: field("version: ")?.parse().ok()?,
            key_id: KeyId(hex::read(field("key-id: ")?)?),
            not_before: optional(field("not-before: ")?, time::read)?,
            not_after: optional(field("not-after: ")?, time::read)?,
            created: time::read(field("created: ")?)?,
            rollback_to: optional(field("rollback-to: ")?, |text| text.parse().ok())?,
        };
        field("length: ")?;
        let signature = hex::read(field(SIGNATURE)?)?;
        Some((header, signature))
    }
}

#[expect(clippy::option_option, reason = "`none` and not understood are two things")]
fn optional<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text == "none" { Some(None) } else { read(text).map(Some) }
}

/// Whether the bytes want to be a bundle, rather than a document.
#[must_use]
pub fn is_bundle(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

impl<'a> Bundle<'a> {
    /// Takes a file apart; none where its header is not spelled as it must be, or its length is another.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let front = bytes.get(..limits::POLICY_HEADER_BYTES_MAX).unwrap_or(bytes);
        let end = memchr::memmem::find(front, b"\n\n")?;
        let (head, document) = (bytes.get(..=end)?, bytes.get(end + 2..)?);
        let (header, signature) = Header::read(str::from_utf8(head).ok()?)?;
        let right = header.write(document.len());
        let signed = head.get(..right.len()).filter(|signed| *signed == right.as_bytes())?;
        let rest = head.get(right.len()..)?;
        let is_right = rest == format!("{SIGNATURE}{}\n", hex::write(&signature)).as_bytes();
        is_right.then_some(Self { header, signed, signature, document })
    }

    /// Whether this key signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let message = message(self.signed, self.document);
        UnparsedPublicKey::new(&signature::ED25519, &key.0).verify(&message, &self.signature).is_ok()
    }
}

/// Checks a document, compiles nothing, and signs it. `created` is Unix seconds.
///
/// # Errors
/// [`Unsignable`].
pub fn sign(text: &str, key: &SigningKey, created: u64, rollback_to: Option<u64>) -> Result<Vec<u8>, Unsignable> {
    let document = Document::parse(text).map_err(Unsignable::Document)?;
    if rollback_to.is_some_and(|version| version == 0 || version >= document.version) {
        return Err(Unsignable::Rollback);
    }
    let header = Header {
        tenant: document.tenant,
        version: document.version,
        key_id: key.public().id(),
        not_before: document.not_before,
        not_after: document.not_after,
        created,
        rollback_to,
    };
    let bundle = seal(&header, text.as_bytes(), key).ok_or(Unsignable::Key)?;
    if bundle.len() > limits::POLICY_BYTES_MAX { Err(Unsignable::Size) } else { Ok(bundle) }
}

/// Signs a header and whatever stands behind it.
pub(super) fn seal(header: &Header, document: &[u8], key: &SigningKey) -> Option<Vec<u8>> {
    let signed = header.write(document.len());
    let signature = key.0.try_sign(&message(signed.as_bytes(), document)).ok()?;
    let mut bundle = signed.into_bytes();
    bundle.extend_from_slice(SIGNATURE.as_bytes());
    bundle.extend_from_slice(hex::write(signature.as_ref()).as_bytes());
    bundle.extend_from_slice(b"\n\n");
    bundle.extend_from_slice(document);
    Some(bundle)
}

fn message(signed: &[u8], document: &[u8]) -> Vec<u8> {
    [DOMAIN, signed, document].concat()
}
