//! The ECMG-SCS interface (clause 5).
mod parameters;
pub use parameters::ChannelParameters;
