//! The command line to found values.
//!
//! Exists so that clap's part ends here: it splits the line and writes the help; texts are read elsewhere. clap stops at its first error, so its
//! culprit is taken out and the rest is tried again, until all of them are known. Never shows an argument that is not a flag or a plain word.

use std::ffi::OsString;

use clap::Arg;
use clap::ArgAction;
use clap::ArgMatches;
use clap::Command;
use clap::error::ContextKind;
use clap::error::ContextValue;
use clap::error::ErrorKind;
use clap::value_parser;

use crate::config::Exit;
use crate::config::mistake;
use crate::config::mistake::Found;
use crate::config::mistake::Mistake;
use crate::config::mistake::Origin;
use crate::config::setting::SETTINGS;

/// Longest plain word that is shown when it is not a subcommand; a key or a token is longer.
const WORD_BYTES_MAX: usize = 16;
/// The flags that are not settings.
const OTHER_FLAGS: &[&str] = &["config", "once", "delay-ms", "url", "help", "version"];
const SUBCOMMANDS: &[&str] = &["demo", "healthcheck", "check-config", "policy"];

/// The subcommand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chosen {
    Run,
    Demo,
    Healthcheck,
    CheckConfig,
}

/// What the command line says; all but `found` and `file` belong to one subcommand each.
pub(super) struct Flags {
    pub(super) chosen: Chosen,
    /// `--config`
    pub(super) file: Option<(Origin, String)>,
    /// One for each setting given, in the table's order.
    pub(super) found: Vec<Found>,
    /// `demo --once`
    pub(super) once: bool,
    /// `demo --delay-ms`
    pub(super) delay_ms: Option<(Origin, String)>,
    /// `healthcheck --url`
    pub(super) url: Option<(Origin, String)>,
}

/// The program's command line, as clap sees it.
pub(super) fn command() -> Command {
    let settings = |command: Command, hidden: bool| {
        let file = flag("config", "FILE", "TOML file of the settings below (its keys have _ for -)".to_owned());
        let command = command.arg(file.hide(hidden));
        SETTINGS.iter().fold(command, |command, setting| {
            let arg = flag(setting.name, setting.placeholder, setting.help_line()).hide(hidden);
            command.arg(if setting.clear.is_some() { arg.action(ArgAction::Append) } else { arg })
        })
    };
    let too = "Takes every setting too, see penaxtra-gateway --help.";
    let demo = Command::new("demo")
        .about("Answer calls from a mock model, through the gateway")
        .arg(flag("listen", "ADDRESS", "where the gateway listens [127.0.0.1:8443]".to_owned()))
        .arg(Arg::new("once").long("once").action(ArgAction::SetTrue).help("end after the calls, with an exit code"))
        .arg(flag("delay-ms", "N", "milliseconds between two tokens, up to 60000 [30]".to_owned()));
    let healthcheck = Command::new("healthcheck")
        .about("Ask a running gateway for its health: exit code 0 or 1")
        .arg(flag("url", "URL", "what to ask [http, the first address of listen, /healthz]".to_owned()))
        .after_help(too);
    let check = Command::new("check-config").about("Print every setting, its value and its source").after_help(too);
    // Its own command line, which is read elsewhere; here it is listed, and taken where other flags stand before it.
    let rest = Arg::new("rest").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true).hide(true);
    let policy = Command::new("policy")
        .about("Make, sign, check, explain and try policies, see policy --help")
        .disable_help_flag(true)
        .arg(rest.value_parser(value_parser!(OsString)));
    settings(Command::new("penaxtra-gateway"), false)
        .bin_name("penaxtra-gateway")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Reverse proxy for LLM traffic. Without a command it runs until SIGTERM.")
        .after_help("Every setting is also a variable, PNX_BODY_MAX for --body-max. Flag over variable over file.")
        .disable_help_subcommand(true)
        .subcommands([demo, settings(healthcheck, true), settings(check, true), policy])
}

fn flag(name: &'static str, placeholder: &'static str, help: String) -> Arg {
    let arg = Arg::new(name).long(name).help(help).value_parser(value_parser!(OsString));
    if placeholder.is_empty() {
        arg.value_name("BOOL").num_args(0..=1).require_equals(true).default_missing_value("true")
    } else {
        arg.value_name(placeholder)
    }
}

/// Reads the command line, the program's name first.
///
/// # Errors
/// Help and version only; mistakes are added to the list.
pub(super) fn read(arguments: Vec<OsString>, mistakes: &mut Vec<Mistake>) -> Result<Flags, Exit> {
    let root = split(arguments, mistakes)?;
    let (chosen, below) = match root.subcommand() {
        Some(("demo", below)) => (Chosen::Demo, Some(below)),
        Some(("healthcheck", below)) => (Chosen::Healthcheck, Some(below)),
        Some(("check-config", below)) => (Chosen::CheckConfig, Some(below)),
        Some(("policy", _)) => {
            let text = "command line: `policy` takes no setting, want it as the first word\n".to_owned();
            return Err(Exit { code: 2, text, to_stdout: false });
        }
        _ => (Chosen::Run, None),
    };
    // A flag may stand before or behind the subcommand; behind is nearer.
    let levels: Vec<&ArgMatches> = below.into_iter().chain([&root]).collect();
    let found = SETTINGS.iter().enumerate().filter_map(|(index, setting)| {
        let items = values(&levels, setting.name, mistakes);
        (!items.is_empty()).then_some(Found { setting: index, origin: Origin::Flag(setting.name), items })
    });
    let found = found.collect();
    Ok(Flags {
        chosen,
        file: values(&levels, "config", mistakes).pop(),
        found,
        once: below.is_some_and(|below| matches!(below.try_get_one("once"), Ok(Some(true)))),
        delay_ms: values(&levels, "delay-ms", mistakes).pop(),
        url: values(&levels, "url", mistakes).pop(),
    })
}

