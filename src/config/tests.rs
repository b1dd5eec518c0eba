//! The configuration as a whole: layers, messages, and that nothing drifts from the table.

use std::collections::BTreeSet;
use std::fs;

use super::*;

/// A file that is gone after the test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pnx-config-{name}-{}.toml", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn flag(&self) -> String {
        format!("--config={}", self.0.display())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn ask(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(Command, Vec<String>), Exit> {
    let arguments = ["penaxtra-gateway"].iter().chain(arguments).map(OsString::from);
    parse(arguments, environment.iter().map(|(name, value)| (name.into(), value.into())))
}

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (Config, Vec<String>) {
    match ask(arguments, environment) {
        Ok((Command::Run(config), warnings)) => (*config, warnings),
        other => panic!("{other:?}"),
    }
}

/// The lines of mistakes; asserts that there are any.
fn mistakes(arguments: &[&str], environment: &[(&str, &str)]) -> Vec<String> {
    let exit = ask(arguments, environment).unwrap_err();
    assert_eq!((exit.code, exit.to_stdout), (2, false));
    assert!(exit.text.ends_with('\n'));
    exit.text.lines().map(str::to_owned).collect()
}

fn with<'a>(arguments: &[&'a str], more: &'a str) -> Vec<&'a str> {
    arguments.iter().copied().chain([more]).collect()
}

const UPSTREAM: &str = "--upstream=https://api.example";

