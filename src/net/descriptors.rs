//! The bound on open files, raised to what the process may have.
//!
//! A container often starts with a soft bound of 1,024, which a thousand connections would reach at once; the hard bound is the
//! one that somebody chose. Raising soft to hard needs no privilege. It never lowers a bound and never touches the hard one.

use std::io;

use rustix::process::Resource;
use rustix::process::Rlimit;

/// The soft bound on open files before and after; `u64::MAX` stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised {
    /// What the process was started with.
    pub before: u64,
    /// What it has now.
    pub after: u64,
}

/// Raises the soft bound on open files to the hard one.
///
/// # Errors
/// What the kernel said; the old bound then still holds.
pub fn raise() -> io::Result<Raised> {
    let bound = rustix::process::getrlimit(Resource::Nofile);
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: bound.maximum, maximum: bound.maximum })?;
    Ok(Raised { before: bound.current.unwrap_or(u64::MAX), after: bound.maximum.unwrap_or(u64::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_bound_reaches_the_hard_one() {
        let raised = raise().unwrap();
        assert!(raised.before <= raised.after);
        let bound = rustix::process::getrlimit(Resource::Nofile);
        assert_eq!(bound.current, bound.maximum);
        assert_eq!(raise().unwrap(), Raised { before: raised.after, after: raised.after });
    }
}
