//! `policy test`: what a policy finds in bodies or texts, and what a gateway would do about them.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use serde::Serialize;

use super::EXIT_NO;
use super::EXIT_USAGE;
use super::Said;
use super::check;
use super::trial::Decision;
use super::trial::Outcome;
use super::trial::Trial;
use super::trial::VERDICTS;
use super::trial::Verdict;
use super::trial::finding::Finding;
use super::trial::input;
use super::trial::input::Unfit;
use super::trial::shape::Shape;
use super::trial::text;
use super::trial::text::Carrier;

/// What `policy test` is asked. Exit codes: 0, 1 where a verdict is as strict as `--fail-on`, 2 where something could not be tried.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0; 1: a verdict is as strict as --fail-on; 2: usage, or something could not be tried"
)]
pub(super) struct Arguments {
    /// The document or bundle; none: the built-in policy. Signatures are not looked at
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    around: Around,
    /// Each file is a text, tried as the message of a chat
    #[arg(long, group = "texts", conflicts_with_all = ["path", "content_type", "header"])]
    text: bool,
    /// Each line of a file is a text; empty ones are left out
    #[arg(long, group = "texts", conflicts_with_all = ["path", "content_type", "header"])]
    lines: bool,
    /// Who says the texts
    #[arg(long, value_name = "ROLE", default_value = "user", requires = "texts")]
    role: Speaker,
    /// One JSON object for each body or text
    #[arg(long)]
    json: bool,
    /// Show what matched. Without it no byte of a body or text is printed
    #[arg(long)]
    show_matches: bool,
    /// Print what is redacted as it would be sent on
    #[arg(long)]
    print_redacted: bool,
    /// The mildest verdict that makes the exit code 1
    #[arg(long, value_name = "VERDICT", default_value = "block")]
    fail_on: FailOn,
    /// Files, folders (all files in them), `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What stands around a body in its request.
#[derive(Debug, Args)]
pub(super) struct Around {
    /// Path and query that the bodies would be sent to; it decides which API they are read by
    #[arg(long, value_name = "PATH", default_value = text::PATH)]
    path: String,
    /// Their content type; empty: none
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    content_type: String,
    /// A header field more
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
}

impl Around {
    /// As a head.
    pub(super) fn shape(&self) -> Result<Shape, String> {
        Shape::new(&self.path, &self.content_type, &self.header)
    }
}

/// Roles of a chat's messages.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Speaker {
    System,
    User,
    Assistant,
    Tool,
}

/// Which verdicts are a failure; a request that cannot be inspected is one with `block`, `redact` and `warn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Warn,
    Redact,
    Block,
    Never,
}

impl Speaker {
    const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

impl FailOn {
    fn fails(self, verdict: Verdict) -> bool {
        match self {
            Self::Warn => verdict >= Verdict::Warn,
            Self::Redact => verdict >= Verdict::Redact,
            Self::Block => verdict >= Verdict::Block,
            Self::Never => false,
        }
    }
}

/// One line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    #[serde(flatten)]
    decision: &'a Decision,
    findings: &'a [Finding],
    /// Parts that are sent on unread.
    unread: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<&'a str>,
}

/// A run over all inputs.
struct Run<'a> {
    arguments: &'a Arguments,
    shape: Shape,
    trial: Trial<'a>,
    out: &'a mut dyn io::Write,
    /// How many there were of each of [`VERDICTS`].
    counts: [usize; VERDICTS.len()],
}

