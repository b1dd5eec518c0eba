//! What the probe paths answer: on the listener that clients use and on the admin listener alike.
//!
//! None of them looks at the upstream: if they did, one outage of the provider would take every replica out of its Service.

use super::lifecycle::Lifecycle;

/// Status and body for a probe of `path` at `now_milliseconds` after the start; `None` if `path` is no probe path.
///
/// `/livez`: the workers turn. `/readyz` and `/healthz`: they do, and new requests are welcome.
#[must_use]
pub fn answer(path: &[u8], lifecycle: &Lifecycle, now_milliseconds: u64) -> Option<(u16, &'static str)> {
    let live = || lifecycle.healthy(now_milliseconds);
    match path {
        b"/livez" => Some(if live() { (200, "ok\n") } else { (503, "a worker hangs\n") }),
        b"/readyz" | b"/healthz" if !lifecycle.ready() => Some((503, "not ready\n")),
        b"/readyz" | b"/healthz" => Some(if live() { (200, "ok\n") } else { (503, "a worker hangs\n") }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::lifecycle::Stage;

    #[test]
    fn probes_follow_the_life_cycle() {
        let lifecycle = Lifecycle::new(1);
        let status = |path: &str, now| answer(path.as_bytes(), &lifecycle, now).map(|(status, _)| status);
        assert_eq!(status("/readyz", 0), Some(503));
        assert_eq!(status("/livez", 0), Some(200));
        lifecycle.advance(Stage::Serving);
        lifecycle.beat(0, 0);
        assert_eq!(status("/healthz", 1), Some(200));
        assert_eq!(status("/readyz", 60_000), Some(503), "a worker without a heartbeat");
        assert_eq!(status("/livez", 60_000), Some(503));
        lifecycle.advance(Stage::NotReady);
        assert_eq!(status("/readyz", 1), Some(503));
        assert_eq!(status("/livez", 1), Some(200));
        assert_eq!(status("/v1/models", 1), None);
    }
}
