//! Which of many sockets have something to read: a thin, level-triggered epoll. It owns no socket; closing one removes it.

use std::io;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll;
use rustix::event::epoll::Event;
use rustix::event::epoll::EventData;
use rustix::event::epoll::EventFlags;
use rustix::io::Errno;

/// Events taken by one wait: enough for every connection of the closed loop.
const EVENTS_MAX: usize = 512;

/// The sockets watched.
pub(crate) struct Ready {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Ready {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, events: Vec::with_capacity(EVENTS_MAX) })
    }

    /// Watches `socket` under the number `index`.
    pub(crate) fn add(&self, socket: impl AsFd, index: usize) -> io::Result<()> {
        let data = EventData::new_u64(u64::try_from(index).map_err(io::Error::other)?);
        Ok(epoll::add(&self.epoll, socket, data, EventFlags::IN | EventFlags::RDHUP)?)
    }

    /// Puts the numbers of the sockets that are ready into `indexes`; none after `timeout`, or after a signal.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, indexes: &mut Vec<usize>) -> io::Result<()> {
        let timeout = timeout.map(Timespec::try_from).transpose().map_err(io::Error::other)?;
        self.events.clear();
        indexes.clear();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        indexes.extend(self.events.iter().filter_map(|event| usize::try_from(event.data.u64()).ok()));
        Ok(())
    }
}
