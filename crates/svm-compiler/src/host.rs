//! What touches the host: mappings, the signal of a guard page, and the call into compiled code.
//! `unsafe` stays in these files.

pub(crate) mod arena;
pub(crate) mod code;
pub(crate) mod fault;
