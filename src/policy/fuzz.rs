//! What must hold for every file that somebody could hand in as a policy: driven by the targets of `fuzz/`, replayed from its corpora by
//! `cargo test`.
//!
//! Each function takes any bytes and panics where a property does not hold. The gateway itself never calls into this room.

use super::Policy;
use super::bundle;
use super::bundle::Bundle;
use super::bundle::Header;
use super::bundle::PublicKey;
use super::bundle::SigningKey;
use super::bundle::Unsignable;
use super::document::Document;
use super::load::Rejected;
use super::load::Trust;

/// A private key that stands in the open and signs nothing but inputs of a fuzzer: the frame of PKCS#8, then the seed.
const KEY: &[u8; 48] =
    b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20this key signs fuzz inputs only!";

fn key() -> SigningKey {
    SigningKey::from_pkcs8(KEY).expect("a key")
}

/// The bytes as a file beside a pinned key.
///
/// What is taken was signed as it stands: it is what signing its document at its time gives, byte for byte. What is refused gives one line.
/// A fuzzer makes no signatures, so a header that reads well is signed for it: then only the document, or that the two disagree, can be wrong.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_bundle(bytes: &[u8]) {
    let key = key();
    let keys = [key.public()];
    let trust = Trust { keys: &keys, tenant: None, allow_unsigned: false };
    match Policy::load(bytes, &trust, None) {
        Ok(policy) => {
            let bundle = Bundle::parse(bytes).expect("what is taken is a bundle");
            let text = str::from_utf8(bundle.document).expect("what is taken is text");
            let header = &bundle.header;
            let again =
                bundle::sign(text, &key, header.created, header.rollback_to).expect("what is taken can be signed");
            assert!(again == bytes, "two spellings of one bundle");
            assert_eq!(policy.version(), header.version);
            assert!(matches!(Policy::load(bytes, &Trust { keys: &[], ..trust }, None), Err(Rejected::UnknownKey(_))));
            cover(bytes, &trust);
        }
        Err(rejected) => {
            assert!(!rejected.to_string().contains('\n'), "one line");
            assert!(!rejected.label().is_empty());
        }
    }
    if let Some(bundle) = Bundle::parse(bytes) {
        let header = Header { key_id: key.public().id(), ..bundle.header };
        let sealed = bundle::seal(&header, bundle.document, &key).expect("the key signs");
        match Policy::load(&sealed, &trust, None) {
            Ok(policy) => assert_eq!((policy.version(), policy.tenant()), (header.version, &*header.tenant)),
            Err(rejected) => assert_eq!(rejected.label(), "document", "{rejected}"),
        }
    }
    let _ = str::from_utf8(bytes).ok().and_then(PublicKey::parse);
    let _ = SigningKey::from_pkcs8(bytes);
}

/// One bit of each byte, and the end, are covered.
fn cover(bytes: &[u8], trust: &Trust<'_>) {
    let mut other = bytes.to_vec();
    // All of a long document would be minutes of signatures.
    let step = bytes.len() / 512 + 1;
    for at in (0..bytes.len()).step_by(step) {
        let bit = 1 << (at % 8);
        if let Some(byte) = other.get_mut(at) {
            *byte ^= bit;
        }
        assert!(Policy::load(&other, trust, None).is_err(), "byte {at} is not covered");
        if let Some(byte) = other.get_mut(at) {
            *byte ^= bit;
        }
    }
    other.push(b'\n');
    assert!(Policy::load(&other, trust, None).is_err(), "the end is not covered");
}

/// The bytes as a document.
///
/// Mistakes have a line of the text and one line of words. What has none compiles or says why not, is the same when it is read again,
/// and can be signed and verified.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_policy_document(bytes: &[u8]) {
    let trust = Trust { keys: &[], tenant: None, allow_unsigned: true };
    let loaded = Policy::load(bytes, &trust, None);
    let Ok(text) = str::from_utf8(bytes) else {
        assert!(loaded.is_err(), "not UTF-8");
        return;
    };
    let lines = text.matches('\n').count() + 1;
    match Document::parse(text) {
        Err(mistakes) => {
            assert!(!mistakes.is_empty() && loaded.is_err());
            for mistake in mistakes {
                assert!((1..=lines).contains(&mistake.line), "{mistake}");
                assert!(!mistake.to_string().contains('\n'), "{mistake:?}");
            }
        }
        Ok(document) => {
            assert_eq!(format!("{document:?}"), format!("{:?}", Document::parse(text).expect("as before")));
            let signed = match bundle::sign(text, &key(), 0, None) {
                Ok(signed) => signed,
                Err(Unsignable::Size) => return,
                Err(error) => panic!("{error:?}"),
            };
            let keys = [key().public()];
            let verified = Policy::load(&signed, &Trust { keys: &keys, ..trust }, None);
            match (loaded, verified) {
                (Ok(one), Ok(other)) => assert_eq!(one.digest(), other.digest()),
                (Err(one), Err(other)) => assert_eq!(one, other),
                (one, other) => panic!("{} but {}", one.is_ok(), other.is_ok()),
            }
        }
    }
}
