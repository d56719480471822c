//! A pseudo-terminal behind a stable symbolic link, and the states of its master side.
//!
//! A client opens the link as if it were a serial adapter. While no client has it open, reading
//! the master gives EIO; the port is then looked at every 20 ms, because a hang-up stays for ever
//! in an epoll registration. When a client is back the master is registered anew and costs
//! nothing until bytes arrive. The slave side is never held open here, so that a client sees a
//! true end of file when the adapter is unplugged. Called by `port.rs` only.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, QueueSelector};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Where pseudo-terminals live; a link that leads elsewhere is never replaced.
const PTS_DIRECTORY: &str = "/dev/pts/";

/// What a read of the master found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReadResult {
    /// So many bytes.
    Bytes(usize),
    /// A client has the port open and sends nothing.
    Nothing,
    /// Nobody has the port open.
    NoClient,
}

/// The master side.
#[derive(Debug)]
pub(super) enum Port {
    /// The adapter is away.
    Unplugged,
    /// Nobody has the port open.
    Waiting(OwnedFd),
    /// A client has it open; the master is registered with the runtime.
    Attached(AsyncFd<OwnedFd>),
}

impl Port {
    /// Creates a pseudo-terminal in raw mode and returns its master and the path of its slave.
    pub(super) fn open(baud: u32) -> io::Result<(Self, PathBuf)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let path = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        make_raw(&master, baud)?;
        let old = rustix::fs::fcntl_getfl(&master)?;
        rustix::fs::fcntl_setfl(&master, old | OFlags::NONBLOCK)?;
        Ok((Self::Waiting(master), path))
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Unplugged => None,
            Self::Waiting(fd) => Some(fd.as_fd()),
            Self::Attached(fd) => Some(fd.get_ref().as_fd()),
        }
    }

    /// Completes when there may be something to read; never while no client is there. True says
    /// that a client hung up: call [`Port::detach`], or it would be reported for ever.
    pub(super) async fn readable(&self) -> bool {
        match self {
            // The readiness stays: the read that follows clears it when it would block.
            Self::Attached(fd) => {
                fd.readable().await.map_or(true, |guard| guard.ready().is_read_closed())
            }
            _ => std::future::pending().await,
        }
    }

    /// Reads what is there, and follows a client that comes or goes.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> ReadResult {
        let result = match self {
            Self::Unplugged => return ReadResult::NoClient,
            Self::Waiting(fd) => rustix::io::read(&*fd, buffer).map_err(io::Error::from),
            // Read once without asking the registration, which may not know yet, and if there is
            // nothing once more through it, so that it waits for what comes after.
            Self::Attached(fd) => match rustix::io::read(fd.get_ref(), &mut *buffer) {
                Err(Errno::AGAIN) => fd.try_io(Interest::READABLE, |inner| {
                    rustix::io::read(inner, &mut *buffer).map_err(io::Error::from)
                }),
                other => other.map_err(io::Error::from),
            },
        };
        match result {
            Ok(0) => self.detach(),
            Ok(count) => {
                self.attach();
                return ReadResult::Bytes(count);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.attach();
                return ReadResult::Nothing;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return ReadResult::Nothing,
            Err(_) => self.detach(),
        }
        ReadResult::NoClient
    }

    /// Makes the port fresh for the next client: nothing left to read, raw mode, its own speed.
    ///
    /// Fails when the last client was killed while it had the port to itself: the terminal stays
    /// exclusive then, as long as the master lives, to everyone but root.
    pub(super) fn renew(&self, baud: u32) -> io::Result<()> {
        match self {
            Self::Waiting(fd) => make_raw(fd, baud),
            _ => Ok(()),
        }
    }

    fn attach(&mut self) {
        if let Self::Waiting(_) = self
            && let Self::Waiting(fd) = std::mem::replace(self, Self::Unplugged)
        {
            *self = match watch(fd) {
                Ok(registered) => Self::Attached(registered),
                Err(error) => {
                    tracing::error!(area = "sim", %error, "a pseudo-terminal cannot be watched");
                    Self::Unplugged
                }
            };
        }
    }

    /// Takes the master out of its registration; the next read finds out who is there.
    pub(super) fn detach(&mut self) {
        if let Self::Attached(_) = self
            && let Self::Attached(fd) = std::mem::replace(self, Self::Unplugged)
        {
            *self = Self::Waiting(fd.into_inner());
        }
    }

    /// Writes at once what fits and returns how many bytes that was.
    pub(super) fn write(&self, bytes: &[u8]) -> usize {
        match self {
            Self::Attached(fd) => rustix::io::write(fd.get_ref(), bytes).unwrap_or_else(|error| {
                if error != Errno::AGAIN {
                    tracing::debug!(area = "sim", %error, "a reply could not be written");
                }
                0
            }),
            _ => 0,
        }
    }

    /// The speed the client has set, in bits a second.
    pub(super) fn client_baud(&self) -> Option<u32> {
        let termios = rustix::termios::tcgetattr(self.fd()?).ok()?;
        Some(termios.output_speed())
    }
}

