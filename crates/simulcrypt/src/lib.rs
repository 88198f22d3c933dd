//! Messages and channel/stream machines of ECMG-SCS and EMMG-MUX (TS 103 197), sans-IO.
pub mod ecmg;
