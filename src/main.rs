//! The program: reads its configuration, starts a gateway, says what it bound, waits for the end.

use std::env;
use std::ffi::OsString;
use std::io;
use std::io::Write;
use std::process::ExitCode;

use penaxtra_gateway::command;
use penaxtra_gateway::config;
use penaxtra_gateway::config::Command;
use penaxtra_gateway::config::Config;
use penaxtra_gateway::demo;
use penaxtra_gateway::gateway::Gateway;
use penaxtra_gateway::hardening;
use penaxtra_gateway::healthcheck;
use penaxtra_gateway::log;

/// The configuration is wrong, or something that it names.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    hardening::start();
    let arguments: Vec<OsString> = env::args_os().collect();
    if let Some(code) = command::run(&arguments, &mut io::stdout(), &mut io::stderr()) {
        return ExitCode::from(code);
    }
    match config::parse(arguments, env::vars_os()) {
        Err(exit) => {
            let text = exit.text.as_bytes();
            let _ = if exit.to_stdout { io::stdout().write_all(text) } else { io::stderr().write_all(text) };
            ExitCode::from(u8::try_from(exit.code).unwrap_or(EXIT_USAGE))
        }
        Ok((Command::Run(config), warnings)) => run(&config, &warnings),
        Ok((Command::CheckConfig(config), warnings)) => check(&config, &warnings),
        Ok((Command::Healthcheck { url }, _)) => probe(&url),
        Ok((Command::Demo(demo), _)) => match demo::run(demo, &mut io::stdout()) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                let _ = writeln!(io::stderr(), "demo: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

fn run(config: &Config, warnings: &[String]) -> ExitCode {
    log::start(config.log, config.log_format);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    match Gateway::start(config, true) {
        Ok(gateway) => ExitCode::from(u8::try_from(gateway.wait()).unwrap_or(1)),
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn check(config: &Config, warnings: &[String]) -> ExitCode {
    for warning in warnings {
        let _ = writeln!(io::stderr(), "warning: {warning}");
    }
    let _ = io::stdout().write_all(config.explain().as_bytes());
    ExitCode::SUCCESS
}

fn probe(url: &str) -> ExitCode {
    match healthcheck::ask(url) {
        Ok(200..=399) => ExitCode::SUCCESS,
        Ok(status) => {
            let _ = writeln!(io::stderr(), "unhealthy: status {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "unhealthy: {error}");
            ExitCode::FAILURE
        }
    }
}
