//! `policy diff`: the bodies that two policies decide differently about.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::EXIT_NO;
use super::EXIT_USAGE;
use super::Said;
use super::check;
use super::test::Around;
use super::trial::Decision;
use super::trial::Outcome;
use super::trial::Trial;
use super::trial::finding::Finding;
use super::trial::input;

/// The word for the policy that the program brings along, where a file is asked for.
const BUILT_IN: &str = "built-in";

/// What `policy diff` is asked. Exit codes as those of diff(1).
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0: no difference; 1: some body is decided differently; 2: usage, or something could not be tried"
)]
pub(super) struct Arguments {
    #[command(flatten)]
    around: Around,
    /// One JSON object for each body that is decided differently, and one with the counts
    #[arg(long)]
    json: bool,
    /// Show what matched. Without it no byte of a body is printed
    #[arg(long)]
    show_matches: bool,
    /// A document or bundle, or `built-in`. Signatures are not looked at
    old: PathBuf,
    /// Another one
    new: PathBuf,
    /// Files with request bodies, folders (all files in them)
    #[arg(required = true, value_name = "FOLDER|FILE")]
    files: Vec<PathBuf>,
}

/// What is different about one body. The order of the fields is that of the JSON.
#[derive(Debug, Serialize)]
struct Difference<'a> {
    name: &'a str,
    old: &'a Decision,
    new: &'a Decision,
    /// What only the old policy finds.
    only_old: Vec<&'a Finding>,
    /// What only the new policy finds.
    only_new: Vec<&'a Finding>,
    /// What both find and treat differently.
    changed: Vec<Change<'a>>,
}

/// One finding of two policies.
#[derive(Debug, Serialize)]
struct Change<'a> {
    old: &'a Finding,
    new: &'a Finding,
}

/// The counts of a run.
#[derive(Serialize)]
struct Summary {
    bodies: usize,
    different: usize,
}

/// Has both policies decide about each body.
pub(super) fn diff(arguments: &Arguments, out: &mut dyn io::Write) -> Said {
    let mut said = Said::default();
    let shape = match arguments.around.shape() {
        Ok(shape) => shape,
        Err(reason) => return said.no(EXIT_USAGE, reason),
    };
    let file = |path: &PathBuf| (path.as_os_str() != BUILT_IN).then(|| path.clone());
    let [old, new] = [&arguments.old, &arguments.new].map(|path| check::policy(file(path).as_deref(), &mut said));
    let (Some(old), Some(new)) = (old, new) else { return said };
    let files = match input::gather(&arguments.files) {
        Ok(files) => files,
        Err(unfit) => return said.no(EXIT_USAGE, unfit),
    };
    let (mut old, mut new) = (Trial::new(&old), Trial::new(&new));
    let mut summary = Summary { bodies: 0, different: 0 };
    for path in &files {
        let body = match input::read(path) {
            Ok(body) => body,
            Err(unfit) => {
                said = said.no(EXIT_USAGE, unfit);
                continue;
            }
        };
        summary.bodies += 1;
        let run = |trial: &mut Trial<'_>| trial.run(&shape, &body, arguments.show_matches);
        let (old, new) = (run(&mut old), run(&mut new));
        let name = path.display().to_string();
        let Some(difference) = Difference::of(&name, &old, &new) else { continue };
        summary.different += 1;
        // Nobody reads on where it cannot be written.
        if difference.tell(arguments.json, out).is_err() {
            break;
        }
    }
    if summary.different > 0 {
        said.code = said.code.max(EXIT_NO);
    }
    said.out = summary.tell(arguments.json);
    said
}

impl<'a> Difference<'a> {
    /// None: both policies decide alike.
    fn of(name: &'a str, old: &'a Outcome, new: &'a Outcome) -> Option<Self> {
        let mut difference = Self {
            name,
            old: &old.decision,
            new: &new.decision,
            only_old: Vec::new(),
            only_new: Vec::new(),
            changed: Vec::new(),
        };
        // Both stand in the order of their keys, so one walk tells which stand in both.
        let (mut olds, mut news) = (old.findings.iter().peekable(), new.findings.iter().peekable());
        loop {
            let order = match (olds.peek(), news.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.key().cmp(&new.key()),
            };
            match order {
                Ordering::Less => difference.only_old.extend(olds.next()),
                Ordering::Greater => difference.only_new.extend(news.next()),
                Ordering::Equal => {
                    let both = olds.next().zip(news.next()).map(|(old, new)| Change { old, new });
                    difference.changed.extend(both.filter(|both| both.old.effect() != both.new.effect()));
                }
            }
        }
        let Self { only_old, only_new, changed, .. } = &difference;
        let alike = only_old.is_empty() && only_new.is_empty() && changed.is_empty() && old.decision == new.decision;
        (!alike).then_some(difference)
    }

    fn tell(&self, json: bool, out: &mut dyn io::Write) -> io::Result<()> {
        if json {
            return writeln!(out, "{}", serde_json::to_string(self)?);
        }
        let Self { name, old, new, only_old, only_new, changed } = self;
        let mut lines = String::new();
        // Writing to a string cannot fail.
        let _ = if old == new { writeln!(lines, "{name}: {old}") } else { writeln!(lines, "{name}: {old} -> {new}") };
        let all = only_old.iter().map(|finding| ('-', finding)).chain(only_new.iter().map(|finding| ('+', finding)));
        let changed = changed.iter().flat_map(|Change { old, new }| [('<', old), ('>', new)]);
        for (mark, finding) in all.chain(changed) {
            let _ = writeln!(lines, "  {mark} {finding}");
        }
        out.write_all(lines.as_bytes())
    }
}

impl Summary {
    fn tell(&self, json: bool) -> String {
        if json {
            format!("{}\n", serde_json::json!({ "summary": self }))
        } else {
            format!("{} bodies, {} decided differently\n", self.bodies, self.different)
        }
    }
}
