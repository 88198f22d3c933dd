//! The embedded SCP of X.1198 7: data manager, event manager, SCP manager.
//!
//! The data manager decides which EMM and ECM are new, the event manager drives the client with
//! them, the SCP manager gets, verifies, installs and loads the client. The provider gives a
//! loaded client its id and functions, the broker carries messages between clients, and what
//! stopped a client is kept for the operator. Between media
//! client and event manager lies a link that numbers every event and every answer.

pub mod channels;
pub mod data_manager;
pub mod event_manager;
mod image_keys;
pub mod link;
pub mod provider;
pub mod recording;
pub mod scp_manager;
pub mod violations;
