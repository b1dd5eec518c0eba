//! Handshakes in memory between the two configurations, over TLS 1.3 and 1.2, first and resumed, with and without a client's
//! certificate.

use rustls::ClientConnection;
use rustls::HandshakeKind;
use rustls::ServerConnection;
use rustls::SupportedProtocolVersion;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::ServerName;
use rustls::version::TLS12;
use rustls::version::TLS13;

use super::super::certificate::CertificateSource;
use super::*;

fn certificates() -> Arc<Certificates> {
    Arc::new(Certificates::load(CertificateSource::SelfSigned { names: Vec::new() }).unwrap())
}

fn roots_of(certificates: &Certificates) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(certificates.leaf().unwrap()).unwrap();
    Arc::new(roots)
}

/// Another client than ours: one version of TLS, and a certificate of its own if given.
fn client_of(
    version: &'static SupportedProtocolVersion,
    roots: &Arc<RootCertStore>,
    identity: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(Arc::clone(roots));
    Arc::new(match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
    })
}

/// One connection up to the tickets, as the two sides see it at the end.
fn connect(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name)?;
    let mut server = ServerConnection::new(Arc::clone(server))?;
    for _ in 0..10 {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok((client, server))
}

fn kind(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Option<HandshakeKind> {
    connect(client, server).unwrap().1.handshake_kind()
}

/// An authority in a file, and a client's certificate that it signed.
fn authority(name: &str) -> (PathBuf, CertificateDer<'static>, PrivateKeyDer<'static>) {
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer_key = rcgen::KeyPair::generate().unwrap();
    let issuer = parameters.self_signed(&issuer_key).unwrap();
    let path = std::env::temp_dir().join(format!("penaxtra-gateway-{name}-{}.pem", std::process::id()));
    std::fs::write(&path, issuer.pem()).unwrap();
    let issuer = rcgen::Issuer::from_params(&parameters, issuer_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let client =
        rcgen::CertificateParams::new(vec!["client.example".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    (path, client.der().clone(), PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
}

#[test]
fn both_sides_of_ours_speak_http_1_1_over_tls_1_3_and_resume() {
    let certificates = certificates();
    let server = server_config(Arc::clone(&certificates), None).unwrap();
    let client = client_config(&roots_of(&certificates)).unwrap();
    let (ours, theirs) = connect(&client, &server).unwrap();
    for protocol in [ours.alpn_protocol(), theirs.alpn_protocol()] {
        assert_eq!(protocol, Some(PROTOCOL));
    }
    assert_eq!(ours.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(kind(&client, &server), Some(HandshakeKind::Resumed));
}

#[test]
fn each_version_of_tls_resumes_by_tickets_alone() {
    let certificates = certificates();
    let server = server_config(Arc::clone(&certificates), None).unwrap();
    assert!(!server.session_storage.can_cache() && server.max_early_data_size == 0);
    for version in [&TLS13, &TLS12] {
        let client = client_of(version, &roots_of(&certificates), None);
        assert_ne!(kind(&client, &server), Some(HandshakeKind::Resumed), "{version:?}, first");
        assert_eq!(kind(&client, &server), Some(HandshakeKind::Resumed), "{version:?}, second");
    }
}

#[test]
fn a_client_without_a_certificate_of_the_authority_is_refused() {
    let certificates = certificates();
    let (path, certificate, key) = authority("client-ca");
    let (other_path, stranger, stranger_key) = authority("other-ca");
    let server = server_config(Arc::clone(&certificates), Some(&path)).unwrap();
    for version in [&TLS13, &TLS12] {
        let roots = roots_of(&certificates);
        assert!(connect(&client_of(version, &roots, None), &server).is_err(), "{version:?}, none");
        let identity = Some((stranger.clone(), stranger_key.clone_key()));
        assert!(connect(&client_of(version, &roots, identity), &server).is_err(), "{version:?}, a stranger's");
        let known = client_of(version, &roots, Some((certificate.clone(), key.clone_key())));
        for time in ["first", "second"] {
            let kind = kind(&known, &server);
            assert!(kind.is_some() && kind != Some(HandshakeKind::Resumed), "{version:?}, {time}: {kind:?}");
        }
    }
    for path in [path, other_path] {
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_server_that_is_not_trusted_is_refused() {
    let server = server_config(certificates(), None).unwrap();
    let client = client_config(&roots_of(&certificates())).unwrap();
    assert!(connect(&client, &server).is_err());
}

#[test]
fn a_bundle_that_is_not_whole_is_an_error() {
    let (path, _certificate, _key) = authority("bundle");
    assert_eq!(upstream_roots(Some(&path)).unwrap().len(), 1);
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{good}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")).unwrap();
    assert!(matches!(upstream_roots(Some(&path)), Err(TrustError::BadAuthority(_))));
    assert!(matches!(server_config(certificates(), Some(&path)), Err(TrustError::BadAuthority(_))));
    std::fs::remove_file(&path).unwrap();
    let error = upstream_roots(Some(&path)).unwrap_err();
    assert!(error.to_string().contains("bundle"), "{error}");
}

#[test]
fn a_handshake_after_a_reload_gets_the_new_certificate() {
    let directory = std::env::temp_dir().join(format!("penaxtra-gateway-trust-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let write = || {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(directory.join("tls.crt"), made.cert.pem()).unwrap();
        std::fs::write(directory.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        Arc::new(roots)
    };
    let old = write();
    let certificates = Arc::new(Certificates::load(CertificateSource::Directory(directory.clone())).unwrap());
    let server = server_config(Arc::clone(&certificates), None).unwrap();
    // New clients each time: a ticket would spare them the certificate.
    let trusts = |roots| connect(&client_config(roots).unwrap(), &server).is_ok();
    assert!(trusts(&old));
    let new = write();
    assert!(trusts(&old) && !trusts(&new), "not reloaded yet");
    certificates.reload().unwrap();
    assert!(!trusts(&old) && trusts(&new));
    std::fs::remove_dir_all(&directory).unwrap();
}
