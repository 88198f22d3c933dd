//! Datagrams over the socket pair, with the descriptor of the packet memory beside one of them.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

use crate::wire::MAX_MESSAGE;

/// A new pair: one end for the chip, one for the terminal.
///
/// # Errors
/// What the system says.
pub fn pair() -> std::io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// A datagram that arrived.
pub(crate) enum Received {
    /// So many octets of the buffer, perhaps with a descriptor.
    Datagram(usize, Option<OwnedFd>),
    /// Longer than [`MAX_MESSAGE`]; its end is lost.
    TooLong,
    /// The other side is gone.
    Closed,
}

/// A buffer that holds the longest message.
pub(crate) fn buffer() -> Vec<u8> {
    vec![0; MAX_MESSAGE]
}

pub(crate) fn send(
    socket: &OwnedFd,
    octets: &[u8],
    descriptor: Option<BorrowedFd<'_>>,
) -> std::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let fds = descriptor.map(|fd| [fd]);
    loop {
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if let Some(fds) = &fds {
            ancillary.push(SendAncillaryMessage::ScmRights(fds));
        }
        match sendmsg(socket.as_fd(), &[IoSlice::new(octets)], &mut ancillary, SendFlags::NOSIGNAL)
        {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

pub(crate) fn receive(socket: &OwnedFd, octets: &mut [u8]) -> std::io::Result<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    loop {
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let slice = &mut [IoSliceMut::new(octets)];
        match recvmsg(socket.as_fd(), slice, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Ok(message) if message.flags.contains(ReturnFlags::TRUNC) => {
                return Ok(Received::TooLong);
            }
            Ok(message) if message.bytes == 0 => return Ok(Received::Closed),
            Ok(message) => {
                let descriptor = ancillary.drain().find_map(|part| match part {
                    RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
                    _ => None,
                });
                return Ok(Received::Datagram(message.bytes, descriptor));
            }
            Err(Errno::INTR) => {}
            Err(Errno::CONNRESET | Errno::PIPE) => return Ok(Received::Closed),
            Err(errno) => return Err(errno.into()),
        }
    }
}
