//! Where log lines go and how they look.
//!
//! Exists so that one function decides it for the whole program: text for a person at a terminal, JSON lines for a collector. Never passes on
//! what dependencies log, since nobody has checked that it holds no byte of a prompt; never colours, so `NO_COLOR` has nothing to turn off.

use std::io;
use std::io::IsTerminal as _;

use tracing::Level;
use tracing::Subscriber;
use tracing::subscriber;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

use crate::config::LogFormat;
use crate::config::LogLevel;

/// The target of every event of ours: the name of this crate.
const TARGET: &str = env!("CARGO_CRATE_NAME");

/// Sends the program's events of `level` and worse to standard error, from now on. A second call changes nothing.
pub fn start(level: LogLevel, format: LogFormat) {
    let human = match format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    // An error means that a logger is already there, a test's or our own; it stays.
    let _ = if human {
        subscriber::set_global_default(to_human(level, io::stderr))
    } else {
        subscriber::set_global_default(to_json(level, io::stderr))
    };
}

fn to_human(level: LogLevel, writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) -> impl Subscriber {
    registry().with(layer().with_ansi(false).with_target(false).with_writer(writer).with_filter(filter(level)))
}

fn to_json(level: LogLevel, writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) -> impl Subscriber {
    let layer = layer().json().with_current_span(false).with_span_list(false).with_writer(writer);
    registry().with(layer.with_filter(filter(level)))
}

fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
    };
    Targets::new().with_target(TARGET, level)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::fs::File;
    use std::sync::Arc;

    use super::*;

    /// What a subscriber writes for one event of each kind.
    fn lines<S: Subscriber + Send + Sync>(make: impl FnOnce(Arc<File>) -> S, name: &str) -> Vec<String> {
        let path = std::env::temp_dir().join(format!("pnx-log-{name}-{}", std::process::id()));
        let file = Arc::new(File::create(&path).unwrap());
        subscriber::with_default(make(file), || {
            tracing::info!(address = "127.0.0.1:1", "listening");
            tracing::debug!("too fine");
            tracing::error!(target: "rustls", "from elsewhere");
        });
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_json_line_has_its_fields_and_only_ours_are_written() {
        let lines = lines(|file| to_json(LogLevel::Info, file), "json");
        assert_eq!(lines.len(), 1, "{lines:?}");
        let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["fields"]["message"], "listening");
        assert_eq!(line["fields"]["address"], "127.0.0.1:1");
        assert!(line.get("span").is_none());
    }

    #[test]
    fn a_human_line_is_plain_text() {
        let lines = lines(|file| to_human(LogLevel::Info, file), "human");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].ends_with("INFO listening address=\"127.0.0.1:1\""), "{lines:?}");
        assert!(!lines[0].contains('\u{1b}'));
    }

    #[test]
    fn the_level_bounds_what_is_written() {
        assert_eq!(lines(|file| to_json(LogLevel::Debug, file), "debug").len(), 2);
        assert_eq!(lines(|file| to_json(LogLevel::Warn, file), "warn").len(), 0);
    }
}
