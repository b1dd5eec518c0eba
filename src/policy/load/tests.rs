//! What is signed, by whom and over which bytes; and which version may follow which.

use aws_lc_rs::signature::Ed25519KeyPair;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;

use super::CODES;
use super::Rejected;
use super::Trust;
use crate::limits;
use crate::policy::Origin;
use crate::policy::Policy;
use crate::policy::Validity;
use crate::policy::bundle;
use crate::policy::bundle::Bundle;
use crate::policy::bundle::PublicKey;
use crate::policy::bundle::SigningKey;
use crate::policy::bundle::Unsignable;
use crate::policy::code::Code;

/// 2026-11-25T00:00:00Z.
const CREATED: u64 = 1_795_564_800;

fn key() -> SigningKey {
    let pair = Ed25519KeyPair::generate().unwrap();
    SigningKey::from_pkcs8(pair.to_pkcs8v1().unwrap().as_ref()).unwrap()
}

fn document(tenant: &str, version: u64) -> String {
    format!(
        "version = {version}\ntenant = \"{tenant}\"\nnot_before = 2026-11-25T00:00:00Z\nnot_after = 2027-01-01T00:00:00+01:00\n\
         [[rule]]\nid = \"00000000-0000-0000-0000-0000000000{:02x}\"\ncode = \"DLP.X\"\nliterals = [\"orion\"]\naction = \"warn\"\n",
        version % 255 + 1
    )
}

fn signed(text: &str, key: &SigningKey) -> Vec<u8> {
    bundle::sign(text, key, CREATED, None).unwrap()
}

fn load(bytes: &[u8], keys: &[PublicKey], in_force: Option<&Policy>) -> Result<Policy, Rejected> {
    Policy::load(bytes, &Trust { keys, tenant: None, allow_unsigned: false }, in_force)
}

#[test]
fn what_a_pinned_key_signed_is_taken() {
    let keys = [key(), key()];
    let pinned: Vec<PublicKey> = keys.iter().map(SigningKey::public).collect();
    for key in &keys {
        let policy = load(&signed(&document("acme", 4), key), &pinned, None).unwrap();
        assert_eq!((policy.version(), policy.tenant(), policy.origin()), (4, "acme", Origin::Signed));
        let times = [CREATED - 1, CREATED, 1_798_758_000, 1_798_758_001].map(|unix| policy.validity(unix));
        assert_eq!(times, [Validity::NotYet, Validity::Valid, Validity::Valid, Validity::Over]);
    }
}

#[test]
fn the_header_is_written_so() {
    let key = key();
    let text = document("acme", 42);
    let bytes = bundle::sign(&text, &key, CREATED, Some(40)).unwrap();
    let bundle = Bundle::parse(&bytes).unwrap();
    assert!(bundle.is_signed_by(&key.public()));
    let head = String::from_utf8(bytes[..bytes.len() - text.len()].to_vec()).unwrap();
    let (signed, signature) = head.split_once("signature: ").unwrap();
    let expected = format!(
        "PNX-POLICY/1\ntenant: acme\nversion: 42\nkey-id: {}\nnot-before: 2026-11-25T00:00:00Z\n\
         not-after: 2026-12-31T23:00:00Z\ncreated: 2026-11-25T00:00:00Z\nrollback-to: 40\nlength: {}\n",
        key.public().id().to_hex(),
        text.len()
    );
    assert_eq!(signed, expected);
    assert_eq!(signature.len(), 128 + 2);
    assert!(signature.ends_with("\n\n"));
    let longest = bundle::sign(&document(&"a".repeat(64), u64::MAX >> 1), &key, CREATED, Some(u64::MAX >> 2)).unwrap();
    assert!(longest.windows(2).position(|two| two == b"\n\n").unwrap() < limits::POLICY_HEADER_BYTES_MAX);
}

