//! Key pairs: made here, and read from files.

use std::path::Path;

use aws_lc_rs::signature::Ed25519KeyPair;
use rcgen::KeyPair;
use rcgen::PKCS_ED25519;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;

use super::EXIT_USAGE;
use super::Said;
use super::files;
use crate::control::fetch;
use crate::limits;
use crate::policy::bundle::PublicKey;
use crate::policy::bundle::SigningKey;

/// `policy keygen`.
pub(super) fn generate(path: &Path, public_path: Option<&Path>) -> Said {
    let mut said = Said::default();
    let Some((pem, public)) = pair() else { return said.no(EXIT_USAGE, "no key could be made") };
    let about = format!("public key: {}\nkey id: {}\n", public.to_hex(), public.id().to_hex());
    if path.as_os_str() == "-" {
        said.out = pem;
        said.err = about;
    } else {
        if let Err(error) = files::create_private(path, pem.as_bytes()) {
            return said.no(EXIT_USAGE, error);
        }
        said.out = about;
    }
    if let Some(path) = public_path
        && let Err(error) = files::replace(path, format!("{}\n", public.to_hex()).as_bytes())
    {
        return said.no(EXIT_USAGE, error);
    }
    said
}

/// PKCS#8 version 1, which openssl reads too, in PEM.
fn pair() -> Option<(String, PublicKey)> {
    let pair = Ed25519KeyPair::generate().ok()?;
    let der = pair.to_pkcs8v1().ok()?;
    let public = SigningKey::from_pkcs8(der.as_ref())?.public();
    let pem = KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der.as_ref()), &PKCS_ED25519).ok()?;
    Some((pem.serialize_pem(), public))
}

/// The private key in a file; the reason why there is none quotes nothing of it.
pub(super) fn signing(path: &Path) -> Result<SigningKey, String> {
    let bytes = fetch::read(path, limits::POLICY_PRIVATE_KEY_BYTES_MAX).map_err(|error| error.to_string())?;
    let key = match PrivateKeyDer::from_pem_slice(&bytes) {
        Ok(PrivateKeyDer::Pkcs8(der)) => SigningKey::from_pkcs8(der.secret_pkcs8_der()),
        _ => None,
    };
    key.ok_or_else(|| format!("{}: holds no Ed25519 private key (PKCS#8, PEM)", path.display()))
}

/// The public key that the digits say, or the file.
pub(super) fn public(text: &str) -> Result<PublicKey, String> {
    if PublicKey::parse(text).is_none() && !text.contains(['/', '.']) {
        return Err(
            "--policy-key: want 64 hexadecimal digits (lower case), or the path of a file that holds them".to_owned()
        );
    }
    fetch::public_key(text).map_err(|error| error.to_string())
}
