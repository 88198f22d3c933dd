//! What the flash says in clear: which client serves which CA system, and what the user wants.
//!
//! All of it is a hint: a wrong one finds nothing, or a client that opens no message. What must
//! never happen: a decision about trust taken by it.

use std::path::PathBuf;

use portcullis_store::{ClientName, RealDisk, write_atomically};
use portcullis_types::{CaSystemId, ScpClientId, SuperScpId};
use serde::{Deserialize, Serialize};

use super::ScpManager;
use crate::error::ClientError;

/// Octets of the list of known clients.
const KNOWN_CAP: usize = 64 * 1024;

/// Which client serves a CA system: a hint in flash, to find slots without a centre. What is in
/// them is verified; a wrong hint finds nothing or the wrong client, which opens no message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct KnownClient {
    pub(crate) ca_system_id: CaSystemId,
    pub(crate) vendor: String,
    pub(crate) super_scp_id: SuperScpId,
    pub(crate) client_id: ScpClientId,
}

impl KnownClient {
    pub(super) const fn name(&self) -> ClientName {
        ClientName { super_scp_id: self.super_scp_id, client_id: self.client_id }
    }
}

impl ScpManager<'_> {
    /// CA systems with a client here, the preferred one first.
    pub(crate) fn known(&self) -> Vec<KnownClient> {
        std::fs::read(self.known_path())
            .ok()
            .filter(|octets| octets.len() <= KNOWN_CAP)
            .and_then(|octets| serde_json::from_slice(&octets).ok())
            .unwrap_or_default()
    }

    /// The CA system the user prefers, as `preferred-ca-system` in the flash says.
    // spec: X-15
    pub(crate) fn preferred(&self) -> Option<CaSystemId> {
        let text = std::fs::read_to_string(self.flash.join("preferred-ca-system")).ok()?;
        let number = portcullis_types::parse_u32(text.trim()).ok()?;
        u16::try_from(number).ok().map(CaSystemId)
    }

    /// The age limit of the user, as `parental-age` in the flash says.
    pub(super) fn age_limit(&self) -> Option<u8> {
        let text = std::fs::read_to_string(self.flash.join("parental-age")).ok()?;
        // A limit that cannot be read is the strictest one.
        Some(text.trim().parse().unwrap_or(0))
    }

    pub(super) fn remember(&self, client: &KnownClient) -> Result<(), ClientError> {
        let mut known = self.known();
        known.retain(|other| other.ca_system_id != client.ca_system_id);
        known.push(client.clone());
        let octets = serde_json::to_vec_pretty(&known).unwrap_or_default();
        Ok(write_atomically(&RealDisk, &self.known_path(), &octets)?)
    }

    pub(super) fn slots_dir(&self) -> PathBuf {
        self.flash.join("slots")
    }

    fn known_path(&self) -> PathBuf {
        self.slots_dir().join("clients.json")
    }
}
