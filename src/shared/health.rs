//! What a probe is told: the answers for `/healthz`, `/readyz` and `/livez`.
//!
//! Two rooms answer probes, the data path on the main port and the admin listener; the table stands once, here where both
//! may look. The answers depend on this process alone, never on the upstream. Nothing here touches a socket or a clock.

use super::lifecycle::Lifecycle;
use super::lifecycle::Stage;

/// The status and the body for a probe's target, or `None` where the target is not one of ours. A query is ignored.
///
/// `/livez` asks whether every worker still turns: no means that a restart would help. `/readyz` and `/healthz` ask as well
/// whether new requests are welcome: a manifest that knows one path only gets the answer that is safe for a load balancer.
#[must_use]
pub fn answer(target: &str, lifecycle: &Lifecycle, now_milliseconds: u64) -> Option<(u16, &'static str)> {
    let path = target.split_once('?').map_or(target, |(path, _query)| path);
    let live = match path {
        "/livez" => true,
        "/readyz" | "/healthz" => false,
        _ => return None,
    };
    if !lifecycle.healthy(now_milliseconds) {
        return Some((503, "a worker does not turn\n"));
    }
    if live {
        return Some((200, "ok\n"));
    }
    Some(match lifecycle.stage() {
        Stage::Starting => (503, "starting\n"),
        Stage::Serving => (200, "ok\n"),
        Stage::NotReady | Stage::Draining | Stage::Stopped => (503, "stopping\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let lifecycle = Lifecycle::new(1);
            lifecycle.advance(stage);
            lifecycle.beat(0, 50_000);
            for (target, status) in
                [("/livez", live), ("/readyz", ready), ("/healthz", ready), ("/healthz?verbose", ready)]
            {
                let answered = answer(target, &lifecycle, 50_100).map(|(status, _body)| status);
                assert_eq!(answered, Some(status), "{stage:?} {target}");
                let hung = answer(target, &lifecycle, 60_000).map(|(status, _body)| status);
                assert_eq!(hung, Some(503), "{stage:?} {target}, worker hung");
            }
        }
    }

    #[test]
    fn other_targets_are_not_ours() {
        let lifecycle = Lifecycle::new(0);
        for target in ["", "/", "/livez/", "/Livez", "livez", "/metrics", "/v1/healthz", "?/livez"] {
            assert_eq!(answer(target, &lifecycle, 0), None, "{target}");
        }
    }
}
