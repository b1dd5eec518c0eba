//! Signals, turned into requests to the control thread.
//!
//! A handler may do next to nothing, so it writes to a pipe and this thread reads it. The thread decides nothing, with one
//! exception: a process that still lives a second after it was told to stop twice is hung, and is ended from here.

use std::io;
use std::sync::mpsc::SyncSender;

use signal_hook::consts::SIGHUP;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::iterator;

use super::Ask;
use super::EXIT_AT_ONCE;

use crate::limits;

/// The thread that waits for signals. Dropping it ends the thread; the handlers stay and do nothing.
#[derive(Debug)]
pub(super) struct Signals(iterator::Handle);

impl Signals {
    /// Takes SIGTERM, SIGINT and SIGHUP over and passes them on.
    pub(super) fn start(asks: SyncSender<Ask>) -> io::Result<Self> {
        let mut signals = iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
        let handle = signals.handle();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let mut stops = 0;
            for signal in signals.forever() {
                let ask = match signal {
                    SIGTERM => Ask::Stop,
                    SIGINT => Ask::StopSoon,
                    _ => Ask::Reload,
                };
                stops += usize::from(ask != Ask::Reload);
                // Where nobody takes it: either the end has come already, or the control thread hangs and is not waited for.
                let _full_or_ended = asks.try_send(ask);
                if stops > 1 {
                    std::thread::sleep(limits::EXIT_TIME);
                    std::process::exit(EXIT_AT_ONCE);
                }
            }
        })?;
        Ok(Self(handle))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.0.close();
    }
}
