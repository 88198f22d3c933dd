//! The download of client software (CDCS) after J.1020 clause 10, as sans-IO machines.
//!
//! Trust domain: both ends of an untrusted wire. The terminal's side ([`client`]) asks the
//! CDCS_PSS which client a CA system needs, gets metadata and a ticket, and fetches the image
//! from the CDCS_MSS with it. The centre's side ([`server`]) decides and checks tickets. Neither
//! holds a socket or a clock.
//!
//! Which steps: 10.1 to 10.10 and 10.13; personalisation (10.15 to 10.20) belongs to secondary
//! devices. Decisions where the text is silent: metadata travels in steps 5 and 6, the image in
//! step 13; a ticket opens one image request, so resuming an interrupted image asks for a fresh
//! one.
//!
//! What must never happen: a download without an end in octets or time (T-19), an image accepted
//! that is not the one the metadata names, a ticket used twice or by another device (T-44).

pub mod client;
mod error;
pub mod server;
pub mod ticket;
pub mod wire;

pub use client::{Download, DownloadedImage, Limits, Progress};
pub use error::{DownloadError, ErrorCode};
pub use ticket::{Ticket, TicketAuthority};
pub use wire::{CdcsInformation, ErrorBody, ImageKeyGrant, MetadataRequest, MetadataResponse};
