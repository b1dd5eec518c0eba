//! The program: for now only a mock LLM to try clients against by hand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use penaxtra_gateway::demo::server::MockLlm;
use penaxtra_gateway::demo::server::Options;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plain: SocketAddr = std::env::args().nth(2).ok_or("mock PLAIN TLS CA_FILE")?.parse()?;
    let tls: SocketAddr = std::env::args().nth(3).ok_or("mock PLAIN TLS CA_FILE")?.parse()?;
    let file = std::env::args().nth(4).ok_or("mock PLAIN TLS CA_FILE")?;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    std::fs::write(file, made.cert.pem())?;
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
    let config =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key)?;
    let delay_per_token = Duration::from_millis(5);
    let _plain = MockLlm::start(plain, Options { delay_per_token, tls: None })?;
    let _tls = MockLlm::start(tls, Options { delay_per_token, tls: Some(Arc::new(config)) })?;
    penaxtra_gateway::demo::tell(&format!("http://{plain}"), &mut std::io::stdout())?;
    loop {
        thread::park();
    }
}
