//! The ECMG-SCS interface: its grammar, its error codes, and the ECM generator's side of it.
// spec: S-23 S-37

mod parameters;
mod server;
mod server_stream;
mod status;
mod tables;

pub use parameters::ChannelParameters;
pub use server::{EachEcm, EcmgHost, ServerChannel, ServerLimits};
pub use server_stream::{ControlWords, CwProvision, Refusal};
pub use status::EcmgStatus;
pub use tables::{MESSAGES, message, parameter};
