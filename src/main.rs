//! The program: for now it only reads its configuration.

use std::env;
use std::io;
use std::io::Write as _;
use std::process::ExitCode;

use penaxtra_gateway::config;
use penaxtra_gateway::config::Command;
use penaxtra_gateway::log;

fn main() -> ExitCode {
    match config::parse(env::args_os(), env::vars_os()) {
        Ok((Command::CheckConfig(config), warnings)) => {
            log::start(config.log, config.log_format);
            for warning in warnings {
                tracing::warn!("{warning}");
            }
            let _ = io::stdout().write_all(config.explain().as_bytes());
            ExitCode::SUCCESS
        }
        Ok((command, _)) => {
            let _ = writeln!(io::stdout(), "{command:?}");
            ExitCode::SUCCESS
        }
        Err(exit) => {
            let text = exit.text.as_bytes();
            let _ = if exit.to_stdout { io::stdout().write_all(text) } else { io::stderr().write_all(text) };
            ExitCode::from(u8::try_from(exit.code).unwrap_or(1))
        }
    }
}
