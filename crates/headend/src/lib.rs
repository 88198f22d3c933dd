//! SCS, CWG, scrambler, MUX, ECMG, EMMG and the operator's store.
//!
//! Trust domain: the operator's headend, on line. Sockets, clock and files live here; the
//! protocol machines are `portcullis-simulcrypt`, the bytes of ECM and EMM `portcullis-messages`.

pub mod batches;
mod clock;
pub mod ecmg;
pub mod emmg;
pub mod event;
pub mod input;
pub mod keys;
pub mod layout;
pub mod location;
pub mod mux_server;
mod net;
pub mod output;
pub mod pipeline;
pub mod playout;
pub mod scs;
pub mod store;

pub use clock::unix_now;
