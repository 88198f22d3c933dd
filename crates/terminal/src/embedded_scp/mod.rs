//! The embedded SCP of X.1198 7: data manager, event manager, SCP manager.
//!
//! The data manager decides which EMM and ECM are new, the event manager drives the client with
//! them, the SCP manager gets, verifies, installs and loads the client.

pub mod data_manager;
pub mod event_manager;
pub mod scp_manager;