/// Tries each input in turn; what cannot be read is told, and the others are tried all the same.
pub(super) fn test(arguments: &Arguments, out: &mut dyn io::Write) -> Said {
    let mut said = Said::default();
    let shape = match arguments.around.shape() {
        Ok(shape) => shape,
        Err(reason) => return said.no(EXIT_USAGE, reason),
    };
    let Some(policy) = check::policy(arguments.policy.as_deref(), &mut said) else { return said };
    let files = match input::gather(&arguments.files) {
        Ok(files) => files,
        Err(unfit) => return said.no(EXIT_USAGE, unfit),
    };
    let mut run = Run { arguments, shape, trial: Trial::new(&policy), out, counts: [0; VERDICTS.len()] };
    for path in &files {
        match run.file(path) {
            Ok(Ok(())) => {}
            Ok(Err(unfit)) => said = said.no(EXIT_USAGE, unfit),
            // Nobody reads on.
            Err(_) => return said,
        }
    }
    let failed = VERDICTS.iter().zip(run.counts).any(|(verdict, count)| count > 0 && arguments.fail_on.fails(*verdict));
    if failed {
        said.code = said.code.max(EXIT_NO);
    }
    if !arguments.json {
        let counts = VERDICTS.iter().zip(run.counts).filter(|(_, count)| *count > 0);
        let counts: Vec<String> = counts.map(|(verdict, count)| format!("{count} {}", verdict.label())).collect();
        let tried: usize = run.counts.iter().sum();
        said.out = format!("{tried} tried{}{}\n", if tried == 0 { "" } else { ": " }, counts.join(", "));
    }
    said
}

impl Run<'_> {
    /// One file: a body, a text, or as many texts as it has lines.
    fn file(&mut self, path: &Path) -> io::Result<Result<(), Unfit>> {
        let name = path.display().to_string();
        if !self.arguments.text && !self.arguments.lines {
            return match input::read(path) {
                Ok(body) => self.body(&name, &body).map(Ok),
                Err(unfit) => Ok(Err(unfit)),
            };
        }
        let text = match input::read_text(path) {
            Ok(text) => text,
            Err(unfit) => return Ok(Err(unfit)),
        };
        if self.arguments.lines {
            for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
                self.text(&format!("{name}:{}", index + 1), line, index + 1)?;
            }
        } else {
            self.text(&name, &text, 1)?;
        }
        Ok(Ok(()))
    }

    fn body(&mut self, name: &str, body: &[u8]) -> io::Result<()> {
        let outcome = self.trial.run(&self.shape, body, self.arguments.show_matches);
        let redacted = outcome.redacted.as_deref().map(|body| String::from_utf8_lossy(body).into_owned());
        self.tell(name, &outcome, redacted)
    }

    fn text(&mut self, name: &str, text: &str, line: usize) -> io::Result<()> {
        let carrier = Carrier::new(self.arguments.role.word(), text);
        let mut outcome = self.trial.run(&self.shape, &carrier.body, false);
        carrier.locate(text, line, &mut outcome.findings, self.arguments.show_matches);
        let redacted = outcome.redacted.as_deref().and_then(Carrier::text);
        self.tell(name, &outcome, redacted)
    }

    fn tell(&mut self, name: &str, outcome: &Outcome, redacted: Option<String>) -> io::Result<()> {
        let Outcome { decision, findings, unread, .. } = outcome;
        if let Some((_, count)) =
            VERDICTS.iter().zip(&mut self.counts).find(|(verdict, _)| **verdict == decision.verdict)
        {
            *count += 1;
        }
        let redacted = redacted.filter(|_| self.arguments.print_redacted);
        if self.arguments.json {
            let line = Line { name, decision, findings, unread: *unread, redacted: redacted.as_deref() };
            return writeln!(self.out, "{}", serde_json::to_string(&line)?);
        }
        let mut lines = format!("{name}: {decision}\n");
        for finding in findings {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "  {finding}");
        }
        if *unread > 0 {
            let _ = writeln!(lines, "  {unread} parts are sent on unread");
        }
        if let Some(redacted) = redacted {
            let end = if redacted.ends_with('\n') { "" } else { "\n" };
            let _ = write!(lines, "  sent on:\n{redacted}{end}");
        }
        self.out.write_all(lines.as_bytes())
    }
}
