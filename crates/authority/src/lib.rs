//! The trust authority: root ceremony and certificates, off line.
//!
//! Trust domain: the Trust Authority, and every party in its role as issuer (a CA vendor for its
//! client series, an operator for its platform operation). No network crate is linked, and no
//! program on the network links this one: `portcullis` runs `portcullis-authority` as a child.
//! Clauses: J.1010 6.1 and R21, J.1012 clause 5, Supplement 8 clause 8. Certificates are X.509,
//! Ed25519, one extended-key-usage OID per role; intermediates carry none.
//!
//! What must never happen: a private key outside its `.age` file; a subject's private key seen by
//! its issuer (requests are PKCS#10); a role issued by somebody who may not issue it; a serial
//! number used twice; a certificate that outlives its issuer.

// spec: E-R21

mod error;
mod issue;
mod issuer;
mod request;

pub use error::AuthorityError;
pub use issue::{Subject, validity_days};
pub use issuer::Issuer;
pub use request::{create_plain_request, create_request, read_request};
