//! `penaxtra-gateway policy …`: make keys, sign, verify, check, explain, try and compare policies, on the command line and never on the
//! data path.
//!
//! A verb takes what was asked for and gives back what is to be said and the exit code; this file prints it. The two that may have much to
//! say, `test` and `diff`, write it as they go. A private key is written to a file that only its owner reads, and shown nowhere unless that
//! is what was asked for; so are the texts that a policy is tried on.

mod check;
mod diff;
mod explain;
mod files;
mod keys;
mod sign;
mod test;
mod trial;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::Parser;
use clap::Subcommand;

use crate::policy::document::Mistake;
use crate::policy::reference::reference;

/// The word that brings the command line here; it is the first.
pub const WORD: &str = "policy";

/// What was asked about is not right.
const EXIT_NO: u8 = 1;
/// It could not be asked: usage, or a file that cannot be read or written.
const EXIT_USAGE: u8 = 2;

#[derive(Debug, Parser)]
#[command(
    bin_name = "penaxtra-gateway policy",
    about = "Make, sign, check, explain and try policies",
    disable_help_subcommand = true
)]
struct Line {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a key pair: the private key into a file of mode 0600, the public key on standard output
    Keygen {
        /// File of the private key (PKCS#8, PEM); it must not exist. `-`: standard output
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// File of the public key too, for --policy-key
        #[arg(long, value_name = "FILE")]
        public: Option<PathBuf>,
    },
    /// Check a document and sign it
    Sign {
        /// File of the private key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// File of the bundle; one that exists is replaced at once
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The version whose rules this one brings back
        #[arg(long, value_name = "VERSION")]
        rollback_to: Option<u64>,
        /// The document
        document: PathBuf,
    },
    /// Say whether a gateway with these keys would take a bundle: exit code 0 or 1
    Verify {
        /// Public keys that may sign it: 64 hex digits or a file
        #[arg(long, value_name = "KEYS", required = true, value_delimiter = ',')]
        policy_key: Vec<String>,
        /// The tenant that it must be for
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// The bundle
        bundle: PathBuf,
    },
    /// Tell every mistake of a document or bundle, and what is likely not meant: exit code 1 if there is a mistake
    Check {
        /// Documents or bundles; signatures are not looked at
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Say what a policy does, rule by rule
    Explain {
        /// Only rules with this id, or whose code begins so
        #[arg(long, value_name = "ID|CODE")]
        rule: Option<String>,
        /// The document or bundle; none: the built-in policy
        file: Option<PathBuf>,
    },
    /// Try a policy on request bodies or texts: what it finds, and what a gateway would do
    Test(test::Arguments),
    /// Tell which bodies two policies decide differently about: exit code 1 if there is one
    Diff(diff::Arguments),
    /// Print the reference page of the policy document (Markdown)
    Reference,
}

/// What a verb has to say.
#[derive(Debug, Default)]
struct Said {
    out: String,
    err: String,
    code: u8,
}

impl Said {
    /// Ends with a reason on standard error.
    fn no(mut self, code: u8, reason: impl std::fmt::Display) -> Self {
        self.tell(reason);
        self.code = code;
        self
    }

    /// Adds a line to standard error.
    fn tell(&mut self, line: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.err, "{line}");
    }

    /// Adds lines of a file to standard error.
    fn list(&mut self, file: &std::path::Path, kind: &str, lines: &[Mistake]) {
        for line in lines {
            let _ = writeln!(self.err, "{}: {kind}{line}", file.display());
        }
    }
}

/// Runs the command line if it is one of these, the program's name first: the exit code, or none where another part of the program is meant.
pub fn run(arguments: &[OsString], out: &mut dyn io::Write, err: &mut dyn io::Write) -> Option<u8> {
    let (_, rest) = arguments.split_first()?;
    let said = match rest.split_first() {
        Some((word, _)) if word == WORD => match Line::try_parse_from(rest) {
            Ok(line) => answer(line.verb, out),
            Err(error) => {
                let text = error.render().to_string();
                let (out, err) = if error.use_stderr() { (String::new(), text) } else { (text, String::new()) };
                Said { out, err, code: if error.use_stderr() { EXIT_USAGE } else { 0 } }
            }
        },
        _ => return None,
    };
    // A reader that has gone away is no reason to complain.
    let _ = out.write_all(said.out.as_bytes());
    let _ = err.write_all(said.err.as_bytes());
    Some(said.code)
}

fn answer(verb: Verb, out: &mut dyn io::Write) -> Said {
    match verb {
        Verb::Keygen { out: path, public } => keys::generate(&path, public.as_deref()),
        Verb::Sign { key, out: path, rollback_to, document } => sign::sign(&key, &document, &path, rollback_to),
        Verb::Verify { policy_key, tenant, bundle } => sign::verify(&policy_key, tenant.as_deref(), &bundle),
        Verb::Check { files } => check::check(&files),
        Verb::Explain { rule, file } => explain::explain(file.as_deref(), rule.as_deref()),
        Verb::Test(arguments) => test::test(&arguments, out),
        Verb::Diff(arguments) => diff::diff(&arguments, out),
        Verb::Reference => Said { out: reference(), ..Said::default() },
    }
}
