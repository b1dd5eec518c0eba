//! Certificates on a real file system: swapped while they are read, half there, and replaced under a running process.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::super::pem;
use super::*;

/// A directory of its own that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("penaxtra-gateway-{name}-{}", std::process::id()));
        let _absent = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn pair(&self) -> CertificateSource {
        CertificateSource::Pair { certificate: self.path("tls.crt"), key: self.path("tls.key") }
    }

    fn directory(&self) -> CertificateSource {
        CertificateSource::Directory(self.0.clone())
    }

    fn write(&self, (certificate, key): &(String, String)) {
        fs::write(self.path("tls.crt"), certificate).unwrap();
        fs::write(self.path("tls.key"), key).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn pair_for(name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// Puts a version of the Secret in place as kubelet does: a new directory, a link moved by rename, the old directory removed.
fn swap(mount: &Scratch, version: usize, pair: &(String, String)) {
    let directory = mount.path(&format!("..{version}"));
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("tls.crt"), &pair.0).unwrap();
    fs::write(directory.join("tls.key"), &pair.1).unwrap();
    symlink(format!("..{version}"), mount.path("..data_tmp")).unwrap();
    fs::rename(mount.path("..data_tmp"), mount.path("..data")).unwrap();
    if version > 0 {
        fs::remove_dir_all(mount.path(&format!("..{}", version - 1))).unwrap();
    }
}

/// Loads `source` for half a second while a Secret at `mount` is swapped, and says how often each of two pairs came.
fn load_while_swapping(mount: &Scratch, source: &CertificateSource) -> Result<[usize; 2], CertificateError> {
    let pairs = [pair_for("first.example"), pair_for("second.example")];
    swap(mount, 0, &pairs[0]);
    for name in ["tls.crt", "tls.key"] {
        symlink(format!("..data/{name}"), mount.path(name)).unwrap();
    }
    let expected = pairs.each_ref().map(|(certificate, _)| {
        pem::certificates(certificate.as_bytes(), Path::new("")).unwrap().first().map(|leaf| fingerprint(leaf)).unwrap()
    });
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for version in 1.. {
                if stop.load(Relaxed) {
                    break;
                }
                swap(mount, version, &pairs[version % 2]);
                std::thread::sleep(Duration::from_micros(300));
            }
        });
        let until = crate::clock::now() + Duration::from_millis(500);
        let mut counts = [0, 0];
        let mut failed = None;
        while crate::clock::now() < until && failed.is_none() {
            match Certificates::load(source.clone()) {
                Ok(loaded) => {
                    let which = expected.iter().position(|print| *print == loaded.fingerprint()).unwrap();
                    counts[which] += 1;
                }
                Err(error) => failed = Some(error),
            }
        }
        stop.store(true, Relaxed);
        failed.map_or(Ok(counts), Err)
    })
}

#[test]
fn a_torn_pair_is_never_served_from_a_swapped_directory() {
    let mount = Scratch::new("swapped-directory");
    let counts = load_while_swapping(&mount, &mount.directory()).unwrap();
    assert!(counts[0] > 0 && counts[1] > 0, "both versions were met: {counts:?}");
}

