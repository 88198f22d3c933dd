//! The chip's side of the socket.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};

use crate::socket::{Received, buffer, receive, send};
use crate::software::SoftwareChip;
use crate::wire::{BootLink, ChipError, Reply, Request, decode, encode};

/// Answers requests until the other side is gone.
///
/// # Errors
/// What the system says about the socket.
pub fn serve(chip: &mut SoftwareChip, socket: &OwnedFd) -> std::io::Result<()> {
    serve_while(chip, socket, &mut |_| {}, &mut || true)
}

/// As [`serve`], telling of each new boot link, and looking now and then whether the other side
/// still lives (a descendant of it may hold its end open).
pub(crate) fn serve_while(
    chip: &mut SoftwareChip,
    socket: &OwnedFd,
    on_link: &mut dyn FnMut(&BootLink),
    is_alive: &mut dyn FnMut() -> bool,
) -> std::io::Result<()> {
    set_socket_timeout(socket, Timeout::Recv, Some(LIVENESS))?;
    let mut buffer = buffer();
    loop {
        let reply = match receive(socket, &mut buffer) {
            Ok(Received::Closed) => return Ok(()),
            Ok(Received::TooLong) => Reply::Refused(ChipError::Malformed),
            Ok(Received::Datagram(length, _)) => {
                let links = chip.boot_report().len();
                let reply = match decode::<Request>(buffer.get(..length).unwrap_or_default()) {
                    Ok(request) => chip.handle(request),
                    Err(error) => Reply::Refused(error),
                };
                chip.boot_report().iter().skip(links).for_each(&mut *on_link);
                reply
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if is_alive() {
                    continue;
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let octets = encode(&reply).or_else(|error| encode(&Reply::Refused(error)));
        let octets = octets.map_err(std::io::Error::other)?;
        let attached = matches!(reply, Reply::Attached { .. });
        match send(socket, &octets, attached.then(|| chip.packet_memory())) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            outcome => outcome?,
        }
    }
}

const LIVENESS: Duration = Duration::from_millis(500);