/// Opens the slave side for a moment, for what can only be done there: a client that sets nothing
/// must not get line editing, nor what another one left unread.
fn make_raw(master: &OwnedFd, baud: u32) -> io::Result<()> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = rustix::pty::ioctl_tiocgptpeer(master, flags)?;
    let mut termios = rustix::termios::tcgetattr(&slave)?;
    termios.make_raw();
    termios.set_speed(baud)?;
    rustix::termios::tcsetattr(&slave, OptionalActions::Now, &termios)?;
    rustix::termios::tcflush(&slave, QueueSelector::IFlush)?;
    Ok(())
}

/// Registers a master with the runtime.
#[expect(
    deprecated,
    reason = "its replacement is unsafe for types whose descriptor may change; OwnedFd's never does"
)]
fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(fd, Interest::READABLE)
}

/// Points `link` at `target` in one step. Refuses to replace anything but a link to a
/// pseudo-terminal, so a mistyped path never costs a file or a real adapter's name.
pub(super) fn point(link: &Path, target: &Path) -> io::Result<()> {
    if let Ok(old) = fs::symlink_metadata(link) {
        let ours = old.is_symlink() && fs::read_link(link)?.starts_with(PTS_DIRECTORY);
        if !ours {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "something that is no link to a pseudo-terminal is in the way",
            ));
        }
    }
    let mut temporary = link.as_os_str().to_owned();
    temporary.push(format!(".{}.new", std::process::id()));
    let _ = fs::remove_file(&temporary);
    std::os::unix::fs::symlink(target, &temporary)?;
    fs::rename(&temporary, link)
}

/// Removes `link` if it still leads to `target`.
pub(super) fn unpoint(link: &Path, target: &Path) {
    if fs::read_link(link).is_ok_and(|leads_to| leads_to == target)
        && let Err(error) = fs::remove_file(link)
        // Its bus or the whole simulator ended in between and has removed it.
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(area = "sim", link = %link.display(), %error, "a link stays behind");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens the slave as a client does.
    fn client(path: &Path) -> fs::File {
        fs::File::options().read(true).write(true).open(path).expect("a client")
    }

    async fn next_event(port: &Port) -> Option<bool> {
        let wait = std::time::Duration::from_millis(50);
        tokio::time::timeout(wait, port.readable()).await.ok()
    }

    #[tokio::test]
    async fn a_client_that_follows_at_once_does_not_leave_a_hang_up_behind() {
        let mut buffer = [0_u8; 8];
        let (mut port, path) = Port::open(9_600).expect("a terminal");
        assert_eq!(port.read(&mut buffer), ReadResult::NoClient);
        let first = client(&path);
        assert_eq!(port.read(&mut buffer), ReadResult::Nothing);
        assert_eq!(next_event(&port).await, None);
        drop(first);
        assert_eq!(next_event(&port).await, Some(true));
        let mut second = client(&path);
        port.detach();
        assert_eq!(port.read(&mut buffer), ReadResult::Nothing);
        assert_eq!(next_event(&port).await, None, "or the task would spin");
        io::Write::write_all(&mut second, b"ab").expect("written");
        assert_eq!(next_event(&port).await, Some(false));
        assert_eq!(port.read(&mut buffer), ReadResult::Bytes(2));
        drop(second);
        assert_eq!(port.read(&mut buffer), ReadResult::NoClient);
        port.renew(9_600).expect("nobody holds it");
    }

    #[test]
    fn a_link_replaces_only_links_to_pseudo_terminals() {
        let directory = tempfile::tempdir().expect("a directory");
        let link = directory.path().join("port");
        point(&link, Path::new("/dev/pts/900")).expect("nothing there");
        point(&link, Path::new("/dev/pts/901")).expect("an old one of ours");
        assert_eq!(fs::read_link(&link).expect("a link"), Path::new("/dev/pts/901"));
        unpoint(&link, Path::new("/dev/pts/900"));
        assert!(fs::symlink_metadata(&link).is_ok(), "now someone else's");
        unpoint(&link, Path::new("/dev/pts/901"));
        assert!(fs::symlink_metadata(&link).is_err());
        std::os::unix::fs::symlink("/dev/ttyUSB7", &link).expect("a link");
        assert!(point(&link, Path::new("/dev/pts/902")).is_err());
        fs::remove_file(&link).expect("ours");
        fs::write(&link, "a file").expect("written");
        assert!(point(&link, Path::new("/dev/pts/902")).is_err());
        assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 1, "no leftovers");
    }
}
