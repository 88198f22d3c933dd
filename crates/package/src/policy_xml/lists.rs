//! The lists of a policy: calls per event, hosts of the network, clients to exchange messages with.

use portcullis_svm::{Event, Syscall};
use portcullis_types::{ScpClientId, SuperScpId, parse_hex_array};

use super::{Element, PolicyError, Reader, elements};
use crate::{ChannelPeer, EventPermits, NetworkHost, PermittedCall};

/// Hosts of the network list.
const MAX_HOSTS: usize = 16;
/// Clients of the channel list.
const MAX_PEERS: usize = 8;
/// Octets of a host name.
const MAX_HOST_NAME: usize = 253;

impl<'d, 'i: 'd> Reader<'d, 'i> {
    pub(super) fn event(
        &self,
        node: Element<'d, 'i>,
        events: &mut Vec<EventPermits>,
    ) -> Result<(), PolicyError> {
        self.only(node, &["name", "fuel"])?;
        let name = self.required(node, "name")?;
        let event = Event::from_name(name)
            .ok_or_else(|| self.error_in(node, "name", format!("unknown event {name}")))?;
        if events.iter().any(|permits| permits.event == event) {
            return Err(self.error_in(node, "name", format!("event {name} twice")));
        }
        let mut calls: Vec<PermittedCall> = Vec::new();
        for child in elements(node) {
            if child.tag_name().name() != "syscall" {
                let name = child.tag_name().name();
                return Err(self.error(child, format!("unknown element {name}")));
            }
            let call = self.call(child)?;
            if calls.iter().any(|known| known.id == call.id) {
                return Err(self.error_in(child, "id", format!("call 0x{:03x} twice", call.id)));
            }
            calls.push(call);
        }
        let fuel = self.optional_number(node, "fuel")?;
        if fuel == Some(0) {
            return Err(self.error_in(node, "fuel", "fuel is 0"));
        }
        events.push(EventPermits { event, fuel, calls });
        Ok(())
    }

    fn call(&self, node: Element<'d, 'i>) -> Result<PermittedCall, PolicyError> {
        self.leaf(node, &["id", "maxPerEvent"])?;
        let number = self.number(node, "id")?;
        let known = u16::try_from(number).ok().filter(|id| Syscall::from_id(*id).is_some());
        let id = known
            .ok_or_else(|| self.error_in(node, "id", format!("no system call 0x{number:03x}")))?;
        let max_per_event = self.optional_number(node, "maxPerEvent")?;
        if max_per_event == Some(0) {
            return Err(self.error_in(node, "maxPerEvent", "maxPerEvent is 0"));
        }
        Ok(PermittedCall { id, max_per_event })
    }

    pub(super) fn hosts(&self, node: Element<'d, 'i>) -> Result<Vec<NetworkHost>, PolicyError> {
        self.only(node, &[])?;
        let mut hosts = Vec::new();
        for child in elements(node) {
            if child.tag_name().name() != "host" || hosts.len() == MAX_HOSTS {
                return Err(
                    self.error(child, format!("unknown element, or over {MAX_HOSTS} hosts"))
                );
            }
            self.leaf(child, &["name", "port", "certificate"])?;
            let name = self.required(child, "name")?;
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
            if name.is_empty() || name.len() > MAX_HOST_NAME || !name.chars().all(legal) {
                return Err(self.error_in(child, "name", "not a host name"));
            }
            let port = u16::try_from(self.number(child, "port")?).ok().filter(|port| *port != 0);
            let port = port.ok_or_else(|| self.error_in(child, "port", "not a port"))?;
            let certificate = match child.attribute("certificate") {
                Some(text) => Some(parse_hex_array(text).map_err(|_| {
                    self.error_in(child, "certificate", "not a SHA-256 in hexadecimal")
                })?),
                None => None,
            };
            hosts.push(NetworkHost { name: name.to_owned(), port, certificate });
        }
        Ok(hosts)
    }

    pub(super) fn peers(&self, node: Element<'d, 'i>) -> Result<Vec<ChannelPeer>, PolicyError> {
        self.only(node, &[])?;
        let mut peers = Vec::new();
        for child in elements(node) {
            if child.tag_name().name() != "client" || peers.len() == MAX_PEERS {
                return Err(
                    self.error(child, format!("unknown element, or over {MAX_PEERS} clients"))
                );
            }
            self.leaf(child, &["clientId", "superScpId"])?;
            peers.push(ChannelPeer {
                client_id: ScpClientId(self.number(child, "clientId")?),
                super_scp_id: SuperScpId(self.number(child, "superScpId")?),
            });
        }
        Ok(peers)
    }
}