/// For each setting a value that is not its default, as text for a flag or a variable, and as TOML.
const OTHER_VALUES: &[(&str, &str, &str)] = &[
    ("listen", "[::1]:1,127.0.0.1:2", r#"["[::1]:1", "127.0.0.1:2"]"#),
    ("upstream", "http://other.example/v1", r#""http://other.example/v1""#),
    ("upstream-ca", "/ca.pem", r#""/ca.pem""#),
    ("tls-cert", "/c.pem", r#""/c.pem""#),
    ("tls-key", "/k.pem", r#""/k.pem""#),
    ("tls-dir", "/tls", r#""/tls""#),
    ("tls-client-ca", "/cca.pem", r#""/cca.pem""#),
    ("tls-san", "a.example,10.0.0.1", r#"["a.example", "10.0.0.1"]"#),
    ("require-tls-cert", "true", "true"),
    ("plaintext", "allow", r#""allow""#),
    ("workers", "7", "7"),
    ("pin", "always", r#""always""#),
    ("io", "epoll", r#""epoll""#),
    ("admin", "127.0.0.1:9", r#""127.0.0.1:9""#),
    ("policy", "/p", r#""/p""#),
    (
        "policy-key",
        "abababababababababababababababababababababababababababababababab",
        r#"["abababababababababababababababababababababababababababababababab"]"#,
    ),
    ("tenant", "acme", r#""acme""#),
    ("allow-unsigned-policy", "true", "true"),
    ("policy-expired", "serve", r#""serve""#),
    ("events", "none", r#""none""#),
    ("body-max", "2M", "2097152"),
    ("answer-max", "2M", "2097152"),
    ("memory-max", "3G", r#""3GiB""#),
    ("connections-max", "5", "5"),
    ("pool-max", "0", "0"),
    ("timeout-head", "11ms", r#""11ms""#),
    ("timeout-body", "12ms", r#""12ms""#),
    ("timeout-tls", "13ms", r#""13ms""#),
    ("timeout-connect", "14ms", r#""14ms""#),
    ("timeout-first-byte", "15ms", r#""15ms""#),
    ("timeout-idle", "16ms", r#""16ms""#),
    ("timeout-total", "17ms", r#""17ms""#),
    ("keep-alive", "18ms", r#""18ms""#),
    ("pool-idle", "19ms", r#""19ms""#),
    ("drain-delay", "0s", r#""0s""#),
    ("drain-timeout", "21ms", r#""21ms""#),
    ("via", "true", "true"),
    ("forwarded", "true", "true"),
    ("log", "debug", r#""debug""#),
    ("log-format", "json", r#""json""#),
];

#[test]
fn each_setting_is_a_flag_a_variable_and_a_key() {
    let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(names, OTHER_VALUES.iter().map(|(name, _, _)| *name).collect::<Vec<_>>());
    for (setting, (name, text, toml)) in SETTINGS.iter().zip(OTHER_VALUES) {
        let variable = format!("PNX_{}", name.to_uppercase().replace('-', "_"));
        let file = Temporary::new(name, &format!("{} = {toml}\n", name.replace('-', "_")));
        // What the setting cannot do without.
        let mut beside = match *name {
            "tls-cert" => vec!["--tls-key=/k.pem"],
            "tls-key" => vec!["--tls-cert=/c.pem"],
            "require-tls-cert" => vec!["--tls-dir=/tls"],
            "policy" => vec!["--allow-unsigned-policy"],
            _ => vec![],
        };
        if *name != "upstream" {
            beside.push(UPSTREAM);
        }
        let by_flag = run(&with(&beside, &format!("--{name}={text}")), &[]).0;
        let by_variable = run(&beside, &[(&variable, text)]).0;
        let by_key = run(&with(&beside, &file.flag()), &[]).0;
        for config in [by_flag, by_variable, by_key] {
            assert_eq!((setting.show)(&config), *text, "{name}");
            let changed: Vec<&str> = SETTINGS
                .iter()
                .filter(|each| !beside.iter().any(|flag| flag.split('=').next() == Some(&format!("--{}", each.name))))
                .filter(|each| (each.show)(&config) != (each.show)(&run(&[UPSTREAM], &[]).0))
                .map(|each| each.name)
                .collect();
            assert_eq!(changed, [*name]);
        }
    }
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let file = Temporary::new("precedence", "listen = \"127.0.0.1:1\"\nworkers = 1\nbody_max = \"1M\"\nvia = true\n");
    let variables = [("PNX_WORKERS", "2"), ("PNX_BODY_MAX", "2M"), ("PNX_LISTEN", ""), ("PNX_FORWARDED", "true")];
    let (config, _) = run(&[&file.flag(), UPSTREAM, "--body-max", "3M", "--forwarded=false"], &variables);
    assert_eq!(config.listen, ["127.0.0.1:1".parse().unwrap()], "an empty variable counts as unset");
    assert_eq!(config.workers, Some(2));
    assert_eq!(config.body_bytes_max, 3 << 20);
    assert!(config.via && !config.forwarded);
    let explained = config.explain();
    let source = |name: &str| {
        let line = explained.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
        line.split_whitespace().skip(2).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(source("body-max"), "flag --body-max");
    assert_eq!(source("workers"), "variable PNX_WORKERS");
    assert_eq!(source("via"), format!("{}:4:7", file.0.display()));
    assert_eq!(source("log"), "default");
    assert_eq!(explained.lines().count(), SETTINGS.len());
}

#[test]
fn a_later_list_replaces_the_earlier_one() {
    let file = Temporary::new("lists", "listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\ntls_san = [\"a\"]\n");
    let flags = [&*file.flag(), UPSTREAM, "--listen=127.0.0.1:3, 127.0.0.1:4", "--listen", "127.0.0.1:5"];
    let (config, _) = run(&flags, &[("PNX_TLS_SAN", "b,*.c")]);
    let ports: Vec<u16> = config.listen.iter().map(SocketAddr::port).collect();
    assert_eq!(ports, [3, 4, 5]);
    assert_eq!(config.tls_san, ["b", "*.c"]);
}

#[test]
fn the_file_is_found_by_variable_and_by_flag() {
    let first = Temporary::new("first", "workers = 1\nupstream = \"http://a\"\n");
    let second = Temporary::new("second", "workers = 2\nupstream = \"http://a\"\n");
    let variable = [("PNX_CONFIG", first.0.to_str().unwrap())];
    assert_eq!(run(&[], &variable).0.workers, Some(1));
    assert_eq!(run(&[&second.flag()], &variable).0.workers, Some(2));
    let missing = mistakes(&["--config=/does/not/exist.toml"], &[]);
    assert_eq!(
        missing,
        ["flag --config: cannot read \"/does/not/exist.toml\": No such file or directory (os error 2)"]
    );
}

#[test]
fn the_defaults_are_those_of_the_table_and_of_the_issue() {
    let (config, warnings) = run(&["--upstream", "https://api.example"], &[]);
    assert_eq!(warnings, [""; 0]);
    let seconds = Duration::from_secs;
    let timeouts = Timeouts {
        head: seconds(10),
        body: seconds(30),
        tls: seconds(10),
        connect: seconds(5),
        first_byte: seconds(600),
        idle: seconds(300),
        total: seconds(3600),
        keep_alive: seconds(75),
        pool_idle: seconds(55),
        drain_delay: seconds(5),
        drain: seconds(30),
    };
    assert_eq!(config.timeouts, timeouts);
    assert_eq!(config.listen, ["127.0.0.1:8443".parse().unwrap()]);
    assert_eq!((config.tls.clone(), config.plaintext), (TlsSource::SelfSigned, Plaintext::Loopback));
    assert_eq!((config.workers, config.pin, config.io, config.admin), (None, Pin::Auto, Io::Auto, None));
    assert_eq!((config.body_bytes_max, config.memory_bytes_max), (32 << 20, None));
    assert_eq!(config.answer_bytes_max, 32 << 20);
    assert_eq!((config.connections_max, config.pool_connections_max), (None, 256));
    assert_eq!((config.via, config.forwarded, config.require_tls_cert), (false, false, false));
    assert_eq!((config.log, config.log_format), (LogLevel::Info, LogFormat::Auto));
    let direct = Config::for_upstream(Upstream::parse("https://api.example").unwrap());
    for setting in SETTINGS {
        assert_eq!((setting.show)(&direct), (setting.show)(&config), "{}", setting.name);
    }
}

#[test]
fn uncommenting_the_sample_file_gives_the_defaults() {
    let sample = include_str!("../../docs/gateway.toml");
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => rest.to_owned(),
        _ => line.to_owned(),
    };
    let lines: Vec<String> = sample.lines().map(uncomment).collect();
    let keys: Vec<&str> = lines.iter().filter(|l| !l.starts_with('#')).filter_map(|l| l.split(" = ").next()).collect();
    let keys: BTreeSet<String> = keys.into_iter().filter(|key| !key.is_empty()).map(str::to_owned).collect();
    assert_eq!(keys, SETTINGS.iter().map(setting::Setting::key).collect());
    for text in [sample.to_owned(), lines.join("\n")] {
        let file = Temporary::new("sample", &text);
        let (config, _) = run(&[UPSTREAM, &file.flag()], &[]);
        let default = run(&[UPSTREAM], &[]).0;
        for setting in SETTINGS {
            assert_eq!((setting.show)(&config), (setting.show)(&default), "{}", setting.name);
        }
    }
}

/// Flag, bad value, the whole line.
const WRONG_FLAGS: &[(&str, &str, &str)] = &[
    ("listen", "8443", "found \"8443\", want an address IP:PORT, such as 127.0.0.1:8443 or [::]:8443"),
    ("listen", "localhost:1", "found \"localhost:1\", want an address IP:PORT, such as 127.0.0.1:8443 or [::]:8443"),
    ("listen", "127.0.0.1:1,", "found nothing, want an address IP:PORT, such as 127.0.0.1:8443 or [::]:8443"),
    ("listen", "127.0.0.1:1,127.0.0.1:1", "127.0.0.1:1 is there twice, want it once"),
    ("upstream", "ftp://h", "found \"ftp://h\", want a URL that begins with https:// or http://"),
    ("upstream", "http://h:0", "found \"http://h:0\", want a port from 1 to 65535"),
    (
        "upstream",
        "http://u:secret@h",
        "found a value that is not shown here, want a URL without user and password (clients send their own credentials)",
    ),
    ("upstream", "http://h?key=secret", "found a value that is not shown here, want a URL without a query (?)"),
    ("upstream", "http://h#secret", "found a value that is not shown here, want a URL without a fragment (#)"),
    ("upstream", "secret", "found a value that is not shown here, want a URL that begins with https:// or http://"),
    (
        "upstream",
        "http://h/..",
        "found \"http://h/..\", want a path of plain segments, such as /v1, without . or .. or empty ones",
    ),
    (
        "upstream",
        "http://a b",
        "found \"http://a b\", want a host that is a DNS name, an IPv4 address or an IPv6 address in brackets",
    ),
    ("upstream-ca", "", "found nothing, want a path"),
    ("tls-cert", "/c", "given without tls-key, want both or neither"),
    ("tls-key", "/k", "given without tls-cert, want both or neither"),
    (
        "tls-key",
        "-----BEGIN PRIVATE KEY-----\nsecret",
        "found a value that is not shown here, want the path of a file, not its content",
    ),
    ("tls-client-ca", "a\nb", "found \"a\\nb\", want a path"),
    ("tls-san", "a b", "found \"a b\", want a DNS name or an IP address"),
    ("require-tls-cert", "yes", "found \"yes\", want one of true, false"),
    ("require-tls-cert", "true", "there is no certificate, want tls-cert and tls-key, or tls-dir"),
    ("plaintext", "always", "found \"always\", want one of loopback, allow, deny"),
    ("workers", "0", "found \"0\", want auto, or a whole number from 1 to 1024"),
    ("workers", "1025", "found \"1025\", want auto, or a whole number from 1 to 1024"),
    ("pin", "yes", "found \"yes\", want one of auto, always, never"),
    ("io", "io_uring", "found \"io_uring\", want one of auto, uring, epoll"),
    ("admin", "9000", "found \"9000\", want none, or an address IP:PORT, such as 127.0.0.1:8443 or [::]:8443"),
    ("admin", "127.0.0.1:8443", "127.0.0.1:8443 is taken by listen, want another port"),
    ("admin", "0.0.0.0:8443", "0.0.0.0:8443 is taken by listen, want another port"),
    ("body-max", "2G", "found \"2G\", want a size in bytes, or with K, M or G (powers of 1024), from 1K to 1G"),
    ("body-max", "32MB", "found \"32MB\", want a size in bytes, or with K, M or G (powers of 1024), from 1K to 1G"),
    (
        "memory-max",
        "1K",
        "found \"1K\", want auto, or a size in bytes, or with K, M or G (powers of 1024), from 1M to 1024G",
    ),
    ("memory-max", "31M", "less than body-max, want at least as much, or the longest body never fits"),
    ("connections-max", "0", "found \"0\", want auto, or a whole number from 1 to 1048576"),
    ("pool-max", "65537", "found \"65537\", want a whole number from 0 to 65536"),
    ("timeout-head", "10", "found \"10\", want a unit too: 10s for seconds, or ms, m, h"),
    ("timeout-body", "0s", "found \"0s\", want a duration such as 500ms, 10s, 5m or 1h, from 1ms to 24h"),
    ("timeout-tls", "25h", "found \"25h\", want a duration such as 500ms, 10s, 5m or 1h, from 1ms to 24h"),
    ("timeout-connect", "1.5s", "found \"1.5s\", want a duration such as 500ms, 10s, 5m or 1h, from 1ms to 24h"),
    ("drain-delay", "0", "found \"0\", want a unit too: 0s for seconds, or ms, m, h"),
    ("drain-delay", "x", "found \"x\", want a duration such as 500ms, 10s, 5m or 1h, from 0s to 24h"),
    ("via", "1", "found \"1\", want one of true, false"),
    ("log", "trace", "found \"trace\", want one of error, warn, info, debug"),
    ("log-format", "xml", "found \"xml\", want one of auto, human, json"),
];

#[test]
fn every_wrong_value_is_told_in_one_line_wherever_it_stands() {
    for (name, text, expected) in WRONG_FLAGS {
        let flag = format!("--{name}={text}");
        let others: &[&str] = if *name == "upstream" { &[] } else { &[UPSTREAM] };
        assert_eq!(mistakes(&with(others, &flag), &[]), [format!("flag --{name}: {expected}")], "{text:?}");
        if text.is_empty() {
            continue;
        }
        let variable = setting::variable(name);
        assert_eq!(mistakes(others, &[(&variable, text)]), [format!("variable {variable}: {expected}")], "{text:?}");
        let key = name.replace('-', "_");
        let file = Temporary::new(&format!("wrong-{name}"), &format!("# one\n  {key} = {text:?}\n"));
        let lines = mistakes(&with(others, &file.flag()), &[]);
        assert_eq!(lines, [format!("{}:2:{}: {key}: {expected}", file.0.display(), key.len() + 6)], "{text:?}");
    }
}

#[test]
fn no_secret_is_ever_shown() {
    for (name, text, _) in WRONG_FLAGS.iter().filter(|(_, text, _)| text.contains("secret")) {
        assert!(!mistakes(&[&format!("--{name}={text}")], &[]).concat().contains("secret"), "{text}");
    }
    let lines = mistakes(&["--api-key=secret-1", "--token", "secret-2", "secret-3-is-long"], &[("PNX_CONFIG", "")]);
    assert!(!lines.concat().contains("secret"), "{lines:?}");
    let (_, warnings) = run(&[UPSTREAM], &[("PNX_ENROLL_TOKEN", "secret")]);
    assert_eq!(warnings, ["variable PNX_ENROLL_TOKEN is not a setting of this version"]);
}

#[test]
fn six_mistakes_of_three_sources_are_six_lines() {
    let file = Temporary::new("six", "\nlistn = \"127.0.0.1:1\"\n\nbody_max = \"32MB\"\nio = \"epoll\"\n");
    let variables = [("PNX_IO", "iouring"), ("PNX_PIN", "2"), ("PNX_FUTURE", "x")];
    let lines = mistakes(&[&file.flag(), "--workers=abc", "--lisen", "127.0.0.1:1", UPSTREAM], &variables);
    let path = file.0.display();
    let size = "want a size in bytes, or with K, M or G (powers of 1024), from 1K to 1G";
    let expected = [
        "command line: unknown flag `--lisen`, did you mean `--listen`?".to_owned(),
        "flag --workers: found \"abc\", want auto, or a whole number from 1 to 1024".to_owned(),
        "variable PNX_IO: found \"iouring\", want one of auto, uring, epoll".to_owned(),
        "variable PNX_PIN: found \"2\", want one of auto, always, never".to_owned(),
        format!("{path}:2:1: unknown key `listn`, did you mean `listen`?"),
        format!("{path}:4:12: body_max: found \"32MB\", {size}"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn what_is_wrong_in_the_file_has_its_line_and_column() {
    // The file, and for each mistake what follows the path.
    let cases: &[(&str, &[&str])] = &[
        ("tls-cert = \"/c\"\n", &["1:1: unknown key `tls-cert`, did you mean `tls_cert`?"]),
        ("temperature = 1\n", &["1:1: unknown key `temperature`"]),
        ("config = \"x\"\n", &["1:1: unknown key `config`"]),
        ("\n[limits]\nbody = 1\n", &["2:2: unknown key `limits`"]),
        ("workers = [1]\n", &["1:11: workers: found an array, want one value"]),
        ("[workers]\nn = 1\n", &["1:1: workers: found a table, want one value"]),
        ("listen = {}\n", &["1:10: listen: found a table, want a string or an array of strings"]),
        ("listen = [\n  [],\n]\n", &["2:3: listen: found an array, want a string or an array of strings"]),
        ("listen = []\n", &["1:10: listen: found an empty list, want at least one"]),
        (
            "listen = 8443\n",
            &["1:10: listen: found \"8443\", want an address IP:PORT, such as 127.0.0.1:8443 or [::]:8443"],
        ),
        (
            "listen = [\"127.0.0.1:1\", \"\u{e9}\", \"y\"]\r\n",
            &[
                "1:26: listen: found \"\u{e9}\", want an address IP:PORT, such as 127.0.0.1:8443 or [::]:8443",
                "1:31: listen: found \"y\", want an address IP:PORT, such as 127.0.0.1:8443 or [::]:8443",
            ],
        ),
        ("via = 1\n", &["1:7: via: found \"1\", want one of true, false"]),
        ("workers = 1.5\n", &["1:11: workers: found \"1.5\", want auto, or a whole number from 1 to 1024"]),
        ("workers = -1\n", &["1:11: workers: found \"-1\", want auto, or a whole number from 1 to 1024"]),
        ("timeout_head = 10\n", &["1:16: timeout_head: found \"10\", want a unit too: 10s for seconds, or ms, m, h"]),
        ("io = \"epoll\"\nio = \"uring\"\n", &["2:1: not TOML: duplicate key"]),
        ("io = \"epoll\n", &["1:12: not TOML: invalid basic string, expected `\"`"]),
        (
            "tls_dir = \"/a\"\ntls_key = \"/b\"\n",
            &["1:11: tls_dir: given beside tls-cert or tls-key, want one of the two"],
        ),
    ];
    for (text, expected) in cases {
        let file = Temporary::new("places", text);
        let lines = mistakes(&[UPSTREAM, &file.flag()], &[]);
        let expected: Vec<String> = expected.iter().map(|line| format!("{}:{line}", file.0.display())).collect();
        assert_eq!(lines, expected, "{text:?}");
    }
}

#[test]
fn mistakes_of_the_command_line_are_all_told() {
    let cases: &[(&[&str], &[&str])] = &[
        (&[], &["flag --upstream: missing, want --upstream=https://HOST, or PNX_UPSTREAM, or `upstream` in the file"]),
        (&["--upstream"], &["flag --upstream: wants a value"]),
        (&[UPSTREAM, "--io", "--pin"], &["flag --io: wants a value", "flag --pin: wants a value"]),
        (&[UPSTREAM, "--io=auto", "--io", "epoll"], &["flag --io: given more than once"]),
        (
            &[UPSTREAM, "chek-config"],
            &["command line: `chek-config` is neither a flag nor a command, did you mean `check-config`?"],
        ),
        (&[UPSTREAM, "check-config", "--once"], &["flag --once: not a flag of this command"]),
        (&[UPSTREAM, "-v"], &["command line: unknown flag `-v`"]),
        (&[UPSTREAM, "--io", "--io=epoll"], &["flag --io: wants a value"]),
        (&["demo", "healthcheck"], &["command line: `healthcheck` is one command too many"]),
        (&["--bogus", "demo"], &["command line: unknown flag `--bogus`"]),
        (&["demo", "--once=1"], &["flag --once: takes no value"]),
        (&["demo", "--delay-ms=60001"], &["flag --delay-ms: found \"60001\", want a whole number from 0 to 60000"]),
        (&["--io=epoll", "demo"], &["flag --io: the demo takes only --once, --delay-ms and --listen"]),
        (
            &["--listen=127.0.0.1:1,127.0.0.1:2", "demo"],
            &[
                "flag --listen: found \"127.0.0.1:1,127.0.0.1:2\", want an address IP:PORT, such as 127.0.0.1:8443 or [::]:8443",
            ],
        ),
        (
            &["healthcheck", "--url=a"],
            &["flag --url: found a value that is not shown here, want a URL that begins with https:// or http://"],
        ),
    ];
    for (arguments, expected) in cases {
        assert_eq!(mistakes(arguments, &[]), *expected, "{arguments:?}");
    }
}

#[test]
fn commands_are_read() {
    type Pairs = &'static [(&'static str, &'static str)];
    let cases: &[(&[&str], Pairs, &str)] = &[
        (&["demo"], &[("PNX_LISTEN", "x")], "Demo(Demo { once: false, delay: 30ms, listen: 127.0.0.1:8443 })"),
        (
            &["demo", "--once", "--delay-ms", "0", "--listen=[::1]:0"],
            &[],
            "Demo(Demo { once: true, delay: 0ns, listen: [::1]:0 })",
        ),
        (&["--listen=127.0.0.1:1", "demo"], &[], "Demo(Demo { once: false, delay: 30ms, listen: 127.0.0.1:1 })"),
        (&["healthcheck"], &[], "Healthcheck { url: \"http://127.0.0.1:8443/healthz\" }"),
        (
            &["healthcheck"],
            &[("PNX_LISTEN", "0.0.0.0:9,127.0.0.1:1"), ("PNX_IO", "wrong")],
            "Healthcheck { url: \"http://127.0.0.1:9/healthz\" }",
        ),
        (&["healthcheck", "--listen", "[::]:9"], &[], "Healthcheck { url: \"http://[::1]:9/healthz\" }"),
        (&["healthcheck", "--url=http://h:1/livez"], &[], "Healthcheck { url: \"http://h:1/livez\" }"),
    ];
    for (arguments, environment, expected) in cases {
        let (command, warnings) = ask(arguments, environment).unwrap();
        assert_eq!(format!("{command:?}"), *expected);
        assert_eq!(warnings, [""; 0]);
    }
    for arguments in [[UPSTREAM, "check-config"], ["check-config", UPSTREAM]] {
        assert!(matches!(ask(&arguments, &[]).unwrap().0, Command::CheckConfig(_)));
    }
}

#[test]
fn the_certificate_is_a_pair_or_a_directory() {
    let (config, _) = run(&[UPSTREAM, "--tls-cert=/c", "--tls-key=/k", "--require-tls-cert"], &[]);
    assert_eq!(config.tls, TlsSource::Pair { certificate: "/c".into(), key: "/k".into() });
    assert!(config.require_tls_cert);
    let (config, _) = run(&[UPSTREAM, "--tls-dir=/d"], &[]);
    assert_eq!(config.tls, TlsSource::Directory("/d".into()));
}

#[test]
fn what_has_no_effect_or_too_much_is_warned_of() {
    let cases: &[(&[&str], &str)] = &[
        (&["--upstream=http://a", "--upstream-ca=/ca"], "upstream-ca has no effect: the upstream is not https"),
        (&[UPSTREAM, "--tls-dir=/d", "--tls-san=a"], "tls-san has no effect: it is for the self-signed certificate"),
        (
            &[UPSTREAM, "--tls-client-ca=/ca", "--plaintext=allow"],
            "plaintext=allow lets clients in without the certificate that tls-client-ca asks for",
        ),
    ];
    for (arguments, expected) in cases {
        assert_eq!(run(arguments, &[]).1, [*expected]);
    }
}

#[test]
fn the_help_fits_a_screen_and_lists_every_setting() {
    let exit = ask(&["--help"], &[]).unwrap_err();
    assert_eq!((exit.code, exit.to_stdout), (0, true));
    let lines: Vec<&str> = exit.text.lines().collect();
    assert!(lines.len() <= 56, "{} lines", lines.len());
    for line in &lines {
        assert!(line.chars().count() <= 100, "{line}");
    }
    for setting in SETTINGS {
        let line = lines.iter().find(|line| line.split([' ', '[']).any(|word| word == format!("--{}", setting.name)));
        assert!(line.is_some_and(|line| line.contains(&setting.help_line())), "{}", setting.name);
    }
    let version = ask(&["-V"], &[]).unwrap_err();
    assert_eq!(version.text, concat!("penaxtra-gateway ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_configuration_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    shared(&run(&[UPSTREAM], &[]).0);
}

#[test]
fn clap_finds_no_contradiction_in_its_own_table() {
    flags::command().debug_assert();
}

#[cfg(unix)]
#[test]
fn what_is_not_utf_8_is_a_mistake_without_its_bytes() {
    use std::os::unix::ffi::OsStringExt as _;
    let bad = || OsString::from_vec(b"/\xff".to_vec());
    let arguments = ["g".into(), UPSTREAM.into(), OsString::from("--tls-dir"), bad()];
    let exit = parse(arguments, [(OsString::from("PNX_UPSTREAM_CA"), bad())]).unwrap_err();
    assert_eq!(exit.text, "flag --tls-dir: want UTF-8\nvariable PNX_UPSTREAM_CA: want UTF-8\n");
}
