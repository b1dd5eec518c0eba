//! `PNX_*` variables to found values.
//!
//! Exists because a pod is configured most easily by its environment. Never fails for a variable that it does not know: other versions and other
//! parts have theirs, so those are warnings by name, without their values.

use std::ffi::OsString;

use crate::config::mistake;
use crate::config::mistake::Found;
use crate::config::mistake::Mistake;
use crate::config::mistake::Origin;
use crate::config::setting;
use crate::config::setting::SETTINGS;

const PREFIX: &str = "PNX_";

/// What the environment says.
pub(super) struct Variables {
    /// `PNX_CONFIG`: the file's path.
    pub(super) file: Option<(Origin, String)>,
    /// One for each setting whose variable is not empty, in the table's order.
    pub(super) found: Vec<Found>,
    /// One line for each `PNX_*` variable that is not ours.
    pub(super) warnings: Vec<String>,
}

/// Sorts the variables; an empty one counts as unset.
pub(super) fn read(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    mistakes: &mut Vec<Mistake>,
) -> Variables {
    let mut variables = Variables { file: None, found: Vec::new(), warnings: Vec::new() };
    for (name, value) in environment {
        let Ok(name) = name.into_string() else { continue };
        if !name.starts_with(PREFIX) || value.is_empty() || is_service_link(&name) {
            continue;
        }
        let setting = SETTINGS.iter().position(|setting| setting::variable(setting.name) == name);
        let is_file = name == setting::variable("config");
        if setting.is_none() && !is_file {
            let known = SETTINGS.iter().map(|setting| setting::variable(setting.name));
            let suggestion = mistake::suggestion(&name, known);
            variables
                .warnings
                .push(format!("variable {} is not a setting of this version{suggestion}", name.escape_debug()));
            continue;
        }
        let origin = Origin::Variable(setting.map_or("config", |index| SETTINGS[index].name));
        let Ok(value) = value.into_string() else {
            mistakes.push(Mistake::new(origin, "want UTF-8".to_owned()));
            continue;
        };
        match setting {
            None => variables.file = Some((origin, value)),
            Some(setting) => {
                let items = vec![(origin.clone(), value)];
                variables.found.push(Found { setting, origin, items });
            }
        }
    }
    variables.found.sort_by_key(|found| found.setting);
    variables.warnings.sort();
    variables
}

/// Kubernetes gives every pod such variables for each service of its namespace; a service called `pnx-gateway` has ours as its prefix.
fn is_service_link(name: &str) -> bool {
    let is_port = |part: &str| part.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_PORT")
        || name.contains("_SERVICE_PORT")
        || name.split_once("_PORT_").is_some_and(|(_, after)| is_port(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_links_of_kubernetes_are_not_warned_of() {
        let pairs = [
            ("PNX_GATEWAY_SERVICE_HOST", "10.0.0.1"),
            ("PNX_GATEWAY_SERVICE_PORT", "8443"),
            ("PNX_GATEWAY_SERVICE_PORT_HTTPS", "8443"),
            ("PNX_GATEWAY_PORT", "tcp://10.0.0.1:8443"),
            ("PNX_GATEWAY_PORT_8443_TCP", "tcp://10.0.0.1:8443"),
            ("PNX_GATEWAY_PORT_8443_TCP_ADDR", "10.0.0.1"),
            ("PNX_ENROLL_TOKEN", "a secret"),
            ("PNX_LISTN", "a secret"),
            ("PNX_EMPTY", ""),
            ("OTHER", "x"),
        ];
        let variables = read(pairs.map(|(name, value)| (name.into(), value.into())), &mut Vec::new());
        let warnings = [
            "variable PNX_ENROLL_TOKEN is not a setting of this version",
            "variable PNX_LISTN is not a setting of this version, did you mean `PNX_LISTEN`?",
        ];
        assert_eq!(variables.warnings, warnings);
    }
}
