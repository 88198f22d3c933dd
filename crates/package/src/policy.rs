//! The policy of a client, understood (X.1198 7.5).

use portcullis_svm::{Event, Limits, PermitTable};
use portcullis_types::{ScpClientId, SuperScpId, UnixSeconds};

/// What a client may do, for how long and with how much.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ClientPolicy {
    /// SCP client ID; must be the header's.
    pub client_id: ScpClientId,
    /// Super SCP ID; must be the header's.
    pub super_scp_id: SuperScpId,
    /// When it may run.
    pub lifetime: Lifetime,
    /// What the machine gives it (before the terminal's own maximum).
    pub limits: Limits,
    /// How many octets at the start of the code are instructions; the rest is data.
    pub text_bytes: u32,
    /// Octets of sealed storage.
    pub nv_bytes: u32,
    /// Permitted calls per event. What is not here is denied.
    pub events: Vec<EventPermits>,
    /// Hosts it may talk to.
    pub hosts: Vec<NetworkHost>,
    /// Clients of the same terminal it may exchange messages with, if they say so too.
    pub peers: Vec<ChannelPeer>,
    /// What may become of the content it descrambles, or has descrambled.
    pub content: ContentRules,
    /// Whether a violation is also reported as an error event; it always stops the client.
    pub report_violations: bool,
}

/// What may become of descrambled content besides being shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContentRules {
    /// It may be kept.
    pub store: bool,
    /// It may be sent on.
    pub retransmit: bool,
}

impl Default for ContentRules {
    fn default() -> Self {
        Self { store: true, retransmit: true }
    }
}

/// When a client may run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lifetime {
    /// First second.
    pub not_before: UnixSeconds,
    /// Last second.
    pub not_after: UnixSeconds,
    /// Longest run without a restart, in seconds; 0 is no limit.
    pub max_uptime_seconds: u32,
}

impl Lifetime {
    /// Whether `now` is inside.
    #[must_use]
    pub fn contains(&self, now: UnixSeconds) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

/// The calls permitted in one event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventPermits {
    /// The event.
    pub event: Event,
    /// Instructions for one event of this kind; `None` is what the limits say.
    pub fuel: Option<u32>,
    /// The calls.
    pub calls: Vec<PermittedCall>,
}

/// One permitted call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PermittedCall {
    /// System call id.
    pub id: u16,
    /// How often in one event; `None` is as often as the budget allows.
    pub max_per_event: Option<u32>,
}

/// A host the client may open connections to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetworkHost {
    /// Its name.
    pub name: String,
    /// Its port.
    pub port: u16,
    /// SHA-256 of the one certificate (DER) it must show. Without it the certificate must be for
    /// the name and end at the terminal's trust anchor.
    pub certificate: Option<[u8; 32]>,
}

/// A client of the same terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelPeer {
    /// Its supplier.
    pub super_scp_id: SuperScpId,
    /// Its SCP client ID.
    pub client_id: ScpClientId,
}

impl ClientPolicy {
    /// The table that the policy monitor asks.
    #[must_use]
    // spec: X-Y02 X-Y04 C-04
    pub fn permit_table(&self) -> PermitTable {
        let mut table = PermitTable::deny_all();
        for permits in &self.events {
            for call in &permits.calls {
                match call.max_per_event {
                    Some(max) => table.permit_limited(permits.event, call.id, max),
                    None => table.permit(permits.event, call.id),
                }
            }
        }
        table
    }
}