/// The texts of the flag `name` at the first level that has it.
fn values(levels: &[&ArgMatches], name: &'static str, mistakes: &mut Vec<Mistake>) -> Vec<(Origin, String)> {
    // A level that does not know the flag answers with an error, which is as good as none.
    let given = levels.iter().find_map(|level| level.try_get_many::<OsString>(name).ok().flatten());
    let mut texts = Vec::new();
    for value in given.into_iter().flatten() {
        match value.to_str() {
            Some(text) => texts.push((Origin::Flag(name), text.to_owned())),
            None => mistakes.push(Mistake::new(Origin::Flag(name), "want UTF-8".to_owned())),
        }
    }
    texts
}

/// Has clap split the arguments, each time without the last culprit.
fn split(mut arguments: Vec<OsString>, mistakes: &mut Vec<Mistake>) -> Result<ArgMatches, Exit> {
    loop {
        let error = match command().try_get_matches_from(&arguments) {
            Ok(matches) => return Ok(matches),
            Err(error) => error,
        };
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return Err(Exit {
                code: 0,
                text: format!("{}\n", error.render().to_string().trim_end()),
                to_stdout: true,
            });
        }
        let Some((index, word)) = culprit(&error, &arguments) else {
            mistakes.push(Mistake::new(Origin::CommandLine, "not understood, see --help".to_owned()));
            arguments.truncate(1);
            continue;
        };
        mistakes.push(explain(error.kind(), &word));
        let removed = arguments.remove(index);
        let has_value = removed.to_string_lossy().contains('=');
        if word.starts_with('-') && !has_value && arguments.get(index).is_some_and(is_value) {
            arguments.remove(index);
        }
    }
}

/// Whether an argument behind a flag is likely that flag's value.
fn is_value(argument: &OsString) -> bool {
    let text = argument.to_string_lossy();
    !text.starts_with('-') && !SUBCOMMANDS.contains(&&*text)
}

/// The argument that clap complains of: 0 < index < arguments.len(), and its flag or word.
fn culprit(error: &clap::Error, arguments: &[OsString]) -> Option<(usize, String)> {
    let context = error.get(ContextKind::InvalidArg).or_else(|| error.get(ContextKind::InvalidSubcommand))?;
    let ContextValue::String(context) = context else { return None };
    // clap writes a flag as `--name <VALUE>`, `--name[=<VALUE>]` or `--name`.
    let word = if context.starts_with('-') { context.split([' ', '=', '[']).next()? } else { context };
    let is_culprit = |argument: &OsString| {
        let text = argument.to_string_lossy();
        let is_short = word.starts_with('-') && !word.starts_with("--");
        text.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('=') || is_short)
    };
    // Where a value is missing, `--name` is to blame, not a later `--name=value`.
    let is_bare = |argument: &OsString| error.kind() == ErrorKind::InvalidValue && argument == word;
    let index = arguments.iter().rposition(is_bare).or_else(|| arguments.iter().rposition(is_culprit));
    let index = index.filter(|index| *index > 0)?;
    Some((index, word.to_owned()))
}

fn explain(kind: ErrorKind, word: &str) -> Mistake {
    let settings = || SETTINGS.iter().map(|setting| setting.name);
    let name = word.trim_start_matches('-');
    let known = settings().chain(OTHER_FLAGS.iter().copied()).find(|each| *each == name && word.starts_with("--"));
    if let Some(name) = known {
        let text = match kind {
            ErrorKind::UnknownArgument => "not a flag of this command",
            ErrorKind::ArgumentConflict => "given more than once",
            ErrorKind::TooManyValues => "takes no value",
            _ => "wants a value",
        };
        return Mistake::new(Origin::Flag(name), text.to_owned());
    }
    let is_plain = word.len() <= WORD_BYTES_MAX && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let text = if SUBCOMMANDS.contains(&word) {
        format!("`{word}` is one command too many")
    } else if word.starts_with('-') {
        let flags = settings().chain(OTHER_FLAGS.iter().copied()).map(|name| format!("--{name}"));
        format!("unknown flag `{}`{}", word.escape_debug(), mistake::suggestion(word, flags))
    } else if is_plain {
        let suggestion = mistake::suggestion(word, SUBCOMMANDS.iter().map(|name| (*name).to_owned()));
        format!("`{word}` is neither a flag nor a command{suggestion}")
    } else {
        "an argument that is not shown here is neither a flag nor a command".to_owned()
    };
    Mistake::new(Origin::CommandLine, text)
}
