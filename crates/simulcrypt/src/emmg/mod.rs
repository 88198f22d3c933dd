//! The EMMG/PDG-MUX interface: its grammar, its error codes, and the EMM generator's side of it.
// spec: S-24 S-48

mod client;
mod status;
mod tables;

pub use client::{Client, ClientConfig, ClientError, ClientEvent, data_provision_udp};
pub use status::EmmgStatus;
pub use tables::{MESSAGES, UDP_MESSAGES, message, parameter};
