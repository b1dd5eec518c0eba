//! The official SDKs of OpenAI and Anthropic, Python and Node, through a gateway and past it: the same parsed results; and behind a
//! policy: their own permission error at once, the masked text of an answer, and their own error where an answer is cut.
//!
//! Ignored by default because it needs Python, Node and their packages: `cargo test --test official_clients -- --ignored`
//! installs them on first use into `target/clients` (or `PNX_CLIENTS_DIR`). Whatever the SDKs see differently through the gateway,
//! plain or TLS, fails.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a panic is how a test says no; tests lock and read time"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` is what a module shows to the others")]

#[expect(dead_code, reason = "the harness is shared with the stories, which use the rest")]
mod guarded;
#[expect(dead_code, reason = "the harness is shared with the stories, which use the rest")]
mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use arc_swap::ArcSwap;

use penaxtra_gateway::config::Config;
use penaxtra_gateway::config::Events;
use penaxtra_gateway::config::Io;
use penaxtra_gateway::config::TlsSource;
use penaxtra_gateway::config::Upstream;
use penaxtra_gateway::demo::server::MockLlm;
use penaxtra_gateway::demo::server::Options;
use penaxtra_gateway::gateway::Gateway;

use guarded::Guarded;
use guarded::document;
use support::PLAIN;
use support::Setup;
use support::certificates::shared;
use support::model;
use support::upstream::Upstream as Peer;

