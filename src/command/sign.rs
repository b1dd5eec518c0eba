//! `policy sign` and `policy verify`.

use std::path::Path;

use super::EXIT_NO;
use super::EXIT_USAGE;
use super::Said;
use super::check;
use super::files;
use super::keys;
use crate::clock;
use crate::control::fetch;
use crate::limits;
use crate::policy::Policy;
use crate::policy::Validity;
use crate::policy::bundle;
use crate::policy::bundle::PublicKey;
use crate::policy::bundle::Unsignable;
use crate::policy::document::is_tenant;
use crate::policy::load::Rejected;
use crate::policy::load::Trust;

/// Checks, compiles and signs.
pub(super) fn sign(key: &Path, document: &Path, out: &Path, rollback_to: Option<u64>) -> Said {
    let mut said = Said::default();
    let key = match keys::signing(key) {
        Ok(key) => key,
        Err(error) => return said.no(EXIT_USAGE, error),
    };
    let bytes = match fetch::read(document, limits::POLICY_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) => return said.no(EXIT_USAGE, error),
    };
    let Some((text, policy)) = check::compiled(document, &bytes, &mut said) else {
        return said.no(EXIT_NO, "not signed");
    };
    let bundle = match bundle::sign(&text, &key, clock::unix().as_secs(), rollback_to) {
        Ok(bundle) => bundle,
        Err(Unsignable::Document(mistakes)) => {
            said.list(document, "", &mistakes);
            return said.no(EXIT_NO, "not signed");
        }
        Err(Unsignable::Rollback) => {
            return said.no(EXIT_NO, "not signed: --rollback-to wants a version lower than the document's own");
        }
        Err(Unsignable::Size) => {
            return said.no(EXIT_NO, format_args!("not signed: longer than {} bytes", limits::POLICY_BYTES_MAX));
        }
        Err(Unsignable::Key) => return said.no(EXIT_USAGE, "not signed: the key does not sign"),
    };
    if let Err(error) = files::replace(out, &bundle) {
        return said.no(EXIT_USAGE, error);
    }
    let (tenant, version, id) = (policy.tenant(), policy.version(), key.public().id().to_hex());
    said.out = format!("signed: tenant {tenant}, version {version}, {} rules, key {id}\n", policy.rules().len());
    said
}

/// What a gateway with these keys would say at its start.
pub(super) fn verify(keys: &[String], tenant: Option<&str>, path: &Path) -> Said {
    let mut said = Said::default();
    let keys: Vec<PublicKey> = match keys.iter().map(|key| keys::public(key)).collect() {
        Ok(keys) => keys,
        Err(error) => return said.no(EXIT_USAGE, error),
    };
    if tenant.is_some_and(|tenant| !is_tenant(tenant)) {
        return said.no(EXIT_USAGE, "--tenant: want 1 to 64 of a-z, 0-9, `-`, `_` and `.`");
    }
    let bytes = match fetch::read(path, limits::POLICY_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) => return said.no(EXIT_USAGE, error),
    };
    let policy = match Policy::load(&bytes, &Trust { keys: &keys, tenant, allow_unsigned: false }, None) {
        Ok(policy) => policy,
        Err(Rejected::Document(mistakes)) => {
            said.list(path, "", &mistakes);
            return said.no(EXIT_NO, "refused: document");
        }
        Err(rejected) => return said.no(EXIT_NO, format_args!("refused: {}: {rejected}", rejected.label())),
    };
    said.out =
        format!("taken: tenant {}, version {}, {} rules\n", policy.tenant(), policy.version(), policy.rules().len());
    match policy.validity(clock::unix().as_secs()) {
        Validity::Valid => {}
        Validity::NotYet => said.err = "warning: it does not hold yet\n".to_owned(),
        Validity::Over => said.err = "warning: its time is over\n".to_owned(),
    }
    said
}
