//! The download centre: the J.1020 roles CDCS_PSS and CDCS_MSS and the two-way return channel
//! of EMMs, over HTTPS.
//!
//! Trust domain: the operator, on line, facing terminals. TLS 1.3 only. A terminal is who its
//! device certificate says; a request that names another chip is refused. Clauses: J.1020 10,
//! J.1032 6.1 (EMM over a two-way channel).
//!
//! What must never happen: an image without a ticket (T-44), an EMM list for another box than the
//! one that asks, a request without a bound in octets or time (T-19, T-41).

mod catalogue;
mod error;
mod routes;
mod serve;
mod tls;

pub use catalogue::PublishedClients;
pub use error::CentreError;
pub use routes::Role;
pub use serve::{Centre, Config, Limits};
