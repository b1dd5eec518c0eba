//! The official SDKs of OpenAI and Anthropic, Python and Node, through a gateway and past it: the same parsed results.
//!
//! Ignored by default because it needs Python, Node and their packages: `cargo test --test official_clients -- --ignored`
//! installs them on first use into `target/clients` (or `PNX_CLIENTS_DIR`). Whatever the SDKs see differently through the gateway,
//! plain or TLS, fails.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says no")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use penaxtra_gateway::config::Config;
use penaxtra_gateway::config::Io;
use penaxtra_gateway::config::TlsSource;
use penaxtra_gateway::config::Upstream;
use penaxtra_gateway::demo::server::MockLlm;
use penaxtra_gateway::demo::server::Options;
use penaxtra_gateway::gateway::Gateway;

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

fn compare(io: Io, scratch: &Path) {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let packages = std::env::var_os("PNX_CLIENTS_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients"), PathBuf::from);
    let installed = Command::new(clients.join("install")).arg(&packages).status().unwrap();
    assert!(installed.success(), "the SDKs could not be installed");

    let any_port: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let options = Options { delay_per_token: Duration::from_millis(5), tls: None, ..Options::default() };
    let model = MockLlm::start(any_port, options).unwrap();
    let (ca, certificate, key) = certificates(scratch);
    let mut config = Config::for_upstream(Upstream::parse(&format!("http://{}", model.address)).unwrap());
    config.listen = vec![any_port];
    config.tls = TlsSource::Pair { certificate, key };
    config.io = io;
    let gateway = Gateway::start(&config, false).unwrap();
    let port = gateway.addresses[0].port();

    let status = Command::new("python3")
        .arg(clients.join("run.py"))
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
