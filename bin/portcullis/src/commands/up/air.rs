//! Takes what is on air and hands it to each box, as a cable splitter does.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_console::Console;
use tokio::net::UdpSocket;

/// Octets of a datagram at most.
const DATAGRAM_MAX: usize = 65_536;

/// The splitter. Cloning gives another handle.
#[derive(Debug, Clone, Default)]
pub(super) struct Splitter {
    outlets: Arc<Mutex<BTreeMap<String, SocketAddr>>>,
}

impl Splitter {
    /// A socket for what is on air; its address is where the headend sends to.
    pub(super) async fn bind() -> std::io::Result<(UdpSocket, SocketAddr)> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    }

    /// From now on this box gets everything.
    pub(super) fn plug(&self, name: &str, address: SocketAddr) {
        self.lock().insert(name.to_owned(), address);
    }

    /// This box gets nothing more.
    pub(super) fn unplug(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Hands on until the task is dropped.
    pub(super) async fn run(self, socket: UdpSocket, console: Console) {
        let mut datagram = vec![0; DATAGRAM_MAX];
        loop {
            // An outlet that nobody listens at comes back as an error of the next receive.
            let Ok((length, _)) = socket.recv_from(&mut datagram).await else { continue };
            let octets = datagram.get(..length).unwrap_or_default();
            console.air(octets);
            let outlets: Vec<SocketAddr> = self.lock().values().copied().collect();
            for outlet in outlets {
                // A box that does not keep up loses packets, as on any cable.
                let _ = socket.try_send_to(octets, outlet);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, SocketAddr>> {
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