/// A CA and a certificate of it for `localhost`, as PEM files in `directory`: (CA, certificate, key).
fn certificates(directory: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    ca.distinguished_name.push(rcgen::DnType::CommonName, "the test's authority");
    ca.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    leaf.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
    leaf.use_authority_key_identifier_extension = true;
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let file = |name: &str, text: String| {
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    (file("ca.pem", ca_certificate.pem()), file("tls.crt", leaf.pem()), file("tls.key", key.serialize_pem()))
}

/// The folder with the SDKs, which are installed into it on first use.
fn packages() -> PathBuf {
    let packages = std::env::var_os("PNX_CLIENTS_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients"), PathBuf::from);
    let installed = Command::new(clients().join("install")).arg(&packages).status().unwrap();
    assert!(installed.success(), "the SDKs could not be installed");
    packages
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// What both kinds of test start from: a gateway's configuration in front of the model, and the authority that clients are to trust.
fn configuration(model: &MockLlm, io: Io, scratch: &Path) -> (Config, PathBuf) {
    let (ca, certificate, key) = certificates(scratch);
    let mut config = Config::for_upstream(Upstream::parse(&format!("http://{}", model.address)).unwrap());
    config.listen = vec![any_port()];
    config.tls = TlsSource::Pair { certificate, key };
    config.io = io;
    (config, ca)
}

fn compare(io: Io, scratch: &Path) {
    let packages = packages();
    let options = Options { delay_per_token: Duration::from_millis(5), ..Options::default() };
    let model = MockLlm::start(any_port(), options).unwrap();
    let (config, ca) = configuration(&model, io, scratch);
    let gateway = Gateway::start(&config, false).unwrap();
    let port = gateway.addresses[0].port();

    let status = Command::new("python3")
        .arg(clients().join("run.py"))
        .args([
            format!("http://{}", model.address),
            format!("http://127.0.0.1:{port}"),
            format!("https://localhost:{port}"),
        ])
        .arg(&ca)
        .env("PNX_CLIENTS_DIR", &packages)
        .status()
        .unwrap();
    gateway.stop();
    assert_eq!(gateway.wait(), 0);
    assert!(status.success(), "an official client saw something else through the gateway");
}

const SDKS: [&str; 4] = ["openai-python", "anthropic-python", "openai-node", "anthropic-node"];

const POLICY: &str = r#"
version = 7
tenant = "acme"

[[rule]]
id = "00000000-0000-4000-8000-000000000001"
detector = "aws_access_key"
action = "block"

[[rule]]
id = "00000000-0000-4000-8000-000000000002"
detector = "email"
action = "redact"
"#;

fn guard(io: Io, scratch: &Path) {
    let packages = packages();
    let last_body = Arc::new(ArcSwap::default());
    let model =
        MockLlm::start(any_port(), Options { last_body: Some(Arc::clone(&last_body)), ..Options::default() }).unwrap();
    let (mut config, ca) = configuration(&model, io, scratch);
    let policy = scratch.join("policy.toml");
    fs::write(&policy, POLICY).unwrap();
    config.policy = Some(policy);
    config.allow_unsigned_policy = true;
    config.admin = Some(any_port());
    config.events = Events::File(scratch.join("events"));
    let gateway = Gateway::start(&config, false).unwrap();
    let port = gateway.addresses[0].port();
    let mut failed = Vec::new();
    for sdk in SDKS {
        for url in [format!("http://127.0.0.1:{port}"), format!("https://localhost:{port}")] {
            last_body.store(Arc::new(Vec::new()));
            let status = Command::new("python3")
                .arg(clients().join("guarded.py"))
                .args(["requests", sdk, &url, &format!("http://{}", model.address)])
                .arg(format!("http://{}/metrics", gateway.admin.unwrap()))
                .arg(&ca)
                .env("PNX_CLIENTS_DIR", &packages)
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .status()
                .unwrap();
            let last = String::from_utf8_lossy(&last_body.load()).into_owned();
            if !status.success() || !last.contains("write to [EMAIL] today") || last.contains("keller") {
                failed.push(format!("{sdk} at {url}; the model got {last}"));
            }
        }
    }
    gateway.stop();
    assert_eq!(gateway.wait(), 0);
    assert!(failed.is_empty(), "{failed:?}");
    let events = fs::read_to_string(scratch.join("events")).unwrap();
    assert!(events.contains("DLP.SECRET.AWS_ACCESS_KEY") && events.contains("DLP.PII.EMAIL"), "{events}");
}

/// What an answer may say. A customer's address is known by the word beside it: prompts hold other addresses for the model to say.
const ANSWERS: [&str; 4] = [
    "detector = \"aws_access_key\"\naction = \"block\"\nscope = [\"response\"]",
    "detector = \"card\"\naction = \"redact\"\nscope = [\"response\"]",
    "detector = \"email\"\naction = \"redact\"\nscope = [\"response\"]",
    "detector = \"email\"\ncontext = [\"customer\"]\naction = \"tokenise\"\nscope = [\"request\"]",
];

/// A model that says what it is asked to, and tells at `/mock/stats` how often it was asked and what last.
fn talkative(setup: Setup) -> Peer {
    let (asked, last) = (AtomicU64::new(0), ArcSwap::from_pointee(Vec::new()));
    setup.upstream(move |request, exchange| {
        if request.target == "/mock/stats" {
            let last = String::from_utf8_lossy(&last.load()).into_owned();
            let stats = serde_json::json!({"requests": asked.load(Relaxed), "last": last});
            return exchange.ok(stats.to_string().as_bytes());
        }
        asked.fetch_add(1, Relaxed);
        last.store(Arc::new(request.body.clone()));
        model::speak(request, exchange)
    })
}

fn answered(setup: Setup) {
    let (packages, files) = (packages(), shared());
    let upstream = talkative(setup);
    let pair =
        [format!("--tls-cert={}", files.certificate_file.display()), format!("--tls-key={}", files.key_file.display())];
    let mut guarded =
        Guarded::start(setup, &upstream, &document(9, "", &ANSWERS), &pair.each_ref().map(String::as_str));
    let (port, admin) = (guarded.gateway.address.port(), guarded.gateway.admin());
    let mut failed = Vec::new();
    for sdk in SDKS {
        for url in [format!("http://127.0.0.1:{port}"), format!("https://localhost:{port}")] {
            let status = Command::new("python3")
                .arg(clients().join("guarded.py"))
                .args(["answers", sdk, &url, &upstream.url(), &format!("http://{admin}/metrics")])
                .arg(&files.authority_file)
                .env("PNX_CLIENTS_DIR", &packages)
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .status()
                .unwrap();
            if !status.success() {
                failed.push(format!("{sdk} at {url}"));
            }
        }
    }
    guarded.gateway.finish();
    assert!(failed.is_empty(), "{failed:?}");
}

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("pnx-clients-{name}-{}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

#[test]
#[ignore = "needs Python, Node and their packages"]
fn official_clients_see_no_difference_on_uring() {
    let scratch = scratch("uring");
    compare(Io::Auto, &scratch);
    fs::remove_dir_all(scratch).unwrap();
}

#[test]
#[ignore = "needs Python, Node and their packages"]
fn official_clients_see_no_difference_on_epoll() {
    let scratch = scratch("epoll");
    compare(Io::Epoll, &scratch);
    fs::remove_dir_all(scratch).unwrap();
}

#[test]
#[ignore = "needs Python, Node and their packages"]
fn official_clients_raise_a_block_at_once_and_go_on_with_what_is_redacted() {
    let scratch = scratch("guarded");
    guard(Io::Auto, &scratch);
    fs::remove_dir_all(scratch).unwrap();
}

#[test]
#[ignore = "needs Python, Node and their packages"]
fn official_clients_put_masked_answers_together_and_raise_where_one_is_cut() {
    for setup in PLAIN {
        answered(*setup);
    }
}
