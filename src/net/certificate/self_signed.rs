//! A certificate made in memory, for a gateway that was given none: good for a first try, known to no client.

use std::net::IpAddr;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::CertifiedKey;

use super::CertificateError;

/// How long a self-signed certificate is good for: past it Apple's libraries refuse any certificate, and it lives no longer
/// than the process anyway.
const SELF_SIGNED_TIME: Duration = Duration::from_secs(825 * 86_400);

/// How long before its making it is good already, for clients whose clock is behind.
const SELF_SIGNED_EARLY: Duration = Duration::from_secs(86_400);

/// A new ECDSA P-256 pair for this machine's names and those given.
pub(super) fn make(names: &[String]) -> Result<CertifiedKey, CertificateError> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let pod = std::env::var("POD_IP").unwrap_or_default();
    let names = alternative_names(names, &host, &pod)?;
    let failed = |_reason: rcgen::Error| CertificateError::SelfSigned;
    let mut parameters = rcgen::CertificateParams::new(names).map_err(failed)?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "penaxtra-gateway self-signed");
    parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let now = UNIX_EPOCH + crate::clock::unix();
    parameters.not_before = (now - SELF_SIGNED_EARLY).into();
    parameters.not_after = (now + SELF_SIGNED_TIME - SELF_SIGNED_EARLY).into();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let certificate = parameters.self_signed(&key).map_err(failed)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).map_err(|_| CertificateError::SelfSigned)?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// What a self-signed certificate is good for: loopback, the machine's name and the pod's address where they are usable,
/// and the names given, which must be. Each once, in this order.
fn alternative_names(given: &[String], host: &str, pod: &str) -> Result<Vec<String>, CertificateError> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    names.extend(is_dns_name(host).then(|| host.to_owned()));
    names.extend(pod.parse::<IpAddr>().ok().map(|address| address.to_string()));
    for name in given {
        match name.parse::<IpAddr>() {
            Ok(address) => names.push(address.to_string()),
            Err(_) if is_dns_name(name.strip_prefix("*.").unwrap_or(name)) => names.push(name.clone()),
            Err(_) => return Err(CertificateError::BadName(name.clone())),
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.to_ascii_lowercase()));
    Ok(names)
}

/// RFC 1123 section 2.1, and at most 253 bytes.
fn is_dns_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_named_once() {
        let always = ["localhost", "127.0.0.1", "::1"];
        type Case =
            (&'static str, &'static [&'static str], &'static str, &'static str, Option<&'static [&'static str]>);
        let cases: [Case; 9] = [
            ("nothing more", &[], "", "", Some(&[])),
            ("host and pod", &[], "pod-0", "10.0.0.9", Some(&["pod-0", "10.0.0.9"])),
            ("an IPv6 pod", &[], "", "fd00::9", Some(&["fd00::9"])),
            ("an unusable host and pod", &[], "pod_0", "not an address", Some(&[])),
            ("given twice", &["LOCALHOST", "a.example", "A.example"], "a.example", "127.0.0.1", Some(&["a.example"])),
            ("a wildcard", &["*.a.example"], "", "", Some(&["*.a.example"])),
            ("an empty name", &[""], "", "", None),
            ("a space", &["a b"], "", "", None),
            ("not ASCII", &["ä.example"], "", "", None),
        ];
        for (name, given, host, pod, expected) in cases {
            let given: Vec<String> = given.iter().map(|name| (*name).to_owned()).collect();
            let found = alternative_names(&given, host, pod).ok();
            let expected =
                expected.map(|more| always.iter().chain(more).map(|name| (*name).to_owned()).collect::<Vec<_>>());
            assert_eq!(found, expected, "{name}");
        }
    }
}
