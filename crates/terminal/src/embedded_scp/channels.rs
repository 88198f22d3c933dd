//! Channels between the clients of one terminal.
//!
//! Clause: X.1198 6.2.1 (inter-communication is controlled). Messages are copied from one client's
//! memory to the other's by way of this broker; nothing is shared. A channel exists when each of
//! two verified policies names the other client.
//!
//! What must never happen: a message to a client that does not expect one from this sender; a
//! sender's name other than that of its verified package; memory that grows with a flood.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_package::ChannelPeer;
use portcullis_store::ClientName;

/// Messages that wait for one client.
const WAITING: usize = 16;
/// Octets of one message.
pub(crate) const MESSAGE: usize = 4096;
/// Clients of a terminal.
const CLIENTS: usize = 16;

/// Knows the running clients of one terminal.
#[derive(Clone, Default)]
pub struct Broker(Arc<Mutex<BTreeMap<ClientName, Mailbox>>>);

#[derive(Default)]
struct Mailbox {
    peers: Vec<ClientName>,
    waiting: VecDeque<(ClientName, Vec<u8>)>,
}

/// Why a message does not go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotSent {
    /// The other client does not run, or does not name this one. Which of both is not told.
    #[error("the client is not there for this one")]
    NotThere,
    /// It has not taken what came before.
    #[error("too many messages wait")]
    Full,
}

/// One client's end of all its channels. When it is dropped the client is not there any more.
pub struct ChannelEnd {
    broker: Broker,
    name: ClientName,
    peers: Vec<ClientName>,
}

impl Broker {
    /// The end of a client whose verified policy names these peers; `None` when a client of this
    /// name runs already, or too many do.
    // spec: X-21
    // defends: T-32
    #[must_use]
    pub fn join(&self, name: ClientName, peers: &[ChannelPeer]) -> Option<ChannelEnd> {
        let peers: Vec<ClientName> = peers
            .iter()
            .map(|peer| ClientName { super_scp_id: peer.super_scp_id, client_id: peer.client_id })
            .collect();
        let mut clients = self.clients();
        if clients.len() >= CLIENTS || clients.contains_key(&name) {
            return None;
        }
        clients.insert(name, Mailbox { peers: peers.clone(), waiting: VecDeque::new() });
        Some(ChannelEnd { broker: self.clone(), name, peers })
    }

    fn clients(&self) -> MutexGuard<'_, BTreeMap<ClientName, Mailbox>> {
        // Nothing in here can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChannelEnd {
    /// The number of the channel to a client; `None` when the own policy does not name it.
    #[must_use]
    pub fn channel(&self, peer: ClientName) -> Option<u32> {
        let at = self.peers.iter().position(|known| *known == peer)?;
        u32::try_from(at).ok()?.checked_add(1)
    }

    /// Sends a message of at most 4096 octets.
    ///
    /// # Errors
    /// [`NotSent`].
    // defends: T-31 T-32
    pub fn send(&self, channel: u32, message: Vec<u8>) -> Result<(), NotSent> {
        let at = channel.checked_sub(1).ok_or(NotSent::NotThere)? as usize;
        let peer = self.peers.get(at).ok_or(NotSent::NotThere)?;
        let mut clients = self.broker.clients();
        let mailbox = clients.get_mut(peer).filter(|mailbox| mailbox.peers.contains(&self.name));
        let mailbox = mailbox.ok_or(NotSent::NotThere)?;
        if mailbox.waiting.len() >= WAITING || message.len() > MESSAGE {
            return Err(NotSent::Full);
        }
        mailbox.waiting.push_back((self.name, message));
        Ok(())
    }

    /// The message that waits longest, with the number of its channel.
    #[must_use]
    pub fn receive(&self) -> Option<(u32, Vec<u8>)> {
        let (from, message) = self.broker.clients().get_mut(&self.name)?.waiting.pop_front()?;
        Some((self.channel(from)?, message))
    }

    /// Whether somebody may send something.
    pub(crate) fn has_peers(&self) -> bool {
        !self.peers.is_empty()
    }
}

impl Drop for ChannelEnd {
    fn drop(&mut self) {
        self.broker.clients().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use portcullis_types::{ScpClientId, SuperScpId};

    fn name(number: u32) -> ClientName {
        ClientName { super_scp_id: SuperScpId(0xA000 + number), client_id: ScpClientId(number) }
    }

    fn peer(number: u32) -> ChannelPeer {
        let ClientName { super_scp_id, client_id } = name(number);
        ChannelPeer { super_scp_id, client_id }
    }

    // spec-test: X-21
    // attack-test: T-32
    #[test]
    fn a_channel_needs_both_policies_and_a_running_client() {
        let broker = Broker::default();
        let a = broker.join(name(1), &[peer(3), peer(2)]).unwrap();
        assert_eq!((a.channel(name(2)), a.channel(name(9))), (Some(2), None));
        assert_eq!(a.send(2, b"early".to_vec()), Err(NotSent::NotThere));
        let b = broker.join(name(2), &[peer(1)]).unwrap();
        // 3 does not name 1: the same answer as if it did not run.
        let c = broker.join(name(3), &[peer(2)]).unwrap();
        assert_eq!(a.send(1, b"unwanted".to_vec()), Err(NotSent::NotThere));
        // 3 names 2, 2 does not name 3.
        assert_eq!(c.send(1, b"unwanted".to_vec()), Err(NotSent::NotThere));
        for channel in [0, 3, u32::MAX] {
            assert_eq!(a.send(channel, Vec::new()), Err(NotSent::NotThere));
        }
        assert_eq!(a.send(2, b"one".to_vec()), Ok(()));
        assert_eq!(a.send(2, b"two".to_vec()), Ok(()));
        assert_eq!(b.receive(), Some((1, b"one".to_vec())));
        assert_eq!((a.receive(), c.receive()), (None, None));
        assert!(broker.join(name(1), &[]).is_none(), "a name runs once");
        drop(b);
        assert_eq!(a.send(2, b"late".to_vec()), Err(NotSent::NotThere));
        // What waited went with the client that was to have it.
        let b = broker.join(name(2), &[peer(1)]).unwrap();
        assert_eq!(b.receive(), None);
    }

    // attack-test: T-31
    #[test]
    fn a_flood_ends_at_the_limit() {
        let broker = Broker::default();
        let a = broker.join(name(1), &[peer(2)]).unwrap();
        let b = broker.join(name(2), &[peer(1)]).unwrap();
        assert_eq!(a.send(1, vec![0; MESSAGE + 1]), Err(NotSent::Full));
        for _ in 0..WAITING {
            assert_eq!(a.send(1, vec![0; MESSAGE]), Ok(()));
        }
        assert_eq!(a.send(1, Vec::new()), Err(NotSent::Full));
        assert!(b.receive().is_some());
        assert_eq!(a.send(1, Vec::new()), Ok(()));
    }
}