#[test]
fn a_torn_pair_is_never_served_from_paths_into_a_swapped_directory() {
    let mount = Scratch::new("swapped-paths");
    match load_while_swapping(&mount, &mount.pair()) {
        Ok(counts) => assert!(counts[0] + counts[1] > 0),
        // Paths have no anchor: when they move faster than they can be read, to say so is right.
        Err(CertificateError::Unstable(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_pair_that_is_not_whole_is_an_error() {
    let (good, other) = (pair_for("good.example"), pair_for("other.example"));
    type Check = fn(&CertificateError) -> bool;
    let no_file: Check = |error| matches!(error, CertificateError::File(error) if error.is_not_found());
    let cases: [(&str, Option<&str>, Option<&str>, Check); 9] = [
        ("nothing there", None, None, no_file),
        ("no key", Some(&good.0), None, no_file),
        ("no certificate", None, Some(&good.1), no_file),
        ("another's key", Some(&good.0), Some(&other.1), |error| matches!(error, CertificateError::Mismatch { .. })),
        ("an empty key", Some(&good.0), Some(""), |error| matches!(error, CertificateError::File(PemError::NoKey(_)))),
        ("an empty certificate", Some(""), Some(&good.1), |error| {
            matches!(error, CertificateError::File(PemError::NoCertificate(_)))
        }),
        ("swapped files", Some(&good.1), Some(&good.0), |error| {
            matches!(error, CertificateError::File(PemError::NoCertificate(_)))
        }),
        ("a cut certificate", Some(&good.0[..200]), Some(&good.1), |error| {
            matches!(error, CertificateError::File(PemError::Malformed(_)))
        }),
        ("not X.509", Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), Some(&good.1), |error| {
            matches!(error, CertificateError::BadCertificate(_))
        }),
    ];
    for (name, certificate, key, is_expected) in cases {
        let scratch = Scratch::new("not-whole");
        for (file, text) in [("tls.crt", certificate), ("tls.key", key)] {
            if let Some(text) = text {
                fs::write(scratch.path(file), text).unwrap();
            }
        }
        for source in [scratch.pair(), scratch.directory()] {
            let error = Certificates::load(source).unwrap_err();
            assert!(is_expected(&error), "{name}: {error:?}");
            let message = error.to_string();
            assert!(message.contains("tls.crt") || message.contains("tls.key"), "{name}: {message}");
        }
    }
}

#[test]
fn a_damaged_key_is_an_error() {
    let good = pair_for("good.example");
    let scratch = Scratch::new("damaged-key");
    scratch.write(&(good.0, "-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n".to_owned()));
    assert!(matches!(Certificates::load(scratch.pair()), Err(CertificateError::BadKey(_))));
}

#[test]
fn a_reload_takes_a_new_pair_and_keeps_the_old_one_where_the_new_is_broken() {
    let (first, second) = (pair_for("first.example"), pair_for("second.example"));
    let scratch = Scratch::new("reload");
    for source in [scratch.pair(), scratch.directory()] {
        scratch.write(&first);
        let certificates = Certificates::load(source).unwrap();
        let print = certificates.fingerprint();
        assert!(!certificates.changed_on_disk());
        assert!(!certificates.reload().unwrap(), "nothing has changed");

        fs::write(scratch.path("tls.crt"), &second.0).unwrap();
        assert!(certificates.changed_on_disk());
        assert!(matches!(certificates.reload(), Err(CertificateError::Mismatch { .. })));
        assert_eq!(certificates.fingerprint(), print, "the old pair stays");
        assert!(certificates.changed_on_disk(), "a failed reload is tried again");

        fs::remove_file(scratch.path("tls.key")).unwrap();
        assert!(certificates.changed_on_disk());
        certificates.reload().unwrap_err();
        assert_eq!(certificates.fingerprint(), print, "the old pair stays");

        fs::write(scratch.path("tls.key"), &second.1).unwrap();
        assert!(certificates.reload().unwrap());
        assert_ne!(certificates.fingerprint(), print);
        assert!(!certificates.changed_on_disk());

        scratch.write(&second);
        assert!(certificates.changed_on_disk(), "written again");
        assert!(!certificates.reload().unwrap(), "with the same content");
        assert!(!certificates.changed_on_disk());
    }
}

#[test]
fn a_swapped_secret_is_seen_and_taken() {
    let mount = Scratch::new("secret");
    swap(&mount, 0, &pair_for("first.example"));
    let certificates = Certificates::load(mount.directory()).unwrap();
    assert!(!certificates.changed_on_disk());
    swap(&mount, 1, &pair_for("second.example"));
    assert!(certificates.changed_on_disk());
    assert!(certificates.reload().unwrap());
    assert!(!certificates.changed_on_disk());
}

#[test]
fn a_self_signed_pair_is_good_for_this_machine_and_stays() {
    let names = vec!["gateway.example".to_owned(), "192.0.2.7".to_owned()];
    let certificates = Certificates::load(CertificateSource::SelfSigned { names }).unwrap();
    assert!(certificates.self_signed());
    assert!(!certificates.changed_on_disk());
    let print = certificates.fingerprint();
    assert!(!certificates.reload().unwrap());
    assert_eq!(certificates.fingerprint(), print);
    assert_eq!(print.len(), 64);

    let now = crate::clock::unix().as_secs();
    let days = (certificates.not_after().unwrap() - now) / 86_400;
    assert!((820..825).contains(&days), "{days}");

    let leaf = certificates.leaf().unwrap();
    let leaf = rustls::server::ParsedCertificate::try_from(&leaf).unwrap();
    for (name, good) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("::1", true),
        ("gateway.example", true),
        ("192.0.2.7", true),
        ("other.example", false),
        ("192.0.2.8", false),
    ] {
        let name_checked = rustls::pki_types::ServerName::try_from(name).unwrap();
        let verified = rustls::client::verify_server_name(&leaf, &name_checked);
        assert_eq!(verified.is_ok(), good, "{name}");
    }
}
