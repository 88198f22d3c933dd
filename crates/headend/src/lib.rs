//! SCS, CWG, scrambler, MUX, ECMG, EMMG and the operator's store.
//!
//! Trust domain: the operator's headend, on line. Sockets, clock and files live here; the
//! protocol machines are `portcullis-simulcrypt`, the bytes of ECM and EMM `portcullis-messages`.

pub mod ecmg;
pub mod emmg;
pub mod keys;
pub mod layout;
pub mod mux_server;
pub mod scs;
pub mod store;
