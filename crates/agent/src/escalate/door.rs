//! A socket on which one user, and nobody else, is given descriptors.
//!
//! Programs between this one and its child may close what they do not know (sudo does), and their own three
//! descriptors may be a terminal. So the child comes and fetches what it is to talk over. The socket's name is
//! in its arguments, for everybody to see: who may have the descriptors is decided by who comes, which the kernel says.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use nix::cmsg_space;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, getsockopt, recvmsg, sendmsg,
};
use nix::unistd::Uid;

use crate::tmp::unique_name;

/// A listening socket for `uid`.
pub struct Door {
    listener: UnixListener,
    name: String,
    uid: Uid,
}

impl Door {
    /// A socket with a name of its own in the abstract namespace, so that no file is left behind.
    pub fn new(uid: Uid) -> io::Result<Self> {
        let name = unique_name("provision-door");
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, name, uid })
    }

    /// What the child needs to know.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Give the descriptors (input and output) to the user if it has come. Does not wait. Everybody else is turned away.
    pub fn hand_out(&self, input: &OwnedFd, output: &OwnedFd) -> io::Result<bool> {
        loop {
            let (visitor, _) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            };
            if getsockopt(&visitor, PeerCredentials)?.uid() != self.uid.as_raw() {
                continue;
            }
            let fds = [input.as_raw_fd(), output.as_raw_fd()];
            let sent = sendmsg::<UnixAddr>(
                visitor.as_raw_fd(),
                &[IoSlice::new(b"!")],
                &[ControlMessage::ScmRights(&fds)],
                MsgFlags::MSG_NOSIGNAL,
                None,
            );
            return sent.map(|_| true).map_err(io::Error::from);
        }
    }
}

/// Fetch the descriptors at the door of that name: input and output. They are closed in programs started by this one.
pub fn fetch(name: &str) -> io::Result<(File, File)> {
    let stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)?;
    let mut byte = [0];
    let mut parts = [IoSliceMut::new(&mut byte)];
    let mut space = cmsg_space!([RawFd; 2]);
    let message =
        recvmsg::<UnixAddr>(stream.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let mut files = Vec::new();
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(fds) = part {
            // SAFETY: the kernel has just made these descriptors for this process, and nobody else knows them.
            files.extend(fds.into_iter().map(|fd| unsafe { File::from_raw_fd(fd) }));
        }
    }
    let files: [File; 2] =
        files.try_into().map_err(|_| io::Error::other("there was nobody at the other side"))?;
    Ok(files.into())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use nix::unistd::{geteuid, pipe};

    use super::*;

    #[test]
    fn the_user_gets_the_descriptors() {
        let door = Door::new(geteuid()).unwrap();
        let (mut ours, mut theirs) = (String::new(), [0; 5]);
        let ((input, to), (from, output)) = (pipe().unwrap(), pipe().unwrap());
        assert!(!door.hand_out(&input, &output).unwrap());
        let name = door.name().to_owned();
        let child = std::thread::spawn(move || {
            let (mut input, mut output) = fetch(&name).unwrap();
            input.read_exact(&mut theirs).unwrap();
            output.write_all(&theirs).unwrap();
        });
        while !door.hand_out(&input, &output).unwrap() {
            std::thread::yield_now();
        }
        drop((input, output));
        File::from(to).write_all(b"hello").unwrap();
        File::from(from).read_to_string(&mut ours).unwrap();
        child.join().unwrap();
        assert_eq!(ours, "hello");
    }

    #[test]
    fn others_get_nothing() {
        let door = Door::new(Uid::from_raw(geteuid().as_raw() + 1)).unwrap();
        let (input, output) = pipe().unwrap();
        let name = door.name().to_owned();
        let visitor = std::thread::spawn(move || fetch(&name).map(|_| ()));
        while !visitor.is_finished() {
            assert!(!door.hand_out(&input, &output).unwrap());
        }
        assert!(visitor.join().unwrap().is_err());
    }
}
