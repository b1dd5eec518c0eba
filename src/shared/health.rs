//! What a probe is told: the answers for `/healthz`, `/readyz` and `/livez`.
//!
//! Two rooms answer probes, the data path on the main port and the admin listener; the table stands once, here where both
//! may look. The answers depend on this process alone, never on the upstream. Nothing here touches a socket or a clock.

use super::Shared;
use super::lifecycle::Stage;

/// The status and the body for a probe's target, or `None` where the target is not one of ours. A query is ignored.
///
/// `/livez` asks whether every worker still turns: no means that a restart would help. `/readyz` and `/healthz` ask as well
/// whether new requests are welcome, which takes a policy in force: a manifest that knows one path only gets the answer that is safe for a load balancer.
#[must_use]
pub fn answer(target: &str, shared: &Shared, now_milliseconds: u64) -> Option<(u16, &'static str)> {
    let path = target.split_once('?').map_or(target, |(path, _query)| path);
    let live = match path {
        "/livez" => true,
        "/readyz" | "/healthz" => false,
        _ => return None,
    };
    let lifecycle = &shared.lifecycle;
    if !lifecycle.healthy(now_milliseconds) {
        return Some((503, "a worker does not turn\n"));
    }
    if live {
        return Some((200, "ok\n"));
    }
    Some(match lifecycle.stage() {
        Stage::Starting => (503, "starting\n"),
        Stage::Serving if !shared.policy.in_force() => (503, "no policy in force\n"),
        Stage::Serving => (200, "ok\n"),
        Stage::NotReady | Stage::Draining | Stage::Stopped => (503, "stopping\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use std::sync::Arc;
    use std::time::Duration;

    fn shared(workers: usize) -> Shared {
        Shared::new(workers, crate::clock::now(), Duration::ZERO, Arc::new(Policy::built_in()))
    }

    #[test]
    fn each_stage_has_its_answers() {
        let cases = [
            (Stage::Starting, 200, 503),
            (Stage::Serving, 200, 200),
            (Stage::NotReady, 200, 503),
            (Stage::Draining, 200, 503),
            (Stage::Stopped, 200, 503),
        ];
        for (stage, live, ready) in cases {
            let shared = shared(1);
            shared.lifecycle.advance(stage);
            shared.lifecycle.beat(0, 50_000);
            assert_eq!(answer("/livez", &shared, 50_100).map(|(status, _body)| status), Some(live));
            if stage == Stage::Serving {
                assert_eq!(answer("/readyz", &shared, 50_100), Some((503, "no policy in force\n")));
            }
            shared.policy.set_in_force(true);
            for (target, status) in
                [("/livez", live), ("/readyz", ready), ("/healthz", ready), ("/healthz?verbose", ready)]
            {
                let answered = answer(target, &shared, 50_100).map(|(status, _body)| status);
                assert_eq!(answered, Some(status), "{stage:?} {target}");
                let hung = answer(target, &shared, 60_000).map(|(status, _body)| status);
                assert_eq!(hung, Some(503), "{stage:?} {target}, worker hung");
            }
        }
    }

    #[test]
    fn other_targets_are_not_ours() {
        let shared = shared(0);
        for target in ["", "/", "/livez/", "/Livez", "livez", "/metrics", "/v1/healthz", "?/livez"] {
            assert_eq!(answer(target, &shared, 0), None, "{target}");
        }
    }
}
