//! Events out: the cores' rings emptied ten times a second, and written as JSON lines.
//!
//! A thread of its own, since a file or a pipe may block: then the rings fill, and what finds no room is dropped and counted. What
//! cannot be written is counted too, and said once for each new reason. It never looks into anything but an [`Event`].

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::Receiver as Channel;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;

use crate::limits;
use crate::policy::code::Code;
use crate::shared::Shared;
use crate::shared::events::Event;
use crate::shared::events::Receiver;

/// Where the lines go.
#[derive(Debug)]
pub enum Output {
    /// Nowhere: events are counted by code.
    None,
    /// Standard output.
    Stdout,
    /// The end of a file.
    File(File),
}

impl Output {
    /// Opens a file to append to; makes it if there is none.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn file(path: &Path) -> io::Result<Self> {
        OpenOptions::new().append(true).create(true).open(path).map(Self::File)
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(lines)?;
                out.flush()
            }
            Self::File(file) => file.write_all(lines),
        }
    }
}

/// The thread. Dropping it writes what is in the rings, for one second at the most.
#[derive(Debug)]
pub struct Report {
    /// Dropped to ask for the end.
    stop: Option<SyncSender<()>>,
    ended: Channel<()>,
}

impl Report {
    /// Starts it over the reading ends of all rings.
    ///
    /// # Errors
    /// No thread could be made.
    pub fn start(rings: Vec<Receiver>, output: Output, shared: Arc<Shared>) -> io::Result<Self> {
        let (stop, stopped) = mpsc::sync_channel(1);
        let (end, ended) = mpsc::sync_channel(1);
        let mut writer = Writer { rings, output, shared, counts: Vec::new(), failure: None, lines: String::new() };
        std::thread::Builder::new().name("events".to_owned()).spawn(move || {
            while stopped.recv_timeout(limits::EVENTS_PAUSE) == Err(RecvTimeoutError::Timeout) {
                writer.turn();
            }
            writer.turn();
            let _gone = end.send(());
        })?;
        Ok(Self { stop: Some(stop), ended })
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _late = self.ended.recv_timeout(limits::EVENTS_END_TIME_MAX);
    }
}

struct Writer {
    rings: Vec<Receiver>,
    output: Output,
    shared: Arc<Shared>,
    counts: Vec<(Code, u64)>,
    failure: Option<io::ErrorKind>,
    lines: String,
}

impl Writer {
    /// Writes what is in the rings now.
    fn turn(&mut self) {
        let mut events = 0;
        for ring in 0..self.rings.len() {
            // No more than a ring holds, so that one busy core does not keep the others' events waiting.
            for _ in 0..limits::EVENTS_MAX {
                let Some(event) = self.rings.get_mut(ring).and_then(|ring| ring.pop().ok()) else { break };
                event.write_json(&mut self.lines);
                self.count(&event);
                events += 1;
            }
        }
        if events == 0 {
            return;
        }
        self.shared.event_codes.store(Arc::new(self.counts.clone()));
        let counters = &self.shared.control;
        match self.output.write(self.lines.as_bytes()) {
            Ok(()) => {
                counters.events_written.add(events);
                self.failure = None;
            }
            Err(error) => {
                counters.events_failed.add(events);
                if self.failure != Some(error.kind()) {
                    tracing::error!(%error, "events could not be written");
                    self.failure = Some(error.kind());
                }
            }
        }
        self.lines.clear();
        self.lines.shrink_to(limits::BLOCK_BYTES);
    }

    /// By code, as far as there are not too many of them.
    fn count(&mut self, event: &Event) {
        if let Some((_, count)) = self.counts.iter_mut().find(|(code, _)| *code == event.code) {
            *count += 1;
        } else if self.counts.len() < limits::EVENT_CODES_MAX {
            self.counts.push((event.code, 1));
        }
    }
}