#[test]
fn no_bit_of_a_bundle_can_be_flipped() {
    let key = key();
    let keys = [key.public()];
    let mut bytes = signed(&document("acme", 4), &key);
    for unsigned in [false, true] {
        let trust = Trust { keys: &keys, tenant: None, allow_unsigned: unsigned };
        assert!(Policy::load(&bytes, &trust, None).is_ok());
        for at in 0..bytes.len() {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                assert!(Policy::load(&bytes, &trust, None).is_err(), "byte {at}, bit {bit}");
                bytes[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn no_byte_of_a_bundle_can_be_missing_or_more() {
    let key = key();
    let keys = [key.public()];
    let bytes = signed(&document("acme", 4), &key);
    for at in 0..bytes.len() {
        assert!(load(&bytes[..at], &keys, None).is_err(), "cut at {at}");
        for byte in [bytes[at], b' ', b'\n', b'\r', b'0', b'#'] {
            let mut longer = bytes.clone();
            longer.insert(at, byte);
            assert!(load(&longer, &keys, None).is_err(), "{byte} at {at}");
        }
        let mut shorter = bytes.clone();
        shorter.remove(at);
        assert!(load(&shorter, &keys, None).is_err(), "without {at}");
    }
    assert!(load(&[bytes.as_slice(), b"\n"].concat(), &keys, None).is_err());
}

#[test]
fn a_header_has_one_spelling() {
    let key = key();
    let keys = [key.public()];
    let bytes = String::from_utf8(signed(&document("acme", 4), &key)).unwrap();
    let id = key.public().id().to_hex();
    let cases: &[(&str, &str)] = &[
        ("PNX-POLICY/1\n", "PNX-POLICY/2\n"),
        ("PNX-POLICY/1\n", "PNX-POLICY/1\r\n"),
        ("PNX-POLICY/1\n", "PNX-POLICY/1 \n"),
        ("tenant: acme\n", "tenant:acme\n"),
        ("tenant: acme\n", "tenant: acme \n"),
        ("tenant: acme\n", "Tenant: acme\n"),
        ("tenant: acme\n", "tenant: acme\ntenant: acme\n"),
        ("tenant: acme\n", ""),
        ("tenant: acme\nversion: 4\n", "version: 4\ntenant: acme\n"),
        ("version: 4\n", "version: 04\n"),
        ("version: 4\n", "version: +4\n"),
        ("version: 4\n", "version: 4.0\n"),
        ("version: 4\n", "version: 18446744073709551620\n"),
        ("not-before: 2026-11-25T00:00:00Z\n", "not-before: 2026-11-25T00:00:00+00:00\n"),
        ("not-before: 2026-11-25T00:00:00Z\n", "not-before: 2026-11-25 00:00:00Z\n"),
        ("not-before: 2026-11-25T00:00:00Z\n", "not-before: 2026-11-25T00:00:00.0Z\n"),
        ("not-before: 2026-11-25T00:00:00Z\n", "not-before: 2026-11-25T00:00:00z\n"),
        ("created: 2026-11-25T00:00:00Z\n", "created: none\n"),
        ("rollback-to: none\n", "rollback-to: None\n"),
        ("rollback-to: none\n", "rollback-to: \n"),
        ("rollback-to: none\n", "rollback-to: 03\n"),
        ("rollback-to: none\n", "\n"),
        ("length: ", "length: 0"),
        ("length: ", "length:  "),
        ("signature: ", "signature:  "),
        ("signature: ", "extra: 1\nsignature: "),
        ("\n\n", "\nextra: 1\n\n"),
        ("\n\n", "\n"),
        ("\n\n", "\n\n\n"),
        ("\n\n", "\r\n\r\n"),
        (&id, "0000"),
        (&id, "0000000000000g00"),
    ];
    for (right, wrong) in cases {
        let other = bytes.replacen(right, wrong, 1);
        assert_ne!(other, bytes, "{right:?} is there");
        assert_eq!(load(other.as_bytes(), &keys, None).unwrap_err(), Rejected::Format, "{right:?} as {wrong:?}");
    }
    let (head, rest) = bytes.split_once("signature: ").unwrap();
    let (signature, rest) = rest.split_once('\n').unwrap();
    let upper = format!("{head}signature: {}\n{rest}", signature.to_uppercase());
    assert_eq!(load(upper.as_bytes(), &keys, None).unwrap_err(), Rejected::Format);
}

#[test]
fn each_reason_has_its_word() {
    let (own, other) = (key(), key());
    let keys = [own.public()];
    let text = document("acme", 4);
    let trust = Trust { keys: &keys, tenant: Some("acme"), allow_unsigned: false };
    let tell = |bytes: &[u8], trust: &Trust<'_>| {
        let rejected = Policy::load(bytes, trust, None).unwrap_err();
        assert!(!rejected.to_string().contains('\n'));
        assert!(Code::new(rejected.code()).is_some() && CODES.iter().any(|(code, _)| *code == rejected.code()));
        rejected.label()
    };
    let mut forged = signed(&text, &own);
    let last = forged.len() - 2;
    forged[last] ^= 1;
    assert_eq!(tell(&forged, &trust), "signature");
    assert_eq!(tell(&signed(&text, &other), &trust), "unknown_key");
    assert_eq!(tell(&signed(&document("other", 4), &own), &trust), "tenant");
    assert_eq!(tell(text.as_bytes(), &trust), "unsigned");
    assert_eq!(tell(b"", &trust), "unsigned");
    assert_eq!(tell(b"PNX-POLICY/1\n", &trust), "format");
    assert_eq!(tell(&vec![b'#'; limits::POLICY_BYTES_MAX + 1], &trust), "size");
    let lax = Trust { allow_unsigned: true, ..trust };
    assert_eq!(tell(b"", &lax), "document");
    assert_eq!(tell(b"\xff", &lax), "document");
    assert_eq!(tell(document("other", 4).as_bytes(), &lax), "tenant");
    let rejected = Policy::load(b"version = 1\nversion = 2\ntenant = 5", &lax, None).unwrap_err();
    assert_eq!(rejected.details().len(), 1, "{rejected}");
    // The key itself is another one under the same id: the signature decides.
    assert_eq!(tell(&signed(&text, &own), &Trust { keys: &[], ..trust }), "unknown_key");
}

#[test]
fn an_unsigned_document_is_taken_where_that_is_allowed() {
    let trust = Trust { allow_unsigned: true, ..Trust::default() };
    let policy = Policy::load(document("acme", 4).as_bytes(), &trust, None).unwrap();
    assert_eq!(policy.origin(), Origin::Unsigned);
}

#[test]
fn a_header_that_its_document_contradicts_is_refused_though_it_is_signed() {
    let key = key();
    let keys = [key.public()];
    let text = document("acme", 4);
    let bytes = signed(&text, &key);
    let right = Bundle::parse(&bytes).unwrap().header;
    let wrong = [
        bundle::Header { tenant: "other".into(), ..right.clone() },
        bundle::Header { version: 5, ..right.clone() },
        bundle::Header { not_before: None, ..right.clone() },
        bundle::Header { not_after: Some(CREATED), ..right.clone() },
        bundle::Header { rollback_to: Some(4), ..right.clone() },
        bundle::Header { rollback_to: Some(0), ..right.clone() },
    ];
    assert!(load(&bundle::seal(&right, text.as_bytes(), &key).unwrap(), &keys, None).is_ok());
    for header in wrong {
        let bytes = bundle::seal(&header, text.as_bytes(), &key).unwrap();
        assert_eq!(load(&bytes, &keys, None).unwrap_err(), Rejected::Contradiction, "{header:?}");
    }
}

#[test]
fn versions_never_go_back() {
    let key = key();
    let keys = [key.public()];
    let at = |version| signed(&document("acme", version), &key);
    let in_force = load(&at(4), &keys, Some(&Policy::built_in())).unwrap();
    let load = |bytes: &[u8]| load(bytes, &keys, Some(&in_force));
    assert_eq!(load(&at(3)).unwrap_err(), Rejected::Older { version: 3, in_force: 4 });
    assert!(load(&at(4)).is_ok(), "the same again");
    assert!(load(&at(5)).is_ok());
    let other = document("acme", 4) + "# other\n";
    assert_eq!(load(&signed(&other, &key)).unwrap_err(), Rejected::Different { version: 4 });
    // A rollback is a version of its own that says which one's rules it brings back.
    assert!(load(&bundle::sign(&document("acme", 5), &key, CREATED, Some(3)).unwrap()).is_ok());
    assert_eq!(load(&signed(&document("other", 5), &key)).unwrap_err(), Rejected::Tenant);
    let unsigned = Trust { allow_unsigned: true, ..Trust::default() };
    let older = Policy::load(document("acme", 3).as_bytes(), &unsigned, Some(&in_force)).unwrap_err();
    assert_eq!(older, Rejected::Older { version: 3, in_force: 4 });
}

#[test]
fn what_has_mistakes_is_not_signed() {
    let key = key();
    assert!(
        matches!(bundle::sign("", &key, CREATED, None), Err(Unsignable::Document(mistakes)) if mistakes.len() == 2)
    );
    for rollback_to in [0, 4, 5] {
        let result = bundle::sign(&document("acme", 4), &key, CREATED, Some(rollback_to));
        assert!(matches!(result, Err(Unsignable::Rollback)), "{rollback_to}");
    }
    let long = document("acme", 4) + &"#".repeat(limits::POLICY_BYTES_MAX - 400);
    assert!(matches!(bundle::sign(&long, &key, CREATED, None), Err(Unsignable::Size)));
}

proptest! {
    #[test]
    fn what_is_signed_is_verified(tenant in "[a-z0-9._-]{1,64}", version in 1..u64::MAX >> 1, created in 0..4_000_000_000_u64) {
        let key = key();
        let text = document(&tenant, version);
        let bytes = bundle::sign(&text, &key, created, None).unwrap();
        let policy = load(&bytes, &[key.public()], None).unwrap();
        prop_assert_eq!((policy.version(), policy.tenant()), (version, tenant.as_str()));
        prop_assert_eq!(Bundle::parse(&bytes).unwrap().header.created, created);
        prop_assert!(load(&bytes, &[self::key().public()], None).is_err());
    }

    #[test]
    fn other_bytes_are_no_bundle(at in any::<proptest::sample::Index>(), byte: u8, text in "\\PC*") {
        let key = key();
        let keys = [key.public()];
        let mut bytes = signed(&document("acme", 4), &key);
        prop_assert!(load(text.as_bytes(), &keys, None).is_err());
        let at = at.index(bytes.len());
        if bytes[at] != byte {
            bytes[at] = byte;
            prop_assert!(load(&bytes, &keys, None).is_err());
        }
    }
}
